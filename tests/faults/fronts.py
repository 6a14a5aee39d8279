# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A listener in front of a simulator, whose connections fail before a request is made."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
import typing as t
from urllib.parse import urlsplit

Bad = t.Callable[["Front", asyncio.StreamReader, asyncio.StreamWriter], t.Awaitable[None]]

_PIECE = 64 * 1024
_PAUSE = 0.05


class Front:
    """Passes connections on to ``target``, but from connection ``skip`` on does ``bad`` to as many as ``times`` says.

    :param bad: what is done instead; None refuses connections.
    :param times: how many connections suffer; None for all.
    :param address: where to listen; the simulator's certificate is not good for every address of the loopback.
    """

    def __init__(self, target: str, bad: Bad | None, *, skip: int, times: int | None, address: str) -> None:
        self.target = target
        self.url = ""
        self.struck = 0
        self._bad = bad
        self._skip = skip
        self._left = times
        self._address = address
        self._count = 0
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, self._address, 0)
        self.url = f"https://{self._address}:{self._server.sockets[0].getsockname()[1]}"
        self._refuse_if_due()

    def stop(self) -> None:
        """Accept no more."""
        if self._server is not None:
            self._server.close()

    def _refuse_if_due(self) -> None:
        if self._bad is None and self._count == self._skip:
            self.stop()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._count += 1
        self._refuse_if_due()
        bad = self._bad
        with contextlib.suppress(OSError):
            if bad is None or self._count <= self._skip or self._left == 0:
                await self.pass_on(reader, writer)
            else:
                self.struck += 1
                if self._left is not None:
                    self._left -= 1
                await bad(self, reader, writer)
        writer.close()

    async def pass_on(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        target: str | None = None,
        piece: int = _PIECE,
        pause: float = 0.0,
        most: float = float("inf"),
    ) -> None:
        """Connect to the target, and carry bytes in both directions until one of them ends.

        :param target: another one than the front's own.
        :param piece: how many bytes at once go to the client, ``pause`` seconds apart.
        :param most: after how many bytes to the client the connection is cut.
        """
        parts = urlsplit(target or self.target)
        server_reader, server_writer = await asyncio.open_connection(parts.hostname, parts.port)

        async def up() -> None:
            while data := await reader.read(_PIECE):
                server_writer.write(data)

        async def down() -> None:
            sent = 0
            while sent < most and (data := await server_reader.read(piece)):
                writer.write(data)
                sent += len(data)
                await writer.drain()
                await asyncio.sleep(pause)

        tasks = [asyncio.ensure_future(up()), asyncio.ensure_future(down())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            server_writer.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def closed(_front: Front, _reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Accept, and close at once."""


async def reset(_front: Front, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accept, and break off without a farewell."""
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def silent(_front: Front, reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Accept, and say nothing."""
    while await reader.read(_PIECE):
        pass


async def plain(_front: Front, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer as a server without TLS does."""
    await reader.read(_PIECE)
    writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    await writer.drain()


async def slow_handshake(front: Front, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Let the handshake come byte by byte."""
    await front.pass_on(reader, writer, piece=1, pause=_PAUSE)


async def cut_handshake(front: Front, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Cut the handshake in the middle."""
    await front.pass_on(reader, writer, piece=100, most=100)


def somebody_else(url: str) -> Bad:
    """Lead to another server, whose certificate is not trusted."""

    async def bad(front: Front, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await front.pass_on(reader, writer, target=url)

    return bad


async def right(front: Front, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Lead to the right server; only the name under which it is called is not its own."""
    await front.pass_on(reader, writer)


class Fronts:
    """Runs fronts in a thread with an event loop of its own while its ``with`` block runs."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fronts", daemon=True)
        self._fronts: list[Front] = []

    def __enter__(self) -> Fronts:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def add(self, target: str, bad: Bad | None, *, skip: int, times: int | None, address: str = "127.0.0.1") -> Front:
        """Start a front; the parameters are those of :class:`Front`."""
        front = Front(target, bad, skip=skip, times=times, address=address)
        asyncio.run_coroutine_threadsafe(front.start(), self._loop).result()
        self._fronts.append(front)
        return front

    async def _end(self) -> None:
        for front in self._fronts:
            front.stop()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
