#!/usr/bin/python

# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_sign_in
short_description: Internal, the part of a playbook that tells who signs in to what a host is about
version_added: 1.1.0
description:
  - A part of the playbook C(graphops.intune.check_sign_in). Use the playbook.
  - Reads the options of the identity and of the connection from the host's variables, as the role does for which they
    are meant, and tells what M(graphops.intune.intune_sign_in_info) tells.
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
    details:
      - Signs in in check mode, too.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  role:
    description:
      - The role whose variables are read, and with it what a host is.
    type: str
    required: true
    choices: [exchange_connector_sync, tenant_sync]
  probe:
    description:
      - As in M(graphops.intune.intune_sign_in_info).
    type: bool
    default: false
  fail_on:
    description:
      - As in M(graphops.intune.intune_sign_in_info).
    type: list
    elements: str
    choices: [sign_in, permission, probe]
    default: [sign_in]
seealso:
  - module: graphops.intune.intune_sign_in_info
"""

EXAMPLES = r"""
- name: Look at the sign-in to the tenant of each host
  graphops.intune.fleet_sign_in:
    role: tenant_sync
    probe: true
"""

RETURN = r"""
permissions:
  description: This and all else that M(graphops.intune.intune_sign_in_info) returns.
  returned: always
  type: dict
  sample:
    vpp_token:
      reads: "yes"
      syncs: "yes"
      missing: []
      remedy:
"""
