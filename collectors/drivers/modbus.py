"""The driver that reads planned blocks over Modbus: TCP, a serial line, or a gateway to one.

Time limits follow each block's own latency where transaction ids tell a late reply; nothing is ever repeated
here: the poller decides that.
"""

import asyncio
import struct
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import cast

from collectors.decode import BlockDecoder
from collectors.driver import BusContext, Following, PreparedBlock, Push, Sample
from collectors.drivers.modbus_client import (
    Client,
    ClientCounts,
    Lane,
    Late,
    ModbusClient,
    Next,
    Reply,
    reply_head,
    request_frame,
)
from collectors.drivers.modbus_pdu import FUNCTIONS, octets_of, payload_of, read_request
from collectors.drivers.modbus_rtu import RtuClient
from collectors.line_timing import quiet_s
from collectors.plan_reads import RegisterBlock, cut, join, plan_reads
from collectors.sunspec import find_models, start_of
from energy_center.config.bindings import Device, Framing, ModbusRtu, ModbusTcp, PointBinding, Table
from energy_center.errors import BadFrame, DeviceAway, DeviceBusy, DeviceRefused, NotSupported

__all__ = ["BlockLatency", "ModbusClient", "ModbusDriver", "payload_of", "read_request"]

SHORTEST_LIMIT_S = 0.2
LATENCIES_A_LIMIT = 4.0
SMOOTHING = 0.125  # of a new latency, as for TCP's round trip (RFC 6298, 2.3)


class BlockLatency:
    """How long a block's replies take, and how long to wait for the next one."""

    __slots__ = ("mean_s",)

    def __init__(self) -> None:
        self.mean_s: float | None = None

    def limit_s(self, longest_s: float) -> float:
        """Four times the mean latency, between 0.2 s and `longest_s`, which holds until a reply came."""
        if self.mean_s is None:
            return longest_s
        return min(longest_s, max(SHORTEST_LIMIT_S, LATENCIES_A_LIMIT * self.mean_s))

    def answered(self, took_s: float, replies: int = 1) -> None:
        """Note replies, by their mean."""
        weight = SMOOTHING if replies == 1 else 1 - (1 - SMOOTHING) ** replies
        self.mean_s = took_s if self.mean_s is None else self.mean_s + weight * (took_s - self.mean_s)

    def missed(self) -> None:
        """Note silence: a device that has become slower is given the connection's whole limit again."""
        self.mean_s = None


class Planned:
    """What is worked out once for a block."""

    __slots__ = (
        "block",
        "decode",
        "frame",
        "head",
        "late",
        "latency",
        "limit_s",
        "longest_s",
        "request",
        "size",
        "unit",
    )

    def __init__(self, block: RegisterBlock, longest_s: float, start: int = 0) -> None:
        """`longest_s` is the connection's time limit; `start` where the block's SunSpec model lies."""
        octets = octets_of(block.table, block.count)
        self.block = block
        self.unit = block.unit_id
        self.request = read_request(block.table, start + block.address, block.count)
        self.frame = request_frame(block.unit_id, self.request)
        self.head = reply_head(block.unit_id, FUNCTIONS[block.table], octets)
        self.size = 2 + len(self.head) + octets
        self.decode = BlockDecoder(block.bindings, block.address).decode_all
        self.latency = BlockLatency()
        self.longest_s = longest_s
        self.limit_s = longest_s
        self.late: Late | None = None

    def answered(self, took_s: Sequence[float]) -> None:
        """Wait for the next reply as these suggest."""
        self.latency.answered(sum(took_s) / len(took_s), len(took_s))
        self.limit_s = self.latency.limit_s(self.longest_s)

    def missed(self) -> None:
        """Give a device that has become slower its whole time."""
        self.latency.missed()
        self.limit_s = self.longest_s

    def payload_of(self, pdu: bytes) -> bytes:
        """The data octets of a reply; raises as `modbus_pdu.payload_of` does, and says what was asked."""
        try:
            return payload_of(pdu, self.block.table, self.block.count)
        except (BadFrame, DeviceAway, DeviceBusy, DeviceRefused, NotSupported) as cause:
            block = self.block
            cause.facts |= {"unit": self.unit, "table": block.table.value, "address": block.address}
            raise


class ModbusDriver:
    """Reads the blocks of one connection, one at a time unless all its devices bear more."""

    def __init__(self, context: BusContext) -> None:
        """Prepare; `open` connects."""
        target = context.connection.target
        if not isinstance(target, ModbusTcp | ModbusRtu):
            raise TypeError(f"{context.connection.connection_id} is not Modbus")
        self._target = target
        self._tells_late = isinstance(target, ModbusTcp) and target.framing is Framing.TCP
        self._client: Client = ModbusClient() if self._tells_late else RtuClient()
        self._planned: dict[RegisterBlock, Planned] = {}
        self._push: Push | None = None
        in_flight = min((d.limits.max_in_flight for d in context.devices), default=1)
        self._slots = asyncio.Semaphore(in_flight if self._tells_late else 1)
        self._gap_s = max(target.min_gap_s, quiet_s(target))
        self._free_at = 0.0
        self._model_maps: dict[int, Mapping[int, int]] = {}

    @property
    def is_open(self) -> bool:
        """Whether the connection stands."""
        return self._client.is_open

    @property
    def time_limit_s(self) -> float:
        """Longest that one read may take."""
        return self._target.timeout_s

    @property
    def counts(self) -> ClientCounts:
        """Requests, replies, late and bad frames of the present connection."""
        return self._client.counts

    def push_to(self, push: Push) -> None:
        """Hand on replies that came after a block's own limit, within the connection's."""
        self._push = push
        for planned in self._planned.values():
            planned.late = self._late(planned)

    def plan(self, devices: Sequence[Device], bindings: Sequence[PointBinding]) -> list[RegisterBlock]:
        """The fewest block reads within the devices' limits."""
        return plan_reads(devices, bindings)

    async def open(self) -> None:
        """Connect anew; raises DeviceAway."""
        await self.close()
        self._forget_models()
        if isinstance(self._target, ModbusRtu):
            line = RtuClient()
            line.open_port(self._target)
            self._client = line
            return
        client = ModbusClient() if self._tells_late else RtuClient()
        await client.connect(self._target.host, self._target.port, max(self._target.timeout_s, 1.0))
        self._client = client

    async def read(self, block: RegisterBlock) -> Sample:
        """One block; the time of the sample is the arrival of the reply."""
        planned = self._planned.get(block)
        if planned is None:
            start = start_of(block.models, await self._models(block.unit_id)) if block.models else 0
            planned = self._planned[block] = self._plan(block, start)
        async with self._slots:
            pdu, at = await self._ask(planned)
        values, quality = planned.decode((planned.payload_of(pdu),))
        return Sample(at, values[0], quality[0])

    def prepared(self, block: RegisterBlock) -> Planned | None:
        """None where a late reply cannot be told from others, a line wants pauses, or models are sought."""
        if not self._tells_late or self._gap_s or block.models:
            return None
        if block not in self._planned:
            self._planned[block] = self._plan(block, 0)
        return self._planned[block]

    async def burst(self, first: PreparedBlock, following: Following) -> None:
        """One block after another; see `BurstingDriver`."""
        client = self._client
        if not isinstance(client, ModbusClient) or not isinstance(first, Planned):
            raise TypeError("only prepared blocks are read in bursts")
        # all that `following` can name has been prepared here
        lane = Lane(first, cast("Next", following))
        async with self._slots:
            try:
                pdu = await client.run_lane(lane)
            except DeviceAway:
                cast("Planned", lane.ask).missed()
                raise
        if pdu is not None:
            cast("Planned", lane.ask).payload_of(pdu)
            raise BadFrame("The reply does not fit the request", unit=lane.ask.unit)

    def _plan(self, block: RegisterBlock, start: int) -> Planned:
        planned = Planned(block, self._target.timeout_s, start)
        planned.late = self._late(planned)
        return planned

    def _late(self, planned: Planned) -> Late | None:
        push = self._push
        if push is None:
            return None

        def take(reply: Reply) -> None:
            pdu, at = reply
            # what a device refuses is told by the answer to the next request
            with suppress(BadFrame, DeviceAway, DeviceBusy, DeviceRefused, NotSupported):
                values, quality = planned.decode((planned.payload_of(pdu),))
                push(planned.block.bindings, Sample(at, values[0], quality[0]))

        return Late(planned.longest_s, take)

    async def _ask(self, planned: Planned) -> Reply:
        began = time.monotonic()
        if self._free_at > began:
            await asyncio.sleep(self._free_at - began)
            began = time.monotonic()
        limit = planned.limit_s if self._tells_late else planned.longest_s
        try:
            reply = await self._client.request(planned.unit, planned.request, limit, planned.late)
        except DeviceAway:
            planned.missed()
            raise
        finally:
            ended = time.monotonic()
            self._free_at = ended + self._gap_s if self._gap_s else 0.0
        planned.answered((ended - began,))
        return reply

    async def _models(self, unit_id: int) -> Mapping[int, int]:
        """Where a unit's SunSpec models lie, looked up once a connection."""
        if unit_id not in self._model_maps:

            async def words(address: int, count: int) -> tuple[int, ...]:
                asked = RegisterBlock("", unit_id, Table.HOLDING, address, count, 0.0, ())
                async with self._slots:
                    pdu, _ = await self._ask(self._plan(asked, 0))
                return struct.unpack(f">{count}H", payload_of(pdu, asked.table, count))

            self._model_maps[unit_id] = await find_models(words)
        return self._model_maps[unit_id]

    def _forget_models(self) -> None:
        """What comes back may be another device, or the same one after an update."""
        self._model_maps.clear()
        self._planned = {block: planned for block, planned in self._planned.items() if not block.models}

    def split(self, block: RegisterBlock) -> list[RegisterBlock]:
        """Two parts, to find the register that the device refuses."""
        return cut(block)

    def join(self, blocks: Sequence[RegisterBlock]) -> list[RegisterBlock]:
        """Parts that turned out good, put together again where nothing lies between them."""
        return join(blocks)

    async def close(self) -> None:
        """Drop the connection."""
        with suppress(OSError):
            self._client.abort()
