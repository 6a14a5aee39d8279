# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What intune_exchange_connector_sync promises, over real HTTPS and with real MSAL."""

from __future__ import annotations

import json
import re
import typing as t
import uuid
from datetime import datetime, timedelta, timezone

import pytest

from .conftest import SYNC, Cases, Site

PATH = "/v1.0/deviceManagement/exchangeConnectors/"


def test_a_stale_connector_is_synchronised_once(site: Site) -> None:
    site.connector.sync_delay = 1.5
    task = {SYNC: site.options()}
    run = site.play([task, task])
    first, second = run.results
    assert run.code == 0
    assert (first["changed"], second["changed"]) == (True, False)
    assert (first["sync"]["state"], second["sync"]["state"]) == ("completed", "fresh")
    assert [kind for _time, kind in site.connector.accepted] == ["deltaSync"]
    assert first["connector"]["last_sync_date_time"] == first["sync"]["completed_at"]
    assert first["sync"]["age"] == pytest.approx(3 * 86400, abs=60)
    assert first["sync"]["reason"] == "the last synchronisation ended 3 d ago, beyond max_age (2 h)"
    assert first["sync"]["previous_sync_date_time"] == first["diff"]["before"]["last_sync_date_time"]
    (post,) = site.requests("sync")
    assert first["request_id"] == post.request_id
    assert second["request_id"] == site.requests("get")[-1].request_id


def test_what_goes_over_the_wire(site: Site) -> None:
    site.connector.sync_delay = 0.5
    site.sync(connector_id=site.connector.id.upper())
    to_graph = [request for request in site.world.requests if request.host == "graph"]
    assert [(r.method, r.path) for r in to_graph[:3]] == [
        ("GET", PATH + site.connector.id),
        ("POST", PATH + site.connector.id + "/sync"),
        ("GET", PATH + site.connector.id),
    ]
    post = to_graph[1]
    assert json.loads(post.body) == {"syncType": "deltaSync"}
    assert post.headers["Content-Type"] == "application/json"
    assert len({request.connection for request in to_graph}) == 1, "one connection is kept"
    assert len({uuid.UUID(request.headers["client-request-id"]) for request in to_graph}) == len(to_graph)
    for request in to_graph:
        assert request.headers["Accept"] == "application/json"
        assert re.match(r"graphops\.intune/[0-9.]+ ", request.headers["User-Agent"])
        assert "SdkVersion" not in request.headers
        assert "Cookie" not in request.headers
    for request in site.world.requests:
        assert ("Authorization" in request.headers) == (request.host == "graph"), "the token goes to Graph alone"
    assert not site.requests("discovery")
    assert [r.where for r in site.world.requests if r.host == "entra"] == ["metadata", "token"]


def test_check_mode_predicts_and_posts_nothing(site: Site) -> None:
    run = site.sync("--check", "--diff")
    assert run.result["changed"] is True
    assert run.result["sync"]["state"] == "predicted"
    assert run.result["diff"]["after"]["sync"] == "deltaSync predicted"
    assert '+    "sync": "deltaSync predicted"' in run.output
    assert not site.requests("sync")


def test_check_mode_of_a_fresh_connector_predicts_nothing(site: Site) -> None:
    site.connector.last_sync = timedelta(minutes=20)
    run = site.sync("--check", "--diff")
    assert run.result["changed"] is False
    assert run.result["diff"]["before"] == run.result["diff"]["after"]


@pytest.mark.slow
def test_diff_mode_shows_the_times(site: Site) -> None:
    run = site.sync("--diff")
    before, after = run.result["diff"]["before"], run.result["diff"]["after"]
    assert f'-    "last_sync_date_time": "{before["last_sync_date_time"]}"' in run.output
    assert f'+    "last_sync_date_time": "{after["last_sync_date_time"]}"' in run.output
    assert after["sync"] == "deltaSync completed"


def test_without_wait_it_ends_when_graph_accepted(site: Site) -> None:
    site.connector.sync_delay = 3600
    run = site.sync(wait=False)
    assert run.result["changed"] is True
    assert run.result["sync"]["state"] == "requested"
    assert run.result["sync"]["completed_at"] is None
    assert abs(datetime.now(timezone.utc) - at(run.result["sync"]["requested_at"])) < timedelta(minutes=2)
    assert len(site.requests("get")) == 1


@pytest.mark.slow
def test_when_a_sync_is_needed(cases: Cases, subtests: pytest.Subtests) -> None:
    wanted: list[tuple[dict[str, t.Any], timedelta | None, list[str], str]] = [
        ({}, timedelta(minutes=119), [], "within max_age (2 h)"),
        ({}, timedelta(minutes=121), ["deltaSync"], "beyond max_age (2 h)"),
        ({}, None, ["deltaSync"], "the connector has never synchronised"),
        ({"max_age": 60}, timedelta(minutes=2), ["deltaSync"], "beyond max_age (1 min)"),
        ({"max_age": 0}, timedelta(0), ["deltaSync"], "always requested"),
        ({"force": True}, timedelta(0), ["deltaSync"], "force is set"),
        ({"sync_type": "fullSync"}, timedelta(0), ["fullSync"], "a fullSync is always requested, as max_age is 0"),
        ({"sync_type": "fullSync", "max_age": 86400}, timedelta(hours=20), [], "within max_age (1 d)"),
        ({"sync_type": "fullSync", "max_age": 86400}, timedelta(hours=25), ["fullSync"], "beyond max_age (1 d)"),
        # Synchronised "in the future": within the difference of two servers' clocks, and beyond it.
        ({}, timedelta(minutes=-2), [], "ended 0 s ago"),
        ({"wait": False}, timedelta(hours=-2), ["deltaSync"], "in the future"),
    ]
    tried = [cases.add(**options) for options, _age, _accepted, _reason in wanted]
    for case, (_options, age, _accepted, _reason) in zip(tried, wanted):
        case.connector.last_sync = age  # type: ignore[assignment]
    cases.sync()
    for case, (options, age, accepted, reason) in zip(tried, wanted):
        with subtests.test(options=options, age=age):
            assert case.run.code == 0, case.run.result
            assert [kind for _time, kind in case.connector.accepted] == accepted
            assert case.run.result["changed"] is bool(accepted)
            assert reason in case.run.result["sync"]["reason"]


def test_the_clock_is_graphs_and_not_the_controllers(site: Site) -> None:
    site.world.clock_offset = timedelta(days=-30)
    site.connector.last_sync = timedelta(minutes=20)
    assert site.sync().result["sync"]["state"] == "fresh"


@pytest.mark.slow
@pytest.mark.parametrize("date", [False, "yesterday"])
def test_without_graphs_clock_a_sync_is_requested(site: Site, date: bool | str) -> None:
    site.connector.last_sync = timedelta(minutes=20)
    site.world.date_header = date
    run = site.sync()
    assert run.result["changed"] is True
    assert run.result["sync"]["age"] is None
    assert "Graph did not tell the time" in run.output


def test_a_disconnected_connector_fails_before_posting(site: Site) -> None:
    site.connector.status = "disconnected"
    run = site.sync()
    assert run.code == 2
    assert run.result["changed"] is False
    assert run.result["msg"] == (
        f"Exchange connector {site.connector.id} in tenant contoso.example: its status is disconnected, so no deltaSync"
        " was requested; connect it in Intune's admin centre, or set require_connected to false to request one all the"
        " same."
    )
    assert run.result["connector"]["status"] == "disconnected"
    assert run.result["sync"]["state"] == "refused"
    assert not site.requests("sync")
    assert site.sync("--check").code == 2, "check mode predicts the failure"


@pytest.mark.slow
def test_a_disconnected_connector_may_be_asked_all_the_same(site: Site) -> None:
    site.connector.status = "disconnected"
    assert site.sync(require_connected=False).result["sync"]["state"] == "completed"


def test_a_fresh_disconnected_connector_passes_with_a_warning(site: Site) -> None:
    site.connector.status = "disconnected"
    site.connector.last_sync = timedelta(minutes=5)
    run = site.sync()
    assert (run.code, run.result["changed"]) == (0, False)
    assert "its status is disconnected, so the next synchronisation fails" in " ".join(run.output.split())


def test_a_sync_that_does_not_show_fails_as_changed(site: Site) -> None:
    site.connector.outcome = "never"
    run = site.sync(wait_timeout=3)
    assert run.code == 2
    assert run.result["changed"] is True
    assert run.result["sync"]["state"] == "requested"
    assert run.result["connector"]["status"] == "connected"
    assert re.search(
        r"Graph accepted the deltaSync at \S+Z, but it did not show within wait_timeout \(3 s\): lastSyncDateTime still"
        r" is \S+Z, and the status connected; it may still be running: run again later, or raise wait_timeout\.$",
        run.result["msg"],
    )


@pytest.mark.slow
def test_a_connector_that_loses_its_connection_meanwhile_is_shown_as_it_is(site: Site) -> None:
    site.connector.outcome = "fails"
    run = site.sync(wait_timeout=2)
    assert run.result["changed"] is True
    assert "and the status disconnected" in run.result["msg"]


@pytest.mark.slow
def test_a_retired_connector_is_told_so(cases: Cases, subtests: pytest.Subtests) -> None:
    states = {"connected": "requested", "disconnected": "refused"}
    tried = {status: cases.add(wait_timeout=1) for status in states}
    for status, case in tried.items():
        case.connector.last_sync = datetime(2024, 2, 18, tzinfo=timezone.utc)
        case.connector.status = status
        case.connector.outcome = "never"
    cases.sync()
    told = "Microsoft ended support for the on-premises Exchange connector on 19 February 2024"
    for status, case in tried.items():
        with subtests.test(status=status):
            assert case.run.result["sync"]["state"] == states[status]
            assert told in case.run.result["msg"]


@pytest.mark.slow
def test_bad_input_fails_before_any_network_call(cases: Cases, subtests: pytest.Subtests) -> None:
    wanted: list[tuple[dict[str, t.Any], str]] = [
        ({"connector_id": "exchange01"}, "connector_id 'exchange01' is not a GUID; take the id from"),
        ({"connector_id": "e11c1de8-1de8-e11c-e81d-1ce1e81d1ce1/../.."}, "is not a GUID"),
        ({"connector_id": "{e11c1de8-1de8-e11c-e81d-1ce1e81d1ce1}"}, "is not a GUID"),
        ({"max_age": -1}, "max_age is -1; give a number of seconds that is at least 0."),
        ({"wait_timeout": 0}, "wait_timeout is 0; give a number of seconds that is at least 1."),
        ({"wait_sleep": 0}, "wait_sleep is 0; give a number of seconds that is at least 1."),
        ({"request_timeout": 0}, "request_timeout is 0; give a number of seconds that is at least 1."),
        ({"retry_timeout": -5}, "retry_timeout is -5; give a number of seconds that is at least 0."),
        ({"sync_type": "quickSync"}, "value of sync_type must be one of: deltaSync, fullSync"),
        ({"tenant": "contoso/example"}, "tenant is 'contoso/example'; give the tenant's GUID or one of its domains."),
        ({"graph_url": "http://graph.microsoft.com"}, "graph_url is not the https address of a host"),
        ({"authority_url": "https://user@login.microsoftonline.com"}, "authority_url is not the https address"),
        ({"ca_path": "/nowhere/ca.pem"}, "ca_path '/nowhere/ca.pem' cannot be used: No such file or directory"),
        ({"secret": ""}, "no identity to sign in with is given"),
    ]
    tried = [cases.add(**options) for options, _sentence in wanted]
    cases.sync()
    assert tried[0].site.world.connections == 0
    for case, (options, sentence) in zip(tried, wanted):
        with subtests.test(options=options):
            assert case.run.code == 2
            assert sentence in case.run.result["msg"]
            assert not case.run.result.get("changed")


def test_an_unknown_connector(site: Site) -> None:
    unknown = str(uuid.uuid4())
    run = site.sync(connector_id=unknown)
    assert run.result["changed"] is False
    assert run.result["msg"].startswith(
        f"Exchange connector {unknown} in tenant contoso.example: could not read it, Graph answered HTTP 404 (Not Found"
    )
    assert run.result["msg"].endswith("; the connector is not in this tenant: check connector_id and tenant.")
    assert run.result["request_id"] == site.requests("get")[0].request_id


@pytest.mark.slow
@pytest.mark.parametrize(
    ("roles", "doing"),
    [((), "read it"), (("DeviceManagementServiceConfig.Read.All",), "request a deltaSync")],
)
def test_a_missing_permission(site: Site, roles: tuple[str, ...], doing: str) -> None:
    site.app.roles = roles
    message = site.sync().result["msg"]
    assert f"could not {doing}, Graph answered HTTP 403 (Forbidden): " in message
    assert message.endswith(
        "; grant the app DeviceManagementServiceConfig.ReadWrite.All with admin consent in this tenant, as an"
        " application permission, and check that the tenant has an active Intune licence."
    )
    assert "_version" not in message
    assert "{" not in message


@pytest.mark.slow
def test_a_tenant_without_intune(site: Site) -> None:
    site.tenant.has_intune_licence = False
    message = site.sync().result["msg"]
    assert 'HTTP 400 (Bad Request): "Request not applicable to target tenant' in message
    assert message.endswith("; the tenant has no Intune: check tenant and its licence.")


@pytest.mark.slow
def test_every_property_is_returned_in_snake_case(site: Site) -> None:
    site.connector.override = {"status": "hibernating", "someNewURLProperty": {"innerValue": 1}, "exchangeAlias": None}
    site.connector.last_sync = timedelta(minutes=1)
    connector = site.sync().result["connector"]
    assert connector["status"] == "hibernating"
    assert connector["some_new_url_property"] == {"innerValue": 1}
    assert connector["exchange_alias"] is None
    assert connector["primary_smtp_address"] == "connector001@contoso.example"
    assert not [name for name in connector if "@" in name or name != name.lower()]


@pytest.mark.slow
def test_an_entity_wrapped_in_value_is_understood(site: Site) -> None:
    site.connector.wrap_in_value = True
    assert site.sync().result["sync"]["state"] == "completed"


def test_a_time_that_cannot_be_read_fails_before_posting(site: Site) -> None:
    site.connector.override = {"lastSyncDateTime": "soon"}
    run = site.sync()
    assert run.code == 2
    assert "Graph's lastSyncDateTime cannot be read: 'soon' is not a time" in run.result["msg"]
    assert not site.requests("sync")


@pytest.mark.slow
def test_module_defaults_reach_both_modules(site: Site) -> None:
    shared = site.options(connector_id=None, wait_sleep=None)
    run = site.play(
        [
            {SYNC: {"connector_id": site.connector.id, "interval": 1}},
            {"graphops.intune.intune_exchange_connector_info": {}},
        ],
        module_defaults={"group/graphops.intune.intune": shared},
    )
    assert run.code == 0, run.output
    assert run.results[1]["connectors"][0]["id"] == site.connector.id


def at(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
