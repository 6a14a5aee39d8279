# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start the simulator alone with the demo world: ``PYTHONPATH=tests python -m simulator``."""

from __future__ import annotations

import argparse
import contextlib
import shlex
import threading
from datetime import datetime

from simulator.demo import demo_world
from simulator.records import Request
from simulator.server import Simulator
from simulator.world import World

# The kinds whose objects are shown one by one.
_SHOWN = ("exchange_connector", "vpp_token", "enrollment_program_token")


def exports(simulator: Simulator, world: World) -> list[str]:
    """What a shell has to run for the first tenant, so that whatever is run in it asks the simulator."""
    tenant = world.tenants[0]
    app = next(iter(tenant.apps.values()))
    variables = {
        "MSGRAPH_URL": simulator.graph_url,
        "AZURE_AUTHORITY_HOST": simulator.authority_url,
        "REQUESTS_CA_BUNDLE": simulator.ca_path,
        "AZURE_TENANT": tenant.domain,
        "AZURE_CLIENT_ID": app.client_id,
        "AZURE_SECRET": app.secret or "",
    }
    return [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]


def describe(simulator: Simulator, world: World) -> str:
    """All that is needed to use the simulator by hand."""
    lines = ["For another shell:", "", *exports(simulator, world)]
    for tenant in world.tenants:
        lines.append(f"\nTenant {tenant.domain}  {tenant.id}")
        lines += [f"  app        {app.client_id}  secret {app.secret}" for app in tenant.apps.values()]
        lines += [
            f"  connector  {connector.id}  {connector.properties['serverName']}  {connector.status}"
            f"  last sync {when(connector.last_sync)}"
            for connector in tenant.connectors.values()
        ]
        lines += [
            f"  VPP token  {token.id}  {token.properties['organizationName']}  {token.state}"
            f"  last sync {when(token.last_sync)}  {token.last_sync_status}"
            for token in tenant.vpp_tokens.values()
        ]
        lines += [
            f"  ADE token  {token.id}  {token.properties['tokenName']}  last sync {when(token.last_sync)}"
            for token in tenant.enrollment_program_tokens.values()
        ]
        others = [
            f"{len(objects)} {kind}" for kind, objects in tenant.objects.items() if kind not in _SHOWN and objects
        ]
        if others:
            lines.append(f"  also       {', '.join(others)}")
    for job in world.jobs:
        issued = job.environment(simulator.runner_url).items()
        lines += [f"\nJob of {job.platform}, for which the app of {world.tenants[0].domain} needs no secret"]
        lines += [f"  export {name}={shlex.quote(value)}" for name, value in issued]
    return "\n".join(lines)


def when(moment: datetime | None) -> str:
    """A time for the eye."""
    return f"{moment:%Y-%m-%d %H:%M:%SZ}" if moment else "never"


def log_line(request: Request) -> str:
    """One request in one line."""
    return f"{request.time:%H:%M:%S}  {request.host:5}  {request.status or 'cut'}  {request.method:4} {request.path}"


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port-graph", type=int, default=0, help="port of Graph, 0 for a free one")
    parser.add_argument("--port-entra", type=int, default=0, help="port of Entra, 0 for a free one")
    parser.add_argument("--directory", help="folder for the CA file, instead of a temporary one")
    args = parser.parse_args()

    world = demo_world()
    with Simulator(
        world,
        directory=args.directory,
        host=args.host,
        port_graph=args.port_graph,
        port_entra=args.port_entra,
        on_answer=lambda request: print(log_line(request), flush=True),
    ) as simulator:
        print(describe(simulator, world), "\n", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
