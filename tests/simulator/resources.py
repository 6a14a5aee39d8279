# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kinds of objects that age or can be synchronised: where Graph has each, and who may read and synchronise it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field
from functools import cached_property

from simulator import managed_device

VERSIONS = ("v1.0", "beta")

_SYNC_ROLES = ("DeviceManagementServiceConfig.ReadWrite.All", "DeviceManagementConfiguration.ReadWrite.All")
_READ_ROLES = (
    "DeviceManagementServiceConfig.Read.All",
    "DeviceManagementConfiguration.Read.All",
    *_SYNC_ROLES,
)
_SERVICE_READ_ROLES = ("DeviceManagementServiceConfig.Read.All", "DeviceManagementServiceConfig.ReadWrite.All")


@dataclass(frozen=True)
class Resource:
    """One kind of objects. :meth:`simulator.world.World.add_resource` makes another known while a world is served.

    Parameters:
        name: what tests call it.
        version: version of Graph that has it, one of ``VERSIONS``.
        path: of the collection, or of the object itself if there is one only; without version and slashes around it.
        action: last segment of the address that synchronises an object; ``None`` where there is no such thing.
        read_roles, sync_roles: permissions of which one is enough.
        singleton: whether a tenant has one object at most, which needs no id.
        parameter, choices: name of the only parameter of the action and what it may be; without it the action has no
            body.
        returns: type of the object that the action is answered with; without it the answer is an empty 204.
        counts: whether the list has ``@odata.count``.
        page_size: objects on a page, and not to be made more; ``None`` for all on one.
        properties: what ``$select`` and ``$filter`` may name; without them there are no such options.
        filters: the operators of ``$filter`` that are not overlooked, by property.
        of_intune: whether it takes Intune's licence, and Intune itself refuses.
    """

    name: str
    version: str
    path: str
    action: str | None
    read_roles: tuple[str, ...] = _READ_ROLES
    sync_roles: tuple[str, ...] = _SYNC_ROLES
    singleton: bool = False
    parameter: str | None = None
    choices: tuple[str, ...] = ()
    returns: str | None = None
    counts: bool = False
    page_size: int | None = None
    properties: tuple[str, ...] = ()
    filters: t.Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    of_intune: bool = True

    @property
    def options(self) -> dict[str, tuple[str, ...]]:
        """The query options of its requests, by what these ask for."""
        own = ("$select",) if self.properties else ()
        return {"list": ("$top", "$skiptoken", *own, *(("$filter",) if own else ())), "get": own, "sync": ()}

    @property
    def folder(self) -> tuple[str, ...]:
        """The segments of its path but the last, in lower case."""
        return self._segments[:-1]

    @property
    def pattern(self) -> tuple[str, ...]:
        """The segments of the address of its action, in lower case, with ``*`` for an id."""
        action = () if self.action is None else (self.action.lower(),)
        return (*self._segments, *(() if self.singleton else ("*",)), *action)

    @cached_property
    def _segments(self) -> tuple[str, ...]:
        return tuple(self.path.lower().split("/"))

    def asked(self, method: str, segments: t.Sequence[str]) -> tuple[str, str | None] | None:
        """What a request asks for (``list``, ``get`` or ``sync``) and the id it names; ``None`` if not for this kind.

        ``segments`` are those after the version.
        """
        names = [segment.lower() for segment in segments]
        own = len(self._segments)
        if tuple(names[:own]) != self._segments or "$count" in names:
            return None
        rest = names[own:]
        object_id = rest.pop(0) if rest and not self.singleton else None
        if method == "GET" and not rest:
            return ("get" if self.singleton or object_id else "list"), object_id
        if method == "POST" and self.action is not None and rest == [self.action.lower()]:
            return "sync", object_id
        return None


EXCHANGE_CONNECTOR = Resource(
    "exchange_connector",
    "v1.0",
    "deviceManagement/exchangeConnectors",
    "sync",
    parameter="syncType",
    choices=("fullSync", "deltaSync"),
)
VPP_TOKEN = Resource(
    "vpp_token",
    "v1.0",
    "deviceAppManagement/vppTokens",
    "syncLicenses",
    # Microsoft's reference names the first four; the last two are seen to be enough as well.
    read_roles=(*_READ_ROLES, "DeviceManagementApps.Read.All", "DeviceManagementApps.ReadWrite.All"),
    returns="microsoft.graph.vppToken",
)
ENROLLMENT_PROGRAM_TOKEN = Resource(
    "enrollment_program_token",
    "beta",
    "deviceManagement/depOnboardingSettings",
    "syncWithAppleDeviceEnrollmentProgram",
    counts=True,
)
AUTOPILOT = Resource("autopilot", "beta", "deviceManagement/windowsAutopilotSettings", "sync", singleton=True)
MANAGED_GOOGLE_PLAY = Resource(
    "managed_google_play",
    "beta",
    "deviceManagement/androidManagedStoreAccountEnterpriseSettings",
    "syncApps",
    # Read live with the permission for the service configuration as well, of which the reference says nothing.
    sync_roles=("DeviceManagementConfiguration.ReadWrite.All",),
    singleton=True,
)
MANAGED_DEVICE = Resource(
    "managed_device",
    "v1.0",
    "deviceManagement/managedDevices",
    "syncDevice",
    read_roles=("DeviceManagementManagedDevices.Read.All", "DeviceManagementManagedDevices.ReadWrite.All"),
    sync_roles=("DeviceManagementManagedDevices.PrivilegedOperations.All",),
    counts=True,
    page_size=1000,
    properties=managed_device.PROPERTIES,
    filters=managed_device.FILTERS,
)
APPLE_PUSH_CERTIFICATE = Resource(
    "apple_push_certificate",
    "v1.0",
    "deviceManagement/applePushNotificationCertificate",
    None,
    read_roles=_SERVICE_READ_ROLES,
    singleton=True,
)
MOBILE_THREAT_DEFENSE_CONNECTOR = Resource(
    "mobile_threat_defense_connector",
    "v1.0",
    "deviceManagement/mobileThreatDefenseConnectors",
    None,
    read_roles=_SERVICE_READ_ROLES,
)
# Read live with the permission for the service configuration as well, of which the reference says nothing.
CERTIFICATE_CONNECTOR = Resource("certificate_connector", "beta", "deviceManagement/ndesConnectors", None)
# https://learn.microsoft.com/graph/api/tenantrelationship-list-delegatedadmincustomers
CUSTOMER = Resource(
    "customer",
    "v1.0",
    "tenantRelationships/delegatedAdminCustomers",
    None,
    read_roles=("DelegatedAdminRelationship.Read.All", "DelegatedAdminRelationship.ReadWrite.All"),
    page_size=300,
    of_intune=False,
)
# Those of Intune; a partner's customers are none of it.
RESOURCES = (
    EXCHANGE_CONNECTOR,
    VPP_TOKEN,
    ENROLLMENT_PROGRAM_TOKEN,
    AUTOPILOT,
    MANAGED_GOOGLE_PLAY,
    MANAGED_DEVICE,
    APPLE_PUSH_CERTIFICATE,
    MOBILE_THREAT_DEFENSE_CONNECTOR,
    CERTIFICATE_CONNECTOR,
)
