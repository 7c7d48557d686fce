"""Series in blocks and in other zones than the site's, the same on both kinds of server."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from energy_center.domain.quantities import Role
from energy_center.store.pool import Database
from energy_center.store.readings import write_backlog
from energy_center.store.rollups import roll_up
from energy_center.store.series import Grain, read_block, read_elsewhere, read_series
from tests.store.builders import NOW, apply, batch, equipment, regular

QUARTER, DAY = timedelta(minutes=15), timedelta(days=1)


async def settle(db: Database, zone: str = "Asia/Taipei") -> None:
    while await roll_up(db, zone, NOW + 1000 * DAY):
        pass


@pytest.mark.parametrize("grain", list(Grain))
async def test_blocks_joined_are_the_series(backend: Database, grain: Grain) -> None:
    await apply(backend, equipment("a", [Role.ACTIVE_POWER]))
    await write_backlog(backend, regular([1], NOW - 30 * DAY, 600, 30 * 144), NOW)
    await settle(backend)
    start, end = NOW - 31 * DAY, NOW + DAY
    whole = (await read_series(backend, [1], start, end, grain))[1]
    joined: list[tuple[int, float, float, float]] = []
    while True:
        block = await read_block(backend, 1, start, end, grain, 17)
        joined += zip(
            block.at_us.tolist(), block.value.tolist(), block.low.tolist(), block.high.tolist(), strict=True
        )
        if len(block) < 17:
            break
        start = datetime.fromtimestamp(joined[-1][0] / 1e6, UTC) + timedelta(microseconds=1)
    columns = (whole.at_us, whole.value, whole.low, whole.high)
    assert joined == list(zip(*(column.tolist() for column in columns), strict=True))
    assert len(joined) > 17


@pytest.mark.parametrize(
    ("zone", "on", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("Asia/Kathmandu", "2026-03-29", 24),
        ("America/New_York", "2026-11-01", 25),
    ],
)
async def test_a_day_elsewhere_has_its_own_hours(backend: Database, zone: str, on: str, hours: int) -> None:
    """A register that rises by 1 every quarter of an hour, rolled up for Taipei, asked for elsewhere."""
    site = await apply(backend, equipment("a", [Role.ENERGY_IMPORT], 900.0))
    point_id = site.points()[0].point_id
    midnight = datetime.fromisoformat(on).replace(tzinfo=ZoneInfo(zone))
    first = midnight.astimezone(UTC) - DAY
    rows = [(first + n * QUARTER, float(n)) for n in range(4 * 24 * 4)]
    await write_backlog(backend, batch(point_id, rows), NOW)
    await settle(backend)
    end = midnight.astimezone(UTC) + timedelta(hours=hours)
    days = await read_elsewhere(backend, point_id, midnight, end, Grain.DAY, zone)
    assert days.at_us.tolist() == [int(midnight.timestamp() * 1e6)]
    assert days.coverage.tolist() == pytest.approx([1.0])
    told = await read_elsewhere(backend, point_id, midnight, end, Grain.HOUR, zone)
    assert len(told) == hours
    assert told.value.tolist() == told.last.tolist()
