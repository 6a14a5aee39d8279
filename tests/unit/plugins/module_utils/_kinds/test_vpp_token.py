# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Graph shows of an Apple VPP token, and what of that may be shown."""

from __future__ import annotations

import typing as t
from datetime import datetime, timezone

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._kinds import vpp_token
from ansible_collections.graphops.intune.plugins.module_utils._kinds.kind import UnreadableTime, shown

ENTITY: dict[str, t.Any] = {
    "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#deviceAppManagement/vppTokens/$entity",
    "id": "11111111-1111-4111-8111-111111111111",
    "appleId": "vpp@contoso.example",
    "automaticallyUpdateApps": True,
    "countryOrRegion": "us",
    "expirationDateTime": "2027-03-25T17:09:22Z",
    "lastModifiedDateTime": "2026-11-22T14:50:53.5002993Z",
    "lastSyncDateTime": "2026-11-22T14:50:53.4972449Z",
    "lastSyncStatus": "completed",
    "organizationName": "Contoso",
    "state": "valid",
    "token": "apple's secret",
    "vppTokenAccountType": "business",
}
SYNCED = datetime(2026, 11, 22, 14, 50, 53, 497244, tzinfo=timezone.utc)
MODIFIED = datetime(2026, 11, 22, 14, 50, 53, 500299, tzinfo=timezone.utc)


def read(**changes: t.Any) -> t.Any:
    return vpp_token.state({**ENTITY, **changes}, None)


def test_a_token_that_is_well() -> None:
    state = read()
    assert (state.succeeded, state.ended, state.requested) == (SYNCED, MODIFIED, None)
    assert (state.phase, state.word, state.obstacle) == ("idle", "completed", "")
    assert state.expires == datetime(2027, 3, 25, 17, 9, 22, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("status", "phase"),
    [
        ("none", "idle"),
        ("completed", "idle"),
        ("inProgress", "running"),
        ("failed", "failed"),
        ("unknownFutureValue", "unknown"),
        (None, "idle"),
    ],
)
def test_the_phase(status: str | None, phase: str) -> None:
    assert read(lastSyncStatus=status).phase == phase


def test_the_time_of_a_failure_is_no_success() -> None:
    state = read(lastSyncStatus="failed")
    assert (state.succeeded, state.ended) == (None, MODIFIED)


def test_never() -> None:
    never = "0001-01-01T00:00:00Z"
    state = read(lastSyncDateTime=never, lastModifiedDateTime=never, lastSyncStatus="none")
    assert (state.succeeded, state.ended) == (None, None)


@pytest.mark.parametrize(
    ("value", "obstacle"),
    [
        ("valid", ""),
        ("expired", "its state is expired"),
        ("assignedToExternalMDM", "its state is assignedToExternalMDM"),
        ("duplicateLocationId", "its state is duplicateLocationId"),
        ("someday\n", "its state is someday"),
        (None, "its state is none"),
    ],
)
def test_what_stands_in_the_way(value: str | None, obstacle: str) -> None:
    assert read(state=value).obstacle == obstacle


def test_an_expiry_that_cannot_be_read_is_none() -> None:
    assert read(expirationDateTime="soon").expires is None


@pytest.mark.parametrize("name", ["lastSyncDateTime", "lastModifiedDateTime"])
def test_a_time_that_cannot_be_read(name: str) -> None:
    with pytest.raises(UnreadableTime, match=f"Graph's {name} cannot be read: 'soon' is not a time"):
        read(**{name: "soon"})


def test_the_token_itself_is_not_shown_wherever_it_stands() -> None:
    secret = {"token": "apple's secret", "deep": ["apple's secret", {"a": "apple's secret"}]}
    found = shown(vpp_token.KIND, {**ENTITY, "organizationName": secret, "appleId": [secret, "a"], "more": secret})
    assert "secret" not in str(found)
    assert (found["organization_name"], found["apple_id"]) == (None, ["a"])
    assert found["last_sync_date_time"] == "2026-11-22T14:50:53.497244Z"
    assert set(found) == {
        "id",
        "organization_name",
        "apple_id",
        "country_or_region",
        "vpp_token_account_type",
        "state",
        "automatically_update_apps",
        "last_sync_date_time",
        "last_sync_status",
        "last_modified_date_time",
        "expiration_date_time",
    }


@pytest.mark.parametrize("value", [{"token": "apple's secret"}, ["apple's secret"]])
def test_the_token_itself_is_not_in_a_sentence(value: t.Any) -> None:
    state = read(lastSyncStatus=value, state=value)
    assert (state.phase, state.word, state.obstacle) == ("unknown", "no text", "its state is no text")
    for name in ("lastSyncDateTime", "lastModifiedDateTime"):
        with pytest.raises(UnreadableTime, match=f"Graph's {name} cannot be read: it is no text$"):
            read(**{name: value})


def test_what_is_missing_is_null() -> None:
    found = shown(vpp_token.KIND, {"id": "x"})
    assert {name for name, value in found.items() if value is not None} == {"id"}
