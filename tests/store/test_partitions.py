"""Weeks of `reading`: ahead, on demand, dropped late enough."""

import asyncio
from datetime import UTC, datetime, timedelta

import numpy as np

from energy_center.store.partitions import (
    WEEK,
    default_rows,
    drop_old,
    ensure_weeks,
    keep,
    make_ahead,
    reindex_closed,
    week_of,
    weeks_between,
)
from energy_center.store.pool import Database
from energy_center.store.readings import write_readings
from tests.store.builders import NOW, batch, regular

DAY = timedelta(days=1)


def test_weeks_start_on_monday_in_utc() -> None:
    sunday = datetime(2026, 11, 29, 23, 59, 59, 999999, UTC)
    assert week_of(sunday) == datetime(2026, 11, 23, tzinfo=UTC)
    assert week_of(sunday + timedelta(microseconds=1)) == datetime(2026, 11, 30, tzinfo=UTC)
    assert weeks_between(sunday, sunday + timedelta(seconds=1)) == [week_of(sunday), week_of(sunday) + WEEK]


async def test_this_week_and_the_next_two_are_made_once(partitioned: Database) -> None:
    made = await make_ahead(partitioned, NOW)
    assert made == ["reading_20261123", "reading_20261130", "reading_20261207"]
    partitioned.known_partitions.clear()
    assert await make_ahead(partitioned, NOW) == []


async def test_a_year_s_end_and_a_clock_that_jumps_find_their_weeks(partitioned: Database) -> None:
    new_year = datetime(2027, 1, 1, tzinfo=UTC)
    made = await make_ahead(partitioned, new_year - timedelta(days=4))
    assert made == ["reading_20261228", "reading_20270104", "reading_20270111"]
    for at in (
        new_year - timedelta(seconds=1),
        new_year,
        datetime(2036, 2, 29, tzinfo=UTC),
        NOW - 900 * WEEK,
    ):
        await write_readings(partitioned, batch(1, [(at, 1.0)]), NOW)
    assert await default_rows(partitioned) == 0
    async with partitioned.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM reading") == 4


async def test_stray_rows_move_from_the_default_into_a_new_week(partitioned: Database) -> None:
    async with partitioned.connection() as connection:
        await connection.execute(
            "INSERT INTO reading (ts, value, point_id) VALUES ($1, 1, 1), ($2, 2, 1)", NOW, NOW + WEEK
        )
    await ensure_weeks(partitioned, [week_of(NOW)])
    async with partitioned.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM reading_default") == 1
        assert await connection.fetchval("SELECT count(*) FROM reading_20261123") == 1


async def test_two_processes_make_one_week_at_once(partitioned: Database, partitioned_dsn: str) -> None:
    other = await Database.open(partitioned_dsn)
    weeks = [week_of(NOW) + n * WEEK for n in range(20)]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ensure_weeks(db, weeks)) for db in (partitioned, other, partitioned)]
    await other.close()
    assert sum(len(task.result()) for task in tasks) == 20


async def test_only_whole_weeks_past_the_retention_are_dropped(partitioned: Database) -> None:
    await ensure_weeks(partitioned, [week_of(NOW) - n * WEEK for n in range(4)])
    # 7 days before Tuesday the 24th lies in the week of the 16th, which stays
    assert await drop_old(partitioned, NOW, 7) == ["reading_20261102", "reading_20261109"]
    async with partitioned.connection() as connection:
        kept_from = await connection.fetchval("SELECT raw_kept_from FROM retention_state")
    assert kept_from == week_of(NOW) - WEEK


async def test_a_week_in_use_is_dropped_another_time(partitioned: Database) -> None:
    await write_readings(partitioned, regular([1], NOW - 30 * DAY, 1, 3), NOW)
    async with partitioned.connection() as connection:
        await connection.execute("DELETE FROM invalidation")
    async with partitioned.transaction() as reader:
        await reader.fetchval("SELECT count(*) FROM reading")
        assert await drop_old(partitioned, NOW, 7) == []
    assert len(await drop_old(partitioned, NOW, 7)) == 1


async def test_a_week_dropped_by_another_process_is_made_again_for_late_data(
    partitioned: Database, partitioned_dsn: str
) -> None:
    late = regular([1], NOW - 30 * DAY, 1, 3)
    await write_readings(partitioned, late, NOW)
    async with partitioned.connection() as connection:
        await connection.execute("DELETE FROM invalidation")
    other = await Database.open(partitioned_dsn)
    assert len(await drop_old(other, NOW, 7)) == 1
    await other.close()
    assert await write_readings(partitioned, late, NOW) == 3
    async with partitioned.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM reading_default") == 0


async def test_the_hourly_care_moves_strays_and_makes_weeks_ahead(partitioned: Database) -> None:
    async with partitioned.connection() as connection:
        await connection.execute(
            "INSERT INTO reading (ts, value, point_id) VALUES ($1, 1, 1), ($2, 2, 1)", NOW, NOW + 9 * WEEK
        )
    assert await default_rows(partitioned) == 2
    await keep(partitioned, NOW, 365)
    assert await default_rows(partitioned) == 0
    async with partitioned.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM reading") == 2
        assert await connection.fetchval("SELECT to_regclass('reading_20261207') IS NOT NULL")


async def test_the_index_of_a_closed_week_is_built_anew_once_and_shrinks(partitioned: Database) -> None:
    closed = week_of(NOW) - 3 * WEEK
    whole = regular(list(range(1, 101)), closed, 60, 200)
    for part in range(20):  # as it comes live: minute by minute, all points
        await write_readings(partitioned, whole.take(np.arange(part * 1000, (part + 1) * 1000)), NOW)
    name = f"reading_{closed:%Y%m%d}"

    async def index_bytes() -> int:
        async with partitioned.connection() as connection:
            return int(await connection.fetchval("SELECT pg_indexes_size($1::text::regclass)", name))

    before = await index_bytes()
    assert await reindex_closed(partitioned, NOW) == [name]
    assert await index_bytes() < 0.9 * before
    assert await reindex_closed(partitioned, NOW) == []


async def test_a_week_that_is_not_closed_is_left_alone(partitioned: Database) -> None:
    await ensure_weeks(partitioned, [week_of(NOW), week_of(NOW) - WEEK])
    assert await reindex_closed(partitioned, NOW) == []
    assert await reindex_closed(partitioned, NOW + WEEK) == [f"reading_{week_of(NOW) - WEEK:%Y%m%d}"]


async def test_what_a_stopped_rebuild_left_is_cleared_away(partitioned: Database) -> None:
    closed = week_of(NOW) - 3 * WEEK
    await ensure_weeks(partitioned, [closed])
    name = f"reading_{closed:%Y%m%d}"
    async with partitioned.connection() as connection:
        await connection.execute(f"CREATE UNIQUE INDEX {name}_pkey_ccnew ON {name} (point_id, ts)")
        await connection.execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = $1::text::regclass",
            f"{name}_pkey_ccnew",
        )
    assert await reindex_closed(partitioned, NOW) == [name]
    async with partitioned.connection() as connection:
        left = await connection.fetchval(
            "SELECT count(*) FROM pg_index WHERE indrelid = $1::text::regclass AND NOT indisvalid", name
        )
        assert left == 0
        assert await connection.fetchval("SELECT to_regclass($1)", f"{name}_pkey") is not None
