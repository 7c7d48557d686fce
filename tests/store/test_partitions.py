"""Weeks of `reading`: ahead, on demand, dropped late enough."""

import asyncio
from datetime import UTC, datetime, timedelta

from energy_center.store.partitions import WEEK, drop_old, ensure_weeks, make_ahead, week_of, weeks_between
from energy_center.store.pool import Database
from energy_center.store.readings import write_readings
from tests.store.builders import NOW, regular

DAY = timedelta(days=1)


def test_weeks_start_on_monday_in_utc() -> None:
    sunday = datetime(2026, 11, 29, 23, 59, 59, 999999, UTC)
    assert week_of(sunday) == datetime(2026, 11, 23, tzinfo=UTC)
    assert week_of(sunday + timedelta(microseconds=1)) == datetime(2026, 11, 30, tzinfo=UTC)
    assert weeks_between(sunday, sunday + timedelta(seconds=1)) == [week_of(sunday), week_of(sunday) + WEEK]


async def test_this_week_and_the_next_two_are_made_once(database: Database) -> None:
    made = await make_ahead(database, NOW)
    assert made == ["reading_20261123", "reading_20261130", "reading_20261207"]
    database.known_partitions.clear()
    assert await make_ahead(database, NOW) == []


async def test_stray_rows_move_from_the_default_into_a_new_week(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute(
            "INSERT INTO reading (ts, value, point_id) VALUES ($1, 1, 1), ($2, 2, 1)", NOW, NOW + WEEK
        )
    await ensure_weeks(database, [week_of(NOW)])
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM reading_default") == 1
        assert await connection.fetchval("SELECT count(*) FROM reading_20261123") == 1


async def test_two_processes_make_one_week_at_once(database: Database, database_dsn: str) -> None:
    other = await Database.open(database_dsn)
    weeks = [week_of(NOW) + n * WEEK for n in range(20)]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ensure_weeks(db, weeks)) for db in (database, other, database)]
    await other.close()
    assert sum(len(task.result()) for task in tasks) == 20


async def test_only_whole_weeks_past_the_retention_are_dropped(database: Database) -> None:
    await ensure_weeks(database, [week_of(NOW) - n * WEEK for n in range(4)])
    # 7 days before Tuesday the 24th lies in the week of the 16th, which stays
    assert await drop_old(database, NOW, 7) == ["reading_20261102", "reading_20261109"]
    async with database.connection() as connection:
        kept_from = await connection.fetchval("SELECT raw_kept_from FROM retention_state")
    assert kept_from == week_of(NOW) - WEEK


async def test_a_week_in_use_is_dropped_another_time(database: Database) -> None:
    await write_readings(database, regular([1], NOW - 30 * DAY, 1, 3), NOW)
    async with database.connection() as connection:
        await connection.execute("DELETE FROM invalidation")
    async with database.transaction() as reader:
        await reader.fetchval("SELECT count(*) FROM reading")
        assert await drop_old(database, NOW, 7) == []
    assert len(await drop_old(database, NOW, 7)) == 1


async def test_a_week_dropped_by_another_process_is_made_again_for_late_data(
    database: Database, database_dsn: str
) -> None:
    late = regular([1], NOW - 30 * DAY, 1, 3)
    await write_readings(database, late, NOW)
    async with database.connection() as connection:
        await connection.execute("DELETE FROM invalidation")
    other = await Database.open(database_dsn)
    assert len(await drop_old(other, NOW, 7)) == 1
    await other.close()
    assert await write_readings(database, late, NOW) == 3
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM reading_default") == 0
