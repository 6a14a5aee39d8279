# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small world with stable ids, for the demo and the documentation."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from simulator.directory import FederatedCredential
from simulator.runner import azure_devops_job, github_job
from simulator.world import World


def demo_world() -> World:
    """Two tenants with one app each: one with all that lives today, one with Exchange connectors and Apple tokens."""
    world = World()
    contoso = world.add_tenant("contoso.example", "0a1b2c3d-1111-4aaa-8aaa-000000000001")
    world.jobs += [github_job(), azure_devops_job("0a1b2c3d-8888-4aaa-8aaa-000000000001")]
    contoso.add_app(
        "0a1b2c3d-2222-4bbb-8bbb-000000000001",
        secret="contoso-demo-secret",
        trusted=[FederatedCredential(job.issuer, job.subject) for job in world.jobs],
    )
    contoso.absent["exchange_connector"] = 501
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
    contoso.add_vpp_token(
        "0a1b2c3d-4444-4ddd-8ddd-000000000005",
        "Contoso Kiosks",
        state="expired",
        last_sync=timedelta(days=9),
        expires=timedelta(days=-8),
    )
    contoso.add_enrollment_program_token(
        "0a1b2c3d-5555-4eee-8eee-000000000001",
        "Contoso Devices",
        last_sync=timedelta(hours=11),
        sync_delay=2.0,
        expires=timedelta(days=12, hours=3),
    )
    contoso.add_autopilot(
        "0a1b2c3d-6666-4fff-8fff-000000000001",
        last_sync=timedelta(hours=30),
        last_triggered=timedelta(minutes=4),
        sync_status="failed",
    )
    contoso.add_managed_google_play(last_sync=timedelta(days=2), sync_delay=1.0)
    contoso.add_apple_push_certificate(expires=timedelta(days=150))
    contoso.add_mobile_threat_defense_connector(last_heartbeat=timedelta(minutes=9))
    contoso.add_certificate_connector("inactive", last_connection=timedelta(days=5))
    for number in range(60):
        contoso.add_managed_device(
            f"0a1b2c3d-7777-4aaa-8aaa-{number:012d}",
            # Three of those that are due are off, and two take nothing from Intune.
            outcome="never" if number < 3 else "completes",
            last_sync=timedelta(days=2 if number < 40 else 0, hours=2),
            operating_system="macOS" if number in (38, 39) else "Windows",
            management_agent="jamf" if number in (38, 39) else "mdm",
            sync_delay=0.5,
        )
    fabrikam = world.add_tenant("fabrikam.example", "0a1b2c3d-1111-4aaa-8aaa-000000000002")
    fabrikam.add_app("0a1b2c3d-2222-4bbb-8bbb-000000000002", secret="fabrikam-demo-secret")
    fabrikam.add_connector(
        "0a1b2c3d-3333-4ccc-8ccc-000000000001",
        last_sync=timedelta(minutes=20),
        sync_delay=1.0,
        serverName="exch-berlin.fabrikam.example",
    )
    fabrikam.add_connector(
        "0a1b2c3d-3333-4ccc-8ccc-000000000002",
        last_sync=timedelta(days=3),
        sync_delay=1.0,
        serverName="exch-lisbon.fabrikam.example",
    )
    fabrikam.add_connector(
        "0a1b2c3d-3333-4ccc-8ccc-000000000003",
        sync_delay=1.0,
        serverName="exch-oslo.fabrikam.example",
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
