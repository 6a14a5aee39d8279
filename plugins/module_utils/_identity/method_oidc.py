# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Sign in with a federated token: one that another issuer gives, and that an app registration trusts."""

from __future__ import annotations

import pathlib
import typing as t

from .._ground.errors import APP, OptionError
from .._ground.option_values import OptionValue
from . import claims, federation, msal_app
from .method import Given, Inspection, Method, check_tenant_of_app, check_texts

if t.TYPE_CHECKING:
    from .identity import Identity


def _check(given: Given) -> None:
    check_tenant_of_app(given)
    check_texts(given, "oidc_token")


def _settle(given: Given) -> t.Mapping[str, OptionValue]:
    """Let a file that an option names come before a token of the environment."""
    token = given.values["oidc_token"]
    if given.values["oidc_token_file_path"].from_options and not token.from_options:
        return {**given.values, "oidc_token": OptionValue("", "", False)}
    return given.values


def _sent(given: Given) -> t.Iterator[OptionValue]:
    # Of a certificate's file, only a signature for that one host is sent; of this one, its content.
    file = OptionValue("", given.values["oidc_token_file_path"].source, False)
    yield given.values["oidc_token"] if given.values["oidc_token"].value else file


def _credential(identity: Identity, hide: t.Callable[..., None]) -> dict[str, t.Any]:
    def token() -> str:
        found = identity.values["oidc_token"] or _read_token_file(identity.values["oidc_token_file_path"])
        hide(found)
        return found

    # Now to see whether it can be read, and for each sign-in, because Kubernetes replaces it every hour or so.
    token()
    return {"client_assertion": token}


def _read_token_file(path: str) -> str:
    try:
        token = pathlib.Path(path).read_text(encoding="utf-8-sig").strip()
        token.encode("ascii")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise OptionError(
            f"oidc_token_file_path {path!r} cannot be read: {reason}", advice="name a file that this user may read"
        ) from error
    if not token:
        raise OptionError(
            f"oidc_token_file_path {path!r} is empty", advice="see that the platform writes its token there"
        )
    return token


def _inspect(inspection: Inspection) -> dict[str, t.Any]:
    identity = inspection.identity
    found = claims.claims(inspection.assertion) or {}
    return federation.described(found, identity.client_id, identity.hosts, inspection.now) if found else {}


METHOD = Method(
    "oidc",
    "with a federated token",
    msal_app.acquire_for_app,
    credentials=(("oidc_token", "oidc_token_file_path"),),
    needs=("tenant", "client_id"),
    asker=APP,
    check=_check,
    settle=_settle,
    sent=_sent,
    credential=_credential,
    inspect=_inspect,
)
