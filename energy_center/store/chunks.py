"""Chunks of `reading` on TimescaleDB: their length, compression and retention, by calls of our own.

Where an operator has added TimescaleDB's own policy for one of these, that one is left to the policy.
"""

import logging
from datetime import datetime, timedelta
from typing import Final

from energy_center.store.capabilities import capabilities
from energy_center.store.pool import Connection, Database

log = logging.getLogger(__name__)

COMPRESS_AFTER: Final = timedelta(days=7)
_DAY, _WEEK = timedelta(days=1), timedelta(days=7)
_MANY_A_DAY = 1_000_000  # readings; from there on a chunk is a day, so that its index stays in memory
_STATEMENT_S = 3_600.0
_LOCK = 0x0EC_C0_4B
_PARTIAL = 8  # bit of a chunk's status: rows came after its compression


async def fit_chunks(db: Database) -> timedelta:
    """Set the length of chunks to come by what the site's points are expected to bring; give it."""
    async with db.transaction() as connection:
        a_day = await connection.fetchval(
            "SELECT coalesce(sum(86400 / interval_s), 0) FROM point WHERE retired_at IS NULL"
        )
        length = _DAY if a_day >= _MANY_A_DAY else _WEEK
        held = await connection.fetchval(
            "SELECT time_interval FROM timescaledb_information.dimensions "
            "WHERE hypertable_schema = 'public' AND hypertable_name = 'reading'"
        )
        if held != length:
            await connection.execute("SELECT set_chunk_time_interval('reading', $1::interval)", length)
    return length


async def compress_old(db: Database, now: datetime) -> list[str]:
    """Compress chunks that ended a week ago, and again those that got late readings; give their names.

    A chunk takes seconds to minutes; each is a transaction of its own. Nothing happens where the licence
    level has no compression.
    """
    if not (await capabilities(db)).can_compress:
        return []
    async with db.transaction() as connection:
        if await _has_policy(connection, "policy_compression"):
            return []
        await _enable_compression(connection)
        names = await connection.fetch(
            "SELECT format('%I.%I', chunk_schema, chunk_name) FROM timescaledb_information.chunks "
            "WHERE hypertable_schema = 'public' AND hypertable_name = 'reading' AND range_end <= $1 "
            "AND (NOT is_compressed OR _timescaledb_functions.chunk_status("
            "format('%I.%I', chunk_schema, chunk_name)::regclass) & $2 > 0) ORDER BY range_end",
            now - COMPRESS_AFTER,
            _PARTIAL,
        )
    return [name for (name,) in names if await _compress(db, name)]


async def drop_chunks(db: Database, before: datetime) -> list[str]:
    """Drop whole chunks that end before an instant, unless something in them still waits for its roll-up."""
    async with db.transaction() as connection:
        if await _has_policy(connection, "policy_retention"):
            await _follow_policy(connection)
            return []
        if await connection.fetchval(
            "SELECT EXISTS (SELECT FROM invalidation WHERE bucket_from < $1)", before
        ):
            return []
        rows = await connection.fetch(
            "SELECT drop_chunks('reading', $1::timestamptz)", before, timeout=_STATEMENT_S
        )
        if rows:
            await remember_kept_from(connection, before)
            log.info("old readings dropped", extra={"action": "drop_chunks", "chunks": len(rows)})
    return [str(name) for (name,) in rows]


async def remember_kept_from(connection: Connection, at: datetime) -> None:
    """Raw readings before an instant may be gone: roll-ups of that time are never made of fewer."""
    await connection.execute(
        "UPDATE retention_state SET raw_kept_from = greatest(raw_kept_from, $1::timestamptz)", at
    )


async def _has_policy(connection: Connection, procedure: str) -> bool:
    return bool(
        await connection.fetchval(
            "SELECT EXISTS (SELECT FROM timescaledb_information.jobs WHERE hypertable_schema = 'public' "
            "AND hypertable_name = 'reading' AND proc_name = $1)",
            procedure,
        )
    )


async def _follow_policy(connection: Connection) -> None:
    """Note what an operator's retention policy, which has its own clock, has dropped."""
    oldest = await connection.fetchval(
        "SELECT min(range_start) FROM timescaledb_information.chunks "
        "WHERE hypertable_schema = 'public' AND hypertable_name = 'reading'"
    )
    dropped = await connection.fetchval("SELECT EXISTS (SELECT FROM reading_15min WHERE bucket < $1)", oldest)
    if dropped:
        await remember_kept_from(connection, oldest)


async def _enable_compression(connection: Connection) -> None:
    """Again where the licence level was `apache` when the schema was made."""
    is_on = await connection.fetchval(
        "SELECT compression_enabled FROM timescaledb_information.hypertables "
        "WHERE hypertable_schema = 'public' AND hypertable_name = 'reading'"
    )
    if not is_on:
        await connection.execute(
            "ALTER TABLE reading SET (timescaledb.compress, timescaledb.compress_segmentby = 'point_id', "
            "timescaledb.compress_orderby = 'ts')"
        )


async def _compress(db: Database, name: str) -> bool:
    async with db.transaction() as connection:
        if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", _LOCK):
            return False
        await connection.execute("SELECT compress_chunk($1::text::regclass)", name, timeout=_STATEMENT_S)
    log.info("readings compressed", extra={"action": "compress_chunk", "chunk": name})
    return True
