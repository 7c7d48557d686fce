"""How many BACnet values a second come from the wire to the disk on one core, read and told.

Eight devices on the other core. Each value is read with its status flags, 30 objects a request, through
driver, poller and spool. Devices that answer at once show what our side bears; bacpypes3's own
`read_property_multiple` asks them the same. Of the simulated controllers, their own core is the limit.
Medians of five runs of two seconds.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bacpypes3.primitivedata import ObjectIdentifier

from collectors.driver import BusContext, Sample, keys_of
from collectors.drivers.bacnet import BacnetDriver
from collectors.drivers.bacnet_cov import MOST_A_TURN
from collectors.drivers.bacnet_values import FLAGS, identifier_of
from collectors.poller import Poller
from collectors.spool_file import Record
from energy_center.config.bindings import BacnetIp, BacnetSource, Connection, Device, PointBinding
from energy_center.domain.quantities import Role
from energy_center.domain.units import Linear
from tests.bench.bacnet_devices import EQUIPMENT
from tests.bench.c_programs import OUR_CORE, SERVER_CORE, on_core
from tests.bench.intake import run, spooling

GROUP = "BACnet"
RUNS, DEVICES, OBJECTS, MEASURED_S = 5, 8, 120, 2.0
Row = dict[str, object]


@contextmanager
def devices() -> Iterator[tuple[list[int], list[int]]]:
    """Ports of devices that answer at once, and of simulated controllers."""
    words = [sys.executable, "-m", "tests.bench.bacnet_devices", str(DEVICES)]
    with on_core(SERVER_CORE):
        running = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with running:
        assert running.stdout is not None
        assert running.stdin is not None
        yield tuple(json.loads(running.stdout.readline()))
        running.stdin.close()


def _context(n: int, port: int, sources: list[BacnetSource], interval_s: float) -> BusContext:
    name = f"d{n}"
    points = tuple(
        PointBinding((name, f"p{i}"), Role.ZONE_TEMPERATURE, name, name, interval_s, Linear(), source)
        for i, source in enumerate(sources)
    )
    connection = Connection(name, BacnetIp("127.0.0.1", port, 2001 + n))
    return BusContext(connection, (Device(name, name),), points, "bench")


def _analog() -> list[BacnetSource]:
    return [BacnetSource("analog-input", n) for n in range(1, OBJECTS + 1)]


def _fan_coils(*, cov: bool) -> list[BacnetSource]:
    """Of the simulated controllers, what offers COV."""
    return [
        BacnetSource(kind, 10 * i + 1, cov=cov)
        for i in range(EQUIPMENT)
        for kind in ("binary-input", "binary-value", "analog-value")
    ]


async def _polled(ports: list[int], sources: list[BacnetSource], *, one_by_one: bool = False) -> float:
    """Values a second on disk, of pollers that are always late."""
    stored = 0
    async with spooling() as spool:

        def sink(bindings: tuple[PointBinding, ...], sample: Sample) -> None:
            nonlocal stored
            stored += len(bindings)
            spool.append(Record(keys_of(bindings), round(sample.at * 1e6), sample.values, sample.quality))

        pollers = []
        for n, port in enumerate(ports):
            context = _context(n, port, sources, 0.001)
            driver = BacnetDriver(context)
            driver.is_known, driver.reads_multiple = one_by_one, not one_by_one
            pollers.append(Poller(context, driver, sink, lambda _: None))
        running = [asyncio.ensure_future(p.run()) for p in pollers]
        await asyncio.sleep(0.5)  # connected, and the devices are known
        before, began = stored, time.perf_counter()
        await asyncio.sleep(MEASURED_S)
        rate = (stored - before) / (time.perf_counter() - began)
        for task in running:
            task.cancel()
        await asyncio.wait(running)
    return rate


async def _library(ports: list[int]) -> float:
    """Values a second of bacpypes3's own service, without poller and spool."""
    drivers = [BacnetDriver(_context(n, port, _analog(), 10.0)) for n, port in enumerate(ports)]
    read = 0

    async def ask(driver: BacnetDriver, n: int) -> None:
        nonlocal read
        bindings = _context(n, 0, _analog(), 10.0).bindings
        while True:
            for at in range(0, OBJECTS, 30):
                wanted = [
                    w for b in bindings[at : at + 30] for w in (identifier_of(b), ["present-value", FLAGS])
                ]
                assert isinstance(wanted[0], ObjectIdentifier)
                await driver._talk.ask("read_property_multiple", wanted)
                read += 30

    for driver in drivers:
        await driver.open()
    running = [asyncio.ensure_future(ask(d, n)) for n, d in enumerate(drivers)]
    began = time.perf_counter()
    await asyncio.sleep(MEASURED_S)
    rate = read / (time.perf_counter() - began)
    for task in running:
        task.cancel()
    await asyncio.wait(running)
    for driver in drivers:
        await driver.close()
    return rate


async def _told(ports: list[int]) -> tuple[float, float]:
    """Notifications a second on disk, confirmed to the device, and our core's share of its time."""
    stored = 0
    sources = _fan_coils(cov=True)
    async with spooling() as spool:

        def push(bindings: tuple[PointBinding, ...], sample: Sample) -> None:
            nonlocal stored
            stored += len(bindings)
            spool.append(Record(keys_of(bindings), round(sample.at * 1e6), sample.values, sample.quality))

        drivers = []
        for n, port in enumerate(ports):
            driver = BacnetDriver(_context(n, port, sources, 30.0))
            driver.push_to(push)
            await driver.open()
            for _ in range(0, len(sources), MOST_A_TURN):
                await driver.cov.keep()
            drivers.append(driver)
        before, began, cpu = stored, time.perf_counter(), time.process_time()
        await asyncio.sleep(MEASURED_S)
        took = time.perf_counter() - began
        rate, share = (stored - before) / took, (time.process_time() - cpu) / took
        for driver in drivers:
            await driver.close()
    return rate, share


def rows() -> list[Row]:
    """What is read and what is told."""
    with devices() as (echoes, simulated), on_core(OUR_CORE):
        ours, theirs = [], []
        for _ in range(RUNS):  # in turn, so that both see the same machine
            ours.append(run(_polled(echoes, _analog())))
            theirs.append(run(_library(echoes)))
        slow = [run(_polled(simulated, _fan_coils(cov=False))) for _ in range(RUNS)]
        single = [run(_polled(simulated, _fan_coils(cov=False), one_by_one=True)) for _ in range(RUNS)]
        told = [run(_told(simulated)) for _ in range(RUNS)]
    library = statistics.median(theirs)
    mine, rates = statistics.median(ours), [rate for rate, _ in told]
    return [
        {
            "name": "BACnet: values with flags by ReadPropertyMultiple, 8 devices, to the disk",
            "value": round(mine),
            "unit": "1/s",
            "against": f"bacpypes3 alone {library:,.0f}/s",
            "ratio": mine / library,
            "goal": ">= 4,000",
        },
        {
            "name": "the same from 8 simulated controllers, whose own core is the limit",
            "value": round(statistics.median(slow)),
            "unit": "1/s",
            "against": f"one by one with ReadProperty {statistics.median(single):,.0f}/s",
            "ratio": statistics.median(slow) / statistics.median(single),
        },
        {
            "name": "BACnet: confirmed changes of value told, to the disk",
            "value": round(statistics.median(rates)),
            "unit": "1/s",
            "against": f"{statistics.median(s for _, s in told):.0%} of our core; runs "
            f"{min(rates):,.0f} to {max(rates):,.0f}",
        },
    ]
