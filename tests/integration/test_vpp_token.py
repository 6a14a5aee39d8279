# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Apple VPP tokens: one, many and all, in process and sent, as the simulated service shows them."""

from __future__ import annotations

import typing as t
from datetime import timedelta

import pytest
from simulator import Fault, Request, VppToken

from .conftest import SEND_THE_MODULE, Run, Site

pytestmark = pytest.mark.slow

TOKEN = "graphops.intune.intune_vpp_token_sync"
DAY = timedelta(days=1)
WAYS = pytest.mark.parametrize("way", [(), SEND_THE_MODULE], ids=["in process", "sent"])


@pytest.fixture
def token(site: Site) -> VppToken:
    """A token that is due."""
    return site.tenant.add_vpp_token(last_sync=DAY, sync_delay=1.5)


def play(site: Site, calls: t.Sequence[dict[str, t.Any]], *arguments: str, **more: t.Any) -> Run:
    """Run the module once for each of these changes, whatever becomes of the one before.

    No secret of Apple's is on the screen or in a result, at any verbosity.
    """
    tasks = [
        {
            TOKEN: site.options(
                connector_id=None, **{name: what for name, what in call.items() if name != "check_mode"}
            ),
            "check_mode": call.get("check_mode", False),
            "ignore_errors": len(calls) > 1,
        }
        for call in calls
    ]
    run = site.play(tasks, *arguments, **more)
    assert len(run.results) == len(calls), run.output
    assert "apple-secret" not in run.output + str(run.results)
    return run


def sync(site: Site, *arguments: str, environment: t.Mapping[str, str] | None = None, **changes: t.Any) -> Run:
    """Run the module once."""
    return play(site, [changes], *arguments, environment=environment)


def state(result: t.Mapping[str, t.Any]) -> tuple[bool, str]:
    return result["changed"], result["sync"]["state"]


@WAYS
def test_a_token_is_synchronised_once(site: Site, token: VppToken, way: tuple[str, ...]) -> None:
    one = {"token_id": token.id}
    calls = [{**one, "check_mode": True}, one, {"token_id": token.id.upper()}]
    run = play(site, calls, *way, "-vvvvv", "--diff")
    assert run.failed == [False] * 3
    predicted, done, again = run.results
    assert state(predicted) == (True, "predicted")
    assert state(done) == (True, "completed")
    assert done["vpp_token"]["last_sync_status"] == "completed"
    assert done["sync"]["completed_at"] == done["vpp_token"]["last_sync_date_time"]
    assert state(again) == (False, "fresh")
    assert len(token.accepted) == 1
    (post,) = site.requests("sync")
    assert (post.body, post.headers["Content-Length"], "Transfer-Encoding" in post.headers) == (b"", "0", False)


@WAYS
def test_many_and_all(site: Site, token: VppToken, way: tuple[str, ...]) -> None:
    other = site.tenant.add_vpp_token(last_sync=DAY, organization_name="Fabrikam")
    expired = site.tenant.add_vpp_token(last_sync=DAY, state="expired")
    before_the_lists: list[list[int]] = []

    def note(_request: Request) -> bool:
        before_the_lists.append([len(one.accepted) for one in (token, other, expired)])
        return False

    site.world.faults.add(Fault("list", only_if=note))
    chosen = {"state": ["valid"], "organization_name": "fabrikam"}
    run = play(
        site,
        [
            {"token_ids": [token.id, other.id, token.id]},
            {"all": True, "max_age": 0},
            {"all": True, "max_age": 0, **chosen, "check_mode": True},
        ],
        *way,
    )
    many, every, some = run.results
    assert run.failed == [False, True, False], run.output
    assert [entry["token_id"] for entry in many["vpp_tokens"]] == [token.id, other.id]
    assert f"{token.id} is named more than once in token_ids, and is asked for once" in str(many["warnings"])

    told = {entry["token_id"]: entry for entry in every["vpp_tokens"]}
    assert [told[one.id]["sync"]["state"] for one in (token, other, expired)] == ["completed", "completed", "refused"]
    assert f": 1 of 3 failed - {expired.id}: its state is expired, so no synchronisation" in every["msg"]
    assert every["changed"] is True
    assert [entry["token_id"] for entry in some["vpp_tokens"]] == [other.id]
    assert before_the_lists == [[1, 1, 0], [2, 2, 0]]
    assert [len(one.accepted) for one in (token, other, expired)] == [2, 2, 0]


def test_a_list_of_n_costs_a_batch_for_each_twenty(site: Site) -> None:
    tokens = [site.tenant.add_vpp_token(last_sync=DAY) for _number in range(41)]
    run = sync(site, all=True, wait=False)
    assert run.code == 0, run.output
    assert [len(token.accepted) for token in tokens] == [1] * 41
    assert (len(site.requests("list")), len(site.requests("batch"))) == (1, 3)
    assert not [request for request in site.requests("get") if not request.in_batch]


@WAYS
def test_one_of_somebody_else_is_joined(site: Site, token: VppToken, way: tuple[str, ...]) -> None:
    def begins(_request: Request) -> bool:
        token.begin()
        return True

    site.world.faults.add(Fault("get", only_if=begins))
    run = sync(site, *way, token_id=token.id)
    assert (run.code, *state(run.result)) == (0, False, "joined")
    assert run.result["sync"]["completed_at"]
    token.sync_delay = 60
    token.last_sync = DAY
    token.begin()
    one = {"token_id": token.id}
    run = play(site, [{**one, "wait": False}, {**one, "wait_timeout": 1}, {**one, "force": True, "wait": False}], *way)
    assert run.failed == [False, True, False]
    assert list(map(state, run.results)) == [(False, "joined"), (False, "joined"), (True, "requested")]
    assert "a synchronisation that was asked for elsewhere runs" in run.results[1]["msg"]
    assert len(token.accepted) == 1


@WAYS
def test_one_that_fails_and_is_never_fresh(site: Site, token: VppToken, way: tuple[str, ...]) -> None:
    token.outcome = "fails"

    def mend(_token: t.Any) -> None:
        token.outcome, token.sync_delay = "completes", 0.2

    token.on_accept = mend
    run = play(site, [{"token_id": token.id}, {"token_id": token.id, "max_age": 86400 * 365}], *way)
    bad, good = run.results
    assert (run.failed, state(bad), state(good)) == ([True, False], (True, "failed"), (True, "completed"))
    assert "the synchronisation failed: lastSyncStatus is failed" in bad["msg"]
    assert good["sync"]["reason"] == "the last synchronisation failed (lastSyncStatus failed)"


def test_what_graph_repeats_of_a_token_is_masked(site: Site, token: VppToken) -> None:
    said = {"error": {"code": "x", "message": f"The token {token.properties['token']} is no good."}}
    site.world.faults.add(Fault("sync", status=400, body=said))
    run = sync(site, "-vvvvv", token_id=token.id)
    assert 'HTTP 400 (Bad Request): "The token ******** is no good."' in run.result["msg"]


def test_an_answer_that_was_lost_is_looked_up(site: Site, token: VppToken) -> None:
    site.world.faults.add(Fault("sync", cut="before", accept=True))
    run = sync(site, token_id=token.id)
    assert (run.code, *state(run.result)) == (0, True, "completed")
    assert len(token.accepted) == 1


@pytest.mark.parametrize("status", [404, 501])
def test_a_tenant_without(site: Site, status: int) -> None:
    site.tenant.absent = {"vpp_token": status}
    run = play(site, [{"all": True}, {"token_id": "11111111-1111-4111-8111-111111111111"}])
    every, one = run.results
    assert run.failed == [status == 404, True]
    if status == 501:
        assert (every["changed"], every["vpp_tokens"]) == (False, [])
        assert "this tenant has no Apple VPP token (Graph answered HTTP 501, NotSupported)" in str(every["warnings"])
    assert one["msg"].startswith("Apple VPP token 11111111-1111-4111-8111-111111111111 in tenant contoso")


def test_what_one_may_not(site: Site, token: VppToken) -> None:
    site.app.roles = ("DeviceManagementServiceConfig.Read.All",)
    run = sync(site, token_id=token.id)
    assert "could not request a synchronisation, Graph answered HTTP 403 (Forbidden)" in run.result["msg"]
    assert "grant the app DeviceManagementServiceConfig.ReadWrite.All" in run.result["msg"]
    assert token.accepted == []


BAD: tuple[tuple[dict[str, t.Any], str], ...] = (
    ({"token_id": "nobody"}, "token_id 'nobody' is not a GUID; take the id from"),
    ({}, "which tokens to synchronise is not clear; give exactly one of token_id, token_ids and all."),
    ({"token_id": "x", "state": ["valid"]}, "state chooses among all tokens; give it together with all only."),
    ({"all": True, "max_age": -1}, "max_age is -1; give a number of seconds that is at least 0."),
)


def test_bad_input_fails_before_anything_is_asked(site: Site) -> None:
    run = play(site, [changes for changes, _message in BAD])
    assert all(run.failed)
    for result, (_changes, message) in zip(run.results, BAD):
        assert result["msg"].startswith(message)
    assert site.world.requests == []


def test_defaults_of_the_group(site: Site, token: VppToken) -> None:
    defaults = {"group/graphops.intune.intune": site.options(connector_id=None, wait_sleep=None)}
    run = site.play([{TOKEN: {"token_id": token.id, "wait": False}}], module_defaults=defaults)
    assert run.code == 0, run.output
    assert len(token.accepted) == 1
