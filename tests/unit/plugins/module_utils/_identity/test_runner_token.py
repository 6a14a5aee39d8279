# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a runner is asked, and what is made of its answer."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._ground.errors import OptionError, SignInError
from ansible_collections.graphops.intune.plugins.module_utils._http.response import Response
from ansible_collections.graphops.intune.plugins.module_utils._identity import runner_token
from ansible_collections.graphops.intune.plugins.module_utils._identity.runner_token import AZURE_DEVOPS, GITHUB
from hypothesis import given
from hypothesis import strategies as st

Environ = dict[str, str]

GUID = "5e2bd5ad-6f5c-4a70-b1c0-6c2f0a3f1d11"
ON_GITHUB = {
    "GITHUB_ACTIONS": "true",
    "ACTIONS_ID_TOKEN_REQUEST_URL": "https://pipelines.actions.githubusercontent.com/abc//idtoken/1/?api-version=2.0",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "proof",
}
ON_DEVOPS = {
    "TF_BUILD": "True",
    "SYSTEM_OIDCREQUESTURI": "https://dev.azure.com/contoso/1/_apis/distributedtask/hubs/build/plans/2/jobs/3/oidctoken",
    "SYSTEM_ACCESSTOKEN": "proof",
}


def ask(environ: Environ, audience: str = "api://AzureADTokenExchange", connection: str = "") -> runner_token.Question:
    return runner_token.question(environ, audience=audience, service_connection_id=connection)


def test_what_github_is_asked() -> None:
    """The audience is added to what GitHub wrote, of which nothing changes."""
    asked = ask(ON_GITHUB)
    assert asked.platform is GITHUB
    assert asked.url == (
        "https://pipelines.actions.githubusercontent.com/abc//idtoken/1/?api-version=2.0"
        "&audience=api%3A%2F%2FAzureADTokenExchange"
    )
    assert asked.headers == {"Accept": "application/json", "Authorization": "Bearer proof"}
    bare = {**ON_GITHUB, "ACTIONS_ID_TOKEN_REQUEST_URL": "https://ghes.example/_apis/token"}
    assert ask(bare, "a&b=c d").url == "https://ghes.example/_apis/token?audience=a%26b%3Dc%20d"


def test_what_azure_devops_is_asked() -> None:
    """A slash at the end of the address is none of it."""
    for end in ("", "/"):
        asked = ask({**ON_DEVOPS, "SYSTEM_OIDCREQUESTURI": ON_DEVOPS["SYSTEM_OIDCREQUESTURI"] + end}, connection=GUID)
        assert asked.platform is AZURE_DEVOPS
        assert asked.url == f"{ON_DEVOPS['SYSTEM_OIDCREQUESTURI']}?api-version=7.1&serviceConnectionId={GUID}"
        assert asked.headers == {
            "Accept": "application/json",
            "Authorization": "Bearer proof",
            "Content-Type": "application/json",
            "X-TFS-FedAuthRedirect": "Suppress",
        }


@pytest.mark.parametrize(
    ("environ", "platform"),
    [
        ({}, None),
        ({"GITHUB_ACTIONS": "false", "TF_BUILD": ""}, None),
        ({"GITHUB_ACTIONS": "true"}, GITHUB),
        ({"TF_BUILD": "True"}, AZURE_DEVOPS),
        ({**ON_GITHUB, "GITHUB_ACTIONS": ""}, GITHUB),
        # The one that may be asked comes before the one that may not.
        ({**ON_DEVOPS, "GITHUB_ACTIONS": "true"}, AZURE_DEVOPS),
        ({**ON_GITHUB, **ON_DEVOPS}, GITHUB),
        # As it stands in the step's environment if the pipeline does not know it.
        ({**ON_DEVOPS, "TF_BUILD": "", "SYSTEM_ACCESSTOKEN": "$(System.AccessToken)"}, None),
    ],
)
def test_whose_job_it_is(environ: Environ, platform: t.Any) -> None:
    """By what lets it ask, or else by what says so."""
    assert runner_token.platform(environ) is platform


NO_PERMISSION = (
    "no federated token is given, and this job of GitHub Actions may ask for none, as it has no"
    " ACTIONS_ID_TOKEN_REQUEST_URL; give the job 'permissions: id-token: write' (pull requests from forks do not get"
    " it), or give oidc_token or oidc_token_file_path."
)
NOT_MAPPED = (
    "no federated token is given, and this job of Azure DevOps may ask for none, as it has no SYSTEM_ACCESSTOKEN; map"
    " it in the step, by 'env: SYSTEM_ACCESSTOKEN: $(System.AccessToken)', or give oidc_token or oidc_token_file_path."
)
THE_GUID = (
    "give the GUID of the service connection, resourceId in the address of its page, as service_connection_id or by"
    " AZURESUBSCRIPTION_SERVICE_CONNECTION_ID."
)


@pytest.mark.parametrize(
    ("environ", "connection", "sentence"),
    [
        ({"GITHUB_ACTIONS": "true"}, "", NO_PERMISSION),
        ({**ON_DEVOPS, "SYSTEM_ACCESSTOKEN": ""}, GUID, NOT_MAPPED),
        ({**ON_DEVOPS, "SYSTEM_ACCESSTOKEN": "$(System.AccessToken)"}, GUID, NOT_MAPPED),
        (
            ON_DEVOPS,
            "",
            "no federated token is given, and service_connection_id, whose token Azure DevOps is to give, is not given"
            f" either; {THE_GUID}",
        ),
        (ON_DEVOPS, "intune&x=1", f"service_connection_id is 'intune&x=1'; {THE_GUID}"),
        (
            {**ON_GITHUB, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "a b"},
            "",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN has characters that no token has; give the job 'permissions: id-token:"
            " write' (pull requests from forks do not get it).",
        ),
    ],
)
def test_a_job_that_may_not_ask_is_told_what_it_lacks(environ: Environ, connection: str, sentence: str) -> None:
    """On each platform in its own words."""
    with pytest.raises(OptionError) as caught:
        ask(environ, connection=connection)
    assert caught.value.sentence() == sentence


@pytest.mark.parametrize("base", [ON_GITHUB, ON_DEVOPS])
@pytest.mark.parametrize(
    "address",
    [
        "http://runner.example/token",
        "http://169.254.169.254/token",
        "http://127.0.0.1.example/token",
        "ftp://127.0.0.1/token",
        "https://user:pass-word@runner.example/token",
        "https://user@runner.example/token",
        "https://runner.example/token#part",
        "https://runner.example\\@evil.example/token",
        "https://runner.example/to ken",
        "https:///token",
        "https://runner.example:0/token",
        "https://runner.example:x/token",
        "https://[::1/token",
        "runner.example/token",
    ],
)
def test_no_proof_goes_to_an_address_that_others_may_read(base: Environ, address: str) -> None:
    """And none of what is in the address is shown."""
    variable = next(name for name in runner_token.ADDRESS_VARIABLES if name in base)
    with pytest.raises(OptionError) as caught:
        ask({**base, variable: address}, connection=GUID)
    assert caught.value.sentence() == (
        f"{variable} is not the https address of a runner; leave it as the runner sets it, or give oidc_token or"
        " oidc_token_file_path."
    )


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]:80", "127.9.9.9"])
def test_this_host_may_be_asked_without_tls_and_is_asked_without_a_proxy(host: str) -> None:
    """Emulators listen there."""
    asked = ask({**ON_GITHUB, "ACTIONS_ID_TOKEN_REQUEST_URL": f"http://{host}/token"})
    assert asked.of_host
    assert not ask(ON_GITHUB).of_host


TOKEN = "eyJh.eyJp.c2ln-_"


@pytest.mark.parametrize(("url", "of_host"), [("https://runner.example/ask", False), ("http://127.0.0.1/ask", True)])
def test_how_a_runner_is_asked(url: str, of_host: bool) -> None:
    """With the time that is left, and no more of an answer than a token needs."""
    sent = {}

    class Http:
        def send_with_retries(self, method: str, url: str, **request: t.Any) -> Response:
            sent.update(request, method=method, url=url)
            return answer(200, {"value": TOKEN})

    asked = ask({**ON_GITHUB, "ACTIONS_ID_TOKEN_REQUEST_URL": url})
    assert runner_token.fetch(asked, t.cast(t.Any, Http()), action="sign-in", limit=7) == TOKEN
    assert sent["method"] == "GET"
    assert (sent["url"], sent["headers"]) == (asked.url, asked.headers)
    assert (sent["of_host"], sent["limit"], sent["largest"], sent["json_expected"]) == (of_host, 7, 65536, False)


def answer(status: int, body: t.Any) -> Response:
    return Response(status, {}, body if isinstance(body, bytes) else json.dumps(body).encode())


def test_the_token_in_an_answer() -> None:
    """Only what the platform calls so."""
    assert runner_token.read(GITHUB, answer(200, {"count": 17, "value": TOKEN}), "sign-in") == TOKEN
    assert runner_token.read(AZURE_DEVOPS, answer(200, {"oidcToken": TOKEN}), "sign-in") == TOKEN


PERMIT = "give the job 'permissions: id-token: write' (pull requests from forks do not get it)"
AGAIN = f"run the job again, and see that it is still running: its right to ask ends with it; {PERMIT}"
MAP_IT = "give the access token of this job: map it in the step, by 'env: SYSTEM_ACCESSTOKEN: $(System.AccessToken)'"
MAY_USE = "check service_connection_id, and that this pipeline may use that service connection"
PROXY = "check that no proxy or portal stands in between"
HTML = b"<!DOCTYPE html><html><title>Sign In</title></html>"


@pytest.mark.parametrize(
    ("platform", "status", "body", "what", "advice"),
    [
        (GITHUB, 401, {"source": "x", "errorMessage": "It is no good."}, "HTTP 401: It is no good", AGAIN),
        (GITHUB, 403, {"message": "Not for this job."}, "HTTP 403: Not for this job", AGAIN),
        (GITHUB, 404, {}, "HTTP 404", AGAIN),
        (GITHUB, 400, {"errorMessage": "Not for it."}, "HTTP 400: Not for it", "check oidc_audience"),
        (GITHUB, 203, HTML, "HTTP 203 with no JSON in it", PROXY),
        (GITHUB, 200, HTML, "HTTP 200 with no JSON in it", PROXY),
        (AZURE_DEVOPS, 401, b"", "HTTP 401 with no JSON in it", MAP_IT),
        (AZURE_DEVOPS, 203, HTML, "HTTP 203 with no JSON in it", MAP_IT),
        # The three forms of its errors.
        (AZURE_DEVOPS, 404, {"$id": "1", "message": "No service connection found with identifier x.", "typeKey": "E"},
         "HTTP 404: No service connection found with identifier x", MAY_USE),
        (AZURE_DEVOPS, 400, {"count": 1, "value": {"Message": "Not so."}}, "HTTP 400: Not so", MAY_USE),
        *(
            (AZURE_DEVOPS, status, {"count": 9, "value": "There is no explicit reference to service connection x."},
             f"HTTP {status}: There is no explicit reference to service connection x",
             "name the service connection as an input of a task in this stage, such as an AzureCLI@2 with 'condition:"
             " false'")
            for status in (200, 400, 403)
        ),
    ],
)  # fmt: skip
def test_a_runner_that_gives_no_token(platform: t.Any, status: int, body: t.Any, what: str, advice: str) -> None:
    """It is told what it says, and what to do."""
    with pytest.raises(SignInError) as caught:
        runner_token.read(platform, answer(status, body), "sign-in as client app")
    assert caught.value.what == f"sign-in as client app failed, because {platform.name} gave no token ({what})"
    assert caught.value.advice == advice


@pytest.mark.parametrize("platform", [GITHUB, AZURE_DEVOPS])
@pytest.mark.parametrize(
    "value", ["", None, 5, [TOKEN], {"a": TOKEN}, "two.parts", f"{TOKEN} x", f"{TOKEN}\n", "ä.b.c"]
)
def test_what_is_no_token_is_not_taken_for_one_nor_repeated(platform: t.Any, value: t.Any) -> None:
    """An empty one, above all: msal would leave it out, and sign in without any proof."""
    with pytest.raises(SignInError) as caught:
        runner_token.read(platform, answer(200, {platform.field: value}), "sign-in")
    assert "eyJh" not in caught.value.sentence()


def test_a_token_in_the_wrong_place_is_not_repeated() -> None:
    """What an answer holds is shown only if it is a sentence."""
    for status in (200, 400, 500):
        for platform in (GITHUB, AZURE_DEVOPS):
            for name in ("value", "oidcToken", "message", "token"):
                if status == 200 and name == platform.field:
                    continue
                with pytest.raises(SignInError) as caught:
                    runner_token.read(platform, answer(status, {name: TOKEN}), "sign-in")
                assert "eyJh" not in caught.value.sentence()


@pytest.mark.parametrize(
    ("platform", "status", "text", "passes"),
    [
        *((platform, status, "", True) for platform in (GITHUB, AZURE_DEVOPS) for status in (408, 500, 502)),
        *((platform, status, "", False) for platform in (GITHUB, AZURE_DEVOPS) for status in (200, 400, 401, 403, 404)),
        (GITHUB, 403, "Can't issue ID_TOKEN for job in 'Pending' state", True),
        (AZURE_DEVOPS, 403, "Can't issue ID_TOKEN for job in 'Pending' state", False),
        (GITHUB, 501, "", False),
    ],
)
def test_what_another_try_may_better(platform: t.Any, status: int, text: str, passes: bool) -> None:
    """Trouble, and the race at the beginning of a job of GitHub."""
    assert runner_token.may_pass(platform, answer(status, text.encode())) is passes


@given(st.sampled_from([GITHUB, AZURE_DEVOPS]), st.integers(200, 599), st.binary() | st.text().map(str.encode))
def test_any_other_answer_is_a_printable_sentence(platform: t.Any, status: int, body: bytes) -> None:
    """Whatever stands in between may answer."""
    with pytest.raises(SignInError) as caught:
        runner_token.read(platform, Response(status, {}, body), "sign-in")
    assert caught.value.sentence().isprintable()
