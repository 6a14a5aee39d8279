# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Apple volume purchase (VPP) tokens, which Apple calls location tokens.

https://learn.microsoft.com/graph/api/resources/intune-onboarding-vpptoken
"""

from __future__ import annotations

import typing as t
from datetime import datetime

from .._ground.words import Words
from .kind import Action, Entity, Filter, Kind, Phase, State, expiry_of, time_of, word_of

# vppTokenSyncStatus
_PHASES: t.Mapping[str, Phase] = {"none": "idle", "inProgress": "running", "completed": "idle", "failed": "failed"}
# vppTokenState; the last is beta's.
_STATES = ("unknown", "valid", "expired", "invalid", "assignedToExternalMDM", "duplicateLocationId")
_SHORT = "token"


def state(entity: Entity, _now: datetime | None) -> State:
    """Read a token. It does not tell when a synchronisation was asked for; its modification moves when one ends."""
    synced, modified = (time_of(entity, name, _SHORT) for name in ("lastSyncDateTime", "lastModifiedDateTime"))
    status, health = word_of(entity, "lastSyncStatus"), word_of(entity, "state")
    phase = _PHASES.get(status, "unknown")
    return State(
        succeeded=None if phase == "failed" else synced,
        ended=max((time for time in (synced, modified) if time), default=None),
        phase=phase,
        word=status,
        obstacle="" if health == "valid" else f"its state is {health}",
        expires=expiry_of(entity, "expirationDateTime"),
    )


KIND = Kind(
    name="vpp_token",
    words=Words(
        "Apple VPP token",
        "Apple VPP tokens",
        _SHORT,
        id_option="token_id",
        find_id="graphops.intune.intune_connectors_and_tokens_info",
    ),
    path="/deviceAppManagement/vppTokens",
    permission="DeviceManagementServiceConfig.Read.All",
    state=state,
    clock="lastSyncDateTime",
    status="lastSyncStatus",
    status_words="lastSyncStatus",
    # All that may be shown: the entity also carries the token itself, which is Apple's secret.
    fields=(
        "id",
        "organizationName",
        "appleId",
        "countryOrRegion",
        "vppTokenAccountType",
        "state",
        "automaticallyUpdateApps",
        "lastSyncDateTime",
        "lastSyncStatus",
        "lastModifiedDateTime",
        "expirationDateTime",
    ),
    secrets=("token",),
    filters=(
        Filter("organization_name", "organizationName"),
        Filter("apple_id", "appleId"),
        Filter("state", "state", _STATES),
    ),
    remedy="download a new one from Apple Business Manager or Apple School Manager, and upload it in Intune's admin"
    " centre",
    sorted_by="organizationName",
    health="state",
    action=Action(
        path="syncLicenses",
        permissions=("DeviceManagementServiceConfig.ReadWrite.All",),
        max_age={"": 3600},
        # Once a day: https://learn.microsoft.com/mem/intune/apps/vpp-apps-ios
        automatic=86400,
        # It has been seen to hang in progress for days.
        repeatable_while_running=True,
    ),
)
