#!/usr/bin/python

# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: intune_exchange_connector_info
short_description: Read the Exchange connectors of Microsoft Intune
version_added: 1.0.0
description:
  - Lists the Exchange connectors of a tenant, or reads one, through Microsoft Graph.
author:
  - graphops.intune contributors (@graphops)
extends_documentation_fragment:
  - graphops.intune.attributes
  - graphops.intune.filters
  - graphops.intune.identity
  - graphops.intune.connection
attributes:
  check_mode:
    support: full
    details:
      - Only reads, in any mode.
  diff_mode:
    support: N/A
    details:
      - Never changes anything.
  idempotent:
    support: full
options:
  connector_id:
    description:
      - Read only the connector with this id, a GUID.
    type: str
notes:
  - The app or user needs Graph's permission C(DeviceManagementServiceConfig.Read.All), or the one that
    M(graphops.intune.intune_exchange_connector_sync) needs.
seealso:
  - module: graphops.intune.intune_exchange_connector_sync
  - name: Environment variables
    description: All that this collection reads, on one page.
    link: https://github.com/graphops/graphops.intune/blob/main/docs/docsite/rst/environment.rst
  - name: Graph's reference of the call
    description: What Microsoft says about it.
    link: https://learn.microsoft.com/graph/api/intune-onboarding-devicemanagementexchangeconnector-list
"""

EXAMPLES = r"""
- name: List all connectors of a tenant
  graphops.intune.intune_exchange_connector_info:
    tenant: contoso.example
    client_id: 6a1e0c1c-0d6f-4c8a-9d0a-3f5b1f2c7a10
    secret: "{{ intune_secret }}"
  register: found

- name: Find the connectors of one Exchange organization that have lost their connection
  graphops.intune.intune_exchange_connector_info:
    exchange_organization: Contoso
    status: [disconnected, connectionPending]

- name: Synchronise every connector that is connected
  graphops.intune.intune_exchange_connector_sync:
    tenant: contoso.example
    client_id: 6a1e0c1c-0d6f-4c8a-9d0a-3f5b1f2c7a10
    secret: "{{ intune_secret }}"
    connector_id: "{{ item.id }}"
  loop: "{{ found.connectors | selectattr('status', '==', 'connected') }}"
  loop_control:
    label: "{{ item.server_name }}"
"""

RETURN = r"""
connectors:
  description:
    - The connectors, each once, sorted by the name of the server and the id. An empty list if there is none, or none
      that fits. A tenant that never had one is told in a warning.
    - Each has all the properties that Graph gives, their names in snake_case.
  returned: success
  type: list
  elements: dict
  sample:
    - connector_server_name: CONNECTOR01
      exchange_alias: contoso
      exchange_connector_type: onPremises
      exchange_organization: Contoso
      id: e11c1de8-1de8-e11c-e81d-1ce1e81d1ce1
      last_sync_date_time: "2026-11-22T18:04:11.320597Z"
      primary_smtp_address: admin@contoso.example
      server_name: EXCHANGE01
      status: connected
      version: 5.2001.14
  contains:
    connector_server_name:
      description: The name of the server that hosts the connector.
      type: str
    exchange_alias:
      description: An alias of the Exchange server.
      type: str
    exchange_connector_type:
      description: V(onPremises), V(hosted), V(serviceToService), V(dedicated), or what Microsoft adds.
      type: str
    exchange_organization:
      description: The Exchange organization.
      type: str
    id:
      description: The id of the connector.
      type: str
    last_sync_date_time:
      description:
        - When the last synchronisation ended, in UTC; V(null) for never.
        - If Graph's time cannot be read, it is V(null) with a warning. A time without an offset is taken for UTC, with
          a warning, too.
      type: str
    primary_smtp_address:
      description: The mail address with which a service-to-service connector was set up.
      type: str
    server_name:
      description: The name of the Exchange server.
      type: str
    status:
      description: V(none), V(connectionPending), V(connected), V(disconnected), or what Microsoft adds.
      type: str
    version:
      description: The version of the connector's agent.
      type: str
request_id:
  description: Graph's or Entra ID's id of the request that failed. Microsoft's support asks for it.
  returned: failure, when there was an answer with one
  type: str
  sample: 9f3a1c0e-6a5e-4f0e-8d9e-0f1c2b3a4d5e
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.graphops.intune.plugins.module_utils import shell
from ansible_collections.graphops.intune.plugins.module_utils._kinds import exchange_connector
from ansible_collections.graphops.intune.plugins.module_utils._sync.command import InfoCommand

COMMAND = InfoCommand(exchange_connector.KIND)


class Module(shell.Hiding, AnsibleModule):  # type: ignore[misc]
    """Hides all secrets, of whatever origin."""


def main() -> None:
    """Entry point of the module."""
    module = Module(argument_spec=COMMAND.argument_spec(), supports_check_mode=True)  # type: ignore[no-untyped-call]
    shell.run(module, COMMAND)


if __name__ == "__main__":
    main()
