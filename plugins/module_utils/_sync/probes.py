# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Ask Graph for one object of each kind, to see what it answers; nothing is kept of the object."""

from __future__ import annotations

import typing as t
from datetime import datetime

from .._graph.graph import Graph, no_list
from .._ground import errors
from .._http import response, retries
from .._http.driver import Operation, Request
from .._kinds.kind import Kind
from .look import is_absent, snapshot


class Probe(t.NamedTuple):
    """What Graph answered.

    :param status: the HTTP status; None if there was no answer.
    :param msg: it in one sentence.
    :param good: whether the kind can be read, be there something or nothing.
    :param date: Graph's clock.
    """

    status: int | None
    msg: str
    good: bool
    date: datetime | None
    request_id: str | None

    def as_dict(self) -> dict[str, t.Any]:
        """What is returned of it."""
        return {"status": self.status, "msg": self.msg, "request_id": self.request_id}


def run(kinds: t.Sequence[Kind], graph: Graph) -> dict[str, Probe]:
    """Ask for all kinds, in one batch for each version of Graph, and once: what fails is told, and not repeated."""
    found = graph.gather([_probe(kind, graph.asking_for(kind.permission)) for kind in kinds])
    return {kind.name: _of(kind, probe) for kind, probe in zip(kinds, found)}


def _of(kind: Kind, probe: Probe | errors.IntuneError) -> Probe:
    if isinstance(probe, errors.IntuneError):
        status = probe.status if isinstance(probe, errors.GraphError) else None
        return Probe(status, probe.sentence(kind.words.many), False, None, probe.request_id)
    return probe


def _probe(kind: Kind, graph: Graph) -> Operation[Probe]:
    words = kind.words
    query = "" if kind.singleton else f"?$top=1{f'&{kind.select}' if kind.select else ''}"
    answer: response.Response = yield Request("GET", f"{kind.path}{query}", api=kind.api)
    action = "read it" if kind.singleton else "list them"
    trouble: errors.IntuneError | None = retries.retryable_failure(answer, "Graph", json_expected=True)
    if not trouble and answer.status >= 300:
        trouble = graph.refusal(action, answer, words)
    none = isinstance(trouble, errors.GraphError) and is_absent(kind, trouble)
    if not trouble:
        document = answer.json()
        entries = [document] if kind.singleton else document.get("value")
        none = entries == []
        trouble = _no_object(kind, entries, answer, action)
    good = none or not trouble
    said = f"{words.none_in_tenant}." if none else trouble.sentence(words.many) if trouble else "it can be read."
    return Probe(answer.status, said, good, answer.date, answer.request_id)


def _no_object(kind: Kind, entries: t.Any, answer: response.Response, action: str) -> errors.IntuneError | None:
    """Why an answer that is a success shows no object of a kind; None if it does, or a list without any."""
    if not isinstance(entries, list):
        return no_list(action)
    try:
        for entity in entries[:1]:
            snapshot(kind, entity, answer.date, answer.request_id)
    except errors.IntuneError as error:
        return error
    return None
