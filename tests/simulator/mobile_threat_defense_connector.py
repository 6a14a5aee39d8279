# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A connector to a partner that watches devices for threats: it tells when it last heard of the partner."""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta

from simulator.entity import Entity, MovedTime, check_properties, trimmed_time

if t.TYPE_CHECKING:
    from simulator.world import World

# Names: EntityType mobileThreatDefenseConnector of the v1.0 metadata of Microsoft Graph. All these say yes or no.
FLAGS = (
    "allowPartnerToCollectIOSApplicationMetadata",
    "allowPartnerToCollectIOSPersonalApplicationMetadata",
    "androidDeviceBlockedOnMissingPartnerData",
    "androidEnabled",
    "androidMobileApplicationManagementEnabled",
    "iosDeviceBlockedOnMissingPartnerData",
    "iosEnabled",
    "iosMobileApplicationManagementEnabled",
    "microsoftDefenderForEndpointAttachEnabled",
    "partnerUnsupportedOsVersionBlocked",
    "windowsDeviceBlockedOnMissingPartnerData",
    "windowsEnabled",
)
PROPERTIES = (*FLAGS, "partnerUnresponsivenessThresholdInDays")


class MobileThreatDefenseConnector(Entity):
    """One ``mobileThreatDefenseConnector``, made by :meth:`~.directory.Tenant.add_mobile_threat_defense_connector`.

    Attributes:
        partner_state: member of ``mobileThreatPartnerTenantState``.
        last_heartbeat: when the partner was last heard of; may be set to a time, an age or ``None`` (never); also
            by the name of the Graph property.
    """

    _last_heartbeat: datetime | None
    last_heartbeat_date_time = last_heartbeat = MovedTime("_last_heartbeat")

    def __init__(
        self,
        world: World,
        connector_id: str,
        *,
        partner_state: str,
        last_heartbeat: datetime | timedelta | None,
        properties: dict[str, t.Any],
    ) -> None:
        check_properties(properties, PROPERTIES, "a mobile threat defence connector")
        super().__init__(world, connector_id, properties)
        self.partner_state = partner_state
        self._last_heartbeat = self.moment(last_heartbeat)

    def _state(self) -> dict[str, t.Any]:
        return {
            # Live, no flag is set where the partner is not set up.
            **dict.fromkeys(FLAGS, self.partner_state != "notSetUp"),
            "partnerUnresponsivenessThresholdInDays": 7,
            "lastHeartbeatDateTime": trimmed_time(self._last_heartbeat),
            "partnerState": self.partner_state,
        }
