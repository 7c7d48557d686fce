"""Modbus RTU on a serial line (a pseudo-terminal) and through a gateway that passes frames on."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pymodbus import FramerType
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from collectors.drivers.modbus import ModbusDriver
from collectors.plan_reads import RegisterBlock
from collectors.poller import Poller, StateChange
from energy_center.config.bindings import Framing, ModbusRtu, ModbusTcp, RegisterType
from energy_center.errors import BadFrame, DeviceAway, NotSupported
from tests.protocol.rtu_line import RtuLine, registers, rtu_line, sealed
from tests.unit.collectors.builders import context, device, register
from tests.unit.collectors.fixed_random import seeded

POINTS = [register(a, RegisterType.U16, unit_id=u) for u in (1, 2) for a in (10, 11, 14)]


@asynccontextmanager
async def driven() -> AsyncIterator[tuple[RtuLine, ModbusDriver, RegisterBlock, RegisterBlock]]:
    with rtu_line() as line:
        units = [device(1), device(2)]
        driver = ModbusDriver(context(units, POINTS, ModbusRtu(line.port, 9600, timeout_s=0.2)))
        one, two = driver.plan(units, POINTS)
        await driver.open()
        try:
            yield line, driver, one, two
        finally:
            await driver.close()


async def values(driver: ModbusDriver, block: RegisterBlock) -> list[float]:
    return (await driver.read(block)).values.tolist()


async def test_several_units_of_one_line_are_read() -> None:
    async with driven() as (line, driver, one, two):
        assert await values(driver, one) == await values(driver, two) == [10.0, 11.0, 14.0]
        assert [r[0] for r in line.requests] == [1, 2]


async def test_reply_in_pieces_is_put_together() -> None:
    async with driven() as (line, driver, one, _):
        asked: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        line.behave = asked.set_result

        async def dribble() -> None:
            for octet in registers(await asked):
                line.say(bytes([octet]))
                await asyncio.sleep(0.002)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(dribble())
            assert await values(driver, one) == [10.0, 11.0, 14.0]


async def test_silence_is_device_away_and_the_line_stands() -> None:
    async with driven() as (line, driver, one, two):
        line.behave = lambda r: registers(r) if r[0] == 2 else None
        with pytest.raises(DeviceAway):
            await driver.read(one)
        assert driver.is_open
        assert await values(driver, two) == [10.0, 11.0, 14.0]


async def test_late_reply_of_another_unit_is_passed_over() -> None:
    async with driven() as (line, driver, one, two):
        late = sealed(bytes([1, 3, 10]) + bytes(10))
        line.behave = lambda r: late + registers(r) if r[0] == 2 else None
        with pytest.raises(DeviceAway):
            await driver.read(one)
        assert await values(driver, two) == [10.0, 11.0, 14.0]
        assert driver.counts.late == 1


async def test_late_reply_between_two_requests_is_thrown_away() -> None:
    async with driven() as (line, driver, one, _):
        line.behave = lambda _: None
        with pytest.raises(DeviceAway):
            await driver.read(one)
        line.say(sealed(bytes([1, 3, 10]) + bytes(10)))
        await asyncio.sleep(0.05)
        line.behave = registers
        assert await values(driver, one) == [10.0, 11.0, 14.0]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda r: registers(r)[:-1] + b"\x00",  # checksum
        lambda r: b"\x55\xaa\x55\xaa\x55\xaa",  # noise
        lambda r: sealed(bytes([1, 3, 8]) + bytes(8)),  # fewer registers than asked for
    ],
    ids=["checksum", "noise", "count"],
)
async def test_wrong_reply_is_a_bad_frame_and_the_next_one_is_read(wrong: object) -> None:
    async with driven() as (line, driver, one, _):
        line.behave = wrong  # type: ignore[assignment]
        with pytest.raises(BadFrame):
            await driver.read(one)
        line.behave = registers
        assert await values(driver, one) == [10.0, 11.0, 14.0]


async def test_exception_reply_names_the_register() -> None:
    async with driven() as (line, driver, one, _):
        line.behave = lambda r: sealed(bytes([1, 0x83, 2]))
        with pytest.raises(NotSupported) as caught:
            await driver.read(one)
        assert caught.value.facts == {"code": 2, "unit": 1, "table": "holding", "address": 10}


async def test_adapter_that_is_pulled_out_is_device_away() -> None:
    async with driven() as (line, driver, one, _):
        reading = asyncio.ensure_future(driver.read(one))
        line.behave = lambda _: None
        await asyncio.sleep(0.05)
        line.pull_out()
        with pytest.raises(DeviceAway):
            await reading
        assert not driver.is_open


async def test_port_has_one_user() -> None:
    async with driven() as (line, _, _, _):
        second = ModbusDriver(context([device()], POINTS[:1], ModbusRtu(line.port)))
        with pytest.raises(DeviceAway) as caught:
            await second.open()
        assert caught.value.facts["why"] == "in use"


async def test_port_that_is_not_there_is_device_away(tmp_path: os.PathLike[str]) -> None:
    driver = ModbusDriver(context([device()], POINTS[:1], ModbusRtu(f"{tmp_path}/ttyUSB7")))
    with pytest.raises(DeviceAway):
        await driver.open()


async def test_gateway_that_passes_rtu_frames_through_tcp() -> None:
    # an independent server; ABCD of 230.2 V as the Eastron SDM630 manual prints it
    table = [SimData(0, values=[0x4366, 0x3334], datatype=DataType.REGISTERS)]
    units = [SimDevice(1, table), SimDevice(2, table)]
    server = ModbusTcpServer(units, address=("127.0.0.1", 0), framer=FramerType.RTU)
    await server.serve_forever(background=True)
    try:
        port = server.transport.sockets[0].getsockname()[1]
        points = [register(0, unit_id=1), register(0, unit_id=2)]
        target = ModbusTcp("127.0.0.1", port, framing=Framing.RTU)
        driver = ModbusDriver(context([device(1), device(2)], points, target))
        await driver.open()
        got = [await values(driver, b) for b in driver.plan([device(1), device(2)], points)]
        await driver.close()
    finally:
        await server.shutdown()
    assert got == [[pytest.approx(230.2)], [pytest.approx(230.2)]]


async def test_poller_reads_a_serial_line_and_finds_it_again() -> None:
    changes: list[StateChange] = []
    read: list[str] = []
    points = [register(0, RegisterType.U16, unit_id=u, interval_s=0.1) for u in (1, 2)]
    with rtu_line() as line:
        line.behave = lambda r: registers(r) if r[0] == 1 else None
        around = context([device(1), device(2)], points, ModbusRtu(line.port, timeout_s=0.1))
        poller = Poller(
            around, ModbusDriver(around), lambda b, _: read.append(b[0].device_id), changes.append, seeded(5)
        )
        running = asyncio.ensure_future(poller.run())
        async with asyncio.timeout(10):
            while len(read) < 10 or len(changes) < 2:  # noqa: ASYNC110  what is waited for happens on a line
                await asyncio.sleep(0.02)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert set(read) == {"u1"}
    assert [(c.device_id, c.online) for c in changes] == [("u1", True), ("u2", False)]
