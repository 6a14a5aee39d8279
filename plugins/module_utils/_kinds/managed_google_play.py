# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Managed Google Play, to which a tenant is bound once.

https://learn.microsoft.com/graph/api/resources/intune-androidforwork-androidmanagedstoreaccountenterprisesettings
"""

from __future__ import annotations

import typing as t
from datetime import datetime

from .._ground.words import Words
from .kind import Action, Entity, Kind, Phase, State, time_of, word_of

# androidManagedStoreAccountAppSyncStatus
_PHASES: t.Mapping[str, Phase] = {
    "success": "idle",
    "none": "idle",
    "credentialsNotValid": "failed",
    "androidForWorkApiError": "failed",
    "managementServiceError": "failed",
    "unknownError": "failed",
}
_BOUND = ("bound", "boundAndValidated")
_SHORT = "account"


def state(entity: Entity, _now: datetime | None) -> State:
    """Read the account. One time tells of good and bad ends; nothing tells that one runs, or when it was asked for."""
    ended = time_of(entity, "lastAppSyncDateTime", _SHORT)
    status, bound = word_of(entity, "lastAppSyncStatus"), word_of(entity, "bindStatus")
    phase = _PHASES.get(status, "unknown")
    return State(
        succeeded=None if phase == "failed" else ended,
        ended=ended,
        phase=phase,
        word=status,
        obstacle="" if bound in _BOUND else f"it is not bound (its bindStatus is {bound})",
    )


KIND = Kind(
    name="managed_google_play",
    words=Words("Managed Google Play account", "Managed Google Play accounts", _SHORT),
    path="/deviceManagement/androidManagedStoreAccountEnterpriseSettings",
    api="beta",
    singleton=True,
    permission="DeviceManagementConfiguration.Read.All",
    state=state,
    clock="lastAppSyncDateTime",
    status="lastAppSyncStatus",
    status_words="lastAppSyncStatus",
    # Not its companyCodes, with which anybody enrols a device.
    fields=(
        "id",
        "bindStatus",
        "lastAppSyncDateTime",
        "lastAppSyncStatus",
        "ownerUserPrincipalName",
        "ownerOrganizationName",
        "lastModifiedDateTime",
        "enrollmentTarget",
        "managedGooglePlayEnterpriseType",
    ),
    secrets=("companyCodes",),
    remedy="bind the tenant to Managed Google Play in Intune's admin centre",
    health="bindStatus",
    action=Action(
        path="syncApps",
        permissions=("DeviceManagementConfiguration.ReadWrite.All",),
        max_age={"": 3600},
    ),
)
