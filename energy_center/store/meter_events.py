"""Recorded corrections and exchanges: the readings that they changed, and the roll-ups that follow."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from energy_center.domain.meter_events import MeterEvent, MeterEventKind
from energy_center.domain.readings import PointId
from energy_center.store.pool import Connection, Record
from energy_center.store.readings import invalidate

_BUCKET: Final = timedelta(minutes=15)

_EVENTS = """
SELECT e.meter_event_id, e.kind, e.point_id, p.equipment_id, p.name, e.from_ts, e.to_ts, e.detail, e.reason,
       e.made_by, e.made_at, e.undone_by, e.undone_at,
       (SELECT count(*) FROM meter_event_reading AS r WHERE r.meter_event_id = e.meter_event_id) AS readings
FROM meter_event AS e JOIN point AS p USING (point_id)"""


@dataclass(frozen=True, slots=True)
class ReadingChange:
    """One reading on both sides of an event; None where there was, or is, no reading."""

    at: datetime
    old_value: float | None
    old_quality: int | None
    new_value: float | None
    new_quality: int | None

    @property
    def reversed(self) -> "ReadingChange":
        """The change that takes this one back."""
        return ReadingChange(self.at, self.new_value, self.new_quality, self.old_value, self.old_quality)


async def lock_readings(connection: Connection, point_id: PointId) -> None:
    """Let nobody else change this point's readings on purpose until the transaction ends."""
    await connection.execute("SELECT FROM point WHERE point_id = $1 FOR UPDATE", point_id)


async def readings_between(
    connection: Connection, point_id: PointId, start: datetime, end: datetime, limit: int
) -> list[tuple[datetime, float, int]]:
    """Times, values and qualities of start <= time < end, oldest first."""
    rows = await connection.fetch(
        "SELECT ts, reading_value(value, digits) AS value, quality FROM reading "
        "WHERE point_id = $1 AND ts >= $2 AND ts < $3 "
        "ORDER BY ts LIMIT $4",
        point_id,
        start,
        end,
        limit,
    )
    return [(row["ts"], row["value"], row["quality"]) for row in rows]


async def insert_event(
    connection: Connection,
    kind: MeterEventKind,
    point_id: PointId,
    period: tuple[datetime, datetime],
    detail: Mapping[str, object],
    reason: str,
    made_by: str,
    now: datetime,
) -> int:
    """Record an event; give its number."""
    return int(
        await connection.fetchval(
            "INSERT INTO meter_event (kind, point_id, from_ts, to_ts, detail, reason, made_by, made_at) "
            "VALUES ($1, $2, $3, $4, $5::text::jsonb, $6, $7, $8) RETURNING meter_event_id",
            kind.value,
            point_id,
            *period,
            json.dumps(detail),
            reason,
            made_by,
            now,
        )
    )


async def keep_changes(connection: Connection, event_id: int, changes: Sequence[ReadingChange]) -> None:
    """Keep both sides of every changed reading, so that the event can be undone."""
    await connection.execute(
        "INSERT INTO meter_event_reading "
        "(meter_event_id, ts, old_value, new_value, old_quality, new_quality) "
        "SELECT $1, * FROM unnest($2::timestamptz[], $3::float8[], $4::float8[], $5::int2[], $6::int2[])",
        event_id,
        [c.at for c in changes],
        [c.old_value for c in changes],
        [c.new_value for c in changes],
        [c.old_quality for c in changes],
        [c.new_quality for c in changes],
    )


async def kept_changes(connection: Connection, event_id: int) -> list[ReadingChange]:
    """The readings that an event changed, oldest first."""
    rows = await connection.fetch(
        "SELECT ts, old_value, old_quality, new_value, new_quality FROM meter_event_reading "
        "WHERE meter_event_id = $1 ORDER BY ts",
        event_id,
    )
    return [ReadingChange(*row) for row in rows]


async def apply_changes(connection: Connection, point_id: PointId, changes: Sequence[ReadingChange]) -> int:
    """Make readings what the changes say where they still are what the changes found; give how many were."""
    gone = [c.at for c in changes if c.new_value is None]
    kept = [c for c in changes if c.new_value is not None and c.old_value is not None]
    new = [c for c in changes if c.old_value is None]
    done = _count(
        await connection.execute(
            "DELETE FROM reading AS r USING unnest($2::timestamptz[], $3::float8[]) AS c (ts, value) "
            "WHERE r.point_id = $1 AND r.ts = c.ts AND reading_value(r.value, r.digits) = c.value",
            point_id,
            gone,
            [c.old_value for c in changes if c.new_value is None],
        )
    )
    done += _count(
        await connection.execute(
            "UPDATE reading AS r SET value = c.new_value, digits = 0, quality = c.quality "
            "FROM unnest($2::timestamptz[], $3::float8[], $4::float8[], $5::int2[]) "
            "AS c (ts, old_value, new_value, quality) "
            "WHERE r.point_id = $1 AND r.ts = c.ts AND reading_value(r.value, r.digits) = c.old_value",
            point_id,
            [c.at for c in kept],
            [c.old_value for c in kept],
            [c.new_value for c in kept],
            [c.new_quality for c in kept],
        )
    )
    done += _count(
        await connection.execute(
            "INSERT INTO reading (ts, value, point_id, quality) "
            "SELECT ts, value, $1, quality FROM unnest($2::timestamptz[], $3::float8[], $4::int2[]) "
            "AS c (ts, value, quality) ON CONFLICT (point_id, ts) DO NOTHING",
            point_id,
            [c.at for c in new],
            [c.new_value for c in new],
            [c.new_quality for c in new],
        )
    )
    return done


def _count(status: str) -> int:
    return int(status.rsplit(" ", maxsplit=1)[-1])


async def reckon_again(connection: Connection, point_id: PointId, start: datetime, end: datetime) -> None:
    """Have the roll-ups of [start, end) made anew, also those whose readings are gone, and `latest` too."""
    first, last = _floor(start), _floor(end - timedelta(microseconds=1)) + _BUCKET
    for table, width in (
        ("reading_15min", _BUCKET),
        ("reading_hour", timedelta(hours=1)),
        ("reading_day", timedelta(days=2)),
    ):
        await connection.execute(
            f"DELETE FROM {table} WHERE point_id = $1 AND bucket > $2 AND bucket < $3 "  # noqa: S608 tables of our own
            "AND bucket >= (SELECT raw_kept_from FROM retention_state)",
            point_id,
            first - width,
            last,
        )
    await invalidate(connection, [point_id], first - timedelta(days=1), last + timedelta(days=1))
    await connection.execute(
        "UPDATE latest AS l SET ts = r.ts, value = r.value, quality = r.quality "
        "FROM (SELECT ts, reading_value(value, digits) AS value, quality FROM reading "
        "WHERE point_id = $1 ORDER BY ts DESC LIMIT 1) AS r "
        "WHERE l.point_id = $1 AND l.ts >= $2 AND l.ts < $3",
        point_id,
        start,
        end,
    )


def _floor(at: datetime) -> datetime:
    return at - timedelta(seconds=at.timestamp() % _BUCKET.total_seconds())


async def lock_event(connection: Connection, event_id: int) -> MeterEvent | None:
    """One event, held until the transaction ends; None where there is none."""
    await connection.execute("SELECT FROM meter_event WHERE meter_event_id = $1 FOR UPDATE", event_id)
    row = await connection.fetchrow(f"{_EVENTS} WHERE e.meter_event_id = $1", event_id)
    return None if row is None else _event(row)


async def mark_undone(connection: Connection, event_id: int, undone_by: str, now: datetime) -> None:
    """Record that an event holds no longer."""
    await connection.execute(
        "UPDATE meter_event SET undone_by = $2, undone_at = $3 WHERE meter_event_id = $1",
        event_id,
        undone_by,
        now,
    )


async def list_events(
    connection: Connection, equipment_id: str | None, before_id: int | None, limit: int
) -> list[MeterEvent]:
    """Newest first, undone ones too."""
    rows = await connection.fetch(
        f"{_EVENTS} WHERE ($1::text IS NULL OR p.equipment_id = $1) "
        "AND ($2::bigint IS NULL OR e.meter_event_id < $2) ORDER BY e.meter_event_id DESC LIMIT $3",
        equipment_id,
        before_id,
        limit,
    )
    return [_event(row) for row in rows]


async def exchanges_of(
    connection: Connection, point_ids: Sequence[PointId], start: datetime, end: datetime
) -> dict[PointId, list[MeterEvent]]:
    """Exchanges that hold, of start <= time < end, oldest first, by point."""
    rows = await connection.fetch(
        f"{_EVENTS} WHERE e.kind = 'exchange' AND e.undone_at IS NULL AND e.point_id = ANY($1::int[]) "
        "AND e.from_ts >= $2 AND e.from_ts < $3 ORDER BY e.from_ts LIMIT 10000",
        list(point_ids),
        start,
        end,
    )
    found: dict[PointId, list[MeterEvent]] = {}
    for row in rows:
        found.setdefault(PointId(row["point_id"]), []).append(_event(row))
    return found


def _event(row: Record) -> MeterEvent:
    detail = row["detail"]
    return MeterEvent(
        meter_event_id=row["meter_event_id"],
        kind=MeterEventKind(row["kind"]),
        point_id=PointId(row["point_id"]),
        equipment_id=row["equipment_id"],
        point=row["name"],
        from_at=row["from_ts"],
        to_at=row["to_ts"],
        detail=json.loads(detail) if isinstance(detail, str) else detail,
        reason=row["reason"],
        readings=row["readings"],
        made_by=row["made_by"],
        made_at=row["made_at"],
        undone_by=row["undone_by"],
        undone_at=row["undone_at"],
    )
