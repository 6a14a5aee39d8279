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

    _VALID_ARGS = frozenset(("outcome",))
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return the outcome as the result of this host."""
        super().run(tmp, task_vars)
        outcome = json_values(self._task.args.get("outcome"))
        if not isinstance(outcome, dict) or "changed" not in outcome or "failed" not in outcome:
            return {"failed": True, "msg": "outcome is not an entry of what exchange_connector_fleet returned."}
        return outcome
