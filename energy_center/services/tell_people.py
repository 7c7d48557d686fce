"""Tells people of alarms: into the outbox with the change itself, from there out, at least once.

The outbox row is the log of who was told. A channel that fails is tried again after 5 s, then twice as
long each time up to an hour, until the message is a day old in tries. A sender that dies between sending and
noting it leaves the message to the next one when its lease is over: one repeat, with the same number in it.
"""

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from tenacity import RetryCallState, wait_exponential

from energy_center.domain.alarms import Alarm
from energy_center.domain.notices import ClosedAs, MessageKind
from energy_center.domain.site import Text
from energy_center.errors import EnvironmentProblem, NotDelivered
from energy_center.notify.address import full_address, unseal
from energy_center.notify.apprise import AppriseChannel
from energy_center.notify.file import FileChannel
from energy_center.notify.log import LogChannel
from energy_center.notify.message import Channel, Channels, Message
from energy_center.services.acknowledge_link import Links
from energy_center.settings import Settings, default_state_dir
from energy_center.store import contacts, notices, outbox
from energy_center.store.pool import Connection, Database

log = logging.getLogger(__name__)

LONGEST_PAUSE = timedelta(hours=1)
_PAUSE = wait_exponential(multiplier=5, max=LONGEST_PAUSE.total_seconds())
MOST_ATTEMPTS = 33  # ten doublings, then hourly: about a day
# Longer than a pass of the worker's job and one send after it: nobody else takes what is still being sent.
LEASE = timedelta(seconds=90)
AT_ONCE = 4
OPERATORS = "operators"
CONTACT = "contact"
FILE_NAME = "notifications.jsonl"
_PRIORITIES = {"critical": "緊急", "high": "高", "medium": "中", "low": "低"}


@dataclass(frozen=True, slots=True)
class Addresses:
    """How contacts are reached: the key of their addresses, the mail server, links for messages."""

    key: SecretStr
    mail_url: SecretStr | None = None
    links: Links | None = None

    @classmethod
    def of(cls, settings: Settings) -> "Addresses":
        """As the installation sets them."""
        return cls(settings.key(), settings.mail_url, Links.of(settings))


def open_channels(settings: Settings) -> Channels:
    """The channels of this installation: file and log always, Apprise where an address is set."""
    folder: Path = settings.state_dir or default_state_dir()
    channels: Channels = {"file": FileChannel(folder / FILE_NAME), "log": LogChannel()}
    if settings.notify_url is not None:
        channels = {**channels, "apprise": AppriseChannel(settings.notify_url)}
    return channels


def pause_after(attempts: int) -> timedelta:
    """How long to wait after so many failed attempts."""
    nothing: Any = None  # the wait looks at the number of the attempt alone
    state = RetryCallState(nothing, None, (), {})
    state.attempt_number = attempts
    return timedelta(seconds=_PAUSE(state))


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


async def deliver_due(
    db: Database, channels: Channels, now: datetime, addresses: Addresses | None = None, limit: int = 100
) -> int:
    """Send what is due, a few at once so that a slow receiver holds up few others; how many went out."""
    async with asyncio.TaskGroup() as group:
        senders = [
            group.create_task(_send_some(db, channels, now, addresses, limit // AT_ONCE))
            for _ in range(AT_ONCE)
        ]
    return sum(sender.result() for sender in senders)


async def _send_some(
    db: Database, channels: Channels, now: datetime, addresses: Addresses | None, limit: int
) -> int:
    sent = 0
    for _ in range(limit):
        async with db.transaction() as conn:
            row = await outbox.take_due(conn, now, MOST_ATTEMPTS, LEASE)
        if row is None:
            return sent
        sent += await _deliver(db, row, channels, addresses, now)
    return sent


async def _deliver(
    db: Database, row: outbox.OutboxRow, channels: Channels, addresses: Addresses | None, now: datetime
) -> bool:
    channel, message = await _ready(db, row, channels, addresses, now)
    if message is None:
        return False
    problem = await _try(channel, message)
    async with db.transaction() as conn:
        if problem is None:
            await outbox.mark_sent(conn, row.outbox_id, now)
            return True
        if row.attempts >= MOST_ATTEMPTS or row.kind is MessageKind.TEST:
            await outbox.mark_closed(conn, row.outbox_id, now, ClosedAs.GAVE_UP, problem)
        else:
            await outbox.mark_failed(conn, row.outbox_id, now + pause_after(row.attempts), problem)
    log.warning(
        "message not delivered",
        extra={"action": "notify_failed", "channel": row.channel, "outbox_id": row.outbox_id},
    )
    return False


async def _ready(
    db: Database, row: outbox.OutboxRow, channels: Channels, addresses: Addresses | None, now: datetime
) -> tuple[Channel | None, Message | None]:
    """The way to the recipient and what to say; no message when it is not needed any more."""
    message = Message(row.outbox_id, row.at, row.recipient, row.subject, row.body, row.alarm_id)
    if row.contact_id is None or addresses is None:
        return channels.get(row.channel), message
    async with db.transaction() as conn:
        if not await _is_needed(conn, row, now):
            await outbox.mark_closed(conn, row.outbox_id, now, ClosedAs.NOT_NEEDED)
            return None, None
        sealed = await contacts.sealed_address(conn, row.contact_id)
        if sealed is None:
            await outbox.mark_closed(conn, row.outbox_id, now, ClosedAs.CONTACT_REMOVED)
            return None, None
        body = await _with_links(conn, row, addresses.links)
    numbered = Message(row.outbox_id, row.at, row.recipient, row.subject, body, row.alarm_id)
    try:
        address = full_address(unseal(sealed, addresses.key), addresses.mail_url)
    except EnvironmentProblem as problem:
        return _Unreadable(problem.message), numbered
    return AppriseChannel(address), numbered


async def _is_needed(conn: Connection, row: outbox.OutboxRow, now: datetime) -> bool:
    if row.kind not in (MessageKind.ALARM, MessageKind.GROUP):
        return True
    return await notices.is_needed(conn, row.outbox_id, now)


async def _with_links(conn: Connection, row: outbox.OutboxRow, links: Links | None) -> str:
    """The text with its links, which are made now and kept nowhere, and the message's number."""
    lines = [row.body]
    if links is not None and row.kind is MessageKind.ALARM and row.alarm_id is not None:
        told = await notices.told_by(conn, row.outbox_id)
        lines += links.lines(told) if told is not None else []
    return "\n".join([*lines, f"№ {row.outbox_id}"])


class _Unreadable:
    """Stands for a channel whose address cannot be read."""

    def __init__(self, why: str) -> None:
        self._why = why

    async def send(self, message: Message) -> None:
        """Never takes a message."""
        raise NotDelivered(self._why, outbox_id=message.outbox_id)


async def _try(channel: Channel | None, message: Message) -> str | None:
    """Send; what went wrong, or None."""
    if channel is None:
        return "There is no such channel here"
    try:
        await channel.send(message)
    except NotDelivered as problem:
        return problem.message
    return None
