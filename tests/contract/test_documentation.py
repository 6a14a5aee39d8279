# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is written and what is done are the same; no standard tool looks at these."""

from __future__ import annotations

import fnmatch
import importlib
import re
import textwrap
import typing as t
from pathlib import Path

import generate
import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.graphops.intune.plugins.inventory import exchange_connectors, tenants
from ansible_collections.graphops.intune.plugins.module_utils._ground import clouds
from ansible_collections.graphops.intune.plugins.module_utils._ground.version import VERSION
from ansible_collections.graphops.intune.plugins.module_utils._identity import aadsts, identity, method_oidc
from ansible_collections.graphops.intune.plugins.module_utils._identity.methods import METHODS
from ansible_collections.graphops.intune.plugins.module_utils._kinds.registry import KINDS
from ansible_collections.graphops.intune.plugins.module_utils._report import fleet_summary, prometheus_text
from ansible_collections.graphops.intune.plugins.module_utils._sync import options
from ansible_collections.graphops.intune.plugins.module_utils._sync.command import OverviewCommand, SignInCommand

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
RST = ROOT / "docs" / "docsite" / "rst"
DECIDES = (RST / "decides.rst").read_text(encoding="utf-8")
AWX_GUIDE = (RST / "guide_awx.rst").read_text(encoding="utf-8")
TENANT_GUIDE = (RST / "guide_tenant.rst").read_text(encoding="utf-8")
TENANTS_GUIDE = (RST / "guide_tenants.rst").read_text(encoding="utf-8")
PAGES = [
    *ROOT.glob("*.md"),
    *ROOT.glob("docs/*.md"),
    *ROOT.glob("roles/*/README.md"),
    *ROOT.glob("extensions/*/README.md"),
]
PACKAGE = "ansible_collections.graphops.intune.plugins"
SPECS: dict[str, dict[str, t.Any]] = {
    one.name: options.sync_spec(one.kind) if one.command == "sync" else options.info_spec(one.kind)
    for one in generate.modules()
} | {generate.OVERVIEW: OverviewCommand(KINDS).argument_spec(), generate.SIGN_IN: SignInCommand(KINDS).argument_spec()}
# They take no identity, and are no members of the action group.
PARTS_OF_THE_ROLE = (
    "fleet_sign_in",
    *(f"{what}_{part}" for what in ("exchange_connector", "tenant") for part in ("fleet", "member", "outcome")),
)
# What makes a host red.
WRONG = ("failed", "unreadable", "unknown", "obstacle")
TARGETS = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def documentation(module: str, part: str = "DOCUMENTATION") -> t.Any:
    return yaml.safe_load(getattr(importlib.import_module(f"{PACKAGE}.modules.{module}"), part))


def fragment(name: str) -> t.Any:
    found = importlib.import_module(f"{PACKAGE}.doc_fragments.{name.rsplit('.', 1)[-1]}")
    return yaml.safe_load(found.ModuleDocFragment.DOCUMENTATION)


def documented_options(module: str) -> dict[str, t.Any]:
    document = documentation(module)
    merged = dict(document["options"])
    for name in document["extends_documentation_fragment"]:
        shared = fragment(name)["options"]
        assert not set(shared) & set(merged), "documented twice"
        merged |= shared
    return merged


def test_every_module_is_looked_at() -> None:
    files = {path.stem for path in (ROOT / "plugins" / "modules").glob("*.py")}
    assert files == set(SPECS) | set(PARTS_OF_THE_ROLE)
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    assert set(runtime["action_groups"]["intune"]) == set(SPECS)


@pytest.mark.parametrize("module", SPECS)
def test_documentation_and_argument_spec_agree(module: str) -> None:
    def facts(option: dict[str, t.Any]) -> dict[str, t.Any]:
        names = ("type", "default", "choices", "elements", "required", "aliases")
        return {name: option[name] for name in names if name in option}

    spec = {name: facts(option) for name, option in SPECS[module].items()}
    assert {name: facts(option) for name, option in documented_options(module).items()} == spec


@pytest.mark.parametrize("module", SPECS)
def test_whatever_sounds_secret_is_hidden(module: str) -> None:
    for name, option in SPECS[module].items():
        if re.search(r"secret|password|token", name) and not name.endswith(("_path", "_id", "_ids", "_name")):
            assert option.get("no_log") is True, name
        if name.endswith(("_id", "_ids", "_name")):
            assert not option.get("no_log"), f"{name} is what a user looks for in the output"


@pytest.mark.parametrize("module", SPECS)
def test_numbers_have_a_unit(module: str) -> None:
    for name, option in documented_options(module).items():
        if option["type"] == "int":
            assert re.search("seconds|days|devices", " ".join(option["description"])), name


def tasks_of(text: str) -> t.Iterator[tuple[str, dict[str, t.Any]]]:
    """The tasks with our modules in a YAML text: tasks, or plays with tasks and module_defaults."""
    for entry in yaml.safe_load(text):
        for group, defaults in entry.get("module_defaults", {}).items():
            assert group == "group/graphops.intune.intune"
            yield "intune_exchange_connector_info", defaults
        for task in entry.get("tasks", [entry]):
            for key, arguments in task.items():
                if key.startswith("graphops.intune."):
                    yield key.rsplit(".", 1)[-1], arguments or {}


EXAMPLES = {
    **{f"EXAMPLES of {module}": importlib.import_module(f"{PACKAGE}.modules.{module}").EXAMPLES for module in SPECS},
    **{
        f"README, block {number}": block
        for number, block in enumerate(re.findall(r"```yaml\n(- .*?)```", README, re.DOTALL), start=1)
    },
    **{
        f"guide of a tenant, {name}": textwrap.dedent(block)
        for name, block in re.findall(r"^   # (\w+\.yml)\n(.*?)\n\n(?=\S)", TENANT_GUIDE, re.MULTILINE | re.DOTALL)
    },
    "AWX guide": textwrap.dedent(AWX_GUIDE.partition("# vpp_tokens.yml\n")[2].partition("\n\n   For")[0]),
    "demo": (ROOT / "tests" / "demo" / "playbook.yml").read_text(encoding="utf-8"),
}


@pytest.mark.parametrize("text", EXAMPLES.values(), ids=EXAMPLES)
def test_the_options_of_every_example_exist(text: str) -> None:
    tasks = list(tasks_of(text))
    assert tasks
    for module, arguments in tasks:
        spec = {name: {k: v for k, v in option.items() if k != "required"} for name, option in SPECS[module].items()}
        assert not ArgumentSpecValidator(spec).validate(arguments).error_messages, arguments


def test_every_environment_variable_is_documented() -> None:
    read = {
        name: set(variables)
        for name, variables in {**identity.IDENTITY_VARIABLES, **clouds.CLOUD_VARIABLES}.items()
        if variables
    }
    written = {
        name: set(re.findall(r"E\((AZURE\w+|MSGRAPH_\w+)\)", " ".join(option["description"])))
        for name, option in fragment("identity")["options"].items()
    }
    assert {name: variables for name, variables in written.items() if variables} == read


def test_the_ways_to_sign_in_are_the_same_everywhere() -> None:
    order = [method.source for method in METHODS]
    assert identity.identity_spec()["auth_source"]["choices"] == ["auto", *order]
    page = (RST / "sign_in.rst").read_text(encoding="utf-8")
    rows = page.partition(".. begin: ways to sign in\n")[2].partition(".. end: ways to sign in")[0]
    assert re.findall(r"^``(\w+)``$", rows, re.MULTILINE) == order
    assert "(docs/docsite/rst/sign_in.rst)" in README


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_pages_name_commands_and_files_that_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"(?:`|\$ )make ([a-z-]+)", text):
        assert target in TARGETS, target
    for module in re.findall(r"ansible-doc graphops\.intune\.(\w+)", text):
        assert module in SPECS
    for link in re.findall(r"\]\((?!https:)([^)]+)\)", text):
        assert (path.parent / link).is_file(), link
    for name in re.findall(r"`((?:changelogs|docs|extensions|meta|plugins|roles|tests)/[^`<]+)`", text):
        # What the page "Add a sync in two files" makes up, a test writes.
        assert "example_connector" in name or (ROOT / name).exists(), name


def test_versions_are_the_same_everywhere() -> None:
    galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
    assert galaxy["version"] == VERSION


def test_requirements_are_the_same_everywhere() -> None:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").split()
    assert fragment("identity")["requirements"] == ["python >= 3.9", *(line.replace(">=", " >= ") for line in lines)]
    environment = yaml.safe_load((ROOT / "meta" / "execution-environment.yml").read_text(encoding="utf-8"))
    assert (ROOT / environment["dependencies"]["python"]).read_text(encoding="utf-8").split() == lines
    for line in lines:
        library, version = line.split(">=")
        assert f"| {library} | {version} or later |" in README


def test_all_variables_of_the_environment_are_on_one_page() -> None:
    page = (RST / "environment.rst").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^   \* - ``([a-z_0-9]+)``\n     - (.*)$", page, re.MULTILINE))
    for option, variables in {**identity.IDENTITY_VARIABLES, **clouds.CLOUD_VARIABLES}.items():
        assert re.findall(r"``([A-Z_0-9]+)``", rows[option]) == list(variables), "in the order in which they count"
    written = [*(ROOT / "plugins").rglob("*.py"), *(ROOT / "roles").glob("*/meta/argument_specs.yml")]
    named = {name for path in written for name in re.findall(r"\bE\(([A-Za-z_]+)\)", path.read_text(encoding="utf-8"))}
    read = {name for method in (*METHODS, method_oidc.OF_RUNNER) for name in method.host_variables}
    assert named | read <= set(re.findall(r"``([A-Z_0-9]+)``", page))


ENVIRONMENT = "https://github.com/graphops/graphops.intune/blob/main/docs/docsite/rst/environment.rst"


def role_documentation(role: str) -> dict[str, t.Any]:
    specs = yaml.safe_load((ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    found: dict[str, t.Any] = specs["argument_specs"]["main"]
    return found


def test_who_reads_variables_leads_to_the_page_of_all() -> None:
    readers = [
        *(documentation(module) for module in SPECS),
        yaml.safe_load(exchange_connectors.DOCUMENTATION),
        yaml.safe_load(tenants.DOCUMENTATION),
        role_documentation("exchange_connector_sync"),
        role_documentation("tenant_sync"),
    ]
    for reader in readers:
        assert ENVIRONMENT in [link.get("link") for link in reader["seealso"]], reader["short_description"]
    assert "(docs/docsite/rst/environment.rst)" in README


@pytest.mark.parametrize(
    ("role", "playbook"),
    [("exchange_connector_sync", "sync_exchange_connectors.yml"), ("tenant_sync", "sync_tenants.yml")],
)
def test_the_example_of_the_role_is_the_task_of_the_playbook(role: str, playbook: str) -> None:
    readme = (ROOT / "roles" / role / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL)
    (shown,) = yaml.safe_load(block)
    (play,) = yaml.safe_load((ROOT / "playbooks" / playbook).read_text(encoding="utf-8"))
    assert shown["tasks"] == play["tasks"]
    assert yaml.safe_load(role_documentation(role)["examples"]) == [shown]


def test_the_example_of_the_set_up_has_the_variables_of_its_readme() -> None:
    readme = (ROOT / "roles" / "awx_setup" / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL)
    (play,) = yaml.safe_load(role_documentation("awx_setup")["examples"])
    assert [task["vars"] for task in play["tasks"]] == [yaml.safe_load(block)]


def test_what_is_no_module_for_users_says_so() -> None:
    for module in PARTS_OF_THE_ROLE:
        assert documentation(module)["short_description"].startswith("Internal, ")


@pytest.mark.parametrize("role", ["awx_setup", "exchange_connector_sync", "tenant_sync"])
def test_a_role_is_documented_by_what_every_ansible_doc_shows(role: str) -> None:
    """ansible-core 2.19 warns of attributes, and later versions do not show them; older ones show no examples."""
    known = {"short_description", "version_added", "author", "description", "examples", "seealso", "options"}
    assert set(role_documentation(role)) <= known


def states_of(module: str) -> set[str]:
    """The states that the documentation of a module tells."""
    said = documentation(module, "RETURN")["sync"]["contains"]["state"]["description"]
    return {re.findall(r"V\((\w+)\)", line)[0] for line in said}


class Row(t.NamedTuple):
    """A line of the table of states and outcomes.

    :param whose: ``tenants`` or ``connectors`` where it is true of one of the roles only; "" for both.
    """

    state: str
    outcome: str
    whose: str
    colour: str
    listed: str


def rows_of_states() -> list[Row]:
    table = DECIDES.partition("- ``sync.state``\n")[2]
    found = re.findall(r"^   \* -(.*)\n     - ``(\w+)``(.*)\n     - (.*)\n     - .*$", table, re.MULTILINE)
    rows = []
    for state, outcome, whose, cell in found:
        colour, _in, listed = cell.partition(", in ")
        rows.append(Row(state.strip(" `"), outcome, whose.strip(" ()"), colour, listed.strip("`")))
    return rows


def test_one_page_tells_of_all_states_and_links_lead_to_it() -> None:
    documented = set().union(*(states_of(module) for module in SPECS if module.endswith("_sync")))
    assert {row.state for row in rows_of_states()} - {""} == documented
    figure = DECIDES.partition(".. code-block:: text\n\n")[2].partition("\n\n-")[0]
    assert set(re.findall(r"-> (\w+)$", figure, re.MULTILINE)) == documented
    assert all(len(line) <= 48 for line in figure.splitlines()), "it is to be seen on a telephone"
    for name in ("guide_tenant", "guide_tenants", "guide_fleet"):
        assert "docsite.decides.states>`" in (RST / f"{name}.rst").read_text(encoding="utf-8"), name
    for path in (ROOT / "README.md", *ROOT.glob("roles/*_sync/README.md")):
        assert "docs/docsite/rst/decides.rst" in path.read_text(encoding="utf-8"), path


@pytest.mark.parametrize("whose", ["connectors", "tenants"])
def test_the_table_of_states_is_what_a_role_makes_of_each(whose: str) -> None:
    """The colours are those with the default of fail_on."""
    wide = whose == "tenants"
    fail_on = options.tenant_spec(KINDS)["fail_on"]["default"]
    states, outcomes = set(), set()
    for row in rows_of_states():
        # What a connector alone never has, it is not told of.
        if row.whose not in ("", whose) or row.outcome not in fleet_summary.outcomes_of(wide):
            continue
        trouble = row.outcome if row.outcome in ("obstacle", "unreadable") else ""
        if wide and row.outcome != "skipped":
            red = (trouble or "failed") in fail_on
            assert row.colour == "failed" if red and row.outcome in WRONG else row.colour in ("ok", "changed"), row
        found: dict[str, t.Any] = {"changed": row.colour == "changed"}
        if row.outcome == "skipped":
            found |= {"skipped": True, "msg": "why"}
        elif row.state:
            states.add(row.state)
            found |= {"sync": {"state": row.state, "reason": "why"}}
        if row.colour == "failed":
            found |= {"msg": "why"}
        about = fleet_summary.About("autopilot", {}, "", "", "", trouble) if wide else None
        entry = fleet_summary.entry("a", found, about=about)
        assert entry.outcome == row.outcome, row
        outcomes.add(row.outcome)
        of = fleet_summary.summary([entry], tenants={"a": "a"} if wide else None)
        assert [name for name in of["more"] if of[name]] == [row.listed][: bool(row.listed)], row
    assert outcomes == set(fleet_summary.outcomes_of(wide))
    kinds = options.tenant_kinds(KINDS) if wide else ["exchange_connector"]
    # Of a connector alone, which Graph does not tell that one runs, a role has no outcome for it.
    told = set().union(*(states_of(f"intune_{kind}_sync") for kind in kinds))
    assert states >= told


def test_the_summary_in_the_guide_of_tenants_is_that_of_a_run() -> None:
    shown = re.findall(r"^ {3,}\d+  (\w+) *(.*)$", TENANTS_GUIDE, re.MULTILINE)
    wanted = fleet_summary.outcomes_of(wide=True)
    counted = [(outcome, meaning) for outcome, meaning in shown if outcome in wanted]
    assert [outcome for outcome, _meaning in counted] == list(wanted)
    for outcome, meaning in counted:
        assert meaning in ("", wanted[outcome])
    names = TENANTS_GUIDE.partition("Its lists are those of the table")[2].partition(")")[0]
    assert tuple(re.findall(r"``(\w+)``", names)) == fleet_summary.LISTS_OF_TENANTS


def test_the_gauges_in_the_guide_of_tenants_are_those_of_the_report() -> None:
    about = fleet_summary.About("vpp_token", {}, "", "", "", expires_date_time="2026-12-01T00:00:00Z", days_left=4)
    one = fleet_summary.entry("a", {"sync": {"state": "fresh", "age": 1, "max_age": 2}}, about=about)
    text = prometheus_text.to_prometheus([one], report="r", finished="2026-11-27T00:00:00Z", tenants={"a": "a"})
    gauges = set(re.findall(r"^# TYPE (\w+) gauge$", text, re.MULTILINE))
    table = TENANTS_GUIDE.partition("- gauge\n")[2].partition("\n\n")[0]
    assert set(re.findall(r"``(intune_sync_\w+)``", table)) == gauges
    assert set(re.findall(r"\bintune_sync_\w+", TENANTS_GUIDE)) == gauges
    labels = {label for line in text.splitlines() for label in re.findall(r'(\w+)="', line)}
    assert set(re.findall(r"\$labels\.(\w+)", TENANTS_GUIDE)) <= labels
    told = TENANTS_GUIDE.partition("\nLabels are")[2].partition(". ")[0]
    assert {*re.findall(r"``(\w+)``", told), "outcome"} == labels


def test_what_the_guide_of_tenants_says_of_sign_ins_has_an_advice() -> None:
    told = set(re.findall(r"AADSTS(\d+)", TENANTS_GUIDE.partition("- The sentence says\n")[2]))
    assert len(told) >= 6
    assert told <= set(aadsts.ADVICE)


def test_what_the_package_says_leads_to_what_is_packed() -> None:
    """Galaxy shows README as it is in the package."""
    patterns = [line for line in (ROOT / "tests" / "tools" / "package.txt").read_text().splitlines() if line[:1] != "#"]
    for target in re.findall(r"\]\(([^)#]+)", README):
        here = target.partition("/graphops/graphops.intune/blob/main/")[2]
        if here:
            assert (ROOT / here).exists(), target
        elif "://" not in target:
            assert any(fnmatch.fnmatch(target, pattern) for pattern in patterns), target


def test_the_first_thing_that_is_run_is_there() -> None:
    """What a newcomer copies, on a machine with what the README asks for."""
    first, demo, *_others = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    assert len(first.splitlines()) == 5
    assert re.findall(r"git clone|cd |make demo", demo) == ["git clone", "cd ", "make demo"]
    assert "Python 3.9 or later" in README[: README.index(demo)]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "sys.version_info >= (3, 9)" in makefile
    assert "links within them" in makefile
    assert "links within them" in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
