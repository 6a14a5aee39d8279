# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was written for 1.0.0 runs unchanged: the examples, playbooks and inventories in tests/releases/1.0.0/.

What they are is that release's documentation, as it was. tests/contract/test_releases.py compares what both offer.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import typing as t
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from awx_api import Controller
from awx_api import World as AwxWorld
from awx_api.collection import awx_collections
from simulator import Simulator, World

from .conftest import BIN, INFO, ROOT, SYNC, Run, Site, add_site, ansible_playbook, clean_environment
from .test_identity import Certificate
from .test_returned import TYPES

pytestmark = pytest.mark.slow

RELEASE = ROOT / "tests" / "releases" / "1.0.0"
PROMISES: dict[str, t.Any] = json.loads((RELEASE / "promises.json").read_text(encoding="utf-8"))
CONNECTOR: dict[str, t.Any] = PROMISES["plugins"][f"module {INFO}"]["return"]["connectors"]["contains"]
APP, SECRET = "6a1e0c1c-0d6f-4c8a-9d0a-3f5b1f2c7a10", "s3"
# The connector of the examples, one that is disconnected, and one of the other tenant.
EXAMPLE = "e11c1de8-1de8-e11c-e81d-1ce1e81d1ce1"
RESTING = "2e1f1c00-1de8-e11c-e81d-1ce1e81d1ce1"
OTHER = "3e1f1c00-1de8-e11c-e81d-1ce1e81d1ce1"


@pytest.fixture
def site(installed: Path, tmp_path: Path) -> t.Iterator[Site]:
    """The two tenants, the app and the connectors that the documentation of 1.0.0 speaks of."""
    own = Certificate()
    (tmp_path / "app.pem").write_bytes(own.key_pem() + own.pem)
    with Simulator(World()) as simulator:
        site = add_site(simulator, "contoso.example", installed, tmp_path)
        site.tenant.connectors.clear()
        site.app = site.tenant.add_app(APP, secret=SECRET, certificate=own.pem.decode())
        site.world.managed_identity = site.app
        other = site.world.add_tenant("fabrikam.example")
        other.add_app(APP, secret=SECRET)
        day = timedelta(days=1)
        site.tenant.add_connector(EXAMPLE, serverName="EX01", exchangeOrganization="Contoso", last_sync=day)
        site.tenant.add_connector(RESTING, serverName="EX02", status="disconnected", last_sync=day)
        other.add_connector(OTHER, serverName="EX01", last_sync=day)
        yield site


def environment(site: Site) -> dict[str, str]:
    """What a user of 1.0.0 exported, and what leads to the simulator."""
    return {
        "INTUNE_SECRET": SECRET,
        "AZURE_TENANT": site.tenant.domain,
        "AZURE_CLIENT_ID": APP,
        "AZURE_SECRET": SECRET,
        "IDENTITY_ENDPOINT": site.simulator.managed_identity_url,
        "IDENTITY_HEADER": site.world.identity_header,
        "REQUESTS_CA_BUNDLE": site.simulator.ca_path,
        "HOME": str(site.folder),
        **site.hosts,
    }


def play(site: Site, playbook: Path, *arguments: str) -> Run:
    return ansible_playbook(*arguments, str(playbook), site=site, environment=environment(site))


def tasks(site: Site, name: str) -> list[dict[str, t.Any]]:
    """The tasks of a file; but for the path of the certificate, they are as they were."""
    text = (RELEASE / name).read_text(encoding="utf-8").replace("/etc/pki/intune/app.pem", str(site.folder / "app.pem"))
    found: list[dict[str, t.Any]] = yaml.safe_load(text)
    for task in found:
        # The host's own identity is the system-assigned one.
        if task.get(SYNC, {}).get("auth_source") == "msi":
            task["environment"] = {"AZURE_CLIENT_ID": ""}
    return found


def kept(module: str, results: t.Sequence[t.Mapping[str, t.Any]], *, but: t.Collection[str] = ()) -> None:
    """Hold that all values which 1.0.0 documented are in these results together, and of their types.

    :param but: those that only failures of another kind have.
    """
    seen: set[str] = set()

    def look(real: t.Mapping[str, t.Any], said: t.Mapping[str, t.Any], place: str) -> None:
        for name, about in said.items():
            if real.get(name) is None:
                continue
            value = real[name]
            assert isinstance(value, TYPES[about["type"]]), f"{place}{name} is {value!r}"
            seen.add(f"{place}{name}")
            for item in value if isinstance(value, list) else [value]:
                if "contains" in about:
                    look(item, about["contains"], f"{place}{name}.")

    def places(said: t.Mapping[str, t.Any], place: str = "") -> t.Iterator[str]:
        for name, about in said.items():
            yield f"{place}{name}"
            yield from places(about.get("contains", {}), f"{place}{name}.")

    said = PROMISES["plugins"][f"module {module}"]["return"]
    for result in results:
        look(result, said, "")
    assert set(places(said)) - seen == set(but)


def test_the_examples_of_the_modules_run(site: Site) -> None:
    """And return all that they returned, also where one fails."""
    sync, info = tasks(site, "examples_sync.yml"), tasks(site, "examples_info.yml")
    nobody = {"connector_id": "00000000-0000-4000-8000-000000000000"}
    failing = [
        {SYNC: nobody, "ignore_errors": True},
        {SYNC: {"connector_ids": [EXAMPLE, nobody["connector_id"]]}, "ignore_errors": True},
        {INFO: {"secret": "wrong"}, "ignore_errors": True},
    ]
    plays = [
        {"hosts": "localhost", "gather_facts": False, "tasks": [*sync, *info, *failing]},
        {"import_playbook": str(RELEASE / "readme_play.yml")},
    ]
    (site.folder / "all.yml").write_text(yaml.safe_dump(plays), encoding="utf-8")
    run = play(site, site.folder / "all.yml", "-e", f"intune_secret={SECRET}")
    assert run.code == 0, run.output
    assert run.failed.count(True) == 3
    kept(SYNC, [result for result in run.results if "sync" in result or ("connectors" in result and "msg" in result)])
    kept(INFO, [result for result in run.results if "connectors" in result and "msg" not in result], but={"request_id"})
    assert "request_id" in run.results[len(sync) + len(info) + 2]
    states = [result["sync"]["state"] for result in run.results if "sync" in result]
    assert set(states) == {"fresh", "completed", "requested"}


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_the_examples_of_the_inventory_list_the_same_hosts(site: Site, number: int) -> None:
    """By the names and with the variables that they had."""
    done = subprocess.run(
        [str(BIN / "ansible-inventory"), "--list", "-i", str(RELEASE / f"example_{number}.exchange_connectors.yml")],
        env=clean_environment(site.collections, **environment(site)),
        stdout=subprocess.PIPE,
        check=True,
    )
    hosts = json.loads(done.stdout)["_meta"]["hostvars"]
    assert (
        set(hosts)
        == {
            1: {"EX01-e11c1de8", "EX02-2e1f1c00"},
            2: {"EX01-e11c1de8", "EX02-2e1f1c00", "EX01-3e1f1c00"},
            3: {"EX01-e11c1de8", "EX01-3e1f1c00"},
            4: {EXAMPLE, RESTING},
        }[number]
    )
    for variables in hosts.values():
        assert {"exchange_connector", "exchange_connector_sync_connector_id"} <= set(variables)
        assert set(variables["exchange_connector"]) >= set(CONNECTOR)


def test_the_playbooks_run_over_the_fleet_of_the_readme(site: Site) -> None:
    """The first one with its own text and one connector that is disconnected, the second one as the guide has it."""
    fleet = ("-i", str(RELEASE / "fleet.exchange_connectors.yml"))
    table = f"exchange_connector_sync_report_path={site.folder / 'report.csv'}"
    first = play(site, RELEASE / "sync_exchange_connectors.yml", *fleet, "-e", table)
    assert first.code == 2, first.output
    outcomes = {host: result for host, result in zip(first.hosts, first.results) if "outcome" in result}
    assert {host: result["outcome"] for host, result in outcomes.items()} == {
        "EX01-3e1f1c00": "synchronised",
        "EX01-e11c1de8": "synchronised",
        "EX02-2e1f1c00": "failed",
    }
    kept("graphops.intune.exchange_connector_outcome", list(outcomes.values()))
    kept("graphops.intune.exchange_connector_fleet", [result for result in first.results if "summary" in result])
    artifact = yaml.safe_load((RELEASE / "artifact.yml").read_text(encoding="utf-8"))["exchange_connector_sync"]
    (summary,) = (result["summary"] for result in first.results if "summary" in result)
    assert set(artifact) <= set(summary)
    for name in ("outcomes", "more"):
        assert set(artifact[name]) <= set(summary[name])
    assert set(artifact["failed"][0]) <= set(summary["failed"][0])
    with (site.folder / "report.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header[: len(PROMISES["columns"])] == PROMISES["columns"]
    assert len(rows) == 3

    document = f"exchange_connector_sync_report_path={site.folder / 'report.json'}"
    limit = ("--limit", "EX01-*")
    second = play(site, RELEASE / "guide_play.yml", *fleet, *limit, "-e", document)
    assert second.code == 0, second.output
    written = json.loads((site.folder / "report.json").read_text(encoding="utf-8"))
    assert [one["outcome"] for one in written["connectors"]] == ["fresh", "fresh"]
    assert list(written["connectors"][0])[: len(PROMISES["columns"])] == PROMISES["columns"]
    assert set(artifact) <= set(written["summary"])


def test_the_report_runs_as_the_project_has_it(site: Site) -> None:
    """It requests nothing, and fails after a failed synchronisation if it is told to."""
    fleet = ("-i", str(RELEASE / "fleet.exchange_connectors.yml"), "--limit", "EX01-*,localhost")
    told = json.dumps({"connectors_report_fails": True, "exchange_connector_sync": {"failed": [{"host": "EX09"}]}})
    run = play(site, RELEASE / "project_report.yml", *fleet, "-e", told)
    assert run.code == 2, run.output
    assert [result["outcome"] for result in run.results if "outcome" in result] == ["predicted", "predicted"]
    assert "EX09" in str(run.results[-1])
    assert not site.requests("sync")


@pytest.mark.exhaustive
@pytest.mark.timeout(400)
def test_awx_is_set_up_by_the_variables_of_the_guide(site: Site) -> None:
    """All that they made is made, and a second run changes nothing."""
    world = AwxWorld(ROOT / "extensions" / "awx_project")
    with Controller(world) as controller:
        there = {
            "ANSIBLE_COLLECTIONS_PATH": f"{site.collections}{os.pathsep}{awx_collections()}",
            "CONTROLLER_HOST": controller.url,
            "CONTROLLER_USERNAME": world.username,
            "CONTROLLER_PASSWORD": world.password,
        }
        given = ("-e", f"@{RELEASE / 'awx.yml'}", "-e", f"vault_intune_secret={SECRET}")
        runs = [
            ansible_playbook(*given, str(RELEASE / "awx_setup.yml"), site=site, environment=there) for _run in range(2)
        ]
    made = {thing.values.get("name") for thing in world.things}
    assert [run.code for run in runs] == [0, 0], runs[0].output
    assert {"Messaging", "Exchange connectors of Intune", "Synchronise Exchange connectors, delta"} <= made
    assert "changed=0" in runs[1].output
