# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read of an object of each kind; those of Apple's VPP tokens have a file of their own."""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._ground import timestamps
from ansible_collections.graphops.intune.plugins.module_utils._kinds import (
    apple_push_certificate,
    autopilot,
    certificate_connector,
    enrollment_program_token,
    managed_device,
    managed_google_play,
    mobile_threat_defense_connector,
)
from ansible_collections.graphops.intune.plugins.module_utils._kinds.kind import State, UnreadableTime, shown
from ansible_collections.graphops.intune.plugins.module_utils._kinds.registry import KINDS
from ansible_collections.graphops.intune.plugins.module_utils._sync.decide import has_ended

NOW = datetime(2026, 11, 22, 18, tzinfo=timezone.utc)
NEVER = "0001-01-01T00:00:00Z"
ALL = {kind.name: kind for kind in KINDS}


def ago(minutes: float) -> str:
    return str(timestamps.text(NOW - timedelta(minutes=minutes)))


def moment(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


def enrollment(*, success: str, trigger: str, code: t.Any = 0, expires: str = "2027-02-19T16:49:50Z") -> State:
    return enrollment_program_token.state(
        {
            "lastSuccessfulSyncDateTime": success,
            "lastSyncTriggeredDateTime": trigger,
            "lastSyncErrorCode": code,
            "tokenExpirationDateTime": expires,
        },
        NOW,
    )


@pytest.mark.parametrize(
    ("success", "trigger", "code", "phase", "word"),
    [
        (ago(60), ago(61), 0, "idle", "0"),
        (ago(60), ago(61), None, "idle", "0"),
        # Asked for later than it succeeded: it runs, for 15 minutes at most.
        (ago(60), ago(1), 0, "running", "0"),
        (ago(60), ago(14.9), 0, "running", "0"),
        (NEVER, ago(14.9), 0, "running", "0"),
        (ago(60), ago(15), 0, "failed", "0, without a success in 15 minutes"),
        (NEVER, ago(900), 0, "failed", "0, without a success in 15 minutes"),
        # Apple's error code ends it.
        (ago(60), ago(1), 7, "failed", "7"),
        (ago(1000), ago(900), 7, "failed", "7"),
        # It is that of the last one, which succeeded.
        (ago(1), ago(2), 7, "idle", "7"),
        (NEVER, NEVER, 0, "idle", "0"),
        (ago(60), ago(1), {"secret": 1}, "failed", "no text"),
    ],
)
def test_an_enrollment_program_token_runs_and_fails(
    success: str, trigger: str, code: t.Any, phase: str, word: str
) -> None:
    state = enrollment(success=success, trigger=trigger, code=code)
    assert (state.phase, state.word) == (phase, word)
    assert state.requested == timestamps.parse(trigger)
    assert state.succeeded == state.ended == timestamps.parse(success)


def test_without_a_clock_it_runs_for_as_long_as_it_likes() -> None:
    entity = {"lastSuccessfulSyncDateTime": NEVER, "lastSyncTriggeredDateTime": ago(900), "lastSyncErrorCode": 0}
    assert enrollment_program_token.state(entity, None).phase == "running"


def test_yesterdays_code_is_not_the_end_of_todays() -> None:
    """Should Apple's code stay while the next one runs, as nobody knows."""
    before = enrollment(success=ago(3000), trigger=ago(1440), code=7)
    after = enrollment(success=ago(3000), trigger=ago(0), code=7)
    assert has_ended(before, after, seen_running=False) is None
    assert has_ended(before, enrollment(success=ago(3000), trigger=ago(0), code=8), seen_running=False) == "failed"
    assert has_ended(before, enrollment(success=ago(0), trigger=ago(0)), seen_running=False) == "succeeded"
    # Nor is one that stayed although the last one succeeded.
    before = enrollment(success=ago(3000), trigger=ago(3001), code=7)
    assert has_ended(before, after, seen_running=False) is None


@pytest.mark.parametrize(
    ("expires", "obstacle"),
    [
        (ago(-1), ""),
        (ago(0), "it expired on 2026-11-22T18:00:00Z"),
        (ago(60), "it expired on 2026-11-22T17:00:00Z"),
        ("soon", ""),
    ],
)
def test_an_expired_enrollment_program_token(expires: str, obstacle: str) -> None:
    assert enrollment(success=ago(1), trigger=ago(2), expires=expires).obstacle == obstacle


@pytest.mark.parametrize(
    ("status", "phase", "succeeded"),
    [
        ("completed", "idle", True),
        ("inProgress", "running", True),
        ("failed", "failed", False),
        ("unknown", "unknown", True),
        ("unknownFutureValue", "unknown", True),
    ],
)
def test_autopilot(status: str, phase: str, succeeded: bool) -> None:
    entity = {"lastSyncDateTime": ago(5), "lastManualSyncTriggerDateTime": ago(6), "syncStatus": status}
    state = autopilot.state(entity, NOW)
    assert (state.phase, state.word) == (phase, status)
    assert state.succeeded == (moment(5) if succeeded else None)
    assert (state.requested, state.ended) == (moment(6), moment(5))


@pytest.mark.parametrize(
    ("status", "phase"),
    [
        ("success", "idle"),
        ("none", "idle"),
        (None, "idle"),
        ("credentialsNotValid", "failed"),
        ("androidForWorkApiError", "failed"),
        ("managementServiceError", "failed"),
        ("unknownError", "failed"),
        ("unknownFutureValue", "unknown"),
    ],
)
def test_managed_google_play(status: str | None, phase: str) -> None:
    entity = {"lastAppSyncDateTime": ago(5), "lastAppSyncStatus": status, "bindStatus": "boundAndValidated"}
    state = managed_google_play.state(entity, NOW)
    assert (state.phase, state.ended, state.obstacle) == (phase, moment(5), "")
    assert state.succeeded == (None if phase == "failed" else moment(5))


@pytest.mark.parametrize(
    ("bound", "obstacle"),
    [
        ("bound", ""),
        ("notBound", "it is not bound (its bindStatus is notBound)"),
        ("unbinding", "it is not bound (its bindStatus is unbinding)"),
        (None, "it is not bound (its bindStatus is none)"),
        ({"secret": 1}, "it is not bound (its bindStatus is no text)"),
    ],
)
def test_what_is_not_bound(bound: t.Any, obstacle: str) -> None:
    state = managed_google_play.state({"lastAppSyncDateTime": None, "bindStatus": bound}, NOW)
    assert (state.obstacle, state.succeeded) == (obstacle, None)


@pytest.mark.parametrize(
    ("agent", "system", "obstacle"),
    [
        ("mdm", "Windows", ""),
        ("googleCloudDevicePolicyController", "Android", ""),
        ("configurationManagerClientMdm", "Windows", ""),
        ("unknownFutureValue", "someday", ""),
        (None, None, ""),
        ("jamf", "macOS", "it is managed by jamf, which takes no synchronisation from Intune"),
        ("msSense", "Windows", "it is managed by msSense, which takes no synchronisation from Intune"),
        ("eas", "iOS", "it is managed by eas, which takes no synchronisation from Intune"),
        ("mdm", "Linux", "it runs Linux, for which Intune has no synchronisation"),
        ("mdm", "ChromeOS", "it runs ChromeOS, for which Intune has no synchronisation"),
    ],
)
def test_which_devices_can_be_asked(agent: str | None, system: str | None, obstacle: str) -> None:
    entity = {"managementAgent": agent, "operatingSystem": system, "lastSyncDateTime": ago(5)}
    state = managed_device.state(entity, NOW)
    assert (state.obstacle, state.succeeded, state.phase) == (obstacle, moment(5), "idle")


def test_what_only_ages() -> None:
    certificate = apple_push_certificate.state({"expirationDateTime": "2026-12-01T00:00:00Z"}, NOW)
    assert certificate.expires == datetime(2026, 12, 1, tzinfo=timezone.utc)
    for word, obstacle in {"enabled": "", "notSetUp": "", "error": "its partnerState is error"}.items():
        state = mobile_threat_defense_connector.state({"partnerState": word, "lastHeartbeatDateTime": NEVER}, NOW)
        assert (state.obstacle, state.succeeded) == (obstacle, None)
    for word, obstacle in {"active": "", "none": "", "inactive": "its state is inactive"}.items():
        state = certificate_connector.state({"state": word, "lastConnectionDateTime": ago(1)}, NOW)
        assert (state.obstacle, state.succeeded) == (obstacle, moment(1))


@pytest.mark.parametrize("kind", KINDS, ids=ALL)
def test_no_time_that_cannot_be_read_is_taken_for_one(kind: t.Any) -> None:
    """Nor is a secret in it repeated."""
    if kind.name == "apple_push_certificate":
        assert kind.state({"expirationDateTime": {"secret": 1}}, NOW).expires is None
        return
    for value, why in (("soon", "'soon' is not a time"), ({"secret": 1}, "it is no text$")):
        with pytest.raises(UnreadableTime, match=why):
            kind.state({kind.clock: value}, NOW)


@pytest.mark.parametrize("kind", KINDS, ids=ALL)
def test_what_is_missing_is_null_and_what_is_not_named_is_not_shown(kind: t.Any) -> None:
    kind.state({}, NOW)
    found = shown(kind, {"id": "x", "secret": "hidden"})
    assert {name for name, value in found.items() if value is not None} <= {"id", "secret"}
    assert ("secret" in found) == (kind.fields == ("*",))
