"""Trends on a real database: the grain fits the span, gaps stay open, simulated history is marked."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from energy_center.domain.quantities import Role
from energy_center.domain.readings import PointId, Quality
from energy_center.domain.site import Site
from energy_center.errors import Invalid, NotFound
from energy_center.services.read_history import Trend, read_trend
from energy_center.store.pool import Database
from energy_center.store.readings import note_sampling
from energy_center.store.rollups import roll_up
from tests.services.city_hall import NOW, applied, every, point_of, write

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
async def site(database: Database) -> Site:
    return await applied(database)


async def _roll_up(db: Database, site: Site) -> None:
    while await roll_up(db, site.time_zone, NOW):
        pass


async def _one(db: Database, point_id: PointId, start: datetime, end: datetime, **more) -> Trend:
    (trend,) = await read_trend(db, [point_id], start, end, **more)
    return trend


async def test_a_short_span_shows_the_readings_themselves(database: Database, site: Site):
    power = point_of(site, "main", Role.ACTIVE_POWER).point_id
    times = every(NOW - HOUR, NOW, 5)
    await write(database, power, times, np.arange(720.0))
    trend = await _one(database, power, NOW - HOUR, NOW)
    assert (trend.grain, trend.bucket_s, len(trend.value)) == ("raw", 5.0, 720)
    assert (trend.at[0], trend.value[0], trend.value[-1]) == (NOW - HOUR, 0.0, 719.0)
    assert trend.coverage == pytest.approx(1.0, abs=0.002)
    assert (trend.unit, trend.role, trend.equipment_id) == ("kW", Role.ACTIVE_POWER, "main")
    assert trend.simulated == ()


async def test_more_readings_than_pixels_become_a_mean_with_its_band(database: Database, site: Site):
    power = point_of(site, "main", Role.ACTIVE_POWER).point_id
    times = every(NOW - HOUR, NOW, 5)
    readings = np.full(720, 100.0)
    readings[301] = 900.0
    await write(database, power, times, readings)
    trend = await _one(database, power, NOW - HOUR, NOW, max_points=60)
    assert len(trend.value) == 60
    spike = trend.high.index(900.0)
    assert spike == 25  # the reading of 25 min 5 s
    assert trend.value[spike] == pytest.approx(100 + 800 / 12)
    assert (trend.low[spike], trend.bucket_s) == (100.0, 60.0)


async def test_an_outage_stays_a_gap(database: Database, site: Site):
    power = point_of(site, "main", Role.ACTIVE_POWER).point_id
    await write(database, power, every(NOW - HOUR, NOW - 0.5 * HOUR, 5), np.full(360, 1.0))
    await write(database, power, every(NOW - 0.25 * HOUR, NOW, 5), np.full(180, 2.0))
    trend = await _one(database, power, NOW - HOUR, NOW)
    gap = trend.value.index(None)
    assert trend.value.count(None) == 1
    assert trend.at[gap] == NOW - 0.5 * HOUR
    assert (trend.value[gap - 1], trend.value[gap + 1]) == (1.0, 2.0)
    assert trend.coverage == pytest.approx(0.75, abs=0.01)


async def test_a_missing_quarter_hour_is_a_gap_in_a_long_span_too(database: Database, site: Site):
    power = point_of(site, "main", Role.ACTIVE_POWER).point_id
    async with database.connection() as connection:
        await note_sampling(connection, [power], NOW - 12 * DAY, 900.0)
    start = NOW.replace(hour=0, minute=0, second=0) - 10 * DAY
    times = [at for at in every(start, start + 10 * DAY, 900) if not start + DAY <= at < start + 2 * DAY]
    await write(database, power, times, np.full(len(times), 50.0))
    await _roll_up(database, site)
    trend = await _one(database, power, start, start + 10 * DAY, max_points=240)
    assert (trend.grain, trend.bucket_s) == ("15min", 3600.0)
    assert trend.value.count(None) == 1
    assert trend.coverage == pytest.approx(0.9, abs=0.01)
    year = await _one(database, power, start - 355 * DAY, start + 10 * DAY, max_points=240)
    assert year.grain == "day"
    assert {v for v in year.value if v is not None} == {50.0}


async def test_a_register_shows_consumption_per_bucket(database: Database, site: Site):
    energy = point_of(site, "main", Role.ENERGY_IMPORT).point_id
    start = NOW.replace(minute=0, second=0) - 6 * HOUR
    times = every(start - 0.25 * HOUR, start + 6 * HOUR, 5)
    await write(database, energy, times, 1000 + np.arange(len(times)) / 720 * 80)  # 80 kWh an hour
    await _roll_up(database, site)
    trend = await _one(database, energy, start, start + 6 * HOUR)
    assert (trend.grain, trend.unit, len(trend.value)) == ("15min", "kW.h", 24)
    assert trend.value == pytest.approx([20.0] * 24, rel=1e-6)
    assert set(trend.low) == {None}


async def test_back_filled_history_is_marked_and_joins_the_live_readings(database: Database, site: Site):
    power = point_of(site, "main", Role.ACTIVE_POWER).point_id
    live_from = NOW - HOUR
    past = every(live_from - 5 * HOUR, live_from, 900)
    await write(database, power, past, np.full(20, 7.0), Quality.SIMULATED)
    await write(database, power, every(live_from, NOW, 5), np.full(720, 8.0))
    trend = await _one(database, power, live_from - 5 * HOUR, NOW)
    assert trend.simulated == ((live_from - 5 * HOUR, live_from),)
    assert None not in trend.value
    assert trend.coverage == pytest.approx(1.0, abs=0.01)


async def test_nothing_stored_is_empty_not_zero(database: Database, site: Site):
    trend = await _one(database, point_of(site, "tank", Role.TANK_LEVEL).point_id, NOW - DAY, NOW)
    assert trend.is_empty
    assert (trend.at, trend.coverage) == ((), 0.0)


async def test_trends_come_in_the_order_asked_for(database: Database, site: Site):
    ids = [
        point_of(site, "weather", Role.RAIN_RATE).point_id,
        point_of(site, "main", Role.ENERGY_IMPORT).point_id,
        point_of(site, "main", Role.ACTIVE_POWER).point_id,
    ]
    assert [t.point_id for t in await read_trend(database, ids, NOW - DAY, NOW)] == ids


async def test_raw_readings_that_were_dropped_are_not_looked_for(database: Database, site: Site):
    power = point_of(site, "main", Role.ACTIVE_POWER).point_id
    async with database.connection() as connection:
        await connection.execute("UPDATE retention_state SET raw_kept_from = $1", NOW)
    assert (await _one(database, power, NOW - HOUR, NOW)).grain == "15min"


@pytest.mark.parametrize(
    ("start", "end", "max_points", "message"),
    [
        (NOW, NOW, 1200, "ends before it starts"),
        (NOW.replace(tzinfo=None), NOW, 1200, "zone"),
        (NOW - DAY, NOW, 5, "max_points"),
    ],
)
async def test_a_wrong_request_is_refused(
    database: Database, site: Site, start: datetime, end: datetime, max_points: int, message: str
):
    point = point_of(site, "main", Role.ACTIVE_POWER).point_id
    with pytest.raises(Invalid, match=message):
        await read_trend(database, [point], start, end, max_points=max_points)


async def test_an_unknown_point_is_named(database: Database, site: Site):
    with pytest.raises(NotFound, match="99999"):
        await read_trend(database, [PointId(99999)], datetime(2026, 1, 1, tzinfo=UTC), NOW)
