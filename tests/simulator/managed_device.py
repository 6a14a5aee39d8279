# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A managed device: it tells when it last synchronised, and nothing of what is asked of it while it is off."""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta
from types import MappingProxyType

from simulator.entity import NEVER, SyncedEntity, check_properties, trimmed_time

if t.TYPE_CHECKING:
    from simulator.world import World

# What tests may tell of a device: names of EntityType managedDevice of the v1.0 metadata of Microsoft Graph, with what
# they are if nobody says otherwise. Shared by all devices, for there may be thousands.
DEFAULTS: t.Mapping[str, t.Any] = MappingProxyType(
    {
        "activationLockBypassCode": None,
        "androidSecurityPatchLevel": "",
        "azureADDeviceId": None,
        "azureADRegistered": None,
        "complianceGracePeriodExpirationDateTime": "9999-12-31T23:59:59Z",
        "configurationManagerClientEnabledFeatures": None,
        "deviceActionResults": [],
        "deviceCategoryDisplayName": "Unknown",
        "deviceEnrollmentType": "windowsAzureADJoin",
        "deviceHealthAttestationState": None,
        "deviceName": None,
        "easActivated": False,
        "easActivationDateTime": NEVER,
        "easDeviceId": None,
        "emailAddress": None,
        "enrolledDateTime": "2026-02-10T01:37:29Z",
        "enrollmentProfileName": None,
        "ethernetMacAddress": None,
        "exchangeAccessState": "none",
        "exchangeAccessStateReason": "none",
        "exchangeLastSuccessfulSyncDateTime": NEVER,
        "freeStorageSpaceInBytes": 0,
        "iccid": None,
        "imei": None,
        "isEncrypted": True,
        "isSupervised": False,
        "jailBroken": "Unknown",
        "managedDeviceName": None,
        "managementCertificateExpirationDate": "2027-02-10T01:37:29Z",
        "manufacturer": "Example",
        "meid": None,
        "model": "Model 1",
        "notes": None,
        "osVersion": "10.0.26100.1",
        "partnerReportedThreatState": "unknown",
        "phoneNumber": None,
        "physicalMemoryInBytes": 0,
        "remoteAssistanceSessionErrorDetails": None,
        "remoteAssistanceSessionUrl": None,
        "requireUserEnrollmentApproval": None,
        "serialNumber": None,
        "subscriberCarrier": "",
        "totalStorageSpaceInBytes": 0,
        "udid": None,
        "userDisplayName": None,
        "userId": None,
        "userPrincipalName": None,
        "wiFiMacAddress": None,
    }
)
# The other properties are attributes of the device.
PROPERTIES = (
    "id",
    *DEFAULTS,
    "complianceState",
    "deviceRegistrationState",
    "lastSyncDateTime",
    "managedDeviceOwnerType",
    "managementAgent",
    "managementState",
    "operatingSystem",
)
_CHOICE = ("eq", "or")
# The operators that a filter may use, by the descriptions in the metadata; Intune overlooks what is not here.
FILTERS: t.Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        **dict.fromkeys(("lastSyncDateTime", "enrolledDateTime"), ("lt", "gt")),
        "complianceGracePeriodExpirationDateTime": ("lt", "gt"),
        **dict.fromkeys(("operatingSystem", "complianceState", "managementAgent", "managementState"), _CHOICE),
        **dict.fromkeys(("deviceCategoryDisplayName", "exchangeAccessState", "imei", "jailBroken"), _CHOICE),
        **dict.fromkeys(("manufacturer", "serialNumber"), _CHOICE),
        **dict.fromkeys(("deviceName", "model"), ("eq", "contains")),
        **dict.fromkeys(("osVersion", "emailAddress", "phoneNumber"), ("contains",)),
        "userPrincipalName": ("eq", "ne"),
        "azureADDeviceId": ("eq",),
    }
)


class ManagedDevice(SyncedEntity):
    """One ``managedDevice``, made by :meth:`simulator.directory.Tenant.add_managed_device`.

    A sync that ``completes`` moves ``last_sync``. One that ``fails`` or ends ``never`` does nothing: the device is off.

    Attributes:
        operating_system, compliance_state, management_agent, managed_device_owner_type, management_state,
            device_registration_state: as Graph spells them.
    """

    accepted: list[datetime]

    def __init__(
        self,
        world: World,
        device_id: str,
        *,
        operating_system: str,
        compliance_state: str,
        management_agent: str,
        managed_device_owner_type: str,
        last_sync: datetime | timedelta | None,
        sync_delay: float,
        outcome: str,
        properties: dict[str, t.Any],
    ) -> None:
        check_properties(properties, DEFAULTS, "a managed device")
        super().__init__(world, device_id, properties, sync_delay=sync_delay, outcome=outcome)
        self.operating_system = operating_system
        self.compliance_state = compliance_state
        self.management_agent = management_agent
        self.managed_device_owner_type = managed_device_owner_type
        self.management_state = "managed"
        self.device_registration_state = "registered"
        self._last_sync = self.moment(last_sync)

    def _end(self, ended: datetime, outcome: str) -> None:
        if outcome == "completes":
            self._last_sync = ended

    def _state(self) -> dict[str, t.Any]:
        return {
            **DEFAULTS,
            "complianceState": self.compliance_state,
            "deviceRegistrationState": self.device_registration_state,
            "lastSyncDateTime": trimmed_time(self._last_sync),
            "managedDeviceOwnerType": self.managed_device_owner_type,
            "managementAgent": self.management_agent,
            "managementState": self.management_state,
            "operatingSystem": self.operating_system,
        }
