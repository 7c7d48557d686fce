"""Stretches in which alarms stood, taken from their history, and alarms by what hides or holds them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from energy_center.domain.alarms import Alarm, AlarmEventKind, AlarmId
from energy_center.store.alarms import alarm_of, columns_of_alarm
from energy_center.store.pool import Connection

_STRETCHES = """
SELECT a.alarm_id, a.rule_id, a.equipment_id, v.event, v.at, v.onset_at, v.comment
FROM alarm a JOIN alarm_event v USING (alarm_id)
WHERE a.rule_id = ANY ($1::text[]) AND ($3::text IS NULL OR a.equipment_id = $3)
    AND v.event IN ('raised', 'reopened', 'returned', 'corrected', 'withdrawn')
    AND (a.state IN ('unacknowledged', 'acknowledged') OR a.returned_at > $2)
ORDER BY v.event_id LIMIT 100000"""

_HIDDEN = f"""
SELECT {columns_of_alarm()} FROM alarm a
WHERE a.suppression = $1 AND a.state <> 'normal'
ORDER BY a.alarm_id LIMIT 10000 FOR UPDATE"""  # noqa: S608 constant text

# a leader that is shelved is in the list still
_LEADERLESS = f"""
SELECT {columns_of_alarm()} FROM alarm a
WHERE a.suppression = 'flood' AND a.state IN ('unacknowledged', 'acknowledged') AND NOT EXISTS (
    SELECT FROM alarm l WHERE a.suppressed_by = 'alarm/' || l.alarm_id
        AND l.state IN ('unacknowledged', 'acknowledged') AND l.suppressed_by IS NULL)
ORDER BY a.alarm_id LIMIT 10000 FOR UPDATE OF a"""  # noqa: S608 constant text

_LATCHED = f"""
SELECT {columns_of_alarm()} FROM alarm a
WHERE a.latched_at <= $1 AND a.state IN ('unacknowledged', 'acknowledged')
ORDER BY a.alarm_id LIMIT 10000 FOR UPDATE"""  # noqa: S608 constant text

_OPEN_AT = f"""
SELECT {columns_of_alarm()} FROM alarm a
WHERE a.equipment_id = $1 AND a.state <> 'normal' AND a.suppressed_by IS NULL
ORDER BY a.alarm_id LIMIT 1000 FOR UPDATE"""  # noqa: S608 constant text

_RAISES = """
SELECT count(*) FROM alarm a JOIN alarm_event v USING (alarm_id)
WHERE a.rule_id = $1 AND a.equipment_id = $2 AND a.withdrawn_at IS NULL
    AND v.event IN ('raised', 'reopened') AND v.at > $3 AND v.at <= $4"""

_HIDDEN_BY = """
SELECT v.alarm_id, v.at, p.rule_id, p.equipment_id
FROM alarm_event v JOIN alarm p ON v.comment = 'alarm/' || p.alarm_id
WHERE v.event = 'suppressed' AND v.at > $1
ORDER BY v.event_id LIMIT 100000"""

_RAISED_SINCE = """
SELECT count(*) FROM alarm_event v WHERE v.event IN ('raised', 'reopened') AND v.at > $1 AND v.at <= $2"""


@dataclass(frozen=True, slots=True)
class Stretch:
    """One time that an alarm stood; `returned_at` is None while it does."""

    alarm_id: AlarmId
    rule_id: str
    equipment_id: str
    onset_at: datetime
    raised_at: datetime
    returned_at: datetime | None


async def stretches(
    conn: Connection, rule_ids: Sequence[str], since: datetime, equipment_id: str | None = None
) -> list[Stretch]:
    """Stretches of alarms of these rules that still stand or ended after `since`, in order of raising.

    An alarm that came back before anybody saw it is one alarm and several stretches. What late readings
    have disproved is left out.
    """
    rows = await conn.fetch(_STRETCHES, list(rule_ids), since, equipment_id)
    found: dict[int, list[Stretch]] = defaultdict(list)
    for row in rows:
        of_alarm = found[row["alarm_id"]]
        match row["event"]:
            case "returned":
                if of_alarm and of_alarm[-1].returned_at is None:
                    of_alarm[-1] = replace(of_alarm[-1], returned_at=row["at"])
            case "withdrawn":
                found[row["alarm_id"]] = [s for s in of_alarm if s.raised_at.isoformat() != row["comment"]]
            case "corrected":
                found[row["alarm_id"]] = [corrected(s, row["comment"]) for s in of_alarm]
            case _:
                key = (AlarmId(row["alarm_id"]), row["rule_id"], row["equipment_id"])
                of_alarm.append(Stretch(*key, row["onset_at"] or row["at"], row["at"], None))
    return sorted((s for of_alarm in found.values() for s in of_alarm), key=lambda s: s.raised_at)


def correction(old: Stretch, new: Stretch) -> str:
    """The words of a `corrected` line: which stretch it was, and its times as late readings show them."""
    end = new.returned_at.isoformat() if new.returned_at else "-"
    return f"{old.raised_at.isoformat()} > {new.onset_at.isoformat()} {new.raised_at.isoformat()} {end}"


def corrected(stretch: Stretch, words: str) -> Stretch:
    """The stretch with the times of such a line, if the line is about it."""
    was, _, times = words.partition(" > ")
    if was != stretch.raised_at.isoformat():
        return stretch
    onset, raised, end = times.split(" ")
    returned = None if end == "-" else datetime.fromisoformat(end)
    return replace(
        stretch,
        onset_at=datetime.fromisoformat(onset),
        raised_at=datetime.fromisoformat(raised),
        returned_at=returned,
    )


async def hidden_alarms(conn: Connection, suppression: str) -> list[Alarm]:
    """Open alarms that are suppressed in one way, locked until the transaction ends."""
    return [alarm_of(row) for row in await conn.fetch(_HIDDEN, suppression)]


async def leaderless_alarms(conn: Connection) -> list[Alarm]:
    """Active alarms grouped under one that is not in the list any more, locked until the transaction ends."""
    return [alarm_of(row) for row in await conn.fetch(_LEADERLESS)]


async def latched_alarms(conn: Connection, quiet_since: datetime) -> list[Alarm]:
    """Chattering alarms that have been quiet since then or longer, locked until the transaction ends."""
    return [alarm_of(row) for row in await conn.fetch(_LATCHED, quiet_since)]


async def listed_at(conn: Connection, equipment_id: str) -> list[Alarm]:
    """Open alarms of an equipment that nothing hides, locked until the transaction ends."""
    return [alarm_of(row) for row in await conn.fetch(_OPEN_AT, equipment_id)]


async def count_raises(
    conn: Connection, rule_id: str, equipment_id: str, since: datetime, until: datetime
) -> int:
    """How often a rule raised its alarm at an equipment in (since, until]."""
    return int(await conn.fetchval(_RAISES, rule_id, equipment_id, since, until))


async def count_all_raises(conn: Connection, since: datetime, until: datetime) -> int:
    """How often any alarm was raised in (since, until]."""
    return int(await conn.fetchval(_RAISED_SINCE, since, until))


@dataclass(frozen=True, slots=True)
class EventCounts:
    """How many lines of each kind the history holds, and the alarms that late readings brought or moved."""

    by_kind: Mapping[AlarmEventKind, int]
    late_alarms: tuple[AlarmId, ...]


async def count_events(conn: Connection, since: datetime) -> EventCounts:
    """Lines since then, by kind."""
    rows = await conn.fetch(
        "SELECT event, count(*) AS n FROM alarm_event WHERE at > $1 GROUP BY event", since
    )
    late = await conn.fetch(
        "SELECT alarm_id FROM alarm WHERE found_late_at IS NOT NULL AND raised_at > $1 UNION "
        "SELECT alarm_id FROM alarm_event WHERE event = 'corrected' AND at > $1 "
        "ORDER BY alarm_id LIMIT 100000",
        since,
    )
    return EventCounts(
        {AlarmEventKind(r["event"]): r["n"] for r in rows}, tuple(AlarmId(r["alarm_id"]) for r in late)
    )


async def hidden_stretches(conn: Connection, since: datetime) -> dict[tuple[int, datetime], tuple[str, str]]:
    """Rule and equipment of the alarm that hid another by design, by the hidden one's number and raising."""
    rows = await conn.fetch(_HIDDEN_BY, since)
    return {(r["alarm_id"], r["at"]): (r["rule_id"], r["equipment_id"]) for r in rows}
