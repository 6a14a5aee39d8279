# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pipelines in extensions/ci run: their steps, as the platform's runner would run them, against the simulator."""

from __future__ import annotations

import json
import os
import re
import subprocess
import typing as t
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from simulator import FederatedCredential, Job

from .conftest import ROOT, Site, clean_environment

pytestmark = pytest.mark.slow

FOLDER = ROOT / "extensions" / "ci"
CLIENT_ID = "6a1e0c1c-0d6f-4c8a-9d0a-3f5b1f2c7a10"


class Pipeline(t.NamedTuple):
    """What a runner makes of a pipeline.

    :param interpreter: how it runs a step's script.
    :param install: the script that installs.
    :param run: the script that synchronises.
    :param environment: what that script is given by the file, before the platform's own values.
    :param may_ask: whether the platform lets the job have a token.
    :param kept: the file that is kept.
    :param kept_always: whether it is kept after a failure, too.
    """

    interpreter: tuple[str, ...]
    install: str
    run: str
    environment: dict[str, str]
    may_ask: bool
    kept: str
    kept_always: bool


def github(file: t.Any) -> Pipeline:
    (job,) = file["jobs"].values()
    _checkout, _python, install, run, keep = job["steps"]
    return Pipeline(
        interpreter=("bash", "-e"),
        install=install["run"],
        run=run["run"],
        environment=run["env"],
        may_ask=job["permissions"].get("id-token") == "write",
        kept=keep["with"]["path"],
        kept_always=keep["if"] == "always()",
    )


def azure_devops(file: t.Any) -> Pipeline:
    (job,) = file["stages"][0]["jobs"]
    *first, install, run, keep = job["steps"]
    return Pipeline(
        # It does not stop at the first command that fails.
        interpreter=("bash", "--noprofile", "--norc"),
        install=install["script"],
        run=run["script"],
        # Its variables are in the environment of every script.
        environment={**file["variables"], **run["env"]},
        may_ask=any("azureSubscription" in step.get("inputs", {}) for step in first),
        kept=keep["publish"],
        kept_always=keep["condition"] == "always()",
    )


def gitlab(file: t.Any) -> Pipeline:
    job = file["synchronise"]
    tokens = {name: f"$({entry['aud']})" for name, entry in job["id_tokens"].items()}
    (kept,) = job["artifacts"]["paths"]
    return Pipeline(
        interpreter=("bash", "-eo", "pipefail"),
        install="\n".join(job["before_script"]),
        run="\n".join(job["script"]),
        environment={**job["variables"], **tokens},
        may_ask=True,
        kept=kept,
        kept_always=job["artifacts"]["when"] == "always",
    )


FILES = {
    "github": ("github_actions/intune.yml", github),
    "azure_devops": ("azure_devops/azure-pipelines.yml", azure_devops),
    "gitlab": ("gitlab/gitlab-ci.yml", gitlab),
}
# The federated credentials that the guide tells to make, in its order.
GUIDE = (ROOT / "docs" / "docsite" / "rst" / "guide_pipelines.rst").read_text(encoding="utf-8")
CREDENTIALS = dict(zip(FILES, map(json.loads, re.findall(r"<<'EOF'\n(.*?)^ *EOF$", GUIDE, re.DOTALL | re.MULTILINE))))


def pipeline_of(platform: str, *changes: tuple[str, str]) -> Pipeline:
    """The pipeline for a platform, with changes to its text."""
    name, reader = FILES[platform]
    text = (FOLDER / name).read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return reader(yaml.safe_load(text))


class Runner:
    """A runner's machine: a checkout with the inventory in it, and what the platform puts into the environment.

    The app trusts what the guide tells, and has no secret.
    """

    def __init__(self, site: Site, folder: Path, platform: str) -> None:
        self.site = site
        self.folder = folder
        self.platform = platform
        credential = CREDENTIALS[platform]
        (audience,) = credential["audiences"]
        self.trusted = FederatedCredential(credential["issuer"], credential["subject"], audience)
        site.app = site.tenant.add_app(CLIENT_ID, trusted=[self.trusted])
        self.token = site.tenant.add_vpp_token(last_sync=timedelta(days=2))
        (folder / "all.tenants.yml").write_text((FOLDER / "all.tenants.yml").read_text(encoding="utf-8"))

    def start(self, pipeline: Pipeline) -> tuple[Job, dict[str, str]]:
        """A job, and the environment of its step that synchronises."""
        connection = pipeline.environment.get("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", "")
        job = Job(self.platform, self.trusted.issuer, self.trusted.subject, 300, connection, pipeline.may_ask)
        self.site.world.jobs.append(job)
        own = job.environment(self.site.simulator.runner_url)
        given = {
            "github": "GITHUB_ACTIONS ACTIONS_ID_TOKEN_" if pipeline.may_ask else "GITHUB_ACTIONS",
            # The rest is in the file.
            "azure_devops": "TF_BUILD SYSTEM_OIDC",
            "gitlab": "GITLAB_",
        }[self.platform]
        environment = {name: own[name] for name in own if name.startswith(tuple(given.split()))}

        def value(found: re.Match[str]) -> str:
            if found[1] == "System.AccessToken":
                return job.proof
            return job.give_token(found[1], self.site.world.clock())

        from_file = {name: re.sub(r"\$\((.*?)\)", value, text) for name, text in pipeline.environment.items()}
        simulated = {**self.site.hosts, "REQUESTS_CA_BUNDLE": self.site.simulator.ca_path}
        return job, {**environment, **from_file, **simulated}

    def run(self, pipeline: Pipeline, script: str, environment: t.Mapping[str, str]) -> tuple[int, str]:
        """Run the script of a step, and return its exit code and output."""
        step = self.folder / "step.sh"
        step.write_text(script)
        done = subprocess.run(
            [*pipeline.interpreter, str(step)],
            env=clean_environment(self.site.collections, **environment),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            text=True,
        )
        assert "Traceback" not in done.stdout, done.stdout
        return done.returncode, done.stdout


@pytest.mark.parametrize("platform", FILES)
def test_a_pipeline_synchronises_without_a_secret_and_keeps_its_report(
    site: Site, tmp_path: Path, platform: str
) -> None:
    """A tenant that is well, and one that has not consented, which alone fails the run; the report is there."""
    pipeline, runner = pipeline_of(platform), Runner(site, tmp_path, platform)
    with (tmp_path / "all.tenants.yml").open("a") as inventory:
        inventory.write("  - fabrikam.example\n")
    site.world.add_tenant("fabrikam.example")
    job, environment = runner.start(pipeline)
    assert not [name for name in environment if re.search("SECRET|PASSWORD|CERTIFICATE", name)]
    code, output = runner.run(pipeline, pipeline.run, environment)
    assert (code, pipeline.kept_always) == (2, True), output
    assert len(runner.token.accepted) == 1, output
    assert "AADSTS700016" in output
    report = (tmp_path / pipeline.kept).read_text(encoding="utf-8")
    assert "fabrikam.example" in report
    assert job.tokens
    assert not any(secret in output + report for secret in (job.proof, *job.tokens))


# What is taken away, and what the job then says.
MISSING = {
    "no permission": ("github", ("id-token: write", "id-token: none"), "'permissions: id-token: write'"),
    "no task that names it": ("azure_devops", ("azureSubscription: ", "subscription: "), "no explicit reference"),
    "no access token": ("azure_devops", ("SYSTEM_ACCESSTOKEN: $", "OTHER: $"), "SYSTEM_ACCESSTOKEN"),
}


@pytest.mark.parametrize(("platform", "change", "told"), MISSING.values(), ids=MISSING)
def test_a_pipeline_says_what_it_lacks(
    site: Site, tmp_path: Path, platform: str, change: tuple[str, str], told: str
) -> None:
    """Before Entra ID is asked for anything."""
    pipeline, runner = pipeline_of(platform, change), Runner(site, tmp_path, platform)
    _job, environment = runner.start(pipeline)
    code, output = runner.run(pipeline, pipeline.run, environment)
    assert code == 2, output
    assert told in " ".join(output.split())
    assert site.requests("token") == []


def test_what_a_refused_job_prints_makes_it_green(site: Site, tmp_path: Path) -> None:
    """The guide's first command where it is red, for an app that trusts another branch."""
    pipeline, runner = pipeline_of("github"), Runner(site, tmp_path, "github")
    site.app.trusted[:] = [runner.trusted._replace(subject="repo:contoso/intune:ref:refs/heads/main")]
    _job, environment = runner.start(pipeline)
    (ask,) = re.findall(r"^ *\$ (ansible localhost .*)$", GUIDE, re.MULTILINE)
    code, output = runner.run(pipeline, ask, environment)
    assert (code, "AADSTS700213" in output) == (2, True), output
    body = json.loads(output[output.index("{") :])["federated_credential"]["body"]
    (audience,) = body["audiences"]
    site.app.trusted.append(FederatedCredential(body["issuer"], body["subject"], audience))
    code, output = runner.run(pipeline, pipeline.run, environment)
    assert code == 0, output
    assert len(runner.token.accepted) == 1


def test_a_pipeline_installs_what_it_needs(site: Site, tmp_path: Path) -> None:
    """From a clone of this checkout in GitHub's place; no package is fetched, as all that is needed is there."""
    (script,) = {pipeline_of(platform).install.replace("set -e\n", "").strip() for platform in FILES}
    repository, version = re.findall(r"git\+(\S+),(\S+)", script)[0]
    clone = tmp_path / "clone"
    git = ["git", f"--git-dir={clone}", f"--work-tree={ROOT}", "-c", "user.name=x", "-c", "user.email=x"]
    subprocess.run(["git", "init", "--quiet", "--bare", str(clone)], check=True)
    for command in (["add", "--all"], ["commit", "--quiet", "--message=x"], ["tag", version]):
        subprocess.run([*git, *command], check=True, capture_output=True)
    home = tmp_path / "home"
    home.mkdir()
    environment = {
        "HOME": str(home),
        "PIP_NO_INDEX": "1",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{clone}.insteadOf",
        "GIT_CONFIG_VALUE_0": repository,
        "ANSIBLE_HOME": str(home / ".ansible"),
        "ANSIBLE_COLLECTIONS_PATH": str(home / ".ansible" / "collections"),
    }
    code, output = Runner(site, tmp_path, "github").run(pipeline_of("github"), script, environment)
    assert code == 0, output
    there = home / ".ansible" / "collections" / "ansible_collections" / "graphops" / "intune"
    assert (there / "extensions" / "ci" / "all.tenants.yml").is_file()


@pytest.mark.parametrize("platform", FILES)
def test_a_step_that_installs_stops_where_it_fails(site: Site, tmp_path: Path, platform: str) -> None:
    """Shells differ in that, by platform; without it the step would be green, and the next one at a loss."""
    pipeline, runner = pipeline_of(platform), Runner(site, tmp_path, platform)
    folder = tmp_path / "programs"
    folder.mkdir()
    for program, body in {"python": "exit 1", "ansible-galaxy": "touch went-on"}.items():
        (folder / program).write_text(f"#!/bin/sh\n{body}\n")
        (folder / program).chmod(0o755)
    code, output = runner.run(pipeline, pipeline.install, {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"})
    assert code == 1, output
    assert not (tmp_path / "went-on").exists()
