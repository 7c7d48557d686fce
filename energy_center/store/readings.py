"""Writing readings: idempotent, `latest` only forward, every touched bucket noted in the same transaction.

`latest` goes back only from the future, where a clock that was wrong has left it.

`write_readings` is for what comes live, `write_backlog` for history and replays of thousands of rows.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import numpy as np

from energy_center.domain.readings import PointId, Quality
from energy_center.store.capabilities import capabilities
from energy_center.store.digits import shown_digits
from energy_center.store.insert import insert_rows
from energy_center.store.late_arrivals import note_late
from energy_center.store.partitions import WEEK, ensure_weeks, week_of, weeks_between
from energy_center.store.pool import Connection, Database
from energy_center.store.reading_batch import MICROSECOND, ReadingBatch, from_us, to_us

__all__ = [
    "ReadingBatch",
    "from_us",
    "held_values",
    "invalidate",
    "note_sampling",
    "read_sampling",
    "to_us",
    "write_backlog",
    "write_readings",
]

BUCKET_US: Final = 900_000_000
_BATCH_LOCK = 0x0EC_BA_7C

_LATEST = """
INSERT INTO latest (point_id, ts, value, quality, received_at, batch)
SELECT point_id, 'epoch'::timestamptz + at_us * interval '1 microsecond', value, quality, $5, $6
FROM unnest($1::int8[], $2::float8[], $3::int4[], $4::int2[]) AS r (at_us, value, point_id, quality)
ORDER BY point_id
ON CONFLICT (point_id) DO UPDATE
SET ts = excluded.ts, value = excluded.value, quality = excluded.quality,
    received_at = excluded.received_at, batch = excluded.batch
WHERE excluded.ts > latest.ts OR latest.ts > $5::timestamptz + interval '5 minutes'"""


async def write_readings(db: Database, batch: ReadingBatch, received_at: datetime) -> int:
    """Store a live batch, move `latest` forward and notify channel `readings`; give the number newly stored.

    One transaction. A replay of stored rows changes nothing and tells nobody.
    """
    if not len(batch):
        return 0
    await _ensure_partitions(db, batch, received_at)
    can = await capabilities(db)
    shown = shown_digits(db) if can.can_compress else None
    async with db.transaction() as connection:
        stored = await insert_rows(connection, batch, takes_copy=can.takes_copy, shown=shown)
        if stored:
            number = await _next_batch(connection)
            await connection.execute(_LATEST, *batch.newest().columns(), received_at, number)
            await _invalidate(connection, batch)
            await note_late(connection, batch, received_at)
            await connection.execute("SELECT pg_notify('readings', $1)", str(number))
    return stored


async def write_backlog(db: Database, batch: ReadingBatch, received_at: datetime) -> int:
    """Store many rows of the past; give the number newly stored.

    Idempotent as `write_readings`. Tells nobody. `latest` moves forward where a replay is newer, never for
    readings marked as simulated: what the page calls live came over a socket.
    """
    if not len(batch):
        return 0
    await ensure_weeks(db, _weeks(batch))
    can = await capabilities(db)
    shown = shown_digits(db) if can.can_compress else None
    async with db.transaction() as connection:
        stored = await insert_rows(connection, batch, takes_copy=can.takes_copy, shown=shown)
        if stored:
            measured = batch.take(np.flatnonzero((batch.quality & Quality.SIMULATED) == 0))
            if len(measured):
                number = await _next_batch(connection)
                await connection.execute(_LATEST, *measured.newest().columns(), received_at, number)
                await note_late(connection, measured, received_at)
            await _invalidate(connection, batch)
    return stored


async def note_sampling(
    connection: Connection, point_ids: Sequence[PointId], from_at: datetime, interval_s: float
) -> None:
    """Record that these points are read every `interval_s` from an instant on: coverage is judged by it."""
    await connection.execute(
        "INSERT INTO sampling (point_id, from_ts, interval_s) SELECT point_id, $2, $3 "
        "FROM unnest($1::int[]) AS point_id ON CONFLICT (point_id, from_ts) DO UPDATE SET interval_s = $3",
        list(point_ids),
        from_at,
        interval_s,
    )


async def read_sampling(db: Database, point_id: PointId) -> list[tuple[datetime, float]]:
    """From when on a point is read how often, in seconds, oldest first; before the first as configured."""
    async with db.connection() as connection:
        rows = await connection.fetch(
            "SELECT from_ts, interval_s::float8 FROM sampling WHERE point_id = $1 ORDER BY from_ts", point_id
        )
    return [(row["from_ts"], row["interval_s"]) for row in rows]


async def invalidate(
    connection: Connection, point_ids: Sequence[PointId], start: datetime, end: datetime
) -> None:
    """Ask for the roll-ups of these points over a period again, such as after a correction."""
    first, last = to_us(start) // BUCKET_US, -(-to_us(end) // BUCKET_US)
    await _insert_rectangles(connection, [first], [last], [point_ids])


async def _next_batch(connection: Connection) -> int:
    """Number this batch. The lock makes numbers commit in order: a listener never misses a lower one."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _BATCH_LOCK)
    return int(await connection.fetchval("SELECT nextval('reading_batch')"))


async def _invalidate(connection: Connection, batch: ReadingBatch) -> None:
    """Note the touched buckets: one rectangle for each run of neighbouring buckets."""
    order = np.argsort(batch.at_us, kind="stable")
    bucket, points = batch.at_us[order] // BUCKET_US, batch.point_id[order]
    ends = np.append(np.flatnonzero(np.diff(bucket) > 1) + 1, len(bucket))
    starts = np.append(0, ends[:-1])
    await _insert_rectangles(
        connection,
        bucket[starts].tolist(),
        (bucket[ends - 1] + 1).tolist(),
        [np.unique(points[a:b]).tolist() for a, b in zip(starts, ends, strict=True)],
    )


async def _insert_rectangles(
    connection: Connection, first: Sequence[int], last: Sequence[int], point_ids: Sequence[Sequence[int]]
) -> None:
    """Points of a rectangle travel as the text of an array: arrays of arrays must be of one length."""
    await connection.execute(
        "INSERT INTO invalidation (bucket_from, bucket_to, point_ids) "
        "SELECT bucket_from, bucket_to, point_ids::int[] "
        "FROM unnest($1::timestamptz[], $2::timestamptz[], $3::text[]) "
        "AS r (bucket_from, bucket_to, point_ids)",
        [from_us(bucket * BUCKET_US) for bucket in first],
        [from_us(bucket * BUCKET_US) for bucket in last],
        [f"{{{','.join(map(str, points))}}}" for points in point_ids],
    )


async def _ensure_partitions(db: Database, batch: ReadingBatch, received_at: datetime) -> None:
    """Make missing weeks. Only recent ones are remembered: another process may have dropped old ones."""
    weeks = _weeks(batch)
    recent = week_of(received_at) - WEEK
    db.known_partitions.difference_update(f"reading_{week:%Y%m%d}" for week in weeks if week < recent)
    await ensure_weeks(db, weeks)


def _weeks(batch: ReadingBatch) -> list[datetime]:
    first, last = int(batch.at_us.min()), int(batch.at_us.max())
    if last - first <= WEEK // MICROSECOND:
        return weeks_between(from_us(first), from_us(last))
    return sorted(
        {week_of(from_us(int(day) * 86_400_000_000)) for day in np.unique(batch.at_us // 86_400_000_000)}
    )


async def held_values(db: Database, batch: ReadingBatch) -> dict[tuple[int, int], float]:
    """What is stored at the instants of a batch, by point id and microseconds since 1970."""
    async with db.connection() as connection:
        rows = await connection.fetch(
            "SELECT r.point_id, w.at_us, reading_value(r.value, r.digits) AS value "
            "FROM unnest($1::int4[], $2::int8[]) AS w (point_id, at_us) "
            "JOIN reading r ON r.point_id = w.point_id "
            "AND r.ts = 'epoch'::timestamptz + w.at_us * interval '1 microsecond'",
            batch.point_id.tolist(),
            batch.at_us.tolist(),
        )
    return {(row["point_id"], row["at_us"]): row["value"] for row in rows}
