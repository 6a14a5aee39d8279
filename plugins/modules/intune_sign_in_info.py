#!/usr/bin/python

# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: intune_sign_in_info
short_description: Tell who signs in to Microsoft Graph, and what that allows in Intune
version_added: 1.1.0
description:
  - Signs in as the other modules do, and explains it - which way was taken and why, where each option comes from, whose
    token it is, which permissions it has, which are missing, and who grants them.
  - If the sign-in fails, it says what the other modules say, and adds what it knows of the certificate, the federated
    token, the clock, proxies and authorities, the managed identity's service, or the Azure CLI's account.
  - Nothing is changed. No secret is returned, nor anything that is made of one.
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
      - Signs in in check mode, too.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  kinds:
    description:
      - The kinds of connectors and tokens to tell the permissions of. All of them by default.
    type: list
    elements: str
    # begin: kinds, made by "make generate"
    choices:
      - apple_push_certificate
      - autopilot
      - certificate_connector
      - enrollment_program_token
      - exchange_connector
      - managed_device
      - managed_google_play
      - mobile_threat_defense_connector
      - vpp_token
    # end: kinds
  probe:
    description:
      - Whether to ask Graph for one object of each kind, by one request for each version of Graph, and to tell what it
        answers. So a missing licence shows, a missing role of a user, and what the tenant does not have. Nothing is
        asked twice.
    type: bool
    default: false
  fail_on:
    description:
      - What makes the task fail. Everything is returned in any case.
      - V(sign_in) is a sign-in that fails, and a token that has expired, or is of another tenant or for another host.
      - V(permission) is a permission that is missing for one of O(kinds), to read or to synchronise.
      - V(probe) is an answer of Graph that is an error, unless it says that the tenant has none of that kind. It needs
        O(probe).
      - An empty list never fails, other than for options that cannot be right.
    type: list
    elements: str
    choices: [sign_in, permission, probe]
    default: [sign_in]
notes:
  - The token is decoded, and not verified, as it is meant for Graph. Where it is no JSON Web Token, its permissions are
    V(unknown), and RV(roles), RV(scopes) and what else it would say are V(null).
  - What a user may do, a role in Intune decides as well, of which a token says nothing. So what a user's token has the
    permission for is V(unknown), unless it names Intune Administrator or Global Administrator; O(probe) tells.
  - For a tenant that is named by a domain, and after a sign-in that was refused, Entra ID is asked without any
    credential which tenant that is.
seealso:
  - name: Environment variables
    description: All that this collection reads, on one page.
    link: https://github.com/graphops/graphops.intune/blob/main/docs/docsite/rst/environment.rst
"""

EXAMPLES = r"""
- name: See who signs in, with the identity of the environment
  graphops.intune.intune_sign_in_info:
  register: sign_in

- name: Say what an administrator has to do
  ansible.builtin.debug:
    var: sign_in.problems

- name: Stop a pipeline where a permission for Apple's tokens is missing, or Graph refuses to show them
  graphops.intune.intune_sign_in_info:
    kinds: [vpp_token, enrollment_program_token]
    probe: true
    fail_on: [sign_in, permission, probe]

- name: Look at several tenants, whatever comes of each
  graphops.intune.intune_sign_in_info:
    tenant: "{{ item }}"
    fail_on: []
  loop: [contoso.example, fabrikam.example]
  register: tenants
"""

RETURN = r"""
signed_in:
  description: Whether there is a token.
  returned: always
  type: bool
  sample: true
auth_source:
  description: The way to sign in that was taken, one of O(auth_source); V(null) if none is complete.
  returned: always
  type: str
  sample: client_secret
auth_source_reason:
  description: Why this one, as a clause; V(null) if none is complete.
  returned: always
  type: str
  sample: it is the first in the order of auth_source auto that is complete, by AZURE_SECRET
passed_over:
  description:
    - The ways that come before it in the order of V(auto), and for which something is given. Empty unless
      O(auth_source) is V(auto).
  returned: always
  type: list
  elements: dict
  sample: []
  contains:
    auth_source:
      description: The way.
      type: str
    given:
      description: What of it is given, by the names of options and variables.
      type: list
      elements: str
    missing:
      description: The options that it lacks.
      type: list
      elements: str
    why:
      description: Why it is not taken, with the variables that it lacks.
      type: str
sources:
  description:
    - Of each option of the identity, where its value comes from - V(option), the name of a variable, or V(default).
      The values are not told.
  returned: always
  type: dict
  sample:
    tenant: option
    client_id: AZURE_CLIENT_ID
    secret: AZURE_SECRET
    graph_url: default
tenant_id:
  description: The tenant's GUID, by the token or by Entra ID; V(null) if not known.
  returned: always
  type: str
  sample: 8f1c1f4e-6f0e-4a64-8f0a-0a3b9a1d9b11
tenant_domain:
  description: The domain by which O(tenant) names the tenant; V(null) if it does not.
  returned: always
  type: str
  sample: contoso.example
client_id:
  description: The app, by the token or as it is given; V(null) if not known.
  returned: always
  type: str
  sample: 6a1e0c1c-0d6f-4c8a-9d0a-3f5b1f2c7a10
app_name:
  description: What the app is called; V(null) if not known.
  returned: always
  type: str
  sample: Intune synchronisation
user_name:
  description: The user's name; V(null) if an app signs in for itself.
  returned: always
  type: str
  sample: ada@contoso.example
audience:
  description: For whom the token is; V(null) if not known.
  returned: always
  type: str
  sample: https://graph.microsoft.com
issuer:
  description: Who made the token; V(null) if not known.
  returned: always
  type: str
  sample: https://sts.windows.net/8f1c1f4e-6f0e-4a64-8f0a-0a3b9a1d9b11/
cloud:
  description: The national cloud, one of O(cloud_environment).
  returned: always
  type: str
  sample: AzureCloud
expires_at:
  description: When the token ends, in UTC; V(null) if not known.
  returned: always
  type: str
  sample: "2026-11-27T06:05:11Z"
expires_in:
  description: In how many seconds that is, by this host's clock; V(null) if not known.
  returned: always
  type: int
  sample: 3599
roles:
  description: The application permissions of the token; V(null) if not known.
  returned: always
  type: list
  elements: str
  sample: [DeviceManagementServiceConfig.ReadWrite.All]
scopes:
  description: The delegated permissions of the token; V(null) if not known.
  returned: always
  type: list
  elements: str
  sample: []
permissions:
  description: By kind, one of O(kinds), what the token allows.
  returned: always
  type: dict
  sample:
    vpp_token:
      reads: "yes"
      syncs: "yes"
      missing: []
      remedy:
    managed_google_play:
      reads: "no"
      syncs: "no"
      missing: [DeviceManagementConfiguration.ReadWrite.All]
      remedy: >-
        Add the application permission DeviceManagementConfiguration.ReadWrite.All of Microsoft Graph to the
        registration of app 6a1e0c1c-0d6f-4c8a-9d0a-3f5b1f2c7a10, and have an administrator of tenant
        8f1c1f4e-6f0e-4a64-8f0a-0a3b9a1d9b11 consent to it at
        https://login.microsoftonline.com/8f1c1f4e-6f0e-4a64-8f0a-0a3b9a1d9b11/adminconsent?client_id=6a1e0c1c-0d6f-4c8a-9d0a-3f5b1f2c7a10.
probes:
  description: By kind, what Graph answered.
  returned: with O(probe), if there is a token
  type: dict
  sample:
    exchange_connector:
      status: 501
      msg: this tenant has no Exchange connector.
      request_id: 9f3a1c0e-6a5e-4f0e-8d9e-0f1c2b3a4d5e
clock_difference:
  description:
    - How many seconds Microsoft's clock is ahead of this host's; V(null) if nobody told. Known with O(probe), and after
      a sign-in that was refused.
  returned: always
  type: int
  sample: 0
connection:
  description: How V(graph) and V(authority), which is Entra ID, are asked. Empty if no way to sign in is complete.
  returned: always
  type: dict
  sample:
    graph:
      host: graph.microsoft.com
      proxy: proxy.contoso.example:8080
      authorities: REQUESTS_CA_BUNDLE /etc/ssl/contoso.pem
certificate:
  description: The certificate of the app, if it can be opened.
  returned: with O(auth_source=certificate)
  type: dict
  sample:
    subject: CN=intune
    thumbprint: 5B1F0A7C2E4D6F8091A2B3C4D5E6F708192A3B4C
    not_before: "2026-01-01T00:00:00Z"
    expires_at: "2027-01-01T00:00:00Z"
    days_left: 35
    key_fits: true
  contains:
    subject:
      description: Its subject.
      type: str
    thumbprint:
      description: Its SHA-1 in hexadecimal, as the app registration shows it.
      type: str
    not_before:
      description: When it begins, in UTC.
      type: str
    expires_at:
      description: When it ends, in UTC.
      type: str
    days_left:
      description: The whole days until then, negative when it is past. There is a warning from 30 days on.
      type: int
    key_fits:
      description: Whether the private key in the file belongs to it.
      type: bool
federated_token:
  description: What the federated token says of itself, if it can be read. Of all but V(lifetime), Entra ID compares it.
  returned: with O(auth_source=oidc)
  type: dict
  sample:
    issuer: https://token.actions.githubusercontent.com
    subject: repo:contoso@1234567/intune@7654321:ref:refs/heads/main
    audience: api://AzureADTokenExchange
    issued_at: "2026-11-27T05:05:11Z"
    expires_at: "2026-11-27T05:10:11Z"
    expires_in: 299
    lifetime: 300
  contains:
    issuer:
      description: Who made it.
      type: str
    subject:
      description: For what it was made, such as a branch of a repository or a service account.
      type: str
    audience:
      description: For whom it is.
      type: str
    issued_at:
      description: When it was made, in UTC.
      type: str
    expires_at:
      description: When it ends, in UTC.
      type: str
    expires_in:
      description: In how many seconds that is, by this host's clock.
      type: int
    lifetime:
      description: How many seconds it lives in all. Entra ID takes no more than 90000.
      type: int
federated_credential:
  description: The federated credential that makes the app accept this token. It can be sent or run as it stands.
  returned: with O(auth_source=oidc), if the token says what it takes
  type: dict
  sample:
    command: az ad app federated-credential create --id 6a1e0c1c-0d6f-4c8a-9d0a-3f5b1f2c7a10 --parameters '...'
    url: https://graph.microsoft.com/v1.0/applications(appId='6a1e0c1c-0d6f-4c8a-9d0a-3f5b1f2c7a10')/federatedIdentityCredentials
    body:
      name: intune-repo-contoso-1234567-intune-7654321-ref-refs-heads-main
      issuer: https://token.actions.githubusercontent.com
      subject: repo:contoso@1234567/intune@7654321:ref:refs/heads/main
      audiences: [api://AzureADTokenExchange]
  contains:
    command:
      description: A command of the Azure CLI that makes it.
      type: str
    url:
      description: Where Graph takes the body in a request C(POST).
      type: str
    body:
      description: It as Graph takes it.
      type: dict
metadata_service:
  description: Whether the service answers that gives tokens to this host.
  returned: with O(auth_source=msi)
  type: dict
  sample:
    host: 169.254.169.254
    reachable: false
cli_account:
  description: Who has signed in to the Azure CLI, if anybody.
  returned: with O(auth_source=cli)
  type: dict
  sample:
    name: 6a1e0c1c-0d6f-4c8a-9d0a-3f5b1f2c7a10
    type: servicePrincipal
    tenant_id: 8f1c1f4e-6f0e-4a64-8f0a-0a3b9a1d9b11
problems:
  description: All that is wrong, and what to do about it, in sentences, the worst first.
  returned: always
  type: list
  elements: str
  sample: []
request_id:
  description: What Microsoft's support asks for after a sign-in that was refused; V(null) if there is none.
  returned: always
  type: str
  sample: 9f3a1c0e-6a5e-4f0e-8d9e-0f1c2b3a4d5e
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.graphops.intune.plugins.module_utils import shell
from ansible_collections.graphops.intune.plugins.module_utils._kinds.registry import KINDS
from ansible_collections.graphops.intune.plugins.module_utils._sync.command import SignInCommand

COMMAND = SignInCommand(KINDS)


class Module(shell.Hiding, AnsibleModule):  # type: ignore[misc]
    """Hides all secrets, of whatever origin."""


def main() -> None:
    """Entry point of the module."""
    module = Module(argument_spec=COMMAND.argument_spec(), supports_check_mode=True)  # type: ignore[no-untyped-call]
    shell.run(module, COMMAND)


if __name__ == "__main__":
    main()
