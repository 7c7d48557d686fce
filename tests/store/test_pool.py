"""A pool tells that the database is away, whatever the driver calls it, and works again when it is back."""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from energy_center.errors import DatabaseAway, EnvironmentProblem, MigrationError
from energy_center.store.embedded import EmbeddedPostgres
from energy_center.store.listen import listen
from energy_center.store.pool import Database, check, connect
from energy_center.store.worker_lock import WorkerLock


@pytest.fixture
async def server() -> AsyncIterator[EmbeddedPostgres]:
    folder = Path(tempfile.mkdtemp(prefix="ec-pool-"))
    folder.chmod(0o755)
    own = EmbeddedPostgres(folder, durable=False)
    await own.start()
    yield own
    await own.stop()
    shutil.rmtree(folder, ignore_errors=True)


async def ask(db: Database, sql: str = "SELECT 1") -> object:
    async with db.connection() as connection:
        return await connection.fetchval(sql)


async def test_a_killed_server_is_away_and_the_same_pool_works_after_it_is_back(
    server: EmbeddedPostgres,
) -> None:
    db = await Database.open(server.dsn, min_size=2, max_size=4)
    assert await ask(db) == 1
    await server.kill()
    for _ in range(3):  # the connections that were open, then new ones
        with pytest.raises(DatabaseAway):
            await ask(db)
    await server.start()
    assert await ask(db) == 1
    await db.close()


async def test_a_server_that_stops_during_a_statement_is_away(server: EmbeddedPostgres) -> None:
    db = await Database.open(server.dsn)

    async def stop_soon() -> None:
        await asyncio.sleep(0.1)
        await server.kill()

    async with asyncio.TaskGroup() as group:
        group.create_task(stop_soon())
        with pytest.raises(DatabaseAway):
            await ask(db, "SELECT pg_sleep(30)")
    await server.start()
    await db.close()


async def test_a_server_that_hangs_is_away_after_the_time_limit(server: EmbeddedPostgres) -> None:
    db = await Database.open(server.dsn, max_size=1, command_s=0.3, acquire_s=0.5)
    backend = await ask(db, "SELECT pg_backend_pid()")
    os.kill(int(str(backend)), signal.SIGSTOP)
    try:
        async with asyncio.timeout(5):
            with pytest.raises(DatabaseAway, match="did not answer in time"):
                await ask(db)
    finally:
        os.kill(int(str(backend)), signal.SIGCONT)
    assert await ask(db) == 1
    await db.close()


async def test_a_single_connection_to_a_server_that_hangs_is_away_and_ends(server: EmbeddedPostgres) -> None:
    stopped = []

    async def hold() -> None:
        async with connect(server.dsn, timeout_s=0.5) as connection:
            stopped.append(int(await connection.fetchval("SELECT pg_backend_pid()")))
            os.kill(stopped[0], signal.SIGSTOP)
            await check(connection, timeout_s=0.3)

    async with asyncio.timeout(5):
        with pytest.raises(DatabaseAway):
            await hold()
    os.kill(stopped[0], signal.SIGCONT)


async def test_a_worker_that_waits_for_the_lock_is_told_that_the_server_is_away(
    server: EmbeddedPostgres,
) -> None:
    async def waits() -> None:
        async with WorkerLock(server.dsn) as lock:
            assert await lock.try_acquire()
            await server.kill()
            await lock.try_acquire()

    with pytest.raises(DatabaseAway):
        await waits()
    await server.start()


async def test_a_full_disk_is_away(database: Database) -> None:
    with pytest.raises(DatabaseAway, match="No space left"):
        await ask(database, "DO $$ BEGIN RAISE 'No space left on device' USING ERRCODE = 'disk_full'; END $$")


async def test_a_listener_survives_a_restart(server: EmbeddedPostgres) -> None:
    heard = listen(server.dsn, ["readings"])
    assert await anext(heard) == ("readings", "")
    await server.kill()
    await server.start()
    async with asyncio.timeout(20):
        assert await anext(heard) == ("readings", "")
    db = await Database.open(server.dsn)
    await ask(db, "SELECT pg_notify('readings', '7')")
    async with asyncio.timeout(5):
        assert await anext(heard) == ("readings", "7")
    await heard.aclose()
    await db.close()


async def test_a_listener_waits_while_the_server_is_a_standby_that_lets_nobody_listen(
    server: EmbeddedPostgres,
) -> None:
    db = await Database.open(server.dsn)
    await ask(db, "ALTER SYSTEM SET wal_level = replica")
    await db.close()
    await server.stop()
    await server.start()
    await server.stop()
    standby = server.data / "standby.signal"
    standby.touch()
    await server.start()
    heard = listen(server.dsn, ["readings"])
    waiting = asyncio.ensure_future(anext(heard))
    await asyncio.wait([waiting], timeout=1.0)
    assert not waiting.done(), waiting.exception()
    standby.unlink()
    await server.stop()
    await server.start()
    async with asyncio.timeout(20):
        assert await waiting == ("readings", "")
    await heard.aclose()


async def test_an_open_without_a_server_is_away_and_lazy_opens_wait_for_use() -> None:
    nowhere = "postgresql://postgres@/none?host=/tmp/no-such-folder"
    with pytest.raises(DatabaseAway, match="cannot be reached"):
        await Database.open(nowhere)
    db = await Database.open(nowhere, min_size=0)
    with pytest.raises(DatabaseAway):
        await ask(db)
    await db.close()


async def test_a_failing_transaction_leaves_nothing_and_a_wrong_statement_is_not_away(
    database: Database,
) -> None:
    async def fail() -> None:
        async with database.transaction() as connection:
            await connection.execute("CREATE TABLE half (a int)")
            await connection.execute("SELECT 1 / 0")

    with pytest.raises(asyncpg.DivisionByZeroError):
        await fail()
    assert await ask(database, "SELECT to_regclass('half')") is None


async def test_json_columns_are_python_objects_and_times_are_utc(database: Database) -> None:
    assert await ask(database, """SELECT '{"水": [1.5, null]}'::jsonb""") == {"水": [1.5, None]}
    assert await ask(database, "SHOW timezone") == "UTC"


async def test_what_a_person_can_put_right_is_said_in_words(server: EmbeddedPostgres) -> None:
    db = await Database.open(server.dsn, min_size=0)
    with pytest.raises(MigrationError, match="energy-center migrate"):
        await ask(db, "SELECT count(*) FROM app_user")
    async with db.connection() as connection:
        await connection.execute("CREATE ROLE weak LOGIN")
    await db.close()
    weak = await Database.open(server.dsn.replace("postgres@", "weak@"), min_size=0)
    with pytest.raises(EnvironmentProblem, match="permission denied"):
        await ask(weak, "CREATE TABLE public.own ()")
    await weak.close()


async def test_a_database_that_is_not_there_is_away(server: EmbeddedPostgres) -> None:
    with pytest.raises(DatabaseAway, match="does not exist"):
        async with connect(server.dsn.replace("/energy_center", "/nowhere")):
            pass


async def test_a_database_that_may_only_be_read_is_away_for_writers(database: Database) -> None:
    async def write() -> None:
        async with database.transaction() as conn:
            await conn.execute("SET TRANSACTION READ ONLY")
            await conn.execute("CREATE TABLE refused (n int)")

    with pytest.raises(DatabaseAway, match="read-only"):
        await write()
