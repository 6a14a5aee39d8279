# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No more requests within a time than a service takes, whenever before its answer it counts them."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._ground.clock import Clock
from ansible_collections.graphops.intune.plugins.module_utils._http.driver import Request, Sleep, Turn, gather
from ansible_collections.graphops.intune.plugins.module_utils._http.pace import Pace
from hypothesis import given
from hypothesis import strategies as st


class Service:
    """Counts requests, on a clock that sleeping and answering move; each answer takes ``takes`` seconds."""

    def __init__(self, takes: float) -> None:
        self.elapsed = 0.0
        self.takes = takes
        self.sent: list[tuple[float, float, int]] = []
        self.clock = Clock(monotonic=lambda: self.elapsed, sleep=self._sleep)

    def _sleep(self, seconds: float) -> None:
        assert seconds > 0, "it turns in circles"
        self.elapsed += seconds

    def send(self, requests: list[Request]) -> list[str]:
        began = self.elapsed
        self.elapsed += self.takes
        self.sent.append((began, self.elapsed, len(requests)))
        return ["done"] * len(requests)

    def most_within(self, seconds: float) -> int:
        """The most that a service may have counted within so many seconds."""
        return max(
            sum(count for began, _ended, count in self.sent[number:] if began < ended_first + seconds)
            for number, (_began, ended_first, _count) in enumerate(self.sent)
        )


def paced(waits: list[float]) -> t.Any:
    waits.append((yield Turn()))
    return (yield Request("POST", "/x"))


@pytest.mark.parametrize("takes", [0.0, 0.5, 3.0])
def test_ten_thousand_go_through_at_the_pace(takes: float) -> None:
    service, waits = Service(takes), list[float]()
    done = gather(
        [paced(waits) for _number in range(10_000)], send=service.send, clock=service.clock, pace=Pace(200, 20)
    )
    assert done == ["done"] * 10_000
    assert service.most_within(20) <= 200
    # Each time, the answer to the first of them is waited for as well.
    assert 980 <= service.elapsed <= 1.01 * (20 + takes) / 20 * 980
    assert {count for _began, _ended, count in service.sent} == {100}, "as many batches as are sent at once"
    assert waits[0] == 0
    assert max(waits) <= service.elapsed


def test_without_a_pace_nobody_waits() -> None:
    service, waits = Service(0.1), list[float]()
    gather([paced(waits) for _number in range(500)], send=service.send, clock=service.clock)
    assert (service.sent, set(waits)) == ([(0.0, 0.1, 500)], {0.0})


def test_what_sleeps_meanwhile_is_not_late() -> None:
    service = Service(0.0)
    woken: list[float] = []

    def sleeper(seconds: float) -> t.Any:
        yield Sleep(seconds)
        woken.append(service.elapsed)

    operations = [*(paced([]) for _number in range(300)), *(sleeper(seconds) for seconds in (3, 25, 70))]
    gather(operations, send=service.send, clock=service.clock, pace=Pace(100, 20))
    assert woken == [3, 25, 70]
    assert service.most_within(20) <= 100


@given(
    most=st.integers(1, 400),
    wanted=st.lists(st.integers(1, 300), min_size=1, max_size=30),
    passing=st.lists(st.floats(0, 30), min_size=1, max_size=30),
)
def test_no_window_has_more_than_may_be(most: int, wanted: list[int], passing: list[float]) -> None:
    pace, now = Pace(most, 20), 0.0
    taken: list[tuple[float, int]] = []
    for count, seconds in zip(wanted, passing):
        given_ = pace.take(count, now)
        assert given_ <= min(count, most)
        if not given_:
            delay = pace.delay(count, now)
            assert 0 < delay <= 20
            assert pace.take(count, now + delay + 1e-6) > 0
            return
        taken.append((now, given_))
        assert sum(places for moment, places in taken if now - moment < 20) <= most
        pace.give_back(given_, now)
        now += seconds


def test_places_that_others_have_are_waited_for() -> None:
    pace = Pace(20, 20)
    assert (pace.take(20, 0.0), pace.take(1, 0.0)) == (20, 0)
    assert pace.delay(1, 0.0) == pytest.approx(0.1)
    pace.give_back(20, 5.0)
    assert pace.delay(1, 6.0) == 19.0
    assert (pace.take(1, 24.9), pace.take(1, 25.0)) == (0, 1)
