# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""The flow of reading connectors: one by its id, or all of a tenant, filtered and sorted."""

from __future__ import annotations

import typing as t

from .._graph.graph import Graph
from .._ground import errors
from .._kinds import exchange_connector
from . import options
from .session import Context, open_graph


def subject(params: t.Mapping[str, t.Any], tenant: str) -> str:
    """What every sentence is about: the connector or the connectors, and the tenant if the user named one."""
    one = params["connector_id"]
    return (f"Exchange connector {one}" if one else "Exchange connectors") + (f" in tenant {tenant}" if tenant else "")


def perform(params: t.Mapping[str, t.Any], caller: Context) -> dict[str, t.Any]:
    """Do what the module ``intune_exchange_connector_info`` promises; check mode reads as well.

    Parameters and errors are those of :func:`sync.perform`.
    """
    one = options.connector_guid(params["connector_id"]) if params["connector_id"] else None
    client = open_graph(params, caller.environ, caller.clock, caller.shared_tokens, own=caller.own)
    try:
        listing = _at_most_one(client.graph, one) if one else exchange_connector.read_all(client.graph)
    finally:
        caller.hide(client.sign_in.tokens)
    about = subject(params, client.tenant)
    if listing.remark:
        caller.warn(f"{about}: {listing.remark}.")
    chosen = [entry for entry in listing.found if options.matches(entry.connector.properties, params)]
    for entry in chosen:
        if isinstance(entry, exchange_connector.UnreadableTime):
            one_of_them = subject({"connector_id": entry.connector.properties["id"]}, client.tenant)
            caller.warn(f"{one_of_them}: {entry.what}, so last_sync_date_time is null.")
    if any(entry.connector.assumed_utc for entry in chosen):
        caller.warn(f"{about}: {exchange_connector.ASSUMED_UTC}.")
    connectors = [dict(entry.connector.properties) for entry in chosen]
    return {"changed": False, "connectors": sorted(connectors, key=_order)}


def _at_most_one(graph: Graph, connector_id: str) -> exchange_connector.Listing:
    try:
        return exchange_connector.Listing([graph.run(exchange_connector.read(graph, connector_id))], "")
    except exchange_connector.UnreadableTime as error:
        return exchange_connector.Listing([error], "")
    except errors.GraphError as error:
        if error.none_in_tenant:
            return exchange_connector.none_in_tenant(error)
        if error.status == 404:
            return exchange_connector.Listing([], "")
        raise


def _order(properties: t.Mapping[str, t.Any]) -> tuple[str, str]:
    return str(properties.get("server_name") or "").lower(), str(properties["id"])
