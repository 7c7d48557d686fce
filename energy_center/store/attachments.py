"""Files that people add; the bytes stay in the database, so that one backup holds everything."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from energy_center.store.pool import Connection


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file without its bytes; `size` in bytes."""

    attachment_id: int
    name: str
    media_type: str
    size: int
    sha256_hex: str
    added_by: str
    added_at: datetime


async def insert_attachment(
    conn: Connection, name: str, media_type: str, content: bytes, actor: str, now: datetime
) -> Attachment:
    """Keep a file."""
    digest = hashlib.sha256(content)
    attachment_id = await conn.fetchval(
        """INSERT INTO attachment (name, media_type, sha256, content, added_by, added_at)
            VALUES ($1, $2, $3, $4, $5, $6) RETURNING attachment_id""",
        name,
        media_type,
        digest.digest(),
        content,
        actor,
        now,
    )
    return Attachment(attachment_id, name, media_type, len(content), digest.hexdigest(), actor, now)


async def read_attachment(conn: Connection, attachment_id: int) -> tuple[Attachment, bytes] | None:
    """A file with its bytes."""
    row = await conn.fetchrow(
        """SELECT attachment_id, name, media_type, sha256, content, added_by, added_at FROM attachment
            WHERE attachment_id = $1""",
        attachment_id,
    )
    if row is None:
        return None
    found = Attachment(
        row["attachment_id"],
        row["name"],
        row["media_type"],
        len(row["content"]),
        row["sha256"].hex(),
        row["added_by"],
        row["added_at"],
    )
    return found, row["content"]


async def known_attachments(conn: Connection, ids: list[int]) -> set[int]:
    """Which of these exist."""
    rows = await conn.fetch(
        "SELECT attachment_id FROM attachment WHERE attachment_id = ANY($1) LIMIT 1000", ids
    )
    return {row["attachment_id"] for row in rows}
