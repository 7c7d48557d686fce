"""Requested writes: kept, taken by collectors, ended."""

from datetime import datetime
from typing import Final
from uuid import UUID

from energy_center.domain.commands import Command, CommandId, CommandState
from energy_center.domain.site import Point
from energy_center.store.pool import Connection, Record
from energy_center.store.site import point_from

CHANNEL: Final = "commands"

_COLUMNS = """c.command_id, c.client_id, c.point_id, p.equipment_id, p.name AS point, p.unit, c.wanted, c.low,
    c.high, c.priority, c.reason, c.state, c.requested_by, c.requested_at, c.expires_at, c.cancelled_by,
    c.cancelled_at, c.written_at, c.read_back, c.read_back_at, c.ended_at, c.may_be_held, c.refusal, c.detail,
    c.attempts"""
_FROM = "FROM command AS c JOIN point AS p USING (point_id)"
_OPEN = "c.state IN ('requested', 'writing', 'active')"

_ONE = f"SELECT {_COLUMNS} {_FROM} WHERE c.command_id = $1 FOR UPDATE OF c"
_BY_CLIENT = f"SELECT {_COLUMNS} {_FROM} WHERE c.client_id = $1"
_OPEN_AT = f"""
SELECT {_COLUMNS} {_FROM} WHERE c.point_id = $1 AND {_OPEN} FOR UPDATE OF c"""

# $1 open only, $2 one equipment or NULL, $3 rows at most; newest first
_LISTED = f"""
SELECT {_COLUMNS} {_FROM}
WHERE (NOT $1 OR {_OPEN}) AND ($2::text IS NULL OR p.equipment_id = $2)
ORDER BY c.command_id DESC LIMIT $3"""

# what a collector has to do at $1: write what is not written, look after what is, end what is to end
_DUE = f"""
SELECT {_COLUMNS} {_FROM}
WHERE {_OPEN} AND c.next_try_at <= $1
ORDER BY c.next_try_at, c.command_id LIMIT $2"""

_INSERT = """
INSERT INTO command (client_id, point_id, wanted, low, high, priority, reason, state, requested_by,
    requested_at, expires_at, may_be_held, next_try_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, 'requested', $8, $9, $10, $11, $9)
RETURNING command_id"""

_UPDATE = """
UPDATE command SET state = $2, cancelled_by = $3, cancelled_at = $4, written_at = $5, read_back = $6,
    read_back_at = $7, ended_at = $8, may_be_held = $9, refusal = $10, detail = $11, attempts = $12,
    next_try_at = $13
WHERE command_id = $1"""

_POINT = """
SELECT point_id, equipment_id, name, role, interval_s, writable, rollover_at FROM point
WHERE equipment_id = $1 AND name = $2 AND retired_at IS NULL FOR UPDATE"""


async def lock_point(conn: Connection, equipment_id: str, name: str) -> Point | None:
    """A point with what it allows; locked, so that two requests for it come one after the other."""
    row = await conn.fetchrow(_POINT, equipment_id, name)
    return point_from(row) if row else None


async def insert_command(
    conn: Connection,
    point: Point,
    *,
    wanted: float,
    reason: str,
    requested_by: str,
    now: datetime,
    expires_at: datetime,
    client_id: UUID | None,
    may_be_held: bool,
) -> CommandId:
    """Keep a request for a point that allows it."""
    limits = point.writable
    assert limits is not None  # noqa: S101 the service has refused others
    made = await conn.fetchval(
        _INSERT,
        client_id,
        int(point.point_id),
        wanted,
        limits.low,
        limits.high,
        limits.priority,
        reason,
        requested_by,
        now,
        expires_at,
        may_be_held,
    )
    return CommandId(made)


async def lock_command(conn: Connection, command_id: int) -> Command | None:
    """One command, locked until the transaction ends."""
    row = await conn.fetchrow(_ONE, command_id)
    return _command(row) if row else None


async def command_by_client_id(conn: Connection, client_id: UUID) -> Command | None:
    """The command that a client named so when it asked first."""
    row = await conn.fetchrow(_BY_CLIENT, client_id)
    return _command(row) if row else None


async def lock_open_command(conn: Connection, point_id: int) -> Command | None:
    """The point's open command, locked until the transaction ends."""
    row = await conn.fetchrow(_OPEN_AT, point_id)
    return _command(row) if row else None


async def listed_commands(
    conn: Connection, *, open_only: bool, equipment_id: str | None, limit: int
) -> list[Command]:
    """Newest first."""
    return [_command(row) for row in await conn.fetch(_LISTED, open_only, equipment_id, limit)]


async def due_commands(conn: Connection, now: datetime, limit: int) -> list[Command]:
    """What is to be written, looked at again or ended now, oldest first."""
    return [_command(row) for row in await conn.fetch(_DUE, now, limit)]


async def update_command(conn: Connection, command: Command, next_try_at: datetime) -> None:
    """Write what changes about a command."""
    await conn.execute(
        _UPDATE,
        command.command_id,
        command.state.value,
        command.cancelled_by,
        command.cancelled_at,
        command.written_at,
        command.read_back,
        command.read_back_at,
        command.ended_at,
        command.may_be_held,
        command.refusal,
        command.detail,
        command.attempts,
        next_try_at,
    )


async def notify_commands(conn: Connection, command_id: int) -> None:
    """Wake the collectors and those who show commands, when this transaction commits."""
    await conn.execute("SELECT pg_notify($1, $2)", CHANNEL, str(command_id))


def _command(row: Record) -> Command:
    fields = dict(row)
    fields["command_id"] = CommandId(fields["command_id"])
    fields["state"] = CommandState(fields["state"])
    return Command(**fields)
