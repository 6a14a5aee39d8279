#!/usr/bin/python

# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: intune_managed_google_play_sync
short_description: Synchronise the apps of Managed Google Play of Microsoft Intune
version_added: 1.1.0
description:
  - Makes Intune synchronise the apps that were approved in Managed Google Play, through Microsoft Graph, unless they
    were synchronised recently enough. A tenant is bound to Managed Google Play once, so there is nothing to choose.
  - The account itself tells when the last synchronisation ended, and how; its age is judged by Graph's clock. Nothing
    is kept on the controller, so every job, host and retry comes to the same answer.
  - Nothing tells that a synchronisation is running, or when one was asked for. While one runs, another run of this
    module requests another one, and the first end that shows is taken for that of its own.
  - Microsoft names no least time between two requests.
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
      - Reads the account and says what would be done. Nothing is requested, and nothing is waited for.
  diff_mode:
    support: full
  idempotent:
    support: partial
    details:
      - A second run within O(max_age) changes nothing, provided that the first one waited until the synchronisation
        showed (O(wait=true)).
      - With O(force=true) or O(max_age=0), every run requests a synchronisation. After one that failed, the next run
        does.
options:
  max_age:
    description:
      - A synchronisation that ended less than this many seconds ago is good enough, and nothing is requested, unless it
        failed. V(0) always requests one.
    type: int
    default: 3600
notes:
  - The app or user needs Graph's permission C(DeviceManagementConfiguration.ReadWrite.All), as application permission
    or as delegated one. It is another one than those of this collection's other modules that synchronise.
  - The tenant needs an active Intune licence.
  - The call exists in Graph's beta only, which Microsoft may change without notice.
  - Where the tenant is not bound to Managed Google Play any more, the task fails, and nothing is requested, unless the
    last synchronisation is recent enough.
  - Where nothing was ever bound, Graph may answer HTTP 404. The task fails and says that the tenant has none.
  - What Graph returns of the account also has the codes with which devices are enrolled (C(companyCodes)). They are
    never shown, nor written anywhere.
seealso:
  - name: Environment variables
    description: All that this collection reads, on one page.
    link: https://github.com/graphops/graphops.intune/blob/main/docs/docsite/rst/environment.rst
  - name: Graph's reference of the call
    description: What Microsoft says about it.
    link: https://learn.microsoft.com/graph/api/intune-androidforwork-androidmanagedstoreaccountenterprisesettings-syncapps?view=graph-rest-beta
"""

EXAMPLES = r"""
- name: Synchronise the apps of Managed Google Play, unless that was done within the last hour
  graphops.intune.intune_managed_google_play_sync:
    tenant: contoso.example
    client_id: 6a1e0c1c-0d6f-4c8a-9d0a-3f5b1f2c7a10
    secret: "{{ intune_secret }}"

- name: Synchronise them once a day, with the identity from the environment
  graphops.intune.intune_managed_google_play_sync:
    max_age: 86400

- name: Request a synchronisation after an app was approved, and wait for ten minutes at most
  graphops.intune.intune_managed_google_play_sync:
    tenant: contoso.example
    client_id: 6a1e0c1c-0d6f-4c8a-9d0a-3f5b1f2c7a10
    x509_certificate_path: /etc/pki/intune/app.pem
    force: true
    wait_timeout: 600
"""

RETURN = r"""
managed_google_play:
  description:
    - The account as Graph showed it last, with the properties that may be shown, their names in snake_case. Times are
      in UTC.
  returned: when it could be read
  type: dict
  sample:
    bind_status: boundAndValidated
    enrollment_target: all
    id: androidManagedStoreAccountEnterpriseSettings
    last_app_sync_date_time: "2026-11-22T18:04:11Z"
    last_app_sync_status: success
    last_modified_date_time: "2026-03-25T17:09:22Z"
    managed_google_play_enterprise_type: managedGoogleDomain
    owner_organization_name: Contoso
    owner_user_principal_name: play@contoso.example
  contains:
    bind_status:
      description:
        - V(notBound), V(bound), V(boundAndValidated), V(unbinding), or what Microsoft adds. Only an account that is
          bound can be synchronised.
      type: str
    enrollment_target:
      description:
        - Whose devices are enrolled, V(none), V(all), V(targeted), V(targetedAsEnrollmentRestrictions), or what
          Microsoft adds; V(null) if Graph does not tell.
      type: str
    id:
      description: The id of the settings, the same word in every tenant.
      type: str
    last_app_sync_date_time:
      description: When the last synchronisation ended, well or not; V(null) for never.
      type: str
    last_app_sync_status:
      description:
        - How the last synchronisation ended, V(success), V(none), V(credentialsNotValid), V(androidForWorkApiError),
          V(managementServiceError), V(unknownError), or what Microsoft adds.
      type: str
    last_modified_date_time:
      description: When the settings changed last; V(null) if Graph does not tell.
      type: str
    managed_google_play_enterprise_type:
      description: The type of the account, such as V(managedGoogleDomain); V(null) if Graph does not tell.
      type: str
    owner_organization_name:
      description: The organization that the account was made for; V(null) if Graph does not tell.
      type: str
    owner_user_principal_name:
      description: The user who bound the tenant; V(null) if Graph does not tell.
      type: str
sync:
  description: What was done, and why.
  returned: when it could be read
  type: dict
  sample:
    age: 264300
    completed_at: "2026-11-22T18:04:11Z"
    max_age: 3600
    next_possible_at: null
    previous_sync_date_time: "2026-11-19T16:37:02Z"
    reason: the last synchronisation ended 3 d 1 h ago, beyond max_age (1 h)
    requested_at: "2026-11-22T18:04:08Z"
    state: completed
  contains:
    age:
      description:
        - How many seconds before this task the last synchronisation had ended; V(null) if not known, or if it failed.
      type: int
    completed_at:
      description: When the synchronisation that was waited for succeeded, in UTC; V(null) if none did.
      type: str
    max_age:
      description: The O(max_age) that was used, in seconds.
      type: int
    next_possible_at:
      description: V(null), as Microsoft names no interval between two requests.
      type: str
    previous_sync_date_time:
      description: The account's RV(managed_google_play.last_app_sync_date_time) before this task; V(null) for never.
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
        - V(refused) - in failed results only, no request was accepted, or none was made because the tenant is not bound
          to Managed Google Play.
        - V(failed) - in failed results only, the synchronisation ended, and the status that it left is
          V(credentialsNotValid), V(androidForWorkApiError), V(managementServiceError) or V(unknownError).
        - V(unknown) - in failed results only, the answers to the request were lost, so that it may have been accepted.
          RV(ignore:changed) is V(true) then.
      type: str
request_id:
  description:
    - Graph's id of the request that mattered (the one for the synchronisation, or else the reading of the account; the
      failed one, if one failed). Microsoft's support asks for it.
    - V(null) if there was no answer with one.
  returned: when it could be read or when something failed, once Entra ID or Graph was asked
  type: str
  sample: 9f3a1c0e-6a5e-4f0e-8d9e-0f1c2b3a4d5e
diff:
  description: The time of the last synchronisation and its status, before and after.
  returned: when it could be read
  type: dict
  sample:
    after:
      last_app_sync_date_time: "2026-11-22T18:04:11Z"
      last_app_sync_status: success
      sync: synchronisation completed
    before:
      last_app_sync_date_time: "2026-11-19T16:37:02Z"
      last_app_sync_status: success
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.graphops.intune.plugins.module_utils import shell
from ansible_collections.graphops.intune.plugins.module_utils._kinds import managed_google_play
from ansible_collections.graphops.intune.plugins.module_utils._sync.command import SyncCommand

COMMAND = SyncCommand(managed_google_play.KIND)


class Module(shell.Hiding, AnsibleModule):  # type: ignore[misc]
    """Hides all secrets, of whatever origin."""


def main() -> None:
    """Entry point of the module."""
    module = Module(argument_spec=COMMAND.argument_spec(), supports_check_mode=True)  # type: ignore[no-untyped-call]
    shell.run(module, COMMAND)


if __name__ == "__main__":
    main()
