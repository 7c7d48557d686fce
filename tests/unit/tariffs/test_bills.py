"""Bills worked by hand from the official tables come out line by line, to the dollar."""

from decimal import Decimal

import pytest

from energy_center.tariffs.bill import bill_uses
from energy_center.tariffs.bill_model import Bill
from energy_center.tariffs.split_period import split_period
from tests.unit.tariffs.worked_bills import WorkedBill, worked_bills

BILLS = worked_bills()
TENTH_OF_A_CENT = Decimal("0.001")


def _bill(worked: WorkedBill) -> Bill:
    segments = split_period(worked.tariff, worked.account, worked.period)
    return bill_uses(worked.account, worked.period, segments, worked.uses, worked.power_factor_pct)


@pytest.mark.parametrize("worked", [pytest.param(w, id=w.name) for w in BILLS])
def test_every_line_is_as_worked_by_hand(worked: WorkedBill):
    found = _bill(worked)
    lines = [(x.kind.value, x.key, x.quantity, x.price, x.amount) for x in found.lines]
    assert [x[:2] for x in sorted(lines)] == [x[:2] for x in sorted(worked.lines)]
    for line, expected in zip(sorted(lines), sorted(worked.lines), strict=True):
        for number, by_hand in zip(line[2:], expected[2:], strict=True):
            assert abs(number - by_hand) <= TENTH_OF_A_CENT, (line, expected)
    assert found.total == worked.total


@pytest.mark.parametrize("worked", [pytest.param(w, id=w.name) for w in BILLS])
def test_every_line_is_its_quantity_times_its_price(worked: WorkedBill):
    for line in _bill(worked).lines:
        product = line.quantity * line.price * line.times * line.days / line.of_days
        assert abs(line.amount - product) <= Decimal("0.05"), line  # half of the coarsest rounding of a line
        assert line.clause
