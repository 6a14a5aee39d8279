# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs that die: real processes, each killed at a step by a real signal, and what the next run makes of it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
import typing as t
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from ansible_collections.graphops.intune.plugins.module_utils._kinds import registry
from ansible_collections.graphops.intune.plugins.module_utils._kinds.kind import Kind
from ansible_collections.graphops.intune.plugins.module_utils._sync import options
from integration.conftest import BIN, ROOT, SEND_THE_MODULE, clean_environment
from simulated import SIMULATED, module_of
from simulator import Entity, Fault, Hold, Simulator, World

SECRET = "secret-of-a-run-that-dies-Aa0~."
# Seconds. A worker that is held ends when it is let go; a module that was sent goes on to the end of its wait.
TO_BEGIN, TO_END = 90.0, 30.0
PROCESSES = Path("/proc")
_GLANCE = 0.05

# In Ansible's own process, sent and run by an interpreter of its own, or by a role, in one process for all hosts.
Way = t.Literal["action", "module", "exchange_connector_sync", "tenant_sync"]
ROLES: tuple[Way, ...] = ("exchange_connector_sync", "tenant_sync")
# What dies, and how: by SIGKILL the process group of ansible-playbook, as ansible-runner ends a job that is cancelled,
# and as a system without memory ends its largest process; its workers; the modules that were sent; or all there is, as
# with a container. Or the group is told to end by SIGTERM or SIGINT.
Death = t.Literal["controller", "worker", "module", "everything", "terminated", "interrupted"]
_OF_ALL: tuple[Death, ...] = ("controller", "worker", "everything", "terminated", "interrupted")
DEATHS: dict[Way, tuple[Death, ...]] = {
    "action": _OF_ALL,
    "module": (*_OF_ALL, "module"),
    "exchange_connector_sync": _OF_ALL,
    "tenant_sync": _OF_ALL,
}
KINDS_OF: dict[Way, t.Collection[str]] = {
    "exchange_connector_sync": ("exchange_connector",),
    "tenant_sync": options.tenant_spec(registry.KINDS)["kinds"]["choices"],
}
# What the synchronisation that was accepted has come to when the next run looks.
After = t.Literal["runs", "completed", "failed"]


class Step(t.NamedTuple):
    """Where a run dies.

    :param where: the request that is held then, as :class:`simulator.Fault` names it; ``skip`` come before it.
    :param accepted: whether Graph has accepted a request to synchronise.
    """

    name: str
    where: str
    skip: int = 0
    accepted: bool = False


STEPS = (
    Step("signing in", "token"),
    Step("reading", "get"),
    Step("posting, not accepted", "sync"),
    Step("posting, accepted", "sync", accepted=True),
    Step("waiting", "get", 1, accepted=True),
)


class Cell(t.NamedTuple):
    """A run that dies at a step, and what the next one finds."""

    kind: Kind
    step: Step
    after: After = "completed"

    @property
    def name(self) -> str:
        """The cell in words."""
        return f"{self.kind.name}: {self.step.name}" + (f", {self.after}" if self.step.accepted else "")

    def fault(self, hold: Hold, way: Way) -> Fault:
        """What holds the run at its step."""
        where, skip, posts = self.step.where, self.step.skip, self.step.where == "sync"
        if way == "tenant_sync" and where == "get" and not self.kind.singleton:
            # All of a tenant is read by a list.
            where, skip = ("get", skip - 1) if skip else ("list", 0)
        # What was not accepted was lost on its way.
        accept, cut = posts and self.step.accepted, "before" if posts and not self.step.accepted else None
        return Fault(where, skip=skip, hold=hold, accept=accept, cut=cut)


def runs_of(kind: Kind, way: Way) -> list[list[Cell]]:
    """All that can come of a run with a kind, in runs of which each has a host for each cell.

    A role asks for all hosts before it waits for any, so that those which wait have a run of their own.
    """
    if way in ROLES and kind.name not in KINDS_OF[way]:
        return []
    afters: tuple[After, ...] = ("runs", "completed", "failed")
    cells = [Cell(kind, step, after) for step in STEPS for after in (afters if step.accepted else ("completed",))]
    if way not in ROLES:
        return [cells]
    waits = [cell for cell in cells if cell.step.name == "waiting"]
    return [[cell for cell in cells if cell not in waits], waits]


class Right(t.NamedTuple):
    """What is right.

    :param dead: how often Graph has accepted a request when nothing of the run that dies is left.
    :param state: what the next one says.
    :param accepted: how often Graph has accepted one then.
    """

    dead: int
    state: str
    accepted: int


def right(cell: Cell, *, goes_on: bool) -> Right:
    """What is right for a cell: never a second where Graph shows the first, and never none.

    :param goes_on: whether what was doing the work outlives the run, as a module that was sent does.
    """
    if not cell.step.accepted:
        return Right(1, "fresh", 1) if goes_on else Right(0, "requested", 1)
    tells = {telling for telling, _property, _value in SIMULATED[cell.kind.name].tells}
    if cell.after == "completed":
        return Right(1, "fresh", 1)
    if cell.after == "runs":
        return Right(1, "joined", 1) if "running" in tells else Right(1, "requested", 2)
    if cell.kind.name == "exchange_connector":
        # It failed by disconnecting.
        return Right(1, "refused", 1)
    return Right(1, "too_soon", 1) if options.action_of(cell.kind).interval else Right(1, "requested", 2)


class Ended(t.NamedTuple):
    """What came of a cell, and what of it is not right."""

    cell: Cell
    came: Right
    broken: str


class Processes:
    """The processes of a run: those with its folder in their environment."""

    def __init__(self, folder: Path) -> None:
        self._mark = bytes(folder) + b"/"

    def __iter__(self) -> t.Iterator[tuple[int, list[bytes]]]:
        for process in PROCESSES.glob("[0-9]*"):
            # Some belong to others, and some have just ended.
            with contextlib.suppress(OSError):
                if self._mark in (process / "environ").read_bytes():
                    yield int(process.name), (process / "cmdline").read_bytes().split(b"\0")

    def kill(self, which: t.Callable[[int, list[bytes]], bool]) -> None:
        """Kill those of which ``which``, called with the id and the command line, says so."""
        for number, command in list(self):
            # What the death of another one ends may be gone by now.
            with contextlib.suppress(OSError):
                if which(number, command):
                    os.kill(number, signal.SIGKILL)


def parent(number: int) -> int:
    """The parent of a process."""
    return int((PROCESSES / str(number) / "stat").read_text().rpartition(")")[2].split()[1])


def wait_for(condition: t.Callable[[], t.Any], seconds: float) -> bool:
    """Wait until it is so; whether it is."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(_GLANCE)
    return True


class Place:
    """A folder of its own for all that a run may write.

    :param arguments: those of ``ansible-playbook`` before the playbook.
    """

    def __init__(self, folder: Path, collections: Path, *arguments: str, **environment: str) -> None:
        self.folder = folder
        self.processes = Processes(folder)
        self._arguments = arguments
        self._temporary = [folder / name for name in ("local", "remote", "tmp", "reports")]
        for path in self._temporary:
            path.mkdir(parents=True)
        self._record = folder / "results"
        local, remote, temporary, _reports = map(str, self._temporary)
        self._environment = clean_environment(
            collections,
            ANSIBLE_CALLBACK_PLUGINS=str(ROOT / "tests" / "callbacks"),
            ANSIBLE_CALLBACKS_ENABLED="record",
            ANSIBLE_PYTHON_INTERPRETER=str(BIN / "python"),
            ANSIBLE_LOCAL_TEMP=local,
            ANSIBLE_REMOTE_TMP=remote,
            ANSIBLE_FORKS="16",
            TMPDIR=temporary,
            RECORD_RESULTS=str(self._record),
            **environment,
        )

    def start(self) -> subprocess.Popen[str]:
        """Start a run, in a process group of its own."""
        self._record.unlink(missing_ok=True)
        return subprocess.Popen(
            [str(BIN / "ansible-playbook"), *self._arguments],
            env=self._environment,
            cwd=self.folder,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @property
    def results(self) -> dict[str, dict[str, t.Any]]:
        """By host, the last result."""
        lines = self._record.read_text().splitlines() if self._record.exists() else []
        return {line["host"]: line["result"] for line in map(json.loads, lines)}

    def die(self, death: Death, hold: Hold, held: int) -> str:
        """Start a run, have it die when so many requests are held, and return what it said.

        Then they are let go, and whatever is left of it comes to its end.
        """
        process = self.start()
        try:
            if not wait_for(lambda: len(hold.requests) >= held or process.poll() is not None, TO_BEGIN):
                raise AssertionError(f"only {len(hold.requests)} of {held} requests came")
            if process.poll() is not None:
                raise AssertionError(f"it ended before it could be killed: {process.communicate()[0]}")
            self._kill(death, process.pid)
            if death != "module":
                # Its output may be held open by those that it has left behind.
                assert wait_for(lambda: process.poll() is not None, TO_END), "the controller does not end"
            hold.let_go()
            assert wait_for(lambda: not list(self.processes), TO_END), f"these do not end: {list(self.processes)}"
            # The death of a module is the failure of its task, which is ignored here.
            assert process.poll() != 0 or death == "module", "a run that died is no success"
            return process.communicate(timeout=TO_END)[0]
        finally:
            hold.let_go()
            self.processes.kill(lambda _number, _command: True)
            process.communicate(timeout=TO_END)

    def _kill(self, death: Death, controller: int) -> None:
        if death == "worker":
            self.processes.kill(lambda number, _command: parent(number) == controller)
        elif death == "module":
            # The shell that runs it has the same words in its command line.
            self.processes.kill(lambda _n, command: b"AnsiballZ" in b" ".join(command) and b"python" in command[0])
        elif death == "everything":
            os.killpg(controller, signal.SIGKILL)
            self.processes.kill(lambda _number, _command: True)
        else:
            numbers = {"terminated": signal.SIGTERM, "interrupted": signal.SIGINT}
            os.killpg(controller, numbers.get(death, signal.SIGKILL))

    def locks(self) -> tuple[list[int], list[int]]:
        """The processes that hold a lock of the kernel, and those that wait for one."""
        numbers = {number for number, _command in self.processes}
        holding: list[int] = []
        waiting: list[int] = []
        for line in (PROCESSES / "locks").read_text().splitlines():
            _number, *words = line.split()
            blocked = words[0] == "->"
            whose = int(words[4 if blocked else 3])
            if whose in numbers:
                (waiting if blocked else holding).append(whose)
        return holding, waiting

    def left(self) -> list[Path]:
        """What lies where it may write for a while: files, sockets and links."""
        return [path for folder in self._temporary for path in folder.rglob("*") if not path.is_dir()]

    def again(self) -> str:
        """Run to the end, and return what it said."""
        process = self.start()
        output = process.communicate(timeout=TO_BEGIN)[0]
        assert "Traceback" not in output, output
        return output


def run(
    cells: t.Sequence[Cell], death: Death, *, way: Way, collections: Path, folder: Path, pipelining: bool = False
) -> list[Ended]:
    """Have the cells of one kind die in one run, each of its hosts at its step, and run again.

    :param pipelining: whether Ansible sends modules without a file.
    """
    hold = Hold()
    with Simulator(World()) as simulator:
        hosts, objects = {}, {}
        for number, cell in enumerate(cells):
            name = f"cell{number}"
            hosts[name], objects[name] = prepare(simulator, cell, f"tenant{number}.example", hold, way)
        sent = SEND_THE_MODULE if way == "module" else ()
        place = Place(
            folder, collections, "-i", "hosts.json", *sent, "playbook.yml", ANSIBLE_PIPELINING=str(pipelining)
        )
        write(folder, cells[0].kind, way, hosts)
        said = place.die(death, hold, len(cells))
        dead = {name: len(entity.accepted) for name, entity in objects.items()}
        told = place.results
        left = [path for path in place.left() if way != "module" or _ours(path, pipelining=pipelining)]
        assert not left, f"these are left behind: {left}"
        assert SECRET not in said + json.dumps(told), "a secret is shown"
        if death == "module":
            assert all("rc" in told[name] for name in hosts), told
        write(folder, cells[0].kind, way, {name: {**given, "wait": False} for name, given in hosts.items()})
        output, told = place.again(), place.results
        assert told.keys() == hosts.keys(), output
        assert [path.name for path in (folder / "reports").iterdir()] == ["report.prom"] * (way in ROLES)
        return [
            _judge(cell, dead[name], told[name], objects[name], way=way, survives=goes_on(way, death))
            for name, cell in zip(hosts, cells)
        ]


def goes_on(way: Way, death: Death) -> bool:
    """Whether what does the work outlives the run: nobody tells a module that was sent, as of any collection."""
    return way == "module" and death in ("controller", "worker")


def prepare(simulator: Simulator, cell: Cell, domain: str, hold: Hold, way: Way) -> tuple[dict[str, t.Any], Entity]:
    """Add a tenant with an object that is due, and have what asks for it held; the options that name it, and it."""
    tenant = simulator.world.add_tenant(domain)
    app = tenant.add_app(secret=SECRET)
    entity: Entity = SIMULATED[cell.kind.name].add(
        tenant,
        last_sync=timedelta(days=3),
        sync_delay=3600 if cell.after == "runs" else 0.1,
        outcome="fails" if cell.after == "failed" else "completes",
    )
    simulator.world.faults.add(replace(cell.fault(hold, way), tenant_id=tenant.id))
    given: dict[str, t.Any] = {
        "tenant": tenant.domain,
        "client_id": app.client_id,
        "secret": SECRET,
        "graph_url": simulator.graph_url,
        "authority_url": simulator.authority_url,
        "ca_path": simulator.ca_path,
        "wait": True,
        "wait_timeout": 3,
        "wait_sleep": 1,
    }
    if way == "tenant_sync":
        given["kinds"] = [cell.kind.name]
    elif not cell.kind.singleton:
        given[cell.kind.words.id_option] = entity.id
    return given, entity


def write(folder: Path, kind: Kind, way: Way, hosts: t.Mapping[str, t.Mapping[str, t.Any]]) -> None:
    """Write the playbook and its inventory."""
    task: dict[str, t.Any]
    if way in ROLES:
        prefix = f"{way}_"
        task = {"ansible.builtin.import_role": {"name": f"graphops.intune.{way}", "rolespec_validate": False}}
        task["vars"] = {f"{prefix}report_path": str(folder / "reports" / "report.prom")}
    else:
        prefix = ""
        # Ansible would end with a play in which all hosts have failed.
        task = {"ignore_errors": True}
        task[module_of(kind)] = {option: f"{{{{ {option} | default(omit) }}}}" for option in next(iter(hosts.values()))}
    play = {"hosts": "all", "connection": "local", "gather_facts": False, "tasks": [task]}
    (folder / "playbook.yml").write_text(json.dumps([play]))
    variables = {host: {prefix + name: value for name, value in given.items()} for host, given in hosts.items()}
    (folder / "hosts.json").write_text(json.dumps({"all": {"hosts": variables}}))


def _ours(path: Path, *, pipelining: bool) -> bool:
    """Whether a file is none of those in which Ansible sends a module, which a death leaves to whoever cleans up.

    The module itself, with its options, is in a file only without pipelining.
    """
    if path.name.startswith("AnsiballZ_"):
        return pipelining
    theirs = ("ansiballz_cache", "ansible_graphops.intune")
    return SECRET.encode() in path.read_bytes() or not any(part.startswith(theirs) for part in path.parts)


def _judge(cell: Cell, dead: int, result: dict[str, t.Any], entity: Entity, *, way: Way, survives: bool) -> Ended:
    (one,) = result.get("connectors_and_tokens", [result])
    state = one.get("outcome") or (one.get("sync") or {}).get("state")
    came = Right(dead, str(state), len(entity.accepted))
    wanted = right(cell, goes_on=survives)
    if wanted.state == "refused" and way in ROLES:
        wanted = wanted._replace(state="obstacle" if way == "tenant_sync" else "failed")
    return Ended(cell, came, "" if came == wanted else f"{came} instead of {wanted}: {result.get('msg')}")
