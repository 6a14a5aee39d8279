# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever is written for AWX names only what there is: in AWX's modules, in the role, in the collection."""

from __future__ import annotations

import ast
import re
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.playbook.task import Task
from ansible_collections.graphops.intune.plugins.inventory import exchange_connectors
from ansible_collections.graphops.intune.plugins.module_utils import options
from awx_api.collection import awx_collections
from awx_api.world import PLAYBOOK

ROOT = Path(__file__).resolve().parents[2]
ROLE = ROOT / "roles" / "awx_setup"
PROJECT = ROOT / "extensions" / "awx_project"
FILES = sorted([*ROOT.glob("playbooks/*.yml"), *ROOT.glob("roles/*/tasks/*.yml"), *PROJECT.glob("*report.yml")])
KEYWORDS = set(Task.fattributes)


class Loader(yaml.SafeLoader):
    """Knows Ansible's tag for a text that is no template."""


Loader.add_constructor("!unsafe", lambda _loader, node: node.value)


def load(path: Path) -> t.Any:
    return yaml.load(path.read_text(encoding="utf-8"), Loader)  # noqa: S506


def tasks_in(entries: t.Iterable[dict[str, t.Any]]) -> t.Iterator[dict[str, t.Any]]:
    """The tasks of a list of plays, blocks or tasks."""
    for entry in entries:
        parts = [part for part in ("pre_tasks", "tasks", "post_tasks", "block", "rescue", "always") if part in entry]
        for part in parts:
            yield from tasks_in(entry[part])
        if not parts and "import_playbook" not in entry:
            yield entry


def module_of(task: dict[str, t.Any]) -> str:
    (name,) = set(task) - KEYWORDS - {"loop_control"} - {key for key in task if key.startswith("with_")}
    return name


TASKS = [(path, task) for path in FILES for task in tasks_in(load(path))]
OF_AWX = [(path, task) for path, task in TASKS if "." not in module_of(task)]


def documented(path: Path) -> dict[str, t.Any]:
    """The options that a module documents, without those of its fragments."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "DOCUMENTATION":
            found: dict[str, t.Any] = yaml.safe_load(ast.literal_eval(node.value))["options"]
            return found
    raise AssertionError(path)


def wrong(arguments: t.Mapping[str, t.Any], known: t.Mapping[str, t.Any]) -> list[str]:
    """What is not right about the arguments of a task, as far as they are no templates."""
    found = [f"{name} is no option" for name in arguments if name not in known]
    found += [
        f"{name} is required" for name, option in known.items() if option.get("required") and name not in arguments
    ]
    for name, value in arguments.items():
        choices = known.get(name, {}).get("choices")
        if choices and "{{" not in str(value) and value not in choices:
            found.append(f"{name} is {value!r}")
    return found


def test_the_tasks_with_modules_of_awx_are_found() -> None:
    assert {path.parent.parent for path, _task in OF_AWX} == {ROLE}
    assert len(OF_AWX) > 15


@pytest.mark.parametrize(("path", "task"), OF_AWX, ids=[task["name"] for _path, task in OF_AWX])
def test_options_of_modules_of_awx_exist(path: Path, task: dict[str, t.Any]) -> None:
    module = module_of(task)
    source = awx_collections() / "ansible_collections" / "awx" / "awx" / "plugins" / "modules" / f"{module}.py"
    assert source.exists(), f"{path}: {module}"
    assert not wrong(task[module], documented(source))


def test_options_of_our_modules_exist() -> None:
    ours = [(path, task) for path, task in TASKS if module_of(task).startswith("graphops.intune.")]
    assert ours
    for path, task in ours:
        module = module_of(task)
        known = documented(ROOT / "plugins" / "modules" / f"{module.rsplit('.', 1)[-1]}.py")
        assert not wrong(task[module] or {}, known), path


VARIABLES = load(ROLE / "vars" / "main.yml")
DEFAULTS = load(ROLE / "defaults" / "main.yml")
SPECS = load(ROLE / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"]


def test_every_variable_is_a_default_an_option_and_in_the_readme() -> None:
    def names(*paths: Path) -> set[str]:
        text = "".join(path.read_text(encoding="utf-8") for path in paths)
        return set(re.findall(r"(?<!_)\bawx_setup_\w+", text))

    used = names(ROLE / "vars" / "main.yml", *(ROLE / "tasks").glob("*.yml")) | {"awx_setup_time_zone"}
    assert used == set(DEFAULTS) == set(SPECS)
    assert names(ROLE / "README.md") == set(SPECS)


def test_defaults_and_options_agree() -> None:
    for name, default in DEFAULTS.items():
        if "{{" in str(default):
            assert "default" not in SPECS[name], "a template is told in words"
        else:
            assert SPECS[name]["default"] == default, name


def test_numbers_have_a_unit() -> None:
    for name, option in SPECS.items():
        if option["type"] == "int":
            assert re.search("seconds|jobs", " ".join(option["description"])), name


def test_fields_of_the_credential_are_told() -> None:
    told = re.findall(r"C\((\w+)\)", SPECS["awx_setup_credential_inputs"]["description"][0])
    assert told == [field["id"] for field in VARIABLES["__awx_setup_credential_inputs"]["fields"]]


def test_injectors_name_what_the_collection_reads() -> None:
    read = {
        name
        for variables in (*options.IDENTITY_VARIABLES.values(), *options.CLOUD_VARIABLES.values())
        for name in variables
    }
    injectors = VARIABLES["__awx_setup_credential_injectors"]
    assert set(injectors["env"]) <= read
    named = set(re.findall(r"(?<![.'\w])[a-z]\w*(?![.'\w])", " ".join(re.findall("{{(.*?)}}", str(injectors)))))
    fields = {field["id"] for field in VARIABLES["__awx_setup_credential_inputs"]["fields"]}
    assert named - {"if", "else"} == fields


QUESTIONS = {
    name: {question["variable"]: question for question in survey}
    for name, survey in VARIABLES.items()
    if name.endswith("_survey")
}


@pytest.mark.parametrize("survey", QUESTIONS)
def test_surveys_require_nothing_and_hide_no_variable_of_the_inventory(survey: str) -> None:
    for question in QUESTIONS[survey].values():
        assert question["required"] is False, "a schedule answers no question"
        assert question["default"] == "", "an answer wins over the inventory's variables"


def test_job_templates_set_what_the_role_reads() -> None:
    role = load(ROOT / "roles" / "exchange_connector_sync" / "meta" / "argument_specs.yml")
    known = role["argument_specs"]["main"]["options"]
    types = {"integer": "int", "text": "str", "multiplechoice": "bool"}
    asked = {name: question for survey in QUESTIONS.values() for name, question in survey.items()}
    # It belongs to the project's playbook.
    fails = asked.pop("connectors_report_fails")
    assert (
        f"{fails['variable']} | default(false, true) | bool" in (PROJECT / "exchange_connector_report.yml").read_text()
    )
    assert {name: types[question["type"]] for name, question in asked.items()} == {
        name: known[name]["type"] for name in asked
    }
    templates = str(VARIABLES["__awx_setup_job_templates"])
    assert set(re.findall(r"'(exchange_connector_\w+)':", templates)) <= set(known)
    for kind in known["exchange_connector_sync_sync_type"]["choices"]:
        assert f"'exchange_connector_sync_sync_type': '{kind}'" in templates


def test_the_project_has_what_is_asked_of_it() -> None:
    for name in ("awx_setup_sync_playbook", "awx_setup_report_playbook"):
        assert PLAYBOOK.search((PROJECT / DEFAULTS[name]).read_text(encoding="utf-8")), "AWX would not offer it"
    file = PROJECT / DEFAULTS["awx_setup_inventory_file"]
    assert load(file) == {"plugin": "graphops.intune.exchange_connectors"}
    assert exchange_connectors.InventoryModule().verify_file(str(file))
    imported = {path.stem for path in (ROOT / "playbooks").glob("*.yml")}
    for path in PROJECT.glob("*.yml"):
        for name in re.findall(r"import_playbook: graphops\.intune\.(\w+)", path.read_text(encoding="utf-8")):
            assert name in imported
