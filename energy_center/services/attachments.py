"""Files that people add: kinds and sizes that are taken, kept with who added them."""

from datetime import datetime

from energy_center.domain.people import Actor
from energy_center.errors import Invalid, NotFound
from energy_center.store import attachments as store
from energy_center.store import audit
from energy_center.store.attachments import Attachment
from energy_center.store.pool import Database

LARGEST = 10 * 1024 * 1024
# what such a file begins with: a name or a header alone proves nothing
_BEGINNINGS = {
    "application/pdf": (b"%PDF-",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
}
MEDIA_TYPES = tuple(_BEGINNINGS)


async def add_attachment(
    db: Database, name: str, media_type: str, content: bytes, actor: Actor, now: datetime
) -> Attachment:
    """Keep a file. Raises Invalid for another kind of file, an empty one, or one over `LARGEST` bytes."""
    beginnings = _BEGINNINGS.get(media_type)
    if beginnings is None:
        raise Invalid(f"A file is one of {', '.join(MEDIA_TYPES)}, not {media_type or 'unnamed'}.")
    if not content.startswith(beginnings):
        raise Invalid(f"{name} is no {media_type}: it begins otherwise.")
    if len(content) > LARGEST:
        raise Invalid(f"{name} has {len(content):,} bytes; at most {LARGEST:,} are taken.")
    async with db.transaction() as conn:
        added = await store.insert_attachment(conn, name, media_type, content, actor.name, now)
        facts = {"name": name, "media_type": media_type, "size": added.size, "sha256": added.sha256_hex}
        await audit.append(
            conn, actor, "attachment.added", f"attachment/{added.attachment_id}", None, facts, now
        )
    return added


async def get_attachment(db: Database, attachment_id: int) -> tuple[Attachment, bytes]:
    """A file with its bytes. Raises NotFound."""
    async with db.connection() as conn:
        found = await store.read_attachment(conn, attachment_id)
    if found is None:
        raise NotFound("There is no such file.", attachment_id=attachment_id)
    return found
