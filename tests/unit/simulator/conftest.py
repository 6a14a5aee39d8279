# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A world with one tenant and one app, and calls to its Graph."""

from __future__ import annotations

import json
import typing as t
from datetime import datetime, timedelta, timezone

import pytest
import requests
from simulator import App, Resource, Simulator, Tenant, World

# Where the clock stands at first in tests that set it.
NOW = datetime(2026, 11, 26, 8, 0, 0, 123456, tzinfo=timezone.utc)
At = t.Callable[[float], None]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def at(world: World) -> At:
    """Set the clock to so many seconds after ``NOW``, where it stands still; at first to ``NOW``."""

    def seconds(after: float) -> None:
        world.clock = lambda: NOW + timedelta(seconds=after)

    seconds(0)
    return seconds


@pytest.fixture
def tenant(world: World) -> Tenant:
    return world.add_tenant("contoso.example")


@pytest.fixture
def app(tenant: Tenant) -> App:
    return tenant.add_app(secret="right")


@pytest.fixture
def sim(world: World) -> t.Iterator[Simulator]:
    with Simulator(world) as simulator:
        yield simulator


@pytest.fixture
def http(sim: Simulator) -> t.Iterator[requests.Session]:
    """A session that trusts the simulator and reads no proxy or CA from the environment."""
    with requests.Session() as session:
        session.trust_env = False
        session.verify = sim.ca_path
        yield session


class Graph:
    """Calls Graph with a token of ``app``: for exchange connectors, unless :meth:`of` another kind."""

    def __init__(self, http: requests.Session, sim: Simulator, world: World, app: App) -> None:
        self._http = http
        self.host = sim.graph_url
        self._root = f"{sim.graph_url}/v1.0/deviceManagement/exchangeConnectors"
        self._action = "/sync"
        self.token = world.issue_access_token(app, sim.graph_url)

    def of(self, resource: Resource) -> Graph:
        """Call for this kind from now on."""
        self._root = f"{self.host}/{resource.version}/{resource.path}"
        self._action = f"/{resource.action}"
        return self

    def call(self, method: str, path: str = "", **options: t.Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        url = path if path.startswith("https:") else f"{self._root}{path}"
        return self._http.request(method, url, headers=headers, **{"timeout": 10, **options})

    def list(self, **options: t.Any) -> requests.Response:
        return self.call("GET", **options)

    def get(self, object_id: str, **options: t.Any) -> requests.Response:
        return self.call("GET", f"/{object_id}", **options)

    def sync(self, connector_id: str, sync_type: str = "deltaSync", **options: t.Any) -> requests.Response:
        return self.act(connector_id, **{"json": {"syncType": sync_type}, **options})

    def act(self, object_id: str | None = None, **options: t.Any) -> requests.Response:
        """Post to the action of an object, or of the only one."""
        return self.call("POST", f"/{object_id}{self._action}" if object_id else self._action, **options)

    def batch(self, version: str, *items: dict[str, t.Any]) -> dict[str, dict[str, t.Any]]:
        """The answers to the items of a batch, in the order in which they came, by id."""
        response = self.call("POST", f"{self.host}/{version}/$batch", json={"requests": items})
        assert response.status_code == 200, response.text
        return {answer["id"]: answer for answer in response.json()["responses"]}


@pytest.fixture
def graph(http: requests.Session, sim: Simulator, world: World, app: App) -> Graph:
    return Graph(http, sim, world, app)


def intune(response: requests.Response) -> dict[str, t.Any]:
    """The inner Intune error of a singly nested answer."""
    return t.cast("dict[str, t.Any]", json.loads(response.json()["error"]["message"]))
