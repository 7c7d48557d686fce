"""Takes the pictures of the documentation from a running demo.

`python tests/browser/screenshots.py --base-url http://127.0.0.1:8050 --user operator --password …`
"""

import argparse
import asyncio
import sys
from pathlib import Path

from playwright.async_api import Page

sys.path.insert(0, str(Path(__file__).parent))

from chromium import DESK, PHONE, choose_language, chromium, goto, log_in, new_context, until

PAGES = {
    "login": "/login",
    "overview": "/",
    "equipment": "/equipment/ltb-main",
    "equipment-list": "/equipment",
    "alarms": "/alarms",
    "work-orders": "/work-orders",
    "devices": "/devices",
    "bills": "/bills",
    "bill-check": "/bills?view=check",
    "bill-what-if": "/bills?view=what_if&pv_kwp=200&battery_kwh=400&battery_kw=100",
    "on-call": "/on-call",
    "savings": "/suggestions",
    "measures": "/measures",
    "measure": "/measures/1",
}
LANGUAGES = ("zh-TW", "en")


async def settle(page: Page) -> None:
    """Wait for values, fonts and charts, then leave the focus nowhere."""
    await until(page, "document.fonts.status === 'loaded'")
    await page.wait_for_timeout(2500)
    await page.evaluate("document.activeElement && document.activeElement.blur()")


async def take(page: Page, path: Path, *, full: bool) -> None:
    """One picture."""
    await page.screenshot(path=path, full_page=full)
    sys.stdout.write(f"{path}\n")


async def take_all(args: argparse.Namespace) -> None:
    """Every page in both sizes and languages."""
    wanted = {name: path for name, path in PAGES.items() if not args.only or name in args.only}
    wanted.update(pair.split("=", 1) for pair in args.path)
    async with chromium() as browser:
        for size in (DESK, PHONE):
            context = await new_context(browser, args.base_url, size)
            await context.add_cookies([{"name": "ec_theme", "value": args.theme, "url": args.base_url}])
            page = await context.new_page()
            for language in LANGUAGES:
                await context.clear_cookies(name="ec_session")
                await take_language(page, wanted, language, size[0], args)
            await context.close()


async def take_language(
    page: Page, wanted: dict[str, str], language: str, width: int, args: argparse.Namespace
) -> None:
    """The log-in page without a session, then the others with one."""
    if "login" in wanted:
        await page.goto(f"/login?language={language}")
        await take(page, args.out / f"login-{language}-{width}.png", full=False)
    await log_in(page, args.user, args.password)
    await choose_language(page, language)
    for name, path in wanted.items():
        if name == "login":
            continue
        await goto(page, path)
        await settle(page)
        await take(page, args.out / f"{name}-{language}-{width}.png", full=args.full)


def main() -> int:
    """Every page in both languages and both sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--user", default="operator")
    parser.add_argument("--password", required=True)
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[2] / "docs" / "images")
    parser.add_argument("--only", nargs="*", choices=sorted(PAGES), help="only these pages")
    parser.add_argument("--theme", choices=("light", "dark"), default="light")
    parser.add_argument("--full", action="store_true", help="whole pages, not only the first screen")
    parser.add_argument("--path", nargs="*", default=[], help="more pages, as name=/path")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    asyncio.run(take_all(args))
    return 0


if __name__ == "__main__":
    sys.exit(main())
