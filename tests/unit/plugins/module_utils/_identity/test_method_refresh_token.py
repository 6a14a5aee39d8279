# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A refresh token."""

from __future__ import annotations

import typing as t

import pytest

TENANT = {"tenant": "contoso.example", "client_id": "app"}


@pytest.mark.parametrize("secret", ["", "right"])
def test_a_refresh_token_is_redeemed(wire: t.Any, secret: str, sign_in: t.Any) -> None:
    who = sign_in(wire, {**TENANT, "auth_source": "refresh_token", "refresh_token": "given", "secret": secret})
    assert who.token() == "token-1"
    (request,) = wire.sent("token")
    assert request.data["grant_type"] == "refresh_token"
    assert request.data["refresh_token"] == "given"
    assert request.data.get("client_secret", "") == secret
