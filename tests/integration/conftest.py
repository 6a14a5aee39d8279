# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Playbooks against the simulator: the collection is built and installed as users do, then ansible-playbook runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from simulator import App, Connector, Request, Simulator, Tenant, World

ROOT = Path(__file__).resolve().parents[2]
# Where Ansible's programs are: beside this Python, or with another ansible-core (tests/tools/matrix.py).
BIN = Path(os.environ.get("GRAPHOPS_TEST_BIN") or Path(sys.executable).parent)
SYNC = "graphops.intune.intune_exchange_connector_sync"
INFO = "graphops.intune.intune_exchange_connector_info"

# By itself the suite runs in the controller's own process. Set to anything, this has every task sent as a module.
AS_MODULE = bool(os.environ.get("GRAPHOPS_TEST_AS_MODULE"))
SEND_THE_MODULE = ("--extra-vars", "graphops_intune_in_process=false")

# Whatever the developer's shell knows of Azure, proxies or Ansible would change the tests; and with the collection on
# the PYTHONPATH, ansible-galaxy would not install it.
FOREIGN = ("AZURE_", "ANSIBLE_", "MSGRAPH_", "IDENTITY_", "MSI_", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PYTHONPATH")


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of collections with ours in it, built and installed from this checkout."""
    folder = tmp_path_factory.mktemp("collections")
    galaxy = [str(BIN / "ansible-galaxy"), "collection"]
    environment = clean_environment(folder)
    build = [*galaxy, "build", "--output-path", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True, env=environment)
    (package,) = folder.glob("graphops-intune-*.tar.gz")
    unpack = [*galaxy, "install", "--offline", "-p", str(folder), str(package)]
    subprocess.run(unpack, check=True, capture_output=True, env=environment)
    return folder


def clean_environment(collections: Path, **extra: str) -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    environment |= {
        "PATH": f"{BIN}{os.pathsep}{environment['PATH']}",
        "ANSIBLE_HOME": str(collections / "ansible-home"),
        "ANSIBLE_COLLECTIONS_PATH": str(collections),
        "ANSIBLE_LOCALHOST_WARNING": "False",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "False",
        "ANSIBLE_DEVEL_WARNING": "False",
        "ANSIBLE_NOCOLOR": "1",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "LC_ALL": "C.UTF-8",
    }
    return {**environment, **extra}


@dataclass
class Run:
    """What came of a playbook."""

    code: int
    output: str
    results: list[dict[str, t.Any]]
    hosts: list[str]
    """The host of each result."""

    @property
    def result(self) -> dict[str, t.Any]:
        """The result of the only task."""
        (result,) = self.results
        return result


class Place(t.Protocol):
    """Where ansible-playbook is run: with which collections, and in which folder."""

    collections: Path
    folder: Path


def ansible_playbook(*arguments: str, site: Place, environment: t.Mapping[str, str]) -> Run:
    """Run ansible-playbook, and look at what is true of every test here."""
    record = site.folder / "results"
    record.unlink(missing_ok=True)
    done = subprocess.run(
        [str(BIN / "ansible-playbook"), *arguments],
        env=clean_environment(
            site.collections,
            ANSIBLE_CALLBACKS_ENABLED="record",
            RECORD_RESULTS=str(record),
            **{"ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "tests" / "callbacks"), **environment},
        ),
        cwd=site.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=120,
        check=False,
        text=True,
    )
    assert "Traceback" not in done.stdout, done.stdout
    assert "DEPRECATION" not in done.stdout, done.stdout
    lines = [json.loads(line) for line in record.read_text().splitlines()] if record.exists() else []
    return Run(done.returncode, done.stdout, [line["result"] for line in lines], [line["host"] for line in lines])


@dataclass
class Site:
    """A tenant with one app and one connector at the simulator, and a way to run tasks against it."""

    world: World
    simulator: Simulator
    tenant: Tenant
    app: App
    connector: Connector
    collections: Path
    folder: Path

    def options(self, **changes: t.Any) -> dict[str, t.Any]:
        """The options of a plain synchronisation; a change to None leaves the option out."""
        options = {
            "tenant": self.tenant.domain,
            "client_id": self.app.client_id,
            "secret": self.app.secret,
            "connector_id": self.connector.id,
            "graph_url": self.simulator.graph_url,
            "authority_url": self.simulator.authority_url,
            "ca_path": self.simulator.ca_path,
            "wait_sleep": 1,
            **changes,
        }
        return {name: value for name, value in options.items() if value is not None}

    @property
    def hosts(self) -> dict[str, str]:
        """The variables that name the simulator to whoever has a credential from the environment."""
        return {"MSGRAPH_URL": self.simulator.graph_url, "AZURE_AUTHORITY_HOST": self.simulator.authority_url}

    def play(
        self,
        tasks: list[dict[str, t.Any]],
        *arguments: str,
        environment: t.Mapping[str, str] | None = None,
        **keywords: t.Any,
    ) -> Run:
        """Run tasks on localhost by ansible-playbook."""
        if AS_MODULE:
            arguments = (*SEND_THE_MODULE, *arguments)
        playbook = self.folder / "playbook.yml"
        playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks, **keywords}]))
        return ansible_playbook(*arguments, str(playbook), site=self, environment=environment or {})

    def sync(self, *arguments: str, environment: t.Mapping[str, str] | None = None, **changes: t.Any) -> Run:
        """Run the sync module once."""
        return self.play([{SYNC: self.options(**changes)}], *arguments, environment=environment)

    def info(self, *arguments: str, environment: t.Mapping[str, str] | None = None, **changes: t.Any) -> Run:
        """Run the info module once."""
        options = {"connector_id": None, "wait_sleep": None, **changes}
        return self.play([{INFO: self.options(**options)}], *arguments, environment=environment)

    def requests(self, where: str) -> list[Request]:
        """The requests of one kind so far."""
        return [request for request in self.world.requests if request.where == where]


@pytest.fixture
def site(installed: Path, tmp_path: Path) -> t.Iterator[Site]:
    """A connector that is due: connected, and last synchronised three days ago."""
    world = World()
    tenant = world.add_tenant("contoso.example")
    app = tenant.add_app(secret="the-app's-secret-Aa0~.")
    connector = tenant.add_connector(last_sync=timedelta(days=3))
    with Simulator(world) as simulator:
        yield Site(world, simulator, tenant, app, connector, installed, tmp_path)
