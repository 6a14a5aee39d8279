# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""The ways to sign in, in the order in which ``auth_source: auto`` tries them."""

from __future__ import annotations

from . import (
    method_access_token,
    method_certificate,
    method_cli,
    method_client_secret,
    method_msi,
    method_oidc,
    method_password,
    method_refresh_token,
)

METHODS = (
    method_access_token.METHOD,
    method_client_secret.METHOD,
    method_certificate.METHOD,
    method_oidc.METHOD,
    method_refresh_token.METHOD,
    method_password.METHOD,
    method_msi.METHOD,
    method_cli.METHOD,
)
