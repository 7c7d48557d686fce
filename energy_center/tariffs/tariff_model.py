"""A tariff in force: editions of a price table, their seasons, bands and hours, and what else they charge.

`tariff_file` makes editions from catalogue files; `price` and `bill` price with them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

from energy_center.domain.calendars import OffPeakRule, TariffDay, tariff_day
from energy_center.domain.site import Text
from energy_center.errors import ConfigError, NotFound
from energy_center.tariffs.charges import (
    Amount,
    Capacity,
    Customer,
    DemandCharge,
    EnergyAbove,
    Levy,
    LineKind,
    NamedPrice,
    PowerFactor,
    Rounding,
    Source,
    Strict,
    Tier,
    Vat,
)

Spans = tuple[tuple[int, str], ...]
"""(Minute of the day, band), rising from 0, each until the next."""


class WorkedExample(Strict):
    """A constant load over a local period and what its energy costs, worked by hand."""

    name: str
    start: datetime
    end: datetime
    load_kw: Amount
    industry_factor: Amount
    energy_kwh: Mapping[str, Amount]
    amount: Amount


@dataclass(frozen=True, slots=True)
class Season:
    """Days of a year by (month, day), both ends included; it may run over New Year."""

    name: str
    first: tuple[int, int]
    last: tuple[int, int]

    def contains(self, on: date) -> bool:
        """Whether a local date belongs to it."""
        day = (on.month, on.day)
        if self.first <= self.last:
            return self.first <= day <= self.last
        return day >= self.first or day <= self.last


@dataclass(frozen=True, slots=True)
class Charges:
    """What an edition charges beside energy by band; what is None or empty it does not charge.

    `tiers[season]` stand in place of prices by band. `clauses` name the paragraph of each kind of line.
    """

    capacity: Capacity | None = None
    customer: Customer | None = None
    demand: tuple[DemandCharge, ...] = ()
    tiers: Mapping[str, tuple[Tier, ...]] = field(default_factory=dict)
    energy_above: EnergyAbove | None = None
    riders: Mapping[str, NamedPrice] = field(default_factory=dict)
    items: Mapping[str, NamedPrice] = field(default_factory=dict)
    levies: Mapping[str, Levy] = field(default_factory=dict)
    power_factor: PowerFactor | None = None
    minimum: Decimal | None = None
    rounding: Rounding = field(default_factory=Rounding)
    clauses: Mapping[LineKind, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Edition:
    """One edition of a tariff. `valid_to` is the first date on which it no longer holds, None while open.

    Prices are per `unit` (kW.h or m3). An account may choose among tariffs of one `choice_of`. `demand_hours`
    say which demand counts for which band where that is not by `hours`; `told_hours[season]` hold on weekdays
    that the utility told the account of.
    """

    tariff_id: str
    edition: str
    name: Text
    choice_of: str | None
    currency: str
    unit: str
    zone: ZoneInfo
    valid_from: date
    valid_to: date | None
    vat: Vat
    source: Source
    seasons: tuple[Season, ...]
    otherwise: str
    bands: Mapping[str, Text]
    hours: Mapping[tuple[str, TariffDay], Spans]
    off_peak: OffPeakRule
    energy_prices: Mapping[tuple[str, str], Decimal]
    worked_examples: tuple[WorkedExample, ...]
    charges: Charges = field(default_factory=Charges)
    demand_hours: Mapping[tuple[str, TariffDay], Spans] = field(default_factory=dict)
    told_hours: Mapping[str, Spans] = field(default_factory=dict)

    def covers(self, on: date) -> bool:
        """Whether the edition is in force on a local date."""
        return self.valid_from <= on and (self.valid_to is None or on < self.valid_to)

    def season(self, on: date) -> str:
        """The season of a local date."""
        return next((s.name for s in self.seasons if s.contains(on)), self.otherwise)

    def spans(self, on: date, told_days: frozenset[date] = frozenset()) -> Spans:
        """The bands of a local date, by which its energy is priced."""
        season, kind = self.season(on), tariff_day(on, self.off_peak)
        if kind is TariffDay.WEEKDAY and on in told_days and season in self.told_hours:
            return self.told_hours[season]
        return self.hours[season, kind]

    def demand_spans(self, on: date) -> Spans:
        """The bands of a local date, by which its demand is held against the contract."""
        key = (self.season(on), tariff_day(on, self.off_peak))
        return self.demand_hours.get(key, self.hours[key])

    def season_and_band(self, at: datetime) -> tuple[str, str]:
        """Season and band in force at an instant, on a day that nothing was told of."""
        local = at.astimezone(self.zone)
        minute = 60 * local.hour + local.minute
        band = next(band for start, band in reversed(self.spans(local.date())) if start <= minute)
        return self.season(local.date()), band

    def clause(self, kind: LineKind) -> str:
        """The paragraph that a kind of line follows."""
        return self.charges.clauses.get(kind, self.source.clause)


@dataclass(frozen=True, slots=True)
class Tariff:
    """All known editions of one tariff, oldest first, none overlapping."""

    tariff_id: str
    editions: tuple[Edition, ...]

    def edition_at(self, on: date) -> Edition:
        """The edition in force on a local date. Raises NotFound where none is known."""
        for edition in self.editions:
            if edition.covers(on):
                return edition
        known = ", ".join(
            f"{e.edition} ({e.valid_from.isoformat()} to {e.valid_to.isoformat() if e.valid_to else 'now'})"
            for e in self.editions
        )
        raise NotFound(f"No edition of the tariff {self.tariff_id} covers {on.isoformat()}; known: {known}")


def join_editions(editions: Sequence[Edition]) -> Tariff:
    """Put a tariff's editions in order; an open one ends where the next begins. Raises ConfigError."""
    ordered = sorted(editions, key=lambda e: e.valid_from)
    joined: list[Edition] = []
    mistakes: list[str] = []
    for edition, following in pairwise([*ordered, None]):
        if edition is None:
            continue
        if following is None:
            joined.append(edition)
            continue
        ends = edition.valid_to or following.valid_from
        if ends > following.valid_from or ends <= edition.valid_from:
            mistakes.append(f"{edition.tariff_id}: editions {edition.edition}, {following.edition} overlap")
        joined.append(replace(edition, valid_to=ends))
    if mistakes:
        raise ConfigError(mistakes)
    return Tariff(ordered[0].tariff_id, tuple(joined))
