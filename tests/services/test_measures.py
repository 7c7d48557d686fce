"""A measure from accepted to verified on a real database: a register and weather of known effect."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from energy_center.domain.measures import Days, Measure, MeasureState
from energy_center.domain.people import Actor
from energy_center.domain.quantities import Role
from energy_center.errors import Conflict, Invalid, NotFound
from energy_center.services.measure_pdf import measure_pdf
from energy_center.services.measures import (
    Step,
    WantedMeasure,
    adjust_measure,
    create_measure,
    get_measure,
    list_measures,
    move_measure,
    withdraw_adjustment,
)
from energy_center.services.verify_measure import verify_due, verify_measure
from energy_center.store.pool import Database
from energy_center.store.readings import ReadingBatch, write_backlog
from energy_center.store.rollups import roll_up
from energy_center.store.site import apply_site
from tests.bench.verification.buildings import REPORTING, make_case
from tests.services.city_hall import point_of
from tests.services.writable_site import site_with_writable_point

ACTOR = Actor("manager", "127.0.0.1")
ZONE = ZoneInfo("Asia/Taipei")
WANTED = WantedMeasure("Lights off at night", "meter", cost_ntd=120_000)
DONE = Days(REPORTING.first - timedelta(days=14), REPORTING.first - timedelta(days=1))
BASELINE = Days(date(2024, 3, 1), date(2024, 12, 31))
TODAY = date(2025, 4, 1)
NOW = datetime(2025, 4, 1, 4, tzinfo=UTC)
AFTER_DAYS = 75


@pytest.fixture
async def site_applied(database: Database):
    return await apply_site(database, site_with_writable_point(), "text", "test", NOW)


async def accepted(database: Database) -> Measure:
    return await create_measure(database, WANTED, ACTOR, NOW)


async def done(database: Database) -> Measure:
    measure = await accepted(database)
    step = Step(MeasureState.DONE, measure.version, DONE, BASELINE)
    return await move_measure(database, measure.measure_id, step, ACTOR, NOW, TODAY)


async def test_a_measure_goes_its_way_and_knows_its_steps(database: Database, site_applied: object):
    suggested = await create_measure(
        database, replace(WANTED, state=MeasureState.SUGGESTED, suggestion_id=7), ACTOR, NOW
    )
    again = await create_measure(database, replace(WANTED, suggestion_id=7), ACTOR, NOW)
    assert again.measure_id == suggested.measure_id
    moved = await move_measure(database, 1, Step(MeasureState.ACCEPTED, 1), ACTOR, NOW, TODAY)
    assert (moved.state, moved.version) == (MeasureState.ACCEPTED, 2)
    with pytest.raises(Conflict):
        await move_measure(database, 1, Step(MeasureState.DONE, 1, DONE), ACTOR, NOW, TODAY)
    with pytest.raises(Conflict):
        await move_measure(database, 1, Step(MeasureState.SUGGESTED, 2), ACTOR, NOW, TODAY)
    with pytest.raises(Invalid):
        await move_measure(database, 1, Step(MeasureState.DONE, 2), ACTOR, NOW, TODAY)
    finished = await move_measure(database, 1, Step(MeasureState.DONE, 2, DONE), ACTOR, NOW, TODAY)
    assert finished.baseline == Days(DONE.first - timedelta(days=365), DONE.first - timedelta(days=1))
    assert (await get_measure(database, 1)).moves == (MeasureState.DROPPED,)


@pytest.mark.parametrize("meter", ["nothing", "meter +", "weather"])
async def test_a_measure_needs_an_electricity_meter(database: Database, site_applied: object, meter: str):
    with pytest.raises(Invalid, match="meter"):
        await create_measure(database, replace(WANTED, meter=meter), ACTOR, NOW)


async def test_without_data_it_cannot_be_told_and_says_so(database: Database, site_applied: object):
    measure = await done(database)
    found = await verify_measure(database, measure.measure_id, ACTOR, NOW)
    assert found.verdict == "cannot_tell"
    assert {"baseline_short", "reporting_short"} <= {r["reason"] for r in found.findings["reasons"]}
    with pytest.raises(NotFound):
        await verify_measure(database, 99, ACTOR, NOW)


async def test_a_measure_that_is_not_done_is_not_verified(database: Database, site_applied: object):
    measure = await accepted(database)
    with pytest.raises(Conflict):
        await verify_measure(database, measure.measure_id, ACTOR, NOW)
    assert await verify_due(database, NOW) == 0


@pytest.fixture
async def read_for_a_year(database: Database) -> None:
    """Hourly registers and temperatures of a building of which a measure takes a tenth."""
    plain = site_with_writable_point()
    hourly = tuple(
        replace(e, points=tuple(replace(p, interval_s=3600.0) for p in e.points)) for e in plain.equipment
    )
    site = await apply_site(database, replace(plain, equipment=hourly), "text", "test", NOW)
    made = make_case(7, 0.1, AFTER_DAYS)
    hours = made.hours.take(made.hours.day >= BASELINE.first.toordinal())
    start = datetime.combine(BASELINE.first, datetime.min.time(), ZONE).timestamp()
    used = np.nan_to_num(hours.energy_kwh, nan=float(np.nanmean(hours.energy_kwh)))
    at_us = ((start + 3600.0 * np.arange(len(used))) * 1e6).astype(np.int64)
    register = np.concatenate(([0.0], np.cumsum(used)[:-1]))
    for key, role, value in (
        ("meter", Role.ENERGY_IMPORT, register),
        ("weather", Role.OUTDOOR_AIR_TEMPERATURE, hours.temperature_c),
    ):
        ids = np.full(len(at_us), point_of(site, key, role).point_id, dtype=np.int32)
        await write_backlog(database, ReadingBatch(ids, at_us, value, np.zeros(len(ids), np.int16)), NOW)
    while await roll_up(database, ZONE.key, NOW):
        pass


async def test_a_tenth_less_is_verified_adjusted_and_kept(database: Database, read_for_a_year: None):
    measure = await done(database)
    assert await verify_due(database, NOW) == 1
    assert await verify_due(database, NOW) == 0  # once a day
    detail = await get_measure(database, measure.measure_id)
    found = detail.verification
    assert detail.measure.state is MeasureState.VERIFIED
    assert found is not None
    assert found.verdict == "saved"
    low, high = found.findings["estimate"]["intervals_kwh"]["0.95"]
    assert 0 < low < found.findings["estimate"]["avoided_kwh"] < high
    assert found.findings["estimate"]["avoided_share"] == pytest.approx(0.1, abs=0.03)
    assert found.findings["carbon_kg"] > 0
    assert found.findings["course"][-1]["avoided_kwh"] == pytest.approx(
        found.findings["estimate"]["avoided_kwh"]
    )

    span = Days(date(2025, 3, 1), date(2025, 3, 10))
    await adjust_measure(database, measure.measure_id, span, 100.0, "Server room", ACTOR, NOW)
    again = await verify_measure(database, measure.measure_id, ACTOR, NOW)
    assert again.data_hash == found.data_hash
    more = again.findings["estimate"]["avoided_kwh"] - found.findings["estimate"]["avoided_kwh"]
    assert more == pytest.approx(again.findings["estimate"]["adjustment_kwh"]) == pytest.approx(1000.0)

    await withdraw_adjustment(database, measure.measure_id, 1, ACTOR, NOW)
    last = await verify_measure(database, measure.measure_id, ACTOR, NOW)
    assert last.findings["estimate"] == found.findings["estimate"]
    with pytest.raises(NotFound):
        await withdraw_adjustment(database, measure.measure_id, 1, ACTOR, NOW)
    (row,) = await list_measures(database)
    assert row.verification is not None
    assert "days" not in row.verification.findings
    paper = await measure_pdf(database, measure.measure_id, "zh-TW")
    assert paper.startswith(b"%PDF")
    assert paper == await measure_pdf(database, measure.measure_id, "zh-TW")
