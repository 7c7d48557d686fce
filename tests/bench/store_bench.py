"""2,000 points at 1 min, half of them counters, in batches of 20,000 into the weekly partitions of `reading`
with their key; the embedded server with its shipped settings, fsync on, on a Unix socket. Medians of runs in
turns, so that a slow moment of the machine meets all of them. "All roll-ups current" is a writer at full
speed while another connection rolls up every two seconds, timed until the last roll-up is done.
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

import numpy as np

from energy_center.domain.quantities import Role
from energy_center.store.capabilities import capabilities
from energy_center.store.embedded import EmbeddedPostgres
from energy_center.store.insert import insert_rows
from energy_center.store.partitions import ensure_weeks, weeks_between
from energy_center.store.pool import Database
from energy_center.store.readings import ReadingBatch, write_backlog, write_readings
from energy_center.store.rollups import roll_up
from tests.bench.store_stand import (
    FAR,
    MINUTE_US,
    START,
    ZONE,
    Row,
    Signals,
    apply_points,
    compared,
    copy_records,
    row,
    seconds,
    settle,
    stand,
)

GROUP = "Store: writing"
RUNS = 7
POINTS = 2_000
STEPS = 10  # minutes a batch: 20,000 readings
BATCHES = 3  # in a turn
ROLES = [Role.ENERGY_IMPORT, Role.ACTIVE_POWER] * (POINTS // 2)
ALL_CURRENT_S = 15.0
BASE = "copy_records_to_table"
Writer = Callable[[Database, ReadingBatch], Awaitable[object]]


def rows() -> list[Row]:
    """Server, writing, roll-ups."""
    return asyncio.run(_all())


async def _all() -> list[Row]:
    async with stand() as (_, db):
        await ensure_weeks(db, weeks_between(START, START + timedelta(days=60)))
        ids = await apply_points(db, ROLES, 60.0)
        source = Signals(ids, ROLES, MINUTE_US)
        found = await _writing(db, source)
        found += await _rolling_up(db, source)
        found += await _all_current(db, source)
        found += await _late(db, source)
        found.append(row("size of a reading with its key, as it arrives", await _bytes(db), "bytes"))
    async with stand() as (server, db):
        await db.close()
        return found + await _server(server)


async def _server(server: EmbeddedPostgres) -> list[Row]:
    stops, starts = [], []
    for _ in range(5):
        stops.append(await seconds(server.stop))
        starts.append(await seconds(server.start))
    return [
        row("embedded server, start", statistics.median(starts), "s", goal="<= 1"),
        row("embedded server, stop", statistics.median(stops), "s", goal="<= 1"),
    ]


async def _insert(db: Database, batch: ReadingBatch) -> None:
    takes_copy = (await capabilities(db)).takes_copy
    async with db.transaction() as connection:
        await insert_rows(connection, batch, takes_copy=takes_copy)


async def _live(db: Database, batch: ReadingBatch) -> None:
    await write_readings(db, batch, FAR)


async def _in_thousands(db: Database, batch: ReadingBatch) -> None:
    for part in np.array_split(np.arange(len(batch)), len(batch) // 1_000):
        await write_readings(db, batch.take(part), FAR)


async def _by_two(db: Database, batch: ReadingBatch) -> None:
    halves = [batch.take(np.flatnonzero(batch.point_id % 2 == parity)) for parity in (0, 1)]
    async with asyncio.TaskGroup() as group:
        for half in halves:
            group.create_task(write_readings(db, half, FAR))


async def _writing(db: Database, source: Signals) -> list[Row]:
    ways: dict[str, Writer] = {
        BASE: copy_records,
        "insert": _insert,
        "live": _live,
        "live 1k": _in_thousands,
        "two": _by_two,
    }
    speeds: dict[str, list[float]] = {name: [] for name in [*ways, "replay"]}
    for _ in range(RUNS):
        for name, write in ways.items():
            batches = [source.take(STEPS) for _ in range(BATCHES)]
            speeds[name].append(await _speed(db, write, batches))
            if name == "live":
                speeds["replay"].append(await _speed(db, _live, batches))
    v = {name: statistics.median(found) for name, found in speeds.items()}
    told = {
        "insert": ("idempotent insert alone", BASE, ">= 0.75x"),
        "live": ("with latest, invalidation log and notify", BASE, ">= 0.5x"),
        "live 1k": ("the same in batches of 1,000", "live", None),
        "two": ("the same by two writers", "live", None),
        "replay": ("replay of stored rows", "live", None),
    }
    return [
        row("copy_records_to_table, which knows no replay", v[BASE], "rows/s"),
        *(
            compared(words, v[name], "rows/s", "20k" if base == "live" else base, v[name] / v[base], goal)
            for name, (words, base, goal) in told.items()
        ),
    ]


async def _speed(db: Database, write: Writer, batches: list[ReadingBatch]) -> float:
    async def work() -> None:
        for batch in batches:
            await write(db, batch)

    return sum(map(len, batches)) / await seconds(work)


async def _rolling_up(db: Database, source: Signals) -> list[Row]:
    await settle(db)
    write, roll = [], []
    for _ in range(RUNS):
        batch = source.take(15)
        write.append(await seconds(lambda b=batch: _live(db, b)))
        roll.append(await seconds(lambda: settle(db)))
    bucket, stored = statistics.median(roll), statistics.median(write)
    return [
        compared("roll-up of 15 min of 2,000 points", bucket * 1e3, "ms", "storing them", bucket / stored),
        row("roll-up with nothing to do", await seconds(lambda: settle(db)) * 1e3, "ms"),
    ]


async def _late(db: Database, source: Signals) -> list[Row]:
    """15,000 readings at random instants of the year before, each in a bucket of its own or nearly so."""
    random = np.random.default_rng(3)
    batch = source.take(8)
    year_us = 365 * 86_400_000_000
    n = 15_000
    late = ReadingBatch(
        batch.point_id[:n],
        batch.at_us[:n] - random.integers(0, year_us, n) // MINUTE_US * MINUTE_US,
        batch.value[:n],
        batch.quality[:n],
    )
    await write_backlog(db, late, FAR)
    return [
        row("roll-up of 15,000 late readings scattered over a year", await seconds(lambda: settle(db)), "s")
    ]


async def _all_current(db: Database, source: Signals) -> list[Row]:
    await settle(db)
    base = await _plain(db, source)
    waits: list[float] = []
    done = asyncio.Event()
    written = 0
    start = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        group.create_task(_keep_current(db, done, waits))
        while time.perf_counter() - start < ALL_CURRENT_S:
            batch = source.take(STEPS)
            await _live(db, batch)
            written += len(batch)
        done.set()
    speed = written / (time.perf_counter() - start)  # the group ends with the last roll-up
    plain = statistics.median(base + await _plain(db, source))
    return [
        compared("with all roll-ups current", speed, "rows/s", BASE, speed / plain, ">= 0.4x"),
        row("longest wait of a reading for its roll-ups meanwhile", max(waits), "s", goal="<= 60"),
    ]


async def _plain(db: Database, source: Signals) -> list[float]:
    return [
        await _speed(db, copy_records, [source.take(STEPS) for _ in range(BATCHES)]) for _ in range(RUNS // 2)
    ]


async def _keep_current(db: Database, done: asyncio.Event, waits: list[float]) -> None:
    """Roll up every two seconds; note how long the oldest entry may have waited each time nothing is left."""
    clear = time.perf_counter()
    is_last = False
    while not is_last:
        is_last = done.is_set()
        began = time.perf_counter()
        while await roll_up(db, ZONE, FAR):
            if time.perf_counter() - began > ALL_CURRENT_S and not done.is_set():
                break
        waits.append(time.perf_counter() - clear)
        clear = began
        if not is_last:
            await asyncio.sleep(max(0.0, 2.0 - (time.perf_counter() - began)))


async def _bytes(db: Database) -> float:
    async with db.connection() as connection:
        await connection.execute("VACUUM reading")
        return float(
            await connection.fetchval(
                "SELECT sum(pg_total_relation_size(inhrelid)) / (SELECT count(*) FROM reading) "
                "FROM pg_inherits WHERE inhparent = 'reading'::regclass"
            )
        )
