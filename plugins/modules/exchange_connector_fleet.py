#!/usr/bin/python

# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: exchange_connector_fleet
short_description: Synchronise the Exchange connectors of all hosts of a play
version_added: 1.0.0
description:
  - What the role P(graphops.intune.exchange_connector_sync#role) is made of. Use the role, which tells each host what
    came of its connector.
  - Takes the options of M(graphops.intune.intune_exchange_connector_sync) for each host from the variables of that host
    that begin with C(exchange_connector_sync_), requests a synchronisation for every connector that needs one, waits
    for all of them together, and shows a summary.
  - Never fails or changes because of a connector. M(graphops.intune.exchange_connector_outcome) makes each host's
    part of what is returned the result of that host.
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
  bypass_host_loop:
    description: Runs once for all hosts of a batch, in the process of Ansible itself, whatever their connection.
    support: full
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: partial
    details:
      - As M(graphops.intune.intune_exchange_connector_sync).
options:
  max_failures:
    description:
      - How many connectors may fail before no further one is asked to synchronise, as a number or as a percentage of
        the hosts of the play such as V(10%), those of earlier batches (C(serial)) included. The empty string sets no
        limit.
      - What is known before the first request counts before it, such as a connector that is disconnected or cannot be
        read, or options that cannot be right. Requests that fail count after each 20 of an identity.
    type: str
    default: ""
  members:
    description:
      - Whether it is about the hosts for which M(graphops.intune.exchange_connector_member) has run, and no others.
      - Without this, it is about all hosts of the batch. Where Ansible runs the role for some of them only, or not in
        the same way for all, nothing is done, and RV(by_host) is V(true).
    type: bool
    default: false
    version_added: 1.1.0
  report_path:
    description:
      - A file on the controller to write a report to, as HTML, JSON or CSV by its ending. It is written in check mode,
        too. A relative path starts in the folder in which C(ansible-playbook) was started.
      - A new file can be read by the user alone; one that is there keeps its mode, owner and group. What is no regular
        file is refused before anything is asked.
    type: path
notes:
  - Needs the strategy P(ansible.builtin.linear#strategy).
seealso:
  - module: graphops.intune.intune_exchange_connector_sync
"""

EXAMPLES = r"""
- name: Synchronise the connectors of all hosts
  graphops.intune.exchange_connector_fleet:
    max_failures: 10%
  run_once: true
  register: fleet
"""

RETURN = r"""
by_host:
  description:
    - Whether nothing was done, because each host has to say first that the role is run for it, and with what.
  returned: always
  type: bool
  sample: false
  version_added: 1.1.0
refused:
  description: Why nothing is done for any host, if that is the result of each of them and not of the play.
  returned: where it is so
  type: str
  sample: max_failures is 'many'; give a number, or a percentage such as 10%.
  version_added: 1.1.0
connectors:
  description: By host, what came of its connector.
  returned: success
  type: dict
  sample:
    exch-berlin:
      changed: true
      failed: false
      last_sync_date_time: "2026-11-22T18:04:11.320597Z"
      msg: the last synchronisation ended 3 d 1 h ago, beyond max_age (2 h)
      outcome: synchronised
      request_id: 9f3a1c0e-6a5e-4f0e-8d9e-0f1c2b3a4d5e
summary:
  description:
    - Counts by outcome, and the connectors that failed or are stale, by name and with the reason, those of earlier
      batches (C(serial)) included. Also set as the statistic C(exchange_connector_sync). At most 60000 bytes long as
      JSON; what was left out is counted.
  returned: success
  type: dict
  sample:
    changed: 1
    total: 1
"""
