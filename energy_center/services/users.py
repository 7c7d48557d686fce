"""Accounts: made, changed and disabled by administrators, every change audited."""

import re
from datetime import datetime

from energy_center.domain.people import Actor, User, UserRole
from energy_center.errors import Conflict, Invalid, LogInRefused, NotFound
from energy_center.services import passwords
from energy_center.services.log_in import LANGUAGES, Session
from energy_center.store import audit, sessions, users
from energy_center.store.pool import Connection, Database
from energy_center.store.users import Account

__all__ = [
    "Account",
    "change_own_password",
    "change_user",
    "create_user",
    "enabled_demo_users",
    "list_users",
    "set_password",
]

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_LONGEST_DISPLAY_NAME = 100


async def create_user(
    database: Database,
    name: str,
    display_name: str,
    role: UserRole,
    password: str,
    actor: Actor,
    now: datetime,
    *,
    language: str = "zh-TW",
    is_demo: bool = False,
) -> User:
    """Add an account. Raises Invalid for a bad name or weak password, Conflict when the name is taken.

    A demo account may have a well-known password; no production server starts while one is enabled.
    """
    if not _NAME.fullmatch(name):
        raise Invalid(
            "A user's name has 1 to 64 of a-z, 0-9, dot, dash, underscore; a letter or digit comes first."
        )
    if (
        not display_name.strip()
        or len(display_name) > _LONGEST_DISPLAY_NAME
        or not display_name.isprintable()
    ):
        raise Invalid(f"A display name has 1 to {_LONGEST_DISPLAY_NAME} printable characters.")
    if language not in LANGUAGES:
        raise Invalid(f"A language is one of: {', '.join(LANGUAGES)}.")
    if not is_demo:
        passwords.refuse_weak(password, name)
    password_hash = await passwords.hash_password(password)
    async with database.transaction() as connection:
        user = await users.insert_user(
            connection, name, display_name.strip(), role, password_hash, language, is_demo=is_demo, now=now
        )
        if user is None:
            raise Conflict(f"There is already a user {name}.")
        after = {
            "display_name": user.display_name,
            "role": role.value,
            "language": language,
            "is_demo": is_demo,
        }
        await audit.append(connection, actor, "user.created", f"user/{name}", None, after, now)
    return user


async def list_users(database: Database, limit: int = 1000) -> list[Account]:
    """Accounts by name."""
    async with database.connection() as connection:
        return await users.list_accounts(connection, limit)


async def enabled_demo_users(database: Database) -> list[str]:
    """Names of enabled demo accounts."""
    async with database.connection() as connection:
        return await users.enabled_demo_users(connection)


async def set_password(database: Database, name: str, password: str, actor: Actor, now: datetime) -> None:
    """Give a person a new password; their sessions end."""
    passwords.refuse_weak(password, name)
    password_hash = await passwords.hash_password(password)
    async with database.transaction() as connection:
        account = await _account(connection, name)
        await _store_password(connection, account.user, password_hash, actor, now)


async def change_own_password(
    database: Database, session: Session, old: str, new: str, actor: Actor, now: datetime
) -> None:
    """Change the password of the person who asks; their other sessions end.

    Raises LogInRefused when `old` is wrong. A wrong one counts as a failed log-in, so that an open
    session cannot be used to guess it.
    """
    user = session.user
    passwords.refuse_weak(new, user.name)
    async with database.transaction() as connection:
        attempt = await users.begin_attempt(connection, user.name, now)
    if attempt is None or not await passwords.matches(attempt.password_hash, old):
        raise LogInRefused
    new_hash = await passwords.hash_password(new)
    async with database.transaction() as connection:
        await _store_password(connection, user, new_hash, actor, now, keep=session.token_sha256)


async def _store_password(
    connection: Connection, user: User, password_hash: str, actor: Actor, now: datetime, *, keep: bytes = b""
) -> None:
    await users.set_password_hash(connection, user.user_id, password_hash)
    await sessions.delete_sessions_of(connection, user.user_id, but=keep)
    await audit.append(connection, actor, "user.password", f"user/{user.name}", None, None, now)


async def change_user(
    database: Database,
    name: str,
    actor: Actor,
    now: datetime,
    *,
    role: UserRole | None = None,
    disabled: bool | None = None,
) -> Account:
    """Give another role, disable (which ends the sessions) or enable; None leaves as it is.

    Raises NotFound, and Conflict when nobody would be left to administer.
    """
    async with database.transaction() as connection:
        administrators = await users.lock_administrators(connection)
        account = await _account(connection, name)
        user_id = account.user.user_id
        if disabled or role not in (None, UserRole.ADMIN):
            _keep_an_administrator(administrators, name)
        if role is not None:
            await users.set_role(connection, user_id, role)
        if disabled is not None:
            await users.set_disabled(connection, user_id, (account.disabled_at or now) if disabled else None)
        if disabled:
            await sessions.delete_sessions_of(connection, user_id)
        changed = await _account(connection, name)
        if changed != account:
            before, after = _audited(account), _audited(changed)
            await audit.append(connection, actor, "user.changed", f"user/{name}", before, after, now)
        return changed


def _audited(account: Account) -> dict[str, object]:
    return {"role": account.user.role.value, "disabled": account.disabled_at is not None}


def _keep_an_administrator(administrators: list[str], name: str) -> None:
    if administrators == [name]:
        raise Conflict(f"{name} is the last administrator; make another one first.")


async def _account(connection: Connection, name: str) -> Account:
    account = await users.find_account(connection, name)
    if account is None:
        raise NotFound(f"There is no user {name}.")
    return account
