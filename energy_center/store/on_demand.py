"""A database that is opened when it is first needed, by processes that also run while it is away."""

from energy_center.errors import DatabaseAway
from energy_center.store.pool import Database

_ACQUIRE_S = 5.0


class OnDemand:
    """The pool behind a DSN. Without a DSN the database stays away."""

    def __init__(self, dsn: str | None, max_size: int, command_s: float) -> None:
        """Nothing is opened yet."""
        self.dsn = dsn
        self._max_size, self._command_s = max_size, command_s
        self._db: Database | None = None

    async def database(self) -> Database:
        """The pool; raises DatabaseAway while it cannot be reached."""
        if self.dsn is None:
            raise DatabaseAway("No database is configured; set DATABASE_URL")
        if self._db is None:
            self._db = await Database.open(
                self.dsn,
                min_size=0,
                max_size=self._max_size,
                command_s=self._command_s,
                acquire_s=_ACQUIRE_S,
            )
        return self._db

    async def close(self) -> None:
        """Let go of all connections."""
        if self._db is not None:
            await self._db.close()
            self._db = None
