"""The proxy before a controller counts what a client was given, read and told, as the client counts it."""

import asyncio
from collections import Counter

import pytest

from collectors.driver import BusContext, Sample, keys_of
from collectors.drivers.bacnet import BacnetDriver
from energy_center.config.bindings import BacnetIp, BacnetSource, Connection, Device, PointBinding
from energy_center.domain.quantities import Role
from energy_center.domain.units import Linear
from simulators import catalogue
from simulators.devices.bacnet import BacnetServer
from simulators.devices.source import Source
from simulators.faultproxy.bacnet_front import BacnetFront
from simulators.faultproxy.covered import BacnetCover
from simulators.faultproxy.tally import Tally
from tests.protocol.test_bacnet_cov_and_limits import World

POINTS = tuple(
    PointBinding(("ahu", name), Role.FAN_STATUS, "ahu", "ahu", 30.0, Linear(), BacnetSource(kind, 1, cov=cov))
    for name, kind, cov in (
        ("fan_status", "binary-input", True),
        ("schedule", "binary-value", True),
        ("supply_air_temperature", "analog-input", False),
    )
)


@pytest.mark.parametrize("fault", ["", "duplicated"])
async def test_what_is_told_counts_once_and_only_when_it_was_taken(fault: str) -> None:
    wired = catalogue.Connection("ahu", catalogue.Wire.BACNET, 0, 2001)
    lines = (catalogue.Line("ahu", "ahu", "ahu"),)
    world, tally, taken = World(), Tally(), Counter[tuple[str, str]]()
    server = BacnetServer(wired, lines, Source(world))
    upstream = ("127.0.0.1", await server.start("127.0.0.1", 0))
    front = BacnetFront(upstream, BacnetCover(catalogue.Catalogue("s", (wired,), lines), "ahu"), tally)
    host, port = await front.start(("127.0.0.1", 0))
    await front.begin(fault)
    target = BacnetIp(host, port, 2001, 1.0)
    driver = BacnetDriver(BusContext(Connection("ahu", target), (Device("ahu", "ahu"),), POINTS, "test"))

    def take(bindings: tuple[PointBinding, ...], _: Sample) -> None:
        taken.update(keys_of(bindings))

    driver.push_to(take)
    await driver.open()
    try:
        (block,) = driver.plan([], POINTS)
        for state in (0.0, 1.0, 0.0):
            world.own["ahu", "fan_status"] = world.own["ahu", "schedule"] = state
            before = taken["ahu", "schedule"]
            take(block.bindings, await driver.read(block))
            async with asyncio.timeout(3):
                while taken["ahu", "schedule"] < before + 2:  # noqa: ASYNC110  told by a datagram
                    await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)  # the last confirmation is on its way
        assert tally.answer() == {"served": {"/".join(k): n for k, n in sorted(taken.items())}, "unsure": {}}
        assert taken["ahu", "supply_air_temperature"] == 3
        assert taken["ahu", "fan_status"] == 6
    finally:
        await driver.close()
        front.close()
        await server.stop()
