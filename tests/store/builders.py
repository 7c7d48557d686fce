"""Small sites and batches for the tests of the store."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from energy_center.domain.quantities import Role
from energy_center.domain.readings import PointId, Quality, Reading
from energy_center.domain.site import Equipment, Point, Site, Space, SpaceKind, Text
from energy_center.store.pool import Database
from energy_center.store.readings import ReadingBatch, to_us
from energy_center.store.site import apply_site

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)  # Tuesday noon in Taipei


def text(words: str) -> Text:
    return Text(zh_tw=f"{words}（中）", en=words)


def equipment(equipment_id: str, roles: Sequence[Role], interval_s: float = 60.0) -> Equipment:
    points = tuple(Point(equipment_id, role.value, role, interval_s) for role in roles)
    return Equipment(
        equipment_id,
        "Electrical_Meter",
        text(equipment_id),
        "ltb",
        connection_id="c",
        device_id=equipment_id,
        attributes={"rated_kw": 7.5},
        points=points,
    )


def site(*things: Equipment, time_zone: str = "Asia/Taipei") -> Site:
    spaces = (
        Space("ltb", "taichung", SpaceKind.BUILDING, text("Tower"), {"area_m2": 10.5}),
        Space("taichung", None, SpaceKind.SITE, text("City")),
    )
    return Site("taichung", text("City"), time_zone, spaces, tuple(things), {"tank_leak": {"hold_s": 60.0}})


async def apply(db: Database, *things: Equipment, now: datetime = NOW - timedelta(days=1000)) -> Site:
    return await apply_site(db, site(*things), "text", "test", now)


def batch(point_id: PointId, readings: Iterable[tuple[datetime, float]], quality: int = 0) -> ReadingBatch:
    return ReadingBatch.of(Reading(point_id, at, value, Quality(quality)) for at, value in readings)


def regular(point_ids: Sequence[int], start: datetime, step_s: float, n: int, seed: int = 1) -> ReadingBatch:
    """`n` steps of every point, in order of arrival, with random values."""
    at = to_us(start) + np.arange(n, dtype=np.int64) * int(step_s * 1e6)
    rng = np.random.default_rng(seed)
    size = n * len(point_ids)
    return ReadingBatch(
        np.tile(np.array(point_ids, np.int32), n),
        np.repeat(at, len(point_ids)),
        rng.uniform(0, 100, size).round(1),
        np.zeros(size, np.int16),
    )
