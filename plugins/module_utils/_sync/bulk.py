# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Thousands of objects of a kind in one task: listed, filtered, asked for in a pace, and told of by counts."""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta
from urllib.parse import quote

from .._graph.graph import Graph
from .._ground import errors, timestamps
from .._http import retries
from .._http.driver import Operation, Sleep
from .._kinds.kind import Kind, UnreadableTime
from .ask import RequestOutcome, request_sync
from .bulk_results import FIRST, End, is_forbidden, result_of
from .decide import CLOCK_SKEW, decide, has_ended
from .look import Listing, Snapshot, assumed_utc, read, read_all
from .operation import Progress, about_clocks, poll_delays
from .options import Selection, SyncOptions, matches
from .session import PACE_SECONDS, Context, Session

# Most in a page, which is also what Graph gives of itself: Intune-PowerShell-SDK#76.
_PAGE = 1000
# Seconds between two sentences about the progress.
_PROGRESS = 15.0


def synchronise(
    kind: Kind, selection: Selection, options: SyncOptions, session: Session, context: Context
) -> dict[str, t.Any]:
    """Bring the chosen objects up to date, as :func:`many.synchronise` does with fewer.

    :returns: ``changed``, ``counts``, ``diff`` and the objects: those that failed, or all of them.
    :raises SyncFailed: some failed; with that.
    :raises IntuneError: they could not be listed, or more are due than the user allows.
    """
    graph, about = session.graph, kind.words.subject("", session.tenant)
    ends, chosen = _chosen(kind, selection, options, session, context)
    due: dict[str, Snapshot] = {}
    for name, entry in chosen.items():
        end = _decided(kind, entry, options, everything=selection.everything)
        if end is None:
            due[name] = entry
        ends[name] = end or End("not_asked", entry)
    if options.max_age and not options.force:
        if any(entry.now is None for entry in due.values()):
            context.warn(f"{about}: Graph did not tell the time, so what it lists is taken for too old.")
        apart = _about_clocks(chosen.values(), graph.http.clock.now())
        if apart:
            context.warn(f"{about}: {apart}.")
    if any(entry.assumed_utc for entry in chosen.values()):
        context.warn(f"{about}: {assumed_utc(kind)}.")
    if selection.at_most is not None and len(due) > selection.at_most:
        option = f"max_{kind.words.short_many}"
        raise errors.IntuneError(
            f"{len(due)} {kind.words.short_many} are due, more than {option} ({selection.at_most}) allows, so none was"
            " asked",
            advice=f"choose fewer, or raise {option}",
        )

    def result() -> dict[str, t.Any]:
        return result_of(kind, ends, due=len(due), tenant=session.tenant, return_all=selection.return_all)

    if context.check_mode:
        ends.update((name, End("predicted", entry)) for name, entry in due.items())
        return result()
    tally = _Tally(len(due), options, graph, lambda text: context.progress(f"{about}: {text}"))
    for part in _parts([*due], options.pace):
        found = graph.gather([_ask(kind, graph, due[name], options, tally) for name in part])
        ends.update((name, _asked(due[name], end)) for name, end in zip(part, found))
        if len(part) < len(due) and all(is_forbidden(end) for end in found):
            break
    if options.wait:
        pending = {name: end for name, end in ends.items() if end.state in ("requested", "unknown")}
        trouble = graph.run(_wait(kind, graph, pending, options, tally.say))
        if trouble:
            context.warn(f"{about}: whether they came in cannot be seen: {trouble}")
        ends.update(pending)
    return result()


def _about_clocks(entries: t.Iterable[Snapshot], ours: datetime) -> str:
    """What to say of the clocks by which the ages were told; each page has its own."""
    theirs = [entry.now for entry in entries if entry.now is not None]
    return about_clocks(max(theirs, key=lambda now: abs(now - ours)), ours) if theirs else ""


def _parts(due: t.Sequence[str], pace: int) -> t.Iterator[t.Sequence[str]]:
    """All at once; a first few before, to see whether it is allowed, if the pace makes all take long."""
    first = FIRST if len(due) > pace > 0 else 0
    return (part for part in (due[:first], due[first:]) if part)


def _chosen(
    kind: Kind, selection: Selection, options: SyncOptions, session: Session, context: Context
) -> tuple[dict[str, End], dict[str, Snapshot]]:
    """What came of those that could not be read; and the chosen objects as they were read, by their ids."""
    graph = session.graph
    if not selection.everything:
        found = dict(zip(selection.ids, graph.gather([read(kind, graph, name) for name in selection.ids])))
        ends = {name: _failed(None, end) for name, end in found.items() if isinstance(end, errors.IntuneError)}
        return ends, {name: entry for name, entry in found.items() if isinstance(entry, Snapshot)}
    listing = _listed(kind, selection, options, graph, context)
    if listing.remark:
        context.warn(f"{kind.words.subject('', session.tenant)}: {listing.remark}.")
    # Again, as Graph ignores a filter that it does not support, and then sends all.
    return {}, {entry.id.lower(): entry for entry in listing.found if matches(entry.entity, selection.filters)}


def _listed(kind: Kind, selection: Selection, options: SyncOptions, graph: Graph, context: Context) -> Listing:
    """List what is old by the host's clock, or by Graph's if they differ; all if Graph takes no such filter."""
    now = graph.http.clock.now()
    by_age = options.max_age > 0 and not options.force
    try:
        found = graph.run(read_all(kind, graph, query(kind, selection.clauses, now, options.max_age if by_age else 0)))
        if by_age and found.now is not None and abs((found.now - now).total_seconds()) > CLOCK_SKEW:
            found = graph.run(read_all(kind, graph, query(kind, selection.clauses, found.now, options.max_age)))
    except (errors.GraphError, errors.Unavailable) as error:
        # It has been seen to answer 500, or to have no time, for a list with a filter alone:
        # msgraph-sdk-powershell#1632, microsoft-graph-explorer-v4#3157.
        refused = error.request_id if isinstance(error, errors.Unavailable) else error.status == 400
        if not refused or not (by_age or selection.clauses):
            raise
        context.warn(f"Graph does not filter the {kind.words.many} as it was asked to, so all of them are read.")
        found = graph.run(read_all(kind, graph, query(kind)))
    return found


def query(kind: Kind, clauses: t.Sequence[str] = (), now: datetime | None = None, max_age: int = 0) -> str:
    """The options of the address that list objects of a kind.

    :param clauses: of ``$filter``.
    :param max_age: seconds; those that are younger at ``now`` are not listed, save for a margin. 0 to list all.
    """
    if max_age and now is not None:
        # Less than, as "or equal" is not supported; and some are listed that are too young, who are left out later.
        before = now - timedelta(seconds=max_age - CLOCK_SKEW)
        clauses = [*clauses, f"{kind.clock} lt {_seconds(before)}"]
    filters = f"$filter={quote(' and '.join(clauses), safe=_SAFE)}" if clauses else ""
    return "&".join(filter(None, (kind.select, f"$top={_PAGE}", filters)))


_SAFE = "()':,"


def _seconds(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _decided(kind: Kind, entry: Snapshot, options: SyncOptions, *, everything: bool) -> End | None:
    """What came of an object that is not to be asked; None if it is due."""
    if isinstance(entry.state, UnreadableTime):
        return _failed(entry, entry.state)
    if everything and entry.state.obstacle:
        return End("left_out", entry)
    decision = decide(entry.state, entry.now, options, kind)
    if decision.verdict == "refused":
        return End("refused", entry, errors.IntuneError(entry.state.obstacle, advice=kind.remedy))
    return None if decision.verdict == "due" else End(decision.verdict, entry)


def _ask(kind: Kind, graph: Graph, entry: Snapshot, options: SyncOptions, tally: _Tally) -> Operation[RequestOutcome]:
    budget = retries.RetryBudget(graph.http.clock, graph.http.retry_timeout)
    try:
        return (yield from request_sync(kind, graph, entry.id, options.sync_type, entry.known_state(), budget))
    finally:
        tally.count()


def _asked(entry: Snapshot, end: RequestOutcome | errors.IntuneError) -> End:
    if isinstance(end, errors.IntuneError):
        # Of what nobody foresaw, nobody knows either what became of the request.
        return End("unknown", entry, end) if _may_have_run(end) else _failed(entry, end)
    if end.failure is not None:
        return End("unknown", entry, end.failure)
    if end.seen is not None:
        return End("completed", end.seen)
    return End("requested", entry, requested_at=end.at)


def _may_have_run(error: errors.IntuneError) -> bool:
    return isinstance(error, errors.NoResponse) and error.may_have_run


def _failed(entry: Snapshot | None, error: errors.IntuneError) -> End:
    return End("failed", entry, error)


class _Tally:
    """Counts those that were asked, and says so now and then.

    :param due: how many are to be asked.
    """

    def __init__(self, due: int, options: SyncOptions, graph: Graph, say: Progress) -> None:
        self.say = say
        self._due = due
        self._pace = options.pace
        self._clock = graph.http.clock
        self._asked = 0
        self._said = self._clock.monotonic()

    def count(self) -> None:
        """Count one more."""
        self._asked += 1
        now = self._clock.monotonic()
        if now - self._said >= _PROGRESS:
            self._said = now
            self.say(progress(self._asked, self._due, self._pace))


def progress(asked: int, due: int, pace: int) -> str:
    """How far it is, in words; ``pace`` is the number within :data:`PACE_SECONDS`."""
    left = timestamps.humanize((due - asked) / pace * PACE_SECONDS)
    return f"{asked} of {due} were asked, {pace} within {PACE_SECONDS} s, which leaves {left}"


def _wait(kind: Kind, graph: Graph, pending: dict[str, End], options: SyncOptions, say: Progress) -> Operation[str]:
    """Look at the list until all that is in ``pending`` has come in, or the time is over; note there what has.

    :returns: the sentence about what was wrong with the very last look; "" if nothing was.
    """
    clock = graph.http.clock
    deadline = clock.monotonic() + options.wait_timeout
    firsts = {name: t.cast(Snapshot, end.last) for name, end in pending.items()}
    asked = [end.requested_at for end in pending.values()]
    since = min((moment for moment in asked if moment), default=None)
    clauses = [] if since is None else [f"{kind.clock} gt {_seconds(since - timedelta(seconds=CLOCK_SKEW))}"]
    trouble = ""
    left = set(pending)
    for delay in poll_delays(options.wait_sleep):
        remaining = deadline - clock.monotonic()
        if not left or remaining <= 0:
            break
        came = len(pending) - len(left)
        say(f"{came} of {len(pending)} came in, waiting for {timestamps.humanize(remaining)} at most")
        yield Sleep(min(delay, remaining))
        try:
            limit = min(graph.http.retry_timeout, max(0.0, deadline - clock.monotonic()))
            found = yield from read_all(kind, graph, query(kind, clauses), limit=limit)
            trouble = ""
        except errors.IntuneError as error:
            trouble = error.sentence()
            if isinstance(error, (errors.SignInError, errors.OptionError)) or is_forbidden(error):
                break
            continue
        for entry in found.found:
            name = entry.id.lower()
            if name in left and _came_in(firsts[name], entry):
                pending[name] = End("completed", entry)
                left.discard(name)
    return trouble


def _came_in(first: Snapshot, entry: Snapshot) -> bool:
    state = entry.state
    return not isinstance(state, UnreadableTime) and bool(has_ended(first.known_state(), state, seen_running=False))
