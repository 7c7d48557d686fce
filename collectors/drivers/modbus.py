"""Modbus TCP: our own asyncio client, and the driver that reads planned blocks through it.

The client owns framing, transaction ids and deadlines. It never repeats a request: the poller decides that.
Source: MODBUS Messaging on TCP/IP Implementation Guide V1.0b; Application Protocol V1.1b3.
"""

import asyncio
import struct
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from collectors.decode import BlockDecoder
from collectors.driver import BusContext, Sample
from collectors.plan_reads import RegisterBlock, halves, plan_reads
from energy_center.config.bindings import Device, ModbusTcp, PointBinding, Table
from energy_center.errors import BadFrame, DeviceAway, DeviceRefused, EnergyCenterError, NotSupported

FUNCTIONS: dict[Table, int] = {Table.COIL: 1, Table.DISCRETE: 2, Table.HOLDING: 3, Table.INPUT: 4}
EXCEPTIONS: dict[int, str] = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    5: "acknowledge",
    6: "device busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target failed to respond",
}
_RAISED: dict[int, type[EnergyCenterError]] = {
    1: NotSupported,
    2: NotSupported,
    3: NotSupported,
    10: DeviceAway,  # the gateway answers for a unit that does not
    11: DeviceAway,
}
_HEADER = struct.Struct(">HHHB")
_MAX_LENGTH = 254  # unit and the longest PDU


@dataclass(slots=True)
class ClientCounts:
    """What went by on one connection since it was made."""

    requests: int = 0
    replies: int = 0
    late: int = 0
    bad: int = 0


class ModbusClient(asyncio.Protocol):
    """One TCP connection. `request` may be called concurrently; replies are matched by transaction id."""

    def __init__(self) -> None:
        self.counts = ClientCounts()
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._waiting: dict[int, tuple[int, asyncio.Future[tuple[bytes, float]]]] = {}
        self._transaction = 0

    @property
    def is_open(self) -> bool:
        """Whether requests can be sent."""
        return self._transport is not None and not self._transport.is_closing()

    async def connect(self, host: str, port: int, within_s: float) -> None:
        """Open the connection; raises DeviceAway."""
        try:
            async with asyncio.timeout(within_s):
                await asyncio.get_running_loop().create_connection(lambda: self, host, port)
        except (OSError, TimeoutError) as cause:
            why = "no answer" if isinstance(cause, TimeoutError) else cause.strerror or str(cause)
            raise DeviceAway("The connection cannot be made", host=host, port=port, why=why) from cause

    async def request(self, unit: int, pdu: bytes, within_s: float) -> tuple[bytes, float]:
        """Send one request and wait for its reply: its PDU and the UTC second of its arrival.

        Raises:
            DeviceAway: no complete reply in time, or the connection was lost.
            BadFrame: the reply is not the answer to this request.
        """
        if self._transport is None or not self.is_open:
            raise DeviceAway("The connection is closed")
        self._transaction = (self._transaction + 1) & 0xFFFF
        transaction = self._transaction
        reply: asyncio.Future[tuple[bytes, float]] = asyncio.get_running_loop().create_future()
        self._waiting[transaction] = (unit, reply)
        self.counts.requests += 1
        try:
            self._transport.write(_HEADER.pack(transaction, 0, len(pdu) + 1, unit) + pdu)
            async with asyncio.timeout(within_s):
                return await reply
        except TimeoutError as cause:
            if self._buffer:  # a torn frame: whatever follows would be read out of step
                self.abort()
            raise DeviceAway(unit=unit) from cause
        finally:
            self._waiting.pop(transaction, None)

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
        self._buffer += data
        while len(self._buffer) >= _HEADER.size:
            transaction, protocol, length, unit = _HEADER.unpack_from(self._buffer)
            if protocol != 0 or not 2 <= length <= _MAX_LENGTH:  # noqa: PLR2004  unit and function code
                self._lose_step()
                return
            end = 6 + length
            if len(self._buffer) < end:
                return
            pdu = bytes(self._buffer[_HEADER.size : end])
            del self._buffer[:end]
            self._answer(transaction, unit, pdu, at)

    def _answer(self, transaction: int, unit: int, pdu: bytes, at: float) -> None:
        asked, reply = self._waiting.get(transaction, (0, None))
        if reply is None or reply.done():
            self.counts.late += 1
        elif unit != asked:
            self.counts.bad += 1
            reply.set_exception(BadFrame("The reply comes from another unit", unit=asked, from_unit=unit))
        else:
            self.counts.replies += 1
            reply.set_result((pdu, at))

    def _lose_step(self) -> None:
        self.counts.bad += 1
        self._fail_all(BadFrame("The stream is not Modbus TCP"))
        if self._transport is not None:
            self._transport.abort()

    def _fail_all(self, why: Exception) -> None:
        self._buffer.clear()
        for _, reply in self._waiting.values():
            if not reply.done():
                reply.set_exception(why)


def read_request(table: Table, address: int, count: int) -> bytes:
    """PDU that reads `count` registers or bits from a wire address."""
    return struct.pack(">BHH", FUNCTIONS[table], address, count)


def payload_of(pdu: bytes, table: Table, count: int) -> bytes:
    """The data octets of a reply to `read_request`.

    Raises:
        NotSupported: the device has no such function, address or count.
        DeviceRefused: any other exception reply, with its code.
        DeviceAway: a gateway says that the unit does not answer.
        BadFrame: another function, or another length than asked for.
    """
    function = FUNCTIONS[table]
    if pdu[0] == function | 0x80 and len(pdu) >= 2:  # noqa: PLR2004  function and code
        code = pdu[1]
        kind = _RAISED.get(code, DeviceRefused)
        raise kind(f"The device answers: {EXCEPTIONS.get(code, 'unknown exception')}", code=code)
    octets = (count + 7) // 8 if table.is_bits else 2 * count
    if pdu[0] != function or len(pdu) != 2 + octets or pdu[1] != octets:
        raise BadFrame("The reply does not fit the request", function=pdu[0], octets=len(pdu) - 2)
    return pdu[2:]


class ModbusDriver:
    """Reads the blocks of one Modbus TCP connection, one at a time unless all its devices bear more."""

    def __init__(self, context: BusContext) -> None:
        """Prepare; `open` connects."""
        if not isinstance(context.connection.target, ModbusTcp):
            raise TypeError(f"{context.connection.connection_id} is not Modbus TCP")
        self._target = context.connection.target
        self._client = ModbusClient()
        self._decoders: dict[RegisterBlock, BlockDecoder] = {}
        in_flight = min((d.limits.max_in_flight for d in context.devices), default=1)
        self._slots = asyncio.Semaphore(in_flight)
        self._free_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the TCP connection stands."""
        return self._client.is_open

    @property
    def time_limit_s(self) -> float:
        """Longest that one read may take."""
        return self._target.timeout_s

    @property
    def counts(self) -> ClientCounts:
        """Requests, replies, late and bad frames of the present connection."""
        return self._client.counts

    def plan(self, devices: Sequence[Device], bindings: Sequence[PointBinding]) -> list[RegisterBlock]:
        """The fewest block reads within the devices' limits."""
        return plan_reads(devices, bindings)

    async def open(self) -> None:
        """Connect anew; raises DeviceAway."""
        await self.close()
        client = ModbusClient()
        await client.connect(self._target.host, self._target.port, max(self._target.timeout_s, 1.0))
        self._client = client

    async def read(self, block: RegisterBlock) -> Sample:
        """One block; the time of the sample is the arrival of the reply."""
        async with self._slots:
            pause = self._free_at - time.monotonic()
            if pause > 0:
                await asyncio.sleep(pause)
            request = read_request(block.table, block.address, block.count)
            try:
                pdu, at = await self._client.request(block.unit_id, request, self._target.timeout_s)
            finally:
                self._free_at = time.monotonic() + self._target.min_gap_s
        values, quality = self._decoder(block).decode(payload_of(pdu, block.table, block.count))
        return Sample(at, values, quality)

    def split(self, block: RegisterBlock) -> list[RegisterBlock]:
        """Two halves, to find the register that the device refuses."""
        return halves(block)

    async def close(self) -> None:
        """Drop the connection."""
        with suppress(OSError):
            self._client.abort()

    def _decoder(self, block: RegisterBlock) -> BlockDecoder:
        if block not in self._decoders:
            self._decoders[block] = BlockDecoder(block.bindings, block.address)
        return self._decoders[block]
