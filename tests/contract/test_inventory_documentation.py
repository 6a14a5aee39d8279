# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the inventory plugins say and what they do are the same, and their options are the modules' own."""

from __future__ import annotations

import importlib
import re
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.graphops.intune.plugins.inventory import exchange_connectors, tenants
from ansible_collections.graphops.intune.plugins.module_utils._ground import clouds
from ansible_collections.graphops.intune.plugins.module_utils._http import connection
from ansible_collections.graphops.intune.plugins.module_utils._identity import identity
from ansible_collections.graphops.intune.plugins.module_utils._kinds import exchange_connector
from ansible_collections.graphops.intune.plugins.module_utils._sync import options

PLUGINS = [exchange_connectors, tenants]
# What each became a part of the collection with.
COMPANIONS = {exchange_connectors: "intune_exchange_connector_info", tenants: "intune_connectors_and_tokens_info"}
FACTS = ("type", "default", "choices", "elements", "required", "aliases")


@pytest.fixture(params=PLUGINS, ids=lambda module: module.__name__.rpartition(".")[2])
def plugin(request: pytest.FixtureRequest) -> t.Any:
    return request.param


@pytest.fixture
def documented(plugin: t.Any) -> dict[str, t.Any]:
    """Every option, those of the fragments included."""
    document = yaml.safe_load(plugin.DOCUMENTATION)
    found: dict[str, t.Any] = dict(document["options"])
    for name in document["extends_documentation_fragment"]:
        collection, _dot, fragment = name.rpartition(".")
        package = f"ansible_collections.{collection}.plugins" if collection != "ansible.builtin" else "ansible.plugins"
        module = importlib.import_module(f"{package}.doc_fragments.{fragment}")
        shared = yaml.safe_load(module.ModuleDocFragment.DOCUMENTATION)["options"]
        assert not set(shared) & set(found), "documented twice"
        found |= shared
    return found


def facts(option: dict[str, t.Any]) -> dict[str, t.Any]:
    return {name: option[name] for name in FACTS if name in option}


def test_every_plugin_is_looked_at() -> None:
    files = (Path(__file__).resolve().parents[2] / "plugins" / "inventory").glob("*.py")
    assert {path.stem for path in files} == {module.__name__.rpartition(".")[2] for module in PLUGINS}


def test_the_options_are_those_of_the_modules(plugin: t.Any, documented: dict[str, t.Any]) -> None:
    spec = plugin.spec()
    assert {name: facts(documented[name]) for name in spec} == {name: facts(option) for name, option in spec.items()}
    for name in (*identity.identity_spec(), *connection.connection_spec()):
        assert name in spec


@pytest.mark.parametrize("plugin", [exchange_connectors], indirect=True)
def test_the_filters_are_those_of_the_module(documented: dict[str, t.Any]) -> None:
    assert facts(documented["status"]) == facts(options.info_spec(exchange_connector.KIND)["status"])


def test_no_option_of_the_engine_is_filled_by_ansible(plugin: t.Any, documented: dict[str, t.Any]) -> None:
    """The engine must be able to tell an option from a variable."""
    for name in plugin.spec():
        assert not {"env", "ini", "vars"} & set(documented[name]), name


def test_ansible_s_own_options_are_there(documented: dict[str, t.Any]) -> None:
    for name in ("compose", "groups", "keyed_groups", "strict", "use_extra_vars", "cache", "cache_plugin"):
        assert name in documented


def test_the_options_of_every_example_exist(plugin: t.Any, documented: dict[str, t.Any]) -> None:
    examples = list(yaml.safe_load_all(plugin.EXAMPLES))
    assert len(examples) >= 4
    known = {name for option, about in documented.items() for name in (option, *about.get("aliases", ()))}
    for example in examples:
        assert example["plugin"] == plugin.InventoryModule.NAME
        assert set(example) <= known
        for name, value in example.items():
            choices = documented.get(name, {}).get("choices")
            if choices:
                assert set(value if isinstance(value, list) else [value]) <= set(choices), name


def test_every_environment_variable_that_is_named_is_read(plugin: t.Any) -> None:
    read = {
        variable
        for variables in (*identity.IDENTITY_VARIABLES.values(), *clouds.CLOUD_VARIABLES.values())
        for variable in variables
    }
    named = set(re.findall(r"E\((\w+)\)", plugin.DOCUMENTATION))
    assert {name for name in named if not name.startswith("ANSIBLE_")} <= read


def test_the_version_is_that_of_the_other_plugins(plugin: t.Any) -> None:
    module = importlib.import_module(f"ansible_collections.graphops.intune.plugins.modules.{COMPANIONS[plugin]}")
    own = yaml.safe_load(plugin.DOCUMENTATION)
    assert own["version_added"] == yaml.safe_load(module.DOCUMENTATION)["version_added"]


def test_what_the_files_are_called_is_documented(plugin: t.Any) -> None:
    description = " ".join(yaml.safe_load(plugin.DOCUMENTATION)["description"])
    for ending in plugin.InventoryModule.endings:
        assert f"V({ending})" in description
    assert f"C({plugin.InventoryModule.group})" in description
