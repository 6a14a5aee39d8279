# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bind of a tenant to managed Google Play: it tells when and how the last sync of its apps ended."""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta

from simulator.entity import Moved, SyncedEntity, check_properties, trimmed_time
from simulator.errors import intune_error

if t.TYPE_CHECKING:
    from simulator.world import World

# The one there is in a tenant has this id.
ID = "androidManagedStoreAccountEnterpriseSettings"
# Names: EntityType androidManagedStoreAccountEnterpriseSettings of the beta metadata of Microsoft Graph.
PROPERTIES = (
    "androidDeviceOwnerFullyManagedEnrollmentEnabled",
    "companyCodes",
    "deviceOwnerManagementEnabled",
    "enrollmentTarget",
    "lastModifiedDateTime",
    "managedGooglePlayEnterpriseType",
    "managedGooglePlayInitialScopeTagIds",
    "ownerOrganizationName",
    "ownerUserPrincipalName",
    "targetGroupIds",
)
_BOUND = ("bound", "boundAndValidated")


class ManagedGooglePlay(SyncedEntity):
    """The ``androidManagedStoreAccountEnterpriseSettings``, made by :meth:`~.directory.Tenant.add_managed_google_play`.

    A sync that ``completes`` or ``fails`` moves ``last_sync`` and ``last_app_sync_status``, one that ends
    ``never`` does nothing. None is accepted where nothing is bound.

    Attributes:
        bind_status: member of ``androidManagedStoreAccountBindStatus``.
        last_app_sync_status: how the last sync ended; may be set, also to what no sync leads to.
        failure_status: how a sync ends that fails.
    """

    accepted: list[datetime]
    last_app_sync_status = Moved[str]("_last_app_sync_status")

    def __init__(
        self,
        world: World,
        *,
        bind_status: str,
        last_sync: datetime | timedelta | None,
        last_app_sync_status: str,
        sync_delay: float,
        outcome: str,
        properties: dict[str, t.Any],
    ) -> None:
        check_properties(properties, PROPERTIES, "managed Google Play")
        super().__init__(world, ID, properties, sync_delay=sync_delay, outcome=outcome)
        self.bind_status = bind_status
        self.failure_status = "androidForWorkApiError"
        self._last_sync = self.moment(last_sync)
        self._last_app_sync_status = last_app_sync_status

    def _check(self) -> None:
        if self.bind_status not in _BOUND:
            raise intune_error(400, "The account is not bound to managed Google Play.")

    def _end(self, ended: datetime, outcome: str) -> None:
        if outcome != "never":
            self._last_sync = ended
            self._last_app_sync_status = self.failure_status if outcome == "fails" else "success"

    def _state(self) -> dict[str, t.Any]:
        return {
            "bindStatus": self.bind_status,
            # Of all these times the only one that is nullable.
            "lastAppSyncDateTime": trimmed_time(self._last_sync) if self._last_sync else None,
            "lastAppSyncStatus": self._last_app_sync_status,
        }
