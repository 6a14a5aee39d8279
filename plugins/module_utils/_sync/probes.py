# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Ask Graph for one object of each kind, to see what it answers; nothing is kept of the object."""

from __future__ import annotations

import typing as t
from datetime import datetime

from .._graph.graph import Graph
from .._ground import errors
from .._http import response, retries
from .._http.driver import Operation, Request
from .._kinds.kind import Kind
from .look import is_absent


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
    if answer.status >= 300:
        trouble = retries.retryable_failure(answer, "Graph", json_expected=True)
        error = trouble or graph.refusal("read them", answer, words)
        if isinstance(error, errors.GraphError) and is_absent(kind, error):
            return Probe(answer.status, f"{words.none_in_tenant}.", True, answer.date, answer.request_id)
        return Probe(answer.status, error.sentence(words.many), False, answer.date, answer.request_id)
    strange = retries.retryable_failure(answer, "Graph", json_expected=True)
    if strange is not None:
        return Probe(answer.status, strange.sentence(words.many), False, answer.date, answer.request_id)
    none = not kind.singleton and not answer.json().get("value")
    said = f"{words.none_in_tenant}." if none else "it can be read."
    return Probe(answer.status, said, True, answer.date, answer.request_id)
