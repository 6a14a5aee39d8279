# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each host of a fleet is asked for with its own environment, also while others are asked for at the same time."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
import typing as t
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from .conftest import BIN
from .test_fleet import OPTION, Fleet, fleet

__all__ = ["fleet"]
pytestmark = pytest.mark.slow

PLAY = {
    "hosts": "all",
    "gather_facts": False,
    "environment": "{{ mine }}",
    "tasks": [
        {"ansible.builtin.import_role": {"name": "graphops.intune.exchange_connector_sync", "rolespec_validate": False}}
    ],
}


def run(fleet: Fleet, **environment: str) -> t.Any:
    (fleet.folder / "own.yml").write_text(json.dumps([PLAY]))
    return fleet.run("own.yml", **environment)


def token_of(fleet: Fleet, number: int) -> str:
    """A token of the app in one of the tenants."""
    (app,) = fleet.tenants[number].apps.values()
    return fleet.world.issue_access_token(app, fleet.simulator.graph_url)


class Proxy(threading.Thread):
    """An HTTP proxy that remembers what is sent through it: names of hosts, or whole addresses without TLS."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.asked: list[str] = []
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.start()

    def run(self) -> None:
        while True:
            try:
                client, _address = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(4096)
            method, target = head.decode("latin-1").split()[:2]
            self.asked.append(target)
            if method != "CONNECT":
                client.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
                return
            host, port = target.rsplit(":", 1)
            with socket.create_connection((host, int(port))) as server:
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                back = threading.Thread(target=_pump, args=(server, client), daemon=True)
                back.start()
                _pump(client, server)
                back.join(10)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def test_each_host_has_the_credential_of_its_own_environment_and_no_other(fleet: Fleet) -> None:
    fleet.hosts = {host: fleet.hosts[host] for host in ("berlin-0", "oslo-0", "oslo-1")}
    for variables in fleet.hosts.values():
        del variables[OPTION + "tenant"]
    (app,) = fleet.tenants[1].apps.values()
    token = token_of(fleet, 0)
    oslo = {"AZURE_TENANT": "oslo.example", "AZURE_CLIENT_ID": app.client_id, "AZURE_SECRET": app.secret}
    fleet.hosts["berlin-0"]["mine"] = {"AZURE_TENANT": "berlin.example", "MSGRAPH_ACCESS_TOKEN": token}
    fleet.hosts["oslo-0"]["mine"] = oslo
    fleet.hosts["oslo-1"]["mine"] = {}
    told = run(fleet, AZURE_SECRET="", AZURE_CLIENT_ID="")
    assert told.code == 2
    assert fleet.accepted == [1, 1, 0], told.output
    assert fleet.outcomes["oslo-1"]["msg"].startswith("no identity to sign in with is given"), "it has none"
    tenants = {request.tenant_id for request in fleet.requests("token")}
    assert tenants == {fleet.tenants[1].id}, "the token that was given needs no sign-in"
    sent = {request.headers["Authorization"]: request.tenant_id for request in fleet.requests("batch")}
    assert sent.get(f"Bearer {token}", fleet.tenants[0].id) == fleet.tenants[0].id
    assert token not in told.output + json.dumps(told.results)


def test_each_host_goes_its_own_way_while_eight_are_asked_for_at_the_same_time(fleet: Fleet) -> None:
    for number in range(6):
        fleet.add_tenant(f"tenant{number}", 1)
    fleet.hosts = {host: values for host, values in fleet.hosts.items() if host.endswith("-0")}
    assert len(fleet.hosts) == 8
    fleet.simulator.latency = 0.05
    proxies = [Proxy() for _host in fleet.hosts]
    ports = {str(urlsplit(url).port) for url in (fleet.simulator.graph_url, fleet.simulator.authority_url)}
    for number, (variables, proxy) in enumerate(zip(fleet.hosts.values(), proxies)):
        variables["mine"] = {"HTTPS_PROXY": proxy.url, "https_proxy": proxy.url, "NO_PROXY": "", "no_proxy": ""}
        if number == 0:
            variables["mine"] = {"HTTPS_PROXY": proxy.url, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
        elif number == 1:
            variables["mine"] = {}
    told = run(fleet, HTTPS_PROXY=proxies[1].url, NO_PROXY="", no_proxy="")
    for proxy in proxies:
        proxy.close()
    assert told.code == 0, told.output
    assert fleet.accepted == [1] * 8
    assert proxies[0].asked == []
    for proxy in proxies[1:]:
        assert {target.rsplit(":", 1)[1] for target in proxy.asked} == ports
        assert len(proxy.asked) <= 4, "a tenant's own connections, and nobody else's"


def test_each_host_has_the_azure_cli_of_its_own(fleet: Fleet) -> None:
    fleet.hosts = {host: fleet.hosts[host] for host in ("berlin-0", "oslo-0")}
    az = fleet.folder / "bin" / "az"
    az.parent.mkdir()
    az.write_text('#!/bin/sh\ncat "$AZURE_CONFIG_DIR/token"\n')
    az.chmod(0o755)
    for number, variables in enumerate(fleet.hosts.values()):
        folder = fleet.folder / f"az{number}"
        folder.mkdir()
        answer = {"accessToken": token_of(fleet, number), "expires_on": time.time() + 3600}
        (folder / "token").write_text(json.dumps(answer))
        variables["mine"] = {"AZURE_CONFIG_DIR": str(folder)}
        variables[OPTION + "auth_source"] = "cli"
    told = run(fleet, PATH=os.pathsep.join((str(az.parent), str(BIN), os.environ["PATH"])))
    assert told.code == 0, told.output
    assert fleet.accepted == [1, 1]


def test_each_host_has_the_managed_identity_of_its_own_and_no_proxy_sees_it(fleet: Fleet) -> None:
    fleet.hosts = {host: fleet.hosts[host] for host in ("berlin-0", "oslo-0")}
    proxy = Proxy()
    with contextlib.ExitStack() as stack:
        for number, variables in enumerate(fleet.hosts.values()):
            answer = {"access_token": token_of(fleet, number), "expires_on": str(int(time.time()) + 3600)}
            endpoint = stack.enter_context(_endpoint(f"header-{number}", answer))
            variables["mine"] = {"IDENTITY_ENDPOINT": endpoint, "IDENTITY_HEADER": f"header-{number}"}
            variables[OPTION + "auth_source"] = "msi"
            variables[OPTION + "allow_environment_credential"] = True
        told = run(fleet, AZURE_CLIENT_ID="", HTTP_PROXY=proxy.url, http_proxy=proxy.url, NO_PROXY="", no_proxy="")
    proxy.close()
    assert told.code == 0, told.output
    assert fleet.accepted == [1, 1]
    assert proxy.asked == []


@contextlib.contextmanager
def _endpoint(header: str, answer: t.Any) -> t.Iterator[str]:
    """The endpoint of a managed identity over plain HTTP, as App Service has it on the host itself."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            right = self.headers.get("X-IDENTITY-HEADER") == header
            body = json.dumps(answer if right else {"statusCode": 401, "message": "wrong header"}).encode()
            self.send_response(200 if right else 401)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: t.Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/msi/token"
    finally:
        server.shutdown()
        server.server_close()
