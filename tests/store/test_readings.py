"""Writing readings: idempotent, forward only, complete or not at all."""

import asyncio
from datetime import datetime, timedelta

import numpy as np
import pytest

from energy_center.domain.quantities import Role
from energy_center.domain.readings import PointId, Quality
from energy_center.errors import Invalid
from energy_center.store import readings
from energy_center.store.latest import changed_since, latest_of
from energy_center.store.listen import RECONNECTED, listen
from energy_center.store.pool import Database
from energy_center.store.readings import ReadingBatch, write_backlog, write_readings
from energy_center.store.series import Grain, read_series
from tests.store.builders import NOW, batch, regular

P, Q = PointId(1), PointId(2)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


async def count(db: Database, table: str) -> int:
    async with db.connection() as connection:
        return int(await connection.fetchval(f"SELECT count(*) FROM {table}"))  # noqa: S608 our own names


async def newest_batch(db: Database) -> int:
    return max((latest.batch for latest in await changed_since(db, 0)), default=0)


@pytest.mark.parametrize("write", [write_readings, write_backlog])
async def test_a_replay_stores_and_tells_nothing(backend: Database, write) -> None:
    rows = regular([1, 2, 3], NOW, 1, 10)
    assert await write(backend, rows, NOW) == 30
    before = await newest_batch(backend), await count(backend, "invalidation")
    assert await write(backend, rows, NOW + MINUTE) == 0
    assert (await newest_batch(backend), await count(backend, "invalidation")) == before
    assert await count(backend, "reading") == 30


@pytest.mark.parametrize("write", [write_readings, write_backlog])
async def test_instants_are_exact_to_the_microsecond(backend: Database, write) -> None:
    at = [NOW + timedelta(microseconds=n) for n in (1, 999_999, 123_456_789_012)]
    await write(backend, batch(P, [(t, 1.5) for t in at]), NOW)
    series = (await read_series(backend, [P], NOW, NOW + timedelta(days=9), Grain.RAW))[P]
    assert [t.item() for t in series.at] == [t.replace(tzinfo=None) for t in at]


@pytest.mark.parametrize("write", [write_readings, write_backlog])
async def test_latest_moves_only_forward(backend: Database, write) -> None:
    await write(backend, batch(P, [(NOW, 5.0), (NOW + SECOND, 6.0)]), NOW)
    await write(backend, batch(P, [(NOW - MINUTE, 9.0)]), NOW)
    latest = (await latest_of(backend, [P, Q]))[P]
    assert (latest.at, latest.value) == (NOW + SECOND, 6.0)
    assert Q not in await latest_of(backend, [P, Q])


@pytest.mark.parametrize("write", [write_readings, write_backlog])
async def test_latest_comes_back_from_the_future_once_the_clock_is_right_again(
    backend: Database, write
) -> None:
    ahead = NOW + timedelta(days=1)
    await write(backend, batch(P, [(ahead, 5.0)]), ahead)
    await write(backend, batch(P, [(NOW, 6.0)]), NOW)
    latest = (await latest_of(backend, [P]))[P]
    assert (latest.at, latest.value) == (NOW, 6.0)


async def test_simulated_history_is_never_latest(backend: Database) -> None:
    await write_backlog(backend, batch(P, [(NOW, 5.0)], Quality.SIMULATED), NOW)
    assert await latest_of(backend, [P]) == {}


async def test_changed_since_gives_only_newer_batches(backend: Database) -> None:
    await write_readings(backend, batch(P, [(NOW, 1.0)]), NOW)
    first = await newest_batch(backend)
    await write_readings(backend, batch(Q, [(NOW, 2.0)]), NOW)
    assert [latest.point_id for latest in await changed_since(backend, first)] == [Q]


async def test_batch_numbers_commit_in_order(database: Database) -> None:
    """A listener that has read up to batch n never misses one below n."""
    async with asyncio.TaskGroup() as group, database.transaction() as slow:
        await slow.execute("SELECT pg_advisory_xact_lock($1)", readings._BATCH_LOCK)
        earlier = await slow.fetchval("SELECT nextval('reading_batch')")
        later = group.create_task(write_readings(database, batch(P, [(NOW, 1.0)]), NOW))
        done, _ = await asyncio.wait([later], timeout=0.3)
        assert not done
    assert await newest_batch(database) > earlier


@pytest.mark.parametrize("write", [write_readings, write_backlog])
async def test_the_default_partition_stays_empty(partitioned: Database, write) -> None:
    years = [NOW.replace(year=year) for year in (2019, 2024, 2026, 2031)]
    await write(partitioned, batch(P, [(at, 1.0) for at in years]), NOW)
    assert await count(partitioned, "reading_default") == 0
    assert await count(partitioned, "reading") == 4


async def test_a_failing_batch_leaves_nothing(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute("ALTER TABLE invalidation ADD CHECK (cardinality(point_ids) < 2)")
    with pytest.raises(Exception, match="check"):
        await write_readings(database, regular([1, 2], NOW, 1, 1), NOW)
    assert await count(database, "reading") == await count(database, "latest") == 0


@pytest.mark.parametrize("write", [write_readings, write_backlog])
@pytest.mark.parametrize("size", [30, 3_000])
async def test_a_partial_replay_stores_what_is_new_whatever_its_size(
    backend: Database, write, size: int
) -> None:
    rows = regular([1, 2, 3], NOW, 1, size)
    known = rows.take(np.arange(0, len(rows), 17))  # not those that the writer looks at first
    await write(backend, known, NOW)
    assert await write(backend, rows, NOW) == len(rows) - len(known)
    assert await count(backend, "reading") == len(rows)
    assert await write(backend, rows, NOW) == 0


@pytest.mark.parametrize("size", [10, 2_000])
async def test_of_rows_told_twice_in_one_batch_the_first_counts(backend: Database, size: int) -> None:
    rows = regular([1], NOW, 1, size)
    again = ReadingBatch(rows.point_id, rows.at_us, rows.value + 1000, rows.quality)
    both = ReadingBatch(*(np.concatenate(pair) for pair in zip(_parts(rows), _parts(again), strict=True)))
    assert await write_readings(backend, both, NOW) == size
    stored = (await read_series(backend, [P], NOW, NOW + timedelta(days=1), Grain.RAW))[P]
    assert stored.value.tolist() == rows.value.tolist()


def _parts(rows: ReadingBatch) -> tuple[np.ndarray, ...]:
    return rows.point_id, rows.at_us, rows.value, rows.quality


async def test_two_writers_of_the_same_rows_store_them_once(database: Database) -> None:
    rows = regular(list(range(1, 201)), NOW, 1, 40)
    backwards = rows.take(np.arange(len(rows))[::-1])
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(write_readings(database, b, NOW)) for b in (rows, backwards, rows)]
    assert sum(task.result() for task in tasks) == len(rows)
    assert await count(database, "reading") == len(rows)


def test_a_batch_refuses_what_is_no_number() -> None:
    with pytest.raises(Invalid, match="not a finite number"):
        batch(P, [(NOW, float("nan"))])


def test_a_batch_refuses_uneven_columns() -> None:
    with pytest.raises(Invalid, match="differ in length"):
        ReadingBatch(np.zeros(1, np.int32), np.zeros(2, np.int64), np.zeros(2), np.zeros(2, np.int16))


async def test_runs_of_buckets_are_noted_apart(backend: Database) -> None:
    rows = [(NOW, 1.0), (NOW + 16 * MINUTE, 1.0), (NOW - timedelta(days=3), 1.0)]
    await write_readings(backend, batch(P, rows), NOW)
    async with backend.connection() as connection:
        spans = await connection.fetch(
            "SELECT bucket_to - bucket_from AS span FROM invalidation ORDER BY bucket_from"
        )
    assert [row["span"] for row in spans] == [15 * MINUTE, 30 * MINUTE]


async def test_writers_tell_listeners_after_the_rows_are_there(database: Database) -> None:
    async def first_news() -> tuple[str, list[float]]:
        async for channel, payload in listen(database.dsn, ["readings"]):
            if payload == RECONNECTED:
                await write_readings(database, batch(P, [(NOW, 4.5)]), NOW)
                continue
            return channel, [latest.value for latest in await changed_since(database, int(payload) - 1)]
        raise AssertionError

    async with asyncio.timeout(10):
        assert await first_news() == ("readings", [4.5])


async def test_a_listener_comes_back_and_says_so(database: Database) -> None:
    events: list[str] = []

    async def hear() -> None:
        async for _, payload in listen(database.dsn, ["readings"]):
            events.append(payload)
            if len(events) == 1:
                await cut_listeners(database)
            elif len(events) == 2:
                return

    async with asyncio.timeout(10):
        await hear()
    assert events == [RECONNECTED, RECONNECTED]


async def cut_listeners(db: Database) -> None:
    async with db.connection() as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND query LIKE 'LISTEN%'"
        )


async def test_raw_series_are_split_by_point_and_bounded(backend: Database) -> None:
    start: datetime = NOW
    await write_readings(backend, regular([1, 2], start, 10, 6), NOW)
    series = await read_series(
        backend, [Q, P, PointId(3)], start + 10 * SECOND, start + 50 * SECOND, Grain.RAW
    )
    assert {point: len(rows) for point, rows in series.items()} == {Q: 4, P: 4, PointId(3): 0}


def test_roles_with_counters_have_a_believable_rate() -> None:
    from energy_center.domain.quantities import QUANTITIES, Kind
    from energy_center.store.site import MAX_RATE_PER_H

    assert set(MAX_RATE_PER_H) == {role for role in Role if QUANTITIES[role].kind is Kind.COUNTER}
