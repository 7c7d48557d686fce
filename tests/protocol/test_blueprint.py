"""The file that a newcomer copies works as it stands, and the registry is loud."""

import asyncio

import pytest

from collectors.driver import BusContext, Sample
from collectors.drivers._blueprint import ExampleDriver
from collectors.poller import Poller, StateChange
from collectors.registry import make_driver, register
from energy_center.config.bindings import Connection, ModbusTcp, PointBinding
from tests.unit.collectors.builders import context, device
from tests.unit.collectors.builders import register as point


async def test_blueprint_is_polled_as_any_driver() -> None:
    around = context([device()], [point(0, interval_s=0.05), point(2, interval_s=0.05)])
    seen: list[str] = []
    changes: list[StateChange] = []

    def take(bindings: tuple[PointBinding, ...], _: Sample) -> None:
        seen.append(bindings[0].key[1])

    running = asyncio.ensure_future(Poller(around, ExampleDriver(around), take, changes.append).run())
    async with asyncio.timeout(5):
        while len(set(seen)) < 2 or len(seen) < 6:  # noqa: ASYNC110  the poller offers no event
            await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert [c.online for c in changes] == [True]


def test_taken_kind_of_connection_is_refused_and_names_both() -> None:
    with pytest.raises(ValueError, match=r"ModbusTcp is served by collectors\.registry already"):
        register(ModbusTcp, lambda _: ExampleDriver(context([], [])))


def test_unknown_kind_of_connection_names_the_known_ones() -> None:
    unknown = BusContext(Connection("x", "carrier pigeon"), (), (), "test")
    with pytest.raises(
        LookupError, match="known are BacnetIp, Heartbeat, ModbusRtu, ModbusTcp, MqttBroker, SnmpAgent"
    ):
        make_driver(unknown)
