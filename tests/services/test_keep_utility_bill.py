"""The utility's bill entered, imported, taken back and compared, on a real database and by the API."""

from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from zoneinfo import ZoneInfo

import httpx
import pytest

from dashboards.pages.bills import draw
from dashboards.request import PageRequest
from energy_center.domain.people import Actor, User, UserRole
from energy_center.domain.utility_bills import BillOrigin
from energy_center.errors import Conflict, Invalid, NotAllowed, NotFound
from energy_center.services.keep_utility_bill import import_bill, keep_bill, read_month, undo_bill
from energy_center.store.pool import Database
from tests.services.city_hall import NOW, applied
from tests.services.paper_bill import SAMPLE, pdf_of
from tests.services.test_bills import metered

LogIn = Callable[[UserRole], Awaitable[httpx.AsyncClient]]
MANAGER = User(1, "lin", "Lin", UserRole.MANAGER, "en")
ACTOR = Actor("lin", "198.51.100.7")
MONTH = "2026-10"


async def keep(db: Database, month: str = MONTH, **figures: str) -> int:
    """Enter figures, named with _ for the dot."""
    given = {name.replace("__", "."): Decimal(amount) for name, amount in figures.items()}
    return (await keep_bill(db, "hall", month, given, MANAGER, ACTOR, NOW)).utility_bill_id


async def test_a_later_entry_takes_the_place_and_an_undo_gives_it_back(database: Database):
    await metered(database, 200.0)
    first = await keep(database, total="730981")
    second = await keep(database, total="730000", amount__basic="97167.74")
    found = await read_month(database, "hall", MONTH, NOW)
    assert found.held is not None
    assert found.held.utility_bill_id == second
    assert found.held.figures == {"total": Decimal(730_000), "amount.basic": Decimal("97167.74")}
    assert found.checked is not None
    assert [d.cause.value for d in found.checked.differences] == ["unknown", "same"]
    with pytest.raises(Conflict):
        await undo_bill(database, first, MANAGER, ACTOR, NOW)
    await undo_bill(database, second, MANAGER, ACTOR, NOW)
    found = await read_month(database, "hall", MONTH, NOW)
    assert found.held is not None
    assert found.held.utility_bill_id == first
    assert found.checked is not None
    assert found.checked.agrees
    assert [entry.undone_by for entry in found.entries] == ["lin", None]
    await undo_bill(database, first, MANAGER, ACTOR, NOW)
    assert (await read_month(database, "hall", MONTH, NOW)).held is None


async def test_a_month_that_we_cannot_reckon_is_kept_all_the_same(database: Database):
    await applied(database)
    await keep(database, "2024-05", total="1000")
    found = await read_month(database, "hall", "2024-05", NOW)
    assert found.held is not None
    assert found.checked is None


@pytest.mark.parametrize(
    ("figures", "message"),
    [
        ({}, "No figure"),
        ({"colour": Decimal(1)}, "'colour' is no figure of a bill"),
        ({"amount.colour": Decimal(1)}, "'amount.colour' is no figure"),
        ({"total\n": Decimal(1)}, "is no figure of a bill"),
        ({"total": Decimal("NaN")}, "out of range"),
        ({"total": Decimal(10) ** 12}, "out of range"),
        ({f"energy.b{n}": Decimal(1) for n in range(61)}, "At most 60 figures"),
    ],
)
async def test_wrong_figures_are_refused(database: Database, figures: dict[str, Decimal], message: str):
    await applied(database)
    with pytest.raises(Invalid, match=message):
        await keep_bill(database, "hall", MONTH, figures, MANAGER, ACTOR, NOW)


async def test_who_when_and_where_are_checked(database: Database):
    await applied(database)
    total = {"total": Decimal(1)}
    with pytest.raises(NotAllowed):
        await keep_bill(database, "hall", MONTH, total, replace(MANAGER, role=UserRole.OPERATOR), ACTOR, NOW)
    with pytest.raises(Invalid, match="has not begun"):
        await keep_bill(database, "hall", "2026-12", total, MANAGER, ACTOR, NOW)
    with pytest.raises(NotFound, match="No building 'nowhere'"):
        await keep_bill(database, "nowhere", MONTH, total, MANAGER, ACTOR, NOW)
    with pytest.raises(NotFound, match="no such entry"):
        await undo_bill(database, 999, MANAGER, ACTOR, NOW)


async def test_a_pdf_is_kept_and_says_what_it_did_not_tell(database: Database):
    await metered(database, 200.0)
    lines = [line for line in SAMPLE.splitlines() if "功率" not in line and not line.startswith("離峰")]
    found = await import_bill(database, "hall", MONTH, "bill.pdf", pdf_of(lines), MANAGER, ACTOR, NOW)
    assert found.entry.origin.value == "pdf"
    assert found.entry.figures["total"] == 2_464_404
    assert set(found.not_found) == {
        "energy.off_peak",
        "demand.off_peak",
        "amount.power_factor",
        "power_factor",
    }
    assert found.other_period  # the paper is of July
    with pytest.raises(Invalid, match=r"No figure of a bill was found in letter\.pdf"):
        await import_bill(database, "hall", MONTH, "letter.pdf", pdf_of(["您好"]), MANAGER, ACTOR, NOW)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "big5"])
async def test_a_table_of_figures_is_kept(database: Database, encoding: str):
    await metered(database, 200.0)
    words = "尖峰度數,離峰度數,應繳總金額\n100,,2000\n"
    found = await import_bill(
        database, "hall", MONTH, "bill.csv", words.encode(encoding), MANAGER, ACTOR, NOW
    )
    assert found.entry.figures == {"energy.peak": Decimal(100), "total": Decimal(2000)}


async def test_the_api_enters_imports_and_undoes(database: Database, logged_in: LogIn):
    await metered(database, 200.0)
    manager, viewer = await logged_in(UserRole.MANAGER), await logged_in(UserRole.VIEWER)
    asked = {"building": "hall", "month": MONTH}
    body = asked | {"figures": {"total": "730,981 元", "energy.peak": " "}}
    assert (await viewer.post("/api/v1/bills/utility", json=body)).status_code == 403
    answer = await manager.post("/api/v1/bills/utility", json=body)
    assert answer.status_code == 201, answer.text
    assert answer.json()["figures"] == {"total": "730981"}
    answer = await manager.post("/api/v1/bills/utility", json=asked | {"figures": {"total": "many"}})
    assert answer.status_code == 422
    paper = b64encode(pdf_of(SAMPLE.splitlines())).decode()
    sent = asked | {"file_name": "bill.pdf", "content": paper}
    answer = await manager.post("/api/v1/bills/utility/import", json=sent)
    assert answer.status_code == 201, answer.text
    number = answer.json()["entry"]["utility_bill_id"]
    found = (await viewer.get("/api/v1/bills/utility", params=asked)).json()
    assert found["held"]["utility_bill_id"] == number
    assert {d["cause"] for d in found["checked"]["differences"]} >= {"contract"}
    assert (await manager.post(f"/api/v1/bills/utility/{number}/undo")).status_code == 200
    assert (await manager.post(f"/api/v1/bills/utility/{number}/undo")).status_code == 409
    answer = await manager.post("/api/v1/bills/utility/import", json=sent | {"content": "no base64"})
    assert answer.status_code == 422


@pytest.mark.parametrize(("role", "may"), [(UserRole.MANAGER, True), (UserRole.VIEWER, False)])
async def test_the_page_shows_what_was_entered(database: Database, role: UserRole, may: bool):
    await metered(database, 200.0)
    total = {"total": Decimal(700_000)}
    await keep_bill(database, "hall", MONTH, total, MANAGER, ACTOR, NOW, BillOrigin.CSV)
    asked = PageRequest(
        path="/bills",
        params={},
        query={"building": "hall", "month": MONTH, "view": "check"},
        user=replace(MANAGER, role=role),
        language="en",
        theme="light",
        zone=ZoneInfo("Asia/Taipei"),
        now=NOW,
        database=database,
    )
    drawn = str((await draw(asked)).to_plotly_json())
    assert "700,000" in drawn
    assert ("/api/v1/bills/utility/import" in drawn) is may
    assert ("/undo" in drawn) is may
    assert "Entries of this month" in drawn
    assert "、" not in drawn  # what the file lacks is listed in the reader's own way


async def test_the_page_says_that_an_imported_paper_is_of_other_days(database: Database):
    await metered(database, 200.0)
    told = {"other": "true", "first": "2026-07-01", "last": "2026-07-31"}
    asked = PageRequest(
        path="/bills",
        params={},
        query={"building": "hall", "month": MONTH, "view": "check"} | told,
        user=MANAGER,
        language="en",
        theme="light",
        zone=ZoneInfo("Asia/Taipei"),
        now=NOW,
        database=database,
    )
    assert "of 2026-07-01 to 2026-07-31" in str((await draw(asked)).to_plotly_json())
    same = replace(asked, query=asked.query | {"other": "false"})
    drawn = str((await draw(same)).to_plotly_json())
    assert "2026-07-31" not in drawn
    assert "&amp;other={other_period}&amp;first={first}&amp;last={last}" in drawn
