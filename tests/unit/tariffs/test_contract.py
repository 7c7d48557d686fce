"""The cheapest contract, its saving and its cost curve, and that they are what a bill would say."""

from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from energy_center.errors import Invalid
from energy_center.services.tariff_catalogue import tariff
from energy_center.tariffs.bill import bill_uses
from energy_center.tariffs.bill_model import Account, BillingPeriod, Contract, Use
from energy_center.tariffs.charges import LineKind
from energy_center.tariffs.contract import DemandPart, advise, choose, grown, parts_of
from energy_center.tariffs.split_period import split_period
from tests.unit.tariffs.every_contract import (
    CAPACITY3,
    TARIFFS,
    check_against_every_contract,
    three_stage_month,
)


@TARIFFS
def test_the_best_contract_is_that_of_trying_every_one(stages: int):
    for seed in range(1000, 1004):
        check_against_every_contract(stages, seed, highest=40)


def test_it_agrees_with_the_bill():
    """Basic charge with its part of the power factor, and over-contract, of a bill of the same month."""
    period = BillingPeriod(date(2026, 5, 1), date(2026, 5, 31))
    account = Account(
        (Contract(date(2026, 1, 1), {"regular": Decimal(500)}),), industry_factor=Decimal("1.017")
    )
    tou3 = tariff("taipower-hv-tou3")
    uses = [
        Use({"half_peak": Decimal(900)}, {"half_peak": Decimal(540), "off_peak": Decimal(300)}),
        Use({"peak": Decimal(900)}, {"peak": Decimal(610), "half_peak": Decimal(620)}),
    ]
    bill = bill_uses(account, period, split_period(tou3, account, period), uses, Decimal(92))
    basic = bill.sum_of(LineKind.BASIC) * (1 - Decimal("0.012"))
    expected = (basic + bill.sum_of(LineKind.OVER_CONTRACT)) * account.industry_factor
    present = advise(parts_of([bill], account.industry_factor), {"regular": Decimal(500)}).present
    assert abs(present.cost - expected) <= Decimal("0.01")
    assert present.over_parts == 2


def test_one_kind_alone_and_the_curve():
    parts = [DemandPart(CAPACITY3, "summer", {"peak": 40.0, "half_peak": 44.0}) for _ in range(4)]
    parts += [DemandPart(CAPACITY3, "non_summer", {"half_peak": 30.0}) for _ in range(8)]
    found = advise(parts, {"regular": Decimal(60)}, ["regular"])
    absent = {"saturday_half_peak": 0.0, "off_peak": 0.0}
    kw, none = np.arange(61.0), np.zeros(61)
    everywhere = 4 * three_stage_month("summer", {"peak": 40.0, "half_peak": 44.0, **absent}, kw, none, 0.0)
    everywhere = everywhere + 8 * three_stage_month(
        "non_summer", {"half_peak": 30.0, **absent}, kw, none, 0.0
    )
    assert float(found.best.cost) == pytest.approx(everywhere[1:].min(), abs=0.01)
    assert found.best.kw == {"regular": int(everywhere.argmin())}
    assert found.saving == found.present.cost - found.best.cost
    assert found.curve[0][0] < found.best.kw["regular"] < found.curve[-1][0]
    assert min(cost for _, cost in found.curve) >= found.best.cost


def test_the_least_contract_is_kept():
    hv = tariff("taipower-hv-tou3").editions[-1].charges.capacity
    parts = [DemandPart(hv, "summer", {"peak": 20.0, "half_peak": 20.0})]
    best = choose(parts, ("regular", "half_peak"), {}, 100.0)
    assert sum(best.kw.values()) == 100


def test_growth_is_repeatable_and_moves_the_best_contract_up():
    parts = [DemandPart(CAPACITY3, "non_summer", {"half_peak": 50.0 + n}) for n in range(12)]
    future = grown(parts, 0.05, 0.02, 5, seed=7)
    assert future == grown(parts, 0.05, 0.02, 5, seed=7)
    assert len(future) == 60
    now, later = (choose(p, ("regular", "half_peak"), {}, 1.0) for p in (parts, future))
    assert sum(later.kw.values()) > sum(now.kw.values())


def test_nothing_to_choose_from_is_said():
    with pytest.raises(Invalid, match="nothing to choose"):
        advise([], {})
    with pytest.raises(Invalid, match="One or two of regular, half_peak"):
        advise([DemandPart(CAPACITY3, "summer", {})], {}, ["evening"])
