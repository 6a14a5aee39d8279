# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The flow for kinds that say more than a time: running, failed, too soon; with scripted answers."""

from __future__ import annotations

import json
import typing as t
from datetime import datetime, timedelta

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._ground import errors, timestamps
from ansible_collections.graphops.intune.plugins.module_utils._kinds import vpp_token
from ansible_collections.graphops.intune.plugins.module_utils._kinds.kind import Entity, State, time_of
from ansible_collections.graphops.intune.plugins.module_utils._sync import options, results
from scripted import NOW, Script, synchronise

ID = "11111111-1111-4111-8111-111111111111"
TOKEN = vpp_token.KIND
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def guarded_state(entity: Entity, now: datetime | None) -> State:
    return vpp_token.state(entity, now)._replace(requested=time_of(entity, "lastTriggered", "token"))


# As Windows Autopilot: it says when it was asked, and answers 409 while one runs and 429 within ten minutes.
GUARDED = TOKEN._replace(
    state=guarded_state,
    action=options.action_of(TOKEN)._replace(
        interval=600, answers={409: "running", 429: "too_soon"}, repeatable_while_running=False
    ),
)


def shown(age: timedelta = DAY, status: str = "completed", **more: t.Any) -> tuple[int, bytes, dict[str, str]]:
    """A token that last synchronised so long ago."""
    at = timestamps.text(NOW - age)
    times = {
        name: timestamps.text(NOW - value) if isinstance(value, timedelta) else value for name, value in more.items()
    }
    entity = {"id": ID, "lastSyncDateTime": at, "lastModifiedDateTime": at, "lastSyncStatus": status, "state": "valid"}
    return 200, json.dumps({**entity, "token": "apple's secret", **times}).encode(), {"request-id": "the read"}


OLD, NEW = shown(), shown(timedelta(0))
RUNNING = shown(status="inProgress")
FAILED, OLD_FAILURE = shown(DAY, "failed", lastModifiedDateTime=timedelta(0)), shown(DAY, "failed")
ACCEPTED = (200, RUNNING[1], {"request-id": "the post"})
BUSY: tuple[int, bytes, dict[str, str]] = (429, b"", {})
CONFLICT: tuple[int, bytes, dict[str, str]] = (409, b'{"error": {"code": "Conflict", "message": "Running."}}', {})
LOST = errors.NoResponse("it was cut", may_have_run=True)


def run(kind: t.Any, script: Script, *, check_mode: bool = False, **changes: t.Any) -> dict[str, t.Any]:
    usual = {"max_age": None, "force": False, "wait": True, "wait_timeout": 900, "wait_sleep": 15, **changes}
    result = synchronise(kind, ID, options.read_sync_options(kind, usual), script, check_mode=check_mode)
    assert "apple's secret" not in str(result)
    return result


def failure(kind: t.Any, script: Script, **changes: t.Any) -> results.SyncFailed:
    with pytest.raises(results.SyncFailed) as caught:
        run(kind, script, **changes)
    assert "apple's secret" not in str(caught.value.result)
    return caught.value


@pytest.mark.parametrize(
    ("answers", "changes", "state", "changed", "sent"),
    [
        ([OLD, ACCEPTED, RUNNING, NEW], {}, "completed", True, "GET POST GET GET"),
        ([NEW], {}, "fresh", False, "GET"),
        # The time alone moves at the beginning, too.
        ([OLD, ACCEPTED, shown(timedelta(0), "inProgress"), NEW], {}, "completed", True, "GET POST GET GET"),
        ([OLD_FAILURE, ACCEPTED, OLD_FAILURE, RUNNING, NEW], {}, "completed", True, "GET POST GET GET GET"),
        ([OLD, ACCEPTED], {"wait": False}, "requested", True, "GET POST"),
        # One of somebody else.
        ([RUNNING, RUNNING, NEW], {}, "joined", False, "GET GET GET"),
        ([RUNNING], {"wait": False}, "joined", False, "GET"),
        ([RUNNING, ACCEPTED, RUNNING, NEW], {"force": True}, "completed", True, "GET POST GET GET"),
        # Whose answer was lost, and what it shows then.
        ([OLD, LOST, RUNNING, NEW], {}, "completed", True, "GET POST GET GET"),
        ([OLD, LOST, RUNNING], {"wait": False}, "requested", True, "GET POST GET"),
        ([OLD, LOST, OLD, ACCEPTED, RUNNING, NEW], {}, "completed", True, "GET POST GET POST GET GET"),
    ],
)
def test_what_is_sent_until_it_shows(
    answers: list[t.Any], changes: dict[str, t.Any], state: str, changed: bool, sent: str
) -> None:
    script = Script(*answers)
    result = run(TOKEN, script, **changes)
    assert (result["sync"]["state"], result["changed"], " ".join(script.sent)) == (state, changed, sent)


def test_somebody_elses_that_ends_has_a_time() -> None:
    assert run(TOKEN, Script(RUNNING, NEW))["sync"]["completed_at"] == timestamps.text(NOW)
    assert run(TOKEN, Script(RUNNING), wait=False)["sync"]["completed_at"] is None


def test_a_failure_is_the_end() -> None:
    script = Script(OLD, ACCEPTED, RUNNING, FAILED)
    error = failure(TOKEN, script)
    assert error.what == "the synchronisation failed: lastSyncStatus is failed"
    assert (error.result["sync"]["state"], error.result["changed"]) == ("failed", True)
    assert script.sent == ["GET", "POST", "GET", "GET"]


def test_the_failure_of_somebody_elses_is_no_change() -> None:
    error = failure(TOKEN, Script(RUNNING, FAILED))
    assert error.what == "the synchronisation that was running failed: lastSyncStatus is failed"
    assert (error.result["sync"]["state"], error.result["changed"]) == ("failed", False)


def test_yesterdays_failure_is_not_todays() -> None:
    error = failure(TOKEN, Script(OLD_FAILURE, ACCEPTED, OLD_FAILURE), wait_timeout=30)
    assert "did not show within wait_timeout (30 s)" in error.what
    assert (error.result["sync"]["state"], error.result["changed"]) == ("requested", True)


@pytest.mark.parametrize(("health", "force"), [("expired", False), ("expired", True), ("someday", False)])
def test_what_cannot_help_is_refused_without_a_request(health: str, force: bool) -> None:
    script = Script(shown(state=health))
    error = failure(TOKEN, script, force=force)
    assert error.what == f"its state is {health}, so no synchronisation was requested"
    assert error.advice.startswith("download a new one from Apple Business Manager")
    assert (error.result["sync"]["state"], error.result["changed"]) == ("refused", False)
    assert script.sent == ["GET"]


def test_somebody_elses_that_does_not_end_is_told_as_what_it_is() -> None:
    error = failure(TOKEN, Script(RUNNING), wait_timeout=60)
    assert error.what.startswith("a synchronisation that was asked for elsewhere runs, and was waited for, but it did")
    assert "the lastSyncStatus inProgress" in error.what
    assert (error.result["sync"]["state"], error.result["changed"]) == ("joined", False)
    running = shown(status="inProgress", lastTriggered=HOUR)
    error = failure(GUARDED, Script(running), wait_timeout=60)
    assert "runs since 2026-11-22T17:00:00Z, and was waited for" in error.what


def test_check_mode_neither_asks_nor_waits() -> None:
    for answer, state in ((OLD, "predicted"), (RUNNING, "joined"), (NEW, "fresh")):
        script = Script(answer)
        result = run(TOKEN, script, check_mode=True)
        assert (result["sync"]["state"], script.sent, script.elapsed) == (state, ["GET"], 0)
    script = Script(shown(lastTriggered=MINUTE))
    assert run(GUARDED, script, check_mode=True)["sync"]["state"] == "too_soon"
    assert run(GUARDED, script, check_mode=True, force=True)["sync"]["state"] == "predicted"


SOON = shown(lastTriggered=MINUTE)
TRIGGERED = shown(lastTriggered=timedelta(0))


@pytest.mark.parametrize(
    ("answers", "changes", "state", "changed", "sent"),
    [
        ([SOON], {}, "too_soon", False, "GET"),
        ([SOON], {"force": True, "wait": False}, "too_soon", False, "GET"),
        # Nine minutes are left, and wait_timeout allows them.
        ([SOON, ACCEPTED, NEW], {"force": True}, "completed", True, "GET POST GET"),
        # Somebody asked between the look and the request.
        ([OLD, BUSY, SOON], {}, "too_soon", False, "GET POST GET"),
        ([OLD, CONFLICT, RUNNING, NEW], {}, "joined", False, "GET POST GET GET"),
        ([OLD, CONFLICT, RUNNING], {"wait": False}, "joined", False, "GET POST GET"),
        # The object's own times say that it is not too soon: it is throttled.
        ([OLD, BUSY, OLD, ACCEPTED, NEW], {}, "completed", True, "GET POST GET POST GET"),
        # After a lost answer, what is running or was asked for just now is ours.
        ([OLD, LOST, OLD, CONFLICT, RUNNING, NEW], {}, "completed", True, "GET POST GET POST GET GET"),
        ([OLD, LOST, OLD, BUSY, TRIGGERED, NEW], {}, "completed", True, "GET POST GET POST GET GET"),
        ([OLD, LOST, TRIGGERED, NEW], {}, "completed", True, "GET POST GET GET"),
    ],
)
def test_intervals_and_conflicts(
    answers: list[t.Any], changes: dict[str, t.Any], state: str, changed: bool, sent: str
) -> None:
    script = Script(*answers)
    result = run(GUARDED, script, **changes)
    assert (result["sync"]["state"], result["changed"], " ".join(script.sent)) == (state, changed, sent)


def test_too_soon_says_from_when_on_it_is_not() -> None:
    assert run(GUARDED, Script(SOON))["sync"]["next_possible_at"] == "2026-11-22T18:09:00Z"
    assert run(GUARDED, Script(OLD, BUSY, SOON))["sync"]["next_possible_at"] == "2026-11-22T18:09:00Z"


def test_force_waits_for_the_interval_and_then_for_the_end_each_for_wait_timeout() -> None:
    script = Script(SOON, ACCEPTED, RUNNING)
    failure(GUARDED, script, force=True, wait_timeout=600)
    assert script.elapsed == 540 + 600


def test_an_interval_that_is_too_long_to_wait_for() -> None:
    script = Script(SOON)
    error = failure(GUARDED, script, force=True, wait_timeout=300)
    assert "Intune takes no request before 2026-11-22T18:09:00Z" in error.what
    assert (error.result["sync"]["state"], error.result["changed"], script.sent) == ("too_soon", False, ["GET"])


def test_a_single_one_that_a_tenant_does_not_have() -> None:
    single = TOKEN._replace(singleton=True, path="/deviceManagement/onlyOne", api="beta")
    for status in (404, 501):
        with pytest.raises(errors.GraphError) as caught:
            run(single, Script((status, b'{"error": {"code": "X", "message": "y"}}', {})))
        assert caught.value.sentence().startswith(f"this tenant has no Apple VPP token (Graph answered HTTP {status})")
