# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Random sequences of faults, jumps of clocks and runs of the engine, over real HTTPS; only time is not real.

``FAULTS_SEED`` plays the sequences of a seed again. Without it, those of CI are always the same, so that a change fails
for what it broke; the thousand have a seed of their own each time, which a failure tells.
"""

from __future__ import annotations

import os
import secrets
import time
import typing as t
from datetime import datetime, timedelta, timezone

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible_collections.graphops.intune.plugins.module_utils import shell
from ansible_collections.graphops.intune.plugins.module_utils._ground.clock import Clock
from ansible_collections.graphops.intune.plugins.module_utils._identity import identity
from ansible_collections.graphops.intune.plugins.module_utils._kinds import exchange_connector
from ansible_collections.graphops.intune.plugins.module_utils._sync.command import SyncCommand
from ansible_collections.graphops.intune.plugins.module_utils._sync.session import Context
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from simulator import Connector, Fault, Simulator, World

from . import hostile
from .cells import Way, ways
from .invariants import Task, broken
from .memory import Memory
from .report import Report

pytestmark = [
    pytest.mark.slow,
    # The engine leaves its connections to the end of its process, which here is the test's.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]

SEED = int(os.environ.get("FAULTS_SEED") or 0)
START = datetime(2026, 11, 22, 18, tzinfo=timezone.utc)
SECRET = "secret-of-the-story-Aa0~."
# Bytes that a run may take, the simulator's share included; the bombs come to 300 MiB, and more as Python's objects.
MEMORY = 200 * 2**20

# What takes real time or megabytes is for the matrix, and so is what only certain answers can be.
_WAYS = {
    way.name: way
    for way in ways()
    if way.level == "answer" and way.group not in ("slow", "giant") and way.json is None and not way.steps
}
# Each group is as likely as any other, and lost answers are likelier than that.
_GROUPS = sorted({way.group for way in _WAYS.values()} - {"cut"})
_NAMES = st.one_of(st.sampled_from(["cut", "reset"]), st.sampled_from(_GROUPS), st.sampled_from(_GROUPS)).flatmap(
    lambda group: st.sampled_from([way.name for way in _WAYS.values() if way.group == group])
)
_PLACES = ("metadata", "token", "get", "get", "sync", "sync", "sync", "list", "batch", "batch")

SYNC = SyncCommand(exchange_connector.KIND)


class Order(t.NamedTuple):
    """Order a fault: where, which, how often, after how many requests."""

    where: str
    way: str
    times: int | None
    skip: int
    accept: bool


class Attack(t.NamedTuple):
    """Have an attacker answer: where, what, how often, after how many requests."""

    where: str
    answer: hostile.Hostile
    times: int | None
    skip: int
    accept: bool


class Jump(t.NamedTuple):
    """Let Graph's clock, and that of the host, jump by seconds; and time pass."""

    graphs: int
    ours: int
    passing: int


class Change(t.NamedTuple):
    """Change what the first connector does, or revoke all tokens."""

    delay: int
    outcome: str
    status: str
    revoke: bool


class Heal(t.NamedTuple):
    """Take all faults away."""


class Run(t.NamedTuple):
    """Run the module."""

    task: str
    params: tuple[tuple[str, t.Any], ...]
    check_mode: bool


Step = t.Union[Order, Attack, Jump, Change, Heal, Run]

_LEAPS = st.sampled_from([0, -5, 5, -400, 400, 7300, -7300, 2 * 86400, -2 * 86400, 40 * 365 * 86400])
_RUNS = st.builds(
    Run,
    st.sampled_from(["one", "one", "many", "all"]),
    st.fixed_dictionaries(
        {},
        optional={
            "wait": st.booleans(),
            "force": st.booleans(),
            "max_age": st.sampled_from([0, 60, 86400]),
            "sync_type": st.sampled_from(exchange_connector.KIND.action.types),
            "retry_timeout": st.sampled_from([0, 1, 20]),
            "wait_timeout": st.sampled_from([1, 30]),
            "require_connected": st.booleans(),
        },
    ).map(lambda params: tuple(params.items())),
    st.sampled_from([False, False, False, True]),
)
_WHEN = (st.sampled_from([1, 1, 2, 3, None]), st.sampled_from([0, 0, 0, 1, 2]), st.booleans())
_ORDERS = st.builds(
    Order,
    st.sampled_from(_PLACES),
    _NAMES,
    *_WHEN,
)
_STEPS = st.one_of(
    _ORDERS,
    _ORDERS,
    _RUNS,
    st.builds(Jump, _LEAPS, _LEAPS, st.sampled_from([0, 1, 100, 4000, 10_000])),
    st.builds(
        Change,
        st.sampled_from([0, 3, 100]),
        st.sampled_from(["completes", "completes", "never", "fails"]),
        st.sampled_from(["connected", "connected", "disconnected", "unknownFutureValue"]),
        st.booleans(),
    ),
    st.just(Heal()),
)
_ATTACKS = st.one_of(
    st.builds(Attack, st.sampled_from(_PLACES), hostile.SAID, *_WHEN),
    st.builds(Attack, st.sampled_from(_PLACES), hostile.SAID, *_WHEN),
    st.builds(Attack, st.just("batch"), hostile.BATCH, *_WHEN),
)


# Each sequence ends with a run, so that none is for nothing. Those of attacks are of rounds, half of which begin anew,
# since an attacker who has stopped the sign-in would see no more.
_ROUNDS = st.tuples(
    st.sampled_from([[], [Heal()]]), st.lists(st.one_of(_ATTACKS, _ATTACKS, _STEPS), min_size=1, max_size=3), _RUNS
).map(lambda parts: [*parts[0], *parts[1], parts[2]])
SEQUENCES = {
    "faults": st.tuples(st.lists(_STEPS, max_size=10), _RUNS).map(lambda parts: [*parts[0], parts[1]]),
    "attacks": st.lists(_ROUNDS, min_size=2, max_size=5).map(lambda rounds: [step for some in rounds for step in some]),
}


class Place:
    """A tenant of two connectors, and the time of everyone in it."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.world = World()
        simulator.world = self.world
        self.elapsed = 0.0
        self.leap = {"graphs": 0, "ours": 0}
        self.world.clock = lambda: self._clock("graphs")
        self.tenant = self.world.add_tenant("contoso.example")
        self.tenant.page_size = 1
        self.app = self.tenant.add_app(secret=SECRET)
        self.connectors = [self.tenant.add_connector(last_sync=timedelta(days=3), sync_delay=2) for _n in "ab"]
        self.clock = Clock(
            monotonic=lambda: self.elapsed, sleep=self._pass, now=lambda: self._clock("ours"), jitter=lambda: 0.0
        )
        self.runs = 0

    def _clock(self, whose: str) -> datetime:
        return START + timedelta(seconds=self.elapsed + self.leap[whose])

    def _pass(self, seconds: float) -> None:
        self.elapsed += seconds

    def take(self, step: Step) -> None:
        """Let it happen."""
        if isinstance(step, Order):
            self._order(step, _WAYS[step.way])
        elif isinstance(step, Attack):
            self.world.faults.add(
                hostile.fault_of(step.answer, step.where, SECRET, accept=step.accept, times=step.times, skip=step.skip)
            )
        elif isinstance(step, Jump):
            self.elapsed += step.passing
            self.leap["graphs"] += step.graphs
            self.leap["ours"] += step.ours
        elif isinstance(step, Change):
            first = self.connectors[0]
            first.sync_delay, first.outcome, first.status = step.delay, step.outcome, step.status
            if step.revoke:
                self.world.revoke_tokens()
        elif isinstance(step, Heal):
            self.world.faults.clear()
        else:
            self._run(step)

    def _order(self, order: Order, way: Way) -> None:
        accept = order.accept and order.where in ("sync", "batch") and way.kind in ("open", "lost", "page")
        # Graph does not lie: whoever answers a request with success has accepted it.
        # Within a batch nothing is packed, so what says that it is may stand in an acceptance.
        accept = accept or (order.where == "sync" and (way.kind == "own" or way.group == "encoding"))
        self.world.faults.add(Fault(order.where, times=order.times, skip=order.skip, accept=accept, **way.fault))

    def _run(self, step: Run) -> None:
        targets = {"one": self.connectors[:1], "many": self.connectors, "all": self.connectors}[step.task]
        given_ = {
            "tenant": self.tenant.domain,
            "client_id": self.app.client_id,
            "secret": SECRET,
            "graph_url": self.simulator.graph_url,
            "authority_url": self.simulator.authority_url,
            "ca_path": self.simulator.ca_path,
            # Nothing here takes time, but a machine with other work does.
            "request_timeout": 30,
            "retry_timeout": 5,
            "wait_timeout": 10,
            "wait_sleep": 4,
            **dict(step.params),
            **{
                "one": {"connector_id": targets[0].id},
                "many": {"connector_ids": [connector.id for connector in targets]},
                "all": {"all": True},
            }[step.task],
        }
        checked = ArgumentSpecValidator(SYNC.argument_spec()).validate(given_)
        assert not checked.error_messages, checked.error_messages
        params = checked.validated_parameters
        hidden = {*checked._no_log_values, *identity.secrets(params, {})}  # noqa: SLF001
        caller = Context(
            check_mode=step.check_mode,
            environ={"NO_PROXY": "*"},
            clock=self.clock,
            warn=lambda _text: None,
            progress=lambda _text: None,
            hide=hidden.update,
        )
        before = {connector.id: len(connector.accepted) for connector in targets}
        running = {connector.id for connector in targets if connector.accepted and connector.last_sync is not None}
        begun, first, real = self.elapsed, len(self.world.requests), time.monotonic()
        with Memory() as memory:
            result = remove_values(shell.outcome(SYNC, params, caller), hidden)
        requests = self.world.requests[first:]
        accepted = {connector.id: len(connector.accepted) - before[connector.id] for connector in targets}
        task = Task(
            result=result,
            # Real time counts as well: nothing here takes any, so none may be spent.
            seconds=self.elapsed - begun + max(0.0, time.monotonic() - real - 5),
            budget=params["retry_timeout"] + params["wait_timeout"] * params["wait"] + 0.01,
            accepted={name: _shown(count, name, running, result) for name, count in accepted.items()},
            lost=len([r for r in requests if r.where in ("sync", "batch") and r.fault is not None]),
            secrets={"secret-of-the-story", "eyJ0eXAiOiAiSldUIiwgImFsZyI"},
        )
        complaints = broken(task)
        if memory.grown > MEMORY:
            complaints.append(f"it took {memory.grown // 2**20} MiB")
        if step.check_mode and any(accepted.values()):
            complaints.append("check mode requested something")
        if step.check_mode:
            # What it predicts was not accepted, of course.
            complaints = [text for text in complaints if "state predicted" not in text]
        asked = [r for r in requests if r.where == "sync"]
        # A batch that is struck takes what is in it along, and so does a part of it that no one can read.
        struck = [r for r in requests if r.where in ("sync", "batch") and r.fault is not None]
        lost = sum(len(targets) if r.where == "batch" or r.in_batch else 1 for r in struck)
        if len(asked) > 2 and lost < len(asked) - len(targets):
            complaints.append("it asked again without need")
        assert not complaints, (complaints, result, [(r.where, r.status) for r in requests])
        self.runs += 1


def _shown(count: int, name: str, running: t.Collection[str], result: t.Mapping[str, t.Any]) -> int:
    """A synchronisation of an earlier run that ends now is not told from one that this run has requested."""
    entries = {entry["connector_id"]: entry for entry in result.get("connectors", [])}
    state = (entries.get(name, result).get("sync") or {}).get("state")
    return 1 if not count and name in running and state == "completed" else count


def hold(simulator: Simulator, kind: str, number: int, chance: int) -> int:
    """Play so many sequences of a kind and a seed, and tell how many runs there were in them."""
    runs = 0

    @seed(chance)
    @settings(
        max_examples=number,
        deadline=None,
        database=None,
        print_blob=True,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(SEQUENCES[kind])
    def play(sequence: list[Step]) -> None:
        nonlocal runs
        place = Place(simulator)
        for step in sequence:
            place.take(step)
        runs += place.runs

    try:
        play()
    except BaseException as error:
        error.add_note(f"The same sequences again: FAULTS_SEED={chance}")
        raise
    return runs


@pytest.fixture(scope="module")
def simulator() -> t.Iterator[Simulator]:
    with Simulator(World()) as running:
        yield running


@pytest.mark.parametrize("kind", SEQUENCES)
def test_fifty_sequences(simulator: Simulator, kind: str) -> None:
    assert hold(simulator, kind, 50, SEED) >= 50


@pytest.mark.exhaustive
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", SEQUENCES)
def test_a_thousand_sequences(simulator: Simulator, report: Report, kind: str) -> None:
    begun = time.monotonic()
    chance = SEED or secrets.randbelow(2**32)
    runs = hold(simulator, kind, 1000, chance)
    report.say(
        f"1000 random sequences of {kind}, {runs} runs in them, seed {chance}, {time.monotonic() - begun:.0f} s:"
        " all held."
    )


def test_a_connector_is_what_is_counted(simulator: Simulator) -> None:
    """The smallest sequence, whose outcome is known: the way of counting is right."""
    place = Place(simulator)
    first: Connector = place.connectors[0]
    lost, quick = Order("sync", "cut before", 1, 0, True), Change(0, "completes", "connected", False)
    for step, accepted in ((lost, 2), (quick, 3)):
        place.take(step)
        place.take(Run("one", (("force", True),), False))
        # After the lost answer, the synchronisation took longer than the second request.
        assert len(first.accepted) == accepted
    assert place.runs == 2


def test_a_lost_batch_may_be_asked_for_again(simulator: Simulator) -> None:
    """Found by a sequence: with ``all``, which reads a list, the first batch is that of the requests."""
    place = Place(simulator)
    place.take(Order("batch", "cut before", 1, 0, True))
    place.take(Run("all", (), False))
    assert place.runs == 1


def test_what_a_batch_refuses_quotes_no_token(simulator: Simulator) -> None:
    """Found by a sequence: an error inside of a batch, which is a success."""
    place = Place(simulator)
    place.take(Order("get", "a refusal that quotes what it was sent", 1, 0, False))
    place.take(Run("many", (), False))
    assert place.runs == 1
