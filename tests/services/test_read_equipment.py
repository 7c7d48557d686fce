"""Equipment lists, one equipment and devices on a real database."""

from datetime import timedelta

import pytest

from energy_center.domain.quantities import Role
from energy_center.domain.site import Site
from energy_center.errors import NotFound
from energy_center.services.figures import FigureState
from energy_center.services.read_devices import read_devices
from energy_center.services.read_equipment import list_equipment, read_equipment
from energy_center.store.devices import set_device_state
from energy_center.store.pool import Database
from tests.services.city_hall import NOW, SITE, applied, write_now


@pytest.fixture
async def site(database: Database) -> Site:
    return await applied(database)


async def test_the_list_is_in_file_order_with_the_main_value(database: Database, site: Site):
    await write_now(database, site, {("main", Role.ACTIVE_POWER): 321.0}, NOW)
    rows = await list_equipment(database, NOW)
    assert [r.equipment_id for r in rows] == [e.equipment_id for e in SITE.equipment]
    assert (rows[0].main_role, rows[0].main.amount, rows[0].building_id) == (Role.ACTIVE_POWER, 321.0, "hall")
    assert (rows[0].points, rows[0].points_stale, rows[0].seen_at) == (2, 0, NOW)
    assert rows[1].main.state is FigureState.MISSING


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("SUMP-1-P", ["sump-1-p1"]),
        ("weather 設備", ["weather"]),
        ("centrifugal", ["chiller-1", "chiller-2"]),
        ("sump pump", ["sump-1-p1"]),
        ("nothing like it", []),
    ],
)
async def test_search_finds_ids_names_and_classes(
    database: Database, site: Site, search: str, found: list[str]
):
    assert [r.equipment_id for r in await list_equipment(database, NOW, search=search)] == found


async def test_a_building_without_equipment_has_an_empty_list(database: Database, site: Site):
    assert await list_equipment(database, NOW, building="annex") == ()


async def test_one_equipment_shows_each_point_with_its_age(database: Database, site: Site):
    await write_now(database, site, {("tank", Role.TANK_LEVEL): 55.0}, NOW - timedelta(seconds=100))
    view = await read_equipment(database, "tank", NOW)
    level, valve, _ = view.points
    assert (level.figure.amount, level.age_s, level.figure.state) == (55.0, 100.0, FigureState.STALE)
    assert (valve.figure.amount, valve.age_s) == (None, None)
    assert view.attributes == {"capacity_m3": 120}
    assert view.trend_point_ids == (level.point_id,)


async def test_an_equipment_names_what_it_feeds(database: Database, site: Site):
    assert (await read_equipment(database, "main", NOW)).feeds == ("floor-meter", "pv-1")


async def test_an_unknown_equipment_is_named(database: Database, site: Site):
    with pytest.raises(NotFound, match="no-such"):
        await read_equipment(database, "no-such", NOW)


async def test_a_device_is_stale_when_away_or_mostly_silent(database: Database, site: Site):
    await write_now(
        database, site, {("main", Role.ACTIVE_POWER): 1.0, ("main", Role.ENERGY_IMPORT): 2.0}, NOW
    )
    await set_device_state(database, "main", online=True, at=NOW)
    await set_device_state(database, "tank", online=False, at=NOW, detail="timeout")
    devices = {d.device_id: d for d in await read_devices(database, NOW)}
    assert (devices["main"].is_online, devices["main"].is_stale) == (True, False)
    assert (devices["tank"].is_online, devices["tank"].is_stale, devices["tank"].detail) == (
        False,
        True,
        "timeout",
    )
    assert (devices["plant"].is_online, devices["plant"].is_stale, devices["plant"].points_never) == (
        None,
        True,
        3,
    )
    assert (devices["main"].name.en, devices["main"].points) == ("main", 2)
