# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What msal is made to do, and what is told of what it raises."""

from __future__ import annotations

import typing as t
from urllib.parse import urlsplit

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._ground import errors
from ansible_collections.graphops.intune.plugins.module_utils._ground.clouds import Endpoints
from ansible_collections.graphops.intune.plugins.module_utils._ground.errors import SignInError

TENANT = {"tenant": "contoso.example", "client_id": "app"}
APP = {**TENANT, "secret": "right"}


def test_no_host_but_the_authority_is_asked(wire: t.Any, sign_in: t.Any) -> None:
    sign_in(wire, APP).token()
    sign_in(wire, {"username": "u", "password": "p"}).token()
    assert {urlsplit(request.url).netloc for request in wire.requests} == {"login.example:8443"}


def test_a_region_in_the_environment_changes_nothing(
    wire: t.Any, monkeypatch: pytest.MonkeyPatch, sign_in: t.Any
) -> None:
    monkeypatch.setenv("MSAL_FORCE_REGION", "westeurope")
    monkeypatch.setenv("REGION_NAME", "westeurope")
    sign_in(wire, APP, Endpoints("https://graph.microsoft.com", "https://login.microsoftonline.com")).token()
    assert {urlsplit(request.url).netloc for request in wire.requests} == {"login.microsoftonline.com"}


REFUSED = {
    "error": "invalid_client",
    "error_description": "AADSTS7000215: Invalid client secret provided. Trace ID: 1 Correlation ID: 2 Timestamp: 3",
    "trace_id": "the trace",
}


def test_a_refusal_is_told_and_not_remembered(wire: t.Any, sign_in: t.Any) -> None:
    who = sign_in(wire, APP)
    wire.answers["token"] = (401, REFUSED)
    for tries in (1, 2):
        with pytest.raises(SignInError) as caught:
            who.token()
        assert caught.value.sentence() == (
            "sign-in as client app with the app's secret was refused (HTTP 401):"
            " AADSTS7000215: Invalid client secret provided; set secret to the secret's value (not its ID) and check"
            " that it belongs to client_id."
        )
        assert caught.value.request_id == "the trace"
        assert len(wire.sent("token")) == tries
    del wire.answers["token"]
    assert who.token() == "token-3"


def test_the_permission_that_lacks_consent_is_told(wire: t.Any, sign_in: t.Any) -> None:
    description = "AADSTS65001: The user or administrator has not consented to use the application."
    wire.answers["token"] = (400, {"error": "invalid_grant", "error_description": description})
    with pytest.raises(SignInError) as caught:
        sign_in(wire, {"username": "u", "password": "p"}).token()
    assert caught.value.advice == (
        "grant admin consent for DeviceManagementServiceConfig.Read.All to the app in this tenant, as a delegated"
        " permission"
    )


def test_an_unknown_tenant_is_told(wire: t.Any, sign_in: t.Any) -> None:
    description = "AADSTS90002: Tenant 'contoso.example' not found. Trace ID: 1"
    wire.answers["openid-configuration"] = (400, {"error": "invalid_tenant", "error_description": description})
    with pytest.raises(SignInError) as caught:
        sign_in(wire, APP).token()
    assert caught.value.sentence() == (
        "sign-in as client app with the app's secret was refused (HTTP 400): AADSTS90002:"
        " Tenant 'contoso.example' not found; check tenant, and cloud_environment if it is not in the public cloud."
    )


@pytest.mark.parametrize(
    ("where", "answer"),
    [
        ("openid-configuration", {}),
        ("openid-configuration", {"issuer": "x", "Token_Endpoint": "https://x"}),
        ("openid-configuration", []),
        ("token", {"access_token": "t", "id_token": "x"}),
        ("token", []),
    ],
)
def test_an_answer_in_another_form_is_told_in_words(wire: t.Any, where: str, answer: t.Any, sign_in: t.Any) -> None:
    wire.answers[where] = (200, answer)
    with pytest.raises(SignInError) as caught:
        sign_in(wire, APP).token()
    assert caught.value.sentence() == (
        "sign-in as client app with the app's secret failed: what answered is not in the form of Entra ID's answers;"
        " check tenant and authority_url."
    )


def test_no_answer_stays_what_it_is(wire: t.Any, monkeypatch: pytest.MonkeyPatch, sign_in: t.Any) -> None:
    failure = errors.Unavailable("login.example cut the connection")

    def fail(*_args: t.Any, **_kwargs: t.Any) -> t.NoReturn:
        raise failure

    monkeypatch.setattr(wire, "send_with_retries", fail)
    with pytest.raises(errors.Unavailable) as caught:
        sign_in(wire, APP).token()
    assert caught.value is failure
