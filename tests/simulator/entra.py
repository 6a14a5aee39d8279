# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Entra ID: metadata, token endpoint and the App Service form of the managed identity endpoint."""

from __future__ import annotations

import re
import typing as t
import uuid
from urllib.parse import parse_qsl

from simulator import runner
from simulator.directory import App
from simulator.errors import EntraError
from simulator.grants import SHARED_AUTHORITIES, known_resource, redeem, tenant_not_found, tenant_of
from simulator.records import Answer, Request
from simulator.world import World

_METADATA = re.compile(r"/([^/]+)/v2\.0/\.well-known/openid-configuration")
_TOKEN = re.compile(r"/([^/]+)/oauth2/v2\.0/token")
_KEYS = re.compile(r"/([^/]+)/discovery/v2\.0/keys")
_USER_REALM = re.compile(r"/common/userrealm/([^/]+)")

MANAGED_IDENTITY_PATH = "/msi/token"


def locate(world: World, request: Request) -> None:
    """Note on ``request`` what it asks for and of which tenant, as far as it can be told."""
    runner.locate(request)
    if request.where == "runner":
        return
    if request.method == "POST":
        match = _TOKEN.fullmatch(request.path)
        if match:
            request.where = "token"
            tenant = tenant_of(world, match[1], _form(request))
            request.tenant_id = tenant.id if tenant else None
        return
    if request.method != "GET":
        return
    match = _METADATA.fullmatch(request.path)
    if match:
        request.where = "metadata"
        tenant = world.find_tenant(match[1])
        request.tenant_id = tenant.id if tenant else None
    elif request.path == MANAGED_IDENTITY_PATH:
        request.where = "managed_identity"
        app = _identity(world, request)
        request.tenant_id = app.tenant.id if app else None
    elif request.path == "/common/discovery/instance":
        request.where = "discovery"
    elif _USER_REALM.fullmatch(request.path):
        request.where = "userrealm"
    elif _KEYS.fullmatch(request.path):
        request.where = "keys"


def answer(world: World, request: Request, entra_url: str) -> Answer:
    """Answer a request that :func:`locate` has seen; ``entra_url`` is the own base URL."""
    if request.where == "managed_identity":
        return _managed_identity(world, request)
    if request.where == "runner":
        return runner.answer(world.jobs, request, world.clock())
    trace_id = str(uuid.uuid4())
    headers = {"x-ms-request-id": trace_id}
    try:
        body = _body(world, request, entra_url)
    except EntraError as e:
        return _refusal(world, request, entra_url, e)
    if body is None:
        return Answer(404, {"Content-Type": "text/plain; charset=utf-8", **headers}, b"Not Found")
    return Answer.of_json(200, body, {**headers, "Cache-Control": "no-store, no-cache"})


def fault_answer(world: World, request: Request, entra_url: str, status: int) -> Answer:
    """The body that the service sends with an error ``status`` of its own."""
    if request.where == "managed_identity":
        return _identity_refusal(status, "An unexpected error occured while fetching the AAD Token.")
    if request.where == "runner":
        return runner.fault_answer(world.jobs, request, status)
    if status == 429:
        error = EntraError(status, "temporarily_unavailable", 90055, "There are too many incoming requests.")
    elif status >= 500:
        error = EntraError(
            status, "temporarily_unavailable", 90033, "A transient error has occurred. Please try again."
        )
    else:
        error = EntraError(status, "invalid_request", 9002313, "Invalid request. Request is malformed or invalid.")
    return _refusal(world, request, entra_url, error)


def _body(world: World, request: Request, entra_url: str) -> t.Any:
    if request.where == "token":
        return redeem(world, request.path.split("/")[1], _form(request), entra_url)
    if request.where == "metadata":
        return _metadata(world, request.path.split("/")[1], entra_url)
    if request.where == "userrealm":
        domain = request.path.rpartition("@")[2].lower()
        realm = {"ver": "1.0", "cloud_instance_name": "microsoftonline.com"}
        if world.find_tenant(domain) is None:
            return {**realm, "account_type": "Unknown"}
        return {
            **realm,
            "account_type": "Managed",
            "domain_name": domain,
            "cloud_audience_urn": "urn:federation:MicrosoftOnline",
        }
    if request.where == "discovery":
        return {
            "tenant_discovery_endpoint": f"{entra_url}/common/v2.0/.well-known/openid-configuration",
            "api-version": "1.1",
            "metadata": [],
        }
    if request.where == "keys":
        return {"keys": []}
    return None


def _metadata(world: World, name: str, entra_url: str) -> dict[str, t.Any]:
    if name.lower() in SHARED_AUTHORITIES:
        authority, issuer = name.lower(), "{tenantid}"
    else:
        tenant = world.find_tenant(name)
        if tenant is None:
            raise tenant_not_found(name, "invalid_tenant")
        # Entra answers with the id even when it was asked by domain.
        authority = issuer = tenant.id
    return {
        "token_endpoint": f"{entra_url}/{authority}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        "jwks_uri": f"{entra_url}/{authority}/discovery/v2.0/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": f"{entra_url}/{issuer}/v2.0",
        "authorization_endpoint": f"{entra_url}/{authority}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{entra_url}/{authority}/oauth2/v2.0/devicecode",
    }


def _refusal(world: World, request: Request, entra_url: str, error: EntraError) -> Answer:
    trace_id = str(uuid.uuid4())
    correlation_id = request.headers.get("client-request-id") or str(uuid.uuid4())
    timestamp = f"{world.clock():%Y-%m-%d %H:%M:%SZ}"
    body: dict[str, t.Any] = {
        "error": error.error,
        "error_description": f"{error} Trace ID: {trace_id} Correlation ID: {correlation_id} Timestamp: {timestamp}",
        "error_codes": [error.code],
        "timestamp": timestamp,
        "trace_id": trace_id,
        "correlation_id": correlation_id,
        "error_uri": f"{entra_url}/error?code={error.code}",
    }
    if error.suberror is not None:
        body["suberror"] = error.suberror
    return Answer.of_json(error.status, body, {"x-ms-request-id": trace_id})


def _managed_identity(world: World, request: Request) -> Answer:
    """App Service: "How to use managed identities for App Service", REST endpoint reference."""
    if request.headers.get("X-IDENTITY-HEADER") != world.identity_header:
        return _identity_refusal(401, "Unauthorized: the X-IDENTITY-HEADER header is missing or wrong.")
    if request.query.get("api-version") != "2019-08-01":
        return _identity_refusal(400, f"Unsupported api-version '{request.query.get('api-version')}'.")
    resource = request.query.get("resource", "").rstrip("/")
    if not known_resource(world, resource):
        return _identity_refusal(500, "An unexpected error occured while fetching the AAD Token.")
    app = _identity(world, request)
    if app is None:
        return _identity_refusal(
            400, "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId."
        )
    return Answer.of_json(
        200,
        {
            "access_token": world.issue_access_token(app, resource),
            "expires_on": str(int(world.clock().timestamp()) + world.token_lifetime),
            "resource": request.query["resource"],
            "token_type": "Bearer",
            "client_id": app.client_id,
        },
        {"x-ms-request-id": str(uuid.uuid4())},
    )


def _identity(world: World, request: Request) -> App | None:
    """The app behind the identity asked for: the world's own, or one of a known client id."""
    query = request.query
    # Only client ids are modelled; any other way to name an identity finds none.
    if any(name in query for name in ("mi_res_id", "object_id", "principal_id")):
        return None
    client_id = query.get("client_id")
    if client_id is None:
        return world.managed_identity
    tenants = list(world.tenants)
    if world.managed_identity is not None:
        # A client id may be registered in several tenants, but an identity lives in the one of its host.
        tenants.insert(0, world.managed_identity.tenant)
    client_id = client_id.lower()
    return next((tenant.apps[client_id] for tenant in tenants if client_id in tenant.apps), None)


def _identity_refusal(status: int, message: str) -> Answer:
    correlation_id = str(uuid.uuid4())
    return Answer.of_json(
        status,
        {"statusCode": status, "message": message, "correlationId": correlation_id},
        {"x-ms-request-id": correlation_id},
    )


def _form(request: Request) -> dict[str, str]:
    if not request.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
        return {}
    return dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
