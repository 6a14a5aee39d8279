# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many connectors of a tenant in one task: what goes over the wire, and what each of them is told."""

from __future__ import annotations

import json
import typing as t
import uuid
from datetime import timedelta

import pytest
from simulator import Fault

from .conftest import Case, Cases, Run, Site

pytestmark = pytest.mark.slow


@pytest.fixture
def site(site: Site) -> Site:
    """A tenant with 45 connectors that are due: three batches."""
    fill(site)
    return site


def fill(site: Site) -> None:
    site.tenant.connectors.clear()
    for number in range(45):
        site.tenant.add_connector(f"00000000-0000-0000-0000-0000000000{number:02}", last_sync=timedelta(days=1))


def add(cases: Cases, *faults: Fault, **changes: t.Any) -> Case:
    """Add a case that is such a tenant."""
    case = cases.add(*faults)
    fill(case.site)
    case.changes |= {"connector_id": None, "connector_ids": ids(case.site), **changes}
    return case


def ids(site: Site) -> list[str]:
    return list(site.tenant.connectors)


def sync(site: Site, *arguments: str, **changes: t.Any) -> Run:
    return site.sync(*arguments, **{"connector_id": None, "connector_ids": ids(site), **changes})


def accepted(site: Site) -> list[int]:
    return [len(connector.accepted) for connector in site.tenant.connectors.values()]


def states(run: Run) -> list[str]:
    return [entry.get("sync", {}).get("state", "") for entry in run.result["connectors"]]


def test_all_are_synchronised_in_batches(site: Site) -> None:
    run = sync(site)
    assert run.code == 0, run.output
    assert run.result["changed"] is True
    assert [entry["connector_id"] for entry in run.result["connectors"]] == ids(site)
    assert states(run) == ["completed"] * 45
    assert accepted(site) == [1] * 45
    batches = site.requests("batch")
    parts = [json.loads(request.body)["requests"] for request in batches]
    sizes = {method: sorted(len(part) for part in parts if part[0]["method"] == method) for method in ("GET", "POST")}
    # Those of a step are in flight together and arrive in any order; on a slow machine the looks begin one by one.
    assert sorted(map(len, parts[:3])) == sizes["POST"] == [5, 20, 20]
    alone = [request for request in site.requests("get") if not request.in_batch]
    assert sum(sizes["GET"]) + len(alone) == 2 * 45, "readings and one look"
    assert len(alone) <= 1, "a look that was due before all others"
    assert all(request.in_batch for request in site.requests("sync"))
    assert site.world.connections_to("graph") <= 5
    (post,) = {request.body for request in site.requests("sync")}
    assert json.loads(post) == {"syncType": "deltaSync"}


def test_a_second_run_changes_nothing(site: Site) -> None:
    sync(site)
    run = sync(site)
    assert run.result["changed"] is False
    assert states(run) == ["fresh"] * 45
    assert accepted(site) == [1] * 45


def test_each_entry_is_what_a_single_one_returns(site: Site) -> None:
    many = sync(site, "--check", connector_ids=ids(site)[:2]).result
    one = site.sync("--check", connector_id=ids(site)[0]).result
    entry = many["connectors"][0]
    assert entry["connector"] == one["connector"]
    assert {**entry["sync"], "age": 0, "reason": ""} == {**one["sync"], "age": 0, "reason": ""}
    assert many["diff"][0]["after"] == one["diff"]["after"]
    assert many["diff"][0]["before_header"] == ids(site)[0]


def test_duplicates_are_posted_once(site: Site) -> None:
    one = ids(site)[0]
    run = sync(site, connector_ids=[one, one.upper(), one])
    assert len(run.result["connectors"]) == 1
    assert accepted(site)[:2] == [1, 0]


def test_one_that_fails_does_not_stop_the_others(site: Site) -> None:
    unknown = str(uuid.uuid4())
    broken = site.tenant.connectors[ids(site)[3]]
    broken.status = "disconnected"
    run = sync(site, connector_ids=[unknown, *ids(site)])
    assert run.code == 2
    assert run.result["changed"] is True
    assert sum(accepted(site)) == 44
    assert [entry["connector_id"] for entry in run.result["connectors"] if entry["failed"]] == [unknown, broken.id]
    assert run.result["msg"].startswith(
        f"Exchange connectors in tenant contoso.example: 2 of 46 failed - {unknown}: could not read it, Graph answered"
        " HTTP 404 (Not Found)"
    )
    assert f"; {broken.id}: its status is disconnected, so no deltaSync was requested; " in run.result["msg"]


def test_a_reason_that_many_share_is_told_once(site: Site) -> None:
    for connector in site.tenant.connectors.values():
        connector.status = "disconnected"
    message = sync(site).result["msg"]
    assert message.count("its status is disconnected") == 1
    assert all(name in message for name in ids(site))


def test_all_takes_what_the_list_gives(site: Site) -> None:
    site.tenant.page_size = 20
    site.tenant.connectors[ids(site)[0]].status = "disconnected"
    run = sync(site, connector_ids=None, all=True, status=["connected"])
    assert run.code == 0, run.output
    assert accepted(site) == [0, *[1] * 44]
    assert len(site.requests("list")) == 3
    assert len(site.requests("get")) == 44, "the list was the first reading, so each is read only to see its end"


def test_all_of_none(site: Site) -> None:
    site.tenant.connectors.clear()
    run = sync(site, connector_ids=None, all=True)
    assert (run.code, run.result["changed"], run.result["connectors"]) == (0, False, [])


def test_bad_input_fails_before_any_network_call(cases: Cases, subtests: pytest.Subtests) -> None:
    wanted: list[tuple[dict[str, t.Any], str]] = [
        ({"connector_ids": None}, "give exactly one of connector_id, connector_ids and all"),
        ({"all": True}, "give exactly one of connector_id, connector_ids and all"),
        ({"connector_id": "00000000-0000-0000-0000-000000000001"}, "give exactly one of"),
        ({"connector_ids": ["x"]}, "connector_id 'x' is not a GUID"),
        ({"server_name": "x"}, "server_name chooses among all connectors; give it together with all only."),
    ]
    tried = [add(cases, **options) for options, _sentence in wanted]
    cases.sync()
    assert tried[0].site.world.connections == 0
    for case, (options, sentence) in zip(tried, wanted):
        with subtests.test(options=options):
            assert sentence in case.run.result["msg"]


def test_faults_of_a_batch_and_of_its_items_are_survived(cases: Cases, subtests: pytest.Subtests) -> None:
    faults = [
        Fault("get", status=429, headers={"Retry-After": "1"}, times=5),
        Fault("sync", status=429, headers={"Retry-After": "1"}, times=5),
        Fault("sync", status=503, times=5),
        Fault("get", status=503, times=5),
        Fault("get", cut="before", times=5),
        Fault("batch", status=429, headers={"Retry-After": "1"}),
        Fault("batch", status=503),
        Fault("batch", cut="before"),
        Fault("batch", status=200, body=b"<html>"),
        Fault("batch", status=200, body={"responses": "none"}),
        Fault("get", status=401, times=3),
        Fault("batch", status=401),
        Fault("sync", status=401, times=3),
    ]
    tried = [add(cases, fault) for fault in faults]
    cases.sync()
    for case, fault in zip(tried, faults):
        with subtests.test(fault=fault):
            assert case.run.code == 0, case.run.result
            assert states(case.run) == ["completed"] * 45
            assert accepted(case.site) == [1] * 45


def test_lost_answers_of_accepted_items_are_not_posted_again(site: Site) -> None:
    site.world.faults.add(Fault("sync", cut="before", accept=True, times=7))
    assert states(sync(site)) == ["completed"] * 45
    assert accepted(site) == [1] * 45


def test_a_graph_that_wants_no_batches_is_asked_one_by_one(cases: Cases, subtests: pytest.Subtests) -> None:
    tried = {status: add(cases, Fault("batch", status=status, times=None)) for status in (400, 403, 404, 405, 501)}
    cases.sync()
    for status, case in tried.items():
        with subtests.test(status=status):
            assert states(case.run) == ["completed"] * 45
            assert accepted(case.site) == [1] * 45
            assert len(case.requests("batch")) <= 4, "it is not tried for ever"


def test_one_wait_for_all(site: Site) -> None:
    slow, never = site.tenant.connectors[ids(site)[1]], site.tenant.connectors[ids(site)[2]]
    slow.sync_delay, never.outcome = 3, "never"
    run = sync(site, wait_timeout=6)
    assert run.code == 2
    assert states(run) == ["completed", "completed", "requested", *["completed"] * 42]
    assert [entry["connector_id"] for entry in run.result["connectors"] if entry["failed"]] == [never.id]


def test_a_refused_sign_in_is_told_once(site: Site) -> None:
    run = sync(site, secret="wrong")
    assert run.result["msg"].count("AADSTS7000215") == 1
    assert len(site.requests("token")) == 1
