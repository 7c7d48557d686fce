"""Newest readings of chosen points, for programs that poll."""

from collections.abc import Sequence

from energy_center.domain.readings import PointId
from energy_center.errors import NotFound
from energy_center.store.newest import NewestReading, newest_readings
from energy_center.store.pool import Database

__all__ = ["NewestReading", "read_newest"]


async def read_newest(
    database: Database, *, point_ids: Sequence[PointId] | None, equipment_id: str | None, limit: int
) -> list[NewestReading]:
    """Raises NotFound when one of the named points does not exist."""
    async with database.connection() as connection:
        found = await newest_readings(connection, point_ids=point_ids, equipment_id=equipment_id, limit=limit)
    if point_ids is not None and equipment_id is None and len(found) < min(limit, len(set(point_ids))):
        known = {reading.point_id for reading in found}
        unknown = sorted(set(point_ids) - known)
        raise NotFound("There is no such point.", point_ids=unknown)
    return found
