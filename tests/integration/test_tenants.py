# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role and the playbooks over tenants: hosts that are tenants, with all that Intune synchronises in them."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from simulator import Fault, Simulator, Tenant, World

from .conftest import ROOT, Run, ansible_playbook
from .test_fleet import GONE, LEFT_OUT, counted, recap

pytestmark = pytest.mark.slow

PLAYBOOK = "graphops.intune.sync_tenants"
REPORT = "graphops.intune.tenant_report"
ROLE = "graphops.intune.tenant_sync"
OPTION = "tenant_sync_"
SECRET = "tenants-secret-7d1e"
OLD, LATELY = timedelta(days=2), timedelta(minutes=10)


@dataclass
class Fleet:
    """Tenants of one multi-tenant app, each a host by its name, and a way to run a playbook over them."""

    world: World
    simulator: Simulator
    collections: Path
    folder: Path
    tenants: dict[str, Tenant] = field(default_factory=dict)
    hosts: dict[str, dict[str, t.Any]] = field(default_factory=dict)
    client_id: str = ""

    def add_tenant(self, name: str, *, consent: bool = True, **variables: t.Any) -> Tenant:
        """Add a tenant without connectors, in which two tokens of four things are due."""
        tenant = self.world.add_tenant(f"{name}.example")
        if consent:
            app = tenant.add_app(client_id=self.client_id or None, secret=SECRET)
            self.client_id = app.client_id
        tenant.absent["exchange_connector"] = 501
        tenant.add_vpp_token(organization_name="Phones", last_sync=OLD)
        tenant.add_vpp_token(organization_name="Tablets", last_sync=LATELY)
        tenant.add_enrollment_program_token(token_name="Macs", last_sync=OLD)
        tenant.add_autopilot(last_sync=LATELY)
        self.tenants[name] = tenant
        given = {OPTION + option: value for option, value in variables.items()}
        self.hosts[name] = {OPTION + "tenant": tenant.domain, "ansible_connection": "ssh", **given}
        return tenant

    def run(self, playbook: str, *arguments: str, **environment: str) -> Run:
        """Run a playbook over the hosts, with the identity from the environment."""
        inventory = self.folder / "inventory.json"
        inventory.write_text(json.dumps({"all": {"hosts": self.hosts}}))
        identity = {
            "AZURE_CLIENT_ID": self.client_id,
            "AZURE_SECRET": SECRET,
            "MSGRAPH_URL": self.simulator.graph_url,
            "AZURE_AUTHORITY_HOST": self.simulator.authority_url,
            "REQUESTS_CA_BUNDLE": self.simulator.ca_path,
        }
        command = ["-i", str(inventory), "--forks", "10", playbook, *arguments]
        run = ansible_playbook(*command, site=self, environment={**identity, **environment})
        assert SECRET not in run.output + json.dumps(run.results)
        self.outcomes = {
            host: result for host, result in zip(run.hosts, run.results) if "connectors_and_tokens" in result
        }
        self.summaries = [result["summary"] for result in run.results if "summary" in result]
        return run

    def play(self, *tasks: dict[str, t.Any], arguments: t.Sequence[str] = (), **keywords: t.Any) -> Run:
        """Run a play of one's own."""
        play = {"hosts": "all", "gather_facts": False, "tasks": list(tasks), **keywords}
        (self.folder / "own.yml").write_text(json.dumps([play]))
        return self.run("own.yml", *arguments)

    def told(self, host: str) -> dict[str, str]:
        """The outcome of each thing of a host, by what it is called."""
        return {f"{one['kind']} {one['name']}": one["outcome"] for one in self.outcomes[host]["connectors_and_tokens"]}

    @property
    def accepted(self) -> dict[str, int]:
        """How many synchronisations each tenant was asked for."""
        return {
            name: sum(len(one.accepted) for held in tenant.objects.values() for one in held.values())
            for name, tenant in self.tenants.items()
        }


def role(how: str = "import_role", **keywords: t.Any) -> dict[str, t.Any]:
    """A task that imports the role, which checks its options itself."""
    return {f"ansible.builtin.{how}": {"name": ROLE, "rolespec_validate": False}, **keywords}


@pytest.fixture
def fleet(installed: Path, tmp_path: Path) -> t.Iterator[Fleet]:
    """Nothing yet."""
    world = World()
    with Simulator(world) as simulator:
        yield Fleet(world, simulator, installed, tmp_path)


def test_tenants_are_synchronised_once_with_one_sign_in_and_one_batch_for_each_version_of_graph(fleet: Fleet) -> None:
    for name in ("berlin", "oslo", "rome"):
        fleet.add_tenant(name)
    fleet.tenants["rome"].add_managed_google_play(last_sync=OLD)
    first = fleet.run(PLAYBOOK)
    assert first.code == 0, first.output
    assert recap(first) == dict.fromkeys(fleet.hosts, (1, 0))
    assert fleet.accepted == {"berlin": 2, "oslo": 2, "rome": 3}
    assert fleet.told("rome") == {
        "vpp_token Phones": "synchronised",
        "vpp_token Tablets": "fresh",
        "enrollment_program_token Macs": "synchronised",
        "autopilot Windows Autopilot service": "fresh",
        "managed_google_play Managed Google Play account": "synchronised",
    }
    assert fleet.outcomes["oslo"]["msg"] == "tenant oslo.example: 2 synchronised, 2 fresh."
    assert [one["before_header"] for one in fleet.outcomes["oslo"]["diff"]] == [
        "Apple enrollment program token Macs",
        "Apple VPP token Phones",
    ]
    for tenant in fleet.tenants.values():
        mine = [request for request in fleet.world.requests if request.tenant_id == tenant.id]
        assert sum(request.where == "token" for request in mine) == 1
        last = max(place for place, request in enumerate(mine) if request.where == "sync")
        batches = [request.path.split("/")[1] for request in mine[:last] if request.where == "batch"]
        assert max(batches.count(api) for api in ("v1.0", "beta")) <= 2
    second = fleet.run(PLAYBOOK)
    assert recap(second) == dict.fromkeys(fleet.hosts, (0, 0))
    assert sum(fleet.accepted.values()) == 7


def test_what_goes_wrong_in_one_tenant_is_told_by_it_alone(fleet: Fleet) -> None:
    """Each of these is a night's work of an administrator, and none holds back another."""
    fleet.add_tenant("well")
    fleet.add_tenant("consent", consent=False)
    fleet.add_tenant("secret", secret="not-the-secret-of-anybody")
    fleet.add_tenant("policy")
    fleet.world.faults.add(
        Fault("token", tenant_id=fleet.tenants["policy"].id, status=400, body=AADSTS53003, times=None)
    )
    fleet.add_tenant("licence").has_intune_licence = False
    forbidden = fleet.add_tenant("forbidden")
    fleet.world.faults.add(Fault("get", kind="autopilot", tenant_id=forbidden.id, status=403, times=None))
    failing = fleet.add_tenant("failing")
    next(iter(failing.vpp_tokens.values())).outcome = "fails"
    expired = fleet.add_tenant("expired")
    expired.add_vpp_token(organization_name="Kiosks", state="expired", last_sync=OLD, expires=timedelta(days=-3))
    expired.add_vpp_token(organization_name="Desks", state="expired", last_sync=LATELY, expires=timedelta(days=-3))
    strict = fleet.add_tenant("strict", fail_on=["obstacle"])
    strict.add_vpp_token(organization_name="Desks", state="expired", last_sync=LATELY, expires=timedelta(days=-3))
    fleet.add_tenant("lenient", consent=False, fail_on=[])
    forger = fleet.add_tenant("forger")
    names = [f"red \x1b[31m\nPLAY RECAP {'*' * 9}\nok \u202e", "x" * 5000, None]
    for name in names:
        token = forger.add_vpp_token(state="expired", last_sync=LATELY, expires=timedelta(days=-3))
        token.override = {"organizationName": name}
    soon = fleet.add_tenant("soon", warn_days=10)
    soon.add_vpp_token(organization_name="Kiosks", last_sync=LATELY, expires=timedelta(days=9, hours=1))
    soon.add_vpp_token(organization_name="Desks", last_sync=LATELY, expires=timedelta(days=11, hours=1))
    fleet.hosts["misspelt"] = {OPTION + "tenant": "x.example", OPTION + "maxage": 60}
    fleet.hosts["slash"] = {OPTION + "tenant": "a.example/b", OPTION + "fail_on": []}
    fleet.hosts["kind"] = {OPTION + "tenant": "x.example", OPTION + "max_age": {"vpp": 60}}
    run = fleet.run(PLAYBOOK)
    failed = {host for host, (_changed, count) in recap(run).items() if count}
    assert failed == {
        *("consent", "secret", "policy", "licence", "forbidden", "failing", "strict", "misspelt", "kind", "slash")
    }
    said = {host: outcome["msg"] for host, outcome in fleet.outcomes.items()}
    for host, words in {
        "consent": "AADSTS700016",
        "secret": "AADSTS7000215",
        "policy": "AADSTS53003",
    }.items():
        assert said[host].startswith(f"tenant {host}.example: ")
        assert words in said[host]
    assert said["licence"].startswith("tenant licence.example: ")
    assert "Windows Autopilot service: " in said["forbidden"]
    assert "DeviceManagementServiceConfig.Read.All" in said["forbidden"]
    assert fleet.told("forbidden")["vpp_token Phones"] == "synchronised"
    assert said["failing"].startswith(
        "tenant failing.example: 1 failed, 1 synchronised, 2 fresh - Apple VPP token Phones: "
    )
    assert fleet.told("expired")["vpp_token Kiosks"] == fleet.told("expired")["vpp_token Desks"] == "obstacle"
    assert "Apple VPP token Kiosks, Apple VPP token Desks: it expired on " in said["expired"]
    assert said["lenient"].startswith("tenant lenient.example: ")
    assert said["misspelt"] == f"{OPTION}maxage is no variable of the role; did you mean {OPTION}max_age?"
    assert said["slash"] == "tenant is 'a.example/b'; give the tenant's GUID or one of its domains."
    assert said["kind"] == (
        "max_age names 'vpp', which is no kind; give autopilot, enrollment_program_token, exchange_connector,"
        " managed_google_play, vpp_token."
    )
    assert "Apple VPP token red [31m PLAY RECAP ********* ok, Apple VPP token xxx" in said["forger"]
    assert len(said["forger"]) < 2000
    assert not [sign for sign in "\x1b\u202e" if sign in run.output + json.dumps(said, ensure_ascii=False)]
    days = {one["name"]: one["days_left"] for one in fleet.outcomes["soon"]["connectors_and_tokens"]}
    assert (days["Kiosks"], days["Desks"]) == (9, 11)
    assert fleet.accepted == {
        **dict.fromkeys(("well", "failing", "expired", "strict", "soon", "forbidden", "forger"), 2),
        **dict.fromkeys(("consent", "secret", "policy", "licence", "lenient"), 0),
    }
    (summary,) = fleet.summaries
    assert counted(summary)["unreadable"] == 6, said["licence"]
    assert "[WARNING]" not in run.output, "what is listed is not warned of as well"


AADSTS53003 = json.dumps(
    {
        "error": "invalid_grant",
        "error_description": "AADSTS53003: Access has been blocked by Conditional Access policies.",
        "error_codes": [53003],
    }
)


def test_options_differ_from_tenant_to_tenant_and_kind_to_kind(fleet: Fleet) -> None:
    for name, options in {
        "kinds": {"kinds": ["vpp_token"]},
        "ages": {"max_age": {"vpp_token": 0, "enrollment_program_token": 5 * 86400}},
        "age": {"max_age": "259200"},
        "force": {"force": True, "max_age": 259200},
        "nowait": {"wait": False},
        "dry": {},
    }.items():
        fleet.add_tenant(name, **options)
    fleet.hosts["twin"] = {**fleet.hosts["age"], OPTION + "max_age": 3600}
    fleet.hosts["dry"]["dry"] = True
    dry = {"check_mode": "{{ dry | default(false) }}"}
    run = fleet.play({"ansible.builtin.include_role": {"name": ROLE, "rolespec_validate": False, "apply": dry}})
    assert run.code == 0, run.output
    assert fleet.accepted == {"kinds": 1, "ages": 2, "age": 2, "force": 4, "nowait": 2, "dry": 0}
    assert {*fleet.told("kinds")} == {"vpp_token Phones", "vpp_token Tablets"}
    assert fleet.outcomes["twin"]["changed"] is True, "one request does for both"
    assert fleet.outcomes["age"]["changed"] is True
    assert [*fleet.told("dry").values()].count("predicted") == 2
    assert [*fleet.told("nowait").values()].count("requested") == 2


def test_the_report_reads_only_and_the_names_of_tenants_are_those_of_hosts_alone(fleet: Fleet) -> None:
    for name in ("berlin", "oslo"):
        fleet.add_tenant(name)
    report = fleet.run(REPORT, "-e", f"{OPTION}report_path={fleet.folder / 'r.json'}")
    assert (report.code, sum(fleet.accepted.values())) == (0, 0), report.output
    assert len(json.loads((fleet.folder / "r.json").read_text())["connectors_and_tokens"]) == 8
    for only, why in (
        ("berlin,nowhere", "tenants_only names nowhere, which is no host of the inventory"),
        ([""], "tenants_only has no name in it; leave it out for all tenants"),
    ):
        refused = fleet.run(PLAYBOOK, "-e", json.dumps({"tenants_only": only}))
        assert refused.code != 0
        assert why in refused.output
    assert sum(fleet.accepted.values()) == 0
    assert fleet.run(PLAYBOOK, "-e", json.dumps({"tenants_only": "berlin"})).code == 0
    assert fleet.accepted == {"berlin": 2, "oslo": 0}
    assert fleet.run(PLAYBOOK, "-e", json.dumps({"tenants_only": ["oslo"]}), "--limit", "berlin").code == 0
    assert fleet.accepted == {"berlin": 2, "oslo": 0}
    assert fleet.run(PLAYBOOK, "-e", json.dumps({"tenants_only": ""}), "--limit", "oslo").code == 0
    assert fleet.accepted == {"berlin": 2, "oslo": 2}


NO_HOST = "tenants_only names {}, which is no host of the inventory"
NO_NAME = "tenants_only has no name in it; leave it out for all tenants"
A_PATTERN = (
    "tenants_only names {}, which Ansible would take for a pattern of hosts; give this host a name of letters, digits,"
    " dots, dashes and underscores"
)
# What is asked for, with the hosts that are meant, or why none is. What is empty is an answer that nobody gave.
ONLY: tuple[tuple[t.Any, t.Any], ...] = (
    ("berlin, oslo.example", ["berlin", "oslo.example"]),
    ("berlin\r\noslo.example\n", ["berlin", "oslo.example"]),
    (["berlin", "oslo.example", "berlin"], ["berlin", "oslo.example"]),
    (7, ["7"]),
    ("", "all"),
    ([], "all"),
    (None, "all"),
    (" , ", NO_NAME),
    ([""], NO_NAME),
    ([None], NO_NAME),
    (False, NO_NAME),
    ("all", NO_HOST.format("all")),
    ("@/etc/passwd", NO_HOST.format("@/etc/passwd")),
    (["berlin", "*"], NO_HOST.format("*")),
    ("~.*", NO_HOST.format("~.*")),
    ("!oslo", NO_HOST.format("!oslo")),
    ("Two Words", NO_HOST.format("Two, Words")),
    # Hosts have these names, and yet the first means all others.
    ("!berlin", A_PATTERN.format("!berlin")),
    ("berlin:rome", A_PATTERN.format("berlin:rome")),
)


def test_no_answer_for_the_tenants_is_taken_for_all_of_them_but_none(fleet: Fleet) -> None:
    plays = [
        yaml.safe_load((ROOT / "playbooks" / f"{name}.yml").read_text(encoding="utf-8"))[0]
        for name in ("sync_tenants", "tenant_report")
    ]
    assert plays[0]["hosts"] == plays[1]["hosts"]
    assert plays[0]["vars"] == plays[1]["vars"]
    hosts = plays[0]["hosts"].replace("undef(hint=__tenants_problem)", "__tenants_problem")
    assert hosts != plays[0]["hosts"]
    for name in ("berlin", "oslo.example", "7", "!berlin", "berlin:rome", "Two Words"):
        fleet.hosts[name] = {}
    told = {
        "ansible.builtin.debug": {"msg": hosts},
        "vars": {**plays[0]["vars"], "tenants_only": "{{ item }}"},
        "loop": [only for only, _told in ONLY],
    }
    run = fleet.play(told, hosts="berlin")
    assert [result["msg"] for result in run.result["results"]] == [told for _only, told in ONLY], run.output


def test_batches_add_up_and_failures_are_counted_by_tenant(fleet: Fleet) -> None:
    for name in ("a", "b", "c", "d"):
        fleet.add_tenant(name, consent=name != "c")
        for place in range(2 if name == "a" else 0):
            fleet.tenants[name].add_vpp_token(organization_name=f"x{place}", last_sync=OLD, outcome="fails")
    # Two things of one tenant fail, and that is one tenant; with the next one it is too many.
    run = fleet.play(role(), arguments=["-e", json.dumps({OPTION + "max_failures": "1"})], serial=2)
    assert run.code == 2
    assert fleet.accepted == {"a": 4, "b": 2, "c": 0, "d": 0}
    assert [summary["tenants"]["total"] for summary in fleet.summaries] == [2, 4]
    assert "not begun, because more tenants failed than the 1 that max_failures allows" in fleet.outcomes["d"]["msg"]
    assert recap(run)["d"] == (0, 1)


def test_hosts_that_ansible_leaves_out_are_not_touched(fleet: Fleet) -> None:
    for name in ("a", "b", "c"):
        fleet.add_tenant(name)
    end = {"ansible.builtin.meta": "end_host", "when": "inventory_hostname == 'a'"}
    run = fleet.play(end, role("include_role", when="inventory_hostname != 'b'"))
    assert run.code == 0, run.output
    assert fleet.accepted == {"a": 0, "b": 0, "c": 2}
    assert {one["host"]: one["reason"] for one in fleet.summaries[-1]["skipped"]} == {"a": GONE, "b": LEFT_OUT}
    once = fleet.play(role(), run_once=True)
    assert once.code == 2
    assert "run_once is set for the role or around it" in once.output
    mine = {"environment": {"AZURE_TENANT": "{{ real }}"}}
    fleet.hosts = {name: {"real": f"{name}.example"} for name in ("a", "b")}
    run = fleet.play(role(**mine))
    assert run.code == 0, run.output
    assert fleet.accepted == {"a": 2, "b": 2, "c": 2}


def test_a_token_that_is_of_one_tenant_stands_for_no_other(fleet: Fleet) -> None:
    """Else all hosts would be told of its tenant, each as if it were its own."""
    for name in ("a", "b"):
        fleet.add_tenant(name)
    (app,) = fleet.tenants["a"].apps.values()
    token = fleet.world.issue_access_token(app, fleet.simulator.graph_url)
    ready = {"AZURE_CLIENT_ID": "", "AZURE_SECRET": "", "MSGRAPH_ACCESS_TOKEN": token}
    refused = fleet.run(PLAYBOOK, **ready)
    assert (refused.code, fleet.world.connections) == (2, 0)
    assert {outcome["msg"] for outcome in fleet.outcomes.values()} == {
        "a sign-in with a ready access token reads one tenant, but the hosts name 2 tenants for it; sign in as an app"
        " that is registered for many tenants."
    }
    assert recap(refused) == {"a": (0, 1), "b": (0, 1)}
    # One tenant may be several hosts, and each tenant may have a token of its own.
    fleet.hosts["twin"] = dict(fleet.hosts["a"])
    fleet.hosts["b"][OPTION + "access_token"] = fleet.world.issue_access_token(
        next(iter(fleet.tenants["b"].apps.values())), fleet.simulator.graph_url
    )
    assert fleet.run(PLAYBOOK, **ready).code == 0
    assert fleet.accepted == {"a": 2, "b": 2}
