# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The managed identity of the host."""

from __future__ import annotations

import time
import typing as t

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._ground import errors
from ansible_collections.graphops.intune.plugins.module_utils._ground.errors import OptionError, SignInError
from ansible_collections.graphops.intune.plugins.module_utils._identity import msal_http

Options = dict[str, t.Any]


@pytest.fixture
def app_service(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MSI_ENDPOINT", "MSI_SECRET", "IDENTITY_SERVER_THUMBPRINT", "AZURE_POD_IDENTITY_AUTHORITY_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://localhost:42356/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "the header")


@pytest.mark.usefixtures("app_service")
@pytest.mark.parametrize("client_id", ["", "user-assigned"])
def test_a_managed_identity(wire: t.Any, client_id: str, sign_in: t.Any) -> None:
    wire.answers["token"] = (200, {"access_token": "of-the-host", "expires_on": str(int(time.time()) + 3600)})
    assert sign_in(wire, {"auth_source": "msi", "client_id": client_id}).token() == "of-the-host"
    (request,) = wire.requests
    assert (request.method, request.url) == ("GET", "http://localhost:42356/msi/token")
    assert request.headers["X-IDENTITY-HEADER"] == "the header"
    assert request.params["resource"] == "https://graph.example"
    assert request.params.get("client_id", "") == client_id


@pytest.mark.usefixtures("app_service")
@pytest.mark.parametrize(
    "end",
    ["11/05/2026 15:18:31 +00:00", "1/16/2026 5:24:12 AM +00:00", "2026-11-22 18:00:34Z", "1795371634.5", None, "-1"],
)
def test_a_token_of_the_host_whose_end_cannot_be_read(
    wire: t.Any, clock: t.Any, end: str | None, sign_in: t.Any
) -> None:
    wire.answers["token"] = (200, {"access_token": "of-the-host", "expires_on": end})
    who = sign_in(wire, {"auth_source": "msi"})
    for seconds, asked in ((0, 1), (100, 1), (300, 2)):
        clock.pass_by(seconds)
        assert who.token() == "of-the-host"
        assert len(wire.requests) == asked


@pytest.mark.usefixtures("app_service")
@pytest.mark.parametrize("status", [404, 410, 500, 502])
def test_trouble_of_the_metadata_service_passes(wire: t.Any, clock: t.Any, status: int, sign_in: t.Any) -> None:
    """It is updated for up to 70 seconds."""
    trouble = (status, {"error": "x", "error_description": "Not now."})
    token = (200, {"access_token": "of-the-host", "expires_on": str(int(time.time()) + 3600)})
    wire.passing["token"] = [*[trouble] * 7, token]
    assert sign_in(wire, {"auth_source": "msi"}).token() == "of-the-host"
    assert 70 <= clock.elapsed <= 120


@pytest.mark.usefixtures("app_service")
def test_trouble_of_the_metadata_service_that_stays_is_told(wire: t.Any, sign_in: t.Any) -> None:
    wire.answers["token"] = (410, {"statusCode": 410, "message": "The service is being updated."})
    with pytest.raises(errors.Unavailable) as caught:
        sign_in(wire, {"auth_source": "msi"}).token(3)
    assert caught.value.sentence() == (
        'localhost:42356 answered HTTP 410 (Gone): "The service is being updated." (tried 3 times within'
        " retry_timeout, 120 s); see that this host has a managed identity, or run again later."
    )


def test_service_fabric_has_no_such_identity(wire: t.Any, monkeypatch: pytest.MonkeyPatch, sign_in: t.Any) -> None:
    """It is its own server that answers, by a 404 that means it."""
    monkeypatch.setattr(msal_http, "is_this_host", lambda _name: True)
    environ = {"IDENTITY_ENDPOINT": "http://localhost/metadata/identity", "IDENTITY_HEADER": "h"}
    wire.answers["identity"] = (404, {"error": {"code": "ManagedIdentityNotFound", "message": "There is none."}})
    who = sign_in(wire, MSI, environ=environ)
    with pytest.raises(SignInError):
        who.token()
    assert len(wire.requests) == 1


MSI = {"auth_source": "msi"}


@pytest.mark.parametrize("options", [MSI, {}, {**MSI, "allow_environment_credential": True}])
def test_the_managed_identity_of_service_fabric_is_refused_in_words(options: Options, choose: t.Any) -> None:
    """Since it looks at the thumbprint of the endpoint, msal wants a session of its own kind for it."""
    environ = {"IDENTITY_ENDPOINT": "https://localhost:2377/t", "IDENTITY_HEADER": "h"}
    assert choose(options, environ).method.source == "msi"
    with pytest.raises(OptionError, match=r"Service Fabric .* is not supported"):
        choose(options, {**environ, "IDENTITY_SERVER_THUMBPRINT": "ab" * 20})


@pytest.mark.parametrize(
    ("environ", "asked"),
    [
        ({"IDENTITY_ENDPOINT": "http://127.0.0.1:1/t", "IDENTITY_HEADER": "h"}, True),
        ({"IDENTITY_ENDPOINT": "http://169.254.129.5:8081/t", "IDENTITY_HEADER": "h"}, True),
        ({"IDENTITY_ENDPOINT": "http://[::1]:1/t", "IDENTITY_HEADER": "h"}, True),
        ({"IDENTITY_ENDPOINT": "https://host.example/t", "IDENTITY_HEADER": "h"}, True),
        ({"MSI_ENDPOINT": "http://localhost:1/t", "MSI_SECRET": "h"}, True),
        ({"AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://127.0.0.1:1"}, True),
        ({}, True),
        ({"IDENTITY_ENDPOINT": "http://10.0.0.4/t", "IDENTITY_HEADER": "h"}, False),
        ({"IDENTITY_ENDPOINT": "http://host.example/t", "IDENTITY_HEADER": "h"}, False),
        ({"IDENTITY_ENDPOINT": "http://localhost.evil.example/t", "IDENTITY_HEADER": "h"}, False),
        ({"AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://10.0.0.4"}, False),
    ],
)
def test_the_proof_of_a_managed_identity_stays_on_the_host(
    wire: t.Any, environ: dict[str, str], asked: bool, sign_in: t.Any
) -> None:
    token = {"access_token": "of-the-host", "expires_in": 60, "expires_on": str(int(time.time()) + 3600)}
    wire.answers["token"] = wire.answers["t"] = (200, token)
    who = sign_in(wire, MSI, environ=environ)
    if asked:
        assert who.token() == "of-the-host"
    else:
        with pytest.raises(SignInError, match="is to be asked without TLS"):
            who.token()
        assert wire.requests == []


@pytest.mark.usefixtures("app_service")
def test_a_managed_identity_that_is_refused(wire: t.Any, sign_in: t.Any) -> None:
    wire.answers["token"] = (400, {"statusCode": 400, "message": "No managed identity found."})
    with pytest.raises(SignInError, match=r"^sign-in with the managed identity of this host was refused \(HTTP 400\)"):
        sign_in(wire, {"auth_source": "msi"}).token()
