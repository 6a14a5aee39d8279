# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs of pipelines that synchronise without any secret of ours: their runner gives the tokens, with real MSAL."""

from __future__ import annotations

import json
import typing as t
from urllib.parse import parse_qs

import pytest
from simulator import App, Fault, FederatedCredential, Job, azure_devops_job, github_job

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
