"""Alarms and their append-only history."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from energy_center.domain.alarms import Alarm, AlarmEvent, AlarmEventKind, AlarmId, AlarmState, Priority
from energy_center.domain.site import Text
from energy_center.store.pool import Connection, Record

_COLUMNS = """a.alarm_id, a.rule_id, a.equipment_id, a.priority, a.state, a.onset_at, a.raised_at,
    a.returned_at, a.acknowledged_at, a.acknowledged_by, a.shelved_until, a.suppressed_by"""

_INSERT = """
INSERT INTO alarm (rule_id, equipment_id, priority, state, onset_at, raised_at, suppressed_by, evidence,
    suggestion)
VALUES ($1, $2, $3, 'unacknowledged', $4, $5, $6, $7::text::jsonb, $8::text::jsonb)
RETURNING alarm_id"""

_UPDATE = """
UPDATE alarm SET state = $2, returned_at = $3, acknowledged_at = $4, acknowledged_by = $5, shelved_until = $6,
    suppressed_by = $7
WHERE alarm_id = $1"""

_ADD_EVENT = "INSERT INTO alarm_event (alarm_id, at, actor, event, comment) VALUES ($1, $2, $3, $4, $5)"

_OPEN_OF = f"""
SELECT {_COLUMNS} FROM alarm a
WHERE a.rule_id = $1 AND a.equipment_id = $2 AND a.state <> 'normal' FOR UPDATE"""  # noqa: S608 constant text

_ONE = f"SELECT {_COLUMNS} FROM alarm a WHERE a.alarm_id = $1"  # noqa: S608 constant text

# $1 open only, $2 rows at most, $3 one alarm or NULL; most urgent and newest first.
_LISTED = f"""
WITH RECURSIVE up AS (
    SELECT s.space_id, s.space_id AS at, s.kind FROM space s
    UNION ALL
    SELECT up.space_id, p.space_id, p.kind
    FROM up JOIN space c ON c.space_id = up.at JOIN space p ON p.space_id = c.parent_id
    WHERE up.kind <> 'building'
)
SELECT {_COLUMNS}, e.name::text AS equipment_name, building.at AS building_id,
    a.evidence::text AS evidence, a.suggestion::text AS suggestion,
    (SELECT max(w.work_order_id) FROM work_order w WHERE w.alarm_id = a.alarm_id) AS work_order_id
FROM alarm a
LEFT JOIN equipment e ON e.equipment_id = a.equipment_id
LEFT JOIN up building ON building.space_id = e.space_id AND building.kind = 'building'
WHERE ($3::bigint IS NULL OR a.alarm_id = $3) AND (NOT $1 OR a.state <> 'normal')
    AND ($3::bigint IS NOT NULL OR NOT $1 OR a.suppressed_by IS NULL)
ORDER BY array_position(ARRAY['unacknowledged', 'acknowledged', 'returned_unacknowledged', 'normal'],
    a.state), array_position(ARRAY['critical', 'high', 'medium', 'low'], a.priority),
    a.raised_at DESC, a.alarm_id DESC
LIMIT $2"""  # noqa: S608 constant text

_OPEN = f"""
SELECT {_COLUMNS} FROM alarm a
WHERE a.rule_id = ANY ($1::text[]) AND a.state <> 'normal'
ORDER BY a.alarm_id LIMIT 10000 FOR UPDATE"""  # noqa: S608 constant text

_STANDING = f"""
SELECT {_COLUMNS} FROM alarm a
WHERE a.rule_id = $1 AND a.raised_at > $2 AND a.state IN ('unacknowledged', 'acknowledged')
    AND a.suppressed_by IS NULL
ORDER BY a.raised_at, a.alarm_id LIMIT 1000"""  # noqa: S608 constant text

_RELEASE = """
UPDATE alarm SET suppressed_by = NULL
WHERE suppressed_by = $1 AND state IN ('unacknowledged', 'acknowledged')
RETURNING alarm_id"""

_EVENTS = """
SELECT at, actor, event, comment FROM alarm_event WHERE alarm_id = $1 ORDER BY event_id LIMIT 1000"""

_SET_EVIDENCE = """
UPDATE alarm SET evidence = $2::text::jsonb, suggestion = $3::text::jsonb WHERE alarm_id = $1"""


@dataclass(frozen=True, slots=True)
class ListedAlarm:
    """An alarm with the names that a list shows."""

    alarm: Alarm
    equipment_name: Text
    building_id: str | None
    work_order_id: int | None
    evidence: Mapping[str, Any]
    suggestion: Mapping[str, Any]


async def insert_alarm(
    conn: Connection, alarm: Alarm, evidence: Mapping[str, object], suggestion: Mapping[str, object]
) -> AlarmId:
    """Write a new open alarm; the unique index refuses a second one for the same rule and equipment."""
    alarm_id = await conn.fetchval(
        _INSERT,
        alarm.rule_id,
        alarm.equipment_id,
        alarm.priority.value,
        alarm.onset_at,
        alarm.raised_at,
        alarm.suppressed_by,
        _json(evidence),
        _json(suggestion),
    )
    return AlarmId(alarm_id)


async def update_alarm(conn: Connection, alarm: Alarm) -> None:
    """Write an alarm's state and what stands beside it."""
    await conn.execute(
        _UPDATE,
        alarm.alarm_id,
        alarm.state.value,
        alarm.returned_at,
        alarm.acknowledged_at,
        alarm.acknowledged_by,
        alarm.shelved_until,
        alarm.suppressed_by,
    )


async def set_evidence(
    conn: Connection, alarm_id: AlarmId, evidence: Mapping[str, object], suggestion: Mapping[str, object]
) -> None:
    """Renew what was found and what it wastes."""
    await conn.execute(_SET_EVIDENCE, alarm_id, _json(evidence), _json(suggestion))


async def add_event(
    conn: Connection, alarm_id: AlarmId, kind: AlarmEventKind, actor: str, now: datetime, comment: str = ""
) -> None:
    """Append a line to an alarm's history."""
    await conn.execute(_ADD_EVENT, alarm_id, now, actor, kind.value, comment)


async def open_alarm(conn: Connection, rule_id: str, equipment_id: str) -> Alarm | None:
    """The open alarm of a rule at an equipment, locked until the transaction ends."""
    row = await conn.fetchrow(_OPEN_OF, rule_id, equipment_id)
    return _alarm(row) if row else None


async def open_alarms(conn: Connection, rule_ids: Sequence[str]) -> list[Alarm]:
    """Every open alarm of some rules, locked until the transaction ends."""
    return [_alarm(row) for row in await conn.fetch(_OPEN, list(rule_ids))]


async def standing_alarms(conn: Connection, rule_id: str, since: datetime) -> list[Alarm]:
    """Alarms of a rule raised since then that still stand and are shown, oldest first."""
    return [_alarm(row) for row in await conn.fetch(_STANDING, rule_id, since)]


async def release_alarms(conn: Connection, suppressed_by: str) -> list[AlarmId]:
    """Show those again that were grouped under another and still stand; their numbers."""
    return [AlarmId(row["alarm_id"]) for row in await conn.fetch(_RELEASE, suppressed_by)]


async def lock_alarm(conn: Connection, alarm_id: int) -> Alarm | None:
    """One alarm, locked until the transaction ends."""
    row = await conn.fetchrow(_ONE + " FOR UPDATE", alarm_id)
    return _alarm(row) if row else None


async def listed_alarms(
    conn: Connection, *, open_only: bool, limit: int, alarm_id: int | None = None
) -> list[ListedAlarm]:
    """Alarms with names, most urgent first; the open list leaves suppressed ones out."""
    rows = await conn.fetch(_LISTED, open_only, limit, alarm_id)
    return [
        ListedAlarm(
            alarm=_alarm(row),
            equipment_name=_text(row["equipment_name"], row["equipment_id"]),
            building_id=row["building_id"],
            work_order_id=row["work_order_id"],
            evidence=json.loads(row["evidence"]),
            suggestion=json.loads(row["suggestion"]),
        )
        for row in rows
    ]


async def alarm_events(conn: Connection, alarm_id: int) -> list[AlarmEvent]:
    """An alarm's history, oldest first."""
    rows = await conn.fetch(_EVENTS, alarm_id)
    return [AlarmEvent(r["at"], r["actor"], AlarmEventKind(r["event"]), r["comment"]) for r in rows]


async def notify_alarms(conn: Connection, alarm_id: int) -> None:
    """Wake those who show alarms, when this transaction commits."""
    await conn.execute("SELECT pg_notify('alarms', $1)", str(alarm_id))


def _json(document: Mapping[str, object]) -> str:
    return json.dumps(document, ensure_ascii=False, default=str)


def _text(document: str | None, fallback: str) -> Text:
    names = json.loads(document) if document else {}
    if isinstance(names, str):
        return Text(names, names)
    zh_tw = str(names.get("zh-TW") or names.get("zh_tw") or fallback)
    return Text(zh_tw=zh_tw, en=str(names.get("en") or fallback))


def _alarm(row: Record) -> Alarm:
    return Alarm(
        alarm_id=AlarmId(row["alarm_id"]),
        rule_id=row["rule_id"],
        equipment_id=row["equipment_id"],
        priority=Priority(row["priority"]),
        state=AlarmState(row["state"]),
        onset_at=row["onset_at"],
        raised_at=row["raised_at"],
        returned_at=row["returned_at"],
        acknowledged_at=row["acknowledged_at"],
        acknowledged_by=row["acknowledged_by"],
        shelved_until=row["shelved_until"],
        suppressed_by=row["suppressed_by"],
    )
