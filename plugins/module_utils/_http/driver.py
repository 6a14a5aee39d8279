# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Work that is written for one connector, from top to bottom, and carried out for one or for many at the same time.

A story is a generator. It yields what it needs next, a request or a pause, and is given the answer. Whoever tells
stories collects what many of them need and sends it together; the story itself does not know whether it is alone.
"""

from __future__ import annotations

import heapq
import typing as t

from .._ground.errors import IntuneError, unexpected

if t.TYPE_CHECKING:
    from .._ground.clock import Clock

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


Operation = t.Generator[t.Union[Request, Sleep], t.Any, T]
Sender = t.Callable[["list[Request]"], t.Sequence[t.Any]]


def gather(stories: t.Sequence[Operation[T]], *, send: Sender, clock: Clock) -> list[T | IntuneError]:
    """Carry stories out together.

    :param send: sends requests, each a single time, and returns for each an answer, or the error instead of one.
    :returns: for each story what it returned, or the error that ended it.
    """
    ends: dict[int, t.Any] = {}
    ready: list[tuple[int, t.Any]] = [(number, None) for number in range(len(stories))]
    pausing: list[tuple[float, int]] = []
    while ready or pausing:
        asking: list[tuple[int, Request]] = []
        for number, answer in ready:
            step = _step(stories[number], answer)
            if isinstance(step, Sleep):
                heapq.heappush(pausing, (clock.monotonic() + step.seconds, number))
            elif isinstance(step, Request):
                asking.append((number, step))
            else:
                ends[number] = step.what
        if asking:
            answers = _sent(send, [ask for _number, ask in asking])
            ready = [(number, answer) for (number, _ask), answer in zip(asking, answers)]
            continue
        ready = []
        if pausing:
            clock.sleep(max(0.0, pausing[0][0] - clock.monotonic()))
            due = max(pausing[0][0], clock.monotonic())
            while pausing and pausing[0][0] <= due:
                ready.append((heapq.heappop(pausing)[1], None))
    return [ends[number] for number in range(len(stories))]


def run(story: Operation[T], *, send: Sender, clock: Clock) -> T:
    """Carry out a single story and return what it returns. Raises the error that ended it."""
    (end,) = gather([story], send=send, clock=clock)
    if isinstance(end, IntuneError):
        raise end
    return end


class _Done(t.NamedTuple):
    """The end of a story: what it returned, or the error."""

    what: t.Any


def _sent(send: Sender, asks: list[Request]) -> t.Sequence[t.Any]:
    try:
        return send(asks)
    except Exception as error:  # noqa: BLE001
        return [unexpected(error)] * len(asks)


def _step(story: Operation[T], answer: t.Any) -> Request | Sleep | _Done:
    try:
        return story.throw(answer) if isinstance(answer, IntuneError) else story.send(answer)
    except StopIteration as end:
        return _Done(end.value)
    except Exception as error:  # noqa: BLE001
        # Whatever it is, it ends this story alone.
        return _Done(unexpected(error))
