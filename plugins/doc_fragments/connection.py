# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that say how requests are made."""

from __future__ import annotations


class ModuleDocFragment:
    """Found by Ansible under this name."""

    DOCUMENTATION = r"""
options:
  ca_path:
    description:
      - A file, or a folder prepared by C(c_rehash), of certificate authorities in PEM to trust, for Graph and for the
        sign-in.
      - If not set, the values of E(REQUESTS_CA_BUNDLE) and E(CURL_CA_BUNDLE) are used, and without them the authorities
        that the Python library requests brings along together with those of the system's own store.
      - Those are read once per run, this option once per host. For a fleet and a large file, set the variable in the
        environment of C(ansible-playbook) instead.
    type: path
  validate_certs:
    description:
      - Whether to check the certificates of Graph and Entra ID. Whoever stands in between can read and change
        everything, the secret included, if this is V(false).
    type: bool
    default: true
  request_timeout:
    description:
      - How many seconds a connection may take, and again an answer as a whole, the wait for its first byte included.
    type: int
    default: 30
  retry_timeout:
    description:
      - How many seconds all tries may take together, with the waiting times in between; those of signing in, of reading
        and of requesting a synchronisation share this time. Requests are repeated if Graph or Entra ID has no time for
        them (HTTP 429, 503 and 504) or no connection was made, also because a name cannot be resolved. One that reads
        is repeated after HTTP 500, 502 and other trouble of the service as well, and if its answer was lost.
      - The pages of a list may take this and O(request_timeout) together.
      - If the service asks to wait longer than that, the task fails at once and says how long.
      - A federated credential that was just made takes some minutes to work everywhere. So a sign-in that Entra ID
        refuses as it knows no credential that fits the token is tried three times, and with more than V(120) here as
        often as there is time for.
      - V(0) never repeats a request.
    type: int
    default: 120
notes:
  - On a host whose connection is C(local), the task runs in Ansible's own process, with the Python of
    C(ansible-playbook), which needs the libraries then. Nothing is sent, and no C(ansible_python_interpreter) counts.
    With any other connection, with C(become) or C(async), and if the variable C(graphops_intune_in_process) is V(false)
    for the task, host or group, the module is sent to the host as usual. The results are the same.
  - In Ansible's own process, the hosts and tasks of a run share one token per identity, in a file without a name in
    Ansible's temporary folder (E(ANSIBLE_LOCAL_TEMP)), which no other program can open and which ends with the run. If
    Entra ID refuses a sign-in, the same one is not tried again for 30 seconds.
  - Proxies are taken from the environment, from E(HTTPS_PROXY), E(ALL_PROXY) and E(NO_PROXY); they have to be HTTP
    proxies. Nothing else of the system is asked for them, and none is asked for the token of a managed identity.
    Redirects are not followed.
"""
