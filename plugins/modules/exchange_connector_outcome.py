#!/usr/bin/python

# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: exchange_connector_outcome
short_description: Internal, the part of a role that tells one host what came of its connector
version_added: 1.0.0
description:
  - The second half of the role P(graphops.intune.exchange_connector_sync#role). Use the role.
  - Makes an entry of what M(graphops.intune.exchange_connector_fleet) returned the result of the host it is about, so
    that the host is changed or failed if its connector is.
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
      - The name of the variable in which the result of M(graphops.intune.exchange_connector_fleet) was registered.
    type: str
    required: true
seealso:
  - module: graphops.intune.exchange_connector_fleet
"""

EXAMPLES = r"""
- name: Synchronise the connectors of all hosts
  graphops.intune.exchange_connector_fleet:
  run_once: true
  register: fleet

- name: Tell what came of each connector
  graphops.intune.exchange_connector_outcome:
    fleet: fleet
"""

RETURN = r"""
outcome:
  description:
    - What became of the connector - V(failed), V(unknown), V(requested), V(synchronised), V(predicted), V(fresh) or
      V(skipped). M(graphops.intune.exchange_connector_fleet) says what they mean.
  returned: unless the role as a whole was refused
  type: str
  sample: synchronised
msg:
  description: Why it was synchronised or not, or what went wrong, in words.
  returned: always
  type: str
  sample: requested because the last synchronisation ended 3 d 1 h ago, beyond max_age (2 h)
last_sync_date_time:
  description: When the connector's last synchronisation ended, in UTC; V(null) for never or not known.
  returned: unless the role as a whole was refused
  type: str
  sample: "2026-11-22T18:04:11.320597Z"
request_id:
  description: What Microsoft's support asks for; V(null) if there is none.
  returned: unless the role as a whole was refused
  type: str
  sample: 9f3a1c0e-6a5e-4f0e-8d9e-0f1c2b3a4d5e
diff:
  description: The time of the last synchronisation and the status, before and after.
  returned: when the connector changed
  type: dict
  sample:
    after:
      last_sync_date_time: "2026-11-22T18:04:11.320597Z"
      status: connected
      sync: deltaSync completed
    before:
      last_sync_date_time: "2026-11-19T16:37:02Z"
      status: connected
  contains:
    after:
      description: What it was at the end.
      type: dict
      contains:
        last_sync_date_time:
          description: When the last synchronisation had ended, in UTC; V(null) for never.
          type: str
        status:
          description: The connector's status.
          type: str
        sync:
          description: The kind of synchronisation and the state it came to.
          type: str
    before:
      description: What it was before.
      type: dict
      contains:
        last_sync_date_time:
          description: When the last synchronisation had ended, in UTC; V(null) for never.
          type: str
        status:
          description: The connector's status.
          type: str
"""
