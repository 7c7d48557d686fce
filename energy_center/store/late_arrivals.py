"""Readings that came late, and what the rules knew before them, so that their time can be judged again."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from energy_center.domain.readings import PointId
from energy_center.store.pool import Connection
from energy_center.store.reading_batch import ReadingBatch, from_us, to_us

# A reading that is older than this when it is stored may have missed its step: rules judge a step when it
# is 3 s old.
LATE_AFTER = timedelta(seconds=2)
# Older than this they are left to the backtest: rules do not go back further.
LATE_WITHIN = timedelta(hours=24)

_NOTE = """
INSERT INTO late_arrival (point_id, from_at, to_at)
SELECT * FROM unnest($1::int[], $2::timestamptz[], $3::timestamptz[])"""

_WAITING = "SELECT late_id, point_id, from_at, to_at FROM late_arrival ORDER BY late_id LIMIT 100000"

_DROP = "DELETE FROM late_arrival WHERE late_id = ANY ($1::int8[])"

_SAVE = """
INSERT INTO rule_checkpoint (rule_id, equipment_id, at, memory)
SELECT rule_id, equipment_id, at, memory::jsonb
FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::text[]) AS s (rule_id, equipment_id, at, memory)
ON CONFLICT (rule_id, equipment_id, at) DO UPDATE SET memory = excluded.memory"""

_BEFORE = """
SELECT DISTINCT ON (c.rule_id, c.equipment_id) c.rule_id, c.equipment_id, c.at, c.memory::text AS memory
FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS s (rule_id, equipment_id, at)
JOIN rule_checkpoint c ON c.rule_id = s.rule_id AND c.equipment_id = s.equipment_id AND c.at < s.at
ORDER BY c.rule_id, c.equipment_id, c.at DESC"""

_FORGET = "DELETE FROM rule_checkpoint WHERE at < $1"

_FORGET_AFTER = """
DELETE FROM rule_checkpoint c USING unnest($1::text[], $2::text[], $3::timestamptz[])
    AS s (rule_id, equipment_id, at)
WHERE c.rule_id = s.rule_id AND c.equipment_id = s.equipment_id AND c.at > s.at"""


@dataclass(frozen=True, slots=True)
class LateArrival:
    """The stretch of time in which late readings of a point lie, both ends included."""

    late_id: int
    point_id: PointId
    from_at: datetime
    to_at: datetime


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a rule knew of an equipment when it had judged everything up to `at`."""

    rule_id: str
    equipment_id: str
    at: datetime
    memory: Mapping[str, Any]


async def note_late(conn: Connection, batch: ReadingBatch, received_at: datetime) -> None:
    """Remember the points of a batch whose readings rules may have missed; in the batch's transaction."""
    newest, oldest = to_us(received_at - LATE_AFTER), to_us(received_at - LATE_WITHIN)
    late = (batch.at_us < newest) & (batch.at_us > oldest)
    if not late.any():
        return
    points, at = batch.point_id[late], batch.at_us[late]
    order = np.lexsort((at, points))
    points, at = points[order], at[order]
    first = np.flatnonzero(np.append(True, points[1:] != points[:-1]))
    last = np.append(first[1:], len(points)) - 1
    await conn.execute(
        _NOTE,
        points[first].tolist(),
        [from_us(int(us)) for us in at[first]],
        [from_us(int(us)) for us in at[last]],
    )


async def waiting_late(conn: Connection) -> list[LateArrival]:
    """All that is noted and not yet judged, oldest note first."""
    rows = await conn.fetch(_WAITING)
    return [LateArrival(r["late_id"], PointId(r["point_id"]), r["from_at"], r["to_at"]) for r in rows]


async def drop_late(conn: Connection, late: Sequence[LateArrival]) -> None:
    """They are judged; in the transaction that writes what was found."""
    await conn.execute(_DROP, [arrival.late_id for arrival in late])


async def save_checkpoints(conn: Connection, checkpoints: Sequence[Checkpoint]) -> None:
    """Keep what rules know now."""
    await conn.execute(
        _SAVE,
        [c.rule_id for c in checkpoints],
        [c.equipment_id for c in checkpoints],
        [c.at for c in checkpoints],
        [json.dumps(dict(c.memory)) for c in checkpoints],
    )


async def checkpoints_before(
    conn: Connection, wanted: Mapping[tuple[str, str], datetime]
) -> dict[tuple[str, str], Checkpoint]:
    """The newest checkpoint before an instant, by rule and equipment, where there is one."""
    keys = list(wanted)
    rows = await conn.fetch(_BEFORE, [k[0] for k in keys], [k[1] for k in keys], [wanted[k] for k in keys])
    found = [Checkpoint(r["rule_id"], r["equipment_id"], r["at"], json.loads(r["memory"])) for r in rows]
    return {(c.rule_id, c.equipment_id): c for c in found}


async def forget_checkpoints(conn: Connection, before: datetime) -> None:
    """Let go of what no late reading can need any more."""
    await conn.execute(_FORGET, before)


async def forget_after(conn: Connection, overtaken: Mapping[tuple[str, str], datetime]) -> None:
    """Let go of checkpoints that knew nothing of the late readings: those after an instant, by rule."""
    keys = list(overtaken)
    await conn.execute(
        _FORGET_AFTER, [k[0] for k in keys], [k[1] for k in keys], [overtaken[k] for k in keys]
    )
