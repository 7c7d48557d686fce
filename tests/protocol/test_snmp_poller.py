"""SNMP and heartbeats under the poller: an agent dies and returns, a supervised system goes down and up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from collectors.driver import BusContext, Sample
from collectors.poller import Poller, StateChange
from collectors.registry import make_driver
from energy_center.config.bindings import (
    Check,
    Connection,
    Device,
    Heartbeat,
    HeartbeatSource,
    Measure,
    PointBinding,
    SnmpAgent,
    SnmpSource,
    SnmpType,
)
from energy_center.domain.quantities import Role
from energy_center.domain.units import Linear
from simulators.devices.snmp import Integer32, SnmpServer
from tests.protocol.test_poller import until
from tests.protocol.udp_port import free_udp_port
from tests.unit.collectors.fixed_random import seeded

BASE = "1.3.6.1.4.1.99999.1"
EVERY_S = 0.1


@dataclass
class Seen:
    samples: list[Sample] = field(default_factory=list)
    changes: list[StateChange] = field(default_factory=list)

    def take(self, _bindings: tuple[PointBinding, ...], sample: Sample) -> None:
        self.samples.append(sample)

    @property
    def states(self) -> list[bool]:
        return [c.online for c in self.changes]


@asynccontextmanager
async def polled(target: Any, sources: list[Any]) -> AsyncIterator[Seen]:
    points = tuple(
        PointBinding(("d", f"p{n}"), Role.SYSTEM_STATUS, "line", "d", EVERY_S, Linear(), source)
        for n, source in enumerate(sources)
    )
    around = BusContext(Connection("line", target), (Device("d", "line"),), points, "test")
    seen = Seen()
    poller: Poller[Any] = Poller(around, make_driver(around), seen.take, seen.changes.append, seeded(5))  # type: ignore[arg-type]
    running = asyncio.ensure_future(poller.run())
    try:
        yield seen
    finally:
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


async def test_agent_that_dies_is_away_once_and_read_again_when_it_returns() -> None:
    held = {f"{BASE}.1": Integer32(1)}
    port = free_udp_port()
    agent = SnmpServer(lambda: held)
    await agent.start("127.0.0.1", port)
    target = SnmpAgent("127.0.0.1", port, timeout_s=0.2)
    async with polled(target, [SnmpSource(f"{BASE}.1", SnmpType.INTEGER)]) as seen:
        await until(lambda: len(seen.samples) >= 5)
        await agent.stop()
        await until(lambda: seen.states == [True, False])
        known = len(seen.samples)
        await asyncio.sleep(1.0)
        assert (len(seen.samples), seen.states) == (known, [True, False])
        held[f"{BASE}.1"] = Integer32(0)
        again = SnmpServer(lambda: held)
        await again.start("127.0.0.1", port)
        try:
            await until(lambda: len(seen.samples) >= known + 3, 20.0)
        finally:
            await again.stop()
    assert seen.states[:3] == [True, False, True]
    assert seen.samples[-1].values.tolist() == [0.0]


async def test_system_that_goes_down_is_a_reading_and_not_a_device_away() -> None:
    async def take(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    port = free_udp_port()
    target = Heartbeat("127.0.0.1", port, Check.TCP, timeout_s=0.5)
    sources = [HeartbeatSource(Measure.REACHABLE)]
    server = await asyncio.start_server(take, "127.0.0.1", port)
    async with polled(target, sources) as seen:
        await until(lambda: len(seen.samples) >= 3)
        server.close()
        await server.wait_closed()
        await until(lambda: seen.samples[-1].values.tolist() == [0.0])
        server = await asyncio.start_server(take, "127.0.0.1", port)
        await until(lambda: seen.samples[-1].values.tolist() == [1.0])
        server.close()
    assert seen.states == [True]
    ups = [s.values[0] for s in seen.samples]
    assert ups[0] == 1.0
    assert 0.0 in ups
