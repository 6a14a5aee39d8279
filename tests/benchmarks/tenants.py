# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tenants: the role over many, beside a script in threads that sends the same requests, and an action without work.

Called by ``run.py``, and as a program for the simulator, a process of its own, and for the script.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
import threading
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BIN = Path(sys.executable).parent
FOREIGN = ("AZURE_", "ANSIBLE_", "MSGRAPH_", "IDENTITY_", "MSI_")
# As many as the role has: tenants at the same time, and things of each.
THREADS, THINGS = 8, 8
LISTS = {
    "v1.0": ("/deviceAppManagement/vppTokens", "/deviceManagement/exchangeConnectors"),
    "beta": (
        "/deviceManagement/depOnboardingSettings",
        "/deviceManagement/windowsAutopilotSettings",
        "/deviceManagement/androidManagedStoreAccountEnterpriseSettings",
    ),
}


class Sample(t.NamedTuple):
    """What one run took: seconds, seconds of CPU, MiB at most, and requests by what they were for.

    :param memory: of the process that was started, without those that it forks.
    :param largest: of the largest of all.
    """

    wall: float
    cpu: float
    memory: float
    largest: float
    tokens: int
    batches: int
    accepted: int


def serve(count: int) -> None:
    """Serve tenants of eight things each that are due, until the input ends; say where, and then what was asked for."""
    sys.path.insert(0, str(ROOT / "tests"))
    from simulator import Simulator, World

    world, app = World(), None
    for number in range(count):
        tenant = world.add_tenant(f"tenant{number}.example")
        app = tenant.add_app(app.client_id if app else None, secret="bench-secret")
        for place in range(4):
            # About as long as one of Apple's, which is JSON with a random part in base64.
            content = secrets.token_urlsafe(300)
            tenant.add_vpp_token(organization_name=f"Token {place}", last_sync=timedelta(days=2), token=content)
        for place in range(2):
            tenant.add_enrollment_program_token(token_name=f"Token {place}", last_sync=timedelta(days=2))
        tenant.add_autopilot(last_sync=timedelta(days=2))
        tenant.add_managed_google_play(last_sync=timedelta(days=2))
        tenant.absent["exchange_connector"] = 501
    assert app
    with Simulator(world) as simulator:
        addresses = {"graph_url": simulator.graph_url, "authority_url": simulator.authority_url}
        print(json.dumps({**addresses, "ca_path": simulator.ca_path, "client_id": app.client_id}), flush=True)
        simulator.latency = float(sys.argv[3])
        for _line in sys.stdin:
            with world.lock:
                sent = list(world.requests)
                world.requests.clear()
            counts = [sum(request.where == where for request in sent) for where in ("token", "batch")]
            accepted = sum(request.where == "sync" and (request.status or 500) < 300 for request in sent)
            print(json.dumps([*counts, accepted]), flush=True)


def script(count: int) -> None:
    """Sign in to each tenant and read its lists in one batch for each version of Graph, in threads."""
    import msal
    import requests

    graph = os.environ["MSGRAPH_URL"]

    def one(number: int) -> None:
        with requests.Session() as session:
            app = msal.ConfidentialClientApplication(
                os.environ["AZURE_CLIENT_ID"],
                client_credential=os.environ["AZURE_SECRET"],
                authority=f"{os.environ['AZURE_AUTHORITY_HOST']}/tenant{number}.example",
                instance_discovery=False,
                validate_authority=False,
                http_client=session,
            )
            token = app.acquire_token_for_client([f"{graph}/.default"])["access_token"]
            session.headers["Authorization"] = f"Bearer {token}"
            for api, paths in LISTS.items():
                items = [{"id": str(place), "method": "GET", "url": path} for place, path in enumerate(paths)]
                answer = session.post(f"{graph}/{api}/$batch", json={"requests": items})
                answer.raise_for_status()
                # One of its items is what a tenant does not have.
                assert sum(item["status"] == 200 for item in answer.json()["responses"]) >= len(paths) - 1

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(one, range(count)))


class Bench:
    """Runs variants in a folder against tenants of their own."""

    def __init__(self, folder: Path, count: int, latency: float) -> None:
        self.folder, self.count = folder, count
        command = [sys.executable, __file__, "serve", str(count), str(latency)]
        self._server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        facts = self._line()
        collections = folder / "ansible_collections" / "graphops"
        collections.mkdir(parents=True, exist_ok=True)
        if not (collections / "intune").exists():
            (collections / "intune").symlink_to(ROOT)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)},
            "ANSIBLE_ACTION_PLUGINS": str(HERE / "action_plugins"),
            "ANSIBLE_COLLECTIONS_PATH": str(folder),
            "ANSIBLE_HOME": str(folder / "ansible-home"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "AZURE_AUTHORITY_HOST": facts["authority_url"],
            "AZURE_CLIENT_ID": facts["client_id"],
            "AZURE_SECRET": "bench-secret",
            "MSGRAPH_URL": facts["graph_url"],
            "NO_PROXY": "127.0.0.1",
            "REQUESTS_CA_BUNDLE": facts["ca_path"],
        }
        known = {f"tenant{number}": {"tenant_sync_tenant": f"tenant{number}.example"} for number in range(count)}
        hosts = {"all": {"hosts": known, "vars": {"ansible_connection": "local"}}}
        (folder / "inventory.json").write_text(json.dumps(hosts))
        for name, play in {
            "start": {"hosts": "localhost", "tasks": []},
            "nothing": {"hosts": "all", "tasks": [{"bench_nothing": {}}]},
        }.items():
            (folder / f"{name}.yml").write_text(json.dumps([{"gather_facts": False, **play}]))

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._server.communicate()

    def _line(self) -> t.Any:
        assert self._server.stdout is not None
        return json.loads(self._server.stdout.readline())

    def measure(self, name: str) -> Sample:
        """Run a variant: ``start``, ``nothing``, ``role`` or ``script``; the CPU is that of all its processes."""
        playbook = "graphops.intune.sync_tenants" if name == "role" else f"{name}.yml"
        command = [str(BIN / "ansible-playbook"), "-i", "inventory.json", "--forks", "20", playbook]
        if name == "script":
            command = [sys.executable, __file__, "script", str(self.count)]
        with (self.folder / "output").open("wb") as output:
            start = time.monotonic()
            process = subprocess.Popen(
                command, cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
            # Of one that was waited for, the system no longer knows its memory without that of its children.
            watched = threading.Thread(target=_watch, args=(process.pid, memory := [0.0]))
            watched.start()
            _pid, status, usage = os.wait4(process.pid, 0)
            wall = time.monotonic() - start
            watched.join()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"{name} ended with {process.returncode}: {(self.folder / 'output').read_text()[-3000:]}")
        assert self._server.stdin is not None
        self._server.stdin.write("\n")
        self._server.stdin.flush()
        cpu = usage.ru_utime + usage.ru_stime
        return Sample(wall, cpu, max(memory), usage.ru_maxrss / 1024, *self._line())


def _watch(pid: int, memory: list[float]) -> None:
    """Note the most MiB that a process has had so far, until it ends."""
    while True:
        try:
            text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        except OSError:
            return
        found = re.search(r"VmHWM:\s+(\d+) kB", text)
        if not found:
            # It has ended, and was not waited for yet.
            return
        memory.append(int(found[1]) / 1024)
        time.sleep(0.05)


def section(count: int, sizes: t.Sequence[int], repeats: int) -> str:
    """Measure, and write it as Markdown.

    :param count: how many tenants, 50 ms an answer.
    :param sizes: numbers of tenants for which the memory is told.
    """
    with tempfile.TemporaryDirectory(prefix="graphops-intune-bench-") as folder:
        with Bench(Path(folder), count, 0.05) as bench:
            # All is due, once; then all is fresh.
            due = bench.measure("role")
            turns = [
                [bench.measure(name) for name in ("start", "nothing", "role", "script")] for _turn in range(repeats)
            ]
        start, nothing, role, bare = (min(samples, key=lambda one: one.wall) for samples in zip(*turns))
        memory = {}
        for size in sizes:
            with Bench(Path(folder), size, 0.0) as bench:
                memory[size] = bench.measure("role")
    wall, whole = ((one.wall - start.wall) / max(bare.wall, 0.001) for one in (role, due))
    lines = [
        "## Tenants",
        "",
        f"{count} tenants with {THINGS} things each, 50 ms an answer. The script signs in and reads the same lists, in"
        f" {THREADS} threads as the role. Ansible's own start, which is an empty play, is taken off the role's time.",
        "",
        "| what | wall clock to the script's | CPU to the action's | sign-ins | batches | accepted |",
        "| --- | --- | --- | --- | --- | --- |",
        f"| the role, all fresh | {wall:.2f} | {role.cpu / nothing.cpu:.2f} | {role.tokens} | {role.batches} |"
        f" {role.accepted} |",
        f"| the role, all due, with the wait | {whole:.2f} |"
        f" {due.cpu / nothing.cpu:.2f} | {due.tokens} | {due.batches} | {due.accepted} |",
        f"| the script | 1 | {bare.cpu / nothing.cpu:.2f} | {bare.tokens} | {bare.batches} | {bare.accepted} |",
        f"| the action that does nothing | {nothing.wall / bare.wall:.2f} | 1 | 0 | 0 | 0 |",
        f"| an empty play | {start.wall / bare.wall:.2f} | {start.cpu / nothing.cpu:.2f} | 0 | 0 | 0 |",
        "",
        "At most MiB of ansible-playbook itself, and of its largest process, when all is due: "
        + ", ".join(f"{one.memory:.0f} and {one.largest:.0f} for {size} tenants" for size, one in memory.items())
        + ".",
    ]
    for one, other in zip(sizes, sizes[1:]):
        more = (memory[other].memory - memory[one].memory) * 1000 / ((other - one) * THINGS)
        lines.append(
            f"From {one} to {other} tenants, that is {more:.1f} MiB of ansible-playbook for each 1,000 things."
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    {"serve": serve, "script": script}[sys.argv[1]](int(sys.argv[2]))
