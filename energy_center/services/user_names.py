"""The names of people who may be put into teams; nothing else of their accounts."""

from energy_center.domain.people import Permission
from energy_center.store import users
from energy_center.store.pool import Database


async def list_names(db: Database) -> list[str]:
    """Enabled accounts that may acknowledge alarms, by name."""
    async with db.connection() as conn:
        accounts = await users.list_accounts(conn, 1000)
    return [
        a.user.name for a in accounts if a.disabled_at is None and a.user.may(Permission.ACKNOWLEDGE_ALARM)
    ]
