# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long a call waits before another try, and when it gives up."""

from __future__ import annotations

import typing as t
from datetime import datetime, timezone

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._ground.clock import Clock
from ansible_collections.graphops.intune.plugins.module_utils._http import response, retries
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 11, 22, 18, tzinfo=timezone.utc)
SPANS = st.floats(0, 1e6)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("   ", None),
        ("0", 0.0),
        ("10", 10.0),
        (" 10 ", 10.0),
        ("007", 7.0),
        ("99999999", 99999999.0),
        ("100000000", 1e8),
        ("9" * 10000, 1e8),
        ("-1", None),
        ("+1", None),
        ("2.128", 2.128),
        (".5", None),
        ("1.", None),
        ("1e3", None),
        ("10, 10", None),
        ("soon", None),
        ("\u0661\u0660", None),
        ("Sun, 22 Nov 2026 18:00:30 GMT", 30.0),
        ("Sunday, 22-Nov-26 18:01:00 GMT", 60.0),
        ("Sun Nov 22 18:00:05 2026", 5.0),
        ("Sun, 22 Nov 2026 17:59:30 GMT", 0.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("Sun, 31 Feb 2026 18:00:30 GMT", None),
    ],
)
def test_retry_after(value: str | None, seconds: float | None) -> None:
    assert response.retry_after(value, NOW) == seconds


@given(st.text())
def test_any_retry_after_is_nothing_or_a_span(value: str) -> None:
    seconds = response.retry_after(value, NOW)
    assert seconds is None or seconds >= 0


@pytest.mark.parametrize(
    ("tries", "retry_after", "elapsed", "limit", "jitter", "delay"),
    [
        # Our own choice doubles up to 32 s ...
        (1, None, 0, 120, 0, 1),
        (2, None, 0, 120, 0, 2),
        (3, None, 0, 120, 0, 4),
        (4, None, 0, 120, 0, 8),
        (5, None, 0, 120, 0, 16),
        (6, None, 0, 120, 0, 32),
        (7, None, 0, 120, 0, 32),
        (10**9, None, 0, 120, 0, 32),
        # ... less up to half of it by chance ...
        (1, None, 0, 120, 0.5, 0.75),
        (6, None, 0, 120, 1, 16),
        # ... and 0 asks for nothing.
        (2, 0, 0, 120, 0, 2),
        # What is asked for is honoured to the second, whatever chance says.
        (1, 10, 0, 120, 0.5, 10),
        (5, 0.5, 0, 120, 0.9, 0.5),
        (1, 120, 0, 120, 0, 120),
        (1, 100, 20, 120, 0, 100),
        # Too long.
        (1, 121, 0, 120, 0, None),
        (1, 101, 20, 120, 0, None),
        (1, None, 119.5, 120, 0, None),
        (1, None, 119.5, 120, 1, 0.5),
        (1, None, 500, 120, 0, None),
        (1, None, 0, 0, 0, None),
        (1, 0, 0, 0, 1, None),
    ],
)
def test_next_delay(
    tries: int, retry_after: float | None, elapsed: float, limit: float, jitter: float, delay: float | None
) -> None:
    assert (
        retries.next_delay(tries=tries, retry_after=retry_after, elapsed=elapsed, limit=limit, jitter=jitter) == delay
    )


@given(
    tries=st.integers(1, 10**6),
    retry_after=st.none() | SPANS,
    elapsed=SPANS,
    limit=SPANS,
    jitter=st.floats(0, 1, exclude_max=True),
)
def test_a_delay_is_positive_and_ends_within_the_limit(**times: t.Any) -> None:
    delay = retries.next_delay(**times)
    if delay is not None:
        assert delay > 0
        assert times["elapsed"] + delay <= times["limit"]


def again(clock: t.Any, budget: retries.RetryBudget, retry_after: float | None) -> bool:
    """Sleep as the budget says; False if there is to be no other try."""
    pause = budget.next_delay(retry_after)
    if pause is not None:
        clock.handed.sleep(pause)
    return pause is not None


def test_budget_doubles_its_waits_until_the_limit_would_be_passed(clock: t.Any) -> None:
    budget = retries.RetryBudget(clock.handed, 20)
    while again(clock, budget, None):
        clock.pass_by(0.5)
    # 1 + 0.5 + 2 + 0.5 + 4 + 0.5 + 8 + 0.5 = 17, and another 16 would be too much.
    assert clock.slept == [1, 2, 4, 8]
    assert clock.elapsed == 17
    assert budget.tries == 5


def test_budget_waits_as_asked(clock: t.Any) -> None:
    budget = retries.RetryBudget(clock.handed, 60)
    assert again(clock, budget, 7)
    assert again(clock, budget, 53)
    assert clock.slept == [7, 53]
    assert not again(clock, budget, 0)
    assert clock.elapsed == 60


def test_budget_gives_up_at_once_when_asked_for_too_long(clock: t.Any) -> None:
    budget = retries.RetryBudget(clock.handed, 60)
    assert not again(clock, budget, 61)
    assert clock.slept == []
    assert budget.tries == 1


def test_budget_starts_when_it_is_made(clock: t.Any) -> None:
    clock.pass_by(1000)
    assert again(clock, retries.RetryBudget(clock.handed, 1), None)


def test_budget_uses_chance(clock: t.Any) -> None:
    budget = retries.RetryBudget(clock.handed._replace(jitter=lambda: 0.5), 60)
    assert again(clock, budget, None)
    assert clock.slept == [0.75]


@given(
    limit=st.floats(0, 1000),
    delays=st.lists(st.none() | st.floats(0, 500), max_size=50),
    jitter=st.floats(0, 0.99),
)
def test_no_budget_outlasts_its_limit(limit: float, delays: list[float | None], jitter: float) -> None:
    slept: list[float] = []
    budget = retries.RetryBudget(Clock(monotonic=lambda: sum(slept), jitter=lambda: jitter), limit)
    for seconds in delays:
        pause = budget.next_delay(seconds)
        if pause is not None:
            slept.append(pause)
    assert all(seconds > 0 for seconds in slept)
    assert sum(slept) <= limit


def test_real_time_is_the_default() -> None:
    clock = Clock()
    assert clock.now().tzinfo is timezone.utc
    assert abs((clock.now() - datetime.now(timezone.utc)).total_seconds()) < 10
    assert clock.monotonic() <= clock.monotonic()
    assert 0 <= clock.jitter() < 1


def test_the_statuses_of_microsofts_own_clients_are_retried() -> None:
    assert {429, 503, 504} == retries.RETRIED_STATUSES
