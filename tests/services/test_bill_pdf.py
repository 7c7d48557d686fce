"""The bill on paper: every figure of the API's bill, in both languages, the same bytes each time."""

import io
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest
from pypdf import PdfReader

from energy_center.cli import main
from energy_center.domain.people import UserRole
from energy_center.domain.site import Text
from energy_center.domain.timeline import Interval
from energy_center.services.bill_pdf import set_bill
from energy_center.services.bill_view import BillView, view_bill
from energy_center.services.tariff_catalogue import tariff
from energy_center.store.pool import Database
from energy_center.tariffs.bill import bill_uses
from energy_center.tariffs.bill_model import Account, BillingPeriod, Contract, Use
from energy_center.tariffs.split_period import split_period
from tests.services.test_bills import metered

Browser = Callable[..., httpx.AsyncClient]
LogIn = Callable[[UserRole], Awaitable[httpx.AsyncClient]]
TAIPEI = ZoneInfo("Asia/Taipei")
JULY = BillingPeriod(date(2026, 7, 1), date(2026, 7, 31))
ACCOUNT = Account((Contract(date(2026, 1, 1), {"regular": Decimal(1200)}),), Decimal("1.017"))
SPANS = tuple(
    Interval(datetime(2026, 7, day, 1, tzinfo=UTC), datetime(2026, 7, day, 5, tzinfo=UTC))
    for day in range(1, 29)
)


def july(coverage: float = 1.0, missing: tuple[Interval, ...] = ()) -> BillView:
    """A month over contract, or one without a reading where coverage is 0."""
    use = Use({}, {}, coverage, missing) if coverage < 0.001 else _use(coverage, missing)
    factor = None if coverage < 0.001 else Decimal(92)
    return view_bill(
        bill_uses(ACCOUNT, JULY, split_period(tariff("taipower-hv-tou3"), ACCOUNT, JULY), [use], factor)
    )


def _use(coverage: float, missing: tuple[Interval, ...]) -> Use:
    energy = {"peak": 90_000, "half_peak": 150_000, "saturday_half_peak": 40_000, "off_peak": 120_000}
    demand = {"peak": 1230, "half_peak": 1350, "saturday_half_peak": 900, "off_peak": 800}
    return Use(
        {band: Decimal(kwh) for band, kwh in energy.items()},
        {band: Decimal(kw) for band, kw in demand.items()},
        coverage,
        missing,
    )


def text_of(paper: bytes) -> str:
    """All words of the file with every blank taken out: cells may be broken over lines."""
    return "".join("".join(page.extract_text() for page in PdfReader(io.BytesIO(paper)).pages).split())


@pytest.mark.parametrize("language", ["zh-TW", "en"])
async def test_every_figure_of_the_api_stands_on_the_paper(
    database: Database, logged_in: LogIn, language: str
):
    await metered(
        database, 200.0, (datetime(2026, 10, 19, 16, tzinfo=UTC), datetime(2026, 10, 20, 16, tzinfo=UTC))
    )
    client = await logged_in(UserRole.VIEWER)
    asked = {"building": "hall", "month": "2026-10"}
    (found,) = (await client.get("/api/v1/bills", params=asked)).json()
    answer = await client.get("/api/v1/bills/pdf", params=asked | {"language": language})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/pdf"
    words = text_of(answer.content)
    bill = found["bill"]
    assert len(bill["lines"]) > 8
    for line in bill["lines"]:
        assert f"{Decimal(line['amount']):,.2f}" in words
        assert f"×{Decimal(line['price']).normalize():f}" in words
        assert f"{Decimal(line['quantity']):,.4f}".rstrip("0").rstrip(".") in words or line["unit"] == "TWD"
        assert "".join(line["clause"].split()) in words
        if line["coverage"] is not None:
            assert f"{line['coverage']:.1%}" in words
        if line["days"] != line["of_days"]:
            assert f"{line['days']}of{line['of_days']}" in words.replace("／", "of")
    for figure in ("total", "vat_within"):
        assert f"NT${Decimal(bill[figure]):,.0f}" in words
    assert f"{Decimal(bill['energy']):,.0f}kWh" in words
    assert "2026-10-2000:00–2026-10-2100:00" in words  # the gap, as local time
    assert ("暫計" if language == "zh-TW" else "Provisional") in words
    assert ("已量測部分之最高需量" if language == "zh-TW" else "Highestofwhatwasmeasured") in words
    assert (
        await client.get("/api/v1/bills/pdf", params=asked | {"language": language})
    ).content == answer.content


async def test_the_paper_needs_a_session_and_a_bill(browser: Browser, logged_in: LogIn, database: Database):
    asked = {"building": "hall", "month": "2024-05"}
    assert (await browser().get("/api/v1/bills/pdf", params=asked)).status_code == 401
    await metered(database, 200.0)
    viewer = await logged_in(UserRole.VIEWER)
    assert (await viewer.get("/api/v1/bills/pdf", params=asked)).status_code == 404


def test_a_whole_month_names_its_demand_without_a_doubt():
    words = text_of(set_bill(july(), ("Hall", "main"), "en", TAIPEI))
    assert "Highestdemand1,350kW" in words
    assert "Provisional" not in words
    assert "×2,398,520.00" not in words
    assert "NT$2,398,520×-0.012-28,782.24" in words.replace("−", "-")


def test_many_gaps_are_counted_rather_than_cut_off():
    words = text_of(set_bill(july(0.85, SPANS), ("Hall", "main"), "en", TAIPEI))
    assert "and4more" in words
    assert "Highestofwhatwasmeasured1,350kW" in words


@pytest.mark.parametrize("coverage", [0.0, 3.9e-10])  # a register rolled up to the edge of the month
def test_a_month_without_a_reading_shows_neither_energy_nor_a_total(coverage: float):
    unknown = july(coverage, SPANS[:1])
    assert (unknown.energy, unknown.total, unknown.exact, unknown.vat_within) == (None, None, None, None)
    words = text_of(set_bill(unknown, ("Hall", "main"), "en", TAIPEI))
    assert "Nodata" in words
    assert "0kWh" not in words
    assert "NT$" not in words


@pytest.mark.parametrize("language", ["zh-TW", "en"])
def test_the_file_is_tagged_archival_and_embeds_its_typeface(language: str):
    name = Text("雲端＃大樓 $ [a] 🙂", "Hall # [a] 🙂").in_language(language)
    paper = set_bill(july(), (name, "main"), language, TAIPEI)
    read = PdfReader(io.BytesIO(paper))
    catalogue = read.trailer["/Root"]
    assert catalogue["/MarkInfo"]["/Marked"]
    assert catalogue["/Lang"].startswith("en" if language == "en" else "zh")
    assert "pdfaid:part>2<" in catalogue["/Metadata"].get_data().decode()
    fonts = {
        str(font["/BaseFont"])
        for page in read.pages
        for font in (f.get_object() for f in page["/Resources"]["/Font"].values())
    }
    assert fonts
    assert all("NotoSansTC" in font for font in fonts)
    assert "[a]〓" in text_of(paper)  # what the typeface lacks is marked
    assert read.metadata is not None
    assert read.metadata.creation_date == datetime(2026, 8, 1, tzinfo=TAIPEI)


def test_the_command_writes_the_paper(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    export = tmp_path / "meter.csv"
    rows = [f"2026-07-{1 + i // 24:02d} {i % 24:02d}:00,{1000 + 10 * i}" for i in range(31 * 24)]
    export.write_text("\n".join(["time,kWh", *rows, "2026-08-01 00:00,8440"]), encoding="utf-8")
    paper = tmp_path / "bill.pdf"
    words = ["--csv", str(export), "--plan", "taipower-hv-tou3", "--contract", "100", "--month", "2026-07"]
    assert main(["bill", *words, "--pdf", str(paper), "--language", "zh-TW"]) == 0
    assert str(paper) in capsys.readouterr().out
    assert "7,440kWh" in text_of(paper.read_bytes())
