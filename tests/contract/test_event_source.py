# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the event source documents, takes and has a schema of is the same."""

from __future__ import annotations

import json
import os
import runpy
import typing as t
from pathlib import Path

import yaml
from ansible_collections.graphops.intune.plugins.module_utils._kinds import registry
from ansible_collections.graphops.intune.plugins.module_utils._sync import watch

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "extensions" / "eda" / "plugins" / "event_source"
SCHEMA = SOURCES / "schemas" / "connectors_and_tokens.json"
SOURCE = runpy.run_path(str(SOURCES / "connectors_and_tokens.py"))
OPTIONS: dict[str, dict[str, t.Any]] = yaml.safe_load(SOURCE["DOCUMENTATION"])["options"]
SPEC = {**watch.watch_spec(), **SOURCE["FEEDBACK_SPEC"]}
JSON_TYPES = {"str": "string", "path": "string", "int": "integer", "bool": "boolean", "list": "array"}
# What a rulebook's template gives is a text.
TEXT = {"type": "string"}


def schema_of(name: str, option: dict[str, t.Any]) -> dict[str, t.Any]:
    """The JSON schema of an option."""
    about = {"description": " ".join(option["description"])}
    if "default" in option:
        about["default"] = option["default"]
    if name == "tenants":
        of_one = {
            "type": "object",
            "required": ["name"],
            "additionalProperties": False,
            "properties": dict.fromkeys(names_of(watch.tenant_spec()), TEXT),
        }
        return {**about, "type": "array", "minItems": 1, "items": {"anyOf": [TEXT, of_one]}}
    if name == "max_age":
        number = {"type": ["integer", "string"]}
        ages = {kind.name: number for kind in registry.KINDS if not kind.large}
        by_kind = {"type": "object", "additionalProperties": False, "properties": ages}
        return {**about, "anyOf": [number, by_kind]}
    if option["type"] == "list":
        choices = {"enum": option["choices"]} if "choices" in option else {}
        return {**about, "anyOf": [{"type": "array", "items": {**TEXT, **choices}}, TEXT]}
    if option["type"] in ("int", "bool"):
        return {**about, "type": [JSON_TYPES[option["type"]], "string"]}
    choices = {"enum": option["choices"]} if "choices" in option else {}
    return {**about, **TEXT, **choices}


def names_of(spec: dict[str, t.Any]) -> list[str]:
    """The names of options, aliases included."""
    return [name for option, how in spec.items() for name in (option, *how.get("aliases", ()))]


def schema() -> dict[str, t.Any]:
    """What the schema has to be."""
    properties = {}
    for name, option in OPTIONS.items():
        for word in (name, *option.get("aliases", ())):
            properties[word] = schema_of(name, option)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "graphops.intune.connectors_and_tokens",
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
    }


def test_the_schema_is_what_is_documented() -> None:
    text = json.dumps(schema(), indent=2) + "\n"
    if os.environ.get("GRAPHOPS_TEST_WRITE"):
        SCHEMA.parent.mkdir(exist_ok=True)
        SCHEMA.write_text(text, encoding="utf-8")
    assert SCHEMA.read_text(encoding="utf-8") == text, "if this is meant: GRAPHOPS_TEST_WRITE=1"


def test_what_is_documented_is_what_is_taken() -> None:
    def facts(option: dict[str, t.Any]) -> dict[str, t.Any]:
        # Ansible leaves out an empty choice of a module, which stands for none.
        choices = [choice for choice in option.get("choices", ()) if choice != ""]
        kept = {name: option[name] for name in ("type", "default", "elements") if option.get(name) is not None}
        return {**kept, "aliases": sorted(option.get("aliases", ())), "choices": choices}

    assert {name: facts(option) for name, option in OPTIONS.items()} == {
        name: facts(option) for name, option in SPEC.items()
    }


def test_the_ages_that_are_told_are_those_that_are_used() -> None:
    kinds = [kind for kind in registry.KINDS if kind.action and not kind.large]
    assert {kind.name for kind in kinds} == {*OPTIONS["kinds"]["default"]}
    for kind in kinds:
        assert f"V({watch.default_max_age(kind)})" in " ".join(OPTIONS["max_age"]["description"])


def test_the_examples_are_taken() -> None:
    for rulebook in yaml.safe_load(SOURCE["EXAMPLES"]):
        for source in rulebook["sources"]:
            given = source["graphops.intune.connectors_and_tokens"]
            environ = {"AZURE_CLIENT_ID": "a", "AZURE_SECRET": "the secret of all"}
            assert watch.read_settings(given, environ).tenants
