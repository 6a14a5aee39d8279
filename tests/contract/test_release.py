# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is released, and the tools that let it pass or not."""

from __future__ import annotations

import importlib.metadata
import re
import typing as t
from pathlib import Path

import audit
import links
import pytest
import release
import yaml
from ansible_collections.graphops.intune.plugins.module_utils._identity.identity import IDENTITY_VARIABLES
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
VERSION = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]
PIPELINES = sorted((ROOT / "extensions" / "ci").glob("*/*.yml"))
ROLES = [path.name for path in sorted((ROOT / "roles").iterdir())]


def test_the_package_carries_what_users_need_and_no_more(tmp_path: Path) -> None:
    # What git has or would add: a file is tested before it is committed.
    listing = release.git("ls-files", "--cached", "--others", "--exclude-standard").splitlines()
    there = [name for name in listing if (ROOT / name).exists()]
    assert not release.differences(release.contents(release.build(ROOT, tmp_path)), there)


def test_a_fragment_that_the_changelog_does_not_have_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "changelogs"
    (folder / "fragments").mkdir(parents=True)
    (folder / "fragments" / "old.yml").touch()
    (folder / "changelog.yaml").write_text("releases: {1.0.0: {fragments: [old.yml]}}", encoding="utf-8")
    assert release.left_over(tmp_path) == []
    (folder / "fragments" / "new.yml").touch()
    assert release.left_over(tmp_path) == ["changelogs/fragments/new.yml is not in the changelog: run make changelog."]


def test_a_file_too_many_or_too_few_in_the_package_is_told() -> None:
    repository = release.git("ls-files").splitlines()
    packed = {line.removesuffix(" is not in the package.") for line in release.differences(set(), repository)}
    assert "plugins/modules/intune_exchange_connector_sync.py" in packed
    assert "tests/tools/release.py" not in packed
    assert release.differences(packed, repository) == []
    assert release.differences(packed | {"secrets.yml"}, repository) == [
        "secrets.yml is in the package, and should not be."
    ]
    assert release.differences(packed - {"LICENSE"}, repository) == ["LICENSE is not in the package."]
    without = [name for name in repository if name != "LICENSE"]
    assert "LICENSE in tests/tools/package.txt matches no file." in release.differences(packed, without)


@pytest.mark.parametrize("line", ["WARNING: No changelog found.", "ERROR: Error running ansible-doc"])
def test_what_galaxy_complains_of_is_told(line: str) -> None:
    assert release.complaints(f"Loading role\n{release.DONE}\n") == []
    assert release.complaints(f"Loading role\n{line}\n{release.DONE}\n") == [f"galaxy-importer: {line}"]


def test_an_import_that_broke_off_is_told() -> None:
    assert release.complaints("Loading role\nNo such file\n")[-1] == "No such file"


GOOD = {"name": "requests", "version": "9.9", "vulns": []}
BAD = {"name": "msal", "version": "1.0", "vulns": [{"id": "PYSEC-0000-1", "fix_versions": ["1.1"]}]}
SKIPPED = {"name": "idna", "skip_reason": "Dependency not found on PyPI and could not be audited: idna (3.20)"}


@pytest.mark.parametrize(
    ("packages", "status", "line"),
    [
        ([GOOD], 0, "1 packages were audited, 0 vulnerabilities are known."),
        ([GOOD, BAD], 1, "msal 1.0: PYSEC-0000-1, mended in 1.1"),
        ([GOOD, SKIPPED], 1, "Not audited, as PyPI gave no answer about them: idna."),
        ([SKIPPED], 1, "Not audited, as PyPI gave no answer about them: idna."),
        ([], 1, "There was nothing to audit."),
    ],
)
def test_only_a_whole_audit_that_finds_nothing_passes(packages: list[t.Any], status: int, line: str) -> None:
    lines, found = audit.verdict({"dependencies": packages})
    assert found == status
    assert line in lines


@pytest.mark.parametrize(
    ("link", "leads"),
    [
        ("other.html", True),
        ("other.html#there", True),
        ("#here", True),
        ("https://example.org/whatever", True),
        ("https://github.com/graphops/graphops.intune/blob/main/README.md", True),
        ("missing.html", False),
        ("other.html#here", False),
        ("#there", False),
        ("https://github.com/graphops/graphops.intune/blob/main/MISSING.md", False),
    ],
)
def test_links_that_lead_nowhere_are_told(tmp_path: Path, link: str, leads: bool) -> None:
    (tmp_path / "page.html").write_text(f'<h1 id="here"><a href="{link}">x</a></h1>', encoding="utf-8")
    (tmp_path / "other.html").write_text('<h1 id="there">x</h1>', encoding="utf-8")
    assert links.broken(tmp_path) == ([] if leads else [f"page.html: {link} leads nowhere."])


def test_no_pages_are_no_success(tmp_path: Path) -> None:
    assert links.broken(tmp_path)


def runtime_licences() -> dict[str, str]:
    """The licence that each package names which requirements.txt brings, to the oldest Python or to this one."""
    found: dict[str, str] = {}
    wanted = [Requirement(line).name for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").split()]
    while wanted:
        name = canonicalize_name(wanted.pop())
        if name in found:
            continue
        distribution = importlib.metadata.distribution(name)
        found[name] = distribution.metadata["License-Expression"] or distribution.metadata["License"]
        pythons = [{"extra": ""}, {"extra": "", "python_version": "3.9", "python_full_version": "3.9.0"}]
        wanted += [
            need.name
            for need in map(Requirement, distribution.requires or [])
            if not need.marker or any(need.marker.evaluate(python) for python in pythons)
        ]
    return found


def test_the_licences_of_the_libraries_are_listed() -> None:
    text = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| ([a-z0-9-]+) \| ([A-Z][^|]*) \|", text, re.MULTILINE))
    assert listed == runtime_licences()


@pytest.mark.parametrize("role", ROLES)
def test_galaxy_shows_what_the_documentation_of_a_role_says(role: str) -> None:
    meta = yaml.safe_load((ROOT / "roles" / role / "meta" / "main.yml").read_text(encoding="utf-8"))["galaxy_info"]
    specs = yaml.safe_load((ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    assert meta["description"] == specs["argument_specs"]["main"]["short_description"]
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    assert runtime["requires_ansible"] == f">={meta['min_ansible_version']}.0"


def test_what_users_copy_fetches_this_release_and_no_branch() -> None:
    for path in (
        ROOT / "extensions" / "awx_project" / "collections" / "requirements.yml",
        ROOT / "extensions" / "execution_environment" / "execution-environment.yml",
        ROOT / "extensions" / "decision_environment" / "decision-environment.yml",
    ):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        required = content.get("collections") or content["dependencies"]["galaxy"]["collections"]
        assert required == [{"name": "https://github.com/graphops/graphops.intune", "type": "git", "version": VERSION}]
    for platform in PIPELINES:
        text = platform.read_text(encoding="utf-8")
        assert re.findall(r"collection install (\S+)", text) == [
            f"git+https://github.com/graphops/graphops.intune,{VERSION}"
        ]
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert "Tag the commit with the version," in contributing


def test_nothing_was_added_in_a_version_without_a_changelog() -> None:
    changelog = yaml.safe_load((ROOT / "changelogs" / "changelog.yaml").read_text(encoding="utf-8"))
    written = [
        *(ROOT / "plugins").rglob("*.py"),
        *(ROOT / "roles").glob("*/meta/argument_specs.yml"),
    ]
    found = {
        version
        for path in written
        for version in re.findall(r"^\s*version_added: (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert found
    assert found <= set(changelog["releases"])
    assert VERSION in changelog["releases"]


def test_ci_runs_targets_that_exist_and_knows_no_secret() -> None:
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    workflow = yaml.safe_load(text)
    runs = [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z-]+):", makefile, re.MULTILINE)
    for run in runs:
        command, *arguments = run.split()
        assert (command == "make" and set(arguments) <= set(targets)) or (ROOT / command).is_file(), run
    assert workflow["permissions"] == {"contents": "read"}
    assert "secrets." not in text
    for action in re.findall(r"uses: (\S+)", text):
        assert re.search(r"@v\d+$", action), action


def test_a_pipeline_that_users_copy_has_no_secret_and_asks_for_no_more_than_it_needs() -> None:
    """Each is what its platform calls it, and only what must be a variable of the environment is one."""
    github, azure, gitlab = (
        yaml.safe_load((ROOT / "extensions" / "ci" / path).read_text(encoding="utf-8"))
        for path in ("github_actions/intune.yml", "azure_devops/azure-pipelines.yml", "gitlab/gitlab-ci.yml")
    )
    (job,) = github["jobs"].values()
    assert (github["permissions"], job["permissions"]) == ({}, {"contents": "read", "id-token": "write"})
    assert set(github["on"]) == {"schedule", "workflow_dispatch"}, "never for who sends a pull request"
    (stage,) = azure["stages"]
    (named,) = [step for step in stage["jobs"][0]["steps"] if step.get("task") == "AzureCLI@2"]
    assert (named["condition"], "azureSubscription" in named["inputs"]) == (False, True)
    assert (azure["trigger"], azure["pr"]) == ("none", "none")
    assert set(gitlab["synchronise"]["id_tokens"]) <= set(IDENTITY_VARIABLES["oidc_token"])
    for path in PIPELINES:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"secrets\.|secret\b.*:|password", text.lower()), path
        assert "tenant_sync_auth_source=oidc" in text
        for action in re.findall(r"uses: (\S+)", text):
            assert re.search(r"@v\d+$", action), action
