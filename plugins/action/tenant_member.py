# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Add a tenant to those that the next task synchronises; the documentation is in the module."""

from __future__ import annotations

from ansible_collections.graphops.intune.plugins.plugin_utils import fleet_actions, tenant_role


class ActionModule(fleet_actions.MemberAction):
    """Found by Ansible under this name."""

    role = tenant_role.ROLE
