"""What people see and do, on a whole running installation, in Debian's Chromium."""

import time

import pytest
from chromium import PHONE, choose_language, goto, new_context, ready, until
from conftest import OpenPage
from playwright.async_api import Browser, expect
from stack import PASSWORD, Stack

POWER = '[data-point="ltb-main/active_power"]'
SHOWN = f"document.querySelector('{POWER} > .v').textContent"
# Triage has made the order of a critical alarm by itself, unless the person is faster.
MAKE_OR_OPEN_ORDER = '.acts form[data-api="/api/v1/work-orders"] button, .acts a[href^="/work-orders/"]'
PATHS = (
    "/",
    "/alarms",
    "/alarms?show=out",
    "/alarm-health",
    "/equipment",
    "/equipment/ltb-main",
    "/equipment/ltb-sump-b3",
    "/work-orders",
    "/devices",
    "/devices/ltb-main",
    "/bills",
    "/bills?view=contract",
    "/bills?view=check",
    "/suggestions",
    "/measures",
    "/duties",
    "/rules",
    "/on-call",
    "/contacts",
    "/notifications",
    "/more",
)


async def test_wrong_password_is_refused_with_one_neutral_sentence(browser: Browser, stack: Stack) -> None:
    context = await new_context(browser, stack.base_url)
    page = await context.new_page()
    await page.goto("/equipment")
    await page.locator("#login-name").fill("operator")
    await page.locator("#login-password").fill("not the password")
    await page.locator("#login-submit").click()
    await expect(page.locator("#login-problem")).to_have_text("帳號或密碼不正確。")
    await page.locator("#login-password").fill(PASSWORD)
    await page.locator("#login-submit").click()
    await page.wait_for_url("**/equipment")
    await context.close()


async def test_a_value_changes_when_the_simulator_changes_it(open_page: OpenPage, stack: Stack) -> None:
    page, misdeeds = await open_page("viewer")
    await stack.control(do="set", equipment="ltb-main", point="active_power", value=1234.0)
    try:
        await until(page, f"{SHOWN} === '1,234'", 30)
        await stack.control(do="set", equipment="ltb-main", point="active_power", value=777.0)
        await until(page, f"{SHOWN} === '777.0'", 30)
        age_ms = await page.evaluate(
            f"energyCenter.serverNow() - Number(document.querySelector('{POWER}').dataset.at)"
        )
        assert age_ms < 10_000
    finally:
        await stack.control(do="set", equipment="ltb-main", point="active_power", value=None)
    assert misdeeds.seen == []


async def test_pages_change_without_loading_anew_and_stay_live(open_page: OpenPage) -> None:
    page, misdeeds = await open_page("viewer")
    await page.evaluate("window.sameDocument = true")
    await page.locator('header a[href="/equipment"]').click()
    await page.locator('tr[data-equipment="ltb-main"] a.title').click()
    await page.locator(".trend .main-svg").first.wait_for()
    before = await page.evaluate(f"document.querySelector('{POWER}').dataset.at")
    await until(page, f"document.querySelector('{POWER}').dataset.at !== '{before}'")
    assert await page.evaluate("window.sameDocument === true")
    assert misdeeds.seen == []


async def test_a_fault_becomes_an_alarm_and_a_work_order_that_is_closed(
    open_page: OpenPage, stack: Stack
) -> None:
    """The whole loop; the pit is filled by hand, since physics takes minutes."""
    operator, operator_misdeeds = await open_page("operator")
    await operator.locator('header a[href="/alarms"]').click()
    await stack.control(do="fault", name="sump_pump_failed", equipment="ltb-sump-b3")
    await stack.control(do="set", equipment="ltb-sump-b3", point="sump_level", value=1.9)
    await stack.control(do="set", equipment="ltb-sump-b3", point="high_float", value=1)
    row = operator.locator("tr[data-alarm]", has_text="地下 3 樓").filter(has_text="泵未運轉")
    await row.wait_for(timeout=90_000)
    await row.locator("a.title").click()
    await operator.wait_for_url("**/alarms/*")
    await operator.locator(".timeline").wait_for()  # the address changes before the page does
    await operator.locator('form[data-api$="/acknowledge"] textarea').fill("已派員前往 B3")
    await operator.locator('form[data-api$="/acknowledge"] button').click()
    await expect(operator.locator(".timeline")).to_contain_text("已派員前往 B3")
    await expect(operator.locator('form[data-api$="/acknowledge"]')).to_have_count(0)
    await operator.locator(MAKE_OR_OPEN_ORDER).first.click()
    await operator.wait_for_url("**/work-orders/*")
    order = operator.url.removeprefix(stack.base_url)
    await expect(operator.locator("[data-order-state]")).to_have_attribute("data-order-state", "open")
    assert await operator.locator("#order-comment").count() == 0  # an operator does not do the work
    assert operator_misdeeds.seen == []

    technician, technician_misdeeds = await open_page("technician")
    await goto(technician, order)
    for move, state in (("in_progress", "in_progress"), ("done", "done")):
        await technician.locator("#order-comment").fill(f"步驟 {move}")
        # a colleague's change redraws the page under the person who types
        await technician.evaluate("window.dash_clientside.set_props('shell-orders', {data: Date.now()})")
        await technician.wait_for_timeout(1500)
        await expect(technician.locator("#order-comment")).to_have_value(f"步驟 {move}")
        await technician.locator(f'button[data-value="{move}"]').click()
        await expect(technician.locator("[data-order-state]")).to_have_attribute("data-order-state", state)
    assert technician_misdeeds.seen == []

    manager, manager_misdeeds = await open_page("manager")
    await goto(manager, order)
    for move in ("verified", "closed"):
        await manager.locator(f'button[data-value="{move}"]').click()
        await expect(manager.locator("[data-order-state]")).to_have_attribute("data-order-state", move)
    await expect(operator.locator("[data-order-state]")).to_have_attribute("data-order-state", "closed")
    await expect(manager.locator(".timeline")).to_contain_text("步驟 done")
    assert manager_misdeeds.seen == []


async def test_a_device_that_stops_answering_is_told_while_the_page_is_open(
    open_page: OpenPage, stack: Stack
) -> None:
    page, misdeeds = await open_page("viewer")
    await page.locator('header a[href="/more"]').click()
    await page.locator('main a[href="/devices"]').click()
    row = page.locator('tr[data-device="ltb-fl07-meter"]')
    await expect(row.locator(".tag")).to_have_text("正常", timeout=20_000)
    await stack.control(do="fault", name="meter_offline", equipment="ltb-fl07-meter")
    try:
        # read every 20 s, missed three times, told within 10 s
        await expect(row.locator(".tag")).to_have_text("離線", timeout=60_000)
        await expect(row.locator(".c-wrong")).to_have_text("逾時未回應")
        await row.locator("a.title").click()
        await expect(page.locator("[data-device-status]")).to_have_attribute("data-device-status", "away")
        await expect(page.locator(".advice")).to_contain_text("站號")
    finally:
        await stack.control(do="clear", name="meter_offline", equipment="ltb-fl07-meter")
    assert misdeeds.seen == []


async def test_a_viewer_sees_alarms_and_has_no_buttons(open_page: OpenPage) -> None:
    page, _ = await open_page("viewer")
    await goto(page, "/alarms?show=all")
    assert await page.locator("main form").count() == 0


@pytest.mark.parametrize("path", PATHS)
async def test_no_page_scrolls_sideways_on_a_phone(open_page: OpenPage, path: str) -> None:
    page, misdeeds = await open_page("operator", PHONE)
    await goto(page, path)
    await page.wait_for_timeout(500)
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    small = await page.evaluate(
        "Array.from(document.querySelectorAll('.bottom-bar a, main button, main .button'))"
        ".filter(e => e.offsetParent && e.getBoundingClientRect().height < 43.5).map(e => e.textContent)"
    )
    assert small == []
    assert misdeeds.seen == []


async def test_the_language_switch_redraws_the_page_in_english(open_page: OpenPage) -> None:
    page, misdeeds = await open_page("admin")
    assert await page.evaluate("document.documentElement.lang") == "zh-TW"
    await page.locator('[data-set-language="en"]').first.click()
    await expect(page.locator('header a[href="/equipment"]')).to_have_text("Equipment")
    assert await page.evaluate("document.documentElement.lang") == "en"
    await ready(page)
    await choose_language(page, "zh-TW")
    assert misdeeds.seen == []


async def test_the_theme_switch_is_remembered(open_page: OpenPage) -> None:
    page, misdeeds = await open_page("viewer")
    await page.locator("[data-toggle-theme]").first.click()
    await until(page, "document.documentElement.dataset.theme === 'dark'")
    await page.reload()
    assert await page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert misdeeds.seen == []


async def test_unknown_paths_are_said_to_be_unknown(open_page: OpenPage) -> None:
    page, _ = await open_page("viewer")
    answer = await page.request.get("/api/nope")
    assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")
    await page.goto("/nope")
    await expect(page.locator("#shell-page h1")).to_have_text("找不到此頁面")
    await page.goto("/equipment/no-such-thing")
    await expect(page.locator("#shell-page h1")).to_have_text("找不到此設備")


async def test_every_page_is_reached_by_keyboard(open_page: OpenPage) -> None:
    page, _ = await open_page("viewer")
    for letter, path in (("e", "/equipment"), ("a", "/alarms"), ("w", "/work-orders"), ("o", "/")):
        await page.keyboard.press("g")
        await page.keyboard.press(letter)
        await page.wait_for_url(f"**{path}")
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.tagName") != "BODY"


async def test_search_leaves_only_what_matches(open_page: OpenPage) -> None:
    page, _ = await open_page("viewer")
    await goto(page, "/equipment")
    await page.locator("#equipment-search").fill("ym-sump-b1-p")
    await expect(page.locator("tr[data-equipment]:not([hidden])")).to_have_count(2)
    await page.locator("#equipment-search").fill("no such thing")
    await expect(page.locator("#equipment-no-match")).to_be_visible()


async def test_a_log_out_ends_open_pages(open_page: OpenPage, stack: Stack) -> None:
    """The socket closes at its next heartbeat, and the page goes to the log-in by itself."""
    page, _ = await open_page("technician")
    answer = await page.request.delete("/api/v1/session", headers={"Origin": stack.base_url})
    assert answer.status == 204
    await page.wait_for_url("**/login?**", timeout=40_000)


async def test_an_open_page_recovers_from_a_killed_server(open_page: OpenPage, stack: Stack) -> None:
    page, _ = await open_page("viewer")
    await stack.kill_server()
    await expect(page.locator("#shell-banner")).to_be_visible(timeout=15_000)
    await stack.start_server()
    started = time.monotonic()
    since = time.time() * 1000
    await expect(page.locator("#shell-banner")).to_be_hidden(timeout=30_000)
    await until(page, f"Number(document.querySelector('{POWER}')?.dataset.at) > {since}", 25)
    assert time.monotonic() - started < 30
