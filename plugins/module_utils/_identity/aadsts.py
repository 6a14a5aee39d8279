# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""The numbers by which Entra ID tells why it gives no token, and what an administrator does about each."""

from __future__ import annotations

import typing as t

from .._ground.errors import APP, USER

_AS_AN_APP = "sign in as an app"
_MFA = f"the user needs multi-factor authentication, which no unattended run can do: {_AS_AN_APP}"
_DEVICE = f"a Conditional Access policy asks for a device that it knows, which no unattended run has: {_AS_AN_APP}"
_POLICY = {
    USER: (
        "a Conditional Access policy blocks this sign-in: exclude the user or the address of this host, or"
        f" {_AS_AN_APP}"
    ),
    # Policies for workload identities.
    APP: "a Conditional Access policy blocks this sign-in: exclude the app or the address of this host",
}
_RISK = f"Entra ID holds this user at risk: have the risk dismissed or the password changed, or {_AS_AN_APP}"
_APP_RISK = (
    "Entra ID holds this app at risk: see its risky workload identities, and dismiss the risk or replace the secret"
)
_PROMPT = (
    "Entra ID wants to ask the user something, which no unattended run can answer: sign in once in a browser, or"
    f" {_AS_AN_APP}"
)
_STORE_ANEW = "sign in again and store a new refresh_token"
_CONSENT = {
    APP: "grant admin consent for {permission} to the app in this tenant, as an application permission",
    USER: "grant admin consent for {permission} to the app in this tenant, as a delegated permission",
}
_CLOUD = "the tenant is in another national cloud: set cloud_environment"
_CLOCK = "set the clock of the host on which the task runs (NTP)"
_ON_PREMISES = "see that the tenant's authentication agents reach Active Directory, or sign in as an app"
_FEDERATED_SERVER = "see that the federation server of this user's domain is well and trusted, or sign in as an app"
_ISSUER_OUT_OF_REACH = (
    "see that the issuer's discovery document and keys can be read from the internet, or run again later"
)
_TENANT_RESTRICTED = (
    "the network of this host lets only certain tenants through (tenant restrictions): have this one added"
)
_ACCESS_BETWEEN_TENANTS = (
    "have the cross-tenant access settings of both tenants allow this user, or sign in as an app of the tenant"
)
_NOT_IN_TENANT = (
    "check username and tenant: the user is not in this tenant; a guest signs in to the inviting tenant by option"
    " tenant"
)
_NO_FEDERATED_CREDENTIAL = (
    "give the app registration of client_id a federated credential with the issuer, subject and audience of the token"
)
_FEDERATION_FORBIDDEN = (
    "the tenant's policy forbids federated credentials of this issuer: have it allowed, or sign in another way"
)

# AADSTS code -> what to do, where {permission} is what the token is needed for; or what to do by the way of sign-in,
# under its name or under that of an app or a user, with "" for the others. Meanings are those of
# https://learn.microsoft.com/entra/identity-platform/reference-error-codes and https://login.microsoftonline.com/error;
# those of federated credentials those of
# https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations and
# https://learn.microsoft.com/azure/devops/pipelines/release/troubleshoot-workload-identity.
ADVICE: t.Mapping[str, str | t.Mapping[str, str]] = {
    # The app's own proof.
    "7000215": "set secret to the secret's value (not its ID) and check that it belongs to client_id",
    "70002": "set secret to the secret's value (not its ID) and check that it belongs to client_id",
    "7000222": "the secret has expired: make a new one in the app registration",
    "7000218": "give secret or a certificate, or allow public client flows in the app registration",
    "700025": "leave secret out, as the app is a public client, or switch off public client flows in its registration",
    "7000216": "give secret, a certificate or a federated token: the app is no public client",
    "700027": "upload this certificate to the app registration, or check x509_certificate_path and thumbprint",
    "700030": "use a certificate whose subject the app registration allows",
    "50012": {
        "certificate": "check that this certificate is in the app registration, valid and not revoked",
        "": "check the credential and client_id",
    },
    "50013": {
        "password": _FEDERATED_SERVER,
        "": "check that the token or certificate is valid now and belongs to client_id, and the clock of this host",
    },
    "50027": {
        "certificate": "check that this certificate belongs to client_id, and the clock of this host",
        "oidc": "check issuer, subject and audience of the federated token, and that it has not expired",
        "": "check the credential and client_id",
    },
    "50048": "check that the federated token's subject is what its issuer gives to this app",
    # A certificate's proof is made here, ten minutes long; a federated token comes from elsewhere.
    "700024": {
        "certificate": _CLOCK + ": the certificate's proof is not valid at Entra ID's time",
        "oidc": (
            "the federated token has expired or is not valid yet: see that it is renewed, and check the clock of its"
            " issuer"
        ),
        "": _CLOCK,
    },
    "500133": {"oidc": "the federated token has expired: see that it is renewed", "": _CLOCK},
    # Federated credentials.
    "70021": _NO_FEDERATED_CREDENTIAL,
    "70025": _NO_FEDERATED_CREDENTIAL,
    "700211": "give the app registration a federated credential with the issuer of the token, slashes included",
    "700212": "give the app registration a federated credential with the audience of the token",
    "700213": "give the app registration a federated credential with the subject of the token, letter by letter",
    "7002131": (
        "give the app registration a federated credential with the subject of the token, or with an expression that"
        " fits it"
    ),
    "7002137": (
        "take the subject of the app registration's federated credential from the service connection, letter by letter"
    ),
    "7002138": (
        "write the subject of the app registration's federated credential with the same capital letters as the token"
    ),
    "70023": "have the issuer make tokens that are valid for less than a day",
    "700222": "take a token of another issuer: Entra ID's own are not accepted for this app",
    "700229": "take an app's own token as the federated one, not a user's",
    "700236": "take a token of another issuer: Entra ID's own are not accepted for this app",
    "700223": _FEDERATION_FORBIDDEN,
    "700238": _FEDERATION_FORBIDDEN,
    "7002381": "sign in from a repository of the enterprise that the tenant's policy names",
    "70052": "make the app registration a single-tenant one: tokens of Entra ID are not accepted for others",
    "50166": _ISSUER_OUT_OF_REACH,
    "501661": _ISSUER_OUT_OF_REACH,
    "90061": _ISSUER_OUT_OF_REACH,
    # The app in the tenant.
    "700016": "check client_id and tenant: the app is not registered or not consented to in this tenant",
    "700011": "check client_id and tenant: the app is not registered or not consented to in this tenant",
    # az ad app create makes none, other than the portal: openclaw-teams-setup#3.
    "7000229": (
        "the app has no service principal in this tenant: make one by 'az ad sp create --id' and its client_id, or have"
        " an administrator consent to the app"
    ),
    "70001": "check client_id and tenant: the app is not registered, not consented to, or disabled in this tenant",
    "7000112": "the app is disabled: allow sign-ins to it under Enterprise applications in this tenant, or use another",
    "1000031": "the app cannot be used at this time: see its state under Enterprise applications in this tenant",
    "50105": {
        USER: "assign the user to the app under Enterprise applications, or switch off that assignment is required",
        APP: "assign the app to the one it asks for, or switch off that assignment is required for that",
    },
    "501051": (
        "assign the app to Microsoft Graph's enterprise application, or switch off that assignment is required there"
    ),
    "50194": "the app is for one tenant: set tenant, or make the app registration one for many tenants",
    "65001": _CONSENT,
    "65004": _CONSENT,
    "65005": _CONSENT,
    "650056": _CONSENT,
    "650057": _CONSENT,
    "90008": _CONSENT,
    "90093": _CONSENT,
    "90094": _CONSENT,
    "90095": _CONSENT,
    "90099": "have the app authorised in that customer's tenant, by consent or in the Partner Center",
    "65002": "set client_id to an app registration of your own: Microsoft's apps may not use this permission",
    "650052": "the tenant has no subscription with Microsoft Graph or Intune: check tenant and its licences",
    "650054": "remove the permission that no longer exists from the app registration",
    "500011": "check graph_url and cloud_environment: the tenant knows no such Graph",
    "50001": "check graph_url and cloud_environment: the tenant knows no such Graph",
    "70011": "check graph_url: a token is asked for that host",
    "100007": "leave the region out of the environment (MSAL_FORCE_REGION): only Microsoft's own apps may have one",
    # The tenant, and its cloud.
    "90002": "check tenant, and cloud_environment if it is not in the public cloud",
    "90013": "check tenant and client_id",
    "50059": "set tenant",
    "90019": "set tenant",
    "50128": "check tenant: no such domain is known",
    "900021": "check tenant: it is no GUID or domain of one",
    "9001023": "set tenant to the tenant's GUID or one of its domains",
    "90130": "set tenant to the tenant's GUID or one of its domains",
    "90038": _CLOUD,
    "90051": _CLOUD,
    "900382": {"oidc": "sign in in the cloud whose app registration has the federated credential", "": _CLOUD},
    "900432": _CLOUD,
    "900439": _CLOUD,
    "1000104": _CLOUD,
    "50049": "check authority_url and cloud_environment",
    "5000224": "the tenant is being deleted or was blocked: ask its owner or Microsoft's support",
    "5000225": "the tenant was blocked because nobody used it: its administrator can restore it for some days",
    "50002": _TENANT_RESTRICTED,
    "500021": _TENANT_RESTRICTED,
    "500022": _TENANT_RESTRICTED,
    "500212": _ACCESS_BETWEEN_TENANTS,
    "500213": _ACCESS_BETWEEN_TENANTS,
    "50196": "too many of the same sign-ins within a short time: wait some minutes, and let fewer runs sign in at once",
    "90055": "the tenant has too many sign-ins: wait some minutes",
    # Conditional Access and other policies.
    "53003": _POLICY,
    "530032": _POLICY,
    "530031": _POLICY,
    "50131": _POLICY,
    "530035": "the tenant's security defaults block a sign-in by user name and password: " + _AS_AN_APP,
    "53000": _DEVICE,
    "53001": _DEVICE,
    "530003": _DEVICE,
    "50005": _DEVICE,
    "50097": _DEVICE,
    "50129": _DEVICE,
    "50155": _DEVICE,
    "50187": _DEVICE,
    "135011": _DEVICE,
    "53002": "a Conditional Access policy allows approved apps only: " + _AS_AN_APP,
    "53009": "a Conditional Access policy allows approved apps only: " + _AS_AN_APP,
    "50158": _MFA,
    "50161": _MFA,
    "50177": _MFA,
    "53004": _MFA,
    "53010": _MFA,
    "50072": _MFA,
    "50074": _MFA,
    "50076": _MFA,
    "50078": _MFA,
    "50079": _MFA,
    "90072": _MFA,
    "500121": _MFA,
    "53011": {USER: _RISK, APP: _APP_RISK},
    "530034": {USER: _RISK, APP: _APP_RISK},
    "50135": _RISK,
    "70043": (
        "a Conditional Access policy limits how long a sign-in lasts (sign-in frequency): sign in again and store the"
        " new refresh_token, or sign in as an app"
    ),
    # The user.
    "50034": _NOT_IN_TENANT,
    "51004": _NOT_IN_TENANT,
    "16000": _NOT_IN_TENANT,
    "16003": _NOT_IN_TENANT,
    "50020": _NOT_IN_TENANT,
    "500208": _NOT_IN_TENANT,
    "50197": _NOT_IN_TENANT,
    "90125": "check username: there is no such user",
    "90126": "check username, or set tenant: it says nothing of a tenant",
    "50014": "the guest has not accepted the invitation: have it accepted, or sign in as an app",
    "90084": "guests are not allowed here: sign in as a member of the tenant, or as an app",
    "50126": "check username and password",
    "50056": "the user has no password in Entra ID: set one, or sign in as an app",
    "50064": "check username and password",
    "50053": (
        "the account is locked, or this host's address is blocked: see the failure reason in Entra ID's sign-in logs,"
        " and wait or unlock it"
    ),
    "50055": "the password has expired: set a new one",
    "50144": "the password has expired in Active Directory: set a new one",
    "50057": "the account is disabled: enable it, or sign in as another",
    "50125": _PROMPT,
    "50140": _PROMPT,
    "50199": _PROMPT,
    "50127": _PROMPT,
    "700020": _PROMPT,
    "50058": _PROMPT,
    "80012": "the user may not sign in at this hour: have the logon hours changed, or sign in as an app",
    "80013": "set the clocks of the authentication agents and of Active Directory",
    "80001": _ON_PREMISES,
    "80002": _ON_PREMISES,
    "80005": _ON_PREMISES,
    "80007": _ON_PREMISES,
    "80010": _ON_PREMISES,
    "80014": _ON_PREMISES,
    # The user's federation server.
    "20001": _FEDERATED_SERVER,
    "20012": _FEDERATED_SERVER,
    "20033": _FEDERATED_SERVER,
    "40008": _FEDERATED_SERVER,
    "40010": _FEDERATED_SERVER,
    "50006": _FEDERATED_SERVER,
    "50008": _FEDERATED_SERVER,
    "50107": _FEDERATED_SERVER,
    "90020": _FEDERATED_SERVER,
    "90123": _FEDERATED_SERVER,
    "5000819": _FEDERATED_SERVER,
    # A refresh token.
    "70000": _STORE_ANEW,
    "70008": "the refresh token has expired: sign in again and store the new one",
    "700082": "the refresh token has expired: sign in again and store the new one",
    "700084": "a refresh token of a single page app lasts a day: take one of an app of another kind",
    "700003": "the device on which the refresh token was got is gone: " + _STORE_ANEW,
    "50089": _STORE_ANEW,
    "50132": "the password was changed: " + _STORE_ANEW,
    "50133": "the password was changed: " + _STORE_ANEW,
    "50173": "the user's tokens were revoked: " + _STORE_ANEW,
    "9002313": "check that the credential is whole: "
    + _STORE_ANEW.replace("sign in", "if it is a refresh token, sign in"),
}

# What Entra ID says of the token of another issuer, whose claims then tell more than the number.
OF_TOKEN = frozenset(
    (
        *(
            "50013",
            "50027",
            "50048",
            "50166",
            "501661",
            "70021",
            "70023",
            "70025",
            "70052",
            "90061",
            "500133",
            "700024",
        ),
        *("700211", "700212", "700213", "700222", "700223", "700229", "700236", "700238", "900382"),
        *("7002131", "7002137", "7002138", "7002381"),
    )
)
# Those that also mean a federated credential that was just made and is not known everywhere yet.
# https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations
MAY_BE_NEW = frozenset(("70021", "70025", "700211", "700212", "700213", "7002131", "7002137", "7002138"))
# Those that an administrator of the tenant ends by consenting to the app.
WANTS_CONSENT = frozenset(("65001", "65004", "65005", "650056", "700011", "700016", "7000229", "90094", "90099"))
