"""How people are reached: contacts with sealed addresses, teams, shifts on call, levels of escalation."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from energy_center.domain.alarms import Priority
from energy_center.domain.notices import Contact, Digest, Step, Target
from energy_center.domain.roster import Cover, Shift
from energy_center.store.pool import Connection, Record

_CONTACT = """c.contact_id, u.name, u.language, c.label, c.shown, c.least_priority, c.quiet_from, c.quiet_to,
    c.digest, c.digest_hour, c.created_at"""

# $1 one person or NULL, $2 one contact or NULL
_CONTACTS = f"""
SELECT {_CONTACT} FROM contact c JOIN app_user u USING (user_id)
WHERE c.removed_at IS NULL AND u.disabled_at IS NULL
    AND ($1::text IS NULL OR u.name = $1) AND ($2::int IS NULL OR c.contact_id = $2)
ORDER BY u.name, c.contact_id LIMIT 5000"""  # noqa: S608 constant text

_INSERT = """
INSERT INTO contact (user_id, label, sealed, shown, least_priority, quiet_from, quiet_to, digest, digest_hour,
    created_at)
SELECT user_id, $2, $3, $4, $5, $6, $7, $8, $9, $10 FROM app_user WHERE name = $1
RETURNING contact_id"""

_CHANGE = """
UPDATE contact SET label = $2, least_priority = $3, quiet_from = $4, quiet_to = $5, digest = $6,
    digest_hour = $7
WHERE contact_id = $1"""


@dataclass(frozen=True, slots=True)
class Team:
    """People who are told together, or take turns on call."""

    team_id: int
    name: str
    members: tuple[str, ...]


def _contact(row: Record) -> Contact:
    return Contact(
        contact_id=row["contact_id"],
        user=row["name"],
        language=row["language"],
        label=row["label"],
        shown=row["shown"],
        least_priority=Priority(row["least_priority"]),
        quiet_from=row["quiet_from"],
        quiet_to=row["quiet_to"],
        digest=Digest(row["digest"]),
        digest_hour=row["digest_hour"],
        created_at=row["created_at"],
    )


async def list_contacts(
    conn: Connection, *, user: str | None = None, contact_id: int | None = None
) -> list[Contact]:
    """Contacts of people whose account is enabled."""
    return [_contact(row) for row in await conn.fetch(_CONTACTS, user, contact_id)]


async def insert_contact(conn: Connection, contact: Contact, sealed: bytes) -> int:
    """Add a contact; its number comes from the database."""
    made: int = await conn.fetchval(
        _INSERT,
        contact.user,
        contact.label,
        sealed,
        contact.shown,
        contact.least_priority.value,
        contact.quiet_from,
        contact.quiet_to,
        contact.digest.value,
        contact.digest_hour,
        contact.created_at,
    )
    return made


async def change_contact(conn: Connection, contact: Contact) -> None:
    """Everything but the address."""
    await conn.execute(
        _CHANGE,
        contact.contact_id,
        contact.label,
        contact.least_priority.value,
        contact.quiet_from,
        contact.quiet_to,
        contact.digest.value,
        contact.digest_hour,
    )


async def remove_contact(conn: Connection, contact_id: int, now: datetime) -> None:
    """Forget the address; the row stays for the log of who was told."""
    await conn.execute(
        "UPDATE contact SET removed_at = $2, sealed = '' WHERE contact_id = $1", contact_id, now
    )


async def sealed_address(conn: Connection, contact_id: int) -> bytes | None:
    """The encrypted address, None when the contact was removed or its person's account disabled."""
    sealed: bytes | None = await conn.fetchval(
        """SELECT c.sealed FROM contact c JOIN app_user u USING (user_id)
        WHERE c.contact_id = $1 AND c.removed_at IS NULL AND u.disabled_at IS NULL""",
        contact_id,
    )
    return sealed


async def labels(conn: Connection, contact_ids: Sequence[int]) -> dict[int, str]:
    """What contacts are called, removed ones too."""
    rows = await conn.fetch(
        "SELECT contact_id, label FROM contact WHERE contact_id = ANY ($1::int[]) LIMIT 5000",
        list(contact_ids),
    )
    return {row["contact_id"]: row["label"] for row in rows}


async def lock_digests(conn: Connection) -> list[tuple[Contact, datetime | None]]:
    """Contacts that get summaries, and up to when they had one; locked until the transaction ends."""
    rows = await conn.fetch(
        f"""SELECT {_CONTACT}, c.digested_to FROM contact c JOIN app_user u USING (user_id)
        WHERE c.digest <> 'none' AND c.removed_at IS NULL AND u.disabled_at IS NULL
        ORDER BY c.contact_id LIMIT 1000 FOR UPDATE OF c"""  # noqa: S608 constant text
    )
    return [(_contact(row), row["digested_to"]) for row in rows]


async def set_digested(conn: Connection, contact_id: int, to: datetime) -> None:
    """The summary for this instant is on its way."""
    await conn.execute("UPDATE contact SET digested_to = $2 WHERE contact_id = $1", contact_id, to)


async def list_teams(conn: Connection) -> list[Team]:
    """Teams by name, with their members whose account is enabled."""
    rows = await conn.fetch(
        """SELECT t.team_id, t.name, u.name AS member FROM team t
        LEFT JOIN team_member m USING (team_id)
        LEFT JOIN app_user u ON u.user_id = m.user_id AND u.disabled_at IS NULL
        ORDER BY t.name, u.name LIMIT 10000"""
    )
    members: dict[tuple[int, str], list[str]] = defaultdict(list)
    for row in rows:
        held = members[row["team_id"], row["name"]]
        if row["member"] is not None:
            held.append(row["member"])
    return [Team(team_id, name, tuple(found)) for (team_id, name), found in members.items()]


async def insert_team(conn: Connection, name: str, now: datetime) -> int | None:
    """Add a team; None when the name is taken."""
    made: int | None = await conn.fetchval(
        "INSERT INTO team (name, created_at) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING RETURNING team_id",
        name,
        now,
    )
    return made


async def delete_team(conn: Connection, team_id: int) -> None:
    """Remove a team with its members, shifts and levels."""
    await conn.execute("DELETE FROM team WHERE team_id = $1", team_id)


async def set_members(conn: Connection, team_id: int, members: Sequence[str]) -> None:
    """Make these people the team."""
    await conn.execute("DELETE FROM team_member WHERE team_id = $1", team_id)
    await conn.execute(
        """INSERT INTO team_member (team_id, user_id)
        SELECT $1, user_id FROM app_user WHERE name = ANY ($2::text[])""",
        team_id,
        list(members),
    )


async def known_users(conn: Connection, names: Sequence[str]) -> set[str]:
    """Those of the names that are enabled accounts."""
    rows = await conn.fetch(
        "SELECT name FROM app_user WHERE name = ANY ($1::text[]) AND disabled_at IS NULL LIMIT 10000",
        list(names),
    )
    return {row["name"] for row in rows}


async def list_shifts(conn: Connection) -> list[Shift]:
    """Every shift of people whose account is enabled."""
    rows = await conn.fetch(
        """SELECT s.shift_id, s.team_id, u.name, s.starts, s.ends, s.zone, s.repeats
        FROM on_call_shift s JOIN app_user u USING (user_id)
        WHERE u.disabled_at IS NULL ORDER BY s.shift_id LIMIT 5000"""
    )
    return [Shift(*row.values()) for row in rows]


async def insert_shift(conn: Connection, shift: Shift) -> int:
    """Add a shift."""
    made: int = await conn.fetchval(
        """INSERT INTO on_call_shift (team_id, user_id, starts, ends, zone, repeats)
        SELECT $1, user_id, $3, $4, $5, $6 FROM app_user WHERE name = $2 RETURNING shift_id""",
        shift.team_id,
        shift.user,
        shift.starts,
        shift.ends,
        shift.zone,
        shift.repeats,
    )
    return made


async def delete_shift(conn: Connection, shift_id: int) -> None:
    """Remove a shift with all its turns."""
    await conn.execute("DELETE FROM on_call_shift WHERE shift_id = $1", shift_id)


async def list_covers(conn: Connection, since: datetime) -> list[Cover]:
    """Who stands in for whom, as far as it ends after `since`."""
    rows = await conn.fetch(
        """SELECT v.cover_id, v.team_id, u.name, i.name AS instead_of, v.start_at, v.end_at
        FROM on_call_cover v JOIN app_user u USING (user_id) LEFT JOIN app_user i ON i.user_id = v.instead_of
        WHERE v.end_at > $1 AND u.disabled_at IS NULL ORDER BY v.cover_id LIMIT 5000""",
        since,
    )
    return [Cover(*row.values()) for row in rows]


async def insert_cover(conn: Connection, cover: Cover) -> int:
    """Add a stand-in."""
    made: int = await conn.fetchval(
        """INSERT INTO on_call_cover (team_id, user_id, instead_of, start_at, end_at)
        SELECT $1, u.user_id, i.user_id, $4, $5
        FROM app_user u LEFT JOIN app_user i ON i.name = $3 WHERE u.name = $2 RETURNING cover_id""",
        cover.team_id,
        cover.user,
        cover.instead_of,
        cover.start_at,
        cover.end_at,
    )
    return made


async def delete_cover(conn: Connection, cover_id: int) -> None:
    """The roster holds again as planned."""
    await conn.execute("DELETE FROM on_call_cover WHERE cover_id = $1", cover_id)


async def list_steps(conn: Connection) -> list[Step]:
    """Levels of escalation, most urgent priority first."""
    rows = await conn.fetch(
        """SELECT priority, level, after_min, target, team_id FROM escalation_step
        ORDER BY array_position(ARRAY['critical', 'high', 'medium', 'low'], priority), level LIMIT 100"""
    )
    return [
        Step(
            Priority(r["priority"]),
            r["level"],
            timedelta(minutes=r["after_min"]),
            Target(r["target"]),
            r["team_id"],
        )
        for r in rows
    ]


async def set_steps(conn: Connection, priority: Priority, steps: Sequence[Step]) -> None:
    """Replace the levels of one priority."""
    await conn.execute("DELETE FROM escalation_step WHERE priority = $1", priority.value)
    await conn.executemany(
        """INSERT INTO escalation_step (priority, level, after_min, target, team_id)
        VALUES ($1, $2, $3, $4, $5)""",
        [
            (s.priority.value, s.level, round(s.after / timedelta(minutes=1)), s.target.value, s.team_id)
            for s in steps
        ],
    )
