"""Reading the audit log and proving that nobody changed it."""

from energy_center.store import audit
from energy_center.store.audit import AuditEntry, ChainCheck
from energy_center.store.pool import Database

__all__ = ["AuditEntry", "ChainCheck", "check_audit", "read_audit"]


async def read_audit(
    database: Database, *, limit: int = 100, before_id: int | None = None, subject: str | None = None
) -> list[AuditEntry]:
    """Newest entries first; `before_id` continues an earlier page."""
    async with database.connection() as connection:
        return await audit.list_entries(connection, limit, before_id, subject)


async def check_audit(database: Database) -> ChainCheck:
    """Recompute the whole chain."""
    async with database.connection() as connection:
        return await audit.verify_chain(connection)
