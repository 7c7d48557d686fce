"""Bursts on real sockets: block after block without waking the poller, and what ends or disturbs them."""

import asyncio
import struct
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np
import pytest

from collectors.burst import Burst, Delivery, Shared
from collectors.check_quality import RangeCheck
from collectors.circuit import BusHealth, Circuit
from collectors.driver import Sample, Samples
from collectors.drivers.modbus import ModbusDriver
from collectors.plan_reads import RegisterBlock, plan_reads
from collectors.poller import Poller, StateChange
from collectors.schedule import Due, PollCounts, Schedule
from collectors.tally import DeviceTally
from energy_center.config.bindings import ModbusTcp, PointBinding, ReadLimits, RegisterType
from tests.protocol.faulty_modbus import FaultyDevice, Frame, answer, faulty_device, registers
from tests.unit.collectors.builders import context, device, register
from tests.unit.collectors.fixed_random import seeded

BLOCKS = range(0, 600, 60)  # addresses too far apart to be read together
ALWAYS_S = 1e-6  # an interval at which something is always due


class Watched(ModbusDriver):
    """Notes which blocks were asked for one by one."""

    one_by_one: list[int]

    async def read(self, block: RegisterBlock) -> Sample:
        self.one_by_one.append(block.address)
        return await super().read(block)


@dataclass
class Bus:
    """A device, its poller, and what came of it; `read` are addresses in the order of the sink."""

    wire: FaultyDevice
    driver: Watched
    read: list[int] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    wrong: list[int] = field(default_factory=list)
    sheets: list[Samples] = field(default_factory=list)
    changes: list[StateChange] = field(default_factory=list)
    poller: Poller[RegisterBlock] | None = None

    def take(self, bindings: tuple[PointBinding, ...], sample: Sample) -> None:
        if sample.values.tolist() != [float(address_of(bindings))]:
            self.wrong.append(address_of(bindings))
        self.read.append(address_of(bindings))
        self.at.append(sample.at)

    def take_many(self, bindings: tuple[PointBinding, ...], samples: Samples) -> None:
        self.sheets.append(samples)
        for sample in samples.each():
            self.take(bindings, sample)

    @property
    def asked(self) -> list[int]:
        """Addresses in the order of the wire."""
        return [struct.unpack(">H", request[8:10])[0] for request in self.wire.requests]

    async def until_asked(self, times: int) -> None:
        """So many requests more; what was read before them may still be on its way to the sink."""
        before = len(self.wire.requests)
        await until(lambda: len(self.wire.requests) >= before + times)

    async def until_bursting(self) -> None:
        """Every block has been read with care once, and more than once since."""
        await until(lambda: len(set(self.driver.one_by_one)) == len(self.blocks) and self.is_even(3))
        self.driver.one_by_one.clear()

    @property
    def blocks(self) -> set[int]:
        return {b.address for b in self.driver._planned}

    def is_even(self, times: int) -> bool:
        """Whether each block has been read so often."""
        counted = Counter(self.read)
        return all(counted[address] >= times for address in self.blocks)


def address_of(bindings: tuple[PointBinding, ...]) -> int:
    return int(bindings[0].key[1].split("_")[1])


@asynccontextmanager
async def bursting(
    addresses: range = BLOCKS, interval_s: float = ALWAYS_S, in_flight: int = 1, timeout_s: float = 0.3
) -> AsyncIterator[Bus]:
    points = [register(a, RegisterType.U16, interval_s=interval_s) for a in addresses]
    limits = ReadLimits(max_gap=0, max_in_flight=in_flight)
    async with faulty_device() as wire:
        around = context([device(1, limits)], points, ModbusTcp("127.0.0.1", wire.port, timeout_s=timeout_s))
        driver = Watched(around)
        driver.one_by_one = []
        bus = Bus(wire, driver)
        bus.poller = Poller(around, driver, bus.take, bus.changes.append, seeded(5), sink_many=bus.take_many)
        running = asyncio.ensure_future(bus.poller.run())
        try:
            await bus.until_bursting()
            yield bus
            assert bus.wrong == []
        finally:
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running


async def until(claim: Callable[[], bool], limit_s: float = 10.0) -> None:
    async with asyncio.timeout(limit_s):
        while not claim():  # noqa: ASYNC110  what is waited for happens on a socket
            await asyncio.sleep(0.01)


async def test_device_that_answers_is_read_in_bursts_each_block_in_turn() -> None:
    async with bursting() as bus:
        await bus.until_asked(50)
        assert bus.driver.one_by_one == []
        tail = bus.asked[-30:]
        assert [Counter(tail)[a] for a in BLOCKS] == [3] * len(BLOCKS)


async def test_no_request_is_sent_before_the_reply_to_the_one_before() -> None:
    async with bursting() as bus:
        in_hand = most = 0

        async def serve_slowly() -> None:
            nonlocal in_hand, most
            in_hand += 1
            most = max(most, in_hand)
            await asyncio.sleep(0.005)
            in_hand -= 1

        def slow(request: Frame) -> None:
            async def later() -> None:
                await serve_slowly()
                for writer in bus.wire._writers:
                    writer.write(registers(request))

            replying.append(asyncio.ensure_future(later()))

        replying: list[asyncio.Future[None]] = []
        bus.wire.behave = slow  # type: ignore[assignment]  # the reply follows
        await bus.until_asked(20)
        assert bus.driver.one_by_one == []
        assert most == 1


async def test_samples_of_a_block_come_in_order_and_each_with_its_own_instant() -> None:
    async with bursting(range(0, 60, 60)) as bus:
        await until(lambda: len(bus.at) >= 200)
        assert bus.at == sorted(set(bus.at))
        assert any(len(samples.at) > 1 for samples in bus.sheets)
        assert all(samples.values.shape == (len(samples.at), 1) for samples in bus.sheets)
        assert not np.concatenate([s.quality for s in bus.sheets]).any()


async def test_urgent_request_goes_between_two_of_a_burst() -> None:
    async with bursting() as bus:
        bus.wire.delay_s = 0.05
        poller, asked = bus.poller, bus.wire.requests
        assert poller is not None
        for _ in range(5):
            await asyncio.sleep(0.07)
            before = len(asked)

            async def mark() -> int:
                return len(asked)

            # nothing was asked but what may have been on its way to the device just then
            assert await poller.urgent(mark) <= before + 1
        assert bus.driver.one_by_one == []


async def test_pipelined_bursts_serve_every_block_and_an_urgent_request() -> None:
    async with bursting(in_flight=4) as bus:
        poller = bus.poller
        assert poller is not None
        await bus.until_asked(200)
        assert bus.is_even(10)

        async def name() -> str:
            return "done"

        assert await asyncio.wait_for(poller.urgent(name), 1.0) == "done"
        assert bus.driver.one_by_one == []


@pytest.mark.parametrize("wrong", ["refused", "wrong unit", "another function", "short"])
async def test_wrong_reply_in_a_burst_costs_its_own_block_alone(wrong: str) -> None:
    replies: dict[str, Callable[[Frame], Frame]] = {
        "refused": lambda r: answer(r, b"\x83\x04"),
        "wrong unit": lambda r: answer(r, registers(r)[7:], unit=9),
        "another function": lambda r: answer(r, b"\x04\x02\x00\x00"),
        "short": lambda r: answer(r, b"\x03\x00"),
    }
    async with bursting() as bus:
        once = [120]

        def behave(request: Frame) -> Frame:
            if struct.unpack(">H", request[8:10])[0] in once:
                once.clear()
                return replies[wrong](request)
            return registers(request)

        bus.wire.behave = behave
        await until(lambda: not once)
        bus.read.clear()
        await until(lambda: bus.is_even(3))
        assert set(bus.driver.one_by_one) <= {120}
        assert [c.online for c in bus.changes] == [True]


async def test_silence_within_a_burst_is_one_miss_and_all_blocks_go_on() -> None:
    async with bursting() as bus:
        once = [120]

        def behave(request: Frame) -> Frame | None:
            if struct.unpack(">H", request[8:10])[0] in once:
                once.clear()
                return None
            return registers(request)

        bus.wire.behave = behave
        await until(lambda: not once)
        poller = bus.poller
        assert poller is not None
        await until(lambda: poller.counts.missed == 1)
        bus.read.clear()
        await until(lambda: bus.is_even(3))
        assert [c.online for c in bus.changes] == [True]
        assert bus.wire.connections == 1


async def test_stale_reply_before_the_right_one_is_passed_over() -> None:
    async with bursting() as bus:
        last: list[Frame] = []

        def behave(request: Frame) -> Frame:
            stale = registers(last[-1]) if last else b""
            last.append(request)
            return stale + registers(request)

        bus.wire.behave = behave
        await bus.until_asked(50)
        assert bus.driver.one_by_one == []
        assert bus.driver.counts.late >= 40


async def test_torn_replies_are_put_together() -> None:
    async with bursting(timeout_s=1.0) as bus:
        bus.wire.torn_s = 0.002
        await bus.until_asked(30)
        assert bus.driver.one_by_one == []
        assert bus.driver.counts.bad == 0


async def test_connection_lost_within_a_burst_is_made_again_and_nothing_read_is_lost() -> None:
    async with bursting() as bus:
        bus.wire.hang_up()
        await until(lambda: bus.wire.connections == 2)
        bus.read.clear()
        await until(lambda: bus.is_even(3))
        assert [c.online for c in bus.changes] == [True]


async def test_all_that_was_answered_is_handed_on_when_the_poller_ends() -> None:
    async with bursting() as bus:
        poller = bus.poller
        assert poller is not None
        await asyncio.sleep(0.05)
    assert poller.counts.answered == len(bus.read)
    assert len(bus.wire.requests) - len(bus.read) <= 1  # the one in flight at the end


async def test_block_that_was_asked_for_early_is_not_asked_for_twice() -> None:
    (block,) = plan_reads([device()], [register(0, RegisterType.U16, interval_s=1.0)])
    due = Due(0.0, block, RangeCheck(block.bindings), 0.0, DeviceTally(), Circuit(is_online=True))
    schedule, counts, health = Schedule[RegisterBlock](is_shared=False), PollCounts(), BusHealth()
    delivery = Delivery[RegisterBlock](lambda _b, _s: None, None, counts, lambda _d, _e: None)
    burst = Burst(due, Shared(schedule, delivery, counts, health), lambda _: None)
    due.slot, due.is_proven = 100.0, True
    assert burst.following(b"", 0.0, 99.9998) is None
    assert due.at == 101.0


async def test_bug_in_the_only_block_of_a_line_stops_it_being_asked_for() -> None:
    async with bursting(range(0, 60, 60)) as bus:

        def failing(_: tuple[PointBinding, ...], __: Sample) -> None:
            raise ZeroDivisionError

        bus.take = failing  # type: ignore[method-assign]  # called by take_many
        poller = bus.poller
        assert poller is not None
        await until(lambda: [due.parked for due in poller._schedule.heap] == [True])
        asked = len(bus.wire.requests)
        await asyncio.sleep(0.1)
        assert len(bus.wire.requests) == asked


async def test_bug_in_what_comes_of_a_reply_parks_its_block_alone(caplog: pytest.LogCaptureFixture) -> None:
    async with bursting() as bus:
        take = bus.take

        def failing(bindings: tuple[PointBinding, ...], sample: Sample) -> None:
            if address_of(bindings) == 120:
                raise ZeroDivisionError
            take(bindings, sample)

        bus.take = failing  # type: ignore[method-assign]  # called by take_many
        await asyncio.sleep(0.2)
        bus.read.clear()
        await until(lambda: all(Counter(bus.read)[a] >= 5 for a in BLOCKS if a != 120))
        asked = bus.asked.count(120)
        await asyncio.sleep(0.1)
        assert bus.asked.count(120) == asked
    assert [r.message for r in caplog.records].count("block failed") <= 2
