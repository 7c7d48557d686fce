"""Debian's Chromium through Playwright, and what every page must never do."""

import os
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright, expect

expect.set_options(timeout=20_000)  # a busy machine takes its time; a page that is right needs none of it

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESK, PHONE = (1440, 900), (390, 844)


def executable() -> str:
    """ENERGY_CENTER_CHROMIUM, else `chromium` on the PATH."""
    wanted = os.environ.get("ENERGY_CENTER_CHROMIUM", "chromium")
    found = shutil.which(wanted)
    if found is None:
        message = f"{wanted} is not installed; set ENERGY_CENTER_CHROMIUM to a Chromium"
        raise FileNotFoundError(message)
    return found


@dataclass
class Misdeeds:
    """What a page did that it must not: foreign requests, errors in the console, uncaught exceptions."""

    origin: str
    seen: list[str] = field(default_factory=list)
    allowed: tuple[str, ...] = ()

    def watch(self, page: Page) -> None:
        """Listen from the page's first request on."""
        page.on("pageerror", lambda error: self._note(f"exception: {error}"))
        page.on("console", self._console)
        page.on("request", lambda request: self._request(request.url))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._note(f"console: {message.text}")

    def _request(self, url: str) -> None:
        websocket = self.origin.replace("http", "ws", 1)
        if not url.startswith((self.origin, websocket, "data:", "blob:")):
            self._note(f"foreign: {url}")

    def _note(self, what: str) -> None:
        if not any(words in what for words in self.allowed):
            self.seen.append(what)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """One browser, closed at the end."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=executable(), headless=True, args=ARGUMENTS
        )
        try:
            yield browser
        finally:
            await browser.close()


async def new_context(
    browser: Browser, base_url: str, size: tuple[int, int] = DESK, language: str = "zh-TW"
) -> BrowserContext:
    """A fresh profile at a size; phones are phones."""
    is_phone = size == PHONE
    context = await browser.new_context(
        base_url=base_url,
        locale=language,
        timezone_id="Asia/Taipei",
        viewport={"width": size[0], "height": size[1]},
        device_scale_factor=2 if is_phone else 1,
        has_touch=is_phone,
        is_mobile=is_phone,
        reduced_motion="reduce",
    )
    context.set_default_timeout(20_000)
    return context


async def log_in(page: Page, user: str, password: str) -> None:
    """Through the form, as a person does, and wait for the first page to be drawn and live."""
    await page.goto("/login")
    await page.locator("#login-name").fill(user)
    await page.locator("#login-password").fill(password)
    await page.locator("#login-submit").click()
    await page.wait_for_url(lambda url: "/login" not in url)
    await ready(page)


async def choose_language(page: Page, language: str) -> None:
    """As the switch in the header does, from the next page on."""
    origin = await page.evaluate("location.origin")
    answer = await page.request.patch(
        "/api/v1/session", data={"language": language}, headers={"Origin": origin}
    )
    assert answer.ok, await answer.text()


async def until(page: Page, expression: str, timeout_s: float = 20.0) -> None:
    """Poll a JavaScript expression from outside: our pages' CSP forbids the `eval` of `wait_for_function`."""
    deadline = time.monotonic() + timeout_s
    while not await page.evaluate(expression):
        if time.monotonic() > deadline:
            message = f"not so after {timeout_s:.0f} s: {expression}"
            raise AssertionError(message)
        await page.wait_for_timeout(100)


async def ready(page: Page) -> None:
    """Wait until the page is drawn and its first push has come."""
    await page.locator("#shell-page h1").wait_for()
    await until(page, "energyCenter.state.seen")


async def goto(page: Page, path: str) -> None:
    """Open a page and wait until it is drawn and live."""
    await page.goto(path)
    await ready(page)
