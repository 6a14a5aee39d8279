# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module of this name in the controller's own process; the documentation is in the module."""

from __future__ import annotations

from ansible_collections.graphops.intune.plugins.module_utils._kinds.registry import KINDS
from ansible_collections.graphops.intune.plugins.module_utils._sync.command import SignInCommand
from ansible_collections.graphops.intune.plugins.plugin_utils.in_process import InProcess


class ActionModule(InProcess):
    """Found by Ansible under this name."""

    command = SignInCommand(KINDS)
