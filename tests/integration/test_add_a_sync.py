# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page "Add a sync in two files", followed: a made-up kind from its two files to what users see."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import typing as t
from datetime import datetime, timezone
from pathlib import Path

import pytest
from simulator import App, Fault, Request, Simulator, Tenant, World
from simulator.entity import Entity, graph_time
from simulator.resources import Resource

from .conftest import BIN, ROOT, SEND_THE_MODULE, Run, ansible_playbook, clean_environment

pytestmark = pytest.mark.slow

PAGE = (ROOT / "docs" / "add_a_sync.md").read_text(encoding="utf-8")
NAMES = ("plugins/module_utils/_kinds/example_connector.py", "plugins/modules/intune_example_connector_sync.py")
MODULE = "graphops.intune.intune_example_connector_sync"
OVERVIEW = "graphops.intune.intune_connectors_and_tokens_info"
SECRET = "example-secret-5bd1"
RESOURCE = Resource(
    "example_connector",
    "beta",
    "deviceManagement/exampleConnectors",
    "synchronize",
    read_roles=("DeviceManagementConfiguration.Read.All", "DeviceManagementConfiguration.ReadWrite.All"),
    sync_roles=("DeviceManagementConfiguration.ReadWrite.All",),
)


def written(folder: Path) -> Path:
    """A copy of what git has of this collection, with the two files of the page in it."""
    copy = folder / "ansible_collections" / "graphops" / "intune"
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    for name in filter(None, listing.stdout.split("\0")):
        if (ROOT / name).exists():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == len(NAMES)
    for name, block in zip(NAMES, blocks):
        assert f"`{name}`" in PAGE
        (copy / name).write_text(block, encoding="utf-8")
    return copy


def generate(copy: Path) -> str:
    """What ``make generate`` says of it."""
    done = subprocess.run(
        [sys.executable, "tests/tools/generate.py"],
        cwd=copy,
        env=clean_environment(copy.parents[2], PYTHONPATH=str(copy.parents[2])),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


class Example(t.NamedTuple):
    """The simulated tenant with its objects, and where Ansible runs."""

    simulator: Simulator
    tenant: Tenant
    app: App
    objects: list[Entity]
    collections: Path
    folder: Path

    def sync(self, *arguments: str, **options: t.Any) -> Run:
        """Run the module once."""
        return self.play([options], *arguments)

    def play(self, calls: t.Sequence[dict[str, t.Any]], *arguments: str, module: str = MODULE) -> Run:
        """Run a module with these options, one after the other; ``check_mode`` is the task's."""
        options = {
            "tenant": self.tenant.domain,
            "client_id": self.app.client_id,
            "secret": self.app.secret,
            "graph_url": self.simulator.graph_url,
            "authority_url": self.simulator.authority_url,
            "ca_path": self.simulator.ca_path,
            **({"wait_sleep": 1} if module == MODULE else {}),
        }
        tasks = [
            {
                module: {**options, **{name: value for name, value in call.items() if name != "check_mode"}},
                "check_mode": call.get("check_mode", False),
            }
            for call in calls
        ]
        play = [{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]
        path = self.folder / "playbook.yml"
        path.write_text(json.dumps(play))
        run = ansible_playbook(*arguments, str(path), site=self, environment={})
        assert SECRET not in run.output + str(run.results)
        return run

    def accepted(self) -> list[int]:
        """How many syncs of each were accepted, which is then forgotten, with what came of them."""
        found = [len(one.accepted) for one in self.objects]
        for one in self.objects:
            one.accepted.clear()
            one.properties.update(STALE)
        return found


STALE = {"syncStatus": "resting", "lastSuccessDateTime": "2026-01-01T00:00:00Z", "lastTriggerDateTime": None}


@pytest.fixture(scope="module")
def collections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("add_a_sync")
    told = generate(written(folder))
    for name in ("registry.py", "action/intune_example_connector_sync.py", "meta/runtime.yml", "README.md"):
        assert name in told
    return folder


@pytest.fixture
def example(collections: Path, tmp_path: Path) -> t.Iterator[Example]:
    world = World()
    world.add_resource(RESOURCE)

    def done(one: Entity) -> None:
        now = datetime.now(timezone.utc)
        one.properties.update(lastSuccessDateTime=graph_time(now), lastTriggerDateTime=graph_time(now))

    with Simulator(world) as simulator:
        tenant = world.add_tenant("contoso.example")
        app = tenant.add_app(secret="the-app's-secret-Aa0~.", roles=RESOURCE.sync_roles)
        objects = [
            tenant.add_object(
                RESOURCE.name, on_accept=done, displayName=f"Example {name}", enabled=True, key=SECRET, **STALE
            )
            for name in "ABC"
        ]
        yield Example(simulator, tenant, app, objects, collections, tmp_path)


@pytest.mark.parametrize("way", [(), SEND_THE_MODULE], ids=["in process", "sent"])
def test_one_many_and_all(example: Example, way: tuple[str, ...]) -> None:
    first, second, _third = (one.id for one in example.objects)
    run = example.play(
        [
            {"connector_id": first},
            {"connector_id": first},
            {"connector_id": first, "force": True, "wait": False},
            {"all": True, "display_name": "example b", "check_mode": True},
        ],
        *way,
    )
    assert run.code == 0, run.output
    done, again, soon, chosen = run.results
    assert (done["changed"], done["sync"]["state"]) == (True, "completed")
    assert done["example_connector"]["display_name"] == "Example A"
    assert set(done["example_connector"]) == {
        "id",
        "display_name",
        "enabled",
        "sync_status",
        "last_success_date_time",
        "last_trigger_date_time",
    }
    assert (again["changed"], again["sync"]["state"]) == (False, "fresh")
    assert (soon["changed"], soon["sync"]["state"]) == (False, "too_soon")
    assert soon["sync"]["next_possible_at"]
    assert [entry["sync"]["state"] for entry in chosen["example_connectors"]] == ["predicted"]
    assert example.accepted() == [1, 0, 0]

    before_the_list: list[list[int]] = []

    def forget(_request: Request) -> bool:
        before_the_list.append(example.accepted())
        return False

    example.simulator.world.faults.add(Fault("list", only_if=forget))
    run = example.play([{"connector_ids": [first, second]}, {"all": True}], *way)
    assert run.code == 0, run.output
    many, every = (result["example_connectors"] for result in run.results)
    assert [entry["sync"]["state"] for entry in many] == ["completed"] * 2
    assert before_the_list == [[1, 1, 0]]
    assert [entry["connector_id"] for entry in every] == [one.id for one in example.objects]
    assert example.accepted() == [1, 1, 1]
    versions = {request.path.split("/")[1] for request in example.simulator.world.requests if request.host == "graph"}
    assert versions == {"beta"}, "each version has batches of its own"


def test_what_cannot_be_synchronised_and_who_may_not(example: Example) -> None:
    one = example.objects[0]
    one.properties["enabled"] = False
    run = example.sync(connector_id=one.id)
    assert run.result["msg"] == (
        f"example connector {one.id} in tenant contoso.example: it is not enabled, so no synchronisation was requested;"
        " enable it in Intune's admin centre."
    )
    example.app.roles = ("DeviceManagementConfiguration.Read.All",)
    one.properties["enabled"] = True
    run = example.sync(connector_id=one.id)
    assert "DeviceManagementConfiguration.ReadWrite.All" in run.result["msg"]
    assert example.accepted() == [0, 0, 0]


def test_the_look_at_all_connectors_and_tokens_has_it(example: Example) -> None:
    example.objects[1].properties["enabled"] = False
    example.tenant.page_size = 1
    run = example.play([{"kinds": ["example_connector"]}], module=OVERVIEW)
    assert run.code == 0, run.output
    told = [(entry["kind"], entry["name"], entry["problem"]) for entry in run.result["connectors_and_tokens"]]
    assert told == [
        ("example_connector", "Example B", "it is not enabled: enable it in Intune's admin centre"),
        ("example_connector", "Example A", None),
        ("example_connector", "Example C", None),
    ]


# What teaches the simulator the kind, and the line for the tests that try all of them.
TAUGHT = """
import simulator.resources, simulator.world

example = simulator.resources.Resource(
    "example_connector", "beta", "deviceManagement/exampleConnectors", "synchronize"
)
for module in (simulator.resources, simulator.world):
    module.RESOURCES += (example,)

import simulated

assert "example_connector" in simulated.SYNCABLE

def add(tenant, **_how):
    shown = {"displayName": "A", "enabled": True, "syncStatus": "resting", "key": "x"}
    return tenant.add_object("example_connector", **shown, lastSuccessDateTime=None, lastTriggerDateTime=None)

simulated.SIMULATED["example_connector"] = simulated.Simulated(add, (("obstacle", "enabled", False),))

from faults.cells import cells

print(sum(cell.kind.name == "example_connector" for cell in cells()))
"""


def test_the_matrix_of_faults_has_it(collections: Path) -> None:
    copy = collections / "ansible_collections" / "graphops" / "intune"
    done = subprocess.run(
        [sys.executable, "-c", TAUGHT],
        cwd=copy / "tests",
        env=clean_environment(collections, PYTHONPATH=f"{copy / 'tests'}:{collections}"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert int(done.stdout) > 5000


def test_the_rest_is_made(collections: Path) -> None:
    copy = collections / "ansible_collections" / "graphops" / "intune"
    name = MODULE.rpartition(".")[2]
    assert f"    - {name}\n" in (copy / "meta" / "runtime.yml").read_text(encoding="utf-8")
    row = rf"\| `{name}` \| `DeviceManagementConfiguration.ReadWrite.All` \| beta \| 3600 s \|"
    assert re.search(row, (copy / "README.md").read_text(encoding="utf-8"))
    assert f"``{name}``" in (copy / "docs" / "docsite" / "rst" / "permissions.rst").read_text(encoding="utf-8")
    assert generate(copy) == "", "nothing is left to do"
    shown = subprocess.run(
        [str(BIN / "ansible-doc"), MODULE],
        env=clean_environment(collections),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    assert "wait_timeout" in shown
