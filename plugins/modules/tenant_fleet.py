#!/usr/bin/python

# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: tenant_fleet
short_description: Internal, the part of a role that synchronises all tenants of a play
version_added: 1.1.0
description:
  - What the role P(graphops.intune.tenant_sync#role) is made of. Use the role, which tells each host what came of its
    tenant.
  - Takes the options of each host from its variables that begin with C(tenant_sync_), requests a synchronisation of
    every connector and token that needs one, waits for all of them together, and shows a summary.
  - A tenant that fails or changes does not make this task fail or change. M(graphops.intune.tenant_outcome) makes each
    host's part of what is returned the result of that host.
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
      - As the modules that synchronise each kind.
options:
  max_failures:
    description:
      - How many tenants may fail before nothing more is asked to synchronise, as a number or as a percentage of
        the hosts
        of the play such as V(10%), those of earlier batches (C(serial)) included. The empty string sets no limit.
      - What is known before the first request counts before it, such as a tenant that cannot be read, or options that
        cannot be right. Requests that fail count after each 20 of a tenant.
    type: str
    default: ""
  members:
    description:
      - Whether it is about the hosts for which M(graphops.intune.tenant_member) has run, and no others.
      - Without this, it is about all hosts of the batch. Where Ansible runs the role for some of them only, or not in
        the same way for all, nothing is done, and RV(by_host) is V(true).
    type: bool
    default: false
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
  - module: graphops.intune.intune_connectors_and_tokens_info
"""

EXAMPLES = r"""
- name: Synchronise all tenants
  graphops.intune.tenant_fleet:
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
refused:
  description: Why nothing is done for any host, if that is the result of each of them and not of the play.
  returned: if nothing was done for that reason
  type: str
  sample: max_failures is 'many'; give a number, or a percentage such as 10%.
tenants:
  description: What came of each tenant, by host. What changed or failed is told by each host, not by this task.
  returned: unless RV(by_host) or RV(refused)
  type: dict
  sample:
    contoso.example:
      changed: true
      failed: false
      msg: "tenant contoso.example: 1 synchronised."
      request_id: 9f3a1c0e-6a5e-4f0e-8d9e-0f1c2b3a4d5e
      connectors_and_tokens:
        - kind: vpp_token
          id: 3d1f5a52-8f3c-4a0e-9d45-6a8f9f3d1c11
          name: Phones
          outcome: synchronised
          changed: true
          msg: requested because the last synchronisation ended 2 d 1 h ago, beyond max_age (1 h)
          last_sync_date_time: "2026-11-22T18:04:11Z"
          days_left: 142
          request_id: 9f3a1c0e-6a5e-4f0e-8d9e-0f1c2b3a4d5e
      diff:
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
    <host>:
      description: The name of a host in the inventory.
      type: dict
      contains:
        changed:
          description: Whether Graph accepted a request for something of it, may have, or in check mode would have.
          type: bool
        failed:
          description: Whether it failed, by what C(tenant_sync_fail_on) says.
          type: bool
        msg:
          description: How it is, in one sentence, and what is wrong with what, each reason once.
          type: str
        request_id:
          description: What Microsoft's support asks for about the worst; V(null) if there is none.
          type: str
        connectors_and_tokens:
          description: What came of each thing, the worst first.
          type: list
          elements: dict
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
              description: The first in RV(summary.outcomes) that is true of it.
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
        diff:
          description: The times of the last synchronisations, before and after, of each thing that changed.
          returned: when something changed
          type: list
          elements: dict
          contains:
            before_header:
              description: What the thing is called.
              type: str
            after_header:
              description: The same.
              type: str
            before:
              description:
                - What it was before, with the time of its last synchronisation and its status, called as in
                  Graph.
              type: dict
            after:
              description: The same at the end, with what was requested in C(sync).
              type: dict
summary:
  description:
    - Counts by outcome, by kind and by tenant, and what needs a look, by name and with the reason. With
      C(serial), what
      earlier batches did is in it as well.
    - At most 60000 bytes long as JSON. First the reasons are cut, then the lists.
  returned: unless RV(by_host) or RV(refused)
  type: dict
  sample:
    changed: 1
    failed: []
    unreadable: []
    unknown: []
    obstacle: []
    stale: []
    expires_soon: []
    skipped: []
    finished: "2026-11-22T18:06:10Z"
    kinds:
      vpp_token: 1
    more:
      failed: 0
      unreadable: 0
      unknown: 0
      obstacle: 0
      stale: 0
      expires_soon: 0
      skipped: 0
    outcomes:
      failed: 0
      unreadable: 0
      unknown: 0
      obstacle: 0
      requested: 0
      joined: 0
      synchronised: 1
      predicted: 0
      too_soon: 0
      fresh: 0
      skipped: 0
    started: "2026-11-22T18:00:00Z"
    tenants:
      total: 1
      failed: 0
      unreadable: 0
      skipped: 0
      partly: 0
      partly_unreadable: 0
      obstacle: 0
      expires_soon: 0
      empty: 0
    total: 1
  contains:
    changed:
      description: How many things changed, in check mode would have.
      type: int
    failed:
      description: Those with this outcome, sorted by tenant and host.
      type: list
      elements: dict
      contains:
        host:
          description: The name of the host in the inventory.
          type: str
        tenant:
          description: The tenant as it was named.
          type: str
        kind:
          description: The kind of the thing; V(tenant) for a tenant as a whole.
          type: str
        id:
          description: Its id; empty for the only one of its kind, and for what could not be read.
          type: str
        name:
          description: What it is called; empty for what could not be read.
          type: str
        age:
          description: How long ago its last synchronisation had ended, in words.
          type: str
        age_seconds:
          description: The same in seconds; V(null) for never or not known.
          type: int
        days_left:
          description: The whole days until it expires, negative once it has; V(null) for never or not known.
          type: int
        reason:
          description: Why, in words.
          type: str
        request_id:
          description: What Microsoft's support asks for; empty if there is none.
          type: str
    unreadable:
      description: Those with this outcome, as in RV(summary.failed).
      type: list
      elements: dict
    unknown:
      description: Those with this outcome, as in RV(summary.failed).
      type: list
      elements: dict
    obstacle:
      description: Those with this outcome, as in RV(summary.failed).
      type: list
      elements: dict
    stale:
      description:
        - Those that were not seen to synchronise, and did not fail, whose last synchronisation is older than the
          maximum age, as in RV(summary.failed).
      type: list
      elements: dict
    expires_soon:
      description:
        - Those that expire within C(tenant_sync_warn_days), the soonest first; they may be in another list too,
          as in RV(summary.failed).
      type: list
      elements: dict
    skipped:
      description: Those with this outcome, as in RV(summary.failed).
      type: list
      elements: dict
    finished:
      description: When the last batch ended, in UTC.
      type: str
    kinds:
      description: How many things there are of each kind.
      type: dict
      contains:
        <kind>:
          description: Of this kind.
          type: int
    more:
      description: How many were cut off each list.
      type: dict
      contains:
        failed:
          description: Of RV(summary.failed).
          type: int
        unreadable:
          description: Of RV(summary.unreadable).
          type: int
        unknown:
          description: Of RV(summary.unknown).
          type: int
        obstacle:
          description: Of RV(summary.obstacle).
          type: int
        stale:
          description: Of RV(summary.stale).
          type: int
        expires_soon:
          description: Of RV(summary.expires_soon).
          type: int
        skipped:
          description: Of RV(summary.skipped).
          type: int
    outcomes:
      description: How many there are of each outcome, the worst first.
      type: dict
      contains:
        failed:
          description: No synchronisation was seen, or the options of the host are wrong.
          type: int
        unreadable:
          description: It could not be read, so nothing is known of it; also a whole tenant.
          type: int
        unknown:
          description: Graph may have accepted the request, its answers were lost.
          type: int
        obstacle:
          description: No synchronisation helps until an administrator acts.
          type: int
        requested:
          description: Graph accepted the request, its end was not waited for.
          type: int
        joined:
          description: One was running already, nothing was requested.
          type: int
        synchronised:
          description: It was requested, and its end was seen.
          type: int
        predicted:
          description: It is due; nothing was requested, as this run only looks (check mode).
          type: int
        too_soon:
          description: Intune takes no request yet, nothing was requested.
          type: int
        fresh:
          description: Recent enough, nothing was requested.
          type: int
        skipped:
          description: Nothing was tried.
          type: int
    started:
      description: When the first batch began, in UTC.
      type: str
    tenants:
      description: How many tenants there are.
      type: dict
      contains:
        total:
          description: How many the run has been about so far.
          type: int
        failed:
          description: Those that failed as a whole, by their options.
          type: int
        unreadable:
          description: Those that could not be read as a whole.
          type: int
        skipped:
          description: Those that nothing was tried of.
          type: int
        partly:
          description: Those of which something failed, may have, could not be read, or was skipped.
          type: int
        partly_unreadable:
          description: Those of which a kind could not be read.
          type: int
        obstacle:
          description: Those with something that has an obstacle.
          type: int
        expires_soon:
          description: Those with something that expires soon.
          type: int
        empty:
          description: Those with nothing of the chosen kinds.
          type: int
    total:
      description: How many things the run has been about so far.
      type: int
ansible_stats:
  description:
    - Sets the statistic C(tenant_sync), as C(ansible.builtin.set_stats) does. AWX makes an artifact of it.
  returned: unless RV(by_host) or RV(refused)
  type: dict
  sample:
    aggregate: false
    data:
      tenant_sync:
        changed: 1
        failed: []
        unreadable: []
        unknown: []
        obstacle: []
        stale: []
        expires_soon: []
        skipped: []
        finished: "2026-11-22T18:06:10Z"
        kinds:
          vpp_token: 1
        more:
          failed: 0
          unreadable: 0
          unknown: 0
          obstacle: 0
          stale: 0
          expires_soon: 0
          skipped: 0
        outcomes:
          failed: 0
          unreadable: 0
          unknown: 0
          obstacle: 0
          requested: 0
          joined: 0
          synchronised: 1
          predicted: 0
          too_soon: 0
          fresh: 0
          skipped: 0
        started: "2026-11-22T18:00:00Z"
        tenants:
          total: 1
          failed: 0
          unreadable: 0
          skipped: 0
          partly: 0
          partly_unreadable: 0
          obstacle: 0
          expires_soon: 0
          empty: 0
        total: 1
    per_host: false
  contains:
    aggregate:
      description: Whether it is added to an earlier one. Each batch replaces it.
      type: bool
    data:
      description: The statistic.
      type: dict
      contains:
        tenant_sync:
          description: As RV(summary).
          type: dict
    per_host:
      description: Whether it is kept for each host.
      type: bool
"""
