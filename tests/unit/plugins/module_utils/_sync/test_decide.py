# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is decided of an object by what it shows: a table of states, whatever the kind."""

from __future__ import annotations

import typing as t
from datetime import timedelta

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._kinds import vpp_token
from ansible_collections.graphops.intune.plugins.module_utils._kinds.kind import State
from ansible_collections.graphops.intune.plugins.module_utils._sync import decide, options
from scripted import NOW

TOKEN = vpp_token.KIND
# One that says when it was asked last, takes a request each quarter of an hour, and none while one is running.
SLOW = TOKEN._replace(action=options.action_of(TOKEN)._replace(interval=900, repeatable_while_running=False))
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def wanted(**changes: t.Any) -> options.SyncOptions:
    usual = {"max_age": None, "force": False, "wait": True, "wait_timeout": 900, "wait_sleep": 15, **changes}
    return options.read_sync_options(TOKEN, usual)


def state(age: timedelta | None = 2 * HOUR, **shown: t.Any) -> State:
    times = {name: NOW - value if isinstance(value, timedelta) else value for name, value in shown.items()}
    return State(succeeded=None if age is None else NOW - age, **times)


@pytest.mark.parametrize(
    ("shown", "changes", "token", "slow"),
    [
        (state(), {}, "due", "due"),
        (state(MINUTE), {}, "fresh", "fresh"),
        (state(MINUTE), {"force": True}, "due", "too_soon"),
        (state(MINUTE), {"max_age": 0}, "due", "too_soon"),
        (state(MINUTE), {"max_age": 60}, "due", "too_soon"),
        (state(15 * MINUTE), {"force": True}, "due", "due"),
        # Asked for a minute ago, and not ended since.
        (state(requested=MINUTE), {}, "due", "too_soon"),
        (state(requested=MINUTE), {"force": True}, "due", "too_soon"),
        (state(None, requested=16 * MINUTE), {}, "due", "due"),
        (state(None, ended=MINUTE), {}, "due", "too_soon"),
        # A failure is never fresh.
        (state(MINUTE, phase="failed"), {}, "due", "too_soon"),
        (state(HOUR * 30, phase="failed"), {}, "due", "due"),
        # What is running is believed, however old the other times are.
        (state(HOUR * 200, phase="running"), {}, "joined", "joined"),
        (state(None, phase="running"), {"max_age": 0}, "joined", "joined"),
        (state(HOUR * 200, phase="running"), {"force": True}, "due", "joined"),
        (state(MINUTE, phase="running"), {}, "fresh", "fresh"),
        (state(HOUR * 2, phase="running", obstacle="its state is expired"), {}, "joined", "joined"),
        # What cannot help is refused, but what is fresh stays so.
        (state(obstacle="its state is expired"), {}, "refused", "refused"),
        (state(obstacle="its state is expired"), {"force": True}, "refused", "refused"),
        (state(obstacle="its state is expired", requested=MINUTE), {}, "refused", "refused"),
        (state(MINUTE, obstacle="its state is expired"), {}, "fresh", "fresh"),
        (state(phase="unknown"), {}, "due", "due"),
        (state(MINUTE, phase="unknown"), {}, "fresh", "fresh"),
    ],
)
def test_the_verdict(shown: State, changes: dict[str, t.Any], token: str, slow: str) -> None:
    assert decide.decide(shown, NOW, wanted(**changes), TOKEN).verdict == token
    assert decide.decide(shown, NOW, wanted(**changes), SLOW).verdict == slow


def test_the_next_request_is_possible_an_interval_after_the_later_of_both_clocks() -> None:
    shown = state(10 * MINUTE, requested=5 * MINUTE)
    assert decide.decide(shown, NOW, wanted(force=True), SLOW).next_possible_at == NOW + 10 * MINUTE
    shown = state(5 * MINUTE, requested=10 * MINUTE)
    assert decide.decide(shown, NOW, wanted(force=True), SLOW).next_possible_at == NOW + 10 * MINUTE


def test_without_graphs_clock_nobody_can_tell_what_is_too_soon() -> None:
    assert decide.decide(state(MINUTE), None, wanted(), SLOW).verdict == "due"


@pytest.mark.parametrize(
    ("shown", "reason", "warning"),
    [
        (state(MINUTE, phase="failed", word="failed"), "the last synchronisation failed (lastSyncStatus failed)", ""),
        (state(None), "the token has never synchronised", ""),
        (
            state(MINUTE, obstacle="its state is expired"),
            "the last synchronisation ended 1 min ago, within max_age (1 h)",
            "its state is expired, so the next synchronisation fails unless that changes",
        ),
        (
            state(MINUTE, phase="unknown", word="resting"),
            "the last synchronisation ended 1 min ago, within max_age (1 h)",
            "lastSyncStatus is resting, unknown here",
        ),
        (state(phase="running"), "a synchronisation is running already", ""),
    ],
)
def test_the_reason_in_words(shown: State, reason: str, warning: str) -> None:
    decision = decide.decide(shown, NOW, wanted(), TOKEN)
    assert (decision.reason, decision.warning) == (reason, warning)


@pytest.mark.parametrize(
    ("before", "after", "running", "expected"),
    [
        (state(), state(), False, None),
        (state(), state(MINUTE), False, "succeeded"),
        (state(None), state(MINUTE), False, "succeeded"),
        # The clock alone, while it is running, may be that of the beginning.
        (state(), state(MINUTE, phase="running"), False, None),
        (state(), state(phase="running"), False, None),
        # Yesterday's failure is no end of today's.
        (state(phase="failed", ended=HOUR), state(phase="failed", ended=HOUR), False, None),
        (state(phase="failed", ended=HOUR), state(phase="failed", ended=MINUTE), False, "failed"),
        (state(phase="failed", word="1", ended=HOUR), state(phase="failed", word="2", ended=HOUR), False, "failed"),
        (state(phase="failed", ended=HOUR), state(phase="failed", ended=HOUR), True, "failed"),
        (state(word="0"), state(phase="failed", word="1"), False, "failed"),
        (state(phase="running", word="0"), state(phase="failed", word="1"), False, "failed"),
        # A word that stayed though the last one succeeded, beside a newer request.
        (state(word="1"), state(phase="failed", word="1"), False, None),
        # It was read while it moved.
        (state(phase="running"), state(), True, "succeeded"),
        (state(None, phase="running"), state(None), True, None),
        (state(phase="running"), state(phase="unknown"), True, None),
        (state(phase="failed"), state(MINUTE), False, "succeeded"),
        (state(MINUTE), state(), False, None),
    ],
)
def test_whether_it_has_ended(before: State, after: State, running: bool, expected: str | None) -> None:
    assert decide.has_ended(before, after, seen_running=running) == expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (state(), state(), False),
        (state(), state(phase="running"), True),
        (state(phase="running"), state(phase="running"), False),
        (state(requested=HOUR), state(requested=MINUTE), True),
        (state(), state(requested=MINUTE), True),
        (state(requested=HOUR), state(requested=HOUR), False),
    ],
)
def test_whether_one_has_begun(before: State, after: State, expected: bool) -> None:
    assert decide.has_begun(before, after) is expected
