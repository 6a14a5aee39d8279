#!/usr/bin/python

# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: tenant_member
short_description: Internal, the part of a role that adds a tenant to those that are synchronised next
version_added: 1.1.0
description:
  - A part of the role P(graphops.intune.tenant_sync#role). Use the role.
  - Runs for each host where Ansible runs the role for some hosts only, or not in the same way for all, such as behind a
    condition, in an include, or with an environment. Reads the options of the host from its variables that begin with
    C(tenant_sync_), with the environment of its own task, and leaves them to
    M(graphops.intune.tenant_fleet), which comes next.
author:
  - graphops.intune contributors (@graphops)
extends_documentation_fragment:
  - graphops.intune.attributes
attributes:
  action:
    details:
      - All of it, whatever the connection.
  action_group:
    support: none
    membership: []
  async:
    support: none
    details:
      - Runs in the process of Ansible itself only.
  check_mode:
    support: full
  diff_mode:
    support: N/A
    details:
      - Changes nothing.
  idempotent:
    support: N/A
    details:
      - Changes nothing.
options: {}
seealso:
  - module: graphops.intune.tenant_fleet
"""

EXAMPLES = r"""
- name: Add the hosts that the role runs for
  graphops.intune.tenant_member:

- name: Synchronise these tenants
  graphops.intune.tenant_fleet:
    members: true
  run_once: true
  register: fleet
"""

RETURN = r""" # """
