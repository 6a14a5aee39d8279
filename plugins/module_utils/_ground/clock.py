# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Time and chance, handed in so that a test owns them."""

from __future__ import annotations

import random
import threading
import time
import typing as t
from datetime import datetime, timezone


class Clock(t.NamedTuple):
    """Time and chance, handed in so that a test owns them.

    ``monotonic()`` in seconds, ``sleep(seconds)``, ``now()`` in UTC, ``jitter()`` in [0, 1). ``ensure_wanted()`` does
    not return once the work is over: nobody is to be asked for anything then.
    """

    monotonic: t.Callable[[], float] = time.monotonic
    sleep: t.Callable[[float], t.Any] = time.sleep
    now: t.Callable[[], datetime] = lambda: datetime.now(timezone.utc)
    jitter: t.Callable[[], float] = random.random
    ensure_wanted: t.Callable[[], t.Any] = lambda: None


# Seconds until whoever sleeps looks whether to go on.
LONGEST_SLEEP = 1.0


class Cancelled(BaseException):
    """The work is over, by its timeout or by whoever ended the run. Not an Exception, so nobody takes it for one."""


def cancellable(clock: Clock, cancelled: threading.Event) -> Clock:
    """The same time, but no pause in it outlives the work."""

    def ensure_wanted() -> None:
        if cancelled.is_set():
            raise Cancelled
        clock.ensure_wanted()

    def sleep(seconds: float) -> None:
        end = clock.monotonic() + seconds
        while True:
            ensure_wanted()
            left = end - clock.monotonic()
            if left <= 0:
                return
            clock.sleep(min(left, LONGEST_SLEEP))

    return clock._replace(sleep=sleep, ensure_wanted=ensure_wanted)
