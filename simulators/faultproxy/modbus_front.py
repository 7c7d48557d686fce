"""A Modbus TCP proxy that knows where frames begin, breaks them by name, and counts intact replies."""

import asyncio
import random
import struct
import time

from simulators.faultproxy.covered import ModbusCover
from simulators.faultproxy.modbus_faults import (
    ALWAYS,
    HEADER,
    REPLY_FAULTS,
    Asked,
    Outcome,
    Reply,
    answer_instead,
    untouched,
)
from simulators.faultproxy.tally import Tally, certainty
from simulators.faultproxy.tcp import Place, Side, TcpFront, until_either_ends

_REQUEST = struct.Struct(">BHH")
_CLOSES = {"refused"}


class ModbusFront:
    """One connection of the site. `begin` and `end` a fault; everything else is passed on."""

    def __init__(self, upstream: Place, cover: ModbusCover, tally: Tally, limit_s: float = 1.0) -> None:
        self._cover = cover
        self._tally = tally
        self._limit_s = limit_s
        self._fault = ""
        self._began = 0.0
        self._bad_address = -1
        self._requests = 0
        self._rng = random.Random(4)
        self._tcp = TcpFront(upstream, self._relay)
        self.start = self._tcp.start
        self.passage = tally.passage

    async def begin(self, name: str, address: int | None = None) -> None:
        """Break things from now on; `address` for a fault of one register. Raises ValueError."""
        self._fault, self._began, self._requests = name, time.monotonic(), 0
        self._bad_address = -1 if address is None else address
        if name in _CLOSES or name == "restart":
            self._tcp.close()
        if name == "restart":
            await asyncio.sleep(2.0)
            await self._tcp.open()
            self._began = time.monotonic()

    async def end(self) -> None:
        """Pass on everything again."""
        self._fault = ""
        await self._tcp.open()

    def close(self) -> None:
        """Hang up on everyone."""
        self._tcp.close()

    async def _relay(self, client: Side, server: Side) -> None:
        conversation = _Conversation(self, client, server)
        await until_either_ends(conversation.requests(), conversation.replies())

    def instead(self, asked: Asked) -> Outcome | None:
        """What a request is answered with instead of the device's reply."""
        if not self._fault:
            return None
        self._requests += 1
        seconds = time.monotonic() - self._began
        return answer_instead(self._fault, asked, seconds, self._requests, self._bad_address)

    @property
    def is_half_open(self) -> bool:
        """Whether connections die without a word now."""
        return self._fault == "half-open"

    def broken(self, frame: bytes, asked: Asked, before: bytes, number: int) -> Outcome:
        """What becomes of a reply."""
        placed = self._cover.placed(asked.unit, asked.function, asked.start, asked.count)
        reply = Reply(frame, asked, placed, before, self._rng)
        change = REPLY_FAULTS.get(self._fault)
        if change is None or frame[7] & 0x80 or (number % 2 and self._fault not in ALWAYS):
            return untouched(reply)
        return change(reply)

    def count(self, asked: Asked, frame: bytes) -> None:
        """Note a reply that went through whole, if it was in time."""
        in_time = certainty(time.monotonic() - asked.at, self._limit_s)
        if in_time is False or frame[7] & 0x80:
            return
        keys = self._cover.keys(asked.unit, asked.function, asked.start, asked.count, frame[9:])
        self._tally.add(keys, sure=bool(in_time))


class _Conversation:
    """One client and its own connection to the device."""

    def __init__(self, front: ModbusFront, client: Side, server: Side) -> None:
        self._front = front
        self._client = client
        self._server = server
        self._asked: dict[int, Asked] = {}
        self._before = b""
        self._replies = 0
        self._is_dead = False

    async def requests(self) -> None:
        """Pass on what the client asks."""
        while True:
            frame = await _frame(self._client)
            asked = _read_request(frame)
            await self._front.passage()
            self._is_dead = self._is_dead or self._front.is_half_open
            if self._is_dead:
                continue  # a half-open connection stays dead, whatever becomes of the line
            instead = None if asked is None else self._front.instead(asked)
            if instead is not None:
                await self._give(instead)
                continue
            if asked is not None:
                self._asked[asked.transaction] = asked
            await self._server.send(frame)

    async def replies(self) -> None:
        """Pass on what the device answers."""
        while True:
            frame = await _frame(self._server)
            asked = self._asked.pop(HEADER.unpack_from(frame)[0], None)
            if asked is None:
                await self._client.send(frame)
                continue
            self._replies += 1
            outcome = self._front.broken(frame, asked, self._before, self._replies)
            self._before = frame
            sent = await self._give(outcome)
            if outcome.intact and sent is not None:
                whole = frame if len(sent) != len(frame) else sent
                self._front.count(asked, whole)

    async def _give(self, outcome: Outcome) -> bytes | None:
        """What was written, or None when the client had gone."""
        written = b""
        for wait_s, chunk in outcome.chunks:
            if wait_s:
                await asyncio.sleep(wait_s)
            if self._client.writer.is_closing() or self._client.reader.at_eof():
                return None
            self._client.writer.write(chunk)
            written += chunk
        if outcome.hang_up:
            await asyncio.sleep(0.01)
            raise ConnectionResetError
        return written


async def _frame(side: Side) -> bytes:
    head = await side.reader.readexactly(HEADER.size)
    length = HEADER.unpack(head)[2]
    return head + await side.reader.readexactly(length - 1)


def _read_request(frame: bytes) -> Asked | None:
    if len(frame) != HEADER.size + _REQUEST.size:
        return None
    transaction, _, _, unit = HEADER.unpack_from(frame)
    function, start, count = _REQUEST.unpack_from(frame, HEADER.size)
    return Asked(transaction, unit, function, start, count, time.monotonic())
