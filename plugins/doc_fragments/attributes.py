# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all modules have in common."""

from __future__ import annotations


class ModuleDocFragment:
    """Found by Ansible under this name."""

    DOCUMENTATION = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/graphops.intune.intune) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - graphops.intune.intune
  action:
    description: Has an action plugin of the same name, which does part of the work, or all of it, on the controller.
    support: full
    details:
      - All of it if the connection is C(local); see the notes.
  async:
    description: Supports being used with the C(async) keyword.
    support: full
    details:
      - The module is sent to the host then, as it is with C(become).
  check_mode:
    description: Can run in C(check_mode) and return the changed status prediction without modifying the target.
  diff_mode:
    description: Returns details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
  idempotent:
    description:
      - When run twice in a row with the same arguments, the second invocation indicates that nothing was changed.
  platform:
    description: The target platforms that the module runs on.
    platforms: posix
    support: full
"""
