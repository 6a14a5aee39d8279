# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which identity is chosen, and how a token is got for it: with the real msal, over a transport that is not real."""

from __future__ import annotations

import base64
import json
import os
import threading
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._ground import error_bodies, errors
from ansible_collections.graphops.intune.plugins.module_utils._ground.clouds import Endpoints
from ansible_collections.graphops.intune.plugins.module_utils._ground.errors import OptionError, SignInError
from ansible_collections.graphops.intune.plugins.module_utils._http import connections, response, transport
from ansible_collections.graphops.intune.plugins.module_utils._identity import (
    identity,
    method_certificate,
    msal_app,
    msal_http,
    tokens,
)
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12

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
HOSTS = Endpoints("https://graph.example", "https://login.example:8443")
PERMISSION = "DeviceManagementServiceConfig.Read.All"
GRAPH_CLI = "14d82eec-204b-4c2f-b7e8-296a70dab67e"


def choose(options: Options, environ: dict[str, str], *, has_cli: bool = True) -> identity.Identity:
    return identity.read_identity(options, environ, has_cli=lambda _environ: has_cli)._replace(hosts=HOSTS)


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
    options: Options, environ: dict[str, str], way: str, tenant: str, client_id: str
) -> None:
    who = choose(options, environ)
    assert (who.method.source, who.tenant, who.client_id) == (way, tenant, client_id)


EVERY_WAY = (
    "give one of these as options or by their variables (AZURE_..., MSGRAPH_ACCESS_TOKEN, MSGRAPH_REFRESH_TOKEN):"
    " access_token; tenant, client_id and secret; tenant,"
    " client_id and x509_certificate_path; tenant, client_id and oidc_token or oidc_token_file_path; tenant, client_id"
    " and refresh_token; username and password; or set auth_source to msi for a managed identity, or to cli after"
    " 'az login'."
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
def test_an_identity_that_cannot_be_right(options: Options, environ: dict[str, str], sentence: str) -> None:
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
def test_no_identity_at_all(options: Options, environ: dict[str, str], known: str) -> None:
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
    options: Options, environ: dict[str, str], secret: str
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
def test_the_sign_in_in_words(options: Options, action: str) -> None:
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


# Certificates


class Files(t.NamedTuple):
    """A key pair of an app, another one, the issuer's, and the folder for files."""

    own: t.Any
    other: t.Any
    issuer: t.Any
    folder: Path

    def write(self, *parts: bytes) -> str:
        path = self.folder / "certificate"
        path.write_bytes(b"".join(parts))
        return str(path)


@pytest.fixture(scope="module")
def pairs(key_pair: t.Any) -> tuple[t.Any, ...]:
    issuer = key_pair("authority")
    return key_pair("app", issuer=issuer), key_pair("other"), issuer


@pytest.fixture
def files(pairs: tuple[t.Any, ...], tmp_path: Path) -> Files:
    return Files(*pairs, tmp_path)


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
def test_where_a_credential_comes_from(options: dict[str, str], environ: dict[str, str], outside: str) -> None:
    assert choose(options, environ).from_farther_than(0) == outside


def test_the_password_of_the_environment_is_that_of_its_own_user() -> None:
    with pytest.raises(OptionError) as caught:
        choose({"username": "u@evil.example"}, AWX_USER)
    assert caught.value.sentence() == (
        "username is given as an option, but the password is that of the environment (AZURE_PASSWORD); give the"
        " password as an option too, or set allow_environment_credential to true if the server of this user's domain"
        " may have it."
    )
    assert choose({}, AWX_USER).values["password"] == "env-password"
    assert choose({"username": "u", "password": "own"}, AWX_USER).values["password"] == "own"


def test_a_certificate_has_what_fits_of_the_environment() -> None:
    environ = {"AZURE_X509_CERTIFICATE_PASSWORD": "p", "AZURE_THUMBPRINT": "t", "AZURE_X509_CERTIFICATE_PATH": "/a"}

    def belongings(**options: str) -> tuple[t.Any, ...]:
        who = choose({**TENANT, **options}, environ)
        names = ("x509_certificate_path", "x509_certificate_password", "thumbprint")
        return (*(who.values[name] for name in names), sorted(who.spare))

    assert belongings() == ("/a", "p", "t", [])
    assert belongings(x509_certificate_path="/b") == ("/b", "p", "t", ["thumbprint", "x509_certificate_password"])
    assert belongings(x509_certificate_path="/b", thumbprint="own") == ("/b", "p", "own", ["x509_certificate_password"])


def key_pem(pair: t.Any, password: bytes = b"", form: str = "PKCS8") -> bytes:
    lock = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    written: bytes = pair.key.private_bytes(
        serialization.Encoding.PEM, getattr(serialization.PrivateFormat, form), lock
    )
    return written


def cert_pem(pair: t.Any) -> bytes:
    written: bytes = pair.certificate.public_bytes(serialization.Encoding.PEM)
    return written


def pfx(pair: t.Any, password: bytes, *others: t.Any) -> bytes:
    lock = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return pkcs12.serialize_key_and_certificates(
        b"app", pair.key, pair.certificate, [other.certificate for other in others], lock
    )


def sha1(pair: t.Any) -> str:
    digest: bytes = pair.certificate.fingerprint(hashes.SHA1())  # noqa: S303 - what Entra ID calls the thumbprint
    return digest.hex()


FORMS: dict[str, t.Callable[[Files], tuple[list[bytes], str]]] = {
    "key, certificate": lambda f: ([key_pem(f.own), cert_pem(f.own)], ""),
    "certificate, key": lambda f: ([cert_pem(f.own), key_pem(f.own)], ""),
    "PKCS #1 key": lambda f: ([key_pem(f.own, form="TraditionalOpenSSL"), cert_pem(f.own)], ""),
    "encrypted key": lambda f: ([key_pem(f.own, b"pw"), cert_pem(f.own)], "pw"),
    "encrypted PKCS #1 key": lambda f: ([key_pem(f.own, b"pw", "TraditionalOpenSSL"), cert_pem(f.own)], "pw"),
    "a password too many": lambda f: ([key_pem(f.own), cert_pem(f.own)], "pw"),
    "chain": lambda f: ([key_pem(f.own), cert_pem(f.own), cert_pem(f.issuer)], ""),
    "chain, reversed": lambda f: ([cert_pem(f.issuer), cert_pem(f.own), key_pem(f.own)], ""),
    "text between": lambda f: ([b"Bag Attributes\r\n", key_pem(f.own), b"subject=CN = app\n", cert_pem(f.own)], ""),
    "CRLF": lambda f: ([key_pem(f.own).replace(b"\n", b"\r\n"), cert_pem(f.own).replace(b"\n", b"\r\n")], ""),
    "PFX": lambda f: ([pfx(f.own, b"pw")], "pw"),
    "PFX with the chain": lambda f: ([pfx(f.own, b"pw", f.issuer)], "pw"),
    "PFX without password": lambda f: ([pfx(f.own, b"")], ""),
    "PFX in base64": lambda f: ([base64.encodebytes(pfx(f.own, b"pw"))], "pw"),
    "PFX in base64 on one line": lambda f: ([base64.b64encode(pfx(f.own, b"pw"))], "pw"),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_certificate_in_every_form(files: Files, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(msal_app.msal, "__version__", "1.35.0")
    parts, password = FORMS[form](files)
    credential = method_certificate.certificate(files.write(*parts), password, "")
    assert credential == {
        "private_key": key_pem(files.own).decode(),
        "public_certificate": cert_pem(files.own).decode(),
    }


def spelt(thumbprint: str) -> str:
    return ":".join(thumbprint[i : i + 2] for i in range(0, 40, 2)).upper() + " "


def test_a_thumbprint_in_any_spelling(files: Files) -> None:
    path = files.write(key_pem(files.own), cert_pem(files.own))
    for thumbprint in (spelt(sha1(files.own)), f"\u200e{sha1(files.own)}", f"\ufeff{sha1(files.own)}\u200b"):
        assert method_certificate.certificate(path, "", thumbprint)["thumbprint"] == sha1(files.own)


def test_a_key_alone_with_its_thumbprint(files: Files) -> None:
    credential = method_certificate.certificate(files.write(key_pem(files.own)), "", sha1(files.own))
    assert credential == {"private_key": key_pem(files.own).decode(), "thumbprint": sha1(files.own)}


def test_the_thumbprint_chooses_among_certificates_of_one_key(files: Files, key_pair: t.Any) -> None:
    renewed = key_pair("app", key=files.own.key)
    path = files.write(key_pem(files.own), cert_pem(files.own), cert_pem(renewed))
    credential = method_certificate.certificate(path, "", sha1(renewed))
    assert credential["thumbprint"] == sha1(renewed)
    assert credential["public_certificate"] == cert_pem(renewed).decode()


class EcPair(t.NamedTuple):
    key: t.Any


CANNOT_BE_OPENED = "cannot be opened; check x509_certificate_password, and that the file is PEM or PFX."
NO_KEY = "holds no RSA private key; put key and certificate into it."
UNUSABLE: dict[str, tuple[t.Callable[[Files], list[bytes]], str, str]] = {
    "wrong password": (lambda f: [key_pem(f.own, b"pw"), cert_pem(f.own)], "wrong", CANNOT_BE_OPENED),
    "no password": (lambda f: [key_pem(f.own, b"pw"), cert_pem(f.own)], "", CANNOT_BE_OPENED),
    "PFX, wrong password": (lambda f: [pfx(f.own, b"pw")], "wrong", CANNOT_BE_OPENED),
    "PFX, no password": (lambda f: [pfx(f.own, b"pw")], "", CANNOT_BE_OPENED),
    "empty": (lambda _: [], "", CANNOT_BE_OPENED),
    "garbage": (lambda _: [b"garbage\xff\x00"], "", CANNOT_BE_OPENED),
    "garbage in PEM": (
        lambda _: [b"-----BEGIN PRIVATE KEY-----\n####\n-----END PRIVATE KEY-----\n"],
        "",
        CANNOT_BE_OPENED,
    ),
    "garbage as certificate": (
        lambda f: [key_pem(f.own), b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"],
        "",
        CANNOT_BE_OPENED,
    ),
    "no key": (lambda f: [cert_pem(f.own)], "", NO_KEY),
    "half a key": (lambda f: [key_pem(f.own)[:200], cert_pem(f.own)], "", NO_KEY),
    "EC key": (lambda _: [key_pem(EcPair(ec.generate_private_key(ec.SECP256R1())))], "", NO_KEY),
    "no certificate": (
        lambda f: [key_pem(f.own)],
        "",
        "holds no certificate for its key; put the certificate into it, or give thumbprint.",
    ),
    "certificate of another key": (
        lambda f: [key_pem(f.own), cert_pem(f.other)],
        "",
        "holds no certificate for its key; put the certificate into it, or give thumbprint.",
    ),
}


@pytest.mark.parametrize("kind", UNUSABLE)
def test_a_file_that_is_no_use(files: Files, kind: str) -> None:
    parts, password, clause = UNUSABLE[kind]
    path = files.write(*parts(files))
    with pytest.raises(OptionError) as caught:
        method_certificate.certificate(path, password, "")
    assert caught.value.sentence() == f"x509_certificate_path {path!r} {clause}"


@pytest.mark.parametrize(("name", "reason"), [("missing", "No such file or directory"), (".", "Is a directory")])
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str, reason: str) -> None:
    path = str(tmp_path / name)
    with pytest.raises(OptionError) as caught:
        method_certificate.certificate(path, "", "")
    assert caught.value.sentence() == (
        f"x509_certificate_path {path!r} cannot be read: {reason}; name a file that this user may read."
    )


@pytest.mark.parametrize("with_certificate", [True, False])
@pytest.mark.parametrize("thumbprint", ["of another", "xyz", "ab", "g" * 40])
def test_a_wrong_thumbprint(files: Files, thumbprint: str, with_certificate: bool) -> None:
    if thumbprint == "of another":
        thumbprint = sha1(files.other) if with_certificate else sha1(files.other)[:-1]
    path = files.write(key_pem(files.own), cert_pem(files.own) if with_certificate else b"")
    with pytest.raises(OptionError) as caught:
        method_certificate.certificate(path, "", thumbprint)
    advice = "leave thumbprint out" if with_certificate else "give 40 hexadecimal digits"
    assert caught.value.sentence() == f"thumbprint is not the SHA-1 of the certificate in {path!r}; {advice}."


SPARE = ("x509_certificate_password", "thumbprint")


@pytest.mark.parametrize("form", ["encrypted key", "PFX", "PFX without password", "key, certificate"])
@pytest.mark.parametrize("thumbprint", ["", "own", "of another", "no thumbprint"])
def test_a_password_or_thumbprint_that_is_another_files_does_no_harm(files: Files, form: str, thumbprint: str) -> None:
    parts, password = FORMS[form](files)
    given = {"own": sha1(files.own), "of another": sha1(files.other)}.get(thumbprint, thumbprint)
    credential = method_certificate.certificate(files.write(*parts), password or "of another file", given, spare=SPARE)
    assert ("thumbprint" in credential) == (thumbprint == "own" or msal_app.needs_thumbprint())


def test_a_key_alone_takes_the_thumbprint_of_the_environment(files: Files) -> None:
    path = files.write(key_pem(files.own))
    assert method_certificate.certificate(path, "", sha1(files.own), spare=SPARE)["thumbprint"] == sha1(files.own)
    with pytest.raises(OptionError, match="holds no certificate for its key"):
        method_certificate.certificate(path, "", "no thumbprint", spare=SPARE)


def test_a_wrong_password_stays_wrong_whoever_gave_it(files: Files) -> None:
    path = files.write(pfx(files.own, b"pw"))
    with pytest.raises(OptionError) as caught:
        method_certificate.certificate(path, "wrong", "", spare=SPARE)
    assert caught.value.sentence() == f"x509_certificate_path {path!r} {CANNOT_BE_OPENED}"


@pytest.mark.parametrize("readable", [False, True])
def test_an_outdated_encryption_is_no_wrong_password(
    files: Files, monkeypatch: pytest.MonkeyPatch, readable: bool
) -> None:
    monkeypatch.setattr(method_certificate, "_reads_outdated_encryption", lambda: readable)
    path = files.write(b"\x30\x82" + bytes.fromhex("060a2a864886f70d010c0106"))
    with pytest.raises(OptionError) as caught:
        method_certificate.certificate(path, "right", "")
    assert ("check x509_certificate_password" in caught.value.sentence()) == readable
    assert ("encrypt it anew: openssl pkcs12 -legacy" in caught.value.sentence()) != readable


def test_sha1_is_computed_only_where_it_is_asked_for(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host in FIPS mode may not compute it."""

    def forbidden(*_args: t.Any) -> t.NoReturn:
        raise ValueError("[digital envelope routines] unsupported")

    monkeypatch.setattr(hashes, "SHA1", forbidden)
    path = files.write(key_pem(files.own), cert_pem(files.own))
    monkeypatch.setattr(msal_app.msal, "__version__", "1.35.0")
    assert set(method_certificate.certificate(path, "", "")) == {"private_key", "public_certificate"}
    said = "the certificate's thumbprint cannot be computed, because this host does not allow SHA-1; "
    with pytest.raises(OptionError) as caught:
        method_certificate.certificate(path, "", "a" * 40)
    assert caught.value.sentence() == said + "leave thumbprint out."
    monkeypatch.setattr(msal_app.msal, "__version__", "1.34.0")
    with pytest.raises(OptionError) as caught:
        method_certificate.certificate(path, "", "")
    assert caught.value.sentence() == said + "install msal 1.35 or later, which does without it."


# Signing in


class Request(t.NamedTuple):
    """What was sent."""

    method: str
    url: str
    headers: t.Mapping[str, str]
    params: t.Any
    data: t.Any


class Wire:
    """A transport that goes nowhere: it answers by the last part of the path, and tells what it was asked."""

    def __init__(self, clock: t.Any) -> None:
        self.clock = clock
        self.request_timeout = 30
        self.retry_timeout = 120
        self.requests: list[Request] = []
        self.limits: list[float] = []
        self.expires_in = 3600
        self.answers: dict[str, tuple[int, t.Any]] = {}
        # Those that come first, one after the other.
        self.passing: dict[str, list[tuple[int, t.Any]]] = {}

    def send_with_retries(
        self,
        method: str,
        url: str,
        *,
        json_expected: bool,  # noqa: ARG002 - as the real one
        headers: t.Mapping[str, str],
        params: t.Any = None,
        data: t.Any = None,
        limit: float,
        of_host: bool,  # noqa: ARG002
    ) -> response.Response:
        self.requests.append(Request(method, url, headers, params, data))
        self.limits.append(limit)
        last = urlsplit(url).path.rsplit("/", 1)[-1]
        status, document = (self.passing.get(last) or [self.answers.get(last) or self._usual(last, url)]).pop(0)
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        return response.Response(status, {"content-type": "application/json"}, body)

    def _usual(self, last: str, url: str) -> tuple[int, t.Any]:
        if last == "openid-configuration":
            base = url.split("/v2.0/")[0]
            return 200, {
                "issuer": f"{base}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/oauth2/v2.0/token",
            }
        if last == "token":
            return 200, {"access_token": f"token-{len(self.sent('token'))}", "expires_in": self.expires_in}
        return 200, {"account_type": "Managed"}

    def sent(self, last: str) -> list[Request]:
        return [request for request in self.requests if urlsplit(request.url).path.endswith(last)]


@pytest.fixture
def wire(clock: t.Any) -> Wire:
    return Wire(clock.handed)


def sign_in(wire: Wire, options: Options, hosts: Endpoints = HOSTS) -> tokens.SignIn:
    who = choose(options, {})._replace(hosts=hosts)
    return tokens.SignIn(who, t.cast("transport.Transport", wire), environ=os.environ, permission=PERMISSION)


APP = {**TENANT, "secret": "right"}


def test_a_secret_is_turned_into_a_token(wire: Wire) -> None:
    who = sign_in(wire, APP)
    assert wire.requests == []
    assert who.tokens == set()
    assert who.token() == "token-1"
    assert who.tokens == {"token-1"}
    (request,) = wire.sent("token")
    assert request.method == "POST"
    assert request.url == "https://login.example:8443/contoso.example/oauth2/v2.0/token"
    assert request.data["grant_type"] == "client_credentials"
    assert request.data["client_id"] == "app"
    assert request.data["client_secret"] == "right"
    assert request.data["scope"] == "https://graph.example/.default"


def test_no_host_but_the_authority_is_asked(wire: Wire) -> None:
    sign_in(wire, APP).token()
    sign_in(wire, {"username": "u", "password": "p"}).token()
    assert {urlsplit(request.url).netloc for request in wire.requests} == {"login.example:8443"}


def test_a_region_in_the_environment_changes_nothing(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MSAL_FORCE_REGION", "westeurope")
    monkeypatch.setenv("REGION_NAME", "westeurope")
    sign_in(wire, APP, Endpoints("https://graph.microsoft.com", "https://login.microsoftonline.com")).token()
    assert {urlsplit(request.url).netloc for request in wire.requests} == {"login.microsoftonline.com"}


def test_a_token_is_kept_until_five_minutes_before_its_end(wire: Wire, clock: t.Any) -> None:
    who = sign_in(wire, APP)
    assert who.token() == "token-1"
    clock.pass_by(3299)
    assert who.token() == "token-1"
    clock.pass_by(1)
    assert who.token() == "token-2"
    assert who.token() == "token-2"


def test_a_short_token_is_kept_for_half_its_life(wire: Wire, clock: t.Any) -> None:
    wire.expires_in = 400
    who = sign_in(wire, APP)
    assert who.token() == "token-1"
    clock.pass_by(199)
    assert who.token() == "token-1"
    clock.pass_by(1)
    assert who.token() == "token-2"


def test_another_token_in_the_place_of_a_refused_one(wire: Wire) -> None:
    who = sign_in(wire, APP)
    assert who.token() == "token-1"
    assert who.replace_token("token-1") == "token-2"
    # Refused again, but meanwhile replaced: the newest is given without another sign-in.
    assert who.replace_token("token-1") == "token-2"
    assert who.token() == "token-2"
    # Graph has seen both, and may quote either.
    assert who.tokens == {"token-1", "token-2"}


def test_a_given_token_is_used_without_msal_or_network(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(msal_app, "HAS_MSAL", False)
    who = sign_in(wire, {"access_token": "given"})
    assert who.token() == "given"
    assert who.replace_token("given") is None
    assert who.tokens == {"given"}
    assert wire.requests == []


@pytest.mark.parametrize("options", [APP, {"username": "u", "password": "p"}, {"auth_source": "msi"}])
@pytest.mark.parametrize(
    ("has_requests", "has_msal", "there", "missing"),
    [
        (True, True, True, []),
        (True, False, True, ["msal"]),
        (False, False, False, ["requests", "msal"]),
        # It needs requests itself.
        (False, False, True, ["requests"]),
    ],
)
def test_all_that_is_missing_is_known_at_once(
    monkeypatch: pytest.MonkeyPatch,
    options: Options,
    has_requests: bool,
    has_msal: bool,
    there: bool,
    missing: list[str],
) -> None:
    monkeypatch.setattr(msal_app, "HAS_MSAL", has_msal)
    monkeypatch.setattr(connections, "HAS_REQUESTS", has_requests)
    monkeypatch.setattr(tokens.importlib.util, "find_spec", lambda _name: there or None)
    assert tokens.missing_libraries(choose(options, {})) == missing
    assert tokens.missing_libraries(choose({"access_token": "t"}, {})) == [name for name in missing if name != "msal"]


REFUSED = {
    "error": "invalid_client",
    "error_description": "AADSTS7000215: Invalid client secret provided. Trace ID: 1 Correlation ID: 2 Timestamp: 3",
    "trace_id": "the trace",
}


def test_a_refusal_is_told_and_not_remembered(wire: Wire) -> None:
    who = sign_in(wire, APP)
    wire.answers["token"] = (401, REFUSED)
    for tries in (1, 2):
        with pytest.raises(SignInError) as caught:
            who.token()
        assert caught.value.sentence() == (
            "sign-in as client app with the app's secret was refused (HTTP 401):"
            " AADSTS7000215: Invalid client secret provided; set secret to the secret's value (not its ID) and check"
            " that it belongs to client_id."
        )
        assert caught.value.request_id == "the trace"
        assert len(wire.sent("token")) == tries
    del wire.answers["token"]
    assert who.token() == "token-3"


def test_the_permission_that_lacks_consent_is_told(wire: Wire) -> None:
    description = "AADSTS65001: The user or administrator has not consented to use the application."
    wire.answers["token"] = (400, {"error": "invalid_grant", "error_description": description})
    with pytest.raises(SignInError) as caught:
        sign_in(wire, {"username": "u", "password": "p"}).token()
    assert caught.value.advice == (
        f"grant admin consent for {PERMISSION} to the app in this tenant, as a delegated permission"
    )


def test_an_unknown_tenant_is_told(wire: Wire) -> None:
    description = "AADSTS90002: Tenant 'contoso.example' not found. Trace ID: 1"
    wire.answers["openid-configuration"] = (400, {"error": "invalid_tenant", "error_description": description})
    with pytest.raises(SignInError) as caught:
        sign_in(wire, APP).token()
    assert caught.value.sentence() == (
        "sign-in as client app with the app's secret was refused (HTTP 400): AADSTS90002:"
        " Tenant 'contoso.example' not found; check tenant, and cloud_environment if it is not in the public cloud."
    )


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"access_token": ""},
        {"access_token": None},
        {"access_token": 5},
        {"access_token": "a b"},
        {"access_token": "ä"},
    ],
)
def test_an_answer_without_a_usable_token(wire: Wire, answer: t.Any) -> None:
    wire.answers["token"] = (200, {"expires_in": 3600, **answer})
    who = sign_in(wire, APP)
    with pytest.raises(SignInError):
        who.token()
    assert who.tokens == set()


@pytest.mark.parametrize(
    ("where", "answer"),
    [
        ("openid-configuration", {}),
        ("openid-configuration", {"issuer": "x", "Token_Endpoint": "https://x"}),
        ("openid-configuration", []),
        ("token", {"access_token": "t", "id_token": "x"}),
        ("token", []),
    ],
)
def test_an_answer_in_another_form_is_told_in_words(wire: Wire, where: str, answer: t.Any) -> None:
    wire.answers[where] = (200, answer)
    with pytest.raises(SignInError) as caught:
        sign_in(wire, APP).token()
    assert caught.value.sentence() == (
        "sign-in as client app with the app's secret failed: what answered is not in the form of Entra ID's answers;"
        " check tenant and authority_url."
    )


BUSY = {"error": "temporarily_unavailable", "error_description": "AADSTS90024: A transient error. Trace ID: t"}
BROKEN = {"error": "server_error", "error_description": "AADSTS90033: A transient error.", "trace_id": "the trace"}


@pytest.mark.parametrize("last", ["openid-configuration", "token"])
@pytest.mark.parametrize("trouble", [(500, BROKEN), (400, BUSY), (502, BROKEN), (400, {"error": "server_error"})])
def test_trouble_of_entra_id_passes(wire: Wire, clock: t.Any, last: str, trouble: tuple[int, t.Any]) -> None:
    wire.passing[last] = [trouble, trouble]
    assert sign_in(wire, APP).token().startswith("token-")
    assert clock.slept == [1, 2]


def test_trouble_of_entra_id_that_stays_is_no_refusal(wire: Wire, clock: t.Any) -> None:
    wire.answers["token"] = (500, BROKEN)
    with pytest.raises(errors.Unavailable) as caught:
        sign_in(wire, APP).token(10)
    assert caught.value.sentence() == (
        'login.example:8443 answered HTTP 500 (Internal Server Error): "AADSTS90033: A transient error." (tried 4 times'
        " within retry_timeout, 120 s); run again later."
    )
    assert caught.value.request_id == "the trace"
    assert clock.elapsed <= 10


def test_a_refusal_is_not_tried_again(wire: Wire) -> None:
    wire.answers["token"] = (401, {"error": "invalid_client", "error_description": "AADSTS7000215: Wrong."})
    with pytest.raises(SignInError):
        sign_in(wire, APP).token()
    assert len(wire.sent("token")) == 1


@pytest.mark.parametrize("where", ["openid-configuration", "token"])
@pytest.mark.parametrize("status", [403, 404])
def test_the_page_of_a_web_filter_is_no_refusal_of_the_credential(wire: Wire, where: str, status: int) -> None:
    wire.answers[where] = (status, b"<html><head><title>Access denied</title></head></html>")
    with pytest.raises(errors.Unavailable) as caught:
        sign_in(wire, APP).token()
    assert caught.value.sentence().endswith(
        f'{error_bodies.status_name(status)}): "Access denied"; check authority_url, and that no proxy or portal stands'
        " in between."
    )
    assert len(wire.sent(where)) == 1


def answer_of(wire: Wire, url: str) -> None:
    """Have the metadata name a token endpoint."""
    wire.answers["openid-configuration"] = (
        200,
        {"issuer": "i", "authorization_endpoint": "https://x.example/a", "token_endpoint": url},
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/t/oauth2/v2.0/token",
        "https://login.example/t/oauth2/v2.0/token",
        "https://login.example:8443@evil.example/t/oauth2/v2.0/token",
        "https://login.microsoftonline.com/t/oauth2/v2.0/token",
    ],
)
@pytest.mark.parametrize("options", [APP, {"username": "u@contoso.example", "password": "right"}])
def test_no_other_host_gets_the_credential(wire: Wire, options: Options, url: str) -> None:
    answer_of(wire, url)
    with pytest.raises(SignInError, match="names a token endpoint at another host"):
        sign_in(wire, options).token()
    assert [request for request in wire.requests if request.method == "POST"] == []


def test_one_name_of_entra_id_may_send_to_another(wire: Wire) -> None:
    answer_of(wire, "https://login.partner.microsoftonline.cn/t/oauth2/v2.0/token")
    china = Endpoints("https://microsoftgraph.chinacloudapi.cn", "https://login.chinacloudapi.cn")
    assert sign_in(wire, APP, china).token() == "token-1"
    with pytest.raises(SignInError, match="at another host"):
        sign_in(wire, APP, Endpoints("https://graph.microsoft.com", "https://login.microsoftonline.com")).token()


# What msal looks at of the metadata of a federation server.
MEX = b"""
<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:wsp="http://schemas.xmlsoap.org/ws/2004/09/policy"
 xmlns:wsu="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
 xmlns:sp="http://docs.oasis-open.org/ws-sx/ws-securitypolicy/200702"
 xmlns:soap12="http://schemas.xmlsoap.org/wsdl/soap12/" xmlns:wsa10="http://www.w3.org/2005/08/addressing">
<wsp:Policy wsu:Id="p"><wsp:ExactlyOne><wsp:All><sp:TransportBinding/><sp:SignedEncryptedSupportingTokens><wsp:Policy>
<sp:UsernameToken><wsp:Policy><sp:WssUsernameToken10/></wsp:Policy></sp:UsernameToken></wsp:Policy>
</sp:SignedEncryptedSupportingTokens></wsp:All></wsp:ExactlyOne></wsp:Policy>
<wsdl:binding name="b"><wsp:PolicyReference URI="#p"/><soap12:binding transport="http://schemas.xmlsoap.org/soap/http"/>
<wsdl:operation><soap12:operation soapAction="http://docs.oasis-open.org/ws-sx/ws-trust/200512/RST/Issue"/>
</wsdl:operation></wsdl:binding><wsdl:service><wsdl:port binding="x:b"><wsa10:EndpointReference>
<wsa10:Address>https://sts.example/trust</wsa10:Address></wsa10:EndpointReference></wsdl:port></wsdl:service>
</wsdl:definitions>"""
FEDERATED = {"account_type": "Federated", "federation_protocol": "WSTrust", "cloud_audience_urn": "urn:x"}
FAULT = b"""
<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>
<s:Fault><s:Reason><s:Text>&lt;it&apos;s&gt; &amp; more
is wrong: &amp;lt;it&amp;apos;s&amp;gt; &amp;amp; more</s:Text></s:Reason><s:Code><s:Subcode><s:Value>x</s:Value>
</s:Subcode></s:Code></s:Fault></s:Body></s:Envelope>"""
USER = {"username": "u@contoso.example", "password": "right"}


@pytest.mark.parametrize(
    "realm",
    [
        {"federation_metadata_url": "http://sts.example/mex"},
        {"federation_metadata_url": "http://127.0.0.1/mex"},
        {"federation_metadata_url": "http://169.254.169.254/mex"},
    ],
)
def test_no_password_goes_through_the_network_in_the_clear(wire: Wire, realm: dict[str, str]) -> None:
    wire.answers["u@contoso.example"] = (200, {**FEDERATED, **realm})
    with pytest.raises(SignInError) as caught:
        sign_in(wire, USER).token()
    assert "is to be asked without TLS, where others could read along; have the server of" in caught.value.sentence()
    assert {urlsplit(request.url).netloc for request in wire.requests} == {"login.example:8443"}


def test_a_federation_server_is_not_asked_again_and_again(wire: Wire, clock: t.Any) -> None:
    """It answers 500 to a wrong password, and locks the account after some of them."""
    wire.answers["u@contoso.example"] = (200, {**FEDERATED, "federation_metadata_url": "https://sts.example/mex"})
    wire.answers["mex"], wire.answers["trust"] = (200, MEX), (500, FAULT)
    with pytest.raises(SignInError) as caught:
        sign_in(wire, {**USER, "password": "<it's> & more"}).token()
    # The server repeats the password as XML has it.
    sentence = caught.value.sentence()
    assert "with user name and password failed at sts.example: " in sentence
    assert "is wrong: ********" in sentence
    assert not [spelling for spelling in ("it's", "it&apos;s", "it\\'s", "it&amp;apos;s") if spelling in sentence]
    assert sentence.endswith(
        "; check username and password, and that the federation server of this user's domain is well."
    )
    assert len(wire.sent("trust")) == 1
    # Nor does the transport try again.
    assert wire.limits[-1] == 0
    assert clock.slept == []


@pytest.mark.parametrize(
    ("name", "spelt"),
    [
        ("ops#1@contoso.example", "ops%231@contoso.example"),
        ("a_partner.example#EXT#@contoso.example", "a_partner.example%23EXT%23@contoso.example"),
        ("a?b/c%41 d@contoso.example", "a%3Fb%2Fc%2541%20d@contoso.example"),
        ("m\u00fcller@contoso.example", "m%C3%BCller@contoso.example"),
        ("o'neil+x@contoso.example", "o%27neil%2Bx@contoso.example"),
    ],
)
def test_a_name_is_escaped_in_an_address(wire: Wire, name: str, spelt: str) -> None:
    wire.answers["token"] = (200, {"access_token": "token-1", "expires_in": 3600})
    assert sign_in(wire, {"username": name, "password": "right"}).token() == "token-1"
    (realm,) = [request for request in wire.requests if "userrealm" in request.url]
    assert realm.url == f"https://login.example:8443/common/userrealm/{spelt}?api-version=1.0"
    (request,) = wire.sent("token")
    assert request.data["username"] == name


def test_what_a_certificate_signs_is_a_secret(wire: Wire, files: Files) -> None:
    who = sign_in(wire, {**TENANT, "x509_certificate_path": files.write(key_pem(files.own), cert_pem(files.own))})
    who.token()
    assert _text(wire.sent("token")[0].data["client_assertion"]) in who.tokens


def test_no_answer_stays_what_it_is(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    failure = errors.Unavailable("login.example cut the connection")

    def fail(*_args: t.Any, **_kwargs: t.Any) -> t.NoReturn:
        raise failure

    monkeypatch.setattr(wire, "send_with_retries", fail)
    with pytest.raises(errors.Unavailable) as caught:
        sign_in(wire, APP).token()
    assert caught.value is failure


def test_a_user_signs_in_by_password(wire: Wire) -> None:
    # pytest turns a warning of msal, which knows that this way is outdated, into an error.
    assert sign_in(wire, {"username": "u@contoso.example", "password": "right"}).token() == "token-1"
    (realm,) = wire.sent("u@contoso.example")
    # msal itself drops the port here.
    assert realm.url.split("?")[0] == "https://login.example:8443/common/userrealm/u@contoso.example"
    (request,) = wire.sent("token")
    assert request.url == "https://login.example:8443/organizations/oauth2/v2.0/token"
    assert request.data["grant_type"] == "password"
    assert request.data["client_id"] == GRAPH_CLI
    assert (request.data["username"], request.data["password"]) == ("u@contoso.example", "right")
    assert "https://graph.example/.default" in request.data["scope"].split()
    assert "client_secret" not in request.data


@pytest.mark.parametrize("secret", ["", "right"])
def test_a_refresh_token_is_redeemed(wire: Wire, secret: str) -> None:
    who = sign_in(wire, {**TENANT, "auth_source": "refresh_token", "refresh_token": "given", "secret": secret})
    assert who.token() == "token-1"
    (request,) = wire.sent("token")
    assert request.data["grant_type"] == "refresh_token"
    assert request.data["refresh_token"] == "given"
    assert request.data.get("client_secret", "") == secret


def assertion(wire: Wire) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    (request,) = wire.sent("token")
    assert request.data["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    parts = [part + "=" * (-len(part) % 4) for part in _text(request.data["client_assertion"]).split(".")[:2]]
    header, claims = (json.loads(base64.urlsafe_b64decode(part)) for part in parts)
    return header, claims


def test_a_federated_token_from_a_file_is_a_secret_like_the_option(wire: Wire, tmp_path: Path) -> None:
    file = tmp_path / "federated"
    file.write_text("federated.token", encoding="ascii")
    who = sign_in(wire, {**TENANT, "oidc_token_file_path": str(file)})
    who.token()
    assert {"federated.token", "token-1"} <= who.tokens


@pytest.mark.parametrize(("limit", "may_take"), [(None, 120), (5, 5), (600, 120)])
def test_signing_in_takes_no_longer_than_it_may(wire: Wire, limit: float | None, may_take: float) -> None:
    sign_in(wire, APP).token(limit)
    assert set(wire.limits) == {may_take}


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _digest(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


@pytest.mark.skipif(msal_app.needs_thumbprint(), reason="this msal knows SHA-1 only")
@pytest.mark.parametrize("form", ["encrypted key", "chain, reversed", "PFX"])
def test_a_certificate_signs_with_sha256(wire: Wire, files: Files, form: str) -> None:
    parts, password = FORMS[form](files)
    options = {"x509_certificate_path": files.write(*parts), "x509_certificate_password": password}
    assert sign_in(wire, {**TENANT, **options}).token() == "token-1"
    header, claims = assertion(wire)
    assert header["alg"] == "PS256"
    assert header["x5t#S256"].rstrip("=") == _digest(files.own.certificate.fingerprint(hashes.SHA256()))
    assert "x5t" not in header
    assert claims["iss"] == "app"
    assert claims["aud"] == "https://login.example:8443/contoso.example/oauth2/v2.0/token"


def test_a_certificate_signs_the_old_way_with_an_old_msal(
    wire: Wire, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(msal_app.msal, "__version__", "1.33.0b1")
    sign_in(wire, {**TENANT, "x509_certificate_path": files.write(key_pem(files.own), cert_pem(files.own))}).token()
    header, _claims = assertion(wire)
    assert header["x5t"].rstrip("=") == _digest(bytes.fromhex(sha1(files.own)))


@pytest.mark.parametrize("with_certificate", [True, False])
def test_a_thumbprint_signs_the_old_way(wire: Wire, files: Files, with_certificate: bool) -> None:
    path = files.write(key_pem(files.own), cert_pem(files.own) if with_certificate else b"")
    sign_in(wire, {**TENANT, "x509_certificate_path": path, "thumbprint": spelt(sha1(files.own))}).token()
    header, _claims = assertion(wire)
    assert header["alg"] == "RS256"
    assert header["x5t"].rstrip("=") == _digest(bytes.fromhex(sha1(files.own)))


def test_an_unusable_certificate_fails_before_any_request(wire: Wire, tmp_path: Path) -> None:
    with pytest.raises(OptionError):
        sign_in(wire, {**TENANT, "x509_certificate_path": str(tmp_path / "missing")})
    assert wire.requests == []


def test_the_file_with_the_federated_token_is_read_for_each_sign_in(wire: Wire, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("\ufefffirst\n", encoding="utf-8")
    who = sign_in(wire, {**TENANT, "oidc_token_file_path": str(file)})
    who.token()
    file.write_text("second", encoding="ascii")
    who.replace_token("token-1")
    assert [_text(request.data["client_assertion"]) for request in wire.sent("token")] == ["first", "second"]


def test_a_federated_token_as_option(wire: Wire) -> None:
    sign_in(wire, {**TENANT, "oidc_token": "given", "oidc_token_file_path": "/nowhere"}).token()
    assert _text(wire.sent("token")[0].data["client_assertion"]) == "given"


def test_the_option_with_the_federated_token_wins_over_the_environment(wire: Wire, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("of the option", encoding="ascii")
    options = {**TENANT, "oidc_token_file_path": str(file)}
    who = choose(options, {"AZURE_FEDERATED_TOKEN": "of the environment"})
    tokens.SignIn(who, t.cast("transport.Transport", wire), environ=os.environ, permission=PERMISSION).token()
    assert _text(wire.sent("token")[0].data["client_assertion"]) == "of the option"


@pytest.mark.parametrize(
    ("content", "clause"),
    [
        (None, "cannot be read: No such file or directory; name a file that this user may read."),
        (b"\xff\xfe", "cannot be read: it is not text; name a file that this user may read."),
        (b" \n", "is empty; see that the platform writes its token there."),
    ],
)
def test_a_token_file_that_is_no_use(wire: Wire, tmp_path: Path, content: bytes | None, clause: str) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(OptionError) as caught:
        sign_in(wire, {**TENANT, "oidc_token_file_path": str(file)})
    assert caught.value.sentence() == f"oidc_token_file_path {str(file)!r} {clause}"
    file.write_text("good", encoding="ascii")
    who = sign_in(wire, {**TENANT, "oidc_token_file_path": str(file)})
    who.token()
    file.unlink()
    with pytest.raises(OptionError, match="cannot be read: No such file"):
        who.replace_token("token-1")


# Managed identity


@pytest.fixture
def app_service(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MSI_ENDPOINT", "MSI_SECRET", "IDENTITY_SERVER_THUMBPRINT", "AZURE_POD_IDENTITY_AUTHORITY_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://localhost:42356/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "the header")


@pytest.mark.usefixtures("app_service")
@pytest.mark.parametrize("client_id", ["", "user-assigned"])
def test_a_managed_identity(wire: Wire, client_id: str) -> None:
    wire.answers["token"] = (200, {"access_token": "of-the-host", "expires_on": str(int(time.time()) + 3600)})
    assert sign_in(wire, {"auth_source": "msi", "client_id": client_id}).token() == "of-the-host"
    (request,) = wire.requests
    assert (request.method, request.url) == ("GET", "http://localhost:42356/msi/token")
    assert request.headers["X-IDENTITY-HEADER"] == "the header"
    assert request.params["resource"] == "https://graph.example"
    assert request.params.get("client_id", "") == client_id


@pytest.mark.usefixtures("app_service")
@pytest.mark.parametrize(
    "end",
    ["11/05/2026 15:18:31 +00:00", "1/16/2026 5:24:12 AM +00:00", "2026-11-22 18:00:34Z", "1795371634.5", None, "-1"],
)
def test_a_token_of_the_host_whose_end_cannot_be_read(wire: Wire, clock: t.Any, end: str | None) -> None:
    wire.answers["token"] = (200, {"access_token": "of-the-host", "expires_on": end})
    who = sign_in(wire, {"auth_source": "msi"})
    for seconds, asked in ((0, 1), (100, 1), (300, 2)):
        clock.pass_by(seconds)
        assert who.token() == "of-the-host"
        assert len(wire.requests) == asked


@pytest.mark.usefixtures("app_service")
@pytest.mark.parametrize("status", [404, 410, 500, 502])
def test_trouble_of_the_metadata_service_passes(wire: Wire, clock: t.Any, status: int) -> None:
    """It is updated for up to 70 seconds."""
    trouble = (status, {"error": "x", "error_description": "Not now."})
    token = (200, {"access_token": "of-the-host", "expires_on": str(int(time.time()) + 3600)})
    wire.passing["token"] = [*[trouble] * 7, token]
    assert sign_in(wire, {"auth_source": "msi"}).token() == "of-the-host"
    assert 70 <= clock.elapsed <= 120


@pytest.mark.usefixtures("app_service")
def test_trouble_of_the_metadata_service_that_stays_is_told(wire: Wire) -> None:
    wire.answers["token"] = (410, {"statusCode": 410, "message": "The service is being updated."})
    with pytest.raises(errors.Unavailable) as caught:
        sign_in(wire, {"auth_source": "msi"}).token(3)
    assert caught.value.sentence() == (
        'localhost:42356 answered HTTP 410 (Gone): "The service is being updated." (tried 3 times within'
        " retry_timeout, 120 s); see that this host has a managed identity, or run again later."
    )


def test_service_fabric_has_no_such_identity(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is its own server that answers, by a 404 that means it."""
    monkeypatch.setattr(msal_http, "_is_this_host", lambda _name: True)
    environ = {"IDENTITY_ENDPOINT": "http://localhost/metadata/identity", "IDENTITY_HEADER": "h"}
    wire.answers["identity"] = (404, {"error": {"code": "ManagedIdentityNotFound", "message": "There is none."}})
    who = tokens.SignIn(
        choose(MSI, environ), t.cast("transport.Transport", wire), environ=environ, permission=PERMISSION
    )
    with pytest.raises(SignInError):
        who.token()
    assert len(wire.requests) == 1


MSI = {"auth_source": "msi"}


@pytest.mark.parametrize("options", [MSI, {}, {**MSI, "allow_environment_credential": True}])
def test_the_managed_identity_of_service_fabric_is_refused_in_words(options: Options) -> None:
    """Since it looks at the thumbprint of the endpoint, msal wants a session of its own kind for it."""
    environ = {"IDENTITY_ENDPOINT": "https://localhost:2377/t", "IDENTITY_HEADER": "h"}
    assert choose(options, environ).method.source == "msi"
    with pytest.raises(OptionError, match=r"Service Fabric .* is not supported"):
        choose(options, {**environ, "IDENTITY_SERVER_THUMBPRINT": "ab" * 20})


@pytest.mark.parametrize(
    ("environ", "asked"),
    [
        ({"IDENTITY_ENDPOINT": "http://127.0.0.1:1/t", "IDENTITY_HEADER": "h"}, True),
        ({"IDENTITY_ENDPOINT": "http://169.254.129.5:8081/t", "IDENTITY_HEADER": "h"}, True),
        ({"IDENTITY_ENDPOINT": "http://[::1]:1/t", "IDENTITY_HEADER": "h"}, True),
        ({"IDENTITY_ENDPOINT": "https://host.example/t", "IDENTITY_HEADER": "h"}, True),
        ({"MSI_ENDPOINT": "http://localhost:1/t", "MSI_SECRET": "h"}, True),
        ({"AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://127.0.0.1:1"}, True),
        ({}, True),
        ({"IDENTITY_ENDPOINT": "http://10.0.0.4/t", "IDENTITY_HEADER": "h"}, False),
        ({"IDENTITY_ENDPOINT": "http://host.example/t", "IDENTITY_HEADER": "h"}, False),
        ({"IDENTITY_ENDPOINT": "http://localhost.evil.example/t", "IDENTITY_HEADER": "h"}, False),
        ({"AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://10.0.0.4"}, False),
    ],
)
def test_the_proof_of_a_managed_identity_stays_on_the_host(wire: Wire, environ: dict[str, str], asked: bool) -> None:
    token = {"access_token": "of-the-host", "expires_in": 60, "expires_on": str(int(time.time()) + 3600)}
    wire.answers["token"] = wire.answers["t"] = (200, token)
    who = tokens.SignIn(
        choose(MSI, environ), t.cast("transport.Transport", wire), environ=environ, permission=PERMISSION
    )
    if asked:
        assert who.token() == "of-the-host"
    else:
        with pytest.raises(SignInError, match="is to be asked without TLS"):
            who.token()
        assert wire.requests == []


def test_each_of_many_threads_sees_its_own_environment(clock: t.Any, monkeypatch: t.Any) -> None:
    """Each host has its managed identity, as msal finds it in the environment; all sign in at the same time."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://localhost:1/of-the-run")
    monkeypatch.setenv("IDENTITY_HEADER", "of the run")
    before, barrier = dict(os.environ), threading.Barrier(8)
    system_assigned = msal_app.msal.SystemAssignedManagedIdentity

    def slowly() -> t.Any:
        time.sleep(0.005)
        return system_assigned()

    monkeypatch.setattr(msal_app.msal, "SystemAssignedManagedIdentity", slowly)

    class Slow(Wire):
        def send_with_retries(self, *args: t.Any, **request: t.Any) -> response.Response:
            # All are here at the same time: no one's request waits for another's.
            barrier.wait(10)
            return super().send_with_retries(*args, **request)

    def run(number: int) -> list[tuple[str, str]]:
        mine = Slow(clock.handed)
        own = {"IDENTITY_ENDPOINT": f"http://localhost:{number}/token", "IDENTITY_HEADER": f"header {number}"}
        mine.answers["token"] = (200, {"access_token": f"token-{number}", "expires_on": str(int(time.time()) + 3600)})
        # Odd ones have another kind of endpoint, and must not see those of the even ones.
        if number % 2:
            own = {"MSI_ENDPOINT": own["IDENTITY_ENDPOINT"], "MSI_SECRET": own["IDENTITY_HEADER"]}
        for _time in range(5):
            who = tokens.SignIn(
                choose(MSI, own), t.cast("transport.Transport", mine), environ=own, permission=PERMISSION
            )
            assert who.token() == f"token-{number}"
        names = ("X-IDENTITY-HEADER", "secret")
        return [(r.url, next(r.headers[name] for name in names if name in r.headers)) for r in mine.requests]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(run, range(8)))
    assert found == [[(f"http://localhost:{number}/token", f"header {number}")] * 5 for number in range(8)]
    assert os.environ == before
    assert type(os.environ).__name__ == "_Environ"


@pytest.mark.usefixtures("app_service")
def test_a_managed_identity_that_is_refused(wire: Wire) -> None:
    wire.answers["token"] = (400, {"statusCode": 400, "message": "No managed identity found."})
    with pytest.raises(SignInError, match=r"^sign-in with the managed identity of this host was refused \(HTTP 400\)"):
        sign_in(wire, {"auth_source": "msi"}).token()


# Azure CLI


@pytest.fixture
def az(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> t.Callable[[str], Path]:
    """Put a shell script on PATH as ``az``; it writes its arguments to the file that is returned."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def write(script: str) -> Path:
        arguments = tmp_path / "arguments"
        program = tmp_path / "az"
        program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {arguments}\n{script}\n', encoding="utf-8")
        program.chmod(0o755)
        return arguments

    return write


def printed(clock: t.Any, **change: t.Any) -> str:
    expires_on = int(clock.handed.now().timestamp()) + 3600
    return json.dumps({"accessToken": "of-az", "expires_on": expires_on, "tokenType": "Bearer", **change})


CLI = {"auth_source": "cli"}


@pytest.mark.parametrize("tenant", ["", "contoso.example"])
def test_the_azure_cli_is_asked(wire: Wire, clock: t.Any, az: t.Any, tenant: str) -> None:
    arguments = az(f"echo '{printed(clock)}'; echo WARNING: new version >&2")
    who = sign_in(wire, {**CLI, "tenant": tenant})
    assert who.token() == "of-az"
    assert arguments.read_text().splitlines() == [
        "account", "get-access-token", "--output", "json", "--scope", "https://graph.example/.default",
        *(["--tenant", tenant] if tenant else []),
    ]  # fmt: skip
    arguments.unlink()
    clock.pass_by(3299)
    who.token()
    assert not arguments.exists()
    clock.pass_by(1)
    who.token()
    assert arguments.exists()


def test_the_azure_cli_may_write_the_end_as_a_text(wire: Wire, clock: t.Any, az: t.Any) -> None:
    arguments = az(f"echo '{printed(clock, expires_on=str(int(clock.handed.now().timestamp()) + 3600))}'")
    who = sign_in(wire, CLI)
    assert who.token() == "of-az"
    arguments.unlink()
    clock.pass_by(3299)
    who.token()
    assert not arguments.exists()


def test_the_azure_cli_is_not_hurried_when_nothing_is_to_be_repeated(wire: Wire, clock: t.Any, az: t.Any) -> None:
    az(f"echo '{printed(clock)}'")
    wire.retry_timeout = 0
    assert sign_in(wire, CLI).token() == "of-az"


def test_the_azure_cli_is_that_of_the_environment(wire: Wire, clock: t.Any, az: t.Any) -> None:
    arguments = az(f'echo "$AZURE_CONFIG_DIR" >> "$0.told"; echo \'{printed(clock)}\'')
    environ = {**os.environ, "AZURE_CONFIG_DIR": "/profile/of/the/host"}
    who = tokens.SignIn(choose(CLI, {}), t.cast("transport.Transport", wire), environ=environ, permission=PERMISSION)
    assert who.token() == "of-az"
    assert (arguments.parent / "az.told").read_text() == "/profile/of/the/host\n"


DOING = "sign-in with the Azure CLI"
LOGIN = "run 'az login' as the user of this task."


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("echo \"ERROR: Please run 'az login' to setup account.\" >&2; exit 1",
         f"{DOING} failed: Please run 'az login' to setup account; {LOGIN}"),
        ("echo secret; exit 3", f"{DOING} failed: az ended with 3; {LOGIN}"),
        ("printf '\\033[31mERROR: two\\nlines\\377\\n' >&2; exit 1", f"{DOING} failed: [31m two lines\ufffd; {LOGIN}"),
        ("echo nonsense", f"{DOING} gave no token; update the Azure CLI to 2.54.0 or later."),
        ("true", f"{DOING} gave no token; update the Azure CLI to 2.54.0 or later."),
        ("echo '[]'", f"{DOING} gave no token; update the Azure CLI to 2.54.0 or later."),
        ("echo '{\"accessToken\": \"x\", \"expiresOn\": \"2026-11-22 18:00:00\"}'",
         f"{DOING} gave no token; update the Azure CLI to 2.54.0 or later."),
    ],
)  # fmt: skip
def test_what_the_azure_cli_says_is_told(wire: Wire, az: t.Any, script: str, sentence: str) -> None:
    az(script)
    with pytest.raises(SignInError) as caught:
        sign_in(wire, CLI).token()
    assert caught.value.sentence() == sentence


def test_an_azure_cli_that_takes_too_long(wire: Wire, az: t.Any) -> None:
    az("exec sleep 60")
    wire.request_timeout = wire.retry_timeout = 1
    with pytest.raises(SignInError) as caught:
        sign_in(wire, CLI).token()
    assert caught.value.sentence() == f"{DOING} took longer than 1 s; raise retry_timeout."


def test_an_azure_cli_that_does_not_start(wire: Wire, az: t.Any, tmp_path: Path) -> None:
    az("")
    (tmp_path / "az").write_text("#!/nowhere/python\n", encoding="utf-8")
    with pytest.raises(SignInError) as caught:
        sign_in(wire, CLI).token()
    assert caught.value.sentence() == f"{DOING} failed: No such file or directory; check that az runs."


def test_no_azure_cli(wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SignInError) as caught:
        sign_in(wire, CLI).token()
    assert caught.value.sentence() == (
        f"{DOING} is not possible, because az is not installed; install it, or sign in in another way."
    )
