#!/usr/bin/python

# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: intune_autopilot_sync
short_description: Synchronise Windows Autopilot of Microsoft Intune
version_added: 1.1.0
description:
  - Makes Intune synchronise its devices with the Windows Autopilot service, through Microsoft Graph, unless they were
    synchronised recently enough. A tenant has one such service, so there is nothing to choose.
  - Its settings tell when a synchronisation was last asked for by hand, when the last one was, and whether it runs or
    failed; all ages are judged by Graph's clock. Nothing is kept on the controller, so every job, host and retry comes
    to the same answer.
  - Intune takes no request while a synchronisation is running. That one is V(joined), also with O(force=true), whether
    the settings tell of it or Intune answers HTTP 409.
  - Intune takes one request within 10 minutes at most. They count from the newest time in the settings. What is asked
    for sooner is V(too_soon). Nothing is requested then, and RV(sync.next_possible_at) tells when Intune takes the next
    one. With O(force=true) and O(wait=true) the task waits until then, if that is within O(wait_timeout), and requests
    it.
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
      - Reads the settings and says what would be done. Nothing is requested, and nothing is waited for.
  diff_mode:
    support: full
  idempotent:
    support: partial
    details:
      - A second run within O(max_age) changes nothing, provided that the first one waited until the synchronisation
        showed (O(wait=true)).
      - With O(max_age=0), every run requests a synchronisation, unless one is running or Intune takes none yet. With
        O(force=true) and O(wait=true), every run does, unless one is running. After one that failed, the next run does.
options:
  max_age:
    description:
      - A synchronisation that ended less than this many seconds ago is good enough, and nothing is requested, unless it
        failed. V(0) always requests one, unless one is running or Intune takes none yet.
    type: int
    default: 3600
notes:
  - The app or user needs Graph's permission C(DeviceManagementServiceConfig.ReadWrite.All), as application
    permission or as delegated one.
  - The tenant needs an active Intune licence.
  - The call exists in Graph's beta only, which Microsoft may change without notice.
  - Intune answers HTTP 429 within the 10 minutes, as Graph does when there are too many requests. The settings are read
    again then. If the newest of their times is less than 10 minutes old, it is V(too_soon); else the request is tried
    again for up to O(retry_timeout).
  - Graph does not tell why a synchronisation failed.
  - The time to wait until Intune takes a request and the time to wait for the end are within O(wait_timeout) each.
seealso:
  - name: Environment variables
    description: All that this collection reads, on one page.
    link: https://github.com/graphops/graphops.intune/blob/main/docs/docsite/rst/environment.rst
  - name: Graph's reference of the call
    description: What Microsoft says about it.
    link: https://learn.microsoft.com/graph/api/intune-enrollment-windowsautopilotsettings-sync?view=graph-rest-beta
"""

EXAMPLES = r"""
- name: Synchronise Windows Autopilot, unless that was done within the last hour
  graphops.intune.intune_autopilot_sync:
    tenant: contoso.example
    client_id: 6a1e0c1c-0d6f-4c8a-9d0a-3f5b1f2c7a10
    secret: "{{ intune_secret }}"

- name: Synchronise it once a day, with the identity from the environment, and do not wait for the end
  graphops.intune.intune_autopilot_sync:
    max_age: 86400
    wait: false

- name: Request a synchronisation after an import of devices, wait until Intune takes one, and until it has ended
  graphops.intune.intune_autopilot_sync:
    tenant: contoso.example
    client_id: 6a1e0c1c-0d6f-4c8a-9d0a-3f5b1f2c7a10
    x509_certificate_path: /etc/pki/intune/app.pem
    force: true
    wait_timeout: 1200
"""

RETURN = r"""
autopilot:
  description:
    - The settings as Graph showed them last, with the properties that may be shown, their names in snake_case. Times
      are in UTC.
  returned: when it could be read
  type: dict
  sample:
    id: 33333333-3333-4333-8333-333333333333
    last_manual_sync_trigger_date_time: "2026-11-22T18:04:08Z"
    last_sync_date_time: "2026-11-22T18:06:31Z"
    sync_status: completed
  contains:
    id:
      description: The id of the settings.
      type: str
    last_manual_sync_trigger_date_time:
      description: When a synchronisation was last asked for by hand; V(null) for never.
      type: str
    last_sync_date_time:
      description:
        - When the last synchronisation was; V(null) for never. Microsoft does not say whether this is its begin or its
          end; it is taken for the end.
      type: str
    sync_status:
      description: V(unknown), V(inProgress), V(completed), V(failed), or what Microsoft adds.
      type: str
sync:
  description: What was done, and why.
  returned: when it could be read
  type: dict
  sample:
    age: 264300
    completed_at: "2026-11-22T18:06:31Z"
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
      description:
        - From when on Intune takes the next request, in UTC, as it was found before this task requested one. V(null) if
          it took one at once, or if this did not matter.
      type: str
    previous_sync_date_time:
      description: The settings' RV(autopilot.last_sync_date_time) before this task; V(null) for never.
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
          with O(wait=true). Nothing was requested, or Intune did not accept it, also with O(force=true).
        - V(too_soon) - Intune takes no request yet, and nothing was requested, or Intune did not accept it.
          RV(sync.next_possible_at) tells when it takes one. The task fails only with O(force=true) and O(wait=true), if
          that is longer to wait than O(wait_timeout).
        - V(requested) - Graph accepted the request; its end was not seen.
        - V(completed) - it was requested, and its end was seen.
        - V(predicted) - it would be requested without check mode.
        - V(refused) - in failed results only, no request was accepted.
        - V(failed) - in failed results only, the synchronisation ended and failed. Graph does not tell why.
        - V(unknown) - in failed results only, the answers to the request were lost, so that it may have been accepted.
          RV(ignore:changed) is V(true) then.
      type: str
request_id:
  description:
    - Graph's id of the request that mattered (the one for the synchronisation, or else the reading of the settings; the
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
      last_sync_date_time: "2026-11-22T18:06:31Z"
      sync: synchronisation completed
      sync_status: completed
    before:
      last_sync_date_time: "2026-11-19T16:37:02Z"
      sync_status: completed
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.graphops.intune.plugins.module_utils import shell
from ansible_collections.graphops.intune.plugins.module_utils._kinds import autopilot
from ansible_collections.graphops.intune.plugins.module_utils._sync.command import SyncCommand

COMMAND = SyncCommand(autopilot.KIND)


class Module(shell.Hiding, AnsibleModule):  # type: ignore[misc]
    """Hides all secrets, of whatever origin."""


def main() -> None:
    """Entry point of the module."""
    module = Module(argument_spec=COMMAND.argument_spec(), supports_check_mode=True)  # type: ignore[no-untyped-call]
    shell.run(module, COMMAND)


if __name__ == "__main__":
    main()
