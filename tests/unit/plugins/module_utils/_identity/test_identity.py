# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which identity is chosen, and what makes it another one."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._ground.errors import OptionError
from ansible_collections.graphops.intune.plugins.module_utils._identity import identity

Options = dict[str, t.Any]

TENANT = {"tenant": "contoso.example", "client_id": "app"}
TENANT_ENV = {"AZURE_TENANT_ID": "env.example", "AZURE_CLIENT_ID": "env-app"}
# What AWX's credential type azure_rm injects, for an app and for a user.
AWX_APP = {
    "AZURE_CLIENT_ID": "env-app",
    "AZURE_SECRET": "env-secret",
    "AZURE_TENANT": "env.example",
    "AZURE_SUBSCRIPTION_ID": "s",
}
AWX_USER = {"AZURE_AD_USER": "admin@contoso.example", "AZURE_PASSWORD": "env-password", "AZURE_SUBSCRIPTION_ID": "s"}
EMPTY = dict.fromkeys(
    ("AZURE_CLIENT_ID", "AZURE_SECRET", "AZURE_TENANT", "MSGRAPH_ACCESS_TOKEN", "MSGRAPH_REFRESH_TOKEN"), ""
)
GRAPH_CLI = "14d82eec-204b-4c2f-b7e8-296a70dab67e"


@pytest.mark.parametrize(
    ("options", "environ", "way", "tenant", "client_id"),
    [
        # Each way by options.
        ({"access_token": "t"}, {}, "access_token", "", ""),
        ({**TENANT, "secret": "s"}, {}, "client_secret", "contoso.example", "app"),
        ({**TENANT, "x509_certificate_path": "/c"}, {}, "certificate", "contoso.example", "app"),
        ({**TENANT, "oidc_token": "t"}, {}, "oidc", "contoso.example", "app"),
        ({**TENANT, "oidc_token_file_path": "/t"}, {}, "oidc", "contoso.example", "app"),
        ({**TENANT, "refresh_token": "r"}, {}, "refresh_token", "contoso.example", "app"),
        ({"username": "u", "password": "p"}, {}, "password", "organizations", GRAPH_CLI),
        ({**TENANT, "username": "u", "password": "p"}, {}, "password", "contoso.example", "app"),
        # Each way by the environment, in both spellings.
        ({}, {"MSGRAPH_ACCESS_TOKEN": "t"}, "access_token", "", ""),
        ({}, AWX_APP, "client_secret", "env.example", "env-app"),
        ({}, {**TENANT_ENV, "AZURE_CLIENT_SECRET": "s"}, "client_secret", "env.example", "env-app"),
        ({}, {**TENANT_ENV, "AZURE_X509_CERTIFICATE_PATH": "/c"}, "certificate", "env.example", "env-app"),
        ({}, {**TENANT_ENV, "AZURE_CLIENT_CERTIFICATE_PATH": "/c"}, "certificate", "env.example", "env-app"),
        ({}, {**TENANT_ENV, "AZURE_FEDERATED_TOKEN": "t"}, "oidc", "env.example", "env-app"),
        ({}, {**TENANT_ENV, "AZURE_FEDERATED_TOKEN_FILE": "/t"}, "oidc", "env.example", "env-app"),
        ({}, {**TENANT_ENV, "MSGRAPH_REFRESH_TOKEN": "r"}, "refresh_token", "env.example", "env-app"),
        ({}, AWX_USER, "password", "organizations", GRAPH_CLI),
        ({}, {"AZURE_USERNAME": "u", "AZURE_PASSWORD": "p"}, "password", "organizations", GRAPH_CLI),
        ({}, {**EMPTY, **AWX_USER}, "password", "organizations", GRAPH_CLI),
        ({"tenant": "contoso.example"}, {**EMPTY, **AWX_USER}, "password", "contoso.example", GRAPH_CLI),
        # The order among those that are complete.
        ({**TENANT, "access_token": "t", "secret": "s"}, {}, "access_token", "contoso.example", "app"),
        ({**TENANT, "secret": "s", "x509_certificate_path": "/c"}, {}, "client_secret", "contoso.example", "app"),
        ({**TENANT, "x509_certificate_path": "/c", "oidc_token": "t"}, {}, "certificate", "contoso.example", "app"),
        ({**TENANT, "oidc_token": "t", "refresh_token": "r"}, {}, "oidc", "contoso.example", "app"),
        (
            {**TENANT, "refresh_token": "r", "username": "u", "password": "p"},
            {},
            "refresh_token",
            "contoso.example",
            "app",
        ),
        ({}, {**AWX_APP, **AWX_USER}, "client_secret", "env.example", "env-app"),
        # A secret beside a refresh token is the proof of the app that has it.
        ({**TENANT, "secret": "s", "refresh_token": "r"}, {}, "refresh_token", "contoso.example", "app"),
        ({}, {**AWX_APP, "MSGRAPH_REFRESH_TOKEN": "r"}, "refresh_token", "env.example", "env-app"),
        ({"secret": "s"}, {**AWX_APP, "MSGRAPH_REFRESH_TOKEN": "r"}, "client_secret", "env.example", "env-app"),
        ({**TENANT, "refresh_token": "r"}, {"AZURE_SECRET": "s"}, "refresh_token", "contoso.example", "app"),
        # A proof by options wins over one by the environment; what it belongs to may come from there.
        ({"username": "u", "password": "p"}, AWX_APP, "password", "env.example", "env-app"),
        ({"refresh_token": "r"}, {**AWX_APP, "MSGRAPH_ACCESS_TOKEN": "t"}, "refresh_token", "env.example", "env-app"),
        ({"secret": "s"}, {**TENANT_ENV, "MSGRAPH_ACCESS_TOKEN": "t"}, "client_secret", "env.example", "env-app"),
        ({"client_id": "app", "secret": "s"}, AWX_APP, "client_secret", "env.example", "app"),
        ({"tenant": "contoso.example"}, AWX_APP, "client_secret", "contoso.example", "env-app"),
        ({"secret": "", "username": "u", "password": "p"}, EMPTY, "password", "organizations", GRAPH_CLI),
        ({"oidc_token": "t"}, {**AWX_APP, "AZURE_FEDERATED_TOKEN_FILE": "/t"}, "oidc", "env.example", "env-app"),
        ({"oidc_token_file_path": "/t"}, {**AWX_APP, "AZURE_FEDERATED_TOKEN": "t"}, "oidc", "env.example", "env-app"),
        # A proof of which but half is an option is one of the environment.
        ({"username": "u"}, {**AWX_APP, **AWX_USER}, "client_secret", "env.example", "env-app"),
        # auth_source decides.
        ({"auth_source": "password"}, {**AWX_APP, **AWX_USER}, "password", "env.example", "env-app"),
        ({"auth_source": "msi"}, AWX_APP, "msi", "env.example", "env-app"),
        ({"auth_source": "msi", **TENANT, "secret": "s"}, {}, "msi", "contoso.example", "app"),
        ({"auth_source": "cli", **TENANT, "secret": "s"}, {}, "cli", "contoso.example", "app"),
        ({"auth_source": "client_secret", **TENANT, "secret": "s", "access_token": "t"}, {}, "client_secret",
         "contoso.example", "app"),
        # Without any proof: a managed identity where one is announced, then the Azure CLI.
        ({}, {"IDENTITY_ENDPOINT": "http://localhost/msi"}, "msi", "", ""),
        ({}, {"MSI_ENDPOINT": "http://localhost/msi"}, "msi", "", ""),
        ({"client_id": "app"}, {"IDENTITY_ENDPOINT": "http://localhost/msi"}, "msi", "", "app"),
        ({}, {"IDENTITY_ENDPOINT": ""}, "cli", "", ""),
        ({}, EMPTY, "cli", "", ""),
        ({"tenant": "contoso.example"}, {}, "cli", "contoso.example", ""),
        # Users have a tenant of their own, apps do not.
        ({"tenant": "organizations", "username": "u", "password": "p"}, {}, "password", "organizations", GRAPH_CLI),
        ({"tenant": "common", "client_id": "app", "refresh_token": "r"}, {}, "refresh_token", "common", "app"),
    ],
)  # fmt: skip
def test_the_identity_that_is_chosen(
    options: Options, environ: dict[str, str], way: str, tenant: str, client_id: str, choose: t.Any
) -> None:
    who = choose(options, environ)
    assert (who.method.source, who.tenant, who.client_id) == (way, tenant, client_id)


EVERY_WAY = (
    "give one of these as options or by their variables (AZURE_..., MSGRAPH_ACCESS_TOKEN, MSGRAPH_REFRESH_TOKEN):"
    " access_token; tenant, client_id and secret; tenant,"
    " client_id and x509_certificate_path; tenant, client_id and oidc_token or oidc_token_file_path; tenant, client_id"
    " and refresh_token; username and password; or set auth_source to msi for a managed identity, to oidc in a job of"
    " GitHub Actions or Azure DevOps, or to cli after 'az login'."
)


@pytest.mark.parametrize(
    ("options", "environ", "sentence"),
    [
        # Managed identity and CLI are there in all of these, and must not be taken.
        ({"secret": "s"}, {}, f"the identity is incomplete: secret is given without tenant and client_id; {EVERY_WAY}"),
        (
            {},
            {"AZURE_SECRET": "s", "AZURE_TENANT": "env.example"},
            f"the identity is incomplete: AZURE_SECRET is given without client_id; {EVERY_WAY}",
        ),
        (
            {},
            {"AZURE_PASSWORD": "p", "AZURE_AD_USER": ""},
            f"the identity is incomplete: AZURE_PASSWORD is given without username; {EVERY_WAY}",
        ),
        ({"username": "u"}, {}, f"the identity is incomplete: username is given without password; {EVERY_WAY}"),
        (
            {},
            {"AZURE_FEDERATED_TOKEN_FILE": "/t", "AZURE_CLIENT_ID": "app"},
            f"the identity is incomplete: AZURE_FEDERATED_TOKEN_FILE is given without tenant; {EVERY_WAY}",
        ),
        (
            {"auth_source": "client_secret"},
            {"AZURE_CLIENT_ID": "app"},
            "auth_source is client_secret, but secret and tenant are not given; give secret (or AZURE_SECRET or"
            " AZURE_CLIENT_SECRET) and tenant (or AZURE_TENANT or AZURE_TENANT_ID).",
        ),
        (
            {"auth_source": "oidc", **TENANT},
            {},
            "auth_source is oidc, but oidc_token or oidc_token_file_path is not given; give oidc_token or"
            " oidc_token_file_path (or AZURE_FEDERATED_TOKEN or AZURE_FEDERATED_TOKEN_FILE).",
        ),
        (
            {"auth_source": "access_token", **TENANT, "secret": "s"},
            {},
            "auth_source is access_token, but access_token is not given; give access_token (or MSGRAPH_ACCESS_TOKEN).",
        ),
        (
            {"tenant": "common", "client_id": "app", "secret": "s"},
            {},
            "tenant is common, but an app signs in to one tenant; give the tenant's GUID or one of its domains.",
        ),
        (
            {},
            {**AWX_APP, "AZURE_TENANT": "Organizations"},
            "AZURE_TENANT is Organizations, but an app signs in to one tenant; give the tenant's GUID or one of its"
            " domains.",
        ),
        (
            {"tenant": "consumers", "client_id": "app", "oidc_token": "t"},
            {},
            "tenant is consumers, but an app signs in to one tenant; give the tenant's GUID or one of its domains.",
        ),
        *(
            (
                {"tenant": tenant, "client_id": "app", "secret": "s"},
                {},
                f"tenant is {tenant!r}; give the tenant's GUID or one of its domains.",
            )
            for tenant in ("a/b", "..", ".a", "a.", "a b", "a\nb", "https://x", "a?b", "ü.example", "-")
        ),
        (
            {"access_token": "Bearer x"},
            {},
            "access_token has characters that no token has; give the bare token, without 'Bearer'.",
        ),
        (
            {},
            {"MSGRAPH_ACCESS_TOKEN": "x\r\ny"},
            "MSGRAPH_ACCESS_TOKEN has characters that no token has; give the bare token, without 'Bearer'.",
        ),
        # As of a variable in Latin-1.
        *(
            ({**TENANT, option: "p\udce4ss", **more}, {}, f"{option} is no text in UTF-8; write it anew, in UTF-8.")
            for option, more in (
                ("secret", {}),
                ("refresh_token", {}),
                ("oidc_token", {}),
                ("password", {"username": "u"}),
                ("username", {"password": "p"}),
                ("x509_certificate_password", {"x509_certificate_path": "/x"}),
            )
        ),
        (TENANT, {"AZURE_SECRET": "p\udce4ss"}, "AZURE_SECRET is no text in UTF-8; write it anew, in UTF-8."),
    ],
)
def test_an_identity_that_cannot_be_right(
    options: Options, environ: dict[str, str], sentence: str, choose: t.Any
) -> None:
    with pytest.raises(OptionError) as caught:
        choose(options, {**environ, "IDENTITY_ENDPOINT": "http://localhost/msi"})
    assert caught.value.sentence() == sentence


@pytest.mark.parametrize(
    ("options", "environ", "known"),
    [
        ({}, {}, ""),
        ({}, EMPTY, ""),
        ({"tenant": "a"}, {}, " (tenant alone does not suffice)"),
        ({}, TENANT_ENV, " (AZURE_TENANT_ID and AZURE_CLIENT_ID alone do not suffice)"),
        ({"thumbprint": "a"}, TENANT_ENV, " (AZURE_TENANT_ID, AZURE_CLIENT_ID and thumbprint alone do not suffice)"),
    ],
)
def test_no_identity_at_all(options: Options, environ: dict[str, str], known: str, choose: t.Any) -> None:
    with pytest.raises(OptionError) as caught:
        choose(options, environ, has_cli=False)
    assert caught.value.sentence() == f"no identity to sign in with is given{known}; {EVERY_WAY}"


@pytest.mark.parametrize(
    ("options", "environ", "secret"),
    [
        ({**TENANT, "secret": "s", "username": "u", "password": "p"}, {}, "s"),
        ({"username": "u", "password": "p"}, AWX_APP, AWX_APP["AZURE_SECRET"]),
        ({"client_id": "app", "username": "u", "password": "p"}, {**AWX_APP, "AZURE_CLIENT_ID": ""}, "env-secret"),
        ({"client_id": "env-app", "username": "u", "password": "p"}, AWX_APP, "env-secret"),
        # The environment's secret is none of another app that an option names, nor of the one that is taken by default.
        ({"client_id": "app", "username": "u", "password": "p"}, AWX_APP, ""),
        ({"username": "u", "password": "p"}, {**AWX_APP, "AZURE_CLIENT_ID": ""}, ""),
    ],
)
def test_a_secret_goes_along_with_a_user_only_for_the_app_it_belongs_to(
    options: Options, environ: dict[str, str], secret: str, choose: t.Any
) -> None:
    who = choose({"auth_source": "password", **options}, environ)
    assert who.values["secret"] == secret


@pytest.mark.parametrize(
    ("options", "action"),
    [
        ({**TENANT, "secret": "s"}, "sign-in as client app with the app's secret"),
        ({"auth_source": "msi"}, "sign-in with the managed identity of this host"),
        (
            {"username": "u", "password": "p"},
            f"sign-in as client {GRAPH_CLI} with user name and password",
        ),
    ],
)
def test_the_sign_in_in_words(options: Options, action: str, choose: t.Any) -> None:
    assert choose(options, {}).action == action


@pytest.mark.parametrize(
    ("options", "environ"),
    [
        ({**TENANT, "secret": "other"}, {}),
        ({**TENANT, "tenant": "fabrikam.example", "secret": "s"}, {}),
        ({**TENANT, "secret": "s", "graph_url": "https://graph.microsoft.us"}, {}),
        ({**TENANT, "secret": "s", "cloud_environment": "AzureUSGovernment"}, {}),
        ({**TENANT, "oidc_token": "s"}, {}),
        ({**TENANT, "x509_certificate_path": "/c", "thumbprint": "t"}, {}),
        ({**TENANT, "x509_certificate_path": "/c"}, {"AZURE_THUMBPRINT": "t"}),
        ({"auth_source": "msi"}, {}),
        ({"auth_source": "msi"}, {"IDENTITY_ENDPOINT": "http://localhost/one"}),
        ({"auth_source": "cli"}, {}),
        ({"auth_source": "cli"}, {"AZURE_CONFIG_DIR": "/of/another"}),
    ],
)
def test_what_makes_another_identity(options: Options, environ: dict[str, str]) -> None:
    one = identity.read_identity({**TENANT, "secret": "s"}, {})
    other = identity.read_identity(options, environ)
    assert one.key != other.key
    assert len({one.key, other.key, identity.read_identity(options, dict(environ)).key}) == 2
    assert other.key[0] == other.method.source


def test_the_same_identity_from_elsewhere_is_the_same() -> None:
    given = identity.read_identity({**TENANT, "secret": "s"}, {"IDENTITY_ENDPOINT": "http://localhost/msi"})
    named = {"AZURE_TENANT": "contoso.example", "AZURE_CLIENT_ID": "app"}
    assert identity.read_identity({}, {"AZURE_SECRET": "s"}, named).key == given.key


def test_hosts_are_read_before_the_identity() -> None:
    with pytest.raises(OptionError, match="AZURE_CLOUD_ENVIRONMENT is 'Moon'"):
        identity.read_identity({"secret": "s"}, {}, {"AZURE_CLOUD_ENVIRONMENT": "Moon"})
    with pytest.raises(OptionError, match="the identity is incomplete"):
        identity.read_identity({"secret": "s", "graph_url": "https://graph.example"}, {})


def test_secrets_are_all_that_must_not_be_shown_used_or_not() -> None:
    options = {"secret": "1", "password": "2", "tenant": "contoso.example", "refresh_token": "", "access_token": None}
    environ = {
        "AZURE_SECRET": "3",
        "AZURE_CLIENT_SECRET": "4",
        "AZURE_FEDERATED_TOKEN": "5",
        "AZURE_CLIENT_CERTIFICATE_PASSWORD": "6",
        # What is around them is none of them, and is not quoted by who quotes them.
        "MSGRAPH_REFRESH_TOKEN": "7\n",
        "MSGRAPH_ACCESS_TOKEN": "",
        "AZURE_FEDERATED_TOKEN_FILE": "/t",
        "AZURE_CLIENT_ID": "app",
        "AZURE_AD_USER": "u",
    }
    assert identity.secrets(options, environ) == set("1234567")


@pytest.mark.parametrize(
    ("options", "environ", "outside"),
    [
        ({**TENANT, "secret": "s"}, {}, ""),
        (TENANT, {"AZURE_SECRET": "s"}, "AZURE_SECRET"),
        ({"secret": "s"}, {"AZURE_TENANT": "t.example", "AZURE_CLIENT_ID": "app", "AZURE_SECRET": "other"}, ""),
        ({"username": "u", "allow_environment_credential": True}, {"AZURE_PASSWORD": "p"}, "AZURE_PASSWORD"),
        ({"username": "u", "password": "p"}, {}, ""),
        ({"username": "u", "password": "p"}, TENANT_ENV, ""),
        ({"username": "u", "password": "p"}, {**TENANT_ENV, "AZURE_SECRET": "s"}, "AZURE_SECRET"),
        ({**TENANT, "refresh_token": "r"}, {"AZURE_SECRET": "s"}, "AZURE_SECRET"),
        ({**TENANT, "refresh_token": "r"}, {"AZURE_SECRET": "s", "AZURE_CLIENT_ID": "another"}, ""),
        ({"access_token": "a"}, {}, ""),
        ({}, {"MSGRAPH_ACCESS_TOKEN": "a"}, "MSGRAPH_ACCESS_TOKEN"),
        ({**TENANT, "oidc_token": "o"}, {}, ""),
        ({**TENANT, "oidc_token": "o"}, {"AZURE_FEDERATED_TOKEN_FILE": "/f"}, ""),
        ({**TENANT, "oidc_token_file_path": "/f"}, {}, "oidc_token_file_path"),
        (TENANT, {"AZURE_FEDERATED_TOKEN_FILE": "/f"}, "AZURE_FEDERATED_TOKEN_FILE"),
        (TENANT, {"AZURE_FEDERATED_TOKEN": "o", "AZURE_FEDERATED_TOKEN_FILE": "/f"}, "AZURE_FEDERATED_TOKEN"),
        ({**TENANT, "x509_certificate_path": "/c"}, {}, ""),
        (TENANT, {"AZURE_X509_CERTIFICATE_PATH": "/c"}, "AZURE_X509_CERTIFICATE_PATH"),
        ({"auth_source": "msi"}, {}, "the managed identity of this host"),
        ({"auth_source": "cli"}, {}, "the Azure CLI"),
    ],
)
def test_where_a_credential_comes_from(
    options: dict[str, str], environ: dict[str, str], outside: str, choose: t.Any
) -> None:
    assert choose(options, environ).from_farther_than(0) == outside
