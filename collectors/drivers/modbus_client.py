"""Modbus TCP: our own asyncio client. It owns framing, ids and deadlines, and never repeats a request.

Source: MODBUS Messaging on TCP/IP Implementation Guide V1.0b.
"""

import asyncio
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from energy_center.errors import BadFrame, DeviceAway

_HEADER = struct.Struct(">HHHB")
_MAX_LENGTH = 254  # unit and the longest PDU
TIMER_TICK_S = 0.002  # a loop's clock may ring up to a millisecond early
Reply = tuple[bytes, float]  # a PDU, and the UTC second of its arrival


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


async def connect_stream(protocol: asyncio.Protocol, host: str, port: int, within_s: float) -> None:
    """Open a TCP connection for a protocol; raises DeviceAway."""
    try:
        async with asyncio.timeout(within_s):
            await asyncio.get_running_loop().create_connection(lambda: protocol, host, port)
    except (OSError, TimeoutError) as cause:
        why = "no answer" if isinstance(cause, TimeoutError) else cause.strerror or str(cause)
        raise DeviceAway("The connection cannot be made", host=host, port=port, why=why) from cause


class ModbusClient(asyncio.Protocol):
    """One TCP connection. `request` may be called concurrently; replies are matched by transaction id."""

    def __init__(self) -> None:
        self.counts = ClientCounts()
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._waiting: dict[int, tuple[int, asyncio.Future[Reply], float]] = {}
        self._overdue: dict[int, tuple[int, float, Callable[[Reply], None]]] = {}
        self._timer: asyncio.TimerHandle | None = None
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
        transport = self._transport
        if transport is None or transport.is_closing():
            raise DeviceAway("The connection is closed")
        self._transaction = transaction = (self._transaction + 1) & 0xFFFF
        loop = asyncio.get_running_loop()
        reply: asyncio.Future[Reply] = loop.create_future()
        deadline = loop.time() + within_s
        self._waiting[transaction] = (unit, reply, deadline)
        self.counts.requests += 1
        # one timer that is armed anew when it rings, not one a request: most are answered long before
        if self._timer is None or self._timer.when() > deadline:
            self._arm(deadline)
        try:
            transport.write(_HEADER.pack(transaction, 0, len(pdu) + 1, unit) + pdu)
            return await reply
        except DeviceAway:
            if late is not None and self.is_open:
                self._expect_late(transaction, unit, late.within_s - within_s, late.take)
            raise
        finally:
            del self._waiting[transaction]

    def _expect_late(self, transaction: int, unit: int, for_s: float, take: Callable[[Reply], None]) -> None:
        now = asyncio.get_running_loop().time()
        self._overdue = {t: waiting for t, waiting in self._overdue.items() if waiting[1] > now}
        self._overdue[transaction] = (unit, now + for_s, take)

    def _arm(self, deadline: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(deadline, self._expire)

    def _expire(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time() + TIMER_TICK_S
        expired = [w for w in self._waiting.values() if w[2] <= now and not w[1].done()]
        for unit, reply, _ in expired:
            reply.set_exception(DeviceAway(unit=unit))
        if expired and self._buffer:  # a torn frame: whatever follows would be read out of step
            self.abort()
        later = [w[2] for w in self._waiting.values() if not w[1].done()]
        if later:
            self._arm(min(later))

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
        """Called by the event loop: take every whole frame out of the stream."""
        at = time.time()
        stream = data
        if self._buffer:
            self._buffer += data
            stream = bytes(self._buffer)
            self._buffer.clear()
        start, available = 0, len(stream)
        while available - start >= _HEADER.size:
            transaction, protocol, length, unit = _HEADER.unpack_from(stream, start)
            if protocol != 0 or not 2 <= length <= _MAX_LENGTH:  # noqa: PLR2004  unit and function code
                self._lose_step()
                return
            end = start + 6 + length
            if available < end:
                break
            self._answer(transaction, unit, stream[start + _HEADER.size : end], at)
            start = end
            at += 2e-6  # replies that came together are readings of their own, also when rounded to 1 us
        if start < available:
            self._buffer += stream[start:]

    def _answer(self, transaction: int, unit: int, pdu: bytes, at: float) -> None:
        asked, reply, _ = self._waiting.get(transaction, (0, None, 0.0))
        if reply is None or reply.done():
            self.counts.late += 1
            self._take_late(transaction, unit, (pdu, at))
        elif unit != asked:
            self.counts.bad += 1
            reply.set_exception(BadFrame("The reply comes from another unit", unit=asked, from_unit=unit))
        else:
            self.counts.replies += 1
            reply.set_result((pdu, at))

    def _take_late(self, transaction: int, unit: int, reply: Reply) -> None:
        asked, until, take = self._overdue.pop(transaction, (-1, 0.0, None))
        if take is not None and unit == asked and asyncio.get_running_loop().time() <= until:
            take(reply)

    def _lose_step(self) -> None:
        self.counts.bad += 1
        self._fail_all(BadFrame("The stream is not Modbus TCP"))
        if self._transport is not None:
            self._transport.abort()

    def _fail_all(self, why: Exception) -> None:
        self._buffer.clear()
        self._overdue.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for _, reply, _ in self._waiting.values():
            if not reply.done():
                reply.set_exception(why)
