# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A connector that fetches certificates for devices: it tells when it last spoke to Intune."""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta

from simulator.entity import Entity, MovedTime, check_properties, trimmed_time

if t.TYPE_CHECKING:
    from simulator.world import World

# Names: EntityType ndesConnector of the beta metadata of Microsoft Graph.
PROPERTIES = ("connectorVersion", "displayName", "enrolledDateTime", "machineName", "roleScopeTagIds")


class CertificateConnector(Entity):
    """One ``ndesConnector``, made by :meth:`simulator.directory.Tenant.add_certificate_connector`.

    Attributes:
        state: member of ``ndesConnectorState``.
        last_connection: when it last spoke to Intune; may be set to a time, an age or ``None`` (never); also
            by the name of the Graph property.
    """

    _last_connection: datetime | None
    last_connection_date_time = last_connection = MovedTime("_last_connection")

    def __init__(
        self,
        world: World,
        connector_id: str,
        *,
        state: str,
        last_connection: datetime | timedelta | None,
        properties: dict[str, t.Any],
    ) -> None:
        check_properties(properties, PROPERTIES, "a certificate connector")
        super().__init__(world, connector_id, properties)
        self.state = state
        self._last_connection = self.moment(last_connection)

    def _state(self) -> dict[str, t.Any]:
        return {"lastConnectionDateTime": trimmed_time(self._last_connection), "state": self.state}
