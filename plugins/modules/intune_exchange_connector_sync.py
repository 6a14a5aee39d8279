#!/usr/bin/python

# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: intune_exchange_connector_sync
short_description: Synchronise an Exchange connector of Microsoft Intune
version_added: 1.0.0
description:
  - Makes Intune synchronise an Exchange connector through Microsoft Graph, unless it has synchronised recently enough.
  - The connector itself tells when it has synchronised last; its age is judged by Graph's clock. Nothing is kept on the
    controller, so every job, host and retry comes to the same answer.
  - Microsoft ended support for the on-premises Exchange connector on 19 February 2024 and has said that it no longer
    synchronises since. Graph still has the call; whether a connector obeys shows only when one waits for it.
author:
  - graphops.intune contributors (@graphops)
extends_documentation_fragment:
  - graphops.intune.attributes
  - graphops.intune.filters
  - graphops.intune.sync
  - graphops.intune.identity
  - graphops.intune.connection
attributes:
  check_mode:
    support: full
    details:
      - Reads the connector and says what would be done. Nothing is requested.
  diff_mode:
    support: full
  idempotent:
    support: partial
    details:
      - A second run within O(max_age) changes nothing, provided that the first one waited until the synchronisation
        showed (O(wait=true)).
      - With O(force=true) or O(max_age=0), which is the default for O(sync_type=fullSync), every run requests a
        synchronisation.
options:
  connector_id:
    description:
      - The id of the connector, a GUID. M(graphops.intune.intune_exchange_connector_info) lists them.
      - Exactly one of O(connector_id), O(connector_ids) and O(all) is needed.
    type: str
  connector_ids:
    description:
      - The ids of many connectors of one tenant. They are read, synchronised and waited for together, up to 20 in each
        request to Graph.
      - One that fails does not stop the others. The task fails after all of them have ended.
    type: list
    elements: str
  all:
    description:
      - Synchronise all connectors of the tenant in the way of O(connector_ids), or those that the options O(status),
        O(server_name), O(connector_server_name), O(exchange_organization) and O(primary_smtp_address) choose.
      - In a tenant without a connector there is nothing to do. If Graph says that there never was one, a warning tells.
    type: bool
    default: false
  sync_type:
    description:
      - V(deltaSync) looks for the devices that have changed in Exchange, V(fullSync) for all of them. Intune's admin
        centre calls them quick sync and full sync.
    type: str
    default: deltaSync
    choices: [deltaSync, fullSync]
  max_age:
    description:
      - A synchronisation that ended less than this many seconds ago is good enough, and nothing is requested. V(0)
        always requests one.
      - The default is 7200 (two hours) for O(sync_type=deltaSync), and 0 for O(sync_type=fullSync). Graph does not tell
        whether the last synchronisation was a full one, so with a number above 0 a delta may stand in for a full one.
    type: int
  require_connected:
    description:
      - Fail instead of requesting a synchronisation if the status of the connector is not V(connected). One that has
        synchronised recently enough passes with a warning.
    type: bool
    default: true
notes:
  - The app or user needs Graph's permission C(DeviceManagementServiceConfig.ReadWrite.All), as application
    permission or as delegated one. Microsoft's current pages allow both, pages from before 2021 the delegated one only.
  - The tenant needs an active Intune licence.
seealso:
  - module: graphops.intune.intune_exchange_connector_info
  - name: Environment variables
    description: All that this collection reads, on one page.
    link: https://github.com/graphops/graphops.intune/blob/main/docs/docsite/rst/environment.rst
  - name: Graph's reference of the call
    description: What Microsoft says about it.
    link: https://learn.microsoft.com/graph/api/intune-onboarding-devicemanagementexchangeconnector-sync
"""

EXAMPLES = r"""
- name: Synchronise what has changed, unless that was done within the last two hours
  graphops.intune.intune_exchange_connector_sync:
    tenant: contoso.example
    client_id: 6a1e0c1c-0d6f-4c8a-9d0a-3f5b1f2c7a10
    secret: "{{ intune_secret }}"
    connector_id: e11c1de8-1de8-e11c-e81d-1ce1e81d1ce1

- name: Synchronise everything once a day, with the identity from the environment (as AWX's Azure credential gives it)
  graphops.intune.intune_exchange_connector_sync:
    connector_id: e11c1de8-1de8-e11c-e81d-1ce1e81d1ce1
    sync_type: fullSync
    max_age: 86400

- name: Request a synchronisation now and do not wait for its end
  graphops.intune.intune_exchange_connector_sync:
    tenant: contoso.example
    client_id: 6a1e0c1c-0d6f-4c8a-9d0a-3f5b1f2c7a10
    x509_certificate_path: /etc/pki/intune/app.pem
    connector_id: e11c1de8-1de8-e11c-e81d-1ce1e81d1ce1
    force: true
    wait: false

- name: Synchronise all connectors of a tenant that are connected, in one task
  graphops.intune.intune_exchange_connector_sync:
    tenant: contoso.example
    client_id: 6a1e0c1c-0d6f-4c8a-9d0a-3f5b1f2c7a10
    secret: "{{ intune_secret }}"
    all: true
    status: [connected]

- name: Wait for up to an hour, in the cloud of the US government, with a managed identity
  graphops.intune.intune_exchange_connector_sync:
    auth_source: msi
    cloud_environment: AzureUSGovernment
    connector_id: e11c1de8-1de8-e11c-e81d-1ce1e81d1ce1
    wait_timeout: 3600
"""

RETURN = r"""
connector:
  description:
    - The connector as Graph showed it last, with all the properties that Graph gives, their names in snake_case.
    - Values that Microsoft may add later are passed on as they are.
  returned: with O(connector_id), when it could be read
  type: dict
  sample:
    connector_server_name: CONNECTOR01
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
      description: When the last synchronisation ended, in UTC; V(null) for never.
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
connectors:
  description:
    - What came of each connector, in the order of O(connector_ids) or of Graph's list. One that is named twice has one
      entry.
    - Each entry is what the task returns for a single one, together with the id, and with the sentence if it failed.
      Its difference is in RV(diff).
  returned: with O(connector_ids) or O(all), unless the task failed before the connectors were known
  type: list
  elements: dict
  sample:
    - changed: false
      connector_id: e11c1de8-1de8-e11c-e81d-1ce1e81d1ce1
      failed: true
      msg: >-
        Exchange connector e11c1de8-1de8-e11c-e81d-1ce1e81d1ce1 in tenant contoso.example: could not read it, Graph
        answered HTTP 404 (Not Found) and gave no reason; the connector is not in this tenant: check connector_id and
        tenant.
      request_id: 9f3a1c0e-6a5e-4f0e-8d9e-0f1c2b3a4d5e
  contains:
    connector_id:
      description: The id of the connector.
      type: str
    changed:
      description: Whether Graph accepted a request to synchronise it.
      type: bool
    failed:
      description: Whether something went wrong with it.
      type: bool
    msg:
      description: What went wrong, in one sentence.
      type: str
      returned: when it failed
    connector:
      description: As RV(connector).
      type: dict
      returned: when it could be read
    sync:
      description: As RV(sync).
      type: dict
      returned: when it could be read
    request_id:
      description: As RV(request_id).
      type: str
sync:
  description: What was done, and why.
  returned: with O(connector_id), when the connector could be read
  type: dict
  sample:
    age: 264300
    completed_at: "2026-11-22T18:04:11.320597Z"
    max_age: 7200
    next_possible_at: null
    previous_sync_date_time: "2026-11-19T16:37:02Z"
    reason: the last synchronisation ended 3 d 1 h ago, beyond max_age (2 h)
    requested_at: "2026-11-22T18:02:03Z"
    state: completed
    type: deltaSync
  contains:
    age:
      description: How many seconds before this task the last synchronisation had ended; V(null) if not known.
      type: int
    completed_at:
      description: When the synchronisation that was waited for ended, in UTC; V(null) if none was.
      type: str
    max_age:
      description: The O(max_age) that was used, in seconds.
      type: int
    next_possible_at:
      description:
        - From when on Intune takes the next request, in UTC. For Exchange connectors it wants no interval between two,
          so this is V(null).
      type: str
      version_added: 1.1.0
    previous_sync_date_time:
      description: The connector's RV(connector.last_sync_date_time) before this task.
      type: str
    reason:
      description: Why a synchronisation was needed or not, in words.
      type: str
    requested_at:
      description:
        - When Graph accepted the request, in UTC by Graph's clock; V(null) if none was made or this is not known.
      type: str
    state:
      description:
        - V(fresh) - recent enough, nothing was requested.
        - V(requested) - Graph accepted the request; its end was not seen.
        - V(completed) - it was requested, and its end was seen.
        - V(predicted) - it would be requested without check mode.
        - V(refused) - in failed results only, no request was accepted.
        - V(unknown) - in failed results only, the answers to the request were lost, so that it may have been accepted.
          RV(ignore:changed) is V(true) then.
      type: str
    type:
      description: The O(sync_type).
      type: str
request_id:
  description:
    - Graph's id of the request that mattered (the one for the synchronisation, or else the reading of the connector;
      the failed one, if one failed). Microsoft's support asks for it.
    - V(null) if there was no answer with one.
  returned: with O(connector_id) or when something failed, once Entra ID or Graph was asked
  type: str
  sample: 9f3a1c0e-6a5e-4f0e-8d9e-0f1c2b3a4d5e
diff:
  description:
    - The time of the last synchronisation and the status, before and after.
    - A list of these with O(connector_ids) or O(all).
  returned: when the connector could be read
  type: raw
  sample:
    after:
      last_sync_date_time: "2026-11-22T18:04:11.320597Z"
      status: connected
      sync: deltaSync completed
    before:
      last_sync_date_time: "2026-11-19T16:37:02Z"
      status: connected
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.graphops.intune.plugins.module_utils import shell
from ansible_collections.graphops.intune.plugins.module_utils._kinds import exchange_connector
from ansible_collections.graphops.intune.plugins.module_utils._sync.command import SyncCommand

COMMAND = SyncCommand(exchange_connector.KIND)


class Module(shell.Hiding, AnsibleModule):  # type: ignore[misc]
    """Hides all secrets, of whatever origin."""


def main() -> None:
    """Entry point of the module."""
    module = Module(argument_spec=COMMAND.argument_spec(), supports_check_mode=True)  # type: ignore[no-untyped-call]
    shell.run(module, COMMAND)


if __name__ == "__main__":
    main()
