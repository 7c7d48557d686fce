"""The heartbeat driver against real sockets: up, down, hanging, unknown; one slow target delays no other."""

import asyncio
import math
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from collectors.driver import BusContext, Sample
from collectors.drivers.heartbeat import HeartbeatDriver
from collectors.poller import Poller
from energy_center.config.bindings import (
    Check,
    Connection,
    Device,
    Heartbeat,
    HeartbeatSource,
    Measure,
    PointBinding,
)
from energy_center.domain.quantities import Role
from energy_center.domain.units import Linear
from energy_center.errors import DeviceAway, NotSupported
from tests.protocol.test_mqtt import free_port

ROLES = {Measure.REACHABLE: Role.SYSTEM_STATUS, Measure.ROUND_TRIP: Role.ROUND_TRIP_TIME}


def _in_ping_group() -> bool:
    low, high = map(int, Path("/proc/sys/net/ipv4/ping_group_range").read_text().split())
    return low <= os.getegid() <= high


def context(target: Heartbeat, name: str = "cctv", interval_s: float = 30.0) -> BusContext:
    points = tuple(
        PointBinding((name, m.value), role, name, name, interval_s, Linear(), HeartbeatSource(m))
        for m, role in ROLES.items()
    )
    return BusContext(Connection(name, target), (Device(name, name),), points, "test")


async def beat(target: Heartbeat) -> Sample:
    around = context(target)
    driver = HeartbeatDriver(around)
    await driver.open()
    (block,) = driver.plan(around.devices, around.bindings)
    try:
        return await driver.read(block)
    finally:
        await driver.close()


def silent() -> socket.socket:
    """Takes no connection: its queue is full before the first one."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(0)
    return listening


@asynccontextmanager
async def web(status: str, *, hangs: bool = False) -> AsyncIterator[int]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if hangs:
            await asyncio.sleep(30)
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def test_system_that_takes_a_connection_is_there_and_its_time_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        sample = await beat(Heartbeat("127.0.0.1", listening.getsockname()[1]))
    assert sample.values[0] == 1.0
    assert 0 < sample.values[1] < 2000


async def test_system_is_found_by_name() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        assert (await beat(Heartbeat("localhost", listening.getsockname()[1]))).values[0] == 1.0


async def test_closed_port_is_down_at_once_and_has_no_time() -> None:
    sample = await beat(Heartbeat("127.0.0.1", free_port()))
    assert sample.values[0] == 0.0
    assert math.isnan(sample.values[1])


async def test_system_that_takes_no_connection_is_down_after_its_time_limit() -> None:
    with silent() as listening:
        port = listening.getsockname()[1]
        fill = [socket.socket() for _ in range(4)]
        try:
            for one in fill:
                one.setblocking(False)
                one.connect_ex(("127.0.0.1", port))
            sample = await beat(Heartbeat("127.0.0.1", port, timeout_s=0.2))
        finally:
            for one in fill:
                one.close()
    assert sample.values[0] == 0.0


@pytest.mark.parametrize(("status", "up"), [("200 OK", 1.0), ("302 Found", 1.0), ("503 Busy", 0.0)])
async def test_web_system_is_up_by_its_status(status: str, up: float) -> None:
    async with web(status) as port:
        assert (await beat(Heartbeat("127.0.0.1", port, Check.HTTP, path="/health"))).values[0] == up


async def test_web_system_that_accepts_and_hangs_is_down() -> None:
    async with web("200 OK", hangs=True) as port:
        assert (await beat(Heartbeat("127.0.0.1", port, Check.HTTP, timeout_s=0.2))).values[0] == 0.0


async def test_unknown_name_is_no_reading() -> None:
    with pytest.raises(DeviceAway, match="cannot be looked up"):
        await beat(Heartbeat("no-such-host.invalid", 80))


async def test_missing_authority_is_said() -> None:
    with pytest.raises(DeviceAway, match="certificates cannot be used"):
        await beat(Heartbeat("127.0.0.1", 443, Check.HTTPS, ca_file="/nowhere.pem"))


async def test_echo_tells_up_or_says_how_it_can_be_allowed() -> None:
    may = os.geteuid() == 0 or _in_ping_group()
    if not may:
        with pytest.raises(NotSupported, match="ping_group_range"):
            await beat(Heartbeat("127.0.0.1", 0, Check.ICMP))
        return
    sample = await beat(Heartbeat("127.0.0.1", 0, Check.ICMP))
    assert sample.values[0] == 1.0
    assert 0 < sample.values[1] < 2000


async def test_slow_system_delays_no_other() -> None:
    seen: list[str] = []

    def take(bindings: tuple[PointBinding, ...], _: Sample) -> None:
        seen.append(bindings[0].key[0])

    async with web("200 OK", hangs=True) as slow:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            targets = {
                "slow": Heartbeat("127.0.0.1", slow, Check.HTTP, timeout_s=30.0),
                "quick": Heartbeat("127.0.0.1", listening.getsockname()[1]),
            }
            around = [context(t, name, interval_s=0.05) for name, t in targets.items()]
            async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
                running = [
                    tasks.create_task(Poller(c, HeartbeatDriver(c), take, lambda _: None).run())
                    for c in around
                ]
                while len(seen) < 5:  # noqa: ASYNC110  the poller offers no event
                    await asyncio.sleep(0.01)
                for task in running:
                    task.cancel()
    assert set(seen) == {"quick"}
