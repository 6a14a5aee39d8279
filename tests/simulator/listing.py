# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pages of a list, and what of an object is shown: ``$filter``, ``$select``, ``$top`` and ``$skiptoken``."""

from __future__ import annotations

import base64
import binascii
import typing as t
from urllib.parse import quote

from simulator.directory import Tenant
from simulator.errors import GraphError
from simulator.filters import Matches, compiled
from simulator.records import Request
from simulator.resources import Resource


def page(request: Request, resource: Resource, tenant: Tenant, graph_url: str) -> dict[str, t.Any]:
    """One page of the list; like elsewhere in Graph, ``$top`` is the size of the pages."""
    objects = list(tenant.objects[resource.name].values())
    size = _size(request, resource, tenant) or len(objects)
    matches, names = _filter(request, resource, tenant), selection(request, resource)
    start = _offset(request.query["$skiptoken"]) if "$skiptoken" in request.query else 0
    shown: list[t.Any] = []
    links = {}
    for position in range(start, len(objects)):
        entity = objects[position].as_json()
        if matches is not None and not matches(entity):
            continue
        if len(shown) == size:
            links["@odata.nextLink"] = _next_link(request, resource, tenant.next_link_host or graph_url, position)
            break
        shown.append(picked(entity, names))
    # Where there are pages, it is as unreliable as live: the number of those on this one.
    count = {"@odata.count": len(shown)} if resource.counts else {}
    return {**count, **links, "value": shown}


def selection(request: Request, resource: Resource) -> tuple[str, ...] | None:
    """The properties that ``$select`` names; ``None`` for all."""
    text = request.query.get("$select")
    if text is None:
        return None
    names = tuple(name.strip() for name in text.split(","))
    unknown = [name for name in names if name not in resource.properties]
    if unknown:
        raise GraphError(400, "BadRequest", f"Could not find a property named '{unknown[0]}'.")
    return names


def picked(entity: dict[str, t.Any], names: tuple[str, ...] | None) -> dict[str, t.Any]:
    """What is shown of an object."""
    return entity if names is None else {name: entity[name] for name in names if name in entity}


def _size(request: Request, resource: Resource, tenant: Tenant) -> int | None:
    top = request.query.get("$top")
    if top is not None and (not top.isdigit() or int(top) < 1):
        raise GraphError(400, "BadRequest", f"Invalid value '{top}' for $top query option found.")
    return min((size for size in (tenant.page_size, resource.page_size, int(top or 0)) if size), default=None)


def _filter(request: Request, resource: Resource, tenant: Tenant) -> Matches | None:
    text = request.query.get("$filter")
    if text is None or tenant.ignores_filters:
        return None
    return compiled(text, resource.properties, resource.filters)


def _next_link(request: Request, resource: Resource, base: str, position: int) -> str:
    if "://" not in base:
        base = f"https://{base}"
    token = base64.urlsafe_b64encode(f"offset:{position}".encode()).decode()
    kept = {name: value for name, value in request.query.items() if name != "$skiptoken"}
    options = "".join(f"&{name}={quote(value, safe='')}" for name, value in kept.items())
    return f"{base}/{resource.version}/{resource.path}?$skiptoken={quote(token)}{options}"


def _offset(skip_token: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(skip_token).decode().partition("offset:")[2])
    except (binascii.Error, ValueError) as e:
        raise GraphError(400, "BadRequest", "The $skiptoken is not valid.") from e
