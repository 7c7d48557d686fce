"""Simulated BACnet controllers, read with a bacpypes3 client."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from bacpypes3.apdu import ErrorRejectAbortNack
from bacpypes3.basetypes import ErrorType
from bacpypes3.ipv4.app import NormalApplication as PlainApplication
from bacpypes3.local.device import DeviceObject
from bacpypes3.pdu import Address, IPv4Address
from bacpypes3.primitivedata import Null, ObjectIdentifier, Real
from bacpypes3.service.cov import ChangeOfValueServices


class NormalApplication(PlainApplication, ChangeOfValueServices):
    """With change of value, which the library keeps apart."""


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[NormalApplication]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    device = DeviceObject(
        objectIdentifier=("device", 1),
        objectName="client",
        vendorIdentifier=999,
        maxApduLengthAccepted=1476,
        segmentationSupported="segmentedBoth",
        maxSegmentsAccepted=64,
    )
    application = NormalApplication(device, IPv4Address(f"127.0.0.1:{port}"))
    yield application
    application.close()


async def read(client: NormalApplication, at: Address, *asked: tuple[str, list[str]]) -> list[Any]:
    parameters: list[Any] = []
    for name, properties in asked:
        parameters += [ObjectIdentifier(name), properties]
    async with asyncio.timeout(3):
        rows = await client.read_property_multiple(at, parameters)
    return [row[3] for row in rows]


def address(simulation, connection: str) -> Address:
    return Address(f"127.0.0.1:{simulation.ports[connection]}")


async def test_a_controller_answers_who_is_with_its_instance(simulation, client: NormalApplication) -> None:
    answers = await client.who_is(address=address(simulation, "ltb-plant-ddc"), timeout=1)
    assert [a.iAmDeviceIdentifier[1] for a in answers] == [1004]


async def test_one_request_reads_values_units_and_names(simulation, client: NormalApplication) -> None:
    simulation.world.override("ltb-plant", "chilled_water_supply_temperature", 7.25)
    simulation.world.override("ltb-chw-p1", "pump_status", 1.0)
    got = await read(
        client,
        address(simulation, "ltb-plant-ddc"),
        ("analog-input,1", ["present-value", "units", "object-name"]),
        ("binary-input,401", ["present-value", "object-name"]),
    )
    assert got[0] == 7.25
    assert str(got[1]) == "degrees-celsius"
    assert got[2] == "ltb-plant.chilled_water_supply_temperature"
    assert str(got[3]) == "active"
    assert got[4] == "ltb-chw-p1.pump_status"


async def test_instances_are_offset_by_the_equipments_base(simulation, client: NormalApplication) -> None:
    simulation.world.override("ltb-vav-04-3", "zone_temperature", 26.5)
    got = await read(client, address(simulation, "ltb-vav-ddc-04"), ("analog-input,201", ["present-value"]))
    assert got == [26.5]


async def test_a_multi_state_object_counts_from_1(simulation, client: NormalApplication) -> None:
    simulation.world.override("ltb-vrf-1", "cooling_status", 0.0)
    simulation.world.override("ltb-vrf-2", "cooling_status", 1.0)
    got = await read(
        client,
        address(simulation, "ltb-vrf-gw"),
        ("multi-state-input,1", ["present-value"]),
        ("multi-state-input,101", ["present-value"]),
    )
    assert got == [1, 2]


async def test_an_unknown_object_spoils_only_its_own_item(simulation, client: NormalApplication) -> None:
    got = await read(
        client,
        address(simulation, "ltb-ahu-01"),
        ("analog-input,99", ["present-value"]),
        ("analog-input,1", ["present-value"]),
    )
    assert isinstance(got[0], ErrorType)
    assert got[1] == 1.0


async def test_a_missing_reading_is_an_error_of_its_item(simulation, client: NormalApplication) -> None:
    simulation.world.override("ltb-ahu-02", "return_air_humidity", float("nan"))
    got = await read(
        client,
        address(simulation, "ltb-ahu-02"),
        ("analog-input,3", ["present-value"]),
        ("analog-input,2", ["present-value"]),
    )
    assert isinstance(got[0], ErrorType)
    assert got[1] == 1.0


@pytest.mark.parametrize("place", ["analog-input,1", "analog-value,2", "analog-output,1"])
async def test_a_write_to_what_is_not_commandable_is_refused(
    place: str, simulation, client: NormalApplication
) -> None:
    with pytest.raises(ErrorRejectAbortNack):
        await client.write_property(
            address(simulation, "ltb-ahu-01"), ObjectIdentifier(place), "present-value", Real(18.0)
        )


async def test_the_lowest_slot_decides_and_null_gives_back(simulation, client: NormalApplication) -> None:
    at, place = address(simulation, "ltb-ahu-05"), ObjectIdentifier("analog-value,1")

    async def write(value: Real | Null, priority: int) -> object:
        await client.write_property(at, place, "present-value", value, priority=priority)
        return await client.read_property(at, place, "present-value")

    assert await write(Real(18.0), 12) == 18.0
    assert await write(Real(16.0), 8) == 16.0
    assert await write(Real(19.0), 12) == 16.0
    slots = await client.read_property(at, place, "priority-array")
    assert [n for n, slot in enumerate(slots, 1) if slot.null is None] == [8, 12]
    assert await write(Null(()), 8) == 19.0
    assert await write(Null(()), 12) == 1.0


async def test_cov_tells_at_once_on_change_and_no_more_after_its_end(
    simulation, client: NormalApplication
) -> None:
    at, place = address(simulation, "ltb-ahu-06"), ObjectIdentifier("binary-input,1")
    async with client.change_of_value(at, place, 7, True, 60) as told:
        async with asyncio.timeout(3):
            assert str((await told.get_value())[1]) == "active"
            await told.get_value()  # its flags
            simulation.world.override("ltb-ahu-06", "fan_status", 0.0)
            assert str((await told.get_value())[1]) == "inactive"
            await told.get_value()
    simulation.world.override("ltb-ahu-06", "fan_status", None)
    with pytest.raises(ErrorRejectAbortNack):
        async with client.change_of_value(at, ObjectIdentifier("analog-input,1"), 8, True, 60):
            pass


async def test_each_present_value_that_is_returned_counts_once(simulation, client: NormalApplication) -> None:
    point = "ltb-exhaust-1/co_concentration"
    before = await simulation.served(point)
    at = address(simulation, "ltb-carpark-ddc")
    await read(client, at, ("analog-input,1", ["object-name", "units"]))
    assert await simulation.served(point) == before
    await read(client, at, ("analog-input,1", ["present-value", "units"]))
    assert await simulation.served(point) == before + 1


async def test_a_muted_controller_is_silent_and_comes_back(simulation, client: NormalApplication) -> None:
    at = address(simulation, "ym-ahu-03")
    await simulation.ask(do="mute", connection="ym-ahu-03", on=True)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await client.read_property_multiple(at, [ObjectIdentifier("analog-input,1"), ["present-value"]])
    await simulation.ask(do="mute", connection="ym-ahu-03", on=False)
    assert await read(client, at, ("analog-input,1", ["present-value"])) == [1.0]
