"""Sessions on the server: the browser holds a random token, we hold its SHA-256."""

from dataclasses import dataclass
from datetime import datetime

from energy_center.domain.people import User, UserRole
from energy_center.store.pool import Connection


@dataclass(frozen=True, slots=True)
class SessionRow:
    """An open session and whose it is."""

    user: User
    seen_at: datetime
    expires_at: datetime


async def insert_session(
    connection: Connection,
    token_sha256: bytes,
    user_id: int,
    now: datetime,
    expires_at: datetime,
    address: str,
) -> None:
    """Open a session."""
    await connection.execute(
        """INSERT INTO session (token_sha256, user_id, created_at, seen_at, expires_at, address)
        VALUES ($1, $2, $3, $3, $4, $5)""",
        token_sha256,
        user_id,
        now,
        expires_at,
        address,
    )


async def find_session(
    connection: Connection, token_sha256: bytes, now: datetime, idle_since: datetime
) -> SessionRow | None:
    """The session of this token if it has not ended, was seen after `idle_since`, and its user is enabled."""
    row = await connection.fetchrow(
        """SELECT s.seen_at, s.expires_at, u.user_id, u.name, u.display_name, u.role, u.language, u.is_demo
        FROM session s JOIN app_user u USING (user_id)
        WHERE s.token_sha256 = $1 AND s.expires_at > $2 AND s.seen_at > $3 AND u.disabled_at IS NULL""",
        token_sha256,
        now,
        idle_since,
    )
    if row is None:
        return None
    user = User(
        row["user_id"],
        row["name"],
        row["display_name"],
        UserRole(row["role"]),
        row["language"],
        is_demo=row["is_demo"],
    )
    return SessionRow(user, row["seen_at"], row["expires_at"])


async def touch_session(connection: Connection, token_sha256: bytes, now: datetime) -> None:
    """The session was used."""
    await connection.execute(
        "UPDATE session SET seen_at = $2 WHERE token_sha256 = $1 AND seen_at < $2", token_sha256, now
    )


async def delete_session(connection: Connection, token_sha256: bytes) -> bool:
    """End one session; False when it had ended already."""
    status: str = await connection.execute("DELETE FROM session WHERE token_sha256 = $1", token_sha256)
    return status != "DELETE 0"


async def delete_sessions_of(connection: Connection, user_id: int, *, but: bytes = b"") -> None:
    """End every session of a user, except the one whose hash is `but`."""
    await connection.execute("DELETE FROM session WHERE user_id = $1 AND token_sha256 <> $2", user_id, but)


async def delete_ended_sessions(connection: Connection, now: datetime, idle_since: datetime) -> None:
    """Remove what nobody can use any more; what another log-in removes just now is left to it."""
    await connection.execute(
        """DELETE FROM session WHERE token_sha256 IN (
            SELECT token_sha256 FROM session WHERE expires_at <= $1 OR seen_at <= $2
            LIMIT 10000 FOR UPDATE SKIP LOCKED)""",
        now,
        idle_since,
    )
