"""Newest readings together with what their points are, for lists of chosen points."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from energy_center.domain.quantities import Role
from energy_center.domain.readings import PointId, Quality
from energy_center.store.pool import Connection


@dataclass(frozen=True, slots=True)
class NewestReading:
    """A point and its newest reading; `at`, `reading` and `received_at` are None where it never had one."""

    point_id: PointId
    equipment_id: str
    name: str
    role: Role
    unit: str
    interval_s: float
    at: datetime | None
    reading: float | None
    quality: Quality
    received_at: datetime | None


async def newest_readings(
    connection: Connection,
    *,
    point_ids: Sequence[PointId] | None,
    equipment_id: str | None,
    after_id: int,
    limit: int,
) -> list[NewestReading]:
    """Of the named points, or of an equipment's, or of all, above `after_id`; retired ones left out."""
    rows = await connection.fetch(
        """SELECT p.point_id, p.equipment_id, p.name, p.role, p.unit, p.interval_s,
                  l.ts, l.value, coalesce(l.quality, 0) AS quality, l.received_at
        FROM point p LEFT JOIN latest l USING (point_id)
        WHERE p.retired_at IS NULL
          AND ($1::int[] IS NULL OR p.point_id = ANY ($1))
          AND ($2::text IS NULL OR p.equipment_id = $2)
          AND p.point_id > $3
        ORDER BY p.point_id LIMIT $4""",
        point_ids,
        equipment_id,
        after_id,
        limit,
    )
    return [
        NewestReading(
            point_id=PointId(row["point_id"]),
            equipment_id=row["equipment_id"],
            name=row["name"],
            role=Role(row["role"]),
            unit=row["unit"],
            interval_s=row["interval_s"],
            at=row["ts"],
            reading=row["value"],
            quality=Quality(row["quality"]),
            received_at=row["received_at"],
        )
        for row in rows
    ]
