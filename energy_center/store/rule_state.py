"""What each rule last knew of each equipment, and when devices went away and came back."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from energy_center.store.pool import Connection, Database

_UPSERT = """
INSERT INTO rule_state (rule_id, equipment_id, evaluated_to, condition, since, memory)
SELECT rule_id, equipment_id, evaluated_to, condition, since, memory::jsonb
FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::text[], $5::timestamptz[], $6::text[])
    AS s (rule_id, equipment_id, evaluated_to, condition, since, memory)
ON CONFLICT (rule_id, equipment_id) DO UPDATE SET evaluated_to = excluded.evaluated_to,
    condition = excluded.condition, memory = excluded.memory,
    since = CASE WHEN rule_state.condition = excluded.condition THEN rule_state.since
        ELSE excluded.since END"""

_ALL = """
SELECT rule_id, equipment_id, evaluated_to, condition, since, memory::text AS memory FROM rule_state
ORDER BY rule_id, equipment_id"""

# $1 start: the changes after it, and the last one before it of each device.
_DEVICE_CHANGES = """
SELECT device_id, at, online FROM device_event WHERE at > $1
UNION ALL
(SELECT DISTINCT ON (device_id) device_id, at, online FROM device_event WHERE at <= $1
 ORDER BY device_id, at DESC, event_id DESC)
ORDER BY device_id, at"""


@dataclass(frozen=True, slots=True)
class RuleState:
    """Judged up to `evaluated_to`; `condition` has stood since `since`; `memory` is the engine's."""

    rule_id: str
    equipment_id: str
    evaluated_to: datetime
    condition: str
    since: datetime
    memory: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DeviceChange:
    """A device went away or came back."""

    device_id: str
    at: datetime
    online: bool


async def read_rule_states(db: Database) -> dict[tuple[str, str], RuleState]:
    """Every state by rule and equipment."""
    async with db.connection() as conn:
        rows = await conn.fetch(_ALL)
    return {
        (row["rule_id"], row["equipment_id"]): RuleState(
            row["rule_id"],
            row["equipment_id"],
            row["evaluated_to"],
            row["condition"],
            row["since"],
            json.loads(row["memory"]),
        )
        for row in rows
    }


async def write_rule_states(conn: Connection, states: Sequence[RuleState]) -> None:
    """Write many at once; `since` moves only when the condition changes."""
    await conn.execute(
        _UPSERT,
        [s.rule_id for s in states],
        [s.equipment_id for s in states],
        [s.evaluated_to for s in states],
        [s.condition for s in states],
        [s.since for s in states],
        [json.dumps(dict(s.memory)) for s in states],
    )


async def device_changes(db: Database, start: datetime) -> list[DeviceChange]:
    """Per device in order of time: the last change at or before `start` and all after it."""
    async with db.connection() as conn:
        rows = await conn.fetch(_DEVICE_CHANGES, start)
    return [DeviceChange(row["device_id"], row["at"], row["online"]) for row in rows]
