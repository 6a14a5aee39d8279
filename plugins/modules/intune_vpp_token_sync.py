#!/usr/bin/python

# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: intune_vpp_token_sync
short_description: Synchronise Apple volume purchase tokens of Microsoft Intune
version_added: 1.1.0
description:
  - Makes Intune synchronise the licences of an Apple volume purchase (VPP) token, which Apple also calls a location
    token, through Microsoft Graph, unless they were synchronised recently enough.
  - The token itself tells when that was last done, and whether it runs or failed; its age is judged by Graph's clock.
    Nothing is kept on the controller, so every job, host and retry comes to the same answer.
  - Intune synchronises each token once a day by itself. Microsoft names no least time between two requests.
author:
  - graphops.intune contributors (@graphops)
extends_documentation_fragment:
  - graphops.intune.attributes
  - graphops.intune.sync
  - graphops.intune.identity
  - graphops.intune.connection
attributes:
  check_mode:
    support: full
    details:
      - Reads the token and says what would be done. Nothing is requested, and nothing is waited for.
  diff_mode:
    support: full
  idempotent:
    support: partial
    details:
      - A second run within O(max_age) changes nothing, provided that the first one waited until the synchronisation
        showed (O(wait=true)).
      - With O(force=true), every run requests a synchronisation. With O(max_age=0), every run does that finds none
        running.
options:
  token_id:
    description:
      - The id of the token, a GUID.
      - Exactly one of O(token_id), O(token_ids) and O(all) is needed.
    type: str
  token_ids:
    description:
      - The ids of many tokens of one tenant. They are read, synchronised and waited for together, up to 20 in each
        request to Graph. One that is named twice is asked for once, with a warning.
      - One that fails does not stop the others. The task fails after all of them have ended.
    type: list
    elements: str
  all:
    description:
      - Synchronise all tokens of the tenant in the way of O(token_ids), or those that the options O(organization_name),
        O(apple_id) and O(state) choose. One that is not valid fails; O(state=valid) leaves it out.
      - In a tenant without a token there is nothing to do.
    type: bool
    default: false
  organization_name:
    description:
      - Only tokens of this organization. In this and the next, upper and lower case are the same.
    type: str
  apple_id:
    description:
      - Only tokens of this Apple account.
    type: str
  state:
    description:
      - Only tokens whose state is one of these.
    type: list
    elements: str
    choices: [unknown, valid, expired, invalid, assignedToExternalMDM, duplicateLocationId]
  max_age:
    description:
      - A synchronisation that ended less than this many seconds ago is good enough, and nothing is requested, unless it
        failed. V(0) always requests one, unless one is running.
    type: int
    default: 3600
notes:
  - The app or user needs Graph's permission C(DeviceManagementServiceConfig.ReadWrite.All), as application
    permission or as delegated one.
  - The tenant needs an active Intune licence, and an account in Apple Business Manager or Apple School Manager.
  - What Graph returns of a token also has a place for the token itself. It is never shown, nor written anywhere.
seealso:
  - name: Environment variables
    description: All that this collection reads, on one page.
    link: https://github.com/graphops/graphops.intune/blob/main/docs/docsite/rst/environment.rst
  - name: Graph's reference of the call
    description: What Microsoft says about it.
    link: https://learn.microsoft.com/graph/api/intune-onboarding-vpptoken-synclicenses
"""

EXAMPLES = r"""
- name: Synchronise the licences of a token, unless that was done within the last hour
  graphops.intune.intune_vpp_token_sync:
    tenant: contoso.example
    client_id: 6a1e0c1c-0d6f-4c8a-9d0a-3f5b1f2c7a10
    secret: "{{ intune_secret }}"
    token_id: 11111111-1111-4111-8111-111111111111

- name: Synchronise all valid tokens of a tenant once a day, with the identity from the environment
  graphops.intune.intune_vpp_token_sync:
    all: true
    state: [valid]
    max_age: 86400

- name: Request a synchronisation after a purchase, even while one is running, and wait for ten minutes at most
  graphops.intune.intune_vpp_token_sync:
    tenant: contoso.example
    client_id: 6a1e0c1c-0d6f-4c8a-9d0a-3f5b1f2c7a10
    x509_certificate_path: /etc/pki/intune/app.pem
    token_id: 11111111-1111-4111-8111-111111111111
    force: true
    wait_timeout: 600
"""

RETURN = r"""
vpp_token:
  description:
    - The token as Graph showed it last, with the properties that may be shown, their names in snake_case. Times are in
      UTC.
  returned: with O(token_id), when it could be read
  type: dict
  sample:
    apple_id: vpp@contoso.example
    automatically_update_apps: true
    country_or_region: us
    expiration_date_time: "2027-03-25T17:09:22Z"
    id: 11111111-1111-4111-8111-111111111111
    last_modified_date_time: "2026-11-22T18:04:11.323597Z"
    last_sync_date_time: "2026-11-22T18:04:11.320597Z"
    last_sync_status: completed
    organization_name: Contoso
    state: valid
    vpp_token_account_type: business
  contains:
    apple_id:
      description: The Apple account that the token was made with.
      type: str
    automatically_update_apps:
      description: Whether apps of the token are updated by themselves.
      type: bool
    country_or_region:
      description: The country or region of the account.
      type: str
    expiration_date_time:
      description: When the token ends, a year after it was made.
      type: str
    id:
      description: The id of the token.
      type: str
    last_modified_date_time:
      description: When the token changed last, which it also does with each synchronisation.
      type: str
    last_sync_date_time:
      description: When the last synchronisation ended; V(null) for never.
      type: str
    last_sync_status:
      description: V(none), V(inProgress), V(completed), V(failed), or what Microsoft adds.
      type: str
    organization_name:
      description: The organization that the token belongs to.
      type: str
    state:
      description:
        - V(unknown), V(valid), V(expired), V(invalid), V(assignedToExternalMDM), or what Microsoft adds. Only a valid
          token can be synchronised.
      type: str
    vpp_token_account_type:
      description: V(business) or V(education).
      type: str
vpp_tokens:
  description:
    - What came of each token, in the order of O(token_ids) or of Graph's list.
    - Each entry is what the task returns for a single one, together with the id, and with the sentence if it failed.
      Its difference is in RV(diff).
  returned: with O(token_ids) or O(all), unless the task failed before the tokens were known
  type: list
  elements: dict
  sample:
    - changed: false
      failed: true
      msg: >-
        Apple VPP token 11111111-1111-4111-8111-111111111111 in tenant contoso.example: could not read it, Graph
        answered HTTP 404 (Not Found) and gave no reason; the token is not in this tenant: check token_id and tenant.
      request_id: 9f3a1c0e-6a5e-4f0e-8d9e-0f1c2b3a4d5e
      token_id: 11111111-1111-4111-8111-111111111111
  contains:
    token_id:
      description: The id of the token.
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
    vpp_token:
      description: As RV(vpp_token).
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
  returned: with O(token_id), when the token could be read
  type: dict
  sample:
    age: 264300
    completed_at: "2026-11-22T18:04:11.320597Z"
    max_age: 3600
    next_possible_at: null
    previous_sync_date_time: "2026-11-19T16:37:02Z"
    reason: the last synchronisation ended 3 d 1 h ago, beyond max_age (1 h)
    requested_at: "2026-11-22T18:04:08Z"
    state: completed
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
        - From when on Intune takes the next request, in UTC. For tokens it wants no interval between two, so this is
          V(null).
      type: str
    previous_sync_date_time:
      description: The token's RV(vpp_token.last_sync_date_time) before this task.
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
        - V(joined) - one was running already, asked for by somebody else or begun by Intune itself. It was waited for
          with O(wait=true). Nothing was requested; with O(force=true), another one is.
        - V(requested) - Graph accepted the request; its end was not seen.
        - V(completed) - it was requested, and its end was seen.
        - V(predicted) - it would be requested without check mode.
        - V(refused) - in failed results only, no request was accepted, or none was made because the token is not valid.
        - V(failed) - in failed results only, the synchronisation ended and failed.
        - V(unknown) - in failed results only, the answers to the request were lost, so that it may have been accepted.
          RV(ignore:changed) is V(true) then.
      type: str
request_id:
  description:
    - Graph's id of the request that mattered (the one for the synchronisation, or else the reading of the token; the
      failed one, if one failed). Microsoft's support asks for it.
    - V(null) if there was no answer with one.
  returned: with O(token_id) or when something failed, once Entra ID or Graph was asked
  type: str
  sample: 9f3a1c0e-6a5e-4f0e-8d9e-0f1c2b3a4d5e
diff:
  description:
    - The time of the last synchronisation and its status, before and after.
    - A list of these with O(token_ids) or O(all).
  returned: when the token could be read
  type: raw
  sample:
    after:
      last_sync_date_time: "2026-11-22T18:04:11.320597Z"
      last_sync_status: completed
      sync: synchronisation completed
    before:
      last_sync_date_time: "2026-11-19T16:37:02Z"
      last_sync_status: completed
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.graphops.intune.plugins.module_utils import shell
from ansible_collections.graphops.intune.plugins.module_utils._kinds import vpp_token
from ansible_collections.graphops.intune.plugins.module_utils._sync.command import SyncCommand

COMMAND = SyncCommand(vpp_token.KIND)


class Module(shell.Hiding, AnsibleModule):  # type: ignore[misc]
    """Hides all secrets, of whatever origin."""


def main() -> None:
    """Entry point of the module."""
    module = Module(argument_spec=COMMAND.argument_spec(), supports_check_mode=True)  # type: ignore[no-untyped-call]
    shell.run(module, COMMAND)


if __name__ == "__main__":
    main()
