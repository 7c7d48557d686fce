"""Energy over the API: amounts with unit, coverage and how; balance, last year, intensity and CO2."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import numpy as np
import pytest

from energy_center.domain.people import UserRole
from energy_center.domain.quantities import Role
from energy_center.domain.site import Site
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
HALL = replace(
    SITE,
    spaces=tuple(
        replace(s, attributes={**s.attributes, "area_m2": 8766.0, "headcount": 100})
        if s.space_id == "hall"
        else s
        for s in (*SITE.spaces[:1], replace(SITE.spaces[1], attributes={"area_m2": 2191.5}), *SITE.spaces[2:])
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
