"""Kills the collector at random moments, again and again, and counts what had been on disk.

A reading is owed once the spool has committed it; a published one once the broker has it (QoS 1). Polled
values that were on their way to the disk at a kill are told, not owed.
"""

import asyncio
import random
import time
from dataclasses import dataclass

from energy_center.cli import out
from energy_center.cli.fault_breaks import WINDOW_S
from energy_center.cli.fault_ledger import Instants
from energy_center.cli.fault_report import FaultRow
from energy_center.cli.fault_stand import FaultStand

SHORTEST_S, LONGEST_S = 0.5, 4.0  # of a life: from before the first reading to many commits
TOLD_EVERY = 10


@dataclass(frozen=True, slots=True)
class Kills:
    """What came of it; polled values in flight at kills, and those that came within `WINDOW_S` before one."""

    row: FaultRow
    in_flight: int
    in_window: int


async def run_kills(stand: FaultStand, kills: int, seed: int = 1) -> Kills:
    """Kill, note what is on disk, start again; in the end everything noted must be in the database."""
    rng = random.Random(seed)  # noqa: S311  spreads the kills, guards nothing
    began = time.monotonic()
    on_disk: Instants = set()
    window = 0
    for number in range(1, kills + 1):
        await asyncio.sleep(rng.uniform(SHORTEST_S, LONGEST_S))
        at = time.monotonic()
        await stand.kill_collector()
        given = await stand.control("proxy", do="since", at=at - WINDOW_S)
        window += int(str(given["given"]))
        on_disk |= await stand.spooled()
        await stand.launch_collector()
        if number % TOLD_EVERY == 0:
            out.error(f"{number} of {kills} kills; {len(on_disk)} readings were only on disk at one")
    await asyncio.sleep(LONGEST_S)
    counts = await stand.settle()
    missing = len(on_disk - await stand.instants())
    unpublished = stand.published(counts.lost).total()
    doubled = counts.doubled.total()
    in_flight = counts.lost.total() - unpublished
    row = FaultRow(
        name=f"kills-{kills}",
        happens=f"SIGKILL to the collector at {kills} random moments",
        must_hold="all that was on disk, or published at QoS 1, is stored once; in flight is at most 100 ms",
        served=counts.sent.total() - in_flight,
        stored=counts.stored.total(),
        lost=missing + unpublished,
        doubled=doubled,
        ok=missing == 0 and unpublished == 0 and doubled == 0 and in_flight <= window,
        seconds=round(time.monotonic() - began, 1),
        note=f"{len(on_disk)} were only on disk at a kill; in flight and not owed: {in_flight} polled values "
        f"({window} came within {WINDOW_S * 1000:.0f} ms before a kill)",
    )
    return Kills(row, in_flight, window)
