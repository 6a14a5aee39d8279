# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the Ansible Automation Platform counts of a job, by queries over the events that ansible-runner makes of it."""

from __future__ import annotations

import json
import subprocess
import typing as t
from datetime import timedelta

import jq
import pytest
import yaml

from .conftest import INFO, ROOT, SYNC, Site, clean_environment

AWX = ROOT / ".build" / "awx" / "bin"
# Whoever only signs in has managed nothing.
NO_NODES = ("intune_sign_in_info",)
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("intune_*.py") if path.stem not in NO_NODES)
VPP, ENROLLMENT, AUTOPILOT, PLAY, DEVICE = (
    f"graphops.intune.intune_{kind}_sync"
    for kind in ("vpp_token", "enrollment_program_token", "autopilot", "managed_google_play", "managed_device")
)
OVERVIEW = "graphops.intune.intune_connectors_and_tokens_info"
DAY, HOUR = timedelta(days=1), timedelta(hours=1)

Node = tuple[tuple[str, str], ...]


@pytest.fixture(scope="module")
def queries() -> dict[str, t.Any]:
    """By module, its compiled query."""
    text = (ROOT / "extensions" / "audit" / "event_query.yml").read_text(encoding="utf-8")
    return {name: jq.compile(entry["query"]) for name, entry in yaml.safe_load(text).items()}


def nodes_of(query: t.Any, result: t.Any) -> list[Node]:
    """The nodes in a result, as AWX 24.6.1 knows them again (awx/main/tasks/host_indirect.py)."""
    found = []
    for data in query.input_value(result).all():
        assert set(data) == {"name", "canonical_facts", "facts"}
        assert data["name"]
        # With a null among these AWX leaves the node out, and with none at all too.
        assert all(isinstance(fact, str) for fact in data["canonical_facts"].values())
        assert {"kind", "id"} <= set(data["canonical_facts"])
        found.append(tuple(sorted(data["canonical_facts"].items())))
    return found


def test_each_module_is_counted(queries: dict[str, t.Any]) -> None:
    assert sorted(queries) == [f"graphops.intune.{module}" for module in MODULES]


ODD: list[t.Any] = [
    {},
    {"changed": False, "failed": True, "msg": "The secret has expired."},
    {"censored": "the output has been hidden due to the fact that 'no_log: true' was specified for this result"},
    {"results": [{"vpp_token": {"id": "1"}, "sync": {"state": "fresh"}}]},
    *(dict.fromkeys(("connectors", "vpp_tokens", "enrollment_program_tokens"), odd) for odd in (None, [], 1, [None])),
    {"autopilot": None, "managed_google_play": None, "managed_device": None, "vpp_token": None, "sync": None},
    {"connector": {"id": None}, "autopilot": {"id": None}, "managed_device": {}, "sync": {"state": "requested"}},
    {"connectors_and_tokens": [None, {"kind": None, "id": None}], "asked_device_ids": None, "invocation": None},
]


@pytest.mark.parametrize("odd", ODD)
def test_no_result_makes_a_query_fail_as_that_would_lose_the_whole_job(queries: dict[str, t.Any], odd: t.Any) -> None:
    assert [name for name, query in queries.items() if nodes_of(query, odd)] == []


class Job:
    """A job as AWX runs it, with the nodes that are counted of it."""

    def __init__(self, site: Site, queries: dict[str, t.Any], tasks: t.Sequence[dict[str, t.Any]]) -> None:
        """Run tasks, each in a way that lets the next one run."""
        folder = site.folder / "job"
        (folder / "project").mkdir(parents=True, exist_ok=True)
        play = {"hosts": "localhost", "gather_facts": False, "tasks": [{"ignore_errors": True, **one} for one in tasks]}
        (folder / "project" / "play.yml").write_text(json.dumps([play]), encoding="utf-8")
        done = subprocess.run(
            [str(AWX / "ansible-runner"), "run", str(folder), "-p", "play.yml", "--quiet"],
            env=clean_environment(site.collections, PATH=f"{AWX}:/usr/bin:/bin"),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        (events,) = folder.glob("artifacts/*/job_events")
        files = sorted(events.glob("*-*.json"), key=lambda path: int(path.name.partition("-")[0]))
        data = [json.loads(path.read_text(encoding="utf-8"))["event_data"] for path in files]
        self.by_task: dict[str, list[Node]] = {}
        for event in data:
            query = queries.get(event.get("resolved_action", ""))
            if query is not None and event.get("res"):
                self.by_task.setdefault(event["task"], []).extend(nodes_of(query, event["res"]))


def node(kind: str, id_: str, tenant: str = "") -> Node:
    return tuple(sorted({"kind": kind, "id": id_.lower(), **({"tenant": tenant} if tenant else {})}.items()))


@pytest.mark.slow
@pytest.mark.skipif(
    not (AWX / "ansible-runner").exists(), reason="ansible-runner is not here: make .build/awx/ready installs it"
)
def test_the_nodes_of_a_job(site: Site, queries: dict[str, t.Any]) -> None:
    tenant = site.tenant
    vpp = [tenant.add_vpp_token(last_sync=DAY), tenant.add_vpp_token(last_sync=DAY, state="expired")]
    enrollment = tenant.add_enrollment_program_token(last_sync=DAY)
    autopilot = tenant.add_autopilot(last_sync=DAY)
    play = tenant.add_managed_google_play(last_sync=DAY)
    tenant.add_mobile_threat_defense_connector("unresponsive", last_heartbeat=9 * DAY)
    due, young = tenant.add_managed_device(last_sync=DAY), tenant.add_managed_device(last_sync=HOUR)
    tenant.add_managed_device(last_sync=DAY, management_agent="jamf")
    nowhere = "44444444-4444-4444-8444-444444444444"

    def task(name: str, module: str, **options: t.Any) -> dict[str, t.Any]:
        keywords = {word: options.pop(word) for word in ("check_mode", "loop") if word in options}
        return {"name": name, module: site.options(**{"connector_id": None, **options}), **keywords}

    every = [*(one.id for one in vpp), nowhere]
    job = Job(
        site,
        queries,
        [
            task("predicted", VPP, all=True, state=["valid"], check_mode=True),
            task("predicted enrolment", ENROLLMENT, all=True, check_mode=True),
            task("predicted autopilot", AUTOPILOT, check_mode=True),
            task("predicted play", PLAY, check_mode=True),
            task("predicted connectors", SYNC, all=True, check_mode=True),
            task("predicted devices", DEVICE, all=True, check_mode=True),
            task("predicted device", DEVICE, device_id=due.id, check_mode=True),
            task("vpp", VPP, token_ids=every),
            task("vpp in a loop", VPP, token_id="{{ item }}", loop=every),
            task("enrolment", ENROLLMENT, token_id=enrollment.id.upper()),
            task("autopilot", AUTOPILOT),
            task("play", PLAY),
            task("connectors", SYNC, all=True),
            task("connector", SYNC, connector_id=site.connector.id),
            task("connectors read", INFO, wait_sleep=None),
            task("devices", DEVICE, device_ids=[due.id, young.id, nowhere]),
            task("device", DEVICE, device_id=due.id, force=True),
            task("fresh device", DEVICE, device_id=young.id),
            task("devices of which none is due", DEVICE, all=True, user_principal_name=["nobody@contoso.example"]),
            task("overview", OVERVIEW, wait_sleep=None),
            task("overview, refused", OVERVIEW, wait_sleep=None, secret="wrong"),
        ],
    )
    tokens = [node("vpp_token", one.id) for one in vpp]
    connector, device = node("exchange_connector", site.connector.id), node("managed_device", due.id)
    own = [
        node("enrollment_program_token", enrollment.id),
        node("autopilot", autopilot.id),
        node("managed_google_play", play.id, tenant.domain),
    ]
    overview = job.by_task.pop("overview")
    assert job.by_task == {
        **{name: [] for name in job.by_task if name.startswith("predicted")},
        "vpp": tokens,
        "vpp in a loop": tokens,
        "enrolment": [own[0]],
        "autopilot": [own[1]],
        "play": [own[2]],
        "connectors": [connector],
        "connector": [connector],
        "connectors read": [connector],
        "devices": [device],
        "device": [device],
        "fresh device": [],
        "devices of which none is due": [],
        "overview, refused": [],
    }
    assert len([name for name in job.by_task if name.startswith("predicted")]) == 7
    # The same things are the same nodes, by whatever module they are seen.
    assert {*tokens, *own, connector} < set(overview)
    (partner,) = set(overview) - {*tokens, *own, connector}
    assert dict(partner)["kind"] == "mobile_threat_defense_connector"
    assert dict(partner)["tenant"] == tenant.domain
    assert len(overview) == len(set(overview))
