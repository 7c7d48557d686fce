"""What a finding's waste means: kWh by the tariff's bands in NT$, kg CO2 by the grid's factor."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from energy_center.domain.alarms import Saving
from energy_center.domain.site import Site
from energy_center.domain.timeline import Interval
from energy_center.errors import NotFound
from energy_center.rules.rule import Waste
from energy_center.services.tariff_catalogue import tariff
from energy_center.tariffs.price import IntervalEnergy, price_energy

QUARTER = timedelta(minutes=15)
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class GridFactor:
    """kg CO2e per kWh of a calendar year, as announced."""

    year: int
    kg_per_kwh: float
    source: str


# Provisional for the years after 2024, until their own factor is announced in the April that follows.
GRID_FACTOR = GridFactor(2024, 0.474, "能源署 113 年度電力排碳係數 (announced 2025-04-14)")


def reckon(
    waste: Waste | None, site: Site, building_id: str | None, onset: datetime, until: datetime
) -> Saving:
    """Spread the waste evenly over the time it lasted and price it there; None for what cannot be said."""
    if waste is None:
        return Saving()
    if waste.energy_kwh is None:
        return Saving(water_m3=_rounded(waste.water_m3), basis=waste.basis)
    lasted_s = max((until - onset).total_seconds(), 1.0)
    factor = f"{GRID_FACTOR.kg_per_kwh} kg/kWh ({GRID_FACTOR.year})"
    return Saving(
        energy_kwh=_rounded(waste.energy_kwh),
        money_ntd=_price(waste.energy_kwh, site, building_id, onset, until),
        carbon_kg=_rounded(waste.energy_kwh * GRID_FACTOR.kg_per_kwh),
        per_day_kwh=_rounded(waste.energy_kwh * DAY_S / lasted_s),
        water_m3=_rounded(waste.water_m3),
        basis=f"{waste.basis}; {factor}",
    )


def _rounded(figure: float | None) -> float | None:
    return None if figure is None else round(figure, 2)


def _price(
    energy_kwh: float, site: Site, building_id: str | None, onset: datetime, until: datetime
) -> float | None:
    building = next((s for s in site.spaces if s.space_id == building_id), None)
    tariff_id = building.attributes.get("tariff") if building else None
    if building is None or not isinstance(tariff_id, str) or until <= onset:
        return None
    factor = Decimal(str(building.attributes.get("industry_factor", 1)))
    quarters = list(_quarters(onset, until))
    total_s = (until - onset).total_seconds()
    energies = [IntervalEnergy(q, energy_kwh * q.duration.total_seconds() / total_s) for q in quarters]
    try:
        return float(price_energy(tariff(tariff_id), energies, factor).total)
    except NotFound:
        return None


def _quarters(onset: datetime, until: datetime) -> Iterator[Interval]:
    at = onset
    while at < until:
        past = timedelta(seconds=at.timestamp() % QUARTER.total_seconds())
        end = min(at - past + QUARTER, until)
        yield Interval(at, end)
        at = end
