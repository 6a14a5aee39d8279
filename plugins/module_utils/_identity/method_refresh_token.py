# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Sign in with a refresh token, which a user has got in a browser."""

from __future__ import annotations

import typing as t

from .._ground.errors import USER
from . import msal_app
from .method import Attempt, Given, Method, check_texts


def _check(given: Given) -> None:
    check_texts(given, "refresh_token")


def _acquire(attempt: Attempt) -> t.Mapping[str, t.Any]:
    def redeem(app: t.Any, scopes: list[str]) -> t.Any:
        return app.acquire_token_by_refresh_token(attempt.identity.values["refresh_token"], scopes=scopes)

    return msal_app.acquire(attempt, redeem)


METHOD = Method(
    "refresh_token",
    "with a refresh token",
    _acquire,
    credentials=("refresh_token",),
    needs=("tenant", "client_id"),
    asker=USER,
    check=_check,
)
