"""The database of this installation: the one in DATABASE_URL, else our own server in the state directory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from energy_center.settings import Settings, default_state_dir
from energy_center.store.embedded import EmbeddedPostgres
from energy_center.store.pool import Database


@asynccontextmanager
async def installed_database(
    settings: Settings, *, min_size: int = 1, max_size: int = 4
) -> AsyncIterator[Database]:
    """Open it; without DATABASE_URL attach to the embedded server, or start it for the while.

    Raises:
        DatabaseAway: the server in DATABASE_URL cannot be reached.
        EnvironmentProblem: the embedded server cannot be started.
    """
    if settings.database_url is not None:
        database = await Database.open(
            settings.database_url.get_secret_value(), min_size=min_size, max_size=max_size
        )
        try:
            yield database
        finally:
            await database.close()
        return
    async with EmbeddedPostgres(settings.state_dir or default_state_dir()) as dsn:
        database = await Database.open(dsn, min_size=min_size, max_size=max_size)
        try:
            yield database
        finally:
            await database.close()
