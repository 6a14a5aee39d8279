# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Whether a synchronisation is needed, and whether one has ended: pure functions of what an object shows."""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta

from .._ground import timestamps
from .._kinds.kind import Kind, State
from .options import SyncOptions, action_of

Verdict = t.Literal["fresh", "joined", "refused", "too_soon", "due"]

# Seconds by which the end of a synchronisation may lie ahead of Graph's clock: its servers' clocks differ a little.
CLOCK_SKEW = 300


class Decision(t.NamedTuple):
    """What to do about an object.

    :param verdict: ``fresh``: recent enough; ``joined``: one is running; ``refused``: none can help; ``too_soon``:
        Intune takes none yet; ``due``: one is to be requested.
    :param reason: why, in words.
    :param age: seconds since the last synchronisation by Graph's clock; None if there was none, or no clock.
    :param warning: what the user should hear although all is well; "" for nothing.
    :param next_possible_at: from when on Intune takes a request; None if at any time, or this is not known.
    """

    verdict: Verdict
    reason: str
    age: int | None
    warning: str = ""
    next_possible_at: datetime | None = None


def age_of(last_sync: datetime | None, now: datetime | None) -> int | None:
    """The age of a synchronisation in seconds; None if not known, or if it lies in the future and cannot be true."""
    if last_sync is None or now is None:
        return None
    age = (now - last_sync).total_seconds()
    return None if age < -CLOCK_SKEW else max(0, int(age))


def decide(state: State, now: datetime | None, options: SyncOptions, kind: Kind) -> Decision:
    """Decide whether an object needs a synchronisation.

    ``force`` and a ``max_age`` of 0 skip ``fresh`` alone.

    :param now: Graph's clock when the object was read.
    """
    action = action_of(kind)
    age = age_of(state.succeeded, now)
    recent, reason, warning = _recency(state, now, age, options, kind)
    if recent:
        if state.obstacle:
            warning = f"{state.obstacle}, so the next synchronisation fails unless that changes"
        return Decision("fresh", reason, age, warning)
    if state.phase == "running" and not (options.force and action.repeatable_while_running):
        return Decision("joined", "a synchronisation is running already", age, warning)
    if state.obstacle and not options.ignore_obstacle:
        return Decision("refused", reason, age, warning)
    possible = next_possible(state, now, kind)
    if possible is not None:
        soon = f"Intune takes one request within {timestamps.humanize(action.interval)}, and the last was less ago"
        return Decision("too_soon", soon, age, warning, possible)
    return Decision("due", reason, age, warning)


def next_possible(state: State, now: datetime | None, kind: Kind) -> datetime | None:
    """From when on Intune takes a request; None if it does now, or if nobody can tell."""
    interval = action_of(kind).interval
    if not interval or state.newest is None or now is None:
        return None
    possible = state.newest + timedelta(seconds=interval)
    return possible if possible > now else None


def _recency(
    state: State, now: datetime | None, age: int | None, options: SyncOptions, kind: Kind
) -> tuple[bool, str, str]:
    """Whether the last synchronisation is recent enough, why (not), and a warning about how that is known."""
    ago = "" if age is None else f"the last synchronisation ended {timestamps.humanize(age)} ago"
    limit = f"max_age ({timestamps.humanize(options.max_age)})"
    if options.force:
        return False, "force is set", ""
    if options.max_age == 0:
        return False, f"a {options.noun} is always requested, as max_age is 0", ""
    if state.phase == "failed":
        return False, f"the last synchronisation failed ({kind.status_words} {state.word})", ""
    if state.succeeded is None:
        return False, f"the {kind.words.short} has never synchronised", ""
    if now is None:
        reason = "Graph did not tell the time, so the age of the last synchronisation is not known"
        return False, reason, f"{reason}; it is taken for too old"
    if age is None:
        reason = f"the last synchronisation is said to end in the future ({timestamps.text(state.succeeded)})"
        return False, reason, f"{reason}; it is taken for too old"
    if age >= options.max_age:
        return False, f"{ago}, beyond {limit}", ""
    unknown = state.phase == "unknown"
    return True, f"{ago}, within {limit}", f"{kind.status_words} is {state.word}, unknown here" if unknown else ""


def has_ended(before: State, after: State, *, seen_running: bool) -> t.Literal["succeeded", "failed"] | None:
    """Tell whether a synchronisation ended between two readings, and how; None if it did not.

    A failure that stood there before counts only if something about it is new: it may be yesterday's. One that was seen
    running has ended when it no longer is, though the time may be that of before: it was read while it moved.

    :param seen_running: whether one was seen running in between, or before.
    """
    if after.phase == "running":
        return None
    if after.phase == "failed":
        new = before.word != after.word or _later(after.ended, before.ended)
        return "failed" if new or seen_running else None
    over = seen_running and after.phase == "idle" and after.succeeded is not None
    return "succeeded" if over or _later(after.succeeded, before.succeeded) else None


def has_begun(before: State, after: State) -> bool:
    """Tell whether what an object shows can only come of a request that was made between two readings."""
    return (after.phase == "running" and before.phase != "running") or _later(after.requested, before.requested)


def _later(after: datetime | None, before: datetime | None) -> bool:
    return after is not None and (before is None or after > before)
