"""Weekly partitions of `reading`: made ahead, and on demand for late data; dropped when old and rolled up.

On TimescaleDB `reading` is a hypertable, which makes its chunks itself (`chunks.py`); dropping is the same to
the caller, and `keep` does for either what an hour asks for.
"""

import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import asyncpg

from energy_center.store.chunks import compress_old, drop_chunks, fit_chunks, remember_kept_from
from energy_center.store.pool import Connection, Database

log = logging.getLogger(__name__)

WEEK = timedelta(days=7)
_FIRST_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)
_LOCK = 0x0EC_9A_27
_REINDEX_S = 3_600.0


def week_of(at: datetime) -> datetime:
    """Start of the week that holds an instant: Monday 00:00 UTC."""
    return _FIRST_MONDAY + (at - _FIRST_MONDAY) // WEEK * WEEK


def weeks_between(first: datetime, last: datetime) -> list[datetime]:
    """Starts of all weeks that hold the instants from `first` to `last`, both inclusive."""
    week, weeks = week_of(first), []
    while week <= last:
        weeks.append(week)
        week += WEEK
    return weeks


async def ensure_weeks(db: Database, weeks: Iterable[datetime]) -> list[str]:
    """Make the partitions of these weeks where they are missing; give the names of those made.

    Runs in a transaction of its own, so that a long batch does not hold the lock that it needs.
    """
    named = {f"reading_{week:%Y%m%d}": week for week in weeks}
    if not named or named.keys() <= db.known_partitions:
        return []
    async with db.transaction() as connection:
        if not await _is_partitioned(connection):
            db.known_partitions.update(named)
            return []
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        missing = await connection.fetch(
            "SELECT name FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NULL ORDER BY name",
            list(named),
        )
        for (name,) in missing:
            await _make(connection, name, named[name])
    db.known_partitions.update(named)
    return [str(name) for (name,) in missing]


async def keep(db: Database, now: datetime, keep_days: int) -> None:
    """Care for `reading` as every hour asks: partitions, strays, retention, indexes; or chunks."""
    async with db.connection() as connection:
        is_partitioned = await _is_partitioned(connection)
    if is_partitioned:
        await make_ahead(db, now)
        await sweep_default(db)
        await drop_old(db, now, keep_days)
        await reindex_closed(db, now)
    else:
        await fit_chunks(db)
        await drop_old(db, now, keep_days)
        await compress_old(db, now)


async def default_rows(db: Database) -> int:
    """Readings in the partition of last resort, counted up to 1,000; 0 on TimescaleDB, which has none."""
    async with db.connection() as connection:
        if not await _is_partitioned(connection):
            return 0
        return int(
            await connection.fetchval("SELECT count(*) FROM (SELECT FROM reading_default LIMIT 1000) AS r")
        )


async def sweep_default(db: Database) -> list[str]:
    """Make the weeks of strays in the partition of last resort, which move there; give their names."""
    async with db.connection() as connection:
        rows = await connection.fetch(
            "SELECT DISTINCT date_bin('7 days', ts, $1) FROM reading_default", _FIRST_MONDAY
        )
    made = await ensure_weeks(db, [week for (week,) in rows])
    if made:
        log.warning("stray readings moved", extra={"action": "sweep_default", "weeks": made})
    return made


async def reindex_closed(db: Database, now: datetime) -> list[str]:
    """Build the key of one closed week anew, a quarter smaller (measured 2026-11-24); give what was done.

    A week is closed when it ended a week ago. Others read and write meanwhile.
    """
    closed = f"reading_{week_of(now) - WEEK:%Y%m%d}"
    async with db.connection() as connection:
        done = {name for (name,) in await connection.fetch("SELECT partition FROM partition_care")}
        open_to_care = [n for n in await _named_weeks(connection) if n < closed and n not in done]
        if not open_to_care:
            return []
        name = open_to_care[-1]
        await _drop_halves(connection, name)
        await connection.execute(f"REINDEX TABLE CONCURRENTLY {name}", timeout=_REINDEX_S)
        await connection.execute(
            "INSERT INTO partition_care (partition, reindexed_at) VALUES ($1, $2) "
            "ON CONFLICT (partition) DO UPDATE SET reindexed_at = $2",
            name,
            now,
        )
    log.info("index built anew", extra={"action": "reindex", "partition": name})
    return [name]


async def _drop_halves(connection: Connection, partition: str) -> None:
    """Drop what a rebuild left that was stopped half-way: it serves no query and slows every write."""
    rows = await connection.fetch(
        "SELECT c.relname FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid "
        "WHERE i.indrelid = $1::text::regclass AND NOT i.indisvalid AND c.relname ~ '_cc(new|old)[0-9]*$'",
        partition,
    )
    for (index,) in rows:
        await connection.execute(f'DROP INDEX CONCURRENTLY "{index}"', timeout=_REINDEX_S)


async def make_ahead(db: Database, now: datetime) -> list[str]:
    """Make this week's partition and the next two."""
    return await ensure_weeks(db, [week_of(now) + n * WEEK for n in range(3)])


async def drop_old(db: Database, now: datetime, keep_days: int) -> list[str]:
    """Drop whole weeks older than `keep_days`, but none that still waits for its roll-up; give their names.

    From then on the roll-ups of that time are never recomputed to less (`retention_state`).
    """
    keep_from = now - timedelta(days=keep_days)
    async with db.connection() as connection:
        rows = await _named_weeks(connection) if await _is_partitioned(connection) else None
    if rows is None:
        return await drop_chunks(db, week_of(keep_from))
    dropped = []
    for name in rows:
        end = datetime.strptime(name, "reading_%Y%m%d").replace(tzinfo=UTC) + WEEK
        if end <= keep_from and await _drop(db, name, end):
            dropped.append(name)
    return dropped


async def _is_partitioned(connection: Connection) -> bool:
    return bool(
        await connection.fetchval("SELECT relkind = 'p' FROM pg_class WHERE oid = 'reading'::regclass")
    )


async def _named_weeks(connection: Connection) -> list[str]:
    rows = await connection.fetch(
        "SELECT c.relname FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid "
        "WHERE i.inhparent = 'reading'::regclass AND c.relname ~ '^reading_[0-9]{8}$' ORDER BY c.relname"
    )
    return [str(name) for (name,) in rows]


async def _make(connection: Connection, name: str, week: datetime) -> None:
    """Build a week aside and attach it: that lets others read and write meanwhile. Stray rows move in."""
    bounds = f"'{week.isoformat()}'", f"'{(week + WEEK).isoformat()}'"
    await connection.execute(f"CREATE TABLE {name} (LIKE reading INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
    await connection.execute(
        f"WITH stray AS (DELETE FROM reading_default WHERE ts >= {bounds[0]} AND ts < {bounds[1]} "  # noqa: S608 our own names and times
        "RETURNING ts, value, point_id, quality, digits) "
        f"INSERT INTO {name} (ts, value, point_id, quality, digits) "
        "SELECT ts, value, point_id, quality, digits FROM stray"
    )
    await connection.execute(
        f"ALTER TABLE reading ATTACH PARTITION {name} FOR VALUES FROM ({bounds[0]}) TO ({bounds[1]})"
    )


async def _drop(db: Database, name: str, end: datetime) -> bool:
    """Drop one partition unless something before its end still waits for a roll-up."""
    try:
        async with db.transaction() as connection:
            await connection.execute("SET LOCAL lock_timeout = '500ms'")
            # The parent first, as every query locks it first: the other order deadlocks with them. The lock
            # on the partition then waits for writers of late rows, whose invalidations are thereby seen.
            await connection.execute("LOCK TABLE ONLY reading IN ACCESS EXCLUSIVE MODE")
            await connection.execute(f"LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE")
            if await _waits_for_roll_up(connection, end):
                return False
            await connection.execute(f"DROP TABLE {name}")
            await connection.execute("DELETE FROM partition_care WHERE partition = $1", name)
            await remember_kept_from(connection, end)
    except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
        return False  # in use; the next round drops it
    db.known_partitions.discard(name)
    log.info("old readings dropped", extra={"action": "drop_partition", "partition": name})
    return True


async def _waits_for_roll_up(connection: Connection, before: datetime) -> bool:
    return bool(
        await connection.fetchval("SELECT EXISTS (SELECT FROM invalidation WHERE bucket_from < $1)", before)
    )
