"""The audit log: append-only, each row's hash covers the row and the hash before it.

Whoever changes, removes or slips in a row breaks the chain from there on. Cutting off the newest rows shows
only against a head hash noted elsewhere, which `verify_chain` returns for that purpose.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from energy_center.domain.people import Actor
from energy_center.store.pool import Connection

_LOCK = 0x65635F6175646974  # "ec_audit": one writer at a time, so that the chain has no forks

# The hashed text is made by the database from its own columns, once when written and once when verified,
# so that no client's way of writing numbers or times can matter.
_HASHED = """jsonb_build_array(
    to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    actor, address, action, subject, before, after
)::text"""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change: who, from where, what was done to what, and the state on both sides of it."""

    audit_id: int
    at: datetime
    actor: str
    address: str
    action: str
    subject: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    hash_hex: str


@dataclass(frozen=True, slots=True)
class ChainCheck:
    """What verifying found: `broken_at` is the first row whose hash does not fit, None when all do."""

    entries: int
    broken_at: int | None
    head_hex: str


def _text(state: Mapping[str, Any] | None) -> str | None:
    return None if state is None else json.dumps(state, ensure_ascii=False, default=str)


async def append(
    connection: Connection,
    actor: Actor,
    action: str,
    subject: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    now: datetime,
) -> None:
    """Add one row inside the caller's transaction, so that a change and its record stand or fall together.

    Call it last in the transaction: its lock is held until the commit. Values that JSON lacks become text.
    """
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
    await connection.execute(
        f"""INSERT INTO audit_log (at, actor, address, action, subject, before, after, hash)
        SELECT at, actor, address, action, subject, before, after,
               sha256(coalesce((SELECT hash FROM audit_log ORDER BY audit_id DESC LIMIT 1), '')
                      || convert_to({_HASHED}, 'UTF8'))
        FROM (VALUES ($1::timestamptz, $2::text, $3::text, $4::text, $5::text,
                      $6::text::jsonb, $7::text::jsonb))
             AS new (at, actor, address, action, subject, before, after)""",  # noqa: S608 constant text
        now,
        actor.name,
        actor.address,
        action,
        subject,
        _text(before),
        _text(after),
    )


async def list_entries(
    connection: Connection, limit: int, before_id: int | None = None, subject: str | None = None
) -> list[AuditEntry]:
    """Newest first, older than `before_id`, about `subject` where given."""
    rows = await connection.fetch(
        """SELECT audit_id, at, actor, address, action, subject, before::text AS before, after::text AS after,
                  encode(hash, 'hex') AS hash_hex
        FROM audit_log
        WHERE ($2::bigint IS NULL OR audit_id < $2) AND ($3::text IS NULL OR subject = $3)
        ORDER BY audit_id DESC LIMIT $1""",
        limit,
        before_id,
        subject,
    )
    return [
        AuditEntry(
            audit_id=row["audit_id"],
            at=row["at"],
            actor=row["actor"],
            address=row["address"],
            action=row["action"],
            subject=row["subject"],
            before=json.loads(row["before"]) if row["before"] else None,
            after=json.loads(row["after"]) if row["after"] else None,
            hash_hex=row["hash_hex"],
        )
        for row in rows
    ]


async def verify_chain(connection: Connection) -> ChainCheck:
    """Recompute every hash."""
    row = await connection.fetchrow(
        f"""WITH chained AS (
            SELECT audit_id, hash,
                   sha256(coalesce(lag(hash) OVER (ORDER BY audit_id), '') || convert_to({_HASHED}, 'UTF8'))
                       AS expected
            FROM audit_log)
        SELECT count(*) AS entries, min(audit_id) FILTER (WHERE hash <> expected) AS broken_at,
               coalesce(
                   (SELECT encode(hash, 'hex') FROM audit_log ORDER BY audit_id DESC LIMIT 1), '') AS head
        FROM chained"""  # noqa: S608 constant text
    )
    assert row is not None  # noqa: S101 an aggregate without groups always gives one row
    return ChainCheck(row["entries"], row["broken_at"], row["head"])
