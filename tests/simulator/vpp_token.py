# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A token of Apple's volume purchase programme: it says of its last sync when it ended and how, or that it runs."""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta

from simulator.entity import ENDS, Moved, SyncedEntity, check_properties, trimmed_time
from simulator.errors import intune_error

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
        last_sync_status: how the last sync ended, or that one runs; may be set, also to what no sync leads to.
    """

    accepted: list[datetime]
    last_sync_status = Moved[str]("_last_sync_status")

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
        self.expires = self.coming(expires)
        self._last_sync = self.moment(last_sync)
        self._last_sync_status = last_sync_status
        self._modified = self._last_sync + _WRITTEN_AFTER if self._last_sync else self.expires - LIFETIME

    def _check(self) -> None:
        if self.state != "valid":
            raise intune_error(400, "The VPP token is not valid.")

    def _begun(self, now: datetime) -> None:
        self._last_sync_status = "inProgress"
        self._modified = now

    def _end(self, ended: datetime, outcome: str) -> None:
        if outcome == "never":
            return
        if outcome == "completes":
            self._last_sync = ended
        self._last_sync_status = "inProgress" if self._others_run(ended) else ENDS[outcome]
        self._modified = ended + _WRITTEN_AFTER

    def _state(self) -> dict[str, t.Any]:
        return {
            "expirationDateTime": trimmed_time(self.expires),
            "lastModifiedDateTime": trimmed_time(self._modified),
            "lastSyncDateTime": trimmed_time(self._last_sync),
            "lastSyncStatus": self._last_sync_status,
            "state": self.state,
        }
