# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Connectors to services that defend mobile devices, such as Microsoft Defender for Endpoint.

https://learn.microsoft.com/graph/api/resources/intune-onboarding-mobilethreatdefenseconnector
"""

from __future__ import annotations

from datetime import datetime

from .._ground.words import Words
from .kind import Entity, Kind, State, time_of, word_of

_SHORT = "connector"
# The rest of mobileThreatPartnerTenantState is in use, or never was: notSetUp.
_TROUBLE = ("unavailable", "unresponsive", "error")


def state(entity: Entity, _now: datetime | None) -> State:
    """Read a connector. What it tells is the partner's last heartbeat."""
    partner = word_of(entity, "partnerState")
    return State(
        succeeded=time_of(entity, "lastHeartbeatDateTime", _SHORT),
        word=partner,
        obstacle=f"its partnerState is {partner}" if partner in _TROUBLE else "",
    )


KIND = Kind(
    name="mobile_threat_defense_connector",
    words=Words(
        "mobile threat defense connector",
        "mobile threat defense connectors",
        _SHORT,
        id_option="connector_id",
        find_id="graphops.intune.intune_connectors_and_tokens_info",
    ),
    path="/deviceManagement/mobileThreatDefenseConnectors",
    permission="DeviceManagementServiceConfig.Read.All",
    state=state,
    clock="lastHeartbeatDateTime",
    status="partnerState",
    status_words="partnerState",
    fields=(
        "id",
        "partnerState",
        "lastHeartbeatDateTime",
        "partnerUnresponsivenessThresholdInDays",
        "androidEnabled",
        "iosEnabled",
        "windowsEnabled",
        "microsoftDefenderForEndpointAttachEnabled",
    ),
    remedy="look at the partner's console, and at the connector in Intune's admin centre",
    action=None,
)
