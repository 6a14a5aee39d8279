# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""A federated token from the runner of a pipeline's job, which it gives to the job that asks at an address of its own.

Where to ask, and what proves that it is the job that asks, is in the environment alone: an option that named the
address would let whoever writes options collect the tokens of a job.

https://docs.github.com/actions/reference/security/oidc and actions/toolkit, packages/core/src/oidc-utils.ts;
https://learn.microsoft.com/rest/api/azure/devops/distributedtask/oidctoken/create and azure-identity,
_credentials/azure_pipelines.py.
"""

from __future__ import annotations

import re
import typing as t
from urllib.parse import quote, urlsplit

from .._ground import errors, tenant_ids, untrusted
from .._ground.option_values import OptionValue, lookup
from .._http.local_hosts import is_loopback
from .method import is_token

if t.TYPE_CHECKING:
    from .._http.response import Response
    from .._http.transport import Transport


class Platform(t.NamedTuple):
    """What runs pipelines.

    :param sign: the variable that says so in each job, and its value in small letters.
    :param address: the variable with the address to ask.
    :param proof: the variable with what proves that it is the job that asks.
    :param method: the HTTP method.
    :param field: where the token is in the answer.
    :param permit: how a job is allowed to ask.
    """

    name: str
    sign: tuple[str, str]
    address: str
    proof: str
    method: str
    field: str
    permit: str


GITHUB = Platform(
    "GitHub Actions",
    ("GITHUB_ACTIONS", "true"),
    "ACTIONS_ID_TOKEN_REQUEST_URL",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "GET",
    "value",
    "give the job 'permissions: id-token: write' (pull requests from forks do not get it)",
)
AZURE_DEVOPS = Platform(
    "Azure DevOps",
    ("TF_BUILD", "true"),
    "SYSTEM_OIDCREQUESTURI",
    "SYSTEM_ACCESSTOKEN",
    "POST",
    "oidcToken",
    "map it in the step, by 'env: SYSTEM_ACCESSTOKEN: $(System.AccessToken)'",
)
PLATFORMS = (GITHUB, AZURE_DEVOPS)
ADDRESS_VARIABLES = tuple(platform.address for platform in PLATFORMS)

# A token has three or four kilobytes.
_LARGEST = 64 * 1024
_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_REFERENCE = "no explicit reference to service connection"


class Question(t.NamedTuple):
    """What to ask a runner.

    :param headers: they hold the proof.
    :param of_host: whether it is this host that is asked, which needs neither TLS nor a proxy.
    """

    platform: Platform
    url: str
    headers: t.Mapping[str, str]
    of_host: bool


def platform(environ: t.Mapping[str, str]) -> Platform | None:
    """What runs the job that this is, first whatever lets it ask for a token; None if this is no such job."""
    for one in PLATFORMS:
        if _value(one.address, environ).value and _value(one.proof, environ).value:
            return one
    return next((one for one in PLATFORMS if environ.get(one.sign[0], "").lower() == one.sign[1]), None)


def secrets(environ: t.Mapping[str, str]) -> set[str]:
    """What proves to runners that it is the job that asks."""
    return {_value(one.proof, environ).value for one in PLATFORMS} - {""}


def proof(environ: t.Mapping[str, str], own: t.Container[str]) -> OptionValue:
    """What proves that it is the job that asks, with the variable that gives it.

    :param own: the names of the variables in ``environ`` that the task's own ``environment`` sets.
    """
    found = platform(environ)
    return _value(found.proof, environ, own) if found else OptionValue("", "", False)


def question(environ: t.Mapping[str, str], *, audience: str, service_connection_id: str) -> Question:
    """What to ask the runner of this job.

    :param environ: the environment as the task sees it.
    :param audience: who is to accept the token; Azure DevOps asks nobody for it, its tokens are for Entra ID.
    :param service_connection_id: the GUID of the service connection whose token it is, in Azure DevOps.
    :raises OptionError: the job may not ask, or something of this cannot be right.
    """
    found = platform(environ)
    if found is None:
        raise errors.OptionError("this is no job of " + " or ".join(one.name for one in PLATFORMS))
    address, token = _value(found.address, environ), _value(found.proof, environ)
    for variable in (address, token):
        if not variable.value:
            raise errors.OptionError(
                f"no federated token is given, and this job of {found.name} may ask for none, as it has no"
                f" {variable.source}",
                advice=f"{found.permit}, or give oidc_token or oidc_token_file_path",
            )
    _check_address(address)
    if not is_token(token.value):
        raise errors.OptionError(f"{token.source} has characters that no token has", advice=found.permit)
    headers = {"Accept": "application/json", "Authorization": f"Bearer {token.value}"}
    if found is GITHUB:
        # The path is GitHub's own business, and may have two slashes in a row.
        mark = "&" if "?" in address.value else "?"
        url = f"{address.value}{mark}audience={quote(audience, safe='')}"
    else:
        if not tenant_ids.is_guid(service_connection_id):
            raise errors.OptionError(
                f"service_connection_id is {service_connection_id!r}"
                if service_connection_id
                else "no federated token is given, and service_connection_id, whose token Azure DevOps is to give, is"
                " not given either",
                advice="give the GUID of the service connection, resourceId in the address of its page, as"
                " service_connection_id or by AZURESUBSCRIPTION_SERVICE_CONNECTION_ID",
            )
        url = f"{address.value.rstrip('/')}?api-version=7.1&serviceConnectionId={service_connection_id}"
        # Without it, who is not allowed to ask is sent to a page for people.
        headers |= {"Content-Type": "application/json", "X-TFS-FedAuthRedirect": "Suppress"}
    return Question(found, url, headers, is_loopback(urlsplit(url).hostname or ""))


def fetch(asked: Question, http: Transport, *, action: str, limit: float) -> str:
    """Ask for a token. It lives for 5 minutes (GitHub) or 10 (Azure DevOps), so whoever signs in asks anew.

    :param action: the sign-in in words.
    :param limit: seconds for all tries.
    :raises SignInError: the runner gives none.
    :raises Unavailable: no try got an answer.
    """
    try:
        answer = http.send_with_retries(
            asked.platform.method,
            asked.url,
            headers=asked.headers,
            json_expected=False,
            limit=limit,
            of_host=asked.of_host,
            largest=_LARGEST,
            passes=lambda answer: may_pass(asked.platform, answer),
        )
    except errors.Redirected as error:
        raise refusal(asked.platform, action, error.what, status=0) from error
    return read(asked.platform, answer, action)


def may_pass(asked: Platform, answer: Response) -> bool:
    """Whether an answer is trouble that may be over at the next try, beyond what counts as such everywhere.

    For GitHub a job may still be "Pending" when its first step runs: aws-actions/configure-aws-credentials#469.
    """
    pending = asked is GITHUB and answer.status == 403 and "'Pending' state" in untrusted.text_of(answer.body)
    return pending or answer.status == 408 or (answer.status >= 500 and answer.status != 501)


def read(asked: Platform, answer: Response, action: str) -> str:
    """The token in a runner's answer.

    :raises SignInError: there is none.
    """
    try:
        document = answer.json()
    except ValueError:
        document = None
    token = document.get(asked.field) if isinstance(document, dict) and answer.status == 200 else None
    if isinstance(token, str) and _TOKEN.fullmatch(token):
        return token
    words = _said(document, asked)
    what = f"HTTP {answer.status}" + (f": {words}" if words else "" if document is not None else " with no JSON in it")
    raise refusal(asked, action, what, status=answer.status if isinstance(document, dict) else 0)


def refusal(asked: Platform, action: str, what: str, *, status: int) -> errors.SignInError:
    """The sentence about a runner that gives no token.

    :param what: how it answered.
    :param status: the HTTP status; 0 for what is no answer of the service itself, but a page or a redirect.
    """
    advice = f"run again later, and see the state of {asked.name}"
    if asked is AZURE_DEVOPS and (status in (0, 203) or status == 401):
        advice = f"give the access token of this job: {asked.permit}"
    elif asked is AZURE_DEVOPS and _REFERENCE in what.lower():
        advice = (
            "name the service connection as an input of a task in this stage, such as an AzureCLI@2 with 'condition:"
            " false'"
        )
    elif asked is AZURE_DEVOPS and status in (400, 403, 404):
        advice = "check service_connection_id, and that this pipeline may use that service connection"
    elif status == 0:
        advice = errors.PROXY_ADVICE
    elif status in (401, 403, 404):
        advice = f"run the job again, and see that it is still running: its right to ask ends with it; {asked.permit}"
    elif status == 400:
        advice = "check oidc_audience"
    return errors.SignInError(
        f"{action} failed, because {asked.name} gave no token ({what.rstrip('.')})", advice=advice
    )


def _said(document: t.Any, asked: Platform) -> str:
    """What an error says, in the forms that are known. A token has no blank, so that none is repeated."""
    if not isinstance(document, dict):
        return ""
    inner = None if asked.field == "value" else document.get("value")
    found = [
        *(document.get(name) for name in ("errorMessage", "message", "Message")),
        inner.get("Message") if isinstance(inner, dict) else inner,
    ]
    return next((untrusted.one_line(text) for text in found if isinstance(text, str) and " " in text.strip()), "")


def _check_address(address: OptionValue) -> None:
    """See that an address may get what proves the job: by TLS, or on this host."""
    url = address.value
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.port != 0 and parts.username is None and not parts.fragment
    except ValueError:
        raise _unusable(address) from None
    if not usable or not is_token(url) or "\\" in url:
        raise _unusable(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        raise _unusable(address)


def _unusable(address: OptionValue) -> errors.OptionError:
    return errors.OptionError(
        f"{address.source} is not the https address of a runner",
        advice="leave it as the runner sets it, or give oidc_token or oidc_token_file_path",
    )


def _value(variable: str, environ: t.Mapping[str, str], own: t.Container[str] = ()) -> OptionValue:
    found = lookup(variable, (variable,), {}, environ, own)
    # Azure DevOps leaves a variable that it does not know, as it is written.
    return found._replace(value="") if found.value.startswith("$(") else found
