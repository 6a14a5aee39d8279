# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tell one host of a fleet what came of its connector; the documentation is in the module."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.graphops.intune.plugins.plugin_utils.in_process import json_values


class ActionModule(ActionBase):
    """Found by Ansible under this name."""

    _VALID_ARGS = frozenset(("fleet",))
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return what came of this host's connector as the result of this host."""
        super().run(tmp, task_vars)
        task_vars = task_vars or {}
        name, host = str(self._task.args.get("fleet")), task_vars.get("inventory_hostname")
        registered = task_vars.get(name)
        registered = registered if isinstance(registered, t.Mapping) else {}
        refused = registered.get("refused") or (registered.get("failed") and registered.get("msg"))
        if refused:
            return {"failed": True, "msg": str(refused)}
        connectors = registered.get("connectors")
        outcome = connectors.get(host) if isinstance(connectors, t.Mapping) else None
        if outcome is None:
            return {
                "failed": True,
                "msg": f"{name} does not hold what exchange_connector_fleet returned for {host}, so nothing is known of"
                " its connector; begin with the first task of the role.",
            }
        return t.cast("dict[str, t.Any]", json_values(outcome))
