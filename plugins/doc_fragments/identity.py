# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that say who signs in, and where."""

from __future__ import annotations


class ModuleDocFragment:
    """Found by Ansible under this name."""

    DOCUMENTATION = r"""
options:
  auth_source:
    description:
      - Which way to sign in.
      - V(auto) takes the first of the following that is complete, in this order - V(access_token), V(client_secret),
        V(certificate), V(oidc), V(refresh_token), V(password). Those whose proof (the token, secret, certificate or
        password) is given by options come before those whose proof is in the environment. O(tenant) and O(client_id)
        may come from either, the option winning. A O(secret) beside a O(refresh_token) from the same place is that
        app's proof, so V(refresh_token) is taken then.
      - If there is no such proof at all, V(auto) takes V(msi) where E(IDENTITY_ENDPOINT) or E(MSI_ENDPOINT) announces a
        managed identity, then V(cli) if somebody has signed in to the program C(az), then V(oidc) where O(tenant) and
        O(client_id) are given and the runner of this job gives a token for them, and then V(cli) if C(az) is installed.
      - V(access_token) uses O(access_token) as it is.
      - V(client_secret) needs O(tenant), O(client_id) and O(secret).
      - V(certificate) needs O(tenant), O(client_id) and O(x509_certificate_path).
      - V(oidc) needs O(tenant), O(client_id), and O(oidc_token) or O(oidc_token_file_path). Where neither is given, the
        runner of a job of GitHub Actions or Azure DevOps is asked for a token, anew for each sign-in.
      - >-
        To ask it, a job of GitHub Actions needs C(permissions: id-token: write), which sets
        E(ACTIONS_ID_TOKEN_REQUEST_URL) and E(ACTIONS_ID_TOKEN_REQUEST_TOKEN). A job of Azure DevOps needs
        O(service_connection_id), and E(SYSTEM_ACCESSTOKEN) mapped to C(System.AccessToken) beside its own
        E(SYSTEM_OIDCREQUESTURI).
      - V(refresh_token) needs O(tenant), O(client_id) and O(refresh_token).
      - V(password) needs O(username) and O(password). It works only for users without multi-factor authentication, and
        Microsoft advises against it.
      - V(msi) uses the managed identity of the host on which the module runs, the user-assigned one with
        O(client_id) if that is set.
      - V(cli) asks the Azure CLI on the host on which the module runs for a token. Only a CLI that has signed in as
        an app (C(az login --service-principal)) can get the permission that a synchronisation needs.
      - In every option of the identity but O(allow_environment_credential), an empty string counts as not given, and
        ends of lines around a value do not count.
    type: str
    default: auto
    choices: [auto, access_token, client_secret, certificate, oidc, refresh_token, password, msi, cli]
  tenant:
    description:
      - The Entra ID tenant, by its GUID or one of its domains.
      - If not set, the value of E(AZURE_TENANT) or E(AZURE_TENANT_ID) is used. With O(auth_source=password) it may
        be left out, the user's own tenant is used then.
    type: str
    aliases: [tenant_id]
  client_id:
    description:
      - The application (client) ID of the app registration, or of the user-assigned managed identity.
      - If not set, the value of E(AZURE_CLIENT_ID) is used. With O(auth_source=password) it may be left out,
        Microsoft's own app C(Microsoft Graph Command Line Tools) is used then.
    type: str
  secret:
    description:
      - The client secret of the app registration.
      - If not set, the value of E(AZURE_SECRET) or E(AZURE_CLIENT_SECRET) is used.
      - A confidential app may use it together with O(refresh_token), too, or with O(username) and O(password) and
        O(auth_source=password). One from the environment is used with an app that O(client_id) names unless the
        environment names another app.
    type: str
    aliases: [client_secret]
  x509_certificate_path:
    description:
      - A file on the host on which the module runs that holds the app's certificate and its RSA private key, in PEM or
        PKCS#12 (PFX), the latter as it is or in base64.
      - If not set, the value of E(AZURE_X509_CERTIFICATE_PATH) or E(AZURE_CLIENT_CERTIFICATE_PATH) is used.
    type: path
  x509_certificate_password:
    description:
      - The password of the private key or of the PFX file.
      - If not set, the value of E(AZURE_X509_CERTIFICATE_PASSWORD) or E(AZURE_CLIENT_CERTIFICATE_PASSWORD) is used -
        for a file that an option names, if it opens it.
    type: str
  thumbprint:
    description:
      - The SHA-1 thumbprint of the certificate in hexadecimal, if the file holds only the key.
      - If not set, the value of E(AZURE_THUMBPRINT) is used - for a file that an option names, if it fits. Without any,
        the SHA-256 of the certificate in the file is used, which Microsoft recommends (with msal before 1.35, its
        SHA-1).
    type: str
  oidc_token:
    description:
      - A token of another identity provider that the app registration trusts (workload identity federation).
      - If not set, the value of E(AZURE_FEDERATED_TOKEN) is used.
    type: str
  oidc_token_file_path:
    description:
      - A file with such a token, on the host on which the module runs. It is read for every sign-in.
      - If not set, the value of E(AZURE_FEDERATED_TOKEN_FILE) is used.
    type: path
  oidc_audience:
    description:
      - Who is to accept the token that the runner of a job of GitHub Actions is asked for. Azure DevOps decides that by
        itself.
      - If not set, it is what Entra ID wants, V(api://AzureADTokenExchange), V(api://AzureADTokenExchangeUSGov) in the
        clouds of the US government, and V(api://AzureADTokenExchangeChina) in AzureChinaCloud.
    type: str
    version_added: 1.1.0
  service_connection_id:
    description:
      - The GUID of the service connection whose token the runner of a job of Azure DevOps is asked for (C(resourceId)
        in the address of its page). It must be an input of some task in the stage that asks.
      - If not set, the value of E(AZURESUBSCRIPTION_SERVICE_CONNECTION_ID) is used, which the task C(AzureCLI@2) sets.
    type: str
    version_added: 1.1.0
  username:
    description:
      - The name of a user, such as V(admin@contoso.example).
      - If not set, the value of E(AZURE_AD_USER) or E(AZURE_USERNAME) is used.
    type: str
    aliases: [ad_user]
  password:
    description:
      - The password of this user.
      - If not set, the value of E(AZURE_PASSWORD) is used, but not with a O(username) that is given as an option,
        unless O(allow_environment_credential) is set. A user's domain may have the password sent to a server of its
        own.
    type: str
  refresh_token:
    description:
      - A refresh token of a user, issued for O(client_id).
      - Entra ID gives a new one at each use, which is not kept; the given one works until it expires, usually for 90
        days.
      - If not set, the value of E(MSGRAPH_REFRESH_TOKEN) is used.
    type: str
  access_token:
    description:
      - A ready bearer token for Graph, without the word Bearer. No sign-in takes place.
      - If not set, the value of E(MSGRAPH_ACCESS_TOKEN) is used.
    type: str
  cloud_environment:
    description:
      - The national cloud that the tenant is in.
      - If not set, the value of E(AZURE_CLOUD_ENVIRONMENT) is used, and without that V(AzureCloud), the public one.
      - If set, a variable that names a host of another cloud does not count.
    type: str
    choices: [AzureCloud, AzureUSGovernment, AzureUSGovernmentDoD, AzureChinaCloud]
  graph_url:
    description:
      - The address of Graph, as V(https://host), if it is not the one of O(cloud_environment). Tokens are asked for
        this host, and sent to no other.
      - If not set, the value of E(MSGRAPH_URL) is used.
    type: str
  authority_url:
    description:
      - The address of Entra ID, as V(https://host), if it is not the one of O(cloud_environment).
      - If not set, the value of E(AZURE_AUTHORITY_HOST) is used.
    type: str
  allow_environment_credential:
    description:
      - Whether a credential that is not itself an option (from an environment variable, a managed identity, the Azure
        CLI, the runner of a job, or a file with a federated token) may be used with a host that O(graph_url) or
        O(authority_url) names and that is none of Microsoft's.
      - With V(false), people who may write options, for instance in an inventory, cannot send a credential that others
        have put into the environment, such as one of AWX, to a host of their choice.
      - Hosts that the environment of the run names are trusted with it, also if an option repeats them. What the
        C(environment) of a task, block or play names is trusted with what it gives itself, as it may come from an
        inventory; a credential from elsewhere needs this option there, too.
    type: bool
    default: false
requirements:
  - python >= 3.9
  - msal >= 1.32.0
  - requests >= 2.32.3
"""
