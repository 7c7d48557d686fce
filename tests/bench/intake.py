"""What the benchmarks of collection share: devices in one line each, pollers always late, a spool."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import uvloop

from collectors.__main__ import tune
from collectors.connects import Connects
from collectors.driver import BusContext, KeysOnce, Sample, Samples
from collectors.drivers.modbus import ModbusDriver
from collectors.plan_reads import RegisterBlock
from collectors.poller import Poller
from collectors.spool import Spool, SpoolLimits
from collectors.spool_file import Record, Sheet
from energy_center.config.bindings import (
    Connection,
    Device,
    ModbusSource,
    ModbusTcp,
    PointBinding,
    ReadLimits,
    RegisterType,
    Table,
)
from energy_center.domain.quantities import Role
from energy_center.domain.units import Linear

ALWAYS_LATE_S = 1e-6  # an interval at which something is always due
SETTLED_S = 0.3  # before measuring, once all devices have answered
Row = dict[str, object]


def points(device: str, floats: int, interval_s: float = 10.0, unit: int = 1) -> list[PointBinding]:
    """Floats one after another, in W, to be kept in kW."""
    return [
        PointBinding(
            (device, f"p{n}"),
            Role.ACTIVE_POWER,
            device,
            device,
            interval_s,
            Linear(0.001),
            ModbusSource(unit, Table.HOLDING, 2 * n, RegisterType.F32),
        )
        for n in range(floats)
    ]


def context(
    name: str, port: int, floats: int, interval_s: float = 10.0, limits: ReadLimits | None = None
) -> BusContext:
    """One device on a connection of its own."""
    connection = Connection(name, ModbusTcp("127.0.0.1", port))
    device = Device(name, name, 1, limits or ReadLimits())
    return BusContext(connection, (device,), tuple(points(name, floats, interval_s)), "bench")


def run(job: Coroutine[Any, Any, Any]) -> Any:
    """As `python -m collectors` runs."""
    tune()
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


class Intake:
    """Takes samples as the collector's process does: into the spool, with the keys of their points."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._keys = KeysOnce()
        self.last: asyncio.Future[None] | None = None

    def take(self, bindings: tuple[PointBinding, ...], sample: Sample) -> None:
        """One sample of a block."""
        record = Record(self._keys.of(bindings), round(sample.at * 1e6), sample.values, sample.quality)
        self.last = self._spool.append(record)

    def take_many(self, bindings: tuple[PointBinding, ...], samples: Samples) -> None:
        """Several samples of a block."""
        at_us = np.rint(samples.at * 1e6).astype(np.int64)
        self.last = self._spool.append(Sheet(self._keys.of(bindings), at_us, samples.values, samples.quality))


@dataclass(frozen=True, slots=True)
class Rate:
    """Of a run: requests a second whose values are on disk, and our CPU for one in microseconds."""

    requests: float
    cpu_us: float


async def polled_rate(
    port: int, devices: int, floats: int, seconds: float, limits: ReadLimits | None = None
) -> Rate:
    """Read devices as fast as they answer: planned, scheduled, decoded, checked, and on disk at the end."""
    async with spooling() as spool:
        intake, connects = Intake(spool), Connects(1000.0)
        pollers: list[Poller[RegisterBlock]] = []
        for n in range(devices):
            around = context(f"d{n}", port, floats, ALWAYS_LATE_S, limits)
            driver = ModbusDriver(around)
            pollers.append(
                Poller(
                    around,
                    driver,
                    intake.take,
                    lambda _: None,
                    connects=connects,
                    sink_many=intake.take_many,
                )
            )
        running = [asyncio.ensure_future(p.run()) for p in pollers]
        while not all(p.counts.answered for p in pollers):  # noqa: ASYNC110  it happens on sockets
            await asyncio.sleep(0.01)
        await asyncio.sleep(SETTLED_S)
        began, cpu, before = time.perf_counter(), time.process_time(), _answered(pollers)
        await asyncio.sleep(seconds)
        for task in running:
            task.cancel()
        await asyncio.wait(running)
        if intake.last is not None:
            await intake.last
        requests = _answered(pollers) - before
        cpu_us = (time.process_time() - cpu) / requests * 1e6
        return Rate(requests / (time.perf_counter() - began), cpu_us)


def _answered(pollers: list[Poller[RegisterBlock]]) -> int:
    return sum(p.counts.answered for p in pollers)
