"""The bill page: lines with their clause, what is missing said aloud, the utility's bill compared."""

import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from html import unescape
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from sample import drawn, request

from dashboards.pages.bills.bill import bill
from dashboards.pages.bills.check import differences, form, given
from dashboards.pages.bills.contract import contract, tariffs
from energy_center.domain.site import Text
from energy_center.domain.timeline import Interval
from energy_center.i18n.text import LANGUAGES
from energy_center.services.bill_questions import BuildingBillView, ContractView, PlanView
from energy_center.services.bill_view import view_bill
from energy_center.services.check_utility_bill import Checked
from energy_center.services.tariff_catalogue import tariff
from energy_center.tariffs.bill import bill_uses
from energy_center.tariffs.bill_model import Account, Bill, BillingPeriod, Contract, Use
from energy_center.tariffs.check_bill import check_bill
from energy_center.tariffs.contract import advise, parts_of
from energy_center.tariffs.split_period import split_period

TOU3 = tariff("taipower-hv-tou3")
JULY = BillingPeriod(date(2026, 7, 1), date(2026, 7, 31))
ACCOUNT = Account((Contract(date(2026, 1, 1), {"regular": Decimal(1200)}),), Decimal("1.017"))
GAP = Interval(datetime(2026, 7, 10, 1, tzinfo=UTC), datetime(2026, 7, 11, 1, tzinfo=UTC))


def july(coverage: float = 1.0) -> Bill:
    """Bill 1 of those worked by hand: 2,464,404 to pay."""
    use = Use(
        {
            b: Decimal(n)
            for b, n in (
                ("peak", 90000),
                ("half_peak", 150000),
                ("saturday_half_peak", 40000),
                ("off_peak", 120000),
            )
        },
        {
            b: Decimal(n)
            for b, n in (("peak", 1230), ("half_peak", 1350), ("saturday_half_peak", 900), ("off_peak", 800))
        },
        coverage,
        () if coverage == 1.0 else (GAP,),
    )
    return bill_uses(ACCOUNT, JULY, split_period(TOU3, ACCOUNT, JULY), [use], Decimal(92))


def view(coverage: float = 1.0) -> BuildingBillView:
    return BuildingBillView(
        "ltb", Text("市政大樓", "City hall"), "ltb-main", "bill", view_bill(july(coverage))
    )


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh-TW", ("應繳總金額", "超約附加費 半尖峰", "× 2 倍")),
        ("en", ("To pay", "Over contract Half-peak", "x 2")),
    ],
)
def test_every_line_stands_with_quantity_price_and_clause(language: str, words: tuple[str, ...]):
    html = drawn(bill(view(), request(language=language)))
    for shown in (
        "2,464,404",
        "90,000 kWh",
        "× 9.39",
        "845,100.00",
        "-28,782.24",
        "第五章四(二)，第 27 頁",
        *words,
    ):
        assert shown in html


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_provisional_bill_says_what_is_missing(language: str):
    html = drawn(bill(view(0.968), request(language=language)))
    assert ("暫計" if language == "zh-TW" else "Provisional") in html
    assert "96.8%" in html
    assert "09:00" in html  # the gap begins at 9 in Taipei


def test_a_month_without_any_reading_has_no_energy_rather_than_none_used():
    unknown = bill_uses(ACCOUNT, JULY, split_period(TOU3, ACCOUNT, JULY), [Use({}, {}, 0.0, (GAP,))])
    html = drawn(
        bill(
            BuildingBillView("ltb", Text("樓", "Hall"), "m", None, view_bill(unknown)), request(language="en")
        )
    )
    assert "0 kWh" not in html
    assert "No data" in html
    assert "NT$" not in html


def test_plans_stand_in_their_own_currency():
    plan = PlanView("t", Text("方案", "Plan"), "USD", Decimal(1200), Decimal(1100), 0.97, None, True)
    html = drawn(tariffs([plan], request(language="en")))
    assert "US$ 1,200" in html
    assert "NT$" not in html


def test_the_contract_view_shows_saving_and_curve():
    advice = advise(parts_of([july()], Decimal("1.017")), {"regular": Decimal(1200)})
    found = ContractView("ltb", advice, 1.0, 0.02, 20, advice.best)
    html = drawn(contract(found, request(language="zh-TW")))
    assert f"可節省 {advice.saving:,.0f} 元" in html
    assert "每年成長 2%" in html


def test_the_form_asks_for_the_bills_own_figures():
    html = unescape(drawn(form(view().bill, request(), "ltb", "2026-07", {"total"}, {})))
    for name in (
        "their.energy.peak",
        "their.demand.off_peak",
        "their.power_factor",
        "their.amount.basic",
        "their.total",
    ):
        assert f'name="{name}"' in html
    assert 'class="wrong"' in html
    assert "A marked field is no number" in html
    assert 'action="/bills"' in html
    assert 'method="get"' in html


def test_what_is_typed_in_is_read_or_named():
    query = {
        "month": "2026-07",
        "their.energy.peak": " 90,500 度",
        "their.total": "NaN",
        "their.power_factor": "",
    }
    assert given(query) == ({"energy.peak": Decimal(90500)}, {"total"})


def test_differences_stand_with_their_cause():
    theirs = {"amount.basic": Decimal(279_500), "total": Decimal(2_475_775)}
    checked = Checked(check_bill(july(), theirs, Decimal("1.017")), JULY)
    html = drawn(differences(checked, view().bill, request(language="zh-TW")))
    assert "契約容量或單價不同" in html
    assert "相當於瓩 1250" in html
    assert "2026-07-01 – 2026-07-31" in html
