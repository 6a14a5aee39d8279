# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The demo: build and install the collection, start the simulator, run a playbook twice, say what happened."""

from __future__ import annotations

import collections
import json
import os
import subprocess
import sys
import tempfile
import textwrap
import typing as t
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BIN = Path(sys.executable).parent
sys.path.insert(0, str(HERE.parent))

from simulator import Request, Simulator, World, demo_world  # noqa: E402

# What the user's shell knows of Azure or Ansible must not reach a demo.
FOREIGN = ("AZURE_", "ANSIBLE_", "MSGRAPH_", "IDENTITY_", "MSI_")
Results = t.Dict[str, t.Dict[str, t.Any]]  # noqa: UP006


def main() -> int:
    """Run the demo and return its exit status: 0 if the runs did what they should."""
    with tempfile.TemporaryDirectory(prefix="graphops-intune-demo-") as folder, Simulator(demo_world()) as simulator:
        environment = environment_for(Path(folder), simulator)
        print("Installing the collection, as a user does ...", flush=True)
        install(Path(folder), environment, sys.argv[1] if len(sys.argv) > 1 else None)
        runs = []
        for title in ("First run", "Second run, right after it"):
            print(f"\n{title}: ansible-playbook -i inventory.yml playbook.yml", flush=True)
            runs.append(play(Path(folder), environment, simulator.world))
    return conclude(runs)


def environment_for(folder: Path, simulator: Simulator) -> dict[str, str]:
    """The environment of ansible-playbook: what stands in inventory.yml, led to the simulator."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    return {
        **environment,
        "ANSIBLE_COLLECTIONS_PATH": str(folder),
        "ANSIBLE_HOME": str(folder / "ansible-home"),
        "ANSIBLE_CALLBACK_PLUGINS": str(HERE.parent / "callbacks"),
        "ANSIBLE_CALLBACKS_ENABLED": "record",
        "RECORD_RESULTS": str(folder / "results"),
        "MSGRAPH_URL": simulator.graph_url,
        "AZURE_AUTHORITY_HOST": simulator.authority_url,
        "REQUESTS_CA_BUNDLE": simulator.ca_path,
        "NO_PROXY": "127.0.0.1",
    }


def install(folder: Path, environment: dict[str, str], package: str | None = None) -> None:
    """Install the package into ``folder``; without one, what is in this checkout."""
    galaxy = [str(BIN / "ansible-galaxy"), "collection"]
    if not package:
        build = [*galaxy, "build", "--output-path", str(folder), str(ROOT)]
        subprocess.run(build, check=True, env=environment, stdout=subprocess.DEVNULL)
        (package,) = map(str, folder.glob("*.tar.gz"))
    unpack = [*galaxy, "install", "--offline", "-p", str(folder), package]
    subprocess.run(unpack, check=True, env=environment, stdout=subprocess.DEVNULL)


def play(folder: Path, environment: dict[str, str], world: World) -> tuple[Results, list[Request]]:
    """Run the playbook; return each host's result, and the requests that it took."""
    record, before = folder / "results", len(world.requests)
    record.unlink(missing_ok=True)
    command = [str(BIN / "ansible-playbook"), "-i", str(HERE / "inventory.yml"), str(HERE / "playbook.yml")]
    subprocess.run(command, env=environment, check=False, stdin=subprocess.DEVNULL)
    lines = [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()] if record.exists() else []
    return {line["host"]: line["result"] for line in lines}, world.requests[before:]


def conclude(runs: list[tuple[Results, list[Request]]]) -> int:
    """Print the summary and return the exit status."""
    hosts = sorted(runs[0][0])
    width = max(map(len, hosts), default=0) + 2
    print("\nWhat happened")
    for title, (results, requests) in zip(("First run", "Second run"), runs):
        print(f"\n  {title}")
        for host in hosts:
            print(textwrap.indent(f"{host:<{width}}{outcome(results[host])}", "    "))
        kinds = collections.Counter((request.host, request.method) for request in requests)
        print(
            f"    {'requests':<{width}}{sum(n for (host, _method), n in kinds.items() if host == 'entra')} to sign in,"
            f" {kinds['graph', 'GET']} to read connectors, {kinds['graph', 'POST']} to synchronise them"
        )
    changed = [sum(result["changed"] for result in results.values()) for results, _requests in runs]
    failed = [[host for host in hosts if "msg" in results[host]] for results, _requests in runs]
    good = changed == [3, 0] and failed == [["legacy.fabrikam.example"]] * 2
    print(
        f"\n{changed[0]} connectors were synchronised by the first run and {changed[1]} by the second;"
        f" {len(failed[1])} cannot be, and the task says why."
        if good
        else f"\nThis is not what the demo should show: changed {changed}, failed {failed}."
    )
    return 0 if good else 1


def outcome(result: dict[str, t.Any]) -> str:
    """One host's result in a few words."""
    if "msg" in result:
        word, reason = "FAILED", result["msg"].split(": ", 1)[-1].split("; ")[0]
    else:
        word, reason = "synchronised" if result["changed"] else "fresh", result["sync"]["reason"]
    return f"{word:<14}{reason}"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("\nInterrupted; nothing is left running.")
