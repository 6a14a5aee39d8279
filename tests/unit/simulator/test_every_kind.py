# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What holds for each kind that the simulator knows: who may, what a request may carry, and how it is answered."""

from __future__ import annotations

import typing as t
from datetime import timedelta

import pytest
from simulator import Entity, Resource, Simulator, Tenant, World
from simulator.resources import RESOURCES
from unit.simulator.conftest import Graph, intune

ADD: dict[str, t.Callable[..., Entity]] = {
    "exchange_connector": Tenant.add_connector,
    **{resource.name: getattr(Tenant, f"add_{resource.name}") for resource in RESOURCES[1:]},
}
SYNCED = [resource for resource in RESOURCES if resource.action is not None]
BODILESS = [resource for resource in SYNCED if resource.parameter is None]
SERVICE, CONFIGURATION = "DeviceManagementServiceConfig", "DeviceManagementConfiguration"
DEVICES, APPS = "DeviceManagementManagedDevices", "DeviceManagementApps"


def name_of(value: t.Any) -> str | None:
    return value.name if isinstance(value, Resource) else None


def for_each(kinds: t.Sequence[Resource]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("kind", kinds, ids=name_of)


def id_of(kind: Resource, entity: Entity) -> str | None:
    return None if kind.singleton else entity.id


def act(graph: Graph, kind: Resource, entity: Entity, **options: t.Any) -> int:
    """The status of the answer to a sync."""
    if kind.parameter is not None:
        options.setdefault("json", {kind.parameter: kind.choices[0]})
    return graph.of(kind).act(id_of(kind, entity), **options).status_code


@for_each(RESOURCES)
def test_shown_as_it_is(graph: Graph, tenant: Tenant, world: World, sim: Simulator, kind: Resource) -> None:
    entity = ADD[kind.name](tenant)
    context = f"{sim.graph_url}/{kind.version}/$metadata#{kind.path}"
    graph.of(kind)
    if kind.singleton:
        assert graph.list().json() == {"@odata.context": f"{context}/$entity", **entity.as_json()}
        with pytest.raises(ValueError, match=f"one object of kind '{kind.name}' only"):
            ADD[kind.name](tenant)
    else:
        count = {"@odata.count": 1} if kind.counts else {}
        assert graph.list().json() == {"@odata.context": context, **count, "value": [entity.as_json()]}
        assert graph.get(entity.id).json() == {"@odata.context": f"{context}/$entity", **entity.as_json()}
    entity.wrap_in_value = True
    wrapped = graph.list() if kind.singleton else graph.get(entity.id)
    assert wrapped.json()["value"] == entity.as_json()
    assert {request.kind for request in world.requests} == {kind.name}


@for_each(SYNCED)
def test_sync_moves_its_clock_when_it_ends(graph: Graph, tenant: Tenant, world: World, kind: Resource) -> None:
    entity: t.Any = ADD[kind.name](tenant, last_sync=timedelta(days=3), sync_delay=30)
    before = entity.last_sync
    assert act(graph, kind, entity) == (204 if kind.returns is None else 200)
    assert (len(entity.accepted), entity.last_sync, entity.running) == (1, before, True)
    world.clock_offset = timedelta(seconds=31)
    assert (entity.last_sync - before >= timedelta(days=3), entity.running) == (True, False)


@for_each(SYNCED)
def test_sync_that_never_ends(graph: Graph, tenant: Tenant, world: World, kind: Resource) -> None:
    entity: t.Any = ADD[kind.name](tenant, last_sync=timedelta(days=3), outcome="never")
    before = entity.last_sync
    act(graph, kind, entity)
    world.clock_offset = timedelta(hours=1)
    assert (len(entity.accepted), entity.last_sync) == (1, before)


@pytest.mark.parametrize(
    ("names", "read", "sync"),
    [
        (
            ("exchange_connector", "enrollment_program_token", "autopilot"),
            {f"{folder}.{how}.All" for folder in (SERVICE, CONFIGURATION) for how in ("Read", "ReadWrite")},
            {f"{SERVICE}.ReadWrite.All", f"{CONFIGURATION}.ReadWrite.All"},
        ),
        (
            ("vpp_token",),
            {f"{folder}.{how}.All" for folder in (SERVICE, CONFIGURATION, APPS) for how in ("Read", "ReadWrite")},
            {f"{SERVICE}.ReadWrite.All", f"{CONFIGURATION}.ReadWrite.All"},
        ),
        (
            ("managed_google_play",),
            {f"{folder}.{how}.All" for folder in (SERVICE, CONFIGURATION) for how in ("Read", "ReadWrite")},
            {f"{CONFIGURATION}.ReadWrite.All"},
        ),
        (
            ("managed_device",),
            {f"{DEVICES}.Read.All", f"{DEVICES}.ReadWrite.All"},
            {f"{DEVICES}.PrivilegedOperations.All"},
        ),
        (
            ("apple_push_certificate", "mobile_threat_defense_connector"),
            {f"{SERVICE}.Read.All", f"{SERVICE}.ReadWrite.All"},
            set(),
        ),
        (
            ("certificate_connector",),
            {f"{folder}.{how}.All" for folder in (SERVICE, CONFIGURATION) for how in ("Read", "ReadWrite")},
            set(),
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else None,
)
def test_roles(
    tenant: Tenant,
    graph: Graph,
    world: World,
    sim: Simulator,
    names: tuple[str, ...],
    read: set[str],
    sync: set[str],
) -> None:
    app = tenant.add_app()
    roles = {role for kind in RESOURCES for role in (*kind.read_roles, *kind.sync_roles)}
    assert len(roles) == 9
    for kind in (world.resources[name] for name in names):
        entity = ADD[kind.name](tenant)
        seen: tuple[set[str], set[str]] = (set(), set())
        for role in roles:
            app.roles = (role,)
            graph.token = world.issue_access_token(app, sim.graph_url)
            if graph.of(kind).list().status_code == 200:
                seen[0].add(role)
            # Two of them refuse one soon after another, with another status.
            if kind.action is not None and act(graph, kind, entity) != 403:
                seen[1].add(role)
        assert seen == (read, sync)


@for_each(RESOURCES)
def test_an_app_may_do_everything_if_nobody_says_otherwise(graph: Graph, tenant: Tenant, kind: Resource) -> None:
    entity = ADD[kind.name](tenant)
    assert graph.of(kind).list().ok
    assert kind.action is None or act(graph, kind, entity) < 300


@for_each(BODILESS)
@pytest.mark.parametrize(
    ("options", "accepted"),
    [
        ({}, True),
        ({"json": {}}, True),
        ({"json": {"syncType": "fullSync"}}, False),
        ({"data": "{}", "headers": {"Content-Type": "text/plain"}}, False),
        ({"data": iter(())}, False),
    ],
    ids=["nothing", "empty", "parameter", "text", "chunked"],
)
def test_body_and_framing(
    graph: Graph, tenant: Tenant, kind: Resource, options: dict[str, t.Any], accepted: bool
) -> None:
    entity = ADD[kind.name](tenant)
    assert (act(graph, kind, entity, **options) == 400) != accepted
    assert len(entity.accepted) == accepted


@for_each(RESOURCES)
def test_absent_and_none_at_all(graph: Graph, tenant: Tenant, kind: Resource) -> None:
    graph.of(kind)
    assert graph.list().status_code == (404 if kind.singleton else 200)
    entity = ADD[kind.name](tenant)
    for status in (501, 404):
        tenant.absent[kind.name] = status
        refused = graph.list()
        assert (refused.status_code, intune(refused)["_version"]) == (status, 3)
        assert kind.action is None or act(graph, kind, entity) == status
    assert entity.accepted == []


@for_each([kind for kind in RESOURCES if kind.action is None])
def test_nothing_can_be_asked_of_what_only_ages(graph: Graph, tenant: Tenant, kind: Resource, world: World) -> None:
    entity = ADD[kind.name](tenant)
    path = "" if kind.singleton else f"/{entity.id}"
    for action in ("", "/sync"):
        assert graph.of(kind).call("POST", f"{path}{action}").status_code in (400, 405)
    assert (entity.accepted, {request.where for request in world.requests}) == ([], {"other"})


def test_kinds_of_a_version_in_one_batch(graph: Graph, tenant: Tenant) -> None:
    for version in ("v1.0", "beta"):
        kinds = [kind for kind in BODILESS if kind.version == version]
        entities = [ADD[kind.name](tenant) for kind in kinds]
        items = [
            {
                "id": kind.name,
                "method": "POST",
                "url": "/".join(filter(None, (kind.path, id_of(kind, entity), kind.action))),
            }
            for kind, entity in zip(kinds, entities)
        ]
        answers = graph.batch(version, *items)
        assert list(answers) == [kind.name for kind in reversed(kinds)]
        assert [len(entity.accepted) for entity in entities] == [1] * len(kinds)


@for_each(RESOURCES)
def test_property_that_there_is_not(tenant: Tenant, kind: Resource) -> None:
    refusal = TypeError if kind.name == "autopilot" else ValueError
    with pytest.raises(refusal, match="dispalyName"):
        ADD[kind.name](tenant, dispalyName="x")


def test_secrets_are_in_the_answers(tenant: Tenant) -> None:
    told = {name for name, add in ADD.items() if "secret-of-" in str(add(tenant).as_json())}
    assert told == {"vpp_token", "managed_google_play", "managed_device", "apple_push_certificate"}
