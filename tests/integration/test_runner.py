# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs of pipelines that synchronise without any secret of ours: their runner gives the tokens, with real MSAL."""

from __future__ import annotations

import json
import os
import time
import typing as t
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._ground import errors
from ansible_collections.graphops.intune.plugins.module_utils._ground.clock import Clock
from ansible_collections.graphops.intune.plugins.module_utils._http import connections, transport
from ansible_collections.graphops.intune.plugins.module_utils._identity import identity, token_cache, tokens
from simulator import (
    App,
    Fault,
    FederatedCredential,
    Job,
    Request,
    Simulator,
    Tenant,
    World,
    azure_devops_job,
    github_job,
)

from .conftest import SYNC, Site

pytestmark = pytest.mark.slow

JOBS = {"github": github_job, "azure_devops": azure_devops_job}


def add_job(site: Site, platform: str) -> tuple[Job, App]:
    """A job, and an app that trusts it and has no secret."""
    job = JOBS[platform]()
    site.world.jobs.append(job)
    return job, site.tenant.add_app(trusted=[FederatedCredential(job.issuer, job.subject)])


def environment(site: Site, job: Job, app: App) -> dict[str, str]:
    """What the runner sets, what the pipeline says, and the hosts of the simulator."""
    identity = {"AZURE_TENANT_ID": site.tenant.id, "AZURE_CLIENT_ID": app.client_id}
    return {**job.environment(site.simulator.runner_url), **identity, **site.hosts}


def options(site: Site, **changes: t.Any) -> dict[str, t.Any]:
    return {"connector_id": site.connector.id, "ca_path": site.simulator.ca_path, "wait_sleep": 1, **changes}


def assertions(site: Site) -> list[str]:
    """What proved the app at each sign-in."""
    return [parse_qs(request.body.decode())["client_assertion"][0] for request in site.requests("token")]


@pytest.mark.parametrize("platform", JOBS)
@pytest.mark.parametrize("auth_source", ["oidc", "auto"])
def test_a_job_synchronises_without_a_secret(site: Site, platform: str, auth_source: str) -> None:
    """Two tasks of a playbook, of which the first meets a token that Graph no longer takes: three sign-ins."""
    job, app = add_job(site, platform)
    site.world.faults.add(Fault("get", status=401))
    tasks = [{SYNC: options(site, auth_source=auth_source, max_age=age)} for age in (3600, 0)]
    run = site.play(tasks, environment={**environment(site, job, app), "HOME": str(site.folder)})
    assert run.code == 0, run.output
    assert [result["sync"]["state"] for result in run.results] == ["completed", "completed"]
    assert assertions(site) == job.tokens
    assert len(set(job.tokens)) == len(job.tokens) >= 2, "one for each sign-in"
    shown = run.output + json.dumps(run.results)
    assert not any(secret in shown for secret in (job.proof, *job.tokens))


def test_a_job_without_the_permission_to_ask(site: Site) -> None:
    """It is told which, before any request; so is a stage that names no service connection."""
    _job, app = add_job(site, "github")
    named = {"AZURE_TENANT_ID": site.tenant.id, "AZURE_CLIENT_ID": app.client_id, **site.hosts}
    run = site.play([{SYNC: options(site, auth_source="oidc")}], environment={**named, "GITHUB_ACTIONS": "true"})
    assert "give the job 'permissions: id-token: write'" in run.result["msg"]
    assert site.world.connections == 0


def test_a_pod_needs_its_four_variables_and_nothing_else(site: Site, tmp_path: Path) -> None:
    """Its file is read for each sign-in, since Kubernetes writes another one into it."""
    job = Job("pod", "https://oidc.example/", "system:serviceaccount:awx:jobs", 3600)
    app = site.tenant.add_app(trusted=[FederatedCredential(job.issuer, job.subject)])
    file = tmp_path / "azure-identity-token"
    file.write_text(job.give_token("api://AzureADTokenExchange", site.world.clock()))

    def renew(request: Request) -> bool:
        file.write_text(job.give_token("api://AzureADTokenExchange", site.world.clock()))
        return request.where == "get"

    site.world.faults.add(Fault("get", status=401, only_if=renew))
    pod = {
        "AZURE_TENANT_ID": site.tenant.id,
        "AZURE_CLIENT_ID": app.client_id,
        "AZURE_FEDERATED_TOKEN_FILE": str(file),
        "AZURE_AUTHORITY_HOST": f"{site.simulator.authority_url}/",
        "MSGRAPH_URL": site.simulator.graph_url,
    }
    run = site.play([{SYNC: options(site)}], environment=pod)
    assert run.result["sync"]["state"] == "completed", run.output
    assert assertions(site)[:2] == job.tokens[:2]


class Tried(t.NamedTuple):
    """A job and its app in a tenant of their own, asked in this process over real HTTPS, by the real msal."""

    world: World
    simulator: Simulator
    tenant: Tenant
    job: Job
    app: App

    def fails(self, *faults: Fault, **connection: t.Any) -> errors.IntuneError:
        """What comes of a sign-in that fails."""
        with pytest.raises(errors.IntuneError) as caught:
            self.sign_in(*faults, **connection)
        assert not any(hidden in caught.value.sentence() for hidden in (self.job.proof, *self.job.tokens))
        return caught.value

    def sign_in(
        self,
        *faults: Fault,
        request_timeout: float = 30,
        retry_timeout: float = 120,
        environ: t.Mapping[str, str] | None = None,
        shared: token_cache.Sharing | None = None,
        **options: str,
    ) -> str:
        """Sign in, with faults that strike this job's runner and its tenant; nobody sleeps here."""
        for fault in faults:
            self.world.faults.add(fault)
        late = [0.0]
        clock = Clock(monotonic=lambda: time.monotonic() + late[0], sleep=lambda s: late.__setitem__(0, late[0] + s))
        seen = {**self.job.environment(self.simulator.runner_url), **(environ or {})}
        seen |= {"MSGRAPH_URL": self.simulator.graph_url, "AZURE_AUTHORITY_HOST": self.simulator.authority_url}
        named = {"auth_source": "oidc", "tenant": self.tenant.id, "client_id": self.app.client_id, **options}
        http = transport.Transport(
            context=connections.tls_context(self.simulator.ca_path, True, {}),
            environ={},
            request_timeout=request_timeout,
            retry_timeout=retry_timeout,
            clock=clock,
        )
        who = identity.read_identity(named, seen)
        try:
            return tokens.SignIn(who, http, shared, environ=seen, permission="Permission.All").token()
        finally:
            http.reset_connections()

    def requests(self, where: str) -> list[Request]:
        """Those that the last job made."""
        mine = (self.job.id, self.tenant.id)
        return [r for r in self.world.requests if r.where == where and any(one in r.path for one in mine)]


@pytest.fixture(scope="module")
def simulator() -> t.Iterator[Simulator]:
    with Simulator(World()) as running:
        yield running


@pytest.fixture(params=JOBS)
def tried(simulator: Simulator, request: pytest.FixtureRequest) -> Tried:
    world = simulator.world
    world.faults.clear()
    job = JOBS[request.param]()
    tenant = world.add_tenant(f"contoso{len(world.tenants)}.example")
    world.jobs.append(job)
    app = tenant.add_app(trusted=[FederatedCredential(job.issuer, job.subject)])
    return Tried(world, simulator, tenant, job, app)


def test_a_token_of_the_runner_is_kept_nowhere(tried: Tried, tmp_path: Path) -> None:
    """What the processes of a run share is the token for Graph, and not the one that would get another."""
    shared = token_cache.sharing_in(str(tmp_path))
    assert shared
    token = tried.sign_in(shared=shared)
    assert tried.sign_in(shared=shared) == token
    assert len(tried.job.tokens) == 1, "as long as the token for Graph is good, no other is needed"
    kept = os.pread(shared.file, 1_000_000, 0).decode()
    os.close(shared.file)
    assert token in kept
    assert tried.job.tokens[0] not in kept
    assert tried.job.proof not in kept


PENDING = {"message": "Can't issue ID_TOKEN for job in 'Pending' state"}
HTML = "<!DOCTYPE html><html><title>Sign In</title></html>"


def test_what_is_sent_to_entra_id(tried: Tried) -> None:
    """The form that Microsoft documents, with the runner's token as it is."""
    assert tried.sign_in()
    (request,) = tried.requests("token")
    form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
    assert form == {
        "client_id": tried.app.client_id,
        "grant_type": "client_credentials",
        "scope": f"{tried.simulator.graph_url}/.default",
        "client_info": "1",
        "client_assertion": tried.job.tokens[0],
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }


@pytest.mark.parametrize(
    "fault",
    [
        Fault("runner", status=503),
        Fault("runner", status=500),
        Fault("runner", status=408),
        Fault("runner", status=429, headers={"Retry-After": "3"}),
        Fault("runner", cut="before"),
        Fault("runner", cut="body"),
        Fault("runner", status=502, body=HTML),
    ],
    ids=lambda fault: str(fault.status or fault.cut),
)
def test_trouble_of_a_runner_passes(tried: Tried, fault: Fault) -> None:
    """It is waited out; without any time for it, it is told as what it is."""
    assert tried.sign_in(fault)
    assert len(tried.requests("runner")) == 2
    assert len(tried.job.tokens) in (1, 2), "a token whose answer was cut was given, too"
    error = tried.fails(fault, retry_timeout=0)
    assert isinstance(error, errors.Unavailable)


def test_a_job_of_github_may_still_be_pending(tried: Tried) -> None:
    """Azure DevOps has no such thing: there, 403 is a refusal."""
    fault = Fault("runner", status=403, body=PENDING)
    if tried.job.platform == "github":
        assert tried.sign_in(fault)
    else:
        assert "gave no token (HTTP 403: Can't issue ID_TOKEN" in tried.fails(fault).sentence()
    assert len(tried.requests("runner")) == (2 if tried.job.platform == "github" else 1)


def test_a_runner_that_hangs(tried: Tried) -> None:
    """It costs request_timeout for each try."""
    error = tried.fails(Fault("runner", delay=5), request_timeout=1, retry_timeout=0)
    assert error.what.endswith("did not answer within 1 s (tried once within retry_timeout, 0 s)")


@pytest.mark.parametrize(
    ("fault", "what"),
    [
        (Fault("runner", status=401, body=""), "HTTP 401 with no JSON in it"),
        (Fault("runner", status=400), "HTTP 400: Something is wrong"),
        (Fault("runner", status=404), "HTTP 404: Something is wrong"),
        (Fault("runner", status=302, headers={"Location": "https://other.example/x"}), "redirects to other.example"),
        (Fault("runner", status=203, body=HTML), "HTTP 203 with no JSON in it"),
        (Fault("runner", body={"count": 0}), "HTTP 200"),
        (Fault("runner", body={"value": "", "oidcToken": ""}), "HTTP 200"),
    ],
    ids=["401", "400", "404", "302", "203", "no field", "empty"],
)  # fmt: skip
def test_what_a_runner_refuses_is_not_asked_again(tried: Tried, fault: Fault, what: str) -> None:
    """Nor is Entra ID asked without a proof, or the right to ask sent to where a redirect leads."""
    error = tried.fails(fault)
    assert isinstance(error, errors.SignInError)
    assert what in error.what
    assert error.advice
    assert len(tried.requests("runner")) == 1
    assert tried.requests("token") == []


def test_a_huge_answer_of_a_runner_is_not_read(tried: Tried) -> None:
    """A token has some kilobytes."""
    error = tried.fails(Fault("runner", body={"value": "x" * 70_000, "oidcToken": "x" * 70_000}))
    assert "sent more than 64 KiB" in error.what
    assert len(tried.requests("runner")) == 1


def test_a_right_to_ask_that_is_none(tried: Tried) -> None:
    """As of another job, or one that has ended."""
    variable = next(name for name in tried.job.environment("") if name.endswith("TOKEN"))
    error = tried.fails(environ={variable: "of-another-job"})
    assert "gave no token (HTTP 401" in error.what


def test_a_stage_that_does_not_name_its_service_connection(tried: Tried) -> None:
    """And one that names another."""
    if tried.job.platform != "azure_devops":
        return
    tried.job.referenced = False
    assert tried.fails().advice.startswith("name the service connection as an input of a task in this stage")
    other = "00000000-0000-0000-0000-000000000000"
    error = tried.fails(service_connection_id=other)
    assert f"No service connection found with identifier {other}" in error.what
    assert error.advice.startswith("check service_connection_id")


# What Entra ID says of federated tokens, with words that tell one advice from the next.
CODES = {
    70021: "give the app registration of client_id a federated credential",
    70025: "give the app registration of client_id a federated credential",
    700211: "issuer",
    700212: "audience",
    700213: "subject",
    7002138: "capital letters",
    7002137: "service connection",
    7002131: "expression",
    700024: "clock",
    700223: "policy forbids",
    700238: "policy forbids",
    7002381: "enterprise",
    700222: "another issuer",
    700236: "another issuer",
    70052: "single-tenant",
    900382: "cloud",
    50166: "discovery document",
    501661: "discovery document",
    90061: "discovery document",
    70023: "less than a day",
}


@pytest.mark.parametrize("code", CODES)
def test_a_refusal_of_a_federated_token_says_what_the_token_says(tried: Tried, code: int) -> None:
    """To be compared with the federated credential, or put into it."""
    said = f"AADSTS{code}: It is refused. Trace ID: 1 Correlation ID: 2 Timestamp: 3"
    body = {"error": "invalid_client", "error_description": said, "error_codes": [code]}
    error = tried.fails(Fault("token", status=401, body=body, tenant_id=tried.tenant.id, times=None))
    repeated = code in (70021, 70025, 700211, 700212, 700213, 7002131, 7002137, 7002138)
    assert error.what.endswith(
        f"was refused (HTTP 401): AADSTS{code}: It is refused (the token has issuer '{tried.job.issuer}', subject"
        f" '{tried.job.subject}' and audience 'api://AzureADTokenExchange')"
        + (" (tried 3 times within retry_timeout, 120 s)" if repeated else "")
    )
    assert CODES[code] in error.advice
    assert len(tried.requests("token")) == (3 if repeated else 1)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"issuer": "https://token.example/"}, 700211),
        ({"subject": "repo:contoso/other:ref:refs/heads/main"}, 700213),
        ({"audience": "api://other"}, 700212),
    ],
)
def test_a_federated_credential_that_does_not_fit(tried: Tried, change: dict[str, str], code: int) -> None:
    """As the simulated Entra ID compares it."""
    (trusted,) = tried.app.trusted
    tried.app.trusted[0] = trusted._replace(**change)
    assert f"AADSTS{code}: No matching federated identity record" in tried.fails().what


def test_a_subject_in_other_letters(tried: Tried) -> None:
    """It has a number of its own, of which another one is the beginning."""
    (trusted,) = tried.app.trusted
    tried.app.trusted[0] = trusted._replace(subject=trusted.subject.replace("contoso", "Contoso"))
    error = tried.fails()
    assert "AADSTS7002138: " in error.what
    assert error.advice.startswith("write the subject")


def test_github_s_subjects_with_ids_are_named_where_they_are_the_cause(simulator: Simulator) -> None:
    """Guides show the form of before July 2026; an @ elsewhere says nothing."""
    simulator.world.faults.clear()
    for repository, context, issuer, named in (
        ("contoso@12/intune@345", "ref:refs/heads/main", "https://token.actions.githubusercontent.com", True),
        ("contoso@12/intune@345", "ref:refs/heads/main", "https://token.actions.contoso.ghe.com", True),
        ("contoso@12/intune@345", "ref:refs/heads/main", "https://forge.example", False),
        ("contoso/intune", "environment:a@1/b@2", "https://token.actions.githubusercontent.com", False),
    ):
        job = github_job(repository, context)
        job.issuer = issuer
        tenant = simulator.world.add_tenant(f"contoso{len(simulator.world.tenants)}.example")
        simulator.world.jobs.append(job)
        app = tenant.add_app(trusted=[FederatedCredential(job.issuer, "repo:contoso/intune:ref:refs/heads/main")])
        error = Tried(simulator.world, simulator, tenant, job, app).fails()
        assert f"subject 'repo:{repository}:{context}'" in error.what
        assert ("(GitHub puts the ids of owner and repository into it, behind @, if" in error.advice) is named


def test_a_new_credential_that_becomes_known(tried: Tried) -> None:
    """With time to wait, each try has a new token of the runner, and a new application of msal without memory."""
    said = {"error": "invalid_request", "error_description": "AADSTS70021: No matching record found."}
    fault = Fault("token", status=400, body=said, times=9, tenant_id=tried.tenant.id)
    assert tried.sign_in(fault, retry_timeout=600)
    assert len(tried.requests("token")) == 10
    assert len(set(tried.job.tokens)) == 10


def test_a_good_credential_that_is_refused_once(tried: Tried) -> None:
    """As about one in fifty was, whose credential had been there for weeks."""
    said = {"error": "invalid_client", "error_description": "AADSTS700213: No matching record found."}
    assert tried.sign_in(Fault("token", status=401, body=said, tenant_id=tried.tenant.id))


def test_another_audience_is_asked_of_github(tried: Tried) -> None:
    """And refused by Entra ID beside what it wants; Azure DevOps has one audience only."""
    if tried.job.platform == "github":
        error = tried.fails(oidc_audience="api://other")
        assert "audience 'api://other'" in error.what
    else:
        assert tried.sign_in(oidc_audience="api://other")
