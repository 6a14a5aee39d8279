# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulator's Windows Autopilot and managed Google Play, of which a tenant has one each."""

from __future__ import annotations

import base64
import typing as t
from datetime import timedelta

import pytest
from simulator import Tenant, World
from unit.simulator.conftest import NOW, At, Graph, intune

pytestmark = pytest.mark.usefixtures("at")

NEVER = "0001-01-01T00:00:00Z"
THEN = "2026-11-26T08:00:05.123456Z"


@pytest.fixture
def pilot(graph: Graph, world: World) -> Graph:
    return graph.of(world.resources["autopilot"])


@pytest.fixture
def play(graph: Graph, world: World) -> Graph:
    return graph.of(world.resources["managed_google_play"])


# Windows Autopilot


def test_autopilot_in_full(pilot: Graph, tenant: Tenant) -> None:
    autopilot = tenant.add_autopilot(last_sync=timedelta(days=3))
    body = pilot.list().json()
    del body["@odata.context"]
    assert body == {
        "id": autopilot.id,
        "lastSyncDateTime": "2026-11-23T08:00:00Z",
        "lastManualSyncTriggerDateTime": "2026-11-23T07:59:59.5Z",
        "syncStatus": "completed",
    }
    del tenant.objects["autopilot"]
    first = tenant.add_autopilot().as_json()
    assert [first[name] for name in body][1:] == [NEVER, NEVER, "unknown"]


@pytest.mark.parametrize(
    ("outcome", "status", "succeeded"),
    [("completes", "completed", THEN), ("fails", "failed", NEVER), ("never", "inProgress", NEVER)],
)
def test_autopilot_sync(pilot: Graph, tenant: Tenant, at: At, outcome: str, status: str, succeeded: str) -> None:
    autopilot = tenant.add_autopilot(sync_status="failed", sync_delay=5, outcome=outcome)
    assert pilot.act().status_code == 204
    shown = pilot.list().json()
    assert (shown["syncStatus"], shown["lastSyncDateTime"]) == ("inProgress", NEVER)
    assert autopilot.last_triggered == NOW
    running = pilot.act()
    assert (running.status_code, running.json()["error"]["code"]) == (409, "Conflict")
    assert intune(running)["Message"].startswith("A sync is already in progress.")
    at(5)
    shown = pilot.list().json()
    assert (shown["syncStatus"], shown["lastSyncDateTime"]) == (status, succeeded)
    assert autopilot.accepted == [NOW]
    assert pilot.act().status_code == (409 if outcome == "never" else 429)


@pytest.mark.parametrize("retry_after", [None, "17"])
@pytest.mark.parametrize("newest", ["last_sync", "last_triggered"])
def test_autopilot_too_soon(pilot: Graph, tenant: Tenant, at: At, newest: str, retry_after: str | None) -> None:
    ages: dict[str, t.Any] = {"last_sync": timedelta(hours=1), "last_triggered": timedelta(hours=1), newest: NOW}
    autopilot = tenant.add_autopilot(**ages)
    autopilot.retry_after = retry_after
    at(599)
    response = pilot.act()
    assert (response.status_code, response.json()["error"]["code"]) == (429, "TooManyRequests")
    assert response.headers.get("Retry-After") == retry_after
    at(600)
    assert pilot.act().status_code == 204
    assert len(autopilot.accepted) == 1


def test_autopilot_of_somebody_else_and_of_the_future(pilot: Graph, tenant: Tenant, at: At) -> None:
    autopilot = tenant.add_autopilot(sync_delay=1)
    autopilot.begin()
    at(1)
    assert (autopilot.sync_status, autopilot.accepted) == ("completed", [])
    autopilot.sync_status, autopilot.last_manual_sync_trigger_date_time = "somethingNew", timedelta(hours=2)
    shown = pilot.list().json()
    assert (shown["syncStatus"], shown["lastManualSyncTriggerDateTime"]) == ("somethingNew", "2026-11-26T06:00:01Z")
    autopilot.sync_status = "inProgress"
    assert pilot.act().status_code == 409


# Managed Google Play


def test_play_in_full(play: Graph, tenant: Tenant) -> None:
    tenant.add_managed_google_play(last_sync=timedelta(days=3))
    body = play.list().json()
    secret = "enrollment-secret-of-contoso.example"
    assert body.pop("@odata.context").endswith("#deviceManagement/androidManagedStoreAccountEnterpriseSettings/$entity")
    assert body == {
        "id": "androidManagedStoreAccountEnterpriseSettings",
        "bindStatus": "boundAndValidated",
        "managedGooglePlayEnterpriseType": "managedGoogleDomain",
        "lastAppSyncDateTime": "2026-11-23T08:00:00Z",
        "lastAppSyncStatus": "success",
        "ownerUserPrincipalName": "owner@contoso.example",
        "ownerOrganizationName": "Contoso",
        "lastModifiedDateTime": "2026-02-11T14:43:51.9783652Z",
        "enrollmentTarget": "targetedAsEnrollmentRestrictions",
        "targetGroupIds": [],
        "deviceOwnerManagementEnabled": True,
        "androidDeviceOwnerFullyManagedEnrollmentEnabled": False,
        "managedGooglePlayInitialScopeTagIds": ["0"],
        "companyCodes": [
            {
                "enrollmentToken": secret,
                "qrCodeContent": f'{{"EXTRA_ENROLLMENT_TOKEN": "{secret}"}}',
                "qrCodeImage": {"type": "image/png", "value": base64.b64encode(secret.encode()).decode()},
            }
        ],
    }


@pytest.mark.parametrize(
    ("outcome", "end"),
    [("completes", (THEN, "success")), ("fails", (THEN, "credentialsNotValid")), ("never", (None, "none"))],
)
def test_play_sync(play: Graph, tenant: Tenant, at: At, outcome: str, end: tuple[str | None, str]) -> None:
    bound = tenant.add_managed_google_play(sync_delay=5, outcome=outcome)
    bound.failure_status = "credentialsNotValid"
    for after, expected in ((0, (None, "none")), (4.9, (None, "none")), (5, end)):
        at(after)
        if after == 0:
            assert play.act().status_code == 204
        shown = play.list().json()
        assert (shown["lastAppSyncDateTime"], shown["lastAppSyncStatus"]) == expected
    # Nothing keeps anybody from asking again.
    assert [play.act().status_code, play.act().status_code, len(bound.accepted)] == [204, 204, 3]


@pytest.mark.parametrize(
    ("bind_status", "status"),
    [("bound", 204), ("boundAndValidated", 204), ("notBound", 400), ("unbinding", 400), ("somethingNew", 400)],
)
def test_play_is_only_synchronised_where_it_is_bound(
    play: Graph, tenant: Tenant, bind_status: str, status: int
) -> None:
    bound = tenant.add_managed_google_play(last_app_sync_status="somethingNew")
    bound.bind_status = bind_status
    shown = play.list().json()
    assert (shown["bindStatus"], shown["lastAppSyncStatus"]) == (bind_status, "somethingNew")
    response = play.act()
    assert (response.status_code, len(bound.accepted)) == (status, status == 204)
    assert status == 204 or intune(response)["Message"].startswith("The account is not bound")
