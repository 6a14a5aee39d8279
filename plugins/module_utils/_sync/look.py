# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Objects of a kind as Graph shows them: one read by its id, or all of a tenant listed."""

from __future__ import annotations

import itertools
import re
import typing as t
from datetime import datetime

from .._graph.graph import Document, Graph
from .._ground import errors, secrecy, timestamps
from .._http.driver import Operation
from .._kinds.kind import Entity, Kind, State, UnreadableTime, printable

# What is shorter would be masked in words that have nothing to do with it.
_SHORTEST_SECRET = 8
# What an object has more of than these comes from nobody who has secrets.
_MOST_SECRETS = 100
# Graph's ids are GUIDs or words; what is none must not become part of an address.
_ID = re.compile(r"[0-9A-Za-z-]{1,64}")


class Snapshot(t.NamedTuple):
    """An object, read at ``now`` by Graph's clock (None if Graph did not tell the time).

    :param entity: as Graph sent it, not to be shown as a whole.
    :param state: what it shows of its synchronisations, or why that cannot be read.
    :param assumed_utc: whether Graph did not say how far its last synchronisation is from UTC.
    """

    entity: Entity
    state: State | UnreadableTime
    now: datetime | None
    request_id: str | None
    assumed_utc: bool = False

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.entity["id"])

    def known_state(self) -> State:
        """What it shows.

        :raises UnreadableTime: that cannot be read.
        """
        if isinstance(self.state, UnreadableTime):
            raise self.state
        return self.state


class Listing(t.NamedTuple):
    """All objects of a kind in a tenant, each once, in Graph's order.

    :param remark: what the user should know of the list itself, a clause; "" for nothing.
    :param now: Graph's clock when the list began; None if it did not tell.
    """

    found: list[Snapshot]
    remark: str
    now: datetime | None = None


def snapshot(kind: Kind, entity: t.Any, now: datetime | None, request_id: str | None) -> Snapshot:
    """Read an entity.

    :param entity: the JSON object; documentation's samples wrap it in ``value``, the service does not.
    :raises IntuneError: it is not an object of this kind.
    """
    if isinstance(entity, dict) and isinstance(entity.get("value"), dict):
        entity = entity["value"]
    name = entity.get("id") if isinstance(entity, dict) else None
    if not isinstance(name, str) or not _ID.fullmatch(name):
        raise _none_of_them(kind)
    texts = (text for text in _texts([entity.get(name) for name in kind.secrets]) if len(text) >= _SHORTEST_SECRET)
    secrecy.hide(itertools.islice(texts, _MOST_SECRETS))
    entity = printable(entity)
    state: State | UnreadableTime
    assumed_utc = False
    try:
        state = kind.state(entity, now)
        assumed_utc = timestamps.lacks_offset(entity.get(kind.clock))
    except UnreadableTime as error:
        state = error
    return Snapshot(entity, state, now, request_id, assumed_utc)


def _texts(values: list[t.Any]) -> t.Iterator[str]:
    """All texts in what JSON may hold, however deep."""
    while values:
        value = values.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, (list, dict)):
            values += value.values() if isinstance(value, dict) else value


def _none_of_them(kind: Kind) -> errors.IntuneError:
    return errors.IntuneError(
        f"Graph's answer is no {kind.words.one}", advice="check that graph_url is a Microsoft Graph"
    )


def assumed_utc(kind: Kind) -> str:
    """What to say of a time without an offset, a clause."""
    return f"Graph's {kind.clock} does not say how far it is from UTC, and is taken for UTC"


def read(kind: Kind, graph: Graph, name: str, *, limit: float | None = None) -> Operation[Snapshot]:
    """Read one object.

    :param name: its id; "" for the only one.
    :param limit: seconds for all tries, if other than ``retry_timeout``.
    :raises GraphError: Graph refused it (``status`` 404: no such object in this tenant).
    :raises IntuneError: Graph sent something else.
    :raises Unavailable: Graph could not be reached, had no time for it, or answered about another one.
    :raises SignInError: no token.
    """
    try:
        path = "?".join(filter(None, (kind.path_of(name), kind.select)))
        reply = yield from graph.get(path, action="read it", words=kind.words, api=kind.api, limit=limit)
    except errors.GraphError as error:
        if kind.singleton and is_absent(kind, error):
            error.what = f"{kind.words.none_in_tenant} (Graph answered HTTP {error.status})"
            error.advice = "check tenant"
        raise
    found = snapshot(kind, reply.document, reply.date, reply.request_id)
    if name and found.id.lower() != name.lower():
        raise errors.Unavailable(
            f"could not read it, because Graph answered about another {kind.words.short} ({found.id})",
            advice="check that no proxy changes what Graph answers",
            request_id=reply.request_id,
        )
    return found


def read_all(kind: Kind, graph: Graph, query: str = "", *, limit: float | None = None) -> Operation[Listing]:
    """Read every object of a kind in the tenant. What is no such object is left out.

    One that comes twice was moved from page to page in between; what was read later counts, if it can be read.

    :param query: options of the address that choose among them, as far as Graph heeds them.
    :param limit: seconds for all tries, if other than ``retry_timeout``.
    :raises IntuneError: nothing in the list is one. Else what :func:`read` raises.
    """
    found: dict[str, Snapshot] = {}
    others = 0
    began: list[datetime | None] = []

    def take(page: Document) -> None:
        nonlocal others
        began.append(page.date)
        for entity in page.document["value"]:
            try:
                entry = snapshot(kind, entity, page.date, page.request_id)
            except errors.IntuneError:
                others += 1
                continue
            name = entry.id.lower()
            if isinstance(entry.state, State) or name not in found:
                found[name] = entry

    path = "?".join(filter(None, (kind.path, query)))
    try:
        yield from graph.pages(path, take, action="list them", words=kind.words, api=kind.api, limit=limit)
    except errors.GraphError as error:
        if not is_absent(kind, error) or found:
            raise
        return none_in_tenant(kind, error)
    if others and not found:
        raise _none_of_them(kind)
    many = "an entry that is none, which is" if others == 1 else f"{others} entries that are none, which are"
    return Listing(list(found.values()), f"Graph's list has {many} left out" if others else "", began[0])


def listing(kind: Kind, graph: Graph, name: str = "") -> Operation[Listing]:
    """Read what there is of a kind as a list; or one object by its ``name``."""
    return read_some(kind, graph, name) if name or kind.singleton else read_all(kind, graph)


def read_some(kind: Kind, graph: Graph, name: str) -> Operation[Listing]:
    """Read one object as a list of it, which is empty if it does not exist; ``name`` as in :func:`read`."""
    try:
        found = yield from read(kind, graph, name)
    except errors.GraphError as error:
        if is_absent(kind, error):
            return none_in_tenant(kind, error)
        if error.status == 404:
            return Listing([], "")
        raise
    return Listing([found], "", found.now)


def is_absent(kind: Kind, error: errors.GraphError) -> bool:
    """Whether Graph says that the tenant has none of this kind.

    It says so by 501; of what a tenant has one or none of, also by 404.
    """
    return error.none_in_tenant or (kind.singleton and error.status in (404, 501))


def none_in_tenant(kind: Kind, error: errors.GraphError) -> Listing:
    """The list of a tenant of which Graph says (see :func:`is_absent`) that it has none."""
    instead = f"; {kind.words.instead}" if kind.words.instead else ""
    code = f", {error.code}" if error.code else ""
    return Listing([], f"{kind.words.none_in_tenant} (Graph answered HTTP {error.status}{code}){instead}")
