# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules of the token endpoint: who gets a token for what. No HTTP here.

Errors: "Microsoft Entra authentication and authorization error codes" and answers quoted in public issue reports.
"""

from __future__ import annotations

import base64
import json
import typing as t
from urllib.parse import urlsplit

from simulator.assertions import check_assertion, check_federated, is_own
from simulator.directory import App, Tenant, User
from simulator.errors import EntraError
from simulator.world import REFRESH_TOKEN_LIFETIME, World

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# Scopes that name no resource.
OPENID_SCOPES = {"openid", "profile", "offline_access", "email"}
# Authorities that name no tenant.
SHARED_AUTHORITIES = ("organizations", "common")

Form = t.Mapping[str, str]


def tenant_of(world: World, authority: str, form: Form) -> Tenant | None:
    """Find the tenant that a token request belongs to, or ``None`` if it cannot be known."""
    if authority.lower() not in SHARED_AUTHORITIES:
        return world.find_tenant(authority)
    seed = world.find_refresh_token(form.get("refresh_token", ""))
    if seed is not None:
        return seed.user.tenant
    return world.find_tenant(form.get("username", "").rpartition("@")[2])


def redeem(world: World, authority: str, form: Form, entra_url: str) -> dict[str, t.Any]:
    """Answer a token request with the body of the answer.

    Parameters:
        authority: first segment of the path (tenant id, domain, ``organizations`` or ``common``).
        form: fields of the request.
        entra_url: own base URL, for the audience of assertions and the issuer of id tokens.
    """
    grant = _required(form, "grant_type")
    client_id = _required(form, "client_id").lower()
    if grant not in ("client_credentials", "password", "refresh_token"):
        raise EntraError(
            400, "unsupported_grant_type", 70003, f"The app requested an unsupported grant type '{grant}'."
        )
    tenant = tenant_of(world, authority, form)
    if tenant is None:
        raise _no_tenant(authority, grant)
    app = tenant.apps.get(client_id)
    if app is None:
        raise EntraError(
            400,
            "unauthorized_client",
            700016,
            f"Application with identifier '{client_id}' was not found in the directory '{tenant.domain}'. This can "
            "happen if the application has not been installed by the administrator of the tenant or consented to by "
            "any user in the tenant. You may have sent your authentication request to the wrong tenant.",
        )
    _authenticate(world, app, grant, form, _token_endpoints(tenant, authority, entra_url))
    resource = _resource(world, grant, form)
    if grant == "client_credentials":
        return _bearer(world, app, resource)

    user = _user_by_password(tenant, form) if grant == "password" else _user_by_refresh_token(world, app, form)
    answer = _bearer(world, app, resource, user)
    scopes = form.get("scope", "").split()
    answer["scope"] = " ".join(f"{resource}/{role}" for role in app.roles)
    if "offline_access" in scopes:
        answer["refresh_token"] = world.issue_refresh_token(app, user)
    if "openid" in scopes:
        answer["id_token"] = _id_token(world, app, user, entra_url)
    if form.get("client_info") == "1":
        answer["client_info"] = _encode({"uid": user.object_id, "utid": tenant.id})
    return answer


def known_resource(world: World, resource: str) -> bool:
    """Whether tokens are issued for ``resource``, given without a trailing slash."""
    parts = urlsplit(resource)
    if parts.scheme != "https" or not parts.netloc or parts.path:
        return False
    return world.graph_resource is None or resource == world.graph_resource.rstrip("/")


def _authenticate(world: World, app: App, grant: str, form: Form, endpoints: t.Collection[str]) -> None:
    """Refuse the request unless the client proves to be ``app``."""
    secret = form.get("client_secret")
    assertion = form.get("client_assertion")
    if (secret is not None or assertion is not None) and not app.confidential:
        raise EntraError(
            401,
            "invalid_client",
            700025,
            "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.",
        )
    if secret is not None:
        if secret != app.secret:
            raise EntraError(
                401,
                "invalid_client",
                7000215,
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret "
                f"value, not the client secret ID, for a secret added to app '{app.client_id}'.",
            )
    elif assertion is not None:
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            raise _missing("client_assertion_type")
        if assertion in app.federated:
            return
        if app.trusted and not is_own(assertion, app.client_id):
            check_federated(assertion, app.trusted, world.clock())
        elif app.certificate is None:
            raise EntraError(
                401,
                "invalid_client",
                700213,
                "No matching federated identity record found for presented assertion subject. Check your federated "
                "identity credential Subject, Audience and Issuer against the presented assertion.",
            )
        else:
            check_assertion(assertion, app.certificate, app.client_id, endpoints, world.clock())
    elif grant == "client_credentials" or not app.public:
        raise EntraError(
            401,
            "invalid_client",
            7000218,
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        )


def _resource(world: World, grant: str, form: Form) -> str:
    """Read the resource out of the scopes, without a trailing slash."""
    scopes = [scope for scope in _required(form, "scope").split() if scope not in OPENID_SCOPES]
    if grant == "client_credentials" and (len(scopes) != 1 or not scopes[0].endswith("/.default")):
        raise EntraError(
            400,
            "invalid_scope",
            1002012,
            f"The provided value for scope {' '.join(scopes)} is not valid. Client credential flows must have a scope "
            "value with /.default suffixed to the resource identifier (application ID URI).",
        )
    resources = {scope.rpartition("/")[0].rstrip("/") for scope in scopes}
    if len(resources) > 1:
        raise EntraError(
            400,
            "invalid_request",
            28000,
            "Provided value for the input parameter scope is not valid because it contains more than one resource. "
            f"Scope {' '.join(scopes)} is not valid.",
        )
    resource = resources.pop() if resources else ""
    if not resource.startswith("https://"):
        raise EntraError(
            400,
            "invalid_scope",
            70011,
            f"The provided request must include a 'scope' input parameter. The provided value for the input parameter "
            f"'scope' is not valid. The scope {' '.join(scopes)} is not valid.",
        )
    if not known_resource(world, resource):
        raise EntraError(
            400,
            "invalid_resource",
            500011,
            f"The resource principal named {resource} was not found in the tenant. This can happen if the application "
            "has not been installed by the administrator of the tenant or consented to by any user in the tenant. "
            "You might have sent your authentication request to the wrong tenant.",
        )
    return resource


def _user_by_password(tenant: Tenant, form: Form) -> User:
    name = _required(form, "username")
    password = _required(form, "password")
    user = tenant.users.get(name.lower())
    if user is None:
        raise EntraError(
            400,
            "invalid_grant",
            50034,
            f"The user account {{EUII Hidden}} does not exist in the {tenant.id} directory. To sign into this "
            "application, the account must be added to the directory.",
        )
    if password != user.password:
        raise EntraError(
            400,
            "invalid_grant",
            50126,
            "Error validating credentials due to invalid username or password.",
        )
    if user.mfa:
        raise EntraError(
            400,
            "invalid_grant",
            50076,
            "Due to a configuration change made by your administrator, or because you moved to a new location, you "
            "must use multi-factor authentication to access '00000003-0000-0000-c000-000000000000'.",
            suberror="basic_action",
        )
    return user


def _user_by_refresh_token(world: World, app: App, form: Form) -> User:
    seed = world.find_refresh_token(_required(form, "refresh_token"))
    if seed is None or seed.app.client_id != app.client_id or seed.user.tenant is not app.tenant:
        raise EntraError(400, "invalid_grant", 70000, "Provided grant is invalid or malformed.", suberror="bad_token")
    if world.clock() - seed.issued > REFRESH_TOKEN_LIFETIME:
        raise EntraError(
            400,
            "invalid_grant",
            700082,
            f"The refresh token has expired due to inactivity. The token was issued on "
            f"{seed.issued:%Y-%m-%dT%H:%M:%S.%f}0Z and was inactive for {REFRESH_TOKEN_LIFETIME.days}.00:00:00.",
        )
    return seed.user


def _bearer(world: World, app: App, resource: str, user: User | None = None) -> dict[str, t.Any]:
    return {
        "token_type": "Bearer",
        "expires_in": world.token_lifetime,
        "ext_expires_in": world.token_lifetime,
        "access_token": world.issue_access_token(app, resource, user),
    }


def _id_token(world: World, app: App, user: User, entra_url: str) -> str:
    """An id token without a signature: clients that use the code flow's back channel need not check one."""
    now = int(world.clock().timestamp())
    claims = {
        "aud": app.client_id,
        "iss": f"{entra_url}/{app.tenant.id}/v2.0",
        "iat": now,
        "nbf": now,
        "exp": now + 3600,
        "oid": user.object_id,
        "sub": user.object_id,
        "tid": app.tenant.id,
        "preferred_username": user.name,
        "name": user.name.partition("@")[0],
        "ver": "2.0",
    }
    return f"{_encode({'typ': 'JWT', 'alg': 'none'})}.{_encode(claims)}."


def _token_endpoints(tenant: Tenant, authority: str, entra_url: str) -> set[str]:
    return {f"{entra_url}/{name}/oauth2/v2.0/token" for name in (tenant.id, tenant.domain, authority)}


def _required(form: Form, name: str) -> str:
    value = form.get(name)
    if not value:
        raise _missing(name)
    return value


def _missing(name: str) -> EntraError:
    return EntraError(
        400, "invalid_request", 900144, f"The request body must contain the following parameter: '{name}'."
    )


def _no_tenant(authority: str, grant: str) -> EntraError:
    if authority.lower() not in SHARED_AUTHORITIES:
        return tenant_not_found(authority, "invalid_request")
    if grant == "refresh_token":
        return EntraError(400, "invalid_grant", 70000, "Provided grant is invalid or malformed.", suberror="bad_token")
    if grant == "password":
        return EntraError(
            400,
            "invalid_grant",
            50034,
            f"The user account {{EUII Hidden}} does not exist in the {authority} directory. To sign into this "
            "application, the account must be added to the directory.",
        )
    return EntraError(
        400,
        "invalid_request",
        50059,
        "No tenant-identifying information found in either the request or implied by any provided credentials.",
    )


def tenant_not_found(name: str, error: str) -> EntraError:
    """The refusal for an authority that names no known tenant."""
    return EntraError(
        400,
        error,
        90002,
        f"Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are signing into the "
        "correct cloud. Check with your subscription administrator, this may happen if there are no active "
        "subscriptions for the tenant.",
    )


def _encode(data: t.Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=").decode()
