"""Newest readings of chosen points, for programs that poll."""

from collections.abc import Sequence

from energy_center.domain.readings import PointId
from energy_center.errors import NotFound
from energy_center.store.newest import NewestReading, newest_readings
from energy_center.store.pool import Database

__all__ = ["NewestReading", "read_newest"]


async def read_newest(
    database: Database,
    *,
    limit: int,
    point_ids: Sequence[PointId] | None = None,
    equipment_id: str | None = None,
    after_id: int = 0,
) -> list[NewestReading]:
    """By point id; `after_id` continues a page. Raises NotFound when a named point does not exist."""
    async with database.connection() as connection:
        found = await newest_readings(
            connection, point_ids=point_ids, equipment_id=equipment_id, after_id=after_id, limit=limit
        )
    wanted = {number for number in point_ids or () if number > after_id}
    missing = sorted(wanted - {reading.point_id for reading in found})
    if missing and equipment_id is None and len(found) < limit:
        raise NotFound("There is no such point.", point_ids=missing)
    return found
