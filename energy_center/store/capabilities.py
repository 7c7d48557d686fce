"""What the server at hand can do, looked up once a process: each thing is used only where it is.

TimescaleDB's licence level decides much: `apache`, which distributions package, has hypertables and nothing
else that we use; `timescale` has compression too.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from energy_center.errors import MigrationError
from energy_center.store.pool import Connection, Database

OLDEST_POSTGRES: Final = 15
OLDEST_TIMESCALE: Final = (2, 23)


class Licence(StrEnum):
    """TimescaleDB's licence level, as its own setting names it."""

    APACHE = "apache"
    TIMESCALE = "timescale"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """`timescale` is the version of the extension in this database, None where it is not.

    `takes_copy`: COPY FROM STDIN works, which TimescaleDB in WebAssembly does not survive.
    """

    postgres: str
    postgres_major: int
    timescale: str | None
    licence: Licence | None
    takes_copy: bool

    @property
    def can_compress(self) -> bool:
        """Whether chunks may be compressed."""
        return self.licence is Licence.TIMESCALE

    def __str__(self) -> str:
        """As `doctor` says it."""
        if self.timescale is None:
            return f"PostgreSQL {self.postgres}: weekly partitions, retention and re-indexing by our own job"
        does = "hypertable, retention by our own job"
        does += ", compression" if self.can_compress else "; no compression at this licence level"
        return f"PostgreSQL {self.postgres}, TimescaleDB {self.timescale} ({self.licence}): {does}"


async def probe(connection: Connection) -> Capabilities:
    """Look at the server.

    Raises:
        MigrationError: PostgreSQL or TimescaleDB is too old.
    """
    row = await connection.fetchrow(
        "SELECT current_setting('server_version') AS version, version() AS build, "
        "current_setting('server_version_num')::int / 10000 AS major, "
        "(SELECT extversion FROM pg_extension WHERE extname = 'timescaledb') AS timescale, "
        "current_setting('timescaledb.license', true) AS licence"
    )
    assert row is not None  # noqa: S101 a query without FROM has one row
    if row["major"] < OLDEST_POSTGRES:
        raise MigrationError(
            f"PostgreSQL {OLDEST_POSTGRES} or newer is needed; this server is {row['major']}"
        )
    timescale = row["timescale"]
    if timescale is not None:
        refuse_old_timescale(timescale)
    is_open = timescale is not None and row["licence"] == Licence.TIMESCALE
    return Capabilities(
        postgres=row["version"].split()[0],
        postgres_major=row["major"],
        timescale=timescale,
        licence=None if timescale is None else Licence.TIMESCALE if is_open else Licence.APACHE,
        takes_copy="emcc" not in row["build"],
    )


async def capabilities(db: Database) -> Capabilities:
    """The same, looked up once for a pool."""
    found = db.facts.get(Capabilities)
    if not isinstance(found, Capabilities):
        async with db.connection() as connection:
            found = db.facts[Capabilities] = await probe(connection)
    return found


async def wants_timescale(connection: Connection) -> bool:
    """Whether the extension is in this database, or can be made: available, and loaded with the server."""
    row = await connection.fetchrow(
        "SELECT (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb') AS held, "
        "(SELECT default_version FROM pg_available_extensions WHERE name = 'timescaledb') AS available, "
        "'timescaledb' = ANY (string_to_array(replace(current_setting('shared_preload_libraries'), ' ', ''), "
        "',')) AS is_loaded"
    )
    assert row is not None  # noqa: S101 a query without FROM has one row
    if row["held"] is None and not (row["available"] and row["is_loaded"]):
        return False
    refuse_old_timescale(row["held"] or row["available"])
    return True


def refuse_old_timescale(version: str) -> None:
    """Raise MigrationError for a version before the oldest that is tested."""
    numbers = tuple(int(n) for n in re.findall(r"\d+", version)[:2])
    if numbers < OLDEST_TIMESCALE:
        oldest = ".".join(map(str, OLDEST_TIMESCALE))
        raise MigrationError(
            f"TimescaleDB {oldest} or newer is needed; this one is {version}. Install a newer one and run "
            "`ALTER EXTENSION timescaledb UPDATE` in a new session"
        )
