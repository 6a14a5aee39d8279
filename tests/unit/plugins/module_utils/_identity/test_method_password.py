# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A user's name and password."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._ground.errors import OptionError

AWX_USER = {"AZURE_AD_USER": "admin@contoso.example", "AZURE_PASSWORD": "env-password", "AZURE_SUBSCRIPTION_ID": "s"}
GRAPH_CLI = "14d82eec-204b-4c2f-b7e8-296a70dab67e"


def test_the_password_of_the_environment_is_that_of_its_own_user(choose: t.Any) -> None:
    with pytest.raises(OptionError) as caught:
        choose({"username": "u@evil.example"}, AWX_USER)
    assert caught.value.sentence() == (
        "username is given as an option, but the password is that of the environment (AZURE_PASSWORD); give the"
        " password as an option too, or set allow_environment_credential to true if the server of this user's domain"
        " may have it."
    )
    assert choose({}, AWX_USER).values["password"] == "env-password"
    assert choose({"username": "u", "password": "own"}, AWX_USER).values["password"] == "own"


def test_a_user_signs_in_by_password(wire: t.Any, sign_in: t.Any) -> None:
    # pytest turns a warning of msal, which knows that this way is outdated, into an error.
    assert sign_in(wire, {"username": "u@contoso.example", "password": "right"}).token() == "token-1"
    (realm,) = wire.sent("u@contoso.example")
    # msal itself drops the port here.
    assert realm.url.split("?")[0] == "https://login.example:8443/common/userrealm/u@contoso.example"
    (request,) = wire.sent("token")
    assert request.url == "https://login.example:8443/organizations/oauth2/v2.0/token"
    assert request.data["grant_type"] == "password"
    assert request.data["client_id"] == GRAPH_CLI
    assert (request.data["username"], request.data["password"]) == ("u@contoso.example", "right")
    assert "https://graph.example/.default" in request.data["scope"].split()
    assert "client_secret" not in request.data
