"""Logging in and out, and finding whose request it is.

Sessions live on the server, so that ending one works at once. The browser holds 32 random bytes; the
database holds their SHA-256.
One neutral error and the same work answer wrong names, wrong passwords and locked accounts.
"""

import hashlib
import logging
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from energy_center.domain.people import Actor, User
from energy_center.errors import Invalid, LogInRefused
from energy_center.services import passwords
from energy_center.store import audit, sessions, users
from energy_center.store.pool import Database

log = logging.getLogger(__name__)

IDLE_LIMIT = timedelta(hours=2)  # a page that is open and connected counts as use
ABSOLUTE_LIMIT = timedelta(hours=12)  # one shift and a bit
_TOUCH_EVERY = timedelta(minutes=1)
_FREE_ATTEMPTS = 5
_FIRST_LOCK = timedelta(seconds=30)
_LONGEST_LOCK = timedelta(minutes=15)
LANGUAGES = ("zh-TW", "en")


@dataclass(frozen=True, slots=True)
class Session:
    """A session that is open now; `token_sha256` names it, the token itself is only the browser's."""

    user: User
    token_sha256: bytes
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """What a successful log-in gives: the token for the browser, once."""

    token: str
    user: User
    expires_at: datetime


def token_hash(token: str) -> bytes:
    """What the database keeps of a token."""
    return hashlib.sha256(token.encode()).digest()


def lock_after(failed_logins: int) -> timedelta:
    """How long an account rests after so many failures in a row: 0 for the first few, then doubling."""
    if failed_logins < _FREE_ATTEMPTS:
        return timedelta()
    doublings = min(failed_logins - _FREE_ATTEMPTS, 10)
    return min(_FIRST_LOCK * (1 << doublings), _LONGEST_LOCK)


async def log_in(
    database: Database,
    name: str,
    password: str,
    address: str,
    now: datetime,
    *,
    previous_token: str | None = None,
) -> OpenedSession:
    """Open a session under a new token and end the one this browser had before; raises LogInRefused."""
    async with database.transaction() as connection:
        attempt = await users.begin_attempt(connection, name, now)
        wait = lock_after(attempt.failed_logins) if attempt else timedelta()
        if attempt and wait:
            await users.lock(connection, attempt.user.user_id, now, wait)
    right = await passwords.matches(attempt.password_hash if attempt else None, password)
    if attempt is None or not right:
        await _note_refusal(database, attempt, address, wait, now)
        raise LogInRefused
    if passwords.is_outdated(attempt.password_hash):
        new_hash = await passwords.hash_password(password)
        async with database.connection() as connection:
            await users.replace_hash(connection, attempt.user.user_id, attempt.password_hash, new_hash)
    return await _open(database, attempt.user, address, now, previous_token)


async def _note_refusal(
    database: Database, attempt: users.Attempt | None, address: str, wait: timedelta, now: datetime
) -> None:
    log.warning("log-in refused", extra={"action": "log_in_refused", "address": address})
    if attempt is None or not wait:
        return
    actor = Actor("system:log-in", address)
    lock = {"failed_logins": attempt.failed_logins, "wait_s": wait.total_seconds()}
    async with database.transaction() as connection:
        await audit.append(connection, actor, "account.locked", f"user/{attempt.user.name}", None, lock, now)


async def _open(
    database: Database, user: User, address: str, now: datetime, previous_token: str | None
) -> OpenedSession:
    token = secrets.token_urlsafe(32)
    expires_at = now + ABSOLUTE_LIMIT
    async with database.transaction() as connection:
        await users.forget_failures(connection, user.user_id)
        await sessions.delete_ended_sessions(connection, now, now - IDLE_LIMIT)
        if previous_token:
            await sessions.delete_session(connection, token_hash(previous_token))
        await sessions.insert_session(connection, token_hash(token), user.user_id, now, expires_at, address)
        actor = Actor(user.name, address)
        await audit.append(connection, actor, "session.opened", f"user/{user.name}", None, None, now)
    return OpenedSession(token, user, expires_at)


async def find_session(database: Database, token_sha256: bytes, now: datetime) -> Session | None:
    """The open session of this token, or None when it ended, was idle too long or its user was disabled."""
    async with database.connection() as connection:
        row = await sessions.find_session(connection, token_sha256, now, now - IDLE_LIMIT)
        if row is None:
            return None
        if now - row.seen_at >= _TOUCH_EVERY:
            await sessions.touch_session(connection, token_sha256, now)
    return Session(row.user, token_sha256, row.expires_at)


async def log_out(database: Database, session: Session, address: str, now: datetime) -> None:
    """End this session at once; its open sockets close at their next heartbeat."""
    async with database.transaction() as connection:
        if await sessions.delete_session(connection, session.token_sha256):
            actor = Actor(session.user.name, address)
            subject = f"user/{session.user.name}"
            await audit.append(connection, actor, "session.closed", subject, None, None, now)


async def choose_language(database: Database, user: User, language: str, actor: Actor, now: datetime) -> None:
    """Show this person's pages in another language from the next request on."""
    if language not in LANGUAGES:
        raise Invalid(f"A language is one of: {', '.join(LANGUAGES)}.")
    async with database.transaction() as connection:
        await users.set_language(connection, user.user_id, language)
        before, after = {"language": user.language}, {"language": language}
        await audit.append(connection, actor, "user.language", f"user/{user.name}", before, after, now)
