"""Told changes, and devices that bear less than a request of thirty objects, on real sockets."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from types import SimpleNamespace

import pytest
from bacpypes3.apdu import AbortPDU, AbortReason, SimpleAckPDU
from bacpypes3.errors import UnrecognizedService

from collectors.driver import BusContext, Sample
from collectors.drivers.bacnet import BacnetDriver
from energy_center.config.bindings import BacnetIp, BacnetSource, Connection, Device, PointBinding
from energy_center.domain.quantities import Role
from energy_center.domain.readings import Quality
from energy_center.domain.units import Linear
from energy_center.errors import DeviceAway
from simulators import catalogue
from simulators.devices.bacnet import BacnetServer
from simulators.devices.source import Source


class World:
    """Readings that a test sets; 1 where it does not."""

    def __init__(self) -> None:
        self.own: dict[tuple[str, str], float] = {}

    def value(self, equipment_id: str, signal: str) -> float:
        return self.own.get((equipment_id, signal), 1.0)

    def is_silent(self, equipment_id: str) -> bool:
        return False


class Stand:
    """A controller with one air handler, and a client that reads all of it."""

    def __init__(self, states: Mapping[int, float] | None = None) -> None:
        self.states = states or {}
        self.world = World()
        wired = catalogue.Connection("ahu", catalogue.Wire.BACNET, 0, 2001)
        self.source = Source(self.world)
        self.server = BacnetServer(wired, [catalogue.Line("ahu", "ahu", "ahu")], self.source)
        self.flags: list[int] = []
        self.told: list[tuple[str, float]] = []
        self.heard = asyncio.Event()

    async def start(self) -> None:
        port = await self.server.start("127.0.0.1", 0)
        self.points = (
            *(_point(f"ai{n}", "analog-input", n, cov=False) for n in range(1, 7)),
            _point("fan", "binary-input", 1, cov=True, states=self.states),
        )
        target = BacnetIp("127.0.0.1", port, 2001, 1.0)
        self.driver = BacnetDriver(
            BusContext(Connection("ahu", target), (Device("ahu", "ahu"),), self.points, "test")
        )
        self.driver.push_to(self._take)
        await self.driver.open()
        (self.block,) = self.driver.plan([], self.points)

    def _take(self, bindings: tuple[PointBinding, ...], sample: Sample) -> None:
        self.flags.append(int(sample.quality[0]))
        self.told.append((bindings[0].key[1], float(sample.values[0])))
        self.heard.set()

    async def hears(self) -> tuple[str, float]:
        async with asyncio.timeout(3):
            await self.heard.wait()
        self.heard.clear()
        return self.told[-1]


def _point(
    name: str, kind: str, instance: int, *, cov: bool, states: Mapping[int, float] | None = None
) -> PointBinding:
    source = BacnetSource(kind, instance, states or {}, cov=cov)
    return PointBinding(("ahu", name), Role.FAN_STATUS, "ahu", "ahu", 30.0, Linear(), source)


@pytest.fixture
async def stand() -> AsyncIterator[Stand]:
    made = Stand()
    await made.start()
    try:
        yield made
    finally:
        await made.driver.close()
        await made.server.stop()


async def test_change_is_told_between_two_reads(stand: Stand) -> None:
    await stand.driver.read(stand.block)
    assert await stand.hears() == ("fan", 1.0)
    stand.world.own["ahu", "fan_status"] = 0.0
    assert await stand.hears() == ("fan", 0.0)


async def test_device_that_forgot_its_subscriptions_is_subscribed_to_anew(stand: Stand) -> None:
    now = [0.0]
    stand.driver.cov._clock = lambda: now[0]
    await stand.driver.read(stand.block)
    assert await stand.hears() == ("fan", 1.0)
    stand.server._app.stop_cov()
    stand.world.own["ahu", "fan_status"] = 0.0
    now[0] = stand.driver.cov.lifetime_s / 2  # renewed at half its life
    await stand.driver.read(stand.block)
    assert await stand.hears() == ("fan", 0.0)


async def test_subscription_that_fell_silent_for_its_life_is_made_anew(stand: Stand) -> None:
    now = [0.0]
    stand.driver.cov._clock = lambda: now[0]
    await stand.driver.read(stand.block)
    await stand.hears()
    now[0] = stand.driver.cov.lifetime_s + 1
    await stand.driver.read(stand.block)
    assert stand.driver.cov.renewed_after_silence == 1
    assert await stand.hears() == ("fan", 1.0)


async def test_restarted_device_is_subscribed_to_anew_once_it_has_answered(stand: Stand) -> None:
    await stand.driver.read(stand.block)
    assert await stand.hears() == ("fan", 1.0)
    stand.server._app.stop_cov()  # as a controller forgets that restarts
    stand.source.mute("ahu", on=True)
    with pytest.raises(DeviceAway):
        await stand.driver.read(stand.block)
    stand.source.mute("ahu", on=False)
    for _ in range(2):
        await stand.driver.read(stand.block)
    assert await stand.hears() == ("fan", 1.0)
    stand.world.own["ahu", "fan_status"] = 0.0
    assert await stand.hears() == ("fan", 0.0)


async def test_read_is_not_lost_by_a_subscription_that_nobody_answers(stand: Stand) -> None:
    asked = []

    async def swallow(apdu) -> None:
        asked.append(apdu)

    stand.server._app.do_SubscribeCOVRequest = swallow
    for _ in range(2):
        assert (await stand.driver.read(stand.block)).values.tolist() == [1.0] * 7
    assert len(asked) == 1  # the second waits


async def test_what_a_device_could_not_bear_is_tried_again_after_an_hour(stand: Stand) -> None:
    async def lacks(apdu) -> None:
        raise UnrecognizedService

    app = stand.server._app
    answer, app.do_ReadPropertyMultipleRequest = app.do_ReadPropertyMultipleRequest, lacks
    await stand.driver.read(stand.block)
    assert not stand.driver.reads_multiple
    app.do_ReadPropertyMultipleRequest = answer
    stand.driver._learn_again_at = 0.0
    assert (await stand.driver.read(stand.block)).values.tolist() == [1.0] * 7
    assert stand.driver.reads_multiple


async def test_device_that_accepts_and_tells_nothing_is_polled_and_at_last_left_alone(stand: Stand) -> None:
    now, asked = [0.0], []
    stand.driver.cov._clock = lambda: now[0]

    async def accept(apdu) -> None:
        asked.append(apdu.lifetime)
        await stand.server._app.response(SimpleAckPDU(context=apdu))

    stand.server._app.do_SubscribeCOVRequest = accept
    for turn in range(5):
        stand.world.own["ahu", "fan_status"] = float(turn % 2)
        assert (await stand.driver.read(stand.block)).values.tolist()[-1] == turn % 2
        now[0] += stand.driver.cov.lifetime_s + 1
    assert stand.told == []
    # each of three silent lives ended by a cancellation, the third without another subscription
    assert [lifetime is not None for lifetime in asked] == [True, False, True, False, True, False]
    now[0] += 3600
    await stand.driver.read(stand.block)
    assert asked[-1] is not None


async def test_notification_that_comes_twice_is_one_reading(stand: Stand) -> None:
    app = stand.server._app
    send = app.link.server.local_transport.sendto

    def twice(data, address) -> None:
        send(data, address)
        if data[6] >> 4 == 0:  # a request: the notification
            send(data, address)

    app.link.server.local_transport = SimpleNamespace(
        sendto=twice, close=app.link.server.local_transport.close
    )
    await stand.driver.read(stand.block)
    stand.world.own["ahu", "fan_status"] = 0.0
    async with asyncio.timeout(3):
        while stand.told[-1:] != [("fan", 0.0)]:  # noqa: ASYNC110  told by a datagram
            await asyncio.sleep(0.01)
    assert stand.told == [("fan", 1.0), ("fan", 0.0)]


async def test_told_value_out_of_range_is_flagged() -> None:
    stand = Stand({1: 5.0})  # a fan's state is 0 or 1
    await stand.start()
    try:
        await stand.driver.read(stand.block)
        assert await stand.hears() == ("fan", 5.0)
        assert stand.flags == [Quality.OUT_OF_RANGE]
    finally:
        await stand.driver.close()
        await stand.server.stop()


async def test_device_with_little_room_is_asked_for_less_from_then_on(stand: Stand) -> None:
    app, sizes = stand.server._app, []
    answer = app.do_ReadPropertyMultipleRequest

    async def short(apdu) -> None:
        sizes.append(len(apdu.listOfReadAccessSpecs))
        if sizes[-1] > 2:
            reason = AbortReason.segmentationNotSupported
            await app.response(AbortPDU(True, apdu.apduInvokeID, reason, context=apdu))
        else:
            await answer(apdu)

    app.do_ReadPropertyMultipleRequest = short
    for _ in range(2):
        assert (await stand.driver.read(stand.block)).values.tolist() == [1.0] * 7
    assert sizes == [7, 3, 1, 1, 1, 1, 1, 1, 1, *[1] * 7]


async def test_device_without_multiple_reads_is_read_one_by_one(stand: Stand) -> None:
    async def lacks(apdu) -> None:
        raise UnrecognizedService

    stand.server._app.do_ReadPropertyMultipleRequest = lacks
    assert (await stand.driver.read(stand.block)).values.tolist() == [1.0] * 7
