# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Apple's push certificate of a tenant, which nothing renews by itself."""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta

from simulator.entity import Entity, MovedTime, check_properties, trimmed_time

if t.TYPE_CHECKING:
    from simulator.world import World

# Names: EntityType applePushNotificationCertificate of the v1.0 metadata of Microsoft Graph.
PROPERTIES = (
    "appleIdentifier",
    "certificate",
    "certificateSerialNumber",
    "certificateUploadFailureReason",
    "certificateUploadStatus",
    "topicIdentifier",
)
# Apple's certificates live one year.
LIFETIME = timedelta(days=365)


class ApplePushCertificate(Entity):
    """The ``applePushNotificationCertificate``, made by :meth:`~.directory.Tenant.add_apple_push_certificate`.

    Attributes:
        expires: when Apple takes it no more; also by the name of the Graph property.
    """

    expires: datetime
    expiration_date_time = MovedTime("expires")

    def __init__(
        self, world: World, certificate_id: str, *, expires: datetime | timedelta, properties: dict[str, t.Any]
    ) -> None:
        check_properties(properties, PROPERTIES, "a push certificate")
        super().__init__(world, certificate_id, properties)
        self.expires = self.coming(expires)
        self._modified = self.expires - LIFETIME

    def _state(self) -> dict[str, t.Any]:
        return {
            "expirationDateTime": trimmed_time(self.expires),
            "lastModifiedDateTime": trimmed_time(self._modified),
        }
