# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulator's tokens of Apple's volume purchase programme."""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta, timezone

import pytest
from simulator import Fault, Simulator, Tenant, World
from unit.simulator.conftest import NOW, At, Graph, intune

pytestmark = pytest.mark.usefixtures("at")

BEFORE = datetime(2026, 11, 25, 14, 50, 53, 497000, tzinfo=timezone.utc)
TOKEN_ID = "11111111-1111-4111-8111-111111111111"


@pytest.fixture
def vpp(graph: Graph, world: World) -> Graph:
    return graph.of(world.resources["vpp_token"])


def state_of(entity: dict[str, t.Any]) -> tuple[str, str, str]:
    """What of a token a sync moves."""
    return entity["lastSyncStatus"], entity["lastSyncDateTime"], entity["lastModifiedDateTime"]


def test_token_in_full(vpp: Graph, tenant: Tenant, world: World, sim: Simulator) -> None:
    token = tenant.add_vpp_token(TOKEN_ID.upper(), last_sync=BEFORE)
    shown = {
        "id": TOKEN_ID,
        "appleId": "vpp001@contoso.example",
        "automaticallyUpdateApps": True,
        "countryOrRegion": "us",
        "expirationDateTime": "2027-06-14T08:00:00Z",
        "lastModifiedDateTime": "2026-11-25T14:50:53.5Z",
        "lastSyncDateTime": "2026-11-25T14:50:53.497Z",
        "lastSyncStatus": "completed",
        "organizationName": "Contoso Apps 1",
        "state": "valid",
        "token": f"apple-secret-of-{TOKEN_ID}",
        "vppTokenAccountType": "business",
    }
    context = f"{sim.graph_url}/v1.0/$metadata#deviceAppManagement/vppTokens"
    assert vpp.list().json() == {"@odata.context": context, "value": [shown]}
    assert vpp.get(token.id).json() == {"@odata.context": f"{context}/$entity", **shown}
    assert [(r.where, r.kind, r.path) for r in world.requests] == [
        ("list", "vpp_token", "/v1.0/deviceAppManagement/vppTokens"),
        ("get", "vpp_token", f"/v1.0/deviceAppManagement/vppTokens/{TOKEN_ID}"),
    ]


def test_what_can_be_told_of_a_token(vpp: Graph, tenant: Tenant) -> None:
    token = tenant.add_vpp_token(
        organization_name="Kita Süd",
        apple_id="kita@contoso.example",
        state="assignedToExternalMDM",
        last_sync=timedelta(hours=30),
        last_sync_status="failed",
        expires=NOW - timedelta(days=1),
        countryOrRegion="de",
        token=None,
    )
    first = vpp.get(token.id).json()
    assert (first["organizationName"], first["appleId"]) == ("Kita Süd", "kita@contoso.example")
    assert (first["state"], first["countryOrRegion"], first["token"]) == ("assignedToExternalMDM", "de", None)
    assert state_of(first) == ("failed", "2026-11-25T02:00:00Z", "2026-11-25T02:00:00.003Z")
    assert first["expirationDateTime"] == "2026-11-25T08:00:00.123456Z"
    token.state, token.last_sync, token.last_sync_status = "somethingNew", timedelta(days=2), "inProgress"
    token.properties["organizationName"] = None
    second = vpp.get(token.id).json()
    assert (second["state"], second["organizationName"]) == ("somethingNew", None)
    assert state_of(second)[:2] == ("inProgress", "2026-11-24T08:00:00Z")
    assert (token.last_sync, token.last_sync_status) == (NOW.replace(microsecond=0) - timedelta(days=2), "inProgress")
    token.override = {"lastSyncDateTime": "soon"}
    assert vpp.get(token.id).json()["lastSyncDateTime"] == vpp.list().json()["value"][0]["lastSyncDateTime"] == "soon"


def test_token_that_was_never_synchronised(vpp: Graph, tenant: Tenant) -> None:
    token = tenant.add_vpp_token()
    assert state_of(vpp.get(token.id).json()) == ("none", "0001-01-01T00:00:00Z", "2026-06-14T08:00:00Z")
    assert token.last_sync is None


def test_arguments_are_checked(tenant: Tenant) -> None:
    # Only beta has it.
    with pytest.raises(ValueError, match="not properties of a VPP token: displayName"):
        tenant.add_vpp_token(displayName="x")
    with pytest.raises(ValueError, match="outcome must be one of"):
        tenant.add_vpp_token(outcome="maybe")
    assert tenant.vpp_tokens == {}


def test_tokens_differ_and_are_paged(vpp: Graph, tenant: Tenant) -> None:
    tokens = [tenant.add_vpp_token() for _number in range(3)]
    assert list(tenant.vpp_tokens) == [token.id for token in tokens]
    whole = vpp.list().json()
    assert set(whole) == {"@odata.context", "value"}
    for name in ("id", "organizationName", "appleId", "token"):
        assert len({entity[name] for entity in whole["value"]}) == 3
    tenant.page_size = 2
    first = vpp.list().json()
    assert len(first["value"]) == 2
    assert len(vpp.call("GET", first["@odata.nextLink"]).json()["value"]) == 1


def test_sync_in_full(vpp: Graph, tenant: Tenant, world: World, sim: Simulator, at: At) -> None:
    token = tenant.add_vpp_token(last_sync=BEFORE, sync_delay=30)
    response = vpp.act(token.id.upper())
    assert response.status_code == 200
    body = response.json()
    assert body.pop("@odata.context") == f"{sim.graph_url}/v1.0/$metadata#microsoft.graph.vppToken"
    assert state_of(body) == ("inProgress", "2026-11-25T14:50:53.497Z", "2026-11-26T08:00:00.123456Z")
    assert body == token.as_json()
    assert token.accepted == [NOW]
    record = world.requests[0]
    assert (record.where, record.kind, record.object_id) == ("sync", "vpp_token", token.id)
    assert record.path == f"/v1.0/deviceAppManagement/vppTokens/{token.id.upper()}/syncLicenses"
    at(29.9)
    assert vpp.get(token.id).json()["lastSyncStatus"] == "inProgress"
    assert token.last_sync == BEFORE
    at(40)
    assert state_of(vpp.get(token.id).json()) == (
        "completed",
        "2026-11-26T08:00:30.123456Z",
        "2026-11-26T08:00:30.126456Z",
    )
    assert token.last_sync == NOW + timedelta(seconds=30)


def test_sync_that_takes_no_time_is_running_in_its_answer_only(vpp: Graph, tenant: Tenant) -> None:
    token = tenant.add_vpp_token(last_sync=BEFORE)
    assert state_of(vpp.act(token.id).json())[:2] == ("inProgress", "2026-11-25T14:50:53.497Z")
    assert (token.last_sync_status, token.last_sync) == ("completed", NOW)


@pytest.mark.parametrize(
    ("outcome", "status", "modified"),
    [("fails", "failed", "2026-11-26T08:00:05.126456Z"), ("never", "inProgress", "2026-11-26T08:00:00.123456Z")],
)
def test_sync_that_does_not_complete(
    vpp: Graph, tenant: Tenant, at: At, outcome: str, status: str, modified: str
) -> None:
    token = tenant.add_vpp_token(last_sync=BEFORE, sync_delay=5, outcome=outcome)
    vpp.act(token.id)
    at(4)
    assert token.last_sync_status == "inProgress"
    at(600)
    assert state_of(vpp.get(token.id).json()) == (status, "2026-11-25T14:50:53.497Z", modified)
    token.outcome = "completes"
    vpp.act(token.id)
    at(606)
    assert (token.last_sync_status, token.last_sync) == ("completed", NOW + timedelta(seconds=605))


def test_sync_of_somebody_else(vpp: Graph, tenant: Tenant, at: At) -> None:
    token = tenant.add_vpp_token(last_sync=BEFORE, sync_delay=10)
    token.begin()
    assert vpp.get(token.id).json()["lastSyncStatus"] == "inProgress"
    assert token.accepted == []
    at(4)
    assert vpp.act(token.id).status_code == 200
    assert len(token.accepted) == 1
    at(12)
    # The first has ended, the second has not.
    assert (token.last_sync_status, token.last_sync) == ("inProgress", NOW + timedelta(seconds=10))
    at(15)
    assert (token.last_sync_status, token.last_sync) == ("completed", NOW + timedelta(seconds=14))


def test_what_has_ended_is_told_in_the_answer_to_the_next(vpp: Graph, tenant: Tenant, at: At) -> None:
    token = tenant.add_vpp_token(last_sync=BEFORE, sync_delay=10)
    vpp.act(token.id)
    at(60)
    assert state_of(vpp.act(token.id).json()) == (
        "inProgress",
        "2026-11-26T08:00:10.123456Z",
        "2026-11-26T08:01:00.123456Z",
    )


@pytest.mark.parametrize("state", ["expired", "invalid", "assignedToExternalMDM", "unknown", "duplicateLocationId"])
def test_only_valid_tokens_are_synchronised(vpp: Graph, tenant: Tenant, state: str) -> None:
    token = tenant.add_vpp_token(state=state, last_sync=BEFORE)
    response = vpp.act(token.id)
    assert (response.status_code, response.json()["error"]["code"]) == (400, "BadRequest")
    assert intune(response)["Message"].startswith("The VPP token is not valid.")
    assert (token.accepted, token.last_sync_status, token.last_sync) == ([], "completed", BEFORE)


def test_wrapped_as_in_the_reference(vpp: Graph, tenant: Tenant) -> None:
    token = tenant.add_vpp_token(sync_delay=60)
    token.wrap_in_value = True
    for body in (vpp.act(token.id).json(), vpp.get(token.id).json()):
        assert set(body) == {"@odata.context", "value"}
        assert (body["value"]["id"], body["value"]["lastSyncStatus"]) == (token.id, "inProgress")
    assert vpp.list().json()["value"][0]["id"] == token.id


@pytest.mark.parametrize(
    ("role", "read", "sync"),
    [
        ("DeviceManagementServiceConfig.Read.All", 200, 403),
        ("DeviceManagementConfiguration.Read.All", 200, 403),
        ("DeviceManagementApps.Read.All", 200, 403),
        ("DeviceManagementApps.ReadWrite.All", 200, 403),
        ("DeviceManagementServiceConfig.ReadWrite.All", 200, 200),
        ("DeviceManagementConfiguration.ReadWrite.All", 200, 200),
        ("User.Read.All", 403, 403),
    ],
)
def test_roles(vpp: Graph, tenant: Tenant, world: World, sim: Simulator, role: str, read: int, sync: int) -> None:
    token = tenant.add_vpp_token()
    vpp.token = world.issue_access_token(tenant.add_app(roles=[role]), sim.graph_url)
    assert [vpp.list().status_code, vpp.get(token.id).status_code, vpp.act(token.id).status_code] == [read, read, sync]
    assert len(token.accepted) == (sync == 200)


def test_permission_for_apps_is_none_for_connectors(graph: Graph, tenant: Tenant, world: World, sim: Simulator) -> None:
    graph.token = world.issue_access_token(tenant.add_app(roles=["DeviceManagementApps.Read.All"]), sim.graph_url)
    assert graph.list().status_code == 403


def test_body_and_framing(vpp: Graph, tenant: Tenant) -> None:
    token = tenant.add_vpp_token()
    assert vpp.act(token.id, json={}).status_code == 200
    assert vpp.act(token.id, json={"syncType": "fullSync"}).status_code == 400
    assert vpp.act(token.id, data=iter(())).status_code == 400
    assert len(token.accepted) == 1


def test_batch_of_tokens(graph: Graph, tenant: Tenant, world: World) -> None:
    good, bad = tenant.add_vpp_token(sync_delay=60), tenant.add_vpp_token(state="expired")
    url = "/deviceAppManagement/vppTokens/{}/syncLicenses"
    items = [{"id": str(n), "method": "POST", "url": url.format(token.id)} for n, token in enumerate((good, bad))]
    world.faults.add(Fault("sync", status=429, kind="vpp_token", object_id=good.id, headers={"Retry-After": "7"}))
    throttled = graph.batch("v1.0", *items)
    assert [(number, answer["status"]) for number, answer in throttled.items()] == [("1", 400), ("0", 429)]
    assert throttled["0"]["headers"]["Retry-After"] == "7"
    assert graph.batch("v1.0", *items)["0"]["body"]["lastSyncStatus"] == "inProgress"
    assert [len(token.accepted) for token in (good, bad)] == [1, 0]


def test_tenant_without_tokens(vpp: Graph, tenant: Tenant) -> None:
    assert vpp.list().json()["value"] == []
    tenant.absent["vpp_token"] = 501
    assert (vpp.list().status_code, tenant.has_exchange_connectors) == (501, True)
