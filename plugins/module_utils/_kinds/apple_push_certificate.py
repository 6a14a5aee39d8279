# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""The certificate by which Apple's push service knows a tenant; without it, no Apple device is managed.

https://learn.microsoft.com/graph/api/resources/intune-devices-applepushnotificationcertificate
"""

from __future__ import annotations

from datetime import datetime

from .._ground.words import Words
from .kind import Entity, Kind, State, expiry_of, word_of


def state(entity: Entity, _now: datetime | None) -> State:
    """Read the certificate, which only ages."""
    return State(word=word_of(entity, "certificateUploadStatus"), expires=expiry_of(entity, "expirationDateTime"))


KIND = Kind(
    name="apple_push_certificate",
    words=Words("Apple push certificate", "Apple push certificates", "certificate"),
    path="/deviceManagement/applePushNotificationCertificate",
    singleton=True,
    permission="DeviceManagementServiceConfig.Read.All",
    state=state,
    clock="lastModifiedDateTime",
    status="certificateUploadStatus",
    status_words="certificateUploadStatus",
    # Not the certificate itself.
    fields=(
        "id",
        "appleIdentifier",
        "topicIdentifier",
        "certificateSerialNumber",
        "certificateUploadStatus",
        "certificateUploadFailureReason",
        "expirationDateTime",
        "lastModifiedDateTime",
    ),
    secrets=("certificate",),
    remedy="renew it with the same Apple account, for with another one every Apple device has to be enrolled anew",
    action=None,
)
