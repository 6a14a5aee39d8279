#!/usr/bin/python

# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: intune_enrollment_program_token_sync
short_description: Synchronise Apple enrollment program tokens of Microsoft Intune
version_added: 1.1.0
description:
  - Makes Intune synchronise the devices of an enrollment program token with Apple, through Microsoft Graph, unless they
    were synchronised recently enough. Such a token stands for Apple's automated device enrolment (ADE, formerly DEP).
  - The token itself tells when a synchronisation was last asked for, when one last succeeded, and Apple's error code;
    all ages are judged by Graph's clock. Nothing is kept on the controller, so every job, host and retry comes to the
    same answer.
  - Intune synchronises each token every 12 hours by itself. A request by hand is for a delta, which is what has changed
    since the last synchronisation.
  - Intune takes one request within 15 minutes at most. They count from the token's newest time, be it of a request or
    of a success. What is asked for sooner is V(too_soon). Nothing is requested then, and RV(sync.next_possible_at)
    tells when Intune takes the next one. With O(force=true) and O(wait=true) the task waits until then, if that is
    within O(wait_timeout), and requests it.
  - A synchronisation counts as running while it was asked for less than 15 minutes ago, without a success and without
    an error code since. It is V(joined), also with O(force=true). After 15 minutes without a success it counts as
    failed.
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
      - With O(max_age=0), every run requests a synchronisation, unless one is running or Intune takes none yet. With
        O(force=true) and O(wait=true), every run does, unless one is running. After one that failed, the next run does.
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
      - Synchronise all tokens of the tenant in the way of O(token_ids), or those that the options O(token_name) and
        O(apple_identifier) choose. One that has expired is not left out.
      - In a tenant without a token there is nothing to do.
    type: bool
    default: false
  token_name:
    description:
      - Only tokens of this name. In this and the next, upper and lower case are the same.
    type: str
  apple_identifier:
    description:
      - Only tokens of this Apple account.
    type: str
  max_age:
    description:
      - A synchronisation that succeeded less than this many seconds ago is good enough, and nothing is requested,
        unless a later one failed. V(0) always requests one, unless one is running or Intune takes none yet.
    type: int
    default: 3600
notes:
  - The app or user needs Graph's permission C(DeviceManagementServiceConfig.ReadWrite.All), as application
    permission or as delegated one.
  - The tenant needs an active Intune licence, and an account in Apple Business Manager or Apple School Manager.
  - The call exists in Graph's beta only, which Microsoft may change without notice.
  - A token that has expired cannot be synchronised. The task fails, and nothing is requested, unless its last
    synchronisation is recent enough.
  - What Graph answers to a request within the 15 minutes is not documented. The token's own times decide whether an
    answer of HTTP 400, 409 or 429 means that.
  - An error code of Apple's ends the synchronisation as failed, and is in the sentence. Graph's reference has no list
    of these codes. Nor does it say when a code is taken back, so one that fails with the same code as the one before
    may show no end within O(wait_timeout).
  - The time to wait until Intune takes a request and the time to wait for the end are within O(wait_timeout) each.
seealso:
  - name: Environment variables
    description: All that this collection reads, on one page.
    link: https://github.com/graphops/graphops.intune/blob/main/docs/docsite/rst/environment.rst
  - name: Graph's reference of the call
    description: What Microsoft says about it.
    link: https://learn.microsoft.com/graph/api/intune-enrollment-deponboardingsetting-syncwithappledeviceenrollmentprogram?view=graph-rest-beta
  - name: Intune's guide to automated device enrolment
    description: How often Intune synchronises with Apple, and how often it may be asked to.
    link: https://learn.microsoft.com/mem/intune/enrollment/device-enrollment-program-enroll-ios
"""

EXAMPLES = r"""
- name: Synchronise the devices of a token, unless that was done within the last hour
  graphops.intune.intune_enrollment_program_token_sync:
    tenant: contoso.example
    client_id: 6a1e0c1c-0d6f-4c8a-9d0a-3f5b1f2c7a10
    secret: "{{ intune_secret }}"
    token_id: 22222222-2222-4222-8222-222222222222

- name: Synchronise all tokens of an Apple account once in four hours, with the identity from the environment
  graphops.intune.intune_enrollment_program_token_sync:
    all: true
    apple_identifier: ade@contoso.example
    max_age: 14400

- name: Request a synchronisation after a purchase, wait until Intune takes one, and until it has ended
  graphops.intune.intune_enrollment_program_token_sync:
    tenant: contoso.example
    client_id: 6a1e0c1c-0d6f-4c8a-9d0a-3f5b1f2c7a10
    x509_certificate_path: /etc/pki/intune/app.pem
    token_id: 22222222-2222-4222-8222-222222222222
    force: true
    wait_timeout: 1200
"""

RETURN = r"""
enrollment_program_token:
  description:
    - The token as Graph showed it last, with the properties that may be shown, their names in snake_case. Times are in
      UTC.
  returned: with O(token_id), when it could be read
  type: dict
  sample:
    apple_identifier: ade@contoso.example
    id: 22222222-2222-4222-8222-222222222222
    last_modified_date_time: "2026-03-25T17:09:22Z"
    last_successful_sync_date_time: "2026-11-22T18:04:11Z"
    last_sync_error_code: 0
    last_sync_triggered_date_time: "2026-11-22T18:04:08Z"
    synced_device_count: 120
    token_expiration_date_time: "2027-03-25T17:09:22Z"
    token_name: Contoso
    token_type: dep
  contains:
    apple_identifier:
      description: The Apple account that the token was made with; V(null) if Graph tells none.
      type: str
    id:
      description: The id of the token.
      type: str
    last_modified_date_time:
      description: When the token was uploaded to Intune; V(null) if Graph tells no time.
      type: str
    last_successful_sync_date_time:
      description: When the last synchronisation that succeeded ended; V(null) for never.
      type: str
    last_sync_error_code:
      description: Apple's error code of the last synchronisation; V(0) for none.
      type: int
    last_sync_triggered_date_time:
      description:
        - When a synchronisation was last asked for; V(null) for never. Whether those that Intune begins itself count is
          not documented.
      type: str
    synced_device_count:
      description: How many devices were synchronised.
      type: int
    token_expiration_date_time:
      description: When the token ends; V(null) if Graph tells no time.
      type: str
    token_name:
      description: The name of the token in Intune; V(null) if it has none.
      type: str
    token_type:
      description: V(none), V(dep), V(appleSchoolManager), or what Microsoft adds.
      type: str
enrollment_program_tokens:
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
        Apple enrollment program token 22222222-2222-4222-8222-222222222222 in tenant contoso.example: could not read
        it, Graph answered HTTP 404 (Not Found) and gave no reason; the token is not in this tenant: check token_id and
        tenant.
      request_id: 9f3a1c0e-6a5e-4f0e-8d9e-0f1c2b3a4d5e
      token_id: 22222222-2222-4222-8222-222222222222
  contains:
    token_id:
      description: The id of the token.
      type: str
    changed:
      description: Whether Graph accepted a request to synchronise it, or may have.
      type: bool
    failed:
      description: Whether something went wrong with it.
      type: bool
    msg:
      description: What went wrong, in one sentence.
      type: str
      returned: when it failed
    enrollment_program_token:
      description: As RV(enrollment_program_token).
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
    completed_at: "2026-11-22T18:04:11Z"
    max_age: 3600
    next_possible_at: null
    previous_sync_date_time: "2026-11-19T16:37:02Z"
    reason: the last synchronisation ended 3 d 1 h ago, beyond max_age (1 h)
    requested_at: "2026-11-22T18:04:08Z"
    state: completed
  contains:
    age:
      description: How many seconds before this task the last one that succeeded had ended; V(null) if not known.
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
      description:
        - The token's RV(enrollment_program_token.last_successful_sync_date_time) before this task; V(null) for never.
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
        - V(joined) - one was running already, asked for less than 15 minutes ago. It was waited for with O(wait=true).
          Nothing was requested, not even with O(force=true).
        - V(too_soon) - Intune takes no request yet, and nothing was requested, or Intune did not accept it.
          RV(sync.next_possible_at) tells when it takes one. The task fails only with O(force=true) and O(wait=true), if
          that is longer to wait than O(wait_timeout).
        - V(requested) - Graph accepted the request; its end was not seen.
        - V(completed) - it was requested, and its end was seen.
        - V(predicted) - it would be requested without check mode.
        - V(refused) - in failed results only, no request was accepted, or none was made because the token has expired.
        - V(failed) - in failed results only, the synchronisation ended with an error code of Apple's, or had no success
          within 15 minutes.
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
    - The time of the last synchronisation that succeeded and the error code, before and after.
    - A list of these with O(token_ids) or O(all).
  returned: when the token could be read
  type: raw
  sample:
    after:
      last_successful_sync_date_time: "2026-11-22T18:04:11Z"
      last_sync_error_code: "0"
      sync: synchronisation completed
    before:
      last_successful_sync_date_time: "2026-11-19T16:37:02Z"
      last_sync_error_code: "0"
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.graphops.intune.plugins.module_utils import shell
from ansible_collections.graphops.intune.plugins.module_utils._kinds import enrollment_program_token
from ansible_collections.graphops.intune.plugins.module_utils._sync.command import SyncCommand

COMMAND = SyncCommand(enrollment_program_token.KIND)


class Module(shell.Hiding, AnsibleModule):  # type: ignore[misc]
    """Hides all secrets, of whatever origin."""


def main() -> None:
    """Entry point of the module."""
    module = Module(argument_spec=COMMAND.argument_spec(), supports_check_mode=True)  # type: ignore[no-untyped-call]
    shell.run(module, COMMAND)


if __name__ == "__main__":
    main()
