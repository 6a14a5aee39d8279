# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What intune_exchange_connector_info promises."""

from __future__ import annotations

import dataclasses
import json
import typing as t
import uuid
from datetime import timedelta

import pytest
from simulator import Fault
from simulator.records import Answer, Request

from .conftest import INFO, SEND_THE_MODULE, SYNC, Run, Site

pytestmark = pytest.mark.slow


@pytest.fixture
def site(site: Site) -> Site:
    """A tenant with five connectors."""
    site.tenant.connectors.clear()
    names = ("delta", "Alpha", "charlie", "bravo", "alpha")
    statuses = ("connected", "disconnected", "connectionPending", "connected", "none")
    for number, (name, status) in enumerate(zip(names, statuses)):
        site.tenant.add_connector(
            f"00000000-0000-0000-0000-00000000000{9 - number}",
            status=status,
            last_sync=timedelta(days=number) if number else None,
            serverName=name,
            exchangeOrganization="Contoso" if number < 3 else "Fabrikam",
        )
    return site


def servers(run: Run) -> list[str]:
    assert run.code == 0, run.output
    assert run.result["changed"] is False
    return [connector["server_name"] for connector in run.result["connectors"]]


def test_all_are_listed_sorted_by_server_and_id(site: Site) -> None:
    run = site.info()
    assert servers(run) == ["alpha", "Alpha", "bravo", "charlie", "delta"]
    assert run.result["connectors"][-1]["last_sync_date_time"] is None


def test_check_mode_reads_as_well(site: Site) -> None:
    assert len(servers(site.info("--check"))) == 5


@pytest.mark.parametrize("size", [1, 2, 5])
def test_every_page_is_read(site: Site, size: int) -> None:
    site.tenant.page_size = size
    assert len(servers(site.info())) == 5
    assert len(site.requests("list")) == -(-5 // size)
    assert len({request.connection for request in site.requests("list")}) == 1


def test_filters(site: Site, subtests: pytest.Subtests) -> None:
    wanted: list[tuple[dict[str, t.Any], list[str]]] = [
        ({"status": ["connected"]}, ["bravo", "delta"]),
        ({"status": ["disconnected", "none"]}, ["alpha", "Alpha"]),
        ({"server_name": "ALPHA"}, ["alpha", "Alpha"]),
        ({"exchange_organization": "fabrikam"}, ["alpha", "bravo"]),
        ({"exchange_organization": "fabrikam", "status": ["connected"]}, ["bravo"]),
        ({"connector_server_name": "conn001.contoso.example"}, ["delta"]),
        ({"primary_smtp_address": "connector002@contoso.example"}, ["Alpha"]),
        ({"server_name": "alph"}, []),
        ({"connector_id": "00000000-0000-0000-0000-000000000009"}, ["delta"]),
        ({"connector_id": "00000000-0000-0000-0000-000000000009", "status": ["none"]}, []),
    ]
    reading: dict[str, t.Any] = {"connector_id": None, "wait_sleep": None}
    run = site.play([{INFO: site.options(**{**reading, **filters})} for filters, _found in wanted])
    assert (run.code, len(run.results)) == (0, len(wanted)), run.output
    for (filters, found), result in zip(wanted, run.results):
        with subtests.test(filters=filters):
            assert result["changed"] is False
            assert [connector["server_name"] for connector in result["connectors"]] == found


def test_none_found_is_an_empty_list(site: Site) -> None:
    assert servers(site.info(connector_id=str(uuid.uuid4()))) == []
    site.tenant.connectors.clear()
    assert servers(site.info()) == []


def test_a_tenant_that_has_none_and_never_had_one(site: Site) -> None:
    site.tenant.has_exchange_connectors = False
    one = {SYNC: site.options(connector_id=str(uuid.uuid4())), "ignore_errors": True}
    every = {SYNC: site.options(connector_id=None, all=True)}
    run = site.play([{INFO: site.options(connector_id=None, wait_sleep=None)}, every, one])
    assert run.code == 0, run.output
    found, done, failed = run.results
    assert (found["connectors"], done["connectors"], done["changed"]) == ([], [], False)
    (warning,) = found["warnings"]
    assert warning == done["warnings"][0]
    assert "in tenant contoso.example: this tenant has no Exchange connector (Graph answered HTTP 501" in warning
    # Once in what people read.
    assert " ".join(run.output.split()).count("NotSupported);") == 1
    assert "this tenant has no Exchange connector: check tenant (Microsoft ended support for the" in failed["msg"]
    assert len(site.requests("list")) == 2, "it is not asked again"
    assert len(site.requests("get")) == 1


def test_lists_with_odd_entries(site: Site) -> None:
    first, second, _third, fourth, last = site.tenant.connectors.values()
    first.override = {"lastSyncDateTime": "0001-01-01T00:00:00"}
    second.override = {"lastSyncDateTime": "soon", "serverName": "\ud800"}
    last.override = {"id": None}

    def again(_request: Request, answer: Answer) -> Answer:
        page = json.loads(answer.body)
        page["value"] = [first.as_json(), *page["value"]]
        return dataclasses.replace(answer, body=json.dumps(page).encode())

    site.tenant.page_size = 3
    site.world.faults.add(Fault("list", alter=again, skip=1))
    every = {SYNC: site.options(connector_id=None, all=True, wait=False), "ignore_errors": True}
    run = site.play([{INFO: site.options(connector_id=None, wait_sleep=None)}, every], *SEND_THE_MODULE)
    found, done = run.results
    assert [connector["id"][-1] for connector in found["connectors"]] == ["6", "7", "9", "8"]
    assert [connector["last_sync_date_time"] for connector in found["connectors"]][2:] == [None, None]
    assert len(found["warnings"]) == 2, found["warnings"]
    assert "2 of 4 failed" in done["msg"]
    assert done["changed"] is True
    assert {request.object_id for request in site.requests("sync")} == {first.id, fourth.id}


def test_bad_input_fails_before_any_network_call(site: Site) -> None:
    assert "connector_id 'x' is not a GUID" in site.info(connector_id="x").result["msg"]
    assert "value of status must be one or more of" in site.info(status=["conected"]).result["msg"]
    assert site.world.connections == 0


def test_a_page_on_another_host_is_refused(site: Site) -> None:
    site.tenant.page_size = 2
    site.tenant.next_link_host = site.simulator.authority_url
    before = site.world.connections_to("entra")
    run = site.info()
    assert run.code == 2
    assert "Graph's link to the next page leads to another host (https://127.0.0.1:" in run.result["msg"]
    assert len(site.requests("list")) == 1
    assert site.world.connections_to("entra") == before + 1, "the sign-in's"


def test_pages_in_a_circle_end(site: Site) -> None:
    body = {"value": [], "@odata.nextLink": f"{site.simulator.graph_url}/v1.0/deviceManagement/exchangeConnectors"}
    site.world.faults.add(Fault("list", body=body, times=None))
    assert "Graph's pages have no end" in site.info().result["msg"]


@pytest.mark.parametrize("body", [{}, {"value": {}}, {"value": None}, {"value": ["x"]}, {"value": [{}]}])
def test_something_else_than_a_list_of_connectors(site: Site, body: dict[str, t.Any]) -> None:
    site.world.faults.add(Fault("list", body=body, times=None))
    run = site.info()
    assert run.code == 2
    assert run.result["msg"].startswith("Exchange connectors in tenant contoso.example: ")
    assert "check that graph_url is a Microsoft Graph" in run.result["msg"]


def test_a_missing_permission(site: Site) -> None:
    site.app.roles = ()
    message = site.info().result["msg"]
    assert "could not list them, Graph answered HTTP 403 (Forbidden): " in message
    assert "; grant the app DeviceManagementServiceConfig.Read.All with admin consent in this tenant" in message
