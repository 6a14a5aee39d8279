# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""What a module returns of one object, and the sentences about what went wrong with it."""

from __future__ import annotations

import typing as t
from datetime import datetime

from .._ground import errors, timestamps
from .._kinds.kind import Kind, State, shown, snake_case
from .ask import RequestOutcome
from .decide import Decision
from .look import Snapshot
from .options import SyncOptions


class SyncFailed(errors.IntuneError):
    """The synchronisation failed after the object was read.

    :param result: what is known all the same, as :meth:`SyncResult.as_dict` gives it.
    """

    def __init__(self, cause: errors.IntuneError, result: dict[str, t.Any]) -> None:
        super().__init__(cause.what, advice=cause.advice, request_id=cause.request_id)
        self.result = result


class Obstructed(SyncFailed):
    """No synchronisation was requested, because none can help until somebody acts."""


class SyncResult:
    """The result of one object, put together in one place.

    :param first: the object as it was read first.
    """

    def __init__(self, kind: Kind, options: SyncOptions, first: Snapshot, decision: Decision) -> None:
        self._kind = kind
        self._options = options
        self._first = first
        self.decision = decision
        self.requested_at: datetime | None = None
        self.request_id = first.request_id

    def as_dict(self, state: str, *, seen: Snapshot | None = None, changed: bool = False) -> dict[str, t.Any]:
        """The result in its final form.

        :param state: what became of the synchronisation, one of the words in the modules' documentation.
        :param seen: the object as it was read last, if again.
        """
        kind, last = self._kind, seen or self._first
        entity, before = shown(kind, last.entity), shown(kind, self._first.entity)
        clock, status = snake_case(kind.clock), snake_case(kind.status)
        after = {clock: entity[clock], status: last.known_state().word}
        if changed:
            after["sync"] = f"{self._options.noun} {state}"
        ended = last.known_state().succeeded if state == "completed" else None
        if seen is not None and state == "joined" and last.known_state().phase != "running":
            ended = last.known_state().succeeded
        sync: dict[str, t.Any] = {"type": self._options.sync_type} if self._options.sync_type else {}
        return {
            "changed": changed,
            kind.result_key: entity,
            "sync": {
                **sync,
                "state": state,
                "reason": self.decision.reason,
                "requested_at": timestamps.text(self.requested_at),
                "completed_at": timestamps.text(ended),
                "age": self.decision.age,
                "max_age": self._options.max_age,
                "previous_sync_date_time": before[clock],
                "next_possible_at": timestamps.text(self.decision.next_possible_at),
            },
            "request_id": self.request_id,
            "diff": {
                "before": {clock: before[clock], status: self._first.known_state().word},
                "after": after,
            },
        }


def refused(kind: Kind, options: SyncOptions, state: State) -> errors.IntuneError:
    """That no synchronisation was requested, because it could not help."""
    why = f" ({state.note})" if state.note else ""
    advice = kind.remedy
    if kind.obstacle_option:
        advice += f", or set {kind.obstacle_option} to false to request one all the same"
    return errors.IntuneError(f"{state.obstacle}, so no {options.noun} was requested{why}", advice=advice)


def too_late(options: SyncOptions, possible: datetime) -> errors.IntuneError:
    """That Intune takes no request before the time to wait is over."""
    return errors.IntuneError(
        f"Intune takes no request before {timestamps.text(possible)}, which is longer to wait than wait_timeout"
        f" ({timestamps.humanize(options.wait_timeout)}) allows",
        advice="run again after that time, or raise wait_timeout",
    )


def unknown_outcome(outcome: RequestOutcome, clock: str) -> errors.IntuneError:
    """That nobody knows whether the request was accepted, and nobody waits to see it.

    :param clock: what to look at, in snake_case.
    """
    why = outcome.failure.what if outcome.failure else "its answer was lost"
    return errors.IntuneError(
        f"whether Graph accepted the request is not known, because {why}",
        advice=f"look at {clock} in some minutes, or let this module do so with wait",
        request_id=outcome.request_id,
    )


def failed_end(kind: Kind, options: SyncOptions, last: State, outcome: RequestOutcome) -> errors.IntuneError:
    """That a synchronisation ended, and failed."""
    begin = "the synchronisation that was running" if outcome.instead else f"the {options.noun}"
    return errors.IntuneError(
        f"{begin} failed: {kind.status_words} is {last.word}",
        advice=f"look at the {kind.words.short} in Intune's admin centre, and run again",
        request_id=outcome.request_id,
    )


def timed_out(
    kind: Kind, options: SyncOptions, last: Snapshot, outcome: RequestOutcome, trouble: errors.IntuneError | None
) -> errors.IntuneError:
    """That the end of a synchronisation did not show.

    :param last: the object as it was read last.
    :param trouble: what was wrong with the very last look, if anything.
    """
    state = last.known_state()
    if outcome.instead:
        since = f" since {timestamps.text(state.requested)}" if state.requested else ""
        begin = f"a synchronisation that was asked for elsewhere runs{since}, and was waited for"
    elif outcome.failure is not None:
        begin = f"whether Graph accepted the {options.noun} is not known ({outcome.failure.what})"
    else:
        at = f" at {timestamps.text(outcome.at)}" if outcome.at else ""
        begin = f"Graph accepted the {options.noun}{at}"
    request_id = (trouble.request_id if trouble else None) or outcome.request_id
    if trouble is not None:
        return errors.IntuneError(
            f"{begin}, but whether it ended cannot be seen: {trouble.what}",
            advice=trouble.advice,
            request_id=request_id,
        )
    shows = (
        f"{kind.clock} still is {timestamps.text(state.succeeded) or 'never'}, and the {kind.status_words} {state.word}"
    )
    return errors.IntuneError(
        f"{begin}, but it did not show within wait_timeout ({timestamps.humanize(options.wait_timeout)}): {shows}",
        advice=state.silent or "it may still be running: run again later, or raise wait_timeout",
        request_id=request_id,
    )
