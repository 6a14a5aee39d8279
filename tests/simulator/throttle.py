# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The limits of Graph for writes: so many in a sliding window, and now and then a refusal below that."""

from __future__ import annotations

import math
import random
from collections import defaultdict, deque
from datetime import datetime, timedelta

from simulator.errors import GraphError


class Throttle:
    """How often an app may ask for syncs of one kind in one tenant; made by :meth:`simulator.world.World.throttle`.

    Every request counts, also one that is refused: who does not wait waits longer. The refusals beyond the limit say in
    turns when there is room again, at times in fractions of a second, and nothing of it. Those below it never do.

    Attributes:
        taken: requests let through.
        refused: those refused beyond the limit.
        refused_below: those refused at random below it.
        busiest: the most requests in a window.
    """

    def __init__(
        self,
        *,
        most: int,
        seconds: float,
        refused_at_random: float,
        seed: int,
    ) -> None:
        self._most = most
        self._span = timedelta(seconds=seconds)
        self._share = refused_at_random
        self._random = random.Random(seed)  # noqa: S311
        self._windows: defaultdict[tuple[str, str], deque[datetime]] = defaultdict(deque)
        self.taken = self.refused = self.refused_below = self.busiest = 0

    def count(self, now: datetime, client_id: str, tenant_id: str) -> None:
        """Count a request of an app in a tenant, and refuse it if it is one too many."""
        window = self._windows[client_id, tenant_id]
        while window and window[0] <= now - self._span:
            window.popleft()
        window.append(now)
        self.busiest = max(self.busiest, len(window))
        if len(window) > self._most:
            self.refused += 1
            # There is room when no more than the limit less one is left.
            raise _too_many(self._retry_after(window[-self._most] + self._span - now))
        if self._random.random() < self._share:
            self.refused_below += 1
            raise _too_many(None)
        self.taken += 1

    def _retry_after(self, wait: timedelta) -> str | None:
        if self.refused % 2 == 0:
            return None
        seconds = wait.total_seconds()
        if self.refused % 6 == 5:
            return f"{math.ceil(seconds * 1000) / 1000:.3f}"
        return str(math.ceil(seconds))


def _too_many(retry_after: str | None) -> GraphError:
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return GraphError(429, "TooManyRequests", "An error has occurred.", "detailed", headers)
