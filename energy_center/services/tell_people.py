"""Tells people of alarms: into the outbox with the change itself, from there out, at least once.

The outbox row is the log of who was told. A channel that fails is tried again after 5 s, then twice as
long each time up to an hour, until the message is a day old in tries.
"""

import logging
from datetime import datetime, timedelta
from pathlib import Path

from energy_center.domain.alarms import Alarm
from energy_center.domain.site import Text
from energy_center.errors import NotDelivered
from energy_center.notify.apprise import AppriseChannel
from energy_center.notify.file import FileChannel
from energy_center.notify.log import LogChannel
from energy_center.notify.message import Channel, Channels, Message
from energy_center.settings import Settings, default_state_dir
from energy_center.store import outbox
from energy_center.store.pool import Connection, Database

log = logging.getLogger(__name__)

FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(hours=1)
MOST_ATTEMPTS = 33  # ten doublings, then hourly: about a day
OPERATORS = "operators"
FILE_NAME = "notifications.jsonl"
_PRIORITIES = {"critical": "緊急", "high": "高", "medium": "中", "low": "低"}


def open_channels(settings: Settings) -> Channels:
    """The channels of this installation: file and log always, Apprise where an address is set."""
    folder: Path = settings.state_dir or default_state_dir()
    channels: Channels = {"file": FileChannel(folder / FILE_NAME), "log": LogChannel()}
    if settings.notify_url is not None:
        channels = {**channels, "apprise": AppriseChannel(settings.notify_url)}
    return channels


def pause_after(attempts: int) -> timedelta:
    """How long to wait after so many failed attempts."""
    doubled: timedelta = FIRST_PAUSE * 2.0 ** min(attempts - 1, 20)
    return min(doubled, LONGEST_PAUSE)


async def queue_alarm(
    conn: Connection, alarm: Alarm, title: Text, channels: tuple[str, ...], place: str, now: datetime
) -> None:
    """Put one message a channel into the outbox, in the transaction that raises the alarm."""
    subject = f"[{_PRIORITIES[alarm.priority]}] {title.zh_tw} · {place}"
    body = (
        f"{title.zh_tw}\n{title.en}\n"
        f"設備 Equipment: {place} ({alarm.equipment_id})\n"
        f"優先 Priority: {alarm.priority}\n"
        f"開始 Since: {alarm.onset_at.isoformat(timespec='seconds')}\n"
        f"警報 Alarm: #{alarm.alarm_id}"
    )
    for channel in channels:
        await outbox.put(
            conn,
            channel=channel,
            recipient=OPERATORS,
            subject=subject,
            body=body,
            alarm_id=alarm.alarm_id,
            now=now,
        )


async def deliver_due(db: Database, channels: Channels, now: datetime, limit: int = 100) -> int:
    """Send what is due, one transaction a message; how many went out.

    A crash between sending and noting it sends the message again: at least once, never not at all.
    """
    sent = 0
    for _ in range(limit):
        async with db.transaction() as conn:
            row = await outbox.take_due(conn, now, MOST_ATTEMPTS)
            if row is None:
                return sent
            sent += await _deliver(conn, row, channels, now)
    return sent


async def _deliver(conn: Connection, row: outbox.OutboxRow, channels: Channels, now: datetime) -> bool:
    message = Message(row.outbox_id, row.at, row.recipient, row.subject, row.body, row.alarm_id)
    problem = await _try(channels.get(row.channel), message)
    if problem is not None:
        next_try_at = now + pause_after(row.attempts + 1)
        await outbox.mark_failed(conn, row.outbox_id, next_try_at, problem)
        log.warning(
            "message not delivered",
            extra={"action": "notify_failed", "channel": row.channel, "outbox_id": row.outbox_id},
        )
        return False
    await outbox.mark_sent(conn, row.outbox_id, now)
    return True


async def _try(channel: Channel | None, message: Message) -> str | None:
    """Send; what went wrong, or None."""
    if channel is None:
        return "There is no such channel here"
    try:
        await channel.send(message)
    except NotDelivered as problem:
        return problem.message
    return None
