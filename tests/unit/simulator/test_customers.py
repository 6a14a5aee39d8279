# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The customers of a partner, as the simulator lists them."""

from __future__ import annotations

from simulator import App, Simulator, Tenant, World
from simulator.resources import CUSTOMER
from unit.simulator.conftest import Graph

ROLE = "DelegatedAdminRelationship.Read.All"
FIRST = "4fdbff88-9d6b-42e0-9713-45c922ba8001"


def test_customers_are_listed_page_by_page(
    graph: Graph, tenant: Tenant, app: App, world: World, sim: Simulator
) -> None:
    tenant.add_customer("Contoso", FIRST.upper())
    tenant.add_customer(None)
    # It is no matter of Intune's.
    tenant.has_intune_licence = False
    graph.of(CUSTOMER)
    refused = graph.list()
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "Authorization_RequestDenied")
    app.roles = (ROLE,)
    graph.token = world.issue_access_token(app, sim.graph_url)
    whole = graph.list().json()
    assert whole["@odata.context"] == f"{sim.graph_url}/v1.0/$metadata#tenantRelationships/delegatedAdminCustomers"
    assert whole["value"][0] == {
        "@odata.etag": 'W/"simulator"',
        "id": FIRST,
        "tenantId": FIRST,
        "displayName": "Contoso",
    }
    tenant.page_size = 1
    first = graph.list().json()
    second = graph.call("GET", first["@odata.nextLink"]).json()
    assert [*first["value"], *second["value"]] == whole["value"]
    assert "@odata.nextLink" not in second
    assert world.requests[-1].kind == "customer"
