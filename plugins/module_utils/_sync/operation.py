# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""The flow of a synchronisation of one object: read, decide, request, wait."""

from __future__ import annotations

import threading
import typing as t
from datetime import datetime

from .._graph.graph import Graph
from .._ground import errors, timestamps
from .._http import retries
from .._http.driver import Operation, Sleep
from .._kinds.kind import Kind, snake_case
from . import results
from .ask import RequestOutcome, request_sync
from .decide import CLOCK_SKEW, Decision, decide, has_ended
from .look import Snapshot, assumed_utc, read
from .options import SyncOptions, action_of
from .results import Obstructed, SyncFailed, SyncResult

_FIRST_POLL = 1.0

Progress = t.Callable[[str], t.Any]


class Warnings:
    """What the user should read, in whole sentences; what is true of all objects is said once.

    The threads of a fleet share it.

    :param say: takes a sentence.
    """

    def __init__(self, say: t.Callable[[str], t.Any]) -> None:
        self._say = say
        self._said: set[str] = set()
        self._lock = threading.Lock()

    def of_one(self, about: str, clause: str) -> None:
        """Say something of one object."""
        self._say(f"{about}: {clause}.")

    def of_all(self, matter: str, clause: str) -> None:
        """Say something that does not depend on the object, unless something was said of this ``matter``."""
        with self._lock:
            if matter in self._said:
                return
            self._said.add(matter)
        self._say(f"{clause}.")


class Target(t.NamedTuple):
    """An object that is to be brought up to date.

    :param name: its id; "" for the only one.
    """

    kind: Kind
    name: str
    options: SyncOptions


class DueSync(t.NamedTuple):
    """An object that was read and needs a synchronisation, which was not requested yet.

    :param remaining: seconds that are left for all tries about it; what passes until it is asked for is free.
    """

    target: Target
    first: Snapshot
    remaining: float
    result: SyncResult


class PendingSync(t.NamedTuple):
    """A synchronisation that was requested, or of somebody else, and whose end is still to be seen."""

    target: Target
    first: Snapshot
    outcome: RequestOutcome
    result: SyncResult

    @property
    def joined(self) -> bool:
        """Whether it is somebody else's."""
        return self.outcome.instead is not None

    @property
    def state(self) -> str:
        """What is known of it as long as its end does not show."""
        return "joined" if self.joined else "unknown" if self.outcome.failure else "requested"


def look(
    target: Target,
    graph: Graph,
    *,
    first: Snapshot | None = None,
    limit: float | None = None,
    check_mode: bool,
    about: str,
    warnings: Warnings,
    obstacles_told: bool = False,
) -> Operation[dict[str, t.Any] | DueSync | PendingSync]:
    """Read an object, and decide.

    :param first: the object, if it was just read.
    :param limit: seconds for all tries until a synchronisation is requested, if other than ``retry_timeout``.
    :param about: what a warning about this object begins with.
    :param obstacles_told: whether an obstacle is told elsewhere, so that one which does not matter yet is no warning.
    :returns: the result, what is due, or what is running already and to be waited for.
    :raises IntuneError: the object could not be read.
    :raises Obstructed: it must not be synchronised.
    """
    kind, name, options = target
    budget = retries.RetryBudget(graph.http.clock, graph.http.retry_timeout if limit is None else limit)
    if first is None:
        first = yield from read(kind, graph, name, limit=budget.remaining)
    state = first.known_state()
    decision = decide(state, first.now, options, kind)
    if decision.warning and not (obstacles_told and state.obstacle):
        warnings.of_one(about, decision.warning)
    if first.assumed_utc:
        warnings.of_all("offset", assumed_utc(kind))
    apart = _about_clocks(first.now, graph.http.clock.now(), options, decision)
    if apart:
        warnings.of_all("clocks", apart)
    result = SyncResult(kind, options, first, decision)
    if decision.verdict == "refused":
        raise Obstructed(results.refused(kind, options, state), result.as_dict("refused"))
    if decision.verdict == "due" or (decision.verdict == "too_soon" and options.force and options.wait):
        return DueSync(target, first, budget.remaining, result)
    if decision.verdict == "joined" and options.wait and not check_mode:
        return PendingSync(target, first, RequestOutcome(None, first.request_id, instead="running"), result)
    return result.as_dict(decision.verdict)


def request(
    due: DueSync, graph: Graph, *, check_mode: bool, progress: Progress
) -> Operation[dict[str, t.Any] | PendingSync]:
    """Request the synchronisation that is due, or predict it; first let the time pass in which Intune takes none.

    :returns: the result, or what to wait for.
    :raises SyncFailed: it was not accepted, or nobody can tell, with all that is known.
    """
    (kind, name, options), first, remaining, result = due
    before, clock = first.known_state(), graph.http.clock
    possible = result.decision.next_possible_at
    seconds = 0.0 if possible is None or first.now is None else (possible - first.now).total_seconds()
    if possible is not None and seconds > options.wait_timeout:
        raise SyncFailed(results.too_late(options, possible), result.as_dict("too_soon"))
    if check_mode:
        return result.as_dict("predicted", changed=True)
    if seconds > 0:
        progress(f"waiting for {timestamps.humanize(seconds)} until Intune takes a request")
        yield Sleep(seconds)
    budget = retries.RetryBudget(clock, remaining)
    try:
        outcome = yield from request_sync(kind, graph, name, options.sync_type, before, budget)
    except errors.IntuneError as error:
        raise SyncFailed(error, result.as_dict("refused")) from error
    result.requested_at, result.request_id = outcome.at, outcome.request_id or result.request_id
    pending = PendingSync(due.target, first, outcome, result)
    if outcome.instead:
        return _instead(pending)
    ended = outcome.seen and has_ended(before, outcome.seen.known_state(), seen_running=False)
    if ended:
        return _ended(pending, t.cast(Snapshot, outcome.seen), ended)
    if options.wait:
        return pending
    if outcome.failure is None:
        return result.as_dict("requested", changed=True)
    failure = results.unknown_outcome(outcome, snake_case(kind.clock))
    raise SyncFailed(failure, result.as_dict("unknown", changed=True))


def _instead(pending: PendingSync) -> dict[str, t.Any] | PendingSync:
    """What comes of a request that Intune did not accept because one is running, or because it is too soon."""
    (kind, _name, options), _first, outcome, result = pending
    seen = t.cast(Snapshot, outcome.seen)
    decision = decide(seen.known_state(), seen.now, options._replace(max_age=0), kind)
    if outcome.instead == "too_soon":
        result.decision = result.decision._replace(reason=decision.reason, next_possible_at=decision.next_possible_at)
        return result.as_dict("too_soon", seen=seen)
    result.decision = result.decision._replace(reason="a synchronisation is running already")
    return pending if options.wait else result.as_dict("joined", seen=seen)


def wait_for(pending: PendingSync, graph: Graph, *, progress: Progress) -> Operation[dict[str, t.Any]]:
    """Wait until a synchronisation shows.

    :raises SyncFailed: it failed, it did not show, or that cannot be seen.
    """
    (kind, _name, options), first, outcome, result = pending
    changed = not pending.joined
    try:
        seen, ended, trouble = yield from _poll(pending, graph, progress)
    except Exception as error:
        # Whatever it is, it takes nothing back.
        raise SyncFailed(errors.unexpected(error), result.as_dict(pending.state, changed=changed)) from error
    if seen is not None and ended:
        return _ended(pending, seen, ended)
    last = seen or first
    if action_of(kind).end_optional and trouble is None and outcome.failure is None:
        return result.as_dict("requested", seen=last, changed=changed)
    failure = results.timed_out(kind, options, last, outcome, trouble)
    raise SyncFailed(failure, result.as_dict(pending.state, seen=last, changed=changed))


def _ended(pending: PendingSync, seen: Snapshot, ended: str) -> dict[str, t.Any]:
    """The result of what has ended.

    :raises SyncFailed: it failed.
    """
    (kind, _name, options), _first, outcome, result = pending
    changed = not pending.joined
    if ended == "failed":
        failure = results.failed_end(kind, options, seen.known_state(), outcome)
        raise SyncFailed(failure, result.as_dict("failed", seen=seen, changed=changed))
    return result.as_dict("joined" if pending.joined else "completed", seen=seen, changed=changed)


def poll_delays(longest: float) -> t.Iterator[float]:
    """The seconds between looks at an object: short at first, for it may be quick, growing to ``longest``."""
    delay = min(_FIRST_POLL, longest)
    while True:
        yield delay
        delay = min(delay * 2, longest)


def _poll(
    pending: PendingSync, graph: Graph, progress: Progress
) -> Operation[tuple[Snapshot | None, t.Literal["succeeded", "failed"] | None, errors.IntuneError | None]]:
    """Look at the object until its synchronisation has ended or ``wait_timeout`` is over.

    :returns: the last reading, if any, how the synchronisation ended, if it did, and what went wrong with the very last
        look, if anything.
    """
    (kind, name, options), first, outcome, _result = pending
    clock, before = graph.http.clock, first.known_state()
    deadline = clock.monotonic() + options.wait_timeout
    seen = outcome.seen
    running = "running" in (before.phase, seen.known_state().phase if seen else "") and pending.joined
    trouble: errors.IntuneError | None = None
    for delay in poll_delays(options.wait_sleep):
        remaining = deadline - clock.monotonic()
        if remaining <= 0:
            break
        progress(f"waiting for the end of the {options.noun}, for {timestamps.humanize(remaining)} at most")
        yield Sleep(min(delay, remaining))
        budget = min(graph.http.retry_timeout, max(0.0, deadline - clock.monotonic()))
        try:
            looked = yield from read(kind, graph, name, limit=budget)
            state = looked.known_state()
            seen, trouble = looked, None
        except (errors.GraphError, errors.SignInError, errors.OptionError) as error:
            if not isinstance(error, errors.GraphError) or error.status < 500:
                return seen, None, error
            trouble = error
        except errors.IntuneError as error:
            # An outage while Intune works, or what cannot be read, is no reason to stop before the time is over.
            trouble = error
        else:
            running = running or state.phase == "running"
            ended = has_ended(before, state, seen_running=running)
            if ended:
                return seen, ended, None
    return seen, None, trouble


def _about_clocks(theirs: datetime | None, ours: datetime, options: SyncOptions, decision: Decision) -> str:
    """What to say if Graph's clock, by which the decision was made, may be wrong; "" for nothing."""
    if theirs is None or decision.age is None or options.force or options.max_age == 0:
        return ""
    return about_clocks(theirs, ours)


def about_clocks(theirs: datetime, ours: datetime) -> str:
    """What to say of Graph's clock and that of this host, a clause; "" if they agree."""
    apart = abs((theirs - ours).total_seconds())
    if apart <= CLOCK_SKEW:
        return ""
    return (
        f"Graph's clock and that of this host are {timestamps.humanize(apart)} apart; the ages of synchronisations"
        " are by Graph's"
    )
