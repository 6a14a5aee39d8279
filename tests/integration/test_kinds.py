# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules of the newer kinds promise: each state where it is due, in words that an administrator can use."""

from __future__ import annotations

import typing as t
from datetime import timedelta

import pytest
from simulator import Fault, Tenant

from .conftest import Site

pytestmark = pytest.mark.slow

ENROLLMENT, AUTOPILOT, PLAY, DEVICE = (
    f"graphops.intune.intune_{kind}_sync"
    for kind in ("enrollment_program_token", "autopilot", "managed_google_play", "managed_device")
)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
SENT = {"graphops_intune_in_process": False}


class Case(t.NamedTuple):
    """A task, and what is to come of it: whether something changed, the state, and what its sentence says."""

    module: str
    options: dict[str, t.Any]
    changed: bool
    state: str | None
    says: str = ""
    check_mode: bool = False


def play(site: Site, cases: t.Sequence[Case], **variables: t.Any) -> list[dict[str, t.Any]]:
    """Run cases as the tasks of one play, hold each against what is to come of it, and return the results."""
    tasks = [
        {
            case.module: site.options(connector_id=None, **{"wait_timeout": 5, **case.options}),
            "ignore_errors": True,
            "check_mode": case.check_mode,
        }
        for case in cases
    ]
    run = site.play(tasks, vars=variables)
    assert run.code == 0, run.output
    told = [
        (result["changed"], (result.get("sync") or {}).get("state"), result.get("msg", "")) for result in run.results
    ]
    wanted = [(case.changed, case.state) for case in cases]
    assert [(changed, state) for changed, state, _message in told] == wanted, told
    for case, (_changed, _state, message) in zip(cases, told):
        assert case.says in message
        assert bool(case.says) == bool(message), message
    assert "secret-of" not in run.output + str(run.results)
    return run.results


class Others:
    """Further tenants, as of some kinds a tenant has one at most."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def add(self, **absent: int) -> tuple[Tenant, dict[str, t.Any]]:
        """Add a tenant; with the options that name it."""
        tenant = self._site.world.add_tenant(f"tenant{len(self._site.world.tenants)}.example")
        tenant.absent.update(absent)
        app = tenant.add_app(secret="the-app's-secret-Aa0~.")
        return tenant, {"tenant": tenant.domain, "client_id": app.client_id}


@pytest.fixture
def others(site: Site) -> Others:
    return Others(site)


def accepted(*objects: t.Any) -> list[int]:
    return [len(one.accepted) for one in objects]


def test_an_enrollment_program_token(site: Site) -> None:
    add = site.tenant.add_enrollment_program_token
    due, late, failing = (add(last_sync=DAY, sync_delay=1.2) for _number in range(3))
    failing.outcome = "fails"
    running, asked, expired = add(last_sync=DAY, sync_delay=1.2), add(last_sync=DAY), add(last_sync=DAY, expires=-DAY)
    running.sync_delay = 60
    running.begin()
    asked.last_triggered = 5 * MINUTE
    asked.last_sync_error_code = 9
    late.last_triggered = 16 * MINUTE
    results = play(
        site,
        [
            Case(ENROLLMENT, {"token_id": due.id}, True, "predicted", check_mode=True),
            Case(ENROLLMENT, {"token_id": running.id, "wait": False}, False, "joined"),
            Case(ENROLLMENT, {"token_id": due.id}, True, "completed"),
            Case(ENROLLMENT, {"token_id": due.id}, False, "fresh"),
            Case(ENROLLMENT, {"token_id": due.id, "force": True, "wait": False}, False, "too_soon"),
            Case(
                ENROLLMENT,
                {"token_id": due.id, "force": True},
                False,
                "too_soon",
                "longer to wait than wait_timeout (5 s) allows; run again after that time, or raise wait_timeout.",
            ),
            # Apple refused it five minutes ago: it is due, but not yet.
            Case(ENROLLMENT, {"token_id": asked.id}, False, "too_soon"),
            # Asked for 16 minutes ago, and nothing came of it.
            Case(ENROLLMENT, {"token_id": late.id, "max_age": 86400 * 9}, True, "completed"),
            Case(
                ENROLLMENT,
                {"token_id": failing.id},
                True,
                "failed",
                f"Apple enrollment program token {failing.id} in tenant contoso.example: the synchronisation failed:"
                " lastSyncErrorCode is 7; look at the token in Intune's admin centre, and run again.",
            ),
            Case(
                ENROLLMENT,
                {"token_id": expired.id},
                False,
                "refused",
                "so no synchronisation was requested; renew it in Apple Business Manager",
            ),
        ],
    )
    assert accepted(due, late, failing, running, asked, expired) == [1, 1, 1, 0, 0, 0]
    assert results[6]["sync"]["reason"] == ("Intune takes one request within 15 min, and the last was less ago")
    assert results[6]["sync"]["next_possible_at"] is not None
    assert results[7]["sync"]["reason"] == (
        "the last synchronisation failed (lastSyncErrorCode 0, without a success in 15 minutes)"
    )
    assert results[2]["enrollment_program_token"]["last_sync_error_code"] == 0
    assert {request.path.split("/")[1] for request in site.requests("sync")} == {"beta"}


def test_many_enrollment_program_tokens(site: Site) -> None:
    add = site.tenant.add_enrollment_program_token
    tokens = [add(last_sync=DAY, token_name=name) for name in ("A", "B", "C")]
    tokens[1].last_triggered = 5 * MINUTE
    tokens[1].last_sync_error_code = 9
    many, chosen = play(
        site,
        [
            Case(ENROLLMENT, {"all": True}, True, None),
            Case(ENROLLMENT, {"all": True, "token_name": "c"}, False, None),
        ],
    )
    states = [entry["sync"]["state"] for entry in many["enrollment_program_tokens"]]
    assert states == ["completed", "too_soon", "completed"]
    assert [entry["token_id"] for entry in chosen["enrollment_program_tokens"]] == [tokens[2].id]
    assert accepted(*tokens) == [1, 0, 1]


@pytest.mark.parametrize("status", [400, 409, 429])
def test_what_is_asked_too_soon_is_told_by_the_times_of_the_token(site: Site, status: int) -> None:
    """Somebody else was quicker, between the look and the request; what Graph answers then is not documented."""
    token, other = (site.tenant.add_enrollment_program_token(last_sync=DAY) for _number in range(2))
    other.sync_delay = 30
    token.too_soon_status = other.too_soon_status = status

    def quicker(request: t.Any) -> bool:
        (token if request.object_id == token.id else other).begin()
        return False

    site.world.faults.add(Fault("sync", only_if=quicker))
    result, _running = play(
        site,
        [
            Case(ENROLLMENT, {"token_id": token.id}, False, "too_soon"),
            Case(ENROLLMENT, {"token_id": other.id, "wait": False}, False, "joined"),
        ],
    )
    assert result["sync"]["next_possible_at"] is not None
    assert accepted(token, other) == [0, 0]


def test_autopilot(site: Site, others: Others) -> None:
    due = site.tenant.add_autopilot(last_sync=DAY, sync_delay=1.2)
    (running, by_running), (soon, by_soon), (failing, by_failing), (busy, by_busy) = (
        others.add() for _tenant in range(4)
    )
    other = running.add_autopilot(last_sync=DAY, sync_delay=1.2)
    asked = soon.add_autopilot(last_sync=DAY, last_triggered=4 * MINUTE, sync_status="failed")
    fails = failing.add_autopilot(last_sync=DAY, outcome="fails", sync_delay=1.2)
    throttled = busy.add_autopilot(last_sync=DAY, sync_delay=0.2)
    site.world.faults.add(Fault("sync", status=429, tenant_id=busy.id, headers={"Retry-After": "1"}))

    def quicker(_request: t.Any) -> bool:
        other.begin()
        return False

    site.world.faults.add(Fault("sync", tenant_id=running.id, only_if=quicker))
    _none, by_none = others.add(autopilot=404)
    results = play(
        site,
        [
            Case(AUTOPILOT, {}, True, "predicted", check_mode=True),
            Case(AUTOPILOT, {}, True, "completed"),
            Case(AUTOPILOT, {}, False, "fresh"),
            Case(AUTOPILOT, {"force": True, "wait": False}, False, "too_soon"),
            # It answers 409, since somebody else was quicker.
            Case(AUTOPILOT, by_running, False, "joined"),
            Case(AUTOPILOT, by_soon, False, "too_soon"),
            Case(AUTOPILOT, by_failing, True, "failed", "the synchronisation failed: syncStatus is failed"),
            # The last was a day ago, so this is Graph, which has no time.
            Case(AUTOPILOT, by_busy, True, "completed"),
            Case(
                AUTOPILOT,
                by_none,
                False,
                None,
                "this tenant has no Windows Autopilot service (Graph answered HTTP 404); check tenant.",
            ),
        ],
    )
    assert accepted(due, other, asked, fails, throttled) == [1, 0, 0, 1, 1]
    assert "id" in results[1]["autopilot"]


@pytest.mark.parametrize("retry_after", [None, "600"])
def test_a_429_within_ten_minutes_is_no_throttling(site: Site, retry_after: str | None) -> None:
    settings = site.tenant.add_autopilot(last_sync=DAY)
    settings.retry_after = retry_after

    def quicker(_request: t.Any) -> bool:
        settings.begin()
        return False

    site.world.faults.add(Fault("sync", only_if=quicker))
    (result,) = play(site, [Case(AUTOPILOT, {"wait": False}, False, "too_soon")])
    assert result["sync"]["next_possible_at"] is not None
    assert len(site.requests("sync")) == 1


def test_managed_google_play(site: Site, others: Others) -> None:
    due = site.tenant.add_managed_google_play(last_sync=DAY, sync_delay=1.2)
    (failing, by_failing), (unbound, by_unbound), (forbidden, by_forbidden) = (others.add() for _tenant in range(3))
    fails = failing.add_managed_google_play(last_sync=DAY, outcome="fails", sync_delay=1.2)
    fails.failure_status = "credentialsNotValid"
    unbound.add_managed_google_play("notBound")
    forbidden.add_managed_google_play(last_sync=DAY)
    (app,) = forbidden.apps.values()
    app.roles = ("DeviceManagementServiceConfig.ReadWrite.All",)
    _none, by_none = others.add(managed_google_play=404)
    results = play(
        site,
        [
            Case(PLAY, {}, True, "predicted", check_mode=True),
            Case(PLAY, {}, True, "completed"),
            Case(PLAY, {}, False, "fresh"),
            Case(PLAY, {"force": True, "wait": False}, True, "requested"),
            Case(
                PLAY, by_failing, True, "failed", "the synchronisation failed: lastAppSyncStatus is credentialsNotValid"
            ),
            # Its time is that of the failure, which is no success.
            Case(PLAY, by_failing, True, "predicted", check_mode=True),
            Case(
                PLAY,
                by_unbound,
                False,
                "refused",
                "Managed Google Play account in tenant tenant2.example: it is not bound (its bindStatus is notBound),"
                " so no synchronisation was requested; bind the tenant to Managed Google Play in Intune's admin"
                " centre.",
            ),
            Case(
                PLAY,
                by_forbidden,
                False,
                "refused",
                "grant the app DeviceManagementConfiguration.ReadWrite.All with admin consent",
            ),
            Case(
                PLAY, by_none, False, None, "this tenant has no Managed Google Play account (Graph answered HTTP 404)"
            ),
        ],
    )
    assert accepted(due, fails) == [2, 1]
    assert "company_codes" not in results[1]["managed_google_play"]


def test_devices(site: Site) -> None:
    add = site.tenant.add_managed_device
    due, other, off = (
        add(last_sync=DAY),
        add(last_sync=DAY, operating_system="iOS"),
        add(last_sync=DAY, outcome="never"),
    )
    young, jamf = add(last_sync=HOUR), add(last_sync=DAY, management_agent="jamf")
    results = play(
        site,
        [
            Case(DEVICE, {"device_id": due.id}, True, "predicted", check_mode=True),
            Case(DEVICE, {"device_id": due.id}, True, "requested"),
            Case(DEVICE, {"device_id": due.id}, False, "fresh"),
            Case(DEVICE, {"device_id": off.id, "wait": True, "wait_timeout": 2}, True, "requested"),
            Case(DEVICE, {"device_id": due.id, "wait": True, "force": True}, True, "completed"),
            Case(DEVICE, {"device_id": jamf.id}, False, "refused", "it is managed by jamf, which takes no"),
            Case(DEVICE, {"all": True, "operating_system": ["ios"]}, True, None, check_mode=True),
            Case(DEVICE, {"all": True, "wait": True, "wait_timeout": 2, "return_all": True}, True, None),
            Case(DEVICE, {"device_ids": [due.id, young.id]}, False, None),
            Case(DEVICE, {"device_ids": [off.id], "max_devices": 1, "force": True}, True, None),
            Case(DEVICE, {"all": True, "force": True, "max_devices": 3}, False, None, "4 devices are due, more than"),
        ],
    )
    assert accepted(due, other, off, young, jamf) == [2, 1, 3, 0, 0]
    assert _counts(results[6]) == {"found": 1, "due": 1, "predicted": 1}
    assert _counts(results[7]) == {"found": 3, "due": 2, "left_out": 1, "requested": 2, "came_in": 1}
    states = {entry["device_id"]: entry["state"] for entry in results[7]["managed_devices"]}
    assert states == {other.id: "completed", off.id: "requested", jamf.id: "left_out"}
    assert (_counts(results[8]), results[8]["managed_devices"]) == ({"found": 2, "fresh": 2}, [])
    paths = {request.path for request in site.world.requests if request.host == "graph"}
    assert not [path for path in paths if "executeAction" in path]


def _counts(result: t.Mapping[str, t.Any]) -> dict[str, int]:
    return {name: count for name, count in result["counts"].items() if count}


def test_no_device_is_asked_that_a_filter_should_have_left_out(site: Site) -> None:
    site.tenant.ignores_filters = True
    add = site.tenant.add_managed_device
    wanted = add(last_sync=DAY, operating_system="macOS", ownership="personal")
    unwanted = [
        add(last_sync=DAY),
        add(last_sync=DAY, operating_system="macOS"),
        add(last_sync=DAY, ownership="personal"),
    ]
    unwanted.append(add(last_sync=MINUTE, operating_system="macOS", ownership="personal"))
    chosen = {"operating_system": ["macOS"], "ownership": ["personal"]}
    (result,) = play(site, [Case(DEVICE, {"all": True, **chosen}, True, None)])
    assert _counts(result) == {"found": 2, "fresh": 1, "due": 1, "requested": 1}
    assert accepted(wanted, *unwanted) == [1, 0, 0, 0, 0]


def test_devices_take_two_permissions(site: Site) -> None:
    site.tenant.add_managed_device(last_sync=DAY)
    site.app.roles = ("DeviceManagementManagedDevices.ReadWrite.All",)
    play(
        site,
        [
            Case(
                DEVICE,
                {"all": True},
                False,
                None,
                "grant the app DeviceManagementManagedDevices.PrivilegedOperations.All and"
                " DeviceManagementManagedDevices.Read.All with admin consent",
            )
        ],
    )


def test_all_of_them_sent(site: Site) -> None:
    site.tenant.add_autopilot(last_sync=DAY, sync_delay=0.5)
    site.tenant.add_managed_google_play(last_sync=DAY, sync_delay=0.5)
    token = site.tenant.add_enrollment_program_token(last_sync=DAY, sync_delay=0.5)
    device = site.tenant.add_managed_device(last_sync=DAY)
    cases = [
        Case(AUTOPILOT, {}, True, "completed"),
        Case(AUTOPILOT, {}, False, "fresh"),
        Case(PLAY, {}, True, "completed"),
        Case(PLAY, {}, False, "fresh"),
        Case(ENROLLMENT, {"token_id": token.id}, True, "completed"),
        Case(ENROLLMENT, {"all": True}, False, None),
        Case(DEVICE, {"device_id": device.id, "wait": True}, True, "completed"),
        Case(DEVICE, {"all": True, "force": True}, True, None),
    ]
    play(site, cases, **SENT)
    assert accepted(token, device) == [1, 2]
