# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""The customers of a Microsoft partner, as Partner Center tells them through Graph: all of them, or none.

https://learn.microsoft.com/graph/api/tenantrelationship-list-delegatedadmincustomers
"""

from __future__ import annotations

import typing as t

from .._graph.graph import Document, Graph
from .._ground import errors, tenant_ids
from .._ground.errors import APP
from .._ground.words import Words
from .._http import connection
from .._http.driver import Operation
from .._identity import identity
from .._kinds.kind import printable
from .session import Context, open_graph

PERMISSION = "DelegatedAdminRelationship.Read.All"
# No $top: where Graph has it, some lists have been seen to end with the first page (microsoft-graph-docs-contrib#2305).
_PATH = "/tenantRelationships/delegatedAdminCustomers"
_WORDS = Words("customer in Partner Center", "customers in Partner Center", "customer")


class Customer(t.NamedTuple):
    """A customer with whom the partner has an active relationship (GDAP).

    :param tenant: the GUID of its tenant, in lower case.
    :param name: what its tenant is called; "" if Graph did not say.
    """

    tenant: str
    name: str


def customer(entity: t.Any) -> Customer:
    """Read a customer.

    :raises Unavailable: it is none, or its tenant's id is no GUID, which must not become part of an address.
    """
    entity = entity if isinstance(entity, dict) else {}
    tenant, name = entity.get("tenantId"), entity.get("displayName")
    if not isinstance(tenant, str) or not tenant_ids.is_guid(tenant):
        raise errors.Unavailable(
            "could not list them, because Graph sent one whose tenantId is no GUID",
            advice="check that no proxy changes what Graph answers",
        )
    return Customer(tenant.lower(), printable(name).strip() if isinstance(name, str) else "")


def read(graph: Graph) -> Operation[list[Customer]]:
    """Read all customers, sorted by name. One that comes twice was moved from page to page in between.

    :raises GraphError: Graph refused it.
    :raises Unavailable: the list did not come to its end, is empty, or something in it is no customer: who takes a part
        of it for the whole deletes the others.
    :raises SignInError: no token.
    """
    found: dict[str, Customer] = {}

    def take(page: Document) -> None:
        found.update((one.tenant, one) for one in map(customer, page.document["value"]))

    try:
        yield from graph.pages(_PATH, take, action="list them", words=_WORDS)
    except errors.GraphError as error:
        if error.status == 403:
            error.advice = _permission_advice(graph.asker.who)
        raise
    if not found:
        # Seen of partners that do have customers: microsoft-graph-explorer-v4#2953.
        raise errors.Unavailable(
            "Graph's list is empty",
            advice="check that tenant is the partner's own, and has an active relationship (GDAP) with a customer",
        )
    return sorted(found.values(), key=lambda one: (one.name.lower(), one.tenant))


def _permission_advice(who: str) -> str:
    app = f"grant the app {PERMISSION} with admin consent in the partner's tenant"
    if who == APP:
        return f"{app}, as an application permission"
    return f"{app}, as a delegated permission, and give the user a role in Partner Center, such as Admin agent"


class CustomersCommand:
    """List the customers of a partner; check mode reads as well."""

    def argument_spec(self) -> dict[str, t.Any]:
        """The argument spec of what it takes."""
        return {**identity.identity_spec(), **connection.connection_spec()}

    def subject(self, _params: t.Mapping[str, t.Any], tenant: str) -> str:
        """What a sentence about it begins with."""
        return "Customers in Partner Center" + (f" of tenant {tenant}" if tenant else "")

    def run(self, params: t.Mapping[str, t.Any], context: Context) -> dict[str, t.Any]:
        """Read all of them.

        :returns: ``customers``, each with ``tenant`` and ``name``.
        :raises IntuneError: see :func:`read`; or an option cannot be right.
        """
        who = identity.read_identity(params, context.environ, context.own)
        session = open_graph(who, connection.read_connection(params), context, permission=PERMISSION)
        try:
            found = session.graph.run(read(session.graph))
        finally:
            context.hide(session.sign_in.tokens)
        return {"changed": False, "customers": [one._asdict() for one in found]}
