# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Sign in with a user's name and password."""

from __future__ import annotations

import typing as t

from .._ground.errors import USER, OptionError
from . import msal_app
from .method import Attempt, Given, Method, check_texts

# "Microsoft Graph Command Line Tools", the public client that Connect-MgGraph uses too: a user name and a password come
# without an app in AWX's Azure credential.
GRAPH_COMMAND_LINE_TOOLS = "14d82eec-204b-4c2f-b7e8-296a70dab67e"


def _check(given: Given) -> None:
    """See that who names the user also gives the password, as a user's domain may have it sent to a server of its own.

    https://learn.microsoft.com/entra/identity/hybrid/connect/whatis-fed
    """
    check_texts(given, "username", "password")
    user, password = given.values["username"], given.values["password"]
    if user.distance < password.distance and not given.allowed:
        if user.from_options:
            said, where = "username is given as an option", "as an option too"
        else:
            said, where = f"{user.source} is set for this task", "beside it"
        raise OptionError(
            f"{said}, but the password is that of the environment ({password.source})",
            advice=f"give the password {where}, or set allow_environment_credential to true if the server of this"
            " user's domain may have it",
        )


def _acquire(attempt: Attempt) -> t.Mapping[str, t.Any]:
    username, password = (attempt.identity.values[name] for name in ("username", "password"))

    def sign_in(app: t.Any, scopes: list[str]) -> t.Any:
        return app.acquire_token_by_username_password(username, password, scopes=scopes)

    return msal_app.acquire(attempt, sign_in, username=username)


METHOD = Method(
    "password",
    "with user name and password",
    _acquire,
    credentials=("username", "password"),
    asker=USER,
    # It finds the user's own.
    tenant="organizations",
    client_id=GRAPH_COMMAND_LINE_TOOLS,
    check=_check,
)
