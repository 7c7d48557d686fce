"""What stands around the pages: how a figure is made, keys, shelving, and words about what is away."""

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

from chromium import goto
from conftest import OpenPage
from playwright.async_api import expect
from stack import Stack

from energy_center.store.pool import connect

SHELF = "details.shelve:has(select[id^=alarm-shelve])"


async def test_a_figure_tells_how_it_is_made(open_page: OpenPage) -> None:
    page, misdeeds = await open_page("viewer")
    await page.locator("[data-explain]").first.click()
    told = page.locator("#shell-explain-body dl.explained")
    await expect(told).to_be_visible()
    for name in ("單位", "來源", "期間", "資料覆蓋率"):
        await expect(told).to_contain_text(name)
    await page.keyboard.press("Escape")
    await expect(told).to_be_hidden()
    assert misdeeds.seen == []


async def test_keys_are_listed_and_single_letters_can_be_switched_off(open_page: OpenPage) -> None:
    page, misdeeds = await open_page("viewer")
    help_ = page.locator("#shell-help")
    await page.keyboard.press("?")
    await expect(help_).to_be_visible()
    await page.locator("#shell-keys").click()
    await expect(page.locator("#shell-keys")).to_have_attribute("aria-checked", "false")
    await page.keyboard.press("Escape")
    await expect(help_).to_be_hidden()
    await page.keyboard.press("g")
    await page.keyboard.press("e")
    await page.wait_for_timeout(500)
    assert page.url.endswith("/")
    await page.keyboard.press("?")  # the way back must stay
    await page.locator("#shell-keys").click()
    await page.keyboard.press("Escape")
    await page.keyboard.press("g")
    await page.keyboard.press("e")
    await page.wait_for_url("**/equipment")
    assert misdeeds.seen == []


async def test_an_alarm_is_shelved_with_a_reason_and_taken_back(open_page: OpenPage, stack: Stack) -> None:
    page, misdeeds = await open_page("operator")
    await page.locator('header a[href="/alarms"]').click()
    await stack.control(do="fault", name="sump_pump_failed", equipment="ltb-sump-b3")
    await stack.control(do="set", equipment="ltb-sump-b3", point="sump_level", value=1.9)
    await stack.control(do="set", equipment="ltb-sump-b3", point="high_float", value=1)
    row = page.locator("tr[data-alarm]", has_text="地下 3 樓").filter(has_text="泵未運轉")
    await row.wait_for(timeout=90_000)
    await row.locator("a.title").click()
    await page.wait_for_url("**/alarms/*")
    await page.locator(".timeline").wait_for()  # the address changes before the page does
    await page.locator(f"{SHELF} summary").click()
    # a colleague's change redraws the page under the person who chooses
    await page.evaluate("window.dash_clientside.set_props('shell-alarms', {data: Date.now()})")
    await page.wait_for_timeout(1500)
    await page.locator(f"{SHELF} select").select_option("30")
    await page.locator(f"{SHELF} textarea").fill("廠商下午到場")
    await page.locator(f"{SHELF} button").click()
    taken_back = page.locator('form[data-api$="/unshelve"] button')
    await expect(taken_back).to_be_visible()
    await expect(page.locator(".timeline")).to_contain_text("廠商下午到場")
    await taken_back.click()
    await expect(page.locator(SHELF)).to_be_visible()
    assert misdeeds.seen == []


async def test_readings_that_stop_are_said_loudly(open_page: OpenPage, stack: Stack) -> None:
    page, misdeeds = await open_page("viewer")
    banner = page.locator("#shell-banner")
    collectors = stack.processes["collectors"]
    collectors.send_signal(signal.SIGSTOP)
    try:
        await expect(banner).to_contain_text("沒有收到任何新讀值", timeout=90_000)
        await expect(banner).to_have_attribute("data-kind", "silent")
    finally:
        collectors.send_signal(signal.SIGCONT)
    await expect(banner).to_be_hidden(timeout=30_000)
    assert misdeeds.seen == []


async def test_a_page_without_its_database_says_so_and_comes_back(open_page: OpenPage, stack: Stack) -> None:
    page, _ = await open_page("viewer")  # the 503 that the browser notes is what is tested
    async with database_away(stack):
        await expect(page.locator("#shell-banner")).to_contain_text("資料庫已中斷", timeout=30_000)
        opened = await page.context.new_page()
        answer = await opened.goto("/alarms")
        assert answer is not None
        assert answer.status == 503
        for words in ("資料庫暫時中斷", "The database is away"):
            await expect(opened.locator("main[role=alert]")).to_contain_text(words)
    await opened.locator("#shell-page h1").wait_for(timeout=60_000)  # by itself
    await expect(page.locator("#shell-banner")).to_be_hidden(timeout=60_000)
    await goto(page, "/")


async def test_a_new_release_reloads_open_pages(open_page: OpenPage) -> None:
    page, _ = await open_page("viewer")
    health = await (await page.request.get("/api/health")).json()

    async def of_another_build(route, request) -> None:
        await route.fulfill(json={**health, "build": "another"})

    await page.route("**/api/health", of_another_build)
    async with page.expect_event("load"):
        await page.evaluate("setTimeout(() => document.dispatchEvent(new Event('visibilitychange')))")


@asynccontextmanager
async def database_away(stack: Stack) -> AsyncIterator[None]:
    """The server of the database stands; ours lets nobody in and has thrown everybody out."""
    parts = urlsplit(stack.dsn)
    name = parts.path.lstrip("/")
    async with connect(urlunsplit(parts._replace(path="/postgres"))) as connection:
        await connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        try:
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
            )
            yield
        finally:
            await connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
