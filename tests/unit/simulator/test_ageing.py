# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the simulator has that only ages: a push certificate, and connectors that tell when they were last heard of."""

from __future__ import annotations

import typing as t
from datetime import timedelta

import pytest
from simulator import Tenant, World
from unit.simulator.conftest import NOW, Graph

pytestmark = pytest.mark.usefixtures("at")


def test_push_certificate(graph: Graph, tenant: Tenant, world: World) -> None:
    certificate = tenant.add_apple_push_certificate(expires=timedelta(days=30))
    body = graph.of(world.resources["apple_push_certificate"]).list().json()
    del body["@odata.context"]
    assert body == {
        "appleIdentifier": "apns@contoso.example",
        "certificate": f"certificate-secret-of-{certificate.id}",
        "certificateSerialNumber": "0123456789ABCDEF",
        "certificateUploadFailureReason": None,
        "certificateUploadStatus": None,
        "expirationDateTime": "2026-12-26T08:00:00Z",
        "id": certificate.id,
        "lastModifiedDateTime": "2025-12-26T08:00:00Z",
        "topicIdentifier": f"com.apple.mgmt.External.{certificate.id}",
    }
    certificate.expiration_date_time = NOW
    assert certificate.expires == NOW
    assert graph.list().json()["expirationDateTime"] == "2026-11-26T08:00:00.123456Z"


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({"last_heartbeat": timedelta(hours=1)}, ("enabled", "2026-11-26T07:00:00Z", True, 7)),
        ({"partner_state": "notSetUp"}, ("notSetUp", "0001-01-01T00:00:00Z", False, 7)),
        (
            {"partner_state": "somethingNew", "windowsEnabled": False, "partnerUnresponsivenessThresholdInDays": 1},
            ("somethingNew", "0001-01-01T00:00:00Z", False, 1),
        ),
    ],
)
def test_mobile_threat_defense(
    graph: Graph, tenant: Tenant, world: World, how: dict[str, t.Any], expected: tuple[t.Any, ...]
) -> None:
    connector = tenant.add_mobile_threat_defense_connector(**how)
    (shown,) = graph.of(world.resources["mobile_threat_defense_connector"]).list().json()["value"]
    names = ("partnerState", "lastHeartbeatDateTime", "windowsEnabled", "partnerUnresponsivenessThresholdInDays")
    assert (tuple(shown[name] for name in names), len(shown)) == (expected, 16)
    connector.partner_state, connector.last_heartbeat_date_time = "unresponsive", timedelta(days=8)
    shown = graph.get(connector.id).json()
    assert [shown[name] for name in names[:2]] == ["unresponsive", "2026-11-18T08:00:00Z"]


def test_certificate_connector(graph: Graph, tenant: Tenant, world: World) -> None:
    connector = tenant.add_certificate_connector(last_connection=timedelta(minutes=5))
    (shown,) = graph.of(world.resources["certificate_connector"]).list().json()["value"]
    assert shown == {
        "id": connector.id,
        "lastConnectionDateTime": "2026-11-26T07:55:00Z",
        "state": "active",
        "displayName": "CertificateConnector_01",
        "machineName": "ndes01.contoso.example",
        "enrolledDateTime": "2026-01-10T09:00:00.1234567Z",
        "roleScopeTagIds": ["0"],
        "connectorVersion": "6.2406.0.1001",
    }
    connector.state, connector.last_connection_date_time = "inactive", None
    shown = graph.get(connector.id).json()
    assert (shown["state"], shown["lastConnectionDateTime"]) == ("inactive", "0001-01-01T00:00:00Z")
