"""Controllers behind a router and a BBMD, in real frames: read, told changes, written, found."""

import asyncio
import math
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from collectors.driver import BusContext, Sample
from collectors.drivers.bacnet import BacnetDriver
from energy_center.config.bindings import BacnetIp, BacnetSource, Connection, Device, PointBinding
from energy_center.domain.quantities import Role
from energy_center.domain.units import Linear
from energy_center.errors import DeviceAway
from simulators import catalogue
from simulators.devices.bacnet import BacnetServer
from simulators.devices.bacnet_router import BacnetRouter
from simulators.devices.source import Source

NETWORK = 2001
STATIONS = (5, 6, 12)


class World:
    """Each air handler's readings are its station's number, but for what a test sets."""

    def __init__(self) -> None:
        self.own: dict[tuple[str, str], float] = {}

    def value(self, equipment_id: str, signal: str) -> float:
        return self.own.get((equipment_id, signal), float(equipment_id.removeprefix("ahu-")))

    def is_silent(self, equipment_id: str) -> bool:
        return False


class Stand:
    """A router with three controllers behind it, and drivers towards them."""

    def __init__(self) -> None:
        self.world = World()
        self.source = Source(self.world)
        self.router = BacnetRouter(NETWORK, {n: self._controller(n) for n in STATIONS})
        self.port = 0

    def _controller(self, station: int) -> BacnetServer:
        name = f"ahu-{station}"
        wired = catalogue.Connection(name, catalogue.Wire.BACNET, 0, 3000 + station)
        return BacnetServer(wired, [catalogue.Line(name, "ahu", name)], self.source)

    @asynccontextmanager
    async def driver(
        self,
        station: int,
        *,
        through_bbmd: bool = False,
        timeout_s: float = 2.0,
        baud_rate: int | None = None,
    ) -> AsyncIterator[BacnetDriver]:
        bbmd = f"127.0.0.1:{self.port}" if through_bbmd else None
        target = BacnetIp(
            "127.0.0.1", self.port, 3000 + station, timeout_s, NETWORK, str(station), bbmd, baud_rate
        )
        name = f"ahu-{station}"
        made = BacnetDriver(BusContext(Connection(name, target), (Device(name, name),), points(name), "test"))
        await made.open()
        try:
            yield made
        finally:
            await made.close()


def points(name: str) -> tuple[PointBinding, ...]:
    return (
        *(_point(name, f"ai{n}", "analog-input", n) for n in range(1, 5)),
        _point(name, "setpoint", "analog-value", 1),
        _point(name, "fan", "binary-input", 1, cov=True),
    )


def _point(name: str, point: str, kind: str, instance: int, *, cov: bool = False) -> PointBinding:
    source = BacnetSource(kind, instance, cov=cov)
    return PointBinding((name, point), Role.SUPPLY_AIR_TEMPERATURE, name, name, 30.0, Linear(), source)


@pytest.fixture
async def stand() -> AsyncIterator[Stand]:
    made = Stand()
    made.port = await made.router.start("127.0.0.1", 0)
    try:
        yield made
    finally:
        await made.router.stop()


async def _all(driver: BacnetDriver, station: int) -> list[float]:
    bindings = points(f"ahu-{station}")
    samples = [await driver.read(b) for b in driver.plan([], bindings)]
    return [v for s in samples for v in s.values.tolist()]


@pytest.mark.parametrize("through_bbmd", [False, True])
async def test_each_station_is_read_for_itself(stand: Stand, through_bbmd: bool) -> None:
    for station in STATIONS:
        async with stand.driver(station, through_bbmd=through_bbmd) as driver:
            # five analog values, and the fan that runs
            assert sorted(await _all(driver, station)) == [1.0, *[float(station)] * 5]


async def test_stations_behind_one_router_are_read_at_the_same_time(stand: Stand) -> None:
    async with stand.driver(5) as five, stand.driver(6) as six, stand.driver(12) as twelve:
        read = await asyncio.gather(*(_all(d, n) for d, n in ((five, 5), (six, 6), (twelve, 12))))
    assert [max(values) for values in read] == [5.0, 6.0, 12.0]


async def test_stations_of_an_mstp_line_take_turns(stand: Stand) -> None:
    on_line = {"now": 0, "most": 0}
    for controller in stand.router.stations.values():
        answer = controller._app.do_ReadPropertyMultipleRequest

        async def slowly(apdu, answer=answer) -> None:
            on_line["now"] += 1
            on_line["most"] = max(on_line["most"], on_line["now"])
            await asyncio.sleep(0.02)
            on_line["now"] -= 1
            await answer(apdu)

        controller._app.do_ReadPropertyMultipleRequest = slowly
    async with (
        stand.driver(5, baud_rate=38_400) as five,
        stand.driver(6, baud_rate=38_400) as six,
        stand.driver(12, baud_rate=38_400) as twelve,
    ):
        for _ in range(2):  # the second time they are known
            await asyncio.gather(*(_all(d, n) for d, n in ((five, 5), (six, 6), (twelve, 12))))
    assert on_line["most"] == 2


@pytest.mark.parametrize("through_bbmd", [False, True])
async def test_changes_are_told_through_the_router(stand: Stand, through_bbmd: bool) -> None:
    told: asyncio.Queue[float] = asyncio.Queue()

    def take(_: tuple[PointBinding, ...], sample: Sample) -> None:
        told.put_nowait(float(sample.values[0]))

    async with stand.driver(6, through_bbmd=through_bbmd) as driver, asyncio.timeout(5):
        driver.push_to(take)
        await _all(driver, 6)
        assert await told.get() == 1.0
        stand.world.own["ahu-6", "fan_status"] = 0.0
        assert await told.get() == 0.0


@pytest.mark.parametrize("through_bbmd", [False, True])
async def test_station_is_commanded_and_handed_back(stand: Stand, through_bbmd: bool) -> None:
    async with stand.driver(12, through_bbmd=through_bbmd) as driver:
        setpoint = next(b for b in points("ahu-12") if b.key[1] == "setpoint")
        await driver.write(setpoint, 18.5, 12)
        read = await driver.read_back(setpoint, 12)
        assert (read.present, read.held) == (18.5, 18.5)
        await driver.write(setpoint, None, 12)
        read = await driver.read_back(setpoint, 12)
        assert (read.present, read.held) == (12.0, None)


async def test_silent_station_is_away_and_its_neighbour_is_not(stand: Stand) -> None:
    stand.source.mute("ahu-5", on=True)
    async with stand.driver(5, timeout_s=0.3) as silent, stand.driver(6) as other:
        with pytest.raises(DeviceAway):
            await _all(silent, 5)
        assert not math.isnan(max(await _all(other, 6)))


async def test_foreign_device_is_registered_while_it_is_there(stand: Stand) -> None:
    async with stand.driver(5, through_bbmd=True) as driver:
        await _all(driver, 5)
        assert len(stand.router.foreign_devices) == 1
    async with asyncio.timeout(3):
        while stand.router.foreign_devices:  # noqa: ASYNC110  told by a datagram
            await asyncio.sleep(0.01)


async def test_registration_that_ran_out_while_the_bbmd_was_away_is_made_again(stand: Stand) -> None:
    async with stand.driver(5, through_bbmd=True) as driver, asyncio.timeout(5):
        await _all(driver, 5)
        link = driver._talk.shared.client.normal
        link._registration_expired()
        while link.bbmdRegistrationStatus != 0:  # noqa: ASYNC110  told by a datagram
            await asyncio.sleep(0.01)


async def test_device_that_is_no_bbmd_is_said(stand: Stand) -> None:
    plain = BacnetServer(catalogue.Connection("c", catalogue.Wire.BACNET, 0, 9), [], stand.source)
    port = await plain.start("127.0.0.1", 0)
    target = BacnetIp("127.0.0.1", stand.port, 3005, 2.0, NETWORK, "5", f"127.0.0.1:{port}")
    context = BusContext(Connection("a", target), (Device("a", "a"),), points("a"), "test")
    try:
        with pytest.raises(DeviceAway, match="does not take foreign devices"):
            await BacnetDriver(context).open()
    finally:
        await plain.stop()


async def test_bbmd_that_does_not_answer_is_said(stand: Stand, silent_port: int) -> None:
    target = BacnetIp("127.0.0.1", stand.port, 3005, 0.3, NETWORK, "5", f"127.0.0.1:{silent_port}")
    context = BusContext(Connection("a", target), (Device("a", "a"),), points("a"), "test")
    with pytest.raises(DeviceAway, match="BBMD"):
        await BacnetDriver(context).open()


@pytest.fixture
def silent_port() -> Iterator[int]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]
