"""The database is killed under load and comes back: refused with a time to retry meanwhile, never a 500."""

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from energy_center.api.app import create_api
from energy_center.domain.people import Actor, UserRole
from energy_center.services.users import create_user
from energy_center.settings import Settings
from energy_center.store.embedded import EmbeddedPostgres
from energy_center.store.migrate import migrate
from energy_center.store.pool import Database

BASE_URL = "http://energy.test"
WHO = {"name": "lin", "password": "winter melon tea"}
PATHS = ("/api/v1/session", "/api/v1/alarms", "/api/v1/work-orders", "/api/v1/latest", "/api/v1/progress")


@pytest.fixture
async def server() -> AsyncIterator[EmbeddedPostgres]:
    """A database server of this test's own, to be killed."""
    folder = Path(tempfile.mkdtemp(prefix="ec-away-"))
    folder.chmod(0o755)  # as root the server runs as another account, which must pass through
    made = EmbeddedPostgres(folder, durable=False)
    try:
        yield made
    finally:
        await made.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def _ask(client: httpx.AsyncClient, until: asyncio.Event) -> Counter[int]:
    """Statuses of one path after the other until told to stop."""
    seen: Counter[int] = Counter()
    while not until.is_set():
        for path in PATHS:
            seen[(await client.get(path)).status_code] += 1
            await asyncio.sleep(0.005)  # a refused local connection never waits, and would keep the loop
    return seen


async def test_database_that_dies_under_load_is_away_and_then_back(server: EmbeddedPostgres):
    dsn = await server.start()
    database = await Database.open(dsn, min_size=0)
    await migrate(database)
    actor, now = Actor("system:test", "local"), datetime.now(UTC)
    await create_user(database, "lin", "Lin", UserRole.OPERATOR, WHO["password"], actor, now)
    await database.close()
    app = create_api(Settings(**{"DATABASE_URL": dsn}))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client,
    ):
        assert (await client.post("/api/v1/session", json=WHO)).status_code == 201
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            asking = [group.create_task(_ask(client, stop)) for _ in range(6)]
            await asyncio.sleep(0.5)
            await server.kill()
            await asyncio.sleep(0.5)
            stop.set()
        seen = sum((task.result() for task in asking), Counter())
        assert set(seen) == {200, 503}
        assert (await client.post("/api/v1/session", json=WHO)).status_code == 503
        assert (await client.get("/api/health")).status_code == 503
        await server.start()
        assert (await client.get("/api/health")).json()["status"] == "ok"
        assert {(await client.get(path)).status_code for path in PATHS} == {200}, "the session outlived it"
