"""Numbered SQL migrations: applied in order, once, each in its transaction, never changed once applied.

`migrations/NNNN_name.sql` make the schema on any PostgreSQL; those in `migrations/timescale/` follow where
the `timescaledb` extension is, or can be made.
"""

import hashlib
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from importlib.resources.abc import Traversable

import asyncpg

from energy_center.errors import MigrationError
from energy_center.store.capabilities import probe, wants_timescale
from energy_center.store.pool import Connection, Database, connect

log = logging.getLogger(__name__)

_LOCK = 0x0EC_51_7E  # any constant that only this program uses for an advisory lock
_LEDGER = """
CREATE TABLE IF NOT EXISTS schema_migration (
    name        text PRIMARY KEY,
    sha256      text NOT NULL,
    applied_at  timestamptz NOT NULL
)"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One shipped file; `name` is its path below `migrations/` without `.sql`."""

    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """What is compared with the database's record."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def shipped(folder: Traversable | None = None, *, timescale: bool = False) -> tuple[Migration, ...]:
    """The migrations of this program in order; those for TimescaleDB come last.

    Raises:
        MigrationError: two files carry one number.
    """
    root = folder or files("migrations")
    found = _in_folder(root, "")
    if timescale:
        found += _in_folder(root / "timescale", "timescale/")
    numbers = [m.name.split("_", maxsplit=1)[0] for m in found]
    twice = sorted({n for n in numbers if numbers.count(n) > 1})
    if twice:
        raise MigrationError(f"Two migrations carry the number {', '.join(twice)}")
    return tuple(found)


def _in_folder(folder: Traversable, prefix: str) -> list[Migration]:
    if not folder.is_dir():
        return []
    named = sorted(
        (f for f in folder.iterdir() if f.name.endswith(".sql") and f.name[:4].isdigit()),
        key=lambda f: f.name,
    )
    return [Migration(prefix + f.name.removesuffix(".sql"), f.read_text(encoding="utf-8")) for f in named]


async def migrate(db: Database, folder: Traversable | None = None) -> list[str]:
    """Bring the database up to date and give the names applied; several programs may try at once.

    Raises:
        MigrationError: an applied migration was changed or is missing here, one fails, or
            the server is too old.
        DatabaseAway: the server cannot be reached.
    """
    async with connect(db.dsn, timeout_s=30) as connection:
        await probe(connection)
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        try:
            await connection.execute(_LEDGER)
            todo = await _pending(connection, shipped(folder, timescale=await wants_timescale(connection)))
            for migration in todo:
                await _apply(connection, migration)
        finally:
            await connection.execute("SELECT pg_advisory_unlock($1)", _LOCK)
    db.facts.clear()  # the extension may have been made
    return [m.name for m in todo]


async def pending_migrations(db: Database, folder: Traversable | None = None) -> list[str]:
    """Names that `migrate` would apply; changes nothing.

    Raises:
        MigrationError: as `migrate`.
    """
    async with connect(db.dsn, timeout_s=30) as connection:
        await probe(connection)
        known = shipped(folder, timescale=await wants_timescale(connection))
        if not await connection.fetchval("SELECT to_regclass('schema_migration') IS NOT NULL"):
            return [m.name for m in known]
        return [m.name for m in await _pending(connection, known)]


async def _pending(connection: Connection, known: tuple[Migration, ...]) -> list[Migration]:
    rows = await connection.fetch("SELECT name, sha256 FROM schema_migration ORDER BY name")
    applied = {str(row["name"]): str(row["sha256"]) for row in rows}
    by_name = {m.name: m for m in known}
    missing = sorted(applied.keys() - by_name.keys())
    if missing:
        raise MigrationError(
            f"The database has migrations that this program does not know: {', '.join(missing)}. "
            "It was made by a newer version; upgrade the program"
        )
    changed = sorted(name for name, sha256 in applied.items() if by_name[name].sha256 != sha256)
    if changed:
        raise MigrationError(
            f"Migrations were changed after they had been applied: {', '.join(changed)}. "
            "Put the shipped files back; a change belongs into a new migration"
        )
    return [m for m in known if m.name not in applied]


async def _apply(connection: Connection, migration: Migration) -> None:
    try:
        async with connection.transaction():
            await connection.execute(migration.sql)
            await connection.execute(
                "INSERT INTO schema_migration (name, sha256, applied_at) VALUES ($1, $2, $3)",
                migration.name,
                migration.sha256,
                datetime.now(UTC),
            )
    except asyncpg.PostgresError as cause:
        raise MigrationError(f"Migration {migration.name} failed: {cause}") from cause
    log.info("migration applied", extra={"action": "migrate", "migration": migration.name})
