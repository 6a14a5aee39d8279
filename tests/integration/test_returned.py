# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every module returns is what its RETURN says, down to the last key, and the other way round."""

from __future__ import annotations

import importlib
import json
import re
import typing as t
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from simulator import Fault, Simulator, World

from .conftest import INFO, SYNC, Site
from .test_fleet import OPTION, REPORT, Fleet
from .test_tenants import Fleet as TenantFleet
from .test_tenants import role as role_of_tenants

pytestmark = pytest.mark.slow

FLEET, OUTCOME = "graphops.intune.exchange_connector_fleet", "graphops.intune.exchange_connector_outcome"
# What the result of any task may have: Ansible's own pages document it.
COMMON = {"changed", "failed", "msg", "skipped", "warnings", "deprecations", "exception", "invocation"}
TYPES: dict[str, type] = {"str": str, "int": int, "bool": bool, "list": list, "dict": dict, "raw": object}

Documented = dict[str, dict[str, t.Any]]


def documented(module: str) -> Documented:
    """RETURN of a module; where one value says that it is as another one, it has what that one contains."""
    text = importlib.import_module(f"ansible_collections.graphops.intune.plugins.modules.{module.rsplit('.', 1)[-1]}")
    found: Documented = yaml.safe_load(text.RETURN)

    def complete(values: Documented) -> None:
        for value in values.values():
            likeness = re.search(r"\b[Aa]s (?:in )?RV\(([\w.]+)\)", str(value["description"]))
            if likeness and value["type"] in ("dict", "list"):
                other: t.Any = {"contains": found}
                for name in likeness[1].split("."):
                    other = other["contains"][name]
                value["contains"] = other["contains"]
            complete(value.get("contains", {}))

    complete(found)
    return found


def differences(real: t.Mapping[str, t.Any], said: Documented, seen: set[str], place: str = "") -> t.Iterator[str]:
    """Where a mapping is not what ``said`` says of it.

    A name in angle brackets stands for any. What has no ``returned`` of its own is always there.

    :param seen: gets the places of all that was found.
    """
    any_name = next((name for name in said if name.startswith("<")), None)
    for name, value in real.items():
        known = name if name in said else any_name
        if known is None:
            if place or not (name in COMMON or name.startswith("_")):
                yield f"{place}{name} is not documented"
            continue
        about, inner = said[known], f"{place}{known}."
        seen.add(inner)
        if value is None:
            if "V(null)" not in str(about["description"]):
                yield f"{inner} is null"
            continue
        if not isinstance(value, TYPES[about["type"]]) or (about["type"] == "int" and isinstance(value, bool)):
            yield f"{inner} is {value!r}"
            continue
        for item in value if isinstance(value, list) else [value]:
            if about.get("elements") and not isinstance(item, TYPES[about["elements"]]):
                yield f"{inner} has {item!r}"
            if isinstance(item, dict) and "contains" in about:
                yield from differences(item, about["contains"], seen, inner)
    for name, about in said.items():
        if name not in real and name != any_name and _is_due(about, real, top=not place):
            yield f"{place}{name} is missing"


def _is_due(about: t.Mapping[str, t.Any], real: t.Mapping[str, t.Any], *, top: bool) -> bool:
    """Whether a value has to be there."""
    returned = about.get("returned", "" if top else "always")
    # Ansible takes "failed" out of what a callback gets. A module has a message if it failed, a host always has one.
    failed = "msg" in real and "outcome" not in real
    nothing = real.get("by_host") or "refused" in real
    return (
        returned == "always"
        or (returned == "success" and not failed)
        or (returned == "unless RV(by_host) or RV(refused)" and not nothing)
    )


def places(said: Documented, place: str = "") -> t.Iterator[str]:
    """All that is documented, down to the last key."""
    for name, about in said.items():
        yield f"{place}{name}."
        yield from places(about.get("contains", {}), f"{place}{name}.")


def told_by(module: str, results: t.Iterable[t.Mapping[str, t.Any]]) -> None:
    """Hold RETURN of a module, and its samples, against real results, which together show all there is."""
    said, seen = documented(module), set[str]()
    wrong = [line for result in results for line in differences(result, said, seen)]
    assert not wrong, f"{module}: " + "; ".join(dict.fromkeys(wrong))
    assert set(places(said)) == seen, f"{module} documents what it did not return"
    for name, about in said.items():
        wrong = list(differences({name: about["sample"]}, {name: about}, set()))
        assert not wrong, f"the sample of {module}: " + "; ".join(wrong)


def test_the_modules_return_what_they_document(site: Site) -> None:
    second, lost, resting = (site.tenant.add_connector(last_sync=timedelta(days=1)) for _number in range(3))
    resting.status, nobody = "disconnected", "00000000-0000-4000-8000-000000000000"
    site.world.faults.add(Fault("sync", cut="before", object_id=lost.id, times=None))
    sync: list[dict[str, t.Any]] = [
        {"check_mode": True, SYNC: site.options()},
        {SYNC: site.options()},
        {SYNC: site.options()},
        {SYNC: site.options(connector_id=second.id, wait=False)},
        {SYNC: site.options(connector_id=lost.id, retry_timeout=3, wait_timeout=2)},
        {SYNC: site.options(connector_id=nobody)},
        {SYNC: site.options(connector_id=resting.id)},
        {SYNC: site.options(connector_id="no-guid")},
        {SYNC: site.options(secret="wrong")},
        {SYNC: site.options(connector_id=None, connector_ids=[site.connector.id, resting.id, nobody])},
        {SYNC: site.options(connector_id=None, all=True, secret="wrong")},
        {SYNC: site.options(connector_id=None, all=True, status=["connected"], wait=False, retry_timeout=3)},
    ]
    plain = {"connector_id": None, "wait_sleep": None}
    info = [{INFO: site.options(**plain)}, {INFO: site.options(**plain, secret="wrong")}]
    run = site.play([{**task, "ignore_errors": True} for task in (*sync, *info)])
    assert run.code == 0, run.output
    assert len(run.results) == len(sync) + len(info)
    told_by(SYNC, run.results[: len(sync)])
    told_by(INFO, run.results[len(sync) :])


def test_the_modules_of_the_newer_kinds_return_what_they_document(site: Site) -> None:
    day, nobody = timedelta(days=1), "00000000-0000-4000-8000-000000000000"
    vpp, enrollment = site.tenant.add_vpp_token(last_sync=day), site.tenant.add_enrollment_program_token(last_sync=day)
    site.tenant.add_autopilot(last_sync=day)
    site.tenant.add_managed_google_play(last_sync=day)
    device = site.tenant.add_managed_device(last_sync=day, serial_number="1", user_principal_name="ada@contoso.example")
    site.world.faults.add(Fault("list", kind="certificate_connector", status=400, times=None))

    def of_many(name: str, option: str, known: str) -> list[dict[str, t.Any]]:
        module = f"graphops.intune.intune_{name}_sync"
        return [
            {module: site.options(connector_id=None, **{option: known})},
            # Again, for which enrolment tokens have to wait.
            {module: site.options(connector_id=None, **{option: known}, max_age=0, wait=False)},
            {module: site.options(connector_id=None, **{f"{option}s": [known, nobody]}, wait=False)},
            {module: site.options(connector_id=None, **{option: known}, secret="wrong")},
        ]

    def of_one(name: str) -> list[dict[str, t.Any]]:
        module = f"graphops.intune.intune_{name}_sync"
        plain = site.options(connector_id=None)
        return [
            {module: plain},
            {module: {**plain, "max_age": 0, "wait": False}},
            {module: {**plain, "secret": "wrong"}},
        ]

    overview = "graphops.intune.intune_connectors_and_tokens_info"
    looking = {"connector_id": None, "wait_sleep": None}
    devices = of_many("managed_device", "device_id", device.id)
    devices.append({**devices[0], "check_mode": True})
    tasks = [
        *of_many("vpp_token", "token_id", vpp.id),
        *of_many("enrollment_program_token", "token_id", enrollment.id),
        *of_one("autopilot"),
        *of_one("managed_google_play"),
        *devices,
        {
            "graphops.intune.intune_managed_device_sync": site.options(
                connector_id=None, all=True, force=True, return_all=True
            )
        },
        *({overview: site.options(**looking, **more)} for more in ({}, {"warn_days": 400}, {"secret": "wrong"})),
    ]
    run = site.play([{**task, "ignore_errors": True} for task in tasks])
    assert len(run.results) == len(tasks), run.output
    by_module: dict[str, list[dict[str, t.Any]]] = {}
    for task, result in zip(tasks, run.results):
        by_module.setdefault(next(name for name in task if "." in name), []).append(result)
    for module, results in by_module.items():
        told_by(module, results)


@pytest.fixture
def fleet(installed: Path, tmp_path: Path) -> t.Iterator[Fleet]:
    """Eight connectors of a tenant."""
    world = World()
    with Simulator(world) as simulator:
        fleet = Fleet(world, simulator, installed, tmp_path)
        fleet.add_tenant("contoso", 8)
        yield fleet


def test_the_parts_of_the_role_return_what_they_document(fleet: Fleet) -> None:
    fresh, resting, failed, requested, lost, foreign, left_out, _due = fleet.hosts
    for host in (fresh, resting):
        fleet.connector(host).last_sync = timedelta(minutes=1)
    for host in (resting, failed):
        fleet.connector(host).status = "disconnected"
    fleet.hosts[requested][OPTION + "wait"] = False
    # An identity of its own, so that no other connector shares its requests.
    fleet.hosts[lost] |= {OPTION + "retry_timeout": 3, OPTION + "wait_timeout": 2}
    lost_id = fleet.connector(lost).id
    fleet.simulator.world.faults.add(Fault("sync", cut="before", object_id=lost_id, times=None))
    fleet.hosts[foreign][OPTION + "connector_id"] = "00000000-0000-4000-8000-000000000000"
    report = fleet.run(REPORT)
    run = fleet.play(when=f"inventory_hostname != '{left_out}'", validate=False)
    few = {"ansible.builtin.include_role": {"name": "graphops.intune.exchange_connector_sync"}}
    tasks = [{**few, "vars": {OPTION + "max_failures": "many"}}]
    (fleet.folder / "refused.yml").write_text(json.dumps([{"hosts": fresh, "gather_facts": False, "tasks": tasks}]))
    refused = fleet.run("refused.yml")
    results = [*report.results, *run.results, *refused.results]

    told_by(FLEET, [result for result in results if "by_host" in result])
    told_by(OUTCOME, [result for result in results if "outcome" in result])


@pytest.fixture
def tenants(installed: Path, tmp_path: Path) -> t.Iterator[TenantFleet]:
    """Seven tenants, of which other things become."""
    with Simulator(World()) as simulator:
        fleet = TenantFleet(simulator.world, simulator, installed, tmp_path)
        for name in ("due", "lost", "left_out", "forbidden", "consent", "old", "none"):
            fleet.add_tenant(name, consent=name != "consent")
        yield fleet


def test_the_parts_of_the_role_for_tenants_return_what_they_document(tenants: TenantFleet) -> None:
    world, hosts = tenants.world, tenants.hosts
    hosts["lost"] |= {"tenant_sync_retry_timeout": 3, "tenant_sync_wait_timeout": 2}
    lost = next(iter(tenants.tenants["lost"].vpp_tokens.values()))
    world.faults.add(Fault("sync", cut="before", object_id=lost.id, times=None))
    world.faults.add(Fault("get", kind="autopilot", tenant_id=tenants.tenants["forbidden"].id, status=403, times=None))
    tenants.tenants["old"].add_vpp_token(state="expired", expires=timedelta(days=-2))
    tenants.tenants["old"].add_vpp_token(expires=timedelta(days=2, hours=1))
    tenants.tenants["old"].add_vpp_token(last_sync=timedelta(days=2), outcome="fails")
    hosts["none"]["tenant_sync_kinds"] = ["managed_google_play"]
    # So that there is something of every list.
    hosts["nowait"] = {**hosts["due"], "tenant_sync_tenant": tenants.add_tenant("x").domain, "tenant_sync_wait": False}
    del hosts["x"]
    report = tenants.run("graphops.intune.tenant_report")
    run = tenants.play(role_of_tenants(when="inventory_hostname != 'left_out'"))
    refused = tenants.play(role_of_tenants("include_role", vars={"tenant_sync_max_failures": "many"}), hosts="due")
    results = [*report.results, *run.results, *refused.results]
    told_by("graphops.intune.tenant_fleet", [result for result in results if "by_host" in result])
    told_by("graphops.intune.tenant_outcome", [result for result in results if "connectors_and_tokens" in result])
