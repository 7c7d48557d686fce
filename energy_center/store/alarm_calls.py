"""Each time an alarm called a person, from the history, and how many alarms are in which state now."""

from dataclasses import dataclass
from datetime import datetime

from energy_center.domain.alarm_performance import Annunciation
from energy_center.domain.alarms import STANDING_AFTER, Priority
from energy_center.store.pool import Connection

# $1 since, $2 until. A line of raising that was suppressed or grouped at once called nobody, and neither
# did what late readings brought to light.
_CALLS = """
SELECT a.alarm_id, a.rule_id, a.equipment_id, a.priority, v.at AS raised_at,
    (SELECT min(k.at) FROM alarm_event k
     WHERE k.alarm_id = a.alarm_id AND k.event = 'acknowledged' AND k.at >= v.at) AS acknowledged_at,
    (SELECT min(r.at) FROM alarm_event r
     WHERE r.alarm_id = a.alarm_id AND r.event = 'returned' AND r.at >= v.at) AS returned_at
FROM alarm_event v JOIN alarm a USING (alarm_id)
WHERE v.at >= $1 AND v.at < $2 AND v.event IN ('raised', 'reopened', 'released')
    AND a.found_late_at IS NULL AND a.withdrawn_at IS NULL
    AND NOT EXISTS (SELECT FROM alarm_event h WHERE h.alarm_id = a.alarm_id AND h.at = v.at
        AND h.event = 'suppressed')
    AND NOT (v.event IN ('raised', 'reopened') AND EXISTS (SELECT FROM alarm_event h
        WHERE h.alarm_id = a.alarm_id AND h.at = v.at AND h.event = 'grouped'
        AND h.comment NOT LIKE '% %'))
ORDER BY v.at, v.event_id LIMIT 100000"""

_NOW = """
SELECT count(*) FILTER (WHERE a.suppressed_by IS NULL) AS listed,
    count(*) FILTER (WHERE a.suppressed_by IS NULL AND a.state = 'unacknowledged') AS unacknowledged,
    count(*) FILTER (WHERE a.suppressed_by IS NULL AND a.raised_at < $2
        AND a.state IN ('unacknowledged', 'acknowledged')) AS standing,
    count(*) FILTER (WHERE a.suppressed_by IS NULL AND a.shelved_until > $1) AS shelved,
    count(*) FILTER (WHERE a.suppression = 'design') AS by_design,
    count(*) FILTER (WHERE a.suppression = 'flood') AS grouped,
    count(*) FILTER (WHERE a.suppression = 'out_of_service') AS out_of_service,
    count(*) FILTER (WHERE a.chattering) AS chattering
FROM alarm a WHERE a.state <> 'normal'"""


@dataclass(frozen=True, slots=True)
class OpenCounts:
    """Open alarms now. `listed` counts those that nothing hides; `standing` those of them over 24 h old."""

    listed: int
    unacknowledged: int
    standing: int
    shelved: int
    by_design: int
    grouped: int
    out_of_service: int
    chattering: int


async def alarm_calls(conn: Connection, since: datetime, until: datetime) -> list[Annunciation]:
    """Calls in [since, until) in order of time."""
    rows = await conn.fetch(_CALLS, since, until)
    return [
        Annunciation(
            r["alarm_id"],
            r["rule_id"],
            r["equipment_id"],
            Priority(r["priority"]),
            r["raised_at"],
            r["acknowledged_at"],
            r["returned_at"],
        )
        for r in rows
    ]


async def open_counts(conn: Connection, now: datetime) -> OpenCounts:
    """How many are open now, and how."""
    row = await conn.fetchrow(_NOW, now, now - STANDING_AFTER)
    return OpenCounts(**dict(row)) if row else OpenCounts(0, 0, 0, 0, 0, 0, 0, 0)
