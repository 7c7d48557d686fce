"""A duty recorded with a file, in a browser: chosen, sent, shown, taken back."""

from pathlib import Path

import pytest
from chromium import PHONE, goto
from conftest import OpenPage
from playwright.async_api import expect
from stack import Stack

FORM = "form.duty-form"


@pytest.mark.parametrize("size", [None, PHONE], ids=["desk", "phone"])
async def test_a_duty_is_recorded_with_a_file_and_taken_back(
    open_page: OpenPage, stack: Stack, tmp_path: Path, size: tuple[int, int] | None
) -> None:
    page, misdeeds = await (open_page("manager", size) if size else open_page("manager"))
    wanted = {"duty_id": "pest-control", "subject_id": f"Canteen {size}", "starts_on": "2025-01-01"}
    made = await page.request.post("/api/v1/duties", data=wanted, headers={"Origin": stack.base_url})
    adoption_id = (await made.json())["adoption_id"]
    await goto(page, f"/duties/{adoption_id}")
    heading = await page.locator(f"{FORM} h2").inner_text()
    report = tmp_path / "record.pdf"
    # as large as a photo of a phone: the record itself must not carry it again, a plain request is smaller
    report.write_bytes(b"%PDF-1.7\n" + bytes(3_000_000) + b"%%EOF\n")
    await page.locator('[data-paper="record"] input[type=file]').set_input_files(report)
    await expect(page.locator('[data-paper="record"][data-attachment]')).to_have_count(1)
    await page.locator(f"{FORM} button.primary").click()
    link = page.locator('.proof a[href^="/api/v1/attachments/"]').first
    await expect(link).to_be_visible()
    kept = await page.request.get(str(await link.get_attribute("href")))
    assert await kept.body() == report.read_bytes()
    await expect(page.locator(f"{FORM} h2")).not_to_have_text(heading)
    await page.locator(".proof form button").first.click()
    await expect(page.locator(f"{FORM} h2")).to_have_text(heading)
    assert misdeeds.seen == []
