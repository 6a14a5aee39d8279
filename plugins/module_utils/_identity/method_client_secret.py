# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Sign in with the secret of an app."""

from __future__ import annotations

import typing as t

from .._ground.errors import APP
from . import msal_app
from .method import Given, Method, check_tenant_of_app, check_texts

if t.TYPE_CHECKING:
    from .identity import Identity


def _check(given: Given) -> None:
    check_tenant_of_app(given)
    check_texts(given, "secret")


def _credential(identity: Identity, _hide: t.Callable[..., None]) -> str:
    return identity.values["secret"]


METHOD = Method(
    "client_secret",
    "with the app's secret",
    msal_app.acquire_for_app,
    credentials=("secret",),
    needs=("tenant", "client_id"),
    asker=APP,
    check=_check,
    credential=_credential,
)
