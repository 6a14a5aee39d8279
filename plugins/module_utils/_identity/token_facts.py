# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""What may be told of an access token: whose it is, for whom, how long, and what it allows. Read, and not verified."""

from __future__ import annotations

import typing as t
from datetime import datetime

from .._ground import timestamps
from .._ground.errors import APP, SOMEONE, USER
from .claims import text_claim, time_claim

# Of Microsoft Graph, beside its address: https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
_GRAPH = "00000003-0000-0000-c000-000000000000"
# Roles of Entra ID that may do everything in Intune, by their templates: Intune Administrator, Global Administrator.
# https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference
_ADMINISTRATORS = frozenset(("3a2c62db-5318-420d-8d74-23affee5d9d5", "62e90394-69f5-4237-9190-012177145e10"))


class TokenFacts(t.NamedTuple):
    """What an access token says of itself; all of it "" or None where it is no JSON Web Token.

    :param asker: :data:`APP`, :data:`USER`, or :data:`SOMEONE` if it does not say.
    :param granted: the permissions of Graph that it carries.
    :param administrator: whether a user's directory role may do everything in Intune.
    """

    tenant_id: str = ""
    client_id: str = ""
    app_name: str = ""
    user_name: str = ""
    audience: str = ""
    issuer: str = ""
    expires: datetime | None = None
    asker: str = SOMEONE
    granted: tuple[str, ...] | None = None
    administrator: bool = False

    def is_for(self, graph_url: str) -> bool:
        """Whether its audience is this Graph; True if it does not say."""
        audience = self.audience.lower().rstrip("/")
        return audience in ("", _GRAPH, graph_url.lower())

    def as_dict(self, now: datetime) -> dict[str, t.Any]:
        """The part of a result that is about it, with null for what is not known."""
        granted = list(self.granted) if self.granted is not None else None
        return {
            "client_id": self.client_id or None,
            "app_name": self.app_name or None,
            "user_name": self.user_name or None,
            "audience": self.audience or None,
            "issuer": self.issuer or None,
            "expires_at": timestamps.text(self.expires),
            "expires_in": None if self.expires is None else int((self.expires - now).total_seconds()),
            "roles": granted if self.asker == APP else None if granted is None else [],
            "scopes": granted if self.asker == USER else None if granted is None else [],
        }


def read(found: t.Mapping[str, t.Any] | None) -> TokenFacts:
    """Read the claims of an access token, of version 1.0 or 2.0; None for one that has none to be read."""
    if found is None:
        return TokenFacts()
    scopes = text_claim(found, "scp")
    asker = USER if scopes or text_claim(found, "idtyp") == "user" else APP
    # Not by text_claim, which cuts what is long.
    words = found.get("roles") if asker == APP else str(found.get("scp") or "").split()
    directory = found.get("wids")
    return TokenFacts(
        tenant_id=text_claim(found, "tid"),
        client_id=text_claim(found, "appid") or text_claim(found, "azp"),
        app_name=text_claim(found, "app_displayname"),
        user_name=text_claim(found, "upn") or text_claim(found, "preferred_username") if asker == USER else "",
        audience=text_claim(found, "aud"),
        issuer=text_claim(found, "iss"),
        expires=time_claim(found, "exp"),
        asker=asker,
        granted=tuple(_printable(words)),
        administrator=isinstance(directory, list) and bool(_ADMINISTRATORS & {*map(str, directory)}),
    )


def _printable(words: t.Any) -> t.Iterator[str]:
    for word in words if isinstance(words, list) else ():
        if isinstance(word, str) and word.isascii() and word.isprintable():
            yield word
