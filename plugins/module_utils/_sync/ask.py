# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""A synchronisation is asked for: as often as needed, as seldom as possible, and never again unread."""

from __future__ import annotations

import contextlib
import json
import typing as t
from datetime import datetime
from urllib.parse import urlsplit

from .._graph.graph import Graph
from .._ground import error_bodies, errors
from .._http import response, retries
from .._http.driver import Operation, Request, Sleep, Turn
from .._kinds.kind import Kind, Meaning, State
from .decide import has_begun, has_ended, next_possible
from .look import Snapshot, read
from .options import action_of

# A request whose answer was lost may have been accepted; it is repeated once, so that two are accepted at most.
_MOST_LOST = 2


class RequestOutcome(t.NamedTuple):
    """What became of the request to synchronise.

    :param at: when Graph accepted it, by its clock, if known.
    :param seen: the object, if it was read again and the synchronisation had already shown, or one of somebody else.
    :param failure: why nobody can tell whether Graph accepted it: its answers were lost. None if it did.
    :param instead: what Intune answered instead of accepting it: one of somebody else is running, or it is too soon.
    """

    at: datetime | None
    request_id: str | None
    seen: Snapshot | None = None
    failure: errors.IntuneError | None = None
    instead: Meaning | None = None


def request_sync(
    kind: Kind, graph: Graph, name: str, sync_type: str, before: State, budget: retries.RetryBudget
) -> Operation[RequestOutcome]:
    """Ask for a synchronisation of one object.

    Throttling (429) and refusals for lack of time (503) are repeated while ``budget`` lasts. After a lost answer the
    object is read first, and if that does not show the synchronisation, there is a second request, and never a third.

    :param name: its id; "" for the only one.
    :param sync_type: one of the action's types; "" if it has none.
    :param before: what the object showed before, to see whether it moved.
    :param budget: begun with the first request about this object, so that all of them share its time; what it waits for
        its place in the pace is not of it.
    :returns: accepted, seen, nobody can tell, or what Intune says instead.
    :raises GraphError: Graph refused it.
    :raises Unavailable: Graph could not be reached, or had no time for it, and surely has not accepted it.
    :raises SignInError: no token.
    """
    action, http = action_of(kind), graph.http
    body = action.body(sync_type)
    content = None if body is None else json.dumps(body)
    path = f"{kind.path_of(name)}/{action.path}"
    lost = 0
    failure: errors.IntuneError
    while True:
        retry_after, reread = None, True
        if action.pace:
            budget.extend((yield Turn()))
        try:
            answer = yield Request("POST", path, content, timeout=budget.remaining, api=kind.api)
        except errors.NoResponse as error:
            failure, reread = error, error.may_have_run
            lost += error.may_have_run
            if error.permanent:
                break
        except errors.IntuneError as error:
            failure = error
            break
        else:
            objection, doubtful = _objection(kind, sync_type, answer, graph)
            if objection is None:
                return RequestOutcome(answer.date, answer.request_id)
            failure = objection
            instead = yield from _instead(kind, graph, name, answer, budget)
            if instead is not None and lost:
                # What is running, or was asked for just now, is the one whose answer was lost.
                return RequestOutcome(None, answer.request_id, seen=instead.seen)
            if instead is not None:
                return instead
            if not isinstance(failure, errors.Unavailable):
                break
            retry_after, reread = answer.retry_after(http.clock.now()), answer.status != 429
            lost += doubtful
        if lost >= _MOST_LOST:
            break
        pause = budget.next_delay(retry_after)
        if pause is None:
            failure = retries.exhausted(failure, tries=budget.tries, retry_after=retry_after, limit=http.retry_timeout)
            break
        yield Sleep(pause)
        if reread or lost:
            try:
                seen = yield from read(kind, graph, name, limit=budget.remaining)
            except errors.IntuneError as error:
                failure = error
                break
            if _shows(before, seen, lost=lost):
                return RequestOutcome(None, seen.request_id, seen=seen)
    if not lost:
        raise failure
    with contextlib.suppress(errors.IntuneError):
        seen = yield from read(kind, graph, name, limit=0)
        if _shows(before, seen, lost=lost):
            return RequestOutcome(None, seen.request_id, seen=seen)
    return RequestOutcome(None, failure.request_id, failure=failure)


def _shows(before: State, seen: Snapshot, *, lost: int) -> bool:
    """Whether a look shows a synchronisation that was not there before.

    One that has only begun counts as ours if a request may have been accepted.
    """
    after = seen.known_state()
    return has_ended(before, after, seen_running=False) is not None or (bool(lost) and has_begun(before, after))


def _instead(
    kind: Kind, graph: Graph, name: str, answer: response.Response, budget: retries.RetryBudget
) -> Operation[RequestOutcome | None]:
    """What an answer means that is no failure by itself; None if it is one.

    Whether it is too soon is told from throttling by the object's own times; it is not, if the object says that one is
    running.
    """
    meaning = action_of(kind).answers.get(answer.status)
    if meaning is None:
        return None
    try:
        seen = yield from read(kind, graph, name, limit=budget.remaining)
        state = seen.known_state()
        if meaning == "too_soon" and state.phase == "running":
            meaning = "running"
        elif meaning == "too_soon" and next_possible(state, seen.now, kind) is None:
            return None
    except errors.IntuneError:
        return None
    return RequestOutcome(None, answer.request_id, seen=seen, instead=meaning)


def may_be_accepted(status: int, code: str) -> bool:
    """Tell whether an answer of this HTTP status, with this error code in it, leaves open what became of a request.

    A 5xx may come from a gateway, or from a server that broke down after it had done it (RFC 9110, section 15.6). A 503
    means that the server did not handle the request, but Intune uses it also for one that it gave up on in the middle:
    its code then names a timeout, as ``CancelledOnServiceTimeout`` does (Intune-PowerShell-SDK#21).
    """
    return retries.is_trouble(status) and (status != 503 or "timeout" in code.lower())


def _objection(
    kind: Kind, sync_type: str, answer: response.Response, graph: Graph
) -> tuple[errors.IntuneError | None, bool]:
    """Why an answer is no acceptance, None if it is one; and whether it may have been accepted all the same."""
    if answer.status < 300:
        # Graph answers without a body, or with the object; a page of a proxy that says 200 is none of its words.
        host = urlsplit(graph.url).netloc
        return retries.retryable_failure(answer, host, json_expected=bool(answer.body)), True
    if answer.status in retries.RETRIED_STATUSES or may_be_accepted(answer.status, ""):
        doubtful = may_be_accepted(answer.status, error_bodies.parse_error_body(answer.body).code)
        return retries.throttled(answer, "Graph"), doubtful
    action = f"request a {sync_type or 'synchronisation'}"
    return graph.refusal(action, answer, kind.words), False
