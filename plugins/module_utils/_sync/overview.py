# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""How all connectors and tokens of a tenant are: what each shows, what is wrong with it, and what ends soon."""

from __future__ import annotations

import math
import typing as t
from datetime import datetime, timedelta

from .._graph.graph import Graph
from .._ground import errors, timestamps
from .._kinds.kind import Kind, UnreadableTime, shown, word_of
from .decide import age_of
from .look import Listing, Snapshot, assumed_utc, listing


class Overview(t.NamedTuple):
    """What was read.

    :param found: by kind, its objects, or why they could not be read.
    """

    found: t.Sequence[tuple[Kind, Listing | errors.IntuneError]]

    @property
    def warnings(self) -> list[str]:
        """What the user should read, as clauses."""
        clauses = []
        for kind, read_ in self.found:
            if isinstance(read_, errors.IntuneError):
                clauses.append(f"{kind.words.many}: {read_.sentence().rstrip('.')}")
            elif read_.found and read_.remark:
                clauses.append(f"{kind.words.many}: {read_.remark}")
            elif any(entry.assumed_utc for entry in read_.found):
                clauses.append(f"{kind.words.many}: {assumed_utc(kind)}")
        return clauses

    def as_dict(self, warn_days: int) -> dict[str, t.Any]:
        """The result.

        :param warn_days: of what ends within so many days, that is a problem.
        """
        entries = [
            (severity, entry)
            for kind, read_ in self.found
            if isinstance(read_, Listing)
            for severity, entry in (_entry(kind, one, warn_days) for one in read_.found)
        ]
        return {
            "connectors_and_tokens": [entry for _severity, entry in sorted(entries, key=_worst_first)],
            "absent": [kind.name for kind, read_ in self.found if isinstance(read_, Listing) and not read_.found],
            "unreadable": [
                {"kind": kind.name, "msg": read_.sentence(kind.words.many), "request_id": read_.request_id}
                for kind, read_ in self.found
                if isinstance(read_, errors.IntuneError)
            ],
        }


def read(kinds: t.Sequence[Kind], graph: Graph) -> Overview:
    """Read all objects of some kinds together, in one batch for each version of Graph.

    :raises IntuneError: not one kind could be read.
    """
    operations = [listing(kind, graph.asking_for(kind.permission)) for kind in kinds]
    found = list(zip(kinds, graph.gather(operations)))
    failures = [read_ for _kind, read_ in found if isinstance(read_, errors.IntuneError)]
    if failures and len(failures) == len(found):
        reasons = dict.fromkeys(failure.what for failure in failures)
        if len(reasons) == 1:
            raise failures[0]
        whole = "; ".join(f"{kind.words.many}: {t.cast(errors.IntuneError, read_).what}" for kind, read_ in found)
        raise errors.IntuneError(
            f"nothing could be read - {whole}", advice=failures[0].advice, request_id=failures[0].request_id
        )
    return Overview(found)


# What is worse comes first.
_EXPIRED, _OBSTRUCTED, FAILED, _EXPIRES, _UNREADABLE, _WELL = range(6)


def _worst_first(ranked: tuple[int, dict[str, t.Any]]) -> tuple[t.Any, ...]:
    severity, entry = ranked
    days = entry["days_left"]
    return severity, math.inf if days is None else days, entry["kind"], str(entry["name"]).lower(), entry["id"]


def _entry(kind: Kind, one: Snapshot, warn_days: int) -> tuple[int, dict[str, t.Any]]:
    severity, problem, last, expires = _WELL, None, None, None
    word = word_of(one.entity, kind.health or kind.status)
    if isinstance(one.state, UnreadableTime):
        severity, problem = _UNREADABLE, one.state.what
    else:
        severity, problem = problem_of(kind, one, warn_days)
        last, expires = one.state.succeeded, one.state.expires
        # What an object tells of its synchronisations, unless it has a word for its health.
        word = word if kind.health else one.state.word
    return severity, {
        "kind": kind.name,
        "id": one.id,
        "name": kind.called(one.entity),
        "state": word,
        "last_sync_date_time": timestamps.text(last),
        "age": age_of(last, one.now),
        "expires_date_time": timestamps.text(expires),
        "days_left": days_left(expires, one.now),
        "problem": problem,
        "properties": shown(kind, one.entity),
    }


def days_left(expires: datetime | None, now: datetime | None) -> int | None:
    """The whole days until something ends, rounded down: 0 on its last day, negative when it is past."""
    return None if expires is None or now is None else (expires - now) // timedelta(days=1)


def expires_soon(kind: Kind, left: int | None, warn_days: int) -> str:
    """Say that an object expires within ``warn_days``, a clause with what to do; "" if it does not, or has already.

    :param left: the days until then, as of :func:`days_left`.
    """
    if left is None or not 0 <= left <= warn_days:
        return ""
    return f"it expires {timestamps.within_days(left)}" + (f": {kind.remedy}" if kind.remedy else "")


def problem_of(kind: Kind, one: Snapshot, warn_days: int) -> tuple[int, str | None]:
    """What is wrong with an object, with what to do about it; the worst of it."""
    state = one.known_state()
    left = days_left(state.expires, one.now)
    remedy = f": {kind.remedy}" if kind.remedy else ""
    if left is not None and left < 0:
        return _EXPIRED, f"it expired on {timestamps.text(state.expires)}{remedy}"
    if state.obstacle:
        note = f" ({state.note})" if state.note else ""
        return _OBSTRUCTED, f"{state.obstacle}{note}{remedy}"
    if state.phase == "failed":
        return FAILED, f"the last synchronisation failed ({kind.status_words} is {state.word})"
    soon = expires_soon(kind, left, warn_days)
    if soon:
        return _EXPIRES, soon
    if state.note:
        return _OBSTRUCTED, state.note
    return _WELL, None
