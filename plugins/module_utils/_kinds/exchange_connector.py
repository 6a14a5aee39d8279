# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""The on-premises Exchange connector.

https://learn.microsoft.com/graph/api/resources/intune-onboarding-devicemanagementexchangeconnector
"""

from __future__ import annotations

import typing as t
from datetime import datetime, timezone

from .._ground.words import Words
from .kind import Action, Entity, Filter, Kind, State, time_of, word_of

# https://learn.microsoft.com/mem/intune/protect/exchange-connector-install
END_OF_SUPPORT = datetime(2024, 2, 19, tzinfo=timezone.utc)
_RETIRED = (
    "Microsoft ended support for the on-premises Exchange connector on 19 February 2024, and this one last synchronised"
    " before that"
)
_STATUSES = ("none", "connectionPending", "connected", "disconnected", "unknownFutureValue")
_SHORT = "connector"


def state(entity: Entity, _now: datetime | None) -> State:
    """Read a connector. It tells neither when a synchronisation was asked for, nor whether one runs or failed."""
    succeeded, status = time_of(entity, "lastSyncDateTime", _SHORT), word_of(entity, "status")
    retired = succeeded is not None and succeeded < END_OF_SUPPORT
    return State(
        succeeded=succeeded,
        word=status,
        obstacle="" if status == "connected" else f"its status is {status}",
        note=_RETIRED if retired else "",
        silent=f"{_RETIRED}: move to Exchange hybrid modern authentication, or to Exchange Online" if retired else "",
    )


def _body(sync_type: str) -> t.Mapping[str, t.Any]:
    return {"syncType": sync_type}


KIND = Kind(
    name="exchange_connector",
    key="connector",
    words=Words(
        "Exchange connector",
        "Exchange connectors",
        _SHORT,
        id_option="connector_id",
        find_id="graphops.intune.intune_exchange_connector_info",
        instead="Microsoft ended support for the on-premises connector on 19 February 2024, and offers hybrid modern"
        " authentication for Exchange on-premises, or Exchange Online, instead",
    ),
    path="/deviceManagement/exchangeConnectors",
    permission="DeviceManagementServiceConfig.Read.All",
    state=state,
    clock="lastSyncDateTime",
    status="status",
    status_words="status",
    # Microsoft may add some, and its own documentation lists no secret.
    fields=("*",),
    filters=(
        Filter("status", "status", _STATUSES),
        Filter("server_name", "serverName"),
        Filter("connector_server_name", "connectorServerName"),
        Filter("exchange_organization", "exchangeOrganization"),
        Filter("primary_smtp_address", "primarySmtpAddress"),
    ),
    obstacle_option="require_connected",
    remedy="connect it in Intune's admin centre",
    sorted_by="serverName",
    action=Action(
        path="sync",
        permissions=("DeviceManagementServiceConfig.ReadWrite.All",),
        types=("deltaSync", "fullSync"),
        body=_body,
        # Two hours is what Intune itself keeps between delta synchronisations. A full one cannot be proven by what
        # Graph shows, so nothing stands in for it unless the user says so.
        max_age={"deltaSync": 7200, "fullSync": 0},
        automatic=7200,
    ),
)
