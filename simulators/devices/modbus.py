"""Modbus TCP servers: one port per connection, many units behind it, values encoded when they are asked for.

Read-only: functions 1 to 4. A gateway answers for its units; a silent unit gives no reply at all.
"""

import asyncio
import contextlib
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from simulators.catalogue import Line
from simulators.devices.registers import REGISTER_MAPS, Read, Register, RegisterMap, Table
from simulators.devices.source import Source
from simulators.served import Key

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, NO_TARGET = (
    1,
    2,
    3,
    11,
)  # Modbus Application Protocol 1.1b3, 7
_TABLES = {1: Table.COIL, 2: Table.DISCRETE, 3: Table.HOLDING, 4: Table.INPUT}
_MAX_BITS = 2000
_HEADER = struct.Struct(">HHHB")
_REQUEST = struct.Struct(">BHH")
_LONGEST = 254  # unit id and PDU of the longest frame


class _Refusal(Exception):
    """The reply is a Modbus exception with this code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class _Silence(Exception):
    """The device does not answer."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A register of one piece of equipment at its address in the unit."""

    key: Key
    at: int
    register: Register
    read: Read

    @property
    def end(self) -> int:
        """First address after it."""
        return self.at + self.register.size


@dataclass(slots=True)
class Unit:
    """What answers under one unit id: one meter, or an I/O station shared by several pieces of equipment."""

    names: list[str] = field(default_factory=list)
    tables: dict[Table, list[Placed]] = field(default_factory=dict)
    ranges: dict[Table, set[tuple[int, int]]] = field(default_factory=dict)
    fixed: dict[int, int] = field(default_factory=dict)
    max_registers: int = 125

    def add(self, line: Line, registers: RegisterMap, source: Source) -> None:
        """Place a piece of equipment's registers, moved by its base."""
        self.names.append(line.id)
        self.max_registers = min(self.max_registers, registers.max_registers)
        self.fixed.update(registers.fixed)
        for table, ranges in registers.ranges.items():
            self.ranges.setdefault(table, set()).update(ranges)
        for register in registers.registers:
            placed = Placed(
                (line.id, register.signal),
                line.base + register.address,
                register,
                partial(_read, source, line.id),
            )
            self.tables.setdefault(register.table, []).append(placed)

    def block(self, table: Table, start: int, count: int) -> tuple[list[int], list[Key]]:
        """The words (or bits) of a block and the points that it covers whole."""
        limit = self.max_registers if table in (Table.HOLDING, Table.INPUT) else _MAX_BITS
        if table not in self.ranges:
            raise _Refusal(ILLEGAL_FUNCTION)
        if not 1 <= count <= limit:
            raise _Refusal(ILLEGAL_VALUE)
        end = start + count
        if not any(low <= start and end <= high for low, high in self.ranges[table]):
            raise _Refusal(ILLEGAL_ADDRESS)
        fixed = self.fixed if table is Table.HOLDING else {}
        content = [fixed.get(address, 0) for address in range(start, end)]
        covered = []
        for placed in self.tables.get(table, ()):
            if placed.end <= start or placed.at >= end:
                continue
            _fill(content, placed, start, end)
            if start <= placed.at and placed.end <= end:
                covered.append(placed.key)
        return content, covered


def _read(source: Source, equipment_id: str, signal: str) -> float:
    return source.read((equipment_id, signal))


def _fill(content: list[int], placed: Placed, start: int, end: int) -> None:
    words = placed.register.words(placed.read)
    if not words:
        raise _Silence
    for address, word in enumerate(words, start=placed.at):
        if start <= address < end:
            content[address - start] = word


class ModbusServer:
    """The units of one connection behind one port."""

    def __init__(self, connection_id: str, lines: Iterable[Line], source: Source) -> None:
        self.connection_id = connection_id
        self.units: dict[int, Unit] = {}
        self._source = source
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Transport] = set()
        for line in lines:
            if line.unit is not None and line.map_name in REGISTER_MAPS:
                self.units.setdefault(line.unit, Unit()).add(line, REGISTER_MAPS[line.map_name], source)

    def points(self) -> list[Key]:
        """Every point that can be read here."""
        return [p.key for unit in self.units.values() for table in unit.tables.values() for p in table]

    async def start(self, host: str, port: int) -> int:
        """Listen on the port, or on a free one when it is 0; returns the port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Session(self), host, port)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Close the port and every client's connection."""
        if self._server is None:
            return
        self._server.close()
        for transport in list(self._clients):
            transport.abort()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await self._server.wait_closed()

    def keep(self, transport: asyncio.Transport) -> None:
        """Remember an open client so that stopping can close it."""
        self._clients.add(transport)

    def drop(self, transport: asyncio.Transport) -> None:
        """Forget a closed client."""
        self._clients.discard(transport)

    def reply_to(self, unit_id: int, pdu: bytes) -> tuple[bytes, Sequence[Key]]:
        """The reply's PDU and the points that it carries; an empty PDU means silence."""
        try:
            return self._answer(unit_id, pdu)
        except _Refusal as refusal:
            return bytes((pdu[0] | 0x80, refusal.code)), ()
        except _Silence:
            return b"", ()

    def _answer(self, unit_id: int, pdu: bytes) -> tuple[bytes, Sequence[Key]]:
        unit = self.units.get(unit_id)
        if self._source.is_silent(self.connection_id, unit.names if unit else ()):
            raise _Silence
        if unit is None:
            raise _Refusal(NO_TARGET)
        table = _TABLES.get(pdu[0])
        if table is None:
            raise _Refusal(ILLEGAL_FUNCTION)
        if len(pdu) != _REQUEST.size:
            raise _Refusal(ILLEGAL_VALUE)
        _, start, count = _REQUEST.unpack(pdu)
        content, covered = unit.block(table, start, count)
        packed = (
            _pack_bits(content)
            if table in (Table.COIL, Table.DISCRETE)
            else struct.pack(f">{count}H", *content)
        )
        return bytes((pdu[0], len(packed))) + packed, covered

    def count(self, keys: Sequence[Key]) -> None:
        """Note that these points' values were sent."""
        self._source.served.add(keys)


def _pack_bits(bits: Sequence[int]) -> bytes:
    packed = bytearray((len(bits) + 7) // 8)
    for index, bit in enumerate(bits):
        packed[index // 8] |= (bit & 1) << (index % 8)
    return bytes(packed)


class _Session(asyncio.Protocol):
    """One client's connection; requests are answered in their order."""

    def __init__(self, server: ModbusServer) -> None:
        self._server = server
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
            self._server.keep(transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  the interface of asyncio
        if self._transport is not None:
            self._server.drop(self._transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= _HEADER.size:
            transaction, protocol, length, unit_id = _HEADER.unpack_from(self._buffer)
            if protocol != 0 or not 2 <= length <= _LONGEST:
                self._hang_up()
                return
            if len(self._buffer) < 6 + length:
                return
            pdu, self._buffer = self._buffer[7 : 6 + length], self._buffer[6 + length :]
            self._serve(transaction, unit_id, pdu)

    def _serve(self, transaction: int, unit_id: int, pdu: bytes) -> None:
        reply, keys = self._server.reply_to(unit_id, pdu)
        if not reply or self._transport is None or self._transport.is_closing():
            return
        self._transport.write(_HEADER.pack(transaction, 0, len(reply) + 1, unit_id) + reply)
        self._server.count(keys)

    def _hang_up(self) -> None:
        self._buffer = b""
        if self._transport is not None:
            self._transport.close()
