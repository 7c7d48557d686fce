"""Connections to the database: one pool a process. Only the store knows the driver."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from energy_center.errors import DatabaseAway, EnergyCenterError, EnvironmentProblem, MigrationError

log = logging.getLogger(__name__)

# asyncpg's records index like tuples and like mappings; only the store sees them
Record: TypeAlias = asyncpg.Record
Connection: TypeAlias = "asyncpg.Connection[Record] | PoolConnectionProxy[Record]"

# jit costs 100 ms and more per plan and gains nothing on our short queries
SESSION_SETTINGS = {"application_name": "energy-center", "timezone": "UTC", "jit": "off"}

_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InsufficientResourcesError,  # a full disk, no memory, too many connections
    asyncpg.PostgresIOError,
    asyncpg.ReadOnlySQLTransactionError,  # a standby, or a server that its operator has made read-only
    ConnectionError,
)
_NOT_OPENED = (asyncpg.PostgresError, OSError, TimeoutError, ValueError)


def _not_opened(cause: Exception) -> EnergyCenterError:
    """Why there is no connection; the driver's words about a wrong address may quote its password."""
    if isinstance(cause, ValueError):
        return EnvironmentProblem("DATABASE_URL is not an address that PostgreSQL's driver understands")
    return DatabaseAway(f"The database cannot be reached: {cause or type(cause).__name__}")


def _as_json(document: object) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


async def _prepare(connection: "asyncpg.Connection[Record]") -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(name, encoder=_as_json, decoder=json.loads, schema="pg_catalog")


@contextmanager
def _told_as_away(held: Connection) -> Iterator[None]:
    """Whatever the driver calls the loss of a connection, it is DatabaseAway."""
    try:
        yield
    except TimeoutError as cause:
        raise DatabaseAway("The database did not answer in time") from cause
    except _AWAY as cause:
        raise DatabaseAway(f"The database cannot be used: {cause}") from cause
    except (asyncpg.InterfaceError, asyncpg.InternalClientError) as cause:
        # the driver's state is torn when the server dies between two messages
        if _is_gone(held) or isinstance(cause, asyncpg.InternalClientError):
            with suppress(asyncpg.InterfaceError):
                held.terminate()
            raise DatabaseAway("The connection to the database was lost") from cause
        raise
    except asyncpg.UndefinedTableError as cause:
        raise MigrationError(
            f"The database is not prepared ({cause}): run `energy-center migrate`"
        ) from cause
    except asyncpg.InsufficientPrivilegeError as cause:
        raise EnvironmentProblem(f"The database account in DATABASE_URL lacks a right: {cause}") from cause


def _is_gone(held: Connection) -> bool:
    try:
        return held.is_closed()
    except asyncpg.InterfaceError:  # the pool took it back when the server went away
        return True


@asynccontextmanager
async def connect(dsn: str, *, timeout_s: float = 10.0) -> AsyncIterator["asyncpg.Connection[Record]"]:
    """Hold one connection outside of any pool, for commands and listeners.

    Raises:
        DatabaseAway: the server cannot be reached, or is lost or silent while the connection is used.
    """
    try:
        connection = await asyncpg.connect(dsn, timeout=timeout_s, server_settings=SESSION_SETTINGS)
    except _NOT_OPENED as cause:
        raise _not_opened(cause) from cause
    try:
        with _told_as_away(connection):
            await _prepare(connection)
            yield connection
    finally:
        await _close(connection, timeout_s)


async def _close(connection: "asyncpg.Connection[Record]", timeout_s: float) -> None:
    """End a connection; that a silent or dead server does not say good-bye changes nothing."""
    try:
        await connection.close(timeout=timeout_s)
    except (*_AWAY, OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.InternalClientError) as cause:
        connection.terminate()
        log.info("connection dropped", extra={"action": "connection_dropped", "cause": str(cause)})


async def check(connection: Connection, *, timeout_s: float = 5.0) -> None:
    """Ask the server for a sign of life.

    Raises:
        DatabaseAway: there is none in time.
    """
    try:
        await connection.execute("SELECT 1", timeout=timeout_s)
    except (*_AWAY, OSError, TimeoutError, asyncpg.InterfaceError) as cause:
        raise DatabaseAway("The connection to the database was lost") from cause


class Database:
    """A pool of connections, all in UTC, with JSON columns as Python objects.

    Every failure to reach the server becomes `DatabaseAway`, whatever the driver calls it.
    """

    def __init__(self, dsn: str, pool: "asyncpg.Pool[Record]", acquire_s: float) -> None:
        """Use `open`."""
        self.dsn = dsn
        self._pool = pool
        self._acquire_s = acquire_s
        # partitions of `reading` that this process has seen, so that a batch need not ask for them
        self.known_partitions: set[str] = set()
        # what was looked up once, such as the server's capabilities, by its type
        self.facts: dict[type, object] = {}

    @classmethod
    async def open(
        cls,
        dsn: str,
        *,
        min_size: int = 1,
        max_size: int = 8,
        command_s: float = 60.0,
        acquire_s: float = 10.0,
    ) -> "Database":
        """Connect. With `min_size=0` the first connection is made when it is needed.

        Raises:
            DatabaseAway: the server cannot be reached.
        """
        try:
            pool = await asyncpg.create_pool(
                dsn,
                min_size=min_size,
                max_size=max_size,
                command_timeout=command_s,
                timeout=acquire_s,
                server_settings=SESSION_SETTINGS,
                init=_prepare,
            )
        except _NOT_OPENED as cause:
            raise _not_opened(cause) from cause
        return cls(dsn, pool, acquire_s)

    async def close(self) -> None:
        """Wait up to 5 s for connections in use, then drop them."""
        try:
            async with asyncio.timeout(5.0):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Borrow a connection; each statement commits on its own."""
        try:
            held = await self._pool.acquire(timeout=self._acquire_s)
        except _NOT_OPENED as cause:
            raise _not_opened(cause) from cause
        try:
            with _told_as_away(held):
                yield held
        finally:
            await self._give_back(held)

    async def _give_back(self, held: "PoolConnectionProxy[Record]") -> None:
        """Return a connection. One that breaks only now is dropped; what was done with it stands."""
        try:
            await self._pool.release(held, timeout=self._acquire_s)
        except (
            *_AWAY,
            OSError,
            TimeoutError,
            asyncpg.InterfaceError,
            asyncpg.InternalClientError,
        ) as cause:
            log.info("connection dropped", extra={"action": "connection_dropped", "cause": str(cause)})

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Borrow a connection inside a READ COMMITTED transaction: all or nothing."""
        async with self.connection() as held, held.transaction():
            yield held
