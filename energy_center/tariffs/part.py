"""One segment of a bill with all that its lines are made from."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from energy_center.domain.site import Text
from energy_center.tariffs.bill_model import Account, BillingPeriod, Line, Segment, Use
from energy_center.tariffs.charges import LineKind
from energy_center.tariffs.power_factor import to_step
from energy_center.tariffs.tariff_model import Edition

ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Part:
    """A segment, what it used, and the account and period that it belongs to."""

    account: Account
    period: BillingPeriod
    segment: Segment
    use: Use
    is_zero_use: bool = False

    @property
    def edition(self) -> Edition:
        """The prices in force."""
        return self.segment.edition

    @property
    def months(self) -> Decimal:
        """How many monthly charges the whole period owes."""
        return Decimal(self.period.months)

    @property
    def energy(self) -> Mapping[str, Decimal]:
        """Energy by band, rounded as on a bill."""
        step = self.edition.charges.rounding.energy
        return {band: to_step(amount, step) for band, amount in self.use.energy.items()}

    @property
    def demand_kw(self) -> Mapping[str, Decimal]:
        """Highest demand by band, rounded as on a bill."""
        step = self.edition.charges.rounding.demand
        return {band: to_step(kw, step) for band, kw in self.use.demand_kw.items()}

    @property
    def basic_times(self) -> Decimal:
        """What a month's basic charge is multiplied by: the months, less in a month of zero use."""
        capacity = self.edition.charges.capacity
        share = capacity.zero_use_share if capacity else None
        return self.months * (share if self.is_zero_use and share is not None else ONE)

    def of_month(self, amount: Decimal) -> Decimal:
        """The segment's share by days of something that is given by month."""
        return amount * self.months * self.segment.days / self.period.days

    def monthly(
        self,
        kind: LineKind,
        key: str,
        label: Text | None,
        quantity: Decimal,
        price: Decimal,
        *,
        unit: str = "kW",
        times: Decimal = ONE,
        coverage: float | None = None,
    ) -> Line:
        """A line of a charge per month, shared by days."""
        days, of_days = self.segment.days, self.period.days
        return Line(
            kind=kind,
            key=key,
            label=label,
            quantity=quantity,
            unit=unit,
            price=price,
            amount=quantity * price * times * days / of_days,
            clause=self.edition.clause(kind),
            edition=self.edition.edition,
            season=self.segment.season,
            times=times,
            days=days,
            of_days=of_days,
            coverage=coverage,
        )

    def metered(
        self,
        kind: LineKind,
        key: str,
        label: Text | None,
        quantity: Decimal,
        price: Decimal,
        *,
        times: Decimal = ONE,
    ) -> Line:
        """A line of energy."""
        return Line(
            kind=kind,
            key=key,
            label=label,
            quantity=quantity,
            unit=self.edition.unit,
            price=price,
            amount=quantity * price * times,
            clause=self.edition.clause(kind),
            edition=self.edition.edition,
            season=self.segment.season,
            times=times,
            coverage=self.use.coverage,
        )
