"""A small site with one of each thing that the read side knows, and readings for it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import numpy as np

from energy_center.domain.quantities import Role
from energy_center.domain.readings import PointId, Quality
from energy_center.domain.site import Equipment, Point, Site, Space, SpaceKind, Text
from energy_center.store.pool import Database
from energy_center.store.readings import ReadingBatch, to_us, write_readings
from energy_center.store.site import apply_site

# Tuesday 2026-11-24, 15:07:30 in Taichung; local midnight is 16:00 UTC the day before
NOW = datetime(2026, 11, 24, 7, 7, 30, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 23, 16, tzinfo=UTC)
APPLIED = datetime(2026, 11, 1, tzinfo=UTC)


def _equipment(equipment_id: str, brick_class: str, roles: str, interval_s: float = 5.0, **more) -> Equipment:
    points = tuple(Point(equipment_id, role, Role(role), interval_s) for role in roles.split())
    more.setdefault("space_id", "hall-b1")
    more.setdefault("device_id", equipment_id)
    return Equipment(
        equipment_id, brick_class, Text(f"{equipment_id} 設備", equipment_id), points=points, **more
    )


SITE = Site(
    "city",
    Text("市政府", "City"),
    "Asia/Taipei",
    spaces=(
        Space(
            "hall",
            None,
            SpaceKind.BUILDING,
            Text("市政大樓", "City Hall"),
            {"contract_kw": 500, "tariff": "taipower-hv-tou3", "industry_factor": 1.017},
        ),
        Space("hall-b1", "hall", SpaceKind.FLOOR, Text("地下 1 樓", "Basement 1")),
        Space("annex", None, SpaceKind.BUILDING, Text("別館", "Annex")),
    ),
    equipment=(
        _equipment(
            "main", "Building_Electrical_Meter", "active_power energy_import", meters="hall", space_id="hall"
        ),
        _equipment(
            "floor-meter", "Electrical_Meter", "active_power energy_import", fed_by="main", meters="hall"
        ),
        _equipment("chiller-1", "Centrifugal_Chiller", "chiller_status active_power"),
        _equipment("chiller-2", "Centrifugal_Chiller", "chiller_status active_power"),
        _equipment("pump-1", "Chilled_Water_Pump", "pump_status active_power", interval_s=60),
        _equipment(
            "plant",
            "Chilled_Water_System",
            "chilled_water_supply_temperature chilled_water_return_temperature chilled_water_flow",
        ),
        _equipment("pv-1", "Inverter", "active_power energy_export inverter_state", fed_by="main"),
        _equipment("sump-1", "Sump", "sump_level high_float", device_id="sump-1"),
        _equipment("sump-1-p1", "Sump_Pump", "pump_status fault", fed_by="sump-1", device_id="sump-1"),
        _equipment(
            "tank", "Rainwater_Tank", "tank_level mains_valve overflow_state", attributes={"capacity_m3": 120}
        ),
        _equipment("weather", "Weather_Station", "outdoor_air_temperature outdoor_air_humidity rain_rate"),
    ),
)


async def applied(db: Database, at: datetime = APPLIED) -> Site:
    """The site, with the point numbers that the database gave."""
    return await apply_site(db, SITE, "text", "test", at)


def point_of(site: Site, equipment_id: str, role: Role) -> Point:
    """One point of the applied site."""
    return next(p for p in site.points() if p.key == (equipment_id, role.value))


async def write(
    db: Database,
    point_id: PointId,
    times: list[datetime],
    readings: np.ndarray | list[float],
    quality: Quality = Quality.GOOD,
) -> None:
    """Store readings of one point."""
    n = len(times)
    batch = ReadingBatch(
        np.full(n, point_id, np.int32),
        np.array([to_us(at) for at in times], np.int64),
        np.asarray(readings, np.float64),
        np.full(n, int(quality), np.int16),
    )
    await write_readings(db, batch, times[-1])


def every(start: datetime, end: datetime, step_s: float) -> list[datetime]:
    """Instants from `start` to before `end`."""
    count = int((end - start).total_seconds() / step_s)
    return [start + timedelta(seconds=step_s * i) for i in range(count)]


async def write_now(db: Database, site: Site, values: Mapping[tuple[str, Role], float], at: datetime) -> None:
    """One reading each, all taken at `at`."""
    for (equipment_id, role), reading in values.items():
        await write(db, point_of(site, equipment_id, role).point_id, [at], [reading])
