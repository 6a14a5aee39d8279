# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulator, driven as clients drive the real services: with requests and with MSAL."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
import typing as t
import warnings
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from pathlib import Path

import jwt
import msal
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID
from simulator import App, Fault, Hold, Simulator, Tenant, World, demo_world
from unit.simulator.conftest import Graph, intune

SCOPE = "https://graph.microsoft.com/.default"
SHA1 = hashes.SHA1()  # noqa: S303 - what the x5t header is defined to hold
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
Post = t.Callable[..., requests.Response]


class Identity(t.NamedTuple):
    """A client certificate with its key."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    @property
    def key_pem(self) -> str:
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()

    @property
    def certificate_pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()


def make_identity() -> Identity:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "client")])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return Identity(key, certificate)


@pytest.fixture(scope="module")
def identity() -> Identity:
    return make_identity()


@pytest.fixture
def post(http: requests.Session, sim: Simulator, tenant: Tenant, app: App) -> Post:
    """Post to the token endpoint of the tenant, by default a good request with the secret of ``app``."""

    def send(authority: str | None = None, **changes: str | None) -> requests.Response:
        form: dict[str, str | None] = {
            "grant_type": "client_credentials",
            "client_id": app.client_id,
            "client_secret": app.secret,
            "scope": SCOPE,
            **changes,
        }
        url = f"{sim.authority_url}/{authority or tenant.id}/oauth2/v2.0/token"
        return http.post(url, data={k: v for k, v in form.items() if v is not None}, timeout=10)

    return send


def code_of(response: requests.Response) -> tuple[int, str, int]:
    """Status, OAuth error and AADSTS number of a refusal by Entra."""
    body = response.json()
    return response.status_code, body["error"], body["error_codes"][0]


def confidential(sim: Simulator, http: requests.Session, tenant: Tenant, app: App, credential: t.Any) -> t.Any:
    return msal.ConfidentialClientApplication(
        app.client_id,
        client_credential=credential,
        authority=f"{sim.authority_url}/{tenant.domain}",
        instance_discovery=False,
        http_client=http,
    )


def works(graph: Graph, token: str) -> int:
    """Status of a list with ``token``."""
    graph.token = token
    return graph.list().status_code


# Entra: metadata


@pytest.mark.parametrize("by", ["id", "domain", "upper"])
def test_metadata_names_the_tenant_by_id(
    http: requests.Session, sim: Simulator, tenant: Tenant, world: World, by: str
) -> None:
    name = {"id": tenant.id, "domain": tenant.domain, "upper": tenant.domain.upper()}[by]
    response = http.get(f"{sim.authority_url}/{name}/v2.0/.well-known/openid-configuration")
    assert response.status_code == 200
    body = response.json()
    base = f"{sim.authority_url}/{tenant.id}"
    assert body["issuer"] == f"{base}/v2.0"
    assert body["token_endpoint"] == f"{base}/oauth2/v2.0/token"
    assert body["device_authorization_endpoint"] == f"{base}/oauth2/v2.0/devicecode"
    assert http.get(body["jwks_uri"]).json() == {"keys": []}
    assert [(r.where, r.tenant_id) for r in world.requests] == [("metadata", tenant.id), ("keys", None)]


def test_metadata_of_shared_authority(http: requests.Session, sim: Simulator) -> None:
    body = http.get(f"{sim.authority_url}/organizations/v2.0/.well-known/openid-configuration").json()
    assert body["issuer"] == f"{sim.authority_url}/{{tenantid}}/v2.0"
    assert body["token_endpoint"] == f"{sim.authority_url}/organizations/oauth2/v2.0/token"


def test_metadata_of_unknown_tenant(http: requests.Session, sim: Simulator) -> None:
    response = http.get(f"{sim.authority_url}/nobody.example/v2.0/.well-known/openid-configuration")
    assert code_of(response) == (400, "invalid_tenant", 90002)
    assert "Tenant 'nobody.example' not found" in response.json()["error_description"]


def test_user_realm_and_discovery_are_recorded(
    http: requests.Session, sim: Simulator, tenant: Tenant, world: World
) -> None:
    known = http.get(f"{sim.authority_url}/common/userrealm/admin%40{tenant.domain}?api-version=1.0").json()
    unknown = http.get(f"{sim.authority_url}/common/userrealm/admin@nobody.example").json()
    assert (known["account_type"], known["domain_name"]) == ("Managed", tenant.domain)
    assert unknown["account_type"] == "Unknown"
    assert "tenant_discovery_endpoint" in http.get(f"{sim.authority_url}/common/discovery/instance").json()
    assert [r.where for r in world.requests] == ["userrealm", "userrealm", "discovery"]


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/"), ("GET", "/contoso.example/oauth2/v2.0/token"), ("PUT", "/x")]
)
def test_entra_knows_nothing_else(http: requests.Session, sim: Simulator, world: World, method: str, path: str) -> None:
    world.add_tenant("contoso.example")
    assert http.request(method, f"{sim.authority_url}{path}").status_code == 404
    assert world.requests[0].where == "other"


# Entra: client credentials


def test_secret_success_in_full(post: Post, graph: Graph, world: World, tenant: Tenant) -> None:
    response = post()
    assert response.status_code == 200
    body = response.json()
    assert set(body) == {"token_type", "expires_in", "ext_expires_in", "access_token"}
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 3600)
    assert re.fullmatch(r"eyJ[\w-]+\.[\w-]+\.[\w-]{300,}", body["access_token"])
    record = world.requests[0]
    assert (record.host, record.where, record.tenant_id) == ("entra", "token", tenant.id)
    assert record.request_id == response.headers["x-ms-request-id"]
    assert works(graph, body["access_token"]) == 200


def test_refusal_in_full(post: Post, world: World, sim: Simulator) -> None:
    response = post(client_secret="wrong")
    body = response.json()
    assert code_of(response) == (401, "invalid_client", 7000215)
    assert re.fullmatch(
        r"AADSTS7000215: Invalid client secret provided\..* Trace ID: [0-9a-f-]{36} Correlation ID: [0-9a-f-]{36} "
        r"Timestamp: \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ",
        body["error_description"],
    )
    assert body["trace_id"] == response.headers["x-ms-request-id"] == world.requests[0].request_id
    assert body["correlation_id"] in body["error_description"]
    assert body["timestamp"] in body["error_description"]
    assert body["error_uri"] == f"{sim.authority_url}/error?code=7000215"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"client_id": "11111111-1111-4111-8111-111111111111"}, (400, "unauthorized_client", 700016)),
        ({"client_id": None}, (400, "invalid_request", 900144)),
        ({"client_secret": None}, (401, "invalid_client", 7000218)),
        ({"grant_type": None}, (400, "invalid_request", 900144)),
        ({"grant_type": "authorization_code"}, (400, "unsupported_grant_type", 70003)),
        ({"scope": None}, (400, "invalid_request", 900144)),
        ({"scope": "https://graph.microsoft.com/User.Read"}, (400, "invalid_scope", 1002012)),
        ({"scope": "api://something/.default"}, (400, "invalid_scope", 70011)),
        ({"scope": "http://graph.microsoft.com/.default"}, (400, "invalid_scope", 70011)),
        ({"authority": "nobody.example"}, (400, "invalid_request", 90002)),
        ({"authority": "organizations"}, (400, "invalid_request", 50059)),
        ({"client_secret": None, "client_assertion": "a.b.c"}, (400, "invalid_request", 900144)),
        (
            {"client_secret": None, "client_assertion": "a.b.c", "client_assertion_type": ASSERTION_TYPE},
            (401, "invalid_client", 700213),
        ),
    ],
)
def test_client_credentials_refused(post: Post, changes: dict[str, str | None], expected: tuple[int, str, int]) -> None:
    assert code_of(post(**changes)) == expected


def test_public_app_must_not_present_a_secret(post: Post, tenant: Tenant) -> None:
    app = tenant.add_app(public=True)
    assert app.secret is None
    assert code_of(post(client_id=app.client_id, client_secret="x")) == (401, "invalid_client", 700025)


def test_only_the_configured_resource_is_issued_and_accepted(post: Post, graph: Graph, world: World) -> None:
    token = post(scope="https://graph.microsoft.us/.default").json()["access_token"]
    assert works(graph, token) == 200
    world.graph_resource = "https://graph.microsoft.com"
    refused = graph.list()
    assert refused.status_code == 401
    assert "Invalid audience" in refused.json()["error"]["message"]
    assert code_of(post(scope="https://graph.microsoft.us/.default")) == (400, "invalid_resource", 500011)
    assert works(graph, post().json()["access_token"]) == 200


def test_tokens_are_of_the_tenant_asked(post: Post, graph: Graph, world: World, app: App) -> None:
    other = world.add_tenant("fabrikam.example")
    other.add_app(client_id=app.client_id, secret=app.secret)
    other.add_connector()
    assert graph.list().json()["value"] == []
    graph.token = post(authority="Fabrikam.Example").json()["access_token"]
    assert len(graph.list().json()["value"]) == 1
    assert [r.tenant_id for r in world.requests[-2:]] == [other.id, other.id]


# Entra: certificates and federation, with MSAL


def test_msal_secret(sim: Simulator, http: requests.Session, tenant: Tenant, app: App, graph: Graph) -> None:
    result = confidential(sim, http, tenant, app, "right").acquire_token_for_client([SCOPE])
    assert result["token_source"] == "identity_provider"
    assert works(graph, result["access_token"]) == 200
    refused = confidential(sim, http, tenant, app, "wrong").acquire_token_for_client([SCOPE])
    assert refused["error_codes"] == [7000215]


def test_msal_never_asks_for_discovery_of_an_unknown_host(
    sim: Simulator, http: requests.Session, tenant: Tenant, app: App, world: World
) -> None:
    confidential(sim, http, tenant, app, "right").acquire_token_for_client([SCOPE])
    assert [r.where for r in world.requests] == ["metadata", "token"]


def test_msal_certificate_pem(
    sim: Simulator, http: requests.Session, tenant: Tenant, graph: Graph, identity: Identity
) -> None:
    app = tenant.add_app(certificate=identity.certificate_pem)
    assert app.secret is None
    thumbprint = identity.certificate.fingerprint(SHA1).hex()
    with_sha1 = {"private_key": identity.key_pem, "thumbprint": thumbprint}
    result = confidential(sim, http, tenant, app, with_sha1).acquire_token_for_client([SCOPE])
    assert works(graph, result["access_token"]) == 200

    other = make_identity()
    unknown = {"private_key": other.key_pem, "thumbprint": other.certificate.fingerprint(SHA1).hex()}
    refused = confidential(sim, http, tenant, app, unknown).acquire_token_for_client([SCOPE])
    assert refused["error_codes"] == [700027]
    assert "key was not found" in refused["error_description"]
    forged = {"private_key": other.key_pem, "thumbprint": thumbprint}
    refused = confidential(sim, http, tenant, app, forged).acquire_token_for_client([SCOPE])
    assert refused["error_codes"] == [700027]
    assert "key used is invalid" in refused["error_description"]


def test_msal_certificate_pfx(
    sim: Simulator,
    http: requests.Session,
    tenant: Tenant,
    graph: Graph,
    identity: Identity,
    world: World,
    tmp_path: Path,
) -> None:
    app = tenant.add_app(certificate=identity.certificate_pem)
    pfx = tmp_path / "client.pfx"
    pfx.write_bytes(
        pkcs12.serialize_key_and_certificates(
            b"client", identity.key, identity.certificate, None, serialization.BestAvailableEncryption(b"phrase")
        )
    )
    credential = {"private_key_pfx_path": str(pfx), "passphrase": "phrase"}
    result = confidential(sim, http, tenant, app, credential).acquire_token_for_client([SCOPE])
    assert works(graph, result["access_token"]) == 200
    form = dict(part.split("=", 1) for part in world.requests[-2].body.decode().split("&"))
    header = jwt.get_unverified_header(form["client_assertion"])
    assert header["alg"] == "PS256"
    assert "x5t#S256" in header


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, None),
        ({"exp": -400, "nbf": -900}, 700024),
        ({"nbf": 400}, 700024),
        ({"aud": "https://elsewhere.example"}, 700023),
        ({"iss": "somebody"}, 700021),
        ({"sub": "somebody"}, 700021),
        ({"iss": "somebody", "sub": "somebody"}, 700021),
        ({"exp": None}, 50027),
    ],
)
def test_claims_of_an_assertion(
    post: Post, tenant: Tenant, sim: Simulator, identity: Identity, change: dict[str, t.Any], code: int | None
) -> None:
    app = tenant.add_app(certificate=identity.certificate_pem)
    now = time.time()
    claims: dict[str, t.Any] = {
        "aud": f"{sim.authority_url}/{tenant.domain}/oauth2/v2.0/token",
        "iss": app.client_id,
        "sub": app.client_id,
        "nbf": now,
        "exp": now + 600,
    }
    for name, value in change.items():
        claims[name] = now + value if isinstance(value, int) else value
    thumbprint = base64.urlsafe_b64encode(identity.certificate.fingerprint(hashes.SHA256())).decode()
    assertion = jwt.encode(
        {name: value for name, value in claims.items() if value is not None},
        identity.key,
        algorithm="RS256",
        headers={"x5t#S256": thumbprint},
    )
    response = post(
        client_id=app.client_id,
        client_secret=None,
        client_assertion=assertion,
        client_assertion_type=ASSERTION_TYPE,
    )
    if code is None:
        assert response.status_code == 200
    else:
        assert code_of(response) == (401, "invalid_client", code)


def test_assertion_is_judged_by_the_clock_of_the_world(
    sim: Simulator, http: requests.Session, tenant: Tenant, world: World, identity: Identity
) -> None:
    app = tenant.add_app(certificate=identity.certificate_pem)
    world.clock_offset = timedelta(hours=2)
    credential = {"private_key": identity.key_pem, "public_certificate": identity.certificate_pem}
    result = confidential(sim, http, tenant, app, credential).acquire_token_for_client([SCOPE])
    assert result["error_codes"] == [700024]


@pytest.mark.parametrize("algorithm", ["none", "RS512"])
def test_assertion_with_another_algorithm(post: Post, tenant: Tenant, identity: Identity, algorithm: str) -> None:
    app = tenant.add_app(certificate=identity.certificate_pem)
    thumbprint = base64.urlsafe_b64encode(identity.certificate.fingerprint(SHA1)).decode()
    key = "" if algorithm == "none" else identity.key
    assertion = jwt.encode({"iss": app.client_id}, key, algorithm=algorithm, headers={"x5t": thumbprint})
    response = post(
        client_id=app.client_id, client_secret=None, client_assertion=assertion, client_assertion_type=ASSERTION_TYPE
    )
    assert code_of(response) == (401, "invalid_client", 700027)


def test_malformed_assertion(post: Post, tenant: Tenant, identity: Identity) -> None:
    app = tenant.add_app(certificate=identity.certificate_pem)
    response = post(
        client_id=app.client_id, client_secret=None, client_assertion="rubbish", client_assertion_type=ASSERTION_TYPE
    )
    assert code_of(response) == (401, "invalid_client", 50027)


def test_msal_federated(sim: Simulator, http: requests.Session, tenant: Tenant, graph: Graph) -> None:
    app = tenant.add_app(federated=["pod-token-1"])
    assert app.secret is None
    result = confidential(sim, http, tenant, app, {"client_assertion": lambda: "pod-token-1"})
    assert works(graph, result.acquire_token_for_client([SCOPE])["access_token"]) == 200
    refused = confidential(sim, http, tenant, app, {"client_assertion": lambda: "pod-token-2"})
    assert refused.acquire_token_for_client([SCOPE])["error_codes"] == [700213]


# Entra: users


def msal_password(sim: Simulator, http: requests.Session, authority: str, app: App, name: str, password: str) -> t.Any:
    # MSAL drops the port from the address of the user realm, so that call is led to the right place.
    class Client(requests.Session):
        def get(self, url: t.Any, **options: t.Any) -> requests.Response:
            return http.get(re.sub(r"^https://127\.0\.0\.1/", f"{sim.authority_url}/", str(url)), **options)

        def post(self, url: t.Any, **options: t.Any) -> requests.Response:  # type: ignore[override]
            return http.post(url, **options)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        client = msal.PublicClientApplication(
            app.client_id,
            authority=f"{sim.authority_url}/{authority}",
            instance_discovery=False,
            http_client=Client(),
        )
        return client.acquire_token_by_username_password(name, password, [SCOPE])


@pytest.mark.parametrize("authority", ["contoso.example", "organizations", "common"])
def test_msal_password(
    sim: Simulator, http: requests.Session, tenant: Tenant, graph: Graph, world: World, authority: str
) -> None:
    user = tenant.add_user("Admin@contoso.example", "pass word")
    app = tenant.add_app(public=True)
    result = msal_password(sim, http, authority, app, "admin@Contoso.example", "pass word")
    assert works(graph, result["access_token"]) == 200
    claims = result["id_token_claims"]
    assert (claims["tid"], claims["oid"], claims["aud"]) == (tenant.id, user.object_id, app.client_id)
    assert claims["preferred_username"] == "Admin@contoso.example"
    assert json.loads(base64.urlsafe_b64decode(result["client_info"] + "==")) == {
        "uid": user.object_id,
        "utid": tenant.id,
    }
    assert result["refresh_token"]
    assert [r.where for r in world.requests] == ["metadata", "userrealm", "token", "list"]


@pytest.mark.parametrize(
    ("name", "password", "code"),
    [
        ("admin@contoso.example", "wrong", 50126),
        ("mfa@contoso.example", "right", 50076),
        ("nobody@contoso.example", "right", 50034),
        ("admin@nobody.example", "right", 50034),
    ],
)
def test_msal_password_refused(
    sim: Simulator, http: requests.Session, tenant: Tenant, name: str, password: str, code: int
) -> None:
    tenant.add_user("admin@contoso.example", "right")
    tenant.add_user("mfa@contoso.example", "right", mfa=True)
    result = msal_password(sim, http, "organizations", tenant.add_app(public=True), name, password)
    assert (result["error"], result["error_codes"]) == ("invalid_grant", [code])


def test_password_needs_the_secret_unless_public(post: Post, tenant: Tenant) -> None:
    tenant.add_user("admin@contoso.example", "right")
    form = {"grant_type": "password", "username": "admin@contoso.example", "password": "right"}
    assert code_of(post(**form, client_secret=None)) == (401, "invalid_client", 7000218)
    body = post(**form).json()
    assert "access_token" in body
    # Neither was asked for by the scope.
    assert "refresh_token" not in body
    assert "id_token" not in body


def test_scope_of_users(post: Post, tenant: Tenant) -> None:
    tenant.add_user("admin@contoso.example", "right")
    form = {"grant_type": "password", "username": "admin@contoso.example", "password": "right"}
    two = "https://graph.microsoft.com/A https://vault.azure.net/B"
    assert code_of(post(**form, scope=two)) == (400, "invalid_request", 28000)
    assert code_of(post(**form, scope="openid")) == (400, "invalid_scope", 70011)
    assert code_of(post(**form, scope="User.Read")) == (400, "invalid_scope", 70011)
    assert post(**form, scope="https://graph.microsoft.com/A https://graph.microsoft.com/B").status_code == 200


def test_msal_refresh_token_rotates(
    sim: Simulator, http: requests.Session, tenant: Tenant, app: App, graph: Graph
) -> None:
    seed = app.refresh_token(tenant.add_user("admin@contoso.example", "x"))
    client = confidential(sim, http, tenant, app, "right")
    first = client.acquire_token_by_refresh_token(seed, [SCOPE])
    assert works(graph, first["access_token"]) == 200
    assert first["refresh_token"] != seed
    for token in (seed, first["refresh_token"]):
        assert "access_token" in client.acquire_token_by_refresh_token(token, [SCOPE])


def test_refresh_token_on_shared_authority(post: Post, tenant: Tenant, app: App, world: World) -> None:
    seed = app.refresh_token(tenant.add_user("admin@contoso.example", "x"))
    assert post("organizations", grant_type="refresh_token", refresh_token=seed).status_code == 200
    assert world.requests[0].tenant_id == tenant.id


def test_refresh_token_refused(post: Post, tenant: Tenant, app: App, world: World) -> None:
    user = tenant.add_user("admin@contoso.example", "x")
    seed = app.refresh_token(user)
    foreign = tenant.add_app().refresh_token(user)
    other = world.add_tenant("fabrikam.example")
    other.add_app(client_id=app.client_id, secret=app.secret)
    form = {"grant_type": "refresh_token", "refresh_token": seed}
    for changes in ({"refresh_token": "1.unknown"}, {"refresh_token": foreign}, {"authority": other.id}):
        assert code_of(post(**{**form, **changes})) == (400, "invalid_grant", 70000)
    assert code_of(post("common", **{**form, "refresh_token": "1.unknown"})) == (400, "invalid_grant", 70000)
    assert code_of(post(**form, client_secret=None)) == (401, "invalid_client", 7000218)
    world.clock_offset = timedelta(days=89)
    assert post(**form).status_code == 200
    world.clock_offset = timedelta(days=91)
    assert code_of(post(**form)) == (400, "invalid_grant", 700082)


# Managed identity


def managed_identity(http: requests.Session, sim: Simulator, world: World, **changes: str | None) -> requests.Response:
    query = {"api-version": "2019-08-01", "resource": "https://graph.microsoft.com", **changes}
    header = query.pop("header", world.identity_header)
    return http.get(sim.managed_identity_url, params=query, headers={"X-IDENTITY-HEADER": header})


def test_msal_managed_identity(
    http: requests.Session,
    sim: Simulator,
    world: World,
    app: App,
    tenant: Tenant,
    graph: Graph,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", sim.managed_identity_url)
    monkeypatch.setenv("IDENTITY_HEADER", world.identity_header)
    system = msal.ManagedIdentityClient(msal.SystemAssignedManagedIdentity(), http_client=http)
    # No identity yet.
    assert "error" in system.acquire_token_for_client(resource="https://graph.microsoft.com")
    world.managed_identity = app
    result = system.acquire_token_for_client(resource="https://graph.microsoft.com")
    assert 3500 < result["expires_in"] <= 3600
    assert works(graph, result["access_token"]) == 200
    assert [(r.where, r.tenant_id) for r in world.requests[:2]] == [
        ("managed_identity", None),
        ("managed_identity", tenant.id),
    ]
    own = tenant.add_app(roles=())
    user = msal.ManagedIdentityClient(msal.UserAssignedManagedIdentity(client_id=own.client_id), http_client=http)
    token = user.acquire_token_for_client(resource="https://graph.microsoft.com")["access_token"]
    assert works(graph, token) == 403


def test_managed_identity_answers(http: requests.Session, sim: Simulator, world: World, app: App) -> None:
    world.managed_identity = app
    good = managed_identity(http, sim, world)
    assert set(good.json()) == {"access_token", "expires_on", "resource", "token_type", "client_id"}
    assert good.json()["client_id"] == app.client_id
    assert isinstance(good.json()["expires_on"], str)
    for changes, status in (
        ({"header": "wrong"}, 401),
        ({"api-version": "2017-09-01"}, 400),
        ({"client_id": "11111111-1111-4111-8111-111111111111"}, 400),
        ({"object_id": "x"}, 400),
        ({"resource": "graph"}, 500),
        ({"resource": "https://graph.microsoft.com/.default"}, 500),
    ):
        response = managed_identity(http, sim, world, **changes)
        assert (response.status_code, response.json()["statusCode"]) == (status, status), changes
        assert set(response.json()) == {"statusCode", "message", "correlationId"}


def test_user_assigned_identity_belongs_to_the_tenant_of_its_host(
    http: requests.Session, sim: Simulator, world: World, app: App
) -> None:
    host = world.add_tenant("fabrikam.example")
    world.managed_identity = host.add_app()
    host.add_app(client_id=app.client_id)
    managed_identity(http, sim, world, client_id=app.client_id)
    assert world.requests[0].tenant_id == host.id


# Graph: reading


def test_get_in_full(graph: Graph, tenant: Tenant, world: World, sim: Simulator) -> None:
    when = datetime(2026, 11, 22, 18, 0, 1, 234567, tzinfo=timezone(timedelta(hours=1)))
    connector = tenant.add_connector(last_sync=when, serverName="ex.contoso.example", exchangeConnectorType="hosted")
    response = graph.get(connector.id.upper(), headers={"client-request-id": "mine"})
    assert response.status_code == 200
    assert response.json() == {
        "@odata.context": f"{sim.graph_url}/v1.0/$metadata#deviceManagement/exchangeConnectors/$entity",
        "id": connector.id,
        "lastSyncDateTime": "2026-11-22T17:00:01.2345670Z",
        "status": "connected",
        "serverName": "ex.contoso.example",
        "connectorServerName": "conn001.contoso.example",
        "exchangeConnectorType": "hosted",
        "primarySmtpAddress": "connector001@contoso.example",
        "exchangeAlias": "contoso-ex001",
        "exchangeOrganization": "Contoso Organization 1",
        "version": "5.0.5777.0",
    }
    headers = response.headers
    assert headers["Content-Type"].startswith("application/json;odata.metadata=minimal;odata.streaming=true;")
    assert headers["client-request-id"] == "mine"
    assert json.loads(headers["x-ms-ags-diagnostic"])["ServerInfo"]["DataCenter"] == "West Europe"
    assert headers["request-id"] == world.requests[0].request_id != "mine"


def test_never_synced_and_overrides(graph: Graph, tenant: Tenant) -> None:
    connector = tenant.add_connector()
    assert connector.last_sync is None
    assert graph.get(connector.id).json()["lastSyncDateTime"] == "0001-01-01T00:00:00Z"
    connector.override = {"lastSyncDateTime": "yesterday", "status": "asleep"}
    for entity in (graph.get(connector.id).json(), graph.list().json()["value"][0]):
        assert (entity["lastSyncDateTime"], entity["status"]) == ("yesterday", "asleep")
    connector.wrap_in_value = True
    assert graph.get(connector.id).json()["value"]["id"] == connector.id


def test_connector_arguments_are_checked(tenant: Tenant) -> None:
    with pytest.raises(ValueError, match="displayName"):
        tenant.add_connector(displayName="x")
    with pytest.raises(ValueError, match="outcome"):
        tenant.add_connector(outcome="maybe")


def test_list_is_paged(graph: Graph, tenant: Tenant, sim: Simulator, world: World) -> None:
    ids = [tenant.add_connector().id for _number in range(5)]
    whole = graph.list().json()
    assert [entity["id"] for entity in whole["value"]] == ids
    assert len({entity["serverName"] for entity in whole["value"]}) == 5
    assert "@odata.nextLink" not in whole
    tenant.page_size = 2
    pages, url = [], ""
    while url is not None:
        page = graph.call("GET", url).json()
        pages.append([entity["id"] for entity in page["value"]])
        url = page.get("@odata.nextLink")
        assert url is None or url.startswith(f"{sim.graph_url}/v1.0/deviceManagement/exchangeConnectors?$skiptoken=")
    assert pages == [ids[:2], ids[2:4], ids[4:]]
    assert [r.where for r in world.requests] == ["list"] * 4


def test_top_is_the_size_of_pages(graph: Graph, tenant: Tenant) -> None:
    ids = [tenant.add_connector().id for _number in range(5)]
    first = graph.list(params={"$top": "2"}).json()
    second = graph.call("GET", first["@odata.nextLink"]).json()
    third = graph.call("GET", second["@odata.nextLink"]).json()
    pages = [[entity["id"] for entity in page["value"]] for page in (first, second, third)]
    assert pages == [ids[:2], ids[2:4], ids[4:]]
    assert "@odata.nextLink" not in third
    for query in ({"$top": "0"}, {"$top": "x"}, {"$skiptoken": "x"}, {"$filter": "id eq 'x'"}):
        response = graph.list(params=query)
        assert (response.status_code, response.json()["error"]["code"]) == (400, "BadRequest")


@pytest.mark.parametrize(
    ("host", "base"),
    [("graph.evil.example:8443", "https://graph.evil.example:8443"), ("http://127.0.0.1", "http://127.0.0.1")],
)
def test_next_link_to_another_host(graph: Graph, tenant: Tenant, host: str, base: str) -> None:
    tenant.add_connector()
    tenant.add_connector()
    tenant.page_size, tenant.next_link_host = 1, host
    assert graph.list().json()["@odata.nextLink"].startswith(f"{base}/v1.0/deviceManagement/exchangeConnectors?")


def test_empty_list(graph: Graph, tenant: Tenant) -> None:
    tenant.page_size = 1
    assert graph.list().json()["value"] == []


# Graph: refusals


def test_token_is_checked(graph: Graph, world: World, sim: Simulator, http: requests.Session) -> None:
    assert graph.list().status_code == 200
    good = graph.token
    missing = http.get(f"{sim.graph_url}/v1.0/deviceManagement/exchangeConnectors")
    basic = graph.list(headers={"Authorization": f"Basic {good}"})
    graph.token = "eyJ.unknown.token"
    unknown = graph.list()
    graph.token = good
    world.clock_offset = timedelta(hours=1)
    expired = graph.list()
    world.clock_offset = timedelta()
    assert graph.list().status_code == 200
    world.revoke_tokens()
    revoked = graph.list()
    for response in (missing, basic, unknown, expired, revoked):
        assert response.status_code == 401
        error = response.json()["error"]
        assert error["code"] == "InvalidAuthenticationToken"
        assert error["innerError"]["request-id"] == response.headers["request-id"]
        assert response.headers["WWW-Authenticate"] == (
            f'Bearer realm="", authorization_uri="{sim.authority_url}/common/oauth2/authorize", '
            'client_id="00000003-0000-0000-c000-000000000000"'
        )
    assert "empty" in missing.json()["error"]["message"]
    assert "expired" in expired.json()["error"]["message"]


def test_token_lifetime(post: Post, graph: Graph, world: World) -> None:
    world.token_lifetime = 10
    body = post().json()
    assert body["expires_in"] == 10
    world.clock_offset = timedelta(seconds=9)
    assert works(graph, body["access_token"]) == 200
    world.clock_offset = timedelta(seconds=11)
    assert works(graph, body["access_token"]) == 401


@pytest.mark.parametrize(
    ("role", "read", "write"),
    [
        ("DeviceManagementServiceConfig.Read.All", 200, 403),
        ("DeviceManagementConfiguration.Read.All", 200, 403),
        ("DeviceManagementServiceConfig.ReadWrite.All", 200, 204),
        ("DeviceManagementConfiguration.ReadWrite.All", 200, 204),
        ("User.Read.All", 403, 403),
    ],
)
def test_roles(graph: Graph, tenant: Tenant, world: World, sim: Simulator, role: str, read: int, write: int) -> None:
    connector = tenant.add_connector()
    graph.token = world.issue_access_token(tenant.add_app(roles=[role]), sim.graph_url)
    assert [graph.list().status_code, graph.get(connector.id).status_code] == [read, read]
    assert graph.sync(connector.id).status_code == write
    assert len(connector.accepted) == (write == 204)


def test_forbidden_is_nested_three_times(graph: Graph, tenant: Tenant, world: World, sim: Simulator) -> None:
    graph.token = world.issue_access_token(tenant.add_app(roles=[]), sim.graph_url)
    error = graph.sync(tenant.add_connector().id).json()["error"]
    assert error["code"] == "UnknownError"
    outer = json.loads(error["message"])
    assert outer["ErrorCode"] == "Forbidden"
    inner = json.loads(outer["Message"])
    assert inner["_version"] == 3
    assert "must have one of the following scopes: DeviceManagementServiceConfig.ReadWrite.All" in inner["Message"]
    assert inner["Message"].index(" - Operation ID") < inner["Message"].index(" - Activity ID")
    assert json.loads(inner["HttpHeaders"])["WWW-Authenticate"].startswith('Bearer realm="urn:intune:service')


def test_tenant_without_licence(graph: Graph, tenant: Tenant) -> None:
    connector = tenant.add_connector()
    tenant.has_intune_licence = False
    for response in (graph.list(), graph.get(connector.id), graph.sync(connector.id)):
        assert (response.status_code, response.json()["error"]["code"]) == (400, "BadRequest")
        assert intune(response)["Message"].startswith("Request not applicable to target tenant.")
    assert connector.accepted == []


def test_unknown_connector(graph: Graph, world: World) -> None:
    other = world.add_tenant("fabrikam.example").add_connector()
    for connector_id in ("11111111-1111-4111-8111-111111111111", other.id):
        for response in (graph.get(connector_id), graph.sync(connector_id)):
            assert (response.status_code, response.json()["error"]["code"]) == (404, "ResourceNotFound")
            assert intune(response)["_version"] == 3
    assert world.requests[0].object_id == "11111111-1111-4111-8111-111111111111"


@pytest.mark.parametrize(
    ("method", "path", "status", "code", "text"),
    [
        ("GET", "/v2.0/deviceManagement/exchangeConnectors", 404, "ResourceNotFound", "Invalid version: v2.0"),
        ("GET", "/beta/deviceManagement/exchangeConnectors", 400, "BadRequest", "segment 'exchangeConnectors'"),
        ("GET", "/deviceManagement/exchangeConnectors", 404, "ResourceNotFound", "Invalid version: deviceManagement"),
        ("GET", "/v1.0/deviceManagement/things", 400, "BadRequest", "segment 'things'"),
        ("GET", "/v1.0/users", 400, "BadRequest", "segment 'users'"),
        ("POST", "/v1.0/deviceManagement/exchangeConnectors/1/synch", 400, "BadRequest", "segment 'synch'"),
        ("POST", "/v1.0/deviceManagement/exchangeConnectors/1/sync/2", 400, "BadRequest", "segment '2'"),
        ("GET", "/v1.0/deviceManagement/exchangeConnectors/1/sync", 405, "MethodNotAllowed", "GET"),
        ("DELETE", "/v1.0/deviceManagement/exchangeConnectors/1", 405, "MethodNotAllowed", "DELETE"),
    ],
)
def test_wrong_paths(
    graph: Graph, sim: Simulator, world: World, method: str, path: str, status: int, code: str, text: str
) -> None:
    response = graph.call(method, f"{sim.graph_url}{path}")
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    assert text in response.json()["error"]["message"]
    assert world.requests[0].where == "other"


# Graph: sync


def test_sync_completes_after_its_delay(graph: Graph, tenant: Tenant, world: World) -> None:
    before = datetime(2026, 1, 1, tzinfo=timezone.utc)
    connector = tenant.add_connector(last_sync=before, sync_delay=30)
    response = graph.sync(connector.id.upper(), "fullSync")
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["request-id"] == world.requests[0].request_id
    assert "Date" in response.headers
    assert "Content-Type" not in response.headers
    ((accepted, sync_type),) = connector.accepted
    assert sync_type == "fullSync"
    world.clock = lambda: accepted + timedelta(seconds=29.9)
    assert connector.last_sync == before
    world.clock = lambda: accepted + timedelta(seconds=45)
    assert connector.last_sync == accepted + timedelta(seconds=30)
    assert graph.get(connector.id).json()["lastSyncDateTime"][:26] == (
        (accepted + timedelta(seconds=30)).strftime("%Y-%m-%dT%H:%M:%S.%f")
    )


def test_sync_without_delay_is_seen_at_once(graph: Graph, tenant: Tenant) -> None:
    connector = tenant.add_connector(last_sync=timedelta(days=3))
    graph.sync(connector.id)
    assert connector.last_sync == connector.accepted[0][0]


def test_two_syncs_end_in_turn(graph: Graph, tenant: Tenant, world: World) -> None:
    connector = tenant.add_connector(sync_delay=10)
    start = world.clock()
    world.clock = lambda: start
    graph.sync(connector.id)
    world.clock = lambda: start + timedelta(seconds=5)
    graph.sync(connector.id, "fullSync")
    world.clock = lambda: start + timedelta(seconds=12)
    assert connector.last_sync == start + timedelta(seconds=10)
    world.clock = lambda: start + timedelta(seconds=16)
    assert connector.last_sync == start + timedelta(seconds=15)
    assert [sync_type for _time, sync_type in connector.accepted] == ["deltaSync", "fullSync"]


@pytest.mark.parametrize(("outcome", "status"), [("never", "connected"), ("fails", "disconnected")])
def test_sync_that_does_not_complete(graph: Graph, tenant: Tenant, world: World, outcome: str, status: str) -> None:
    connector = tenant.add_connector(last_sync=timedelta(days=1), sync_delay=5, outcome=outcome)
    before = connector.last_sync
    assert graph.sync(connector.id).status_code == 204
    assert connector.status == "connected"
    world.clock_offset = timedelta(seconds=6)
    assert (connector.last_sync, connector.status) == (before, status)
    assert graph.get(connector.id).json()["status"] == status
    connector.status, connector.last_sync = "connectionPending", timedelta(hours=1)
    assert graph.get(connector.id).json()["status"] == "connectionPending"
    assert connector.last_sync is not None
    assert timedelta(hours=1) <= world.clock() - connector.last_sync < timedelta(hours=1, seconds=5)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ('{"syncType": "quickSync"}', "application/json"),
        ('{"syncType": 1}', "application/json"),
        ('{"syncType": ["fullSync"]}', "application/json"),
        ('{"syncType": "fullSync", "x": 1}', "application/json"),
        ('"fullSync"', "application/json"),
        ("{}", "application/json"),
        ("", "application/json"),
        ("syncType=fullSync", "application/json"),
        ('{"syncType": "fullSync"}', "text/plain"),
        ('{"syncType": "fullSync"}', ""),
    ],
)
def test_sync_body_is_checked(graph: Graph, tenant: Tenant, body: str, content_type: str) -> None:
    connector = tenant.add_connector()
    response = graph.sync(connector.id, json=None, data=body, headers={"Content-Type": content_type})
    assert (response.status_code, response.json()["error"]["code"]) == (400, "BadRequest")
    assert connector.accepted == []


def test_sync_body_may_name_a_charset(graph: Graph, tenant: Tenant) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    response = graph.sync(tenant.add_connector().id, json=None, data='{"syncType":"fullSync"}', headers=headers)
    assert response.status_code == 204


# Date and clock


def test_date_header(graph: Graph, world: World, post: Post) -> None:
    world.clock_offset = timedelta(days=-2)
    date = parsedate_to_datetime(graph.list().headers["Date"])
    assert abs(date - (datetime.now(timezone.utc) - timedelta(days=2))) < timedelta(seconds=5)
    world.date_header = "not a date"
    assert graph.list().headers["Date"] == "not a date"
    world.date_header = False
    assert "Date" not in graph.list().headers
    assert "Date" not in graph.get("unknown").headers
    assert "Date" in post().headers


# Faults


def test_faults_strike_in_order_and_are_used_up(graph: Graph, world: World) -> None:
    world.faults.add(Fault("list", status=503, skip=1, times=2))
    world.faults.add(Fault("any", status=429, headers={"Retry-After": "7"}))
    world.faults.add(Fault("get", status=500, times=None))
    assert [graph.list().status_code for _number in range(5)] == [429, 503, 503, 200, 200]
    assert [graph.get("x").status_code for _number in range(3)] == [500] * 3
    world.faults.clear()
    assert graph.get("x").status_code == 404
    assert [r.status for r in world.requests] == [429, 503, 503, 200, 200, 500, 500, 500, 404]
    assert [r.fault.status if r.fault else None for r in world.requests[:4]] == [429, 503, 503, None]


def test_fault_bodies_of_graph(graph: Graph, world: World) -> None:
    world.faults.add(Fault("list", status=429, headers={"Retry-After": "7"}))
    throttled = graph.list()
    assert throttled.headers["Retry-After"] == "7"
    assert throttled.json()["error"]["code"] == "TooManyRequests"
    assert intune(throttled)["_version"] == 3
    assert throttled.headers["request-id"] == world.requests[0].request_id
    world.faults.add(Fault("list", status=401))
    assert graph.list().headers["WWW-Authenticate"].startswith("Bearer ")
    world.faults.add(Fault("list", status=418))
    assert graph.list().json()["error"]["code"] == "UnknownError"


@pytest.mark.parametrize(
    ("body", "content_type", "content"),
    [
        ("<html>é</html>", "text/plain; charset=utf-8", "<html>é</html>".encode()),
        (b"\x00\xff", "text/plain; charset=utf-8", b"\x00\xff"),
        ({"value": 1}, "application/json", b'{"value": 1}'),
        ("", "text/plain; charset=utf-8", b""),
    ],
)
def test_fault_with_a_body(graph: Graph, world: World, body: t.Any, content_type: str, content: bytes) -> None:
    world.faults.add(Fault("list", status=502, body=body))
    world.faults.add(Fault("list", body=body, headers={"content-type": "text/html"}))
    first, second = graph.list(), graph.list()
    assert (first.status_code, first.content) == (502, content)
    assert first.headers["Content-Type"] == content_type
    assert (second.status_code, second.content) == (200, content)
    assert second.headers["Content-Type"] == "text/html"


def test_fault_with_a_lie_and_a_redirect(graph: Graph, world: World) -> None:
    world.faults.add(Fault("list", headers={"Content-Encoding": "gzip"}))
    with pytest.raises(requests.exceptions.ContentDecodingError):
        graph.list()
    world.faults.add(Fault("list", status=302, headers={"Location": "https://elsewhere.example/"}))
    response = graph.list(allow_redirects=False)
    assert (response.status_code, response.headers["Location"]) == (302, "https://elsewhere.example/")
    assert response.content == b""


def test_faults_of_entra(post: Post, http: requests.Session, sim: Simulator, world: World) -> None:
    world.faults.add(Fault("token", status=429))
    assert code_of(post()) == (429, "temporarily_unavailable", 90055)
    world.faults.add(Fault("token", status=503))
    assert code_of(post()) == (503, "temporarily_unavailable", 90033)
    world.faults.add(Fault("token", status=400))
    assert code_of(post()) == (400, "invalid_request", 9002313)
    world.faults.add(Fault("metadata", status=500, times=None))
    world.faults.add(Fault("userrealm", status=500, times=None))
    assert post().status_code == 200
    assert http.get(f"{sim.authority_url}/x/v2.0/.well-known/openid-configuration").status_code == 500
    assert http.get(f"{sim.authority_url}/common/userrealm/a@b").status_code == 500
    world.faults.add(Fault("managed_identity", status=500))
    assert managed_identity(http, sim, world).json()["statusCode"] == 500


def test_fault_for_one_connector_tenant_or_condition(
    graph: Graph, world: World, tenant: Tenant, sim: Simulator
) -> None:
    first, second = tenant.add_connector(), tenant.add_connector()
    other = world.add_tenant("fabrikam.example")
    world.faults.add(Fault("get", status=500, object_id=second.id.upper(), times=None))
    assert [graph.get(c.id).status_code for c in (first, second)] == [200, 500]
    world.faults.add(Fault("list", status=500, tenant_id=other.id))
    assert graph.list().status_code == 200
    own = graph.token
    assert works(graph, world.issue_access_token(other.add_app(), sim.graph_url)) == 500
    graph.token = own
    world.faults.add(Fault("sync", status=500, only_if=lambda r: b"fullSync" in r.body))
    assert graph.sync(first.id, "deltaSync").status_code == 204
    assert graph.sync(first.id, "fullSync").status_code == 500


@pytest.mark.parametrize("accept", [False, True])
@pytest.mark.parametrize("how", [{"status": 504}, {"cut": "before"}, {"cut": "body"}, {"status": 504, "cut": "body"}])
def test_lost_answer_of_a_sync(graph: Graph, world: World, tenant: Tenant, accept: bool, how: dict[str, t.Any]) -> None:
    connector = tenant.add_connector()
    world.faults.add(Fault("sync", accept=accept, **how))
    if "cut" in how:
        with pytest.raises(requests.exceptions.RequestException):
            graph.sync(connector.id)
        assert world.requests[0].status is None
        assert world.requests[0].request_id is None
    else:
        assert graph.sync(connector.id).status_code == 504
    assert len(connector.accepted) == accept


def test_fault_that_accepts_still_checks_the_request(graph: Graph, world: World, tenant: Tenant) -> None:
    connector = tenant.add_connector()
    world.faults.add(Fault("sync", status=504, accept=True))
    graph.token = "unknown"
    assert graph.sync(connector.id).status_code == 504
    assert connector.accepted == []


def test_delay_before_a_normal_answer(graph: Graph, world: World, tenant: Tenant) -> None:
    connector = tenant.add_connector()
    world.faults.add(Fault("get", delay=0.3, headers={"X-Slow": "yes"}))
    start = time.monotonic()
    response = graph.get(connector.id)
    assert 0.3 <= time.monotonic() - start < 3
    assert response.json()["id"] == connector.id
    assert response.headers["X-Slow"] == "yes"


@pytest.mark.parametrize("accept", [True, False])
def test_a_request_that_is_held(world: World, tenant: Tenant, graph: Graph, accept: bool) -> None:
    """It is accepted before that if it is to be, and answered as usual once it is let go."""
    connector, hold = tenant.add_connector(), Hold()
    world.faults.add(Fault("sync", hold=hold, accept=accept))
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(graph.sync, connector.id)
        while not hold.requests:
            time.sleep(0.01)
        assert (len(connector.accepted), answer.done()) == (accept, False)
        hold.let_go()
        assert answer.result().status_code == 204
    assert len(connector.accepted) == 1


def test_client_gives_up_although_the_sync_was_accepted(graph: Graph, world: World, tenant: Tenant) -> None:
    connector = tenant.add_connector()
    world.faults.add(Fault("sync", delay=30, accept=True))
    # So the connection is up.
    graph.get(connector.id)
    with pytest.raises(requests.exceptions.ReadTimeout):
        graph.sync(connector.id, timeout=2)
    assert len(connector.accepted) == 1


@pytest.mark.parametrize("cut", ["before", "body"])
@pytest.mark.parametrize("host", ["graph", "entra"])
def test_cut_connection(graph: Graph, post: Post, world: World, host: str, cut: str) -> None:
    world.faults.add(Fault("list" if host == "graph" else "token", cut=cut))
    send = graph.list if host == "graph" else post
    with pytest.raises((requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError)) as caught:
        send()
    assert ("RemoteDisconnected" if cut == "before" else "IncompleteRead") in repr(caught.value)
    assert world.requests[0].status is None
    assert send().status_code == 200
    assert world.requests[0].connection != world.requests[1].connection


def raw_exchange(sim: Simulator, port: int, request: bytes) -> bytes:
    """All bytes that come back for ``request``."""
    context = ssl.create_default_context(cafile=sim.ca_path)
    plain = socket.create_connection(("127.0.0.1", port), timeout=5)
    with plain, context.wrap_socket(plain, server_hostname="localhost") as tls:
        tls.sendall(request)
        return b"".join(iter(lambda: tls.recv(65536), b""))


def test_what_cuts_leave_on_the_wire(sim: Simulator, world: World, graph: Graph) -> None:
    port = int(sim.graph_url.rpartition(":")[2])
    text = "GET /v1.0/deviceManagement/exchangeConnectors HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n"
    request = (text % graph.token).encode()
    for cut in ("before", "headers", "body"):
        world.faults.add(Fault("list", cut=cut))
    assert raw_exchange(sim, port, request) == b""
    headers = raw_exchange(sim, port, request)
    assert headers.startswith(b"HTTP/1.1 200 OK\r\n")
    assert headers.endswith(b"\r\nContent-Len")
    head, _gap, body = raw_exchange(sim, port, request).partition(b"\r\n\r\n")
    promised = int(re.search(rb"Content-Length: (\d+)", head)[1])  # type: ignore[index]
    assert body.startswith(b'{"@odata.context"')
    assert len(body) == promised // 2


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"where": "lists"}, "where must be one of"),
        ({"where": "get", "cut": "end"}, "cut must be one of"),
        ({"where": "get", "accept": True}, "accept only makes sense"),
    ],
)
def test_impossible_faults(wrong: dict[str, t.Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        Fault(**wrong)


# Server, connections, record


def test_keep_alive_and_counting(http: requests.Session, graph: Graph, post: Post, world: World) -> None:
    for _number in range(3):
        graph.list()
    assert post().status_code == 200
    assert (world.connections, world.connections_to("graph"), world.connections_to("entra")) == (2, 1, 1)
    assert [r.connection for r in world.requests] == [1, 1, 1, 2]
    http.close()
    graph.list()
    assert (world.connections, world.requests[-1].connection) == (3, 3)


def test_connection_without_a_request_counts_but_no_failed_handshake(sim: Simulator, world: World) -> None:
    address = ("127.0.0.1", int(sim.graph_url.rpartition(":")[2]))
    with socket.create_connection(address) as plain, pytest.raises(ssl.SSLError):
        ssl.create_default_context().wrap_socket(plain, server_hostname="localhost")
    trusting = ssl.create_default_context(cafile=sim.ca_path)
    with socket.create_connection(address) as plain, trusting.wrap_socket(plain, server_hostname="127.0.0.1"):
        deadline = time.monotonic() + 5
        while not world.connections and time.monotonic() < deadline:
            time.sleep(0.01)
    assert world.connections == 1
    assert world.requests == []


def test_record_of_a_request(graph: Graph, world: World, tenant: Tenant) -> None:
    connector = tenant.add_connector()
    graph.sync(connector.id, "fullSync", params={"a": "1"}, headers={"X-Own": "é".encode("latin-1")})
    record = world.requests[0]
    assert (record.host, record.method, record.where, record.status) == ("graph", "POST", "sync", 204)
    assert record.path == f"/v1.0/deviceManagement/exchangeConnectors/{connector.id}/sync"
    assert dict(record.query) == {"a": "1"}
    assert record.headers["AUTHORIZATION"] == f"Bearer {graph.token}"
    assert json.loads(record.body) == {"syncType": "fullSync"}
    assert (record.tenant_id, record.object_id, record.fault) == (tenant.id, connector.id, None)
    assert abs(record.time - world.clock()) < timedelta(seconds=5)


def test_untrusted_without_the_ca(http: requests.Session, sim: Simulator) -> None:
    with pytest.raises(requests.exceptions.SSLError):
        http.get(sim.graph_url, verify=True, timeout=5)


def test_latency_is_added_but_not_queued(world: World, app: App, tenant: Tenant) -> None:
    for _number in range(5):
        tenant.add_connector()
    with Simulator(world, latency=0.2) as sim, requests.Session() as http:
        http.trust_env, http.verify = False, sim.ca_path
        http.mount("https://", requests.adapters.HTTPAdapter(pool_maxsize=50))
        graph = Graph(http, sim, world, app)
        start = time.monotonic()
        with ThreadPoolExecutor(50) as pool:
            statuses = list(pool.map(lambda _number: graph.list().status_code, range(50)))
        took = time.monotonic() - start
    assert statuses == [200] * 50
    assert 0.2 <= took < 5  # one after another it would be 10 seconds
    assert len({r.connection for r in world.requests}) == world.connections > 1


def test_end_does_not_wait_for_a_delayed_answer(world: World, app: App) -> None:
    world.faults.add(Fault("list", delay=30))
    with ThreadPoolExecutor(1) as pool, requests.Session() as http:
        http.trust_env = False
        with Simulator(world) as sim:
            http.verify = sim.ca_path
            waiting = pool.submit(Graph(http, sim, world, app).list)
            deadline = time.monotonic() + 5
            while not world.requests and time.monotonic() < deadline:
                time.sleep(0.01)
            end = time.monotonic()
        assert time.monotonic() - end < 2
        with pytest.raises(requests.exceptions.ConnectionError):
            waiting.result()


def test_ca_file_and_directory(tmp_path: Path) -> None:
    with Simulator(World(), directory=tmp_path) as sim:
        assert Path(sim.ca_path) == tmp_path / "ca.pem"
        assert "PRIVATE" not in Path(sim.ca_path).read_text()
    assert list(tmp_path.iterdir()) == []
    with Simulator(World()) as sim:
        folder = Path(sim.ca_path).parent
        assert folder.stat().st_mode & 0o077 == 0
    assert not folder.exists()


def test_port_in_use_is_an_error(sim: Simulator, tmp_path: Path) -> None:
    port = int(sim.graph_url.rpartition(":")[2])
    with (
        pytest.raises(OSError, match="address already in use"),
        Simulator(World(), directory=tmp_path, port_graph=port),
    ):
        pytest.fail("it started on a port in use")
    assert list(tmp_path.iterdir()) == []


def test_demo_world_works_end_to_end() -> None:
    world = demo_world()
    ids = [connector.id for tenant in world.tenants for connector in tenant.connectors.values()]
    assert ids == [c.id for tenant in demo_world().tenants for c in tenant.connectors.values()]
    states = [(c.status, c.last_sync) for tenant in world.tenants for c in tenant.connectors.values()]
    ages = [None if last is None else (world.clock() - last) // timedelta(minutes=1) for _status, last in states]
    assert ages[:-1] == [20, 4320, None]
    assert states[-1] == ("disconnected", datetime(2024, 2, 16, 3, 12, tzinfo=timezone.utc))
    assert [status for status, _last in states] == ["connected"] * 3 + ["disconnected"]
    tokens = [token for tenant in world.tenants for token in tenant.vpp_tokens.values()]
    assert [token.id for token in tokens] == [i for tenant in demo_world().tenants for i in tenant.vpp_tokens]
    assert [token.state for token in tokens] == ["valid", "valid", "expired", "valid", "expired"]
    assert [token.last_sync_status for token in tokens] == ["completed", "failed", "completed", "none", "completed"]
    with Simulator(world) as sim, requests.Session() as http:
        http.trust_env, http.verify = False, sim.ca_path
        for tenant in world.tenants:
            (app,) = tenant.apps.values()
            token = confidential(sim, http, tenant, app, app.secret).acquire_token_for_client([SCOPE])
            graph = Graph(http, sim, world, app)
            graph.token = token["access_token"]
            assert graph.list().status_code == (200 if tenant.connectors else 501)
            graph.of(world.resources["vpp_token"])
            assert len(graph.list().json()["value"]) == len(tenant.vpp_tokens) > 1


def test_command_line(http: requests.Session, tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    process = subprocess.Popen(
        [sys.executable, "-m", "simulator", "--directory", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    try:
        stdout = t.cast(t.IO[str], process.stdout)
        lines: list[str] = []
        while not lines or lines[-1].strip() or "SERVICE_CONNECTION_ID" not in "".join(lines):
            lines.append(stdout.readline())
        text = "".join(lines)
        url = re.search(r"^ *export MSGRAPH_URL=(https://127\.0\.0\.1:\d+)$", text, re.MULTILINE)
        assert url is not None
        assert "AZURE_AUTHORITY_HOST=" in text
        assert str(tmp_path / "ca.pem") in text
        for tenant in demo_world().tenants:
            for connector in tenant.connectors.values():
                assert connector.id in text
            for token in tenant.vpp_tokens.values():
                assert f"{token.id}  {token.properties['organizationName']}  {token.state}  last sync" in text
                assert token.properties["token"] not in text
            for app in tenant.apps.values():
                assert f"{app.client_id}  secret {app.secret}" in text
        assert "  export GITHUB_ACTIONS=true\n" in text
        http.get(f"{url[1]}/v1.0/x", verify=str(tmp_path / "ca.pem"), timeout=5)
        assert re.fullmatch(r"\d\d:\d\d:\d\d  graph  401  GET  /v1\.0/x\n", stdout.readline())
    finally:
        process.send_signal(signal.SIGINT)
        _rest, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    assert list(tmp_path.iterdir()) == []
