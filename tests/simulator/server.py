# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two HTTPS listeners, in a thread with an event loop of its own."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import ssl
import tempfile
import threading
import typing as t
from concurrent.futures import Future
from email.utils import format_datetime
from http.client import responses
from pathlib import Path

from aiohttp import web

from simulator import entra, graph
from simulator.certificates import server_context
from simulator.faults import Fault
from simulator.records import Answer, Request
from simulator.world import World

_HOSTS = ("entra", "graph")
# A cut body must promise more than it sends, also when there is nothing to send.
_LEAST_PROMISE = 64
# Turns of the event loop in which aborted connections report their end; two or three are enough.
_TURNS_TO_CLOSE = 100


class Simulator:
    """Serves a world over HTTPS while its ``with`` block runs.

    Parameters:
        world: the state to serve.
        latency: seconds added to every request; may be changed while running.
        directory: folder for the CA file; a private one in the temporary folder if ``None``. The file is removed at
            the end in either case.
        host: address to listen on.
        port_graph, port_entra: ports; 0 takes a free one.
        on_answer: called with each request when its answer is decided, in the thread of the server.
    """

    def __init__(
        self,
        world: World,
        latency: float = 0.0,
        directory: str | os.PathLike[str] | None = None,
        *,
        host: str = "127.0.0.1",
        port_graph: int = 0,
        port_entra: int = 0,
        on_answer: t.Callable[[Request], None] | None = None,
    ) -> None:
        self.world = world
        self.latency = latency
        self.graph_url = ""
        self.authority_url = ""
        self.ca_path = ""
        self._host = host
        self._ports = {"graph": port_graph, "entra": port_entra}
        self._on_answer = on_answer
        self._directory = directory
        self._private_directory: str | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None

    @property
    def managed_identity_url(self) -> str:
        """Address for ``IDENTITY_ENDPOINT``; the header is ``world.identity_header``."""
        return f"{self.authority_url}{entra.MANAGED_IDENTITY_PATH}"

    @property
    def runner_url(self) -> str:
        """Address for :meth:`simulator.runner.Job.environment`."""
        return self.authority_url

    def __enter__(self) -> Simulator:
        context, ca_pem = server_context(self._host)
        directory = self._directory
        if directory is None:
            directory = self._private_directory = tempfile.mkdtemp(prefix="graph-simulator-")
        path = Path(directory, "ca.pem")
        path.write_bytes(ca_pem)
        self.ca_path = str(path)
        started: Future[None] = Future()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._run(context, started)), name="graph-simulator", daemon=True
        )
        self._thread.start()
        try:
            started.result()
        except BaseException:
            self._remove_files()
            raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._loop is not None and self._stop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()
        self._remove_files()

    def _remove_files(self) -> None:
        Path(self.ca_path).unlink()
        if self._private_directory is not None:
            shutil.rmtree(self._private_directory)

    async def _run(self, context: ssl.SSLContext, started: Future[None]) -> None:
        listeners: list[_Listener] = []
        try:
            self._loop = asyncio.get_running_loop()
            self._stop = asyncio.Event()
            for host in _HOSTS:
                listener = _Listener(self, host)
                listeners.append(listener)
                url = await listener.start(self._host, self._ports[host], context)
                if host == "graph":
                    self.graph_url = url
                else:
                    self.authority_url = url
        except BaseException as e:  # noqa: BLE001
            # The caller waits in another thread and must get whatever went wrong.
            started.set_exception(e)
        else:
            started.set_result(None)
            await self._stop.wait()
        finally:
            for listener in listeners:
                await listener.stop()
            # Who was in the middle of a handshake is known to the loop alone, and would be left open by its end.
            for transport in list(getattr(self._loop, "_transports", {}).values()):
                transport.abort()
            await asyncio.sleep(0)

    async def answer(self, request: Request) -> Answer:
        """Decide on a request: record it, apply its fault, wait, answer. Also says how it was answered."""
        with self.world.lock:
            (graph if request.host == "graph" else entra).locate(self.world, request)
            fault = self.world.receive(request)
        # The items of a batch travel with it, and wait for its delay only.
        delay = 0.0 if request.in_batch else self.latency
        answer: Answer | None = None
        if fault is not None:
            delay += fault.delay
            if fault.accept:
                answer = await self._done(request)
                if request.where == "sync" and answer.status >= 400 and (fault.status or 200) < 300:
                    # What is refused is not done, so an answer that may say so would be a lie.
                    fault = request.fault = None
        if delay > 0:
            await asyncio.sleep(delay)
        if fault is not None and fault.hold is not None:
            await fault.hold.keep(request)
        if fault is None or not (fault.answers or fault.loses):
            answer = answer or await self._done(request)
        elif fault.answers:
            answer = self._by_fault(request, fault)
        elif answer is None:
            # An answer that is lost is the real one, but must not accept a sync that it was not told to.
            writes = request.where in ("sync", "batch")
            answer = self._common(request, Answer(200)) if writes else self._normal(request)
        if fault is not None:
            names = {name.lower() for name in fault.headers}
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in names}
            answer.headers = {**kept, **fault.headers}
            if fault.alter is not None:
                answer = fault.alter(request, answer)
        if fault is None or not fault.loses:
            request.status = answer.status
            request.request_id = answer.headers.get("request-id") or answer.headers.get("x-ms-request-id")
        if self._on_answer is not None:
            self._on_answer(request)
        return answer

    async def _done(self, request: Request) -> Answer:
        return await self._batch(request) if request.where == "batch" else self._normal(request)

    def _normal(self, request: Request) -> Answer:
        with self.world.lock:
            if request.host == "graph":
                answer = graph.answer(self.world, request, self.graph_url, self.authority_url)
            else:
                answer = entra.answer(self.world, request, self.authority_url)
        return self._dated(request, answer)

    async def _batch(self, request: Request) -> Answer:
        with self.world.lock:
            items = graph.batch_items(self.world, request)
        if isinstance(items, Answer):
            return self._dated(request, items)
        answers = []
        for number, item in items:
            answer = await self.answer(item)
            # What is cut on the way is not in the answer at all.
            if item.fault is None or not item.fault.loses:
                answers.append((number, answer))
        return self._dated(request, graph.batch_answer(request, answers))

    def _by_fault(self, request: Request, fault: Fault) -> Answer:
        status = fault.status or 200
        if fault.body is None and status >= 400:
            service = graph if request.host == "graph" else entra
            return self._dated(request, service.fault_answer(self.world, request, self.authority_url, status))
        answer = Answer(status, {"Content-Type": "text/plain; charset=utf-8"})
        if isinstance(fault.body, bytes):
            answer.body = fault.body
        elif isinstance(fault.body, str):
            answer.body = fault.body.encode()
        elif fault.body is not None:
            answer = Answer(status, {"Content-Type": "application/json"}, json.dumps(fault.body).encode())
        return self._common(request, answer)

    def _common(self, request: Request, answer: Answer) -> Answer:
        if request.host == "graph":
            answer.headers.update(graph.common_headers(request))
        return self._dated(request, answer)

    def _dated(self, request: Request, answer: Answer) -> Answer:
        date = self.world.date_header if request.host == "graph" else True
        if date is True:
            answer.headers["Date"] = format_datetime(self.world.clock(), usegmt=True)
        else:
            # aiohttp adds a date where there is none; an empty one is taken out again before sending.
            answer.headers["Date"] = date or ""
        return answer


class _Listener:
    """One HTTPS listener."""

    def __init__(self, simulator: Simulator, host: str) -> None:
        self._simulator = simulator
        self._host = host
        self._connections: dict[asyncio.Transport, int] = {}
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        app.on_response_prepare.append(_take_out_empty_date)
        # Requests still waiting in a delay are dropped at once when the simulator ends.
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)
        self._server: asyncio.AbstractServer | None = None

    async def start(self, address: str, port: int, context: ssl.SSLContext) -> str:
        """Listen and give the base URL."""
        await self._runner.setup()
        handlers = t.cast(web.Server, self._runner.server)
        server = await asyncio.get_running_loop().create_server(
            lambda: _Connection(handlers(), self._opened, self._closed), address, port, ssl=context, backlog=512
        )
        self._server = server
        port = server.sockets[0].getsockname()[1]
        return f"https://[{address}]:{port}" if ":" in address else f"https://{address}:{port}"

    async def stop(self) -> None:
        """Close the listener and all connections."""
        if self._server is not None:
            self._server.close()
        await self._runner.cleanup()
        # A client that keeps its end open would hold up the TLS farewell, and the event loop ends now.
        for transport in list(self._connections):
            transport.abort()
        for _turn in range(_TURNS_TO_CLOSE):
            if not self._connections:
                break
            await asyncio.sleep(0)

    def _opened(self, transport: asyncio.Transport) -> None:
        self._connections[transport] = self._simulator.world.open_connection(self._host)

    def _closed(self, transport: asyncio.Transport) -> None:
        del self._connections[transport]

    async def _handle(self, http: web.Request) -> web.StreamResponse:
        transport = http.transport
        if transport is None:
            raise web.HTTPBadRequest
        request = Request(
            host=self._host,
            method=http.method,
            path=http.path,
            query=http.query,
            headers=http.headers,
            connection=self._connections[transport],
            body=await http.read(),
            time=self._simulator.world.clock(),
        )
        answer = await self._simulator.answer(request)
        if request.fault is not None and request.fault.loses:
            if request.fault.cut is not None:
                transport.write(cut_bytes(answer, request.fault.cut))
            elif request.fault.wire is not None:
                await request.fault.wire(transport, answer)
            transport.close()
            # aiohttp wants a response object; on the closed connection nothing of it is sent.
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)


class _Connection(asyncio.Protocol):
    """Passes a connection on to aiohttp and reports when TLS is up and when it is gone."""

    def __init__(
        self,
        inner: asyncio.Protocol,
        opened: t.Callable[[asyncio.Transport], None],
        closed: t.Callable[[asyncio.Transport], None],
    ) -> None:
        self._inner = inner
        self._opened = opened
        self._closed = closed
        self._transport: asyncio.Transport | None = None
        self.data_received = inner.data_received  # type: ignore[method-assign]  # saves a call per packet
        self.eof_received = inner.eof_received  # type: ignore[method-assign]
        self.pause_writing = inner.pause_writing  # type: ignore[method-assign]
        self.resume_writing = inner.resume_writing  # type: ignore[method-assign]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = t.cast(asyncio.Transport, transport)
        self._opened(self._transport)
        self._inner.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._inner.connection_lost(exc)
        if self._transport is not None:
            self._closed(self._transport)


async def _take_out_empty_date(_request: web.Request, response: web.StreamResponse) -> None:
    if response.headers.get("Date") == "":
        del response.headers["Date"]


def cut_bytes(answer: Answer, cut: str) -> bytes:
    """What is sent of ``answer`` when it is cut at ``cut`` (see :class:`simulator.faults.Fault`)."""
    if cut == "before":
        return b""
    # A 204 is complete without a body whatever its headers promise, so it could not be cut there.
    status = 200 if answer.status == 204 else answer.status
    lines = [f"HTTP/1.1 {status} {responses.get(status, 'Unknown')}"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items() if value]
    if cut == "headers":
        return ("\r\n".join(lines) + "\r\nContent-Len").encode("latin-1")
    lines += [f"Content-Length: {max(len(answer.body), _LEAST_PROMISE)}", "", ""]
    half = len(answer.body) // 2
    return "\r\n".join(lines).encode("latin-1") + answer.body[:half]
