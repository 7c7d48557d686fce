"""Equipment that people have taken out of service, with reason, who and until when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from energy_center.domain.site import Text
from energy_center.store.alarms import name_of
from energy_center.store.pool import Connection, Record

_COLUMNS = "out_id, equipment_id, reason, taken_by, since, until, ended_at, ended_by"

_INSERT = f"""
INSERT INTO out_of_service (equipment_id, reason, taken_by, since, until) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (equipment_id) WHERE ended_at IS NULL DO NOTHING
RETURNING {_COLUMNS}"""  # noqa: S608 constant text

_CURRENT = f"""
SELECT {_COLUMNS} FROM out_of_service WHERE ended_at IS NULL AND ($1::text IS NULL OR equipment_id = $1)
ORDER BY since DESC, out_id DESC LIMIT 1000"""  # noqa: S608 constant text

_END = f"""
UPDATE out_of_service SET ended_at = $2, ended_by = $3 WHERE out_id = $1 AND ended_at IS NULL
RETURNING {_COLUMNS}"""  # noqa: S608 constant text

_LAPSED = f"""
SELECT {_COLUMNS} FROM out_of_service WHERE ended_at IS NULL AND until <= $1
ORDER BY out_id LIMIT 1000 FOR UPDATE"""  # noqa: S608 constant text


_NAMES = """
SELECT equipment_id, name::text AS name FROM equipment WHERE equipment_id = ANY ($1::text[])
ORDER BY equipment_id LIMIT 10000"""


@dataclass(frozen=True, slots=True)
class OutOfService:
    """Since when and until when an equipment is out of service, why, and who said so."""

    out_id: int
    equipment_id: str
    reason: str
    taken_by: str
    since: datetime
    until: datetime
    ended_at: datetime | None = None
    ended_by: str | None = None


async def insert_out(
    conn: Connection, equipment_id: str, reason: str, by: str, since: datetime, until: datetime
) -> OutOfService | None:
    """Take it out; None when it is out already."""
    row = await conn.fetchrow(_INSERT, equipment_id, reason, by, since, until)
    return _out(row) if row else None


async def current_out(conn: Connection, equipment_id: str | None = None) -> list[OutOfService]:
    """What is out of service now, newest first; of one equipment, or all."""
    return [_out(row) for row in await conn.fetch(_CURRENT, equipment_id)]


async def end_out(conn: Connection, out_id: int, at: datetime, by: str) -> OutOfService | None:
    """Put it back; None when it is back already."""
    row = await conn.fetchrow(_END, out_id, at, by)
    return _out(row) if row else None


async def lapsed_out(conn: Connection, now: datetime) -> list[OutOfService]:
    """Those whose time is over, locked until the transaction ends."""
    return [_out(row) for row in await conn.fetch(_LAPSED, now)]


def _out(row: Record) -> OutOfService:
    return OutOfService(
        row["out_id"],
        row["equipment_id"],
        row["reason"],
        row["taken_by"],
        row["since"],
        row["until"],
        row["ended_at"],
        row["ended_by"],
    )


async def equipment_names(conn: Connection, equipment_ids: Sequence[str]) -> dict[str, Text]:
    """Names in both languages of those that the site knows."""
    rows = await conn.fetch(_NAMES, list(equipment_ids))
    return {row["equipment_id"]: name_of(row["name"], row["equipment_id"]) for row in rows}
