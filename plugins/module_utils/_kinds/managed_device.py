# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Devices that Intune manages, of which a tenant has thousands.

https://learn.microsoft.com/graph/api/resources/intune-devices-manageddevice

They are asked one by one, by ``syncDevice``: in the action for many, ``executeAction``, one word tells a
synchronisation from a wipe.
"""

from __future__ import annotations

from datetime import datetime

from .._ground.words import Words
from .kind import Action, Entity, Filter, Kind, State, time_of, word_of

# complianceState, managementAgentType and managedDeviceOwnerType
_COMPLIANCE = ("unknown", "compliant", "noncompliant", "conflict", "error", "inGracePeriod", "configManager")
_AGENTS = (
    "eas",
    "mdm",
    "easMdm",
    "intuneClient",
    "easIntuneClient",
    "configurationManagerClient",
    "configurationManagerClientMdm",
    "configurationManagerClientMdmEas",
    "unknown",
    "jamf",
    "googleCloudDevicePolicyController",
    "microsoft365ManagedMdm",
    "msSense",
)
_OWNERS = ("unknown", "company", "personal")
# What Intune does not manage itself, and the systems for which it names no such action, in lower case:
# https://learn.microsoft.com/intune/device-management/actions/sync
_OTHERS_AGENTS = ("eas", "configurationManagerClient", "jamf", "msSense")
_OTHER_SYSTEMS = ("linux", "chromeos", "chrome os")
_SHORT = "device"


def state(entity: Entity, _now: datetime | None) -> State:
    """Read a device. It says when it last checked in, and nothing of what was asked of it."""
    agent, system = word_of(entity, "managementAgent"), word_of(entity, "operatingSystem")
    obstacle = ""
    if agent in _OTHERS_AGENTS:
        obstacle = f"it is managed by {agent}, which takes no synchronisation from Intune"
    elif system.lower() in _OTHER_SYSTEMS:
        obstacle = f"it runs {system}, for which Intune has no synchronisation"
    return State(
        succeeded=time_of(entity, "lastSyncDateTime", _SHORT),
        word=word_of(entity, "complianceState"),
        obstacle=obstacle,
    )


KIND = Kind(
    name="managed_device",
    words=Words("device", "devices", _SHORT, id_option="device_id", find_id="Intune's admin centre"),
    path="/deviceManagement/managedDevices",
    permission="DeviceManagementManagedDevices.Read.All",
    state=state,
    clock="lastSyncDateTime",
    status="complianceState",
    status_words="complianceState",
    fields=(
        "id",
        "deviceName",
        "operatingSystem",
        "lastSyncDateTime",
        "complianceState",
        "managementAgent",
        "managedDeviceOwnerType",
        "userPrincipalName",
        "serialNumber",
    ),
    large=True,
    filters=(
        Filter("operating_system", "operatingSystem", several=True, odata="or"),
        Filter("compliance_state", "complianceState", _COMPLIANCE, odata="or"),
        Filter("management_agent", "managementAgent", _AGENTS, odata="or"),
        # Which Graph is not documented to filter by.
        Filter("ownership", "managedDeviceOwnerType", _OWNERS),
        Filter("user_principal_name", "userPrincipalName", several=True, odata="eq"),
        Filter("device_name", "deviceName", several=True, odata="eq"),
        Filter("serial_number", "serialNumber", several=True, odata="or"),
    ),
    remedy="leave it out",
    sorted_by="deviceName",
    action=Action(
        path="syncDevice",
        permissions=(
            "DeviceManagementManagedDevices.PrivilegedOperations.All",
            "DeviceManagementManagedDevices.Read.All",
        ),
        # Devices check in every eight hours by themselves.
        max_age={"": 28800},
        # A device that is off answers when it is on again.
        wait=False,
        end_optional=True,
        # https://learn.microsoft.com/graph/throttling-limits#intune-devices-service-limits
        pace=200,
    ),
)
