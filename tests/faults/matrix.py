# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs cells of the matrix: each is a host of one run of Ansible, with a tenant of its own in one simulated world."""

from __future__ import annotations

import itertools
import json
import subprocess
import typing as t
from pathlib import Path

from integration.conftest import BIN, ROOT, SEND_THE_MODULE, clean_environment
from simulated import SENTINEL, SIMULATED, SYNCABLE, choice, module_of
from simulator import Entity, Fault, Request, Simulator, World
from simulator.records import Answer

from . import fronts
from .cells import Cell, Step, refused
from .invariants import FAILED, SHOWS_A_SECRET, SHOWS_A_TRACEBACK, SUCCEEDED, Task, broken

# Seconds. The budget is what the documentation promises: all tries, the wait, and one request, which may take
# request_timeout to connect and again for its answer.
TIMEOUTS = {"request_timeout": 1, "retry_timeout": 2, "wait_timeout": 3, "wait_sleep": 1}
BUDGET = TIMEOUTS["retry_timeout"] + TIMEOUTS["wait_timeout"] + 2 * TIMEOUTS["request_timeout"]
# What a worker takes for itself when as many of them as there are forks share the machine.
SLACK = {"action": 4.0, "module": 12.0}
FORKS = {"action": 32, "module": 6}
# What is in the secrets of all apps and objects, and what the tokens that the simulator issues begin with.
SECRETS = (SENTINEL, "eyJ0eXAiOiAiSldUIiwgImFsZyI")
# Cells in one playbook: a fleet of thousands of tenants is not what is tried here.
AT_ONCE = 400
# A busy machine that holds a process up for a second has added a fault that no cell ordered. So many cells may break
# for that, if each holds when tried once more, in less company: what is broken is broken then as well.
STRAYS = 12
# Cells of the sample that make test runs.
SAMPLE = 400
# In KiB, of each process: what Ansible needs, and far less than what a bomb would take.
MEMORY = 768 * 1024


class Ended(t.NamedTuple):
    """What came of a cell."""

    cell: Cell
    task: Task
    tries: int
    broken: list[str]

    @property
    def outcome(self) -> str:
        """In words: how it ended, after how many tries of the request that the fault was meant for."""
        if self.task.outcome == SUCCEEDED:
            return f"succeeded after {self.tries}" if self.tries > 1 else SUCCEEDED
        changed = " (changed)" if self.task.result.get("changed") else ""
        return f"{self.task.outcome}{changed}"

    @property
    def shows_too_much(self) -> bool:
        """Whether a secret or a traceback is in its result, which no machine is too busy to keep out."""
        return bool({SHOWS_A_SECRET, SHOWS_A_TRACEBACK} & set(self.broken))


class _Host(t.NamedTuple):
    cell: Cell
    variables: dict[str, t.Any]
    tenant_id: str
    objects: list[Entity]
    front: fronts.Front | None


def run(cells: t.Sequence[Cell], *, way: str, collections: Path, folder: Path) -> list[Ended]:
    """Run the cells, and hold each against the invariants.

    :param way: ``action``, in Ansible's own process, or ``module``, sent and run by an interpreter of its own.
    """
    parts = [cells[first : first + AT_ONCE] for first in range(0, len(cells), AT_ONCE)]
    return [ended for part in parts for ended in _run_and_repeat(part, way, collections, folder)]


def _run_and_repeat(cells: t.Sequence[Cell], way: str, collections: Path, folder: Path) -> list[Ended]:
    ended = _run(cells, way, collections, folder)
    for _try in range(2):
        strays = [number for number, cell in enumerate(ended) if cell.broken]
        if not strays or len(strays) > STRAYS or any(ended[number].shows_too_much for number in strays):
            break
        again = _run([ended[number].cell for number in strays], way, collections, folder)
        for number, cell in zip(strays, again):
            ended[number] = cell
    return ended


def _run(cells: t.Sequence[Cell], way: str, collections: Path, folder: Path) -> list[Ended]:
    world = World()
    with Simulator(world) as simulator, Simulator(World()) as stranger, fronts.Fronts() as before:
        hosts = {
            f"cell{number}": prepare(number, cell, world, simulator, stranger, before)
            for number, cell in enumerate(cells)
        }
        identity = {"IDENTITY_ENDPOINT": simulator.managed_identity_url, "IDENTITY_HEADER": world.identity_header}
        lines, output = _play(hosts, identity, way, collections, folder)
        assert stranger.world.requests == [], "nobody else is asked, whatever a redirect says"
    requests: dict[str | None, list[Request]] = {}
    for request in world.requests:
        requests.setdefault(request.tenant_id, []).append(request)
    missing = hosts.keys() - lines.keys()
    assert not missing, f"no result of {[hosts[name].cell.name for name in missing][:9]}: {output[-3000:]}"
    ended = [_judge(host, lines[name], requests.get(host.tenant_id, []), SLACK[way]) for name, host in hosts.items()]
    # What a cell shows is told of the cell; here it is about all else that Ansible prints.
    if not any(cell.shows_too_much for cell in ended):
        assert not any(secret in output for secret in SECRETS), "a secret is on the screen"
        assert "Traceback" not in output, output
    return ended


def prepare(
    number: int, cell: Cell, world: World, simulator: Simulator, stranger: Simulator, before: fronts.Fronts
) -> _Host:
    """Order the fault of a cell, and say what the task's options are."""
    kind, step, way = cell.kind, cell.step, cell.way
    tenant = world.add_tenant(f"tenant{number}.example")
    tenant.page_size = 1
    app = tenant.add_app(secret=f"secret-of-{number}-Aa0~.")
    objects = [
        SIMULATED[kind.name].add_due(tenant, sync_delay=1.7 if step.name == "poll 2" else 0.2)
        for _object in range(1 if step.task in ("one", "identity") else 2)
    ]
    variables = {
        "tenant": tenant.domain,
        "client_id": app.client_id,
        "secret": app.secret,
        "graph_url": simulator.graph_url,
        "authority_url": simulator.authority_url,
        "ca_path": simulator.ca_path,
        **TIMEOUTS,
    }
    if step.task == "identity":
        del variables["tenant"], variables["secret"]
        variables |= {"auth_source": "msi", "allow_environment_credential": True}
    if step.waits:
        variables["wait"] = True
    if kind.large and step.task in ("many", "all"):
        variables["return_all"] = True
    if step.task == "many":
        variables[kind.words.ids_option] = [entity.id for entity in objects]
    elif step.task == "all":
        variables |= {"all": True, **choice(kind, objects[1])}
    elif not kind.singleton:
        variables[kind.words.id_option] = objects[0].id
    url = "authority_url" if step.host == "entra" else "graph_url"
    front = None
    if way.level == "DNS":
        variables[url] = way.bad
    elif way.level != "answer":
        bad = None if way.bad is refused else way.bad
        if bad is fronts.somebody_else:
            bad = fronts.somebody_else(stranger.graph_url)
        address = "127.0.0.2" if bad is fronts.right else "127.0.0.1"
        front = before.add(variables[url], bad, skip=step.connection, times=cell.times, address=address)
        alter = _one_by_one(variables[url], front.url)
        world.faults.add(Fault("any", tenant_id=tenant.id, alter=alter, times=None))
        variables[url] = front.url
    else:
        # What only changes the real answer has accepted already.
        accept = cell.accept and way.kind != "real"
        when = {"skip": step.skip, "times": cell.times, "only_if": _beginning(objects, step) if way.begins else None}
        world.faults.add(Fault(step.where, tenant_id=tenant.id, accept=accept, **when, **way.fault))
    return _Host(cell, variables, tenant.id, objects, front)


def _beginning(objects: t.Sequence[Entity], step: Step) -> t.Callable[[Request], bool]:
    """Let somebody else synchronise the objects just before a request of those that are like it is answered."""
    numbers = itertools.count()

    def begin(_request: Request) -> bool:
        if next(numbers) == step.skip:
            for entity in objects:
                entity.begin()
        return True

    return begin


def _one_by_one(url: str, front: str) -> t.Callable[[Request, Answer], Answer]:
    """Give each request a connection of its own, so that their number says which it is; and lead all to the front."""

    def alter(_request: Request, answer: Answer) -> Answer:
        body = answer.body.replace(url.encode(), front.encode())
        return Answer(answer.status, {**answer.headers, "Connection": "close"}, body)

    return alter


def _play(
    hosts: t.Mapping[str, _Host], identity: t.Mapping[str, str], way: str, collections: Path, folder: Path
) -> tuple[dict[str, dict[str, t.Any]], str]:
    """Run a play for each kind, one after the other: two at the same time would be twice the load."""
    groups: dict[str, dict[str, t.Any]] = {}
    for name, host in hosts.items():
        groups.setdefault(host.cell.kind.name, {})[name] = host.variables
    plays = []
    for group, variables in groups.items():
        names = dict.fromkeys(name for own in variables.values() for name in own)
        options = {name: f"{{{{ {name} | default(omit) }}}}" for name in names}
        # Ansible would end with a play in which all hosts have failed.
        task = {module_of(SYNCABLE[group]): options, "ignore_errors": True}
        plays.append({"hosts": group, "connection": "local", "gather_facts": False, "tasks": [task]})
    (folder / "playbook.yml").write_text(json.dumps(plays))
    inventory = {group: {"hosts": variables} for group, variables in groups.items()}
    (folder / "inventory.json").write_text(json.dumps(inventory))
    record, output = folder / "results", folder / "output"
    record.unlink(missing_ok=True)
    # The limit is the shell's own command, so that all processes inherit it.
    command = ["sh", "-c", 'ulimit -d "$0" && exec "$@"', str(MEMORY), str(BIN / "ansible-playbook")]
    command += ["-i", str(folder / "inventory.json"), "--forks", str(FORKS[way]), str(folder / "playbook.yml")]
    with output.open("w") as file:
        subprocess.run(
            [*command, *(SEND_THE_MODULE if way == "module" else ())],
            env=clean_environment(
                collections,
                ANSIBLE_CALLBACK_PLUGINS=str(ROOT / "tests" / "callbacks"),
                ANSIBLE_CALLBACKS_ENABLED="record",
                ANSIBLE_PYTHON_INTERPRETER=str(BIN / "python"),
                NO_PROXY="*",
                no_proxy="*",
                # A resolver that does not answer has less time than a cell.
                RES_OPTIONS="timeout:1 attempts:1",
                RECORD_RESULTS=str(record),
                **identity,
            ),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            check=False,
        )
    lines = [json.loads(line) for line in record.read_text().splitlines()] if record.exists() else []
    return {line["host"]: line for line in lines}, output.read_text(errors="replace")


def _judge(host: _Host, line: dict[str, t.Any], requests: list[Request], slack: float) -> Ended:
    cell = host.cell
    # The list is read whole, but only the object that the filter takes is synchronised, if there is a filter.
    everything = cell.step.task == "many" or (cell.step.task == "all" and not choice(cell.kind, host.objects[-1]))
    asked = host.objects if everything else host.objects[-1:]
    struck = [request for request in requests if request.where == cell.step.where and request.fault is not None]
    tries = len([request for request in requests if request.where == cell.step.where]) - cell.step.skip
    task = Task(
        kind=cell.kind,
        result=line["result"],
        seconds=line["seconds"],
        budget=BUDGET + slack,
        accepted={entity.id: len(entity.accepted) for entity in asked},
        lost=len([request for request in struck if _asks(request)]) if cell.way.kind != "refusal" else 0,
        secrets=SECRETS,
        others=[entity.id for entity in asked] if struck and (cell.way.running or cell.way.begins) else (),
    )
    faults = broken(task)
    # Two that wait do not always look at the same instant, and then there is no batch.
    together = cell.step.name != "batch of polls"
    if host.front is None and cell.way.level == "answer" and not struck and together:
        faults.append("the fault never struck")
    if struck and cell.way.group == "redirect" and " redirects to " not in task.result.get("msg", " redirects to "):
        faults.append("it did not stop at the redirect")
    if host.front is not None and cell.way.bad is not refused and not host.front.struck:
        faults.append("the connection never failed")
    decides = cell.step.name in ("GET", "list page 2")
    if decides and cell.way.group == "clock" and not task.result.get("warnings"):
        faults.append("it decided by a clock that is wrong or not there, and did not say so")
    right = cell.right
    if struck and right is not None and task.outcome != right:
        faults.append(f"it {task.outcome}, which is not right")
    if struck and task.outcome == FAILED and cell.way.says not in task.result["msg"]:
        faults.append(f"it does not say {cell.way.says!r}")
    state = (task.result.get("sync") or {}).get("state")
    if struck and cell.way.state not in ("", state):
        faults.append(f"it says {state}, which should be {cell.way.state}")
    if cell.way.group == "forbidden" and len([r for r in requests if r.where == "token"]) > 1:
        faults.append("it asked for another token, though this one was good")
    goes_on = cell.way.right.get(1) == SUCCEEDED != cell.way.right.get(None)
    waiting = cell.step.name.startswith("poll") and cell.times is None and goes_on
    if struck and waiting and task.seconds < TIMEOUTS["wait_timeout"]:
        faults.append("it did not wait on")
    if host.front is not None:
        tries = host.front.struck + 1
    return Ended(cell, task, tries, faults)


def _asks(request: Request) -> bool:
    """Whether it asks for a synchronisation; a batch of those may follow the one that the fault was meant for."""
    return request.where == "sync" or (request.where == "batch" and b'"POST"' in request.body)


def sample(cells: t.Sequence[Cell], size: int) -> list[Cell]:
    """About so many cells, evenly spread; always the same.

    At least one of each column at each step, in which the kinds take turns; and one for each kind, as far as ``size``
    lets them. What Entra ID is asked, and how a connection comes about, is the same for all kinds.
    """
    columns: dict[tuple[str, str, str], dict[str, Cell]] = {}
    for cell in cells:
        columns.setdefault(cell.column, {}).setdefault(cell.kind.name, cell)
    chosen: set[str] = set()
    for turn in range(max(map(len, columns.values()))):
        for number, of_kinds in enumerate(columns.values()):
            cell = [*of_kinds.values()][(number + turn) % len(of_kinds)]
            if not turn or (len(chosen) < size and cell.is_of_its_kind):
                chosen.add(cell.name)
    every = max(1, len(cells) // max(1, size - len(chosen)))
    return [cell for number, cell in enumerate(cells) if cell.name in chosen or number % every == 0]
