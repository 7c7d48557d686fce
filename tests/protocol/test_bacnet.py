"""The BACnet driver against real devices on loopback: values, refusals, silence, many objects."""

import asyncio
import math
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from bacpypes3.ipv4.app import NormalApplication
from bacpypes3.local.analog import AnalogInputObject
from bacpypes3.local.binary import BinaryInputObject
from bacpypes3.local.device import DeviceObject
from bacpypes3.object import CharacterStringValueObject
from bacpypes3.pdu import IPv4Address

from collectors.driver import BusContext
from collectors.drivers.bacnet import OBJECTS_A_REQUEST, BacnetDriver, SharedApplication
from collectors.drivers.bacnet_client import Conversation
from energy_center.config.bindings import BacnetIp, BacnetSource, Connection, Device, PointBinding
from energy_center.domain.quantities import Role
from energy_center.domain.readings import Quality
from energy_center.domain.units import Linear
from energy_center.errors import DeviceAway


def point(
    kind: str,
    instance: int,
    *,
    interval_s: float = 30.0,
    scaling: Linear | None = None,
    states: Mapping[int, float] | None = None,
) -> PointBinding:
    source = BacnetSource(kind, instance, states or {})
    key = ("ahu", f"{kind}_{instance}")
    role = Role.SUPPLY_AIR_TEMPERATURE
    return PointBinding(key, role, "ahu", "ahu", interval_s, scaling or Linear(), source)


def free_socket() -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    bound.bind(("127.0.0.1", 0))
    bound.settimeout(0)
    return bound


@asynccontextmanager
async def controller(analog: int = 3, not_a_number: int = 0) -> AsyncIterator[int]:
    """Analog inputs 1… with their number as value, the last faulty; binary input 1 active."""
    free = free_socket()
    port = free.getsockname()[1]
    free.close()  # the library's application binds by itself
    me = DeviceObject(
        objectIdentifier=("device", 2001),
        objectName="ahu",
        vendorIdentifier=999,
        maxApduLengthAccepted=1476,
        segmentationSupported="segmentedBoth",
        maxSegmentsAccepted=64,
    )
    app = NormalApplication(me, IPv4Address(f"127.0.0.1:{port}"))
    state = {"eventState": "normal", "statusFlags": [0, 0, 0, 0]}  # the library works the flags out
    for n in range(1, analog + 1):
        app.add_object(
            AnalogInputObject(
                objectIdentifier=("analogInput", n),
                objectName=f"ai{n}",
                presentValue=float("nan") if n == not_a_number else float(n),
                units="degreesCelsius",
                covIncrement=0.1,
                outOfService=False,
                reliability="noSensor" if n == analog else "noFaultDetected",
                **state,
            )
        )
    app.add_object(
        BinaryInputObject(
            objectIdentifier=("binaryInput", 1),
            objectName="bi1",
            presentValue="active",
            polarity="normal",
            outOfService=True,
            **state,
        )
    )
    app.add_object(
        CharacterStringValueObject(
            objectIdentifier=("characterstringValue", 1),
            objectName="csv1",
            presentValue="broken",
            statusFlags=[0, 0, 0, 0],
        )
    )
    await asyncio.sleep(0.05)  # the socket is attached by a task of the library
    try:
        yield port
    finally:
        app.close()
        await asyncio.sleep(0)


@asynccontextmanager
async def driver_of(
    port: int, points: list[PointBinding], timeout_s: float = 2.0
) -> AsyncIterator[BacnetDriver]:
    target = BacnetIp("127.0.0.1", port, 2001, timeout_s)
    context = BusContext(Connection("ahu", target), (Device("ahu", "ahu"),), tuple(points), "test")
    driver = BacnetDriver(context)
    await driver.open()
    await asyncio.sleep(0.05)
    try:
        yield driver
    finally:
        await driver.close()


async def test_present_values_with_units_and_flags() -> None:
    points = [
        point("analog-input", 1),
        point("analog-input", 2, scaling=Linear(5 / 9, -160 / 9)),
        point("analog-input", 3),
        point("binary-input", 1),
    ]
    async with controller() as port, driver_of(port, points) as driver:
        (block,) = driver.plan([], points)
        sample = await driver.read(block)
    assert sample.values.tolist() == [1.0, pytest.approx(-16.6667, abs=1e-4), 3.0, 1.0]
    assert sample.quality.tolist() == [0, 0, Quality.SENSOR_FAULT, Quality.SUBSTITUTED]


async def test_object_that_is_not_there_costs_only_itself() -> None:
    points = [point("analog-input", 1), point("analog-input", 77), point("analog-input", 2)]
    async with controller() as port, driver_of(port, points) as driver:
        (block,) = driver.plan([], points)
        sample = await driver.read(block)
        assert driver.missing == {("analog-input", 77)}
    found = dict(zip([b.key[1] for b in block.bindings], sample.values.tolist(), strict=True))
    assert math.isnan(found.pop("analog-input_77"))
    assert found == {"analog-input_1": 1.0, "analog-input_2": 2.0}


async def test_value_that_is_no_number_costs_only_itself() -> None:
    points = [
        point("analog-input", 1),
        point("analog-input", 2, states={1: 0.0}),
        point("characterstring-value", 1),
    ]
    async with controller(not_a_number=2) as port, driver_of(port, points) as driver:
        (block,) = driver.plan([], points)
        sample = await driver.read(block)
    assert sample.values[0] == 1.0
    assert all(math.isnan(v) for v in sample.values[1:])


async def test_many_objects_are_read_in_requests_of_thirty() -> None:
    points = [point("analog-input", n) for n in range(1, 71)]
    async with controller(70) as port, driver_of(port, points) as driver:
        blocks = driver.plan([], points)
        assert [len(b.bindings) for b in blocks] == [OBJECTS_A_REQUEST, OBJECTS_A_REQUEST, 10]
        read = [v for b in blocks for v in (await driver.read(b)).values.tolist()]
    assert read == [float(n) for n in range(1, 71)]


async def test_intervals_are_read_apart() -> None:
    points = [point("analog-input", 1, interval_s=5.0), point("analog-input", 2)]
    async with controller() as port, driver_of(port, points) as driver:
        assert [(b.interval_s, len(b.bindings)) for b in driver.plan([], points)] == [(5.0, 1), (30.0, 1)]


async def test_silent_controller_is_device_away_within_the_time_limit() -> None:
    silent = free_socket()
    points = [point("analog-input", 1)]
    try:
        async with driver_of(silent.getsockname()[1], points, timeout_s=0.3) as driver:
            (block,) = driver.plan([], points)
            started = time.monotonic()
            with pytest.raises(DeviceAway):
                await driver.read(block)
            assert time.monotonic() - started < 1.5
    finally:
        silent.close()


async def test_cancel_in_mid_read_leaves_the_application_usable() -> None:
    silent = free_socket()
    points = [point("analog-input", 1)]
    try:
        async with (
            controller() as port,
            driver_of(silent.getsockname()[1], points) as stuck,
            driver_of(port, points) as driver,
        ):
            (block,) = driver.plan([], points)
            reading = asyncio.ensure_future(stuck.read(block))
            await asyncio.sleep(0.05)
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
            assert (await driver.read(block)).values.tolist() == [1.0]
    finally:
        silent.close()


async def test_process_has_one_application_for_all_devices() -> None:
    points = [point("analog-input", 1)]
    async with controller() as port, driver_of(port, points) as first, driver_of(port, points) as second:
        (block,) = first.plan([], points)
        both = await asyncio.gather(first.read(block), second.read(block))
        assert len(SharedApplication._by_address) == 1
    assert [s.values.tolist() for s in both] == [[1.0], [1.0]]
    assert SharedApplication._by_address == {}


def _state_of(kind: str, instance: int, name: str, states: Mapping[int, float] | None = None) -> PointBinding:
    source = BacnetSource(kind, instance, states or {}, name)
    key = ("ahu", f"{kind}_{instance}_{name}")
    return PointBinding(key, Role.FAULT, "ahu", "ahu", 30.0, Linear(), source)


@pytest.mark.parametrize("multiple", [True, False])
async def test_alarms_and_flags_are_points_of_their_own(multiple: bool) -> None:
    points = [
        point("analog-input", 3),
        _state_of("analog-input", 3, "event-state", {0: 0.0, 1: 7.0}),
        _state_of("analog-input", 3, "reliability", {0: 0.0, 1: 1.0}),
        _state_of("analog-input", 3, "fault"),
        _state_of("analog-input", 3, "in-alarm"),
        _state_of("analog-input", 1, "fault"),
        _state_of("binary-input", 1, "out-of-service"),
        _state_of("binary-input", 1, "overridden"),
    ]
    async with controller() as port, driver_of(port, points) as driver:
        driver.is_known, driver.reads_multiple = True, multiple
        (block,) = driver.plan([], points)
        sample = await driver.read(block)
    read = {
        b.key[1]: (float(v), int(q))
        for b, v, q in zip(block.bindings, sample.values, sample.quality, strict=True)
    }
    assert read == {
        "analog-input_3": (3.0, Quality.SENSOR_FAULT),  # its reliability is no-sensor
        "analog-input_3_event-state": (0.0, 0),
        "analog-input_3_reliability": (1.0, 0),
        "analog-input_3_fault": (1.0, 0),
        "analog-input_3_in-alarm": (0.0, 0),
        "analog-input_1_fault": (0.0, 0),
        "binary-input_1_out-of-service": (1.0, 0),
        "binary-input_1_overridden": (0.0, 0),
    }


async def test_a_slow_name_server_holds_up_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    is_back = threading.Event()

    def slow(find: Callable[..., Any]) -> Callable[..., Any]:
        def found(*arguments: object, **named: object) -> Any:
            if not is_back.wait(2.0):
                raise socket.gaierror("the event loop stood still")
            return find(*arguments, **named)

        return found

    for name in ("getaddrinfo", "gethostbyname"):
        monkeypatch.setattr(socket, name, slow(getattr(socket, name)))
    talk = Conversation(BacnetIp("localhost", 47808, 2001, timeout_s=4.0))
    opening = asyncio.ensure_future(talk.open())
    await asyncio.sleep(0.05)  # the look-up is under way
    is_back.set()
    await opening
    assert talk.shared is not None
    talk.close()
