# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The API over HTTP on loopback, in threads."""

from __future__ import annotations

import base64
import json
import secrets
import threading
import typing as t
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from awx_api.kinds import ENDPOINTS, KINDS, UNIFIED
from awx_api.world import Call, Refusal, Thing, World

_PAGE = 25


class Controller:
    """Serves a world while its ``with`` block runs."""

    def __init__(self, world: World) -> None:
        handler = type("Handler", (_Handler,), {"world": world})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, name="awx-api", daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Controller:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    world: World
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        call = Call(self.command, parts.path, query, json.loads(text) if text else None)
        try:
            status, body = self._authenticated(call)
        except Refusal as refusal:
            status, body = refusal.status, refusal.body
        content = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("X-API-Product-Name", "AWX")
        self.send_header("X-API-Product-Version", "24.6.1")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815

    def log_message(self, format: str, *args: t.Any) -> None:  # noqa: A002
        """Say nothing."""

    def _authenticated(self, call: Call) -> tuple[int, t.Any]:
        way, _space, proof = self.headers.get("Authorization", "").partition(" ")
        basic = base64.b64encode(f"{self.world.username}:{self.world.password}".encode()).decode()
        tokens = self.world.tokens
        if call.path.startswith("/api/v2/tokens/"):
            if (way, proof) != ("Basic", basic):
                raise Refusal(401, {"detail": "Invalid username/password."})
            if call.method == "DELETE":
                del tokens[int(call.path.split("/")[4])]
                return 204, None
            number = max(tokens, default=0) + 1
            tokens[number] = secrets.token_hex(15)
            self.world.issued.append(tokens[number])
            return 201, {"id": number, "token": tokens[number]}
        if way != "Bearer" or proof not in tokens.values():
            raise Refusal(401, {"detail": "Authentication credentials were not provided."})
        self.world.calls.append(call)
        return answer(self.world, call)


def answer(world: World, call: Call) -> tuple[int, t.Any]:
    """The status and the body that a request of a user who has signed in is answered with."""
    endpoint, number, related, *_end = [*call.path.removeprefix("/api/v2/").strip("/").split("/"), "", ""]
    if endpoint == "project_updates":
        return 200, {"id": int(number), "status": "successful"}
    kinds = UNIFIED if endpoint == "unified_job_templates" else (ENDPOINTS.get(endpoint, ""),)
    if not number:
        if call.method == "POST":
            return 201, world.shown(world.add(kinds[0], **call.body))
        page = _page(world, call, [thing for thing in world.things if thing.kind in kinds])
        if endpoint == "inventories":
            world.inventories_listed()
        return 200, page
    thing = world.get(kinds, int(number))
    if thing is None:
        raise Refusal(404, {"detail": "Not found."})
    if related:
        return _related(world, call, thing, related)
    if call.method == "DELETE":
        world.remove(thing)
        # An inventory is deleted later, by a task of AWX.
        return (202 if thing.kind == "inventory" else 204), None
    if call.method == "PATCH":
        world.change(thing, call.body)
    return 200, world.shown(thing)


def _related(world: World, call: Call, thing: Thing, name: str) -> tuple[int, t.Any]:
    if name == "survey_spec" and KINDS[thing.kind].has_survey:
        if call.method == "POST":
            world.set_survey(thing, call.body)
            return 200, None
        return 200, thing.survey
    if name not in thing.lists:
        raise Refusal(404, {"detail": "Not found."})
    if call.method == "POST":
        world.associate(thing, name, call.body["id"], disassociate=call.body.get("disassociate", False))
        return 204, None
    members = [world.get((KINDS[thing.kind].lists[name],), number) for number in thing.lists[name]]
    return 200, _page(world, call, [member for member in members if member is not None])


def _page(world: World, call: Call, things: list[Thing]) -> dict[str, t.Any]:
    shown = [world.shown(thing) for thing in things]
    query = {name: value for name, value in call.query.items() if name != "page"}
    for name in query:
        if any(name.removeprefix("or__") not in body for body in shown):
            raise Refusal(400, {"detail": f"There is no field {name} to filter by."})
    either = {name: value for name, value in query.items() if name.startswith("or__")}
    found = [
        body
        for body in shown
        if all(str(body[name]) == value for name, value in query.items() if name not in either)
        and (not either or any(str(body[name.removeprefix("or__")]) == value for name, value in either.items()))
    ]
    number = int(call.query.get("page", 1))
    more = len(found) > number * _PAGE
    filters = "".join(f"&{name}={value}" for name, value in query.items())
    return {
        "count": len(found),
        "next": f"{call.path}?page={number + 1}{filters}" if more else None,
        "previous": None,
        "results": found[(number - 1) * _PAGE : number * _PAGE],
    }
