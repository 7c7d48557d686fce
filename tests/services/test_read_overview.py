"""The overview's figures on a real database: right amounts, and an honest state when something is missing."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from energy_center.domain.quantities import Role
from energy_center.domain.site import Site
from energy_center.errors import NotFound
from energy_center.services.figures import FigureState
from energy_center.services.read_overview import BuildingNow, Overview, read_overview
from energy_center.store.pool import Database
from energy_center.store.rollups import roll_up
from tests.services.city_hall import MIDNIGHT, NOW, applied, every, point_of, write, write_now

BLOCK_START = NOW.replace(minute=0, second=0)
LEVELS = {
    ("chiller-1", Role.CHILLER_STATUS): 1.0,
    ("chiller-1", Role.ACTIVE_POWER): 120.0,
    ("chiller-2", Role.CHILLER_STATUS): 0.0,
    ("chiller-2", Role.ACTIVE_POWER): 0.0,
    ("pump-1", Role.ACTIVE_POWER): 30.0,
    ("plant", Role.CHILLED_WATER_SUPPLY_TEMPERATURE): 7.0,
    ("plant", Role.CHILLED_WATER_RETURN_TEMPERATURE): 12.0,
    ("plant", Role.CHILLED_WATER_FLOW): 150.0,
    ("pv-1", Role.ACTIVE_POWER): -42.0,
    ("sump-1", Role.SUMP_LEVEL): 0.8,
    ("sump-1", Role.HIGH_FLOAT): 0.0,
    ("sump-1-p1", Role.PUMP_STATUS): 1.0,
    ("tank", Role.TANK_LEVEL): 60.0,
    ("tank", Role.MAINS_VALVE): 0.0,
    ("weather", Role.OUTDOOR_AIR_TEMPERATURE): 24.5,
}


async def _main_meter_since_midnight(db: Database, site: Site, power_kw: float) -> None:
    """A constant load, read every 5 s."""
    times = every(MIDNIGHT, NOW, 5)
    hours = np.array([(at - MIDNIGHT).total_seconds() / 3600 for at in times])
    await write(db, point_of(site, "main", Role.ENERGY_IMPORT).point_id, times, 70_000 + power_kw * hours)
    await write(db, point_of(site, "main", Role.ACTIVE_POWER).point_id, times, np.full(len(times), power_kw))
    while await roll_up(db, site.time_zone, NOW):
        pass


async def _hall(db: Database, now: datetime = NOW) -> BuildingNow:
    found = (await read_overview(db, now)).building("hall")
    assert found is not None
    return found


@pytest.fixture
async def site(database: Database) -> Site:
    return await applied(database)


async def test_before_a_site_is_applied_there_is_no_overview(database: Database):
    with pytest.raises(NotFound, match="No site has been applied"):
        await read_overview(database, NOW)


async def test_energy_since_midnight_is_the_registers_difference(database: Database, site: Site):
    await _main_meter_since_midnight(database, site, 400.0)
    hall = await _hall(database)
    newest = NOW - timedelta(seconds=5)
    hours = (newest - MIDNIGHT).total_seconds() / 3600
    assert hall.energy_today.amount == pytest.approx(400.0 * hours, rel=1e-4)
    assert hall.energy_today.unit == "kW.h"
    assert hall.energy_today.at == newest
    assert hall.energy_today.coverage == pytest.approx(1.0, abs=0.01)
    assert hall.energy_today.state is FigureState.GOOD
    assert hall.total_power.amount == 400.0
    assert hall.total_power.point_ids == (point_of(site, "main", Role.ACTIVE_POWER).point_id,)


async def test_the_charge_of_today_is_priced_by_band_with_the_factor(database: Database, site: Site):
    """A weekday in winter at 15:07: off-peak 00-06 and 11-14, half-peak 06-11 and since 14."""
    await _main_meter_since_midnight(database, site, 400.0)
    cost = (await _hall(database)).cost_today
    energies = {band.band: band.energy_kwh for band in cost.bands}
    newest = NOW - timedelta(seconds=5)
    half_peak_h = 5 + (newest - datetime(2026, 11, 24, 6, tzinfo=UTC)) / timedelta(hours=1)
    assert energies == {
        "off_peak": pytest.approx(3600, rel=0.002),
        "half_peak": pytest.approx(400 * half_peak_h, rel=0.002),
    }
    expected = (3600 * 2.32 + 400 * half_peak_h * 5.47) * 1.017
    assert float(cost.total.amount) == pytest.approx(expected, rel=0.002)
    assert cost.total.amount == cost.total.amount.quantize(Decimal("0.01"))
    assert (cost.band_now, cost.edition, cost.industry_factor) == ("half_peak", "2025-10", Decimal("1.017"))


async def test_the_running_block_is_forecast_against_the_contract(database: Database, site: Site):
    await _main_meter_since_midnight(database, site, 400.0)
    demand = (await _hall(database)).demand
    assert (demand.start, demand.end) == (BLOCK_START, BLOCK_START + timedelta(minutes=15))
    assert demand.elapsed_share == pytest.approx(0.5)
    assert demand.so_far.amount == pytest.approx(400.0, rel=1e-3)
    assert demand.forecast.amount == pytest.approx(400.0, rel=1e-6)
    assert demand.forecast_low < 400.0 < demand.forecast_high < 500.0
    assert demand.over_contract_probability == pytest.approx(0.0, abs=1e-6)


async def test_plant_pv_sump_tank_and_weather(database: Database, site: Site):
    await write_now(database, site, LEVELS, NOW)
    overview = await read_overview(database, NOW)
    hall = overview.building("hall")
    assert (hall.plant.chillers_running, hall.plant.chillers_total) == (1, 2)
    assert hall.plant.power.amount == 150.0
    assert hall.plant.cooling_rt.amount == pytest.approx(248.0, abs=0.1)  # 1.1628 x 150 x 5 / 3.517
    assert hall.plant.efficiency.amount == pytest.approx(0.605, abs=0.001)
    assert hall.pv.power.amount == 42.0
    assert hall.sumps[0].level.amount == 0.8
    assert [(p.equipment_id, p.status.amount) for p in hall.sumps[0].pumps] == [("sump-1-p1", 1.0)]
    assert hall.rain_tank.volume.amount == pytest.approx(72.0)
    assert overview.weather.temperature.amount == 24.5
    assert overview.newest_at == NOW


async def test_without_readings_every_figure_is_missing_never_zero(database: Database, site: Site):
    hall = await _hall(database)
    figures = [
        hall.total_power,
        hall.energy_today,
        hall.demand.so_far,
        hall.demand.forecast,
        hall.plant.power,
        hall.plant.efficiency,
        hall.pv.power,
        hall.pv.energy_today,
        hall.sumps[0].level,
        hall.rain_tank.volume,
    ]
    assert {(f.amount, f.state) for f in figures} == {(None, FigureState.MISSING)}
    assert (hall.cost_today.total.amount, hall.plant.chillers_running) == (None, None)
    assert (hall.devices, hall.devices_stale) == (10, 10)


async def test_a_late_reading_is_stale_with_its_age(database: Database, site: Site):
    await write_now(database, site, LEVELS, NOW)
    later = NOW + timedelta(seconds=21)
    hall = await _hall(database, later)
    assert hall.sumps[0].level.state is FigureState.STALE
    assert (hall.sumps[0].level.amount, hall.sumps[0].level.at) == (0.8, NOW)
    assert hall.plant.power.state is FigureState.STALE
    assert hall.plant.chillers_running is None


async def test_one_missing_part_makes_a_sum_partial(database: Database, site: Site):
    known = {key: v for key, v in LEVELS.items() if key != ("pump-1", Role.ACTIVE_POWER)}
    await write_now(database, site, known, NOW)
    power = (await _hall(database)).plant.power
    assert (power.amount, power.state) == (120.0, FigureState.PARTIAL)
    assert power.coverage == pytest.approx(2 / 3)


async def test_a_gap_today_lowers_the_coverage_but_keeps_the_energy(database: Database, site: Site):
    times = every(MIDNIGHT, MIDNIGHT + timedelta(hours=4), 5) + every(NOW - timedelta(hours=2), NOW, 5)
    hours = np.array([(at - MIDNIGHT).total_seconds() / 3600 for at in times])
    await write(database, point_of(site, "main", Role.ENERGY_IMPORT).point_id, times, 70_000 + 100 * hours)
    while await roll_up(database, site.time_zone, NOW):
        pass
    energy = (await _hall(database)).energy_today
    assert energy.amount == pytest.approx(100 * hours[-1], rel=0.001)
    assert energy.state is FigureState.PARTIAL
    assert energy.coverage == pytest.approx(6 / 15.125, abs=0.02)


async def test_active_alarms_are_counted_by_priority_without_shelved_ones(database: Database, site: Site):
    async with database.connection() as connection:
        for rule, priority, state, shelved in (
            ("a", "critical", "unacknowledged", None),
            ("b", "critical", "acknowledged", None),
            ("c", "low", "returned_unacknowledged", None),
            ("d", "high", "unacknowledged", NOW + timedelta(hours=1)),
        ):
            await connection.execute(
                "INSERT INTO alarm "
                "(rule_id, equipment_id, priority, state, onset_at, raised_at, shelved_until) "
                "VALUES ($1, 'main', $2, $3, $4, $4, $5)",
                rule,
                priority,
                state,
                NOW,
                shelved,
            )
    hall = await _hall(database)
    assert hall.alarms == {"critical": 2, "high": 0, "medium": 0, "low": 0}
    assert hall.alarms_unacknowledged == 1


async def test_a_building_without_meters_still_has_its_card(database: Database, site: Site):
    annex = (await read_overview(database, NOW)).building("annex")
    assert annex.main_meter_id is None
    assert annex.total_power.state is FigureState.MISSING
    assert (annex.plant, annex.pv, annex.rain_tank, annex.sumps) == (None, None, None, ())
    assert isinstance(await read_overview(database, NOW), Overview)
