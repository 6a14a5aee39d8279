# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The engine has floors, and whatever is imported lies below: see CONTRIBUTING.md."""

from __future__ import annotations

import ast
import typing as t
from pathlib import Path

import pytest

ENGINE = Path(__file__).resolve().parents[2] / "plugins" / "module_utils"
# From the ground up; those on one floor know nothing of each other.
FLOORS = (("_ground",), ("_http", "_report"), ("_identity", "_graph"), ("_kinds",), ("_sync",), ("",))
FLOOR = {package: number for number, packages in enumerate(FLOORS) for package in packages}
FILES = sorted(ENGINE.rglob("*.py"))
PACKAGE = "ansible_collections.graphops.intune.plugins.module_utils"


def package_of(path: Path) -> str:
    return path.parent.relative_to(ENGINE).as_posix().replace(".", "")


def imported_packages(path: Path) -> t.Iterator[str]:
    """The packages of the engine that a file imports from, its own left out."""
    own = path.parent.relative_to(ENGINE).parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = own[: len(own) - (node.level - 1)]
            target = [*base, *(node.module or "").split(".")]
            package = target[0] or node.names[0].name
            if package != "/".join(own):
                yield package if package.startswith("_") else ""


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ENGINE).as_posix())
def test_imports_lead_down(path: Path) -> None:
    floor = FLOOR[package_of(path)]
    for package in imported_packages(path):
        assert FLOOR[package] < floor, f"{path.name} imports from {package or 'above'}"


def test_packages_have_no_init() -> None:
    """Ansible needs none, and ansible-test of 2.15 refuses one with content."""
    assert not list(ENGINE.rglob("__init__.py"))


def test_the_engine_knows_no_playbooks() -> None:
    for path in FILES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level}
        names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        of_ansible = {name for name in names if name.split(".")[0] in ("ansible", "ansible_collections")}
        assert of_ansible <= {"ansible.module_utils.secrets"}, path
        assert not of_ansible or path.name == "shell.py", path


def test_one_file_makes_requests_and_one_knows_msal() -> None:
    def importers(library: str) -> set[str]:
        found = set()
        for path in FILES:
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom) and not node.level:
                    names = [node.module or ""]
                if library in {name.split(".")[0] for name in names}:
                    found.add(path.relative_to(ENGINE).as_posix())
        return found

    assert importers("requests") == importers("urllib3") == {"_http/connections.py"}
    assert len(importers("msal")) == 1
