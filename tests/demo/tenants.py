# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The demo of a fleet of tenants: 20 tenants as hosts of the inventory plugin, through the shipped playbook."""

from __future__ import annotations

import json
import sys
import tempfile
import typing as t
from datetime import timedelta
from pathlib import Path

from fleet import play
from run import environment_for, install
from simulator import App, Simulator, Tenant, World

TENANTS = 20
COMMAND = ("-i", "all.tenants.yml", "graphops.intune.sync_tenants")
# How many things are due in the first run; what has expired or cannot be read waits for somebody to act.
DUE = 52


def main() -> int:
    """Run the demo and return its exit status: 0 if the runs did what they should."""
    world = tenants_world(TENANTS)
    with tempfile.TemporaryDirectory(prefix="graphops-intune-demo-") as folder, Simulator(world) as simulator:
        environment = environment_for(Path(folder), simulator)
        print("Building the collection and installing it, as a user does ...", flush=True)
        install(Path(folder), environment)
        (app,) = world.tenants[0].apps.values()
        # What AWX's Azure credential puts into a job's environment.
        environment.update(AZURE_CLIENT_ID=app.client_id, AZURE_SECRET=str(app.secret), ANSIBLE_FORKS="20")
        source = {"plugin": "graphops.intune.tenants", "tenants": [tenant.domain for tenant in world.tenants]}
        (Path(folder) / COMMAND[1]).write_text(json.dumps(source, indent=2), encoding="utf-8")
        runs = [
            accepted_in(title, Path(folder), environment, world)
            for title in ("First run", "Second run, right after it")
        ]
    if runs != [DUE, 0]:
        print(f"\nThis is not what the demo should show: {runs} synchronisations were accepted, and not {DUE} and 0.")
        return 1
    print(
        f"\n{DUE} connectors and tokens in {TENANTS} tenants were due, and Graph accepted a synchronisation"
        "\nof each; the second run asked for none. One tenant has not consented to the app, and fails alone until its"
        "\nadministrator does; what has expired is listed and fails nobody."
    )
    return 0


def tenants_world(count: int) -> World:
    """Tenants with one multi-tenant app, and in each of them what a company has."""
    world = World()
    app: App | None = None
    for number in range(count):
        tenant = world.add_tenant(f"tenant{number + 1:02}.example")
        if number != count - 1:
            app = tenant.add_app(app.client_id if app else None, secret=app.secret if app else None)
        fill(tenant, number)
    return world


def fill(tenant: Tenant, number: int) -> None:
    """Put things into a tenant; which of them are due, broken or near their end differs from tenant to tenant."""
    old, lately = timedelta(days=2), timedelta(minutes=10)
    tenant.absent["exchange_connector"] = 501
    for place, name in enumerate(("Phones", "Tablets", "Kiosks")):
        expired, soon = (number, place) == (3, 2), (number, place) == (5, 0)
        tenant.add_vpp_token(
            organization_name=f"{name} {number + 1:02}",
            last_sync=old if place == 0 or expired else lately,
            state="expired" if expired else "valid",
            expires=timedelta(days=-8 if expired else 9 if soon else 200),
            sync_delay=1.0,
        )
    if number % 4 == 0:
        return
    tenant.add_enrollment_program_token(
        token_name=f"Devices {number + 1:02}",
        last_sync=old if number % 2 else lately,
        expires=timedelta(days=21 if number == 7 else 150),
        sync_delay=1.0,
    )
    tenant.add_autopilot(last_sync=old, sync_delay=1.0)
    if number % 3 == 0:
        tenant.add_managed_google_play(last_sync=old, sync_delay=1.0)
        del tenant.absent["exchange_connector"]
        for position in range(2):
            tenant.add_connector(last_sync=old if position else lately, sync_delay=1.0)


def accepted_in(title: str, folder: Path, environment: t.Mapping[str, str], world: World) -> int:
    """Run the playbook, and return how many synchronisations Graph accepted."""
    before = all_accepted(world)
    play(title, COMMAND, folder, environment, world)
    return all_accepted(world) - before


def all_accepted(world: World) -> int:
    """How many synchronisations were accepted so far."""
    return sum(
        len(one.accepted) for tenant in world.tenants for held in tenant.objects.values() for one in held.values()
    )


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("\nInterrupted; nothing is left running.")
