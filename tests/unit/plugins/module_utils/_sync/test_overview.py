# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is told of all connectors and tokens of a tenant, the worst first; a Graph in memory answers."""

from __future__ import annotations

import json
import typing as t
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._graph import graph, graph_errors
from ansible_collections.graphops.intune.plugins.module_utils._ground import errors, timestamps
from ansible_collections.graphops.intune.plugins.module_utils._http.response import Response
from ansible_collections.graphops.intune.plugins.module_utils._kinds.registry import KINDS
from ansible_collections.graphops.intune.plugins.module_utils._sync import overview
from ansible_collections.graphops.intune.plugins.module_utils._sync.command import OverviewCommand
from scripted import NOW, FixedToken, Script

ALL = OverviewCommand(KINDS).kinds
FORBIDDEN = 403, {"error": {"code": "Forbidden", "message": "not you"}}
ABSENT = 404, {"error": {"code": "ResourceNotFound", "message": "no"}}
NONE_HERE = 501, {"error": {"code": "NotSupported", "message": "no"}}


def at(**ago: float) -> str:
    return str(timestamps.text(NOW - timedelta(**ago)))


ANSWERS: dict[str, tuple[int, t.Any]] = {
    "vppTokens": (
        200,
        {
            "value": [
                {
                    "id": "v1",
                    "organizationName": "Well",
                    "state": "valid",
                    "lastSyncDateTime": at(hours=1),
                    "lastSyncStatus": "completed",
                    "expirationDateTime": at(days=-200),
                    "token": "apple's secret",
                },
                {
                    "id": "v2",
                    "organizationName": "Soon",
                    "state": "valid",
                    "lastSyncDateTime": at(hours=1),
                    "lastSyncStatus": "completed",
                    "expirationDateTime": at(days=-12, hours=-5),
                },
            ]
        },
    ),
    "exchangeConnectors": NONE_HERE,
    "applePushNotificationCertificate": (200, {"value": {"id": "a1", "expirationDateTime": at(hours=1)}}),
    "mobileThreatDefenseConnectors": (
        200,
        {"value": [{"id": "m1", "partnerState": "notSetUp", "lastHeartbeatDateTime": "0001-01-01T00:00:00Z"}]},
    ),
    "depOnboardingSettings": (
        200,
        {
            "value": [
                {
                    "id": "d1",
                    "tokenName": "Phones",
                    "lastSuccessfulSyncDateTime": at(days=2),
                    "lastSyncTriggeredDateTime": at(days=1),
                    "lastSyncErrorCode": 7,
                    "tokenExpirationDateTime": at(days=-90),
                }
            ]
        },
    ),
    "windowsAutopilotSettings": (
        200,
        {
            "id": "w1",
            "lastSyncDateTime": "someday",
            "syncStatus": "completed",
            "lastManualSyncTriggerDateTime": at(days=1),
        },
    ),
    "androidManagedStoreAccountEnterpriseSettings": ABSENT,
    "ndesConnectors": (
        200,
        {
            "value": [
                {"id": "n1", "displayName": "b", "state": "inactive", "lastConnectionDateTime": at(days=9)},
                {"id": "n2", "displayName": "A", "state": "inactive", "lastConnectionDateTime": at(days=9)},
                {"id": "n3", "displayName": "c", "state": "active", "lastConnectionDateTime": at(minutes=9)},
            ]
        },
    ),
}


class Wire(Script):
    """Answers each request of a batch by the last part of its path."""

    def __init__(self, **answers: tuple[int, t.Any]) -> None:
        super().__init__(None)
        self.by_path = {**ANSWERS, **answers}
        self.batches: list[tuple[str, list[str]]] = []

    def send(self, method: str, url: str, **request: t.Any) -> Response:
        headers = {"date": format_datetime(NOW, usegmt=True)}
        if not url.endswith("/$batch"):
            status, body = self.by_path[url.rpartition("/")[2]]
            return Response(status, headers, json.dumps(body).encode())
        assert method == "POST"
        items = json.loads(request["data"])["requests"]
        self.batches.append((url.split("/")[-2], [item["url"].rpartition("/")[2] for item in items]))
        parts = []
        for item in items:
            status, body = self.by_path[item["url"].rpartition("/")[2]]
            parts.append({"id": item["id"], "status": status, "body": body})
        return Response(200, headers, json.dumps({"responses": parts}).encode())


def read(wire: Wire, *names: str) -> overview.Overview:
    graph_ = graph.Graph(
        "https://graph.example", tokens=FixedToken(), http=wire, asker=graph_errors.Asker(errors.APP, "everything")
    )
    return overview.read([ALL[name] for name in names or ALL], graph_)


def test_the_kinds_are_eight() -> None:
    assert set(ALL) == {
        "vpp_token",
        "enrollment_program_token",
        "autopilot",
        "managed_google_play",
        "exchange_connector",
        "apple_push_certificate",
        "mobile_threat_defense_connector",
        "certificate_connector",
    }


def test_the_worst_comes_first() -> None:
    wire = Wire()
    found = read(wire).as_dict(30)
    told = [(entry["id"], entry["name"], entry["state"], entry["problem"]) for entry in found["connectors_and_tokens"]]
    apple = (
        "download a new one from Apple Business Manager or Apple School Manager, and upload it in Intune's admin centre"
    )
    assert told == [
        (
            "a1",
            "Apple push certificate",
            "none",
            "it expired on 2026-11-22T17:00:00Z: renew it with the same Apple account, for with another one every Apple"
            " device has to be enrolled anew",
        ),
        ("n2", "A", "inactive", "its state is inactive: check its service, and the server that it runs on"),
        ("n1", "b", "inactive", "its state is inactive: check its service, and the server that it runs on"),
        ("d1", "Phones", "7", "the last synchronisation failed (lastSyncErrorCode is 7)"),
        ("v2", "Soon", "valid", f"it expires in 12 days: {apple}"),
        (
            "w1",
            "Windows Autopilot service",
            "completed",
            "Graph's lastSyncDateTime cannot be read: 'someday' is not a time",
        ),
        ("v1", "Well", "valid", None),
        ("n3", "c", "active", None),
        ("m1", "mobile threat defense connector", "notSetUp", None),
    ]
    assert found["absent"] == ["exchange_connector", "managed_google_play"]
    assert found["unreadable"] == []
    assert sorted((version, len(names)) for version, names in wire.batches) == [("beta", 4), ("v1.0", 4)]
    assert "apple's secret" not in str(found)


def test_what_is_told_of_one() -> None:
    (_soon, entry) = read(Wire(), "vpp_token").as_dict(0)["connectors_and_tokens"]
    assert {name: value for name, value in entry.items() if name != "properties"} == {
        "kind": "vpp_token",
        "id": "v1",
        "name": "Well",
        "state": "valid",
        "last_sync_date_time": "2026-11-22T17:00:00Z",
        "age": 3600,
        "expires_date_time": "2027-06-10T18:00:00Z",
        "days_left": 200,
        "problem": None,
    }
    assert entry["properties"]["organization_name"] == "Well"


def test_what_cannot_be_read_is_told_with_its_own_permission() -> None:
    found = read(Wire(ndesConnectors=FORBIDDEN), "certificate_connector", "vpp_token")
    (one,) = found.as_dict(30)["unreadable"]
    assert one["kind"] == "certificate_connector"
    assert one["msg"] == (
        'certificate connectors: could not list them, Graph answered HTTP 403 (Forbidden): "not you"; grant the app'
        " DeviceManagementConfiguration.Read.All with admin consent in this tenant, as an application permission, and"
        " check that the tenant has an active Intune licence."
    )
    assert found.warnings == [one["msg"].rstrip(".")]


def test_if_nothing_can_be_read_it_fails() -> None:
    with pytest.raises(errors.GraphError, match=r"could not list them, Graph answered HTTP 403"):
        read(Wire(ndesConnectors=FORBIDDEN), "certificate_connector")
    both = Wire(ndesConnectors=FORBIDDEN, vppTokens=(400, {"error": {"code": "x", "message": "y"}}))
    with pytest.raises(errors.IntuneError) as caught:
        read(both, "certificate_connector", "vpp_token")
    assert caught.value.what == (
        'nothing could be read - certificate connectors: could not list them, Graph answered HTTP 403 (Forbidden): "not'
        ' you"; Apple VPP tokens: could not list them, Graph answered HTTP 400 (Bad Request): "y"'
    )
    # That there is none was read.
    found = read(Wire(ndesConnectors=FORBIDDEN), "certificate_connector", "exchange_connector").as_dict(30)
    assert (found["absent"], len(found["unreadable"])) == (["exchange_connector"], 1)


@pytest.mark.parametrize(
    ("left", "days"),
    [
        (timedelta(days=1), 1),
        (timedelta(days=1, seconds=-1), 0),
        (timedelta(0), 0),
        (timedelta(seconds=-1), -1),
        (timedelta(days=-1), -1),
        (timedelta(days=-1, seconds=-1), -2),
    ],
)
def test_days_are_rounded_down(left: timedelta, days: int) -> None:
    assert overview.days_left(NOW + left, NOW) == days


def test_without_both_times_there_are_no_days() -> None:
    assert overview.days_left(None, NOW) is None
    assert overview.days_left(datetime(2027, 1, 1, tzinfo=timezone.utc), None) is None


@pytest.mark.parametrize(("warn", "problem"), [(12, "it expires in 12 days"), (11, None), (0, None)])
def test_when_it_is_told_that_something_expires(warn: int, problem: str | None) -> None:
    found = {
        entry["id"]: entry["problem"] for entry in read(Wire(), "vpp_token").as_dict(warn)["connectors_and_tokens"]
    }
    assert (found["v2"] or "").partition(":")[0] == (problem or "")
