# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an access token says of itself."""

from __future__ import annotations

import typing as t
from datetime import datetime, timezone

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._ground.errors import APP, SOMEONE, USER
from ansible_collections.graphops.intune.plugins.module_utils._identity import token_facts

NOW = datetime.fromtimestamp(1_800_000_000, timezone.utc)
READS = "DeviceManagementServiceConfig.Read.All"


def test_an_apps_token() -> None:
    """Of version 1.0, as Graph's are."""
    found = token_facts.read(
        {"appid": "app", "app_displayname": "Intune", "roles": [READS], "aud": "https://g", "exp": 1_800_000_060}
    )
    told = found.as_dict(NOW)
    assert (found.asker, told["roles"], told["scopes"]) == (APP, [READS], [])
    assert (told["client_id"], told["app_name"], told["user_name"]) == ("app", "Intune", None)
    assert (told["expires_at"], told["expires_in"]) == ("2027-01-15T08:01:00Z", 60)


def test_a_users_token() -> None:
    """Of version 2.0; the roles in it are those of the user in the app, and no permissions."""
    found = token_facts.read({"azp": "app", "scp": f"openid {READS}", "roles": ["X"], "preferred_username": "ada@c"})
    told = found.as_dict(NOW)
    assert (found.asker, told["roles"], told["scopes"]) == (USER, [], ["openid", READS])
    assert (told["client_id"], told["user_name"]) == ("app", "ada@c")


@pytest.mark.parametrize("claims", [{"idtyp": "app"}, {}, {"roles": "no list"}, {"roles": [1, None, "a\nb"]}])
def test_an_app_without_a_permission(claims: dict[str, t.Any]) -> None:
    """Entra ID leaves the claim out."""
    found = token_facts.read(claims)
    assert (found.asker, found.granted) == (APP, ())


def test_what_cannot_be_read_is_not_known() -> None:
    """A token is opaque to whoever it is not for."""
    found = token_facts.read(None)
    assert (found.asker, found.granted, found.is_for("https://g")) == (SOMEONE, None, True)
    assert set(found.as_dict(NOW).values()) == {None}


@pytest.mark.parametrize(
    ("wids", "may"),
    [
        (["3a2c62db-5318-420d-8d74-23affee5d9d5"], True),
        (["x", "62e90394-69f5-4237-9190-012177145e10"], True),
        (["b79fbf4d-3ef9-4689-8143-76b194e85509"], False),
        ("3a2c62db-5318-420d-8d74-23affee5d9d5", False),
        ([["3a2c62db-5318-420d-8d74-23affee5d9d5"]], False),
    ],
)
def test_administrators_are_known_by_their_role(wids: t.Any, may: bool) -> None:
    """The last but one that is a list is the role of every user."""
    assert token_facts.read({"scp": "x", "wids": wids}).administrator is may


@pytest.mark.parametrize(
    ("audience", "right"),
    [
        ("https://graph.microsoft.com", True),
        ("https://graph.microsoft.com/", True),
        ("HTTPS://Graph.Microsoft.com", True),
        ("00000003-0000-0000-c000-000000000000", True),
        ("https://management.azure.com/", False),
        ("https://graph.microsoft.us", False),
    ],
)
def test_for_which_graph_it_is(audience: str, right: bool) -> None:
    """One for Azure Resource Manager is the commonest of the others."""
    assert token_facts.read({"aud": audience}).is_for("https://graph.microsoft.com") is right
