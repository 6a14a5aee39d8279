# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What REVIEW_CHECKLIST.md names is there, and what a reviewer asks that no other test looks at is so."""

from __future__ import annotations

import functools
import importlib
import re
import typing as t
from pathlib import Path

import matrix
import pytest
import release
import yaml

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CHECKLIST = (ROOT / "REVIEW_CHECKLIST.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (?!asked|---)(.+) \| (.+) \|$", CHECKLIST, re.MULTILINE)
# In two parts, or it would be taken for a header itself.
HEADER = "SPDX-License-" + "Identifier: GPL-3.0-or-later\n"
INFO = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*_info.py"))
# Ansible looks for plugins in these, and for what they share.
KNOWN_FOLDERS = {"action", "doc_fragments", "inventory", "module_utils", "modules", "plugin_utils"}


@functools.cache
def repository() -> list[Path]:
    """What git has or would add."""
    listing = release.git("ls-files", "--cached", "--others", "--exclude-standard").splitlines()
    return [ROOT / name for name in listing if (ROOT / name).is_file()]


def load(path: str) -> t.Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def test_the_checklist_names_what_is_there() -> None:
    """A check that is named exists, and each row has one or says that nothing can check it."""
    tests: set[str] = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        tests.update(re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert len(ROWS) > 25
    for asked, checked in ROWS:
        names = re.findall(r"`([^`]+)`", checked)
        for name in names:
            if name.startswith("make "):
                assert name.removeprefix("make ") in targets, name
            elif re.fullmatch(r"test_\w+", name):
                assert name in tests, name
            else:
                assert name == "reuse lint" or (ROOT / name).exists(), name
        assert names or "by hand" in checked, asked


def test_every_file_has_a_licence() -> None:
    """The header, or a line of REUSE.toml for what can have none; and the text of the licence is there."""
    annotations = (ROOT / "REUSE.toml").read_text(encoding="utf-8")
    assert 'path = "**"' in annotations
    assert f'{HEADER.partition(":")[0]} = "GPL-3.0-or-later"' in annotations
    text = (ROOT / "LICENSES" / "GPL-3.0-or-later.txt").read_text(encoding="utf-8")
    assert text == (ROOT / "LICENSE").read_text(encoding="utf-8")
    for path in repository():
        made = path.name == "CHANGELOG.rst" or path.parent.name in {"changelogs", "fragments"}
        if path.suffix in {".py", ".rst", ".toml", ".yaml", ".yml"} and not made:
            start = path.read_text(encoding="utf-8")[:400]
            assert HEADER in start or not start, path


def test_nothing_is_large_or_binary() -> None:
    """Galaxy takes 20 MB, and a reviewer reads texts."""
    for path in repository():
        content = path.read_bytes()
        assert len(content) < 400_000, path
        assert b"\0" not in content, path


def test_the_readme_leads_to_the_code_of_conduct() -> None:
    """Required of the README, or of a file of that name; here both."""
    assert "/CODE_OF_CONDUCT.md)" in README
    assert "community/code_of_conduct.html" in (ROOT / "CODE_OF_CONDUCT.md").read_text(encoding="utf-8")


def test_contributing_says_what_is_welcome() -> None:
    """And that nobody signs anything, and where vulnerabilities go."""
    start = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("\n## ")[0]
    for said in ("Reports of bugs", "pull requests", "No agreement is to be\nsigned", "(SECURITY.md)", "/issues)"):
        assert said in start, said


@pytest.mark.parametrize(
    "found",
    [
        "| needed | versions |",
        "## Install",
        "## Many tenants",
        "`make test`",
        "there is no paid support",
        "[CHANGELOG.rst](CHANGELOG.rst)",
        "[LICENSE](LICENSE)",
    ],
)
def test_the_readme_has_what_certification_asks_for(found: str) -> None:
    """Requirements, installation, use cases, testing, support, release notes and licence, in this order."""
    assert found in README


def test_users_are_told_what_versions_mean() -> None:
    """On a page that the README leads to."""
    assert "(docs/docsite/rst/upgrading.rst)" in README
    page = (ROOT / "docs" / "docsite" / "rst" / "upgrading.rst").read_text(encoding="utf-8")
    for said in ("semantic versioning", "deprecated", "next major version"):
        assert said in page, said


def test_the_versions_that_are_told_are_those_that_are_tried() -> None:
    """Of ansible-core by the matrix, of Python by CI."""
    cores = [core for core in matrix.CORES if core != matrix.NEXT]
    steps = load(".github/workflows/ci.yml")["jobs"]["test"]["steps"]
    pythons = next(step["with"]["python-version"] for step in steps if "python-version" in step.get("with", {})).split()
    pythons.sort(key=lambda version: int(version.partition(".")[2]))
    told = f"ansible-core {cores[0]} to {cores[-1]} and Python {pythons[0]} to {pythons[-1]}"
    assert told in README.replace("\n", " ")


def test_requires_ansible_has_no_upper_end() -> None:
    """It would keep the collection from the ansible-core that is being developed."""
    assert re.fullmatch(r">=2\.\d+\.0", load("meta/runtime.yml")["requires_ansible"])


def test_there_are_no_dependencies() -> None:
    """Those that there are would have to be in the community package themselves; and tags are required."""
    galaxy = load("galaxy.yml")
    assert galaxy["dependencies"] == {}
    assert galaxy["tags"]
    assert galaxy["issues"].startswith("https://")
    assert galaxy["repository"].startswith("https://")


def test_plugins_has_known_folders_and_python_only() -> None:
    """Ansible may give other folders a meaning of its own."""
    for path in repository():
        below = path.relative_to(ROOT).parts
        if below[0] == "plugins":
            assert below[1] in KNOWN_FOLDERS, path
            assert path.suffix == ".py", path


def test_nothing_needs_files_from_elsewhere() -> None:
    """A collection works if all else was deleted, so no code looks for a file beside its own."""
    for folder in ("plugins", "roles", "playbooks"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in {".py", ".yml"}:
                assert not re.search(r"__file__|\.\./|role_path", path.read_text(encoding="utf-8")), path


@pytest.mark.parametrize("name", INFO)
def test_an_info_module_changes_nothing(name: str) -> None:
    """It knows check mode, and returns no facts."""
    module = importlib.import_module(f"ansible_collections.graphops.intune.plugins.modules.{name}")
    document = yaml.safe_load(module.DOCUMENTATION)
    assert "graphops.intune.attributes.info_module" in document["extends_documentation_fragment"] or (
        document["attributes"]["check_mode"]["support"] == "full"
    )
    assert "ansible_facts" not in yaml.safe_load(module.RETURN)


def test_what_is_private_says_so() -> None:
    """Who imports it is told that it may change."""
    for folder in ("module_utils", "plugin_utils"):
        for path in (ROOT / "plugins" / folder).rglob("*.py"):
            start = path.read_text(encoding="utf-8")[:500]
            assert f"# This {folder} is private to graphops.intune; it can change in any release." in start, path


def test_names_are_whole() -> None:
    """A short name may be another module where an example is copied to. Roles and playbooks are ansible-lint's."""
    for path in (ROOT / "plugins" / "modules").glob("*.py"):
        module = importlib.import_module(f"ansible_collections.graphops.intune.plugins.modules.{path.stem}")
        for document in yaml.safe_load_all(module.EXAMPLES):
            for task in (task for entry in document for task in entry.get("tasks", [entry])):
                assert any(re.fullmatch(r"(?:\w+\.){2}\w+", key) for key in task), task


def test_nothing_is_ignored() -> None:
    """Of ansible-test; an entry would need a reason, and some are forbidden."""
    assert not list((ROOT / "tests").glob("sanity/ignore*"))


def test_ci_runs_when_it_should() -> None:
    """For each pull request and each week at least, or nobody learns what a new ansible-core breaks."""
    workflow = load(".github/workflows/ci.yml")
    assert "pull_request" in workflow["on"]
    assert len(workflow["on"]["schedule"][0]["cron"].split()) == 5
