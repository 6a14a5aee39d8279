# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulator as a process of its own, so that its work is not counted.

Says where it listens and what it has, then answers each line of its input, which is a latency in seconds, by what it
has counted so far. All of it is JSON, a line each.
"""

from __future__ import annotations

import json
import sys
import typing as t
from datetime import timedelta

from simulator import Simulator, World


def main() -> None:
    world = World()
    tenant = world.add_tenant("bench.example")
    app = tenant.add_app(secret="bench-secret")
    connectors = [tenant.add_connector(last_sync=timedelta(days=1)).id for _number in range(int(sys.argv[1]))]
    with Simulator(world) as simulator:
        say(
            graph_url=simulator.graph_url,
            authority_url=simulator.authority_url,
            ca_path=simulator.ca_path,
            tenant=tenant.domain,
            client_id=app.client_id,
            secret=app.secret,
            token=world.issue_access_token(app, simulator.graph_url),
            connectors=connectors,
        )
        for line in sys.stdin:
            simulator.latency = float(line)
            with world.lock:
                sent = list(world.requests)
            say(
                requests=sum(not request.in_batch for request in sent),
                synchronisations=sum(request.where == "sync" and request.status == 204 for request in sent),
                handshakes=world.connections,
            )


def say(**what: t.Any) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main()
