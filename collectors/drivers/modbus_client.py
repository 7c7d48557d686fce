"""Modbus TCP: our own asyncio client. It owns framing, ids and deadlines, and never repeats a request.

Single requests are awaited. In a lane one request follows another while replies are what they should be: the
next one is written as soon as a reply is whole, without waking a task, and with all others of the same turn.
Source: MODBUS Messaging on TCP/IP Implementation Guide V1.0b.
"""

import asyncio
import math
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from energy_center.errors import BadFrame, DeviceAway

_HEADER = struct.Struct(">HHHB")
_PAYLOAD = _HEADER.size + 2  # after the function code and the number of octets
NEVER = math.inf
_MAX_LENGTH = 254  # unit and the longest PDU
TIMER_TICK_S = 0.002  # a loop's clock may ring up to a millisecond early
Reply = tuple[bytes, float]  # a PDU, and the UTC second of its arrival
APART_S = 2e-6  # replies that came together are readings of their own, also when rounded to 1 us


@dataclass(frozen=True, slots=True)
class Late:
    """Who takes a reply that nobody waits for any more, if it comes within so many seconds after all."""

    within_s: float
    take: Callable[[Reply], None]


@dataclass(slots=True)
class ClientCounts:
    """What went by on one connection since it was made."""

    requests: int = 0
    replies: int = 0
    late: int = 0
    bad: int = 0


class Client(Protocol):
    """One connection to a bus, whatever its framing."""

    counts: ClientCounts

    @property
    def is_open(self) -> bool:
        """Whether requests can be sent."""

    async def request(self, unit: int, pdu: bytes, within_s: float, late: Late | None = None) -> Reply:
        """Ask once; raises DeviceAway or BadFrame. Where framing tells replies apart, `late` has its use."""

    def abort(self) -> None:
        """Drop the connection at once."""


def request_frame(unit: int, pdu: bytes) -> bytes:
    """A request but for its transaction id."""
    return _HEADER.pack(0, 0, len(pdu) + 1, unit)[2:] + pdu


def reply_head(unit: int, function: int, octets: int) -> bytes:
    """What the reply to a read begins with, but for its transaction id."""
    return _HEADER.pack(0, 0, octets + 3, unit)[2:] + bytes((function, octets))


async def connect_stream(protocol: asyncio.Protocol, host: str, port: int, within_s: float) -> None:
    """Open a TCP connection for a protocol; raises DeviceAway."""
    try:
        async with asyncio.timeout(within_s):
            await asyncio.get_running_loop().create_connection(lambda: protocol, host, port)
    except (OSError, TimeoutError) as cause:
        why = "no answer" if isinstance(cause, TimeoutError) else cause.strerror or str(cause)
        raise DeviceAway("The connection cannot be made", host=host, port=port, why=why) from cause


class Ask(Protocol):
    """A request made ready: all octets but its transaction id, and those that a good reply begins with."""

    unit: int
    frame: bytes
    head: bytes
    size: int
    limit_s: float
    late: Late | None


Next = Callable[[bytes, float, float], Ask | None]


class Lane:
    """One request in flight after another; `following` gets each payload, its UTC second and loop time."""

    __slots__ = ("ask", "deadline", "done", "expected", "following", "key", "size")

    def __init__(self, first: Ask, following: Next) -> None:
        """`ModbusClient.run_lane` runs it."""
        self.ask = first
        self.following = following
        self.key = self.expected = b""
        self.deadline = 0.0
        self.size = 0
        # None at the regular end, or a PDU that is not the payload asked for
        self.done: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()


class ModbusClient(asyncio.Protocol):
    """One TCP connection. `request` may be called concurrently; replies are matched by transaction id."""

    def __init__(self) -> None:
        self.counts = ClientCounts()
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._waiting: dict[bytes, tuple[int, asyncio.Future[Reply], float]] = {}
        self._lanes: dict[bytes, Lane] = {}
        self._overdue: dict[bytes, tuple[int, float, Callable[[Reply], None]]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._rings_at = NEVER
        self._transaction = 0

    @property
    def is_open(self) -> bool:
        """Whether requests can be sent."""
        return self._transport is not None and not self._transport.is_closing()

    async def connect(self, host: str, port: int, within_s: float) -> None:
        """Open the connection; raises DeviceAway."""
        await connect_stream(self, host, port, within_s)

    async def request(self, unit: int, pdu: bytes, within_s: float, late: Late | None = None) -> Reply:
        """Send one request and wait for its reply; one that comes later still goes to `late`.

        Raises:
            DeviceAway: no complete reply in time, or the connection was lost.
            BadFrame: the reply is not the answer to this request.
        """
        transport = self._open_transport()
        key = self._next_key()
        loop = asyncio.get_running_loop()
        reply: asyncio.Future[Reply] = loop.create_future()
        deadline = time.monotonic() + within_s
        self._waiting[key] = (unit, reply, deadline)
        self._watch(deadline)
        try:
            transport.write(key + request_frame(unit, pdu))
            return await reply
        except DeviceAway:
            self._expect_late(key, unit, within_s, late)
            raise
        finally:
            del self._waiting[key]

    async def run_lane(self, lane: Lane) -> bytes | None:
        """Ask, and ask again for what follows, until nothing does (None) or a PDU is not the reply asked for.

        Raises as `request` does; `lane.ask` is what it concerns.
        """
        transport = self._open_transport()
        transport.write(self._next_in(lane, lane.ask, time.monotonic()))
        try:
            return await lane.done
        except DeviceAway:
            self._expect_late(lane.key, lane.ask.unit, lane.ask.limit_s, lane.ask.late)
            raise
        finally:
            self._lanes.pop(lane.key, None)

    def _expect_late(self, key: bytes, unit: int, waited_s: float, late: Late | None) -> None:
        if late is None or not self.is_open:
            return
        now = time.monotonic()
        self._overdue = {k: waiting for k, waiting in self._overdue.items() if waiting[1] > now}
        self._overdue[key] = (unit, now + late.within_s - waited_s, late.take)

    def _open_transport(self) -> asyncio.Transport:
        if self._transport is None or self._transport.is_closing():
            raise DeviceAway("The connection is closed")
        return self._transport

    def _next_key(self) -> bytes:
        self.counts.requests += 1
        self._transaction = transaction = (self._transaction + 1) & 0xFFFF
        return transaction.to_bytes(2, "big")

    def _next_in(self, lane: Lane, ask: Ask, now: float) -> bytes:
        """Make a lane wait for the reply to a request; give the request."""
        key = self._next_key()
        lane.ask, lane.key, lane.size = ask, key, ask.size
        lane.expected = key + ask.head
        lane.deadline = deadline = now + ask.limit_s
        self._lanes[key] = lane
        if deadline < self._rings_at:
            self._watch(deadline)
        return key + ask.frame

    def _watch(self, deadline: float) -> None:
        """Ring at a deadline. One timer, set anew when it rings: most requests are answered long before."""
        if deadline >= self._rings_at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._rings_at = deadline
        self._timer = asyncio.get_running_loop().call_at(deadline, self._expire)

    def _expire(self) -> None:
        self._timer, self._rings_at = None, NEVER
        now = time.monotonic() + TIMER_TICK_S
        expired = [w for w in self._waiting.values() if w[2] <= now and not w[1].done()]
        for unit, reply, _ in expired:
            reply.set_exception(DeviceAway(unit=unit))
        late = [lane for lane in self._lanes.values() if lane.deadline <= now]
        for lane in late:
            self._end(lane, DeviceAway(unit=lane.ask.unit))
        if (expired or late) and self._buffer:  # a torn frame: whatever follows would be read out of step
            self.abort()
        later = [w[2] for w in self._waiting.values() if not w[1].done()]
        later += [lane.deadline for lane in self._lanes.values()]
        if later:
            self._watch(min(later))

    def _end(self, lane: Lane, outcome: Exception | bytes | None) -> None:
        """Let whoever runs the lane know; a reply that comes yet is a late one."""
        self._lanes.pop(lane.key, None)
        if lane.done.done():
            return
        if isinstance(outcome, Exception):
            lane.done.set_exception(outcome)
        else:
            lane.done.set_result(outcome)

    def abort(self) -> None:
        """Drop the connection at once."""
        if self._transport is not None:
            self._transport.abort()
        self._fail_all(DeviceAway("The connection was dropped"))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        self._transport = transport  # type: ignore[assignment]  # create_connection gives a Transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop."""
        self._fail_all(DeviceAway("The connection was lost", why=str(exc or "closed by the device")))

    def data_received(self, data: bytes) -> None:
        """Called by the event loop: take every whole frame out of the stream, and send what follows."""
        lane = self._lanes.get(data[:2])
        if lane is None or len(data) != lane.size or self._buffer or not data.startswith(lane.expected):
            self._take_apart(data)
            return
        # nearly always: one reply, whole, and the one that is waited for
        frame = self._go_on(lane, data[_PAYLOAD:], time.time(), time.monotonic())
        if frame is not None and self._transport is not None:
            self._transport.write(frame)

    def _take_apart(self, data: bytes) -> None:
        at, now = time.time(), time.monotonic()
        if self._buffer:
            data, self._buffer = self._buffer + data, b""
        start, available, frames = 0, len(data), []
        while available - start >= _HEADER.size:
            lane = self._lanes.get(data[start : start + 2])
            if (
                lane is not None
                and (end := start + lane.size) <= available
                and data.startswith(lane.expected, start)
            ):
                frames.append(self._go_on(lane, data[start + _PAYLOAD : end], at, now))
            else:
                _, protocol, length, unit = _HEADER.unpack_from(data, start)
                if protocol != 0 or not 2 <= length <= _MAX_LENGTH:  # noqa: PLR2004  unit and function code
                    self._lose_step()
                    return
                end = start + 6 + length
                if available < end:
                    break
                self._answer(data[start : start + 2], unit, data[start + _HEADER.size : end], at)
            start = end
            at += APART_S
        if start < available:
            self._buffer = data[start:]
        following = b"".join(frame for frame in frames if frame is not None)
        if following and self._transport is not None:
            self._transport.write(following)

    def _go_on(self, lane: Lane, payload: bytes, at: float, now: float) -> bytes | None:
        """A lane's reply has come: what to send next."""
        self.counts.replies += 1
        del self._lanes[lane.key]
        try:
            ask = lane.following(payload, at, now)
        except Exception as bug:  # noqa: BLE001  whoever runs the lane is told, the others go on
            self._end(lane, bug)
            return None
        if ask is None:
            self._end(lane, None)
            return None
        return self._next_in(lane, ask, now)

    def _answer(self, key: bytes, unit: int, pdu: bytes, at: float) -> None:
        lane = self._lanes.get(key)
        if lane is not None:
            self._answer_in(lane, unit, pdu)
            return
        asked, reply, _ = self._waiting.get(key, (0, None, 0.0))
        if reply is None or reply.done():
            self.counts.late += 1
            self._take_late(key, unit, (pdu, at))
        elif unit != asked:
            self.counts.bad += 1
            reply.set_exception(_from_another(asked, unit))
        else:
            self.counts.replies += 1
            reply.set_result((pdu, at))

    def _answer_in(self, lane: Lane, unit: int, pdu: bytes) -> None:
        """A frame that is not the reply a lane waits for."""
        if unit != lane.ask.unit:
            self.counts.bad += 1
            self._end(lane, _from_another(lane.ask.unit, unit))
        else:
            self.counts.replies += 1
            self._end(lane, pdu)

    def _take_late(self, key: bytes, unit: int, reply: Reply) -> None:
        asked, until, take = self._overdue.pop(key, (-1, 0.0, None))
        if take is not None and unit == asked and time.monotonic() <= until:
            take(reply)

    def _lose_step(self) -> None:
        self.counts.bad += 1
        self._fail_all(BadFrame("The stream is not Modbus TCP"))
        if self._transport is not None:
            self._transport.abort()

    def _fail_all(self, why: Exception) -> None:
        self._buffer = b""
        self._overdue.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer, self._rings_at = None, NEVER
        for _, reply, _ in self._waiting.values():
            if not reply.done():
                reply.set_exception(why)
        for lane in list(self._lanes.values()):
            self._end(lane, why)


def _from_another(asked: int, unit: int) -> BadFrame:
    return BadFrame("The reply comes from another unit", unit=asked, from_unit=unit)
