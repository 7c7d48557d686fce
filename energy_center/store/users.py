"""Accounts: who there is, what they may do, and how often their log-in failed."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from energy_center.domain.people import User, UserRole
from energy_center.store.pool import Connection, Record


@dataclass(frozen=True, slots=True)
class Account:
    """A user with what administrators see beside it; never the password hash."""

    user: User
    created_at: datetime
    disabled_at: datetime | None
    locked_until: datetime | None
    failed_logins: int


_COLUMNS = """user_id, name, display_name, role, language, is_demo, created_at, disabled_at, locked_until,
    failed_logins"""


def _user(row: Record) -> User:
    return User(
        user_id=row["user_id"],
        name=row["name"],
        display_name=row["display_name"],
        role=UserRole(row["role"]),
        language=row["language"],
        is_demo=row["is_demo"],
    )


def _account(row: Record) -> Account:
    return Account(
        user=_user(row),
        created_at=row["created_at"],
        disabled_at=row["disabled_at"],
        locked_until=row["locked_until"],
        failed_logins=row["failed_logins"],
    )


async def find_account(connection: Connection, name: str) -> Account | None:
    """The account of this name, locked against change until the transaction ends."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM app_user WHERE name = $1 FOR UPDATE",  # noqa: S608 constant columns
        name,
    )
    return _account(row) if row else None


async def list_accounts(connection: Connection, limit: int) -> list[Account]:
    """Accounts by name."""
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM app_user ORDER BY name LIMIT $1",  # noqa: S608 constant columns
        limit,
    )
    return [_account(row) for row in rows]


async def insert_user(
    connection: Connection,
    name: str,
    display_name: str,
    role: UserRole,
    password_hash: str,
    language: str,
    *,
    is_demo: bool,
    now: datetime,
) -> User | None:
    """Add an account; None when the name is taken."""
    row = await connection.fetchrow(
        """INSERT INTO app_user (name, display_name, role, password_hash, language, is_demo, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (name) DO NOTHING
        RETURNING user_id, name, display_name, role, language, is_demo""",
        name,
        display_name,
        role.value,
        password_hash,
        language,
        is_demo,
        now,
    )
    return _user(row) if row else None


async def set_password_hash(connection: Connection, user_id: int, password_hash: str) -> None:
    """Replace the password and forget failed attempts."""
    await connection.execute(
        "UPDATE app_user SET password_hash = $2, failed_logins = 0, locked_until = NULL WHERE user_id = $1",
        user_id,
        password_hash,
    )


async def replace_hash(connection: Connection, user_id: int, old_hash: str, new_hash: str) -> None:
    """Keep the same password under newer hashing parameters, unless it was changed meanwhile."""
    await connection.execute(
        "UPDATE app_user SET password_hash = $3 WHERE user_id = $1 AND password_hash = $2",
        user_id,
        old_hash,
        new_hash,
    )


async def set_role(connection: Connection, user_id: int, role: UserRole) -> None:
    """Give another role; open sessions have it from their next request on."""
    await connection.execute("UPDATE app_user SET role = $2 WHERE user_id = $1", user_id, role.value)


async def set_disabled(connection: Connection, user_id: int, at: datetime | None) -> None:
    """Disable from an instant on, or enable again with None."""
    await connection.execute("UPDATE app_user SET disabled_at = $2 WHERE user_id = $1", user_id, at)


async def set_language(connection: Connection, user_id: int, language: str) -> None:
    """Choose the language of a person's pages."""
    await connection.execute("UPDATE app_user SET language = $2 WHERE user_id = $1", user_id, language)


async def lock_administrators(connection: Connection) -> list[str]:
    """Names of the enabled administrators, locked so that two changes cannot each remove the other one."""
    rows = await connection.fetch(
        """SELECT name FROM app_user WHERE role = 'admin' AND disabled_at IS NULL
        ORDER BY name LIMIT 1000 FOR UPDATE"""
    )
    return [row["name"] for row in rows]


async def enabled_demo_users(connection: Connection) -> list[str]:
    """Names of enabled demo accounts; a production server refuses to start while there are any."""
    rows = await connection.fetch(
        "SELECT name FROM app_user WHERE is_demo AND disabled_at IS NULL ORDER BY name LIMIT 1000"
    )
    return [row["name"] for row in rows]


@dataclass(frozen=True, slots=True)
class Attempt:
    """A log-in attempt that was counted as failed in advance."""

    user: User
    password_hash: str
    failed_logins: int


async def begin_attempt(connection: Connection, name: str, now: datetime) -> Attempt | None:
    """Count an attempt as failed before the password is looked at: parallel guesses cannot outrun the lock.

    None when there is no such enabled account or it is locked.
    """
    row = await connection.fetchrow(
        """UPDATE app_user SET failed_logins = failed_logins + 1
        WHERE name = $1 AND disabled_at IS NULL AND (locked_until IS NULL OR locked_until <= $2)
        RETURNING user_id, name, display_name, role, language, is_demo, password_hash, failed_logins""",
        name,
        now,
    )
    if row is None:
        return None
    return Attempt(_user(row), row["password_hash"], row["failed_logins"])


async def lock(connection: Connection, user_id: int, now: datetime, wait: timedelta) -> None:
    """Accept no log-in for a while; never shortens a lock."""
    await connection.execute(
        "UPDATE app_user SET locked_until = greatest(locked_until, $2) WHERE user_id = $1",
        user_id,
        now + wait,
    )


async def forget_failures(connection: Connection, user_id: int) -> None:
    """The person proved who they are."""
    await connection.execute(
        "UPDATE app_user SET failed_logins = 0, locked_until = NULL WHERE user_id = $1", user_id
    )
