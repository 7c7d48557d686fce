"""Takes the pictures of the documentation from a running demo.

`python tests/browser/screenshots.py --base-url http://127.0.0.1:8050 --user operator --password …`
"""

import argparse
import sys
from pathlib import Path

from playwright.sync_api import Page

sys.path.insert(0, str(Path(__file__).parent))

from chromium import DESK, PHONE, chromium, log_in, new_context

PAGES = {
    "login": "/login",
    "overview": "/",
    "equipment": "/equipment/ltb-main",
    "equipment-list": "/equipment",
    "alarms": "/alarms",
    "work-orders": "/work-orders",
}
LANGUAGES = ("zh-TW", "en")


def settle(page: Page) -> None:
    """Wait for values, fonts and charts, then leave the focus nowhere."""
    page.locator("#shell-page h1").wait_for()
    page.wait_for_function("energyCenter.state.seen && document.fonts.status === 'loaded'")
    page.wait_for_timeout(2500)
    page.evaluate("document.activeElement && document.activeElement.blur()")


def take(page: Page, path: Path, *, full: bool) -> None:
    """One picture."""
    page.screenshot(path=path, full_page=full)
    sys.stdout.write(f"{path}\n")


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
    wanted = {name: path for name, path in PAGES.items() if not args.only or name in args.only}
    wanted.update(pair.split("=", 1) for pair in args.path)
    with chromium() as browser:
        for size in (DESK, PHONE):
            context = new_context(browser, args.base_url, size)
            context.add_cookies([{"name": "ec_theme", "value": args.theme, "url": args.base_url}])
            page = context.new_page()
            for language in LANGUAGES:
                if "login" in wanted:
                    context.clear_cookies(name="ec_session")
                    page.goto(f"/login?language={language}")
                    take(page, args.out / f"login-{language}-{size[0]}.png", full=False)
                context.clear_cookies(name="ec_session")
                log_in(page, args.user, args.password)
                page.request.patch(
                    "/api/v1/session", data={"language": language}, headers={"Origin": args.base_url}
                )
                for name, path in wanted.items():
                    if name == "login":
                        continue
                    page.goto(path)
                    settle(page)
                    take(page, args.out / f"{name}-{language}-{size[0]}.png", full=args.full)
            context.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
