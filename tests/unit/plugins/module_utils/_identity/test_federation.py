# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Federated tokens, and the credential that would accept one."""

from __future__ import annotations

import json
import shlex
import typing as t
from datetime import datetime, timezone

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._ground.clouds import CLOUDS, Endpoints, endpoints
from ansible_collections.graphops.intune.plugins.module_utils._ground.option_values import OptionValue
from ansible_collections.graphops.intune.plugins.module_utils._identity import federation

HOSTS = Endpoints("https://graph.microsoft.com", "https://login.microsoftonline.com")
CLIENT = "6a1e0c1c-0d6f-4c8a-9d0a-3f5b1f2c7a10"
NOW = datetime.fromtimestamp(1_800_000_000, timezone.utc)
CLAIMS: dict[str, t.Any] = {
    "iss": "https://token.actions.githubusercontent.com",
    "sub": "repo:contoso@12/intune@34:environment:it's",
    "aud": "api://AzureADTokenExchange",
    "iat": 1_799_999_990,
    "exp": 1_800_000_290,
}


def test_the_credential_is_ready_to_be_made() -> None:
    """As a command that a shell takes apart as it is meant, quotes in a subject included, and as Graph's body."""
    found = federation.described(CLAIMS, CLIENT, HOSTS, NOW)["federated_credential"]
    words = shlex.split(found["command"])
    assert words[:6] == ["az", "ad", "app", "federated-credential", "create", "--id"]
    assert words[6:8] == [CLIENT, "--parameters"]
    assert json.loads(words[8]) == found["body"]
    assert found["body"]["subject"] == CLAIMS["sub"]
    assert found["body"]["audiences"] == ["api://AzureADTokenExchange"]
    assert found["url"] == (
        f"https://graph.microsoft.com/v1.0/applications(appId='{CLIENT}')/federatedIdentityCredentials"
    )


@pytest.mark.parametrize("subject", ["x", "p://" + "long/" * 100, "ÄÖÜ", "repo:a/b:ref:refs/heads/ma%3Ain"])
def test_the_name_is_one_that_entra_takes(subject: str) -> None:
    """3 to 120 characters, safe in an address."""
    name = federation.described({**CLAIMS, "sub": subject}, CLIENT, HOSTS, NOW)["federated_credential"]["body"]["name"]
    assert 3 <= len(name) <= 120
    assert all(part.isascii() and part.isalnum() for part in name.split("-"))


@pytest.mark.parametrize("change", [{"sub": "a\nb"}, {"sub": None}, {"iss": "x" * 601}, {"aud": ["a", "b"]}])
def test_what_cannot_be_a_credential_is_none(change: dict[str, t.Any]) -> None:
    """A value that is cut or parted would never match."""
    found = federation.described({**CLAIMS, **change}, CLIENT, HOSTS, NOW)
    assert "federated_credential" not in found
    assert found["federated_token"]["expires_in"] == 290


def test_the_lifetime_is_told() -> None:
    """In seconds, as Entra ID limits it."""
    found = federation.described(CLAIMS, CLIENT, HOSTS, NOW)["federated_token"]
    assert (found["lifetime"], found["expires_in"], found["issued_at"]) == (300, 290, "2027-01-15T07:59:50Z")
    found = federation.described({**CLAIMS, "iat": None}, CLIENT, HOSTS, NOW)["federated_token"]
    assert (found["lifetime"], found["issued_at"]) == (None, None)


@pytest.mark.parametrize(
    ("cloud", "audience"), [*zip(CLOUDS, ("", "USGov", "USGov", "China"))], ids=lambda value: value or "public"
)
def test_each_cloud_has_its_audience(cloud: str, audience: str) -> None:
    """One that is made for another cloud is refused there."""
    named = {name: OptionValue("", name, False) for name in ("graph_url", "authority_url")}
    hosts = endpoints({**named, "cloud_environment": OptionValue(cloud, "cloud_environment", True)})
    assert hosts.federation_audience == f"api://AzureADTokenExchange{audience}"
