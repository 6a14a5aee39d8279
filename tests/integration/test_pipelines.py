# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pipelines in extensions/ci run: their steps, as the platform's runner would run them, against the simulator."""

from __future__ import annotations

import os
import re
import subprocess
import typing as t
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from .conftest import ROOT, Site, clean_environment

FOLDER = ROOT / "extensions" / "ci"
CLIENT_ID = "6a1e0c1c-0d6f-4c8a-9d0a-3f5b1f2c7a10"


class Pipeline(t.NamedTuple):
    """What a runner makes of a pipeline.

    :param shell: how it runs a step's script.
    :param install: the script that installs.
    :param run: the script that synchronises.
    :param environment: what that script is given by the file, before the platform's own values.
    :param kept: the file that is kept after a success.
    :param kept_always: whether it is kept after a failure, too.
    """

    shell: tuple[str, ...]
    install: str
    run: str
    environment: dict[str, str]
    kept: str
    kept_always: bool


def read(name: str) -> t.Any:
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


def github() -> Pipeline:
    (job,) = read("github_actions/intune.yml")["jobs"].values()
    _checkout, _python, install, run, keep = job["steps"]
    kept = keep["with"]["path"]
    return Pipeline(("bash", "-e"), install["run"], run["run"], run["env"], kept, keep["if"] == "always()")


def azure_devops() -> Pipeline:
    pipeline = read("azure_devops/azure-pipelines.yml")
    (job,) = pipeline["stages"][0]["jobs"]
    *_first, install, run, keep = job["steps"]
    # Its variables are in the environment of every script.
    given = {**pipeline["variables"], **run["env"]}
    # It does not stop at the first command that fails.
    shell = ("bash", "--noprofile", "--norc")
    return Pipeline(shell, install["script"], run["script"], given, keep["publish"], keep["condition"] == "always()")


def gitlab() -> Pipeline:
    job = read("gitlab/gitlab-ci.yml")["synchronise"]
    install, run = ("\n".join(job[part]) for part in ("before_script", "script"))
    (kept,) = job["artifacts"]["paths"]
    return Pipeline(
        ("bash", "-eo", "pipefail"), install, run, job["variables"], kept, job["artifacts"]["when"] == "always"
    )


PIPELINES = {"github": github, "azure_devops": azure_devops, "gitlab": gitlab}


class Runner:
    """A runner's machine: a checkout with the inventory in it, and what the platform puts into the environment."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.site = site
        self.folder = folder
        site.app = site.tenant.add_app(CLIENT_ID, federated=["an-assertion"])
        self.token = site.tenant.add_vpp_token(last_sync=timedelta(days=2))
        (folder / "all.tenants.yml").write_text((FOLDER / "all.tenants.yml").read_text(encoding="utf-8"))

    def given(self, platform: str, pipeline: Pipeline) -> dict[str, str]:
        """The environment of the step that synchronises."""
        hosts = {**self.site.hosts, "REQUESTS_CA_BUNDLE": self.site.simulator.ca_path}
        if platform == "gitlab":
            (name,) = read("gitlab/gitlab-ci.yml")["synchronise"]["id_tokens"]
            hosts[name] = "an-assertion"
        return {**pipeline.environment, **hosts}

    def run(self, pipeline: Pipeline, script: str, environment: t.Mapping[str, str]) -> tuple[int, str]:
        """Run the script of a step, and return its exit code and output."""
        step = self.folder / "step.sh"
        step.write_text(script)
        done = subprocess.run(
            [*pipeline.shell, str(step)],
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


@pytest.mark.parametrize("platform", ["gitlab"])
def test_a_pipeline_synchronises_without_a_secret_and_keeps_its_report(
    site: Site, tmp_path: Path, platform: str
) -> None:
    """Once all is well, and once more with a tenant that has not consented, which fails the run alone."""
    pipeline, runner = PIPELINES[platform](), Runner(site, tmp_path)
    environment = runner.given(platform, pipeline)
    assert not [name for name in environment if re.search("SECRET|PASSWORD|CERTIFICATE", name)]
    code, output = runner.run(pipeline, pipeline.run, environment)
    assert code == 0, output
    assert len(runner.token.accepted) == 1
    assert "an-assertion" not in output
    report = tmp_path / pipeline.kept
    assert "contoso.example" in report.read_text(encoding="utf-8")
    report.unlink()

    with (tmp_path / "all.tenants.yml").open("a") as inventory:
        inventory.write("  - fabrikam.example\n")
    site.world.add_tenant("fabrikam.example")
    code, output = runner.run(pipeline, pipeline.run, environment)
    assert (code, pipeline.kept_always) == (2, True), output
    assert "fabrikam.example" in report.read_text(encoding="utf-8")


def test_a_pipeline_installs_what_it_needs(site: Site, tmp_path: Path) -> None:
    """From a clone of this checkout in GitHub's place; no package is fetched, as all that is needed is there."""
    (script,) = {pipeline().install.replace("set -e\n", "").strip() for pipeline in PIPELINES.values()}
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
    runner = Runner(site, tmp_path)
    code, output = runner.run(github(), script, environment)
    assert code == 0, output
    there = home / ".ansible" / "collections" / "ansible_collections" / "graphops" / "intune"
    assert (there / "extensions" / "ci" / "all.tenants.yml").is_file()


@pytest.mark.parametrize("platform", PIPELINES)
def test_a_step_that_installs_stops_where_it_fails(site: Site, tmp_path: Path, platform: str) -> None:
    """Shells differ in that, by platform; without it the step would be green, and the next one at a loss."""
    pipeline, runner = PIPELINES[platform](), Runner(site, tmp_path)
    folder = tmp_path / "programs"
    folder.mkdir()
    for program, body in {"python": "exit 1", "ansible-galaxy": "touch went-on"}.items():
        (folder / program).write_text(f"#!/bin/sh\n{body}\n")
        (folder / program).chmod(0o755)
    code, output = runner.run(pipeline, pipeline.install, {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"})
    assert code == 1, output
    assert not (tmp_path / "went-on").exists()
