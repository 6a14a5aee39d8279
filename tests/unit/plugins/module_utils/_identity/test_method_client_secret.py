# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The secret of an app."""

from __future__ import annotations

import typing as t

TENANT = {"tenant": "contoso.example", "client_id": "app"}
APP = {**TENANT, "secret": "right"}


def test_a_secret_is_turned_into_a_token(wire: t.Any, sign_in: t.Any) -> None:
    who = sign_in(wire, APP)
    assert wire.requests == []
    assert who.tokens == set()
    assert who.token() == "token-1"
    assert who.tokens == {"token-1"}
    (request,) = wire.sent("token")
    assert request.method == "POST"
    assert request.url == "https://login.example:8443/contoso.example/oauth2/v2.0/token"
    assert request.data["grant_type"] == "client_credentials"
    assert request.data["client_id"] == "app"
    assert request.data["client_secret"] == "right"
    assert request.data["scope"] == "https://graph.example/.default"
