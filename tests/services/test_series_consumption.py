"""A counter's consumption in a series: at every grain and in every zone that of the register, as on bills."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from energy_center.domain.quantities import Role
from energy_center.domain.site import Point
from energy_center.services.read_energy import energies_of
from energy_center.services.series_consumption import bucket_start, with_consumption
from energy_center.store.pool import Database
from energy_center.store.readings import ReadingBatch, write_backlog
from energy_center.store.rollups import roll_up
from energy_center.store.series import Grain, Series, read_elsewhere, read_series
from tests.services.city_hall import NOW, applied, point_of

TAIPEI, KATHMANDU = ZoneInfo("Asia/Taipei"), ZoneInfo("Asia/Kathmandu")
STEP_S = 300
DAYS = 4


async def _point(database: Database) -> Point:
    site = await applied(database, NOW - timedelta(days=3000))
    async with database.transaction() as connection:
        await connection.execute("UPDATE sampling SET interval_s = $1", STEP_S)
        await connection.execute("DELETE FROM reading_15min")
        await connection.execute("DELETE FROM reading_hour")
        await connection.execute("DELETE FROM reading_day")
        await connection.execute("DELETE FROM reading")
    return replace(point_of(site, "main", Role.ENERGY_IMPORT), interval_s=STEP_S)


async def _write(database: Database, point: Point, start: datetime, level: np.ndarray, seed: int) -> None:
    """In any order, some twice, rolled up in between."""
    random = np.random.default_rng(seed)
    n = len(level)
    order = np.concatenate((random.permutation(n), random.integers(0, n, n // 10)))
    for part in np.array_split(order, 4):
        at_us = (int(start.timestamp()) + part * STEP_S) * 1_000_000
        await write_backlog(
            database,
            ReadingBatch(
                np.full(len(part), point.point_id, np.int32),
                at_us,
                level[part],
                np.zeros(len(part), np.int16),
            ),
            NOW,
        )
        while await roll_up(database, "Asia/Taipei", NOW + timedelta(days=1)):
            pass


async def _told(
    database: Database, point: Point, start: datetime, end: datetime, grain: Grain, zone: ZoneInfo = TAIPEI
) -> Series:
    if zone is TAIPEI:
        rows = (await read_series(database, [point.point_id], start, end, grain))[point.point_id]
    else:
        first, last = (bucket_start(at, grain, zone) for at in (start, end + timedelta(hours=1)))
        rows = await read_elsewhere(database, point.point_id, first, last, grain, zone.key)
    return await with_consumption(database, point, rows, grain, zone, is_site_zone=zone is TAIPEI)


@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    dips=st.lists(st.integers(2, DAYS * 288 - 3), max_size=6, unique_by=lambda n: n // 12),
    began=st.sampled_from([0.0, 0.5, 70_000.0]),
    seed=st.integers(0, 999),
)
async def test_the_parts_are_the_register_s_difference_whatever_arrives_when(
    database: Database, dips: list[int], began: float, seed: int
) -> None:
    """Wrong single readings of 0, at edges of buckets too, change no sum, in no zone."""
    point = await _point(database)
    start = datetime(2026, 11, 9, 16, tzinfo=UTC)  # midnight in Taipei
    true = began + np.cumsum(np.random.default_rng(seed).uniform(0.5, 4, DAYS * 288))
    level = true.copy()
    level[dips] = 0.0
    await _write(database, point, start, level, seed)
    end = start + timedelta(days=DAYS)
    expected = true[-1] - true[0]
    # of a register that has hardly begun, a 0 may as well be a beginning: some readings' worth is not known
    exact = 1e-6 if began > 1_000 else 20
    sums = {
        (grain, zone.key): float((await _told(database, point, start, end, grain, zone)).delta.sum())
        for grain, zone in (
            (Grain.QUARTER, TAIPEI),
            (Grain.HOUR, TAIPEI),
            (Grain.DAY, TAIPEI),
            (Grain.HOUR, KATHMANDU),
        )
    }
    assert sums == pytest.approx(dict.fromkeys(sums, expected), abs=exact)
    assert sums[(Grain.HOUR, TAIPEI.key)] == pytest.approx(sums[(Grain.DAY, TAIPEI.key)], abs=1e-6)
    edges = np.array([start.timestamp(), end.timestamp()])
    billed = (await energies_of(database, {"main": point}, edges))["main"].energies.total
    assert billed == pytest.approx(expected, abs=exact)


@pytest.mark.parametrize("second", [0, 1])
async def test_a_dip_at_midnight_leaves_the_first_quarter_of_the_day_as_it_was(
    database: Database, second: int
) -> None:
    """60 kWh a quarter-hour; the last reading before midnight, or the first after it, is 0."""
    point = await _point(database)
    start = datetime(2026, 11, 9, 16, tzinfo=UTC)
    level = 50_000.0 + 20.0 * np.arange(2 * 288)
    level[288 - 1 + second] = 0.0
    await _write(database, point, start, level, 1)
    midnight = start + timedelta(days=1)
    for grain, amount in ((Grain.QUARTER, 60.0), (Grain.HOUR, 240.0), (Grain.DAY, 24 * 240.0)):
        row = (await _told(database, point, midnight, midnight + timedelta(days=1), grain)).delta[0]
        assert row == pytest.approx(amount, abs=31)


async def test_a_bucket_after_a_long_gap_holds_what_was_counted_meanwhile(database: Database) -> None:
    point = await _point(database)
    start = datetime(2026, 10, 1, 16, tzinfo=UTC)
    await _write(database, point, start, 100.0 + np.arange(288.0), 2)
    later = start + timedelta(days=30)
    await _write(database, point, later, 5_000.0 + np.arange(288.0), 3)
    for grain in (Grain.QUARTER, Grain.HOUR, Grain.DAY):
        rows = await _told(database, point, later, later + timedelta(days=1), grain)
        assert rows.delta.sum() == pytest.approx(5_000 + 287 - 100 - 287)
