"""Fixtures that every kind of test may ask for: a PostgreSQL server and freshly migrated databases on it."""

import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from hypothesis import HealthCheck, settings

from energy_center.store.capabilities import wants_timescale
from energy_center.store.embedded import EmbeddedPostgres
from energy_center.store.migrate import migrate
from energy_center.store.pool import Database, connect
from tests.timescaledb.server import TimescaleInWasm, empty, keep_seed, make_extension

# No test asserts wall time; hypothesis does so unless told otherwise, as its own profile for CI tells it.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
if "CI" not in os.environ:
    settings.load_profile("any machine")

_numbers = itertools.count(1)
_TEMPLATE = f"ec_template_{os.getpid()}"


def with_database(dsn: str, name: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{name}"))


async def _drop(dsn: str, name: str) -> None:
    async with connect(dsn) as connection:
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@asynccontextmanager
async def _embedded() -> AsyncIterator[str]:
    folder = Path(tempfile.mkdtemp(prefix="ec-test-"))
    folder.chmod(0o755)  # as root the server runs as another account, which must pass through
    server = EmbeddedPostgres(folder, durable=False)
    try:
        yield await server.start()
    finally:
        await server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
async def postgres_dsn() -> AsyncIterator[str]:
    """ENERGY_CENTER_TEST_DATABASE_URL, else an embedded server for this test run, thrown away after it."""
    given = os.environ.get("ENERGY_CENTER_TEST_DATABASE_URL")
    if given:
        yield given
        return
    async with _embedded() as dsn:
        yield dsn


@pytest.fixture(scope="session")
async def plain_dsn(postgres_dsn: str) -> AsyncIterator[str]:
    """The same server, unless it has TimescaleDB: then an embedded one beside it."""
    async with connect(postgres_dsn) as connection:
        has_timescale = await wants_timescale(connection)
    if not has_timescale:
        yield postgres_dsn
        return
    async with _embedded() as dsn:
        yield dsn


@pytest.fixture(scope="session")
async def template_database(postgres_dsn: str) -> AsyncIterator[str]:
    """Name of a database that was migrated once; cloning it takes 30 ms where migrating takes 300."""
    async with connect(postgres_dsn) as connection:
        await connection.execute(f'CREATE DATABASE "{_TEMPLATE}"')
    opened = await Database.open(with_database(postgres_dsn, _TEMPLATE), min_size=0)
    await migrate(opened)
    await opened.close()
    yield _TEMPLATE
    await _drop(postgres_dsn, _TEMPLATE)


@pytest.fixture
async def empty_dsn(postgres_dsn: str) -> AsyncIterator[str]:
    """A database without any table."""
    name = f"ec_empty_{os.getpid()}_{next(_numbers)}"
    async with connect(postgres_dsn) as connection:
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
    yield with_database(postgres_dsn, name)
    await _drop(postgres_dsn, name)


@pytest.fixture
async def empty_database(empty_dsn: str) -> AsyncIterator[Database]:
    """The same, opened."""
    opened = await Database.open(empty_dsn, min_size=0)
    yield opened
    await opened.close()


@pytest.fixture
async def database_dsn(postgres_dsn: str, template_database: str) -> AsyncIterator[str]:
    """A freshly migrated database of the test's own."""
    name = f"ec_test_{os.getpid()}_{next(_numbers)}"
    async with connect(postgres_dsn) as connection:
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template_database}"')
    yield with_database(postgres_dsn, name)
    await _drop(postgres_dsn, name)


@pytest.fixture
async def server_database(database_dsn: str) -> AsyncIterator[Database]:
    """The same, opened. Not overridden anywhere, as `database` may be."""
    opened = await Database.open(database_dsn, min_size=1, max_size=4)
    yield opened
    await opened.close()


@pytest.fixture
def database(server_database: Database) -> Database:
    """The same: what most tests ask for."""
    return server_database


@pytest.fixture
async def partitioned_dsn(plain_dsn: str) -> AsyncIterator[str]:
    """A freshly migrated database without TimescaleDB, for what weekly partitions alone can show."""
    name = f"ec_plain_{os.getpid()}_{next(_numbers)}"
    async with connect(plain_dsn) as connection:
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
    dsn = with_database(plain_dsn, name)
    opened = await Database.open(dsn, min_size=0)
    await migrate(opened)
    await opened.close()
    yield dsn
    await _drop(plain_dsn, name)


@pytest.fixture
async def partitioned(partitioned_dsn: str) -> AsyncIterator[Database]:
    """The same, opened."""
    opened = await Database.open(partitioned_dsn, min_size=1, max_size=4)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
async def timescale_in_wasm() -> AsyncIterator[Database]:
    """TimescaleDB in WebAssembly, migrated once for this test run."""
    server = TimescaleInWasm()
    try:
        opened = await server.open()
        await make_extension(opened)
        await migrate(opened)
        await keep_seed(opened)
        yield opened
        await opened.close()
    finally:
        server.stop()


@pytest.fixture
async def timescale(timescale_in_wasm: Database) -> AsyncIterator[Database]:
    """The same, as freshly migrated: one connection, one session, no background workers."""
    yield timescale_in_wasm
    await empty(timescale_in_wasm)


@pytest.fixture
async def empty_timescale() -> AsyncIterator[Database]:
    """TimescaleDB in WebAssembly of the test's own, with the extension and without any table; a second."""
    server = TimescaleInWasm()
    try:
        opened = await server.open()
        await make_extension(opened)
        yield opened
        await opened.close()
    finally:
        server.stop()


@pytest.fixture(params=["postgres", "timescaledb"])
def backend(request: pytest.FixtureRequest) -> Database:
    """A freshly migrated database on each kind of server, for whatever one connection can show."""
    name = "server_database" if request.param == "postgres" else "timescale"
    opened: Database = request.getfixturevalue(name)
    return opened
