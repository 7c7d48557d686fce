"""Breaks a database on purpose, for fault runs on a stand of their own. Never used by an installation."""

import asyncio

from energy_center.store.pool import Database

_REFUSE = """
CREATE OR REPLACE FUNCTION fault_disk_full() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full';
END $body$;
CREATE TRIGGER fault_disk_full BEFORE INSERT ON reading
FOR EACH STATEMENT EXECUTE FUNCTION fault_disk_full()"""

_ACCEPT = """
DROP TRIGGER IF EXISTS fault_disk_full ON reading;
DROP FUNCTION IF EXISTS fault_disk_full()"""

_END_SESSIONS = """
SELECT count(pg_terminate_backend(pid)) AS ended
FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"""


async def fill_disk(db: Database) -> None:
    """Let every insert of readings fail with SQLSTATE 53100, as a full disk does, until `free_disk`."""
    async with db.connection() as connection:
        await connection.execute(_REFUSE)


async def free_disk(db: Database) -> None:
    """Accept readings again."""
    async with db.connection() as connection:
        await connection.execute(_ACCEPT)


async def hold_readings(db: Database, seconds: float) -> None:
    """Keep the table of readings locked, as a careless maintenance command does."""
    async with db.connection() as connection, connection.transaction():
        await connection.execute("LOCK TABLE reading IN ACCESS EXCLUSIVE MODE")
        await asyncio.sleep(seconds)


async def end_sessions(db: Database) -> int:
    """End every other session of this database, as an administrator can; returns how many."""
    async with db.connection() as connection:
        row = await connection.fetchrow(_END_SESSIONS)
    return int(row["ended"]) if row else 0
