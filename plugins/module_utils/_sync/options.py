# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""The options that modules and actions share: their argument specs, and where else a value may come from."""

from __future__ import annotations

import re
import typing as t

from .._ground.errors import OptionError
from .._http import connection
from .._identity import identity_options

SYNC_TYPES = ("deltaSync", "fullSync")
STATUSES = ("none", "connectionPending", "connected", "disconnected", "unknownFutureValue")


# The texts by which connectors are chosen among all of a tenant.
_TEXT_FILTERS = ("server_name", "connector_server_name", "exchange_organization", "primary_smtp_address")
FILTERS = ("status", *_TEXT_FILTERS)

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def filter_spec() -> dict[str, t.Any]:
    """The argument spec of the options that choose among all connectors of a tenant."""
    return {
        "status": {"type": "list", "elements": "str", "choices": list(STATUSES)},
        **{name: {"type": "str"} for name in _TEXT_FILTERS},
    }


def sync_spec() -> dict[str, t.Any]:
    """The argument spec of ``intune_exchange_connector_sync``."""
    return {
        "connector_id": {"type": "str"},
        "connector_ids": {"type": "list", "elements": "str"},
        "all": {"type": "bool", "default": False},
        "sync_type": {"type": "str", "default": "deltaSync", "choices": list(SYNC_TYPES)},
        "max_age": {"type": "int"},
        "force": {"type": "bool", "default": False},
        "require_connected": {"type": "bool", "default": True},
        "wait": {"type": "bool", "default": True},
        "wait_timeout": {"type": "int", "default": 900},
        "wait_sleep": {"type": "int", "default": 15, "aliases": ["interval"]},
        **filter_spec(),
        **identity_options.identity_spec(),
        **connection.connection_spec(),
    }


def member_spec() -> dict[str, t.Any]:
    """The argument spec of one host of a fleet: that of ``intune_exchange_connector_sync`` for a single connector."""
    of_many = {"connector_ids", "all", *FILTERS}
    return {name: option for name, option in sync_spec().items() if name not in of_many}


def fleet_spec() -> dict[str, t.Any]:
    """The argument spec of what the role ``exchange_connector_sync`` has beside the options of its members."""
    return {
        "max_failures": {"type": "str", "default": ""},
        "report_path": {"type": "path"},
    }


def info_spec() -> dict[str, t.Any]:
    """The argument spec of ``intune_exchange_connector_info``."""
    return {
        "connector_id": {"type": "str"},
        **filter_spec(),
        **identity_options.identity_spec(),
        **connection.connection_spec(),
    }


def connector_guid(value: str) -> str:
    """Return a connector's id in lower case.

    :raises OptionError: ``value`` is not a GUID as Graph writes them (8-4-4-4-12 hexadecimal digits).
    """
    if not _GUID.fullmatch(value):
        raise OptionError(
            f"connector_id {value!r} is not a GUID",
            advice="take the id from graphops.intune.intune_exchange_connector_info, such as"
            " e11c1de8-1de8-e11c-e81d-1ce1e81d1ce1",
        )
    return value.lower()


def matches(properties: t.Mapping[str, t.Any], wanted: t.Mapping[str, t.Any]) -> bool:
    """Tell whether a connector passes the filters; all that are given must fit, upper and lower case being the same.

    Filtered here, because nothing tells whether Graph's ``$filter`` works for this collection.

    :param wanted: ``status`` (a list of which one must fit) and the texts; empty ones count as not given.
    """
    statuses = [status.lower() for status in wanted.get("status") or ()]
    if statuses and str(properties.get("status")).lower() not in statuses:
        return False
    return all(
        str(properties.get(name) or "").lower() == wanted[name].lower() for name in _TEXT_FILTERS if wanted.get(name)
    )
