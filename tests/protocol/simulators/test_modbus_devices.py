"""Simulated Modbus devices, read with pymodbus: registers as the makers' manuals place and encode them."""

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusIOException

Connect = Callable[[str], Awaitable[AsyncModbusTcpClient]]
Types = AsyncModbusTcpClient.DATATYPE


@pytest.fixture
async def connect(simulation) -> AsyncIterator[Connect]:
    clients: list[AsyncModbusTcpClient] = []

    async def open_client(connection: str) -> AsyncModbusTcpClient:
        client = AsyncModbusTcpClient(
            "127.0.0.1", port=simulation.ports[connection], timeout=0.5, retries=0, reconnect_delay=0
        )
        assert await client.connect()
        clients.append(client)
        return client

    yield open_client
    for client in clients:
        client.close()


def number(client: AsyncModbusTcpClient, reply, kind) -> float:
    assert not reply.isError(), reply
    return client.convert_from_registers(reply.registers, kind)


async def test_sdm630_tells_total_power_in_watts_as_input_registers_30053(connect: Connect) -> None:
    client = await connect("ltb-submeters")
    reply = await client.read_input_registers(52, count=2, device_id=3)
    assert number(client, reply, Types.FLOAT32) == 27250.0


async def test_a_meter_tells_what_the_world_holds_for_it_alone(simulation, connect: Connect) -> None:
    simulation.world.override("ltb-fl04-meter", "active_power", 18.5)
    client = await connect("ltb-submeters")
    fourth = await client.read_input_registers(52, count=2, device_id=4)
    fifth = await client.read_input_registers(52, count=2, device_id=5)
    assert number(client, fourth, Types.FLOAT32) == 18500.0
    assert number(client, fifth, Types.FLOAT32) == 27250.0


async def test_pm5560_tells_energy_as_int64_watt_hours_from_register_3204(connect: Connect) -> None:
    client = await connect("ltb-hv-room")
    reply = await client.read_holding_registers(3203, count=4, device_id=1)
    assert number(client, reply, Types.INT64) == 123_456_750


@pytest.mark.parametrize(
    ("power_factor", "reactive_kvar", "coded"),
    [(0.75, 10.0, 0.75), (0.75, -10.0, 1.25), (-0.75, -10.0, -0.75), (-0.75, 10.0, -1.25), (1.0, 0.0, 1.0)],
)
async def test_pm5560_codes_the_power_factor_by_quadrant(
    simulation, connect: Connect, power_factor: float, reactive_kvar: float, coded: float
) -> None:
    simulation.world.override("ym-main", "power_factor", power_factor)
    simulation.world.override("ym-main", "reactive_power", reactive_kvar)
    client = await connect("ym-hv-room")
    reply = await client.read_holding_registers(3083, count=2, device_id=1)
    assert number(client, reply, Types.FLOAT32) == coded


async def test_pac3200_tells_energy_as_float64_watt_hours_at_offset_801(connect: Connect) -> None:
    client = await connect("ltb-hv-room")
    reply = await client.read_holding_registers(801, count=4, device_id=11)
    assert number(client, reply, Types.FLOAT64) == 123_456_750.0


async def test_sunspec_inverter_introduces_itself_and_generates_with_its_scale_factor(
    simulation, connect: Connect
) -> None:
    simulation.world.override("ltb-pv-1", "active_power", -87.65)
    client = await connect("ltb-pv")
    head = (await client.read_holding_registers(40000, count=4, device_id=1)).registers
    model = (await client.read_holding_registers(40070, count=2, device_id=1)).registers
    power = (await client.read_holding_registers(40084, count=2, device_id=1)).registers
    end = (await client.read_holding_registers(40122, count=2, device_id=1)).registers
    assert bytes.fromhex("".join(f"{w:04x}" for w in head[:2])) == b"SunS"
    assert head[2:] == [1, 66]
    assert model == [103, 50]
    watts, exponent = struct.unpack(">hh", struct.pack(">HH", *power))
    assert watts * 10**exponent == 87650
    assert end == [0xFFFF, 0]


async def test_dse_tells_power_on_page_6_and_run_time_in_seconds(simulation, connect: Connect) -> None:
    simulation.world.override("ltb-gen", "run_hours", 343.0)
    client = await connect("ltb-genset")
    power = await client.read_holding_registers(6 * 256, count=2, device_id=1)
    run = await client.read_holding_registers(7 * 256 + 6, count=2, device_id=1)
    assert number(client, power, Types.INT32) == 27250
    assert number(client, run, Types.UINT32) == 1_234_800


async def test_io_station_shares_a_unit_between_a_sump_and_its_pumps(simulation, connect: Connect) -> None:
    simulation.world.override("ltb-sump-b2", "high_float", 0.0)
    simulation.world.override("ltb-sump-b2-p1", "pump_status", 0.0)
    simulation.world.override("ltb-sump-b2-p2", "pump_status", 1.0)
    simulation.world.override("ltb-sump-b2", "sump_level", 1.234)
    client = await connect("ltb-bms-io")
    bits = await client.read_discrete_inputs(0, count=24, device_id=2)
    level = await client.read_input_registers(0, count=1, device_id=2)
    assert [bits.bits[at] for at in (0, 10, 20)] == [False, False, True]
    assert level.registers == [1234]


async def test_a_counter_wraps_where_its_register_ends(simulation, connect: Connect) -> None:
    simulation.world.override("ym-water", "water_volume", (2**32 + 7) / 100)
    client = await connect("ym-bms-io")
    reply = await client.read_input_registers(0, count=2, device_id=5)
    assert number(client, reply, Types.UINT32) == 7


@pytest.mark.parametrize(
    ("address", "count", "unit", "code"),
    [(5000, 2, 3, 2), (380, 8, 3, 2), (0, 82, 3, 3), (0, 2, 99, 11)],
    ids=["unknown address", "beyond the end", "more than the meter bears", "unknown unit"],
)
async def test_a_bad_request_gets_its_modbus_exception(
    connect: Connect, address: int, count: int, unit: int, code: int
) -> None:
    client = await connect("ltb-submeters")
    reply = await client.read_input_registers(address, count=count, device_id=unit)
    assert reply.isError()
    assert reply.exception_code == code


async def test_writing_is_an_illegal_function(connect: Connect) -> None:
    client = await connect("ltb-submeters")
    reply = await client.write_register(0, 1, device_id=3)
    assert reply.exception_code == 1


async def test_a_muted_unit_is_silent_while_its_neighbour_answers(simulation, connect: Connect) -> None:
    await simulation.ask(do="mute", equipment="ltb-fl09-meter", on=True)
    client = await connect("ltb-submeters")
    with pytest.raises(ModbusIOException):
        await client.read_input_registers(52, count=2, device_id=9)
    neighbour = await client.read_input_registers(52, count=2, device_id=10)
    await simulation.ask(do="mute", equipment="ltb-fl09-meter", on=False)
    back = await client.read_input_registers(52, count=2, device_id=9)
    assert not neighbour.isError()
    assert not back.isError()


async def test_a_unit_without_a_reading_is_silent(simulation, connect: Connect) -> None:
    simulation.world.override("ltb-fl11-meter", "active_power", float("nan"))
    client = await connect("ltb-submeters")
    with pytest.raises(ModbusIOException):
        await client.read_input_registers(52, count=2, device_id=11)
    simulation.world.override("ltb-fl11-meter", "active_power", None)


async def test_a_unit_that_the_world_calls_silent_gives_no_reply(simulation, connect: Connect) -> None:
    simulation.world.silent.add("ltb-fl12-meter")
    client = await connect("ltb-submeters")
    with pytest.raises(ModbusIOException):
        await client.read_input_registers(52, count=2, device_id=12)
    simulation.world.silent.clear()


async def test_only_a_reply_that_covers_a_point_whole_counts_as_served(simulation, connect: Connect) -> None:
    client = await connect("ltb-submeters")
    point = "ltb-ev-meter/active_power"
    before = await simulation.served(point)
    await client.read_input_registers(52, count=1, device_id=24)
    await client.read_input_registers(60, count=4, device_id=24)
    assert await simulation.served(point) == before
    await client.read_input_registers(40, count=40, device_id=24)
    assert await simulation.served(point) == before + 1


async def test_requests_in_pieces_or_in_one_packet_are_answered_in_order(simulation) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", simulation.ports["ltb-submeters"])
    requests = b"".join(struct.pack(">HHHBBHH", n, 0, 6, 1, 4, 70, 2) for n in (7, 8))
    writer.write(requests[:5])
    await asyncio.sleep(0.02)
    writer.write(requests[5:])
    async with asyncio.timeout(2):
        replies = await reader.readexactly(2 * 13)
    writer.close()
    await writer.wait_closed()
    assert [struct.unpack_from(">H", replies, at)[0] for at in (0, 13)] == [7, 8]
    assert struct.unpack_from(">f", replies, 9)[0] == 60.0


async def test_a_frame_of_another_protocol_closes_the_connection(simulation) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", simulation.ports["ltb-submeters"])
    writer.write(struct.pack(">HHHBBHH", 1, 99, 6, 1, 4, 0, 2))
    async with asyncio.timeout(2):
        assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()
