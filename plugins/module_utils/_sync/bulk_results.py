# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""What is told of thousands of objects: how many came to what, and those that failed one by one."""

from __future__ import annotations

import typing as t
from datetime import datetime

from .._ground import errors
from .._kinds.kind import Kind, shown, snake_case
from .ask import RequestOutcome
from .look import Snapshot
from .results import SyncFailed, unknown_outcome

# How many of those that failed are told of one by one, how many reasons, and how many names for each.
_MOST_TOLD, _MOST_REASONS, _MOST_NAMES = 100, 5, 5
# How many of those that were asked are named. An id takes 40 characters, and of a result of more than 700,000 nothing
# reaches AWX (MAX_EVENT_RES of ansible-runner).
_MOST_ASKED = 15_000
# If so many are the first to be asked and all are forbidden, the others are not asked.
FIRST = 20


class End(t.NamedTuple):
    """What came of an object.

    :param state: as the modules document it; ``left_out`` of what cannot be synchronised, and ``not_asked``.
    :param last: it as it was read last; None if it could not be.
    :param error: why it failed.
    """

    state: str
    last: Snapshot | None = None
    error: errors.IntuneError | None = None
    requested_at: datetime | None = None

    @property
    def changed(self) -> bool:
        """Whether Graph accepted a request, or may have."""
        return self.state in ("requested", "completed", "unknown")


def is_forbidden(end: t.Any) -> bool:
    """Whether it was for lack of a permission that a request was refused."""
    return isinstance(end, errors.SignInError) or (isinstance(end, errors.GraphError) and end.status in (401, 403))


def result_of(kind: Kind, ends: t.Mapping[str, End], *, due: int, tenant: str, return_all: bool) -> dict[str, t.Any]:
    """Put what came of all into one result.

    :param ends: by the objects' ids.
    :param due: how many of them were to be asked.
    :param tenant: as the user named it; "" if that is not known.
    :param return_all: whether to tell of all one by one, and not only of those that failed.
    :raises SyncFailed: some failed.
    """
    forbidden = next((end.error for end in ends.values() if end.state == "failed" and is_forbidden(end.error)), None)
    counts = _counts(ends, due)
    failures = {name: _failure(kind, end, forbidden) for name, end in ends.items()}
    failed = {name: error for name, error in failures.items() if error is not None}
    told = ends if return_all else [*failed][:_MOST_TOLD]
    result = {
        "changed": any(end.changed or end.state == "predicted" for end in ends.values()),
        "counts": counts,
        # Theirs alone, as a node of the Ansible Automation Platform is a device that was asked: extensions/audit/.
        f"asked_{kind.words.ids_option}": [name for name, end in ends.items() if end.changed][:_MOST_ASKED],
        kind.results_key: [_entry(kind, name, ends[name], failed.get(name), tenant) for name in told],
        "diff": {"before": {"due": due}, "after": {"due": due - counts["requested"] - counts["predicted"]}},
    }
    if failed:
        raise SyncFailed(errors.IntuneError(f"{len(failed)} of {len(ends)} failed - {_reasons(failed)}"), result)
    return result


def _counts(ends: t.Mapping[str, End], due: int) -> dict[str, int]:
    """How many came to what."""
    states = [end.state for end in ends.values()]
    return {
        "found": len(states),
        "fresh": states.count("fresh"),
        "left_out": states.count("left_out"),
        "due": due,
        "predicted": states.count("predicted"),
        "requested": states.count("requested") + states.count("completed"),
        "came_in": states.count("completed"),
        "failed": states.count("failed") + states.count("refused"),
        "unknown": states.count("unknown"),
        "not_asked": states.count("not_asked"),
    }


def _failure(kind: Kind, end: End, forbidden: errors.IntuneError | None) -> errors.IntuneError | None:
    """Why an object failed; None if it did not."""
    if end.state == "not_asked":
        why = forbidden.what if forbidden else ""
        return errors.IntuneError(
            f"it was not asked, because none of the first {FIRST} was allowed: {why}",
            advice=forbidden.advice if forbidden else "",
        )
    if end.state == "unknown" and end.error is not None:
        outcome = RequestOutcome(None, end.error.request_id, failure=end.error)
        return unknown_outcome(outcome, snake_case(kind.clock))
    return end.error


def _entry(kind: Kind, name: str, end: End, error: errors.IntuneError | None, tenant: str) -> dict[str, t.Any]:
    entry: dict[str, t.Any] = {
        kind.words.id_option: name,
        "changed": end.changed,
        "state": end.state,
        "failed": error is not None,
    }
    if end.last is not None:
        entry[kind.result_key] = shown(kind, end.last.entity)
    if error is not None:
        entry["msg"] = error.sentence(kind.words.subject(name, tenant))
        entry["request_id"] = error.request_id
    return entry


def _reasons(failed: t.Mapping[str, errors.IntuneError]) -> str:
    """Why some failed, those with the same reason together; no more than can be read."""
    names: dict[str, list[str]] = {}
    for name, error in failed.items():
        names.setdefault(error.sentence().rstrip("."), []).append(name)
    parts = [
        f"{', '.join(who[:_MOST_NAMES])}{_others(len(who) - _MOST_NAMES)}: {reason}"
        for reason, who in sorted(names.items(), key=lambda one: -len(one[1]))
    ]
    more = len(parts) - _MOST_REASONS
    return "; ".join(parts[:_MOST_REASONS]) + (
        f"; and {more} other reason{'' if more == 1 else 's'}" if more > 0 else ""
    )


def _others(count: int) -> str:
    return "" if count <= 0 else f" and {count} other{'' if count == 1 else 's'}"
