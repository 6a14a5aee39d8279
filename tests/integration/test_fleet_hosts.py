# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which hosts the role touches, and with whose options: those that Ansible runs it for, with what it says there."""

from __future__ import annotations

import json
import typing as t
from datetime import timedelta

import pytest

from .conftest import ROOT, Run
from .test_fleet import GONE, LEFT_OUT, OPTION, Fleet, counted, fleet, recap

__all__ = ["fleet"]
pytestmark = pytest.mark.slow

ROLE = "graphops.intune.exchange_connector_sync"
A, B, C = "berlin-0", "berlin-1", "berlin-2"


@pytest.fixture
def three(fleet: Fleet) -> Fleet:
    """Three hosts with a stale connector each, in one tenant."""
    fleet.hosts = {host: variables for host, variables in fleet.hosts.items() if host in (A, B, C)}
    return fleet


def role(how: str = "include_role", **keywords: t.Any) -> dict[str, t.Any]:
    """A task that includes or imports the role, which checks its options itself."""
    return {f"ansible.builtin.{how}": {"name": ROLE, "rolespec_validate": False}, **keywords}


def play(fleet: Fleet, tasks: list[t.Any], *arguments: str, **keywords: t.Any) -> Run:
    """Run one play with these tasks."""
    return plays(fleet, [{"hosts": "all", "gather_facts": False, "tasks": tasks, **keywords}], *arguments)


def plays(fleet: Fleet, content: list[t.Any], *arguments: str) -> Run:
    (fleet.folder / "own.yml").write_text(json.dumps(content))
    return fleet.run("own.yml", *arguments)


def written(fleet: Fleet, name: str, tasks: list[t.Any]) -> str:
    """A file of tasks."""
    path = fleet.folder / name
    path.write_text(json.dumps(tasks))
    return str(path)


NOT_B = f"inventory_hostname != '{B}'"


@pytest.mark.parametrize("form", ["include", "file", "nested", "apply", "variable", "block", "rescue", "always"])
def test_a_host_that_is_left_out_is_not_touched(three: Fleet, form: str) -> None:
    imported = written(three, "imported.yml", [role("import_role")])
    nested = written(three, "nested.yml", [{"ansible.builtin.include_tasks": imported, "when": NOT_B}])
    fails = {"ansible.builtin.fail": {"msg": "no"}, "when": NOT_B}
    tasks: dict[str, list[t.Any]] = {
        "include": [role(when=NOT_B)],
        "file": [{"ansible.builtin.include_tasks": imported, "when": NOT_B}],
        "nested": [{"ansible.builtin.include_tasks": nested}],
        "apply": [{"ansible.builtin.include_role": {"name": ROLE, "apply": {"when": NOT_B}}}],
        "variable": [role(when="mine", vars={"mine": f"{{{{ {NOT_B} }}}}"})],
        "block": [{"block": [role("import_role")], "when": NOT_B}],
        "rescue": [{"block": [fails], "rescue": [role("import_role")]}],
        "always": [{"block": [{"ansible.builtin.meta": "noop"}], "always": [role("import_role", when=NOT_B)]}],
    }
    run = play(three, tasks[form])
    assert run.code == 0, run.output
    assert three.accepted == [1, 0, 1]
    changed = {host: count for host, (count, _failed) in recap(run).items()}
    assert (changed[B], changed[C] > 0) == (0, True)
    assert counted(three.summary) == {"synchronised": 2, "skipped": 1}
    assert [(one["host"], one["reason"]) for one in three.summary["skipped"]] == [(B, LEFT_OUT)]


@pytest.mark.parametrize("form", ["import", "include", "apply", "block"])
def test_a_host_that_only_predicts_is_not_posted_and_no_other_is_held_back(three: Fleet, form: str) -> None:
    three.hosts[B]["dry"] = True
    three.hosts["twin"] = three.hosts[A]
    three.hosts["dry-twin"] = {**three.hosts[A], "dry": True}
    dry = {"check_mode": "{{ dry | default(false) }}"}
    imported = written(three, "imported.yml", [role("import_role", **dry)])
    applied = {"ansible.builtin.include_role": {"name": ROLE, "rolespec_validate": False, "apply": dry}}
    tasks: dict[str, list[t.Any]] = {
        "import": [role("import_role", **dry)],
        "include": [{"ansible.builtin.include_tasks": imported}],
        "apply": [applied],
        "block": [{"block": [role("import_role")], **dry}],
    }
    run = play(three, tasks[form])
    assert run.code == 0, run.output
    assert [len(three.connector(host).accepted) for host in (A, B, C)] == [1, 0, 1]
    outcomes = {host: outcome["outcome"] for host, outcome in three.outcomes.items()}
    assert {outcomes[host] for host in (A, C, "twin")} == {"synchronised"}
    assert outcomes[B] == "predicted"
    # Whichever of the two is looked at first.
    assert outcomes["dry-twin"] in ("predicted", "fresh")


def test_what_an_include_gives_to_one_host_is_done_to_that_one(three: Fleet) -> None:
    three.hosts[B]["modes"] = ["fullSync"]
    for host in three.hosts:
        three.connector(host).last_sync = timedelta(minutes=10)
    modes = role(loop="{{ modes | default([]) }}", vars={OPTION + "sync_type": "{{ item }}"})
    run = play(three, [modes])
    assert run.code == 0, run.output
    assert [[kind for _at, kind in three.connector(host).accepted] for host in three.hosts] == [[], ["fullSync"], []]
    assert counted(three.summary) == {"synchronised": 1, "skipped": 2}


def test_no_tenant_is_asked_for_the_ids_of_another(fleet: Fleet) -> None:
    mine = {}
    for tenant in ("berlin", "oslo"):
        names = [f"{tenant}-{number}" for number in range(2)]
        mine[tenant] = {"my_ids": [fleet.hosts[name][OPTION + "connector_id"] for name in names]}
        mine[tenant][OPTION + "tenant"] = f"{tenant}.example"
    report = fleet.folder / "r.json"
    hosts, fleet.hosts = fleet.hosts, mine
    ids = role(loop="{{ my_ids }}", vars={OPTION + "connector_id": "{{ item }}"})
    run = play(fleet, [ids], "-e", f"{OPTION}report_path={report}")
    assert run.code == 0, run.output
    assert not [request for request in fleet.world.requests if request.status == 404]
    fleet.hosts = hosts
    assert fleet.accepted == [1, 1, 0, 1, 1, 0]
    told = json.loads(report.read_text())["connectors"]
    assert sorted(one["host"] for one in told) == ["berlin", "berlin", "oslo", "oslo"], "all items, and nobody left out"
    assert {one["outcome"] for one in told} == {"synchronised"}


@pytest.mark.parametrize("form", ["import", "include", "block", "play", "file"])
def test_run_once_is_refused_before_anything_is_asked(three: Fleet, form: str) -> None:
    once = {"run_once": True}
    imported = written(three, "imported.yml", [role("import_role")])
    tasks: dict[str, list[t.Any]] = {
        "import": [role("import_role", **once)],
        "include": [role(run_once="{{ 1 == 1 }}")],
        "block": [{"block": [role()], **once}],
        "play": [role("import_role")],
        "file": [{"ansible.builtin.include_tasks": imported, **once}],
    }
    run = play(three, tasks[form], **(once if form == "play" else {}))
    assert run.code == 2
    assert three.world.connections == 0
    assert run.output.count("run_once is set for the role or around it, so only one host would be told") >= 1


def test_serial_counts_all_batches_of_an_include(fleet: Fleet) -> None:
    fleet.connector("berlin-0").status = "disconnected"
    report = fleet.folder / "r.json"
    run = play(fleet, [role()], "-e", f"{OPTION}report_path={report}", serial=2)
    assert run.code == 2
    assert fleet.accepted == [0, 1, 1, 1, 1, 1]
    assert [result["summary"]["total"] for result in fleet.fleet_results] == [2, 4, 6]
    assert counted(fleet.summary) == {"failed": 1, "synchronised": 5}
    assert len(json.loads(report.read_text())["connectors"]) == 6


@pytest.mark.parametrize("how", ["import_role", "include_role"])
def test_a_host_that_ended_is_no_failure(three: Fleet, how: str) -> None:
    end = {"ansible.builtin.meta": "end_host", "when": f"inventory_hostname == '{A}'"}
    run = play(three, [end, role(how)], "-e", f"{OPTION}max_failures=0")
    assert run.code == 0, run.output
    assert three.accepted == [0, 1, 1]
    assert [(one["host"], one["reason"]) for one in three.summary["skipped"]] == [(A, GONE)]


def test_hosts_that_were_brought_back_are_synchronised(three: Fleet) -> None:
    fails = {"ansible.builtin.fail": {"msg": "no"}, "when": f"inventory_hostname == '{B}'"}
    back = {"ansible.builtin.meta": "clear_host_errors"}
    first = {"hosts": "all", "gather_facts": False, "tasks": [fails, back]}
    for how in ("import_role", "include_role"):
        plays(three, [first, {"hosts": "all", "gather_facts": False, "tasks": [role(how)]}])
        assert three.accepted == [1, 1, 1], how
        assert three.summary["total"] == 3


def test_a_failure_of_the_role_can_be_rescued(three: Fleet) -> None:
    three.connector(B).status = "disconnected"
    tasks = [{"block": [role()], "rescue": [{"ansible.builtin.debug": {"msg": "rescued"}}]}]
    run = play(three, [*tasks, {"ansible.builtin.debug": {}}])
    assert run.code == 0, run.output
    assert three.accepted == [1, 0, 1]
    assert "rescued=1" in run.output


def test_one_failure_ends_all_where_the_play_says_so(three: Fleet) -> None:
    three.connector(B).status = "disconnected"
    run = play(three, [role(), {"ansible.builtin.debug": {"msg": "never reached"}}], any_errors_fatal=True)
    assert run.code == 2
    assert three.accepted == [1, 0, 1]
    assert "never reached" not in run.output


def test_keywords_around_the_role_change_nothing(three: Fleet) -> None:
    keywords = {"throttle": 1, "delegate_to": "localhost", "tags": ["sync"], "become": True}
    run = play(three, [role("import_role", **keywords)], "--tags", "sync", order="reverse_sorted")
    assert run.code == 0, run.output
    assert three.accepted == [1, 1, 1]
    three.hosts["late"] = three.hosts[A]
    late = {"ansible.builtin.add_host": {"name": "later", "groups": "all"}}
    batch = {"ansible.builtin.meta": "end_batch", "when": f"'{A}' in ansible_play_batch"}
    run = play(three, [late, {"ansible.builtin.meta": "refresh_inventory"}, batch, role()], serial=[1, 9])
    assert run.code == 0, run.output
    assert counted(three.summary) == {"fresh": 3}


def test_hosts_that_cannot_be_reached_are_left_out_and_other_roles_may_use_this_one(three: Fleet) -> None:
    roles = three.folder / "roles"
    for name, content in {
        "needs/meta/main.yml": {"dependencies": [{"role": ROLE, "when": NOT_B}]},
        "needs/tasks/main.yml": [{"ansible.builtin.debug": {}}],
        "uses/tasks/main.yml": [role(when=f"inventory_hostname == '{B}'")],
    }.items():
        (roles / name).parent.mkdir(parents=True)
        (roles / name).write_text(json.dumps(content))
    three.hosts["lost"] = {
        **three.hosts[A],
        "ansible_connection": "ssh",
        "ansible_host": "127.0.0.1",
        "ansible_port": 9,
    }
    ping = {"ansible.builtin.raw": "true", "when": "inventory_hostname == 'lost'"}
    used = [{"ansible.builtin.include_role": {"name": "needs"}}, {"ansible.builtin.include_role": {"name": "uses"}}]
    run = play(three, [ping, *used[:1]])
    assert run.code == 4, run.output
    assert three.accepted == [1, 0, 1, 1], "the lost one is the first again"
    assert counted(three.summary) == {"synchronised": 2, "skipped": 2}
    assert sorted(one["reason"] for one in three.summary["skipped"]) == [LEFT_OUT, GONE]
    assert play(three, used[1:]).code == 0
    assert three.accepted == [1, 1, 1, 1]


def test_no_failure_of_the_role_itself_is_one_of_hosts_that_it_is_not_for(three: Fleet) -> None:
    run = play(three, [role(when=f"inventory_hostname == '{B}'", vars={OPTION + "max_failures": "many"})])
    assert run.code == 2
    assert {host: failed for host, (_changed, failed) in recap(run).items()} == {A: 0, B: 1, C: 0}
    assert three.world.connections == 0


def test_variables_that_are_misspelt_or_contradict_each_other_are_told(three: Fleet) -> None:
    three.hosts[A][OPTION + "maxage"] = 60
    three.hosts[B][OPTION + "tenant_id"] = "oslo.example"
    three.hosts[C] |= {OPTION + "tenant_id": "berlin.example", OPTION + "ticket": "CHG1"}
    run = play(three, [role("import_role")])
    assert three.accepted == [0, 0, 1]
    assert three.outcomes[A]["msg"] == f"{OPTION}maxage is no variable of the role; did you mean {OPTION}max_age?"
    assert three.outcomes[B]["msg"] == (
        f"{OPTION}tenant and {OPTION}tenant_id are the same option but differ for this host; set one of them."
    )
    assert f"{OPTION}ticket is no variable of the role" in " ".join(run.output.split())
    three.hosts[A] = {**three.hosts[C], OPTION + "all": True}
    play(three, [role("import_role")])
    assert three.outcomes[A]["msg"] == (
        f"{OPTION}all is no variable of the role, which is for one connector a host; remove it."
    )


def test_a_secret_that_is_no_template_is_not_repeated(three: Fleet) -> None:
    report = three.folder / "r.json"
    three.hosts[A] |= {OPTION + "secret": "{{ other }}", "other": "first-secret{%y"}
    three.hosts[B][OPTION + "access_token"] = "second-secret{{"
    three.hosts[C][OPTION + "password"] = "third-secret{#"
    run = play(three, [role("import_role")], "-e", f"{OPTION}report_path={report}", "-vvv")
    for secret in ("first-secret", "second-secret", "third-secret"):
        assert secret not in run.output + report.read_text() + json.dumps(run.results)


def test_the_environment_is_not_read_by_values_of_an_inventory(three: Fleet) -> None:
    three.hosts[A][OPTION + "ca_path"] = "$OTHER_TOKEN"
    three.hosts[B][OPTION + "x509_certificate_path"] = "${OTHER_TOKEN}"
    (three.folder / "own.yml").write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": [role()]}]))
    run = three.run("own.yml", "-e", f"{OPTION}report_path=x$OTHER_TOKEN.json", OTHER_TOKEN="another-token")
    assert "another-token" not in run.output + json.dumps(run.results)
    assert (three.folder / "x$OTHER_TOKEN.json").exists()


def test_a_callback_that_writes_json_is_left_alone(three: Fleet) -> None:
    folder = three.folder / "callback"
    folder.mkdir()
    (folder / "own_json.py").write_text(
        "from ansible.plugins.callback import CallbackBase\n"
        "class CallbackModule(CallbackBase):\n"
        "    CALLBACK_VERSION = 2.0\n    CALLBACK_TYPE = 'stdout'\n    CALLBACK_NAME = 'own_json'\n"
        "    def v2_playbook_on_stats(self, stats):\n        self._display.display('{}')\n"
    )
    (three.folder / "own.yml").write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": [role()]}]))
    run = three.run(
        "own.yml",
        ANSIBLE_STDOUT_CALLBACK="own_json",
        ANSIBLE_CALLBACK_PLUGINS=f"{folder}:{ROOT / 'tests' / 'callbacks'}",
    )
    assert run.output.strip() == "{}"
    assert three.accepted == [1, 1, 1]
