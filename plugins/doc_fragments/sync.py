# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that all modules share that synchronise."""

from __future__ import annotations


class ModuleDocFragment:
    """Found by Ansible under this name."""

    DOCUMENTATION = r"""
options:
  force:
    description:
      - Request a synchronisation whatever the age of the last one.
    type: bool
    default: false
  wait:
    description:
      - Wait until Graph shows that the synchronisation has ended, which is when the time of the last one is later than
        before.
      - With V(false), the task ends as soon as Graph has accepted the request. A run right after it may request another
        one, because nothing shows yet.
    type: bool
    default: true
  wait_timeout:
    description:
      - How many seconds to wait at most. The task fails after that, with RV(ignore:changed=true) if it made the
        request.
    type: int
    default: 900
  wait_sleep:
    description:
      - How many seconds at most to wait between two looks. The first looks come sooner.
    type: int
    default: 15
    aliases: [interval]
"""
