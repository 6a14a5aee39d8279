# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is in AWX, and what it lets happen to it."""

from __future__ import annotations

import copy
import json
import re
import typing as t
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import available_timezones

import yaml

from awx_api.kinds import KINDS, UNIFIED

ENCRYPTED = "$encrypted$"
# awx/main/utils/ansible.py: a file is offered as a playbook if one of its lines looks so.
PLAYBOOK = re.compile(r"^\s*?-?\s*?(?:hosts|include|import_playbook):\s*?.*?$", re.MULTILINE)
_SURVEY_TYPES = {
    "text": str,
    "textarea": str,
    "multiplechoice": str,
    "multiselect": str,
    "integer": int,
    "float": float,
}
# awx/settings/defaults.py: INV_ENV_VARIABLE_BLOCKED.
_NO_SOURCE_VARIABLES = {"HOME", "USER", "_", "TERM", "PATH"}
# How often an inventory that is to be deleted is still listed.
_LISTED_UNTIL_DELETED = 2
_RULE = re.compile(r"DTSTART(?:;TZID=([\w/+-]+))?:\d{8}T\d{6}(Z?) RRULE:(\S+)")


class Refusal(Exception):
    """AWX answers with this instead."""

    def __init__(self, status: int, body: t.Any) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body


class Call(t.NamedTuple):
    """A request that was made, but for its headers."""

    method: str
    path: str
    query: t.Mapping[str, str]
    body: t.Any


@dataclass
class Thing:
    """An object: its fields, its related lists by the ids in them, and its survey."""

    kind: str
    id: int
    values: dict[str, t.Any]
    lists: dict[str, list[int]] = field(default_factory=dict)
    survey: dict[str, t.Any] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"/api/v2/{KINDS[self.kind].endpoint}/{self.id}/"


class World:
    """All objects. It begins as an installed AWX does, with an organization and a managed credential type.

    :param playbooks: the folder that every project has as its content.
    """

    def __init__(self, playbooks: Path) -> None:
        self.things: list[Thing] = []
        self.calls: list[Call] = []
        self.username = "admin"
        self.password = "admin's-password-3f1c"
        self.tokens: dict[int, str] = {}
        self.issued: list[str] = []
        self.is_administrator = True
        self._playbooks = playbooks
        # Inventories that AWX's own task will delete, by id, with how often they will be listed until then.
        self._pending: dict[int, int] = {}
        self._last: Counter[str] = Counter()
        # The ids of one kind must not do for another.
        self._last.update({name: 10 * number for number, name in enumerate(KINDS)})
        self.add("organization", name="Default")
        self.add(
            "credential_type",
            name="Microsoft Azure Resource Manager",
            kind="cloud",
            managed=True,
            inputs={"fields": [{"id": "client"}, {"id": "secret", "secret": True}]},
        )

    def find(self, of_kind: str, /, **values: t.Any) -> list[Thing]:
        """All objects of a kind with these values."""
        return [
            thing
            for thing in self.things
            if thing.kind == of_kind and all(thing.values[name] == value for name, value in values.items())
        ]

    def one(self, of_kind: str, /, **values: t.Any) -> Thing:
        """The only object of a kind with these values."""
        (thing,) = self.find(of_kind, **values)
        return thing

    def get(self, kinds: t.Collection[str], thing_id: t.Any) -> Thing | None:
        """The object with this id, if there is one."""
        return next((thing for thing in self.things if thing.kind in kinds and thing.id == thing_id), None)

    def add(self, of_kind: str, /, **given: t.Any) -> Thing:
        """Make an object as a user does."""
        fields = KINDS[of_kind].fields
        missing = [name for name, rule in fields.items() if rule.required and given.get(name) in (None, "")]
        if missing:
            raise Refusal(400, {name: ["This field is required."] for name in missing})
        values = {name: copy.deepcopy(rule.default) for name, rule in fields.items()}
        counted = "unified_job_template" if of_kind in UNIFIED else of_kind
        self._last[counted] += 1
        thing = Thing(of_kind, self._last[counted], values, {name: [] for name in KINDS[of_kind].lists})
        self.change(thing, given)
        self.things.append(thing)
        return thing

    def change(self, thing: Thing, given: t.Mapping[str, t.Any]) -> None:
        """Change some fields."""
        kind = KINDS[thing.kind]
        # AWX's module sends the kind of a node along.
        given = {name: value for name, value in given.items() if (name, value) != ("type", thing.kind)}
        values = {**thing.values, **copy.deepcopy(given)}
        for name, value in given.items():
            rule = kind.fields.get(name)
            if rule is None:
                raise Refusal(400, {name: ["There is no such field."]})
            if value is None and "" in rule.choices:
                values[name] = ""
                continue
            if rule.choices and value not in rule.choices:
                raise Refusal(400, {name: [f'"{value}" is not a valid choice.']})
            if rule.to and value is not None and self.get(rule.to, value) is None:
                raise Refusal(400, {name: [f'Invalid pk "{value}" - object does not exist.']})
            if isinstance(rule.default, (bool, int, dict)) and not isinstance(value, type(rule.default)):
                raise Refusal(400, {name: [f"{value!r} is of the wrong type."]})
        same = self.find(thing.kind, **{name: values[name] for name in kind.unique})
        if [other for other in same if other is not thing]:
            raise Refusal(400, {"__all__": [f"{thing.kind} with this {' and '.join(kind.unique)} already exists."]})
        check = getattr(self, f"_check_{thing.kind}", None)
        if check is not None:
            check(thing, values)
        thing.values = values

    def remove(self, thing: Thing) -> None:
        """Delete an object as a user does; an inventory is deleted later."""
        if thing.kind in ("credential_type", "instance_group"):
            self._must_administer()
        if thing.kind == "credential_type" and self.find("credential", credential_type=thing.id):
            raise Refusal(403, {"detail": "Credential types that are in use cannot be deleted"})
        if thing.kind == "inventory":
            if thing.id in self._pending:
                raise Refusal(400, {"error": "Inventory is already pending deletion."})
            self._pending[thing.id] = _LISTED_UNTIL_DELETED
            for template in self.find("job_template", inventory=thing.id):
                template.values["inventory"] = None
            return
        self._delete(thing)

    def inventories_listed(self) -> None:
        """Let AWX's own task come nearer to those that it is to delete."""
        for thing in self.find("inventory"):
            if thing.id in self._pending:
                self._pending[thing.id] -= 1
                if self._pending[thing.id] == 0:
                    self._delete(thing)

    def _delete(self, thing: Thing) -> None:
        self.things.remove(thing)
        for other in list(self.things):
            for name, rule in KINDS[other.kind].fields.items():
                if thing.kind in rule.to and other.values[name] == thing.id:
                    other.values[name] = None
                    if rule.cascades and other in self.things:
                        self._delete(other)
            for name, target in KINDS[other.kind].lists.items():
                if target == thing.kind and thing.id in other.lists[name]:
                    other.lists[name].remove(thing.id)

    def associate(self, thing: Thing, name: str, other_id: int, *, disassociate: bool = False) -> None:
        """Put an object into a related list, or take it out."""
        other = self.get((KINDS[thing.kind].lists[name],), other_id)
        if other is None:
            raise Refusal(400, {"detail": f"There is no {KINDS[thing.kind].lists[name]} {other_id}."})
        if disassociate:
            thing.lists[name].remove(other_id)
            return
        if name == "credentials":
            members = [self.get(("credential",), member) for member in thing.lists[name]]
            kinds = [member.values["credential_type"] for member in members if member]
            if other.values["credential_type"] in kinds:
                raise Refusal(400, {"error": "Cannot assign multiple credentials of the same type."})
        thing.lists[name].append(other_id)

    def shown(self, thing: Thing) -> dict[str, t.Any]:
        """An object as the API answers it."""
        body: dict[str, t.Any] = {
            "id": thing.id,
            "type": thing.kind,
            "url": thing.url,
            "related": {name: f"{thing.url}{name}/" for name in thing.lists},
            "summary_fields": {},
            **copy.deepcopy(thing.values),
        }
        if KINDS[thing.kind].has_survey:
            body["related"]["survey_spec"] = f"{thing.url}survey_spec/"
        if thing.kind == "credential":
            secrets = self._secrets(thing.values["credential_type"])
            body["inputs"] |= {name: ENCRYPTED for name in body["inputs"] if name in secrets}
        if thing.kind == "inventory":
            body["pending_deletion"] = thing.id in self._pending
        if thing.kind == "project":
            body["scm_revision"] = ""
            if thing.values["scm_type"]:
                body["summary_fields"]["current_update"] = {"id": thing.id}
        return body

    def set_survey(self, thing: Thing, survey: dict[str, t.Any]) -> None:
        """Replace the survey."""
        if not {"name", "description", "spec"} <= set(survey) or not survey["spec"]:
            raise Refusal(400, {"error": "name, description or spec is missing from survey spec."})
        for question in survey["spec"]:
            texts = (question.get("type"), question.get("question_name"), question.get("variable"))
            if not all(isinstance(text, str) for text in texts) or not isinstance(question.get("required"), bool):
                raise Refusal(400, {"error": "type, question_name, variable or required is not right."})
            default = question.get("default", "")
            if default != "" and not isinstance(default, _SURVEY_TYPES[question["type"]]):
                raise Refusal(400, {"error": f"Default value {default} is of the wrong type."})
            if question["type"] == "multiplechoice" and default and default not in question["choices"]:
                raise Refusal(400, {"error": "Default choice must be answered from the choices listed."})
        thing.survey = survey

    def extra_variables(self, template: Thing, answers: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        """The extra variables of a job: those of its template, then defaults of its survey, then what is answered.

        As in awx/main/models/mixins.py, a default is one if the key is there and an answer might be so, even "".
        """
        found: dict[str, t.Any] = json.loads(template.values["extra_vars"] or "{}")
        for question in _questions(template):
            default = question.get("default")
            if default is not None and not _wrong_answer(question, default):
                found[question["variable"]] = default
        return {**found, **answers}

    def _secrets(self, credential_type: int) -> set[str]:
        found = self.get(("credential_type",), credential_type)
        assert found is not None
        return {item["id"] for item in found.values["inputs"]["fields"] if item.get("secret")}

    def _must_administer(self) -> None:
        if not self.is_administrator:
            raise Refusal(403, {"detail": "You do not have permission to perform this action."})

    def _check_credential_type(self, _thing: Thing, values: dict[str, t.Any]) -> None:
        self._must_administer()
        if not set(values["injectors"]) <= {"env", "file", "extra_vars"}:
            raise Refusal(400, {"injectors": ["Additional properties are not allowed."]})
        if any(name.startswith("ANSIBLE_") for name in values["injectors"].get("env", ())):
            raise Refusal(400, {"injectors": ["Environment variable may affect Ansible configuration."]})

    def _check_credential(self, thing: Thing, values: dict[str, t.Any]) -> None:
        found = self.get(("credential_type",), values["credential_type"])
        assert found is not None
        for name, value in values["inputs"].items():
            rule = next((item for item in found.values["inputs"]["fields"] if item["id"] == name), None)
            if rule is None or (value and value not in rule.get("choices", [value])):
                raise Refusal(400, {"inputs": {name: ["Additional properties are not allowed, or no valid choice."]}})
            if value == ENCRYPTED:
                values["inputs"][name] = thing.values["inputs"][name]

    def _check_execution_environment(self, thing: Thing, values: dict[str, t.Any]) -> None:
        was = thing.values["organization"]
        is_new = self.get(("execution_environment",), thing.id) is None
        if not is_new and values["organization"] not in (None, was):
            raise Refusal(400, {"organization": ["Cannot change the organization of an execution environment"]})

    def _check_instance_group(self, _thing: Thing, values: dict[str, t.Any]) -> None:
        self._must_administer()
        # As all texts of AWX's API; where it matters here.
        text = values["pod_spec_override"] = values["pod_spec_override"].strip()
        if text and not values["is_container_group"]:
            raise Refusal(400, {"pod_spec_override": ["is only valid for container groups"]})
        pod = yaml.safe_load(text) or {}
        if pod.get("spec", {}).get("automountServiceAccountToken"):
            raise Refusal(400, {"pod_spec_override": ["automountServiceAccountToken is not allowed"]})
        credential = self.get(("credential",), values["credential"])
        if credential is not None:
            kind = self.get(("credential_type",), credential.values["credential_type"])
            if kind is None or kind.values["kind"] != "kubernetes":
                raise Refusal(
                    400, {"credential": ["Only Kubernetes credentials can be associated with an Instance Group"]}
                )

    def _check_project(self, _thing: Thing, values: dict[str, t.Any]) -> None:
        if values["scm_type"] and not values["scm_url"]:
            raise Refusal(400, {"scm_url": ["SCM URL is required."]})
        if not values["scm_type"] and not values["local_path"]:
            raise Refusal(400, {"local_path": ["This path is required for manual projects."]})

    def _check_inventory_source(self, _thing: Thing, values: dict[str, t.Any]) -> None:
        found = self.get(("inventory",), values["inventory"])
        assert found is not None
        values["organization"] = found.values["organization"]
        if values["source"] == "scm" and values["source_project"] is None:
            raise Refusal(400, {"source_project": ["Project required for scm type sources."]})
        project = self.get(("project",), values["source_project"])
        if project is not None and not project.values["scm_type"]:
            raise Refusal(400, {"source_project": ["Cannot use manual project for SCM-based inventory."]})
        for name in json.loads(values["source_vars"] or "{}"):
            if name in _NO_SOURCE_VARIABLES:
                raise Refusal(400, {"source_vars": [f"`{name}` is a prohibited environment variable"]})

    def _check_job_template(self, _thing: Thing, values: dict[str, t.Any]) -> None:
        files = self._playbooks.rglob("*.yml")
        names = {
            str(path.relative_to(self._playbooks))
            for path in files
            if PLAYBOOK.search(path.read_text(encoding="utf-8"))
        }
        if values["playbook"] not in names:
            raise Refusal(400, {"playbook": ["Playbook not found for project."]})

    def _check_workflow_job_template_node(self, _thing: Thing, values: dict[str, t.Any]) -> None:
        self._check_answers(values)

    def _check_schedule(self, _thing: Thing, values: dict[str, t.Any]) -> None:
        self._check_answers(values)
        rule = _RULE.fullmatch(values["rrule"])
        if rule is None or "INTERVAL=" not in rule[3]:
            raise Refusal(400, {"rrule": ["DTSTART with a time zone, one RRULE and INTERVAL are required."]})
        if not rule[2] and rule[1] not in available_timezones():
            raise Refusal(400, {"rrule": ["A valid TZID must be provided."]})

    def _check_answers(self, values: dict[str, t.Any]) -> None:
        runs = self.get(UNIFIED, values["unified_job_template"])
        questions = _questions(runs) if runs else []
        asks = bool(runs and runs.values.get("ask_variables_on_launch"))
        by_variable = {question["variable"]: question for question in questions}
        for name, value in values["extra_data"].items():
            if name not in by_variable and not asks:
                raise Refusal(400, {"extra_data": [f"Variables {name} are not allowed on launch."]})
            wrong = _wrong_answer(by_variable[name], value) if name in by_variable else ""
            if wrong:
                raise Refusal(400, {"variables_needed_to_start": [wrong]})
        unanswered = {name for name, question in by_variable.items() if question["required"]} - set(
            values["extra_data"]
        )
        if unanswered:
            raise Refusal(400, {"variables_needed_to_start": [f"{name} value missing" for name in sorted(unanswered)]})


def _questions(thing: Thing) -> list[dict[str, t.Any]]:
    found: list[dict[str, t.Any]] = thing.survey.get("spec", []) if thing.values.get("survey_enabled") else []
    return found


def _wrong_answer(question: t.Mapping[str, t.Any], answer: t.Any) -> str:
    """Say what is wrong with an answer to a question of a survey; "" for nothing."""
    about, kind = f"Value {answer!r} for {question['variable']!r}", question["type"]
    if kind == "multiplechoice":
        return "" if answer in question["choices"] else f"{about} expected to be one of {question['choices']}."
    if kind == "multiselect":
        is_right = isinstance(answer, list) and set(answer) <= set(question["choices"])
        return "" if is_right else f"{about} expected to be a list of some of {question['choices']}."
    if type(answer) not in {"integer": (int,), "float": (int, float)}.get(kind, (str,)):
        return f"{about} expected to be of the type {kind}."
    size = len(answer) if isinstance(answer, str) else answer
    least, most = question.get("min"), question.get("max")
    if (least is not None and size < least) or (most is not None and size > most):
        return f"{about} is too small or too large."
    return ""
