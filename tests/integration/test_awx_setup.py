# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook awx_setup by the real modules of awx.awx, against a fake of AWX's API."""

from __future__ import annotations

import copy
import json
import os
import pickle
import re
import shutil
import subprocess
import textwrap
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from awx_api import Call, Controller, World
from awx_api.collection import ROOT, awx_collections

from .conftest import BIN, Run, Site, ansible_playbook, clean_environment, once

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
# Together these take a quarter of the time of all tests, for what seldom changes: they are for make test-all.
LONG = pytest.mark.exhaustive

PLAYBOOK = "graphops.intune.awx_setup"
PROJECT = ROOT / "extensions" / "awx_project"
SECRET = "the-app's-secret-5e0d"
OURS = "Microsoft Graph for Intune"
AZURE = "Microsoft Azure Resource Manager"
DELTA = "Synchronise Exchange connectors, delta"
FULL = "Synchronise Exchange connectors, full"
REPORT = "Report on Exchange connectors"
CHECK = "Check sign-in for Exchange connectors"
WORKFLOW = "Synchronise Exchange connectors every night"
SOURCE = "Exchange connectors of Intune"
ENVIRONMENT = "Exchange connectors of Default"
USUAL = {
    "awx_setup_project_url": "https://git.example/connectors.git",
    "awx_setup_execution_environment_image": "registry.example/intune-ee:1.0",
    "awx_setup_credential_inputs": {"tenant": "contoso.example", "client_id": "6a1e0c1c", "secret": SECRET},
}


@dataclass
class Awx:
    """An AWX, and a way to run the playbook for it."""

    world: World
    collections: Path
    folder: Path
    other: Path
    """The folder of collections with the modules for AWX."""

    def run(self, *arguments: str, **variables: t.Any) -> Run:
        """Run the playbook with variables whose names begin with awx_setup."""
        given = {f"awx_setup_{name}": value for name, value in variables.items()}
        file = self.folder / "variables.json"
        file.write_text(json.dumps(given))
        self.world.calls.clear()
        with Controller(self.world) as controller:
            run = ansible_playbook(
                PLAYBOOK,
                "--extra-vars",
                f"@{file}",
                *arguments,
                site=self,
                environment={
                    "ANSIBLE_COLLECTIONS_PATH": f"{self.collections}{os.pathsep}{self.other}",
                    "CONTROLLER_HOST": controller.url,
                    "CONTROLLER_USERNAME": self.world.username,
                    "CONTROLLER_PASSWORD": self.world.password,
                    "HOME": str(self.folder),
                },
            )
        assert not self.world.tokens, "the modules sign out"
        for secret in (SECRET, self.world.password, *self.world.issued):
            assert secret not in run.output
            assert secret not in str(run.results)
        return run

    @property
    def writes(self) -> list[Call]:
        """The requests of the last run that change something."""
        return [call for call in self.world.calls if call.method != "GET"]

    def values(self, kind: str, name: str) -> dict[str, t.Any]:
        """The fields of the only object of this name, with names in place of ids."""
        thing = self.world.one(kind, name=name)
        shown = dict(thing.values)
        for field in ("organization", "project", "inventory", "credential", "execution_environment", "source_project"):
            if isinstance(shown.get(field), int):
                kinds = {"source_project": "project"}
                found = self.world.get((kinds.get(field, field),), shown[field])
                shown[field] = found.values["name"] if found else None
        return shown

    def listed(self, kind: str, name: str, related: str) -> list[str]:
        """The names of what is in a related list."""
        thing = self.world.one(kind, name=name)
        return [
            other.values["name"]
            for other in self.world.things
            if other.id in thing.lists[related] and related_to(related, other.kind)
        ]

    @property
    def names(self) -> list[tuple[str, str]]:
        """Everything there is."""
        return [(thing.kind, thing.values.get("name") or thing.values["identifier"]) for thing in self.world.things]


def related_to(related: str, kind: str) -> bool:
    return kind == ("credential" if related == "credentials" else "notification_template")


def changed(run: Run) -> int:
    (found,) = re.findall(r"^localhost +: ok=\d+ +changed=(\d+)", run.output, re.MULTILINE)
    return int(found)


def usual(**changes: t.Any) -> dict[str, t.Any]:
    """The variables of a plain set-up; a change to None leaves one out."""
    given = {**{name.removeprefix("awx_setup_"): value for name, value in USUAL.items()}, **changes}
    return {name: value for name, value in given.items() if value is not None}


@pytest.fixture
def awx(installed: Path, tmp_path: Path) -> Awx:
    """An AWX with an organization and nothing in it."""
    return Awx(World(PROJECT), installed, tmp_path, awx_collections())


@pytest.fixture(scope="module")
def first(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Run]:
    """What a plain set-up makes of an empty organization, told at length."""
    with once(tmp_path_factory, "awx-set-up") as folder:
        kept = folder / "pickled"
        if not kept.exists():
            awx = Awx(World(PROJECT), installed, folder, awx_collections())
            run = awx.run("-vvv", **usual())
            assert run.code == 0, run.output
            kept.write_bytes(pickle.dumps((awx.world, run)))
        made: tuple[World, Run] = pickle.loads(kept.read_bytes())  # noqa: S301
        return made


@pytest.fixture
def made(awx: Awx, first: tuple[World, Run]) -> Awx:
    """An AWX that was set up."""
    awx.world = copy.deepcopy(first[0])
    return awx


def test_everything_is_made(made: Awx, first: tuple[World, Run]) -> None:
    assert changed(first[1]) == 10
    assert made.names == [
        ("organization", "Default"),
        ("credential_type", AZURE),
        ("credential_type", OURS),
        ("credential", "Exchange connectors"),
        ("execution_environment", ENVIRONMENT),
        ("project", "Exchange connectors"),
        ("inventory", "Exchange connectors"),
        ("inventory_source", SOURCE),
        ("job_template", DELTA),
        ("job_template", FULL),
        ("job_template", REPORT),
        ("job_template", CHECK),
        ("workflow_job_template", WORKFLOW),
        ("workflow_job_template_node", "report"),
        ("workflow_job_template_node", "synchronise"),
        ("workflow_job_template_node", "inventory"),
        ("schedule", "Read the Exchange connectors"),
        ("schedule", "Synchronise what has changed"),
        ("schedule", "Synchronise everything"),
    ]


TENANTS = [
    ("inventory", "Tenants"),
    ("inventory_source", "Tenants of Intune"),
    ("job_template", "Synchronise tenants"),
    ("job_template", "Report on tenants"),
    ("job_template", "Check sign-in"),
    ("workflow_job_template", "Synchronise tenants every night"),
    ("workflow_job_template_node", "report"),
    ("workflow_job_template_node", "synchronise"),
    ("workflow_job_template_node", "inventory"),
    ("schedule", "Read the tenants"),
    ("schedule", "Synchronise all tenants"),
]


def test_tenants_are_set_up_beside_connectors(made: Awx) -> None:
    before = made.names
    run = made.run(**usual(fleets="connectors,tenants", job_slice_count=3))
    assert run.code == 0, run.output
    assert made.names == [*before, *TENANTS]
    source = made.values("inventory_source", "Tenants of Intune")
    assert (source["inventory"], source["source_path"], source["overwrite"]) == ("Tenants", "all.tenants.yml", True)
    usual_questions = ["tenants_only", "tenant_sync_kinds", "tenant_sync_max_age"]
    for name, playbook, questions in (
        ("Synchronise tenants", "sync_tenants.yml", usual_questions),
        ("Report on tenants", "tenant_report.yml", usual_questions),
        ("Check sign-in", "check_sign_in.yml", ["sign_in_hosts", "sign_in_probe"]),
    ):
        template = made.values("job_template", name)
        assert (template["playbook"], template["inventory"]) == (playbook, "Tenants")
        asked = [question["variable"] for question in made.world.one("job_template", name=name).survey["spec"]]
        assert asked[:3] == questions
        asks = [field for field, value in template.items() if field.startswith("ask_") and value]
        assert asks == ["ask_job_type_on_launch"]
        assert template["job_slice_count"] == 1, "a slice does not know the tenants of another one"
        assert made.listed("job_template", name, "credentials") == ["Exchange connectors"]
        thing = made.world.one("job_template", name=name)
        assert made.world.extra_variables(thing, {}) == json.loads(template["extra_vars"]), "and nothing that is empty"
    # A schedule of one's own says by the survey what it is for.
    made.world.add(
        "schedule",
        name="those of Berlin",
        unified_job_template=made.world.one("job_template", name="Synchronise tenants").id,
        rrule="DTSTART;TZID=UTC:20260101T000000 RRULE:FREQ=DAILY;INTERVAL=1",
        extra_data={"tenants_only": "berlin, potsdam", "tenant_sync_kinds": ["vpp_token"]},
    )
    assert "Synchronise tenants every night" in run.output
    assert "it reads the tenants into the inventory" in run.output


@LONG
def test_tenants_are_set_up_alone_and_removed_alone(awx: Awx) -> None:
    assert awx.run(**usual(fleets=["tenants"])).code == 0
    assert [name for name in awx.names if name in TENANTS] == TENANTS
    assert not [name for _kind, name in awx.names if "onnectors" in name]
    assert awx.values("job_template", "Check sign-in")["project"] == "Tenants"
    again = awx.run(**usual(fleets="tenants"))
    assert changed(again) == 0
    assert awx.run(**usual(fleets=["tenants"], state="absent")).code == 0
    assert awx.names == [("organization", "Default"), ("credential_type", AZURE)]
    assert awx.run(**usual(fleets=["connectors", "tenants"])).code == 0
    connectors = [name for name in awx.names if name not in TENANTS[:6]]
    run = awx.run(**usual(fleets=["tenants"], state="absent"))
    assert (run.code, changed(run)) == (0, 3), run.output
    assert f"were left, as the workflow {WORKFLOW} is there" in " ".join(run.output.split())
    assert [name for name in connectors if name not in awx.names and name not in TENANTS] == []
    assert not {*TENANTS[:6]} & {*awx.names}
    assert awx.values("job_template", DELTA)["project"] == "Exchange connectors"
    assert awx.listed("job_template", DELTA, "credentials") == ["Exchange connectors"]
    run = awx.run(**usual(state="absent"))
    assert (run.code, awx.names) == (0, [("organization", "Default"), ("credential_type", AZURE)]), run.output


def test_the_credential_is_as_given(made: Awx) -> None:
    injectors = made.values("credential_type", OURS)["injectors"]
    assert injectors["env"]["AZURE_SECRET"] == "{{ secret }}", "AWX's template, and not filled in by Ansible"
    credential = made.values("credential", "Exchange connectors")
    assert credential["inputs"] == USUAL["awx_setup_credential_inputs"]
    assert credential["organization"] == "Default"


def test_the_project_and_the_inventory_are_as_wanted(made: Awx) -> None:
    environment = made.values("execution_environment", ENVIRONMENT)
    assert (environment["image"], environment["pull"]) == ("registry.example/intune-ee:1.0", "missing")
    project = made.values("project", "Exchange connectors")
    assert (project["scm_type"], project["scm_update_on_launch"]) == ("git", True)
    source = made.values("inventory_source", SOURCE)
    wanted = {
        "inventory": "Exchange connectors",
        "source": "scm",
        "source_project": "Exchange connectors",
        "source_path": "all.exchange_connectors.yml",
        "credential": "Exchange connectors",
        "execution_environment": ENVIRONMENT,
        "overwrite": True,
        "update_on_launch": False,
    }
    assert {name: source[name] for name in wanted} == wanted


@pytest.mark.parametrize(
    ("name", "playbook", "variables"),
    [
        (
            DELTA,
            "sync_exchange_connectors.yml",
            {"exchange_connector_sync_sync_type": "deltaSync", "exchange_connector_sync_wait_timeout": 900},
        ),
        (
            FULL,
            "sync_exchange_connectors.yml",
            {"exchange_connector_sync_sync_type": "fullSync", "exchange_connector_sync_wait_timeout": 900},
        ),
        (REPORT, "exchange_connector_report.yml", {}),
        (CHECK, "check_sign_in.yml", {}),
    ],
)
def test_job_templates_are_as_wanted(made: Awx, name: str, playbook: str, variables: dict[str, t.Any]) -> None:
    template = made.values("job_template", name)
    assert json.loads(template.pop("extra_vars")) == variables
    wanted = {
        "organization": "Default",
        "project": "Exchange connectors",
        "inventory": "Exchange connectors",
        "execution_environment": ENVIRONMENT,
        "playbook": playbook,
        "job_type": "run",
        "verbosity": 0,
        "timeout": 1800,
        "job_slice_count": 1,
        "allow_simultaneous": False,
        "survey_enabled": True,
    }
    assert {field: template[field] for field in wanted} == wanted
    assert made.listed("job_template", name, "credentials") == ["Exchange connectors"]
    asks = {field for field, value in template.items() if field.startswith("ask_") and value}
    assert asks == {"ask_job_type_on_launch"} | ({"ask_job_slice_count_on_launch"} if name != CHECK else set())
    thing = made.world.one("job_template", name=name)
    hosts = thing.survey["spec"][0]
    assert (hosts["variable"], hosts["type"]) == ("sign_in_hosts" if name == CHECK else "connectors_hosts", "text")
    assert [question["required"] for question in thing.survey["spec"]] == [False] * len(thing.survey["spec"]) != []
    assert made.world.extra_variables(thing, {}) == variables, "and nothing that hides a variable of the inventory"


# Signing in without a secret

POD = {"container_group_service_account": "intune-sync", "credential_inputs": None}
GROUP = "Exchange connectors of Default"


def test_jobs_and_updates_run_in_a_pod_that_workload_identity_knows(awx: Awx) -> None:
    """The job templates and the inventory have the container group and no credential."""
    run = awx.run(**usual(**POD, container_group_namespace="awx-jobs"))
    assert run.code == 0, run.output
    group = awx.world.one("instance_group")
    assert (group.values["name"], group.values["is_container_group"], group.values["credential"]) == (GROUP, True, None)
    pod = yaml.safe_load(group.values["pod_spec_override"])
    assert pod["metadata"] == {"namespace": "awx-jobs", "labels": {"azure.workload.identity/use": "true"}}
    assert pod["spec"]["serviceAccountName"] == "intune-sync"
    # What AWX itself has there, as it replaces the list.
    (container,) = pod["spec"]["containers"]
    assert container["name"] == "worker"
    assert container["args"] == ["ansible-runner", "worker", "--private-data-dir=/runner"]
    assert container["resources"] == {"requests": {"cpu": "250m", "memory": "100Mi"}}
    assert {"image"} == set(container) - {"name", "args", "resources"}
    for thing in (*awx.world.find("job_template"), *awx.world.find("inventory")):
        assert (thing.lists["instance_groups"], thing.values["prevent_instance_group_fallback"]) == ([group.id], True)
    assert len(awx.world.find("job_template")) == 4
    assert not awx.world.find("credential")
    assert not awx.world.find("credential_type", name=OURS)
    assert "Jobs sign in as the service account intune-sync of their pod." in " ".join(run.output.split())


@LONG
def test_a_container_group_is_left_as_it_is_and_removed_with_the_last_fleet(awx: Awx) -> None:
    """A second run changes nothing, and the state absent leaves it to the fleet that stays."""
    variables = usual(**POD, fleets=["connectors", "tenants"])
    run = awx.run(**variables)
    assert run.code == 0, run.output
    again = awx.run(**variables)
    assert (again.code, changed(again), awx.writes) == (0, 0, []), again.output
    run = awx.run(**usual(**POD, fleets=["tenants"], state="absent"))
    assert (run.code, len(awx.world.find("instance_group"))) == (0, 1), run.output
    run = awx.run(**usual(**POD, state="absent"))
    assert (run.code, awx.names) == (0, [("organization", "Default"), ("credential_type", AZURE)]), run.output


@LONG
def test_a_credential_of_an_earlier_run_is_taken_from_jobs_and_told_of(made: Awx) -> None:
    """It would win over what the pod has; from the source of an inventory, AWX's module cannot take it."""
    run = made.run(**usual(**POD))
    assert run.code == 0, run.output
    assert made.listed("job_template", DELTA, "credentials") == []
    said = " ".join(run.output.split())
    assert "The credential Exchange connectors of an earlier run is still there." in said
    made.world.remove(made.world.one("credential"))
    again = made.run(**usual(**POD))
    assert (again.code, changed(again)) == (0, 0), again.output
    assert "of an earlier run is still there" not in " ".join(again.output.split())
    assert made.values("inventory_source", SOURCE)["credential"] is None


@LONG
def test_a_container_group_that_is_there_may_be_named_and_one_may_be_elsewhere(awx: Awx) -> None:
    """An administrator of an organization can use one; one in another cluster has a credential for it."""
    world = awx.world
    mine = world.add("instance_group", name="mine", is_container_group=True, pod_spec_override="spec: {}")
    world.is_administrator = False
    azure = world.one("credential_type", name=AZURE).id
    world.add("credential", name="of Azure", credential_type=azure, organization=1)
    named = {"credential_inputs": None, "credential": "of Azure", "container_group": "mine"}
    run = awx.run(**usual(**named))
    assert run.code == 0, run.output
    assert world.one("job_template", name=DELTA).lists["instance_groups"] == [mine.id]
    assert awx.listed("job_template", DELTA, "credentials") == ["of Azure"]
    assert awx.run(**usual(**named, state="absent")).code == 0
    assert world.one("instance_group") is mine
    world.is_administrator = True
    name = "OpenShift or Kubernetes API Bearer Token"
    kind = world.add("credential_type", name=name, kind="kubernetes", inputs={"fields": []})
    cluster = world.add("credential", name="cluster", credential_type=kind.id, organization=1)
    run = awx.run(**usual(**POD, container_group_name="pods", container_group_credential="cluster"))
    assert run.code == 0, run.output
    assert world.one("instance_group", name="pods").values["credential"] == cluster.id


@LONG
def test_a_project_of_an_earlier_release_lacks_a_template_and_is_told_of(awx: Awx, tmp_path: Path) -> None:
    """Everything else is made; with the playbook, the template follows."""
    project = tmp_path / "project"
    shutil.copytree(PROJECT, project)
    (project / "check_sign_in.yml").unlink()
    awx.world = World(project)
    run = awx.run(**usual())
    assert run.code == 0, run.output
    assert "has no playbook check_sign_in.yml, so there is no job template" in " ".join(run.output.split())
    assert not awx.world.find("job_template", name=CHECK)
    assert awx.world.one("schedule", name="Synchronise everything")
    shutil.copy(PROJECT / "check_sign_in.yml", project)
    again = awx.run(**usual())
    assert (again.code, changed(again)) == (0, 1), again.output
    assert awx.world.one("job_template", name=CHECK)
    (project / "sync_exchange_connectors.yml").unlink()
    run = awx.run(**usual(full_name="another"))
    assert run.code == 2
    assert "Playbook not found" in run.output


# By each of these, whoever may only launch reads the credential, or has it sent elsewhere.
DANGEROUS = (
    "credential",
    "execution_environment",
    "instance_groups",
    "inventory",
    "limit",
    "scm_branch",
    "variables",
)


def test_launchers_are_not_asked_for_what_reads_the_credential(made: Awx) -> None:
    """Nor any more, where an earlier release or somebody in AWX has had them asked."""
    template = made.world.one("job_template", name=DELTA)
    before = dict(template.values)
    template.values |= {f"ask_{name}_on_launch": True for name in (*DANGEROUS, "labels")}
    # A schedule of one's own says by the survey which connectors it is for.
    made.world.add(
        "schedule",
        name="those of Berlin",
        unified_job_template=template.id,
        rrule="DTSTART;TZID=UTC:20260101T000000 RRULE:FREQ=DAILY;INTERVAL=1",
        extra_data={"connectors_hosts": "berlin-*"},
    )
    run = made.run(**usual())
    assert (run.code, changed(run)) == (0, 1), run.output
    assert template.values == {**before, "ask_labels_on_launch": True}, "what does no harm is left as it is"
    assert made.world.one("schedule", name="those of Berlin").values["extra_data"] == {"connectors_hosts": "berlin-*"}


def test_the_workflow_runs_one_after_the_other(made: Awx) -> None:
    nodes = {thing.values["identifier"]: thing for thing in made.world.find("workflow_job_template_node")}
    ids = {name: thing.id for name, thing in nodes.items()}
    runs = {
        "inventory": made.world.one("inventory_source", name=SOURCE),
        "synchronise": made.world.one("job_template", name=FULL),
        "report": made.world.one("job_template", name=REPORT),
    }
    for name, thing in runs.items():
        assert nodes[name].values["unified_job_template"] == thing.id
    follow = {name: {kind: ids for kind, ids in thing.lists.items() if ids} for name, thing in nodes.items()}
    assert follow == {
        "inventory": {"success_nodes": [ids["synchronise"]]},
        "synchronise": {"failure_nodes": [ids["report"]]},
        "report": {},
    }
    assert nodes["report"].values["extra_data"] == {"connectors_report_fails": "true"}


def test_schedules_run_what_they_should(made: Awx) -> None:
    def schedule(name: str) -> tuple[str, str, bool]:
        found = made.world.one("schedule", name=name).values
        runs = next(thing for thing in made.world.things if thing.id == found["unified_job_template"])
        return runs.values["name"], found["rrule"], found["enabled"]

    assert schedule("Read the Exchange connectors") == (
        SOURCE,
        "DTSTART;TZID=UTC:20260101T043000 RRULE:FREQ=HOURLY;INTERVAL=6",
        True,
    )
    assert schedule("Synchronise what has changed") == (
        DELTA,
        "DTSTART;TZID=UTC:20260101T000000 RRULE:FREQ=HOURLY;INTERVAL=2",
        True,
    )
    assert schedule("Synchronise everything") == (
        WORKFLOW,
        "DTSTART;TZID=UTC:20260101T050000 RRULE:FREQ=DAILY;INTERVAL=1",
        True,
    )


def test_the_scheduled_delta_finds_what_the_one_before_it_has_done_too_old(made: Awx) -> None:
    answers = {thing.values["name"]: thing.values["extra_data"] for thing in made.world.find("schedule")}
    assert answers == {
        "Read the Exchange connectors": {},
        "Synchronise what has changed": {"exchange_connector_sync_max_age": 5400},
        "Synchronise everything": {},
    }


def test_an_update_of_the_inventory_finds_the_collection_of_the_project(made: Awx, site: Site) -> None:
    source = json.loads(made.values("inventory_source", SOURCE)["source_vars"])
    # What AWX gives itself, and what it exports of the source, with another folder in the place of the container's.
    told = {"ANSIBLE_COLLECTIONS_PATHS": "/runner/requirements_collections:/usr/share/ansible/collections", **source}
    environment = {
        name: value.replace("/runner/requirements_collections", str(site.collections)) for name, value in told.items()
    }
    usual_path = clean_environment(site.collections)
    del usual_path["ANSIBLE_COLLECTIONS_PATH"]
    done = subprocess.run(
        [str(BIN / "ansible-inventory"), "--list", "--export", "-i", str(PROJECT / "all.exchange_connectors.yml")],
        env={**usual_path, **environment, **injected(site), "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True"},
        cwd=site.folder,
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["_meta"]["hostvars"]) == 1


def test_the_end_says_what_to_do_next(first: tuple[World, Run]) -> None:
    world, run = first
    said = " ".join(run.results[-1]["msg"])
    assert f'Launch the workflow "{WORKFLOW}" (id {world.one("workflow_job_template").id})' in said


@LONG
def test_the_modules_of_ansible_controller_change_nothing_and_no_secret_unless_asked_for(
    made: Awx, tmp_path: Path
) -> None:
    place = tmp_path / "collections" / "ansible_collections" / "ansible"
    place.mkdir(parents=True)
    (place / "controller").symlink_to(made.other / "ansible_collections" / "awx" / "awx")
    made.other = tmp_path / "collections"
    inputs = {**USUAL["awx_setup_credential_inputs"], "secret": f"{SECRET}-2"}
    run = made.run("-vvv", **usual(credential_inputs=inputs))
    assert (run.code, changed(run), made.writes) == (0, 0, []), run.output
    assert "awx.awx" not in run.output
    assert made.values("credential", "Exchange connectors")["inputs"]["secret"] == SECRET
    made.run(**usual(credential_inputs=inputs, update_secrets=True))
    assert made.values("credential", "Exchange connectors")["inputs"]["secret"] == f"{SECRET}-2"


def test_check_mode_writes_nothing(awx: Awx) -> None:
    run = awx.run("--check", **usual())
    assert run.code == 0, run.output
    assert awx.writes == []
    assert changed(run) == 5, "those that need only the organization"
    assert run.results[-1]["msg"] == "What was skipped would be made upon objects that are not there yet."


@LONG
def test_check_mode_predicts_changes(made: Awx) -> None:
    run = made.run("--check", **usual(job_slice_count=3, workflow_rrule=""))
    assert run.code == 0, run.output
    assert changed(run) == 2
    assert made.writes == []


@LONG
def test_what_is_different_is_changed_and_no_more_and_is_taken_back_as_far_as_its_modules_can(made: Awx) -> None:
    run = made.run(**usual(job_slice_count=3, inventory_rrule="", delta_max_age=600, project_branch="release"))
    assert run.code == 0, run.output
    assert sorted(call.method for call in made.writes) == ["DELETE", *["PATCH"] * 5]
    assert made.values("project", "Exchange connectors")["scm_branch"] == "release"
    assert made.values("job_template", DELTA)["job_slice_count"] == 3
    assert not made.world.find("schedule", name="Read the Exchange connectors")
    delta = made.world.one("schedule", name="Synchronise what has changed").values["extra_data"]
    assert delta == {"exchange_connector_sync_max_age": 600}
    run = made.run(**usual(credential_inputs=None, execution_environment_image=None))
    assert run.code == 0, run.output
    assert made.values("project", "Exchange connectors")["scm_branch"] == ""
    # As the role's documentation says.
    assert made.values("inventory_source", SOURCE)["credential"] == "Exchange connectors"
    for kind, name in (("inventory_source", SOURCE), ("job_template", DELTA)):
        assert made.values(kind, name)["execution_environment"] == ENVIRONMENT
    assert made.listed("job_template", DELTA, "credentials") == ["Exchange connectors"]


@LONG
def test_organizations_do_not_meet(made: Awx) -> None:
    before = [copy.deepcopy(thing.values) for thing in made.world.things]
    other = made.world.add("organization", name="Other")
    run = made.run(**usual(organization="Other"))
    assert run.code == 0, run.output
    assert len(made.world.find("inventory", organization=other.id)) == 1
    run = made.run(**usual(organization="Other", state="absent"))
    assert run.code == 0, run.output
    made.world.things.remove(other)
    assert [thing.values for thing in made.world.things] == before


def test_absent_removes_what_was_made(made: Awx) -> None:
    world = made.world
    other = world.add("organization", name="Other")
    for kind in ("project", "inventory", "job_template", "workflow_job_template"):
        rules = {
            "project": {"scm_type": "git", "scm_url": "https://git.example/others.git"},
            "job_template": {"playbook": "sync_exchange_connectors.yml", "project": 1},
        }
        name = {"job_template": DELTA, "workflow_job_template": WORKFLOW}.get(kind, "Exchange connectors")
        world.add(kind, name=name, organization=other.id, **rules.get(kind, {}))
        world.add(kind, name="of others", organization=1, **rules.get(kind, {}))
    azure = world.one("credential_type", name=AZURE).id
    for organization in (1, other.id):
        world.add("credential", name="Exchange connectors", credential_type=azure, organization=organization)
    foreign = [thing for thing in world.things if thing.values.get("organization") == other.id]
    foreign += [thing for thing in world.things if thing.values.get("name") == "of others"]
    foreign += world.find("credential", credential_type=azure)
    predicted = made.run("--check", **usual(state="absent"))
    assert (predicted.code, made.writes) == (0, []), predicted.output
    run = made.run(**usual(state="absent"))
    assert (run.code, changed(run)) == (0, 7), run.output
    left = [thing for thing in world.things if thing not in foreign]
    assert [(thing.kind, thing.values["name"]) for thing in left] == [
        ("organization", "Default"),
        ("credential_type", AZURE),
        ("organization", "Other"),
    ]
    assert all(thing in world.things for thing in foreign)
    again = made.run(**usual(state="absent"))
    assert (again.code, changed(again), made.writes) == (0, 0, [])


@LONG
def test_absent_leaves_a_credential_that_it_would_not_make(made: Awx) -> None:
    run = made.run(**usual(state="absent", credential_inputs=None))
    assert run.code == 0, run.output
    assert made.names[1:] == [
        ("credential_type", AZURE),
        ("credential_type", OURS),
        ("credential", "Exchange connectors"),
    ]


@LONG
def test_absent_waits_for_what_others_remove_and_leaves_what_they_use(made: Awx) -> None:
    world = made.world
    world.remove(world.one("inventory"))
    assert world.one("inventory")
    kind = world.one("credential_type", name=OURS).id
    world.add("credential", name="mine", credential_type=kind, organization=1)
    # The workflow, the job templates, the project, the execution environment and the credential.
    run = made.run(**usual(state="absent"))
    assert (run.code, changed(run)) == (0, 5), run.output
    assert not world.find("inventory")
    assert f"The credential type {OURS} was left" in run.output
    assert made.names[1:] == [("credential_type", AZURE), ("credential_type", OURS), ("credential", "mine")]


@LONG
def test_absent_leaves_what_is_named_as_existing(made: Awx) -> None:
    names = {"credential": "Exchange connectors", "execution_environment": ENVIRONMENT}
    without = {"credential_inputs": None, "execution_environment_image": None}
    run = made.run(**usual(state="absent", **names, **without))
    assert run.code == 0, run.output
    assert made.names[2:] == [
        ("credential_type", OURS),
        ("credential", "Exchange connectors"),
        ("execution_environment", ENVIRONMENT),
    ]


@LONG
def test_an_administrator_of_an_organization_can_use_what_there_is(awx: Awx) -> None:
    world = awx.world
    team = world.add("organization", name="Messaging")
    azure = world.one("credential_type", name=AZURE).id
    mine = world.add("credential", name="mine", credential_type=azure, organization=team.id)
    world.add("credential", name="mine", credential_type=azure)
    world.add("execution_environment", name="intune", image="registry.example/x")
    world.add("notification_template", name="on call", organization=team.id)
    git = {"scm_type": "git", "scm_url": "https://git.example/inventories.git"}
    world.add("project", name="inventories", organization=team.id, **git)
    world.is_administrator = False
    variables = {
        "organization": "Messaging",
        "credential": str(mine.id),
        "execution_environment": "intune",
        "project_local_path": "connectors",
        "inventory_project": "inventories",
        "notifications_error": ["on call"],
        "job_slice_count": 4,
        "wait_timeout": 3600,
        "time_zone": "Europe/Berlin",
        "schedules_enabled": False,
        "inventory_update_on_launch": True,
    }
    run = awx.run(**variables)
    assert run.code == 0, run.output
    project = awx.values("project", "Exchange connectors")
    assert (project["scm_type"], project["local_path"], project["organization"]) == ("", "connectors", "Messaging")
    source = world.one("inventory_source", name=SOURCE)
    assert (source.values["credential"], source.values["update_on_launch"]) == (mine.id, True)
    assert awx.values("inventory_source", SOURCE)["source_project"] == "inventories"
    for name in (DELTA, FULL):
        template = awx.values("job_template", name)
        assert (template["job_slice_count"], template["timeout"]) == (4, 4500)
        assert template["execution_environment"] == "intune"
        assert world.one("job_template", name=name).lists["credentials"] == [mine.id]
        assert awx.listed("job_template", name, "notification_templates_error") == ["on call"]
    assert awx.listed("inventory_source", SOURCE, "notification_templates_error") == ["on call"]
    assert awx.listed("job_template", REPORT, "notification_templates_error") == []
    for schedule in world.find("schedule"):
        assert schedule.values["rrule"].startswith("DTSTART;TZID=Europe/Berlin:")
        assert schedule.values["enabled"] is False
    assert not world.find("credential_type", name=OURS)
    again = awx.run(**variables)
    assert (again.code, changed(again), awx.writes) == (0, 0, []), again.output


def test_a_manual_project_is_not_enough_for_an_inventory(awx: Awx) -> None:
    run = awx.run(**usual(project_url=None, project_local_path="connectors"))
    assert run.code == 2
    assert awx.world.calls == []
    assert run.results[-1]["msg"] == (
        "AWX takes no inventory from a manual project: name a Git project with its file in awx_setup_inventory_project."
    )


@LONG
def test_an_inventory_may_come_from_another_project_and_a_credential_later(awx: Awx) -> None:
    other = awx.world.add(
        "project", name="inventories", organization=1, scm_type="git", scm_url="https://git.example/i"
    )
    run = awx.run(**usual(inventory_project="inventories", credential_inputs=None))
    assert run.code == 0, run.output
    assert awx.world.find("credential_type", name=OURS)
    assert awx.listed("job_template", DELTA, "credentials") == []
    assert f"make a credential of the type {OURS}" in run.output
    assert awx.values("inventory_source", SOURCE)["source_project"] == "inventories"
    assert awx.values("job_template", DELTA)["project"] == "Exchange connectors"
    again = awx.run("--check", **usual(inventory_project=other.id, credential_inputs=None))
    assert (again.code, changed(again), awx.writes) == (0, 0, []), again.output


def test_what_does_not_fit_is_told_before_anything_is_asked(awx: Awx) -> None:
    run = awx.run(
        **usual(
            project_url=None,
            credential="mine",
            execution_environment="x",
            container_group="y",
            container_group_service_account="z",
            job_timeout=900,
            full_name=DELTA,
        )
    )
    assert run.code == 2
    assert awx.world.calls == []
    assert run.results[-1]["msg"] == (
        "Give awx_setup_project_url or awx_setup_project_local_path, and not both. "
        "Give awx_setup_credential or awx_setup_credential_inputs, and not both. "
        "Give awx_setup_execution_environment or awx_setup_execution_environment_image, and not both. "
        "Give awx_setup_container_group or awx_setup_container_group_service_account, and not both. "
        "Jobs are to sign in as awx_setup_container_group_service_account: give neither awx_setup_credential nor "
        "awx_setup_credential_inputs, as what a credential sets wins over what the pod has. "
        "AWX would end a job that still waits: awx_setup_job_timeout must be more than awx_setup_wait_timeout. "
        "The project, the sources of inventories, the job templates and the workflows need names of their own."
    )


@pytest.mark.parametrize(
    ("inputs", "why"),
    [
        ({"secret": SECRET, "cloud_environment": "AzureMoonCloud"}, "Unable to create credential Exchange connectors"),
        ({"secret": SECRET, "sekret": SECRET}, "Unable to create credential Exchange connectors"),
        (SECRET, "awx_setup_credential_inputs"),
    ],
    ids=["choice", "field", "no dictionary"],
)
def test_a_refused_credential_shows_no_secret(awx: Awx, inputs: t.Any, why: str) -> None:
    run = awx.run("-vvv", **usual(credential_inputs=inputs))
    assert run.code == 2
    assert why in run.output


@LONG
def test_a_wrong_time_zone_is_refused_by_awx(made: Awx) -> None:
    run = made.run(**usual(time_zone="Mars/Olympus"))
    assert run.code == 2
    assert "A valid TZID must be provided" in run.output


@LONG
def test_the_example_of_the_guide_works_as_it_stands(awx: Awx) -> None:
    guide = (ROOT / "docs" / "docsite" / "rst" / "guide_awx.rst").read_text(encoding="utf-8")
    example = textwrap.dedent(re.findall(r"(?<=\n)( +# awx\.yml\n.*?\n)\n", guide, re.DOTALL)[0])
    readme = (ROOT / "roles" / "awx_setup" / "README.md").read_text(encoding="utf-8")
    assert f"```yaml\n{example}```" in readme, "the same example"
    (awx.folder / "awx.yml").write_text(example)
    arguments = ("-e", f"@{awx.folder / 'awx.yml'}", "-e", json.dumps({"vault_intune_secret": SECRET}))
    predicted = awx.run("--check", *arguments)
    assert (predicted.code, awx.writes) == (0, []), predicted.output
    run = awx.run(*arguments)
    assert run.code == 0, run.output
    assert awx.values("schedule", "Synchronise everything")["rrule"].startswith("DTSTART;TZID=Europe/Berlin:")
    assert awx.values("job_template", DELTA)["organization"] == "Messaging"
    missing = "There is no notification template Messaging on call, so nobody is notified by it."
    assert missing in " ".join(run.output.split())
    awx.world.add(
        "notification_template",
        name="Messaging on call",
        organization=awx.world.one("organization", name="Messaging").id,
    )
    again = awx.run(*arguments)
    assert (again.code, changed(again)) == (0, 2), again.output
    assert awx.listed("job_template", DELTA, "notification_templates_error") == ["Messaging on call"]
    assert missing not in " ".join(again.output.split())


def injected(site: Site) -> dict[str, str]:
    """The environment of a job with a credential, at the simulator."""
    return {
        **site.hosts,
        "AZURE_TENANT": site.tenant.domain,
        "AZURE_CLIENT_ID": site.app.client_id,
        "AZURE_SECRET": str(site.app.secret),
        "REQUESTS_CA_BUNDLE": site.simulator.ca_path,
    }


def test_variables_of_batches_are_those_of_the_playbook_and_not_of_the_inventory(site: Site) -> None:
    guide = (ROOT / "docs" / "docsite" / "rst" / "guide_awx.rst").read_text(encoding="utf-8")
    (example,) = re.findall(r"# sync_exchange_connectors\.yml\n(.*?)\n\n", guide, re.DOTALL)
    (play,) = yaml.safe_load(example)
    assert "connectors_serial" in play["vars"]
    inventory = PROJECT / "all.exchange_connectors.yml"
    own = site.folder / "all.exchange_connectors.yml"
    elsewhere = {"compose": {"connectors_hosts": "'nobody'"}}
    own.write_text(json.dumps({**yaml.safe_load(inventory.read_text(encoding="utf-8")), **elsewhere}))
    for hosts, requests in (("nobody", 0), ("all", 1)):
        (site.folder / "sync.yml").write_text(
            json.dumps([{**play, "vars": {**play["vars"], "connectors_hosts": hosts}}])
        )
        run = ansible_playbook("-i", str(own), "sync.yml", site=site, environment=injected(site))
        assert (run.code, len(site.connector.accepted)) == (0, requests), run.output


def test_the_example_project_runs(site: Site) -> None:
    def play(playbook: str, **variables: t.Any) -> Run:
        environment = injected(site)
        inventory = str(PROJECT / "all.exchange_connectors.yml")
        arguments = ["-i", inventory, str(PROJECT / playbook), "-e", json.dumps(variables)]
        return ansible_playbook(*arguments, site=site, environment=environment)

    run = play(
        "sync_exchange_connectors.yml", exchange_connector_sync_force="", exchange_connector_sync_max_failures=""
    )
    assert (run.code, len(site.connector.accepted)) == (0, 1), run.output
    assert play("exchange_connector_report.yml", connectors_report_fails="").code == 0
    told = {"failed": [{"host": "EXCHANGE01"}, {"host": "EXCHANGE02"}]}
    run = play("exchange_connector_report.yml", connectors_report_fails="true", exchange_connector_sync=told)
    assert run.code == 2
    assert run.results[-1]["msg"] == (
        "In the synchronisation before this report, connectors failed, among them: EXCHANGE01, EXCHANGE02."
    )
    run = play("exchange_connector_report.yml", connectors_report_fails="true")
    assert run.code == 2
    assert run.results[-1]["msg"] == "The synchronisation before this report failed: its job says why."
    assert len(site.connector.accepted) == 1


def test_the_example_project_checks_sign_in_and_says_what_a_pod_lacks(site: Site) -> None:
    """Without the label a pod has no variables, and without the annotation of its service account no client."""
    app = site.tenant.add_app(federated={"token"})
    (site.folder / "token").write_text("token")
    of_webhook = {
        "AZURE_CLIENT_ID": app.client_id,
        "AZURE_TENANT_ID": site.tenant.id,
        "AZURE_FEDERATED_TOKEN_FILE": str(site.folder / "token"),
    }
    lines = []
    for lacks in ({}, of_webhook, {"AZURE_CLIENT_ID"}):
        has = {name: value for name, value in of_webhook.items() if name not in lacks}
        arguments = ["-i", str(PROJECT / "all.tenants.yml"), str(PROJECT / "check_sign_in.yml")]
        others = {**site.hosts, "REQUESTS_CA_BUNDLE": site.simulator.ca_path}
        run = ansible_playbook(*arguments, "-e", "sign_in_hosts=''", site=site, environment={**has, **others})
        assert run.code == (2 if lacks else 0), run.output
        (told,) = [line for result in run.results if isinstance(result.get("msg"), list) for line in result["msg"]]
        lines.append(" ".join(told.split()))
    assert re.fullmatch(r"contoso\.example ok, as .+ by oidc", lines[0])
    assert lines[1].startswith("contoso.example no identity to sign in with is given")
    assert "AZURE_FEDERATED_TOKEN_FILE is given without client_id" in lines[2]


def test_the_example_project_runs_for_tenants(site: Site) -> None:
    def play(playbook: str, **variables: t.Any) -> Run:
        inventory = str(PROJECT / "all.tenants.yml")
        arguments = ["-i", inventory, str(PROJECT / playbook), "-e", json.dumps(variables)]
        return ansible_playbook(*arguments, site=site, environment=injected(site))

    empty = {f"tenant_sync_{name}": "" for name in ("kinds", "max_age", "force", "max_failures")}
    run = play("sync_tenants.yml", tenants_only="", **empty)
    assert (run.code, len(site.connector.accepted)) == (0, 1), run.output
    answers = {"tenants_only": "contoso.example", "tenant_sync_kinds": ["exchange_connector"]}
    answers["tenant_sync_force"] = "true"
    told = {"failed": [{"host": "a"}, {"host": "b"}, {"host": "a"}], "unreadable": [{"host": "c"}]}
    run = play("tenant_report.yml", **answers, tenants_report_fails="true", tenant_sync=told)
    assert run.code == 2
    assert run.results[-1]["msg"] == "In the synchronisation before this report, tenants failed, among them: a, b, c."
    run = play("tenant_report.yml", tenant_sync_kinds=[], tenants_report_fails="true")
    assert run.results[-1]["msg"] == "The synchronisation before this report failed: its job says why."
    assert len(site.connector.accepted) == 1
