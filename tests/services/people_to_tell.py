"""A team with a person on call, contacts that real sockets stand behind, and alarms to tell of."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from pydantic import SecretStr

from energy_center.domain.alarms import Priority
from energy_center.domain.notices import Contact, Digest, Step, Target
from energy_center.domain.people import UserRole
from energy_center.domain.roster import Shift
from energy_center.notify.address import seal
from energy_center.store import contacts, users
from energy_center.store.pool import Database
from energy_center.store.site import apply_site
from tests.services.writable_site import site_with_writable_point

KEY = SecretStr("k" * 40)


class Inbox:
    """What an SMTP server was given."""

    def __init__(self) -> None:
        self.mails: list[Envelope] = []

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.mails.append(envelope)
        return "250 taken"


@contextmanager
def smtp_server(port: int = 0) -> Iterator[tuple[Inbox, int]]:
    """A real SMTP server in a thread of its own."""
    inbox = Inbox()
    controller = Controller(inbox, hostname="127.0.0.1", port=port or _free_port())
    controller.start()
    try:
        yield inbox, controller.port
    finally:
        controller.stop()


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def webhook(port: int = 0, *, answers: bool = True) -> AsyncIterator[tuple[list[dict[str, str]], int]]:
    """A real HTTP server; one that does not answer takes the message all the same."""
    taken: list[dict[str, str]] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = [line.lower() for line in head.split(b"\r\n")]
        length = next(int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length"))
        taken.append(json.loads(await reader.readexactly(length)))
        if answers:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
        else:
            await reader.read()  # until the other side goes away
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", port)
    async with server:
        yield taken, server.sockets[0].getsockname()[1]


async def person(
    database: Database, name: str, address: str, now: datetime, role: UserRole = UserRole.OPERATOR
) -> int:
    """An account with one contact; the contact's number."""
    async with database.transaction() as conn:
        await users.insert_user(conn, name, name.title(), role, "x", "en", is_demo=False, now=now)
        made = Contact(0, name, "en", "mine", "…", Priority.LOW, None, None, Digest.NONE, 8, now)
        return await contacts.insert_contact(conn, made, seal(SecretStr(address), KEY))


async def team_on_call(database: Database, name: str, who: str, now: datetime) -> int:
    """A team whose one member is on call around the clock."""
    async with database.transaction() as conn:
        team_id = await contacts.insert_team(conn, name, now)
        assert team_id is not None
        await contacts.set_members(conn, team_id, [who])
        starts = (now - timedelta(days=2)).replace(tzinfo=None)
        shift = Shift(0, team_id, who, starts, starts + timedelta(days=1), "Asia/Taipei", "FREQ=DAILY")
        await contacts.insert_shift(conn, shift)
    return team_id


async def levels(database: Database, *teams: int, after_min: int = 15) -> None:
    """Each team is a level, told one after the other, for every priority."""
    async with database.transaction() as conn:
        for priority in Priority:
            steps = [
                Step(priority, n + 1, timedelta(minutes=after_min * n), Target.ON_CALL, team_id)
                for n, team_id in enumerate(teams)
            ]
            await contacts.set_steps(conn, priority, steps)


async def apply_a_site(database: Database, now: datetime) -> None:
    await apply_site(database, site_with_writable_point(), "text", "test", now)


async def raise_alarm(
    database: Database, now: datetime, equipment: str = "ahu", priority: str = "high"
) -> int:
    """An alarm as a rule raises it."""
    async with database.transaction() as conn:
        made: int = await conn.fetchval(
            """INSERT INTO alarm (rule_id, equipment_id, priority, state, onset_at, raised_at)
            VALUES ('sump-high-pump-off', $1, $2, 'unacknowledged', $3, $3) RETURNING alarm_id""",
            equipment,
            priority,
            now,
        )
        await conn.execute(
            "INSERT INTO alarm_event (alarm_id, at, actor, event) VALUES ($1, $2, 'system:rules', 'raised')",
            made,
            now,
        )
    return made
