"""Whether what the web process leans on answers."""

import asyncio

from energy_center.errors import DatabaseAway
from energy_center.store.health import answers
from energy_center.store.pool import Database

_LIMIT_S = 2.0


async def database_answers(database: Database) -> bool:
    """Whether the database answers within two seconds."""
    try:
        async with asyncio.timeout(_LIMIT_S), database.connection() as connection:
            return await answers(connection)
    except (DatabaseAway, TimeoutError):
        return False
