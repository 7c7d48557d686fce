"""Messages to people that still have to go out, or have gone: the log of who was told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from energy_center.domain.notices import ClosedAs, MessageKind
from energy_center.store.pool import Connection, Database, Record

_INSERT = """
INSERT INTO notification_outbox (at, channel, recipient, subject, body, alarm_id, next_try_at, kind,
    contact_id, level, closed_at, closed_as)
VALUES ($1::timestamptz, $2, $3, $4, $5, $6, $1::timestamptz, $7, $8, $9,
    CASE WHEN $10::text IS NULL THEN NULL ELSE $1::timestamptz END, $10)
RETURNING outbox_id"""

_COLUMNS = """outbox_id, at, channel, recipient, subject, body, alarm_id, sent_at, attempts, last_error, kind,
    contact_id, level, closed_at, closed_as, next_try_at"""

# The lease keeps others away while it is being sent; a sender that dies leaves it to the next one.
_TAKE_DUE = f"""
UPDATE notification_outbox SET next_try_at = $1 + $3::interval, attempts = attempts + 1
WHERE outbox_id = (
    SELECT outbox_id FROM notification_outbox
    WHERE sent_at IS NULL AND closed_at IS NULL AND next_try_at <= $1 AND attempts < $2
    ORDER BY next_try_at, outbox_id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING {_COLUMNS}"""  # noqa: S608 constant text

_SENT = (
    "UPDATE notification_outbox SET sent_at = $2, last_error = NULL WHERE outbox_id = $1 AND sent_at IS NULL"
)

_FAILED = "UPDATE notification_outbox SET next_try_at = $2, last_error = $3 WHERE outbox_id = $1"

_CLOSED = """
UPDATE notification_outbox SET closed_at = $2, closed_as = $3, last_error = coalesce($4, last_error)
WHERE outbox_id = $1 AND sent_at IS NULL"""

# $1 one alarm or NULL, $2 rows at most, $3 older than this number or NULL, $4 one contact or NULL
_TOLD = f"""
SELECT {_COLUMNS} FROM notification_outbox o
WHERE ($1::bigint IS NULL OR alarm_id = $1
        OR EXISTS (SELECT FROM alarm_told t WHERE t.outbox_id = o.outbox_id AND t.alarm_id = $1))
    AND ($3::bigint IS NULL OR outbox_id < $3) AND ($4::int IS NULL OR contact_id = $4)
ORDER BY outbox_id DESC LIMIT $2"""  # noqa: S608 constant text

_LAST_TESTS = f"""
SELECT DISTINCT ON (contact_id) {_COLUMNS} FROM notification_outbox
WHERE kind = 'test' AND contact_id = ANY ($1::int[])
ORDER BY contact_id, at DESC, outbox_id DESC LIMIT 5000"""  # noqa: S608 constant text


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One message to one recipient through one channel; `sent_at` is None while it has not gone out.

    `attempts` counts every try that was begun. One that was `closed_at` will not go out.
    """

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
    kind: MessageKind
    contact_id: int | None
    level: int | None
    closed_at: datetime | None
    closed_as: ClosedAs | None
    next_try_at: datetime


def _row(row: Record) -> OutboxRow:
    given = dict(row)
    closed_as = given.pop("closed_as")
    return OutboxRow(
        **{
            **given,
            "kind": MessageKind(given["kind"]),
            "closed_as": ClosedAs(closed_as) if closed_as else None,
        }
    )


async def put(
    conn: Connection,
    *,
    channel: str,
    recipient: str,
    subject: str,
    body: str,
    alarm_id: int | None,
    now: datetime,
    kind: MessageKind = MessageKind.ALARM,
    contact_id: int | None = None,
    level: int | None = None,
    closed_as: ClosedAs | None = None,
) -> int:
    """Add a message inside the transaction of what it tells about: both stand or fall together."""
    made: int = await conn.fetchval(
        _INSERT, now, channel, recipient, subject, body, alarm_id, kind.value, contact_id, level, closed_as
    )
    return made


async def take_due(conn: Connection, now: datetime, most_attempts: int, lease: timedelta) -> OutboxRow | None:
    """The next message that is due, counted as tried and kept from others until the lease is over."""
    row = await conn.fetchrow(_TAKE_DUE, now, most_attempts, lease)
    return _row(row) if row else None


async def mark_sent(conn: Connection, outbox_id: int, now: datetime) -> None:
    """It has gone out; a second time changes nothing."""
    await conn.execute(_SENT, outbox_id, now)


async def mark_failed(conn: Connection, outbox_id: int, next_try_at: datetime, error: str) -> None:
    """It did not go out; try again later."""
    await conn.execute(_FAILED, outbox_id, next_try_at, error)


async def mark_closed(
    conn: Connection, outbox_id: int, now: datetime, why: ClosedAs, error: str | None = None
) -> None:
    """It will not go out any more."""
    await conn.execute(_CLOSED, outbox_id, now, why.value, error)


async def told(
    db: Database,
    *,
    alarm_id: int | None = None,
    contact_id: int | None = None,
    before_id: int | None = None,
    limit: int = 200,
) -> Sequence[OutboxRow]:
    """Who was told what, newest first."""
    async with db.connection() as conn:
        rows = await conn.fetch(_TOLD, alarm_id, limit, before_id, contact_id)
    return [_row(row) for row in rows]


async def last_tests(conn: Connection, contact_ids: Sequence[int]) -> dict[int, OutboxRow]:
    """The newest test message of each contact that had one."""
    rows = await conn.fetch(_LAST_TESTS, list(contact_ids))
    return {row["contact_id"]: _row(row) for row in rows}
