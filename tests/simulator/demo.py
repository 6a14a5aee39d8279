# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small world with stable ids, for the demo and the documentation."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from simulator.world import World


def demo_world() -> World:
    """Two tenants with one app each, and a connector and a VPP token in every state that matters."""
    world = World()
    contoso = world.add_tenant("contoso.example", "0a1b2c3d-1111-4aaa-8aaa-000000000001")
    contoso.add_app("0a1b2c3d-2222-4bbb-8bbb-000000000001", secret="contoso-demo-secret")
    contoso.add_connector(
        "0a1b2c3d-3333-4ccc-8ccc-000000000001",
        last_sync=timedelta(minutes=20),
        sync_delay=1.0,
        serverName="exch-berlin.contoso.example",
    )
    contoso.add_connector(
        "0a1b2c3d-3333-4ccc-8ccc-000000000002",
        last_sync=timedelta(days=3),
        sync_delay=1.0,
        serverName="exch-lisbon.contoso.example",
    )
    contoso.add_connector(
        "0a1b2c3d-3333-4ccc-8ccc-000000000003",
        sync_delay=1.0,
        serverName="exch-oslo.contoso.example",
    )
    contoso.add_vpp_token(
        "0a1b2c3d-4444-4ddd-8ddd-000000000001",
        "Contoso Phones",
        last_sync=timedelta(minutes=20),
        sync_delay=1.0,
    )
    contoso.add_vpp_token(
        "0a1b2c3d-4444-4ddd-8ddd-000000000002",
        "Contoso Tablets",
        last_sync=timedelta(days=3),
        last_sync_status="failed",
        sync_delay=1.0,
    )
    fabrikam = world.add_tenant("fabrikam.example", "0a1b2c3d-1111-4aaa-8aaa-000000000002")
    fabrikam.add_app("0a1b2c3d-2222-4bbb-8bbb-000000000002", secret="fabrikam-demo-secret")
    fabrikam.add_connector(
        "0a1b2c3d-3333-4ccc-8ccc-000000000004",
        last_sync=timedelta(days=3),
        sync_delay=1.5,
        serverName="mail.fabrikam.example",
    )
    fabrikam.add_connector(
        "0a1b2c3d-3333-4ccc-8ccc-000000000005",
        status="disconnected",
        last_sync=datetime(2024, 2, 16, 3, 12, tzinfo=timezone.utc),
        sync_delay=1.0,
        outcome="never",
        serverName="legacy.fabrikam.example",
    )
    fabrikam.add_vpp_token(
        "0a1b2c3d-4444-4ddd-8ddd-000000000003",
        "Fabrikam Apps",
        sync_delay=1.5,
    )
    fabrikam.add_vpp_token(
        "0a1b2c3d-4444-4ddd-8ddd-000000000004",
        "Fabrikam Legacy",
        state="expired",
        last_sync=datetime(2024, 2, 16, 3, 12, tzinfo=timezone.utc),
        expires=datetime(2024, 2, 17, 9, 0, tzinfo=timezone.utc),
    )
    return world
