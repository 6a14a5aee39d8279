# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An exchange connector: it says when a sync was completed, and nothing of those that run or fail."""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta

from simulator.entity import Moved, SyncedEntity, check_properties, graph_time

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


class Connector(SyncedEntity):
    """One ``deviceManagementExchangeConnector``, made by :meth:`simulator.directory.Tenant.add_connector`.

    A sync that ``completes`` moves ``last_sync``, one that ends ``never`` does nothing, and one that ``fails``
    disconnects the connector.

    Attributes:
        status: as Graph spells it.
    """

    accepted: list[tuple[datetime, str]]
    status = Moved[str]("_status")

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
        check_properties(properties, PROPERTIES, "an exchange connector")
        super().__init__(world, connector_id, properties, sync_delay=sync_delay, outcome=outcome)
        self._status = status
        self._last_sync = self.moment(last_sync)

    def _end(self, ended: datetime, outcome: str) -> None:
        if outcome == "completes":
            self._last_sync = ended
        elif outcome == "fails":
            self._status = "disconnected"

    def _state(self) -> dict[str, t.Any]:
        return {"lastSyncDateTime": graph_time(self._last_sync), "status": self._status}
