"""Writing readings: idempotent, `latest` only forward, every touched bucket noted in the same transaction.

`latest` goes back only from the future, where a clock that was wrong has left it.

`write_readings` is for what comes live, `write_backlog` for history and replays of thousands of rows.
"""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from energy_center.domain.readings import PointId, Quality, Reading
from energy_center.errors import Invalid
from energy_center.store.partitions import WEEK, ensure_weeks, week_of, weeks_between
from energy_center.store.pool import Connection, Database

BUCKET_US: Final = 900_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_POSTGRES_EPOCH_US = 946_684_800_000_000  # 2000-01-01, from which PostgreSQL counts
_BATCH_LOCK = 0x0EC_BA_7C

# One row of PostgreSQL's binary COPY format: a field count, then length and bytes of each field, big-endian.
_COPY_ROW = np.dtype(
    [
        ("fields", ">i2"),
        ("ts_bytes", ">i4"),
        ("ts", ">i8"),
        ("value_bytes", ">i4"),
        ("value", ">f8"),
        ("point_bytes", ">i4"),
        ("point_id", ">i4"),
        ("quality_bytes", ">i4"),
        ("quality", ">i2"),
    ]
)
_COPY_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_COPY_END = b"\xff\xff"

_INSERT = """
INSERT INTO reading (ts, value, point_id, quality)
SELECT 'epoch'::timestamptz + at_us * interval '1 microsecond', value, point_id, quality
FROM unnest($1::int8[], $2::float8[], $3::int4[], $4::int2[]) AS r (at_us, value, point_id, quality)
ON CONFLICT (point_id, ts) DO NOTHING"""

_STAGE = """
CREATE TEMPORARY TABLE IF NOT EXISTS staged_reading
    (ts timestamptz NOT NULL, value float8 NOT NULL, point_id int NOT NULL, quality int2 NOT NULL)
    ON COMMIT DELETE ROWS"""

_FROM_STAGE = """
INSERT INTO reading (ts, value, point_id, quality)
SELECT ts, value, point_id, quality FROM staged_reading
ON CONFLICT (point_id, ts) DO NOTHING"""

_LATEST = """
INSERT INTO latest (point_id, ts, value, quality, received_at, batch)
SELECT point_id, 'epoch'::timestamptz + at_us * interval '1 microsecond', value, quality, $5, $6
FROM unnest($1::int8[], $2::float8[], $3::int4[], $4::int2[]) AS r (at_us, value, point_id, quality)
ORDER BY point_id
ON CONFLICT (point_id) DO UPDATE
SET ts = excluded.ts, value = excluded.value, quality = excluded.quality,
    received_at = excluded.received_at, batch = excluded.batch
WHERE excluded.ts > latest.ts OR latest.ts > $5::timestamptz + interval '5 minutes'"""


def to_us(at: datetime) -> int:
    """Microseconds since 1970 of an aware instant."""
    return (at - _EPOCH) // _MICROSECOND


def from_us(at_us: int) -> datetime:
    """The instant of microseconds since 1970."""
    return _EPOCH + at_us * _MICROSECOND


@dataclass(frozen=True, slots=True, eq=False)
class ReadingBatch:
    """Readings as columns, each of shape (n,): point ids, microseconds since 1970, values, quality flags."""

    point_id: NDArray[np.int32]
    at_us: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.int16]

    def __post_init__(self) -> None:
        """Refuse columns of different length and values that are not numbers: absence is absence."""
        if len({len(self.point_id), len(self.at_us), len(self.value), len(self.quality)}) > 1:
            raise Invalid("The columns of a batch differ in length")
        if not np.isfinite(self.value).all():
            raise Invalid("A batch holds a value that is not a finite number")

    def __len__(self) -> int:
        return len(self.value)

    @classmethod
    def of(cls, readings: Iterable[Reading]) -> Self:
        """Columns of single readings."""
        rows = list(readings)
        return cls(
            np.array([r.point_id for r in rows], np.int32),
            np.array([to_us(r.at) for r in rows], np.int64),
            np.array([r.value for r in rows], np.float64),
            np.array([r.quality for r in rows], np.int16),
        )

    def take(self, index: NDArray[np.intp]) -> "ReadingBatch":
        """These rows, in this order."""
        return ReadingBatch(self.point_id[index], self.at_us[index], self.value[index], self.quality[index])

    def newest(self) -> "ReadingBatch":
        """The newest row of each point, ordered by point."""
        order = np.lexsort((self.at_us, self.point_id))
        points = self.point_id[order]
        is_last = np.append(points[1:] != points[:-1], True) if len(points) else np.array([], bool)
        return self.take(order[is_last])


async def write_readings(db: Database, batch: ReadingBatch, received_at: datetime) -> int:
    """Store a live batch, move `latest` forward and notify channel `readings`; give the number newly stored.

    One transaction. A replay of stored rows changes nothing and tells nobody.
    """
    if not len(batch):
        return 0
    await _ensure_partitions(db, batch, received_at)
    async with db.transaction() as connection:
        stored = _count(await connection.execute(_INSERT, *_columns(batch)))
        if stored:
            number = await _next_batch(connection)
            await connection.execute(_LATEST, *_columns(batch.newest()), received_at, number)
            await _invalidate(connection, batch)
            await connection.execute("SELECT pg_notify('readings', $1)", str(number))
    return stored


async def write_backlog(db: Database, batch: ReadingBatch, received_at: datetime) -> int:
    """Store many rows of the past by a staged COPY; give the number newly stored.

    Idempotent as `write_readings`. Tells nobody. `latest` moves forward where a replay is newer, never for
    readings marked as simulated: what the page calls live came over a socket.
    """
    if not len(batch):
        return 0
    await ensure_weeks(db, _weeks(batch))
    async with db.transaction() as connection:
        await connection.execute(_STAGE)
        rows = _copy_rows(batch.take(np.lexsort((batch.at_us, batch.point_id))))
        await connection.copy_to_table(
            "staged_reading", source=io.BytesIO(_COPY_HEAD + rows + _COPY_END), format="binary", timeout=600
        )
        stored = _count(await connection.execute(_FROM_STAGE, timeout=600))
        if stored:
            measured = batch.take(np.flatnonzero((batch.quality & Quality.SIMULATED) == 0))
            if len(measured):
                number = await _next_batch(connection)
                await connection.execute(_LATEST, *_columns(measured.newest()), received_at, number)
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


async def invalidate(
    connection: Connection, point_ids: Sequence[PointId], start: datetime, end: datetime
) -> None:
    """Ask for the roll-ups of these points over a period again, such as after a correction."""
    first, last = to_us(start) // BUCKET_US, -(-to_us(end) // BUCKET_US)
    await _insert_rectangle(connection, first, last, list(point_ids))


async def _next_batch(connection: Connection) -> int:
    """Number this batch. The lock makes numbers commit in order: a listener never misses a lower one."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _BATCH_LOCK)
    return int(await connection.fetchval("SELECT nextval('reading_batch')"))


async def _invalidate(connection: Connection, batch: ReadingBatch) -> None:
    """Note the touched buckets: one rectangle for each run of neighbouring buckets."""
    bucket = batch.at_us // BUCKET_US
    touched = np.unique(bucket)
    for run in np.split(touched, np.flatnonzero(np.diff(touched) > 1) + 1):
        inside = (bucket >= run[0]) & (bucket <= run[-1])
        await _insert_rectangle(
            connection, int(run[0]), int(run[-1]) + 1, np.unique(batch.point_id[inside]).tolist()
        )


async def _insert_rectangle(connection: Connection, first: int, last: int, point_ids: Sequence[int]) -> None:
    await connection.execute(
        "INSERT INTO invalidation (bucket_from, bucket_to, point_ids) VALUES ($1, $2, $3)",
        from_us(first * BUCKET_US),
        from_us(last * BUCKET_US),
        point_ids,
    )


async def _ensure_partitions(db: Database, batch: ReadingBatch, received_at: datetime) -> None:
    """Make missing weeks. Only recent ones are remembered: another process may have dropped old ones."""
    weeks = _weeks(batch)
    recent = week_of(received_at) - WEEK
    db.known_partitions.difference_update(f"reading_{week:%Y%m%d}" for week in weeks if week < recent)
    await ensure_weeks(db, weeks)


def _weeks(batch: ReadingBatch) -> list[datetime]:
    first, last = int(batch.at_us.min()), int(batch.at_us.max())
    if last - first <= WEEK // _MICROSECOND:
        return weeks_between(from_us(first), from_us(last))
    return sorted(
        {week_of(from_us(int(day) * 86_400_000_000)) for day in np.unique(batch.at_us // 86_400_000_000)}
    )


def _columns(batch: ReadingBatch) -> tuple[list[int], list[float], list[int], list[int]]:
    return batch.at_us.tolist(), batch.value.tolist(), batch.point_id.tolist(), batch.quality.tolist()


def _copy_rows(batch: ReadingBatch) -> bytes:
    rows = np.empty(len(batch), _COPY_ROW)
    rows["fields"] = 4
    rows["ts_bytes"], rows["value_bytes"], rows["point_bytes"], rows["quality_bytes"] = 8, 8, 4, 2
    rows["ts"] = batch.at_us - _POSTGRES_EPOCH_US
    rows["value"] = batch.value
    rows["point_id"] = batch.point_id
    rows["quality"] = batch.quality
    return rows.tobytes()


def _count(status: str) -> int:
    """Rows of a command tag such as `INSERT 0 57`."""
    return int(status.rsplit(" ", maxsplit=1)[-1])


async def held_values(db: Database, batch: ReadingBatch) -> dict[tuple[int, int], float]:
    """What is stored at the instants of a batch, by point id and microseconds since 1970."""
    async with db.connection() as connection:
        rows = await connection.fetch(
            "SELECT r.point_id, w.at_us, r.value FROM unnest($1::int4[], $2::int8[]) AS w (point_id, at_us) "
            "JOIN reading r ON r.point_id = w.point_id "
            "AND r.ts = 'epoch'::timestamptz + w.at_us * interval '1 microsecond'",
            batch.point_id.tolist(),
            batch.at_us.tolist(),
        )
    return {(row["point_id"], row["at_us"]): row["value"] for row in rows}
