# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state that both services share: tenants, issued tokens, ordered faults and the record of requests."""

from __future__ import annotations

import base64
import json
import secrets
import threading
import typing as t
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from simulator.directory import App, Tenant, User
from simulator.faults import Fault, Faults
from simulator.records import Request
from simulator.resources import CUSTOMER, RESOURCES, Resource
from simulator.runner import Job
from simulator.throttle import Throttle

# Entra: refresh tokens live 90 days; the figure cannot be configured there either.
REFRESH_TOKEN_LIFETIME = timedelta(days=90)


@dataclass(frozen=True)
class AccessToken:
    """What Graph can read out of an access token; the roles are those at the time of issuing."""

    tenant: Tenant
    app: App
    roles: tuple[str, ...]
    resource: str
    expires: datetime


@dataclass(frozen=True)
class RefreshToken:
    """What Entra knows of a refresh token."""

    app: App
    user: User
    issued: datetime


class World:
    """All state of the simulated services. Safe to change while a simulator serves it.

    Attributes:
        clock: gives the time of both services; UTC. Replace it, or move it by ``clock_offset``.
        clock_offset: added to the real time.
        token_lifetime: seconds that access tokens live.
        opaque_tokens: whether nothing can be read in the middle of an access token.
        graph_resource: the only resource that tokens are issued for and that Graph accepts, such as
            ``https://graph.microsoft.com``; ``None`` for any https resource.
        managed_identity: app behind the system-assigned managed identity, ``None`` if there is none.
        jobs: jobs of pipelines, whose runners give tokens.
        identity_header: value that the managed identity endpoint wants in ``X-IDENTITY-HEADER``.
        date_header: whether Graph sends ``Date``, or the text that it sends there.
        resources: the kinds of objects that Graph knows, by name.
        throttles: the limits of requests to synchronise, by the kind.
        faults: ordered faults.
        requests: every request in order of arrival.
        lock: guards everything here.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.clock: t.Callable[[], datetime] = self._real_time
        self.clock_offset = timedelta()
        self.token_lifetime = 3600
        self.opaque_tokens = False
        self.graph_resource: str | None = None
        self.managed_identity: App | None = None
        self.jobs: list[Job] = []
        self.identity_header = secrets.token_hex(16)
        self.date_header: bool | str = True
        self.resources = {resource.name: resource for resource in (*RESOURCES, CUSTOMER)}
        self.throttles: dict[str, Throttle] = {}
        self.faults = Faults(self.lock, self.resources.keys())
        self.requests: list[Request] = []
        self.tenants: list[Tenant] = []
        self._access_tokens: dict[str, AccessToken] = {}
        self._refresh_tokens: dict[str, RefreshToken] = {}
        self._connections = {"entra": 0, "graph": 0}

    def _real_time(self) -> datetime:
        return datetime.now(timezone.utc) + self.clock_offset

    # Tenants and what they may hold

    def add_resource(self, resource: Resource) -> Resource:
        """Make Graph know another kind of objects; :meth:`~simulator.directory.Tenant.add_object` makes them."""
        with self.lock:
            if resource.name in self.resources:
                raise ValueError(f"there is a resource {resource.name!r} already")
            self.resources[resource.name] = resource
        return resource

    def add_tenant(self, domain: str, tenant_id: str | None = None) -> Tenant:
        """Add a tenant, reachable by its domain and by its id (made up if ``None``)."""
        tenant = Tenant(self, domain.lower(), (tenant_id or str(uuid.uuid4())).lower())
        with self.lock:
            self.tenants.append(tenant)
        return tenant

    def throttle(
        self, kind: str, *, most: int, seconds: float = 20.0, refused_at_random: float = 0.0, seed: int = 1
    ) -> Throttle:
        """Limit how many syncs of a kind each app may ask for in each tenant; the answer counts what comes of it.

        Parameters:
            most: requests in a window of ``seconds``, of which each in a batch is one.
            refused_at_random: share of those below the limit that is refused nevertheless.
            seed: of these.
        """
        throttle = Throttle(most=most, seconds=seconds, refused_at_random=refused_at_random, seed=seed)
        with self.lock:
            self.throttles[self.resources[kind].name] = throttle
        return throttle

    def find_tenant(self, name: str) -> Tenant | None:
        """Find a tenant by its id or domain."""
        name = name.lower()
        return next((tenant for tenant in self.tenants if name in (tenant.id, tenant.domain)), None)

    # Tokens

    def issue_access_token(self, app: App, resource: str, user: User | None = None) -> str:
        """Issue an access token of ``app``, for ``user`` or for itself; a JWT, though nothing here signs it.

        Source of the claims: "Access token claims reference" of the Microsoft identity platform, version 1.0.
        """
        now = self.clock()
        expires = now + timedelta(seconds=self.token_lifetime)
        claims: dict[str, t.Any] = {
            "aud": resource,
            "iss": f"https://sts.windows.net/{app.tenant.id}/",
            "iat": int(now.timestamp()),
            "nbf": int(now.timestamp()),
            "exp": int(expires.timestamp()),
            "app_displayname": f"App of {app.tenant.domain}",
            "appid": app.client_id,
            "idtyp": "app" if user is None else "user",
            "tid": app.tenant.id,
            "ver": "1.0",
            "jti": secrets.token_hex(400),
        }
        if user is None:
            claims["roles"] = list(app.roles)
        else:
            claims.update(scp=" ".join(app.roles), upn=user.name, wids=list(user.directory_roles))
        middle = secrets.token_urlsafe(600) if self.opaque_tokens else _base64url(json.dumps(claims))
        header = _base64url(json.dumps({"typ": "JWT", "alg": "RS256", "kid": "simulator"}))
        token = f"{header}.{middle}.{secrets.token_urlsafe(256)}"
        with self.lock:
            self._access_tokens[token] = AccessToken(app.tenant, app, app.roles, resource, expires)
        return token

    @property
    def access_tokens(self) -> list[str]:
        """All access tokens that were issued and not revoked."""
        return [*self._access_tokens]

    def find_access_token(self, token: str) -> AccessToken | None:
        """Find an issued access token; ``None`` if it is unknown or revoked."""
        return self._access_tokens.get(token)

    def revoke_tokens(self) -> None:
        """Make Graph refuse all access tokens issued so far."""
        with self.lock:
            self._access_tokens.clear()

    def issue_refresh_token(self, app: App, user: User) -> str:
        """Issue a refresh token bound to ``app`` and ``user``."""
        token = f"1.{secrets.token_urlsafe(512)}"
        with self.lock:
            self._refresh_tokens[token] = RefreshToken(app, user, self.clock())
        return token

    def find_refresh_token(self, token: str) -> RefreshToken | None:
        """Find an issued refresh token, expired or not."""
        return self._refresh_tokens.get(token)

    # Wire

    def open_connection(self, host: str) -> int:
        """Count a TLS connection to ``host`` and give its number."""
        with self.lock:
            self._connections[host] += 1
            return self.connections

    @property
    def connections(self) -> int:
        """TLS connections accepted so far, by both hosts."""
        return sum(self._connections.values())

    def connections_to(self, host: str) -> int:
        """TLS connections accepted so far by ``entra`` or ``graph``."""
        return self._connections[host]

    def receive(self, request: Request) -> Fault | None:
        """Record a request and give the fault that strikes it."""
        with self.lock:
            self.requests.append(request)
            request.fault = self.faults.take(request)
            return request.fault


def _base64url(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()
