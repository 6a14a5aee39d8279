# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Tokens of Apple's automated device enrolment (ADE, formerly DEP), which Intune calls enrollment program tokens.

https://learn.microsoft.com/graph/api/resources/intune-enrollment-deponboardingsetting
"""

from __future__ import annotations

from datetime import datetime, timedelta

from .._ground import timestamps
from .._ground.words import Words
from .kind import Action, Entity, Filter, Kind, Phase, State, expiry_of, time_of, word_of

# Between two requests, and until one has to have ended:
# https://learn.microsoft.com/mem/intune/enrollment/device-enrollment-program-enroll-ios
_INTERVAL = timedelta(minutes=15)
_SHORT = "token"


def state(entity: Entity, now: datetime | None) -> State:
    """Read a token. It says when a synchronisation was asked for and when one succeeded, and Apple's error code."""
    succeeded = time_of(entity, "lastSuccessfulSyncDateTime", _SHORT)
    requested = time_of(entity, "lastSyncTriggeredDateTime", _SHORT)
    code = _code(entity)
    # An older request than the last success is that one's.
    open_since = requested if requested and (succeeded is None or requested > succeeded) else None
    phase: Phase = "idle"
    word = code
    if open_since is not None:
        late = now is not None and now - open_since >= _INTERVAL
        phase = "failed" if code != "0" or late else "running"
        if late and code == "0":
            word = "0, without a success in 15 minutes"
    expires = expiry_of(entity, "tokenExpirationDateTime")
    expired = expires is not None and now is not None and expires <= now
    return State(
        succeeded=succeeded,
        requested=requested,
        ended=succeeded,
        phase=phase,
        word=word,
        obstacle=f"it expired on {timestamps.text(expires)}" if expired else "",
        expires=expires,
    )


def _code(entity: Entity) -> str:
    """Apple's error code of the last synchronisation; 0 for none."""
    return "0" if entity.get("lastSyncErrorCode") in (0, None) else word_of(entity, "lastSyncErrorCode")


KIND = Kind(
    name="enrollment_program_token",
    words=Words(
        "Apple enrollment program token",
        "Apple enrollment program tokens",
        _SHORT,
        id_option="token_id",
        find_id="graphops.intune.intune_connectors_and_tokens_info",
    ),
    path="/deviceManagement/depOnboardingSettings",
    api="beta",
    permission="DeviceManagementServiceConfig.Read.All",
    state=state,
    clock="lastSuccessfulSyncDateTime",
    status="lastSyncErrorCode",
    status_words="lastSyncErrorCode",
    fields=(
        "id",
        "tokenName",
        "appleIdentifier",
        "tokenType",
        "tokenExpirationDateTime",
        "lastModifiedDateTime",
        "lastSuccessfulSyncDateTime",
        "lastSyncTriggeredDateTime",
        "lastSyncErrorCode",
        "syncedDeviceCount",
    ),
    filters=(Filter("token_name", "tokenName"), Filter("apple_identifier", "appleIdentifier")),
    remedy="renew it in Apple Business Manager or Apple School Manager, and upload it in Intune's admin centre",
    sorted_by="tokenName",
    action=Action(
        path="syncWithAppleDeviceEnrollmentProgram",
        permissions=("DeviceManagementServiceConfig.ReadWrite.All",),
        max_age={"": 3600},
        interval=int(_INTERVAL.total_seconds()),
        # Every 12 hours, by the same page.
        automatic=43200,
        # What it answers within the interval is not documented; whether it meant that is told by the token's times.
        answers={400: "too_soon", 409: "too_soon", 429: "too_soon"},
    ),
)
