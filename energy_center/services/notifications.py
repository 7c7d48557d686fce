"""The log of who was told what, when, by which channel, and how it went."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from energy_center.domain.notices import ClosedAs, MessageKind
from energy_center.store import contacts, outbox
from energy_center.store.outbox import OutboxRow
from energy_center.store.pool import Database


class Delivery(StrEnum):
    """Where a message stands."""

    SENT = "sent"
    WAITING = "waiting"
    RETRYING = "retrying"
    NOT_NEEDED = "not_needed"
    NOBODY = "nobody"
    GAVE_UP = "gave_up"
    CONTACT_REMOVED = "contact_removed"


@dataclass(frozen=True, slots=True)
class Notification:
    """One message: `recipient` is a person, or a place such as `operators`; `by` the channel or contact."""

    number: int
    at: datetime
    kind: MessageKind
    recipient: str
    by: str
    subject: str
    alarm_id: int | None
    level: int | None
    delivery: Delivery
    sent_at: datetime | None
    attempts: int
    problem: str | None


async def list_notifications(
    db: Database, *, alarm_id: int | None = None, before: int | None = None, limit: int = 100
) -> list[Notification]:
    """Newest first, older than the number `before` where given."""
    rows = await outbox.told(db, alarm_id=alarm_id, before_id=before, limit=limit)
    async with db.connection() as conn:
        labels = await contacts.labels(conn, [r.contact_id for r in rows if r.contact_id is not None])
    return [_shown(row, labels.get(row.contact_id or 0, row.channel)) for row in rows]


def _shown(row: OutboxRow, by: str) -> Notification:
    return Notification(
        row.outbox_id,
        row.at,
        row.kind,
        row.recipient,
        by,
        row.subject,
        row.alarm_id,
        row.level,
        _delivery(row),
        row.sent_at,
        row.attempts,
        row.last_error,
    )


def _delivery(row: OutboxRow) -> Delivery:
    if row.sent_at is not None:
        return Delivery.SENT
    match row.closed_as:
        case None:
            return Delivery.RETRYING if row.last_error else Delivery.WAITING
        case ClosedAs.NOT_NEEDED:
            return Delivery.NOT_NEEDED
        case ClosedAs.NOBODY:
            return Delivery.NOBODY
        case ClosedAs.GAVE_UP:
            return Delivery.GAVE_UP
        case ClosedAs.CONTACT_REMOVED:
            return Delivery.CONTACT_REMOVED
