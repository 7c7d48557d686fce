"""Words of a bill: the account, its contracts, what was used in each part of the period, and the lines.

Quantities and money are exact Decimals. Dates are local to the tariff; a period's last day is included.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from energy_center.domain.site import Text
from energy_center.domain.timeline import Interval
from energy_center.errors import Invalid
from energy_center.tariffs.charges import LineKind
from energy_center.tariffs.tariff_model import Edition

WHOLE = 0.99
"""Coverage 0..1 under which a bill is provisional."""


@dataclass(frozen=True, slots=True)
class Contract:
    """Agreed capacity by kind in kW from a local date on; a kind that is absent is not contracted."""

    valid_from: date
    kw: Mapping[str, Decimal]

    def __post_init__(self) -> None:
        """Refuse what no utility would agree to."""
        negative = sorted(kind for kind, kw in self.kw.items() if kw < 0)
        if negative:
            raise Invalid(f"The contract of {self.valid_from.isoformat()} is negative: {', '.join(negative)}")

    def sum_kw(self, kinds: tuple[str, ...]) -> Decimal:
        """The capacity of several kinds together."""
        return sum((self.kw.get(kind, Decimal(0)) for kind in kinds), Decimal(0))


@dataclass(frozen=True, slots=True)
class Account:
    """What the utility knows of a customer beside the meter.

    `contracts` in any order. `connection` picks the customer charge, None the first. `told_days` are days of
    variable peak. `items` counts lamps and appliances without a meter.
    """

    contracts: tuple[Contract, ...] = ()
    industry_factor: Decimal = Decimal(1)
    vat_exempt: bool = False
    connection: str | None = None
    told_days: frozenset[date] = frozenset()
    items: Mapping[str, Decimal] = field(default_factory=dict)

    def contract_on(self, on: date) -> Contract | None:
        """The contract in force on a local date, None before the first."""
        begun = [c for c in self.contracts if c.valid_from <= on]
        return max(begun, key=lambda c: c.valid_from, default=None)


@dataclass(frozen=True, slots=True)
class BillingPeriod:
    """Local days, first and last included; `months` is how many monthly charges are due."""

    first: date
    last: date
    months: int = 1

    def __post_init__(self) -> None:
        """Refuse an empty period."""
        if self.last < self.first:
            raise Invalid(f"The billing period ends ({self.last}) before it begins ({self.first})")
        if self.months < 1:
            raise Invalid(f"A billing period stands for 1 month or more, found {self.months}")

    @property
    def days(self) -> int:
        """Number of days."""
        return (self.last - self.first).days + 1

    @property
    def end(self) -> date:
        """The day after the last."""
        return self.last + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Segment:
    """Days of a period with one edition, one season and one contract; `end` is the day after the last."""

    edition: Edition
    season: str
    contract: Contract | None
    first: date
    end: date

    @property
    def days(self) -> int:
        """Number of days."""
        return (self.end - self.first).days


@dataclass(frozen=True, slots=True)
class Use:
    """What was used in a segment, by band of the tariff.

    `energy` in the tariff's unit. `demand_kw`: highest 15-min mean; a band that is absent had no measured
    block. `coverage` 0..1 is the measured share of the segment, `missing` the spans that were not.
    """

    energy: Mapping[str, Decimal]
    demand_kw: Mapping[str, Decimal] = field(default_factory=dict)
    coverage: float = 1.0
    missing: tuple[Interval, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One line: `amount` = `quantity` x `price` x `times` x `days` / `of_days`, exact.

    `key` is the band, contract kind, rider or item; `label` its name where the tariff gives one. `unit` of
    the quantity: kW, kW.h, m3, 1 (pieces) or the currency. `coverage` None where nothing measured enters.
    """

    kind: LineKind
    key: str
    label: Text | None
    quantity: Decimal
    unit: str
    price: Decimal
    amount: Decimal
    clause: str
    edition: str
    season: str | None = None
    times: Decimal = Decimal(1)
    days: int = 1
    of_days: int = 1
    coverage: float | None = None


class NoteKind(StrEnum):
    """What a reader of a bill must know beside its lines."""

    PROVISIONAL = "provisional"  # energy is missing
    PEAK_OF_MEASURED = "peak_of_measured"  # a higher demand may lie in what was not measured
    UNCONFIRMED = "unconfirmed"  # prices that nobody compared with the utility's own table
    NO_POWER_FACTOR = "no_power_factor"  # the tariff adjusts by it, but it is not known
    NO_DEMAND = "no_demand"  # a band's demand is not known: over-contract cannot be judged
    ZERO_USE = "zero_use"
    BELOW_LEAST = "below_least"  # the contracts' sum is under the tariff's least
    OVER_TWICE = "over_twice"  # demand of more than twice the contract: check the meter's factor
    SPLIT = "split"  # prices, season or contract changed within the period


@dataclass(frozen=True, slots=True)
class Note:
    """A remark with its facts, worded by the reader's language elsewhere."""

    kind: NoteKind
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bill:
    """A bill: `exact` is the sum of the lines, `total` rounded once as the utility does.

    `vat_within` is the tax that the total holds, 0 for an exempt account.
    """

    tariff_id: str
    name: Text
    currency: str
    period: BillingPeriod
    segments: tuple[Segment, ...]
    uses: tuple[Use, ...]
    lines: tuple[Line, ...]
    exact: Decimal
    total: Decimal
    vat_within: Decimal
    coverage: float
    missing: tuple[Interval, ...]
    notes: tuple[Note, ...]
    power_factor_pct: Decimal | None

    @property
    def is_provisional(self) -> bool:
        """Whether too much of the period is not measured for the bill to be relied on."""
        return self.coverage < WHOLE

    @property
    def energy(self) -> Decimal:
        """Energy of the whole period in the tariff's unit, as billed."""
        return sum((x.quantity for x in self.lines if x.kind is LineKind.ENERGY), Decimal(0))

    def sum_of(self, *kinds: LineKind) -> Decimal:
        """What lines of some kinds amount to."""
        return sum((x.amount for x in self.lines if x.kind in kinds), Decimal(0))
