# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Add a host to those that the next task synchronises; the documentation is in the module."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.graphops.intune.plugins.plugin_utils import in_process, lineage, members
from ansible_collections.graphops.intune.plugins.plugin_utils.run_store import STORE


class ActionModule(ActionBase):
    """Found by Ansible under this name."""

    _VALID_ARGS: frozenset[str] = frozenset()
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Leave what this host wants, by Ansible's own evaluation, to the worker of the next task."""
        super().run(tmp, task_vars)
        task_vars = task_vars or {}
        name, own = str(task_vars.get("inventory_hostname")), in_process.own_environment(self)
        found = members.read(name, task_vars, self._templar, own, check_mode=bool(self._task.check_mode))
        STORE.append(lineage.members_key(self._task), found)
        return {"changed": False}
