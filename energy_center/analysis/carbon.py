"""CO2 of electricity by the official factor of each year; a year without its own factor is provisional."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from energy_center.errors import NotFound


@dataclass(frozen=True, slots=True)
class EmissionFactor:
    """kg CO2e per kWh of a calendar year, as announced; `checked_by` None says that nobody has checked it."""

    year: int
    kg_per_kwh: float
    announced_on: date | None
    source: str
    checked_by: str | None = None


@dataclass(frozen=True, slots=True)
class YearEmission:
    """One year's part. `is_provisional`: the factor is that of an earlier year (`factor.year`)."""

    year: int
    energy_kwh: float
    factor: EmissionFactor
    is_provisional: bool

    @property
    def kg(self) -> float:
        """Mass of CO2e in kg."""
        return self.energy_kwh * self.factor.kg_per_kwh


@dataclass(frozen=True, slots=True)
class Emission:
    """The sum over the years that a period touches, kg CO2e."""

    parts: tuple[YearEmission, ...]

    @property
    def kg(self) -> float:
        """Mass of CO2e in kg."""
        return sum(part.kg for part in self.parts)

    @property
    def is_provisional(self) -> bool:
        """Whether any year's own factor is not announced yet: the figure will be restated."""
        return any(part.is_provisional for part in self.parts)


def factor_of(year: int, factors: Sequence[EmissionFactor]) -> EmissionFactor:
    """The year's factor, else the latest before it; raises NotFound for a year before the first."""
    known = [factor for factor in factors if factor.year <= year]
    if not known:
        first = min((factor.year for factor in factors), default=None)
        raise NotFound(f"No emission factor for {year}; the first known is of {first}")
    return max(known, key=lambda factor: factor.year)


def emission(energy_kwh_by_year: Mapping[int, float], factors: Sequence[EmissionFactor]) -> Emission:
    """CO2 of electricity taken from the grid, by local calendar year."""
    parts = []
    for year, energy in sorted(energy_kwh_by_year.items()):
        factor = factor_of(year, factors)
        parts.append(YearEmission(year, energy, factor, factor.year != year))
    return Emission(tuple(parts))
