# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""The pace of requests that a service limits: so many within so many seconds."""

from __future__ import annotations

import collections
import threading

# Places are given in such numbers, if so many are wanted: one batch at least, and as many batches as are sent at once.
_BATCH = 20
_BATCHES_AT_ONCE = 5
# Seconds to look again, if other threads have all places.
_LOOK_AGAIN = 0.1


class Pace:
    """Places for requests, of which a service takes ``most`` within ``seconds``; threads may share it.

    A place is free again ``seconds`` after its request was answered. Whenever before that the service counted it, it
    never counts more than ``most``; to be refused once takes longer than to wait for every answer.
    """

    def __init__(self, most: int, seconds: float) -> None:
        self._most = most
        self._seconds = seconds
        self._taken = 0
        # When requests were counted at the latest, oldest first, and how many.
        self._counted: collections.deque[tuple[float, int]] = collections.deque()
        self._lock = threading.Lock()

    def take(self, wanted: int, now: float) -> int:
        """Take places; fewer than are wanted, or none, if the rest is not free, or not enough for a batch.

        :param now: the monotonic clock, in seconds.
        """
        with self._lock:
            free = self._free(now)
            if free < self._least(wanted):
                return 0
            given = min(wanted, free, _BATCH * _BATCHES_AT_ONCE)
            if given < wanted and given > _BATCH:
                given -= given % _BATCH
            self._taken += given
            return given

    def give_back(self, places: int, now: float) -> None:
        """Give places back whose requests have just been answered."""
        if places:
            with self._lock:
                self._taken -= places
                self._counted.append((now, places))

    def delay(self, wanted: int, now: float) -> float:
        """The seconds until :meth:`take` gives some of as many."""
        with self._lock:
            free, least = self._free(now), self._least(wanted)
            for moment, places in self._counted:
                free += places
                if free >= least:
                    return max(0.0, moment + self._seconds - now)
            return _LOOK_AGAIN

    def _least(self, wanted: int) -> int:
        return min(wanted, _BATCH, self._most)

    def _free(self, now: float) -> int:
        while self._counted and self._counted[0][0] + self._seconds <= now:
            self._counted.popleft()
        return self._most - self._taken - sum(places for _moment, places in self._counted)
