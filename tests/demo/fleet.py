# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The demo of a fleet: 200 connectors in 20 tenants, as hosts of the inventory plugin, through the shipped playbook."""

from __future__ import annotations

import collections
import json
import re
import subprocess
import sys
import tempfile
import time
import typing as t
from datetime import timedelta
from pathlib import Path

from run import BIN, environment_for, install, message
from simulator import Simulator, World

TENANTS, CONNECTORS = 20, 10
COMMAND = ("-i", "fleet.exchange_connectors.yml", "graphops.intune.sync_exchange_connectors")


def main() -> int:
    """Run the demo and return its exit status: 0 if the runs did what they should."""
    world = fleet_world()
    with tempfile.TemporaryDirectory(prefix="graphops-intune-demo-") as folder, Simulator(world) as simulator:
        environment = environment_for(Path(folder), simulator)
        print("Building the collection and installing it, as a user does ...", flush=True)
        install(Path(folder), environment)
        (app,) = world.tenants[0].apps.values()
        # What AWX's Azure credential puts into a job's environment.
        environment.update(AZURE_CLIENT_ID=app.client_id, AZURE_SECRET=str(app.secret), ANSIBLE_FORKS="20")
        source = {
            "plugin": "graphops.intune.exchange_connectors",
            "tenants": [tenant.domain for tenant in world.tenants],
            "hostname": "exchange_connector.server_name",
        }
        (Path(folder) / COMMAND[1]).write_text(json.dumps(source, indent=2), encoding="utf-8")
        changed = [changed_by(title, Path(folder), environment, world) for title in ("First run", "Second run")]
    wanted = [sum(1 for number in range(TENANTS * CONNECTORS) if number % 4), 0]
    if changed != wanted:
        print(f"\nThis is not what the demo should show: {changed} were changed, and not {wanted}.")
        return 1
    total = TENANTS * CONNECTORS
    print(f"\n{changed[0]} of {total} connectors were due and were synchronised; the second run changed nothing.")
    return 0


def fleet_world() -> World:
    """Tenants with one multi-tenant app; of their connectors, every fourth has synchronised lately."""
    world = World()
    first = None
    for number in range(TENANTS):
        tenant = world.add_tenant(f"tenant{number + 1:02}.example")
        first = tenant.add_app(first.client_id if first else None, secret=first.secret if first else None)
        for position in range(number * CONNECTORS, (number + 1) * CONNECTORS):
            tenant.add_connector(last_sync=timedelta(minutes=10) if position % 4 == 0 else timedelta(days=2))
    return world


def changed_by(title: str, folder: Path, environment: t.Mapping[str, str], world: World) -> int:
    """Run the playbook, and return how many hosts changed."""
    return len(re.findall(r"changed=[1-9]", play(title, COMMAND, folder, environment, world)))


def play(title: str, command: t.Sequence[str], folder: Path, environment: t.Mapping[str, str], world: World) -> str:
    """Run a playbook, show its output without the lines of each host that is well, and return Ansible's recap."""
    print(f"\n{title}: ansible-playbook {' '.join(command)}\n", flush=True)
    before, start = len(world.requests), time.monotonic()
    done = subprocess.run(
        [str(BIN / "ansible-playbook"), *command],
        cwd=folder,
        env={**environment, "ANSIBLE_NOCOLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    told = re.sub(r"^(ok|changed): \[.*\n", "", done.stdout, flags=re.MULTILINE)
    # A failure is a line of JSON, of thousands of characters; the sentence in it is what one reads.
    told = re.sub(r"FAILED! => {.*", lambda match: f"FAILED! => {message(match[0])}", told)
    head, _mark, recap = told.partition("PLAY RECAP")
    print(head.rstrip())
    if done.returncode:
        print(f"ansible-playbook ended with {done.returncode}.")
    sent = collections.Counter(request.host for request in world.requests[before:] if not request.in_batch)
    seconds = time.monotonic() - start
    print(f"\nIt took {seconds:.0f} s, {sent['entra']} requests to sign in and {sent['graph']} to Graph.", flush=True)
    return recap


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("\nInterrupted; nothing is left running.")
