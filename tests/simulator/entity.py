# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Graph holds: an object whose syncs end by the world's clock and not by a thread."""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta, timezone

if t.TYPE_CHECKING:
    from simulator.world import World

OUTCOMES = ("completes", "never", "fails")
# A time that is not nullable in the metadata is the zero date of .NET where there was none.
NEVER = "0001-01-01T00:00:00Z"


def graph_time(moment: datetime | None) -> str:
    """Write a time as Graph does: UTC with seven fractional digits, or the zero date for ``None``."""
    if moment is None:
        return NEVER
    text = moment.astimezone(timezone.utc).replace(tzinfo=None).isoformat(timespec="microseconds")
    return f"{text}0Z"


class Entity:
    """One object of a :class:`~simulator.resources.Resource`; plain, or the base of those that know their syncs.

    Made by the ``add_`` methods of :class:`simulator.directory.Tenant`.

    Attributes:
        properties: its Graph properties that no sync moves, by their Graph names.
        override: put over the JSON of the object in every answer.
        wrap_in_value: answer with ``{"value": {...}}`` as the samples in Microsoft's reference do.
        sync_delay: seconds from the acceptance of a sync to its end.
        outcome: how a sync ends: ``completes``, ``never`` or ``fails``.
        accepted: every accepted sync: its time, or time and type where there are types.
        on_accept: called with the object when a sync is accepted, ``None`` for nothing.
    """

    def __init__(
        self,
        world: World,
        object_id: str,
        properties: dict[str, t.Any],
        *,
        sync_delay: float = 0.0,
        outcome: str = "completes",
    ) -> None:
        if outcome not in OUTCOMES:
            raise ValueError(f"outcome must be one of {', '.join(OUTCOMES)}, not {outcome!r}")
        self._world = world
        self._running: list[tuple[datetime, str]] = []
        self.id = object_id
        self.properties = properties
        self.override: dict[str, t.Any] = {}
        self.wrap_in_value = False
        self.sync_delay = sync_delay
        self.outcome = outcome
        self.accepted: list[t.Any] = []
        self.on_accept: t.Callable[[Entity], None] | None = None

    def accept(self, sync_type: str | None = None) -> dict[str, t.Any]:
        """Start a sync that was asked for, and give the object as it is then."""
        with self._world.lock:
            self._settle()
            self._check()
            now = self._start()
            self.accepted.append(now if sync_type is None else (now, sync_type))
            if self.on_accept is not None:
                self.on_accept(self)
            # Not settled: one that takes no time is nevertheless running in the answer that accepts it.
            return self._json()

    def begin(self) -> None:
        """Start a sync that came about elsewhere, by itself or in the portal: it is not in ``accepted``."""
        with self._world.lock:
            self._settle()
            self._start()

    @property
    def running(self) -> bool:
        """Whether a sync runs by now, whatever the object says of it."""
        with self._world.lock:
            self._settle()
            return bool(self._running)

    def as_json(self) -> dict[str, t.Any]:
        """The object as Graph sends it by now, without ``@odata.context``."""
        with self._world.lock:
            self._settle()
            return self._json()

    def _json(self) -> dict[str, t.Any]:
        return {"id": self.id, **self._state(), **self.properties, **self.override}

    def _start(self) -> datetime:
        now = self._world.clock()
        self._running.append((now + timedelta(seconds=self.sync_delay), self.outcome))
        self._begun(now)
        return now

    def _settle(self) -> None:
        """End the syncs whose time is over, the earliest first."""
        if not self._running:
            return
        now = self._world.clock()
        for ended, outcome in sorted(sync for sync in self._running if sync[0] <= now):
            self._end(ended, outcome)
        self._running = [sync for sync in self._running if sync[0] > now]

    def _moment(self, value: datetime | timedelta | None) -> datetime | None:
        if isinstance(value, timedelta):
            # In whole seconds, as the Date header: else an answer within the same second makes the age a second less.
            return self._world.clock().replace(microsecond=0) - value
        return value

    # For objects that know how their syncs go.

    def _check(self) -> None:
        """Raise a :class:`~simulator.errors.GraphError` if no sync can be accepted."""

    def _begun(self, now: datetime) -> None:
        """Note that a sync has begun."""

    def _end(self, ended: datetime, outcome: str) -> None:
        """Note that a sync has ended."""

    def _state(self) -> dict[str, t.Any]:
        """The properties that syncs move, by their Graph names."""
        return {}


def check_properties(properties: t.Iterable[str], known: t.Collection[str], what: str) -> None:
    """Refuse properties that Graph does not know of ``what``, which a test would set for nothing."""
    unknown = sorted(set(properties) - set(known))
    if unknown:
        raise ValueError(f"not properties of {what}: {', '.join(unknown)}")


class SyncedEntity(Entity):
    """An object that tells when its last sync ended: a kind writes ``_last_sync`` at the end of one."""

    _last_sync: datetime | None

    @property
    def last_sync(self) -> datetime | None:
        """End of the last completed sync by now; may be set to a time, an age or ``None`` (never)."""
        with self._world.lock:
            self._settle()
            return self._last_sync

    @last_sync.setter
    def last_sync(self, value: datetime | timedelta | None) -> None:
        with self._world.lock:
            self._settle()
            self._last_sync = self._moment(value)
