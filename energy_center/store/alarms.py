"""Alarms and their append-only history."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from energy_center.domain.alarms import (
    Alarm,
    AlarmEvent,
    AlarmEventKind,
    AlarmId,
    AlarmState,
    Priority,
    Suppression,
)
from energy_center.domain.site import Text
from energy_center.store.pool import Connection, Record

_COLUMNS = """a.alarm_id, a.rule_id, a.equipment_id, a.priority, a.state, a.onset_at, a.raised_at,
    a.returned_at, a.acknowledged_at, a.acknowledged_by, a.shelved_until, a.suppressed_by,
    a.suppression, a.chattering, a.latched_at, a.found_late_at, a.withdrawn_at"""

_INSERT = """
INSERT INTO alarm (rule_id, equipment_id, priority, state, onset_at, raised_at, suppressed_by, suppression,
    returned_at, found_late_at, evidence, suggestion)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::text::jsonb, $12::text::jsonb)
RETURNING alarm_id"""

_UPDATE = """
UPDATE alarm SET state = $2, returned_at = $3, acknowledged_at = $4, acknowledged_by = $5, shelved_until = $6,
    suppressed_by = $7, suppression = $8, chattering = $9, latched_at = $10, found_late_at = $11,
    withdrawn_at = $12, onset_at = $13, raised_at = $14
WHERE alarm_id = $1"""

_ADD_EVENT = """
INSERT INTO alarm_event (alarm_id, at, actor, event, comment, onset_at) VALUES ($1, $2, $3, $4, $5, $6)"""

_OPEN_OF = f"""
SELECT {_COLUMNS} FROM alarm a
WHERE a.rule_id = $1 AND a.equipment_id = $2 AND a.state <> 'normal' FOR UPDATE"""  # noqa: S608 constant text

_ONE = f"SELECT {_COLUMNS} FROM alarm a WHERE a.alarm_id = $1"  # noqa: S608 constant text

# $1 open only, $2 rows at most, $3 one alarm or NULL, $4 of the open ones those that are suppressed.
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
    parent.rule_id AS parent_rule, parent.equipment_id AS parent_equipment, pe.name::text AS parent_name,
    (SELECT max(w.work_order_id) FROM work_order w WHERE w.alarm_id = a.alarm_id) AS work_order_id
FROM alarm a
LEFT JOIN equipment e ON e.equipment_id = a.equipment_id
LEFT JOIN alarm parent ON a.suppressed_by = 'alarm/' || parent.alarm_id
LEFT JOIN equipment pe ON pe.equipment_id = parent.equipment_id
LEFT JOIN up building ON building.space_id = e.space_id AND building.kind = 'building'
WHERE ($3::bigint IS NULL OR a.alarm_id = $3) AND (NOT $1 OR a.state <> 'normal')
    AND ($3::bigint IS NOT NULL OR NOT $1 OR (a.suppressed_by IS NOT NULL) = $4)
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
WHERE ($1::text IS NULL OR a.rule_id = $1) AND a.raised_at > $2
    AND a.state IN ('unacknowledged', 'acknowledged') AND a.suppressed_by IS NULL
ORDER BY a.raised_at, a.alarm_id LIMIT 1000"""  # noqa: S608 constant text

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
    parent: tuple[str, Text] | None = None  # rule and place of the alarm that hides it


async def insert_alarm(
    conn: Connection, alarm: Alarm, evidence: Mapping[str, object], suggestion: Mapping[str, object]
) -> AlarmId:
    """Write a new open alarm; the unique index refuses a second one for the same rule and equipment."""
    alarm_id = await conn.fetchval(
        _INSERT,
        alarm.rule_id,
        alarm.equipment_id,
        alarm.priority.value,
        alarm.state.value,
        alarm.onset_at,
        alarm.raised_at,
        alarm.suppressed_by,
        alarm.suppression,
        alarm.returned_at,
        alarm.found_late_at,
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
        alarm.suppression,
        alarm.chattering,
        alarm.latched_at,
        alarm.found_late_at,
        alarm.withdrawn_at,
        alarm.onset_at,
        alarm.raised_at,
    )


async def set_evidence(
    conn: Connection, alarm_id: AlarmId, evidence: Mapping[str, object], suggestion: Mapping[str, object]
) -> None:
    """Renew what was found and what it wastes."""
    await conn.execute(_SET_EVIDENCE, alarm_id, _json(evidence), _json(suggestion))


async def add_event(
    conn: Connection,
    alarm_id: AlarmId,
    kind: AlarmEventKind,
    actor: str,
    now: datetime,
    comment: str = "",
    onset_at: datetime | None = None,
) -> None:
    """Append a line to an alarm's history; a line of raising tells the first true sample too."""
    await conn.execute(_ADD_EVENT, alarm_id, now, actor, kind.value, comment, onset_at)


async def open_alarm(conn: Connection, rule_id: str, equipment_id: str) -> Alarm | None:
    """The open alarm of a rule at an equipment, locked until the transaction ends."""
    row = await conn.fetchrow(_OPEN_OF, rule_id, equipment_id)
    return alarm_of(row) if row else None


async def open_alarms(conn: Connection, rule_ids: Sequence[str]) -> list[Alarm]:
    """Every open alarm of some rules, locked until the transaction ends."""
    return [alarm_of(row) for row in await conn.fetch(_OPEN, list(rule_ids))]


async def standing_alarms(conn: Connection, rule_id: str | None, since: datetime) -> list[Alarm]:
    """Alarms of a rule (of all, for None) raised since then that still stand and are shown, oldest first."""
    return [alarm_of(row) for row in await conn.fetch(_STANDING, rule_id, since)]


async def lock_alarm(conn: Connection, alarm_id: int) -> Alarm | None:
    """One alarm, locked until the transaction ends."""
    row = await conn.fetchrow(_ONE + " FOR UPDATE", alarm_id)
    return alarm_of(row) if row else None


async def listed_alarms(
    conn: Connection, *, open_only: bool, limit: int, alarm_id: int | None = None, hidden: bool = False
) -> list[ListedAlarm]:
    """Alarms with names, most urgent first; of the open ones the `hidden` or all others."""
    rows = await conn.fetch(_LISTED, open_only, limit, alarm_id, hidden)
    return [
        ListedAlarm(
            alarm=alarm_of(row),
            equipment_name=name_of(row["equipment_name"], row["equipment_id"]),
            building_id=row["building_id"],
            work_order_id=row["work_order_id"],
            evidence=json.loads(row["evidence"]),
            suggestion=json.loads(row["suggestion"]),
            parent=_parent(row),
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


def _parent(row: Record) -> tuple[str, Text] | None:
    if row["parent_rule"] is None:
        return None
    return row["parent_rule"], name_of(row["parent_name"], row["parent_equipment"])


def _json(document: Mapping[str, object]) -> str:
    return json.dumps(document, ensure_ascii=False, default=str)


def name_of(document: str | None, fallback: str) -> Text:
    """A name in both languages as the database keeps it; the fallback where there is none."""
    names = json.loads(document) if document else {}
    if isinstance(names, str):
        return Text(names, names)
    zh_tw = str(names.get("zh-TW") or names.get("zh_tw") or fallback)
    return Text(zh_tw=zh_tw, en=str(names.get("en") or fallback))


def columns_of_alarm() -> str:
    """The columns that `alarm_of` needs, of a table called `a`."""
    return _COLUMNS


def alarm_of(row: Record) -> Alarm:
    """An alarm of a row with those columns."""
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
        suppression=Suppression(row["suppression"]) if row["suppression"] else None,
        chattering=row["chattering"],
        latched_at=row["latched_at"],
        found_late_at=row["found_late_at"],
        withdrawn_at=row["withdrawn_at"],
    )
