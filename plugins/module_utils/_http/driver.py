# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Operations without I/O of their own, and the driver that carries out one or many of them at the same time.

An operation is a generator, written for one object from top to bottom (the sans-I/O pattern). It yields what it needs
next, a :class:`Request`, a :class:`Sleep` or a :class:`Turn`, and is given the response. The driver collects what many
of them need and sends it together; an operation does not know whether it is alone.
"""

from __future__ import annotations

import collections
import heapq
import typing as t

from .._ground.errors import IntuneError, unexpected

if t.TYPE_CHECKING:
    from .._ground.clock import Clock
    from .pace import Pace

T = t.TypeVar("T")


class Request(t.NamedTuple):
    """A request to be sent once.

    :param body: JSON; None for a request without one.
    :param timeout: seconds that signing in for it may take; None for ``retry_timeout``.
    :param largest: bytes that the content of its answer may have, if it may be more than usual.
    :param api: the version of Graph that it is for.
    """

    method: str
    path: str
    body: str | None = None
    timeout: float | None = None
    largest: int | None = None
    api: str = "v1.0"


class Sleep(t.NamedTuple):
    """A time in seconds to let pass."""

    seconds: float


class Turn(t.NamedTuple):
    """A place in the pace for the request that follows; the operation is given the seconds that it waited for it."""


Operation = t.Generator[t.Union[Request, Sleep, Turn], t.Any, T]
Sender = t.Callable[["list[Request]"], t.Sequence[t.Any]]


def gather(
    operations: t.Sequence[Operation[T]], *, send: Sender, clock: Clock, pace: Pace | None = None
) -> list[T | IntuneError]:
    """Carry operations out together.

    :param send: sends requests, each a single time, and returns for each a response, or the error instead of one.
    :param pace: gives the places for which operations wait; None to give them at once.
    :returns: for each operation what it returned, or the error that ended it.
    """
    results: dict[int, t.Any] = {}
    ready: list[tuple[int, t.Any]] = [(number, None) for number in range(len(operations))]
    sleeping: list[tuple[float, int]] = []
    waiting: collections.deque[tuple[int, float]] = collections.deque()
    places = 0
    while ready or sleeping or waiting:
        sending: list[tuple[int, Request]] = []
        for number, answer in ready:
            step = _step(operations[number], answer)
            if isinstance(step, Turn) and pace is None:
                step = _step(operations[number], 0.0)
            if isinstance(step, Sleep):
                heapq.heappush(sleeping, (clock.monotonic() + step.seconds, number))
            elif isinstance(step, Turn):
                waiting.append((number, clock.monotonic()))
            elif isinstance(step, Request):
                sending.append((number, step))
            else:
                results[number] = step.result
        answers = _sent(send, [request for _number, request in sending]) if sending else ()
        now = clock.monotonic()
        if pace is not None:
            pace.give_back(places, now)
            places = 0
        ready = [(number, answer) for (number, _ask), answer in zip(sending, answers)]
        if ready:
            continue
        if waiting and pace is not None:
            places = pace.take(len(waiting), now)
            ready = [(number, now - since) for number, since in (waiting.popleft() for _place in range(places))]
        if not ready and (sleeping or waiting):
            until = [sleeping[0][0]] if sleeping else []
            if waiting and pace is not None:
                until.append(now + pace.delay(len(waiting), now))
            if min(until) > now:
                clock.sleep(min(until) - now)
            # By the clock alone, who was slept for might still be early by a rounding.
            now = max(min(until), clock.monotonic())
        while sleeping and sleeping[0][0] <= now:
            ready.append((heapq.heappop(sleeping)[1], None))
    return [results[number] for number in range(len(operations))]


def run(operation: Operation[T], *, send: Sender, clock: Clock, pace: Pace | None = None) -> T:
    """Carry out a single operation and return what it returns. Raises the error that ended it."""
    (end,) = gather([operation], send=send, clock=clock, pace=pace)
    if isinstance(end, IntuneError):
        raise end
    return end


class _Done(t.NamedTuple):
    """The end of an operation: what it returned, or the error."""

    result: t.Any


def _sent(send: Sender, requests: list[Request]) -> t.Sequence[t.Any]:
    try:
        return send(requests)
    except Exception as error:  # noqa: BLE001
        return [unexpected(error)] * len(requests)


def _step(operation: Operation[T], answer: t.Any) -> Request | Sleep | Turn | _Done:
    try:
        return operation.throw(answer) if isinstance(answer, IntuneError) else operation.send(answer)
    except StopIteration as end:
        return _Done(end.value)
    except Exception as error:  # noqa: BLE001
        # Whatever it is, it ends this operation alone.
        return _Done(unexpected(error))
