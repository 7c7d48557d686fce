"""Debian's Chromium through Playwright, and what every page must never do."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

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


@contextmanager
def chromium() -> Iterator[Browser]:
    """One browser, closed at the end."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), headless=True, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def new_context(
    browser: Browser, base_url: str, size: tuple[int, int] = DESK, language: str = "zh-TW"
) -> BrowserContext:
    """A fresh profile at a size; phones are phones."""
    is_phone = size == PHONE
    context = browser.new_context(
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


def log_in(page: Page, user: str, password: str) -> None:
    """Through the form, as a person does, and wait for the first page to be drawn."""
    page.goto("/login")
    page.locator("#login-name").fill(user)
    page.locator("#login-password").fill(password)
    page.locator("#login-submit").click()
    page.wait_for_url(lambda url: "/login" not in url)
    page.locator("#shell-page h1").wait_for()
