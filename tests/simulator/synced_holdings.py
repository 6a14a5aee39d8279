# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Intune synchronises for a tenant: how the objects of each such kind are added."""

from __future__ import annotations

import base64
import json
import typing as t
from datetime import datetime, timedelta

from simulator.autopilot import Autopilot
from simulator.connector import Connector
from simulator.enrollment_program_token import EnrollmentProgramToken
from simulator.holdings import Holdings, new_id
from simulator.managed_device import ManagedDevice
from simulator.managed_google_play import ManagedGooglePlay
from simulator.resources import (
    AUTOPILOT,
    ENROLLMENT_PROGRAM_TOKEN,
    EXCHANGE_CONNECTOR,
    MANAGED_DEVICE,
    MANAGED_GOOGLE_PLAY,
    VPP_TOKEN,
)
from simulator.vpp_token import VppToken


class SyncedHoldings(Holdings):
    """The objects of a :class:`~simulator.directory.Tenant` that can be synchronised."""

    @property
    def _label(self) -> str:
        return self.domain.split(".", maxsplit=1)[0]

    @property
    def _name(self) -> str:
        return self._label.capitalize()

    @property
    def connectors(self) -> dict[str, Connector]:
        """The exchange connectors, by id."""
        return t.cast("dict[str, Connector]", self.objects[EXCHANGE_CONNECTOR.name])

    @property
    def vpp_tokens(self) -> dict[str, VppToken]:
        """The tokens of Apple's volume purchase programme, by id."""
        return t.cast("dict[str, VppToken]", self.objects[VPP_TOKEN.name])

    @property
    def enrollment_program_tokens(self) -> dict[str, EnrollmentProgramToken]:
        """The tokens of Apple's automated device enrolment, by id."""
        return t.cast("dict[str, EnrollmentProgramToken]", self.objects[ENROLLMENT_PROGRAM_TOKEN.name])

    @property
    def managed_devices(self) -> dict[str, ManagedDevice]:
        """The managed devices, by id."""
        return t.cast("dict[str, ManagedDevice]", self.objects[MANAGED_DEVICE.name])

    @property
    def has_exchange_connectors(self) -> bool:
        """Whether Graph has exchange connectors here, if only an empty list; where there never was one it has not."""
        return EXCHANGE_CONNECTOR.name not in self.absent

    @has_exchange_connectors.setter
    def has_exchange_connectors(self, value: bool) -> None:
        self.absent.pop(EXCHANGE_CONNECTOR.name, None)
        if not value:
            self.absent[EXCHANGE_CONNECTOR.name] = 501

    def add_connector(
        self,
        connector_id: str | None = None,
        status: str = "connected",
        last_sync: datetime | timedelta | None = None,
        sync_delay: float = 0.0,
        outcome: str = "completes",
        **properties: t.Any,
    ) -> Connector:
        """Add a connector.

        Parameters:
            connector_id: made up if ``None``.
            status: member of ``deviceManagementExchangeConnectorStatus``.
            last_sync: time, or age as a timedelta, of the last sync; ``None`` for never.
            sync_delay: seconds that a sync takes.
            outcome: how a sync ends: ``completes``, ``never`` or ``fails``.
            properties: other Graph properties by their Graph names; the defaults differ from connector to connector.
        """
        with self.world.lock:
            number = len(self.connectors) + 1
            defaults = {
                "serverName": f"ex{number:03d}.{self.domain}",
                "connectorServerName": f"conn{number:03d}.{self.domain}",
                "exchangeConnectorType": "onPremises",
                "primarySmtpAddress": f"connector{number:03d}@{self.domain}",
                "exchangeAlias": f"{self._label}-ex{number:03d}",
                "exchangeOrganization": f"{self._name} Organization {number}",
                "version": "5.0.5777.0",
            }
            connector = Connector(
                self.world,
                new_id(connector_id),
                status=status,
                last_sync=last_sync,
                sync_delay=sync_delay,
                outcome=outcome,
                properties={**defaults, **properties},
            )
            return self.hold(EXCHANGE_CONNECTOR, connector)

    def add_vpp_token(
        self,
        token_id: str | None = None,
        organization_name: str | None = None,
        apple_id: str | None = None,
        state: str = "valid",
        last_sync: datetime | timedelta | None = None,
        last_sync_status: str | None = None,
        sync_delay: float = 0.0,
        outcome: str = "completes",
        expires: datetime | timedelta = timedelta(days=200),
        **properties: t.Any,
    ) -> VppToken:
        """Add a token of Apple's volume purchase programme.

        Parameters:
            token_id, organization_name, apple_id: made up if ``None``.
            state: member of ``vppTokenState``; only ``valid`` ones are synchronised.
            last_sync: time, or age as a timedelta, of the last completed sync; ``None`` for never.
            last_sync_status: member of ``vppTokenSyncStatus``; if ``None``, ``completed`` or, where there was never
                one, ``none``.
            sync_delay: seconds that a sync takes.
            outcome: how a sync ends: ``completes``, ``never`` or ``fails``.
            expires: time, or how long from now, that Apple takes the token.
            properties: other Graph properties by their Graph names; ``token`` is a text that nobody must show.
        """
        with self.world.lock:
            number = len(self.vpp_tokens) + 1
            object_id = new_id(token_id)
            defaults = {
                "organizationName": organization_name or f"{self._name} Apps {number}",
                "appleId": apple_id or f"vpp{number:03d}@{self.domain}",
                "automaticallyUpdateApps": True,
                "countryOrRegion": "us",
                "token": f"apple-secret-of-{object_id}",
                "vppTokenAccountType": "business",
            }
            token = VppToken(
                self.world,
                object_id,
                state=state,
                last_sync=last_sync,
                last_sync_status=last_sync_status or ("none" if last_sync is None else "completed"),
                sync_delay=sync_delay,
                outcome=outcome,
                expires=expires,
                properties={**defaults, **properties},
            )
            return self.hold(VPP_TOKEN, token)

    def add_enrollment_program_token(
        self,
        token_id: str | None = None,
        token_name: str | None = None,
        apple_identifier: str | None = None,
        last_sync: datetime | timedelta | None = None,
        last_triggered: datetime | timedelta | None = None,
        last_sync_error_code: int = 0,
        sync_delay: float = 0.0,
        outcome: str = "completes",
        expires: datetime | timedelta = timedelta(days=200),
        **properties: t.Any,
    ) -> EnrollmentProgramToken:
        """Add a token of Apple's automated device enrolment; parameters that need no word are as for a VPP token.

        Parameters:
            last_triggered: time, or age, of the last request for a sync; if ``None``, shortly before ``last_sync``.
            last_sync_error_code: Apple's, 0 for none.
        """
        with self.world.lock:
            number = len(self.enrollment_program_tokens) + 1
            defaults = {
                "tokenName": token_name or f"{self._name} Enrolment {number}",
                "appleIdentifier": apple_identifier or f"ade{number:03d}@{self.domain}",
                "dataSharingConsentGranted": True,
                "roleScopeTagIds": ["0"],
                "shareTokenWithSchoolDataSyncService": False,
                "syncedDeviceCount": 7,
                "tokenType": "dep",
            }
            token = EnrollmentProgramToken(
                self.world,
                new_id(token_id),
                last_sync=last_sync,
                last_triggered=_before(last_sync, 3.0) if last_triggered is None else last_triggered,
                last_sync_error_code=last_sync_error_code,
                sync_delay=sync_delay,
                outcome=outcome,
                expires=expires,
                properties={**defaults, **properties},
            )
            return self.hold(ENROLLMENT_PROGRAM_TOKEN, token)

    def add_autopilot(
        self,
        settings_id: str | None = None,
        last_sync: datetime | timedelta | None = None,
        last_triggered: datetime | timedelta | None = None,
        sync_status: str | None = None,
        sync_delay: float = 0.0,
        outcome: str = "completes",
    ) -> Autopilot:
        """Add the settings of Windows Autopilot; parameters that need no word are as for a VPP token.

        Parameters:
            last_triggered: time, or age, of the last request for a sync; if ``None``, shortly before ``last_sync``.
            sync_status: if ``None``, ``completed`` or, where there was never a sync, ``unknown``.
        """
        with self.world.lock:
            autopilot = Autopilot(
                self.world,
                new_id(settings_id),
                last_sync=last_sync,
                last_triggered=_before(last_sync, 0.5) if last_triggered is None else last_triggered,
                sync_status=sync_status or ("unknown" if last_sync is None else "completed"),
                sync_delay=sync_delay,
                outcome=outcome,
            )
            return self.hold(AUTOPILOT, autopilot)

    def add_managed_google_play(
        self,
        bind_status: str = "boundAndValidated",
        last_sync: datetime | timedelta | None = None,
        last_app_sync_status: str | None = None,
        sync_delay: float = 0.0,
        outcome: str = "completes",
        **properties: t.Any,
    ) -> ManagedGooglePlay:
        """Add the bind to managed Google Play; parameters that need no word are as for a VPP token.

        Parameters:
            bind_status: member of ``androidManagedStoreAccountBindStatus``; only where something is bound it is
                synchronised.
            last_app_sync_status: if ``None``, ``success`` or, where there was never a sync, ``none``.
            properties: others by their Graph names; in ``companyCodes`` are texts that nobody must show.
        """
        with self.world.lock:
            secret = f"enrollment-secret-of-{self.domain}"
            defaults = {
                "managedGooglePlayEnterpriseType": "managedGoogleDomain",
                "ownerUserPrincipalName": f"owner@{self.domain}",
                "ownerOrganizationName": self._name,
                "lastModifiedDateTime": "2026-02-11T14:43:51.9783652Z",
                "enrollmentTarget": "targetedAsEnrollmentRestrictions",
                "targetGroupIds": [],
                "deviceOwnerManagementEnabled": True,
                "androidDeviceOwnerFullyManagedEnrollmentEnabled": False,
                "managedGooglePlayInitialScopeTagIds": ["0"],
                "companyCodes": [
                    {
                        "enrollmentToken": secret,
                        "qrCodeContent": json.dumps({"EXTRA_ENROLLMENT_TOKEN": secret}),
                        "qrCodeImage": {"type": "image/png", "value": base64.b64encode(secret.encode()).decode()},
                    }
                ],
            }
            play = ManagedGooglePlay(
                self.world,
                bind_status=bind_status,
                last_sync=last_sync,
                last_app_sync_status=last_app_sync_status or ("none" if last_sync is None else "success"),
                sync_delay=sync_delay,
                outcome=outcome,
                properties={**defaults, **properties},
            )
            return self.hold(MANAGED_GOOGLE_PLAY, play)

    def add_managed_device(
        self,
        device_id: str | None = None,
        device_name: str | None = None,
        operating_system: str = "Windows",
        compliance_state: str = "compliant",
        management_agent: str = "mdm",
        ownership: str = "company",
        user_principal_name: str | None = None,
        serial_number: str | None = None,
        last_sync: datetime | timedelta | None = None,
        sync_delay: float = 0.0,
        outcome: str = "completes",
        **properties: t.Any,
    ) -> ManagedDevice:
        """Add a managed device; parameters that need no word are as for a VPP token.

        Parameters:
            ownership: its ``managedDeviceOwnerType``.
            outcome: a device that is off ends ``never``.
            properties: others by their Graph names; ``activationLockBypassCode`` is a text that nobody must show.
        """
        with self.world.lock:
            number = len(self.managed_devices) + 1
            object_id = new_id(device_id)
            own = {
                "deviceName": device_name or f"PC-{number:05d}",
                "userPrincipalName": user_principal_name or f"user{number:05d}@{self.domain}",
                "serialNumber": serial_number or f"SN{number:08d}",
                "activationLockBypassCode": f"bypass-secret-of-{object_id}",
            }
            device = ManagedDevice(
                self.world,
                object_id,
                operating_system=operating_system,
                compliance_state=compliance_state,
                management_agent=management_agent,
                managed_device_owner_type=ownership,
                last_sync=last_sync,
                sync_delay=sync_delay,
                outcome=outcome,
                properties={**own, **properties},
            )
            return self.hold(MANAGED_DEVICE, device)


def _before(moment: datetime | timedelta | None, seconds: float) -> datetime | timedelta | None:
    """So much before a time, or an age; ``None`` for never."""
    gap = timedelta(seconds=seconds)
    if isinstance(moment, timedelta):
        return moment + gap
    return None if moment is None else moment - gap
