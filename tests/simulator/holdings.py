# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Intune holds for a tenant: plain objects, and those that only age."""

from __future__ import annotations

import typing as t
import uuid
from collections import defaultdict
from datetime import datetime, timedelta

from simulator.apple_push_certificate import ApplePushCertificate
from simulator.certificate_connector import CertificateConnector
from simulator.entity import Entity
from simulator.mobile_threat_defense_connector import MobileThreatDefenseConnector
from simulator.resources import (
    APPLE_PUSH_CERTIFICATE,
    CERTIFICATE_CONNECTOR,
    MOBILE_THREAT_DEFENSE_CONNECTOR,
    Resource,
)

if t.TYPE_CHECKING:
    from simulator.world import World

E = t.TypeVar("E", bound=Entity)


class Holdings:
    """The part of a :class:`~simulator.directory.Tenant` that Intune knows.

    Attributes:
        objects: what the tenant holds, by kind and by id.
        absent: kinds that Graph does not have for the tenant, with the status it says so by, such as 501 or 404.
    """

    def __init__(self, world: World, domain: str) -> None:
        self.world = world
        self.domain = domain
        self.objects: defaultdict[str, dict[str, Entity]] = defaultdict(dict)
        self.absent: dict[str, int] = {}

    def add_apple_push_certificate(
        self, expires: datetime | timedelta = timedelta(days=200), **properties: t.Any
    ) -> ApplePushCertificate:
        """Add Apple's push certificate; its text is one that nobody must show."""
        with self.world.lock:
            object_id = new_id(None)
            defaults = {
                "appleIdentifier": f"apns@{self.domain}",
                "certificate": f"certificate-secret-of-{object_id}",
                "certificateSerialNumber": "0123456789ABCDEF",
                "certificateUploadFailureReason": None,
                "certificateUploadStatus": None,
                "topicIdentifier": f"com.apple.mgmt.External.{object_id}",
            }
            certificate = ApplePushCertificate(
                self.world, object_id, expires=expires, properties={**defaults, **properties}
            )
            return self.hold(APPLE_PUSH_CERTIFICATE, certificate)

    def add_mobile_threat_defense_connector(
        self,
        partner_state: str = "enabled",
        last_heartbeat: datetime | timedelta | None = None,
        connector_id: str | None = None,
        **properties: t.Any,
    ) -> MobileThreatDefenseConnector:
        """Add a connector to a partner that watches devices; ``last_heartbeat`` is a time, an age, or never."""
        with self.world.lock:
            connector = MobileThreatDefenseConnector(
                self.world,
                new_id(connector_id),
                partner_state=partner_state,
                last_heartbeat=last_heartbeat,
                properties=properties,
            )
            return self.hold(MOBILE_THREAT_DEFENSE_CONNECTOR, connector)

    def add_certificate_connector(
        self,
        state: str = "active",
        last_connection: datetime | timedelta | None = None,
        connector_id: str | None = None,
        **properties: t.Any,
    ) -> CertificateConnector:
        """Add a connector that fetches certificates; ``last_connection`` is a time, an age, or never."""
        with self.world.lock:
            number = len(self.objects[CERTIFICATE_CONNECTOR.name]) + 1
            defaults = {
                "connectorVersion": "6.2406.0.1001",
                "displayName": f"CertificateConnector_{number:02d}",
                "enrolledDateTime": "2026-01-10T09:00:00.1234567Z",
                "machineName": f"ndes{number:02d}.{self.domain}",
                "roleScopeTagIds": ["0"],
            }
            connector = CertificateConnector(
                self.world,
                new_id(connector_id),
                state=state,
                last_connection=last_connection,
                properties={**defaults, **properties},
            )
            return self.hold(CERTIFICATE_CONNECTOR, connector)

    def add_object(
        self,
        kind: str,
        object_id: str | None = None,
        on_accept: t.Callable[[Entity], None] | None = None,
        **properties: t.Any,
    ) -> Entity:
        """Add a plain object, of which a sync is accepted and nothing more.

        Parameters:
            kind: name of one of the world's resources.
            object_id: made up if ``None``.
            on_accept: called with the object when a sync is accepted.
            properties: all but the id, by their Graph names.
        """
        with self.world.lock:
            resource = self.world.resources[kind]
            entity = Entity(self.world, new_id(object_id), properties)
            entity.on_accept = on_accept
            return self.hold(resource, entity)

    def hold(self, resource: Resource, entity: E) -> E:
        """Let the tenant have an object."""
        held = self.objects[resource.name]
        if resource.singleton and held:
            raise ValueError(f"a tenant has one object of kind {resource.name!r} only")
        held[entity.id] = entity
        return entity


def new_id(wanted: str | None) -> str:
    """The id of a new object, as Graph has it."""
    return (wanted or str(uuid.uuid4())).lower()
