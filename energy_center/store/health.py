"""The cheapest question that proves the database answers."""

from energy_center.store.pool import Connection


async def answers(connection: Connection) -> bool:
    """Whether a query comes back."""
    return bool(await connection.fetchval("SELECT 1") == 1)
