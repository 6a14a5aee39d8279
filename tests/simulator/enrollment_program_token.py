# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A token of Apple's automated device enrolment: when a sync was asked for, when one succeeded, and Apple's error."""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta

from simulator.entity import Moved, MovedTime, TriggeredEntity, check_properties, trimmed_time
from simulator.errors import intune_error

if t.TYPE_CHECKING:
    from simulator.world import World

# Names: EntityType depOnboardingSetting of the beta metadata of Microsoft Graph.
PROPERTIES = (
    "appleIdentifier",
    "dataSharingConsentGranted",
    "roleScopeTagIds",
    "shareTokenWithSchoolDataSyncService",
    "syncedDeviceCount",
    "tokenName",
    "tokenType",
)
# Apple's tokens live one year.
LIFETIME = timedelta(days=365)


class EnrollmentProgramToken(TriggeredEntity):
    """One ``depOnboardingSetting``, made by :meth:`simulator.directory.Tenant.add_enrollment_program_token`.

    The request for a sync moves ``last_triggered`` and takes away the error of the one before. A sync that
    ``completes`` moves ``last_sync``, one that ``fails`` leaves an error, and one that ends ``never`` does no more.
    None is accepted for a token that has expired, or within a quarter of an hour of another; with which status is not
    known.

    Attributes:
        last_sync: end of the last successful sync; also by the name of the Graph property.
        last_triggered: when one was last asked for; also by the name of the Graph property.
        last_sync_error_code: 0 for none.
        failure_code: the error that a sync leaves which fails.
        expires: when Apple takes it no more, ``None`` for not told; also by the name of the Graph property.
    """

    accepted: list[datetime]
    interval = timedelta(minutes=15)
    last_sync_error_code = Moved[int]("_last_sync_error_code")
    last_successful_sync_date_time = MovedTime("_last_sync")
    last_sync_triggered_date_time = MovedTime("_last_triggered")
    token_expiration_date_time = MovedTime("expires")

    def __init__(
        self,
        world: World,
        token_id: str,
        *,
        last_sync: datetime | timedelta | None,
        last_triggered: datetime | timedelta | None,
        last_sync_error_code: int,
        sync_delay: float,
        outcome: str,
        expires: datetime | timedelta,
        properties: dict[str, t.Any],
    ) -> None:
        check_properties(properties, PROPERTIES, "an enrolment program token")
        super().__init__(world, token_id, properties, sync_delay=sync_delay, outcome=outcome)
        self.too_soon_status = 400
        self.failure_code = 7
        self._last_sync = self.moment(last_sync)
        self._last_triggered = self.moment(last_triggered)
        self._last_sync_error_code = last_sync_error_code
        coming = self.coming(expires)
        self.expires: datetime | None = coming
        self._modified = coming - LIFETIME

    def _check(self) -> None:
        if self.expires is not None and self.expires <= self._world.clock():
            raise intune_error(400, "The enrollment program token has expired.")
        super()._check()

    def _begun(self, now: datetime) -> None:
        super()._begun(now)
        self._last_sync_error_code = 0

    def _end(self, ended: datetime, outcome: str) -> None:
        if outcome == "completes":
            self._last_sync = ended
        if outcome != "never":
            self._last_sync_error_code = self.failure_code if outcome == "fails" else 0

    def _state(self) -> dict[str, t.Any]:
        return {
            "lastModifiedDateTime": trimmed_time(self._modified),
            "lastSuccessfulSyncDateTime": trimmed_time(self._last_sync),
            "lastSyncErrorCode": self._last_sync_error_code,
            "lastSyncTriggeredDateTime": trimmed_time(self._last_triggered),
            "tokenExpirationDateTime": trimmed_time(self.expires),
        }
