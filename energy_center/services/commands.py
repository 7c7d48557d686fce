"""Writes to equipment that people request: checked against what the site allows; a collector writes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from energy_center.domain.commands import Command, CommandState
from energy_center.domain.people import Actor, Permission, User
from energy_center.domain.site import Site
from energy_center.errors import Conflict, NotAllowed, NotFound
from energy_center.store import audit
from energy_center.store import commands as store
from energy_center.store.pool import Connection, Database

LONGEST_REASON = 500
_MOST_OPEN = 10_000  # one a point, and few points are writable


@dataclass(frozen=True, slots=True)
class WantedCommand:
    """A request: `wanted` in the point's unit, until `expires_at`; `client_id` makes repeating it safe."""

    equipment_id: str
    point: str
    wanted: float
    expires_at: datetime
    reason: str = ""
    client_id: UUID | None = None


async def request_command(
    db: Database, request: WantedCommand, user: User, actor: Actor, now: datetime
) -> Command:
    """Keep a request; a collector carries it out. An open one of the same point is superseded.

    Raises NotAllowed for a role without the permission or a point that the site keeps read-only, Invalid for
    a value or an end out of limits, Conflict while a command of another priority is open.
    """
    if not user.may(Permission.COMMAND_EQUIPMENT):
        raise NotAllowed(f"The role {user.role.value} may not command equipment.")
    async with db.transaction() as conn:
        point = await store.lock_point(conn, request.equipment_id, request.point)
        if point is None:
            raise NotFound("There is no such point.", equipment_id=request.equipment_id, point=request.point)
        if request.client_id is not None:
            known = await store.command_by_client_id(conn, request.client_id)
            if known is not None:
                return known
        if point.writable is None:
            raise NotAllowed("The site file does not allow writes to this point.", point="/".join(point.key))
        point.writable.check(request.wanted, now, request.expires_at)
        held = await _supersede(conn, int(point.point_id), point.writable.priority, now)
        command_id = await store.insert_command(
            conn,
            point,
            wanted=request.wanted,
            reason=request.reason,
            requested_by=user.name,
            now=now,
            expires_at=request.expires_at,
            client_id=request.client_id,
            may_be_held=held,
        )
        made = await _locked(conn, command_id)
        await store.notify_commands(conn, command_id)
        await audit.append(
            conn, actor, "command.requested", f"command/{command_id}", None, facts_of(made), now
        )
    return made


async def cancel_command(db: Database, command_id: int, user: User, actor: Actor, now: datetime) -> Command:
    """Ask for the end of a command before its time; cancelling twice changes nothing.

    Raises NotAllowed, NotFound, or Conflict when it has ended.
    """
    if not user.may(Permission.COMMAND_EQUIPMENT):
        raise NotAllowed(f"The role {user.role.value} may not command equipment.")
    async with db.transaction() as conn:
        command = await _locked(conn, command_id)
        if not command.state.is_open:
            raise Conflict(f"The command is {command.state.value} already.", state=command.state.value)
        if command.cancelled_at is not None:
            return command
        cancelled = replace(command, cancelled_at=now, cancelled_by=user.name, attempts=0)
        if not command.may_be_held:
            cancelled = replace(cancelled, state=CommandState.CANCELLED, ended_at=now)
        await store.update_command(conn, cancelled, now)
        await store.notify_commands(conn, command_id)
        await audit.append(
            conn,
            actor,
            "command.cancelled",
            f"command/{command_id}",
            facts_of(command),
            facts_of(cancelled),
            now,
        )
    return cancelled


async def list_commands(
    db: Database, *, open_only: bool = False, equipment_id: str | None = None, limit: int = 200
) -> list[Command]:
    """Newest first."""
    async with db.connection() as conn:
        return await store.listed_commands(conn, open_only=open_only, equipment_id=equipment_id, limit=limit)


async def get_command(db: Database, command_id: int) -> Command:
    """One command; raises NotFound."""
    async with db.transaction() as conn:
        return await _locked(conn, command_id)


async def left_behind(db: Database, site: Site) -> list[Command]:
    """Open commands at points that the site would not hold writable: nobody could hand their values back."""
    writable = {p.key for e in site.equipment for p in e.points if p.writable is not None}
    held = await list_commands(db, open_only=True, limit=_MOST_OPEN)
    return [command for command in held if command.key not in writable]


def facts_of(command: Command) -> Mapping[str, object]:
    """What the audit log keeps of a command."""
    return {
        "point": "/".join(command.key),
        "wanted": command.wanted,
        "unit": command.unit,
        "priority": command.priority,
        "expires_at": command.expires_at.isoformat(),
        "state": command.state.value,
    }


async def _locked(conn: Connection, command_id: int) -> Command:
    command = await store.lock_command(conn, command_id)
    if command is None:
        raise NotFound("There is no such command.", command_id=command_id)
    return command


async def _supersede(conn: Connection, point_id: int, priority: int, now: datetime) -> bool:
    """End the point's open command in favour of a new one; whether the device may hold its value."""
    before = await store.lock_open_command(conn, point_id)
    if before is None:
        return False
    if before.priority != priority:
        raise Conflict(
            "A command of another priority is open at this point; cancel it first.",
            command_id=before.command_id,
        )
    ended = replace(before, state=CommandState.SUPERSEDED, ended_at=now)
    await store.update_command(conn, ended, now)
    return before.may_be_held
