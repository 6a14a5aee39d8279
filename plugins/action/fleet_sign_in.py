# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tell who signs in to what a host of a fleet is about; the documentation is in the module."""

from __future__ import annotations

import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.graphops.intune.plugins.module_utils._http.connection import connection_spec
from ansible_collections.graphops.intune.plugins.module_utils._identity.identity import identity_spec
from ansible_collections.graphops.intune.plugins.module_utils._kinds.registry import KINDS
from ansible_collections.graphops.intune.plugins.module_utils._sync import options
from ansible_collections.graphops.intune.plugins.module_utils._sync.command import SignInCommand
from ansible_collections.graphops.intune.plugins.plugin_utils import (
    exchange_connector_role,
    in_process,
    members,
    tenant_role,
)

ROLES = {role.name: role for role in (exchange_connector_role.ROLE, tenant_role.ROLE)}
COMMAND = SignInCommand(KINDS)
# The options that are the task's own; those of the identity and of the connection are the host's.
OWN = {name: how for name, how in COMMAND.argument_spec().items() if name in ("probe", "fail_on")}
_SPEC = {"role": {"type": "str", "required": True, "choices": list(ROLES)}, **OWN}
_OF_HOST = (*identity_spec(), *connection_spec())


class ActionModule(in_process.InProcess):
    """Found by Ansible under this name."""

    command = COMMAND
    _requires_connection = False

    def run(self, _tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Read the options of the host as its role does, and look with these."""
        task_vars = task_vars or {}
        given = in_process.json_values(self._task.args)
        checked = ArgumentSpecValidator(_SPEC).validate(given)
        if checked.error_messages:
            return {"failed": True, "msg": str(checked.errors.msg)}
        role = ROLES[checked.validated_parameters["role"]]
        own = in_process.own_environment(self)
        host = str(task_vars.get("inventory_hostname"))
        found = members.read(role.variables, host, task_vars, self._templar, own, check_mode=False)
        kinds = [role.kind.name] if role.kind else found.params.get("kinds") or [*options.tenant_kinds(KINDS)]
        params = {
            **{name: found.params.get(name) for name in _OF_HOST},
            **{name: checked.validated_parameters[name] for name in OWN},
            "kinds": kinds,
        }
        return self._outcome(params, own, {*found.secrets}, [*found.warnings], task_vars, complaint=found.wrong)
