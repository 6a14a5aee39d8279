# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs of GitHub Actions and of Azure DevOps, whose runners give federated tokens to them.

GitHub: actions/toolkit, packages/core/src/oidc-utils.ts, and docs.github.com/actions/reference/security/oidc. Azure
DevOps: azure-identity, _credentials/azure_pipelines.py, and answers quoted in public issue reports.
"""

from __future__ import annotations

import base64
import json
import secrets
import typing as t
import uuid
from dataclasses import dataclass, field
from datetime import datetime

from simulator.records import Answer, Request

PATH = "/runner/"
AUDIENCE = "api://AzureADTokenExchange"


@dataclass(eq=False)
class Job:
    """A job that may ask its runner for tokens.

    Attributes:
        platform: ``github`` or ``azure_devops``.
        issuer, subject: what its tokens say.
        lifetime: seconds that they live.
        service_connection_id: whose tokens Azure DevOps gives; it must be an input of a task of the stage
            (``referenced``). "" in GitHub Actions.
        proof: what the job proves itself by to its runner.
        tokens: those that it was given.
    """

    platform: str
    issuer: str
    subject: str
    lifetime: int
    service_connection_id: str = ""
    referenced: bool = True
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    proof: str = field(default_factory=lambda: f"ghs.{secrets.token_urlsafe(96)}", repr=False)
    tokens: list[str] = field(default_factory=list, repr=False)

    def environment(self, runner_url: str) -> dict[str, str]:
        """The variables that the runner sets in the job, ``runner_url`` being :attr:`Simulator.runner_url`."""
        address = f"{runner_url}{PATH}{self.id}"
        if self.platform == "github":
            return {
                "GITHUB_ACTIONS": "true",
                # Real ones look so, with two slashes in a row.
                "ACTIONS_ID_TOKEN_REQUEST_URL": f"{address}//idtoken/1/?api-version=2.0",
                "ACTIONS_ID_TOKEN_REQUEST_TOKEN": self.proof,
            }
        return {
            "TF_BUILD": "True",
            "SYSTEM_OIDCREQUESTURI": f"{address}/_apis/distributedtask/hubs/build/plans/1/jobs/2/oidctoken",
            # The pipeline has mapped it, and AzureCLI@2 sets the other.
            "SYSTEM_ACCESSTOKEN": self.proof,
            "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID": self.service_connection_id,
        }

    def give_token(self, audience: str, now: datetime) -> str:
        """Give a new token; nobody here checks a signature."""
        begin = int(now.timestamp())
        claims = {
            "jti": str(uuid.uuid4()),
            "iss": self.issuer,
            "sub": self.subject,
            "aud": audience,
            "iat": begin,
            "nbf": begin - 600,
            "exp": begin + self.lifetime,
        }
        header = {"typ": "JWT", "alg": "RS256", "kid": "simulator"}
        token = f"{_encode(header)}.{_encode(claims)}.{secrets.token_urlsafe(256)}"
        self.tokens.append(token)
        return token


def github_job(repository: str = "contoso/intune", context: str = "ref:refs/heads/main") -> Job:
    """A job of a workflow that has ``permissions: id-token: write``.

    Parameters:
        repository: owner and name, with their ids (``contoso@1/intune@2``) as new ones have them.
        context: the rest of the subject.
    """
    return Job("github", "https://token.actions.githubusercontent.com", f"repo:{repository}:{context}", 300)


def azure_devops_job(service_connection_id: str | None = None) -> Job:
    """A job of a pipeline with a service connection of the older kind, whose subject is readable."""
    return Job(
        "azure_devops",
        f"https://vstoken.dev.azure.com/{uuid.uuid4()}",
        "sc://contoso/devices/intune",
        600,
        service_connection_id or str(uuid.uuid4()),
    )


def locate(request: Request) -> None:
    """Note on ``request`` that it is for a runner, whatever its method."""
    if request.path.startswith(PATH):
        request.where = "runner"


def answer(jobs: t.Iterable[Job], request: Request, now: datetime) -> Answer:
    """Answer a request that :func:`locate` has seen."""
    job = next((job for job in jobs if job.id in request.path), None)
    if job is None:
        return Answer(404)
    return _github(job, request, now) if job.platform == "github" else _azure_devops(job, request, now)


def fault_answer(jobs: t.Iterable[Job], request: Request, status: int) -> Answer:
    """The body that the service sends with an error ``status`` of its own."""
    github = any(job.id in request.path for job in jobs if job.platform == "github")
    return (
        _github_error(status, "Something is wrong.") if github else _azure_devops_error(status, "Something is wrong.")
    )


def _github(job: Job, request: Request, now: datetime) -> Answer:
    if request.method != "GET":
        return _github_error(405, "The method is not allowed.")
    if request.path != f"{PATH}{job.id}//idtoken/1/" or request.query.get("api-version") != "2.0":
        return _github_error(404, "There is nothing here.")
    if request.headers.get("Authorization") != f"Bearer {job.proof}":
        return _github_error(401, "The token is not valid.")
    audiences = [value for name, value in request.query.items() if name == "audience"]
    if len(audiences) != 1 or "application/json" not in request.headers.get("Accept", ""):
        return _github_error(400, "Can't issue ID_TOKEN for this audience.")
    token = job.give_token(audiences[0], now)
    return Answer.of_json(200, {"count": len(token), "value": token})


def _github_error(status: int, message: str) -> Answer:
    return Answer.of_json(status, {"source": "actions-run-service", "statusCode": status, "errorMessage": message})


def _azure_devops(job: Job, request: Request, now: datetime) -> Answer:
    if request.method != "POST":
        return _azure_devops_error(405, "The requested resource does not support http method 'GET'.")
    if request.headers.get("Authorization") != f"Bearer {job.proof}":
        if request.headers.get("X-TFS-FedAuthRedirect") != "Suppress":
            return Answer(302, {"Location": "https://spsprodweu1.vssps.visualstudio.com/_signin"})
        return Answer(401, {"Content-Type": "text/html"})
    if request.query.get("api-version") != "7.1" or request.body:
        return _azure_devops_error(400, "The api-version is not supported.")
    if request.query.get("serviceConnectionId") != job.service_connection_id:
        named = request.query.get("serviceConnectionId")
        return _azure_devops_error(404, f"No service connection found with identifier {named}.")
    if not job.referenced:
        said = f"There is no explicit reference to service connection {job.service_connection_id} in this stage."
        return Answer.of_json(400, {"count": len(said), "value": said})
    return Answer.of_json(200, {"oidcToken": job.give_token(AUDIENCE, now)})


def _azure_devops_error(status: int, message: str) -> Answer:
    return Answer.of_json(
        status, {"$id": "1", "message": message, "typeKey": "DistributedTaskException", "errorCode": 0}
    )


def _encode(data: t.Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=").decode()
