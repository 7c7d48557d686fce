"""Equipment, newest readings and history of a small site, read through the API."""

import csv
import io
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from energy_center.domain.people import UserRole
from energy_center.domain.quantities import Role
from energy_center.domain.readings import Quality
from energy_center.domain.site import Site
from energy_center.store.pool import Database
from tests.services.city_hall import applied, every, point_of, write

LogIn = Callable[[UserRole], Awaitable[httpx.AsyncClient]]
START = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
END = START + timedelta(minutes=10)


@pytest.fixture
async def site(database: Database) -> Site:
    """The small site; its main meter reads 100, 101, … kW every 5 s for ten minutes, with a gap."""
    made = await applied(database)
    power = point_of(made, "main", Role.ACTIVE_POWER).point_id
    times = every(START, END, 5)
    kept = [(at, 100.0 + n) for n, at in enumerate(times) if not 40 <= n < 80]
    await write(database, power, [at for at, _ in kept], [kw for _, kw in kept])
    return made


@pytest.fixture
def power_id(site: Site) -> int:
    return point_of(site, "main", Role.ACTIVE_POWER).point_id


def _span(**more: object) -> dict[str, object]:
    return {"start": START.isoformat(), "end": END.isoformat(), **more}


async def test_series_has_unit_grain_and_a_gap_where_nothing_was_read(logged_in: LogIn, power_id: int):
    client = await logged_in(UserRole.VIEWER)
    series = (await client.get(f"/api/v1/points/{power_id}/series", params=_span())).json()
    assert (series["unit"], series["grain"], series["equipment_id"]) == ("kW", "raw", "main")
    assert series["value"][0] == 100.0
    assert datetime.fromisoformat(series["at"][0]) == START
    assert None in series["value"], "a gap stays a gap"
    assert len(series["at"]) == len(series["value"]) == len(series["low"]) == len(series["high"])
    assert series["coverage"] == pytest.approx(80 / 120, abs=0.05)


async def test_series_as_csv_holds_the_same_numbers(logged_in: LogIn, power_id: int):
    client = await logged_in(UserRole.VIEWER)
    path = f"/api/v1/points/{power_id}/series"
    series = (await client.get(path, params=_span())).json()
    answer = await client.get(path, params=_span(format="csv"))
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert 'filename="main-active_power.csv"' in answer.headers["content-disposition"]
    header, *rows = csv.reader(io.StringIO(answer.text))
    assert header == ["at", "value (kW)", "low (kW)", "high (kW)", "simulated"]
    assert [float(row[1]) if row[1] else None for row in rows] == series["value"]
    assert {row[4] for row in rows} == {"no"}


async def test_simulated_history_is_marked_in_csv(logged_in: LogIn, site: Site, database: Database):
    point_id = point_of(site, "floor-meter", Role.ACTIVE_POWER).point_id
    await write(database, point_id, every(START, END, 5), [5.0] * 120, Quality.SIMULATED)
    client = await logged_in(UserRole.VIEWER)
    answer = await client.get(f"/api/v1/points/{point_id}/series", params=_span(format="csv"))
    rows = list(csv.reader(io.StringIO(answer.text)))[1:]
    assert rows[0][4] == "yes"


async def test_series_is_thinned_to_what_was_asked_for(logged_in: LogIn, power_id: int):
    client = await logged_in(UserRole.VIEWER)
    series = (await client.get(f"/api/v1/points/{power_id}/series", params=_span(max_points=20))).json()
    assert 5 <= len(series["at"]) <= 60


async def test_point_that_does_not_exist_is_not_found(logged_in: LogIn, site: Site):
    client = await logged_in(UserRole.VIEWER)
    assert (await client.get("/api/v1/points/2147483647/series")).status_code == 404
    assert (await client.get("/api/v1/latest", params={"point_id": 2147483647})).status_code == 404


async def test_newest_reading_carries_unit_time_and_age(logged_in: LogIn, power_id: int):
    client = await logged_in(UserRole.VIEWER)
    (newest,) = (await client.get("/api/v1/latest", params={"point_id": power_id})).json()
    assert (newest["reading"], newest["unit"], newest["quality"]) == (219.0, "kW", 0)
    assert newest["is_stale"] is True, "its last reading is more than an hour old"
    of_main = (await client.get("/api/v1/latest", params={"equipment_id": "main"})).json()
    assert {row["name"] for row in of_main} == {"active_power", "energy_import"}
    never = next(row for row in of_main if row["name"] == "energy_import")
    assert (never["reading"], never["at"], never["is_stale"]) == (None, None, True)


async def test_newest_readings_are_paged(logged_in: LogIn, site: Site):
    client = await logged_in(UserRole.VIEWER)
    everything = (await client.get("/api/v1/latest")).json()
    assert len(everything) == len(site.points())
    paged: list[object] = []
    after = 0
    while page := (await client.get("/api/v1/latest", params={"limit": 7, "after_id": after})).json():
        paged += page
        after = page[-1]["point_id"]
    assert paged == everything


async def test_equipment_is_listed_found_and_paged(logged_in: LogIn, site: Site):
    client = await logged_in(UserRole.VIEWER)
    everything = (await client.get("/api/v1/equipment")).json()
    assert [row["equipment_id"] for row in everything] == [e.equipment_id for e in site.equipment]
    found = (await client.get("/api/v1/equipment", params={"search": "chiller"})).json()
    assert [row["equipment_id"] for row in found] == ["chiller-1", "chiller-2"]
    page = (await client.get("/api/v1/equipment", params={"limit": 2, "offset": 3})).json()
    assert page == everything[3:5]
    one = (await client.get("/api/v1/equipment/main")).json()
    assert {point["unit"] for point in one["points"]} == {"kW", "kW.h"}
    assert (await client.get("/api/v1/equipment/nothing")).status_code == 404


async def test_overview_and_devices_answer_for_an_applied_site(logged_in: LogIn, site: Site):
    client = await logged_in(UserRole.VIEWER)
    overview = (await client.get("/api/v1/overview")).json()
    assert [building["building_id"] for building in overview["buildings"]] == ["hall", "annex"]
    assert overview["buildings"][0]["total_power"]["unit"] == "kW"
    devices = (await client.get("/api/v1/devices")).json()
    assert {device["device_id"] for device in devices} >= {"main", "weather"}
    assert (await client.get("/api/v1/progress")).json() == []


async def test_before_a_site_is_applied_its_absence_is_said(logged_in: LogIn):
    client = await logged_in(UserRole.VIEWER)
    answer = await client.get("/api/v1/overview")
    assert answer.status_code == 404
    assert "site apply" in answer.json()["detail"]
