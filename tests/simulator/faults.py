# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults that a test orders: wrong statuses, rubbish bodies, delays and cut connections."""

from __future__ import annotations

import asyncio
import itertools
import threading
import typing as t
from dataclasses import dataclass, field

from simulator.records import Answer, Request

PLACES = ("metadata", "userrealm", "token", "managed_identity", "runner", "list", "get", "sync", "batch", "any")
# Those of a request that is for objects of some kind, or may be.
_PLACES_OF_KINDS = ("list", "get", "sync", "any")
CUTS = ("before", "headers", "body")
# Seconds between two looks whether a request is still to be held.
_GLANCE = 0.02


class Hold:
    """Keeps requests from being answered until a test lets go of them, and tells which it has.

    Attributes:
        requests: those that were held.
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._over = threading.Event()

    def let_go(self) -> None:
        """Have all of them answered, and hold none any more."""
        self._over.set()

    async def keep(self, request: Request) -> None:
        """Hold a request; the server does that."""
        self.requests.append(request)
        while not self._over.is_set():
            await asyncio.sleep(_GLANCE)


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong with a request.

    A fault with neither ``status``, ``body`` nor ``cut`` lets the request be answered normally, after ``delay``
    seconds and with ``headers`` added. A status of 400 or more without a body gets the body that the real service
    sends with it; give an empty body to have none.

    Parameters:
        where: the kind of request (one of ``PLACES``); ``any`` is every request to either host.
        status: HTTP status; 200 when only a body is given.
        headers: put over the headers of the answer.
        body: bytes and text are sent as they are, anything else as JSON.
        delay: seconds to wait before answering.
        hold: keeps the request until it lets go; what ``accept`` has done is done before that.
        cut: ``before`` closes the connection without a byte, ``headers`` inside the headers, ``body`` after half
            of the body while ``Content-Length`` promises all of it.
        alter: makes another answer of the one that the request would get by the other parameters.
        wire: sends the answer in its own way, over the open connection, which is closed afterwards.
        accept: only with ``where`` ``sync`` or ``batch``: what is asked for is done, at once, although the answer is
            the fault. If it is refused, an answer that might say otherwise gives way to the refusal.
        times: how often it strikes; ``None`` for ever.
        skip: how many matching requests pass first.
        kind, object_id, tenant_id: only requests for this kind of objects, object or tenant.
        only_if: a last condition, called with the request.
    """

    where: str
    status: int | None = None
    headers: t.Mapping[str, str] = field(default_factory=dict)
    body: t.Any = None
    delay: float = 0.0
    hold: Hold | None = None
    cut: str | None = None
    alter: t.Callable[[Request, Answer], Answer] | None = None
    wire: t.Callable[[asyncio.Transport, Answer], t.Awaitable[None]] | None = None
    accept: bool = False
    times: int | None = 1
    skip: int = 0
    kind: str | None = None
    object_id: str | None = None
    tenant_id: str | None = None
    only_if: t.Callable[[Request], bool] | None = None

    def __post_init__(self) -> None:
        # A misspelt place would never strike, and the test that ordered it would pass for nothing.
        if self.where not in PLACES:
            raise ValueError(f"where must be one of {', '.join(PLACES)}, not {self.where!r}")
        if self.cut is not None and self.cut not in CUTS:
            raise ValueError(f"cut must be one of {', '.join(CUTS)}, not {self.cut!r}")
        if self.accept and self.where not in ("sync", "batch"):
            raise ValueError("accept only makes sense with where='sync' or 'batch'")
        if self.kind is not None and self.where not in _PLACES_OF_KINDS:
            raise ValueError(f"kind only makes sense with where one of {', '.join(_PLACES_OF_KINDS)}")

    @property
    def answers(self) -> bool:
        """Whether the fault brings its own answer instead of the normal one."""
        return self.status is not None or self.body is not None

    @property
    def loses(self) -> bool:
        """Whether the answer does not arrive as HTTP wants it."""
        return self.cut is not None or self.wire is not None

    def matches(self, request: Request) -> bool:
        """Whether ``request`` is of the kind this fault is meant for."""
        return (
            self.where in ("any", request.where)
            and self.kind in (None, request.kind)
            and (self.object_id is None or self.object_id.lower() == request.object_id)
            and (self.tenant_id is None or self.tenant_id.lower() == request.tenant_id)
            and (self.only_if is None or self.only_if(request))
        )


@dataclass
class _Entry:
    number: int
    fault: Fault
    skip: int
    left: int | None


class Faults:
    """The faults still to strike, in order of adding; the first that matches a request wins.

    Parameters:
        lock: guards them.
        kinds: names of the kinds that a fault can be meant for.
    """

    def __init__(self, lock: threading.RLock, kinds: t.Collection[str]) -> None:
        self._lock = lock
        self._kinds = kinds
        self._count = itertools.count()
        # By the tenant they are meant for: a world of thousands of tenants, each with faults of its own, stays quick.
        self._entries: dict[str | None, list[_Entry]] = {}

    def add(self, fault: Fault) -> None:
        """Order ``fault``."""
        if fault.kind is not None and fault.kind not in self._kinds:
            raise ValueError(f"kind must be one of {', '.join(self._kinds)}, not {fault.kind!r}")
        entry = _Entry(next(self._count), fault, fault.skip, fault.times)
        with self._lock:
            self._entries.setdefault(fault.tenant_id and fault.tenant_id.lower(), []).append(entry)

    def clear(self) -> None:
        """Forget all faults, also those that have not struck yet."""
        with self._lock:
            self._entries.clear()

    def take(self, request: Request) -> Fault | None:
        """Give the fault that strikes ``request`` and count it as used."""
        with self._lock:
            whose = dict.fromkeys((None, request.tenant_id))
            entries = [entry for key in whose for entry in self._entries.get(key, ())]
            for entry in sorted(entries, key=lambda entry: entry.number):
                if entry.left == 0 or not entry.fault.matches(request):
                    continue
                if entry.skip:
                    entry.skip -= 1
                    continue
                if entry.left is not None:
                    entry.left -= 1
                return entry.fault
        return None
