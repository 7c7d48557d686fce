"""How a person wants to be told: their own contacts, kept and tried out by themselves."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

from pydantic import SecretStr

from energy_center.domain.alarms import Priority
from energy_center.domain.notices import ClosedAs, Contact, Digest, MessageKind
from energy_center.domain.people import Actor, User
from energy_center.errors import Conflict, Invalid, NotFound, TooManyAttempts
from energy_center.i18n.text import text
from energy_center.notify.address import check_address, seal
from energy_center.services.tell_people import CONTACT
from energy_center.settings import Settings
from energy_center.store import audit, outbox
from energy_center.store import contacts as store
from energy_center.store.outbox import OutboxRow
from energy_center.store.pool import Connection, Database

MOST_CONTACTS = 10
BETWEEN_TESTS = timedelta(seconds=10)
TEST_WAIT_S = 5.0
_LOOK_S = 0.25


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person wants to get where, and when not; quiet hours are times of day at the site."""

    label: str
    least_priority: Priority = Priority.LOW
    quiet_from: time | None = None
    quiet_to: time | None = None
    digest: Digest = Digest.NONE
    digest_hour: int = 8


@dataclass(frozen=True, slots=True)
class Tried:
    """How a test message went: `sent_at`, or `problem`, or neither while it waits."""

    at: datetime
    sent_at: datetime | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class ContactRow:
    """A contact as its person sees it; the address is shown as far as it holds no secret."""

    contact: Contact
    tried: Tried | None


async def list_contacts(db: Database, user: User) -> list[ContactRow]:
    """A person's own contacts."""
    async with db.connection() as conn:
        found = await store.list_contacts(conn, user=user.name)
        tests = await outbox.last_tests(conn, [c.contact_id for c in found])
    return [ContactRow(c, _tried(tests, c.contact_id)) for c in found]


async def add_contact(
    db: Database,
    user: User,
    address: SecretStr,
    wishes: Wishes,
    settings: Settings,
    actor: Actor,
    now: datetime,
) -> ContactRow:
    """Keep an address. Raises Invalid for one that nobody can be told by, Conflict past ten of them."""
    shown = await asyncio.to_thread(check_address, address, settings.mail_url)
    made = _contact(0, user, shown, wishes, now)
    async with db.transaction() as conn:
        if len(await store.list_contacts(conn, user=user.name)) >= MOST_CONTACTS:
            raise Conflict(f"A person has at most {MOST_CONTACTS} contacts; remove one first")
        contact_id = await store.insert_contact(conn, made, seal(address, settings.key()))
        made = replace(made, contact_id=contact_id)
        await audit.append(conn, actor, "contact.added", _subject(contact_id), None, _audited(made), now)
    return ContactRow(made, None)


async def change_contact(
    db: Database, user: User, contact_id: int, wishes: Wishes, actor: Actor, now: datetime
) -> ContactRow:
    """Everything but the address. Raises NotFound for what is not one's own."""
    async with db.transaction() as conn:
        before = await _own(conn, user, contact_id)
        after = replace(_contact(contact_id, user, before.shown, wishes, now), created_at=before.created_at)
        await store.change_contact(conn, after)
        tests = await outbox.last_tests(conn, [contact_id])
        subject = _subject(contact_id)
        await audit.append(conn, actor, "contact.changed", subject, _audited(before), _audited(after), now)
    return ContactRow(after, _tried(tests, contact_id))


async def remove_contact(db: Database, user: User, contact_id: int, actor: Actor, now: datetime) -> None:
    """Forget the address. Raises NotFound for what is not one's own."""
    async with db.transaction() as conn:
        before = await _own(conn, user, contact_id)
        await store.remove_contact(conn, contact_id, now)
        subject = _subject(contact_id)
        await audit.append(conn, actor, "contact.removed", subject, _audited(before), None, now)


async def try_contact(db: Database, user: User, contact_id: int, actor: Actor, now: datetime) -> Tried:
    """Send a test message the way alarms go, by the worker, and wait a little for how it went.

    Raises NotFound for what is not one's own, TooManyAttempts within ten seconds of the last test.
    """
    async with db.transaction() as conn:
        contact = await _own(conn, user, contact_id)
        last = (await outbox.last_tests(conn, [contact_id])).get(contact_id)
        if last is not None and now - last.at < BETWEEN_TESTS:
            raise TooManyAttempts((last.at + BETWEEN_TESTS - now).total_seconds())
        await outbox.put(
            conn,
            channel=CONTACT,
            recipient=user.name,
            subject=text("contact.test_subject", user.language),
            body=text("contact.test_body", user.language, label=contact.label),
            alarm_id=None,
            now=now,
            kind=MessageKind.TEST,
            contact_id=contact_id,
        )
        await audit.append(conn, actor, "contact.tested", _subject(contact_id), None, None, now)
    return await _outcome(db, contact_id, now)


async def _outcome(db: Database, contact_id: int, now: datetime) -> Tried:
    loop = asyncio.get_running_loop()
    until = loop.time() + TEST_WAIT_S
    while True:
        async with db.connection() as conn:
            tried = _tried(await outbox.last_tests(conn, [contact_id]), contact_id)
        if tried is not None and (tried.sent_at or tried.problem):
            return tried
        if loop.time() > until:
            return tried or Tried(now, None, None)
        await asyncio.sleep(_LOOK_S)


def _contact(contact_id: int, user: User, shown: str, wishes: Wishes, now: datetime) -> Contact:
    if (wishes.quiet_from is None) != (wishes.quiet_to is None):
        raise Invalid("Quiet hours need both a beginning and an end")
    return Contact(
        contact_id,
        user.name,
        user.language,
        wishes.label.strip() or shown,
        shown,
        wishes.least_priority,
        wishes.quiet_from,
        wishes.quiet_to,
        wishes.digest,
        wishes.digest_hour,
        now,
    )


async def _own(conn: Connection, user: User, contact_id: int) -> Contact:
    found = await store.list_contacts(conn, user=user.name, contact_id=contact_id)
    if not found:
        raise NotFound("You have no such contact", contact_id=contact_id)
    return found[0]


def _tried(tests: Mapping[int, OutboxRow], contact_id: int) -> Tried | None:
    row = tests.get(contact_id)
    if row is None:
        return None
    problem = row.last_error if row.closed_as is ClosedAs.GAVE_UP else None
    return Tried(row.at, row.sent_at, problem)


def _subject(contact_id: int) -> str:
    return f"contact/{contact_id}"


def _audited(contact: Contact) -> dict[str, object]:
    return {
        "user": contact.user,
        "label": contact.label,
        "shown": contact.shown,
        "least_priority": contact.least_priority,
        "quiet": [contact.quiet_from, contact.quiet_to],
        "digest": contact.digest,
    }
