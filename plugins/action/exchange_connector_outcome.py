# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tell one host of a fleet what came of its connector; the documentation is in the module."""

from __future__ import annotations

from ansible_collections.graphops.intune.plugins.plugin_utils import exchange_connector_role, fleet_actions


class ActionModule(fleet_actions.OutcomeAction):
    """Found by Ansible under this name."""

    role = exchange_connector_role.ROLE
