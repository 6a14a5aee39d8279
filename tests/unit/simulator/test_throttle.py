# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulator's limit of how many syncs an app asks for in a window."""

from __future__ import annotations

import pytest
from simulator import Simulator, Tenant, World
from unit.simulator.conftest import NOW, At, Graph, intune

pytestmark = pytest.mark.usefixtures("at")


@pytest.fixture
def devices(graph: Graph, world: World) -> Graph:
    return graph.of(world.resources["managed_device"])


def test_sliding_window(devices: Graph, tenant: Tenant, world: World, at: At) -> None:
    device = tenant.add_managed_device()
    throttle = world.throttle("managed_device", most=2, seconds=20)
    seen = []
    # Those that are refused count as well: at 21.5 there is no room yet, at 41.5 there is.
    for after in (0, 1, 10, 19, 20, 21.5, 41.5, 41.6):
        at(after)
        seen.append((after, devices.act(device.id).status_code))
    assert seen == [(0, 204), (1, 204), (10, 429), (19, 429), (20, 429), (21.5, 429), (41.5, 204), (41.6, 204)]
    assert len(device.accepted) == 4
    assert (throttle.taken, throttle.refused, throttle.refused_below, throttle.busiest) == (4, 4, 0, 4)


def test_refusals_tell_in_turns_when_there_is_room(devices: Graph, tenant: Tenant, world: World, at: At) -> None:
    device = tenant.add_managed_device()
    world.throttle("managed_device", most=2)
    waits = []
    # The newest two have to be down to one: each waits for the one before it.
    for after in (0, 0, 5, 6, 8, 9, 9.75, 10, 10.5):
        at(after)
        waits.append(devices.act(device.id).headers.get("Retry-After"))
    assert waits == [None, None, "15", None, "18", None, "19.250", None, "20"]


def test_waiting_as_told_is_enough(devices: Graph, tenant: Tenant, world: World, at: At) -> None:
    device = tenant.add_managed_device()
    throttle = world.throttle("managed_device", most=10)
    now = 0.0
    for _number in range(100):
        at(now)
        answer = devices.act(device.id)
        now += 0.1 if answer.ok else float(answer.headers.get("Retry-After", 20))
    assert throttle.busiest == 11
    assert throttle.taken + throttle.refused == 100
    assert 8 <= throttle.refused <= 10


def test_body_of_the_refusal(devices: Graph, tenant: Tenant, world: World) -> None:
    device = tenant.add_managed_device()
    world.throttle("managed_device", most=1)
    devices.act(device.id)
    response = devices.act(device.id)
    error = response.json()["error"]
    assert error.pop("innerError")["request-id"] == response.headers["request-id"]
    assert error == {"code": "TooManyRequests", "message": "An error has occurred.", "details": []}


def test_batch_counts_by_its_items(graph: Graph, tenant: Tenant, world: World) -> None:
    devices = [tenant.add_managed_device() for _number in range(5)]
    throttle = world.throttle("managed_device", most=3)
    items = [
        {"id": device.id, "method": "POST", "url": f"/deviceManagement/managedDevices/{device.id}/syncDevice"}
        for device in devices
    ]
    answers = graph.batch("v1.0", *items)
    assert [answers[device.id]["status"] for device in devices] == [204, 204, 204, 429, 429]
    assert [answers[device.id]["headers"].get("Retry-After") for device in devices[3:]] == ["20", None]
    assert [len(device.accepted) for device in devices] == [1, 1, 1, 0, 0]
    assert (throttle.taken, throttle.refused) == (3, 2)


def test_each_app_tenant_and_kind_has_its_own(devices: Graph, tenant: Tenant, world: World, sim: Simulator) -> None:
    device, token = tenant.add_managed_device(), tenant.add_vpp_token()
    other = world.add_tenant("fabrikam.example")
    theirs = other.add_managed_device()
    throttle = world.throttle("managed_device", most=1)
    assert [devices.act(device.id).status_code for _turn in range(2)] == [204, 429]
    # Reading is not limited.
    assert devices.get(device.id).status_code == 200
    own = devices.token
    devices.token = world.issue_access_token(tenant.add_app(), sim.graph_url)
    assert devices.act(device.id).status_code == 204
    devices.token = world.issue_access_token(other.add_app(next(iter(tenant.apps))), sim.graph_url)
    assert devices.act(theirs.id).status_code == 204
    devices.token = own
    assert devices.of(world.resources["vpp_token"]).act(token.id).status_code == 200
    assert (throttle.taken, throttle.refused, throttle.busiest) == (3, 1, 2)
    with pytest.raises(KeyError, match="managed_devices"):
        world.throttle("managed_devices", most=1)


def test_refused_at_random_below_the_limit(devices: Graph, tenant: Tenant, world: World) -> None:
    device = tenant.add_managed_device()
    rounds = []
    for seed in (1, 1, 2):
        throttle = world.throttle("managed_device", most=1000, refused_at_random=0.2, seed=seed)
        answers = [devices.act(device.id) for _number in range(60)]
        rounds.append([answer.status_code for answer in answers])
        assert {answer.headers.get("Retry-After") for answer in answers} == {None}
        assert (throttle.taken, throttle.refused, throttle.refused_below) == (
            rounds[-1].count(204),
            0,
            rounds[-1].count(429),
        )
        assert 3 < throttle.refused_below < 25
    assert rounds[0] == rounds[1] != rounds[2]


def test_what_is_refused_for_other_reasons_counts(devices: Graph, tenant: Tenant, world: World) -> None:
    tenant.has_intune_licence = False
    throttle = world.throttle("managed_device", most=1)
    refused = devices.act("no-such-device")
    assert (refused.status_code, intune(refused)["_version"]) == (400, 3)
    assert devices.act("no-such-device").status_code == 429
    assert (throttle.taken, throttle.refused, world.clock()) == (1, 1, NOW)
