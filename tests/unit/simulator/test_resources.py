# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulator's table of resources, by two made-up kinds: a collection of beta, and one object of v1.0."""

from __future__ import annotations

import http.client
import json
import ssl
import typing as t
from datetime import timedelta

import pytest
import requests
from simulator import Entity, Fault, Resource, Simulator, Tenant, World
from unit.simulator.conftest import Graph, intune

BEACON = Resource("beacon", "beta", "deviceManagement/beaconSettings", "lightNow", returns="microsoft.graph.beacon")
CLOCK = Resource("clock", "v1.0", "deviceAppManagement/towerClock", "wind", singleton=True)
NOBODY = "11111111-1111-4111-8111-111111111111"


@pytest.fixture(autouse=True)
def _made_up(world: World) -> None:
    world.add_resource(BEACON)
    world.add_resource(CLOCK)


@pytest.fixture
def beacons(graph: Graph) -> Graph:
    return graph.of(BEACON)


@pytest.fixture
def clocks(graph: Graph) -> Graph:
    return graph.of(CLOCK)


# One more kind


def test_collection(beacons: Graph, tenant: Tenant, world: World, sim: Simulator) -> None:
    def light(beacon: Entity) -> None:
        beacon.properties["lit"] = True

    beacon = tenant.add_object("beacon", on_accept=light, lit=False, height=12)
    context = f"{sim.graph_url}/beta/$metadata#"
    shown = {"id": beacon.id, "lit": False, "height": 12}
    assert beacons.list().json() == {"@odata.context": f"{context}deviceManagement/beaconSettings", "value": [shown]}
    assert beacons.get(beacon.id.upper()).json() == {
        "@odata.context": f"{context}deviceManagement/beaconSettings/$entity",
        **shown,
    }
    response = beacons.act(beacon.id)
    assert (response.status_code, response.headers["OData-Version"]) == (200, "4.0")
    assert response.json() == {"@odata.context": f"{context}microsoft.graph.beacon", **shown, "lit": True}
    assert [type(accepted) for accepted in beacon.accepted] == [type(world.clock())]
    assert [(r.where, r.kind, r.object_id) for r in world.requests] == [
        ("list", "beacon", None),
        ("get", "beacon", beacon.id),
        ("sync", "beacon", beacon.id),
    ]
    assert world.requests[2].path == f"/beta/deviceManagement/beaconSettings/{beacon.id}/lightNow"


def test_singleton(clocks: Graph, tenant: Tenant, world: World, sim: Simulator) -> None:
    assert [clocks.list().status_code, clocks.act().status_code] == [404, 404]
    clock = tenant.add_object("clock", hands=2)
    read = clocks.list()
    assert read.json() == {
        "@odata.context": f"{sim.graph_url}/v1.0/$metadata#deviceAppManagement/towerClock/$entity",
        "id": clock.id,
        "hands": 2,
    }
    response = clocks.act()
    assert (response.status_code, response.content, len(clock.accepted)) == (204, b"", 1)
    assert [(r.where, r.kind, r.object_id) for r in world.requests[2:]] == [
        ("get", "clock", None),
        ("sync", "clock", None),
    ]
    # There is no id in its addresses.
    assert "'1'" in clocks.get("1").json()["error"]["message"]
    assert clocks.act(clock.id).status_code == 400
    with pytest.raises(ValueError, match="one object of kind 'clock' only"):
        tenant.add_object("clock")


def test_objects_of_a_kind_are_those_of_the_tenant(beacons: Graph, tenant: Tenant, world: World) -> None:
    connector, other = tenant.add_connector(), world.add_tenant("fabrikam.example").add_object("beacon")
    for object_id in (connector.id, other.id, NOBODY):
        for response in (beacons.get(object_id), beacons.act(object_id)):
            assert (response.status_code, response.json()["error"]["code"]) == (404, "ResourceNotFound")
            assert intune(response)["_version"] == 3
    assert beacons.list().json()["value"] == []
    assert connector.accepted == other.accepted == []


def test_wrapped_and_overridden(beacons: Graph, tenant: Tenant) -> None:
    beacon = tenant.add_object("beacon", height=12)
    beacon.override, beacon.wrap_in_value = {"height": "tall"}, True
    for body in (beacons.get(beacon.id).json(), beacons.act(beacon.id).json()):
        assert set(body) == {"@odata.context", "value"}
        assert body["value"] == {"id": beacon.id, "height": "tall"}
    assert beacons.list().json()["value"] == [{"id": beacon.id, "height": "tall"}]


def test_pages(beacons: Graph, tenant: Tenant, sim: Simulator) -> None:
    ids = [tenant.add_object("beacon").id for _number in range(3)]
    tenant.page_size = 2
    first = beacons.list().json()
    assert first["@odata.nextLink"].startswith(f"{sim.graph_url}/beta/deviceManagement/beaconSettings?$skiptoken=")
    second = beacons.call("GET", first["@odata.nextLink"]).json()
    assert [entity["id"] for page in (first, second) for entity in page["value"]] == ids
    assert "@odata.nextLink" not in second


def test_names_are_given_once_and_known(world: World, tenant: Tenant) -> None:
    for name in ("beacon", "exchange_connector", "vpp_token"):
        with pytest.raises(ValueError, match=f"a resource '{name}' already"):
            world.add_resource(Resource(name, "v1.0", "deviceManagement/others", "sync"))
    with pytest.raises(KeyError, match="beakon"):
        tenant.add_object("beakon")
    assert "beacon" not in World().resources


@pytest.mark.parametrize(
    ("method", "path", "status", "text"),
    [
        ("GET", "/v1.0/deviceManagement/beaconSettings", 400, "segment 'beaconSettings'"),
        ("POST", "/v1.0/deviceManagement/beaconSettings/1/lightNow", 400, "segment 'beaconSettings'"),
        ("GET", "/beta/deviceAppManagement/towerClock", 400, "segment 'towerClock'"),
        ("GET", "/beta/deviceManagement/exchangeConnectors", 400, "segment 'exchangeConnectors'"),
        ("POST", "/beta/deviceAppManagement/vppTokens/1/syncLicenses", 400, "segment 'vppTokens'"),
        ("GET", "/v1.0/deviceAppManagement/exchangeConnectors", 400, "segment 'exchangeConnectors'"),
        ("POST", "/beta/deviceManagement/beaconSettings/1/wind", 400, "segment 'wind'"),
        ("GET", "/beta/$metadata", 400, "segment '$metadata'"),
        ("GET", "/BETA/deviceManagement/beaconSettings", 404, "Invalid version: BETA"),
        ("GET", "/beta/deviceManagement/beaconSettings/1/lightNow", 405, "method GET"),
        ("POST", "/beta/deviceManagement/beaconSettings", 405, "method POST"),
        ("POST", "/v1.0/deviceAppManagement/towerClock", 405, "method POST"),
        ("GET", "/v1.0/deviceAppManagement/towerClock/wind", 405, "method GET"),
    ],
)
def test_wrong_paths(
    graph: Graph, sim: Simulator, world: World, method: str, path: str, status: int, text: str
) -> None:
    response = graph.call(method, f"{sim.graph_url}{path}")
    assert (response.status_code, text in response.json()["error"]["message"]) == (status, True)
    assert (world.requests[0].where, world.requests[0].kind) == ("other", None)


def test_case_of_a_path_does_not_matter(graph: Graph, tenant: Tenant, sim: Simulator) -> None:
    beacon = tenant.add_object("beacon")
    path = f"/beta/DEVICEMANAGEMENT/beaconsettings/{beacon.id.upper()}/LIGHTNOW"
    assert graph.call("POST", f"{sim.graph_url}{path}").status_code == 200
    assert len(beacon.accepted) == 1


# Who may


@pytest.mark.parametrize(("role", "read", "sync"), [("Beacon.Read", 200, 403), ("Beacon.Light", 403, 200)])
def test_roles_are_those_of_the_kind(
    world: World, tenant: Tenant, graph: Graph, sim: Simulator, role: str, read: int, sync: int
) -> None:
    kind = world.add_resource(
        Resource("own", "beta", "own", "act", read_roles=("Beacon.Read",), sync_roles=("Beacon.Light",), returns="x")
    )
    own = tenant.add_object("own")
    assert graph.of(kind).list().status_code == 403
    graph.token = world.issue_access_token(tenant.add_app(roles=[role]), sim.graph_url)
    answers = [graph.list(), graph.get(own.id), graph.act(own.id)]
    assert [answer.status_code for answer in answers] == [read, read, sync]
    (refused,) = {answer.text.count("must have one of the following scopes") for answer in answers if not answer.ok}
    assert refused == 1
    assert len(own.accepted) == (sync == 200)


def test_forbidden_names_the_roles_of_the_kind(world: World, tenant: Tenant, beacons: Graph, sim: Simulator) -> None:
    beacons.token = world.issue_access_token(tenant.add_app(roles=[]), sim.graph_url)
    error = beacons.act(NOBODY).json()["error"]
    inner = json.loads(json.loads(error["message"])["Message"])
    assert error["code"] == "UnknownError"
    assert (
        "one of the following scopes: DeviceManagementServiceConfig.ReadWrite.All, "
        "DeviceManagementConfiguration.ReadWrite.All - Operation ID"
    ) in inner["Message"]
    assert f"StatelessOnboardingFEService/deviceManagement/beaconSettings/{NOBODY}/lightNow?" in inner["Message"]


def test_tenant_without_a_kind(tenant: Tenant, graph: Graph, world: World) -> None:
    beacon = tenant.add_object("beacon")
    tenant.add_object("clock")
    tenant.absent = {"beacon": 501, "clock": 404}
    graph.of(BEACON)
    for response in (graph.list(), graph.get(beacon.id), graph.act(beacon.id)):
        assert (response.status_code, response.json()["error"]["code"]) == (501, "NotSupported")
        assert intune(response)["Message"].startswith("The operation is not supported.")
    assert beacon.accepted == []
    graph.of(CLOCK)
    for response in (graph.list(), graph.act()):
        assert (response.status_code, response.json()["error"]["code"]) == (404, "ResourceNotFound")
    del tenant.absent["clock"]
    assert graph.list().status_code == 200
    graph.of(world.resources["exchange_connector"])
    assert graph.list().status_code == 200


def test_tenant_without_exchange_connectors(tenant: Tenant, graph: Graph) -> None:
    assert tenant.has_exchange_connectors
    tenant.has_exchange_connectors = False
    assert graph.list().status_code == 501
    assert tenant.absent == {"exchange_connector": 501}
    assert not tenant.has_exchange_connectors
    tenant.has_exchange_connectors = True
    assert graph.list().json()["value"] == []


# Actions without a body


def test_no_body_must_be_told_by_its_length(beacons: Graph, tenant: Tenant, world: World) -> None:
    beacon = tenant.add_object("beacon")
    assert beacons.act(beacon.id).status_code == 200
    assert world.requests[-1].headers["Content-Length"] == "0"
    chunked = beacons.act(beacon.id, data=iter(()))
    assert world.requests[-1].headers["Transfer-Encoding"] == "chunked"
    assert (chunked.status_code, chunked.json()["error"]["code"]) == (400, "BadRequest")
    assert "00000000-0000-0000-0000-000000000000" in intune(chunked)["Message"]
    assert len(beacon.accepted) == 1


def test_no_length_at_all(graph: Graph, tenant: Tenant, sim: Simulator, world: World) -> None:
    beacon = tenant.add_object("beacon")
    host = sim.graph_url.partition("://")[2]
    connection = http.client.HTTPSConnection(host, context=ssl.create_default_context(cafile=sim.ca_path), timeout=10)
    connection.putrequest("POST", f"/beta/deviceManagement/beaconSettings/{beacon.id}/lightNow")
    connection.putheader("Authorization", f"Bearer {graph.token}")
    connection.endheaders()
    response = connection.getresponse()
    assert (response.status, b"00000000-0000-0000-0000-000000000000" in response.read()) == (400, True)
    connection.close()
    assert (world.requests[0].where, "Content-Length" in world.requests[0].headers) == ("sync", False)
    assert beacon.accepted == []


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        ("{}", "application/json", 200),
        (" {} ", "application/json; charset=utf-8", 200),
        ("{}", "text/plain", 400),
        ('{"syncType": "fullSync"}', "application/json", 400),
        ("[]", "application/json", 400),
        ("null", "application/json", 400),
        ("{", "application/json", 400),
    ],
)
def test_body_of_an_action_without_parameters(
    beacons: Graph, tenant: Tenant, body: str, content_type: str, status: int
) -> None:
    beacon = tenant.add_object("beacon")
    response = beacons.act(beacon.id, data=body, headers={"Content-Type": content_type})
    assert (response.status_code, len(beacon.accepted)) == (status, status == 200)


# Batches


def test_batch_is_of_its_version(graph: Graph, tenant: Tenant, world: World) -> None:
    beacon, connector, clock = tenant.add_object("beacon"), tenant.add_connector(), tenant.add_object("clock")
    full = {"headers": {"Content-Type": "application/json"}, "body": {"syncType": "fullSync"}}
    items: list[dict[str, t.Any]] = [
        {"id": "1", "method": "POST", "url": f"/deviceManagement/beaconSettings/{beacon.id}/lightNow"},
        {"id": "2", "method": "GET", "url": "/deviceManagement/beaconSettings?$top=1"},
        {"id": "3", "method": "POST", "url": f"deviceManagement/exchangeConnectors/{connector.id}/sync", **full},
        {"id": "4", "method": "POST", "url": "/deviceAppManagement/towerClock/wind"},
    ]
    beta = graph.batch("beta", *items)
    # Out of order, as the service has them.
    assert [(number, each["status"]) for number, each in beta.items()] == [
        ("4", 400),
        ("3", 400),
        ("2", 200),
        ("1", 200),
    ]
    assert beta["1"]["body"]["id"] == beta["2"]["body"]["value"][0]["id"] == beacon.id
    assert "segment 'exchangeConnectors'" in beta["3"]["body"]["error"]["message"]
    assert [len(each.accepted) for each in (beacon, connector, clock)] == [1, 0, 0]
    assert [(r.where, r.kind, r.in_batch, r.path.split("/")[1]) for r in world.requests] == [
        ("batch", None, False, "beta"),
        ("sync", "beacon", True, "beta"),
        ("list", "beacon", True, "beta"),
        ("other", None, True, "beta"),
        ("other", None, True, "beta"),
    ]
    plain = graph.batch("v1.0", *items)
    assert [(number, each["status"]) for number, each in plain.items()] == [
        ("4", 204),
        ("3", 204),
        ("2", 400),
        ("1", 400),
    ]
    assert [len(each.accepted) for each in (beacon, connector, clock)] == [1, 1, 1]
    assert connector.accepted[0][1] == "fullSync"


def test_other_batches(graph: Graph, sim: Simulator, world: World) -> None:
    for method, version, status in (("POST", "v2.0", 404), ("GET", "beta", 400)):
        assert graph.call(method, f"{sim.graph_url}/{version}/$batch").status_code == status
        assert world.requests[-1].where == "other"
    assert graph.call("POST", f"{sim.graph_url}/beta/$batch", json={"requests": []}).status_code == 400
    graph.token = "unknown"
    assert graph.call("POST", f"{sim.graph_url}/beta/$batch", json={"requests": []}).status_code == 401


# Faults


def test_fault_for_one_kind(graph: Graph, tenant: Tenant, world: World) -> None:
    # Two objects of one id: only the kind tells them apart.
    tenant.add_object("beacon", NOBODY)
    tenant.add_connector(NOBODY)
    world.faults.add(Fault("get", status=500, kind="beacon", object_id=NOBODY, times=None))
    world.faults.add(Fault("any", status=503, kind="clock"))
    assert [graph.get(NOBODY).status_code, graph.list().status_code] == [200, 200]
    graph.of(BEACON)
    assert [graph.get(NOBODY).status_code, graph.list().status_code] == [500, 200]
    assert [graph.of(CLOCK).act().status_code, graph.act().status_code] == [503, 404]


@pytest.mark.parametrize("accept", [False, True])
def test_lost_answer_of_any_kind(beacons: Graph, tenant: Tenant, world: World, accept: bool) -> None:
    beacon = tenant.add_object("beacon")
    world.faults.add(Fault("sync", cut="before", kind="beacon", accept=accept))
    with pytest.raises(requests.exceptions.ConnectionError):
        beacons.act(beacon.id)
    assert len(beacon.accepted) == accept


@pytest.mark.parametrize("where", ["token", "batch"])
def test_fault_of_a_kind_that_would_never_strike(world: World, where: str) -> None:
    with pytest.raises(ValueError, match="kind only makes sense with where one of list"):
        Fault(where, kind="beacon")
    with pytest.raises(ValueError, match=r"kind must be one of exchange_connector, .*, beacon, clock, not 'beakon'"):
        world.faults.add(Fault("sync", kind="beakon"))


# Objects


def test_plain_object_can_be_given_an_end_by_a_class_of_its_own(beacons: Graph, tenant: Tenant, world: World) -> None:
    class Slow(Entity):
        lit = "no"

        def _end(self, _ended: t.Any, outcome: str) -> None:
            self.lit = outcome

        def _state(self) -> dict[str, t.Any]:
            return {"lit": self.lit}

    beacon = Slow(world, NOBODY, {}, sync_delay=30)
    tenant.objects["beacon"][NOBODY] = beacon
    assert beacons.act(NOBODY).json()["lit"] == "no"
    world.clock_offset = timedelta(seconds=31)
    assert beacons.get(NOBODY).json()["lit"] == "completes"
