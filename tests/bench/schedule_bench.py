"""How punctual and how fair collection is, and what a building costs one core.

Devices are the C server on the other core. Punctuality and CPU: 200 devices of 50 floats each, every 10 s,
for 45 s, from the wire to the disk. Urgent requests: a device that takes 20 ms and always has something due;
60 times somebody asks for something else at some moment. The dead unit: ten units behind one gateway, read
every second; one never answers; 20 s from when it is known to be away. One run each.
"""

import asyncio
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import psutil

from collectors.connects import Connects
from collectors.driver import BusContext, Sample
from collectors.drivers.modbus import ModbusDriver
from collectors.plan_reads import RegisterBlock
from collectors.poller import Poller, StateChange
from energy_center.config.bindings import Connection, Device, ModbusTcp, PointBinding, ReadLimits
from tests.bench.c_programs import OUR_CORE, compiled, on_core, server
from tests.bench.intake import ALWAYS_LATE_S, Intake, Row, context, points, run, spooling

GROUP = "Collection: punctual and fair"
DEVICES, FLOATS, INTERVAL_S, MEASURED_S = 200, 50, 10.0, 45.0
DELAY_MS, URGENT = 20, 60
DEAD_UNIT, DEAD_S = 247, 20.0  # the server's unit that never answers


async def _building(port: int) -> list[Row]:
    arrivals: dict[str, list[float]] = defaultdict(list)
    async with spooling() as spool:
        intake, connects = Intake(spool), Connects(200.0)

        def take(bindings: tuple[PointBinding, ...], sample: Sample) -> None:
            arrivals[bindings[0].device_id].append(sample.at)
            intake.take(bindings, sample)

        pollers = []
        for n in range(DEVICES):
            around = context(f"d{n}", port, FLOATS, INTERVAL_S)
            pollers.append(Poller(around, ModbusDriver(around), take, lambda _: None, connects=connects))
        running = [asyncio.ensure_future(p.run()) for p in pollers]
        await asyncio.sleep(2.0)
        own = psutil.Process()
        cpu, wall, before = time.process_time(), time.perf_counter(), own.memory_info().rss
        await asyncio.sleep(MEASURED_S)
        share = (time.process_time() - cpu) / (time.perf_counter() - wall)
        after = own.memory_info().rss
        for task in running:
            task.cancel()
        await asyncio.wait(running)
    steps = np.concatenate([np.diff(times[1:]) for times in arrivals.values() if len(times) > 2])
    jitter = float(np.percentile(np.abs(steps - INTERVAL_S), 99)) / INTERVAL_S * 100
    what = "10,000 points of 200 devices at 10 s"
    return [
        {"name": f"{what}: one core", "value": round(share * 100, 2), "unit": "%", "goal": "<= 50"},
        {
            "name": f"{what}: jitter p99 of the interval",
            "value": round(jitter, 3),
            "unit": "%",
            "against": f"{len(steps)} steps",
            "goal": "<= 5",
        },
        {
            "name": f"{what}: memory (RSS), this benchmark included",
            "value": round(after / 2**20, 1),
            "unit": "MiB",
            "against": f"{MEASURED_S:.0f} s before: {before / 2**20:.1f}",
            "ratio": round(after / before, 3),
        },
    ]


async def _urgent(port: int) -> list[Row]:
    limits = ReadLimits(max_registers=2, max_gap=0)  # a block a float: always many that are due
    around = context("d", port, FLOATS, ALWAYS_LATE_S, limits)
    driver = ModbusDriver(around)
    poller = Poller(around, driver, lambda _b, _s: None, lambda _: None)
    running = asyncio.ensure_future(poller.run())
    await asyncio.sleep(2.0)
    awaited, waits = [], []
    for n in range(URGENT):
        await asyncio.sleep(0.03 + n * 0.0007)
        asked, before = time.perf_counter(), driver.counts.replies

        async def begin(asked: float = asked, before: int = before) -> tuple[int, float]:
            return driver.counts.replies - before, time.perf_counter() - asked

        replies, waited = await poller.urgent(begin)
        awaited.append(replies)
        waits.append(waited * 1e3)
    running.cancel()
    await asyncio.wait([running])
    return [
        {
            "name": f"write or urgent read on a busy line: requests it waits for, at most of {URGENT}",
            "value": max(awaited),
            "unit": "requests",
            "goal": "<= 1",
        },
        {
            "name": "write or urgent read on a busy line: longest wait",
            "value": round(max(waits), 1),
            "unit": "ms",
            "against": f"one request of {DELAY_MS} ms; median wait {np.median(waits):.1f}",
            "ratio": round(max(waits) / DELAY_MS, 2),
        },
    ]


class _Timed(ModbusDriver):
    """Notes the time that a unit takes of its line."""

    spent_s = 0.0

    async def read(self, block: RegisterBlock) -> Sample:
        began = time.perf_counter()
        try:
            return await super().read(block)
        finally:
            if block.unit_id == DEAD_UNIT:
                self.spent_s += time.perf_counter() - began


async def _dead_unit(port: int) -> list[Row]:
    units = (*range(1, 10), DEAD_UNIT)
    devices = tuple(Device(f"u{unit}", "bus", unit) for unit in units)
    bindings = tuple(b for unit in units for b in points(f"u{unit}", 1, 1.0, unit))
    around = BusContext(
        Connection("bus", ModbusTcp("127.0.0.1", port, timeout_s=0.5)), devices, bindings, "bench"
    )
    driver, gone, read = _Timed(around), asyncio.Event(), 0

    def take(_: tuple[PointBinding, ...], _sample: Sample) -> None:
        nonlocal read
        read += 1

    def report(change: StateChange) -> None:
        if not change.online:
            gone.set()

    running = asyncio.ensure_future(Poller(around, driver, take, report).run())
    async with asyncio.timeout(60):
        await gone.wait()
    driver.spent_s, before = 0.0, read
    began = time.perf_counter()
    await asyncio.sleep(DEAD_S)
    took = time.perf_counter() - began
    running.cancel()
    await asyncio.wait([running])
    return [
        {
            "name": "dead unit: its share of its bus's time, once it is known to be away",
            "value": round(driver.spent_s / took * 100, 1),
            "unit": "%",
            "against": f"its nine neighbours were read {read - before} times in {took:.0f} s, every second",
            "goal": "<= 10",
        }
    ]


def rows() -> list[Row]:
    """All measurements, on one core; the server has another."""
    with on_core(OUR_CORE), tempfile.TemporaryDirectory(prefix="ec-bench-") as folder:
        program = compiled("server", Path(folder))
        if program is None:
            return [{"name": "10,000 points", "value": None, "unit": "", "against": "apt install gcc"}]
        with server(program) as port:
            measured: list[Row] = [*run(_building(port)), *run(_dead_unit(port))]
        with server(program, DELAY_MS) as port:
            return measured + run(_urgent(port))
