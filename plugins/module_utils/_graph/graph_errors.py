# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""What Graph says when it refuses, and what an administrator does about it."""

from __future__ import annotations

import typing as t

from .._ground import error_bodies
from .._ground.errors import APP, PROXY_ADVICE, USER, GraphError
from .._ground.words import Words

# Of Graph itself, about the address: IntuneBackupAndRestore#82, microsoft-graph-docs#7128.
_NO_SUCH_RESOURCE = ("not found for the segment", "invalid version")
# What a tenant without Intune is told; in lower case.
_NOT_APPLICABLE = "not applicable to target tenant"


class Asker(t.NamedTuple):
    """Who asks Graph.

    :param who: one of :data:`errors.APP`, :data:`errors.USER` and :data:`errors.SOMEONE`.
    :param permission: what is needed for all that is to be done.
    """

    who: str
    permission: str


def graph_error(
    action: str, status: int, body: bytes, request_id: str | None, *, words: Words, asker: Asker
) -> GraphError:
    """Turn an error answer of Graph into a sentence that says what to do.

    :param action: what was asked for, as in "could not ...", such as ``read it``.
    :param words: what it was asked of.
    """
    said = error_bodies.parse_error_body(body)
    forbidden = error_bodies.is_forbidden(status, said)
    error = GraphError(
        f"could not {action}, " + error_bodies.answer_clause("Graph", status, said),
        status=status,
        code=said.code,
        advice=_permission_advice(words, asker) if forbidden else _advice(status, said, words),
        request_id=request_id or said.request_id or None,
    )
    if error_bodies.is_page(body):
        error.advice = f"{PROXY_ADVICE}; if none does, {error.advice}"
    if error.none_in_tenant:
        instead = f" ({words.instead})" if words.instead else ""
        error.advice = f"{words.none_in_tenant}: check tenant{instead}"
    return error


def _permission_advice(words: Words, asker: Asker) -> str:
    permission = asker.permission
    licence = "check that the tenant has an active Intune licence"
    if asker.who == APP:
        return (
            f"grant the app {permission} with admin consent in this tenant, as an application permission, and {licence}"
        )
    role = f"an Intune role for {words.many}, such as Intune Administrator, that is active (PIM)"
    if asker.who == USER:
        consent = f"grant the app {permission} with admin consent, as a delegated permission"
        return f"give the user {role}, {consent}, and {licence}"
    return f"grant the app {permission} with admin consent in this tenant, give a user {role}, and {licence}"


def _advice(status: int, said: error_bodies.ErrorBody, words: Words) -> str:
    if status == 401:
        return "check that the token is meant for this Graph host and has not expired"
    if any(text in said.message.lower() for text in _NO_SUCH_RESOURCE):
        return f"this Graph has no {words.many}: check graph_url and cloud_environment"
    if status == 404:
        return f"the {words.short} is not in this tenant: check {words.to_check}"
    if status >= 500:
        return "run again later; if it stays, give the request_id to Microsoft's support"
    if _NOT_APPLICABLE in said.message.lower():
        return "the tenant has no Intune: check tenant and its licence"
    return f"check {words.to_check}; if they are right, give the request_id to Microsoft's support"
