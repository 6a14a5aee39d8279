# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Playbooks against the simulator: the collection is built and installed as users do, then ansible-playbook runs."""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import json
import os
import subprocess
import sys
import typing as t
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from simulator import App, Connector, Fault, Request, Simulator, Tenant, World

ROOT = Path(__file__).resolve().parents[2]
# Where Ansible's programs are: beside this Python, or with another ansible-core (tests/tools/matrix.py).
BIN = Path(os.environ.get("GRAPHOPS_TEST_BIN") or Path(sys.executable).parent)
SYNC = "graphops.intune.intune_exchange_connector_sync"
INFO = "graphops.intune.intune_exchange_connector_info"

# By itself the suite runs in the controller's own process. Set to anything, this has every task sent as a module.
AS_MODULE = bool(os.environ.get("GRAPHOPS_TEST_AS_MODULE"))
SEND_THE_MODULE = ("--extra-vars", "graphops_intune_in_process=false")

# Whatever the developer's shell or pipeline knows of Azure, proxies or Ansible would change the tests; and with the
# collection on the PYTHONPATH, ansible-galaxy would not install it.
FOREIGN = (
    *("AZURE", "MSGRAPH_", "IDENTITY_", "MSI_"),
    *("ACTIONS_ID_TOKEN_", "GITHUB_ACTIONS", "SYSTEM_", "TF_BUILD"),
    *("ANSIBLE_", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PYTHONPATH"),
)


@contextlib.contextmanager
def once(tmp_path_factory: pytest.TempPathFactory, name: str) -> t.Iterator[Path]:
    """A folder that all workers of pytest-xdist share. While one fills it, others wait; they find it full."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of collections with ours in it, built and installed from this checkout."""
    with once(tmp_path_factory, "collections") as folder:
        if not (folder / "ansible_collections").exists():
            install(folder)
    return folder


def install(folder: Path) -> None:
    """Build the collection and install it there."""
    galaxy = [str(BIN / "ansible-galaxy"), "collection"]
    environment = clean_environment(folder)
    build = [*galaxy, "build", "--output-path", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True, env=environment)
    (package,) = folder.glob("graphops-intune-*.tar.gz")
    unpack = [*galaxy, "install", "--offline", "-p", str(folder), str(package)]
    subprocess.run(unpack, check=True, capture_output=True, env=environment)


def clean_environment(collections: Path, **extra: str) -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    environment |= {
        "PATH": f"{BIN}{os.pathsep}{environment['PATH']}",
        # One for each worker of pytest-xdist, which share the collections.
        "ANSIBLE_HOME": str(collections / f"ansible-home-{os.environ.get('PYTEST_XDIST_WORKER')}"),
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
    failed: list[bool]
    """Whether each was a failure."""

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
    results, hosts, failed = ([line[what] for line in lines] for what in ("result", "host", "failed"))
    return Run(done.returncode, done.stdout, results, hosts, failed)


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


def add_site(simulator: Simulator, domain: str, collections: Path, folder: Path) -> Site:
    """Add a tenant with a connector that is due: connected, and last synchronised three days ago."""
    tenant = simulator.world.add_tenant(domain)
    app = tenant.add_app(secret="the-app's-secret-Aa0~.")
    connector = tenant.add_connector(last_sync=timedelta(days=3))
    return Site(simulator.world, simulator, tenant, app, connector, collections, folder)


@pytest.fixture
def site(installed: Path, tmp_path: Path) -> t.Iterator[Site]:
    """A connector that is due."""
    with Simulator(World()) as simulator:
        yield add_site(simulator, "contoso.example", installed, tmp_path)


@dataclass
class Case:
    """One of the cases that are tried in one run: a site of its own, what was ordered there, and what came of it."""

    site: Site
    changes: dict[str, t.Any]
    run: Run = field(init=False)

    @property
    def connector(self) -> Connector:
        """The connector of the site."""
        return self.site.connector

    @property
    def struck(self) -> list[Request]:
        """The requests that a fault has struck."""
        return [request for request in self.requests() if request.fault]

    def requests(self, where: str | None = None, host: str | None = None) -> list[Request]:
        """The requests for the tenant, all or those of one kind or to one host."""
        return [
            request
            for request in self.site.world.requests
            if request.tenant_id == self.site.tenant.id
            and where in (None, request.where)
            and host in (None, request.host)
        ]


class Cases:
    """Cases of one kind: instead of a run for each, which takes longer than all else, a run of many hosts."""

    def __init__(self, simulator: Simulator, collections: Path, folder: Path) -> None:
        self._place = (simulator, collections, folder)
        self._cases: list[Case] = []

    def add(self, *faults: Fault, **changes: t.Any) -> Case:
        """Add a case: a site, with faults that strike there alone, and changes to the options."""
        simulator, collections, folder = self._place
        site = add_site(simulator, f"contoso{len(self._cases)}.example", collections, folder)
        for fault in faults:
            site.world.faults.add(replace(fault, tenant_id=site.tenant.id))
        self._cases.append(Case(site, changes))
        return self._cases[-1]

    def sync(self, *arguments: str, environment: t.Mapping[str, str] | None = None) -> Run:
        """Run the sync module for all of them, a few at a time; each case gets its part of what came of it."""
        given = [case.site.options(**case.changes) for case in self._cases]
        options = {name: f"{{{{ given.{name} | default(omit) }}}}" for name in dict.fromkeys(itertools.chain(*given))}
        python = {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
        hosts = {f"case{number}": {"given": each, **python} for number, each in enumerate(given)}
        folder = self._cases[0].site.folder
        (folder / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts}}))
        run = self._cases[0].site.play(
            [{SYNC: options}],
            *("-i", str(folder / "hosts.json"), "--forks", "8", *arguments),
            environment=environment,
            hosts="all",
            connection="local",
        )
        ended = dict(zip(run.hosts, zip(run.results, run.failed)))
        for host, case in zip(hosts, self._cases):
            result, failed = ended[host]
            case.run = Run(2 if failed else 0, run.output, [result], [host], [failed])
        return run


@pytest.fixture
def cases(installed: Path, tmp_path: Path) -> t.Iterator[Cases]:
    """Where cases may be added."""
    with Simulator(World()) as simulator:
        yield Cases(simulator, installed, tmp_path)
