# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every way to sign in, by options and by environment, with real MSAL."""

from __future__ import annotations

import datetime
import json
import os
import typing as t
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, NoEncryption, pkcs12
from simulator import Fault

from .conftest import BIN, INFO, Site

pytestmark = pytest.mark.slow

NO_IDENTITY: dict[str, t.Any] = {"tenant": None, "client_id": None, "secret": None}
NO_HOSTS: dict[str, t.Any] = {"graph_url": None, "authority_url": None}


def read(site: Site, environment: t.Mapping[str, str] | None = None, **options: t.Any) -> list[str]:
    """List connectors with an identity; the grant types (or other kinds of request) that it took."""
    run = site.info(environment={**site.hosts, **(environment or {})}, **{**NO_IDENTITY, **NO_HOSTS, **options})
    assert run.code == 0, run.output
    assert [connector["id"] for connector in run.result["connectors"]] == [site.connector.id]
    return [
        dict(pair.split("=", 1) for pair in r.body.decode().split("&"))["grant_type"] if r.where == "token" else r.where
        for r in site.world.requests
        if r.where in ("token", "managed_identity")
    ]


@pytest.mark.parametrize(("tenant", "secret"), [("tenant", "secret"), ("tenant_id", "client_secret")])
def test_secret_by_options(site: Site, tenant: str, secret: str) -> None:
    options = {tenant: site.tenant.domain, "client_id": site.app.client_id, secret: site.app.secret}
    assert read(site, **options) == ["client_credentials"]


@pytest.mark.parametrize(
    ("tenant", "secret"), [("AZURE_TENANT", "AZURE_SECRET"), ("AZURE_TENANT_ID", "AZURE_CLIENT_SECRET")]
)
def test_secret_by_environment(site: Site, tenant: str, secret: str) -> None:
    environment = {tenant: site.tenant.id, "AZURE_CLIENT_ID": site.app.client_id, secret: str(site.app.secret)}
    assert read(site, environment) == ["client_credentials"]


def test_the_environment_of_a_task_counts_too(site: Site) -> None:
    environment = {
        "AZURE_TENANT": site.tenant.id,
        "AZURE_CLIENT_ID": site.app.client_id,
        "AZURE_SECRET": site.app.secret,
    }
    options = {"ca_path": site.simulator.ca_path}
    environment.update(site.hosts)
    run = site.play([{"graphops.intune.intune_exchange_connector_info": options, "environment": environment}])
    assert run.code == 0, run.output


def test_one_credential_for_many_tenants(site: Site) -> None:
    """The tenant by option, the app and its secret from the environment, as AWX's credential gives them."""
    other = site.world.add_tenant("fabrikam.example")
    other.add_app(client_id=site.app.client_id, secret=site.app.secret)
    other.add_connector()
    environment = {
        **site.hosts,
        "AZURE_TENANT": site.tenant.id,
        "AZURE_CLIENT_ID": site.app.client_id,
        "AZURE_SECRET": str(site.app.secret),
    }
    run = site.info(environment=environment, **{**NO_IDENTITY, **NO_HOSTS, "tenant": other.domain})
    assert [connector["id"] for connector in run.result["connectors"]] == list(other.connectors)


def test_hosts_and_cloud_by_environment(site: Site) -> None:
    environment = {
        "MSGRAPH_URL": site.simulator.graph_url + "/",
        "AZURE_AUTHORITY_HOST": site.simulator.authority_url.removeprefix("https://"),
        "AZURE_CLOUD_ENVIRONMENT": "AzureUSGovernment",
    }
    run = site.info(environment=environment, **NO_HOSTS)
    assert run.code == 0, run.output


@pytest.mark.parametrize("named", ["authority_url", "graph_url"])
def test_a_credential_from_the_environment_is_not_sent_to_a_host_that_an_option_names(site: Site, named: str) -> None:
    environment = {"AZURE_CLIENT_ID": site.app.client_id, "AZURE_SECRET": str(site.app.secret)}
    options = {**NO_IDENTITY, **NO_HOSTS, "tenant": site.tenant.id, named: site.options()[named]}
    run = site.info(environment=environment, **options)
    assert run.code == 2
    assert run.result["msg"].startswith(
        f"{named} is {site.options()[named]}, which is no host of Microsoft's, but the credential is not given by an"
        " option beside it (AZURE_SECRET); name the host by "
    )
    assert site.world.connections == 0
    given = {**options, "authority_url": site.simulator.authority_url, "graph_url": site.simulator.graph_url}
    run = site.info(environment=environment, allow_environment_credential=True, **given)
    assert run.code == 0, run.output


def test_a_credential_of_the_run_is_not_sent_to_a_host_that_the_tasks_environment_names(site: Site) -> None:
    credential = {
        "AZURE_TENANT": site.tenant.id,
        "AZURE_CLIENT_ID": site.app.client_id,
        "AZURE_SECRET": str(site.app.secret),
    }
    module, options = "graphops.intune.intune_exchange_connector_info", {"ca_path": site.simulator.ca_path}
    # As inventory values give it.
    mine = {"environment": "{{ mine }}", "vars": {"mine": site.hosts}, "ignore_errors": True}
    named = {"graph_url": site.simulator.graph_url, "authority_url": site.simulator.authority_url}
    run = site.play(
        [
            {module: options, **mine},
            {module: options, **mine, "vars": {"mine": {**site.hosts, **credential}}},
            {module: {**options, "allow_environment_credential": True}, **mine},
        ],
        environment=credential,
    )
    refused, *others = run.results
    assert refused["msg"].startswith(
        f"AZURE_AUTHORITY_HOST is {site.simulator.authority_url} for this task, which is no host of Microsoft's, but"
        " the credential is not given beside it (AZURE_SECRET); set that variable for the whole run, "
    )
    assert ["connectors" in result for result in others] == [True, True]
    # An option may repeat what the run's environment names.
    run = site.play([{module: {**options, **named}}], environment={**credential, **site.hosts})
    assert run.code == 0, run.output


def test_a_cloud_that_is_none(site: Site) -> None:
    run = site.info(environment={"AZURE_CLOUD_ENVIRONMENT": "AzureGermanCloud"})
    assert (
        "AZURE_CLOUD_ENVIRONMENT is 'AzureGermanCloud', which is no cloud known here; use one of " in run.result["msg"]
    )


class Certificate:
    """A self-signed certificate of an app."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "intune-app")])
        now = datetime.datetime.now(datetime.timezone.utc)
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .sign(self.key, hashes.SHA256())
        )
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM)
        self.thumbprint = self.certificate.fingerprint(hashes.SHA1()).hex(":").upper()  # noqa: S303

    def key_pem(self, password: bytes | None = None) -> bytes:
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            BestAvailableEncryption(password) if password else NoEncryption(),
        )

    def pfx(self, password: bytes | None = None) -> bytes:
        sealing = BestAvailableEncryption(password) if password else NoEncryption()
        return pkcs12.serialize_key_and_certificates(b"app", self.key, self.certificate, None, sealing)


@pytest.mark.parametrize("form", ["pem", "encrypted pem", "pfx", "encrypted pfx", "key and thumbprint"])
def test_certificate(site: Site, tmp_path: Path, form: str) -> None:
    own = Certificate()
    app = site.tenant.add_app(certificate=own.pem.decode())
    path = tmp_path / "app"
    options = {"tenant": site.tenant.domain, "client_id": app.client_id, "x509_certificate_path": str(path)}
    password = b"pass-phrase" if form.startswith("encrypted") else None
    if password:
        options["x509_certificate_password"] = password.decode()
    if form == "key and thumbprint":
        options["thumbprint"] = own.thumbprint
        path.write_bytes(own.key_pem())
    else:
        path.write_bytes(own.pfx(password) if form.endswith("pfx") else own.key_pem(password) + own.pem)
    assert read(site, **options) == ["client_credentials"]


@pytest.mark.parametrize("variable", ["AZURE_X509_CERTIFICATE_PATH", "AZURE_CLIENT_CERTIFICATE_PATH"])
def test_certificate_by_environment(site: Site, tmp_path: Path, variable: str) -> None:
    own = Certificate()
    app = site.tenant.add_app(certificate=own.pem.decode())
    path = tmp_path / "app.pfx"
    path.write_bytes(own.pfx(b"pass-phrase"))
    environment = {
        "AZURE_TENANT": site.tenant.id,
        "AZURE_CLIENT_ID": app.client_id,
        variable: str(path),
        "AZURE_CLIENT_CERTIFICATE_PASSWORD": "pass-phrase",
    }
    assert read(site, environment) == ["client_credentials"]


@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n"])
def test_a_certificate_that_cannot_be_used_fails_before_any_network_call(
    site: Site, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "app.pem"
    if content is not None:
        path.write_bytes(content)
    run = site.sync(secret=None, x509_certificate_path=str(path))
    assert run.result["msg"].startswith(f"x509_certificate_path '{path}' ")
    assert site.world.connections == 0


@pytest.mark.parametrize(
    "by", ["oidc_token", "oidc_token_file_path", "AZURE_FEDERATED_TOKEN", "AZURE_FEDERATED_TOKEN_FILE"]
)
def test_federated_token(site: Site, tmp_path: Path, by: str) -> None:
    app = site.tenant.add_app(federated={"eyJ0-federated-token"})
    file = tmp_path / "token"
    file.write_text("eyJ0-federated-token\n")
    value = str(file) if "file" in by.lower() else "eyJ0-federated-token"
    given = {by: value}
    if by.isupper():
        identity = {"AZURE_TENANT_ID": site.tenant.id, "AZURE_CLIENT_ID": app.client_id}
        assert read(site, {**identity, **given}) == ["client_credentials"]
    else:
        assert read(site, tenant=site.tenant.id, client_id=app.client_id, **given) == ["client_credentials"]


def test_a_file_with_a_federated_token_is_read_anew_for_each_sign_in(site: Site, tmp_path: Path) -> None:
    app = site.tenant.add_app(federated={"second-token"})
    file = tmp_path / "token"
    file.write_text("second-token")
    site.world.faults.add(Fault("get", status=401))
    options = {"client_id": app.client_id, "oidc_token_file_path": str(file)}
    run = site.sync(environment=site.hosts, **{"secret": None, **NO_HOSTS, **options})
    assert run.result["sync"]["state"] == "completed"
    assert len(site.requests("token")) == 2


@pytest.mark.parametrize(
    ("user", "alias", "name"),
    [
        ("AZURE_AD_USER", "ad_user", "ops#1@contoso.example"),
        ("AZURE_USERNAME", "username", "guest_fabrikam.example#EXT#@contoso.example"),
        ("AZURE_USERNAME", "username", "a?b/c%20d e@contoso.example"),
    ],
)
@pytest.mark.parametrize("by", ["options", "environment"])
def test_user_name_and_password(site: Site, user: str, alias: str, name: str, by: str) -> None:
    app = site.tenant.add_app(public=True)
    site.tenant.add_user(name, "pass word 1")
    if by == "options":
        grants = read(
            site, tenant=site.tenant.domain, client_id=app.client_id, **{alias: name, "password": "pass word 1"}
        )
    else:
        environment = {
            "AZURE_TENANT": site.tenant.domain,
            "AZURE_CLIENT_ID": app.client_id,
            user: name,
            "AZURE_PASSWORD": "pass word 1",
        }
        grants = read(site, environment)
    assert grants == ["password"]


def test_user_name_and_password_alone_as_awx_gives_them(site: Site) -> None:
    """AWX's Azure credential has no app for a user, and empty strings where nothing was entered."""
    site.tenant.add_app(client_id="14d82eec-204b-4c2f-b7e8-296a70dab67e", public=True)
    site.tenant.add_user("admin@contoso.example", "pass word 1")
    environment = {
        "AZURE_SUBSCRIPTION_ID": "",
        "AZURE_CLIENT_ID": "",
        "AZURE_TENANT": "",
        "AZURE_SECRET": "",
        "AZURE_AD_USER": "admin@contoso.example",
        "AZURE_PASSWORD": "pass word 1",
        "AZURE_CLOUD_ENVIRONMENT": "",
    }
    assert read(site, environment) == ["password"]


def test_a_confidential_app_proves_itself_beside_its_user(site: Site) -> None:
    site.tenant.add_user("admin@contoso.example", "pass word 1")
    grants = read(
        site,
        auth_source="password",
        tenant=site.tenant.domain,
        client_id=site.app.client_id,
        secret=site.app.secret,
        username="admin@contoso.example",
        password="pass word 1",
    )
    assert grants == ["password"]


@pytest.mark.parametrize("by", ["option", "environment"])
def test_refresh_token(site: Site, by: str) -> None:
    app = site.tenant.add_app(public=True)
    token = app.refresh_token(site.tenant.add_user("admin@contoso.example", "x"))
    given = {"tenant": site.tenant.domain, "client_id": app.client_id}
    if by == "option":
        assert read(site, **given, refresh_token=token) == ["refresh_token"]
    else:
        assert read(site, {"MSGRAPH_REFRESH_TOKEN": token}, **given) == ["refresh_token"]


@pytest.mark.parametrize("by", ["option", "environment"])
def test_access_token(site: Site, by: str) -> None:
    token = site.world.issue_access_token(site.app, site.simulator.graph_url)
    grants = read(site, access_token=token) if by == "option" else read(site, {"MSGRAPH_ACCESS_TOKEN": token})
    assert grants == []
    assert site.world.connections_to("entra") == 0


def test_an_access_token_that_is_refused(site: Site) -> None:
    run = site.sync(**NO_IDENTITY, access_token="worn-out")
    assert "could not read it, Graph answered HTTP 401 (Unauthorized): " in run.result["msg"]
    assert run.result["msg"].endswith("; check that the token is meant for this Graph host and has not expired.")
    assert len(site.requests("get")) == 1


@pytest.mark.parametrize("auth_source", ["auto", "msi"])
@pytest.mark.parametrize("user_assigned", [False, True])
def test_managed_identity(site: Site, auth_source: str, user_assigned: bool) -> None:
    site.world.managed_identity = site.app
    environment = {
        "IDENTITY_ENDPOINT": site.simulator.managed_identity_url,
        "IDENTITY_HEADER": site.world.identity_header,
    }
    client_id = site.app.client_id if user_assigned else None
    assert read(site, environment, auth_source=auth_source, client_id=client_id) == ["managed_identity"]
    (request,) = site.requests("managed_identity")
    assert request.query.get("client_id") == client_id
    assert request.query["resource"] == site.simulator.graph_url


@pytest.mark.parametrize("auth_source", ["auto", "cli"])
def test_azure_cli(site: Site, tmp_path: Path, auth_source: str) -> None:
    token = site.world.issue_access_token(site.app, site.simulator.graph_url)
    az = tmp_path / "bin" / "az"
    az.parent.mkdir()
    answer = json.dumps({"accessToken": token, "expires_on": 4102444800})
    az.write_text(f"#!/bin/sh\necho \"$@\" > '{tmp_path}/arguments'\ncat <<'EOF'\n{answer}\nEOF\n")
    az.chmod(0o755)
    environment = {"PATH": os.pathsep.join((str(az.parent), str(BIN), os.environ["PATH"]))}
    assert read(site, environment, auth_source=auth_source, tenant="contoso.example") == []
    assert (tmp_path / "arguments").read_text().split() == [
        *["account", "get-access-token", "--output", "json", "--scope"],
        f"{site.simulator.graph_url}/.default",
        *["--tenant", "contoso.example"],
    ]
    assert site.world.connections_to("entra") == 0


def test_a_wrong_secret(site: Site) -> None:
    run = site.sync(secret="wrong-secret-value")
    assert (run.code, run.result["changed"]) == (2, False)
    assert run.result["msg"].startswith(
        f"Exchange connector {site.connector.id} in tenant contoso.example: sign-in as client"
        f" {site.app.client_id} with the app's secret was refused (HTTP 401): AADSTS7000215: Invalid client secret"
    )
    assert run.result["msg"].endswith(
        "; set secret to the secret's value (not its ID) and check that it belongs to client_id."
    )
    assert run.result["request_id"]
    assert site.world.connections_to("graph") == 0
    assert len(site.requests("token")) == 1, "a refusal is final"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"tenant": "nowhere.example"}, "AADSTS90002"),
        ({"client_id": "00000000-0000-0000-0000-00000000beef"}, "AADSTS700016"),
        ({"secret": None, "username": "admin@contoso.example", "password": "wrong"}, "AADSTS50126"),
        ({"secret": None, "username": "mfa@contoso.example", "password": "right"}, "AADSTS50076"),
        ({"secret": None, "refresh_token": "1.unknown"}, "AADSTS70000"),
        ({"secret": None, "oidc_token": "eyJ0-unknown"}, "AADSTS"),
    ],
)
def test_entras_own_words_are_told(site: Site, options: dict[str, t.Any], code: str) -> None:
    site.tenant.add_user("admin@contoso.example", "right")
    site.tenant.add_user("mfa@contoso.example", "right", mfa=True)
    if options.get("client_id") is None and options.get("secret", "") is None and "oidc_token" not in options:
        options = {**options, "client_id": site.tenant.add_app(public=True).client_id}
    message = site.sync(**options).result["msg"]
    assert code in message
    assert "Trace ID" not in message
    assert "Unable to get authority" not in message


def test_an_incomplete_identity_lists_the_ways(site: Site) -> None:
    message = site.sync(client_id=None).result["msg"]
    assert message.startswith("the identity is incomplete: secret is given without client_id; give one of these ")
    for option in (
        "access_token",
        "secret",
        "x509_certificate_path",
        "oidc_token",
        "refresh_token",
        "username",
        "msi",
        "cli",
    ):
        assert option in message
    assert site.world.connections == 0


def test_empty_choices_count_as_not_given(site: Site) -> None:
    empty = {"auth_source": "", "cloud_environment": "", "username": "", "x509_certificate_path": ""}
    tasks = [
        {INFO: site.options(connector_id=None, wait_sleep=None, **empty), "vars": {"graphops_intune_in_process": here}}
        for here in (True, False)
    ]
    run = site.play(tasks)
    assert run.code == 0, run.output


def test_a_chosen_way_is_not_left(site: Site) -> None:
    message = site.sync(auth_source="certificate").result["msg"]
    assert message == (
        "auth_source is certificate, but x509_certificate_path is not given; give x509_certificate_path (or"
        " AZURE_X509_CERTIFICATE_PATH or AZURE_CLIENT_CERTIFICATE_PATH)."
    )


@pytest.mark.parametrize("library", ["requests", "msal"])
def test_a_missing_library_is_named_with_the_python_that_lacks_it(site: Site, tmp_path: Path, library: str) -> None:
    (tmp_path / f"{library}.py").write_text("raise ImportError('not installed')")
    task = {
        "graphops.intune.intune_exchange_connector_sync": site.options(),
        "environment": {"PYTHONPATH": str(tmp_path)},
        "vars": {"graphops_intune_in_process": False},
    }
    run = site.play([task])
    assert run.code == 2
    assert f"Failed to import the required Python library ({library}) on " in run.result["msg"]
    assert f"Python {BIN.resolve()}/python" in run.result["msg"]
    assert run.result["msg"].endswith(" or later there, or delegate the task to localhost.")
    assert site.world.connections == 0
