# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Sign in with a ready access token, which somebody else has got."""

from __future__ import annotations

import typing as t

from .._ground.errors import OptionError
from .method import Attempt, Given, Method, check_texts, is_token


def _check(given: Given) -> None:
    check_texts(given, "access_token")
    token = given.values["access_token"]
    if not is_token(token.value):
        raise OptionError(
            f"{token.source} has characters that no token has", advice="give the bare token, without 'Bearer'"
        )


def _acquire(attempt: Attempt) -> t.Mapping[str, t.Any]:
    # Nobody here knows when it ends.
    return {"access_token": attempt.identity.values["access_token"], "expires_in": float("inf")}


METHOD = Method(
    "access_token",
    "with a ready access token",
    _acquire,
    credentials=("access_token",),
    renewable=False,
    uses_msal=False,
    check=_check,
)
