# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""How patient a call is: which answers are worth another try, and how long to wait before it."""

from __future__ import annotations

import contextlib
import typing as t

from .._ground import error_bodies, errors, timestamps, untrusted
from .._ground.clock import Clock
from .driver import Operation, Request, Sleep
from .response import Response

# Graph's own SDKs retry these and no others, whatever is asked: msgraph-sdk-design, middleware/RetryHandler.md.
RETRIED_STATUSES = frozenset((429, 503, 504))


def is_trouble(status: int) -> bool:
    """Whether an answer of this HTTP status is trouble of the service or of a gateway, which may be over soon.

    Not 501: the service says that it never does this (RFC 9110, section 15.6.2).
    """
    return status >= 500 and status != 501


_FIRST_DELAY = 1.0
_LONGEST_DELAY = 32.0


def next_delay(*, tries: int, retry_after: float | None, elapsed: float, limit: float, jitter: float) -> float | None:
    """Decide how long to wait before another try; all times in seconds.

    :param tries: how many tries were made so far, at least 1.
    :param retry_after: what Retry-After asks for; 0 and None mean that we choose: 1, 2, 4 ... 32, shortened by up to
        half so that the workers of a fleet do not return all at once.
    :param elapsed: what the call has taken so far.
    :param limit: what it may take.
    :param jitter: chance, in [0, 1).
    :returns: the delay; None if the try after it would come too late.
    """
    delay = retry_after or min(_LONGEST_DELAY, _FIRST_DELAY * 2 ** min(tries - 1, 10)) * (1 - jitter / 2)
    return delay if elapsed + delay <= limit else None


class RetryBudget:
    """The time that all tries of one call may take, or of several that share it.

    It tells the pauses between the tries, until ``limit`` seconds are used up.
    """

    def __init__(self, clock: Clock, limit: float) -> None:
        self._clock = clock
        self._limit = limit
        self._start = clock.monotonic()
        self.tries = 0

    @property
    def remaining(self) -> float:
        """The seconds that are left of it, at least 0."""
        return max(0.0, self._limit - (self._clock.monotonic() - self._start))

    def extend(self, seconds: float) -> None:
        """Leave out time that was no try, nor a pause after one."""
        self._start += seconds

    def next_delay(self, retry_after: float | None) -> float | None:
        """The seconds until the next try, as Retry-After asks or as we choose; None if it would come too late."""
        self.tries += 1
        return next_delay(
            tries=self.tries,
            retry_after=retry_after,
            elapsed=self._clock.monotonic() - self._start,
            limit=self._limit,
            jitter=self._clock.jitter(),
        )


def retried(
    request: Request,
    *,
    host: str,
    json_expected: bool,
    clock: Clock,
    retry_timeout: float,
    limit: float | None = None,
    passes: t.Callable[[Response], bool] = lambda _answer: False,
) -> Operation[Response]:
    """Send a request until its answer is one that another try would not better; it must do no harm when repeated.

    :param host: who is asked, for the sentence about a failure.
    :param json_expected: whether success without a JSON object in it is to be tried again.
    :param retry_timeout: seconds for all tries, as the user gave them.
    :param limit: what is left of that, if others have used some of it.
    :param passes: tells which other answers another try may better.
    :raises Unavailable: no try got such an answer.
    """
    budget = RetryBudget(clock, retry_timeout if limit is None else limit)
    while True:
        retry_after = None
        failure: errors.Unavailable
        try:
            answer: Response = yield request._replace(timeout=budget.remaining)
        except errors.NoResponse as error:
            if error.permanent:
                raise
            failure = error
        else:
            worth = retryable_failure(answer, host, json_expected)
            if not worth and passes(answer):
                worth = throttled(answer, host)
            if not worth:
                return answer
            failure, retry_after = worth, answer.retry_after(clock.now())
        pause = budget.next_delay(retry_after)
        if pause is None:
            raise exhausted(failure, tries=budget.tries, retry_after=retry_after, limit=retry_timeout) from failure
        yield Sleep(pause)


def retryable_failure(answer: Response, host: str, json_expected: bool) -> errors.Unavailable | None:
    """Say what is wrong with an answer that another try may better; None if there is nothing, or nothing to better.

    :param json_expected: whether success without a JSON object in it is wrong: it is a portal's or a proxy's.
    """
    if answer.status in RETRIED_STATUSES:
        return throttled(answer, host)
    if json_expected and (answer.status < 300 or answer.status >= 500):
        with contextlib.suppress(ValueError):
            document = answer.json()
            if isinstance(document, dict):
                # Graph has been seen to call an error a success: microsoft-graph-explorer-v4#870.
                no_success = answer.status < 300 and isinstance(document.get("error"), dict)
                return throttled(answer, host) if no_success or is_trouble(answer.status) else None
        kind = untrusted.one_line(answer.headers.get("content-type") or "no content type")
        return errors.Unavailable(
            f"{host} answered HTTP {answer.status} with no JSON object but {len(answer.body)} bytes of {kind}",
            advice=errors.PROXY_ADVICE,
            request_id=answer.request_id,
        )
    return None


def throttled(answer: Response, host: str) -> errors.Unavailable:
    """Say that ``host`` has no time for us now, or is in trouble, in its own words."""
    said = error_bodies.parse_error_body(answer.body)
    return errors.Unavailable(
        error_bodies.answer_clause(host, answer.status, said),
        request_id=answer.request_id or said.request_id or None,
    )


def exhausted(
    failure: errors.Unavailable, *, tries: int, retry_after: float | None, limit: float
) -> errors.Unavailable:
    """Say that the tries of a call came to an end with ``failure``; times in seconds.

    :param retry_after: what the service asked to wait, if it did: then that was too long, at least for what is left.
    """
    times = "once" if tries == 1 else f"{tries} times"
    what, advice = f"{failure.what} (tried {times} within retry_timeout, {limit:g} s)", failure.advice
    if retry_after:
        wait, advice = timestamps.humanize(retry_after), "run again after that time, or raise retry_timeout"
        what = (
            f"{failure.what}, and it asks to wait {wait}, longer than retry_timeout ({limit:g} s) allows"
            if retry_after > limit
            else f"{what}, and it asks to wait another {wait}"
        )
    return errors.Unavailable(what, advice=advice or "run again later", request_id=failure.request_id)
