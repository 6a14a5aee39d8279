# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""The resource: Graph's deviceManagementExchangeConnector, read, listed, and asked to synchronise.

https://learn.microsoft.com/graph/api/resources/intune-onboarding-devicemanagementexchangeconnector
"""

from __future__ import annotations

import contextlib
import json
import math
import re
import typing as t
from datetime import datetime
from urllib.parse import urlsplit

from .._graph import graph_errors
from .._graph.graph import Graph
from .._ground import error_bodies, errors, timestamps, untrusted
from .._http import retries, transport
from .._http.driver import Operation, Request, Sleep

CONNECTED = "connected"

_COLLECTION = "/deviceManagement/exchangeConnectors"
# Graph's ids are GUIDs; what is none must not become part of an address.
_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

_HALF_A_CHARACTER = re.compile("[\ud800-\udfff]")

ASSUMED_UTC = "Graph's lastSyncDateTime does not say how far it is from UTC, and is taken for UTC"

# A request whose answer was lost may have been accepted; it is repeated once, so that two are accepted at most.
_MOST_LOST = 2


class Connector(t.NamedTuple):
    """A connector as Graph showed it.

    :param properties: all of its properties in snake_case; ``last_sync_date_time`` in UTC, None for never.
    :param last_sync: the end of the last successful synchronisation, full or delta (Graph does not say which); None if
        there was none.
    :param assumed_utc: whether Graph did not say how far that is from UTC.
    """

    properties: t.Mapping[str, t.Any]
    last_sync: datetime | None
    assumed_utc: bool = False

    @property
    def status(self) -> str:
        """Its status; one that is not in the documentation is passed on as it is."""
        return untrusted.one_line(str(self.properties.get("status") or "none"))


class Reading(t.NamedTuple):
    """A connector, read at ``now`` by Graph's clock (None if Graph did not tell the time)."""

    connector: Connector
    now: datetime | None
    request_id: str | None


class UnreadableTime(errors.IntuneError):
    """Graph's time of a connector's last synchronisation cannot be read.

    :param connector: all else that is known of it.
    """

    def __init__(self, why: str, connector: Connector) -> None:
        super().__init__(
            f"Graph's lastSyncDateTime cannot be read: {untrusted.one_line(why)}",
            advice="report it to graphops.intune, because without it no one can tell when the connector synchronised",
        )
        self.connector = connector


class Listing(t.NamedTuple):
    """All connectors of a tenant, each once.

    :param found: in Graph's order, each as it was read, or why its time could not be.
    :param remark: what the user should know of the list itself, a clause; "" for nothing.
    """

    found: list[Reading | UnreadableTime]
    remark: str


class Requested(t.NamedTuple):
    """What became of the request to synchronise.

    :param at: when Graph accepted it, by its clock, if known.
    :param seen: the connector, if it was read again and the synchronisation had already shown.
    :param failure: why nobody can tell whether Graph accepted it: its answers were lost. None if it did.
    """

    at: datetime | None
    request_id: str | None
    seen: Reading | None = None
    failure: errors.IntuneError | None = None


def from_graph(entity: t.Any) -> Connector:
    """Translate Graph's entity into our names.

    :param entity: the JSON object; the documentation's sample wraps it in ``value``, the service does not.
    :raises UnreadableTime: its time of synchronisation is not a time.
    :raises IntuneError: it is not a connector.
    """
    if isinstance(entity, dict) and isinstance(entity.get("value"), dict):
        entity = entity["value"]
    name = entity.get("id") if isinstance(entity, dict) else None
    if not isinstance(name, str) or not _ID.fullmatch(name):
        raise _no_connector()
    properties = {snake_case(name): value for name, value in _printable(entity).items() if "@" not in name}
    # Names that differ in case only become one; what was checked above is what counts.
    properties.update(id=name, last_sync_date_time=None)
    text = entity.get("lastSyncDateTime")
    try:
        last_sync = timestamps.parse(text)
    except ValueError as error:
        raise UnreadableTime(str(error), Connector(properties, None)) from error
    properties["last_sync_date_time"] = timestamps.text(last_sync)
    return Connector(properties, last_sync, timestamps.lacks_offset(text))


def _no_connector() -> errors.IntuneError:
    return errors.IntuneError(
        "Graph's answer is no Exchange connector", advice="check that graph_url is a Microsoft Graph"
    )


def _printable(value: t.Any) -> t.Any:
    """The same, without what JSON can say and no file, pipe or other JSON can hold: halves of characters, infinity."""
    if isinstance(value, str):
        return _HALF_A_CHARACTER.sub("\ufffd", value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {_printable(name): _printable(entry) for name, entry in value.items()}
    return [_printable(entry) for entry in value] if isinstance(value, list) else value


def snake_case(name: str) -> str:
    """Translate a property's name: ``lastSyncDateTime`` becomes ``last_sync_date_time``."""
    return _WORD_START.sub("_", name).lower()


def read(graph: Graph, connector_id: str, *, limit: float | None = None) -> Operation[Reading]:
    """Read one connector.

    :param connector_id: its GUID.
    :param limit: seconds for all tries, if other than ``retry_timeout``.
    :raises GraphError: Graph refused it (``status`` 404: no such connector in this tenant).
    :raises IntuneError: Graph sent something else.
    :raises Unavailable: Graph could not be reached, had no time for it, or answered about another one.
    :raises SignInError: no token.
    """
    reply = yield from graph.get(f"{_COLLECTION}/{connector_id}", action="read it", limit=limit)
    connector = from_graph(reply.document)
    found = str(connector.properties["id"])
    if found.lower() != connector_id.lower():
        raise errors.Unavailable(
            f"could not read it, because Graph answered about another connector ({found})",
            advice="check that no proxy changes what Graph answers",
            request_id=reply.request_id,
        )
    return Reading(connector, reply.date, reply.request_id)


def read_all(graph: Graph) -> Listing:
    """Read every connector of the tenant. What is no connector is left out.

    One that comes twice was moved from page to page in between; what was read later counts, if it can be read.

    :raises IntuneError: nothing in the list is a connector. Else what :func:`read` raises.
    """
    found: dict[str, Reading | UnreadableTime] = {}
    others = 0
    try:
        for page in graph.pages(_COLLECTION, action="list them"):
            for entity in page.document["value"]:
                entry: Reading | UnreadableTime
                try:
                    entry = Reading(from_graph(entity), page.date, page.request_id)
                except UnreadableTime as error:
                    entry = error
                except errors.IntuneError:
                    others += 1
                    continue
                name = str(entry.connector.properties["id"]).lower()
                if isinstance(entry, Reading) or name not in found:
                    found[name] = entry
    except errors.GraphError as error:
        if not error.none_in_tenant or found:
            raise
        return none_in_tenant(error)
    if others and not found:
        raise _no_connector()
    many = "an entry that is none, which is" if others == 1 else f"{others} entries that are none, which are"
    return Listing(list(found.values()), f"Graph's list has {many} left out" if others else "")


def none_in_tenant(error: errors.GraphError) -> Listing:
    """The list of a tenant of which Graph says (see :attr:`errors.GraphError.none_in_tenant`) that it has none."""
    return Listing(
        [], f"{graph_errors.NONE_IN_TENANT} (Graph answered HTTP {error.status}, {error.code}); {graph_errors.INSTEAD}"
    )


def has_moved(before: Connector, after: Connector) -> bool:
    """Tell whether a synchronisation ended between two readings."""
    return after.last_sync is not None and (before.last_sync is None or after.last_sync > before.last_sync)


def request_sync(
    graph: Graph, connector_id: str, sync_type: str, before: Connector, budget: retries.RetryBudget
) -> Operation[Requested]:
    """Ask for a synchronisation, as often as needed and as seldom as possible.

    Throttling (429) and refusals for lack of time (503) are repeated while ``budget`` lasts. After a lost answer the
    connector is read first, and if that does not show the synchronisation, there is a second request, and never a
    third.

    :param budget: begun with the first request about this connector, so that all of them share its time.
    :param before: the connector as it was before, to see whether it moved.
    :returns: accepted, seen, or nobody can tell.
    :raises GraphError: Graph refused it.
    :raises Unavailable: Graph could not be reached, or had no time for it, and surely has not accepted it.
    :raises SignInError: no token.
    """
    http, content = graph.http, json.dumps({"syncType": sync_type})
    lost = 0
    failure: errors.IntuneError
    while True:
        asked, reread = None, True
        try:
            answer = yield Request("POST", f"{_COLLECTION}/{connector_id}/sync", content, timeout=budget.remaining)
        except errors.NoResponse as error:
            failure, reread = error, error.may_have_run
            lost += error.may_have_run
            if error.permanent:
                break
        except errors.IntuneError as error:
            failure = error
            break
        else:
            objection, doubtful = _objection(sync_type, answer, graph)
            if objection is None:
                return Requested(answer.date, answer.request_id)
            failure = objection
            if not isinstance(failure, errors.Unavailable):
                break
            asked, reread = answer.retry_after(http.clock.now()), answer.status != 429
            lost += doubtful
        if lost >= _MOST_LOST:
            break
        pause = budget.next_delay(asked)
        if pause is None:
            failure = transport.exhausted(failure, tries=budget.tries, asked=asked, limit=http.retry_timeout)
            break
        yield Sleep(pause)
        if reread or lost:
            try:
                seen = yield from read(graph, connector_id, limit=budget.remaining)
            except errors.IntuneError as error:
                failure = error
                break
            if has_moved(before, seen.connector):
                return Requested(None, seen.request_id, seen=seen)
    if not lost:
        raise failure
    with contextlib.suppress(errors.IntuneError):
        seen = yield from read(graph, connector_id, limit=0)
        if has_moved(before, seen.connector):
            return Requested(None, seen.request_id, seen=seen)
    return Requested(None, failure.request_id, failure=failure)


def may_be_accepted(status: int, code: str) -> bool:
    """Tell whether an answer of this HTTP status, with this error code in it, leaves open what became of a request.

    A 5xx may come from a gateway, or from a server that broke down after it had done it (RFC 9110, section 15.6). A 503
    means that the server did not handle the request, but Intune uses it also for one that it gave up on in the middle:
    its code then names a timeout, as ``CancelledOnServiceTimeout`` does (Intune-PowerShell-SDK#21).
    """
    return retries.is_trouble(status) and (status != 503 or "timeout" in code.lower())


def _objection(sync_type: str, answer: transport.Response, graph: Graph) -> tuple[errors.IntuneError | None, bool]:
    """Why an answer is no acceptance, None if it is one; and whether it may have been accepted all the same."""
    if answer.status < 300:
        # Graph answers without a body; a page of a proxy that says 200 is none of its words.
        host = urlsplit(graph.url).netloc
        return transport.retryable_failure(answer, host, json_expected=bool(answer.body)), True
    if answer.status in retries.RETRIED_STATUSES or may_be_accepted(answer.status, ""):
        doubtful = may_be_accepted(answer.status, error_bodies.parse_error_body(answer.body).code)
        return transport.throttled(answer, "Graph"), doubtful
    action = f"request a {sync_type}"
    return graph_errors.graph_error(action, answer.status, answer.body, answer.request_id, asker=graph.asker), False
