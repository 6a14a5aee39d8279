# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's options are those of the module, and nothing else has to be learnt."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import yaml
from ansible_collections.graphops.intune.plugins.module_utils._kinds import exchange_connector
from ansible_collections.graphops.intune.plugins.module_utils._sync import options

from .test_documentation import documented_options

ROLE = Path(__file__).resolve().parents[2] / "roles" / "exchange_connector_sync"
PREFIX = "exchange_connector_sync_"
OWN = {"max_failures", "report_path"}


def specs() -> dict[str, dict[str, t.Any]]:
    text = (ROLE / "meta" / "argument_specs.yml").read_text(encoding="utf-8")
    found: dict[str, dict[str, t.Any]] = yaml.safe_load(text)["argument_specs"]["main"]["options"]
    return found


def test_every_option_of_the_module_is_one_of_the_role() -> None:
    names = ("type", "default", "choices", "elements", "no_log")

    def facts(option: dict[str, t.Any]) -> dict[str, t.Any]:
        # no_log: false says the same as none. Ansible checks the role's choices before anyone leaves an empty one out.
        found = {key: option[key] for key in names if key in option and (key, option[key]) != ("no_log", False)}
        return {**found, "choices": [c for c in found["choices"] if c]} if "choices" in found else found

    wanted = {
        PREFIX + name: facts(option)
        for name, option in {**options.host_spec(exchange_connector.KIND), **options.fleet_spec()}.items()
    }
    assert {name: facts(option) for name, option in specs().items()} == wanted


def test_options_mean_the_same() -> None:
    """The texts are the module's, but for the names in them."""
    of_module = documented_options("intune_exchange_connector_sync")
    for name, option in specs().items():
        short = name.removeprefix(PREFIX)
        if short in OWN:
            continue
        lines = [plain(line) for line in of_module[short]["description"] if "Exactly one of" not in line]
        assert [plain(line) for line in option["description"]] == lines, name


def plain(text: str) -> str:
    without_marks = re.sub(r"\b(?:O|RV|C)\((?:ignore:)?([^)]*)\)", r"\1", text)
    return " ".join(without_marks.replace(PREFIX, "").split())


def test_the_defaults_of_the_role_are_its_own_only() -> None:
    defaults = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text(encoding="utf-8"))
    own = {PREFIX + name: option["default"] for name, option in options.fleet_spec().items() if "default" in option}
    assert defaults == own
