"""How dear a reading is from the wire to the disk, against plainer ways in the same run; half a minute.

Workload: one Modbus TCP device in a process of its own, 50 floats in 100 registers, one request at a time;
client CPU per request. Decoding of that block. The spool with records of 50 values, on disk before it counts.
Median of five runs each.
"""

import asyncio
import math
import multiprocessing
import socket
import statistics
import struct
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
from pymodbus.client import AsyncModbusTcpClient

from collectors.decode import BlockDecoder
from collectors.driver import BusContext
from collectors.drivers.modbus import ModbusDriver
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

RUNS = 5
FLOATS = 50
Row = dict[str, object]


def points() -> list[PointBinding]:
    """50 floats in 100 registers, in W, to be kept in kW."""
    return [
        PointBinding(
            ("meter", f"p{n}"),
            Role.ACTIVE_POWER,
            "bus",
            "meter",
            5.0,
            Linear(0.001),
            ModbusSource(1, Table.HOLDING, 2 * n, RegisterType.F32),
        )
        for n in range(FLOATS)
    ]


def _serve(listening: socket.socket) -> None:
    payload = struct.pack(f">{FLOATS}f", *range(FLOATS))
    connection, _ = listening.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while request := connection.recv(256):
        _, count = struct.unpack(">HH", request[8:12])
        octets = payload[: 2 * count]
        head = struct.pack(
            ">HHHBBB", *struct.unpack(">H", request[:2]), 0, 3 + len(octets), 1, 3, len(octets)
        )
        connection.sendall(head + octets)


async def _cpu_us(once: Callable[[], Awaitable[object]], n: int) -> float:
    took = []
    for _ in range(RUNS):
        began = time.process_time()
        for _ in range(n):
            await once()
        took.append((time.process_time() - began) / n * 1e6)
    return statistics.median(took)


def _device() -> tuple[multiprocessing.Process, int]:
    listening = socket.create_server(("127.0.0.1", 0))
    port = int(listening.getsockname()[1])
    device = multiprocessing.get_context("fork").Process(target=_serve, args=(listening,), daemon=True)
    device.start()
    listening.close()
    return device, port


async def _modbus() -> list[Row]:
    device, port = _device()
    driver = ModbusDriver(
        BusContext(
            Connection("bus", ModbusTcp("127.0.0.1", port)),
            (Device("meter", "bus", 1),),
            tuple(points()),
            "b",
        )
    )
    (block,) = driver.plan([Device("meter", "bus", 1)], points())
    singles = [driver.plan([Device("meter", "bus", 1)], [p])[0] for p in points()]
    await driver.open()
    ours = await _cpu_us(lambda: driver.read(block), 500)

    async def one_by_one() -> None:
        for single in singles:
            await driver.read(single)

    apart = await _cpu_us(one_by_one, 20)
    await driver.close()
    device.join(5)
    device, port = _device()
    theirs = AsyncModbusTcpClient("127.0.0.1", port=port, retries=0)
    await theirs.connect()
    library = await _cpu_us(lambda: theirs.read_holding_registers(0, count=100, device_id=1), 500)
    theirs.close()
    device.join(5)
    return [
        {
            "name": "Modbus TCP: 50 floats read and decoded, client CPU",
            "value": round(ours, 1),
            "unit": "us",
            "against": f"pymodbus, not decoded: {library:.1f} us",
            "ratio": round(library / ours, 2),
        },
        {
            "name": "Modbus TCP: the same as one block",
            "value": round(ours, 1),
            "unit": "us",
            "against": f"one request a point: {apart:.0f} us",
            "ratio": round(apart / ours, 1),
        },
    ]


def _decoding() -> Row:
    payload = struct.pack(f">{FLOATS}f", *range(FLOATS))
    decoder = BlockDecoder(points(), 0)
    ours, plain = [], []
    for _ in range(RUNS):
        began = time.perf_counter()
        for _ in range(2000):
            decoder.decode(payload)
        ours.append((time.perf_counter() - began) / 2000 / FLOATS * 1e9)
        began = time.perf_counter()
        for _ in range(400):
            for n in range(FLOATS):
                (value,) = struct.unpack(">f", payload[4 * n : 4 * n + 4])
                math.isfinite(value * 0.001)
        plain.append((time.perf_counter() - began) / 400 / FLOATS * 1e9)
    mine, naive = statistics.median(ours), statistics.median(plain)
    return {
        "name": "decode: one float of a block of 50",
        "value": round(mine, 1),
        "unit": "ns",
        "against": f"struct.unpack a value: {naive:.0f} ns",
        "ratio": round(naive / mine, 2),
    }


async def _spooling() -> Row:
    keys = tuple(("meter", f"p{n}") for n in range(FLOATS))
    records = 400
    rates = []
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory(prefix="ec-spool-") as folder:
            spool = Spool(Path(folder), SpoolLimits(window_s=0.0))
            running = asyncio.ensure_future(spool.run())
            began = time.perf_counter()
            for n in range(records):
                done = spool.append(Record(keys, n, np.arange(50.0), np.zeros(50, np.int16)))
                if n % 20 == 19:  # 1,000 values a commit
                    await done
            rates.append(records * FLOATS / (time.perf_counter() - began))
            spool.stop()
            await running
    return {
        "name": "spool: values on disk, 1,000 a commit",
        "value": round(statistics.median(rates)),
        "unit": "1/s",
    }


def rows() -> list[Row]:
    """All measurements."""
    return [*asyncio.run(_modbus()), _decoding(), asyncio.run(_spooling())]
