# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Random sequences of faults, jumps of clocks and runs of the engine with each kind, over HTTPS; only time is not real.

``FAULTS_SEED`` plays the sequences of a seed again. Without it, those of CI are always the same, so that a change fails
for what it broke; the thousand have a seed of their own each time, which a failure tells.
"""

from __future__ import annotations

import math
import os
import secrets
import time
import typing as t
from datetime import datetime, timedelta, timezone
from http import HTTPStatus

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible_collections.graphops.intune.plugins.module_utils import shell
from ansible_collections.graphops.intune.plugins.module_utils._ground.clock import Clock
from ansible_collections.graphops.intune.plugins.module_utils._identity import identity
from ansible_collections.graphops.intune.plugins.module_utils._kinds.kind import Kind
from ansible_collections.graphops.intune.plugins.module_utils._sync.command import SyncCommand
from ansible_collections.graphops.intune.plugins.module_utils._sync.options import action_of
from ansible_collections.graphops.intune.plugins.module_utils._sync.session import PACE_SECONDS, Context
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from simulated import SENTINEL, SIMULATED, SYNCABLE, Told, tell
from simulator import Entity, Fault, Simulator, World

from . import hostile
from .cells import Way, ways
from .invariants import Task, broken
from .matrix import SECRETS
from .memory import Memory
from .report import Report

pytestmark = [
    pytest.mark.slow,
    # The engine leaves its connections to the end of its process, which here is the test's.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]

SEED = int(os.environ.get("FAULTS_SEED") or 0)
START = datetime(2026, 11, 22, 18, tzinfo=timezone.utc)
SECRET = f"{SENTINEL}the-sequence-Aa0~."
# Bytes that a run may take, the simulator's share included; the bombs come to 300 MiB, and more as Python's objects.
MEMORY = 200 * 2**20

# What takes real time or megabytes is for the matrix, and so is what only certain answers can be. The rest is the same
# for all kinds.
_WAYS = {
    way.name: way
    for way in ways(SYNCABLE["exchange_connector"])
    if way.level == "answer" and way.group not in ("slow", "giant") and way.json is None and not way.steps
}
# Each group is as likely as any other, and lost answers are likelier than that.
_GROUPS = sorted({way.group for way in _WAYS.values()} - {"cut"})
_NAMES = st.one_of(st.sampled_from(["cut", "reset"]), st.sampled_from(_GROUPS), st.sampled_from(_GROUPS)).flatmap(
    lambda group: st.sampled_from([way.name for way in _WAYS.values() if way.group == group])
)
_PLACES = ("metadata", "token", "get", "get", "sync", "sync", "sync", "list", "batch", "batch")


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
    """Change what the first object does, or revoke all tokens."""

    delay: int
    outcome: str
    revoke: bool


class Tell(t.NamedTuple):
    """Let the first object tell something of itself; of a synchronisation that runs, until another one ends."""

    telling: str
    property_: str
    value: Told


class Limit(t.NamedTuple):
    """Let Graph take so many requests to synchronise within 20 seconds, and refuse some of those."""

    most: int


class Begin(t.NamedTuple):
    """Let somebody else synchronise an object, by its number."""

    number: int


class Heal(t.NamedTuple):
    """Take all faults away."""


class Run(t.NamedTuple):
    """Run the module."""

    task: str
    params: tuple[tuple[str, t.Any], ...]
    check_mode: bool


Step = t.Union[Order, Attack, Jump, Change, Tell, Limit, Begin, Heal, Run]

_LEAPS = st.sampled_from([0, -5, 5, -400, 400, 1000, 7300, -7300, 2 * 86400, -2 * 86400, 40 * 365 * 86400])


def _runs(kind: Kind) -> st.SearchStrategy[Run]:
    optional: dict[str, st.SearchStrategy[t.Any]] = {
        "wait": st.booleans(),
        "force": st.booleans(),
        "max_age": st.sampled_from([0, 60, 86400]),
        "retry_timeout": st.sampled_from([0, 1, 20]),
        "wait_timeout": st.sampled_from([1, 30]),
    }
    if kind.action is not None and kind.action.types:
        optional["sync_type"] = st.sampled_from(kind.action.types)
    if kind.obstacle_option:
        optional[kind.obstacle_option] = st.booleans()
    if kind.large:
        optional[f"max_{kind.words.short_many}"] = st.sampled_from([1, 100])
        optional["return_all"] = st.booleans()
    if kind.action is not None and kind.action.pace:
        optional["requests_per_20_seconds"] = st.sampled_from([1, 100])
    return st.builds(
        Run,
        st.sampled_from(["one"] if kind.singleton else ["one", "one", "many", "all"]),
        st.fixed_dictionaries({}, optional=optional).map(lambda params: tuple(params.items())),
        st.sampled_from([False, False, False, True]),
    )


def _tells(kind: Kind) -> st.SearchStrategy[Tell]:
    """What it may tell, and as often that nothing is wrong."""
    well = SIMULATED[kind.name].add_due(World().add_tenant("contoso.example")).as_json()
    told = [Tell(*one) for one in SIMULATED[kind.name].tells]
    return st.sampled_from([one for tell_ in told for one in (tell_, tell_._replace(value=well[tell_.property_]))])


_WHEN = (st.sampled_from([1, 1, 2, 3, None]), st.sampled_from([0, 0, 0, 1, 2]), st.booleans())
_ORDERS = st.builds(
    Order,
    st.sampled_from(_PLACES),
    _NAMES,
    *_WHEN,
)


def _steps(kind: Kind) -> st.SearchStrategy[t.Any]:
    return st.one_of(
        _ORDERS,
        _ORDERS,
        _runs(kind),
        st.builds(Jump, _LEAPS, _LEAPS, st.sampled_from([0, 1, 100, 700, 4000, 10_000])),
        st.builds(
            Change,
            st.sampled_from([0, 3, 100]),
            st.sampled_from(["completes", "completes", "never", "fails"]),
            st.booleans(),
        ),
        _tells(kind),
        st.builds(Begin, st.sampled_from([0] if kind.singleton else [0, 1])),
        st.builds(Limit, st.sampled_from([1, 3])) if kind.large else st.nothing(),
        st.just(Heal()),
    )


_ATTACKS = st.one_of(
    st.builds(Attack, st.sampled_from(_PLACES), hostile.SAID, *_WHEN),
    st.builds(Attack, st.sampled_from(_PLACES), hostile.SAID, *_WHEN),
    st.builds(Attack, st.just("batch"), hostile.BATCH, *_WHEN),
)


# Each sequence ends with a run, so that none is for nothing. Those of attacks are of rounds, half of which begin anew,
# since an attacker who has stopped the sign-in would see no more.
def _of_faults(kind: Kind) -> st.SearchStrategy[list[t.Any]]:
    return st.tuples(st.lists(_steps(kind), max_size=10), _runs(kind)).map(lambda parts: [*parts[0], parts[1]])


def _of_attacks(kind: Kind) -> st.SearchStrategy[list[t.Any]]:
    steps = st.lists(st.one_of(_ATTACKS, _ATTACKS, _steps(kind)), min_size=1, max_size=3)
    rounds = st.tuples(st.sampled_from([[], [Heal()]]), steps, _runs(kind))
    return st.lists(rounds.map(lambda parts: [*parts[0], *parts[1], parts[2]]), min_size=2, max_size=5).map(
        lambda some: [step for one in some for step in one]
    )


SEQUENCES = {"faults": _of_faults, "attacks": _of_attacks}


class Place:
    """A tenant with two objects of a kind, and the time of everyone in it."""

    def __init__(self, simulator: Simulator, kind: Kind) -> None:
        self.simulator = simulator
        self.kind = kind
        self.command = SyncCommand(kind)
        self.world = World()
        simulator.world = self.world
        self.elapsed = 0.0
        self.leap = {"graphs": 0, "ours": 0}
        self.world.clock = lambda: self._clock("graphs")
        self.tenant = self.world.add_tenant("contoso.example")
        self.tenant.page_size = 1
        self.app = self.tenant.add_app(secret=SECRET)
        self.objects: list[Entity] = [
            SIMULATED[kind.name].add_due(self.tenant, sync_delay=2) for _n in ("a" if kind.singleton else "ab")
        ]
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
                hostile.fault_of(
                    *(step.answer, step.where, SECRET, self.kind.sorted_by),
                    accept=step.accept,
                    times=step.times,
                    skip=step.skip,
                )
            )
        elif isinstance(step, Jump):
            self.elapsed += step.passing
            self.leap["graphs"] += step.graphs
            self.leap["ours"] += step.ours
        elif isinstance(step, Change):
            self.objects[0].sync_delay, self.objects[0].outcome = step.delay, step.outcome
            if step.revoke:
                self.world.revoke_tokens()
        elif isinstance(step, Tell):
            tell(self.kind, self.objects[0], *step)
        elif isinstance(step, Limit):
            self.world.throttle(self.kind.name, most=step.most, refused_at_random=0.3)
        elif isinstance(step, Begin):
            self.objects[step.number].begin()
        elif isinstance(step, Heal):
            self.world.faults.clear()
            self.world.throttles.clear()
        else:
            self._run(step)

    def _order(self, order: Order, way: Way) -> None:
        accept = order.accept and order.where in ("sync", "batch") and way.kind in ("open", "lost", "page")
        # Graph does not lie: whoever answers a request with success has accepted it.
        # Within a batch nothing is packed, so what says that it is may stand in an acceptance.
        accept = accept or (order.where == "sync" and (way.kind == "own" or way.group == "encoding"))
        self.world.faults.add(Fault(order.where, times=order.times, skip=order.skip, accept=accept, **way.fault))

    def _run(self, step: Run) -> None:
        words = self.kind.words
        targets = self.objects[:1] if step.task == "one" else self.objects
        others = {entity.id for entity in targets if entity.running or self._tells_of_one(entity)}
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
        }
        if self.kind.large and others:
            given_["return_all"] = True
        if step.task == "many":
            given_[words.ids_option] = [entity.id for entity in targets]
        elif step.task == "all":
            given_["all"] = True
        elif words.id_option:
            given_[words.id_option] = targets[0].id
        checked = ArgumentSpecValidator(self.command.argument_spec()).validate(given_)
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
        before = {entity.id: len(entity.accepted) for entity in targets}
        begun, first, real = self.elapsed, len(self.world.requests), time.monotonic()
        with Memory() as memory:
            result = remove_values(shell.outcome(self.command, params, caller), hidden)
        requests = self.world.requests[first:]
        accepted = {entity.id: len(entity.accepted) - before[entity.id] for entity in targets}
        task = Task(
            kind=self.kind,
            result=result,
            # Real time counts as well: nothing here takes any, so none may be spent.
            seconds=self.elapsed - begun + max(0.0, time.monotonic() - real - 5),
            budget=self._budget(step, params) + 0.01,
            accepted={name: self._shown(count, name, others, result) for name, count in accepted.items()},
            lost=len([r for r in requests if r.where in ("sync", "batch") and r.fault is not None]),
            secrets=SECRETS,
            others=others,
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
        struck = [
            r
            for r in requests
            if r.where in ("sync", "batch") and (r.fault is not None or (r.status == HTTPStatus.TOO_MANY_REQUESTS))
        ]
        lost = sum(len(targets) if r.where == "batch" or r.in_batch else 1 for r in struck)
        if len(asked) > 2 and lost < len(asked) - len(targets):
            complaints.append("it asked again without need")
        assert not complaints, (complaints, result, [(r.where, r.status) for r in requests])
        self.runs += 1

    def _budget(self, step: Run, params: t.Mapping[str, t.Any]) -> float:
        """The seconds that a run may take."""
        # Of thousands, the list has its own time, and so has each that is asked; their places in the pace are no part.
        turns = 2 if self.kind.large and step.task != "one" else 1
        pace = PACE_SECONDS * len(self.objects) * turns if self.kind.large else 0
        # With force, the time in which the service takes no request is waited for as well.
        waits = 2 if params["force"] and action_of(self.kind).interval else 1
        return params["retry_timeout"] * turns + params["wait_timeout"] * params["wait"] * waits + pace

    def _tells_of_one(self, entity: Entity) -> bool:
        """Whether it tells that a synchronisation runs, which may be so no more."""
        # Whether it began too long ago to run depends on a clock, which may be anybody's.
        return self.kind.state(entity.as_json(), None).phase == "running"

    def _shown(self, count: int, name: str, others: t.Collection[str], result: t.Mapping[str, t.Any]) -> int:
        """How many this run seems to have requested: another one that ends now is not told from one that it has."""
        entries = {entry[self.kind.words.id_option]: entry for entry in result.get(self.kind.results_key, [])}
        entry = entries.get(name, result)
        state = entry.get("state") or (entry.get("sync") or {}).get("state")
        ended = state in ("completed", "failed")
        return 1 if not count and name in others and ended and entry["changed"] else count


def hold(simulator: Simulator, kind: str, sort: str, number: int, chance: int) -> int:
    """Play so many sequences of a sort and a seed with a kind, and tell how many runs there were in them."""
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
    @given(SEQUENCES[sort](SYNCABLE[kind]))
    def play(sequence: list[Step]) -> None:
        nonlocal runs
        place = Place(simulator, SYNCABLE[kind])
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


EACH = math.ceil(50 / len(SIMULATED))


@pytest.mark.parametrize("sort", SEQUENCES)
@pytest.mark.parametrize("kind", SIMULATED)
def test_fifty_sequences_of_all_kinds_together(simulator: Simulator, kind: str, sort: str) -> None:
    assert hold(simulator, kind, sort, EACH, SEED) >= EACH


@pytest.mark.exhaustive
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("sort", SEQUENCES)
@pytest.mark.parametrize("kind", SIMULATED)
def test_a_thousand_sequences(simulator: Simulator, report: Report, kind: str, sort: str) -> None:
    begun = time.monotonic()
    chance = SEED or secrets.randbelow(2**32)
    runs = hold(simulator, kind, sort, 1000, chance)
    report.say(
        f"1000 random sequences of {sort} with {SYNCABLE[kind].words.many}, {runs} runs in them, seed {chance},"
        f" {time.monotonic() - begun:.0f} s: all held."
    )


@pytest.mark.parametrize(
    ("kind", "counts"),
    [
        # A synchronisation takes longer than the request that follows a lost answer; a connector does not tell of it.
        ("exchange_connector", (2, 3)),
        ("vpp_token", (1, 2)),
    ],
)
def test_an_object_is_what_is_counted(simulator: Simulator, kind: str, counts: tuple[int, int]) -> None:
    """The smallest sequence, whose outcome is known: the way of counting is right."""
    place = Place(simulator, SYNCABLE[kind])
    lost, quick = Order("sync", "cut before", 1, 0, True), Change(0, "completes", False)
    for step, accepted in zip((lost, quick), counts):
        place.take(step)
        place.take(Run("one", (("force", True),), False))
        assert len(place.objects[0].accepted) == accepted
    assert place.runs == 2


@pytest.fixture
def connectors(simulator: Simulator) -> Place:
    return Place(simulator, SYNCABLE["exchange_connector"])


def test_a_lost_batch_may_be_asked_for_again(connectors: Place) -> None:
    """Found by a sequence: with ``all``, which reads a list, the first batch is that of the requests."""
    connectors.take(Order("batch", "cut before", 1, 0, True))
    connectors.take(Run("all", (), False))
    assert connectors.runs == 1


def test_what_a_batch_refuses_quotes_no_token(connectors: Place) -> None:
    """Found by a sequence: an error inside of a batch, which is a success."""
    connectors.take(Order("get", "a refusal that quotes what it was sent", 1, 0, False))
    connectors.take(Run("many", (), False))
    assert connectors.runs == 1
