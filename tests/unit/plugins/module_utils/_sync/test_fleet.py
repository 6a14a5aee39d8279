# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What hosts that are the same connector get, and how the threads of a fleet end."""

from __future__ import annotations

import threading
import time
import typing as t

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._ground import errors
from ansible_collections.graphops.intune.plugins.module_utils._ground.clock import Clock
from ansible_collections.graphops.intune.plugins.module_utils._kinds import exchange_connector
from ansible_collections.graphops.intune.plugins.module_utils._sync import fleet, fleet_group, options
from ansible_collections.graphops.intune.plugins.module_utils._sync.fleet_group import FailureLimit, FleetHost
from ansible_collections.graphops.intune.plugins.module_utils._sync.session import Context

ID = "11111111-1111-4111-8111-111111111111"
KIND = exchange_connector.KIND
USUAL = options.SyncOptions("deltaSync", 7200, False, False, True, 900, 15)
PARAMS = {**{name: spec.get("default") for name, spec in options.host_spec(KIND).items()}, "connector_id": ID}
WANTS = [fleet.one_object(KIND, PARAMS)]
CALLER = Context(
    check_mode=False,
    environ={},
    clock=Clock(),
    warn=print,
    progress=print,
    hide=lambda _tokens: None,
)


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ({}, {}),
        ({"sync_type": "fullSync", "max_age": 0}, {"sync_type": "fullSync", "max_age": 0}),
        ({"max_age": 86400}, {}),
        ({"max_age": 60}, {"max_age": 60}),
        ({"force": True}, {"force": True}),
        ({"ignore_obstacle": True}, {}),
        ({"wait": False}, {}),
        ({"wait_timeout": 60, "wait_sleep": 5}, {"wait_sleep": 5}),
        ({"wait_timeout": 1800, "wait_sleep": 60}, {"wait_timeout": 1800}),
    ],
)
def test_one_request_satisfies_all_hosts_of_a_connector(others: dict[str, t.Any], expected: dict[str, t.Any]) -> None:
    other = USUAL._replace(**others)
    assert (
        fleet_group.merge_options(KIND, USUAL, other)
        == fleet_group.merge_options(KIND, other, USUAL)
        == USUAL._replace(**expected)
    )


class TaskTimeoutError(BaseException):
    """As Ansible's, which is no Exception either."""


def test_a_task_that_is_over_leaves_no_thread_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    began = threading.Event()

    def look(self: t.Any, _limit: FailureLimit, caller: Context) -> None:  # noqa: ARG001
        began.set()
        caller.clock.sleep(60)

    monkeypatch.setattr(fleet_group.Group, "look", look)
    wait = fleet.futures.wait

    def interrupted(working: t.Any, timeout: float) -> t.Any:
        if began.is_set():
            raise TaskTimeoutError
        return wait(working, timeout=timeout)

    monkeypatch.setattr(fleet.futures, "wait", interrupted)
    members = [
        FleetHost(f"host{n}", [fleet.one_object(KIND, PARAMS)], {**PARAMS, "tenant": f"tenant{n}"}, {})
        for n in range(20)
    ]
    before = threading.active_count()
    with pytest.raises(TaskTimeoutError):
        fleet.synchronise(members, FailureLimit(None), CALLER)
    for _look in range(50):
        if threading.active_count() == before:
            break
        time.sleep(0.1)
    assert threading.active_count() == before


def test_hosts_with_an_environment_of_their_own_have_an_identity_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, list[str]]] = []

    def look(self: t.Any, _limit: FailureLimit, _caller: Context) -> None:
        self._ended(self._shared, [errors.IntuneError("x")] * len(self._shared), _limit)
        seen.append(
            (self._alike.environment.get("AZURE_TENANT", ""), [h for s in self._shared.values() for h in s.hosts])
        )

    monkeypatch.setattr(fleet_group.Group, "look", look)
    members = [
        FleetHost("a", WANTS, PARAMS, {"AZURE_TENANT": "one"}),
        FleetHost("b", WANTS, PARAMS, {"AZURE_TENANT": "two"}),
        FleetHost("c", WANTS, PARAMS, {"AZURE_TENANT": "one"}),
    ]
    fleet.synchronise(members, FailureLimit(None), CALLER)
    assert sorted(seen) == [("one", ["a", "c"]), ("two", ["b"])]
