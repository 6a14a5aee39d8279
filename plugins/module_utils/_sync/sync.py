# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""The flow of a synchronisation, on plain values: read, decide, request, await."""

from __future__ import annotations

import threading
import typing as t
from datetime import datetime, timezone

from .._graph import graph_errors
from .._graph.graph import Graph
from .._ground import errors, option_values, timestamps
from .._http import retries
from .._http.driver import Operation, Sleep
from .._kinds import exchange_connector
from .._kinds.exchange_connector import CONNECTED, Connector, Reading, Requested, UnreadableTime
from . import options
from .session import Context, open_graph

# Seconds; two hours is what Intune itself keeps between delta synchronisations.
DELTA_MAX_AGE = 7200
# A full one cannot be proven by what Graph shows, so nothing stands in for it unless the user says so.
FULL_MAX_AGE = 0

# Seconds by which the end of a synchronisation may lie ahead of Graph's clock: its servers' clocks differ a little.
_CLOCK_SKEW = 300
_FIRST_POLL = 1.0

# https://learn.microsoft.com/mem/intune/protect/exchange-connector-install
END_OF_SUPPORT = datetime(2024, 2, 19, tzinfo=timezone.utc)
_RETIRED = (
    "Microsoft ended support for the on-premises Exchange connector on 19 February 2024, and this one last synchronised"
    " before that"
)


class Wanted(t.NamedTuple):
    """What the user wants of one connector; times in seconds, names as in the module's documentation."""

    connector_id: str
    sync_type: str
    max_age: int
    force: bool
    require_connected: bool
    wait: bool
    wait_timeout: int
    wait_sleep: int


class Decision(t.NamedTuple):
    """What to do about a connector.

    :param post: whether a synchronisation is to be requested.
    :param refused: whether it would have to be, but must not.
    :param reason: why, in words.
    :param age: seconds since the last synchronisation by Graph's clock; None if there was none, or no clock.
    :param warning: what the user should hear although all is well; "" for nothing.
    """

    post: bool
    refused: bool
    reason: str
    age: int | None
    warning: str = ""


def wanted(params: t.Mapping[str, t.Any], connector_id: str) -> Wanted:
    """Read a module's parameters (:func:`options.sync_spec`) as far as they are about one connector.

    :raises OptionError: one of them cannot be right.
    """
    option_values.at_least(0, params, ("max_age",))
    option_values.at_least(1, params, ("wait_timeout", "wait_sleep"))
    max_age = params["max_age"]
    if max_age is None:
        max_age = FULL_MAX_AGE if params["sync_type"] == "fullSync" else DELTA_MAX_AGE
    return Wanted(
        connector_id=connector_id,
        max_age=max_age,
        **{
            name: params[name]
            for name in ("sync_type", "force", "require_connected", "wait", "wait_timeout", "wait_sleep")
        },
    )


def chosen_ids(params: t.Mapping[str, t.Any]) -> list[str]:
    """The ids of the connectors that the parameters name, each once; none for ``all``.

    :raises OptionError: an id is no GUID, or not one of ``connector_id``, ``connector_ids`` and ``all`` is given alone.
    """
    one, many, every = params["connector_id"], params["connector_ids"], params["all"]
    if sum((bool(one), many is not None, bool(every))) != 1:
        raise errors.OptionError(
            "which connectors to synchronise is not clear",
            advice="give exactly one of connector_id, connector_ids and all",
        )
    filters = [name for name in options.FILTERS if params.get(name)]
    if filters and not every:
        raise errors.OptionError(f"{filters[0]} chooses among all connectors", advice="give it together with all only")
    return list(dict.fromkeys(options.connector_guid(name) for name in ([one] if one else many or [])))


def age_of(last_sync: datetime | None, now: datetime | None) -> int | None:
    """The age of a synchronisation in seconds; None if not known, or if it lies in the future and cannot be true."""
    if last_sync is None or now is None:
        return None
    age = (now - last_sync).total_seconds()
    return None if age < -_CLOCK_SKEW else max(0, int(age))


def decide(connector: Connector, now: datetime | None, want: Wanted) -> Decision:
    """Decide whether a connector needs a synchronisation.

    :param now: Graph's clock when the connector was read.
    """
    age = age_of(connector.last_sync, now)
    ago = "" if age is None else f"the last synchronisation ended {timestamps.humanize(age)} ago"
    limit = f"max_age ({timestamps.humanize(want.max_age)})"
    warning = ""
    if want.force:
        reason = "force is set"
    elif want.max_age == 0:
        reason = f"a {want.sync_type} is always requested, as max_age is 0"
    elif connector.last_sync is None:
        reason = "the connector has never synchronised"
    elif now is None:
        reason = "Graph did not tell the time, so the age of the last synchronisation is not known"
        warning = f"{reason}; it is taken for too old"
    elif age is None:
        reason = f"the last synchronisation is said to end in the future ({timestamps.text(connector.last_sync)})"
        warning = f"{reason}; it is taken for too old"
    elif age < want.max_age:
        if connector.status != CONNECTED:
            warning = f"its status is {connector.status}, so the next synchronisation fails unless that changes"
        return Decision(False, False, f"{ago}, within {limit}", age, warning)
    else:
        reason = f"{ago}, beyond {limit}"
    refused = want.require_connected and connector.status != CONNECTED
    return Decision(not refused, refused, reason, age, warning)


def poll_delays(longest: float) -> t.Iterator[float]:
    """The seconds between looks at a connector: short at first, for it may be quick, growing to ``longest``."""
    delay = min(_FIRST_POLL, longest)
    while True:
        yield delay
        delay = min(delay * 2, longest)


class Warnings:
    """What the user should read, in whole sentences; what is true of all connectors is said once.

    The threads of a fleet share it.

    :param say: takes a sentence.
    """

    def __init__(self, say: t.Callable[[str], t.Any]) -> None:
        self._say = say
        self._said: set[str] = set()
        self._lock = threading.Lock()

    def of_one(self, about: str, clause: str) -> None:
        """Say something of one connector."""
        self._say(f"{about}: {clause}.")

    def of_all(self, matter: str, clause: str) -> None:
        """Say something that does not depend on the connector, unless something was said of this ``matter``."""
        with self._lock:
            if matter in self._said:
                return
            self._said.add(matter)
        self._say(f"{clause}.")


class SyncFailed(errors.IntuneError):
    """The synchronisation failed after the connector was read.

    :param result: what is known all the same, as :func:`run` returns it.
    """

    def __init__(self, cause: errors.IntuneError, result: dict[str, t.Any]) -> None:
        super().__init__(cause.what, advice=cause.advice, request_id=cause.request_id)
        self.result = result


def subject(params: t.Mapping[str, t.Any], tenant: str) -> str:
    """What every sentence is about: the connector or the connectors, and the tenant if the user named one."""
    one = params["connector_id"]
    return (f"Exchange connector {one}" if one else "Exchange connectors") + (f" in tenant {tenant}" if tenant else "")


def perform(params: t.Mapping[str, t.Any], caller: Context) -> dict[str, t.Any]:
    """Do what the module ``intune_exchange_connector_sync`` promises: validate, identify, and carry out the stories.

    :param params: its parameters, as :func:`options.sync_spec` says.
    :returns: the module's result.
    :raises IntuneError: it failed; :class:`SyncFailed` if more is known than that.
    """
    ids = chosen_ids(params)
    wants = {name: wanted(params, name) for name in ids or [""]}
    client = open_graph(
        params, caller.environ, caller.clock, caller.shared_tokens, own=caller.own, permission=graph_errors.PERMISSION
    )

    # What the list takes is not left for the connectors.
    budget = retries.RetryBudget(caller.clock, params["retry_timeout"])

    warnings = Warnings(caller.warn)

    def story_of(connector_id: str, first: Reading | UnreadableTime | None = None) -> Operation[dict[str, t.Any]]:
        about = subject({"connector_id": connector_id}, client.tenant)
        return run(
            wants.get(connector_id) or wanted(params, connector_id),
            client.graph,
            first=first,
            limit=budget.remaining,
            check_mode=caller.check_mode,
            about=about,
            warnings=warnings,
            progress=lambda text: caller.progress(f"{about}: {text}"),
        )

    try:
        if params["connector_id"]:
            return client.graph.run(story_of(ids[0]))
        if params["all"]:
            listing = exchange_connector.read_all(client.graph)
            if listing.remark:
                caller.warn(f"{subject(params, client.tenant)}: {listing.remark}.")
            stories = {
                str(entry.connector.properties["id"]): story_of(str(entry.connector.properties["id"]), entry)
                for entry in listing.found
                if options.matches(entry.connector.properties, params)
            }
        else:
            stories = {connector_id: story_of(connector_id) for connector_id in ids}
        return together(dict(zip(stories, client.graph.gather(list(stories.values())))), client.tenant)
    finally:
        caller.hide(client.sign_in.tokens)


def together(ends: t.Mapping[str, dict[str, t.Any] | errors.IntuneError], tenant: str) -> dict[str, t.Any]:
    """Put the ends of many connectors' stories into one result.

    :param ends: by the connectors' ids, each its result or the error that ended it.
    :param tenant: as the user named it; "" if that is not known.
    :returns: ``changed``, ``diff`` and ``connectors``: each the result of one, with ``connector_id`` and ``failed``.
    :raises SyncFailed: one or more failed; the sentence names them all, those with the same reason together.
    """
    entries, diffs = [], []
    reasons: dict[str, list[str]] = {}
    for connector_id, end in ends.items():
        if isinstance(end, errors.IntuneError):
            entry = end.as_result(subject({"connector_id": connector_id}, tenant))
            reasons.setdefault(end.sentence().rstrip("."), []).append(connector_id)
        else:
            entry = dict(end)
        diff = entry.pop("diff", None)
        if diff is not None:
            diffs.append({**diff, "before_header": connector_id, "after_header": connector_id})
        entries.append({"connector_id": connector_id, "failed": isinstance(end, errors.IntuneError), **entry})
    result = {"changed": any(entry["changed"] for entry in entries), "connectors": entries, "diff": diffs}
    if reasons:
        failed = sum(len(names) for names in reasons.values())
        what = "; ".join(f"{', '.join(names)}: {reason}" for reason, names in reasons.items())
        raise SyncFailed(errors.IntuneError(f"{failed} of {len(entries)} failed - {what}"), result)
    return result


class Due(t.NamedTuple):
    """A connector that was read and needs a synchronisation, which was not requested yet.

    :param left: seconds that are left for all tries about this connector; what passes until it is asked for is free.
    """

    want: Wanted
    first: Reading
    left: float
    result: _Result


class Waiting(t.NamedTuple):
    """A synchronisation that was requested, and whose end is still to be seen."""

    want: Wanted
    first: Reading
    requested: Requested
    result: _Result


def run(
    want: Wanted,
    graph: Graph,
    *,
    first: Reading | UnreadableTime | None = None,
    limit: float | None = None,
    check_mode: bool,
    about: str,
    warnings: Warnings,
    progress: t.Callable[[str], t.Any],
) -> Operation[dict[str, t.Any]]:
    """Bring one connector up to date: :func:`look`, if it is due :func:`request`, if there is an end :func:`finish`.

    :param progress: takes clauses about what is being waited for.
    :returns: ``changed``, ``connector``, ``sync``, ``request_id`` and ``diff``, as the module documents them.
    """
    seen = yield from look(want, graph, first=first, limit=limit, about=about, warnings=warnings)
    if not isinstance(seen, Due):
        return seen
    begun = yield from request(seen, graph, check_mode=check_mode)
    if isinstance(begun, Waiting):
        return (yield from finish(begun, graph, progress=progress))
    return begun


def look(
    want: Wanted,
    graph: Graph,
    *,
    first: Reading | UnreadableTime | None = None,
    limit: float | None = None,
    about: str,
    warnings: Warnings,
) -> Operation[dict[str, t.Any] | Due]:
    """Read a connector, and decide.

    :param first: the connector, if it was just read.
    :param limit: seconds for all tries until a synchronisation is requested, if other than ``retry_timeout``.
    :param about: what a warning about this connector begins with.
    :returns: the result, or what is due.
    :raises IntuneError: the connector could not be read.
    :raises SyncFailed: it must not be synchronised.
    """
    budget = retries.RetryBudget(graph.http.clock, graph.http.retry_timeout if limit is None else limit)
    if first is None:
        first = yield from exchange_connector.read(graph, want.connector_id, limit=budget.remaining)
    if isinstance(first, UnreadableTime):
        raise first
    decision = decide(first.connector, first.now, want)
    if decision.warning:
        warnings.of_one(about, decision.warning)
    if first.connector.assumed_utc:
        warnings.of_all("offset", exchange_connector.ASSUMED_UTC)
    apart = _about_clocks(first.now, graph.http.clock.now(), want, decision)
    if apart:
        warnings.of_all("clocks", apart)
    result = _Result(want, first, decision)
    if decision.refused:
        raise SyncFailed(_not_connected(first.connector, want), result.of("refused"))
    return Due(want, first, budget.remaining, result) if decision.post else result.of("fresh")


def request(due: Due, graph: Graph, *, check_mode: bool) -> Operation[dict[str, t.Any] | Waiting]:
    """Request the synchronisation that is due, or predict it.

    :returns: the result, or what to wait for.
    :raises SyncFailed: it was not accepted, or nobody can tell, with all that is known.
    """
    want, first, left, result = due
    if check_mode:
        return result.of("predicted", changed=True)
    budget = retries.RetryBudget(graph.http.clock, left)
    try:
        requested = yield from exchange_connector.request_sync(
            graph, want.connector_id, want.sync_type, first.connector, budget
        )
    except errors.IntuneError as error:
        raise SyncFailed(error, result.of("refused")) from error
    result.requested_at, result.request_id = requested.at, requested.request_id or result.request_id
    if requested.seen:
        return result.of("completed", seen=requested.seen, changed=True)
    if want.wait:
        return Waiting(want, first, requested, result)
    if requested.failure is None:
        return result.of("requested", changed=True)
    raise SyncFailed(_nobody_knows(requested), result.of("unknown", changed=True))


def finish(waiting: Waiting, graph: Graph, *, progress: t.Callable[[str], t.Any]) -> Operation[dict[str, t.Any]]:
    """Wait until a synchronisation shows.

    :raises SyncFailed: it did not, or that cannot be seen.
    """
    want, first, requested, result = waiting
    unsure = "unknown" if requested.failure else "requested"
    try:
        seen, trouble = yield from _await(graph, want, first.connector, progress)
    except Exception as error:
        # Whatever it is, it takes nothing back.
        raise SyncFailed(errors.unexpected(error), result.of(unsure, changed=True)) from error
    if seen is not None and exchange_connector.has_moved(first.connector, seen.connector):
        return result.of("completed", seen=seen, changed=True)
    last = seen or first
    failure = _not_shown(want, last.connector, requested, trouble)
    raise SyncFailed(failure, result.of(unsure, seen=last, changed=True))


def _await(
    graph: Graph, want: Wanted, before: Connector, progress: t.Callable[[str], t.Any]
) -> Operation[tuple[Reading | None, errors.IntuneError | None]]:
    """Look at the connector until it has moved or ``wait_timeout`` is over.

    :returns: the last reading, if any, and what went wrong with the very last look, if anything.
    """
    clock = graph.http.clock
    deadline = clock.monotonic() + want.wait_timeout
    seen: Reading | None = None
    trouble: errors.IntuneError | None = None
    for delay in poll_delays(want.wait_sleep):
        remaining = deadline - clock.monotonic()
        if remaining <= 0:
            break
        progress(f"waiting for the end of the {want.sync_type}, for {timestamps.humanize(remaining)} at most")
        yield Sleep(min(delay, remaining))
        budget = min(graph.http.retry_timeout, max(0.0, deadline - clock.monotonic()))
        try:
            seen = yield from exchange_connector.read(graph, want.connector_id, limit=budget)
            trouble = None
        except (errors.GraphError, errors.SignInError, errors.OptionError) as error:
            if not isinstance(error, errors.GraphError) or error.status < 500:
                return seen, error
            trouble = error
        except errors.IntuneError as error:
            # An outage while Intune works, or what cannot be read, is no reason to stop before the time is over.
            trouble = error
        else:
            if exchange_connector.has_moved(before, seen.connector):
                break
    return seen, trouble


class _Result:
    """What the module returns, put together in one place."""

    def __init__(self, want: Wanted, first: Reading, decision: Decision) -> None:
        self._want = want
        self._first = first
        self._decision = decision
        self.requested_at: datetime | None = None
        self.request_id = first.request_id

    def of(self, state: str, *, seen: Reading | None = None, changed: bool = False) -> dict[str, t.Any]:
        before, last = self._first.connector, (seen or self._first).connector
        completed_at = timestamps.text(last.last_sync) if state == "completed" else None
        after = {"last_sync_date_time": timestamps.text(last.last_sync), "status": last.status}
        if changed:
            after["sync"] = f"{self._want.sync_type} {state}"
        return {
            "changed": changed,
            "connector": dict(last.properties),
            "sync": {
                "type": self._want.sync_type,
                "state": state,
                "reason": self._decision.reason,
                "requested_at": timestamps.text(self.requested_at),
                "completed_at": completed_at,
                "age": self._decision.age,
                "max_age": self._want.max_age,
                "previous_sync_date_time": timestamps.text(before.last_sync),
            },
            "request_id": self.request_id,
            "diff": {
                "before": {"last_sync_date_time": timestamps.text(before.last_sync), "status": before.status},
                "after": after,
            },
        }


def _about_clocks(theirs: datetime | None, ours: datetime, want: Wanted, decision: Decision) -> str:
    """What to say if Graph's clock, by which the decision was made, may be wrong; "" for nothing."""
    if theirs is None or decision.age is None or want.force or want.max_age == 0:
        return ""
    apart = abs((theirs - ours).total_seconds())
    if apart <= _CLOCK_SKEW:
        return ""
    return (
        f"Graph's clock and that of this host are {timestamps.humanize(apart)} apart; the ages of synchronisations"
        " are by Graph's"
    )


def _not_connected(connector: Connector, want: Wanted) -> errors.IntuneError:
    retired = f" ({_RETIRED})" if _is_retired(connector) else ""
    return errors.IntuneError(
        f"its status is {connector.status}, so no {want.sync_type} was requested{retired}",
        advice="connect it in Intune's admin centre, or set require_connected to false to request one all the same",
    )


def _nobody_knows(requested: Requested) -> errors.IntuneError:
    why = requested.failure.what if requested.failure else "its answer was lost"
    return errors.IntuneError(
        f"whether Graph accepted the request is not known, because {why}",
        advice="look at last_sync_date_time in some minutes, or let this module do so with wait",
        request_id=requested.request_id,
    )


def _not_shown(
    want: Wanted, last: Connector, requested: Requested, trouble: errors.IntuneError | None
) -> errors.IntuneError:
    if requested.failure is not None:
        begin = f"whether Graph accepted the {want.sync_type} is not known ({requested.failure.what})"
    else:
        at = f" at {timestamps.text(requested.at)}" if requested.at else ""
        begin = f"Graph accepted the {want.sync_type}{at}"
    request_id = (trouble.request_id if trouble else None) or requested.request_id
    if trouble is not None:
        return errors.IntuneError(
            f"{begin}, but whether it ended cannot be seen: {trouble.what}",
            advice=trouble.advice,
            request_id=request_id,
        )
    state = f"lastSyncDateTime still is {timestamps.text(last.last_sync) or 'never'}, and the status {last.status}"
    advice = "it may still be running: run again later, or raise wait_timeout"
    if _is_retired(last):
        advice = f"{_RETIRED}: move to Exchange hybrid modern authentication, or to Exchange Online"
    return errors.IntuneError(
        f"{begin}, but it did not show within wait_timeout ({timestamps.humanize(want.wait_timeout)}): {state}",
        advice=advice,
        request_id=request_id,
    )


def _is_retired(connector: Connector) -> bool:
    return connector.last_sync is not None and connector.last_sync < END_OF_SUPPORT
