# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Windows Autopilot of a tenant: it tells all of its syncs, and refuses one while another runs or soon after it."""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta

from simulator.entity import ENDS, Moved, MovedTime, TriggeredEntity, trimmed_time
from simulator.errors import intune_error

if t.TYPE_CHECKING:
    from simulator.world import World


class Autopilot(TriggeredEntity):
    """The ``windowsAutopilotSettings``, made by :meth:`simulator.directory.Tenant.add_autopilot`.

    While a sync runs, ``sync_status`` is ``inProgress``; as long as it is, no other is accepted: 409. One that
    ``completes`` moves ``last_sync``, one that ``fails`` does not, and one that ends ``never`` leaves ``inProgress``
    for good. Within ten minutes of the newest of its times none is accepted either: 429.

    Attributes:
        sync_status: how the last sync ended, or that one runs; may be set, also to what no sync leads to.
        last_triggered: when one was last asked for; also by the name of the Graph property.
    """

    accepted: list[datetime]
    interval = timedelta(minutes=10)
    last_manual_sync_trigger_date_time = MovedTime("_last_triggered")
    sync_status = Moved[str]("_sync_status")

    def __init__(
        self,
        world: World,
        settings_id: str,
        *,
        last_sync: datetime | timedelta | None,
        last_triggered: datetime | timedelta | None,
        sync_status: str,
        sync_delay: float,
        outcome: str,
    ) -> None:
        super().__init__(world, settings_id, {}, sync_delay=sync_delay, outcome=outcome)
        self.too_soon_status = 429
        self._last_sync = self.moment(last_sync)
        self._last_triggered = self.moment(last_triggered)
        self._sync_status = sync_status

    def _check(self) -> None:
        if self._running or self._sync_status == "inProgress":
            raise intune_error(409, "A sync is already in progress.")
        super()._check()

    def _begun(self, now: datetime) -> None:
        super()._begun(now)
        self._sync_status = "inProgress"

    def _end(self, ended: datetime, outcome: str) -> None:
        if outcome == "never":
            return
        if outcome == "completes":
            self._last_sync = ended
        self._sync_status = "inProgress" if self._others_run(ended) else ENDS[outcome]

    def _state(self) -> dict[str, t.Any]:
        return {
            "lastSyncDateTime": trimmed_time(self._last_sync),
            "lastManualSyncTriggerDateTime": trimmed_time(self._last_triggered),
            "syncStatus": self._sync_status,
        }
