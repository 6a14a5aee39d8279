# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever is written for AWX names only what there is: in AWX's modules, in the role, in the collection."""

from __future__ import annotations

import ast
import re
import textwrap
import typing as t
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo

import pytest
import yaml
from ansible.playbook.task import Task
from ansible_collections.graphops.intune.plugins.inventory import exchange_connectors, tenants
from ansible_collections.graphops.intune.plugins.module_utils._ground import clouds, error_bodies, errors
from ansible_collections.graphops.intune.plugins.module_utils._identity import aadsts, identity
from ansible_collections.graphops.intune.plugins.module_utils._kinds import exchange_connector, vpp_token
from ansible_collections.graphops.intune.plugins.module_utils._kinds.kind import Kind, UnreadableTime
from ansible_collections.graphops.intune.plugins.module_utils._report import fleet_summary
from ansible_collections.graphops.intune.plugins.module_utils._sync import results
from ansible_collections.graphops.intune.plugins.module_utils._sync.options import SyncOptions
from awx_api.collection import awx_collections
from awx_api.world import PLAYBOOK
from jinja2 import ChainableUndefined, StrictUndefined, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

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
        for variables in (*identity.IDENTITY_VARIABLES.values(), *clouds.CLOUD_VARIABLES.values())
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
        if question["type"] in ("multiplechoice", "multiselect"):
            assert question["default"] == "", "AWX's form needs the key, and its jobs take no notice of it"
        else:
            assert "default" not in question, "AWX makes an extra variable of it, which wins over the inventory's"


@pytest.mark.parametrize(
    ("role", "fleet", "hosts"),
    [("exchange_connector_sync", "connectors", "connectors_hosts"), ("tenant_sync", "tenants", "tenants_only")],
)
def test_job_templates_set_what_the_role_reads(role: str, fleet: str, hosts: str) -> None:
    spec = load(ROOT / "roles" / role / "meta" / "argument_specs.yml")
    known = spec["argument_specs"]["main"]["options"]
    types = {"integer": ("int", "raw"), "text": ("str",), "multiplechoice": ("bool",), "multiselect": ("list",)}
    *templates, check = VARIABLES["__awx_setup_job_templates_of"][fleet]
    assert "check" in check["name"]
    surveys = {re.findall(r"\w+", template["survey"])[0] for template in templates}
    asked = {name: question for survey in surveys for name, question in QUESTIONS[survey].items()}
    # The next two belong to the playbooks.
    del asked[hosts]
    reports = {template["playbook"] for template in templates}
    assert len(reports) == 2
    for name in reports:
        played = (PROJECT / DEFAULTS[re.findall(r"\w+", name)[0]]).read_text(encoding="utf-8")
        (playbook,) = re.findall(r"import_playbook: graphops\.intune\.(\w+)", played)
        assert re.search(
            rf"\b{hosts} \| default\(", (ROOT / "playbooks" / f"{playbook}.yml").read_text(encoding="utf-8")
        )
        if "fail" in played:
            del asked[f"{fleet}_report_fails"]
            assert f"{fleet}_report_fails | default(false, true) | bool" in played
    for name, question in asked.items():
        assert known[name]["type"] in types[question["type"]], name
        if question["type"] == "multiselect":
            assert question["choices"] == known[name]["choices"]
    text = str(templates)
    assert set(re.findall(rf"'({role}_\w+)':", text)) <= set(known)
    if fleet == "connectors":
        for kind in known["exchange_connector_sync_sync_type"]["choices"]:
            assert f"'exchange_connector_sync_sync_type': '{kind}'" in text


@pytest.mark.parametrize("fleet", ["connectors", "tenants"])
def test_the_check_of_sign_in_asks_for_what_its_playbook_reads(fleet: str) -> None:
    """Where the extra variables of an answer would be read by nobody, the question would do nothing."""
    *_others, check = VARIABLES["__awx_setup_job_templates_of"][fleet]
    assert re.findall(r"\w+", check["survey"]) == ["__awx_setup_check_survey"]
    assert check["sliced"] is False, "or there would be a table for each slice"
    playbook = (ROOT / "playbooks" / DEFAULTS["awx_setup_check_playbook"]).read_text(encoding="utf-8")
    for name in QUESTIONS["__awx_setup_check_survey"]:
        assert f"#   {name} " in playbook
        assert re.search(rf"\b{name} \| default\(", playbook)


def test_the_project_has_what_is_asked_of_it() -> None:
    for name in (
        "sync_playbook",
        "report_playbook",
        "tenants_sync_playbook",
        "tenants_report_playbook",
        "check_playbook",
    ):
        name = f"awx_setup_{name}"  # noqa: PLW2901
        assert PLAYBOOK.search((PROJECT / DEFAULTS[name]).read_text(encoding="utf-8")), "AWX would not offer it"
    file = PROJECT / DEFAULTS["awx_setup_inventory_file"]
    assert load(file) == {"plugin": "graphops.intune.exchange_connectors"}
    assert exchange_connectors.InventoryModule().verify_file(str(file))
    file = PROJECT / DEFAULTS["awx_setup_tenants_inventory_file"]
    assert load(file)["plugin"] == "graphops.intune.tenants"
    assert tenants.InventoryModule().verify_file(str(file))
    imported = {path.stem for path in (ROOT / "playbooks").glob("*.yml")}
    for path in PROJECT.glob("*.yml"):
        for name in re.findall(r"import_playbook: graphops\.intune\.(\w+)", path.read_text(encoding="utf-8")):
            assert name in imported


AT_NIGHT = [f"awx_setup_{fleet}{what}_rrule" for fleet in ("", "tenants_") for what in ("inventory", "workflow")]


@pytest.mark.parametrize(
    "zone", ["Europe/London", "Europe/Dublin", "Europe/Lisbon", "Europe/Berlin", "Europe/Helsinki"]
)
@pytest.mark.parametrize("name", AT_NIGHT)
def test_what_runs_at_night_begins_when_no_clock_is_put_forward(name: str, zone: str) -> None:
    ((begin, unit, interval),) = re.findall(r":(\d{8}T\d{6}) RRULE:FREQ=(\w+);INTERVAL=(\d+)", DEFAULTS[name])
    moment = datetime.strptime(begin, "%Y%m%dT%H%M%S").replace(tzinfo=ZoneInfo(zone))
    step = {"HOURLY": timedelta(hours=1), "DAILY": timedelta(days=1)}[unit] * int(interval)
    end = moment + timedelta(days=2 * 365)
    while moment < end:
        there = moment.astimezone(timezone.utc).astimezone(moment.tzinfo)
        assert there.time() == moment.time(), "AWX leaves out what begins at a time that does not exist"
        # By the clock on the wall, as AWX counts.
        moment += step


def test_times_of_schedules_are_told() -> None:
    for name in AT_NIGHT:
        ((hour, minute),) = re.findall(r"T(\d\d)(\d\d)00 ", DEFAULTS[name])
        assert f"{int(hour)}:{minute} in" in " ".join(SPECS[name]["description"])
    assert "T050000" in DEFAULTS["awx_setup_workflow_rrule"]
    assert "at five in the morning" in GUIDE


def test_the_scheduled_delta_accepts_less_than_its_own_interval() -> None:
    (hours,) = re.findall(r"HOURLY;INTERVAL=(\d+)", DEFAULTS["awx_setup_delta_rrule"])
    longest = DEFAULTS["awx_setup_wait_timeout"]
    assert DEFAULTS["awx_setup_delta_max_age"] + longest < int(hours) * 3600, "or every other run finds nothing to do"


GUIDE_LINES = (ROOT / "docs" / "docsite" / "rst" / "guide_awx.rst").read_text(encoding="utf-8")
GUIDE = " ".join(GUIDE_LINES.split())
README = " ".join((ROLE / "README.md").read_text(encoding="utf-8").split())
TOLD = " ".join((ROLE / "meta" / "argument_specs.yml").read_text(encoding="utf-8").split())


def blocks(language: str) -> list[str]:
    """The examples in the guide."""
    found = re.findall(rf"^( *)\.\. code-block:: {language}\n\n((?:\1   .*\n|\n)+)", GUIDE_LINES, re.MULTILINE)
    return [textwrap.dedent(text).strip() for _indentation, text in found]


class Descriptive(StrictUndefined):
    """What AWX puts in the place of what is not there when a message is saved (awx/api/serializers.py)."""

    __repr__ = __str__ = StrictUndefined._fail_with_undefined_error  # noqa: SLF001


@pytest.mark.parametrize("undefined", [Descriptive, ChainableUndefined], ids=["saved", "sent"])
def test_messages_of_notifications_can_be_saved_and_sent(undefined: type) -> None:
    (message,) = blocks("jinja")
    assert "\n" not in message, "AWX takes no such message"
    template = ImmutableSandboxedEnvironment(undefined=undefined).from_string(message)
    job: dict[str, t.Any] = {"name": "nightly", "status": "failed"}
    outcomes = {"exchange_connector_sync": {"outcomes": {"failed": 2}}}
    for artifacts in ({}, {"artifacts": {}}, {"artifacts": "$hidden due to Ansible no_log flag$"}):
        assert template.render(job={**job, **artifacts}) == "nightly: failed"
    assert template.render(job={**job, "artifacts": outcomes}) == "nightly: failed, 2 failed"
    if undefined is Descriptive:
        direct = "{{ job.artifacts.exchange_connector_sync.outcomes.failed }}"
        with pytest.raises(UndefinedError):
            ImmutableSandboxedEnvironment(undefined=undefined).from_string(direct).render(job={"artifacts": {}})


def test_a_managed_identity_is_named_where_it_lasts() -> None:
    """In the inventory: what a job template has as extra variables, the next set-up replaces."""
    (row,) = re.findall(r"\* - a managed identity of the machine.*?(?=\n\n)", GUIDE_LINES, re.DOTALL)
    literals = [yaml.safe_load(" ".join(text.split())) for text in re.findall(r"``(.*?)``", row, re.DOTALL)]
    assert literals == [{"auth_source": "msi"}, {"compose": {"exchange_connector_sync_auth_source": "'msi'"}}]
    assert "msi" in exchange_connectors.spec()["auth_source"]["choices"]
    assert "Each run replaces the extra variables of the job templates" in GUIDE


def printed(
    kind: Kind = exchange_connector.KIND, shows: t.Mapping[str, str] = MappingProxyType({"status": "disconnected"})
) -> list[str]:
    """The sentences of the collection, with what is filled in as it is for a synchronisation that cannot be.

    Parameters:
        kind: of what.
        shows: what an object shows that stands in the way.
    """
    shown = kind.state(shows, None)
    types = kind.action.types if kind.action else ()
    wanted = SyncOptions(types[0] if types else "", 7200, False, False, True, 900, 15)
    known = {**kind.words._asdict(), **kind._asdict(), "noun": wanted.noun, "word": shown.word, **shown._asdict()}
    known.update({"none_in_tenant": kind.words.none_in_tenant, "to_check": kind.words.to_check})
    found = [
        error_bodies.answer_clause("Graph", status, error_bodies.ErrorBody("", "", ""))
        for status in (401, 403, 404, 429, 500, 503)
    ]
    found += [f"AADSTS{number}" for number in aadsts.ADVICE]
    found.append(errors.MissingLibraryError(["msal"]).sentence())
    found.append(results.refused(kind, wanted, shown).sentence())
    found.append(kind.words.none_in_tenant)
    found.append(UnreadableTime(kind.clock, "why", kind.words.short).sentence())
    for path in (ROOT / "plugins" / "module_utils").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
            if isinstance(node, ast.JoinedStr):
                filled = [
                    part.value
                    if isinstance(part, ast.Constant)
                    else known.get(getattr(getattr(part, "value", None), "attr", ""), "")
                    for part in node.values
                ]
                found.append("".join(map(str, filled)))
    return found


TOKEN = {"state": "expired", "lastSyncStatus": "failed"}


@pytest.mark.parametrize(
    ("header", "fewest", "sentences"),
    [
        ("The sentence says", 20, printed()),
        ("Of a token, the sentence says", 4, printed(vpp_token.KIND, TOKEN)),
        ("In a pod, the sentence says", 6, [*printed(), "AZURE_FEDERATED_TOKEN_FILE is given without client_id"]),
    ],
    ids=["all", "tokens", "pods"],
)
def test_sentences_in_the_guide_are_those_that_are_printed(header: str, fewest: int, sentences: list[str]) -> None:
    table = GUIDE_LINES.split(f"- {header}\n")[1].split("\n\n")[0]
    rows = re.findall(r"\* - (.*)", table)
    assert len(rows) >= fewest
    for row in rows:
        for text in re.split(r", | or |\(or the fullSync\)", row):
            parts = [text] if any(text.strip() in sentence for sentence in sentences) else [row]
            assert any(part.strip() in sentence for part in parts for sentence in sentences), text


@pytest.mark.parametrize(
    "kind",
    [
        "7000215",
        "50126",
        "50076",
        "401",
        "licence",
        "not trusted",
        "proxy",
        "did not answer",
        "503",
        "not begun",
        "given",
    ],
)
def test_the_guide_has_a_row_for_each_kind_of_failure(kind: str) -> None:
    table = GUIDE_LINES.split("- The sentence says\n")[1].split("\n\n")[0]
    assert kind in table


def test_the_artifacts_in_the_guide_are_real() -> None:
    (example,) = [text for text in blocks("yaml") if text.startswith("exchange_connector_sync:")]
    shown = yaml.safe_load(example)["exchange_connector_sync"]
    (failed,) = shown["failed"]
    assert f"{failed['reason']}." == " ".join(
        (
            "its status is disconnected, so no deltaSync was requested; connect it in Intune's admin centre, or set",
            "require_connected to false to request one all the same.",
        )
    )
    assert any(failed["reason"].partition("; ")[2] in sentence for sentence in printed())

    def entry(number: int) -> fleet_summary.Entry:
        state = "completed" if number <= shown["outcomes"]["synchronised"] else "fresh"
        result = {"changed": state == "completed", "sync": {"state": state}, "connector": {"status": "connected"}}
        return fleet_summary.entry(f"EXCH-{number}", result, tenant="contoso.example")

    broken = fleet_summary.entry(
        failed["host"],
        {
            "failed": True,
            "msg": f"{failed['reason']}.",
            "sync": {"age": failed["age_seconds"], "max_age": 7200},
            "connector": {"server_name": failed["server_name"], "status": "disconnected"},
            "request_id": failed["request_id"],
        },
        tenant=failed["tenant"],
        connector_id=failed["connector_id"],
    )
    entries = [broken, *map(entry, range(1, shown["total"]))]
    span = {"started": shown["started"], "finished": shown["finished"]}
    assert shown == fleet_summary.limited(fleet_summary.summary(entries, **span))


def test_the_failure_of_a_token_in_the_guide_is_real() -> None:
    (example,) = blocks("text")
    subject, why = " ".join(example.split()).split(": 1 of 3 failed - 11111111-1111-4111-8111-111111111111: ")
    assert subject == vpp_token.KIND.words.subject("", "contoso.example")
    assert why in printed(vpp_token.KIND, TOKEN)


def test_what_jobs_do_not_print_is_not_in_the_guide() -> None:
    assert "whether Graph accepted the request" not in GUIDE, "it is said with wait: false only"


def test_a_pod_of_ones_own_is_told_the_container_that_awx_wants() -> None:
    """As the one that is made has it."""
    (args,) = re.findall(r"``args: (\[.*?\])``", GUIDE)
    assert f"'name': 'worker', 'image': 'quay.io/ansible/awx-ee:latest', 'args': {yaml.safe_load(args)}" in str(
        VARIABLES["__awx_setup_pod"]
    )


def test_the_names_of_the_example_without_a_secret_fit() -> None:
    """The service account that is made is the one that the credential trusts and that the set-up names."""
    (account,) = [yaml.safe_load(text) for text in blocks("yaml") if "kind: ServiceAccount" in text]
    (credential,) = [yaml.safe_load(text) for text in blocks("json") if "audiences" in text]
    (variables,) = [yaml.safe_load(text) for text in blocks("yaml") if "service_account: " in text]
    namespace, name = account["metadata"]["namespace"], account["metadata"]["name"]
    assert credential["subject"] == f"system:serviceaccount:{namespace}:{name}"
    assert variables["awx_setup_container_group_namespace"] == namespace
    assert variables["awx_setup_container_group_service_account"] == name
    assert set(variables) <= set(SPECS)


def test_whoever_uses_vault_is_told_how_to_open_it() -> None:
    for text in (GUIDE, README):
        (command,) = re.findall(r"ansible-playbook graphops.*?vault\.yml\S*(?: --\S+)*", text)
        assert command.endswith(" --ask-vault-pass")


def test_whoever_is_sent_to_extensions_is_told_where_they_are() -> None:
    ignored = load(ROOT / "galaxy.yml")["build_ignore"]
    assert {f"extensions/{name}" for name in ("awx_project", "execution_environment")} < set(ignored)
    for text in (GUIDE, README, TOLD):
        assert "https://github.com/graphops/graphops.intune" in text
        assert re.search("not (?:in|part of) the collection as it is installed", text)


def test_what_a_second_run_cannot_take_back_is_told() -> None:
    assert "taken back by hand in AWX" in README
    assert "Take it back by hand in AWX" in TOLD
    for name in ("awx_setup_credential", "awx_setup_execution_environment"):
        assert "taken back by hand in AWX" in " ".join(SPECS[name]["description"])


@pytest.mark.parametrize(
    "what",
    [
        "Put your own tenant into the credential; the tenants of the inventory win over it.",
        "The field may stay empty in *Microsoft Graph for Intune* only",
        "disappear from the inventory until it can be read again. Jobs stay green without them",
        "the update fails, the inventory stays as it was, and the workflow ends there",
        "count what the batches before it did, so the last ones are those of the whole run",
        "If all connectors of a batch fail, Ansible ends the run there.",
        "The artifacts of a sliced node of a workflow are those of the slice that ended last.",
        "The module has tried for ``retry_timeout`` seconds; or it gave up at once",
        "AWX takes no inventory from a manual project",
    ],
)
def test_the_guide_tells_what_surprises(what: str) -> None:
    assert what in GUIDE
