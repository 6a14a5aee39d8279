# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A token of Apple's volume purchase programme: it says of its last sync when it ended and how, or that it runs."""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta

from simulator.entity import SyncedEntity, check_properties, graph_time
from simulator.errors import GraphError

if t.TYPE_CHECKING:
    from simulator.world import World

# Names: EntityType vppToken of the v1.0 metadata of Microsoft Graph.
PROPERTIES = (
    "appleId",
    "automaticallyUpdateApps",
    "countryOrRegion",
    "organizationName",
    "token",
    "vppTokenAccountType",
)
# Apple's tokens live one year.
LIFETIME = timedelta(days=365)
# The entity is written a little after the end of the sync that it tells of.
_WRITTEN_AFTER = timedelta(milliseconds=3)


class VppToken(SyncedEntity):
    """One ``vppToken``, made by :meth:`simulator.directory.Tenant.add_vpp_token`.

    While a sync runs, ``last_sync_status`` is ``inProgress``. One that ``completes`` moves ``last_sync``, one that
    ``fails`` does not, and one that ends ``never`` leaves ``inProgress`` for good. A sync is only accepted for a token
    whose ``state`` is ``valid``.

    Attributes:
        state: member of ``vppTokenState``.
        expires: when Apple takes it no more; it does not change the state.
    """

    accepted: list[datetime]

    def __init__(
        self,
        world: World,
        token_id: str,
        *,
        state: str,
        last_sync: datetime | timedelta | None,
        last_sync_status: str,
        sync_delay: float,
        outcome: str,
        expires: datetime | timedelta,
        properties: dict[str, t.Any],
    ) -> None:
        check_properties(properties, PROPERTIES, "a VPP token")
        super().__init__(world, token_id, properties, sync_delay=sync_delay, outcome=outcome)
        self.state = state
        self.expires = expires if isinstance(expires, datetime) else world.clock().replace(microsecond=0) + expires
        self._last_sync = self._moment(last_sync)
        self._last_sync_status = last_sync_status
        self._modified = self._last_sync + _WRITTEN_AFTER if self._last_sync else self.expires - LIFETIME

    @property
    def last_sync_status(self) -> str:
        """How the last sync ended, or that one runs by now; may be set, also to what no sync leads to."""
        with self._world.lock:
            self._settle()
            return self._last_sync_status

    @last_sync_status.setter
    def last_sync_status(self, value: str) -> None:
        with self._world.lock:
            self._settle()
            self._last_sync_status = value

    def _check(self) -> None:
        if self.state != "valid":
            raise GraphError(400, "BadRequest", "The VPP token is not valid.", "intune")

    def _begun(self, now: datetime) -> None:
        self._last_sync_status = "inProgress"
        self._modified = now

    def _end(self, ended: datetime, outcome: str) -> None:
        if outcome == "never":
            return
        if outcome == "completes":
            self._last_sync = ended
        others = any(end > ended for end, _outcome in self._running)
        self._last_sync_status = "inProgress" if others else {"completes": "completed", "fails": "failed"}[outcome]
        self._modified = ended + _WRITTEN_AFTER

    def _state(self) -> dict[str, t.Any]:
        return {
            "expirationDateTime": _trimmed(self.expires),
            "lastModifiedDateTime": _trimmed(self._modified),
            "lastSyncDateTime": _trimmed(self._last_sync),
            "lastSyncStatus": self._last_sync_status,
            "state": self.state,
        }


def _trimmed(moment: datetime | None) -> str:
    """A time without the zeros at the end of its fraction, as these entities have it."""
    whole, _point, fraction = graph_time(moment).rstrip("Z").partition(".")
    digits = fraction.rstrip("0")
    return f"{whole}.{digits}Z" if digits else f"{whole}Z"
