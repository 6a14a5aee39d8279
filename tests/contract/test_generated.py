# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What follows from the kinds is made from them, and is not stale."""

from __future__ import annotations

import generate
import pytest
from ansible_collections.graphops.intune.plugins.module_utils._kinds import registry

FILES = generate.generated()
# What is about every kind, and carries them all.
ABOUT_ALL = (generate.OVERVIEW, generate.SIGN_IN, "tenant_role", "watch")


@pytest.mark.parametrize("name", FILES)
def test_nothing_is_stale(name: str) -> None:
    path = generate.ROOT / name
    assert path.exists(), "run make generate"
    assert path.read_text(encoding="utf-8") == FILES[name], "run make generate"


def test_nothing_about_one_kind_imports_the_registry() -> None:
    """A module that is sent would carry every kind."""
    for path in (generate.ROOT / "plugins").rglob("*.py"):
        if path.stem in ABOUT_ALL:
            continue
        names = [line for line in path.read_text(encoding="utf-8").splitlines() if "import" in line]
        assert not [line for line in names if "registry" in line], path


def test_every_kind_that_can_be_synchronised_has_a_module() -> None:
    synced = {one.kind.name for one in generate.modules() if one.command == "sync"}
    assert synced == {kind.name for kind in registry.KINDS if kind.action}


def test_a_kind_is_called_as_its_file() -> None:
    assert {name: kind.name for name, kind in generate.kinds().items()} == {
        kind.name: kind.name for kind in registry.KINDS
    }
