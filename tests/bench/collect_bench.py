"""How dear a reading is from the wire to the disk, against plainer ways in the same run.

The devices are one C server on a core of its own (tests/bench/c); we, and what we are compared with, have the
other core. Our side is the poller with its schedule, always late: blocks are asked for, decoded, checked and
in the spool on disk at the end, on uvloop as `python -m collectors` runs. The libmodbus loop blocks, decodes
floats and stores nothing. Medians of five runs in turn. "In flight" is how many requests a device is given at
once; libmodbus gives one. On machines whose cores sleep between requests all rates are a fraction of what
they are where they do not, and ratios shift with that: compare the CPU rows.
"""

import math
import statistics
import struct
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from pymodbus.client import AsyncModbusTcpClient

from collectors.decode import BlockDecoder
from collectors.plan_reads import plan_reads
from collectors.spool_file import Record
from energy_center.config.bindings import Device, ModbusSource, PointBinding, ReadLimits, RegisterType, Table
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
from tests.bench.intake import Rate, Row, points, polled_rate, run, spooling

GROUP = "Collection"
RUNS, RUN_S = 5, 1.0
DEVICES, REGISTERS = 50, 100
C_REQUESTS = 50_000  # of one run of the libmodbus loop
ONE = ReadLimits(max_registers=REGISTERS)
FOUR = ReadLimits(max_registers=REGISTERS, max_in_flight=4)
# wire addresses of an Eastron SDM630, as the public mbmd map lists them; its first 50
SDM630 = (
    *range(0, 36, 2), 42, 46, 48, 52, 56, 60, 62, 66, 70, 72, 74, 76, 78, 84, 86, 88,
    *range(200, 208, 2), 224, 234, 236, 238, 240, 242, 244, 248, 250, 334, 336, 338,
)  # fmt: skip


def _against_libmodbus(program: Path | None, port: int, devices: int, limits: ReadLimits) -> list[Row]:
    blocks = limits.max_in_flight  # so that there is something to ask for at once
    ours: list[Rate] = []
    theirs: list[tuple[float, float]] = []
    for _ in range(RUNS):  # in turn, so that both see the same machine
        ours.append(run(polled_rate(port, devices, blocks * REGISTERS // 2, RUN_S, limits)))
        if program is not None:
            theirs.append(libmodbus_rate(program, port, devices, C_REQUESTS // devices, REGISTERS))
    mine = statistics.median(rate.requests for rate in ours)
    cpu = statistics.median(rate.cpu_us for rate in ours)
    what = f"Modbus TCP, {devices} x {REGISTERS} registers, {limits.max_in_flight} in flight"
    rate: Row = {
        "name": f"{what}: decoded and in the spool",
        "value": round(mine),
        "unit": "requests/s",
        "against": MISSING_LIBMODBUS,
        "goal": ">= 0.65x" if devices == 1 else ">= 2x",
    }
    share: Row = {"name": f"{what}: our CPU", "value": round(cpu, 2), "unit": "us/request"}
    if theirs:
        c_rate = statistics.median(rate for rate, _ in theirs)
        c_cpu = statistics.median(cpu for _, cpu in theirs)
        lowest, highest = min(r.requests for r in ours), max(r.requests for r in ours)
        rate |= {
            "against": f"blocking libmodbus in C: {c_rate:,.0f} (ours {lowest:,.0f} to {highest:,.0f})",
            "ratio": round(mine / c_rate, 2),
        }
        share |= {"against": f"libmodbus: {c_cpu:.2f}", "ratio": round(cpu / c_cpu, 2)}
    return [rate, share]


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

    ours, theirs = [], []
    for _ in range(RUNS):
        ours.append(run(polled_rate(port, 1, REGISTERS // 2, 0.5, ONE)).requests)
        theirs.append(run(library()))
    mine, its = statistics.median(ours), statistics.median(theirs)
    return {
        "name": "Modbus TCP, 1 device: the same against pymodbus, which decodes and stores nothing",
        "value": round(mine),
        "unit": "requests/s",
        "against": f"pymodbus on uvloop: {its:,.0f}",
        "ratio": round(mine / its, 2),
    }


def _on_slow_devices(program: Path) -> Row:
    floats, one_by_one = 60, ReadLimits(max_registers=2, max_gap=0)
    with server(program, delay_ms=20) as port:
        blocks = [run(polled_rate(port, DEVICES, floats, RUN_S)).requests for _ in range(RUNS)]
        singles = [run(polled_rate(port, DEVICES, floats, RUN_S, one_by_one)).requests for _ in range(RUNS)]
    block, single = statistics.median(blocks) * floats, statistics.median(singles)
    return {
        "name": f"devices that take 20 ms, {DEVICES} x {floats} floats in blocks",
        "value": round(block),
        "unit": "points/s",
        "against": f"one point a request: {single:,.0f}",
        "ratio": round(block / single, 1),
        "goal": ">= 25x",
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
        "against": f"one point a request: {len(SDM630)}",
        "goal": "<= 3",
    }


def _timed_ns(job: Callable[[], object], times: int, values: int) -> float:
    runs = []
    for _ in range(RUNS):
        began = time.thread_time()
        for _ in range(times):
            job()
        runs.append((time.thread_time() - began) / times / values * 1e9)
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
    row: Row = {
        "name": f"decode: one float of a reply with {floats}",
        "value": round(mine, 1),
        "unit": "ns",
        "against": f"struct.unpack a value: {plain:.0f}",
        "ratio": round(mine / plain, 2),
    }
    return row | ({"goal": "<= 30"} if floats >= 100 else {})  # the goal is one for blocks of 100 and more


async def _spool_rate() -> float:
    keys = tuple(("meter", f"p{n}") for n in range(50))
    records = 2_000
    async with spooling(window_s=0.0) as spool:
        began = time.perf_counter()
        for n in range(records):
            done = spool.append(Record(keys, n, np.arange(50.0), np.zeros(50, np.int16)))
            if n % 20 == 19:  # 1,000 values a commit
                await done
        return records * 50 / (time.perf_counter() - began)


def rows() -> list[Row]:
    """All measurements, on one core; the server has another."""
    with on_core(OUR_CORE):
        return [*_on_sockets(), _planning(), _decoding(50), _decoding(100), _decoding(125), _spooling()]


def _on_sockets() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="ec-bench-") as folder:
        program = compiled("server", Path(folder))
        if program is None:
            return [{"name": "Modbus TCP", "value": None, "unit": "", "against": "apt install gcc"}]
        client = libmodbus_loop(Path(folder))
        with server(program) as port:
            measured = [
                row
                for limits in (ONE, FOUR)
                for devices in (1, DEVICES)
                for row in _against_libmodbus(client, port, devices, limits)
            ]
            measured.append(_against_pymodbus(port))
        return [*measured, _on_slow_devices(program)]


def _spooling() -> Row:
    return {
        "name": "spool: values on disk, 1,000 a commit",
        "value": round(statistics.median(run(_spool_rate()) for _ in range(RUNS))),
        "unit": "values/s",
        "goal": ">= 50,000",
    }
