# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A federated token, as an option, in a file, or from the runner of a job."""

from __future__ import annotations

import base64
import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._ground.clouds import Endpoints
from ansible_collections.graphops.intune.plugins.module_utils._ground.errors import OptionError, SignInError
from ansible_collections.graphops.intune.plugins.module_utils._identity import identity, method_cli, method_oidc

Environ = dict[str, str]

TENANT = {"tenant": "contoso.example", "client_id": "app"}


def test_a_federated_token_from_a_file_is_a_secret_like_the_option(wire: t.Any, tmp_path: Path, sign_in: t.Any) -> None:
    file = tmp_path / "federated"
    file.write_text("federated.token", encoding="ascii")
    who = sign_in(wire, {**TENANT, "oidc_token_file_path": str(file)})
    who.token()
    assert {"federated.token", "token-1"} <= who.tokens


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def test_the_file_with_the_federated_token_is_read_for_each_sign_in(
    wire: t.Any, tmp_path: Path, sign_in: t.Any
) -> None:
    file = tmp_path / "token"
    file.write_text("\ufefffirst\n", encoding="utf-8")
    who = sign_in(wire, {**TENANT, "oidc_token_file_path": str(file)})
    who.token()
    file.write_text("second", encoding="ascii")
    who.replace_token("token-1")
    assert [_text(request.data["client_assertion"]) for request in wire.sent("token")] == ["first", "second"]


def test_a_federated_token_as_option(wire: t.Any, sign_in: t.Any) -> None:
    sign_in(wire, {**TENANT, "oidc_token": "given", "oidc_token_file_path": "/nowhere"}).token()
    assert _text(wire.sent("token")[0].data["client_assertion"]) == "given"


def test_the_option_with_the_federated_token_wins_over_the_environment(
    wire: t.Any, tmp_path: Path, sign_in: t.Any
) -> None:
    file = tmp_path / "token"
    file.write_text("of the option", encoding="ascii")
    options = {**TENANT, "oidc_token_file_path": str(file)}
    sign_in(wire, options, environ={"AZURE_FEDERATED_TOKEN": "of the environment"}).token()
    assert _text(wire.sent("token")[0].data["client_assertion"]) == "of the option"


@pytest.mark.parametrize(
    ("content", "clause"),
    [
        (None, "cannot be read: No such file or directory; name a file that this user may read."),
        (b"\xff\xfe", "cannot be read: it is not text; name a file that this user may read."),
        (b" \n", "is empty; see that the platform writes its token there."),
    ],
)
def test_a_token_file_that_is_no_use(
    wire: t.Any, tmp_path: Path, content: bytes | None, clause: str, sign_in: t.Any
) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(OptionError) as caught:
        sign_in(wire, {**TENANT, "oidc_token_file_path": str(file)})
    assert caught.value.sentence() == f"oidc_token_file_path {str(file)!r} {clause}"
    file.write_text("good", encoding="ascii")
    who = sign_in(wire, {**TENANT, "oidc_token_file_path": str(file)})
    who.token()
    file.unlink()
    with pytest.raises(OptionError, match="cannot be read: No such file"):
        who.replace_token("token-1")


GUID = "5e2bd5ad-6f5c-4a70-b1c0-6c2f0a3f1d11"
NAMED = {"AZURE_TENANT_ID": "contoso.example", "AZURE_CLIENT_ID": "app"}
GITHUB = {
    "GITHUB_ACTIONS": "true",
    "ACTIONS_ID_TOKEN_REQUEST_URL": "https://runner.example/1//ask?api-version=2.0",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "proof-of-the-job",
}
DEVOPS = {
    "TF_BUILD": "True",
    "SYSTEM_OIDCREQUESTURI": "https://runner.example/1/ask",
    "SYSTEM_ACCESSTOKEN": "proof-of-the-job",
}
CONNECTED = {**DEVOPS, "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID": GUID}


def jwt(**claims: t.Any) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({}, claims)]
    return ".".join((*parts, "c2ln"))


@pytest.mark.parametrize("job", [GITHUB, CONNECTED])
def test_the_runner_of_a_job_is_asked_anew_for_each_sign_in(wire: t.Any, job: Environ, sign_in: t.Any) -> None:
    """And its tokens are secrets like the right to ask for them."""
    wire.passing["ask"] = [(200, {"value": jwt(jti=n), "oidcToken": jwt(jti=n)}) for n in (1, 2)]
    who = sign_in(wire, {"auth_source": "oidc"}, environ={**NAMED, **job})
    assert wire.requests == [], "not before it is needed"
    who.token()
    who.replace_token("token-1")
    assert [request.data["client_assertion"] for request in wire.sent("token") if request.data] == [
        jwt(jti=1),
        jwt(jti=2),
    ]
    assert {jwt(jti=1), jwt(jti=2), "token-1", "token-2"} <= who.tokens
    assert "proof-of-the-job" in identity.secrets({}, job)


@pytest.mark.parametrize(
    ("authority", "options", "audience"),
    [
        ("https://login.microsoftonline.com", {}, "api://AzureADTokenExchange"),
        ("https://login.microsoftonline.us", {}, "api://AzureADTokenExchangeUSGov"),
        ("https://login.chinacloudapi.cn", {}, "api://AzureADTokenExchangeChina"),
        ("https://login.example:8443", {}, "api://AzureADTokenExchange"),
        ("https://login.microsoftonline.us", {"oidc_audience": "api://mine"}, "api://mine"),
    ],
)
def test_the_audience_is_that_of_the_cloud_unless_given(
    wire: t.Any, authority: str, options: dict[str, str], audience: str, sign_in: t.Any
) -> None:
    """GitHub gives a token for whomever it is asked for."""
    wire.answers["ask"] = (200, {"value": jwt()})
    hosts = Endpoints("https://graph.example", authority)
    sign_in(wire, {"auth_source": "oidc", **options}, hosts, environ={**NAMED, **GITHUB}).token()
    (request,) = wire.sent("ask")
    assert request.url.endswith("&audience=" + audience.replace(":", "%3A").replace("/", "%2F"))


AZ_SIGNED_IN = {"subscriptions": [{"id": "s"}]}


@pytest.mark.parametrize(
    ("options", "environ", "profile", "has_cli", "way"),
    [
        # Only where nothing proves anybody, no identity of the host is announced, and nobody has signed in by az.
        ({}, {**NAMED, **GITHUB}, None, False, "runner"),
        ({}, {**NAMED, **CONNECTED}, None, False, "runner"),
        ({**TENANT, "service_connection_id": GUID}, DEVOPS, None, False, "runner"),
        # As on the hosts of GitHub and Azure, which all have az.
        ({}, {**NAMED, **GITHUB}, None, True, "runner"),
        ({}, {**NAMED, **GITHUB}, {"subscriptions": []}, True, "runner"),
        ({}, {**NAMED, **GITHUB}, AZ_SIGNED_IN, True, "cli"),
        ({}, {**NAMED, **GITHUB}, AZ_SIGNED_IN, False, "runner"),
        ({}, {**NAMED, **GITHUB}, b"no JSON", True, "cli"),
        ({}, {**NAMED, **GITHUB}, {}, True, "cli"),
        ({}, {**NAMED, **GITHUB, "IDENTITY_ENDPOINT": "http://localhost/msi"}, None, True, "msi"),
        ({}, {**NAMED, **GITHUB, "AZURE_SECRET": "s"}, None, True, "client_secret"),
        ({}, {**NAMED, **GITHUB, "AZURE_FEDERATED_TOKEN": "t"}, None, True, "oidc"),
        ({}, {**NAMED, **GITHUB, "AZURE_AD_USER": "u", "AZURE_PASSWORD": "p"}, None, True, "password"),
        ({"access_token": "t"}, {**NAMED, **GITHUB}, None, True, "access_token"),
        # Not without the app and its tenant, and not where it may not be asked.
        ({"tenant": "contoso.example"}, GITHUB, None, True, "cli"),
        ({"client_id": "app"}, GITHUB, None, True, "cli"),
        ({}, {**NAMED, **DEVOPS}, None, True, "cli"),
        ({}, {**NAMED, "GITHUB_ACTIONS": "true"}, None, True, "cli"),
        # By name it comes before all that the host has, and after a token that is given.
        ({"auth_source": "oidc"}, {**NAMED, **GITHUB}, AZ_SIGNED_IN, True, "runner"),
        ({"auth_source": "oidc"}, {**NAMED, **GITHUB, "AZURE_SECRET": "s"}, None, True, "runner"),
        ({"auth_source": "oidc"}, {**NAMED, **GITHUB, "AZURE_FEDERATED_TOKEN": "t"}, None, True, "oidc"),
        ({"auth_source": "oidc", "oidc_token_file_path": "/t"}, {**NAMED, **GITHUB}, None, True, "oidc"),
        ({"auth_source": "cli"}, {**NAMED, **GITHUB}, None, True, "cli"),
    ],
)
def test_when_the_runner_is_asked(
    options: dict[str, t.Any],
    environ: Environ,
    profile: t.Any,
    has_cli: bool,
    way: str,
    tmp_path: Path,
    choose: t.Any,
) -> None:
    """Nobody signs in as somebody else than before the runner could be asked."""
    (tmp_path / ".azure").mkdir()
    if profile is not None:
        # The CLI writes a mark of byte order before it.
        text = profile if isinstance(profile, bytes) else ("\ufeff" + json.dumps(profile)).encode()
        (tmp_path / ".azure" / "azureProfile.json").write_bytes(text)
    who = choose(options, {**environ, "HOME": str(tmp_path)}, has_cli=has_cli)
    assert ("runner" if who.method is method_oidc.OF_RUNNER else who.method.source) == way


def test_whether_somebody_has_signed_in_to_the_cli_is_not_guessed(tmp_path: Path) -> None:
    """Where its files are is named by a variable of its own, too; where nobody can know, it is asked as before."""
    assert method_cli.may_have_signed_in({})
    assert not method_cli.may_have_signed_in({"HOME": str(tmp_path)})
    (tmp_path / "azureProfile.json").write_text(json.dumps(AZ_SIGNED_IN))
    assert method_cli.may_have_signed_in({"HOME": "/nowhere", "AZURE_CONFIG_DIR": str(tmp_path)})


@pytest.mark.parametrize(
    ("environ", "what"),
    [
        ({"GITHUB_ACTIONS": "true"}, "this job of GitHub Actions may ask for none"),
        ({"TF_BUILD": "True"}, "this job of Azure DevOps may ask for none"),
        (DEVOPS, "service_connection_id, whose token Azure DevOps is to give, is not given either"),
    ],
)
def test_a_job_without_the_right_to_ask(environ: Environ, what: str, choose: t.Any) -> None:
    """It is told so before any request."""
    with pytest.raises(OptionError, match=what):
        choose({"auth_source": "oidc"}, {**NAMED, **environ})
    with pytest.raises(OptionError, match="auth_source is oidc, but tenant and client_id are not given"):
        choose({"auth_source": "oidc"}, environ)
    with pytest.raises(OptionError, match="tenant is common, but an app signs in to one tenant"):
        choose({"auth_source": "oidc", **TENANT, "tenant": "common"}, GITHUB)


@pytest.mark.parametrize("job", [GITHUB, CONNECTED])
def test_the_right_of_the_run_goes_to_no_address_that_a_task_names(job: Environ) -> None:
    """Who writes the environment of a task, in an inventory say, must not collect the tokens of the job."""
    url, proof = list(job)[1:3]
    named = {url: "https://evil.example/token"}
    options = {"auth_source": "oidc"}
    with pytest.raises(OptionError) as caught:
        identity.read_identity(options, {**NAMED, **job}, named)
    assert caught.value.sentence() == (
        f"{url} is set for this task, but {proof} is that of the run; set both in the same place, or set"
        " allow_environment_credential to true if that address may have it."
    )
    identity.read_identity({**options, "allow_environment_credential": True}, {**NAMED, **job}, named)
    identity.read_identity(options, {**NAMED, **job}, {**named, proof: "of-the-task"})


@pytest.mark.parametrize("job", [GITHUB, CONNECTED])
def test_the_token_of_a_job_is_a_credential_of_the_environment(job: Environ) -> None:
    """It goes to no host that an option, or a task, names without leave."""
    host = "https://login.example"
    options = {"auth_source": "oidc", **TENANT}
    with pytest.raises(OptionError, match=rf"not given by an option beside it \({list(job)[2]}\)"):
        identity.read_identity({**options, "authority_url": host}, job)
    with pytest.raises(OptionError, match="not given beside it"):
        identity.read_identity(options, job, {"AZURE_AUTHORITY_HOST": host})
    identity.read_identity(options, {}, {**job, "AZURE_AUTHORITY_HOST": host})
    identity.read_identity({**options, "authority_url": host, "allow_environment_credential": True}, job)


def test_the_jobs_of_others_are_others(choose: t.Any) -> None:
    """A token that one job got for Graph is not shared with another, nor with who has another connection."""
    options = {"auth_source": "oidc", **TENANT}
    keys = {
        choose(options, GITHUB).key,
        choose(options, {**GITHUB, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "other"}).key,
        choose(options, CONNECTED).key,
        choose({**options, "service_connection_id": GUID.replace("5", "6")}, CONNECTED).key,
        choose({**options, "oidc_audience": "other"}, GITHUB).key,
        choose({**options, "oidc_token": "t"}, GITHUB).key,
    }
    assert len(keys) == 6


NEW = {"error": "invalid_client", "error_description": "AADSTS70021: No matching federated identity record found."}


@pytest.mark.parametrize("options", [{"oidc_token": jwt(jti=0)}, {"auth_source": "oidc"}])
@pytest.mark.parametrize(("retry_timeout", "tries"), [(0, 1), (120, 3), (2, 2), (200, 11)])
def test_a_credential_that_was_just_made_is_waited_for_if_there_is_time(
    wire: t.Any, options: dict[str, t.Any], retry_timeout: float, tries: int, sign_in: t.Any, clock: t.Any
) -> None:
    """By default a wrong one is told within seconds; each try has a token of its own, if the runner gives them."""
    wire.retry_timeout = retry_timeout
    wire.answers["ask"] = (200, {"value": jwt(jti=0)})
    wire.answers["token"] = (401, NEW)
    began = clock.handed.monotonic()
    with pytest.raises(SignInError) as caught:
        sign_in(wire, {**TENANT, **options}, environ=GITHUB).token()
    assert len(wire.sent("token")) == tries
    assert len(wire.sent("ask")) == (0 if "oidc_token" in options else tries)
    assert clock.handed.monotonic() - began <= (3 if retry_timeout <= 120 else retry_timeout)
    assert (f" (tried {tries} times within retry_timeout, {retry_timeout} s)" in caught.value.what) == (tries > 1)
    assert caught.value.advice.endswith(
        "; one that was just made takes some minutes to work, for which a retry_timeout of more than 120 waits"
    )


def test_a_credential_that_becomes_known(wire: t.Any, sign_in: t.Any) -> None:
    """The sign-in goes on as if nothing had been."""
    wire.retry_timeout = 300
    wire.passing["token"] = [(401, NEW), (400, NEW)]
    assert sign_in(wire, {**TENANT, "oidc_token": jwt(jti=0)}).token() == "token-3"


def test_another_refusal_is_not_waited_for(wire: t.Any, sign_in: t.Any) -> None:
    """7002381 begins like one that may pass, and is none."""
    wire.retry_timeout = 300
    wire.answers["token"] = (401, {"error": "invalid_client", "error_description": "AADSTS7002381: No enterprise."})
    with pytest.raises(SignInError):
        sign_in(wire, {**TENANT, "oidc_token": jwt(jti=0)}).token()
    assert len(wire.sent("token")) == 1
