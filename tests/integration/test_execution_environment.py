# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The images for AWX and its EDA controller, as far as they can be made without a container engine."""

from __future__ import annotations

import subprocess
import typing as t
from pathlib import Path

import pytest
import yaml

from .conftest import ROOT, clean_environment

AWX = ROOT / ".build" / "awx" / "bin"
DEFINITIONS = [
    ROOT / "extensions" / f"{what}_environment" / f"{what}-environment.yml" for what in ("execution", "decision")
]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (AWX / "ansible-builder").exists(), reason="ansible-builder is not here: make .build/awx/ready installs it"
    ),
]


def run(*command: str | Path, folder: Path) -> None:
    environment = clean_environment(folder, PATH=f"{AWX}:/usr/bin:/bin")
    done = subprocess.run(
        [str(word) for word in command], env=environment, cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def wanted_libraries(file: Path) -> list[str]:
    """The requirements in a file, without where they come from."""
    return [line.partition("#")[0].strip() for line in file.read_text(encoding="utf-8").splitlines()]


def test_the_collection_asks_for_its_libraries_and_nothing_else(installed: Path, tmp_path: Path) -> None:
    pip, bindep = tmp_path / "pip", tmp_path / "bindep"
    run(
        AWX / "ansible-builder",
        "introspect",
        f"--write-pip={pip}",
        f"--write-bindep={bindep}",
        installed,
        folder=tmp_path,
    )
    assert wanted_libraries(pip) == wanted_libraries(ROOT / "requirements.txt")
    assert not bindep.exists()


@pytest.fixture(params=DEFINITIONS, ids=lambda path: path.stem)
def definition(request: pytest.FixtureRequest) -> dict[str, t.Any]:
    loaded: dict[str, t.Any] = yaml.safe_load(request.param.read_text(encoding="utf-8"))
    return loaded


def create(folder: Path, what: dict[str, t.Any]) -> Path:
    """Make the folder that a container engine builds the image from."""
    (folder / "definition.yml").write_text(yaml.safe_dump(what), encoding="utf-8")
    command = (AWX / "ansible-builder", "create", "--file=definition.yml", "--output-filename=Containerfile")
    run(*command, folder=folder)
    return folder / "context"


def test_the_definition_is_one_that_ansible_builder_takes(definition: dict[str, t.Any], tmp_path: Path) -> None:
    context = create(tmp_path, definition)
    (asked,) = yaml.safe_load((context / "_build" / "requirements.yml").read_text(encoding="utf-8"))["collections"]
    own = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
    assert asked == {"name": own["repository"], "type": "git", "version": own["version"]}
    steps = (context / "Containerfile").read_text(encoding="utf-8")
    assert steps.index("AS galaxy") < steps.index("git-core") < steps.index("ansible-galaxy collection install")


def test_the_image_gets_this_collection_its_libraries_and_no_other(
    definition: dict[str, t.Any], installed: Path, tmp_path: Path
) -> None:
    """The steps that the image's build takes, with this checkout's package where it would fetch the collection."""
    (package,) = installed.glob("graphops-intune-*.tar.gz")
    what = definition
    what["dependencies"]["galaxy"]["collections"] = [{"name": package.name, "type": "file"}]
    what["additional_build_files"] = [{"src": str(package), "dest": "."}]
    build = create(tmp_path, what) / "_build"
    collections, pip = tmp_path / "collections", tmp_path / "pip"
    install = (AWX / "ansible-galaxy", "collection", "install", "-r", "requirements.yml", "-p", collections)
    run(*install, folder=build)
    names = {f"{path.parent.name}.{path.name}" for path in collections.glob("ansible_collections/*/*") if path.is_dir()}
    assert {name for name in names if not name.endswith(".info")} == {"graphops.intune"}
    script = build / "scripts" / "introspect.py"
    run(AWX / "python", script, "introspect", f"--write-pip={pip}", collections, folder=build)
    assert wanted_libraries(pip) == wanted_libraries(ROOT / "requirements.txt")


def test_the_decision_environment_has_what_runs_rulebooks(tmp_path: Path) -> None:
    context = create(tmp_path, yaml.safe_load(DEFINITIONS[1].read_text(encoding="utf-8")))
    (own,) = wanted_libraries(context / "_build" / "requirements.txt")
    assert own.startswith("ansible-rulebook")
    # Of bindep's profile, as the image is made by dnf.
    assert (context / "_build" / "bindep.txt").read_text(encoding="utf-8").split() == [
        "java-17-openjdk-headless",
        "[platform:rpm]",
    ]
    assert "ENV JAVA_HOME=/usr/lib/jvm/jre-17" in (context / "Containerfile").read_text(encoding="utf-8")
