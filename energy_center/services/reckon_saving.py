"""What a finding's waste means: kWh by the tariff's bands in NT$, kg CO2 by the grid's factor of the year."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

from energy_center.analysis.carbon import Emission, emission
from energy_center.domain.alarms import Saving
from energy_center.domain.site import Site
from energy_center.domain.timeline import Interval, local_date, midnight
from energy_center.errors import NotFound
from energy_center.rules.rule import Waste
from energy_center.services.emission_factors import electricity_factors
from energy_center.services.tariff_catalogue import tariff
from energy_center.tariffs.price import IntervalEnergy, price_energy

QUARTER = timedelta(minutes=15)
DAY_S = 86_400.0


def reckon(
    waste: Waste | None, site: Site, building_id: str | None, onset: datetime, until: datetime
) -> Saving:
    """Spread the waste evenly over the time it lasted and price it there; None for what cannot be said."""
    if waste is None:
        return Saving()
    if waste.energy_kwh is None:
        return Saving(water_m3=_rounded(waste.water_m3), basis=waste.basis)
    lasted_s = max((until - onset).total_seconds(), 1.0)
    carbon = _emission(waste.energy_kwh, site, onset, until)
    return Saving(
        energy_kwh=_rounded(waste.energy_kwh),
        money_ntd=_price(waste.energy_kwh, site, building_id, onset, until),
        carbon_kg=None if carbon is None else _rounded(carbon.kg),
        per_day_kwh=_rounded(waste.energy_kwh * DAY_S / lasted_s),
        water_m3=_rounded(waste.water_m3),
        basis="; ".join([waste.basis, *_factors(carbon)]),
    )


def _emission(energy_kwh: float, site: Site, onset: datetime, until: datetime) -> Emission | None:
    """By the factor of each local year that it lasted in; None before the first year with a factor."""
    zone, lasted = ZoneInfo(site.time_zone), until - onset
    first, last = local_date(onset, zone).year, local_date(until, zone).year
    by_year = {last: energy_kwh}
    if lasted > timedelta(0) and first < last:
        edges = [onset, *(midnight(date(y, 1, 1), zone) for y in range(first + 1, last + 1)), until]
        parts = zip(range(first, last + 1), pairwise(edges), strict=True)
        by_year = {y: energy_kwh * ((end - start) / lasted) for y, (start, end) in parts if end > start}
    try:
        return emission(by_year, electricity_factors())
    except NotFound:
        return None


def _factors(carbon: Emission | None) -> list[str]:
    used = {} if carbon is None else {p.factor.year: p.factor.kg_per_kwh for p in carbon.parts}
    return [f"{kg_per_kwh} kg/kWh ({year})" for year, kg_per_kwh in used.items()]


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
