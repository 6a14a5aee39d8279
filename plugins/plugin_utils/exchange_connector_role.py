# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin_utils is private to graphops.intune; it can change in any release.

"""The role whose hosts are Exchange connectors."""

from __future__ import annotations

import typing as t

from ansible_collections.graphops.intune.plugins.module_utils._kinds import exchange_connector
from ansible_collections.graphops.intune.plugins.module_utils._report.fleet_summary import Entry
from ansible_collections.graphops.intune.plugins.module_utils._sync import fleet, options
from ansible_collections.graphops.intune.plugins.module_utils._sync.fleet_group import Ending, Want
from ansible_collections.graphops.intune.plugins.plugin_utils.fleet_role import FleetRole, Result
from ansible_collections.graphops.intune.plugins.plugin_utils.members import Found, Variables


def _connector_wants(params: Result) -> t.Sequence[Want]:
    return [fleet.one_object(exchange_connector.KIND, params)]


def _connector_told(_found: Found, outcomes: t.Sequence[tuple[Entry, Ending]], _failed: bool) -> dict[str, t.Any]:
    """What one host is told: little, because the results of all hosts are one event of a job."""
    ((entry, ending),) = outcomes
    result = ending.result
    told: dict[str, t.Any] = {
        "changed": entry.changed,
        "failed": "msg" in result,
        "outcome": entry.outcome,
        "msg": result.get("msg", entry.reason),
        "last_sync_date_time": entry.last_sync_date_time,
        "request_id": entry.request_id or None,
    }
    return {**told, "diff": result["diff"]} if entry.changed and "diff" in result else told


ROLE = FleetRole(
    name="exchange_connector_sync",
    kind=exchange_connector.KIND,
    variables=Variables(
        "exchange_connector_sync",
        options.host_spec(exchange_connector.KIND),
        options.sync_spec(exchange_connector.KIND),
        "which is for one connector a host",
    ),
    results_key="connectors",
    words={exchange_connector.KIND.name: exchange_connector.KIND.words},
    wants=_connector_wants,
    told=_connector_told,
)
