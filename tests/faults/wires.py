# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ways in which an answer fails on the wire, for :class:`simulator.Fault`: broken, endless, or drop by drop."""

from __future__ import annotations

import asyncio
import itertools
import socket
import struct
import typing as t

from simulator.records import Answer

Wire = t.Callable[[asyncio.Transport, Answer], t.Awaitable[None]]

# A client that is still there after this many seconds has no time limit; the test then says so by its own.
PATIENCE = 40.0
_PAUSE = 0.05
_PIECE = 256 * 1024

STATUS_LINE = b"HTTP/1.1 200 OK\r\n"


def whole(answer: Answer, *more: str) -> bytes:
    """An answer as it should be sent, with ``more`` headers."""
    lines = [f"HTTP/1.1 {answer.status} X", *(f"{name}: {value}" for name, value in answer.headers.items() if value)]
    lines += [*more, f"Content-Length: {len(answer.body)}", "", ""]
    return "\r\n".join(lines).encode("latin-1") + answer.body


def says(content: bytes | t.Callable[[Answer], bytes]) -> Wire:
    """Send these bytes and close."""

    async def wire(transport: asyncio.Transport, answer: Answer) -> None:
        transport.write(content(answer) if callable(content) else content)

    return wire


async def reset(transport: asyncio.Transport, _answer: Answer) -> None:
    """Break the connection off without a farewell."""
    connection: socket.socket = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def silence(transport: asyncio.Transport, _answer: Answer) -> None:
    """Say nothing, and keep the connection open."""
    await _drip(transport, b"", itertools.repeat(b""))


def drips(before: bytes, drop: bytes = b"x") -> Wire:
    """Send ``before`` at once, and then ``drop`` again and again, slowly."""

    async def wire(transport: asyncio.Transport, _answer: Answer) -> None:
        await _drip(transport, before, itertools.repeat(drop))

    return wire


async def dripped(transport: asyncio.Transport, answer: Answer) -> None:
    """Send the real answer byte by byte, which takes too long."""
    await _drip(transport, b"", (bytes((byte,)) for byte in whole(answer)))


def floods(before: bytes, flood: bytes = b"x" * _PIECE) -> Wire:
    """Send ``before``, and then as much as the client takes."""

    async def wire(transport: asyncio.Transport, _answer: Answer) -> None:
        transport.write(before)
        end = asyncio.get_running_loop().time() + PATIENCE
        while not transport.is_closing() and asyncio.get_running_loop().time() < end:
            # What the client does not take would pile up here instead of there.
            if transport.get_write_buffer_size() < 4 * _PIECE:
                transport.write(flood)
            await asyncio.sleep(0.01)

    return wire


async def _drip(transport: asyncio.Transport, before: bytes, drops: t.Iterable[bytes]) -> None:
    transport.write(before)
    end = asyncio.get_running_loop().time() + PATIENCE
    for drop in drops:
        if transport.is_closing() or asyncio.get_running_loop().time() > end:
            return
        transport.write(drop)
        await asyncio.sleep(_PAUSE)
