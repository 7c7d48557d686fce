"""Rows into `reading`, each once: whatever way is fastest here, a replay of stored rows changes nothing.

Thousands of rows that look new are copied straight into the table; should one of them be there after all,
that is undone and they go by way of a temporary table, as rows do that look known. A few are one statement.
"""

import io
from dataclasses import replace

import asyncpg
import numpy as np

from energy_center.store.digits import Digits, ShownDigits, digits_of, whole_numbers
from energy_center.store.pool import Connection
from energy_center.store.reading_batch import ReadingBatch, from_us

_COPY_FROM = 500  # rows; below, the round trips of COPY cost more than they save (measured 2026-11-24)
_LOOKED_AT = 16  # rows of a batch that tell whether it was stored before
_STATEMENT_S = 600.0
_POSTGRES_EPOCH_US = 946_684_800_000_000  # 2000-01-01, from which PostgreSQL counts

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
_DIGITS_ROW = np.dtype(
    [*((n, _COPY_ROW[n]) for n in _COPY_ROW.names or ()), ("digits_bytes", ">i4"), ("digits", ">i2")]
)
_COPY_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_COPY_END = b"\xff\xff"

_INSERT = """
INSERT INTO reading (ts, value, point_id, quality, digits)
SELECT 'epoch'::timestamptz + at_us * interval '1 microsecond', value, point_id, quality, digits
FROM unnest($1::int8[], $2::float8[], $3::int4[], $4::int2[], $5::int2[])
    AS r (at_us, value, point_id, quality, digits)
ON CONFLICT (point_id, ts) DO NOTHING"""

_STAGE = """
CREATE TEMPORARY TABLE IF NOT EXISTS staged_reading
    (ts timestamptz NOT NULL, value float8 NOT NULL, point_id int NOT NULL, quality int2 NOT NULL,
     digits int2 NOT NULL DEFAULT 0)
    ON COMMIT DELETE ROWS"""

_FROM_STAGE = """
INSERT INTO reading (ts, value, point_id, quality, digits)
SELECT ts, value, point_id, quality, digits FROM staged_reading
ON CONFLICT (point_id, ts) DO NOTHING"""

_ANY_STORED = """
SELECT EXISTS (
    SELECT FROM unnest($1::int4[], $2::int8[]) AS w (point_id, at_us)
    JOIN reading AS r
      ON r.point_id = w.point_id AND r.ts = 'epoch'::timestamptz + w.at_us * interval '1 microsecond'
    WHERE r.ts BETWEEN $3 AND $4)"""


async def insert_rows(
    connection: Connection, batch: ReadingBatch, *, takes_copy: bool, shown: ShownDigits | None = None
) -> int:
    """Store a batch inside the caller's transaction; give the number newly stored.

    With `shown` as whole numbers of each point's last digit, else as they are. Always in the order of the
    key, so that two writers of the same rows wait and never lock up.
    """
    batch = batch.in_key_order()
    digits = None if shown is None else digits_of(batch, shown)
    if digits is not None:
        batch = replace(batch, value=whole_numbers(batch.value, digits))
    if not takes_copy or len(batch) < _COPY_FROM:
        decimals = [0] * len(batch) if digits is None else digits.tolist()
        return count_of(await connection.execute(_INSERT, *batch.columns(), decimals, timeout=_STATEMENT_S))
    if not await _looks_known(connection, batch):
        try:
            async with connection.transaction():
                return await _copy(connection, "reading", batch, digits)
        except asyncpg.UniqueViolationError:
            pass  # a partial replay
    await connection.execute(_STAGE)
    await _copy(connection, "staged_reading", batch, digits)
    return count_of(await connection.execute(_FROM_STAGE, timeout=_STATEMENT_S))


def count_of(status: str) -> int:
    """Rows of a command tag such as `INSERT 0 57`."""
    return int(status.rsplit(" ", maxsplit=1)[-1])


def copy_rows(batch: ReadingBatch, digits: Digits | None = None) -> bytes:
    """A batch in PostgreSQL's binary COPY format."""
    rows = np.empty(len(batch), _COPY_ROW if digits is None else _DIGITS_ROW)
    rows["fields"] = 4
    if digits is not None:
        rows["fields"], rows["digits_bytes"], rows["digits"] = 5, 2, digits
    rows["ts_bytes"], rows["value_bytes"], rows["point_bytes"], rows["quality_bytes"] = 8, 8, 4, 2
    rows["ts"] = batch.at_us - _POSTGRES_EPOCH_US
    rows["value"] = batch.value
    rows["point_id"] = batch.point_id
    rows["quality"] = batch.quality
    return _COPY_HEAD + rows.tobytes() + _COPY_END


async def _looks_known(connection: Connection, batch: ReadingBatch) -> bool:
    some = batch.take(np.linspace(0, len(batch) - 1, _LOOKED_AT).astype(np.intp))
    first, last = from_us(int(batch.at_us.min())), from_us(int(batch.at_us.max()))
    return bool(
        await connection.fetchval(_ANY_STORED, some.point_id.tolist(), some.at_us.tolist(), first, last)
    )


async def _copy(connection: Connection, table: str, batch: ReadingBatch, digits: Digits | None) -> int:
    columns = ["ts", "value", "point_id", "quality"]
    status = await connection.copy_to_table(
        table,
        source=io.BytesIO(copy_rows(batch, digits)),
        columns=columns if digits is None else [*columns, "digits"],
        format="binary",
        timeout=_STATEMENT_S,
    )
    return count_of(status)
