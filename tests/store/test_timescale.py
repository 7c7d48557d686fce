"""What is TimescaleDB's alone: hypertable, compression, retention, late rows into what is compressed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from energy_center.domain.quantities import Role
from energy_center.errors import MigrationError
from energy_center.store.capabilities import Licence, capabilities, refuse_old_timescale
from energy_center.store.chunks import compress_old, fit_chunks
from energy_center.store.migrate import migrate, pending_migrations, shipped
from energy_center.store.partitions import default_rows, drop_old, keep, make_ahead
from energy_center.store.pool import Database
from energy_center.store.readings import write_backlog, write_readings
from energy_center.store.rollups import roll_up
from energy_center.store.series import Grain, read_series
from tests.store.builders import NOW, apply, batch, equipment, regular

DAY = timedelta(days=1)
ZONE = "Asia/Taipei"
OLD = datetime(2026, 10, 5, tzinfo=UTC)  # a Monday, seven weeks before NOW


async def settle(db: Database) -> None:
    while await roll_up(db, ZONE, NOW + 100 * DAY):
        pass


async def chunks(db: Database) -> list[bool]:
    """Whether each chunk is compressed, in order of time."""
    async with db.connection() as connection:
        rows = await connection.fetch(
            "SELECT is_compressed FROM timescaledb_information.chunks WHERE hypertable_name = 'reading' "
            "ORDER BY range_start"
        )
    return [held for (held,) in rows]


async def rollups(db: Database) -> list[tuple[object, ...]]:
    async with db.connection() as connection:
        rows = await connection.fetch(
            "SELECT point_id, bucket, mean, min, max, first, last, coverage, n FROM reading_15min "
            "ORDER BY point_id, bucket"
        )
    return [tuple(row.values()) for row in rows]


async def test_the_server_s_capabilities_are_seen(timescale: Database) -> None:
    can = await capabilities(timescale)
    assert (can.licence, can.can_compress, can.takes_copy) == (Licence.TIMESCALE, True, False)
    assert "TimescaleDB 2.23" in str(can)
    assert "compression" in str(can)


async def test_plain_postgres_has_nothing_of_it(partitioned: Database) -> None:
    can = await capabilities(partitioned)
    assert (can.timescale, can.licence, can.can_compress, can.takes_copy) == (None, None, False, True)
    assert "weekly partitions" in str(can)
    assert await compress_old(partitioned, NOW) == []


@pytest.mark.parametrize("version", ["2.22.1", "2.9", "1.7.5"])
def test_an_old_extension_is_refused_with_its_remedy(version: str) -> None:
    with pytest.raises(MigrationError, match=rf"2.23 or newer is needed; this one is {version}.*UPDATE"):
        refuse_old_timescale(version)


async def test_readings_of_before_move_into_the_hypertable(empty_timescale: Database) -> None:
    """TimescaleDB added to an installation that has run without: nothing is lost, figures stay."""
    names = [m.name for m in shipped(timescale=True)]
    assert await pending_migrations(empty_timescale) == names
    async with empty_timescale.connection() as connection:
        for migration in shipped():
            await connection.execute(migration.sql)
        await connection.execute(
            "CREATE TABLE schema_migration (name text PRIMARY KEY, sha256 text, applied_at timestamptz)"
        )
        for migration in shipped():
            await connection.execute(
                "INSERT INTO schema_migration VALUES ($1, $2, now())", migration.name, migration.sha256
            )
    await make_ahead(empty_timescale, NOW)
    await write_readings(empty_timescale, regular([1, 2], NOW, 60, 30), NOW)
    applied = await migrate(empty_timescale)
    assert applied == [m.name for m in shipped(timescale=True)[len(shipped()) :]]
    empty_timescale.known_partitions.clear()
    assert await write_readings(empty_timescale, regular([1, 2], NOW, 60, 40), NOW) == 20
    assert len(await chunks(empty_timescale)) == 1
    assert await default_rows(empty_timescale) == 0
    assert await migrate(empty_timescale) == []


async def test_chunks_are_a_day_long_where_a_day_brings_a_million(timescale: Database) -> None:
    await apply(timescale, equipment("a", [Role.ACTIVE_POWER], 60.0))
    assert await fit_chunks(timescale) == 7 * DAY
    await apply(timescale, equipment("a", [Role.ACTIVE_POWER], 0.08))  # 1,080,000 a day
    assert await fit_chunks(timescale) == DAY
    await write_readings(timescale, regular([1], OLD, 86_400, 3), NOW)
    assert len(await chunks(timescale)) == 3
    await apply(timescale, equipment("a", [Role.ACTIVE_POWER], 60.0))
    assert await fit_chunks(timescale) == 7 * DAY


async def test_chunks_a_week_old_are_compressed_once(timescale: Database) -> None:
    await write_readings(timescale, regular([1, 2], OLD, 3600, 24 * 7), NOW)
    await write_readings(timescale, regular([1, 2], NOW, 60, 60), NOW)
    before = await read_series(timescale, [1, 2], OLD, NOW + DAY, Grain.RAW)
    assert len(await compress_old(timescale, NOW)) == len(await chunks(timescale)) - 1
    assert (await chunks(timescale))[-1] is False
    assert await compress_old(timescale, NOW) == []
    after = await read_series(timescale, [1, 2], OLD, NOW + DAY, Grain.RAW)
    for point in (1, 2):
        assert after[point].at_us.tolist() == before[point].at_us.tolist()
        assert after[point].value.tolist() == before[point].value.tolist()


@pytest.mark.parametrize("write", [write_readings, write_backlog])
async def test_late_rows_into_a_compressed_chunk_count_and_are_compressed_again(
    timescale: Database, write
) -> None:
    whole = regular([1, 2, 3], OLD, 60, 600)
    late = whole.point_id == 2
    await write(timescale, whole.take((~late).nonzero()[0]), NOW)
    await settle(timescale)
    assert len(await compress_old(timescale, NOW)) == 1
    assert await write(timescale, whole, NOW) == 600  # the late point alone is new; the others are a replay
    await settle(timescale)
    figures = await rollups(timescale)
    assert {n for *_, n in figures} == {15}
    assert len(await compress_old(timescale, NOW)) == 1
    assert await compress_old(timescale, NOW) == []
    async with timescale.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM reading") == len(whole)
        await connection.execute(
            "INSERT INTO invalidation (bucket_from, bucket_to, point_ids) VALUES ($1, $2, '{1,2,3}')",
            OLD,
            OLD + DAY,
        )
    await settle(timescale)
    assert await rollups(timescale) == figures


async def test_old_chunks_are_dropped_after_their_roll_up_only(timescale: Database) -> None:
    await write_readings(timescale, regular([1], OLD, 3600, 24), NOW)
    await write_readings(timescale, regular([1], NOW, 60, 60), NOW)
    assert await drop_old(timescale, NOW, 14) == []
    await settle(timescale)
    before = await rollups(timescale)
    assert len(await drop_old(timescale, NOW, 14)) == 1
    assert len(await chunks(timescale)) == 1
    assert await rollups(timescale) == before
    async with timescale.connection() as connection:
        assert await connection.fetchval("SELECT raw_kept_from FROM retention_state") > OLD + 7 * DAY


async def test_an_operator_s_own_policies_are_left_alone(timescale: Database) -> None:
    await write_readings(timescale, regular([1], OLD, 3600, 24), NOW)
    await settle(timescale)
    async with timescale.connection() as connection:
        await connection.execute("SELECT add_compression_policy('reading', interval '30 days')")
        await connection.execute("SELECT add_retention_policy('reading', interval '10 years')")
    try:
        await keep(timescale, NOW, 14)
        assert await chunks(timescale) == [False]
    finally:
        async with timescale.connection() as connection:
            await connection.execute("SELECT remove_compression_policy('reading')")
            await connection.execute("SELECT remove_retention_policy('reading')")
    await keep(timescale, NOW, 365)
    assert await chunks(timescale) == [True]
    await keep(timescale, NOW, 14)
    assert await chunks(timescale) == []


async def test_values_come_back_to_the_last_bit_however_they_are_stored(timescale: Database) -> None:
    """Decimals as whole numbers, all others as they are; a point that shows more digits later as well."""
    values = [20.1, 0.1 + 0.2, -3.0, 123_456.789, 1e300, float(np.float32(20.1)), 0.000_001, 20.15]
    parts = [values[:3], values[3:]]
    at = OLD
    for part in parts:
        await write_readings(timescale, batch(1, [(at + n * DAY / 24, v) for n, v in enumerate(part)]), NOW)
        at += len(part) * DAY / 24
    assert len(await compress_old(timescale, NOW)) == 1
    found = (await read_series(timescale, [1], OLD, NOW, Grain.RAW))[1]
    assert found.value.tolist() == values
    async with timescale.connection() as connection:
        stored = await connection.fetch("SELECT value, digits FROM reading ORDER BY ts")
    whole, digits = stored[0]  # as many digits as the point has shown to this process, at least one
    assert (whole, digits >= 1) == (round(20.1 * 10**digits), True)
    assert tuple(stored[3]) == (123_456_789_000.0, 6)
    assert stored[1]["digits"] == 0


async def test_a_compressed_reading_takes_a_tenth_of_a_plain_one(timescale: Database) -> None:
    """Counted in bytes, on a temperature that moves by tenths; 17.9 times was measured on a native server."""
    rows = regular([1, 2, 3, 4], OLD, 60, 6_000)
    steps = np.where(rows.value < 10, -0.1, np.where(rows.value > 90, 0.1, 0.0)).reshape(-1, 4)
    slow = (20 + np.cumsum(steps, axis=0)).round(1).ravel()
    await write_readings(timescale, replace(rows, value=slow), NOW)
    await compress_old(timescale, NOW)
    async with timescale.connection() as connection:
        before, after = await connection.fetchrow(
            "SELECT before_compression_total_bytes, after_compression_total_bytes "
            "FROM hypertable_compression_stats('reading')"
        )
    assert after < before / 10
