# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An exchange connector, whose syncs complete by the world's clock and not by a thread."""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta, timezone

if t.TYPE_CHECKING:
    from simulator.world import World

# Names: EntityType deviceManagementExchangeConnector of the v1.0 metadata of Microsoft Graph.
PROPERTIES = (
    "connectorServerName",
    "exchangeAlias",
    "exchangeConnectorType",
    "exchangeOrganization",
    "primarySmtpAddress",
    "serverName",
    "version",
)
SYNC_TYPES = ("fullSync", "deltaSync")
OUTCOMES = ("completes", "never", "fails")
# lastSyncDateTime is not nullable in the metadata, so "never" is the zero date of .NET.
NEVER = "0001-01-01T00:00:00Z"


def graph_time(moment: datetime | None) -> str:
    """Write a time as Graph does: UTC with seven fractional digits, or the zero date for ``None``."""
    if moment is None:
        return NEVER
    text = moment.astimezone(timezone.utc).replace(tzinfo=None).isoformat(timespec="microseconds")
    return f"{text}0Z"


class Connector:
    """One ``deviceManagementExchangeConnector``.

    Made by :meth:`simulator.directory.Tenant.add_connector`.

    Attributes:
        sync_delay: seconds from the acceptance of a sync to its end.
        outcome: ``completes`` moves ``last_sync``, ``never`` does nothing, ``fails`` disconnects the connector.
        properties: the other Graph properties, by their Graph names.
        override: put over the JSON of the connector in every answer.
        wrap_in_value: answer a GET with ``{"value": {...}}`` as the sample in Microsoft's reference does.
        accepted: every accepted sync, as time and type.
    """

    def __init__(
        self,
        world: World,
        connector_id: str,
        *,
        status: str,
        last_sync: datetime | timedelta | None,
        sync_delay: float,
        outcome: str,
        properties: dict[str, t.Any],
    ) -> None:
        if outcome not in OUTCOMES:
            raise ValueError(f"outcome must be one of {', '.join(OUTCOMES)}, not {outcome!r}")
        unknown = sorted(set(properties) - set(PROPERTIES))
        if unknown:
            raise ValueError(f"not properties of an exchange connector: {', '.join(unknown)}")
        self._world = world
        self._running: list[tuple[datetime, str]] = []
        self._status = status
        self._last_sync = self._moment(last_sync)
        self.id = connector_id
        self.sync_delay = sync_delay
        self.outcome = outcome
        self.properties = properties
        self.override: dict[str, t.Any] = {}
        self.wrap_in_value = False
        self.accepted: list[tuple[datetime, str]] = []

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

    @property
    def status(self) -> str:
        """Status by now, as Graph spells it."""
        with self._world.lock:
            self._settle()
            return self._status

    @status.setter
    def status(self, value: str) -> None:
        with self._world.lock:
            self._settle()
            self._status = value

    def accept(self, sync_type: str) -> None:
        """Start a sync now."""
        with self._world.lock:
            now = self._world.clock()
            self.accepted.append((now, sync_type))
            self._running.append((now + timedelta(seconds=self.sync_delay), self.outcome))

    def as_json(self) -> dict[str, t.Any]:
        """The entity as Graph sends it, without ``@odata.context``."""
        return {
            "id": self.id,
            "lastSyncDateTime": graph_time(self.last_sync),
            "status": self.status,
            **self.properties,
            **self.override,
        }

    def _settle(self) -> None:
        """End the syncs whose time is over, the earliest first."""
        if not self._running:
            return
        now = self._world.clock()
        for ended, outcome in sorted(sync for sync in self._running if sync[0] <= now):
            if outcome == "completes":
                self._last_sync = ended
            elif outcome == "fails":
                self._status = "disconnected"
        self._running = [sync for sync in self._running if sync[0] > now]

    def _moment(self, value: datetime | timedelta | None) -> datetime | None:
        if isinstance(value, timedelta):
            # In whole seconds, as the Date header: else an answer within the same second makes the age a second less.
            return self._world.clock().replace(microsecond=0) - value
        return value
