"""The live feed on a real database: snapshot first, newest wins, four a second, back after an outage."""

import asyncio
import shutil
import tempfile
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from energy_center.domain.readings import PointId, Quality, Reading
from energy_center.services.live_feed import LiveFeed, LiveUpdate
from energy_center.store.embedded import EmbeddedPostgres
from energy_center.store.migrate import migrate
from energy_center.store.pool import Database, connect
from energy_center.store.readings import ReadingBatch, write_readings

START = datetime(2026, 11, 24, 6, tzinfo=UTC)
POWER, LEVEL = PointId(1), PointId(2)


async def _write(db: Database, point: PointId, second: int, level: float) -> None:
    at = START + timedelta(seconds=second)
    await write_readings(db, ReadingBatch.of([Reading(point, at, level)]), at + timedelta(milliseconds=80))


@asynccontextmanager
async def _subscription(dsn: str, db: Database, points: list[PointId] | None = None, min_gap_s: float = 0.02):
    feed = LiveFeed(dsn, db, min_gap_s=min_gap_s)
    async with feed.running(), aclosing(feed.subscribe(points)) as updates:
        yield updates


async def _until(updates, wanted) -> LiveUpdate:
    async with asyncio.timeout(10):
        async for update in updates:
            if wanted(update):
                return update
    pytest.fail("the feed ended")


async def test_the_first_update_is_a_full_snapshot(database_dsn: str, database: Database):
    await _write(database, POWER, 0, 412.5)
    await _write(database, LEVEL, 1, 0.8)
    async with _subscription(database_dsn, database) as updates:
        first = await anext(updates)
    assert first.is_snapshot
    assert {(v.point_id, v.reading) for v in first.values} == {(POWER, 412.5), (LEVEL, 0.8)}
    assert not first.database_away


async def test_a_new_reading_is_pushed_within_a_second(database_dsn: str, database: Database):
    async with _subscription(database_dsn, database) as updates:
        await anext(updates)
        before = asyncio.get_running_loop().time()
        await _write(database, POWER, 0, 413.0)
        update = await _until(updates, lambda u: u.values)
        assert asyncio.get_running_loop().time() - before < 1.0
    (value,) = update.values
    assert (value.point_id, value.at, value.reading) == (POWER, START, 413.0)
    assert (value.quality, value.received_at) == (Quality.GOOD, START + timedelta(milliseconds=80))


async def test_only_the_subscribed_points_are_pushed(database_dsn: str, database: Database):
    async with _subscription(database_dsn, database, [LEVEL]) as updates:
        await anext(updates)
        await _write(database, POWER, 0, 1.0)
        await _write(database, LEVEL, 0, 2.0)
        update = await _until(updates, lambda u: u.values)
    assert [v.point_id for v in update.values] == [LEVEL]


async def test_a_slow_client_gets_only_the_newest(database_dsn: str, database: Database):
    async with _subscription(database_dsn, database) as updates:
        await anext(updates)
        for second in range(10):
            await _write(database, POWER, second, float(second))
        await asyncio.sleep(0.3)
        update = await _until(updates, lambda u: u.values)
    assert [v.reading for v in update.values] == [9.0]


async def test_no_more_than_four_pushes_a_second(database_dsn: str, database: Database):
    pushed = []
    async with _subscription(database_dsn, database, min_gap_s=0.25) as updates:
        await anext(updates)

        async def take() -> None:
            async for update in updates:
                pushed.append(update)  # noqa: PERF401 - a list made at the end would be lost by the cancel

        async with asyncio.TaskGroup() as tasks:
            taker = tasks.create_task(take())
            for second in range(20):
                await _write(database, POWER, second, float(second))
                await asyncio.sleep(0.05)
            await asyncio.sleep(0.3)
            taker.cancel()
            with pytest.raises(asyncio.CancelledError):
                await taker
    assert 2 <= len(pushed) <= 7
    assert pushed[-1].values[0].reading == 19.0


async def test_it_comes_back_after_the_database_dropped_every_connection(
    database_dsn: str, database: Database
):
    async with _subscription(database_dsn, database) as updates:
        await anext(updates)
        async with connect(database_dsn) as admin:
            await admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            at = START + timedelta(seconds=5)
            await admin.execute(
                "INSERT INTO latest (point_id, ts, value, quality, received_at, batch) "
                "VALUES (1, $1, 7.0, 0, $1, 99)",
                at,
            )
        update = await _until(updates, lambda u: u.values)  # written while nobody listened
        assert [v.reading for v in update.values] == [7.0]


@pytest.mark.parametrize("channel", ["alarms", "work_orders", "progress"])
async def test_a_change_elsewhere_is_hinted(database_dsn: str, database: Database, channel: str):
    feed = LiveFeed(database_dsn, database)
    async with feed.running():
        await asyncio.sleep(0.3)  # every channel hints once after connecting
        async with aclosing(feed.subscribe([])) as updates:
            await anext(updates)
            async with connect(database_dsn) as other:
                await other.execute(f"NOTIFY {channel}, '1'")
            update = await _until(updates, lambda u: True)
    hints = {"alarms": update.alarms_changed, "work_orders": update.work_orders_changed}
    assert {name for name, changed in hints.items() if changed} == {channel} - {"progress"}
    assert update.progress_changed is (channel == "progress")
    assert not update.values


async def test_it_says_that_the_database_is_away_and_comes_back_with_it():
    folder = Path(tempfile.mkdtemp(prefix="ec-feed-"))
    folder.chmod(0o755)  # as root the server runs as another account, which must pass through
    server = EmbeddedPostgres(folder, durable=False)
    db = await Database.open(await server.start(), min_size=0, max_size=2)
    try:
        await migrate(db)
        await _write(db, POWER, 0, 1.0)
        async with _subscription(db.dsn, db) as updates:
            assert [v.reading for v in (await anext(updates)).values] == [1.0]
            await server.kill()
            await _until(updates, lambda u: u.database_away)
            assert await server.start() == db.dsn
            await _write(db, POWER, 30, 2.0)
            update = await _until(updates, lambda u: u.values)
            assert [v.reading for v in update.values] == [2.0]
            assert not update.database_away
    finally:
        await db.close()
        await server.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def test_a_closed_subscription_is_forgotten(database_dsn: str, database: Database):
    feed = LiveFeed(database_dsn, database)
    async with feed.running():
        async with aclosing(feed.subscribe()) as updates:
            await anext(updates)
        assert feed._subscribers == set()
        await _write(database, POWER, 0, 5.0)
        await asyncio.sleep(0.5)
        assert feed.newest([POWER, LEVEL])[0].reading == 5.0


async def _execute(db: Database, *statements: str) -> None:
    async with db.connection() as connection:
        for statement in statements:
            await connection.execute(statement)


async def test_after_a_restore_that_counts_batches_from_an_earlier_number_values_move_on(
    database_dsn: str, database: Database
):
    await _execute(database, "SELECT setval('reading_batch', 500)")
    await _write(database, POWER, 0, 1.0)
    async with _subscription(database_dsn, database) as updates:
        await anext(updates)
        await _execute(
            database,
            "SELECT setval('reading_batch', 3)",
            "UPDATE latest SET batch = 3",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND query LIKE 'LISTEN%'",
        )
        await asyncio.sleep(1.0)
        await _write(database, POWER, 5, 2.0)
        update = await _until(updates, lambda u: u.values)
    assert [v.reading for v in update.values] == [2.0]


async def test_it_outlives_a_database_whose_tables_are_missing_for_a_while(
    database_dsn: str, database: Database
):
    async with _subscription(database_dsn, database) as updates:
        await anext(updates)
        await _execute(database, "ALTER TABLE latest RENAME TO away", "SELECT pg_notify('readings', '')")
        await _until(updates, lambda u: u.database_away)
        await _execute(database, "ALTER TABLE away RENAME TO latest")
        await _until(updates, lambda u: not u.database_away)
        await _write(database, POWER, 0, 7.0)
        update = await _until(updates, lambda u: u.values)
    assert [v.reading for v in update.values] == [7.0]
