"""Messages to people that still have to go out, or have gone: the log of who was told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from energy_center.store.pool import Connection, Database

_INSERT = """
INSERT INTO notification_outbox (at, channel, recipient, subject, body, alarm_id, next_try_at)
VALUES ($1, $2, $3, $4, $5, $6, $1)"""

_TAKE_DUE = """
SELECT outbox_id, at, channel, recipient, subject, body, alarm_id, sent_at, attempts, last_error
FROM notification_outbox
WHERE sent_at IS NULL AND next_try_at <= $1 AND attempts < $2
ORDER BY next_try_at, outbox_id LIMIT 1 FOR UPDATE SKIP LOCKED"""

_SENT = """
UPDATE notification_outbox SET sent_at = $2, attempts = attempts + 1, last_error = NULL
WHERE outbox_id = $1"""

_FAILED = """
UPDATE notification_outbox SET attempts = attempts + 1, next_try_at = $2, last_error = $3
WHERE outbox_id = $1"""

# $1 one alarm or NULL, $2 rows at most
_TOLD = """
SELECT outbox_id, at, channel, recipient, subject, body, alarm_id, sent_at, attempts, last_error
FROM notification_outbox WHERE ($1::bigint IS NULL OR alarm_id = $1)
ORDER BY outbox_id DESC LIMIT $2"""


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One message to one recipient through one channel; `sent_at` is None while it has not gone out."""

    outbox_id: int
    at: datetime
    channel: str
    recipient: str
    subject: str
    body: str
    alarm_id: int | None
    sent_at: datetime | None
    attempts: int
    last_error: str | None


async def put(
    conn: Connection,
    *,
    channel: str,
    recipient: str,
    subject: str,
    body: str,
    alarm_id: int | None,
    now: datetime,
) -> None:
    """Add a message inside the transaction of what it tells about: both stand or fall together."""
    await conn.execute(_INSERT, now, channel, recipient, subject, body, alarm_id)


async def take_due(conn: Connection, now: datetime, most_attempts: int) -> OutboxRow | None:
    """The next message that is due, locked until the transaction ends; others skip it."""
    row = await conn.fetchrow(_TAKE_DUE, now, most_attempts)
    return OutboxRow(*row.values()) if row else None


async def mark_sent(conn: Connection, outbox_id: int, now: datetime) -> None:
    """It has gone out."""
    await conn.execute(_SENT, outbox_id, now)


async def mark_failed(conn: Connection, outbox_id: int, next_try_at: datetime, error: str) -> None:
    """It did not go out; try again later."""
    await conn.execute(_FAILED, outbox_id, next_try_at, error)


async def told(db: Database, *, alarm_id: int | None = None, limit: int = 200) -> Sequence[OutboxRow]:
    """Who was told what, newest first."""
    async with db.connection() as conn:
        rows = await conn.fetch(_TOLD, alarm_id, limit)
    return [OutboxRow(*row.values()) for row in rows]
