# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Devices by the thousand behind Microsoft's limit: the module, beside what people use instead.

For the module, limit and clock run faster by ``FASTER``, as nobody waits for a quarter of an hour; figures are told as
they would be without that. What people use is run with fewer devices, and reckoned up.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
import time
import typing as t
from datetime import datetime, timedelta, timezone
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BIN = Path(sys.executable).parent
sys.path.insert(0, str(HERE.parent))

from simulator import Simulator, World  # noqa: E402

FASTER = 10.0
# Microsoft's limit for an app in a tenant: so many within so many seconds.
LIMIT, WINDOW = 200, 20
HEAD = ("", "devices", "asked", "failed", "requests to Graph", "refused", "seconds", "of what the limit forces", "MiB")


class Row(t.NamedTuple):
    """What a way of asking came to; ``seconds`` without the factor, for ``of`` devices."""

    label: str
    devices: int
    asked: int
    requests: int
    refused: int
    seconds: float
    memory: float | None
    of: int

    def cells(self) -> tuple[str, ...]:
        """The row of the table."""
        floor = (math.ceil(self.of / LIMIT) - 1) * WINDOW
        reckoned = "" if self.of == self.devices else f" (reckoned up to {self.of})"
        times = f"{self.seconds / floor:.2f}" if floor else ""
        memory = "" if self.memory is None else f"{self.memory:.0f}"
        return (
            self.label,
            str(self.devices),
            str(self.asked),
            str(self.devices - self.asked),
            str(self.requests),
            str(self.refused),
            f"{self.seconds:.0f}{reckoned}",
            times,
            memory,
        )


class Place:
    """A tenant with devices that are all stale, behind the limit."""

    def __init__(self, devices: int, faster: float = 1.0) -> None:
        self._faster = faster
        self.since = time.time()
        self.world = World()
        self.world.clock = self._now
        self.tenant = self.world.add_tenant("bench.example")
        self.app = self.tenant.add_app(secret="bench-secret")
        for _number in range(devices):
            self.tenant.add_managed_device(last_sync=timedelta(days=2))
        self.limit = self.world.throttle("managed_device", most=LIMIT, seconds=WINDOW, refused_at_random=0.01)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.since + (time.time() - self.since) * self._faster, timezone.utc)

    def row(self, label: str, seconds: float, of: int, memory: float | None = None) -> Row:
        """What came of it, as the simulator knows."""
        asked = sum(bool(device.accepted) for device in self.tenant.managed_devices.values())
        sent = [request for request in self.world.requests if request.host == "graph" and not request.in_batch]
        refused, devices = self.limit.refused + self.limit.refused_below, len(self.tenant.managed_devices)
        return Row(label, devices, asked, len(sent), refused, seconds, memory, of)


def environment_of(folder: Path, simulator: Simulator, **more: str) -> dict[str, str]:
    """What Ansible and the script of the SDK need."""
    collections = folder / "ansible_collections" / "graphops"
    collections.mkdir(parents=True, exist_ok=True)
    if not (collections / "intune").exists():
        (collections / "intune").symlink_to(ROOT)
    foreign = ("AZURE_", "ANSIBLE_", "MSGRAPH_", "IDENTITY_", "MSI_", "PYTHONPATH")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(foreign)},
        "ANSIBLE_ACTION_PLUGINS": str(HERE / "action_plugins"),
        "ANSIBLE_COLLECTIONS_PATH": str(folder),
        "ANSIBLE_HOME": str(folder / "ansible-home"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_CALLBACK_PLUGINS": str(HERE.parent / "callbacks"),
        "ANSIBLE_CALLBACKS_ENABLED": "record",
        "RECORD_RESULTS": str(folder / "results"),
        "MSGRAPH_URL": simulator.graph_url,
        "AZURE_AUTHORITY_HOST": simulator.authority_url,
        "REQUESTS_CA_BUNDLE": simulator.ca_path,
        "NO_PROXY": "127.0.0.1",
        **more,
    }


def by_module(folder: Path, devices: int) -> Row:
    """One task, for all of them."""
    place = Place(devices, FASTER)
    with Simulator(place.world) as simulator:
        environment = environment_of(
            folder, simulator, BENCH_FASTER=str(FASTER), BENCH_SINCE=str(place.since), BENCH_TOKEN="none"
        )
        options = {"tenant": place.tenant.domain, "client_id": place.app.client_id, "secret": place.app.secret}
        tasks = [{"bench_devices": {**options, "all": True}}]
        seconds = play(folder, environment, {"hosts": "localhost", "tasks": tasks})
    (line,) = (folder / "results").read_text(encoding="utf-8").splitlines()
    return place.row("one task with `all`", seconds * FASTER, devices, json.loads(line)["result"]["memory"])


def by_uri(folder: Path, devices: int, of: int) -> Row:
    """Three tasks for each device: token, read, ask; they do not wait for the limit, nor reach it."""
    place = Place(devices)
    with Simulator(place.world) as simulator:
        tenant, app, url = place.tenant.domain, place.app, simulator.graph_url
        signed = {"headers": {"Authorization": "Bearer {{ token.json.access_token }}"}, "ca_path": simulator.ca_path}
        body = {
            "grant_type": "client_credentials",
            "client_id": app.client_id,
            "client_secret": app.secret,
            "scope": f"{url}/.default",
        }
        sign_in = {
            "url": f"{simulator.authority_url}/{tenant}/oauth2/v2.0/token",
            "method": "POST",
            "body_format": "form-urlencoded",
            "body": body,
            "ca_path": simulator.ca_path,
        }
        device = f"{url}/v1.0/deviceManagement/managedDevices/{{{{ device }}}}"
        post = {"url": f"{device}/syncDevice", "method": "POST", "status_code": 204, **signed}
        post["headers"] = {**signed["headers"], "Content-Length": "0"}
        tasks = [
            {"ansible.builtin.uri": sign_in, "register": "token"},
            {"ansible.builtin.uri": {"url": device, **signed}},
            {"ansible.builtin.uri": post},
        ]
        known = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        hosts = {f"device{number}": {"device": name} for number, name in enumerate(place.tenant.managed_devices)}
        (folder / "inventory.json").write_text(json.dumps({"all": {"hosts": hosts, "vars": known}}))
        environment = environment_of(folder, simulator, BENCH_FASTER="1", BENCH_SINCE="0", BENCH_TOKEN="none")
        seconds = play(folder, environment, {"hosts": "all", "tasks": tasks}, "-i", "inventory.json", "--forks", "20")
    return place.row("three `ansible.builtin.uri` tasks per device, 20 forks", seconds * of / devices, of)


def by_sdk(folder: Path, devices: int, of: int, python: str) -> Row:
    """Microsoft's client in a loop, as its documentation shows it; what it raises is counted, and the loop goes on."""
    place = Place(devices)
    with Simulator(place.world) as simulator:
        begun = time.monotonic()
        subprocess.run(
            [python, str(HERE / "sdk.py"), place.tenant.id, place.app.client_id, str(place.app.secret)],
            env=environment_of(folder, simulator),
            input=json.dumps([*place.tenant.managed_devices]),
            text=True,
            check=True,
        )
        seconds = time.monotonic() - begun
    return place.row("msgraph-sdk in a loop", seconds * of / devices, of)


def play(folder: Path, environment: t.Mapping[str, str], play_: dict[str, t.Any], *arguments: str) -> float:
    """Run a play, and return the seconds that it took."""
    (folder / "results").unlink(missing_ok=True)
    (folder / "devices.yml").write_text(json.dumps([{"gather_facts": False, **play_}]))
    begun = time.monotonic()
    done = subprocess.run(
        [str(BIN / "ansible-playbook"), *arguments, "devices.yml"],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    # With 2, tasks have failed, which is counted.
    if done.returncode not in (0, 2):
        sys.exit(f"ansible-playbook ended with {done.returncode}: {done.stdout[-3000:]}")
    return time.monotonic() - begun


def section(devices: int, few: int, sdk_python: str | None) -> str:
    """Measure, and return the section of the document."""
    with tempfile.TemporaryDirectory(prefix="graphops-intune-bench-") as name:
        folder = Path(name)
        rows = [by_module(folder, devices), by_uri(folder, few, devices)]
        if sdk_python:
            rows.append(by_sdk(folder, 5 * few, devices, sdk_python))
    cells = [HEAD, *(row.cells() for row in rows)]
    lines = [f"| {' | '.join(row)} |" for row in cells]
    lines.insert(1, "|" + " --- |" * len(HEAD))
    table = "\n".join(lines)
    return f"""## Devices by the thousand

All devices of a tenant are stale and are asked to check in, behind Microsoft's limit for such requests of an app in a
tenant, {LIMIT} within {WINDOW} seconds, of which each in a batch is one. One in a hundred is refused at random as well.
For the module, limit and clock run {FASTER:.0f} times as fast, and seconds are told as they would be without that. The
`uri` tasks and the loop of the SDK were run with fewer devices, and their seconds reckoned up; neither looks whether a
device is due, and a loop never asks for more than one at a time.

{table}

- *refused*: answers that Graph has no time, which the module repeats; *failed*: devices that were not asked in the end.
- *of what the limit forces*: the seconds in multiples of what passes at least until the last may be asked.
- *MiB*: the most that the process of the task took.
"""
