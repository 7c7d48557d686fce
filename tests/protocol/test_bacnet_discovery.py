"""Discovery over real sockets: one device, those behind a router, a whole network; what is made of it."""

import argparse
import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import yaml
from bacpypes3.apdu import AbortPDU, AbortReason
from bacpypes3.basetypes import DailySchedule, DateRange, TimeValue
from bacpypes3.constructeddata import AnyAtomic
from bacpypes3.errors import UnrecognizedService
from bacpypes3.ipv4.app import NormalApplication
from bacpypes3.local.device import DeviceObject
from bacpypes3.object import (
    AnalogInputObject,
    BinaryInputObject,
    MultiStateInputObject,
    NotificationClassObject,
    ScheduleObject,
)
from bacpypes3.pdu import GlobalBroadcast, IPv4Address
from bacpypes3.primitivedata import Real, Time

from collectors.driver import BusContext
from collectors.drivers.bacnet import BacnetDriver
from collectors.drivers.bacnet_discover import Search, find_devices
from collectors.drivers.bacnet_inventory import Inventory
from collectors.found_bacnet import FoundDevice, as_profile, as_site
from collectors.probe_bacnet import add_arguments, discover
from energy_center.config import bindings
from energy_center.config.bindings import BacnetIp, BacnetSource, Connection, PointBinding
from energy_center.config.profile_model import BacnetProfile
from energy_center.domain.quantities import Role
from energy_center.domain.units import Linear
from energy_center.errors import NotFound
from tests.protocol.test_bacnet_router import STATIONS, Stand

_STATE = {"eventState": "normal", "statusFlags": [0, 0, 0, 0], "outOfService": False}
OUT = {**_STATE, "outOfService": True, "statusFlags": [0, 0, 0, 1]}


class Device(NormalApplication):  # type: ignore[misc]
    """A device of the library; on the wire as shy as a test makes it."""

    answers_by_broadcast = False
    lists_in_segments = True
    reads_multiple = True
    asked = 0
    most_at_once = 1000

    def i_am(self, address: Any = None) -> None:
        if self.answers_by_broadcast:
            super().i_am(GlobalBroadcast())
        else:
            super().i_am(address)

    async def do_ReadPropertyRequest(self, apdu: Any) -> None:  # noqa: N802  the library names it
        self.asked += 1
        if int(apdu.objectIdentifier[1]) == 4_194_303:  # as 15.5.2 demands; the library does not
            apdu.objectIdentifier = self.device_object.objectIdentifier
        whole = apdu.propertyArrayIndex is None
        if str(apdu.propertyIdentifier) == "object-list" and whole and not self.lists_in_segments:
            reason = AbortReason.segmentationNotSupported
            await self.response(AbortPDU(True, apdu.apduInvokeID, reason, context=apdu))
            return
        await super().do_ReadPropertyRequest(apdu)

    async def do_ReadPropertyMultipleRequest(self, apdu: Any) -> None:  # noqa: N802
        if not self.reads_multiple:
            raise UnrecognizedService
        self.sizes.append(len(apdu.listOfReadAccessSpecs))
        if self.sizes[-1] > self.most_at_once:
            reason = AbortReason.bufferOverflow
            await self.response(AbortPDU(True, apdu.apduInvokeID, reason, context=apdu))
            return
        await super().do_ReadPropertyMultipleRequest(apdu)


def _objects(analog: int) -> list[Any]:
    days = [
        DailySchedule(daySchedule=[TimeValue(time=Time((7, 30, 0, 0)), value=AnyAtomic(Real(1.0)))])
        for _ in range(5)
    ]
    return [
        *(
            AnalogInputObject(
                objectIdentifier=("analogInput", n),
                objectName=f"AHU1.AI{n}",
                description="房間溫度",
                presentValue=float(n),
                units="degreesCelsius",
                **_STATE,
            )
            for n in range(2, analog + 1)
        ),
        AnalogInputObject(
            objectIdentifier=("analogInput", 1),
            objectName="AHU1.Supply Air Temperature",
            presentValue=18.5,
            units="degreesFahrenheit",
            **OUT,
        ),
        BinaryInputObject(
            objectIdentifier=("binaryInput", 1),
            objectName="AHU1/fan-status",
            presentValue="active",
            polarity="normal",
            inactiveText="Stop",
            activeText="Run",
            **_STATE,
        ),
        MultiStateInputObject(
            objectIdentifier=("multiStateInput", 1),
            objectName="mode",
            presentValue=2,
            numberOfStates=3,
            stateText=["Off", "Cool", "Heat"],
            **_STATE,
        ),
        ScheduleObject(
            objectIdentifier=("schedule", 1),
            objectName="occupancy",
            presentValue=AnyAtomic(Real(1.0)),
            effectivePeriod=DateRange(startDate=(255, 255, 255, 255), endDate=(255, 255, 255, 255)),
            scheduleDefault=AnyAtomic(Real(0.0)),
            weeklySchedule=[*days, DailySchedule(daySchedule=[]), DailySchedule(daySchedule=[])],
            listOfObjectPropertyReferences=[],
            priorityForWriting=16,
            reliability="noFaultDetected",
            **_STATE,
        ),
        NotificationClassObject(
            objectIdentifier=("notificationClass", 1),
            objectName="alarms",
            notificationClass=1,
            priority=[0, 0, 0],
            ackRequired=[0, 0, 0],
            recipientList=[],
        ),
    ]


@asynccontextmanager
async def device(analog: int = 3, instance: int = 77, address: str = "127.0.0.1") -> AsyncIterator[tuple]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    me = DeviceObject(
        objectIdentifier=("device", instance),
        objectName="ahu-controller",
        vendorIdentifier=999,
        vendorName="Maker",
        modelName="Model 7",
        maxApduLengthAccepted=1476,
        segmentationSupported="segmentedBoth",
        maxSegmentsAccepted=64,
    )
    made = Device(me, IPv4Address(f"{address}:{port}"))
    made.sizes = []
    for each in _objects(analog):
        made.add_object(each)
    await asyncio.sleep(0.05)  # the socket is attached by a task of the library
    try:
        yield made, port
    finally:
        made.close()
        await asyncio.sleep(0)


def _quiet(_: str) -> None:
    pass


def _search(port: int | None = None, **named: Any) -> Search:
    host = named.pop("host", "127.0.0.1")
    return Search(host, port or 47808, wait_s=0.3, timeout_s=1.0, **named)


async def _all(found: FoundDevice, most: int = 5000, timeout_s: float = 1.0) -> FoundDevice:
    return await Inventory(found, timeout_s, None, _quiet).all(most)


async def test_device_tells_all_of_its_objects() -> None:
    async with device() as (_, port):
        (found,) = await find_devices(_search(port), _quiet)
        found = await _all(found)
    assert (found.instance, found.place, found.max_apdu) == (77, f"127.0.0.1:{port}", 1476)
    assert (found.name, found.vendor, found.model) == ("ahu-controller", "Maker", "Model 7")
    objects = {f"{o.type},{o.instance}": o for o in found.objects}
    assert len(objects) == 7
    second = objects["analog-input,2"]
    assert (second.name, second.description) == ("AHU1.AI2", "房間溫度")
    assert (second.value, second.unit, second.shown) == (2.0, "degrees-celsius", "2 Cel")
    assert objects["analog-input,1"].flags == ("out-of-service",)
    assert objects["binary-input,1"].shown == "1 Run"
    assert objects["multi-state-input,1"].shown == "2 Cool"
    assert objects["schedule,1"].value == 1.0
    assert objects["schedule,1"].weekly[4:6] == ("Fri 07:30=1", "Sat -")
    assert objects["notification-class,1"].name == "alarms"
    assert found.incomplete == ""


@pytest.mark.parametrize("lacks", ["segments", "multiple", "both"])
async def test_device_that_can_little_tells_the_same(lacks: str) -> None:
    async with device() as (made, port):
        (found,) = await find_devices(_search(port), _quiet)
        whole = await _all(found)
        made.lists_in_segments = lacks == "multiple"
        made.reads_multiple = lacks == "segments"
        assert await _all(found) == whole


async def test_device_with_little_room_is_asked_for_half_until_it_bears_it() -> None:
    async with device() as (made, port):
        (found,) = await find_devices(_search(port), _quiet)
        whole = await _all(found)
        made.sizes, made.most_at_once = [], 3
        assert await _all(found) == whole
    assert made.sizes == [1, 7, 3, 3, 1]


async def test_two_thousand_objects_are_bounded_and_told_of() -> None:
    said: list[str] = []
    async with device(2000) as (made, port):
        (found,) = await find_devices(_search(port), _quiet)
        some = await Inventory(found, 4.0, None, said.append).all(120)
    assert len(some.objects) == 120
    assert some.incomplete == "120 of 2004 objects"
    assert said[-1] == "device 77: 120 of 120 objects"
    assert made.asked < 20


async def test_device_that_falls_silent_gives_what_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    async with device(150) as (made, port):
        (found,) = await find_devices(_search(port), _quiet)

        def stop(text: str) -> None:
            made.close()

        some = await Inventory(found, 0.1, None, stop).all(5000)
    assert len(some.objects) == 50
    assert some.incomplete == "the device stopped answering after 50 objects"


async def test_limits_of_instances_are_asked_for() -> None:
    async with device() as (_, port):
        assert await find_devices(_search(port, low=78, high=90), _quiet) == []
        assert [d.instance for d in await find_devices(_search(port, low=70, high=80), _quiet)] == [77]


async def test_device_that_answers_by_broadcast_is_asked_directly() -> None:
    async with device(address="127.0.0.1/8") as (made, port):
        made.answers_by_broadcast = True
        assert [d.instance for d in await find_devices(_search(port), _quiet)] == [77]


@pytest.mark.parametrize("by_broadcast", [False, True])
async def test_broadcast_finds_who_hears_it(by_broadcast: bool) -> None:
    async with device(address="127.0.0.1/8") as (made, port):  # listens on 127.255.255.255 as well
        made.answers_by_broadcast = by_broadcast
        search = _search(port, host="127.255.255.255")
        assert [d.instance for d in await find_devices(search, _quiet)] == [77]


async def test_all_devices_behind_a_router_are_found_and_described() -> None:
    stand = Stand()
    port = await stand.router.start("127.0.0.1", 0)
    try:
        for search in (_search(port), _search(host=None, bbmd=f"127.0.0.1:{port}")):
            found = await find_devices(search, _quiet)
            assert [(d.instance, d.network, d.station) for d in found] == [
                (3000 + n, 2001, str(n)) for n in STATIONS
            ]
            described = await _all(found[0])
            assert len(described.objects) == 15
            assert (described.host, described.port) == ("127.0.0.1", port)
    finally:
        await stand.router.stop()


async def test_profile_holds_what_is_certain_and_leaves_the_rest_to_the_engineer() -> None:
    async with device() as (_, port):
        (found,) = await find_devices(_search(port), _quiet)
        text = as_profile(await _all(found))
    profile = BacnetProfile.model_validate(yaml.safe_load(text))
    assert {p.role: (p.object, p.unit, p.cov) for p in profile.points} == {
        Role.SUPPLY_AIR_TEMPERATURE: ("analog-input,1", "[degF]", False),
        Role.FAN_STATUS: ("binary-input,1", None, True),
    }
    lines = text.splitlines()
    second = next(line for line in lines if "analog-input,2" in line)
    assert second.startswith(
        '  # - {role: ?, object: "analog-input,2", unit: "Cel"}  # AHU1.AI2 房間溫度 2 Cel'
    )
    assert "1 Off / 2 Cool / 3 Heat" in next(line for line in lines if "multi-state-input,1" in line)
    assert "# not readable as a point: notification-class,1" in text


async def test_site_names_each_device_with_its_way() -> None:
    found = FoundDevice(3005, "10.0.4.1", network=2001, station="5", name="VAV: 5\n", vendor="M")
    site = yaml.safe_load(as_site([found]))
    assert site["connections"] == [
        {
            "id": "bacnet-3005",
            "bacnet-ip": {"host": "10.0.4.1", "network": 2001, "station": "5", "device": 3005},
        }
    ]
    assert site["equipment"] is None  # its line waits for space and profile


async def _probe(*words: str) -> str:
    parser = argparse.ArgumentParser()
    parser.add_argument("--format", default="text")
    add_arguments(parser)
    return await discover(parser.parse_args([*words, "--wait", "0.3", "--timeout", "1"]))


async def test_probe_prints_table_and_json() -> None:
    async with device() as (_, port):
        where = ("--bacnet", f"127.0.0.1:{port}", "--discover")
        table = (await _probe(*where)).splitlines()
        (told,) = json.loads(await _probe(*where, "--format", "json"))
    assert table[0].startswith(f"device 77 at 127.0.0.1:{port}  Maker Model 7")
    assert table[1].split() == ["object", "name", "value", "flags", "description"]
    assert "schedule,1 Mon 07:30=1" in table
    assert told["device"] == 77
    by_place = {o["object"]: o for o in told["objects"]}
    assert by_place["binary-input,1"] == {
        "object": "binary-input,1",
        "name": "AHU1/fan-status",
        "description": "",
        "unit": "",
        "value": 1.0,
        "flags": [],
        "states": ["Stop", "Run"],
        "weekly": [],
        "role": "fan_status",
    }


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--bacnet", "127.0.0.1"), "--discover"),
        (("--discover",), "where to look"),
        (("--discover", "--bacnet", "127.0.0.1:x"), "HOST:PORT"),
        (("--discover", "--bacnet", "127.0.0.1", "--low", "9", "--high", "3"), "9 to 3"),
        (("--discover", "--bacnet", "127.0.0.1:9"), "No device has answered"),
    ],
)
async def test_probe_says_what_is_wrong(words: tuple[str, ...], why: str) -> None:
    with pytest.raises(NotFound, match=why):
        await _probe(*words)


async def test_schedules_and_states_are_read_as_points() -> None:
    sources = (
        BacnetSource("multi-state-input", 1, {1: 0.0, 2: 1.0, 3: 2.0}),
        BacnetSource("schedule", 1),
        BacnetSource("schedule", 1, {}, "out-of-service"),
        BacnetSource("binary-input", 1, {}, "event-state"),
    )
    points = tuple(
        PointBinding(("a", f"p{n}"), Role.SCHEDULE, "a", "a", 30.0, Linear(), source)
        for n, source in enumerate(sources)
    )
    async with device() as (_, port):
        target = BacnetIp("127.0.0.1", port, 77, 1.0)
        driver = BacnetDriver(
            BusContext(Connection("a", target), (bindings.Device("a", "a"),), points, "test")
        )
        await driver.open()
        try:
            (block,) = driver.plan([], points)
            sample = await driver.read(block)
        finally:
            await driver.close()
    read = dict(zip([b.key[1] for b in block.bindings], sample.values.tolist(), strict=True))
    assert read == {"p0": 1.0, "p1": 1.0, "p2": 0.0, "p3": 0.0}
