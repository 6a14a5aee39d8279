#!/usr/bin/python

# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: tenant_outcome
short_description: Internal, the part of a role that tells one host what came of its tenant
version_added: 1.1.0
description:
  - The second half of the role P(graphops.intune.tenant_sync#role). Use the role.
  - Makes an entry of what M(graphops.intune.tenant_fleet) returned the result of the host it is about, so
    that the host is changed or failed if its tenant is.
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
    support: full
  idempotent:
    support: N/A
    details:
      - Does nothing but tell.
options:
  fleet:
    description:
      - The name of the variable in which the result of M(graphops.intune.tenant_fleet) was registered.
    type: str
    required: true
seealso:
  - module: graphops.intune.tenant_fleet
"""

EXAMPLES = r"""
- name: Synchronise all tenants
  graphops.intune.tenant_fleet:
  run_once: true
  register: fleet

- name: Tell what came of each tenant
  graphops.intune.tenant_outcome:
    fleet: fleet
"""

RETURN = r"""
msg:
  description:
    - How the tenant is, in one sentence - how many of its things are what, and what is wrong with which, each reason
      once.
  returned: always
  type: str
  sample: "tenant contoso.example: 1 synchronised."
connectors_and_tokens:
  description:
    - What came of each thing, the worst first. Empty if nothing was read, or if there is nothing of the chosen kinds.
  returned: unless the role as a whole was refused
  type: list
  elements: dict
  sample:
    - kind: vpp_token
      id: 3d1f5a52-8f3c-4a0e-9d45-6a8f9f3d1c11
      name: Phones
      outcome: synchronised
      changed: true
      msg: requested because the last synchronisation ended 2 d 1 h ago, beyond max_age (1 h)
      last_sync_date_time: "2026-11-22T18:04:11Z"
      days_left: 142
      request_id: 9f3a1c0e-6a5e-4f0e-8d9e-0f1c2b3a4d5e
  contains:
    kind:
      description: Its kind, as in the option C(tenant_sync_kinds) of the role.
      type: str
    id:
      description: Its id; empty for the only one of its kind, and for a kind that could not be read.
      type: str
    name:
      description: What it is called; empty for a kind that could not be read.
      type: str
    outcome:
      description:
        - What became of it - V(failed), V(unreadable), V(unknown), V(obstacle), V(requested), V(joined),
          V(synchronised), V(predicted), V(too_soon), V(fresh) or V(skipped).
        - M(graphops.intune.tenant_fleet) says what they mean.
      type: str
    changed:
      description: Whether Graph accepted a request to synchronise it, may have, or in check mode would have.
      type: bool
    msg:
      description: Why it was synchronised or not, or what is wrong with it, in words.
      type: str
    last_sync_date_time:
      description: When its last synchronisation ended, in UTC; V(null) for never or not known.
      type: str
    days_left:
      description: The whole days until it expires, negative once it has; V(null) for never or not known.
      type: int
    request_id:
      description: What Microsoft's support asks for; V(null) if there is none.
      type: str
request_id:
  description: What Microsoft's support asks for about the worst; V(null) if there is none.
  returned: unless the role as a whole was refused
  type: str
  sample: 9f3a1c0e-6a5e-4f0e-8d9e-0f1c2b3a4d5e
diff:
  description: The times of the last synchronisations, before and after, of each thing that changed.
  returned: when something changed
  type: list
  elements: dict
  sample:
    - before_header: Apple VPP token Phones
      after_header: Apple VPP token Phones
      before:
        last_sync_date_time: "2026-11-20T16:37:02Z"
        last_sync_status: completed
      after:
        last_sync_date_time: "2026-11-22T18:04:11Z"
        last_sync_status: completed
        sync: synchronisation completed
  contains:
    before_header:
      description: What the thing is called.
      type: str
    after_header:
      description: The same.
      type: str
    before:
      description: What it was before, with the time of its last synchronisation and its status, called as in Graph.
      type: dict
    after:
      description: The same at the end, with what was requested in C(sync).
      type: dict
"""
