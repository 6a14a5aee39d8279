#!/usr/bin/python

# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: intune_managed_device_sync
short_description: Ask devices that Microsoft Intune manages to check in
version_added: 1.1.0
description:
  - Asks devices through Microsoft Graph to synchronise with Intune, which is to check in for their policies and apps,
    as far as they have not checked in recently enough. One device, some, or all of a tenant.
  - A device itself tells when it last checked in; its age is judged by Graph's clock. Nothing is kept on the
    controller.
  - Of many, Graph is asked for those that are old enough in one filtered list, and each is filtered once more before
    the first is asked, because Graph ignores a filter that it does not support, and sends all devices then.
  - Devices are asked one by one, by the call C(syncDevice), in batches. Graph's call for many devices is never used, in
    which one word tells a synchronisation from a wipe.
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
      - Reads the devices and says how many would be asked. None is asked, and nothing is waited for.
  diff_mode:
    support: full
  idempotent:
    support: partial
    details:
      - A device that has checked in within O(max_age) is not asked. Nothing on a device tells that it was asked, so a
        second run asks those again that have not checked in since.
      - With O(force=true) or O(max_age=0), every run asks all.
options:
  device_id:
    description:
      - The id of the device in Intune, a GUID. It is not the id of the device in Entra ID.
      - Exactly one of O(device_id), O(device_ids) and O(all) is needed.
    type: str
  device_ids:
    description:
      - The ids of many devices of one tenant. They are read by these, up to 20 in each request to Graph. One that is
        named twice is asked for once, with a warning.
      - One that fails does not stop the others. The task fails after all of them have been asked.
    type: list
    elements: str
  all:
    description:
      - Ask all devices of the tenant that have not checked in within O(max_age), or those of them that the following
        options choose. A device has to match all options that are given, and one of the values of each. An option that
        is an empty list fails the task, rather than choose all.
      - Devices that cannot be asked are left out and counted, which are those that Intune does not manage itself
        (O(management_agent) V(eas), V(configurationManagerClient), V(jamf), V(msSense)), and those that run Linux or
        ChromeOS.
    type: bool
    default: false
  operating_system:
    description:
      - Only devices with one of these operating systems, as Intune writes them, such as V(Windows), V(iOS), V(macOS) or
        V(Android).
      - In this option and the following, upper and lower case are the same here, and may not be the same to Graph.
    type: list
    elements: str
  compliance_state:
    description:
      - Only devices in one of these states of compliance.
    type: list
    elements: str
    choices: [unknown, compliant, noncompliant, conflict, error, inGracePeriod, configManager]
  management_agent:
    description:
      - Only devices that are managed in one of these ways.
    type: list
    elements: str
    choices:
      - eas
      - mdm
      - easMdm
      - intuneClient
      - easIntuneClient
      - configurationManagerClient
      - configurationManagerClientMdm
      - configurationManagerClientMdmEas
      - unknown
      - jamf
      - googleCloudDevicePolicyController
      - microsoft365ManagedMdm
      - msSense
  ownership:
    description:
      - Only devices of one of these owners. Graph does not filter by it, so all devices are read.
    type: list
    elements: str
    choices: [unknown, company, personal]
  user_principal_name:
    description:
      - Only devices of these users. Graph filters by a single one only.
    type: list
    elements: str
  device_name:
    description:
      - Only devices of these names. Graph filters by a single one only.
    type: list
    elements: str
  serial_number:
    description:
      - Only devices with these serial numbers.
    type: list
    elements: str
  max_devices:
    description:
      - How many devices may be due at most. If more are, the task fails before the first is asked.
      - By default any number may be.
    type: int
  return_all:
    description:
      - Return what came of each device in RV(managed_devices), and not only of those that failed. For 10,000 devices
        that is some megabytes in the result.
    type: bool
    default: false
  max_age:
    description:
      - A device that has checked in less than this many seconds ago is not asked. V(0) asks every device.
      - Devices check in every eight hours by themselves, which is the default.
    type: int
    default: 28800
  force:
    description:
      - Ask every chosen device, however recently it has checked in.
    type: bool
    default: false
  requests_per_20_seconds:
    description:
      - How many devices are asked within 20 seconds at most. Microsoft's limit for one app in one tenant is the
        default, at which 10,000 devices take 16 minutes and 20 seconds at least.
      - The time that a device waits for its turn is neither of O(retry_timeout) nor of O(wait_timeout).
      - The pace holds within this task. Tasks at the same time, as by forks, loops or the slices of a job in AWX, know
        nothing of each other. Divide the number by how many there are.
    type: int
    default: 200
  wait:
    description:
      - Wait until the devices have checked in. A device checks in when it is on and can be reached, which may be in a
        minute or never, hence the default.
      - Many devices are looked at by a list.
    type: bool
    default: false
  wait_timeout:
    description:
      - How many seconds to wait at most, once all have been asked. A device that has not checked in by then is
        V(requested), which is no failure.
    type: int
    default: 900
  wait_sleep:
    description:
      - How many seconds at most to wait between two looks. The first looks come sooner.
    type: int
    default: 15
    aliases: [interval]
notes:
  - The app or user needs two of Graph's permissions, as application permissions or as delegated ones,
    C(DeviceManagementManagedDevices.PrivilegedOperations.All) to ask the devices, and
    C(DeviceManagementManagedDevices.Read.All) to read them. C(DeviceManagementManagedDevices.ReadWrite.All) is not
    enough to ask them.
  - The tenant needs an active Intune licence.
  - The list, or the reading of devices by their ids, and the request for each device have O(retry_timeout) each for
    their tries.
  - If the first 20 of more devices than O(requests_per_20_seconds) are all forbidden, the rest is not asked.
  - Of a device only the properties in RV(managed_device) are read, and none of its secrets.
seealso:
  - name: Environment variables
    description: All that this collection reads, on one page.
    link: https://github.com/graphops/graphops.intune/blob/main/docs/docsite/rst/environment.rst
  - name: Graph's reference of the call
    description: What Microsoft says about it.
    link: https://learn.microsoft.com/graph/api/intune-devices-manageddevice-syncdevice
  - name: Graph's limits
    description: How often Intune may be asked.
    link: https://learn.microsoft.com/graph/throttling-limits#intune-devices-service-limits
"""

EXAMPLES = r"""
- name: Ask a device to check in, unless it has done so within eight hours
  graphops.intune.intune_managed_device_sync:
    tenant: contoso.example
    client_id: 6a1e0c1c-0d6f-4c8a-9d0a-3f5b1f2c7a10
    secret: "{{ intune_secret }}"
    device_id: 44444444-4444-4444-8444-444444444444

- name: Ask the company's Windows devices that are not compliant and have not checked in for a day, 500 at most
  graphops.intune.intune_managed_device_sync:
    all: true
    operating_system: [Windows]
    ownership: [company]
    compliance_state: [noncompliant, inGracePeriod]
    max_age: 86400
    max_devices: 500

- name: Ask the devices of a user at once, and see within five minutes which of them come in
  graphops.intune.intune_managed_device_sync:
    all: true
    user_principal_name: [ada@contoso.example]
    force: true
    wait: true
    wait_timeout: 300
    return_all: true
"""

RETURN = r"""
managed_device:
  description:
    - The device as Graph showed it last, with the properties that may be shown, their names in snake_case. Times are in
      UTC.
  returned: with O(device_id), when it could be read
  type: dict
  sample:
    compliance_state: compliant
    device_name: PC-0001
    id: 44444444-4444-4444-8444-444444444444
    last_sync_date_time: "2026-11-21T02:34:09Z"
    managed_device_owner_type: company
    management_agent: mdm
    operating_system: Windows
    serial_number: "0123456789"
    user_principal_name: ada@contoso.example
  contains:
    compliance_state:
      description: Whether the device complies with the policies, a word of Graph's.
      type: str
    device_name:
      description: The name of the device.
      type: str
    id:
      description: The id of the device in Intune.
      type: str
    last_sync_date_time:
      description: When the device last checked in; V(null) for never.
      type: str
    managed_device_owner_type:
      description: V(unknown), V(company), V(personal), or what Microsoft adds.
      type: str
    management_agent:
      description: How the device is managed, a word of Graph's.
      type: str
    operating_system:
      description: The operating system, such as V(Windows).
      type: str
    serial_number:
      description: The serial number.
      type: str
    user_principal_name:
      description: The user of the device.
      type: str
managed_devices:
  description:
    - The devices that failed, the first 100 of them; with O(return_all=true) all that were found.
  returned: with O(device_ids) or O(all), unless the task failed before the devices were known
  type: list
  elements: dict
  sample:
    - changed: false
      device_id: 44444444-4444-4444-8444-444444444444
      failed: true
      msg: >-
        device 44444444-4444-4444-8444-444444444444 in tenant contoso.example: could not request a synchronisation,
        Graph answered HTTP 404 (Not Found) and gave no reason; the device is not in this tenant: check device_id and
        tenant.
      request_id: 9f3a1c0e-6a5e-4f0e-8d9e-0f1c2b3a4d5e
      state: failed
  contains:
    device_id:
      description: The id of the device.
      type: str
    changed:
      description: Whether Graph accepted the request, or may have.
      type: bool
    failed:
      description: Whether something went wrong with it.
      type: bool
    state:
      description:
        - As RV(sync.state). Besides, V(failed) is a device that could not be read or asked, V(left_out) one that cannot
          be, and V(not_asked) one that was due when all of the first were forbidden.
      type: str
    managed_device:
      description: As RV(managed_device).
      type: dict
      returned: when it could be read
    msg:
      description: What went wrong, in one sentence.
      type: str
      returned: when it failed
    request_id:
      description: Graph's id of the request that failed.
      type: str
      returned: when it failed
asked_device_ids:
  description:
    - The ids of the devices that were asked, for which Graph accepted the request or may have. These are the first
      15,000, as each takes 40 characters, and AWX keeps nothing of a result of more than 700,000.
    - From these the Ansible Automation Platform counts the devices that a job managed.
  returned: with O(device_ids) or O(all), unless the task failed before the devices were known
  type: list
  elements: str
  sample:
    - 44444444-4444-4444-8444-444444444444
counts:
  description: How many devices there were of each sort.
  returned: with O(device_ids) or O(all), unless the task failed before the devices were known
  type: dict
  sample:
    came_in: 0
    due: 412
    failed: 1
    found: 430
    fresh: 11
    left_out: 7
    not_asked: 0
    predicted: 0
    requested: 411
    unknown: 0
  contains:
    found:
      description:
        - Devices that were chosen. With O(all) those that have checked in within O(max_age) are not all among them,
          since Graph is asked for the others.
      type: int
    fresh:
      description: Devices that were read, and had checked in within O(max_age).
      type: int
    left_out:
      description: Devices that cannot be asked, with O(all).
      type: int
    due:
      description: Devices that were to be asked.
      type: int
    predicted:
      description: Devices that would be asked without check mode.
      type: int
    requested:
      description: Devices for which Graph accepted the request, those that came in included.
      type: int
    came_in:
      description: Devices that have checked in since, as far as it was waited for.
      type: int
    failed:
      description: Devices that could not be read or asked.
      type: int
    unknown:
      description: Devices for which Graph may have accepted the request; its answers were lost. The task fails.
      type: int
    not_asked:
      description: Devices that were due and not asked, because all of the first were forbidden.
      type: int
sync:
  description: What was done, and why.
  returned: with O(device_id), when the device could be read
  type: dict
  sample:
    age: 264300
    completed_at: null
    max_age: 28800
    next_possible_at: null
    previous_sync_date_time: "2026-11-19T16:37:02Z"
    reason: the last synchronisation ended 3 d 1 h ago, beyond max_age (8 h)
    requested_at: "2026-11-22T18:04:08Z"
    state: requested
  contains:
    age:
      description: How many seconds before this task the device had last checked in; V(null) if not known.
      type: int
    completed_at:
      description: When the device checked in, in UTC; V(null) if that was not seen.
      type: str
    max_age:
      description: The O(max_age) that was used, in seconds.
      type: int
    next_possible_at:
      description: V(null), as Intune wants no interval between two requests.
      type: str
    previous_sync_date_time:
      description: The device's RV(managed_device.last_sync_date_time) before this task.
      type: str
    reason:
      description: Why the device was asked or not, in words.
      type: str
    requested_at:
      description:
        - When Graph accepted the request, in UTC by Graph's clock; V(null) if none was made or this is not known.
      type: str
    state:
      description:
        - V(fresh) - it has checked in recently enough, and was not asked.
        - V(requested) - Graph accepted the request; the device was not seen to check in.
        - V(completed) - it was asked, and has checked in.
        - V(predicted) - it would be asked without check mode.
        - V(refused) - in failed results only, no request was accepted, or none was made because the device cannot be
          asked.
        - V(unknown) - in failed results only, the answers to the request were lost, so that it may have been accepted.
          RV(ignore:changed) is V(true) then.
      type: str
request_id:
  description:
    - Graph's id of the request that mattered. Microsoft's support asks for it.
    - V(null) if there was no answer with one.
  returned: with O(device_id) or when something failed, once Entra ID or Graph was asked
  type: str
  sample: 9f3a1c0e-6a5e-4f0e-8d9e-0f1c2b3a4d5e
diff:
  description:
    - The time of the last synchronisation and the state of compliance, before and after.
    - With O(device_ids) or O(all), how many devices are due, before and after.
  returned: when the device could be read, or the devices were listed
  type: dict
  sample:
    after:
      due: 0
    before:
      due: 411
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.graphops.intune.plugins.module_utils import shell
from ansible_collections.graphops.intune.plugins.module_utils._kinds import managed_device
from ansible_collections.graphops.intune.plugins.module_utils._sync.command import SyncCommand

COMMAND = SyncCommand(managed_device.KIND)


class Module(shell.Hiding, AnsibleModule):  # type: ignore[misc]
    """Hides all secrets, of whatever origin."""


def main() -> None:
    """Entry point of the module."""
    module = Module(argument_spec=COMMAND.argument_spec(), supports_check_mode=True)  # type: ignore[no-untyped-call]
    shell.run(module, COMMAND)


if __name__ == "__main__":
    main()
