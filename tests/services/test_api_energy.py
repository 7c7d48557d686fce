"""Energy over the API: amounts with unit, coverage and how; balance, last year, intensity and CO2."""

import tracemalloc
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import numpy as np
import pytest

from energy_center.domain.people import UserRole
from energy_center.domain.quantities import Role
from energy_center.domain.site import Equipment, Point, Site, Text
from energy_center.store.pool import Database
from energy_center.store.readings import ReadingBatch, write_backlog
from energy_center.store.rollups import roll_up
from energy_center.store.site import apply_site
from tests.services.city_hall import SITE, point_of

LogIn = Callable[[UserRole], Awaitable[httpx.AsyncClient]]
TAIPEI = ZoneInfo("Asia/Taipei")
START = datetime(2026, 3, 2, tzinfo=TAIPEI)  # a Monday
DAYS = 40
LOADS = {"main": 120.0, "floor-meter": 80.0, "pv-1": 10.0}  # kW all the time


def _meter(equipment_id: str, *roles: Role, **more) -> Equipment:
    points = tuple(Point(equipment_id, role.value, role, 900.0) for role in roles)
    return Equipment(equipment_id, "Meter", Text("表", "Meter"), "hall-b1", points=points, **more)


HALL = replace(
    SITE,
    spaces=(
        replace(
            SITE.spaces[0], attributes={**SITE.spaces[0].attributes, "area_m2": 8766.0, "headcount": 100}
        ),
        replace(SITE.spaces[1], attributes={"area_m2": 2191.5}),
        *SITE.spaces[2:],
    ),
    equipment=(
        *SITE.equipment,
        _meter("rest", attributes={"expression": "main + pv-1 - floor-meter"}),
        _meter("water", Role.WATER_VOLUME, meters="hall"),
        _meter("rain", Role.TANK_OUTLET_VOLUME, Role.MAINS_VOLUME),
    ),
)


async def _count(
    db: Database, site: Site, equipment_id: str, role: Role, kw: float, start: datetime, days: int
) -> None:
    """Quarter-hourly registers of a constant load, with one more at the end."""
    point = point_of(site, equipment_id, role)
    at = start.timestamp() + 900.0 * np.arange(days * 96 + 1)
    n = at.size
    batch = ReadingBatch(
        np.full(n, point.point_id, np.int32),
        (at * 1e6).astype(np.int64),
        1000.0 + kw / 4 * np.arange(n),
        np.zeros(n, np.int16),
    )
    await write_backlog(db, batch, start + timedelta(days=days))


@pytest.fixture
async def site(database: Database) -> Site:
    """Forty days of constant loads, and the like days of the year before at 150 kW."""
    applied = await apply_site(database, HALL, "text", "test", START - timedelta(days=500))
    async with database.transaction() as connection:
        await connection.execute("UPDATE sampling SET interval_s = 900")
    for name, kw in LOADS.items():
        role = Role.ENERGY_EXPORT if name == "pv-1" else Role.ENERGY_IMPORT
        await _count(database, applied, name, role, kw, START, DAYS)
    await _count(database, applied, "main", Role.ENERGY_IMPORT, 150.0, START - timedelta(days=380), DAYS + 30)
    while await roll_up(database, "Asia/Taipei", START + timedelta(days=DAYS)):
        pass
    return applied


def _span(days: int, start: datetime = START) -> dict[str, str]:
    return {"from": start.isoformat(), "to": (start + timedelta(days=days)).isoformat()}


async def _get(client: httpx.AsyncClient, path: str, **query: str) -> dict:
    answer = await client.get(f"/api/v1{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_week_by_day_says_amount_unit_coverage_and_how(site: Site, logged_in: LogIn):
    found = await _get(await logged_in(UserRole.VIEWER), "/energy", meter="main", by="day", **_span(7))
    assert [s["amount"] for s in found["steps"]] == pytest.approx([2880.0] * 7)
    assert [s["coverage"] for s in found["steps"]] == pytest.approx([1.0] * 7)
    assert (found["total"], found["unit"], found["method"]) == (pytest.approx(20_160.0), "kW.h", "register")
    assert found["how"] == "main/energy_import: difference of the registers"
    assert found["steps"][0]["start"] == "2026-03-01T16:00:00Z"


async def test_hours_and_quarter_hours_add_up_to_the_day(site: Site, logged_in: LogIn):
    client = await logged_in(UserRole.VIEWER)
    for by, count in (("hour", 24), ("15min", 96)):
        found = await _get(client, "/energy", meter="main", by=by, **_span(1))
        assert len(found["steps"]) == count
        assert sum(s["amount"] for s in found["steps"]) == pytest.approx(2880.0)


async def test_an_expression_of_meters_is_a_meter(site: Site, logged_in: LogIn):
    client = await logged_in(UserRole.VIEWER)
    found = await _get(client, "/energy", meter="main + pv-1 - sum(floor-*)", by="day", **_span(2))
    assert [s["amount"] for s in found["steps"]] == pytest.approx([50 * 24.0] * 2)
    assert found["how"] == (
        "main/energy_import + pv-1/energy_export - floor-meter/energy_import: difference of the registers"
    )


async def test_a_named_expression_of_the_site_file_is_a_meter(site: Site, logged_in: LogIn):
    client = await logged_in(UserRole.VIEWER)
    for meter in ("rest", "main.energy_import + pv-1 - floor-meter"):
        found = await _get(client, "/energy", meter=meter, by="day", **_span(2))
        assert [s["amount"] for s in found["steps"]] == pytest.approx([50 * 24.0] * 2)


async def test_own_use_of_sun_and_rain(site: Site, database: Database, logged_in: LogIn):
    for name, role, m3_an_hour in (
        ("water", Role.WATER_VOLUME, 6.0),
        ("rain", Role.TANK_OUTLET_VOLUME, 3.0),
        ("rain", Role.MAINS_VOLUME, 1.0),
    ):
        await _count(database, site, name, role, m3_an_hour, START, 10)
    while await roll_up(database, "Asia/Taipei", START + timedelta(days=DAYS)):
        pass
    found = await _get(await logged_in(UserRole.VIEWER), "/spaces/hall/shares", **_span(5))
    # 10 kW of sun, all of it used beside 120 kW from the grid; of 3 m3/h of the tank 1 is mains
    assert (found["generated_kwh"], found["used_of_generation"]) == (pytest.approx(1200.0), 1.0)
    assert found["used_of_demand"] == pytest.approx(10 / 130)
    assert (found["rain_m3"], found["mains_m3"]) == (pytest.approx(240.0), pytest.approx(720.0))
    assert found["rain_share"] == pytest.approx(0.25)
    assert found["not_known"] == ["grid export is not measured"]


async def test_what_of_sun_and_rain_is_not_measured_is_named(site: Site, logged_in: LogIn):
    found = await _get(await logged_in(UserRole.VIEWER), "/spaces/annex/shares", **_span(5))
    assert (found["used_kwh"], found["rain_share"]) == (None, None)
    assert "mains water is not measured" in found["not_known"]


async def test_a_meter_at_last_years_weather(site: Site, database: Database, logged_in: LogIn):
    point = point_of(site, "weather", Role.OUTDOOR_AIR_TEMPERATURE)
    warm = 20.0 + 6 * np.random.default_rng(3).random(DAYS)  # Cel, the days of this year
    for first, temperatures in ((START, warm), (START - timedelta(days=364), warm + 3.0)):
        at = first.timestamp() + 900.0 * np.arange(DAYS * 96)
        readings = ReadingBatch(
            np.full(at.size, point.point_id, np.int32),
            (at * 1e6).astype(np.int64),
            np.repeat(temperatures, 96),
            np.zeros(at.size, np.int16),
        )
        await write_backlog(database, readings, START + timedelta(days=DAYS))
    floor = point_of(site, "chiller-1", Role.ACTIVE_POWER)  # 20 kW and 5 kW a degree above 18.3
    at = START.timestamp() + 900.0 * np.arange(DAYS * 96)
    batch = ReadingBatch(
        np.full(at.size, floor.point_id, np.int32),
        (at * 1e6).astype(np.int64),
        np.repeat(20.0 + 5.0 * (warm - 18.3), 96),
        np.zeros(at.size, np.int16),
    )
    await write_backlog(database, batch, START + timedelta(days=DAYS))
    while await roll_up(database, "Asia/Taipei", START + timedelta(days=DAYS)):
        pass
    found = await _get(await logged_in(UserRole.VIEWER), "/energy/weather", meter="chiller-1", **_span(35))
    assert found["not_known"] == []
    assert found["per_degree_day"] == pytest.approx(5.0 * 24, rel=0.03)
    assert found["cooling_days_last_year"] - found["cooling_days"] == pytest.approx(3.0 * 35, rel=0.02)
    assert found["at_last_years_weather"] - found["consumption"] == pytest.approx(3 * 35 * 5 * 24, rel=0.05)


async def test_without_temperatures_there_is_no_weather_comparison_but_a_reason(site: Site, logged_in: LogIn):
    found = await _get(await logged_in(UserRole.VIEWER), "/energy/weather", meter="main", **_span(35))
    assert found["at_last_years_weather"] is None
    assert "35 days of last year are without temperatures" in found["not_known"]


async def test_what_was_never_measured_is_null_and_not_zero(site: Site, logged_in: LogIn):
    client = await logged_in(UserRole.VIEWER)
    found = await _get(
        client, "/energy", meter="main", by="day", **_span(3, START + timedelta(days=DAYS - 1))
    )
    assert [s["amount"] for s in found["steps"]] == [pytest.approx(2880.0), None, None]
    assert found["coverage"] == pytest.approx(1 / 3, abs=0.01)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"meter": "mian"}, "no meter 'mian'"),
        ({"meter": "main + tank"}, "no meter 'tank'"),
        ({"meter": "main", "by": "15min", "from": "2001-01-01T00:00:00Z"}, "more than 40,000 steps"),
        ({"meter": "main", "from": "2026-04-01T00:00:00Z", "to": "2026-03-01T00:00:00Z"}, "`from` must lie"),
    ],
)
async def test_a_wrong_question_is_answered_in_words(site: Site, logged_in: LogIn, query: dict, says: str):
    answer = await (await logged_in(UserRole.VIEWER)).get("/api/v1/energy", params=query)
    assert answer.status_code == 422
    assert says in answer.text


async def test_the_balance_names_what_no_sub_meter_sees(site: Site, logged_in: LogIn):
    found = await _get(await logged_in(UserRole.VIEWER), "/energy/balance", meter="main", **_span(2))
    # 120 kW from the grid and 10 kW of sun, 80 kW of them metered
    assert [s["residual"] for s in found["steps"]] == pytest.approx([50 * 24.0] * 2)
    assert {p["equipment_id"]: p["factor"] for p in found["parts"]} == {"floor-meter": 1.0, "pv-1": -1.0}
    assert found["residual_share"] == pytest.approx(50 / 120)


async def test_last_year_is_compared_by_like_days(site: Site, logged_in: LogIn):
    client = await logged_in(UserRole.VIEWER)
    found = await _get(client, "/energy/comparison", meter="main", **_span(14))
    assert (found["pairs"], found["left_out"]) == (14, [])
    assert found["change_share"] == pytest.approx(-0.2)  # 120 kW after 150 kW


async def test_intensity_and_co2_of_a_building_and_of_a_floor(site: Site, logged_in: LogIn):
    client = await logged_in(UserRole.VIEWER)
    hall = await _get(client, "/spaces/hall/intensity", **_span(30))
    # 120 kW x 8,766 h of a year over 8,766 m2
    assert hall["kwh_per_m2_year"] == pytest.approx(120.0)
    assert (hall["meter"], hall["is_scaled"], hall["allocated_share"]) == ("main", True, None)
    assert hall["co2_kg"] == pytest.approx(120 * 24 * 30 * 0.467)
    assert hall["co2_parts"][0]["is_provisional"]  # 2026 has no factor of its own yet
    floor = await _get(client, "/spaces/hall-b1/intensity", **_span(30))
    assert floor["allocated_share"] == pytest.approx(0.25)
    assert floor["energy_kwh"] == pytest.approx(120 * 24 * 30 / 4)


async def test_departments_by_their_meter_or_by_floor_area(database: Database, site: Site, logged_in: LogIn):
    def department(name: str, area: float, heads: int | None) -> dict[str, object]:
        return {"id": name, "name": {"zh-TW": "局", "en": name}, "area_m2": area, "headcount": heads}

    hall, floor, annex = HALL.spaces
    upper = replace(floor, space_id="hall-b2")
    told = replace(
        HALL,
        spaces=(
            hall,
            replace(
                floor,
                attributes={
                    **floor.attributes,
                    "departments": [department("finance", 1095.75, 10), department("archive", 200.0, 4)],
                },
            ),
            replace(
                upper,
                attributes={
                    **floor.attributes,
                    "departments": [department("finance", 438.3, 5), department("archive", 600.0, None)],
                },
            ),
            annex,
        ),
        equipment=tuple(
            replace(e, meters="archive") if e.equipment_id == "floor-meter" else e for e in HALL.equipment
        ),
    )
    await apply_site(database, told, "with departments", "test", START)
    client = await logged_in(UserRole.VIEWER)
    finance, archive = await _get(client, "/spaces/hall/departments", **_span(30))
    # an eighth and a twentieth of the hall's 8,766 m2, of 120 kW; 15 people
    assert (finance["how"], finance["spaces"]) == ("allocated by area", ["hall-b1", "hall-b2"])
    assert finance["shares"] == {"main": pytest.approx(0.175)}
    assert finance["energy_kwh"] == pytest.approx(120 * 24 * 30 * 0.175)
    assert finance["kwh_per_m2_year"] == pytest.approx(120.0)
    assert finance["kwh_per_head_year"] == pytest.approx(120 * 8766 * 0.175 / 15)
    assert (archive["how"], archive["shares"]) == ("measured", {"floor-meter": 1.0})
    assert archive["kwh_per_m2_year"] == pytest.approx(80 * 8766 / 800)
    assert archive["kwh_per_head_year"] is None
    finance, archive = await _get(client, "/spaces/hall-b1/departments", **_span(30))
    assert finance["shares"] == {"main": pytest.approx(0.125)}
    # its meter measures the rooms on the other floor too: a quarter of its area is here
    assert (archive["how"], archive["shares"]) == ("allocated by area", {"floor-meter": 0.25})
    assert archive["kwh_per_m2_year"] == pytest.approx(80 * 8766 / 800)
    assert archive["kwh_per_head_year"] == pytest.approx(80 * 8766 / 4 / 4)
    assert await _get(client, "/spaces/annex/departments", **_span(30)) == []
    assert (await client.get("/api/v1/spaces/nowhere/departments")).status_code == 404


async def test_an_intensity_of_a_week_is_refused_with_the_reason(site: Site, logged_in: LogIn):
    found = await _get(await logged_in(UserRole.VIEWER), "/spaces/hall/intensity", **_span(7))
    assert found["kwh_per_m2_year"] is None
    assert found["not_known"] == ["7 days, 28 needed"]


async def test_a_space_that_no_meter_bears_on_is_not_found(site: Site, logged_in: LogIn):
    client = await logged_in(UserRole.VIEWER)
    for space in ("annex", "nowhere"):
        answer = await client.get(f"/api/v1/spaces/{space}/intensity")
        assert answer.status_code == 404, answer.text


def test_the_start_is_a_monday():
    assert (START.weekday(), START.date()) == (0, date(2026, 3, 2))


async def test_many_meters_over_a_year_take_little_memory(database: Database, logged_in: LogIn):
    """20 meters by quarter-hours: 700,000 rows, of 200 bytes each while they are read."""
    meters = [_meter(f"m-{n:02}", Role.ENERGY_IMPORT) for n in range(20)]
    site = await apply_site(database, replace(HALL, equipment=tuple(meters)), "text", "test", START)
    async with database.connection() as connection:
        await connection.execute(
            "INSERT INTO reading_15min (bucket, min, max, first, last, coverage, point_id, n) "
            "SELECT $1::timestamptz + i * interval '15 min', 30 * i, 30 * i + 30, 30 * i, 30 * i + 30, "
            "1, p, 1 "
            "FROM generate_series(0, 35039) AS i, unnest($2::int[]) AS p",
            START,
            [p.point_id for p in site.points()],
        )
    client = await logged_in(UserRole.VIEWER)
    period = {"from": START.isoformat(), "to": (START + timedelta(days=364)).isoformat()}
    tracemalloc.start()
    try:
        answer = await client.get("/api/v1/energy", params={"meter": "sum(m-*)", "by": "15min"} | period)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert answer.json()["total"] == pytest.approx(20 * 120 * 24 * 364)
    assert peak < 80e6
