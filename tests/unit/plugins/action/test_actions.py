# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each module has an action of its name, with the same flow and the same argument spec."""

from __future__ import annotations

import importlib
import typing as t
from pathlib import Path

import pytest

PLUGINS = Path(__file__).resolve().parents[4] / "plugins"
PACKAGE = "ansible_collections.graphops.intune.plugins"
NAMES = sorted(path.stem for path in (PLUGINS / "modules").glob("intune_*.py"))


def test_every_module_has_an_action() -> None:
    assert sorted(path.stem for path in (PLUGINS / "action").glob("intune_*.py")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_action_and_module_do_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module(f"{PACKAGE}.modules.{name}")
    action = importlib.import_module(f"{PACKAGE}.action.{name}").ActionModule
    seen: dict[str, t.Any] = {}
    monkeypatch.setattr(module, "Module", lambda **settings: settings)
    monkeypatch.setattr(module.shell, "run", lambda settings, command: seen.update(settings, command=command))
    module.main()
    command = seen.pop("command")
    assert (type(command), vars(command)) == (type(action.command), vars(action.command))
    assert seen == {"argument_spec": action.command.argument_spec(), "supports_check_mode": True}
