"""Whether the collector's memory stays flat: its resident size each minute while it reads 10,400 points."""

import asyncio
import time
from datetime import UTC, datetime

import numpy as np
import psutil

from energy_center.cli import out
from energy_center.cli.soak_report import Figure, SoakPart
from energy_center.cli.soak_stand import SoakStand

WARM_UP_SHARE = 1 / 6  # of the run, which does not count: caches fill and the allocator settles
FLAT_SHARE = 0.02  # of the resident size, over the part that counts
MIB = 1024**2


async def run_memory(minutes: float) -> SoakPart:
    """Read for so long, and note the size each minute (ten times at least)."""
    began = time.monotonic()
    every_s = min(60.0, minutes * 6)
    series: list[tuple[float, float, float]] = []
    async with SoakStand() as stand:
        await stand.until_all_read()
        process = psutil.Process(stand.collector.pid)
        process.cpu_percent()
        started = time.monotonic()
        while (passed := time.monotonic() - started) < minutes * 60:
            await asyncio.sleep(every_s)
            passed += every_s
            series.append(
                (round(passed / 60, 1), round(process.memory_info().rss / MIB, 2), process.cpu_percent())
            )
            out.error(f"{series[-1][0]:g} min: {series[-1][1]:g} MiB, {series[-1][2]:g} % of a core")
        await stand.mute_all()
        await asyncio.sleep(5.0)
        sent, stored = await stand.served(), await stand.stored()
    at, size, cpu = np.array(series).T
    counted = at > WARM_UP_SHARE * minutes
    slope = float(np.polyfit(at[counted], size[counted], 1)[0]) if counted.sum() > 1 else 0.0
    growth = slope * float(np.ptp(at[counted]))
    return SoakPart(
        "memory",
        f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
        (time.monotonic() - began) / 60,
        f"{len(stand.plant.bindings):,} points of {len(stand.plant.devices)} meters behind "
        f"{len(stand.plant.connections)} gateways at 10 s, into the database, for {minutes:g} min.",
        (
            Figure("resident size at the end", round(float(size[-1]), 1), "MiB"),
            Figure("slope after the first sixth", round(slope * 1024, 1), "KiB a minute"),
            Figure(
                "growth after the first sixth",
                round(growth, 2),
                "MiB",
                f"<= {FLAT_SHARE:.0%} of the size",
                growth <= FLAT_SHARE * float(size[-1]),
            ),
            Figure("processor, mean", round(float(cpu.mean()), 1), "% of a core"),
            Figure("lost", (sent - stored).total(), "", "0", not sent - stored),
            Figure("doubled", (stored - sent).total(), "", "0", not stored - sent),
        ),
        ("minute", "resident, MiB", "processor, %"),
        series,
    )
