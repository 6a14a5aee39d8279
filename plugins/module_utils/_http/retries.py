# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""How patient a call is: which answers are worth another try, and how long to wait before it."""

from __future__ import annotations

import re
from datetime import datetime

from .._ground.clock import Clock
from .._ground.timestamps import parse_http_date

# Graph's own SDKs retry these and no others, whatever is asked: msgraph-sdk-design, middleware/RetryHandler.md.
RETRIED_STATUSES = frozenset((429, 503, 504))


def is_trouble(status: int) -> bool:
    """Whether an answer of this HTTP status is trouble of the service or of a gateway, which may be over soon.

    Not 501: the service says that it never does this (RFC 9110, section 15.6.2).
    """
    return status >= 500 and status != 501


_SECONDS = re.compile(r"[0-9]+(\.[0-9]+)?")
_FIRST_DELAY = 1.0
_LONGEST_DELAY = 32.0


def retry_after(value: str | None, now: datetime) -> float | None:
    """Read a Retry-After header (RFC 9110, section 10.2.3).

    :param value: seconds, of which Microsoft gives parts, too (its own sample says ``2.128``), or an HTTP-date.
    :param now: the server's idea of now, or else ours; for the date.
    :returns: the seconds to wait, at least 0; None if the header is absent or says nothing.
    """
    word = (value or "").strip()
    if _SECONDS.fullmatch(word):
        # Anything above a year is "never".
        return min(1e8, float(word))
    moment = parse_http_date(word)
    return None if moment is None else max(0.0, (moment - now).total_seconds())


def next_delay(*, tries: int, asked: float | None, elapsed: float, limit: float, jitter: float) -> float | None:
    """Decide how long to wait before another try; all times in seconds.

    :param tries: how many tries were made so far, at least 1.
    :param asked: what Retry-After asks for; 0 and None mean that we choose: 1, 2, 4 ... 32, shortened by up to half
        so that the workers of a fleet do not return all at once.
    :param elapsed: what the call has taken so far.
    :param limit: what it may take.
    :param jitter: chance, in [0, 1).
    :returns: the delay; None if the try after it would come too late.
    """
    delay = asked or min(_LONGEST_DELAY, _FIRST_DELAY * 2 ** min(tries - 1, 10)) * (1 - jitter / 2)
    return delay if elapsed + delay <= limit else None


class RetryBudget:
    """The patience of one call, or of several that share it.

    It tells the pauses between the tries, until ``limit`` seconds are used up.
    """

    def __init__(self, clock: Clock, limit: float) -> None:
        self._timing = clock
        self._limit = limit
        self._start = clock.monotonic()
        self.tries = 0

    @property
    def remaining(self) -> float:
        """The seconds that are left of it, at least 0."""
        return max(0.0, self._limit - (self._timing.monotonic() - self._start))

    def next_delay(self, asked: float | None) -> float | None:
        """The seconds until the next try; None if it would come too late. ``asked`` is what Retry-After asks for."""
        self.tries += 1
        return next_delay(
            tries=self.tries,
            asked=asked,
            elapsed=self._timing.monotonic() - self._start,
            limit=self._limit,
            jitter=self._timing.jitter(),
        )
