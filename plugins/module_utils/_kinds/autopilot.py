# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Windows Autopilot, of which a tenant has one.

https://learn.microsoft.com/graph/api/resources/intune-enrollment-windowsautopilotsettings
"""

from __future__ import annotations

import typing as t
from datetime import datetime

from .._ground.words import Words
from .kind import Action, Entity, Kind, Phase, State, time_of, word_of

# windowsAutopilotSyncStatus
_PHASES: t.Mapping[str, Phase] = {"inProgress": "running", "completed": "idle", "failed": "failed", "none": "idle"}
_SHORT = "Autopilot service"


def state(entity: Entity, _now: datetime | None) -> State:
    """Read the settings, which say when a synchronisation was asked for by hand, and when one ended."""
    ended = time_of(entity, "lastSyncDateTime", _SHORT)
    status = word_of(entity, "syncStatus")
    phase = _PHASES.get(status, "unknown")
    return State(
        succeeded=None if phase == "failed" else ended,
        requested=time_of(entity, "lastManualSyncTriggerDateTime", _SHORT),
        ended=ended,
        phase=phase,
        word=status,
    )


KIND = Kind(
    name="autopilot",
    words=Words("Windows Autopilot service", "Windows Autopilot services", _SHORT),
    path="/deviceManagement/windowsAutopilotSettings",
    api="beta",
    singleton=True,
    permission="DeviceManagementServiceConfig.Read.All",
    state=state,
    clock="lastSyncDateTime",
    status="syncStatus",
    status_words="syncStatus",
    fields=("id", "lastSyncDateTime", "lastManualSyncTriggerDateTime", "syncStatus"),
    remedy="look at Windows Autopilot devices in Intune's admin centre",
    action=Action(
        path="sync",
        permissions=("DeviceManagementServiceConfig.ReadWrite.All",),
        max_age={"": 3600},
        # https://learn.microsoft.com/graph/api/intune-enrollment-windowsautopilotsettings-sync, and
        # microsoft-graph-docs#9691 for the ten minutes.
        interval=600,
        answers={409: "running", 429: "too_soon"},
    ),
)
