"""A running app on a database of the test's own, people of every role, and browsers logged in as them."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI

from energy_center.api.app import create_api
from energy_center.api.cookies import SESSION_COOKIE, seal
from energy_center.domain.people import User, UserRole
from energy_center.services.log_in import token_hash
from energy_center.services.passwords import hash_password
from energy_center.settings import Settings
from energy_center.store import sessions, users
from energy_center.store.pool import Database
from energy_center.store.site import apply_site
from tests.services.writable_site import site_with_writable_point

PASSWORD = "plum rain in May"
BASE_URL = "http://energy.test"

Browser = Callable[..., httpx.AsyncClient]


@pytest.fixture(scope="session")
async def password_hash() -> str:
    """One hash for everyone: making it costs more than all else in a test."""
    return await hash_password(PASSWORD)


@pytest.fixture
def settings(database_dsn: str) -> Settings:
    return Settings(**{"DATABASE_URL": database_dsn, "secret": "s" * 40})


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[FastAPI]:
    """The API with its database open."""
    made = create_api(settings)
    async with made.router.lifespan_context(made):
        yield made


@pytest.fixture
async def browser(app: FastAPI) -> AsyncIterator[Browser]:
    """Makes browsers; `browser()` has no session yet."""
    async with AsyncExitStack() as stack:

        def make(**options: object) -> httpx.AsyncClient:
            address = options.pop("address", "198.51.100.7")
            transport = httpx.ASGITransport(app, client=(address, 40_000), raise_app_exceptions=False)
            client = httpx.AsyncClient(transport=transport, base_url=BASE_URL, **options)
            stack.push_async_callback(client.aclose)
            return client

        yield make


@pytest.fixture
async def people(database: Database, password_hash: str) -> dict[UserRole, User]:
    """One person of each role, named after it."""
    now = datetime.now(UTC)
    made = {}
    async with database.transaction() as connection:
        for role in UserRole:
            user = await users.insert_user(
                connection, role.value, role.value.title(), role, password_hash, "en", is_demo=False, now=now
            )
            assert user is not None
            made[role] = user
    return made


@pytest.fixture
def logged_in(
    database: Database, settings: Settings, people: dict[UserRole, User], browser: Browser
) -> Callable[[UserRole], Awaitable[httpx.AsyncClient]]:
    """`await logged_in(UserRole.OPERATOR)`: a browser with that person's session."""

    async def log_in(role: UserRole) -> httpx.AsyncClient:
        token, now = secrets.token_urlsafe(32), datetime.now(UTC)
        async with database.connection() as connection:
            await sessions.insert_session(
                connection, token_hash(token), people[role].user_id, now, now + timedelta(hours=1), "test"
            )
        return browser(cookies={SESSION_COOKIE: seal(token, settings)}, headers={"Origin": BASE_URL})

    return log_in


@pytest.fixture
async def writable_point(database: Database) -> None:
    """The point ahu/schedule, which the site allows to be written."""
    await apply_site(database, site_with_writable_point(), "text", "test", datetime.now(UTC))


@pytest.fixture
async def alarm_id(database: Database) -> int:
    """An unacknowledged alarm at a sump."""
    async with database.transaction() as connection:
        await connection.execute(
            """INSERT INTO space (space_id, position, kind, name)
            VALUES ('ltb', 1, 'building', '{"zh-TW": "大樓", "en": "Tower"}')"""
        )
        await connection.execute(
            """INSERT INTO equipment (equipment_id, position, class, name, space_id)
            VALUES ('ltb-sump-b3', 1, 'Sump', '{"zh-TW": "集水井", "en": "Sump B3"}', 'ltb')"""
        )
        made: int = await connection.fetchval(
            """INSERT INTO alarm (rule_id, equipment_id, priority, state, onset_at, raised_at)
            VALUES ('sump-high-pump-off', 'ltb-sump-b3', 'critical', 'unacknowledged', now(), now())
            RETURNING alarm_id"""
        )
    return made
