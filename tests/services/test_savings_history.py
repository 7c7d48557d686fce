"""A building's past as the catalogue of measures reads it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from energy_center.domain.quantities import Role
from energy_center.domain.site import Point
from energy_center.services.read_savings_history import read_savings_history
from energy_center.store.pool import Database
from energy_center.store.site import apply_site
from tests.services.city_hall import APPLIED, NOW, SITE, point_of

LAST_YEAR = datetime(2025, 10, 31, 16, tzinfo=UTC)  # 1 November 2025 in Taichung


async def test_counters_of_water_and_rain_are_amounts_of_each_quarter_hour(database: Database):
    """A tank's inlet rises by 0.25 m3 a quarter-hour for a day, stops, and is silent afterwards."""
    equipment = tuple(
        replace(e, points=(*e.points, Point("tank", "inlet", Role.TANK_INLET_VOLUME, 5.0)))
        if e.equipment_id == "tank"
        else e
        for e in SITE.equipment
    )
    site = await apply_site(database, replace(SITE, equipment=equipment), "text", "test", APPLIED)
    inlet = next(p for p in site.points() if p.role is Role.TANK_INLET_VOLUME)
    level = point_of(site, "tank", Role.TANK_LEVEL)
    async with database.connection() as connection:
        await connection.execute(
            "INSERT INTO reading_15min (bucket, min, max, first, last, coverage, point_id, n) "
            "SELECT $1::timestamptz + i * interval '15 min', 0, 0, 100 + 0.25 * least(i, 96), "
            "100 + 0.25 * least(i + 1, 96), 1, $2, 180 FROM generate_series(0, 191) AS i",
            LAST_YEAR,
            inlet.point_id,
        )
        await connection.execute(
            "INSERT INTO reading_15min (bucket, mean, min, max, first, last, coverage, point_id, n) "
            "VALUES ($1, 80, 79, 81, 79, 81, 1, $2, 180)",
            LAST_YEAR + timedelta(hours=1),
            level.point_id,
        )
    history = await read_savings_history(database, "hall", NOW)
    counted = history.gauges["tank", Role.TANK_INLET_VOLUME]
    assert history.start_s[0] == LAST_YEAR.timestamp()
    assert counted[1:96] == pytest.approx(np.full(95, 0.25))  # m3
    assert counted[97:191] == pytest.approx(np.zeros(94))
    assert np.isnan(counted[192:]).all()
    assert history.gauges["tank", Role.TANK_LEVEL][4] == 80.0
    assert np.isnan(history.gauges["tank", Role.TANK_LEVEL][5:]).all()
