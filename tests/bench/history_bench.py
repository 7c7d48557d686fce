"""200 points at 5 min (100 counters, 60 powers, 40 temperatures) for as many months as
`ENERGY_CENTER_BENCH_MONTHS` says (4; 12 give 21 million readings), and 2,000 points at 1 min for two days, on
the embedded server. A query's p95 of 20 runs is compared with the median of three computations of the same
figures from raw readings: mean by time, band, first and last, consumption, coverage. "By their index" uses
the key of `reading`; "a raw scan" reads all of the period, as it would without such a key. A roll-up is timed
after each month, to see whether it grows with the history.
"""

import asyncio
import os
import statistics
from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from energy_center.domain.quantities import Role
from energy_center.domain.readings import PointId
from energy_center.store.chunks import compress_old
from energy_center.store.latest import latest_of
from energy_center.store.migrate import migrate
from energy_center.store.partitions import reindex_closed
from energy_center.store.pool import Database
from energy_center.store.readings import write_backlog, write_readings
from energy_center.store.series import Grain, read_series
from tests.bench.store_stand import (
    FAR,
    MINUTE_US,
    START,
    ZONE,
    Row,
    Signals,
    Work,
    apply_points,
    compared,
    fetch_raw,
    row,
    seconds,
    settle,
    stand,
)
from tests.timescaledb.server import NotHere, TimescaleInWasm, make_extension

GROUP = "Store: history"
MONTHS = int(os.environ.get("ENERGY_CENTER_BENCH_MONTHS", "4"))
ROLES = [Role.ENERGY_IMPORT] * 100 + [Role.ACTIVE_POWER] * 60 + [Role.SUPPLY_AIR_TEMPERATURE] * 40
DAY = timedelta(days=1)
MONTH_DAYS = 30
OURS, RAW = 20, 3

# the figures of a roll-up from raw readings: what a program without roll-ups would have to ask
_SAME_ANSWER = """
WITH held AS (
    SELECT point_id, ts, value, quality, {bucket} AS b,
           lead(ts) OVER w AS after, value - lag(value) OVER w AS rise
    FROM reading WHERE point_id = ANY($1::int[]) AND ts >= $2 AND ts < $3 AND quality & 9 = 0
    WINDOW w AS (PARTITION BY point_id ORDER BY ts)
),
weighed AS (
    SELECT point_id, ts, value, quality, b, greatest(rise, 0) AS rise,
           least(extract(epoch FROM after - ts), 450)::float8 AS held_s FROM held
)
SELECT point_id, b, sum(value * held_s) / sum(held_s), min(value), max(value),
       (array_agg(value ORDER BY ts))[1], (array_agg(value ORDER BY ts DESC))[1], sum(rise),
       sum(held_s), bit_or(quality)
FROM weighed GROUP BY point_id, b ORDER BY point_id, b"""
_BY_QUARTER = _SAME_ANSWER.format(bucket="date_bin('15 min', ts, 'epoch'::timestamptz)")
_BY_HOUR = _SAME_ANSWER.format(bucket=f"date_trunc('hour', ts, '{ZONE}')")
_BY_DAY = _SAME_ANSWER.format(bucket=f"date_trunc('day', ts, '{ZONE}')")
_LAST = (
    "SELECT DISTINCT ON (point_id) point_id, ts, value, quality FROM reading "
    "WHERE point_id = ANY($1::int[]) ORDER BY point_id, ts DESC"
)
_LAST_BY_INDEX = (
    "SELECT p, r.ts, r.value, r.quality FROM unnest($1::int[]) AS p CROSS JOIN LATERAL "
    "(SELECT ts, value, quality FROM reading WHERE point_id = p ORDER BY ts DESC LIMIT 1) AS r"
)


def rows() -> list[Row]:
    """Refresh, queries, bytes."""
    return asyncio.run(_all())


async def _all() -> list[Row]:
    async with stand() as (_, db):
        ids = await apply_points(db, ROLES, 300.0)
        source = Signals(ids, ROLES, 5 * MINUTE_US)
        found = await _months(db, source)
        found += await _queries(db, ids, source.now)
        found += await _sizes(db)
        found += await _newest(db, source.now)
    return found + await _compressed()


async def _months(db: Database, source: Signals) -> list[Row]:
    """Load month by month; after each, time the roll-up of live quarters."""
    refresh: list[float] = []
    for _ in range(MONTHS):
        for _ in range(MONTH_DAYS):
            await write_backlog(db, source.take(288), FAR)
        await settle(db)
        async with db.connection() as connection:
            await connection.execute("VACUUM ANALYZE reading, reading_15min, reading_hour, reading_day")
        live = []
        for _ in range(8):
            await write_readings(db, source.take(3), FAR)
            live.append(await seconds(lambda: settle(db)))
        refresh.append(statistics.median(live))
    name = f"roll-up of a quarter of 200 points after {MONTHS} months"
    return [
        compared(name, refresh[-1] * 1e3, "ms", "after 1 month", refresh[-1] / refresh[0], "<= 1.3x"),
    ]


async def _queries(db: Database, ids: list[PointId], end: datetime) -> list[Row]:
    first = START
    month = end - 30 * DAY
    days = (end - first).days

    async def quarters() -> object:
        return await read_series(db, ids[:1], first, end, Grain.QUARTER)

    return [
        await _query(
            f"one point, {days} days by 15 min",
            quarters,
            lambda: fetch_raw(db, _BY_QUARTER, ids[:1], first, end, scan=True),
            "<= 0.02x" if days > 90 else "<= 0.083x",
            "a raw scan",
        ),
        await _query("the same", quarters, lambda: fetch_raw(db, _BY_QUARTER, ids[:1], first, end), None),
        await _query(
            f"the same {days} days by the day, as for 1,000 pixels",
            lambda: read_series(db, ids[:1], first, end, Grain.DAY),
            lambda: fetch_raw(db, _BY_DAY, ids[:1], first, end),
            "<= 0.02x" if days > 90 else "<= 0.083x",
        ),
        await _query(
            "200 points, 30 days by hour",
            lambda: read_series(db, ids, month, end, Grain.HOUR),
            lambda: fetch_raw(db, _BY_HOUR, ids, month, end),
            "<= 0.083x",
        ),
        await _query(
            "month report of 50 meters",
            lambda: read_series(db, ids[:50], month, end, Grain.DAY),
            lambda: fetch_raw(db, _BY_DAY, ids[:50], month, end),
            "<= 0.083x",
        ),
        await _query(
            f"report of 50 meters over {days} days",
            lambda: read_series(db, ids[:50], first, end, Grain.DAY),
            lambda: fetch_raw(db, _BY_DAY, ids[:50], first, end),
            "<= 0.02x",
        ),
    ]


async def _query(
    name: str, ours: Work, raw: Work, goal: str | None, against: str = "raw readings by their index"
) -> Row:
    await ours()
    mine = await _p95(ours)
    plain = statistics.median([await seconds(raw) for _ in range(RAW)])
    return compared(f"{name}, p95", mine * 1e3, "ms", against, mine / plain, goal)


async def _p95(work: Work) -> float:
    return float(np.quantile([await seconds(work) for _ in range(OURS)], 0.95))


async def _newest(db: Database, at: datetime) -> list[Row]:
    roles = [Role.ENERGY_IMPORT, Role.ACTIVE_POWER] * 1_000
    ids: Sequence[PointId] = await apply_points(db, roles, 60.0)
    source = Signals(ids, roles, MINUTE_US)
    source.skip_to(at)
    for _ in range(2 * 24):
        await write_readings(db, source.take(60), FAR)
    async with db.connection() as connection:
        await connection.execute("VACUUM ANALYZE reading, latest")

    async def newest() -> object:
        return await latest_of(db, ids)

    return [
        await _query(
            "newest value of 2,000 points",
            newest,
            lambda: fetch_raw(db, _LAST, ids),
            "<= 0.083x",
            "DISTINCT ON",
        ),
        await _query(
            "the same",
            newest,
            lambda: fetch_raw(db, _LAST_BY_INDEX, ids),
            None,
            "one look-up in the index a point",
        ),
    ]


async def _sizes(db: Database) -> list[Row]:
    """As readings lie after the care of closed weeks."""
    while await reindex_closed(db, FAR):
        pass
    tables = ("reading_15min", "reading_hour", "reading_day")
    async with db.connection() as connection:
        n, raw = await connection.fetchrow(
            "SELECT (SELECT count(*) FROM reading), sum(pg_total_relation_size(inhrelid)) "
            "FROM pg_inherits WHERE inhparent = 'reading'::regclass"
        )
        rollups = await connection.fetchval(
            "SELECT sum(pg_total_relation_size(name::regclass)) FROM unnest($1::text[]) AS name", list(tables)
        )
    return [
        row("PostgreSQL, a reading with its key, closed weeks", float(raw) / n, "bytes", goal="<= 95"),
        row("PostgreSQL, all roll-ups, for each reading at 5 min", float(rollups) / n, "bytes"),
    ]


async def _compressed() -> list[Row]:
    """A week of 20 points at 1 min, compressed by TimescaleDB in WebAssembly: bytes are the same there."""
    try:
        server = TimescaleInWasm()
    except NotHere:
        return []
    roles = ROLES[::10]
    try:
        db = await server.open()
        await make_extension(db)
        await migrate(db)
        source = Signals(range(1, len(roles) + 1), roles, MINUTE_US)
        for _ in range(7):
            await write_backlog(db, source.take(1440), FAR)
        await compress_old(db, FAR)
        async with db.connection() as connection:
            before, after = await connection.fetchrow(
                "SELECT before_compression_total_bytes, after_compression_total_bytes "
                "FROM hypertable_compression_stats('reading')"
            )
        await db.close()
    finally:
        server.stop()
    n = len(roles) * 7 * 1440
    name = "TimescaleDB, a compressed reading"
    return [
        row(name, after / n, "bytes", goal="<= 4"),
        compared(f"{name}, the same", after / n, "bytes", "uncompressed", after / before, "<= 0.083x"),
    ]
