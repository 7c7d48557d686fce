"""One real stack and one browser for all browser tests."""

import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from playwright.async_api import Browser, Page

from energy_center.settings import PROJECT_ROOT
from energy_center.store.pool import connect

sys.path.insert(0, str(Path(__file__).parent))

from chromium import DESK, Misdeeds, chromium, log_in, new_context
from stack import PASSWORD, Stack

OpenPage = Callable[..., Awaitable[tuple[Page, Misdeeds]]]
FAILURES = PROJECT_ROOT / "build" / "browser-failures"
FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Lets a fixture know, at its end, how the test went."""
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


@pytest.fixture(scope="session")
async def stack(postgres_dsn: str) -> AsyncIterator[Stack]:
    """Simulators, collectors, worker and server on a database of their own."""
    name = f"ec_browser_{os.getpid()}"
    async with connect(postgres_dsn) as connection:
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
    folder = Path(tempfile.mkdtemp(prefix="ec-browser-"))
    running = Stack(urlunsplit(urlsplit(postgres_dsn)._replace(path=f"/{name}")), folder)
    try:
        await running.start()
        yield running
    finally:
        await running.stop()
        shutil.rmtree(folder, ignore_errors=True)
        async with connect(postgres_dsn) as connection:
            await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium."""
    async with chromium() as opened:
        yield opened


@pytest.fixture
async def open_page(
    browser: Browser, stack: Stack, request: pytest.FixtureRequest
) -> AsyncIterator[OpenPage]:
    """`page, misdeeds = await open_page("operator")`: logged in, in a profile of its own.

    What the pages looked like when a test failed is kept in build/browser-failures/.
    """
    pages: list[tuple[str, Page]] = []
    async with AsyncExitStack() as contexts:

        async def opened(user: str, size: tuple[int, int] = DESK) -> tuple[Page, Misdeeds]:
            context = await new_context(browser, stack.base_url, size)
            contexts.push_async_callback(context.close)
            page = await context.new_page()
            misdeeds = Misdeeds(stack.base_url)
            misdeeds.watch(page)
            pages.append((user, page))
            await log_in(page, user, PASSWORD)
            return page, misdeeds

        yield opened
        if request.node.stash.get(FAILED, False):
            FAILURES.mkdir(parents=True, exist_ok=True)
            for user, page in pages:
                await page.screenshot(path=FAILURES / f"{request.node.name}-{user}.png")
