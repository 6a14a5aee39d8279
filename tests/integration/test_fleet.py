# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role and the playbooks over a fleet: hosts that are connectors, in several tenants."""

from __future__ import annotations

import json
import os
import re
import time
import typing as t
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from simulator import Connector, Fault, Request, Simulator, Tenant, World

from .conftest import Run, ansible_playbook

pytestmark = pytest.mark.slow

PLAYBOOK = "graphops.intune.sync_exchange_connectors"
REPORT = "graphops.intune.exchange_connector_report"
OPTION = "exchange_connector_sync_"
LEFT_OUT = "left out by a condition, a loop or an include"
GONE = "left the play before the role, so nothing of it was looked at"


@dataclass
class Fleet:
    """Hosts ``berlin-0`` ... in some tenants of one multi-tenant app, and a way to run a playbook over them."""

    world: World
    simulator: Simulator
    collections: Path
    folder: Path
    tenants: list[Tenant] = field(default_factory=list)
    hosts: dict[str, dict[str, t.Any]] = field(default_factory=dict)
    variables: dict[str, t.Any] = field(default_factory=dict)

    def add_tenant(self, name: str, connectors: int) -> Tenant:
        """Add a tenant whose connectors are due, each a host."""
        tenant = self.world.add_tenant(f"{name}.example")
        app = next(iter(self.tenants[0].apps.values())) if self.tenants else tenant.add_app(secret="fleet-secret-7d1e")
        tenant.add_app(client_id=app.client_id, secret=app.secret)
        self.tenants.append(tenant)
        for number in range(connectors):
            connector = tenant.add_connector(last_sync=timedelta(days=1))
            self.hosts[f"{name}-{number}"] = {
                OPTION + "connector_id": connector.id,
                OPTION + "tenant": tenant.domain,
                "ansible_connection": "ssh",
            }
        return tenant

    def run(self, playbook: str, *arguments: str, forks: int = 10, **environment: str) -> Run:
        """Run a playbook over the hosts, with the identity from the environment."""
        inventory = self.folder / "inventory.json"
        inventory.write_text(json.dumps({"all": {"hosts": self.hosts, "vars": self.variables}}))
        (app,) = self.tenants[0].apps.values()
        identity = {
            "AZURE_CLIENT_ID": app.client_id,
            "AZURE_SECRET": str(app.secret),
            "MSGRAPH_URL": self.simulator.graph_url,
            "AZURE_AUTHORITY_HOST": self.simulator.authority_url,
            "REQUESTS_CA_BUNDLE": self.simulator.ca_path,
        }
        command = ["-i", str(inventory), "--forks", str(forks), playbook, *arguments]
        run = ansible_playbook(*command, site=self, environment={**identity, **environment})
        self.outcomes = {host: result for host, result in zip(run.hosts, run.results) if "outcome" in result}
        self.fleet_results = [result for result in run.results if "summary" in result]
        return run

    def play(
        self,
        *arguments: str,
        validate: bool = True,
        when: str | list[str] | None = None,
        fails_before: str = "",
        **keywords: t.Any,
    ) -> Run:
        """Run a play of one's own that imports the role.

        Parameters:
            validate: whether Ansible checks the role's options, by a task of its own before those of the role.
            when: the condition on the role.
            fails_before: a host for which a task before the role fails.
            keywords: those of the play.
        """
        role = {"name": "graphops.intune.exchange_connector_sync", "rolespec_validate": validate}
        task = {"ansible.builtin.import_role": role, **({"when": when} if when else {})}
        fail = {"ansible.builtin.fail": {"msg": "no"}, "when": f"inventory_hostname == '{fails_before}'"}
        pre_tasks = [fail] if fails_before else []
        play = {"hosts": "all", "gather_facts": False, "pre_tasks": pre_tasks, "tasks": [task], **keywords}
        (self.folder / "own.yml").write_text(json.dumps([play]))
        return self.run("own.yml", *arguments)

    @property
    def summary(self) -> dict[str, t.Any]:
        """That of the last batch."""
        summary: dict[str, t.Any] = self.fleet_results[-1]["summary"]
        return summary

    def connector(self, host: str) -> Connector:
        """The connector that a host is."""
        wanted = self.hosts[host][OPTION + "connector_id"].lower()
        return next(tenant.connectors[wanted] for tenant in self.tenants if wanted in tenant.connectors)

    def requests(self, where: str) -> list[Request]:
        """The requests of one kind so far."""
        return [request for request in self.world.requests if request.where == where]

    @property
    def accepted(self) -> list[int]:
        """How many synchronisations each connector was asked for."""
        return [len(self.connector(host).accepted) for host in self.hosts]


@pytest.fixture
def fleet(installed: Path, tmp_path: Path) -> t.Iterator[Fleet]:
    """Two tenants with three connectors each."""
    world = World()
    with Simulator(world) as simulator:
        fleet = Fleet(world, simulator, installed, tmp_path)
        fleet.add_tenant("berlin", 3)
        fleet.add_tenant("oslo", 3)
        yield fleet


def counted(summary: dict[str, t.Any]) -> dict[str, int]:
    """The outcomes that there are."""
    return {name: count for name, count in summary["outcomes"].items() if count}


def recap(run: Run) -> dict[str, tuple[int, int]]:
    """Changed and failed tasks by host, as Ansible tells them."""
    found = re.findall(r"^(\S+) +: ok=\d+ +changed=(\d+) +unreachable=\d+ +failed=(\d+)", run.output, re.MULTILINE)
    return {host: (int(changed), int(failed)) for host, changed, failed in found}


def test_a_fleet_is_synchronised_once(fleet: Fleet) -> None:
    first = fleet.run(PLAYBOOK)
    assert first.code == 0, first.output
    assert recap(first) == dict.fromkeys(fleet.hosts, (1, 0))
    assert fleet.accepted == [1] * 6
    second = fleet.run(PLAYBOOK)
    assert recap(second) == dict.fromkeys(fleet.hosts, (0, 0))
    assert fleet.accepted == [1] * 6
    assert "All 6 connectors are up to date." in second.output
    assert "6  fresh" in second.output


def test_one_sign_in_per_tenant_and_no_more_requests_than_needed(fleet: Fleet) -> None:
    fleet.run(PLAYBOOK)
    assert len(fleet.requests("token")) == 2
    assert len(fleet.requests("batch")) == 2 * 3, "reads, posts and one look for each tenant"
    assert fleet.world.connections <= 4


def test_all_are_requested_before_the_first_wait(fleet: Fleet) -> None:
    for host in fleet.hosts:
        fleet.connector(host).sync_delay = 2
    fleet.run(PLAYBOOK, forks=1)
    for tenant in fleet.tenants:
        kinds = [r.where for r in fleet.world.requests if r.tenant_id == tenant.id and r.in_batch]
        assert kinds[:6] == ["get"] * 3 + ["sync"] * 3


def test_no_tenant_waits_for_the_end_of_another(fleet: Fleet) -> None:
    for number in range(9):
        fleet.add_tenant(f"tenant{number}", 1)
    for host in fleet.hosts:
        fleet.connector(host).sync_delay = 3
    run = fleet.run(PLAYBOOK)
    assert run.code == 0, run.output
    requests = [r for r in fleet.world.requests if r.where in ("get", "sync")]
    looks = [n for n, r in enumerate(requests) if r.where == "get"][len(fleet.hosts) :]
    assert max(n for n, r in enumerate(requests) if r.where == "sync") < looks[0]
    first = [requests[n].tenant_id for n in looks[: len(fleet.hosts)]]
    assert set(first) == {tenant.id for tenant in fleet.tenants}


def test_batches_have_one_summary_and_one_limit(fleet: Fleet) -> None:
    for host in ("berlin-0", "berlin-2"):
        fleet.connector(host).status = "disconnected"
    fleet.connector("berlin-1").last_sync = timedelta(minutes=10)
    report = fleet.folder / "report.json"
    batches = ("-e", "connectors_serial=3", "-e", f"{OPTION}max_failures=1", "-e", f"{OPTION}report_path={report}")
    run = fleet.run(PLAYBOOK, *batches)
    assert fleet.accepted == [0] * 6, "one failure too many was known before the first request"
    assert [result["summary"]["total"] for result in fleet.fleet_results] == [3, 6]
    outcomes = fleet.fleet_results[-1]["summary"]["outcomes"]
    assert {name: count for name, count in outcomes.items() if count} == {"failed": 2, "fresh": 1, "skipped": 3}
    assert {one["host"] for one in json.loads(report.read_text())["connectors"]} == set(fleet.hosts)
    assert "6 connectors: " in run.output


@pytest.mark.parametrize(("percentage", "begun"), [(0, 2), ("", 6), ("60%", 6), ("40%", 2)])
def test_a_batch_with_too_many_failures_is_the_last(fleet: Fleet, percentage: int | str, begun: int) -> None:
    fleet.connector("berlin-0").status = "disconnected"
    given = json.dumps({"connectors_serial": 2, "connectors_max_fail_percentage": percentage})
    fleet.run(PLAYBOOK, "-e", given)
    assert len(fleet.outcomes) == begun


def test_the_failures_allowed_of_a_batch_may_end_in_a_percent_sign(fleet: Fleet) -> None:
    for host in ("berlin-0", "berlin-1"):
        fleet.connector(host).status = "disconnected"
    given = json.dumps({"connectors_serial": 3, "connectors_max_fail_percentage": "60%"})
    fleet.run(PLAYBOOK, "-e", given)
    assert len(fleet.outcomes) == 3, "two of three are more than 60 %"


def test_what_may_have_been_requested_counts_for_later_batches(fleet: Fleet) -> None:
    # With a whole batch failed, Ansible itself would end the play.
    fleet.connector("berlin-2").last_sync = timedelta(minutes=10)
    fleet.world.faults.add(Fault("sync", status=504, times=None, tenant_id=fleet.tenants[0].id))
    fleet.variables = {OPTION + "wait": False, OPTION + "retry_timeout": 5}
    fleet.run(PLAYBOOK, "-e", "connectors_serial=3", "-e", f"{OPTION}max_failures=0")
    posted = {request.tenant_id for request in fleet.requests("sync")}
    assert posted == {fleet.tenants[0].id}
    assert counted(fleet.summary) == {"unknown": 2, "fresh": 1, "skipped": 3}
    assert fleet.accepted == [0] * 6


def test_the_summary_of_all_batches_begins_with_the_first(fleet: Fleet) -> None:
    for host in fleet.hosts:
        # Times are told in seconds, and each batch takes more than one.
        fleet.connector(host).sync_delay = 2
    fleet.run(PLAYBOOK, "-e", "connectors_serial=3")
    first, last = (result["summary"] for result in fleet.fleet_results)
    assert last["started"] == first["started"]
    assert first["started"] < first["finished"] < last["finished"]


def test_a_host_that_a_condition_leaves_out_is_not_posted_and_is_counted(fleet: Fleet) -> None:
    fleet.hosts["berlin-2"]["maintenance"] = True
    run = fleet.play(when="not (maintenance | default(false))")
    assert run.code == 0, run.output
    assert fleet.accepted == [1, 1, 0, 1, 1, 1]
    assert counted(fleet.summary) == {"synchronised": 5, "skipped": 1}
    (left_out,) = fleet.summary["skipped"]
    assert (left_out["host"], left_out["reason"]) == ("berlin-2", LEFT_OUT)
    assert left_out["tenant"] == "berlin.example"
    assert "Of 6 connectors: 1 skipped." in run.output
    assert recap(run) == {**dict.fromkeys(fleet.hosts, (1, 0)), "berlin-2": (0, 0)}


def test_conditions_are_each_hosts_own_and_all_must_hold(fleet: Fleet) -> None:
    fleet.hosts["berlin-1"]["maintenance"] = True
    fleet.hosts["oslo-1"]["ring"] = 2
    conditions = ["not (maintenance | default(false))", "ring | default(1) == 1", "inventory_hostname != 'oslo-2'"]
    run = fleet.play(when=conditions)
    assert run.code == 0, run.output
    assert fleet.accepted == [1, 0, 1, 1, 0, 0]
    assert [item["host"] for item in fleet.summary["skipped"]] == ["berlin-1", "oslo-1", "oslo-2"]


def test_a_condition_that_cannot_be_told_fails_its_host_alone(fleet: Fleet) -> None:
    for host in fleet.hosts:
        fleet.hosts[host]["maintenance"] = False
    del fleet.hosts["oslo-0"]["maintenance"]
    run = fleet.play(when="not maintenance", validate=False)
    assert run.code == 2
    assert fleet.accepted == [1, 1, 1, 0, 1, 1]
    assert "'maintenance' is undefined" in run.output
    (left_out,) = fleet.summary["skipped"]
    assert left_out["host"] == "oslo-0"
    assert recap(run) == {**dict.fromkeys(fleet.hosts, (1, 0)), "oslo-0": (0, 1)}


def test_a_condition_that_is_false_for_the_first_host_is_not_that_of_the_others(fleet: Fleet) -> None:
    fleet.hosts["berlin-0"]["maintenance"] = True
    run = fleet.play(when="not (maintenance | default(false))")
    assert run.code == 0, run.output
    assert fleet.accepted == [0, 1, 1, 1, 1, 1]
    assert recap(run) == {**dict.fromkeys(fleet.hosts, (1, 0)), "berlin-0": (0, 0)}


@pytest.mark.parametrize("broken", ["berlin-0", "oslo-1"])
def test_a_host_that_failed_before_the_role_is_counted(fleet: Fleet, broken: str) -> None:
    run = fleet.play(fails_before=broken)
    assert run.code == 2
    assert fleet.accepted == [int(host != broken) for host in fleet.hosts]
    assert fleet.summary["total"] == 6
    assert counted(fleet.summary) == {"synchronised": 5, "skipped": 1}
    (gone,) = fleet.summary["skipped"]
    assert gone["host"] == broken
    assert gone["reason"] == GONE
    assert "Of 6 connectors: 1 skipped." in run.output
    assert "up to date" not in run.output


@pytest.mark.parametrize("broken", ["berlin-1", "oslo-1"])
def test_a_host_that_failed_before_the_role_is_counted_once_in_all_batches(fleet: Fleet, broken: str) -> None:
    fleet.play(fails_before=broken, serial=3)
    assert fleet.accepted == [int(host != broken) for host in fleet.hosts]
    assert [result["summary"]["total"] for result in fleet.fleet_results] == [3, 6]
    assert counted(fleet.summary) == {"synchronised": 5, "skipped": 1}
    assert fleet.summary["skipped"][0]["reason"] == GONE


def test_hosts_that_failed_before_the_role_do_not_count_for_the_limit(fleet: Fleet) -> None:
    run = fleet.play("-e", f"{OPTION}max_failures=0", fails_before="berlin-1")
    assert run.code == 2
    assert fleet.accepted == [1, 0, 1, 1, 1, 1]
    assert counted(fleet.summary) == {"synchronised": 5, "skipped": 1}


def test_what_is_known_before_the_first_request_counts_before_it(fleet: Fleet) -> None:
    fleet.connector("berlin-0").status = "disconnected"
    fleet.hosts["oslo-2"][OPTION + "max_age"] = "soon"
    fleet.connector("oslo-0").last_sync = timedelta(minutes=10)
    run = fleet.run(PLAYBOOK, "-e", f"{OPTION}max_failures=1")
    assert run.code == 2
    assert fleet.accepted == [0] * 6
    assert counted(fleet.summary) == {"failed": 2, "fresh": 1, "skipped": 3}
    assert fleet.outcomes["oslo-0"]["outcome"] == "fresh", "it was looked at"
    assert fleet.run(PLAYBOOK, "-e", f"{OPTION}max_failures=2").code == 2
    assert fleet.accepted == [0, 1, 1, 0, 1, 0]


def test_the_environment_of_the_play_is_that_of_each_host(fleet: Fleet) -> None:
    for variables in fleet.hosts.values():
        variables["my_tenant"] = variables.pop(OPTION + "tenant")
    play = {
        "hosts": "all",
        "gather_facts": False,
        "environment": {"AZURE_TENANT": "{{ my_tenant }}"},
        "roles": ["graphops.intune.exchange_connector_sync"],
    }
    playbook = fleet.folder / "playbook.yml"
    playbook.write_text(json.dumps([play]))
    run = fleet.run(str(playbook))
    assert run.code == 0, run.output
    assert fleet.accepted == [1] * 6
    assert len(fleet.requests("token")) == 2


def test_a_full_synchronisation_that_one_host_wants_is_no_delta_because_of_another(fleet: Fleet) -> None:
    for host in fleet.hosts:
        fleet.connector(host).last_sync = timedelta(minutes=10)
    fleet.hosts["berlin-full"] = {**fleet.hosts["berlin-0"], OPTION + "sync_type": "fullSync"}
    fleet.run(PLAYBOOK)
    assert [sync_type for _at, sync_type in fleet.connector("berlin-0").accepted] == ["fullSync"]
    assert [fleet.outcomes[host]["changed"] for host in ("berlin-0", "berlin-1", "berlin-full")] == [True, False, True]


def test_aliases_are_options_too(fleet: Fleet) -> None:
    for variables in fleet.hosts.values():
        variables[OPTION + "tenant_id"] = variables.pop(OPTION + "tenant")
        variables[OPTION + "interval"] = 1
    assert fleet.run(PLAYBOOK).code == 0
    assert fleet.accepted == [1] * 6


def test_a_timeout_of_the_task_ends_it(fleet: Fleet) -> None:
    for host in fleet.hosts:
        fleet.connector(host).outcome = "never"
    begun = time.monotonic()
    run = fleet.run(PLAYBOOK, ANSIBLE_TASK_TIMEOUT="5")
    assert run.code == 2
    assert time.monotonic() - begun < 60, "wait_timeout is 900 s"


def test_a_host_without_a_connector_is_told_so(fleet: Fleet) -> None:
    fleet.hosts["lonely"] = {}
    run = fleet.run(PLAYBOOK)
    assert fleet.outcomes["lonely"]["msg"].startswith("connector_id is not given, so this host is no connector; set ")
    assert recap(run) == {**dict.fromkeys(fleet.hosts, (1, 0)), "lonely": (0, 1)}


def test_one_that_fails_does_not_stop_the_others(fleet: Fleet) -> None:
    fleet.connector("berlin-0").status = "disconnected"
    run = fleet.run(PLAYBOOK)
    assert run.code == 2
    assert recap(run) == {**dict.fromkeys(fleet.hosts, (1, 0)), "berlin-0": (0, 1)}
    assert fleet.outcomes["berlin-0"]["msg"].startswith(
        f"Exchange connector {fleet.connector('berlin-0').id} in tenant berlin.example: its status is disconnected"
    )
    assert fleet.accepted == [0, 1, 1, 1, 1, 1]


@pytest.mark.parametrize("which", ["first", "last", "all"])
def test_there_is_one_summary_whoever_fails(fleet: Fleet, which: str) -> None:
    names = list(fleet.hosts)
    failing = {"first": names[:1], "last": names[-1:], "all": names}[which]
    for name in failing:
        fleet.hosts[name][OPTION + "connector_id"] = "no-guid"
    run = fleet.run(PLAYBOOK)
    assert run.output.count("connectors: ") == 1
    (result,) = fleet.fleet_results
    assert result["summary"]["outcomes"]["failed"] == len(failing)
    assert {item["host"] for item in result["summary"]["failed"]} == set(failing)
    assert result["ansible_stats"] == {
        "data": {"exchange_connector_sync": result["summary"]},
        "per_host": False,
        "aggregate": False,
    }
    assert {host for host, (_changed, failed) in recap(run).items() if failed} == set(failing)


def test_hosts_that_share_a_connector_post_once(fleet: Fleet) -> None:
    shared = fleet.hosts["berlin-0"][OPTION + "connector_id"]
    fleet.hosts["berlin-1"][OPTION + "connector_id"] = shared.upper()
    run = fleet.run(PLAYBOOK)
    assert len(fleet.connector("berlin-0").accepted) == 1
    assert recap(run)["berlin-0"] == recap(run)["berlin-1"] == (1, 0)


@pytest.mark.parametrize(("limit", "most"), [("5", 5), ("10%", 6)])
def test_a_run_that_goes_wrong_everywhere_is_stopped(fleet: Fleet, limit: str, most: int) -> None:
    fleet.add_tenant("rome", 54)
    fleet.world.faults.add(Fault("sync", status=400, times=None))
    run = fleet.run(PLAYBOOK, "-e", f"{OPTION}max_failures={limit}")
    assert run.code == 2
    (result,) = fleet.fleet_results
    assert result["summary"]["outcomes"]["skipped"] >= 34
    assert result["summary"]["outcomes"]["failed"] + result["summary"]["outcomes"]["skipped"] == 60
    assert len(fleet.requests("sync")) <= 26
    skipped = [outcome for outcome in fleet.outcomes.values() if outcome["outcome"] == "skipped"]
    why = f": not begun, because more connectors failed than the {most} that max_failures allows; correct those"
    assert all(why in outcome["msg"] for outcome in skipped)
    assert len(fleet.outcomes) == 60


def test_check_mode_predicts_and_the_report_playbook_does_the_same(fleet: Fleet) -> None:
    for run in (fleet.run(PLAYBOOK, "--check", "--diff"), fleet.run(REPORT)):
        assert run.code == 0, run.output
        assert {outcome["outcome"] for outcome in fleet.outcomes.values()} == {"predicted"}
        assert not fleet.requests("sync")
    assert '+    "sync": "deltaSync predicted"' in fleet.run(PLAYBOOK, "--check", "--diff").output


@pytest.mark.parametrize("connection", ["winrm", "psrp", "local", "ssh"])
def test_any_connection_type_will_do(fleet: Fleet, connection: str) -> None:
    fleet.variables = {"ansible_shell_type": "powershell"} if connection in ("winrm", "psrp") else {}
    fleet.variables["ansible_become"] = True
    for variables in fleet.hosts.values():
        variables["ansible_connection"] = connection
    run = fleet.run(PLAYBOOK)
    assert run.code == 0, run.output
    assert fleet.accepted == [1] * 6


def test_options_may_differ_from_host_to_host_and_come_from_anywhere(fleet: Fleet) -> None:
    fleet.hosts["berlin-0"][OPTION + "sync_type"] = "fullSync"
    fleet.hosts["berlin-1"][OPTION + "max_age"] = 200000
    fleet.hosts["berlin-2"] |= {"age": 7, OPTION + "max_age": "{{ age }}"}
    fleet.variables = {"wait": False, OPTION + "wait": "{{ wait }}"}
    run = fleet.run(PLAYBOOK, "-e", json.dumps({OPTION + "retry_timeout": 5}))
    assert run.code == 0, run.output
    kinds = [[kind for _time, kind in fleet.connector(host).accepted] for host in list(fleet.hosts)[:3]]
    assert kinds == [["fullSync"], [], ["deltaSync"]]
    assert fleet.outcomes["berlin-2"]["outcome"] == "requested"


def test_a_play_may_give_the_options(fleet: Fleet) -> None:
    (app,) = fleet.tenants[0].apps.values()
    play = {
        "hosts": "all",
        "gather_facts": False,
        "vars": {"mine": app.secret, OPTION + "secret": "{{ mine }}", OPTION + "client_id": app.client_id},
        "roles": ["graphops.intune.exchange_connector_sync"],
    }
    (fleet.folder / "own.yml").write_text(json.dumps([play]))
    run = fleet.run("own.yml", AZURE_TENANT="")
    assert run.code == 0, run.output
    assert fleet.accepted == [1] * 6


def test_a_variable_that_cannot_be_used_fails_its_host_alone(fleet: Fleet) -> None:
    fleet.hosts["oslo-1"][OPTION + "max_age"] = "{{ nowhere }}"
    run = fleet.run(PLAYBOOK)
    assert run.code == 2
    assert fleet.accepted == [1, 1, 1, 1, 0, 1]


def test_the_sentence_names_the_variable_that_cannot_be_used(fleet: Fleet) -> None:
    fleet.hosts["oslo-1"][OPTION + "max_age"] = "{{ nowhere }}"
    run = fleet.run(PLAYBOOK)
    assert fleet.outcomes["oslo-1"]["msg"].startswith(f"{OPTION}max_age cannot be used: ")
    assert "'nowhere' is undefined" in fleet.outcomes["oslo-1"]["msg"]
    assert recap(run) == {**dict.fromkeys(fleet.hosts, (1, 0)), "oslo-1": (0, 1)}
    (failed,) = fleet.summary["failed"]
    assert (failed["host"], failed["tenant"]) == ("oslo-1", "oslo.example"), "what else is known of it is told"
    assert failed["connector_id"] == fleet.hosts["oslo-1"][OPTION + "connector_id"]


def test_what_is_omitted_is_not_given(fleet: Fleet) -> None:
    fleet.variables = {OPTION + "max_age": "{{ nothing_here | default(omit) }}"}
    fleet.hosts["berlin-1"]["nothing_here"] = 200_000
    run = fleet.run(PLAYBOOK)
    assert run.code == 0, run.output
    assert fleet.accepted == [1, 0, 1, 1, 1, 1]


@pytest.mark.parametrize("answer", ["", None])
def test_questions_of_a_survey_may_stay_without_answer(fleet: Fleet, answer: str | None) -> None:
    """AWX leaves an empty text or null: awx#16205."""
    of_role = ("max_failures", "report_path", "sync_type", "max_age", "wait", "force", "retry_timeout", "client_id")
    secret = ("secret", "password", "refresh_token", "access_token", "oidc_token", "x509_certificate_password")
    of_playbook = ("connectors_hosts", "connectors_serial", "connectors_max_fail_percentage")
    names = [*(OPTION + name for name in (*of_role, *secret)), *of_playbook]
    run = fleet.run(PLAYBOOK, "-e", json.dumps(dict.fromkeys(names, answer)))
    assert run.code == 0, run.output
    assert fleet.accepted == [1] * 6
    assert counted(fleet.summary) == {"synchronised": 6}


def test_a_tenant_from_the_environment_is_in_the_summary(fleet: Fleet) -> None:
    fleet.hosts = {host: variables for host, variables in fleet.hosts.items() if host.startswith("berlin")}
    for variables in fleet.hosts.values():
        del variables[OPTION + "tenant"]
    fleet.connector("berlin-1").status = "disconnected"
    run = fleet.run(PLAYBOOK, AZURE_TENANT="berlin.example")
    assert fleet.accepted == [1, 0, 1], run.output
    assert [(item["host"], item["tenant"]) for item in fleet.summary["failed"]] == [("berlin-1", "berlin.example")]


def test_batches_by_serial(fleet: Fleet) -> None:
    run = fleet.run(PLAYBOOK, "-e", "connectors_serial=4")
    assert run.code == 0, run.output
    assert len(fleet.fleet_results) == 2
    assert fleet.accepted == [1] * 6


@pytest.mark.parametrize("name", ["report.html", "report.json", "report.csv"])
def test_a_report_is_written(fleet: Fleet, name: str) -> None:
    fleet.connector("berlin-0").status = "disconnected"
    fleet.run(PLAYBOOK, "-e", f"{OPTION}report_path={fleet.folder / name}")
    text = (fleet.folder / name).read_text(encoding="utf-8")
    assert (fleet.folder / name).stat().st_mode & 0o777 == 0o600
    for host in fleet.hosts:
        assert host in text
    assert "disconnected" in text
    assert "fleet-secret" not in text


def test_a_report_of_another_kind_is_refused_before_any_request(fleet: Fleet) -> None:
    run = fleet.run(PLAYBOOK, "-e", f"{OPTION}report_path=report.pdf")
    assert run.code == 2
    assert ".html" in run.output
    assert fleet.world.connections == 0


def test_a_report_into_what_is_no_file_is_refused_before_any_request(fleet: Fleet) -> None:
    """All of these once were found after the requests: a FIFO held the run up, the others lost its results."""
    for name, make in {"fifo.json": os.mkfifo, "folder.html": os.mkdir}.items():
        make(fleet.folder / name)
    (fleet.folder / "victim.json").write_text("as it was")
    (fleet.folder / "link.json").symlink_to("victim.json")
    said = {
        "fifo.json": "is a FIFO",
        "folder.html": "is a directory",
        "link.json": "is a symbolic link",
        "a\0.csv": "cannot be the name of a file",
    }
    role = {"name": "graphops.intune.exchange_connector_sync"}
    tasks = [{"import_role": role, "vars": {OPTION + "report_path": name}, "ignore_errors": True} for name in said]
    (fleet.folder / "own.yml").write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
    run = fleet.run("own.yml")
    output = " ".join(run.output.split())
    assert [name for name, words in said.items() if words not in output] == []
    assert fleet.world.connections == 0
    assert (fleet.folder / "victim.json").read_text() == "as it was"


def test_a_report_that_cannot_be_written_does_not_hide_the_outcome(fleet: Fleet) -> None:
    run = fleet.run(PLAYBOOK, "-e", f"{OPTION}report_path=/nowhere/report.html")
    assert run.code == 0, run.output
    # Older Ansibles break warnings into lines.
    said = " ".join(run.output.split())
    assert "The report could not be written to /nowhere/report.html: No such file or directory" in said


def test_max_failures_must_be_a_number(fleet: Fleet) -> None:
    run = fleet.run(PLAYBOOK, "-e", f"{OPTION}max_failures=many")
    assert run.code == 2
    assert "max_failures is 'many'; give a number, or a percentage such as 10%." in run.output
    assert fleet.world.connections == 0


def test_no_secret_shows(fleet: Fleet) -> None:
    fleet.variables = {OPTION + "secret": "fleet-secret-7d1e", OPTION + "password": "pass-word-51ab"}
    fleet.hosts["berlin-0"][OPTION + "connector_id"] = "no-guid"
    fleet.world.faults.add(Fault("token", status=401, body={"error": "x", "error_description": "fleet-secret-7d1e"}))
    run = fleet.run(PLAYBOOK, "-vvvvv", "--diff")
    tokens = [request.headers["Authorization"].split()[1] for request in fleet.requests("batch")]
    for secret in ("fleet-secret-7d1e", "pass-word-51ab", *tokens):
        assert secret not in run.output
        assert secret not in str(run.results)


def test_hostile_values_are_never_templates(fleet: Fleet) -> None:
    trap = fleet.folder / "trap"
    fleet.connector("berlin-0").properties["serverName"] = f"{{{{ lookup('pipe', 'touch {trap}') }}}}"
    fleet.connector("berlin-1").override = {"status": "{{ 7 * 7 }}"}
    run = fleet.run(PLAYBOOK, "-v")
    assert not trap.exists()
    assert "its status is {{ 7 * 7 }}, so" in str(fleet.outcomes["berlin-1"]["msg"])
    assert run.code == 2


def test_the_inventory_plugin_feeds_the_playbook(fleet: Fleet) -> None:
    source = fleet.folder / "fleet.exchange_connectors.yml"
    tenants = [tenant.domain for tenant in fleet.tenants]
    source.write_text(json.dumps({"plugin": "graphops.intune.exchange_connectors", "tenants": tenants}))
    run = fleet.run(PLAYBOOK, "-i", str(source), "-e", "connectors_hosts=exchange_connectors")
    assert run.code == 0, run.output
    assert fleet.accepted == [1] * 6


def test_nothing_is_sent_to_the_hosts(fleet: Fleet) -> None:
    output = fleet.run(PLAYBOOK, "-vvv").output
    assert "EXEC" not in output
    assert "PUT" not in output
