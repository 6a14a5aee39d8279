# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tenants with their app registrations and users."""

from __future__ import annotations

import secrets
import typing as t
import uuid
from dataclasses import dataclass, field

from simulator.entity import Entity
from simulator.resources import CUSTOMER
from simulator.synced_holdings import SyncedHoldings

if t.TYPE_CHECKING:
    from simulator.world import World
# All that reads and synchronises every kind.
ALL_ROLES = (
    "DeviceManagementServiceConfig.ReadWrite.All",
    "DeviceManagementConfiguration.ReadWrite.All",
    "DeviceManagementManagedDevices.Read.All",
    "DeviceManagementManagedDevices.PrivilegedOperations.All",
)


@dataclass(frozen=True, eq=False)
class User:
    """A user of a tenant; ``mfa`` users cannot sign in with a password alone.

    Attributes:
        directory_roles: the template ids of the roles in Entra ID that are active.
    """

    name: str
    password: str = field(repr=False)
    mfa: bool
    tenant: Tenant = field(repr=False)
    object_id: str
    directory_roles: tuple[str, ...] = ()


class FederatedCredential(t.NamedTuple):
    """The trust in the tokens of another issuer that are about one subject."""

    issuer: str
    subject: str
    audience: str = "api://AzureADTokenExchange"


@dataclass(eq=False)
class App:
    """An app registration as one tenant knows it; the same ``client_id`` may be registered in several tenants.

    Attributes:
        secret: client secret, ``None`` when the app has none.
        certificate: registered certificate as PEM text.
        federated: assertions that are accepted as they stand, instead of a trust in an issuer.
        trusted: federated credentials.
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
    trusted: list[FederatedCredential] = field(default_factory=list)

    @property
    def confidential(self) -> bool:
        """Whether the app has any credential to present."""
        return bool(self.secret or self.certificate or self.federated or self.trusted)

    def refresh_token(self, user: User) -> str:
        """Issue a refresh token for ``user``, as an interactive sign-in would have done."""
        return self.tenant.world.issue_refresh_token(self, user)


class Tenant(SyncedHoldings):
    """A tenant; made by :meth:`simulator.world.World.add_tenant`.

    Attributes:
        page_size: objects per page of a list, ``None`` for all on one.
        next_link_host: ``host``, ``host:port`` or ``scheme://host:port`` that next links lead to, ``None`` for Graph.
        ignores_filters: whether the lists are answered as if they had no ``$filter``.
        has_intune_licence: without it all Intune requests are refused.
    """

    def __init__(self, world: World, domain: str, tenant_id: str) -> None:
        super().__init__(world, domain)
        self.id = tenant_id
        self.apps: dict[str, App] = {}
        self.users: dict[str, User] = {}
        self.page_size: int | None = None
        self.next_link_host: str | None = None
        self.ignores_filters = False
        self.has_intune_licence = True

    def add_app(
        self,
        client_id: str | None = None,
        secret: str | None = None,
        certificate: str | None = None,
        federated: t.Iterable[str] = (),
        trusted: t.Iterable[FederatedCredential] = (),
        public: bool = False,
        roles: t.Iterable[str] = ALL_ROLES,
    ) -> App:
        """Register an app; one without any credential that is not public gets a made-up secret."""
        app = App(
            client_id=(client_id or str(uuid.uuid4())).lower(),
            tenant=self,
            secret=secret,
            certificate=certificate,
            federated=set(federated),
            public=public,
            roles=tuple(roles),
            trusted=list(trusted),
        )
        if not app.confidential and not public:
            app.secret = secrets.token_urlsafe(30)
        with self.world.lock:
            self.apps[app.client_id] = app
        return app

    def add_customer(self, display_name: str | None, tenant_id: str | None = None) -> Entity:
        """Add a customer of this tenant, which is a partner's: one to which it has a delegated admin relationship.

        Nothing follows from it; the customer's tenant, if it is to be one of the world's, is made by ``add_tenant``.
        """
        with self.world.lock:
            object_id = (tenant_id or str(uuid.uuid4())).lower()
            shown = {"@odata.etag": 'W/"simulator"', "tenantId": object_id, "displayName": display_name}
            return self.hold(CUSTOMER, Entity(self.world, object_id, shown))

    def add_user(self, name: str, password: str, mfa: bool = False, directory_roles: t.Iterable[str] = ()) -> User:
        """Add a user; ``name`` is the user principal name."""
        user = User(name, password, mfa, self, str(uuid.uuid4()), tuple(directory_roles))
        with self.world.lock:
            self.users[name.lower()] = user
        return user
