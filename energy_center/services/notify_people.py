"""Decides, every few seconds, whom to tell of which alarm, and puts the messages into the outbox.

It looks at what is true in the database, not at events: a worker that was away does not forget anybody, and
whoever comes on duty is told of what still stands. Which alarm each contact knows of is kept, so nobody is
told twice.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from energy_center.domain.notices import (
    FLOOD_WINDOW,
    ClosedAs,
    Contact,
    Digest,
    Due,
    MessageKind,
    Reached,
    Setup,
    digest_due,
    plan,
    quiet_until,
)
from energy_center.i18n.text import DEFAULT_LANGUAGE, text
from energy_center.services.tell_people import CONTACT
from energy_center.services.write_messages import (
    alarm_message,
    digest_message,
    group_message,
    returned_message,
)
from energy_center.store import contacts, digest, notices, outbox
from energy_center.store.notices import AlarmWords, Gone
from energy_center.store.pool import Connection, Database
from energy_center.store.site import load_site

log = logging.getLogger(__name__)

# What stood up longer ago than this when somebody first could be told is history, not news.
NEWS = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class NotifyReport:
    """How many messages were put into the outbox."""

    alarms: int
    returned: int


async def read_setup(conn: Connection, zone: ZoneInfo, now: datetime) -> Setup:
    """Contacts, teams, roster and levels as they are."""
    return Setup(
        zone=zone,
        contacts=await contacts.list_contacts(conn),
        members={t.team_id: t.members for t in await contacts.list_teams(conn)},
        shifts=await contacts.list_shifts(conn),
        covers=await contacts.list_covers(conn, now),
        steps=await contacts.list_steps(conn),
    )


async def notify_people(db: Database, now: datetime) -> NotifyReport:
    """One pass, in one transaction: the messages and the note of who is told stand or fall together."""
    site = await load_site(db)
    if site is None:
        return NotifyReport(0, 0)
    zone = ZoneInfo(site.time_zone)
    async with db.transaction() as conn:
        steps = await contacts.list_steps(conn)
        if not steps:
            return NotifyReport(0, 0)
        await notices.begin_notices(conn, now, now - NEWS)
        gone = await notices.end_notices(conn, now)
        setup = await read_setup(conn, zone, now)
        standing = await notices.standing(conn, now)
        wanted = plan(standing, setup, await notices.recent(conn, now, FLOOD_WINDOW), now)
        alarm_ids = {a.alarm_id for due in wanted.due for a in due.alarms} | {g.alarm_id for g in gone}
        alarm_ids |= {r.alarm.alarm_id for r in wanted.reached}
        words = await notices.words_of(conn, sorted(alarm_ids))
        for reached in wanted.reached:
            await _reach(conn, reached, words, now)
        for due in wanted.due:
            await _tell(conn, due, words, zone, now)
        returned = await _tell_returned(conn, gone, setup, words, now)
    return NotifyReport(len(wanted.due), returned)


async def _reach(
    conn: Connection,
    reached: Reached,
    words: Mapping[int, AlarmWords],
    now: datetime,
) -> None:
    """Note the level; a level without anybody stands in the log, since a gap must be seen."""
    alarm = reached.alarm
    await notices.set_level(conn, alarm, reached.level, now if reached.is_last else None)
    for level in reached.empty_levels:
        subject, _ = alarm_message(words[alarm.alarm_id], DEFAULT_LANGUAGE, level, ZoneInfo("UTC"))
        await outbox.put(
            conn,
            channel=CONTACT,
            recipient="",
            subject=subject,
            body=text("notice.nobody", DEFAULT_LANGUAGE, level=level),
            alarm_id=alarm.alarm_id,
            now=now,
            kind=MessageKind.GAP,
            level=level,
            closed_as=ClosedAs.NOBODY,
        )
        log.warning(
            "nobody to tell",
            extra={"action": "notify_gap", "alarm_id": alarm.alarm_id, "level": level},
        )


async def _tell(
    conn: Connection, due: Due, words: Mapping[int, AlarmWords], zone: ZoneInfo, now: datetime
) -> None:
    language = due.contact.language
    if due.is_group:
        subject, body = group_message([words[a.alarm_id] for a in due.alarms], language)
        kind, alarm_id = MessageKind.GROUP, None
    else:
        alarm_id = due.alarms[0].alarm_id
        subject, body = alarm_message(words[alarm_id], language, due.level, zone)
        kind = MessageKind.ALARM
    outbox_id = await _put(conn, due.contact, kind, subject, body, alarm_id, due.level, now)
    for alarm in due.alarms:
        await notices.add_told(
            conn, alarm.alarm_id, alarm.episode, "raised", due.contact.contact_id, outbox_id
        )


async def _tell_returned(
    conn: Connection, gone: list[Gone], setup: Setup, words: Mapping[int, AlarmWords], now: datetime
) -> int:
    """Who was told that something is wrong is told that it has gone, unless their quiet hours are on."""
    by_id = {c.contact_id: c for c in setup.contacts}
    told = 0
    for item in gone:
        contact = by_id.get(item.contact_id)
        if contact is None or quiet_until(contact, now, setup.zone) is not None:
            continue
        subject, body = returned_message(words[item.alarm_id], contact.language, setup.zone)
        outbox_id = await _put(conn, contact, MessageKind.RETURNED, subject, body, item.alarm_id, None, now)
        await notices.add_told(conn, item.alarm_id, item.episode, "returned", contact.contact_id, outbox_id)
        told += 1
    return told


async def _put(
    conn: Connection,
    contact: Contact,
    kind: MessageKind,
    subject: str,
    body: str,
    alarm_id: int | None,
    level: int | None,
    now: datetime,
) -> int:
    return await outbox.put(
        conn,
        channel=CONTACT,
        recipient=contact.user,
        subject=subject,
        body=body,
        alarm_id=alarm_id,
        now=now,
        kind=kind,
        contact_id=contact.contact_id,
        level=level,
    )


async def queue_digests(db: Database, now: datetime) -> int:
    """Put the summaries that are due into the outbox; how many."""
    site = await load_site(db)
    if site is None:
        return 0
    zone, queued = ZoneInfo(site.time_zone), 0
    async with db.transaction() as conn:
        for contact, digested_to in await contacts.lock_digests(conn):
            at = digest_due(contact, digested_to, zone, now)
            if at is None:
                continue
            days = 7 if contact.digest is Digest.WEEKLY else 1
            found = await digest.digest_figures(conn, at - timedelta(days=days), at)
            top = await digest.top_alarms(conn)
            words = await notices.words_of(conn, top)
            subject, body = digest_message(
                found, [words[i] for i in top if i in words], contact.language, zone
            )
            await _put(conn, contact, MessageKind.DIGEST, subject, body, None, None, now)
            await contacts.set_digested(conn, contact.contact_id, at)
            queued += 1
    return queued
