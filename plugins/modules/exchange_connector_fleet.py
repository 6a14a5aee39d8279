#!/usr/bin/python

# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: exchange_connector_fleet
short_description: Internal, the part of a role that synchronises the Exchange connectors of all hosts of a play
version_added: 1.0.0
description:
  - What the role P(graphops.intune.exchange_connector_sync#role) is made of. Use the role, which tells each host what
    came of its connector.
  - Takes the options of M(graphops.intune.intune_exchange_connector_sync) for each host from the variables of that host
    that begin with C(exchange_connector_sync_), requests a synchronisation for every connector that needs one, waits
    for all of them together, and shows a summary.
  - A connector that fails or changes does not make this task fail or change.
    M(graphops.intune.exchange_connector_outcome) makes each host's part of what is returned the result of that host.
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
      - A file on the controller to write a report to, as HTML, JSON or CSV by its ending, or for Prometheus'
        node_exporter where that is V(.prom). It is written in check mode, too. A relative path starts in the folder in
        which C(ansible-playbook) was started.
      - A new file can be read by the user alone, and one that ends in V(.prom) by all; one that is there keeps its
        mode, owner and group. What is no regular file is refused before anything is asked.
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
  returned: success
  type: bool
  sample: false
  version_added: 1.1.0
refused:
  description: Why nothing is done for any host, if that is the result of each of them and not of the play.
  returned: if nothing was done for that reason
  type: str
  sample: max_failures is 'many'; give a number, or a percentage such as 10%.
  version_added: 1.1.0
connectors:
  description: What came of each connector, by host. What changed or failed is told by each host, not by this task.
  returned: unless RV(by_host) or RV(refused)
  type: dict
  sample:
    exch-berlin:
      changed: true
      diff:
        after:
          last_sync_date_time: "2026-11-22T18:04:11.320597Z"
          status: connected
          sync: deltaSync completed
        before:
          last_sync_date_time: "2026-11-19T16:37:02Z"
          status: connected
      failed: false
      last_sync_date_time: "2026-11-22T18:04:11.320597Z"
      msg: requested because the last synchronisation ended 3 d 1 h ago, beyond max_age (2 h)
      outcome: synchronised
      request_id: 9f3a1c0e-6a5e-4f0e-8d9e-0f1c2b3a4d5e
  contains:
    <host>:
      description: The name of a host in the inventory.
      type: dict
      contains:
        changed:
          description: Whether Graph accepted a request to synchronise it, may have, or in check mode would have.
          type: bool
        diff:
          description: The time of the last synchronisation and the status, before and after.
          returned: when it changed
          type: dict
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
        failed:
          description: Whether something went wrong with it.
          type: bool
        last_sync_date_time:
          description: When its last synchronisation ended, in UTC; V(null) for never or not known.
          type: str
        msg:
          description: Why it was synchronised or not, or what went wrong, in words.
          type: str
        outcome:
          description: The first in RV(summary.outcomes) that is true of it.
          type: str
        request_id:
          description: What Microsoft's support asks for; V(null) if there is none.
          type: str
summary:
  description:
    - Counts by outcome, and what needs a look, by name and with the reason. With C(serial), what earlier batches did is
      in it as well. No connector is in two of the lists.
    - At most 60000 bytes long as JSON. First the reasons are cut, then the lists.
  returned: unless RV(by_host) or RV(refused)
  type: dict
  sample:
    changed: 148
    disconnected: []
    failed:
      - age: 3 d 2 h
        age_seconds: 266400
        connector_id: 6f0c2a11-1de8-e11c-e81d-1ce1e81d1ce1
        host: EXCH7-6f0c2a11
        reason: >-
          its status is disconnected, so no deltaSync was requested; connect it in Intune's admin centre, or set
          require_connected to false to request one all the same
        request_id: 9f3a1c0e-6a5e-4f0e-8d9e-0f1c2b3a4d5e
        server_name: EXCH7
        tenant: fabrikam.example
    finished: "2026-11-22T18:06:10Z"
    more:
      disconnected: 0
      failed: 0
      skipped: 0
      stale: 0
      unknown: 0
    outcomes:
      failed: 1
      fresh: 51
      predicted: 0
      requested: 0
      skipped: 0
      synchronised: 148
      unknown: 0
    skipped: []
    stale: []
    started: "2026-11-22T18:00:00Z"
    total: 200
    unknown: []
  contains:
    changed:
      description: How many changed, in check mode would have.
      type: int
    disconnected:
      description: Those with the outcome V(fresh) whose status is not V(connected), as in RV(summary.failed).
      type: list
      elements: dict
    failed:
      description: Those with this outcome, sorted by tenant and host.
      type: list
      elements: dict
      contains:
        age:
          description: How long ago its last synchronisation had ended, in words.
          type: str
        age_seconds:
          description: The same in seconds; V(null) for never or not known.
          type: int
        connector_id:
          description: The id of the connector.
          type: str
        host:
          description: The name of the host in the inventory.
          type: str
        reason:
          description: Why, in words.
          type: str
        request_id:
          description: What Microsoft's support asks for; empty if there is none.
          type: str
        server_name:
          description: The name of the Exchange server; empty if the connector could not be read.
          type: str
        tenant:
          description: The tenant as it was named.
          type: str
    finished:
      description: When the last batch ended, in UTC.
      type: str
    more:
      description: How many were cut off each list.
      type: dict
      contains:
        disconnected:
          description: Of RV(summary.disconnected).
          type: int
        failed:
          description: Of RV(summary.failed).
          type: int
        skipped:
          description: Of RV(summary.skipped).
          type: int
        stale:
          description: Of RV(summary.stale).
          type: int
        unknown:
          description: Of RV(summary.unknown).
          type: int
    outcomes:
      description: How many there are of each outcome.
      type: dict
      contains:
        failed:
          description: No synchronisation was seen.
          type: int
        fresh:
          description: Recent enough, nothing was requested.
          type: int
        predicted:
          description: It is due; nothing was requested, as this run only looks (check mode).
          type: int
        requested:
          description: Graph accepted the request, its end was not waited for.
          type: int
        skipped:
          description: Nothing was tried.
          type: int
        synchronised:
          description: It was requested, and its end was seen.
          type: int
        unknown:
          description: Graph may have accepted the request, its answers were lost.
          type: int
    skipped:
      description: Those with this outcome, as in RV(summary.failed).
      type: list
      elements: dict
    stale:
      description:
        - Those with the outcome V(requested) or V(predicted) whose last synchronisation is still older than the maximum
          age, as in RV(summary.failed).
      type: list
      elements: dict
    started:
      description: When the first batch began, in UTC.
      type: str
    total:
      description: How many connectors the run has been about so far.
      type: int
    unknown:
      description: Those with this outcome, as in RV(summary.failed).
      type: list
      elements: dict
ansible_stats:
  description:
    - Sets the statistic C(exchange_connector_sync), as C(ansible.builtin.set_stats) does. AWX makes an artifact of it.
  returned: unless RV(by_host) or RV(refused)
  type: dict
  sample:
    aggregate: false
    data:
      exchange_connector_sync:
        changed: 148
        disconnected: []
        failed: []
        finished: "2026-11-22T18:06:10Z"
        more: {disconnected: 0, failed: 0, skipped: 0, stale: 0, unknown: 0}
        outcomes: {failed: 0, fresh: 52, predicted: 0, requested: 0, skipped: 0, synchronised: 148, unknown: 0}
        skipped: []
        stale: []
        started: "2026-11-22T18:00:00Z"
        total: 200
        unknown: []
    per_host: false
  contains:
    aggregate:
      description: Whether it is added to an earlier one. Each batch replaces it.
      type: bool
    data:
      description: The statistic.
      type: dict
      contains:
        exchange_connector_sync:
          description: As RV(summary).
          type: dict
    per_host:
      description: Whether it is kept for each host.
      type: bool
"""
