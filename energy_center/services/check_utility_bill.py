"""The utility's bill held against ours, and the days on which the meter may have been read instead."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from energy_center.services.bill_building import Metered, bills_of
from energy_center.tariffs.bill_model import Account, Bill, BillingPeriod
from energy_center.tariffs.check_bill import Cause, Difference, check_bill
from energy_center.tariffs.measure import Measured
from energy_center.tariffs.reading_days import find_reading_days
from energy_center.tariffs.tariff_model import Edition


@dataclass(frozen=True, slots=True)
class Checked:
    """Differences in the order of the utility's figures; `read_on` None where no other days explain them."""

    differences: Sequence[Difference]
    read_on: BillingPeriod | None

    @property
    def agrees(self) -> bool:
        """Whether every figure does."""
        return all(d.cause is Cause.SAME for d in self.differences)


def check_utility_bill(
    bill: Bill,
    theirs: Mapping[str, Decimal],
    account: Account,
    series: Measured,
    editions: Sequence[Edition] = (),
) -> Checked:
    """Compare figure by figure; where all energy differs, look for the days that fit the utility's."""
    differences = check_bill(bill, theirs, account.industry_factor, editions)
    energy = theirs.get("energy") or sum(
        (amount for name, amount in theirs.items() if name.startswith("energy.")), Decimal(0)
    )
    read_on = None
    if energy and any(d.cause is Cause.READING_DATE for d in differences):
        read_on = find_reading_days(bill.period, series, energy, bill.segments[-1].edition.zone)
    return Checked(differences, read_on)


def check_metered(found: Metered, period: BillingPeriod, theirs: Mapping[str, Decimal]) -> Checked:
    """The same for a building."""
    (made,) = bills_of(found, [period])
    return check_utility_bill(made.bill, theirs, found.held.account, found.series, found.held.tariff.editions)
