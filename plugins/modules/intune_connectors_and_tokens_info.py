#!/usr/bin/python

# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: intune_connectors_and_tokens_info
short_description: Tell how the connectors and tokens of Microsoft Intune are
version_added: 1.1.0
description:
  - Reads what Intune's admin centre shows under Connectors and tokens, and what it does not, in one look. Of each, it
    tells when it last synchronised, when it expires, and what is wrong with it.
  - All kinds are read together, by one request for each version of Graph. Nothing is changed, and nothing is
    synchronised.
author:
  - graphops.intune contributors (@graphops)
extends_documentation_fragment:
  - graphops.intune.attributes
  - graphops.intune.identity
  - graphops.intune.connection
attributes:
  check_mode:
    support: full
    details:
      - Reads in check mode, too.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  kinds:
    description:
      - The kinds of connectors and tokens to read. All of them by default.
    type: list
    elements: str
    # begin: kinds, made by "make generate"
    choices:
      - apple_push_certificate
      - autopilot
      - certificate_connector
      - enrollment_program_token
      - exchange_connector
      - managed_google_play
      - mobile_threat_defense_connector
      - vpp_token
    # end: kinds
  warn_days:
    description:
      - What expires within so many days has a problem. V(0) tells of the last day only, and of what is past.
    type: int
    default: 30
notes:
  - Each kind takes a permission of Graph to be read, C(DeviceManagementServiceConfig.Read.All) or
    C(DeviceManagementConfiguration.Read.All), as application permission or as delegated one. What may not be read is in
    RV(unreadable), and the rest is told all the same.
  - Some kinds exist in Graph's beta only, which Microsoft may change without notice.
  - The tenant needs an active Intune licence.
seealso:
  - name: Environment variables
    description: All that this collection reads, on one page.
    link: https://github.com/graphops/graphops.intune/blob/main/docs/docsite/rst/environment.rst
"""

EXAMPLES = r"""
- name: See how everything is
  graphops.intune.intune_connectors_and_tokens_info:
    tenant: contoso.example
    client_id: 6a1e0c1c-0d6f-4c8a-9d0a-3f5b1f2c7a10
    secret: "{{ intune_secret }}"
  register: tenant

- name: Fail if something is wrong, or expires within 60 days
  graphops.intune.intune_connectors_and_tokens_info:
    warn_days: 60
  register: tenant
  failed_when: tenant.connectors_and_tokens | selectattr('problem') | list | length > 0

- name: Read Apple's certificate and tokens only
  graphops.intune.intune_connectors_and_tokens_info:
    kinds: [apple_push_certificate, vpp_token, enrollment_program_token]
"""

RETURN = r"""
connectors_and_tokens:
  description: All that was found, the worst first.
  returned: success
  type: list
  elements: dict
  sample:
    - age: 264300
      days_left: 12
      expires_date_time: "2026-12-05T17:09:22Z"
      id: 11111111-1111-4111-8111-111111111111
      kind: vpp_token
      last_sync_date_time: "2026-11-19T16:37:02Z"
      name: Contoso
      problem: >-
        it expires in 12 days: download a new one from Apple Business Manager or Apple School Manager, and upload it in
        Intune's admin centre
      properties:
        apple_id: vpp@contoso.example
        id: 11111111-1111-4111-8111-111111111111
        state: valid
      state: valid
  contains:
    kind:
      description: What it is, one of O(kinds).
      type: str
    id:
      description: Its id.
      type: str
    name:
      description: What it is called in Intune, or its kind where it has no name.
      type: str
    state:
      description: Its state in Graph's word; V(none) where Graph tells none.
      type: str
    last_sync_date_time:
      description:
        - When it last synchronised successfully, in UTC. Of a connector for mobile threat defense, the partner's last
          heartbeat; of a certificate connector, its last connection. V(null) for never, or where there is nothing of
          the kind.
      type: str
    age:
      description: How many seconds ago that was, by Graph's clock; V(null) if not known.
      type: int
    expires_date_time:
      description: When it expires, in UTC; V(null) if it does not.
      type: str
    days_left:
      description: The whole days until then, rounded down, negative when it is past; V(null) if it does not expire.
      type: int
    problem:
      description: What is wrong with it and what to do, in words; V(null) if nothing is.
      type: str
    properties:
      description: Its properties that may be shown, their names in snake_case, times in UTC.
      type: dict
absent:
  description: The kinds of which the tenant has nothing.
  returned: success
  type: list
  elements: str
  sample: [exchange_connector]
unreadable:
  description: The kinds that could not be read, which is a warning, too. If that is true of all, the task fails.
  returned: success
  type: list
  elements: dict
  sample:
    - kind: certificate_connector
      msg: >-
        certificate connectors: could not list them, Graph answered HTTP 403 (Forbidden) and gave no reason; grant the
        app DeviceManagementConfiguration.Read.All with admin consent in this tenant, as an application permission, and
        check that the tenant has an active Intune licence.
      request_id: 9f3a1c0e-6a5e-4f0e-8d9e-0f1c2b3a4d5e
  contains:
    kind:
      description: The kind, one of O(kinds).
      type: str
    msg:
      description: Why, in one sentence.
      type: str
    request_id:
      description: Graph's id of the request; V(null) if there was no answer with one.
      type: str
request_id:
  description: Graph's id of the request that failed; V(null) if there was no answer with one.
  returned: when the task failed, once Entra ID or Graph was asked
  type: str
  sample: 9f3a1c0e-6a5e-4f0e-8d9e-0f1c2b3a4d5e
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.graphops.intune.plugins.module_utils import shell
from ansible_collections.graphops.intune.plugins.module_utils._kinds.registry import KINDS
from ansible_collections.graphops.intune.plugins.module_utils._sync.command import OverviewCommand

COMMAND = OverviewCommand(KINDS)


class Module(shell.Hiding, AnsibleModule):  # type: ignore[misc]
    """Hides all secrets, of whatever origin."""


def main() -> None:
    """Entry point of the module."""
    module = Module(argument_spec=COMMAND.argument_spec(), supports_check_mode=True)  # type: ignore[no-untyped-call]
    shell.run(module, COMMAND)


if __name__ == "__main__":
    main()
