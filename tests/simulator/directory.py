# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tenants with their app registrations, users and what Intune holds for them."""

from __future__ import annotations

import secrets
import typing as t
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from simulator.connector import Connector
from simulator.entity import Entity
from simulator.resources import EXCHANGE_CONNECTOR, VPP_TOKEN
from simulator.vpp_token import VppToken

if t.TYPE_CHECKING:
    from simulator.world import World


@dataclass(frozen=True, eq=False)
class User:
    """A user of a tenant; ``mfa`` users cannot sign in with a password alone."""

    name: str
    password: str = field(repr=False)
    mfa: bool
    tenant: Tenant = field(repr=False)
    object_id: str


@dataclass(eq=False)
class App:
    """An app registration as one tenant knows it; the same ``client_id`` may be registered in several tenants.

    Attributes:
        secret: client secret, ``None`` when the app has none.
        certificate: registered certificate as PEM text.
        federated: assertions that are accepted as they stand, instead of a trust in an issuer.
        public: whether user flows work without a credential.
        roles: Graph permissions, both as application roles and as delegated scopes.
    """

    client_id: str
    tenant: Tenant = field(repr=False)
    secret: str | None = field(repr=False)
    certificate: str | None = field(repr=False)
    federated: set[str] = field(repr=False)
    public: bool
    roles: tuple[str, ...]

    @property
    def confidential(self) -> bool:
        """Whether the app has any credential to present."""
        return bool(self.secret or self.certificate or self.federated)

    def refresh_token(self, user: User) -> str:
        """Issue a refresh token for ``user``, as an interactive sign-in would have done."""
        return self.tenant.world.issue_refresh_token(self, user)


class Tenant:
    """A tenant; made by :meth:`simulator.world.World.add_tenant`.

    Attributes:
        objects: what the tenant holds, by kind and by id.
        absent: kinds that Graph does not have for the tenant, with the status it says so by, such as 501 or 404.
        page_size: objects per page of a list, ``None`` for all on one.
        next_link_host: ``host``, ``host:port`` or ``scheme://host:port`` that next links lead to, ``None`` for Graph.
        has_intune_licence: without it all Intune requests are refused.
    """

    def __init__(self, world: World, domain: str, tenant_id: str) -> None:
        self.world = world
        self.domain = domain
        self.id = tenant_id
        self.apps: dict[str, App] = {}
        self.users: dict[str, User] = {}
        self.objects: defaultdict[str, dict[str, Entity]] = defaultdict(dict)
        self.absent: dict[str, int] = {}
        self.page_size: int | None = None
        self.next_link_host: str | None = None
        self.has_intune_licence = True

    @property
    def connectors(self) -> dict[str, Connector]:
        """The exchange connectors, by id."""
        return t.cast("dict[str, Connector]", self.objects[EXCHANGE_CONNECTOR.name])

    @property
    def vpp_tokens(self) -> dict[str, VppToken]:
        """The tokens of Apple's volume purchase programme, by id."""
        return t.cast("dict[str, VppToken]", self.objects[VPP_TOKEN.name])

    @property
    def has_exchange_connectors(self) -> bool:
        """Whether Graph has exchange connectors here, if only an empty list; where there never was one it has not."""
        return EXCHANGE_CONNECTOR.name not in self.absent

    @has_exchange_connectors.setter
    def has_exchange_connectors(self, value: bool) -> None:
        self.absent.pop(EXCHANGE_CONNECTOR.name, None)
        if not value:
            self.absent[EXCHANGE_CONNECTOR.name] = 501

    def add_app(
        self,
        client_id: str | None = None,
        secret: str | None = None,
        certificate: str | None = None,
        federated: t.Iterable[str] = (),
        public: bool = False,
        roles: t.Iterable[str] = ("DeviceManagementServiceConfig.ReadWrite.All",),
    ) -> App:
        """Register an app; one without any credential that is not public gets a made-up secret."""
        accepted = set(federated)
        if secret is None and certificate is None and not accepted and not public:
            secret = secrets.token_urlsafe(30)
        app = App((client_id or str(uuid.uuid4())).lower(), self, secret, certificate, accepted, public, tuple(roles))
        with self.world.lock:
            self.apps[app.client_id] = app
        return app

    def add_user(self, name: str, password: str, mfa: bool = False) -> User:
        """Add a user; ``name`` is the user principal name."""
        user = User(name, password, mfa, self, str(uuid.uuid4()))
        with self.world.lock:
            self.users[name.lower()] = user
        return user

    def add_connector(
        self,
        connector_id: str | None = None,
        status: str = "connected",
        last_sync: datetime | timedelta | None = None,
        sync_delay: float = 0.0,
        outcome: str = "completes",
        **properties: t.Any,
    ) -> Connector:
        """Add a connector.

        Parameters:
            connector_id: made up if ``None``.
            status: member of ``deviceManagementExchangeConnectorStatus``.
            last_sync: time, or age as a timedelta, of the last sync; ``None`` for never.
            sync_delay: seconds that a sync takes.
            outcome: how a sync ends: ``completes``, ``never`` or ``fails``.
            properties: other Graph properties by their Graph names; the defaults differ from connector to connector.
        """
        with self.world.lock:
            number = len(self.connectors) + 1
            label = self.domain.split(".", maxsplit=1)[0]
            defaults = {
                "serverName": f"ex{number:03d}.{self.domain}",
                "connectorServerName": f"conn{number:03d}.{self.domain}",
                "exchangeConnectorType": "onPremises",
                "primarySmtpAddress": f"connector{number:03d}@{self.domain}",
                "exchangeAlias": f"{label}-ex{number:03d}",
                "exchangeOrganization": f"{label.capitalize()} Organization {number}",
                "version": "5.0.5777.0",
            }
            connector = Connector(
                self.world,
                (connector_id or str(uuid.uuid4())).lower(),
                status=status,
                last_sync=last_sync,
                sync_delay=sync_delay,
                outcome=outcome,
                properties={**defaults, **properties},
            )
            self.connectors[connector.id] = connector
        return connector

    def add_vpp_token(
        self,
        token_id: str | None = None,
        organization_name: str | None = None,
        apple_id: str | None = None,
        state: str = "valid",
        last_sync: datetime | timedelta | None = None,
        last_sync_status: str | None = None,
        sync_delay: float = 0.0,
        outcome: str = "completes",
        expires: datetime | timedelta = timedelta(days=200),
        **properties: t.Any,
    ) -> VppToken:
        """Add a token of Apple's volume purchase programme.

        Parameters:
            token_id, organization_name, apple_id: made up if ``None``.
            state: member of ``vppTokenState``; only ``valid`` ones are synchronised.
            last_sync: time, or age as a timedelta, of the last completed sync; ``None`` for never.
            last_sync_status: member of ``vppTokenSyncStatus``; if ``None``, ``completed`` or, where there was never
                one, ``none``.
            sync_delay: seconds that a sync takes.
            outcome: how a sync ends: ``completes``, ``never`` or ``fails``.
            expires: time, or how long from now, that Apple takes the token.
            properties: other Graph properties by their Graph names; ``token`` is a text that nobody must show.
        """
        with self.world.lock:
            number = len(self.vpp_tokens) + 1
            object_id = (token_id or str(uuid.uuid4())).lower()
            label = self.domain.split(".", maxsplit=1)[0]
            defaults = {
                "organizationName": organization_name or f"{label.capitalize()} Apps {number}",
                "appleId": apple_id or f"vpp{number:03d}@{self.domain}",
                "automaticallyUpdateApps": True,
                "countryOrRegion": "us",
                "token": f"apple-secret-of-{object_id}",
                "vppTokenAccountType": "business",
            }
            token = VppToken(
                self.world,
                object_id,
                state=state,
                last_sync=last_sync,
                last_sync_status=last_sync_status or ("none" if last_sync is None else "completed"),
                sync_delay=sync_delay,
                outcome=outcome,
                expires=expires,
                properties={**defaults, **properties},
            )
            self.vpp_tokens[token.id] = token
        return token

    def add_object(
        self,
        kind: str,
        object_id: str | None = None,
        on_accept: t.Callable[[Entity], None] | None = None,
        **properties: t.Any,
    ) -> Entity:
        """Add a plain object, of which a sync is accepted and nothing more.

        Parameters:
            kind: name of one of the world's resources.
            object_id: made up if ``None``.
            on_accept: called with the object when a sync is accepted.
            properties: all but the id, by their Graph names.
        """
        with self.world.lock:
            resource = self.world.resources[kind]
            if resource.singleton and self.objects[kind]:
                raise ValueError(f"a tenant has one object of kind {kind!r} only")
            entity = Entity(self.world, (object_id or str(uuid.uuid4())).lower(), properties)
            entity.on_accept = on_accept
            self.objects[kind][entity.id] = entity
        return entity
