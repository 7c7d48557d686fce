"""The TCP side of every proxy: a port that can be closed and opened again, and a relay for each client.

A relay is given both sides and runs until one ends; then both are reset.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

CONNECT_S = 5.0
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: on, 0 s, so that closing sends RST
_CHUNK = 1 << 16

Place = tuple[str, int] | Path


@dataclass(slots=True, eq=False)
class Side:
    """One end of a conversation."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def reset(self) -> None:
        """Hang up at once: the other end sees a reset."""
        held = self.writer.get_extra_info("socket")
        if held is not None and held.family in (socket.AF_INET, socket.AF_INET6):
            with contextlib.suppress(OSError):
                held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.writer.transport.abort()

    async def send(self, chunk: bytes) -> None:
        """Write and wait until it is on its way."""
        self.writer.write(chunk)
        await self.writer.drain()


Relay = Callable[[Side, Side], Awaitable[None]]


class TcpFront:
    """A listening port before an upstream one. `host_port` stays the same while it is closed and opened."""

    def __init__(self, upstream: Place, relay: Relay) -> None:
        self._upstream = upstream
        self._relay = relay
        self._listening: asyncio.Server | None = None
        self._at: Place | None = None
        self._clients: set[Side] = set()

    async def start(self, at: Place) -> Place:
        """Listen at a path, or at a host and port (0 for a free one); returns where."""
        self._at = at
        await self.open()
        if isinstance(at, tuple) and self._listening is not None:
            self._at = (at[0], int(self._listening.sockets[0].getsockname()[1]))
        return self._at

    async def open(self) -> None:
        """Accept clients (again)."""
        if self._listening is not None or self._at is None:
            return
        if isinstance(self._at, Path):
            self._at.unlink(missing_ok=True)
            self._listening = await asyncio.start_unix_server(self._accept, self._at)
        else:
            host, port = self._at
            self._listening = await asyncio.start_server(self._accept, host, port)

    def close(self) -> None:
        """Refuse new clients and hang up on all; `open` undoes it."""
        if self._listening is not None:
            self._listening.close()
            self._listening = None
        if isinstance(self._at, Path):
            self._at.unlink(missing_ok=True)
        self.reset_all()

    def reset_all(self) -> None:
        """Hang up on every client, and go on listening."""
        for side in list(self._clients):
            side.reset()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = Side(reader, writer)
        try:
            async with asyncio.timeout(CONNECT_S):
                if isinstance(self._upstream, Path):
                    server = Side(*await asyncio.open_unix_connection(self._upstream))
                else:
                    server = Side(*await asyncio.open_connection(*self._upstream))
        except (OSError, TimeoutError):
            client.reset()
            return
        self._clients |= {client, server}
        try:
            await self._relay(client, server)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # one side hung up, which is no news to a proxy
        finally:
            self._clients -= {client, server}
            client.reset()
            server.reset()


async def until_either_ends(one: Awaitable[None], other: Awaitable[None]) -> None:
    """Run both directions of a conversation until one of them is over."""
    tasks = [asyncio.ensure_future(one), asyncio.ensure_future(other)]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in done:
        if not task.cancelled() and (why := task.exception()) is not None:
            raise why


async def some(side: Side) -> bytes:
    """Whatever comes next; raises ConnectionResetError at the end of the stream."""
    chunk = await side.reader.read(_CHUNK)
    if not chunk:
        raise ConnectionResetError
    return chunk
