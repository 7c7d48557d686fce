"""The energy charge of a period: kWh by band times the price in force, the industry factor, rounded once.

Not a bill: basic charge, over-contract, power factor are no part of it.
"""

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from energy_center.domain.timeline import Interval
from energy_center.errors import NotFound
from energy_center.tariffs.tariff_model import Edition, Tariff

WATT_HOUR = Decimal("0.001")  # energies are priced to the watt-hour
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class IntervalEnergy:
    """Energy of an interval that lies in one band; `energy_kwh` None where unknown, `coverage` 0..1."""

    interval: Interval
    energy_kwh: float | None
    coverage: float = 1.0


@dataclass(frozen=True, slots=True)
class BandLine:
    """One line: `amount` = `energy_kwh` x `price`, exact, before the industry factor."""

    edition: str
    season: str
    band: str
    energy_kwh: Decimal
    price: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class EnergyCharge:
    """`total` is the sum of the lines times the factor, rounded half up to a cent of `currency`.

    `coverage` is the share 0..1 of the asked-for time whose energy was measured.
    """

    lines: tuple[BandLine, ...]
    industry_factor: Decimal
    total: Decimal
    currency: str
    coverage: float


def price_energy(
    tariff: Tariff, energies: Iterable[IntervalEnergy], industry_factor: Decimal
) -> EnergyCharge:
    """Price intervals of one period, each by the edition in force on its own day.

    An interval belongs to the band in force at its start; 15-min blocks never straddle a band. Raises
    NotFound where no edition covers a day. Without any interval the charge is zero with no coverage.
    """
    by_line: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    editions: dict[str, Edition] = {}
    asked_s = measured_s = 0.0
    for energy in energies:
        duration_s = energy.interval.duration.total_seconds()
        asked_s += duration_s
        if energy.energy_kwh is None:
            continue
        measured_s += duration_s * energy.coverage
        edition = tariff.edition_at(energy.interval.start.astimezone(tariff.editions[0].zone).date())
        editions[edition.edition] = edition
        season, band = edition.season_and_band(energy.interval.start)
        by_line[edition.edition, season, band].append(energy.energy_kwh)
    lines = tuple(_line(editions[key[0]], *key[1:], kwh) for key, kwh in sorted(by_line.items()))
    total = sum((line.amount for line in lines), Decimal(0)) * industry_factor
    return EnergyCharge(
        lines=lines,
        industry_factor=industry_factor,
        total=total.quantize(CENT, ROUND_HALF_UP),
        currency=tariff.editions[0].currency,
        coverage=measured_s / asked_s if asked_s else 0.0,
    )


def _line(edition: Edition, season: str, band: str, energies_kwh: list[float]) -> BandLine:
    energy = Decimal(math.fsum(energies_kwh)).quantize(WATT_HOUR, ROUND_HALF_UP)
    price = edition.energy_prices.get((season, band))
    if price is None:
        raise NotFound(f"{edition.tariff_id} prices by tiers of a month: only a whole bill can be priced")
    return BandLine(edition.edition, season, band, energy, price, energy * price)
