"""The newest reading of each point."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from energy_center.domain.readings import PointId, Quality
from energy_center.store.pool import Database, Record

_COLUMNS = "point_id, ts, value, quality, received_at, batch"


@dataclass(frozen=True, slots=True)
class Latest:
    """`at` is when it was measured, `received_at` when it was stored, `batch` the write that brought it."""

    point_id: PointId
    at: datetime
    value: float
    quality: Quality
    received_at: datetime
    batch: int


async def latest_of(db: Database, point_ids: Sequence[PointId]) -> dict[PointId, Latest]:
    """The newest reading of each of these points that has one."""
    async with db.connection() as connection:
        rows = await connection.fetch(
            f"SELECT {_COLUMNS} FROM latest WHERE point_id = ANY($1::int[]) ORDER BY point_id",  # noqa: S608 constant
            list(point_ids),
        )
    return {latest.point_id: latest for latest in map(_latest, rows)}


async def changed_since(db: Database, batch: int) -> list[Latest]:
    """What changed in the batches after this number, oldest batch first; 0 asks for everything."""
    async with db.connection() as connection:
        rows = await connection.fetch(
            f"SELECT {_COLUMNS} FROM latest WHERE batch > $1 ORDER BY batch, point_id",  # noqa: S608 constant
            batch,
        )
    return [_latest(row) for row in rows]


def _latest(row: Record) -> Latest:
    return Latest(
        point_id=PointId(row["point_id"]),
        at=row["ts"],
        value=row["value"],
        quality=Quality(row["quality"]),
        received_at=row["received_at"],
        batch=row["batch"],
    )
