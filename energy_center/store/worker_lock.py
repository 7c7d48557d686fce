"""The lock that lets only one worker work: held by a session of its own, gone with it."""

from contextlib import AbstractAsyncContextManager
from types import TracebackType

from energy_center.store.pool import Connection, connect

_LOCK = 0x0EC_0_0_00B


class WorkerLock:
    """Use with `async with`; leaving it gives the lock back."""

    def __init__(self, dsn: str) -> None:
        """Lock in the database at `dsn`."""
        self._opening: AbstractAsyncContextManager[Connection] = connect(dsn)
        self._connection: Connection | None = None

    async def __aenter__(self) -> "WorkerLock":
        """Connect; raises DatabaseAway."""
        self._connection = await self._opening.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the session, which gives the lock back."""
        self._connection = None
        await self._opening.__aexit__(kind, error, trace)

    async def try_acquire(self) -> bool:
        """Take the lock if nobody has it."""
        if self._connection is None:
            return False
        return bool(await self._connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK))

    async def is_held(self) -> bool:
        """Whether the session that holds the lock still lives."""
        return self._connection is not None and not self._connection.is_closed()
