# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""What Graph says when it refuses, and what an administrator does about it."""

from __future__ import annotations

import typing as t

from .._ground import error_bodies
from .._ground.errors import APP, PROXY_ADVICE, SOMEONE, USER, GraphError

PERMISSION = "DeviceManagementServiceConfig.ReadWrite.All"


PERMISSION_TO_READ = "DeviceManagementServiceConfig.Read.All"


NONE_IN_TENANT = "this tenant has no Exchange connector"


# https://learn.microsoft.com/mem/intune/protect/exchange-connector-install
INSTEAD = (
    "Microsoft ended support for the on-premises connector on 19 February 2024, and offers hybrid modern authentication"
    " for Exchange on-premises, or Exchange Online, instead"
)


# Of Graph itself, about the address: IntuneBackupAndRestore#82, microsoft-graph-docs#7128.
_NO_SUCH_RESOURCE = ("not found for the segment", "invalid version")


class Asker(t.NamedTuple):
    """Who asks Graph.

    :param who: one of :data:`APP`, :data:`USER` and :data:`SOMEONE`.
    :param permission: what is needed for all that is to be done.
    """

    who: str
    permission: str


def graph_error(
    action: str, status: int, body: bytes, request_id: str | None, *, asker: Asker | None = None
) -> GraphError:
    """Turn an error answer of Graph into a sentence that says what to do.

    :param action: what was asked for, as in "could not ...", such as ``read it``.
    """
    said = error_bodies.parse_error_body(body)
    error = GraphError(
        f"could not {action}, " + error_bodies.answer_clause("Graph", status, said),
        status=status,
        code=said.code,
        advice=_permission_advice(asker) if error_bodies.is_forbidden(status, said) else _graph_advice(status, said),
        request_id=request_id or said.request_id or None,
    )
    if error_bodies.is_page(body):
        error.advice = f"{PROXY_ADVICE}; if none does, {error.advice}"
    if error.none_in_tenant:
        error.advice = f"{NONE_IN_TENANT}: check tenant ({INSTEAD})"
    return error


def _permission_advice(asker: Asker | None) -> str:
    who, permission = asker or (SOMEONE, PERMISSION)
    licence = "check that the tenant has an active Intune licence"
    if who == APP:
        return (
            f"grant the app {permission} with admin consent in this tenant, as an application permission, and {licence}"
        )
    role = "an Intune role for Exchange connectors, such as Intune Administrator, that is active (PIM)"
    if who == USER:
        consent = f"grant the app {permission} with admin consent, as a delegated permission"
        return f"give the user {role}, {consent}, and {licence}"
    return f"grant the app {permission} with admin consent in this tenant, give a user {role}, and {licence}"


def _graph_advice(status: int, said: error_bodies.ErrorBody) -> str:
    if status == 401:
        return "check that the token is meant for this Graph host and has not expired"
    if any(words in said.message.lower() for words in _NO_SUCH_RESOURCE):
        return "this Graph has no Exchange connectors: check graph_url and cloud_environment"
    if status == 404:
        return "the connector is not in this tenant: check connector_id and tenant"
    if status >= 500:
        return "run again later; if it stays, give the request_id to Microsoft's support"
    if "not applicable to target tenant" in said.message.lower():
        return "the tenant has no Intune: check tenant and its licence"
    return "check connector_id and tenant; if they are right, give the request_id to Microsoft's support"
