"""What differs between the utility's bill and ours, and why."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import pytest

from energy_center.services.tariff_catalogue import tariff
from energy_center.tariffs.bill import bill_uses
from energy_center.tariffs.bill_model import Account, Bill, BillingPeriod, Contract, Use
from energy_center.tariffs.check_bill import Cause, check_bill
from energy_center.tariffs.split_period import split_period

TOU3 = tariff("taipower-hv-tou3")
JULY = BillingPeriod(date(2026, 7, 1), date(2026, 7, 31))
FACTOR = Decimal("1.017")
ENERGY = {"peak": 90_000, "half_peak": 150_000, "saturday_half_peak": 40_000, "off_peak": 120_000}
DEMAND = {"peak": 1230, "half_peak": 1350, "saturday_half_peak": 900, "off_peak": 800}


def ours(coverage: float = 1.0) -> Bill:
    """Bill 1 of the bills worked by hand."""
    account = Account((Contract(date(2026, 1, 1), {"regular": Decimal(1200)}),), FACTOR)
    use = Use(
        {band: Decimal(kwh) for band, kwh in ENERGY.items()},
        {band: Decimal(kw) for band, kw in DEMAND.items()},
        coverage,
    )
    return bill_uses(account, JULY, split_period(TOU3, account, JULY), [use], Decimal(92))


def energies(times: float) -> dict[str, str]:
    return {f"energy.{band}": str(round(kwh * times)) for band, kwh in ENERGY.items()}


@pytest.mark.parametrize(
    ("theirs", "figure", "cause"),
    [
        ({"total": "2464404"}, "total", Cause.SAME),
        ({"energy.peak": "90001"}, "energy.peak", Cause.SAME),
        (energies(1.2), "energy.peak", Cause.MULTIPLIER),
        (energies(40.0), "energy.off_peak", Cause.MULTIPLIER),
        (energies(1) | {"energy.peak": "93000", "energy.off_peak": "117000"}, "energy.peak", Cause.BANDS),
        (
            energies(1) | {"energy.peak": "98000", "energy.off_peak": "124000"},
            "energy.peak",
            Cause.READING_DATE,
        ),
        ({"energy": "600000"}, "energy", Cause.UNKNOWN),
        ({"demand.peak": "1300"}, "demand.peak", Cause.DEMAND),
        ({"power_factor": "93"}, "power_factor", Cause.POWER_FACTOR),
        ({"amount.basic": "279500"}, "amount.basic", Cause.CONTRACT),
        ({"amount.energy": "2000000"}, "amount.energy", Cause.PRICE),
        ({"energy": "430000", "amount.energy": "2290000"}, "amount.energy", Cause.FOLLOWS),
        ({"amount.over_contract": "1"}, "amount.over_contract", Cause.CONTRACT),
        ({"demand": "1500", "amount.over_contract": "90000"}, "amount.over_contract", Cause.FOLLOWS),
        ({"amount.power_factor": "-31180.76"}, "amount.power_factor", Cause.POWER_FACTOR),
        ({"total": "2464407"}, "total", Cause.ROUNDING),  # 13 lines, each rounded, are at most 6.5 apart
        ({"total": "2423210"}, "total", Cause.FACTOR),  # 2,464,404 / 1.017
        ({"total": "2347051"}, "total", Cause.TAX),  # 2,464,404 / 1.05
        ({"total": "1"}, "total", Cause.UNKNOWN),
        ({"amount.basic": "279500", "total": "2475000"}, "total", Cause.FOLLOWS),
        ({"energy.told_peak": "5"}, "energy.told_peak", Cause.UNKNOWN),
    ],
)
def test_the_likely_cause(theirs: Mapping[str, str], figure: str, cause: Cause):
    found = check_bill(ours(), {name: Decimal(text) for name, text in theirs.items()}, FACTOR)
    assert {d.figure: d.cause for d in found}[figure] is cause


def test_what_was_not_measured_explains_less_energy():
    (found,) = check_bill(ours(coverage=0.9), {"energy": Decimal(440_000)}, FACTOR)
    assert (found.cause, found.amount) == (Cause.COVERAGE, 40_000)


def test_the_facts_say_what_the_utilitys_figures_stand_for():
    theirs = {"amount.basic": Decimal("279500"), "amount.power_factor": Decimal("-31180.76")}
    basic, _ = check_bill(ours(), theirs, FACTOR)
    assert basic.facts == {"kind": "regular", "kw": "1250", "ours_kw": "1200"}
    # 2,398,520 x 13 x 0.1 % = 31,180.76: 93 %
    (power_factor,) = check_bill(ours(), {"amount.power_factor": Decimal("-31180.76")}, FACTOR)
    assert power_factor.facts == {"percent": "93"}


def test_prices_of_another_edition_are_recognised():
    """2,130,200.00 by the table of 2025-10; by that of 2023-01 90,000 x 5.80 + 150,000 x 3.63 + ..."""
    older = next(e for e in TOU3.editions if e.edition not in {s.edition.edition for s in ours().segments})
    energy = sum(Decimal(kwh) * older.energy_prices["summer", band] for band, kwh in ENERGY.items())
    (found,) = check_bill(ours(), {"amount.energy": energy}, FACTOR, TOU3.editions)
    assert (found.cause, found.facts) == (Cause.EDITION, {"edition": older.edition})
