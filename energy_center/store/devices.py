"""Whether each device answers, as its collector sees it; a change is an event."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from energy_center.store.pool import Database


@dataclass(frozen=True, slots=True)
class DeviceState:
    """`since` is when it went online or offline, `seen_at` when it last answered (None: never)."""

    device_id: str
    online: bool
    since: datetime
    seen_at: datetime | None
    detail: str


@dataclass(frozen=True, slots=True)
class DeviceEvent:
    """A device went away or came back."""

    device_id: str
    at: datetime
    online: bool
    detail: str


async def set_device_state(
    db: Database, device_id: str, *, online: bool, at: datetime, detail: str = ""
) -> bool:
    """Record what a collector sees; True when that is a change, which is then an event too."""
    async with db.transaction() as connection:
        before = await connection.fetchval(
            "SELECT online FROM device_state WHERE device_id = $1 FOR UPDATE", device_id
        )
        await connection.execute(
            "INSERT INTO device_state (device_id, online, since, seen_at, detail) "
            "VALUES ($1, $2, $3, CASE WHEN $2 THEN $3::timestamptz END, $4) "
            "ON CONFLICT (device_id) DO UPDATE SET "
            "since = CASE WHEN device_state.online = excluded.online THEN device_state.since "
            "ELSE excluded.since END, "
            "seen_at = coalesce(excluded.seen_at, device_state.seen_at), "
            "online = excluded.online, detail = excluded.detail",
            device_id,
            online,
            at,
            detail,
        )
        if before is online:
            return False
        await connection.execute(
            "INSERT INTO device_event (device_id, at, online, detail) VALUES ($1, $2, $3, $4)",
            device_id,
            at,
            online,
            detail,
        )
    return True


async def mark_seen(db: Database, seen_at: Mapping[str, datetime]) -> None:
    """Move the time of the last answer forward, for many devices at once."""
    async with db.connection() as connection:
        await connection.execute(
            "UPDATE device_state AS d SET seen_at = s.seen_at "
            "FROM unnest($1::text[], $2::timestamptz[]) AS s (device_id, seen_at) "
            "WHERE d.device_id = s.device_id AND (d.seen_at IS NULL OR s.seen_at > d.seen_at)",
            list(seen_at.keys()),
            list(seen_at.values()),
        )


async def device_states(db: Database) -> dict[str, DeviceState]:
    """Every device that a collector has reported, by id."""
    async with db.connection() as connection:
        rows = await connection.fetch(
            "SELECT device_id, online, since, seen_at, detail FROM device_state ORDER BY device_id"
        )
    return {row["device_id"]: DeviceState(*row.values()) for row in rows}


async def device_events(db: Database, *, since: datetime, limit: int = 500) -> Sequence[DeviceEvent]:
    """Changes from an instant on, newest first."""
    async with db.connection() as connection:
        rows = await connection.fetch(
            "SELECT device_id, at, online, detail FROM device_event WHERE at >= $1 "
            "ORDER BY at DESC, event_id DESC LIMIT $2",
            since,
            limit,
        )
    return [DeviceEvent(*row.values()) for row in rows]


async def events_of(db: Database, device_id: str, *, limit: int) -> Sequence[DeviceEvent]:
    """The last changes of one device, newest first."""
    async with db.connection() as connection:
        rows = await connection.fetch(
            "SELECT device_id, at, online, detail FROM device_event WHERE device_id = $1 "
            "ORDER BY at DESC, event_id DESC LIMIT $2",
            device_id,
            limit,
        )
    return [DeviceEvent(*row.values()) for row in rows]
