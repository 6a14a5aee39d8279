# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The benchmarks: what the collection costs, between what Ansible does by itself and what the job needs.

Everything runs against one simulator, which is a process of its own. The variants of a setting are run one after the
other and then all again, so that what else the machine does strikes all of them alike.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

import certifi
import devices
import tenants
from report import TARGET, Results, Sample, Setting, markdown, plot, table, targets

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BIN = Path(sys.executable).parent

# What the user's shell knows of Azure or Ansible must not reach a benchmark.
FOREIGN = ("AZURE_", "ANSIBLE_", "MSGRAPH_", "IDENTITY_", "MSI_")
ROLE_OPTION = "exchange_connector_sync_"
# From so many connectors on, the variants that take minutes are run once.
MANY = 200
ONCE = ("uri", "module")

PLAYS = ("start", "nothing", "requests", "uri", "module", "action", "list")
VARIANTS = (*PLAYS, "role", "bare", "batch")
# What is measured over thousands of connectors.
SCALED = ("start", "nothing", "requests", "action", "role", "list")


class Server:
    """The simulator's process, asked by lines of JSON (``server.py``)."""

    def __init__(self, connectors: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "server.py"), str(connectors)],
            env={**os.environ, "PYTHONPATH": str(ROOT / "tests")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.facts = self._line()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._process.communicate()

    def counts(self, latency: float) -> dict[str, int]:
        """Set the latency, and give what was counted so far."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{latency}\n")
        self._process.stdin.flush()
        return self._line()

    def _line(self) -> dict[str, t.Any]:
        assert self._process.stdout is not None
        return t.cast("dict[str, t.Any]", json.loads(self._process.stdout.readline()))


class Bench:
    """Runs variants in ``folder`` against ``server``, and keeps what they took."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.folder = folder
        self.server = server
        self.results: Results = {}
        facts = server.facts
        collections = folder / "ansible_collections" / "graphops"
        collections.mkdir(parents=True)
        (collections / "intune").symlink_to(ROOT)
        # As many authorities as a real bundle has: reading them is a good part of what a connection costs.
        bundle = folder / "authorities.pem"
        bundle.write_text(Path(facts["ca_path"]).read_text() + Path(certifi.where()).read_text())
        self.authorities = str(bundle)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)},
            "ANSIBLE_ACTION_PLUGINS": str(HERE / "action_plugins"),
            "ANSIBLE_COLLECTIONS_PATH": str(folder),
            "ANSIBLE_HOME": str(folder / "ansible-home"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "AZURE_AUTHORITY_HOST": facts["authority_url"],
            "AZURE_CLIENT_ID": facts["client_id"],
            "AZURE_SECRET": facts["secret"],
            "AZURE_TENANT": facts["tenant"],
            "BENCH_PROCESSES": str(folder / "processes"),
            "BENCH_TOKEN": facts["token"],
            "MSGRAPH_URL": facts["graph_url"],
            "NO_PROXY": "127.0.0.1",
            "PYTHONPATH": str(HERE / "counting"),
            "REQUESTS_CA_BUNDLE": self.authorities,
        }

    def run(self, setting: Setting, variants: t.Sequence[str], repeats: int) -> None:
        """Measure the variants of one setting, in turns."""
        ids = self.server.facts["connectors"][: setting.connectors]
        hosts = {f"connector{number}": {"connector": name} for number, name in enumerate(ids)}
        # The role's options are variables. Naming the interpreter saves modules the search for one.
        known = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            ROLE_OPTION + "connector_id": "{{ connector }}",
            ROLE_OPTION + "force": True,
            ROLE_OPTION + "wait": False,
        }
        (self.folder / "inventory.json").write_text(json.dumps({"all": {"hosts": hosts, "vars": known}}))
        for name in PLAYS:
            play = {"hosts": "all", "gather_facts": False, **self._play(name, ids)}
            (self.folder / f"{name}.yml").write_text(json.dumps([play]))
        slow = [name for name in variants if setting.connectors >= MANY and name in ONCE]
        for turn in range(repeats):
            # The slow ones come between the turns of the others, so that they see the same machine.
            for name in [name for name in variants if name not in slow] + slow[turn : turn + 1]:
                sample = self._measure(name, setting, ids)
                self.results.setdefault(setting, {}).setdefault(name, []).append(sample)
                print(f"{setting}: {name}: {sample.wall:.2f} s, {sample.cpu:.2f} s of CPU", flush=True)

    def _play(self, name: str, ids: t.Sequence[str]) -> dict[str, t.Any]:
        facts = self.server.facts
        options = {
            "tenant": facts["tenant"],
            "client_id": facts["client_id"],
            "secret": facts["secret"],
            "force": True,
            "wait": False,
        }
        one = {**options, "connector_id": "{{ connector }}"}
        if name == "uri":
            return {"tasks": self._uri_tasks()}
        if name in ("nothing", "requests"):
            return {"tasks": [{f"bench_{name}": one}]}
        module = "graphops.intune.intune_exchange_connector_sync"
        if name == "list":
            return {"hosts": "localhost", "tasks": [{module: {**options, "connector_ids": list(ids)}}]}
        if name == "start":
            return {"hosts": "localhost", "tasks": []}
        return {"tasks": [{module: one, "vars": {"graphops_intune_in_process": name == "action"}}]}

    def _uri_tasks(self) -> list[dict[str, t.Any]]:
        facts = self.server.facts
        connector = f"{facts['graph_url']}/v1.0/deviceManagement/exchangeConnectors/{{{{ connector }}}}"
        signed = {
            "headers": {"Authorization": "Bearer {{ token.json.access_token }}"},
            "ca_path": self.authorities,
        }
        sign_in = {
            "url": f"{facts['authority_url']}/{facts['tenant']}/oauth2/v2.0/token",
            "method": "POST",
            "body_format": "form-urlencoded",
            "body": {
                "grant_type": "client_credentials",
                "client_id": facts["client_id"],
                "client_secret": facts["secret"],
                "scope": f"{facts['graph_url']}/.default",
            },
            "ca_path": self.authorities,
        }
        post = {"method": "POST", "body_format": "json", "body": {"syncType": "deltaSync"}, "status_code": 204}
        return [
            {"ansible.builtin.uri": sign_in, "register": "token"},
            {"ansible.builtin.uri": {"url": connector, **signed}},
            {"ansible.builtin.uri": {"url": f"{connector}/sync", **post, **signed}},
        ]

    def _command(self, name: str, setting: Setting) -> list[str]:
        if name in ("bare", "batch"):
            return [sys.executable, str(HERE / "bare.py"), str(setting.forks if name == "bare" else 4), name]
        playbook = "graphops.intune.sync_exchange_connectors" if name == "role" else f"{name}.yml"
        return [str(BIN / "ansible-playbook"), "-i", "inventory.json", "--forks", str(setting.forks), playbook]

    def _measure(self, name: str, setting: Setting, ids: t.Sequence[str]) -> Sample:
        """Run a variant: the CPU is that of its process and of all that this has waited for."""
        before = self.server.counts(setting.latency)
        processes, output, given = (self.folder / file for file in ("processes", "output", "ids.json"))
        processes.unlink(missing_ok=True)
        given.write_text(json.dumps(ids))
        with output.open("wb") as out, given.open("rb") as stdin:
            start = time.monotonic()
            process = subprocess.Popen(
                self._command(name, setting),
                cwd=self.folder,
                env=self.environment,
                stdin=stdin,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
            _pid, status, usage = os.wait4(process.pid, 0)
            wall = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        after = self.server.counts(setting.latency)
        took = {what: after[what] - before[what] for what in after}
        wanted = 0 if name in ("start", "nothing") else len(ids)
        if process.returncode or took["synchronisations"] != wanted:
            print(output.read_text(encoding="utf-8", errors="replace")[-5000:])
            sys.exit(f"{name} ended with {process.returncode} after {took['synchronisations']} of {wanted}.")
        return Sample(
            wall=wall,
            cpu=usage.ru_utime + usage.ru_stime,
            requests=took["requests"],
            handshakes=took["handshakes"],
            processes=processes.stat().st_size,
            memory=usage.ru_maxrss / 1024,
        )


def main() -> int:
    """Measure, print, and write the documents."""
    parser = argparse.ArgumentParser(description=__doc__)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="two connectors, once, to see that it works")
    size.add_argument("--full", action="store_true", help="all combinations; takes more than half an hour")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--sdk-python", help="a Python that has msgraph-sdk, for the devices")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs", help="where the table and the plot are written")
    arguments = parser.parse_args()
    repeats = 1 if arguments.quick else max(len(ONCE), arguments.repeats)
    settings = [Setting(20, 20, 0.05), TARGET]
    if arguments.quick:
        settings = [Setting(2, 2, 0.0)]
    elif arguments.full:
        settings = list(itertools.starmap(Setting, itertools.product((1, 20, 200), (5, 20, 50), (0.0, 0.05))))
    scaled = TARGET._replace(connectors=10 * TARGET.connectors)
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="graphops-intune-bench-") as folder, Server(scaled.connectors) as server:
        bench = Bench(Path(folder), server)
        for setting in settings:
            bench.run(setting, VARIANTS, repeats)
        if not arguments.quick:
            bench.run(scaled, SCALED, 1)
    many, few = (60, 2) if arguments.quick else (10_000, 100)
    about_devices = devices.section(many, few, arguments.sdk_python)
    about_tenants = tenants.section(*((2, (1, 2), 1) if arguments.quick else (200, (20, 200, 2000), repeats)))
    print(f"\n{table(bench.results)}\n")
    print(targets(bench.results))
    print(f"\n{about_devices}\n{about_tenants}")
    print(f"\nIt took {time.monotonic() - start:.0f} s.")
    if not arguments.quick:
        arguments.docs.mkdir(exist_ok=True)
        (arguments.docs / "benchmarks.md").write_text(
            f"{markdown(bench.results)}\n{about_devices}\n{about_tenants}", encoding="utf-8"
        )
        (arguments.docs / "benchmarks.svg").write_text(plot(bench.results[TARGET]), encoding="utf-8")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("\nInterrupted; nothing is left running.")
