"""The Modbus driver over real sockets: against pymodbus's server, and against a device that misbehaves."""

import asyncio
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from collectors.driver import Sample
from collectors.drivers.modbus import ModbusDriver
from collectors.plan_reads import RegisterBlock, source_of
from energy_center.config.bindings import ModbusTcp, PointBinding, RegisterType, Table
from energy_center.errors import BadFrame, DeviceAway, DeviceBusy, DeviceRefused, NotSupported
from tests.protocol.faulty_modbus import FaultyDevice, answer, faulty_device, registers
from tests.unit.collectors.builders import context, device, register

POINTS = [register(a, RegisterType.U16) for a in (10, 11, 14)]


@asynccontextmanager
async def driver_of(
    port: int, points: list[PointBinding] = POINTS, timeout_s: float = 0.4
) -> AsyncIterator[tuple[ModbusDriver, RegisterBlock]]:
    target = ModbusTcp("127.0.0.1", port, timeout_s=timeout_s)
    driver = ModbusDriver(context([device()], points, target))
    block = driver.plan([device()], points)[0]
    await driver.open()
    try:
        yield driver, block
    finally:
        await driver.close()


@asynccontextmanager
async def driven() -> AsyncIterator[tuple[FaultyDevice, ModbusDriver, RegisterBlock]]:
    async with faulty_device() as misbehaving, driver_of(misbehaving.port) as (driver, block):
        yield misbehaving, driver, block


def values(sample: Sample) -> list[float]:
    return sample.values.tolist()


async def test_reads_what_an_independent_server_holds() -> None:
    # ABCD of 230.2 V as the Eastron SDM630 manual prints it
    table = [SimData(0, values=[0x4366, 0x3334, 0, 1, 0xFFFE], datatype=DataType.REGISTERS)]
    server = ModbusTcpServer(SimDevice(1, table), address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    try:
        port = server.transport.sockets[0].getsockname()[1]
        points = [register(0), register(2, RegisterType.U32), register(4, RegisterType.I16)]
        async with driver_of(port, points) as (driver, block):
            before = time.time()
            sample = await driver.read(block)
    finally:
        await server.shutdown()
    assert values(sample) == [pytest.approx(230.2), 1.0, -2.0]
    assert before <= sample.at <= time.time()


async def test_sunspec_models_are_looked_up_and_read_where_they_are() -> None:
    # model 1 of two registers, then model 103 at 40006: W is its 15th register, W_SF (10^1) the next
    chain = [0x5375, 0x6E53, 1, 2, 0, 0, 103, 20, *[0] * 12, 250, 1, *[0] * 6, 0xFFFF, 0]
    server = ModbusTcpServer(
        SimDevice(1, [SimData(40000, values=chain, datatype=DataType.REGISTERS)]), address=("127.0.0.1", 0)
    )
    await server.serve_forever(background=True)
    point = register(14, RegisterType.I16)
    watts = replace(point, source=replace(source_of(point), scale_address=15, models=(101, 103)))
    try:
        port = server.transport.sockets[0].getsockname()[1]
        async with driver_of(port, [watts]) as (driver, block):
            first = await driver.read(block)
            await driver.open()
            again = await driver.read(block)
    finally:
        await server.shutdown()
    assert values(first) == values(again) == [2500.0]


async def test_one_request_reads_the_whole_block() -> None:
    async with driven() as (misbehaving, driver, block):
        assert values(await driver.read(block)) == [10.0, 11.0, 14.0]
        assert len(misbehaving.requests) == 1


async def test_silence_is_device_away_after_the_time_limit() -> None:
    async with driven() as (misbehaving, driver, block):
        misbehaving.behave = lambda _: None
        started = time.monotonic()
        with pytest.raises(DeviceAway):
            await driver.read(block)
        assert 0.35 < time.monotonic() - started < 1.5
        assert driver.is_open  # the line stands: a neighbour can be asked at once
        misbehaving.behave = registers
        assert values(await driver.read(block)) == [10.0, 11.0, 14.0]


async def test_answer_after_the_blocks_own_limit_still_counts_within_that_of_the_connection() -> None:
    late: asyncio.Queue[Sample] = asyncio.Queue()
    async with driven() as (misbehaving, driver, block):
        driver.push_to(lambda _, sample: late.put_nowait(sample))
        await driver.read(block)  # quick: from now on the block is waited for 0.2 s, not 0.4 s
        misbehaving.delay_s = 0.3
        with pytest.raises(DeviceAway):
            await driver.read(block)
        async with asyncio.timeout(2.0):
            assert values(await late.get()) == [10.0, 11.0, 14.0]
        misbehaving.delay_s = 0.5
        with pytest.raises(DeviceAway):
            await driver.read(block)
        misbehaving.delay_s = 0.0
        await driver.read(block)
    assert late.empty()


async def test_replies_that_come_together_are_readings_of_different_instants() -> None:
    late: asyncio.Queue[Sample] = asyncio.Queue()
    async with driven() as (misbehaving, driver, block):
        driver.push_to(lambda _, sample: late.put_nowait(sample))
        await driver.read(block)
        held: list[bytes] = []
        misbehaving.behave = lambda request: (
            None if held.append(request) or len(held) == 1 else registers(held[0]) + registers(request)
        )
        with pytest.raises(DeviceAway):
            await driver.read(block)
        in_time = await driver.read(block)
        assert round(late.get_nowait().at * 1e6) != round(in_time.at * 1e6)


async def test_late_answer_is_not_taken_for_the_next_one() -> None:
    async with driven() as (misbehaving, driver, block):
        held: list[bytes] = []

        def one_late(request: bytes) -> bytes | None:
            held.append(request)
            if len(held) == 1:
                return None
            return answer(held[0], bytes([3, 10]) + bytes(10)) + registers(request)

        misbehaving.behave = one_late
        with pytest.raises(DeviceAway):
            await driver.read(block)
        assert values(await driver.read(block)) == [10.0, 11.0, 14.0]
        assert driver.counts.late == 1


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (1, NotSupported),
        (2, NotSupported),
        (3, NotSupported),
        (4, DeviceRefused),
        (5, DeviceBusy),
        (6, DeviceBusy),
    ],
)
async def test_exception_reply_says_what_to_do(code: int, kind: type[Exception]) -> None:
    async with driven() as (misbehaving, driver, block):
        misbehaving.behave = lambda request: answer(request, bytes([0x83, code]))
        with pytest.raises(kind) as caught:
            await driver.read(block)
        assert caught.value.facts["code"] == code


@pytest.mark.parametrize("code", [10, 11])
async def test_gateway_that_cannot_reach_the_unit_means_device_away(code: int) -> None:
    async with driven() as (misbehaving, driver, block):
        misbehaving.behave = lambda request: answer(request, bytes([0x83, code]))
        with pytest.raises(DeviceAway):
            await driver.read(block)
        assert driver.is_open


@pytest.mark.parametrize(
    "wrong",
    [
        lambda r: answer(r, bytes([4, 10]) + bytes(10)),  # another function
        lambda r: answer(r, bytes([3, 8]) + bytes(8)),  # fewer registers than asked for
        lambda r: answer(r, bytes([3, 12]) + bytes(10)),  # its length is a lie
        lambda r: answer(r, bytes([3, 10]) + bytes(10), unit=9),  # another unit
    ],
    ids=["function", "count", "length", "unit"],
)
async def test_wrong_answer_is_a_bad_frame(wrong: object) -> None:
    async with driven() as (misbehaving, driver, block):
        misbehaving.behave = wrong
        with pytest.raises(BadFrame):
            await driver.read(block)
        misbehaving.behave = registers
        assert values(await driver.read(block)) == [10.0, 11.0, 14.0]


async def test_half_a_frame_ends_the_connection_since_what_follows_is_out_of_step() -> None:
    async with driven() as (misbehaving, driver, block):
        misbehaving.behave = lambda request: registers(request)[:11]
        with pytest.raises(DeviceAway):
            await driver.read(block)
        assert not driver.is_open
        misbehaving.behave = registers
        await driver.open()
        assert values(await driver.read(block)) == [10.0, 11.0, 14.0]


async def test_frame_in_many_pieces_is_put_together() -> None:
    async with driven() as (misbehaving, driver, block):
        asked: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        async def dribble() -> None:
            for octet in registers(await asked):
                for writer in misbehaving._writers:
                    writer.write(bytes([octet]))
                    await writer.drain()
                await asyncio.sleep(0.002)

        misbehaving.behave = asked.set_result
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(dribble())
            assert values(await driver.read(block)) == [10.0, 11.0, 14.0]


async def test_garbage_ends_the_connection() -> None:
    async with driven() as (misbehaving, driver, block):
        misbehaving.behave = lambda _: b"HTTP/1.1 400 Bad Request\r\n\r\n"
        with pytest.raises(BadFrame):
            await driver.read(block)
        assert not driver.is_open


async def test_hang_up_in_the_middle_of_a_read_is_told_at_once() -> None:
    async with driven() as (misbehaving, driver, block):
        misbehaving.behave = lambda _: b""
        started = time.monotonic()
        with pytest.raises(DeviceAway):
            await driver.read(block)
        assert time.monotonic() - started < 0.35
        assert not driver.is_open


async def test_cancel_in_mid_read_leaves_the_connection_usable() -> None:
    async with driven() as (misbehaving, driver, block):
        misbehaving.delay_s = 0.1
        reading = asyncio.ensure_future(driver.read(block))
        await asyncio.sleep(0.03)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert values(await driver.read(block)) == [10.0, 11.0, 14.0]


async def test_reconnects_after_the_device_was_restarted() -> None:
    async with driven() as (misbehaving, driver, block):
        misbehaving.hang_up()
        await asyncio.sleep(0.05)
        assert not driver.is_open
        await driver.open()
        assert values(await driver.read(block)) == [10.0, 11.0, 14.0]
        assert misbehaving.connections == 2


async def test_nobody_listening_is_device_away() -> None:
    async with faulty_device() as gone:
        port = gone.port
    with pytest.raises(DeviceAway):
        async with driver_of(port):
            pass


async def test_pause_between_requests_is_kept() -> None:
    async with faulty_device() as patient:
        target = ModbusTcp("127.0.0.1", patient.port, min_gap_s=0.05)
        driver = ModbusDriver(context([device()], POINTS, target))
        (block,) = driver.plan([device()], POINTS)
        await driver.open()
        started = time.monotonic()
        for _ in range(4):
            await driver.read(block)
        await driver.close()
        assert time.monotonic() - started >= 0.15


async def test_coils_are_bits() -> None:
    def coils(request: bytes) -> bytes:
        _, address, count = struct.unpack(">BHH", request[7:12])
        assert (address, count) == (100, 10)
        return answer(request, bytes([1, 2, 0b0000_0001, 0b0000_0010]))

    points = [register(a, RegisterType.BOOL, table=Table.COIL) for a in (100, 109)]
    async with faulty_device() as relay, driver_of(relay.port, points) as (driver, block):
        relay.behave = coils
        assert values(await driver.read(block)) == [1.0, 1.0]
