"""The poller on real sockets: silent units beside good ones, refused registers, lost and silent lines."""

import asyncio
import struct
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from collectors.driver import Sample
from collectors.drivers.modbus import ModbusDriver
from collectors.plan_reads import RegisterBlock
from collectors.poller import Poller, StateChange
from energy_center.config.bindings import ModbusTcp, PointBinding, ReadLimits, RegisterType
from energy_center.errors import NotSupported
from tests.protocol.faulty_modbus import FaultyDevice, answer, faulty_device, registers
from tests.unit.collectors.builders import context, device, register
from tests.unit.collectors.fixed_random import seeded


@dataclass
class Bus:
    """A line with a poller, and what came of it."""

    wire: FaultyDevice
    poller: Poller[RegisterBlock] | None = None
    samples: Counter[str] = field(default_factory=Counter)
    values: dict[tuple[str, str], float] = field(default_factory=dict)
    changes: list[StateChange] = field(default_factory=list)

    def take(self, bindings: tuple[PointBinding, ...], sample: Sample) -> None:
        self.samples[bindings[0].device_id] += 1
        self.values |= {b.key: float(v) for b, v in zip(bindings, sample.values, strict=True)}

    def states(self, device_id: str) -> list[bool]:
        return [c.online for c in self.changes if c.device_id == device_id]


@asynccontextmanager
async def polled(
    units: int, points: list[PointBinding], behave: Callable[[bytes], bytes | None] = registers
) -> AsyncIterator[Bus]:
    async with faulty_device() as wire:
        wire.behave = behave
        bus = Bus(wire)
        target = ModbusTcp("127.0.0.1", wire.port, timeout_s=0.2)
        around = context([device(n) for n in range(1, units + 1)], points, target)
        bus.poller = Poller(around, ModbusDriver(around), bus.take, bus.changes.append, seeded(5))
        running = asyncio.ensure_future(bus.poller.run())
        try:
            yield bus
        finally:
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running


async def until(claim: Callable[[], bool], limit_s: float = 10.0) -> None:
    async with asyncio.timeout(limit_s):
        while not claim():  # noqa: ASYNC110  what is waited for happens on a socket
            await asyncio.sleep(0.02)


def unit_of(request: bytes) -> int:
    return request[6]


def fast(unit_id: int, address: int = 0) -> PointBinding:
    return register(address, RegisterType.U16, unit_id=unit_id, interval_s=0.1)


async def test_each_device_is_read_on_its_interval() -> None:
    async with polled(2, [fast(1), fast(2)]) as bus:
        await until(lambda: min(bus.samples["u1"], bus.samples["u2"]) >= 10)
        assert abs(bus.samples["u1"] - bus.samples["u2"]) <= 2
        assert [bus.states(d) for d in ("u1", "u2")] == [[True], [True]]


async def test_silent_unit_goes_away_once_and_its_neighbour_is_read_on() -> None:
    async with polled(2, [fast(1), fast(2)], lambda r: registers(r) if unit_of(r) == 1 else None) as bus:
        await until(lambda: bus.states("u2") == [False])
        before, asked = bus.samples["u1"], len(bus.wire.requests)
        await asyncio.sleep(3.0)
        good = bus.samples["u1"] - before
        probes = sum(unit_of(r) == 2 for r in bus.wire.requests[asked:])
        assert good >= 24  # of 30 slots: the unit's probes cost 0.2 s each
        assert probes * 0.2 <= 0.1 * 3.0 + 0.2
        assert bus.states("u2") == [False]


async def test_unit_that_comes_back_is_noticed_and_read_again() -> None:
    dead = {2}
    async with polled(2, [fast(1), fast(2)], lambda r: None if unit_of(r) in dead else registers(r)) as bus:
        await until(lambda: bus.states("u2") == [False])
        dead.clear()
        await until(lambda: bus.samples["u2"] >= 3)
        assert bus.states("u2") == [False, True]


async def test_silent_line_is_told_for_every_device_and_all_come_back_together() -> None:
    silent = [True]
    points = [fast(n) for n in range(1, 6)]
    async with polled(5, points, lambda r: None if silent[0] else registers(r)) as bus:
        await until(lambda: len(bus.changes) == 5)
        silent[0] = False
        await until(lambda: len(bus.changes) == 10)
        back = [c.at for c in bus.changes if c.online]
        assert len(back) == 5
        assert max(back) - min(back) < 2.0


async def test_refused_register_is_split_out_and_the_rest_is_read() -> None:
    def refuses_four(request: bytes) -> bytes:
        _, address, count = struct.unpack(">BHH", request[7:12])
        return answer(request, b"\x83\x02") if address <= 4 < address + count else registers(request)

    points = [fast(1, address) for address in (0, 2, 4, 6, 8)]
    async with polled(1, points, refuses_four) as bus:
        await until(lambda: len(bus.values) == 4)
        await asyncio.sleep(0.5)
        assert sorted(bus.values.values()) == [0.0, 2.0, 6.0, 8.0]
        assert bus.states("u1") == [True]  # a device that refuses is there


async def test_lost_connection_is_made_again_without_calling_devices_away() -> None:
    async with polled(2, [fast(1), fast(2)]) as bus:
        await until(lambda: bus.samples["u1"] >= 2)
        bus.wire.hang_up()
        seen = bus.samples["u1"]
        await until(lambda: bus.samples["u1"] >= seen + 3)
        assert bus.wire.connections == 2
        assert bus.states("u1") == [True]


async def test_slow_device_misses_slots_which_are_counted_not_queued() -> None:
    async with polled(1, [fast(1)]) as bus:
        bus.wire.delay_s = 0.15
        await asyncio.sleep(3.0)
        assert 8 <= bus.samples["u1"] <= 20  # a queue would make up for it afterwards
        bus.wire.delay_s = 0.0
        before = bus.samples["u1"]
        await asyncio.sleep(1.0)
        assert bus.samples["u1"] - before <= 12


async def test_bug_in_one_block_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    broken = register(100, RegisterType.U16, interval_s=0.1)
    points = [fast(1, 0), broken]

    class Failing(ModbusDriver):
        async def read(self, block: RegisterBlock) -> Sample:
            if broken in block.bindings:
                raise ZeroDivisionError
            return await super().read(block)

    async with faulty_device() as wire:
        around = context([device()], points, ModbusTcp("127.0.0.1", wire.port, timeout_s=0.2))
        read: list[str] = []
        poller = Poller(
            around, Failing(around), lambda b, _: read.append(b[0].key[1]), lambda _: None, seeded(5)
        )
        running = asyncio.ensure_future(poller.run())
        await until(lambda: len(read) >= 5)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert set(read) == {"holding_0_0"}
    assert [r.message for r in caplog.records].count("block failed") == 1


async def test_gateway_that_hangs_up_at_once_is_told_as_away_and_not_hammered() -> None:
    async with polled(2, [fast(1), fast(2)]) as bus:
        await until(lambda: min(bus.samples["u1"], bus.samples["u2"]) >= 1)
        bus.wire.behave = lambda _: b""
        await until(lambda: bus.states("u1") == bus.states("u2") == [True, False])
        before = bus.wire.connections
        await asyncio.sleep(2.0)
        assert bus.wire.connections - before <= 10
        bus.wire.behave = registers
        await until(lambda: bus.states("u1") == bus.states("u2") == [True, False, True], 30.0)


async def test_unit_at_whose_requests_the_gateway_hangs_up_is_told_as_away_alone() -> None:
    points = [fast(1), fast(2)]
    async with polled(2, points, lambda r: registers(r) if unit_of(r) == 1 else b"") as bus:
        await until(lambda: bus.states("u2") == [False])
        seen = bus.samples["u1"]
        await until(lambda: bus.samples["u1"] >= seen + 5)
        assert bus.states("u1") == [True]


async def test_connection_that_the_far_end_has_forgotten_is_made_anew() -> None:
    async with polled(1, [fast(1)]) as bus:
        await until(lambda: bus.samples["u1"] >= 1)
        bus.wire.behave = lambda r: registers(r) if bus.wire.connections > 1 else None
        await until(lambda: bus.states("u1") == [True, False, True], 15.0)


async def test_device_that_refuses_all_while_it_starts_is_read_whole_again() -> None:
    points = [fast(1, address) for address in (0, 2, 4, 6)]
    async with polled(1, points, lambda r: answer(r, b"\x83\x02")) as bus:
        await until(lambda: len(bus.wire.requests) == 2)
        bus.wire.behave = registers
        await until(lambda: len(bus.values) == 4)
        assert bus.poller is not None
        assert len(bus.poller.blocks) <= 1  # one in flight is in no list


async def test_refused_point_is_read_once_the_device_has_it() -> None:
    async with polled(1, [fast(1)], lambda r: answer(r, b"\x83\x02")) as bus:
        await until(lambda: len(bus.wire.requests) >= 4)
        bus.wire.behave = registers
        await until(lambda: bus.samples["u1"] >= 3)


async def test_register_that_is_refused_costs_its_neighbours_one_request_more() -> None:
    def refuses_ten(request: bytes) -> bytes:
        _, address, count = struct.unpack(">BHH", request[7:12])
        return answer(request, b"\x83\x02") if address <= 10 < address + count else registers(request)

    points = [fast(1, address) for address in range(20)]
    async with polled(1, points, refuses_ten) as bus:
        await until(lambda: len(bus.values) == 19)
        poller = bus.poller
        assert poller is not None
        await until(
            lambda: sorted((b.address, b.count) for b in poller.blocks) == [(0, 10), (10, 1), (11, 9)]
        )


async def test_busy_device_is_asked_again_before_its_next_slot() -> None:
    refused = 0

    def busy_twice(request: bytes) -> bytes:
        nonlocal refused
        refused += 1
        return answer(request, b"\x83\x06") if refused <= 2 else registers(request)

    async with polled(1, [register(0, RegisterType.U16, interval_s=3600)], busy_twice) as bus:
        await until(lambda: bus.samples["u1"] == 1)
        assert bus.states("u1") == [True]


async def test_gateway_that_tells_of_dead_units_leaves_the_line_alone() -> None:
    def three_dead(request: bytes) -> bytes:
        return registers(request) if unit_of(request) == 4 else answer(request, b"\x83\x0b")

    slow = register(0, RegisterType.U16, unit_id=4, interval_s=3600)
    async with polled(4, [fast(1), fast(2), fast(3), slow], three_dead) as bus:
        await until(lambda: all(bus.states(f"u{n}") == [False] for n in (1, 2, 3)))
        await until(lambda: bus.samples["u4"] == 1)
        assert bus.states("u4") == [True]


async def test_urgent_request_waits_for_one_request_in_flight() -> None:
    points = [register(a, RegisterType.U16, interval_s=0.1) for a in range(0, 600, 60)]
    async with polled(1, points) as bus:
        await until(lambda: bus.samples["u1"] >= 3)
        bus.wire.delay_s = 0.05  # ten blocks of 0.05 s on 0.1 s: always something is due
        poller, asked = bus.poller, bus.wire.requests
        assert poller is not None
        for _ in range(5):
            await asyncio.sleep(0.12)
            before = len(asked)

            async def mark() -> int:
                return len(asked)

            # what is in flight was asked before; nothing was asked between it and the urgent request
            assert await poller.urgent(mark) == before


async def test_what_an_urgent_request_raises_reaches_whoever_asked() -> None:
    async with polled(1, [fast(1)]) as bus:
        await until(lambda: bus.samples["u1"] >= 1)

        async def fail() -> None:
            raise NotSupported

        assert bus.poller is not None
        with pytest.raises(NotSupported):
            await bus.poller.urgent(fail)
        seen = bus.samples["u1"]
        await until(lambda: bus.samples["u1"] > seen)


async def test_requests_are_in_flight_together_where_the_device_bears_it() -> None:
    limits = ReadLimits(max_registers=10, max_gap=0, max_in_flight=4)
    points = [register(a, RegisterType.U16, interval_s=1.0) for a in range(0, 800, 100)]
    under_way = most = 0
    async with faulty_device() as wire:
        around = context([device(1, limits)], points, ModbusTcp("127.0.0.1", wire.port))

        class Counting(ModbusDriver):
            async def read(self, block: RegisterBlock) -> Sample:
                nonlocal under_way, most
                under_way += 1
                most = max(most, under_way)
                await asyncio.sleep(0.3)
                try:
                    return await super().read(block)
                finally:
                    under_way -= 1

        read: set[int] = set()
        poller = Poller(
            around,
            Counting(around),
            lambda _, sample: read.add(int(sample.values[0])),
            lambda _: None,
            seeded(5),
        )
        running = asyncio.ensure_future(poller.run())
        await until(lambda: len(read) == 8)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert 2 <= most <= 4
