"""Queries behind the check of a living site."""

from collections.abc import Sequence
from datetime import datetime

from energy_center.domain.readings import PointId
from energy_center.store.pool import Database


async def newest_times(db: Database, point_ids: Sequence[PointId]) -> dict[PointId, datetime]:
    """The newest stamp of each point that has one."""
    async with db.connection() as connection:
        rows = await connection.fetch(
            "SELECT point_id, ts FROM latest WHERE point_id = ANY($1::int[])", list(point_ids)
        )
    return {PointId(row["point_id"]): row["ts"] for row in rows}


async def count_readings(db: Database, start: datetime, end: datetime) -> int:
    """Readings stamped in [start, end)."""
    async with db.connection() as connection:
        return int(
            await connection.fetchval("SELECT count(*) FROM reading WHERE ts >= $1 AND ts < $2", start, end)
        )


async def mean_values(
    db: Database, point_ids: Sequence[PointId], start: datetime, end: datetime
) -> dict[PointId, float]:
    """Plain mean of the good readings of each point in [start, end), in the point's unit."""
    async with db.connection() as connection:
        rows = await connection.fetch(
            "SELECT point_id, avg(reading_value(value, digits)) AS mean FROM reading "
            "WHERE point_id = ANY($1::int[]) AND ts >= $2 AND ts < $3 AND quality = 0 GROUP BY point_id",
            list(point_ids),
            start,
            end,
        )
    return {PointId(row["point_id"]): float(row["mean"]) for row in rows}
