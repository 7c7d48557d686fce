"""How fast the store is, as ratios against plainer ways of doing the same in the same run; about a minute.

Workload: 2,000 points at 1 min for writing, 50 meters for 14 days at 1 min for reading. Median of five runs
each. The server is the embedded one with its shipped settings, fsync on, on a Unix socket.
"""

import asyncio
import io
import shutil
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from energy_center.domain.quantities import Role
from energy_center.domain.readings import PointId
from energy_center.domain.site import Equipment, Point, Site, Space, SpaceKind, Text
from energy_center.store import readings
from energy_center.store.embedded import EmbeddedPostgres
from energy_center.store.latest import latest_of
from energy_center.store.migrate import migrate
from energy_center.store.partitions import ensure_weeks, weeks_between
from energy_center.store.pool import Database
from energy_center.store.readings import ReadingBatch, write_backlog, write_readings
from energy_center.store.rollups import roll_up
from energy_center.store.series import Grain, read_series
from energy_center.store.site import apply_site

RUNS = 5
START = datetime(2026, 6, 1, tzinfo=UTC)  # a Monday: all that is written lies in three weeks
ZONE = "Asia/Taipei"
MINUTE_US = 60_000_000
Row = dict[str, object]


def rows() -> list[Row]:
    """Name, value and unit of each figure; where it is compared, `against` what and the `ratio` to it."""
    return asyncio.run(_all())


async def _all() -> list[Row]:
    folder = Path(tempfile.mkdtemp(prefix="ec-bench-"))
    folder.chmod(0o755)
    server = EmbeddedPostgres(folder)
    try:
        found = await _server(server)
        db = await Database.open(await server.start(), max_size=4)
        await migrate(db)
        await ensure_weeks(db, weeks_between(START, START + timedelta(days=34)))
        found += await _writing(db)
        await _empty(db)
        found += await _reading(db)
        found += await _rolling_up(db)
        await db.close()
        return found
    finally:
        await server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _row(name: str, value: float, unit: str, against: str | None = None, ratio: float | None = None) -> Row:
    compared = {} if ratio is None else {"against": against, "ratio": round(ratio, 3)}
    return {"name": f"store: {name}", "value": round(value, 3), "unit": unit, **compared}


async def _seconds(work: Callable[[], Awaitable[object]]) -> float:
    start = time.perf_counter()
    await work()
    return time.perf_counter() - start


async def _server(server: EmbeddedPostgres) -> list[Row]:
    cold = await _seconds(server.start)
    stops, warm = [], []
    for _ in range(RUNS):
        stops.append(await _seconds(server.stop))
        warm.append(await _seconds(server.start))
    return [
        _row("embedded server, first start", cold, "s"),
        _row("embedded server, start", statistics.median(warm), "s"),
        _row("embedded server, stop", statistics.median(stops), "s"),
    ]


class Minutes:
    """Readings of 2,000 points, a minute after the other, never the same twice."""

    def __init__(self, points: int = 2000, first: int = 1) -> None:
        self._ids = np.arange(first, first + points, dtype=np.int32)
        self._next = readings.to_us(START)
        self._random = np.random.default_rng(7)

    def take(self, count: int) -> ReadingBatch:
        """The next `count` readings in order of arrival."""
        n = len(self._ids)
        minutes = -(-count // n)
        at = self._next + np.arange(minutes, dtype=np.int64) * MINUTE_US
        self._next += minutes * MINUTE_US
        values = self._random.uniform(0, 100, count).round(1)
        return ReadingBatch(
            np.tile(self._ids, minutes)[:count], np.repeat(at, n)[:count], values, np.zeros(count, np.int16)
        )


async def _copy(db: Database, batch: ReadingBatch) -> None:
    body = readings._COPY_HEAD + readings._copy_rows(batch) + readings._COPY_END
    async with db.connection() as connection:
        await connection.copy_to_table("reading", source=io.BytesIO(body), format="binary")


async def _copy_records(db: Database, batch: ReadingBatch) -> None:
    at = [readings.from_us(us) for us in batch.at_us.tolist()]
    records = list(
        zip(at, batch.value.tolist(), batch.point_id.tolist(), batch.quality.tolist(), strict=True)
    )
    async with db.connection() as connection:
        await connection.copy_records_to_table(
            "reading", records=records, columns=["ts", "value", "point_id", "quality"]
        )


async def _insert(db: Database, batch: ReadingBatch) -> None:
    async with db.transaction() as connection:
        await connection.execute(readings._INSERT, *readings._columns(batch))


async def _live(db: Database, batch: ReadingBatch) -> None:
    await write_readings(db, batch, START)


async def _backlog(db: Database, batch: ReadingBatch) -> None:
    await write_backlog(db, batch, START)


Writer = Callable[[Database, ReadingBatch], Awaitable[None]]
TOTAL = 40_000


async def _writing(db: Database) -> list[Row]:
    ways: dict[str, tuple[Writer, int]] = {
        "COPY": (_copy, 20_000),
        "copy_records_to_table": (_copy_records, 20_000),
        "insert": (_insert, 5_000),
        "live": (_live, 5_000),
        "live 1k": (_live, 1_000),
        "backlog": (_backlog, 20_000),
    }
    source = Minutes()
    speeds: dict[str, list[float]] = {name: [] for name in [*ways, "replay", "two writers"]}
    for _ in range(RUNS):  # in turns, so that a slow moment of the machine meets all of them
        for name, (write, size) in ways.items():
            batches = [source.take(size) for _ in range(TOTAL // size)]
            speeds[name].append(TOTAL / await _seconds(lambda w=write, b=batches: _in_turn(db, w, b)))
            if name == "live":
                again = await _seconds(lambda b=batches: _in_turn(db, _live, b))
                speeds["replay"].append(TOTAL / again)
        speeds["two writers"].append(await _two_writers(db, source))
    v = {name: statistics.median(found) for name, found in speeds.items()}
    bytes_per_row = await _bytes_per_row(db)
    unit = "rows/s"
    return [
        _row("COPY binary into reading", v["COPY"], unit),
        _row("copy_records_to_table, 20k", v["copy_records_to_table"], unit),
        _row("insert alone, batches of 5k", v["insert"], unit, "COPY binary", v["insert"] / v["COPY"]),
        _row(
            "live batch of 5k: latest, log, notify",
            v["live"],
            unit,
            "insert alone",
            v["live"] / v["insert"],
        ),
        _row("live batch, 5k", v["live"], unit, "COPY binary", v["live"] / v["COPY"]),
        _row("live batches of 1k", v["live 1k"], unit, "of 5k", v["live 1k"] / v["live"]),
        _row("replay of stored rows", v["replay"], unit, "the first write", v["replay"] / v["live"]),
        _row("two writers", v["two writers"], unit, "one", v["two writers"] / v["live"]),
        _row("backlog, 20k", v["backlog"], unit, "COPY binary", v["backlog"] / v["COPY"]),
        _row(
            "backlog, staged 20k",
            v["backlog"],
            unit,
            "copy_records_to_table",
            v["backlog"] / v["copy_records_to_table"],
        ),
        _row("size of a reading with its key", bytes_per_row, "bytes"),
    ]


async def _in_turn(db: Database, write: Writer, batches: list[ReadingBatch]) -> None:
    for batch in batches:
        await write(db, batch)


async def _two_writers(db: Database, source: Minutes) -> float:
    whole = source.take(TOTAL)
    halves = [np.flatnonzero(whole.point_id % 2 == parity) for parity in (0, 1)]
    jobs = [[whole.take(part) for part in np.array_split(half, TOTAL // 2 // 5_000)] for half in halves]

    async def both() -> None:
        async with asyncio.TaskGroup() as group:
            for job in jobs:
                group.create_task(_in_turn(db, _live, job))

    return TOTAL / await _seconds(both)


async def _bytes_per_row(db: Database) -> float:
    async with db.connection() as connection:
        return float(
            await connection.fetchval(
                "SELECT sum(pg_total_relation_size(inhrelid)) / (SELECT count(*) FROM reading) "
                "FROM pg_inherits WHERE inhparent = 'reading'::regclass"
            )
        )


METERS, DAYS = 50, 14


async def _empty(db: Database) -> None:
    async with db.connection() as connection:
        await connection.execute("TRUNCATE reading, invalidation, latest")


async def _meters(db: Database) -> list[PointId]:
    text = Text("錶", "meter")
    equipment = tuple(
        Equipment(
            f"m{n}",
            "Electrical_Meter",
            text,
            "site",
            points=(Point(f"m{n}", "energy", Role.ENERGY_IMPORT, 60.0),),
        )
        for n in range(METERS)
    )
    space = Space("site", None, SpaceKind.SITE, text)
    site = await apply_site(db, Site("site", text, ZONE, (space,), equipment), "", "bench", START)
    return [point.point_id for point in site.points()]


async def _reading(db: Database) -> list[Row]:
    ids = await _meters(db)
    minutes = DAYS * 1440
    source = Minutes(len(ids), min(ids))
    for _ in range(DAYS):
        batch = source.take(len(ids) * 1440)
        rising = np.sort(batch.value.reshape(1440, -1), axis=0).ravel()
        await write_backlog(db, ReadingBatch(batch.point_id, batch.at_us, rising, batch.quality), START)
    roll = await _seconds(lambda: _settle(db))
    async with db.connection() as connection:
        await connection.execute("VACUUM ANALYZE reading, reading_15min, reading_day, latest")
    end = START + timedelta(days=DAYS)
    one = await _compare(
        lambda: read_series(db, ids[:1], START, end, Grain.QUARTER),
        lambda: _fetch(db, _RAW_TREND, ids[0], START, end),
    )
    report = await _compare(
        lambda: read_series(db, ids, START, end, Grain.DAY), lambda: _fetch(db, _RAW_REPORT, ids, START, end)
    )
    newest = await _compare(lambda: latest_of(db, ids), lambda: _fetch(db, _LATERAL, ids))
    return [
        _row("roll-up of history", minutes * len(ids) / roll, "readings/s"),
        _row("one point, 14 days by 15 min", one[0] * 1e3, "ms", "from raw readings", one[0] / one[1]),
        _row("50 meters, 14 days by day", report[0] * 1e3, "ms", "from raw readings", report[0] / report[1]),
        _row("newest value of 50 points", newest[0] * 1e3, "ms", "last by index", newest[0] / newest[1]),
    ]


_RAW_TREND = (
    "SELECT date_bin('15 min', ts, 'epoch'), avg(value), min(value), max(value), count(*), "
    "(array_agg(value ORDER BY ts))[1] FROM reading "
    "WHERE point_id = $1 AND ts >= $2 AND ts < $3 GROUP BY 1 ORDER BY 1"
)
_RAW_REPORT = (
    "SELECT point_id, date_trunc('day', ts, 'Asia/Taipei'), max(value) - min(value), count(*) FROM reading "
    "WHERE point_id = ANY($1::int[]) AND ts >= $2 AND ts < $3 GROUP BY 1, 2 ORDER BY 1, 2"
)
_LATERAL = (
    "SELECT p, r.ts, r.value FROM unnest($1::int[]) AS p CROSS JOIN LATERAL "
    "(SELECT ts, value FROM reading WHERE point_id = p ORDER BY ts DESC LIMIT 1) AS r"
)


async def _fetch(db: Database, sql: str, *arguments: Any) -> None:
    async with db.connection() as connection:
        await connection.fetch(sql, *arguments)


async def _compare(
    ours: Callable[[], Awaitable[object]], plain: Callable[[], Awaitable[object]]
) -> tuple[float, float]:
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(RUNS + 1):
        times[0].append(await _seconds(ours))
        times[1].append(await _seconds(plain))
    return statistics.median(times[0][1:]), statistics.median(times[1][1:])  # the first pair warms up


async def _settle(db: Database) -> None:
    while await roll_up(db, ZONE, START + timedelta(days=60)):
        pass


async def _rolling_up(db: Database) -> list[Row]:
    source = Minutes(2000, 10_000)
    ingest, roll = [], []
    for _ in range(RUNS):
        batches = [source.take(6_000) for _ in range(5)]  # 15 minutes of 2,000 points
        ingest.append(await _seconds(lambda b=batches: _in_turn(db, _live, b)))
        roll.append(await _seconds(lambda: _settle(db)))
    bucket, stored = statistics.median(roll), statistics.median(ingest)
    idle = await _seconds(lambda: _settle(db))
    return [
        _row(
            "roll-up of a bucket of 2,000 points", bucket * 1e3, "ms", "storing its readings", bucket / stored
        ),
        _row("roll-up with nothing to do", idle * 1e3, "ms"),
    ]
