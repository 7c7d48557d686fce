"""Which alarms people should know of, and which contact knows of which."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from energy_center.domain.alarms import Priority
from energy_center.domain.notices import Recent, Standing
from energy_center.domain.site import Text
from energy_center.store.alarms import name_of
from energy_center.store.pool import Connection

# An alarm is somebody's to know while it is neither seen, put aside nor hidden behind another.
_NEEDS = "a.state = 'unacknowledged' AND a.suppressed_by IS NULL AND coalesce(a.shelved_until, $1) <= $1"

# $1 now, $2 alarms that came up before that are not begun; an episode is the event that raised, reopened or
# released it, or that showed by late readings that it had not gone when people were told so; one that
# chatters, or is corrected while people know of it, stays one episode
_BEGIN = f"""
INSERT INTO alarm_notice (alarm_id, episode, started_at)
SELECT a.alarm_id, e.event_id, $1
FROM alarm a
JOIN LATERAL (
    SELECT v.event_id, v.at, v.event FROM alarm_event v
    WHERE v.alarm_id = a.alarm_id AND (v.event IN ('raised', 'reopened', 'released')
        OR v.event = 'corrected' AND EXISTS (
            SELECT FROM alarm_notice o WHERE o.alarm_id = a.alarm_id AND o.ended_at <= v.at))
    ORDER BY v.event_id DESC LIMIT 1
) e ON true
WHERE {_NEEDS} AND greatest(e.at, a.shelved_until) > $2
    AND NOT ((a.chattering OR e.event = 'corrected') AND EXISTS (
        SELECT FROM alarm_notice o WHERE o.alarm_id = a.alarm_id AND o.ended_at IS NULL))
ORDER BY a.alarm_id LIMIT 5000
ON CONFLICT DO NOTHING"""  # noqa: S608 constant text

# $1 now
_STANDING = f"""
SELECT a.alarm_id, n.episode, a.priority, n.started_at, n.level,
    (SELECT array_agg(t.contact_id) FROM alarm_told t
     WHERE t.alarm_id = n.alarm_id AND t.episode = n.episode AND t.state = 'raised') AS told
FROM alarm_notice n JOIN alarm a USING (alarm_id)
WHERE n.ended_at IS NULL AND {_NEEDS}
ORDER BY a.alarm_id LIMIT 5000 FOR UPDATE OF n"""  # noqa: S608 constant text

# notices whose alarm was seen, has gone or stood up anew; gives whom to tell that it has gone. $1 now
_END = """
WITH ended AS (
    UPDATE alarm_notice n SET ended_at = $1 FROM alarm a
    WHERE a.alarm_id = n.alarm_id AND n.ended_at IS NULL AND (
        a.returned_at IS NOT NULL OR a.state = 'normal'
        OR EXISTS (SELECT FROM alarm_notice o WHERE o.alarm_id = n.alarm_id AND o.episode > n.episode))
    RETURNING n.alarm_id, n.episode, a.returned_at)
SELECT e.alarm_id, e.episode, t.contact_id FROM ended e
JOIN alarm_told t ON t.alarm_id = e.alarm_id AND t.episode = e.episode AND t.state = 'raised'
JOIN notification_outbox o ON o.outbox_id = t.outbox_id
WHERE e.returned_at IS NOT NULL AND o.sent_at IS NOT NULL
ORDER BY e.alarm_id, t.contact_id LIMIT 5000"""

_RECENT = """
SELECT contact_id, count(*) FILTER (WHERE kind = 'alarm') AS singles,
    max(at) FILTER (WHERE kind = 'group') AS group_at
FROM notification_outbox
WHERE contact_id IS NOT NULL AND kind IN ('alarm', 'group') AND at > $1
GROUP BY contact_id ORDER BY contact_id LIMIT 5000"""

_WORDS = """
SELECT a.alarm_id, a.rule_id, a.equipment_id, a.priority, a.state, a.onset_at, a.raised_at, a.returned_at,
    e.name::text AS equipment_name
FROM alarm a LEFT JOIN equipment e USING (equipment_id)
WHERE a.alarm_id = ANY ($1::bigint[]) ORDER BY a.alarm_id LIMIT 5000"""

# a message is still needed while one of its alarms is. $1 now, $2 message
_NEEDED = f"""
SELECT EXISTS (
    SELECT FROM alarm_told t
    JOIN alarm_notice n USING (alarm_id, episode) JOIN alarm a USING (alarm_id)
    WHERE t.outbox_id = $2 AND t.state = 'raised' AND n.ended_at IS NULL AND {_NEEDS})"""  # noqa: S608 constant


@dataclass(frozen=True, slots=True)
class Gone:
    """A contact that was told of an alarm which has gone since."""

    alarm_id: int
    episode: int
    contact_id: int


@dataclass(frozen=True, slots=True)
class AlarmWords:
    """What a message says of an alarm."""

    alarm_id: int
    rule_id: str
    equipment_id: str
    equipment_name: Text
    priority: Priority
    onset_at: datetime
    returned_at: datetime | None


async def begin_notices(conn: Connection, now: datetime, not_before: datetime) -> None:
    """Take up alarms that stood up since `not_before` and that nobody has seen."""
    await conn.execute(_BEGIN, now, not_before)


async def end_notices(conn: Connection, now: datetime) -> list[Gone]:
    """Lay down what has gone, and give who was told of it."""
    return [Gone(*row.values()) for row in await conn.fetch(_END, now)]


async def standing(conn: Connection, now: datetime) -> list[Standing]:
    """Alarms that people should know of, locked until the transaction ends."""
    return [
        Standing(
            r["alarm_id"],
            r["episode"],
            Priority(r["priority"]),
            r["started_at"],
            r["level"],
            frozenset(r["told"] or ()),
        )
        for r in await conn.fetch(_STANDING, now)
    ]


async def recent(conn: Connection, now: datetime, window: timedelta) -> dict[int, Recent]:
    """What each contact got lately."""
    rows = await conn.fetch(_RECENT, now - window)
    return {row["contact_id"]: Recent(row["singles"], row["group_at"]) for row in rows}


async def set_level(conn: Connection, alarm: Standing, level: int, exhausted_at: datetime | None) -> None:
    """The alarm came to a level; `exhausted_at` when it was the last."""
    await conn.execute(
        """UPDATE alarm_notice SET level = $3, exhausted_at = coalesce(exhausted_at, $4)
        WHERE alarm_id = $1 AND episode = $2""",
        alarm.alarm_id,
        alarm.episode,
        level,
        exhausted_at,
    )


async def add_told(
    conn: Connection, alarm_id: int, episode: int, state: str, contact_id: int, outbox_id: int
) -> None:
    """The contact is told of this alarm's state by this message."""
    await conn.execute(
        """INSERT INTO alarm_told (alarm_id, episode, state, contact_id, outbox_id)
        VALUES ($1, $2, $3, $4, $5)""",
        alarm_id,
        episode,
        state,
        contact_id,
        outbox_id,
    )


async def words_of(conn: Connection, alarm_ids: Sequence[int]) -> dict[int, AlarmWords]:
    """What messages say of some alarms."""
    rows = await conn.fetch(_WORDS, list(alarm_ids))
    return {
        r["alarm_id"]: AlarmWords(
            r["alarm_id"],
            r["rule_id"],
            r["equipment_id"],
            name_of(r["equipment_name"], r["equipment_id"]),
            Priority(r["priority"]),
            r["onset_at"],
            r["returned_at"],
        )
        for r in rows
    }


async def is_needed(conn: Connection, outbox_id: int, now: datetime) -> bool:
    """Whether somebody should still hear of an alarm that the message is about."""
    needed: bool = await conn.fetchval(_NEEDED, now, outbox_id)
    return needed


async def latest_episode(conn: Connection, alarm_id: int) -> int | None:
    """The newest time that the alarm stood up, None when nobody was to be told."""
    episode: int | None = await conn.fetchval(
        "SELECT max(episode) FROM alarm_notice WHERE alarm_id = $1", alarm_id
    )
    return episode


@dataclass(frozen=True, slots=True)
class ToldOf:
    """Which alarm a message is about, and whom it tells in which language."""

    alarm_id: int
    episode: int
    user: str
    language: str


async def told_by(conn: Connection, outbox_id: int) -> ToldOf | None:
    """What a message about one alarm tells whom."""
    row = await conn.fetchrow(
        """SELECT t.alarm_id, t.episode, u.name, u.language
        FROM alarm_told t JOIN contact c USING (contact_id) JOIN app_user u USING (user_id)
        WHERE t.outbox_id = $1 ORDER BY t.alarm_id LIMIT 1""",
        outbox_id,
    )
    return ToldOf(*row.values()) if row else None
