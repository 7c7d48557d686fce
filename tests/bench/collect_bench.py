"""How dear a reading is from the wire to the disk, against plainer ways in the same run; two minutes.

The devices are one C server on the other core (tests/bench/c). Our side reads planned blocks, decodes them
and has them in the spool as block records, on uvloop as `python -m collectors` does. Medians of five runs;
where the interval itself is the workload, one run.
"""

import asyncio
import math
import statistics
import struct
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import uvloop
from pymodbus.client import AsyncModbusTcpClient

from collectors.decode import BlockDecoder
from collectors.driver import BusContext, Sample, keys_of
from collectors.drivers.modbus import ModbusDriver
from collectors.plan_reads import RegisterBlock, plan_reads
from collectors.poller import Poller
from collectors.spool import Spool, SpoolLimits
from collectors.spool_file import Record
from energy_center.config.bindings import (
    Connection,
    Device,
    ModbusSource,
    ModbusTcp,
    PointBinding,
    RegisterType,
    Table,
)
from energy_center.domain.quantities import Role
from energy_center.domain.units import Linear
from tests.bench.c_programs import (
    MISSING_LIBMODBUS,
    OUR_CORE,
    compiled,
    libmodbus_loop,
    libmodbus_rate,
    on_core,
    server,
)

GROUP = "Collection"
RUNS = 5
DEVICES = 50
REGISTERS = 100
# wire addresses of an Eastron SDM630, as the public mbmd map lists them; its first 50
SDM630 = (
    *range(0, 36, 2), 42, 46, 48, 52, 56, 60, 62, 66, 70, 72, 74, 76, 78, 84, 86, 88,
    *range(200, 208, 2), 224, 234, 236, 238, 240, 242, 244, 248, 250, 334, 336, 338,
)  # fmt: skip
Row = dict[str, object]


def points(device: str, floats: int, interval_s: float = 10.0) -> list[PointBinding]:
    """Floats one after another, in W, to be kept in kW."""
    return [
        PointBinding(
            (device, f"p{n}"),
            Role.ACTIVE_POWER,
            device,
            device,
            interval_s,
            Linear(0.001),
            ModbusSource(1, Table.HOLDING, 2 * n, RegisterType.F32),
        )
        for n in range(floats)
    ]


def context(name: str, port: int, floats: int, interval_s: float = 10.0) -> BusContext:
    """One device on a connection of its own."""
    connection = Connection(name, ModbusTcp("127.0.0.1", port))
    return BusContext(connection, (Device(name, name, 1),), tuple(points(name, floats, interval_s)), "bench")


def run(job: Coroutine[Any, Any, Any]) -> Any:
    """As `python -m collectors` runs."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(job)


@asynccontextmanager
async def spooling(window_s: float = 0.05) -> AsyncIterator[Spool]:
    """A spool that commits to disk."""
    with tempfile.TemporaryDirectory(prefix="ec-spool-") as folder:
        spool = Spool(Path(folder), SpoolLimits(window_s=window_s))
        committing = asyncio.ensure_future(spool.run())
        try:
            yield spool
        finally:
            spool.stop()
            await committing


async def _rounds(
    spool: Spool, driver: ModbusDriver, blocks: list[RegisterBlock], rounds: int
) -> asyncio.Future[None]:
    keys = [(block, keys_of(block.bindings)) for block in blocks]
    for _ in range(rounds):
        for block, named in keys:
            sample = await driver.read(block)
            done = spool.append(Record(named, round(sample.at * 1e6), sample.values, sample.quality))
    return done


async def _requests_a_second(
    port: int, devices: int, floats: int, rounds: int, *, one_by_one: bool = False
) -> float:
    """Blocks read, decoded and on disk a second."""
    drivers = []
    for n in range(devices):
        around = context(f"d{n}", port, floats)
        driver = ModbusDriver(around)
        await driver.open()
        each = [[p] for p in around.bindings] if one_by_one else [list(around.bindings)]
        drivers.append((driver, [b for some in each for b in driver.plan(around.devices, some)]))
        await driver.read(drivers[-1][1][0])  # connected, and its plan is made
    async with spooling() as spool:
        began = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            jobs = [tasks.create_task(_rounds(spool, d, blocks, rounds)) for d, blocks in drivers]
        for job in jobs:
            await job.result()
        took = time.perf_counter() - began
    for driver, _ in drivers:
        await driver.close()
    return sum(len(blocks) for _, blocks in drivers) * rounds / took


def _against_libmodbus(folder: Path, port: int) -> list[Row]:
    program = libmodbus_loop(folder)
    rows: list[Row] = []
    for devices, rounds, goal in ((1, 20_000, 0.65), (DEVICES, 600, 2.0)):
        ours, theirs = [], []
        for _ in range(RUNS):  # in turn, so that both see the same machine
            ours.append(run(_requests_a_second(port, devices, REGISTERS // 2, rounds)))
            if program is not None:
                theirs.append(libmodbus_rate(program, port, devices, rounds, REGISTERS))
        mine = statistics.median(ours)
        row: Row = {
            "name": f"Modbus TCP, {devices} device(s) x {REGISTERS} registers, decoded and in the spool",
            "value": round(mine),
            "unit": "requests/s",
            "against": MISSING_LIBMODBUS,
            "goal": f">= {goal}x",
        }
        if theirs:
            c_loop = statistics.median(theirs)
            row |= {
                "against": f"blocking libmodbus in C: {c_loop:,.0f}",
                "ratio": round(mine / c_loop, 2),
            }
        rows.append(row)
    return rows


def _against_pymodbus(port: int) -> Row:
    async def library() -> float:
        client = AsyncModbusTcpClient("127.0.0.1", port=port, retries=0)
        await client.connect()
        began = time.perf_counter()
        for _ in range(2000):
            await client.read_holding_registers(0, count=REGISTERS, device_id=1)
        took = time.perf_counter() - began
        client.close()
        return 2000 / took

    ours = statistics.median(run(_requests_a_second(port, 1, REGISTERS // 2, 2000)) for _ in range(RUNS))
    theirs = statistics.median(run(library()) for _ in range(RUNS))
    return {
        "name": "Modbus TCP, 1 device: the same against pymodbus, which decodes and stores nothing",
        "value": round(ours),
        "unit": "requests/s",
        "against": f"pymodbus on uvloop: {theirs:,.0f}",
        "goal": ">= 2x",
        "ratio": round(ours / theirs, 2),
    }


def _on_slow_devices(program: Path) -> Row:
    floats = 60
    with server(program, delay_ms=20) as port:
        block = statistics.median(run(_requests_a_second(port, DEVICES, floats, 10)) for _ in range(RUNS))
        single = run(_requests_a_second(port, DEVICES, floats, 1, one_by_one=True))
    return {
        "name": f"devices that take 20 ms, {DEVICES} x {floats} floats in blocks",
        "value": round(block * floats),
        "unit": "points/s",
        "against": f"one point a request: {single:,.0f}",
        "goal": ">= 25x",
        "ratio": round(block * floats / single, 1),
    }


def _planning() -> Row:
    bindings = [
        PointBinding(
            ("m", f"a{a}"), Role.ACTIVE_POWER, "m", "m", 10.0, Linear(),
            ModbusSource(1, Table.INPUT, a, RegisterType.F32),
        )
        for a in SDM630
    ]  # fmt: skip
    requests = len(plan_reads([Device("m", "m", 1)], bindings))
    return {
        "name": f"plan: a map like the SDM630's, {len(SDM630)} points",
        "value": requests,
        "unit": "requests",
        "goal": "<= 3",
    }


def _timed_ns(job: Callable[[], object], times: int, values: int) -> float:
    runs = []
    for _ in range(RUNS):
        began = time.perf_counter()
        for _ in range(times):
            job()
        runs.append((time.perf_counter() - began) / times / values * 1e9)
    return statistics.median(runs)


def _decoding(floats: int) -> Row:
    payload = struct.pack(f">{floats}f", *range(floats))
    decoder = BlockDecoder(points("m", floats), 0)

    def naive() -> None:
        for n in range(floats):
            (value,) = struct.unpack(">f", payload[4 * n : 4 * n + 4])
            math.isfinite(value * 0.001)

    mine = _timed_ns(lambda: decoder.decode(payload), 2000, floats)
    plain = _timed_ns(naive, 300, floats)
    return {
        "name": f"decode: one float of a block of {floats} values",
        "value": round(mine, 1),
        "unit": "ns",
        "against": f"struct.unpack a value: {plain:.0f} ns",
        "goal": "<= 30",
        "ratio": round(plain / mine, 1),
    }


async def _spool_rate() -> float:
    keys = tuple(("meter", f"p{n}") for n in range(50))
    records = 400
    async with spooling(window_s=0.0) as spool:
        began = time.perf_counter()
        for n in range(records):
            done = spool.append(Record(keys, n, np.arange(50.0), np.zeros(50, np.int16)))
            if n % 20 == 19:  # 1,000 values a commit
                await done
        return records * 50 / (time.perf_counter() - began)


async def _polled(pollers: list[Poller[Any]], seconds: float) -> float:
    """Share of one core that the pollers take, after a second to connect."""
    running = [asyncio.ensure_future(p.run()) for p in pollers]
    await asyncio.sleep(1.0)
    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.sleep(seconds)
    share = (time.process_time() - cpu) / (time.perf_counter() - wall)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    return share


async def _building(port: int, seconds: float, interval_s: float = 10.0) -> list[Row]:
    arrivals: dict[str, list[float]] = defaultdict(list)
    async with spooling() as spool:

        def take(bindings: tuple[PointBinding, ...], sample: Sample) -> None:
            arrivals[bindings[0].device_id].append(sample.at)
            spool.append(Record(keys_of(bindings), round(sample.at * 1e6), sample.values, sample.quality))

        pollers = []
        for n in range(200):
            around = context(f"d{n}", port, 50, interval_s)
            pollers.append(Poller(around, ModbusDriver(around), take, lambda _: None))
        share = await _polled(pollers, seconds)
    steps = np.concatenate([np.diff(times[1:]) for times in arrivals.values() if len(times) > 2])
    jitter = float(np.percentile(np.abs(steps - interval_s), 99)) / interval_s * 100
    what = "10,000 points of 200 devices at 10 s"
    return [
        {"name": f"{what}: one core", "value": round(share * 100, 1), "unit": "%", "goal": "<= 50"},
        {
            "name": f"{what}: jitter p99 of the interval",
            "value": round(jitter, 2),
            "unit": "%",
            "against": f"{len(steps)} steps",
            "goal": "<= 5",
        },
    ]


async def _dead_unit(port: int, seconds: float) -> Row:
    """Ten units on one bus, read every second; one of them is silent after a second."""
    bindings = [
        PointBinding(
            (f"u{unit}", "p"), Role.ACTIVE_POWER, "bus", f"u{unit}", 1.0, Linear(),
            ModbusSource(unit, Table.HOLDING, 0, RegisterType.F32),
        )
        for unit in range(1, 11)
    ]  # fmt: skip
    devices = tuple(Device(f"u{unit}", "bus", unit) for unit in range(1, 11))
    connection = Connection("bus", ModbusTcp("127.0.0.1", port, timeout_s=0.5))
    spent = 0.0

    class OneDead(ModbusDriver):
        async def _ask(self, unit_id: int, planned: Any) -> tuple[bytes, float]:
            nonlocal spent
            if unit_id != 10:
                return await super()._ask(unit_id, planned)
            began = time.perf_counter()
            try:
                # another unit of the server never answers: a request for no register
                planned.request = b"\x00" * 3
                return await super()._ask(unit_id, planned)
            finally:
                spent += time.perf_counter() - began

    around = BusContext(connection, devices, tuple(bindings), "bench")
    away_at: list[float] = []
    poller = Poller(
        around, OneDead(around), lambda _b, _s: None, lambda c: away_at.append(time.perf_counter())
        if not c.online else None,
    )  # fmt: skip
    running = asyncio.ensure_future(poller.run())
    while not away_at:  # noqa: ASYNC110  it happens on a socket
        await asyncio.sleep(0.01)
    spent, began = 0.0, time.perf_counter()
    await asyncio.sleep(seconds)
    share = spent / (time.perf_counter() - began)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return {
        "name": "dead unit: its share of its bus's time, once it is known to be away",
        "value": round(share * 100, 1),
        "unit": "%",
        "goal": "<= 10",
    }


def rows() -> list[Row]:
    """All measurements, on one core; the server has another."""
    with on_core(OUR_CORE):
        return _rows()


def _rows() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="ec-bench-") as folder:
        program = compiled("server", Path(folder))
        if program is None:
            return [{"name": "Modbus TCP", "value": None, "unit": "", "against": "no C compiler here (gcc)"}]
        with server(program) as port:
            measured = [*_against_libmodbus(Path(folder), port), _against_pymodbus(port)]
            measured += run(_building(port, 45.0))
            measured.append(run(_dead_unit(port, 20.0)))
        measured.append(_on_slow_devices(program))
    rate = statistics.median(run(_spool_rate()) for _ in range(RUNS))
    return [
        *measured,
        _planning(),
        _decoding(50),
        _decoding(100),
        {
            "name": "spool: values on disk, 1,000 a commit",
            "value": round(rate),
            "unit": "1/s",
            "goal": ">= 50,000",
        },
    ]
