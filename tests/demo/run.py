# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The demo: build and install the collection, start the simulator, run a playbook twice, say what happened."""

from __future__ import annotations

import collections
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
import typing as t
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BIN = Path(sys.executable).parent
sys.path.insert(0, str(HERE.parent))

from simulator import Fault, Request, Simulator, World, demo_world  # noqa: E402

# What the user's shell knows of Azure or Ansible must not reach a demo.
FOREIGN = ("AZURE_", "ANSIBLE_", "MSGRAPH_", "IDENTITY_", "MSI_")
# What the results of the tasks are called, in their order, and in words.
THINGS = {
    "vpp_tokens": "Apple VPP token",
    "enrollment_program_tokens": "Apple enrolment token",
    "autopilot": "Windows Autopilot",
    "managed_google_play": "Managed Google Play",
    "connectors": "Exchange connectors",
    "managed_devices": "devices",
}
WORDS = {
    "completed": "synchronised",
    "requested": "asked",
    "joined": "joined",
    "too_soon": "too soon",
    "fresh": "fresh",
    "refused": "REFUSED",
}
Result = t.Dict[str, t.Any]  # noqa: UP006


def main() -> int:
    """Run the demo and return its exit status: 0 if the runs did what they should."""
    with tempfile.TemporaryDirectory(prefix="graphops-intune-demo-") as folder, Simulator(demo_world()) as simulator:
        environment = environment_for(Path(folder), simulator)
        print("Installing the collection, as a user does ...", flush=True)
        install(Path(folder), environment, sys.argv[1] if len(sys.argv) > 1 else None)
        somebody_else(simulator.world)
        runs = []
        for title in ("First run", "Second run, right after it"):
            print(f"\n{title}: ansible-playbook playbook.yml", flush=True)
            runs.append(play(Path(folder), environment, simulator.world))
    return conclude(runs)


def somebody_else(world: World) -> None:
    """Have somebody else synchronise the enrolment token when it is read for the second time: by its own task."""
    (token,) = world.tenants[0].enrollment_program_tokens.values()
    readings = itertools.count(1)

    def begin(_request: Request) -> bool:
        if next(readings) == 2:
            token.begin()
        return False

    world.faults.add(Fault("list", kind="enrollment_program_token", only_if=begin))


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
        # The play is for the local host alone, for which no inventory is needed.
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "ANSIBLE_NOCOLOR": "1",
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


def play(folder: Path, environment: dict[str, str], world: World) -> tuple[list[Result], list[Request]]:
    """Run the playbook and show its output; return what its tasks returned, and the requests that they took."""
    record, before = folder / "results", len(world.requests)
    record.unlink(missing_ok=True)
    command = [str(BIN / "ansible-playbook"), str(HERE / "playbook.yml")]
    done = subprocess.run(
        command, env=environment, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    )
    # A failure is a line of JSON, of thousands of characters; the sentence in it is what one reads.
    print(re.sub(r"(FAILED! => ){.*", lambda match: f"{match[1]}{message(match[0])}", done.stdout), flush=True)
    lines = record.read_text(encoding="utf-8").splitlines() if record.exists() else []
    return [json.loads(line)["result"] for line in lines], world.requests[before:]


def message(line: str) -> str:
    """The sentence in a failure that Ansible has printed."""
    return str(json.loads(line.partition("=> ")[2])["msg"])


def conclude(runs: list[tuple[list[Result], list[Request]]]) -> int:
    """Print the summary and return the exit status."""
    if [len(results) for results, _requests in runs] != [1 + len(THINGS)] * 2:
        print("\nNot all tasks have ended.")
        return 1
    print("\nWhat the first task told of the tenant before, the worst first\n")
    overview, *_others = runs[0][0]
    for thing in overview["connectors_and_tokens"]:
        show(thing["kind"].replace("_", " "), thing["name"], (thing["problem"] or "well").partition(": ")[0])
    show("the tenant has none of", ", ".join(overview["absent"]).replace("_", " "), "")
    tables = []
    for title, (results, requests) in zip(("First run", "Second run, right after it"), runs):
        print(f"\n{title}\n")
        rows = [row for result, things in zip(results[1:], THINGS.items()) for row in outcomes(result, *things)]
        for row in rows:
            show(*row)
        count = collections.Counter(request.host for request in requests if not request.in_batch)
        print(f"    It took {count['entra']} requests to sign in, and {count['graph']} to Graph.")
        tables.append({(kind, name): text.split("  ")[0] for kind, name, text in rows})
    if tables != EXPECTED:
        print(f"\nThis is not what the demo should show: {tables}")
        return 1
    print(
        "\nWhat was stale is fresh, and the second run left it alone. Who asked too soon will be taken later, who has"
        "\nexpired needs an administrator, and three devices that are off were asked again: nothing on a device tells"
        "\nthat it was asked."
    )
    return 0


# What became of each thing, in the first run and in the second.
_PHONES, _TABLETS, _KIOSKS = (("Apple VPP token", f"Contoso {name}") for name in ("Phones", "Tablets", "Kiosks"))
_ENROLMENT = "Apple enrolment token", "Contoso Devices"
_ONES = {("Windows Autopilot", ""): "too soon", ("Exchange connectors", ""): "none"}
EXPECTED = [
    {_PHONES: "fresh", _TABLETS: "synchronised", _KIOSKS: "REFUSED", _ENROLMENT: "joined", **_ONES}
    | {("Managed Google Play", ""): "synchronised", ("devices", ""): "38 asked"},
    {_PHONES: "fresh", _TABLETS: "fresh", _KIOSKS: "REFUSED", _ENROLMENT: "fresh", **_ONES}
    | {("Managed Google Play", ""): "fresh", ("devices", ""): "3 asked"},
]


def outcomes(result: Result, key: str, kind: str) -> t.Iterator[tuple[str, str, str]]:
    """What came of the objects of a task: which kind, called what, and what became of it."""
    if "counts" in result:
        counts = result["counts"]
        yield kind, "", f"{counts['requested']} asked  of {counts['due']} that are due, {counts['left_out']} left out"
    elif key not in result or isinstance(result[key], dict):
        yield kind, "", outcome(result)
    elif not result[key]:
        yield kind, "", "none  the tenant has none, and nothing was done"
    else:
        one = key[:-1]
        for entry in result[key]:
            yield kind, entry[one].get("organization_name") or entry[one]["token_name"], outcome(entry)


def outcome(result: Result) -> str:
    """What became of one thing, in a word and why."""
    word = WORDS.get(result.get("sync", {}).get("state"), "FAILED")
    why = result["msg"].partition(": ")[2] if "msg" in result else result["sync"]["reason"]
    return f"{word}  {why.partition('; ')[0]}"


def show(kind: str, name: str, text: str) -> None:
    """Print a row."""
    word, _gap, why = text.partition("  ")
    print(
        "    " + " ".join(f"{cell:<{width}}" for cell, width in ((kind, 31), (name, 26), (word, 13), (why, 0))).rstrip()
    )


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("\nInterrupted; nothing is left running.")
