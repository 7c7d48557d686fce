"""An MQTT proxy between broker and client that knows where packets begin, and breaks it by name.

It does not count: with QoS 1 and a session that outlives the connection, all that the broker took is owed.
Source: MQTT 5.0, 2.1 (fixed header).
"""

import asyncio
import random
import time

from simulators.faultproxy.tcp import Place, Side, TcpFront, some, until_either_ends

_PUBLISH, _PUBACK = 3, 4
_DUP = 0x08


class MqttFront:
    """The broker's connection. `begin` and `end` a fault; everything else is passed on."""

    def __init__(self, upstream: Place) -> None:
        self._fault = ""
        self._began = 0.0
        self._publishes = 0
        self._rng = random.Random(6)
        self._tcp = TcpFront(upstream, self._relay)
        self.start = self._tcp.start

    async def begin(self, name: str, address: int | None = None) -> None:  # noqa: ARG002  the interface of fronts
        """Break things from now on."""
        self._fault, self._began, self._publishes = name, time.monotonic(), 0
        if name == "refused":
            self._tcp.close()
        if name == "reset-once":
            self._tcp.reset_all()

    async def end(self) -> None:
        """Pass on everything again. What was swallowed makes both ends differ, so the client is cut off."""
        fault, self._fault = self._fault, ""
        if fault in ("acks-lost", "garbage", "half-packet"):
            self._tcp.reset_all()
        await self._tcp.open()

    def close(self) -> None:
        """Hang up on everyone."""
        self._tcp.close()

    async def _relay(self, client: Side, server: Side) -> None:
        await until_either_ends(self._upwards(client, server), self._downwards(client, server))

    async def _upwards(self, client: Side, server: Side) -> None:
        is_dead = False
        while True:
            packet = await _packet(client)
            is_dead = is_dead or self._fault == "half-open"
            if is_dead or self._is_silent():
                continue
            if self._fault == "acks-lost" and packet[0] >> 4 == _PUBACK:
                continue
            await server.send(packet)

    async def _downwards(self, client: Side, server: Side) -> None:
        is_dead = False
        while True:
            packet = await _packet(server)
            is_dead = is_dead or self._fault == "half-open"
            while self._is_silent():  # noqa: ASYNC110  a matter of time, no event
                await asyncio.sleep(0.2)
            if is_dead:
                continue
            if packet[0] >> 4 == _PUBLISH and self._fault:
                self._publishes += 1
                await self._publish(packet, client)
            else:
                await client.send(packet)

    def _is_silent(self) -> bool:
        return self._fault == "silence" or (
            self._fault == "flapping" and (time.monotonic() - self._began) % 4 < 2
        )

    async def _publish(self, packet: bytes, client: Side) -> None:
        if self._fault == "slow":
            for at in range(0, len(packet), 40):
                await asyncio.sleep(0.02)
                await client.send(packet[at : at + 40])
            return
        if self._publishes % 4 == 0:
            await self._struck(packet, client)
        await client.send(packet)
        if self._fault == "duplicated" and packet[0] & 0x06:
            await client.send(bytes((packet[0] | _DUP,)) + packet[1:])

    async def _struck(self, packet: bytes, client: Side) -> None:
        match self._fault:
            case "reset":
                raise ConnectionResetError
            case "half-packet":
                await client.send(packet[: len(packet) // 2])
                await asyncio.sleep(0.05)
                raise ConnectionResetError
            case "garbage":
                await client.send(b"\x00\xff\xff\xff\xff\xff" + self._rng.randbytes(40))
                await asyncio.sleep(0.05)
                raise ConnectionResetError


async def _packet(side: Side) -> bytes:
    """The next whole packet."""
    head = await side.reader.readexactly(2)
    length, shift = head[1] & 0x7F, 7
    while head[-1] & 0x80:
        head += await side.reader.readexactly(1)
        length |= (head[-1] & 0x7F) << shift
        shift += 7
    return head + await side.reader.readexactly(length)


class StreamFront:
    """Any stream, as to a database: slow, silent, cut, refused; or the answer to a commit lost."""

    def __init__(self, upstream: Place) -> None:
        self._fault = ""
        self._tcp = TcpFront(upstream, self._relay)
        self.start = self._tcp.start

    async def begin(self, name: str, address: int | None = None) -> None:  # noqa: ARG002  the interface of fronts
        """Break things from now on."""
        self._fault = name
        if name == "refused":
            self._tcp.close()
        if name == "reset-once":
            self._tcp.reset_all()

    async def end(self) -> None:
        """Pass on everything again."""
        self._fault = ""
        await self._tcp.open()

    def close(self) -> None:
        """Hang up on everyone."""
        self._tcp.close()

    async def _relay(self, client: Side, server: Side) -> None:
        await until_either_ends(self._upwards(client, server), self._downwards(client, server))

    async def _upwards(self, client: Side, server: Side) -> None:
        while True:
            chunk = await some(client)
            await self._while_hung()
            await server.send(chunk)

    async def _downwards(self, client: Side, server: Side) -> None:
        while True:
            chunk = await some(server)
            await self._while_hung()
            if self._fault == "slow":
                await asyncio.sleep(0.3)
            # the tag of a finished COMMIT (PostgreSQL 16, 55.7, CommandComplete): done, and nobody hears
            if self._fault == "commit-answer-lost" and b"COMMIT\x00" in chunk:
                raise ConnectionResetError
            if self._fault == "cut-answers":
                await client.send(chunk[: len(chunk) // 2])
                raise ConnectionResetError
            await client.send(chunk)

    async def _while_hung(self) -> None:
        while self._fault == "hung":  # noqa: ASYNC110  as above
            await asyncio.sleep(0.1)
