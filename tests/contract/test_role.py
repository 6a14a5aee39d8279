# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The roles' options are those of the modules, and nothing else has to be learnt."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.graphops.intune.plugins.module_utils._http import connection
from ansible_collections.graphops.intune.plugins.module_utils._identity import identity
from ansible_collections.graphops.intune.plugins.module_utils._kinds import exchange_connector
from ansible_collections.graphops.intune.plugins.module_utils._kinds.registry import KINDS
from ansible_collections.graphops.intune.plugins.module_utils._sync import options

from .test_documentation import documented_options

ROLES = Path(__file__).resolve().parents[2] / "roles"
CONNECTORS, TENANTS = "exchange_connector_sync", "tenant_sync"
# What a host of each may say.
HOST_SPECS = {CONNECTORS: options.host_spec(exchange_connector.KIND), TENANTS: options.tenant_spec(KINDS)}
# What means the same as in the module. For the rest of what a tenant says, the module has another text, or none.
SHARED = {
    CONNECTORS: {*HOST_SPECS[CONNECTORS]},
    TENANTS: {*identity.identity_spec(), *connection.connection_spec()},
}

each_role = pytest.mark.parametrize("role", HOST_SPECS)


def specs(role: str) -> dict[str, dict[str, t.Any]]:
    text = (ROLES / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8")
    found: dict[str, dict[str, t.Any]] = yaml.safe_load(text)["argument_specs"]["main"]["options"]
    return {name.removeprefix(f"{role}_"): option for name, option in found.items()}


@each_role
def test_every_option_that_a_host_may_give_is_one_of_the_role(role: str) -> None:
    names = ("type", "default", "choices", "elements", "no_log")

    def facts(option: dict[str, t.Any]) -> dict[str, t.Any]:
        # no_log: false says the same as none. Ansible checks the role's choices before anyone leaves an empty one out.
        found = {key: option[key] for key in names if key in option and (key, option[key]) != ("no_log", False)}
        return {**found, "choices": [c for c in found["choices"] if c]} if "choices" in found else found

    wanted = {name: facts(option) for name, option in {**HOST_SPECS[role], **options.fleet_spec()}.items()}
    assert {name: facts(option) for name, option in specs(role).items()} == wanted


@each_role
def test_options_mean_the_same(role: str) -> None:
    """The texts are the module's, but for the names in them."""
    of_module = documented_options("intune_exchange_connector_sync")
    of_role = specs(role)
    for name in SHARED[role]:
        lines = [plain(line, role) for line in of_module[name]["description"] if "Exactly one of" not in line]
        assert [plain(line, role) for line in of_role[name]["description"]] == lines, name


def plain(text: str, role: str) -> str:
    without_marks = re.sub(r"\b(?:O|RV|C)\((?:ignore:)?([^)]*)\)", r"\1", text)
    return " ".join(without_marks.replace(f"{role}_", "").split())


@each_role
def test_the_defaults_of_the_role_are_its_own_only(role: str) -> None:
    defaults = yaml.safe_load((ROLES / role / "defaults" / "main.yml").read_text(encoding="utf-8"))
    own = {f"{role}_{name}": option["default"] for name, option in options.fleet_spec().items() if "default" in option}
    assert defaults == own


def test_the_age_of_each_kind_of_a_tenant_is_told() -> None:
    """Its text is written, as the kinds have no text of their own."""
    text = " ".join(specs(TENANTS)["max_age"]["description"])
    told = {kind: int(age) for age, kind in re.findall(r"(\d+) for V\((\w+)\)", text)}
    params = {name: option.get("default") for name, option in HOST_SPECS[TENANTS].items()}
    assert told == {kind.name: one.max_age for kind, one in options.read_tenant_options(KINDS, params)}
