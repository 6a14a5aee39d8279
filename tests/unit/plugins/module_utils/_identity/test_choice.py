# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why a way to sign in is taken, and where its options come from."""

from __future__ import annotations

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._identity import choice
from ansible_collections.graphops.intune.plugins.module_utils._identity.identity import read_given, read_identity
from ansible_collections.graphops.intune.plugins.module_utils._identity.method import Given, Method

APP = {"AZURE_TENANT": "contoso.example", "AZURE_CLIENT_ID": "6a1e0c1c-0d6f-4c8a-9d0a-3f5b1f2c7a10"}


def taken(environ: dict[str, str], **options: str) -> tuple[Given, Method]:
    """What is given, and the way that auto takes."""
    who = read_identity(options, environ, has_cli=lambda _environ: True)
    return read_given(options, environ, {})[1], who.method


def test_sources_are_names_and_no_values() -> None:
    """Whoever reads the output of a job must not learn a secret from it, nor that two are the same."""
    given, _method = taken({**APP, "AZURE_CLIENT_SECRET": "s3cret"}, tenant="fabrikam.example")
    found = choice.sources(given.values)
    assert {name: source for name, source in found.items() if source != "default"} == {
        "tenant": "option",
        "client_id": "AZURE_CLIENT_ID",
        "secret": "AZURE_CLIENT_SECRET",
    }


def test_a_misspelt_variable_shows_as_what_is_missing() -> None:
    """The commonest reason for which a job signs in as somebody else."""
    given, method = taken({**APP, "AZURE_SECRT": "s3cret"})
    assert method.source == "cli"
    found = {way["auth_source"]: way for way in choice.passed_over(given, method)}
    assert [*found] == ["client_secret", "certificate", "oidc", "refresh_token"]
    assert found["client_secret"] == {
        "auth_source": "client_secret",
        "given": ["AZURE_TENANT", "AZURE_CLIENT_ID"],
        "missing": ["secret"],
        "why": "secret (or AZURE_SECRET or AZURE_CLIENT_SECRET) is not given",
    }
    assert "s3cret" not in str(found)


def test_what_options_prove_goes_before_what_the_environment_proves() -> None:
    """The way that stands before it in the order is complete, and says why it is not taken."""
    given, method = taken({**APP, "MSGRAPH_ACCESS_TOKEN": "a.b.c"}, secret="s3cret")
    assert method.source == "client_secret"
    (way,) = choice.passed_over(given, method)
    assert (way["auth_source"], way["missing"]) == ("access_token", [])
    assert way["why"].startswith("the environment proves it")


def test_nothing_is_passed_over_without_a_reason() -> None:
    """A way of which nothing is given is none that somebody meant."""
    given, method = taken({"MSGRAPH_ACCESS_TOKEN": "a.b.c"})
    assert choice.passed_over(given, method) == []


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({**APP, "AZURE_SECRET": "s"}, "that is complete, by AZURE_SECRET"),
        ({"AZURE_AD_USER": "ada@contoso.example", "AZURE_PASSWORD": "p"}, "by AZURE_AD_USER and AZURE_PASSWORD"),
        ({"IDENTITY_ENDPOINT": "http://127.0.0.1/"}, "Azure announces a managed identity"),
        ({}, "the program az is installed"),
    ],
)
def test_the_reason_names_what_decided(environ: dict[str, str], says: str) -> None:
    """In the names that the user wrote."""
    given, method = taken(environ)
    assert says in choice.reason("auto", given, method)
    assert choice.reason(method.source, given, method) == f"auth_source is {method.source}"


def test_where_no_way_is_complete_all_that_were_begun_are_told() -> None:
    """There is nothing that they come before."""
    given = read_given({"secret": "s"}, {}, {})[1]
    (way,) = choice.passed_over(given, None)
    assert (way["auth_source"], sorted(way["missing"])) == ("client_secret", ["client_id", "tenant"])
