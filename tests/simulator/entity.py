# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Graph holds: an object whose syncs end by the world's clock and not by a thread."""

from __future__ import annotations

import contextlib
import typing as t
from datetime import datetime, timedelta, timezone

from simulator.errors import intune_error

if t.TYPE_CHECKING:
    from simulator.world import World

OUTCOMES = ("completes", "never", "fails")
# What an object with a state says of a sync that has ended.
ENDS = {"completes": "completed", "fails": "failed"}
# A time that is not nullable in the metadata is the zero date of .NET where there was none.
NEVER = "0001-01-01T00:00:00Z"
T = t.TypeVar("T")
# How a test tells a time: itself, how long ago, as Graph writes it, or never.
Moment = t.Union[datetime, timedelta, str, None]


def graph_time(moment: datetime | None) -> str:
    """Write a time as Graph does: UTC with seven fractional digits, or the zero date for ``None``."""
    if moment is None:
        return NEVER
    text = moment.astimezone(timezone.utc).replace(tzinfo=None).isoformat(timespec="microseconds")
    return f"{text}0Z"


def trimmed_time(moment: datetime | None) -> str:
    """A time without the zeros at the end of its fraction, as most objects have it."""
    whole, _point, fraction = graph_time(moment).rstrip("Z").partition(".")
    digits = fraction.rstrip("0")
    return f"{whole}.{digits}Z" if digits else f"{whole}Z"


def read_time(text: str) -> datetime:
    """Read a time as Graph writes it, with as many fractional digits as it likes; a ``ValueError`` if it is none."""
    whole, _point, fraction = text[:-1].partition(".")
    if not text.endswith("Z") or not (fraction or "0").isdigit():
        raise ValueError(f"not a time of Graph: {text!r}")
    return datetime.fromisoformat(f"{whole}.{fraction:0<6.6}+00:00")


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
        with self.settled():
            self._check()
            now = self._start()
            self.accepted.append(now if sync_type is None else (now, sync_type))
            if self.on_accept is not None:
                self.on_accept(self)
            # Not settled: one that takes no time is nevertheless running in the answer that accepts it.
            return self._json()

    def begin(self) -> None:
        """Start a sync that came about elsewhere, by itself or in the portal: it is not in ``accepted``."""
        with self.settled():
            self._start()

    @property
    def running(self) -> bool:
        """Whether a sync runs by now, whatever the object says of it."""
        with self.settled():
            return bool(self._running)

    def as_json(self) -> dict[str, t.Any]:
        """The object as Graph sends it by now, without ``@odata.context``."""
        with self.settled():
            return self._json()

    @contextlib.contextmanager
    def settled(self) -> t.Iterator[None]:
        """Keep the object as it is by now: the syncs have ended whose time is over, and nobody else changes it."""
        with self._world.lock:
            self._settle()
            yield

    def moment(self, value: Moment) -> datetime | None:
        """The time that a test tells."""
        if isinstance(value, timedelta):
            # In whole seconds, as the Date header: else an answer within the same second makes the age a second less.
            return self._world.clock().replace(microsecond=0) - value
        return read_time(value) if isinstance(value, str) else value

    def coming(self, value: datetime | timedelta) -> datetime:
        """A time to come, told by itself or by how long from now, in whole seconds."""
        return value if isinstance(value, datetime) else self._world.clock().replace(microsecond=0) + value

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

    def _others_run(self, ended: datetime) -> bool:
        """Whether a sync runs on after the end of another."""
        return any(end > ended for end, _outcome in self._running)

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


class Moved(t.Generic[T]):
    """An attribute that syncs move: it is read and set as it is by now. ``name`` is where the object keeps it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, entity: Entity, _owner: type[Entity]) -> T:
        with entity.settled():
            return t.cast("T", getattr(entity, self._name))

    def __set__(self, entity: Entity, value: T) -> None:
        with entity.settled():
            setattr(entity, self._name, value)


class MovedTime(Moved[t.Optional[datetime]]):
    """A time that syncs move: ``None`` for never; may be set to all that tells a time."""

    def __set__(self, entity: Entity, value: Moment) -> None:
        super().__set__(entity, entity.moment(value))


class SyncedEntity(Entity):
    """An object that tells when its last sync ended: a kind writes ``_last_sync`` at the end of one."""

    _last_sync: datetime | None
    last_sync = MovedTime("_last_sync")


class TriggeredEntity(SyncedEntity):
    """An object that also tells when it was last asked to synchronise, and is not asked again within an interval.

    Attributes:
        interval: counted from the newest of the times that it tells.
        too_soon_status: status of the refusal within the interval.
        retry_after: the header of that refusal, ``None`` for none.
    """

    interval: timedelta
    too_soon_status: int
    retry_after: str | None = None
    _last_triggered: datetime | None
    last_triggered = MovedTime("_last_triggered")

    def _check(self) -> None:
        newest = max((time for time in (self._last_sync, self._last_triggered) if time), default=None)
        if newest is not None and self._world.clock() - newest < self.interval:
            headers = {} if self.retry_after is None else {"Retry-After": self.retry_after}
            raise intune_error(self.too_soon_status, "A sync was requested too recently.", headers)

    def _begun(self, now: datetime) -> None:
        self._last_triggered = now
