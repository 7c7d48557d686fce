"""Figures of a space over a period: kWh, EUI, per head, CO2; and a meter against like days of last year."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from energy_center.analysis.carbon import Emission, emission
from energy_center.analysis.compare import Comparison, DayEnergy, compare_days, like_day
from energy_center.analysis.eui import Intensity, intensity
from energy_center.analysis.grid import Step
from energy_center.analysis.insufficient import Insufficient
from energy_center.analysis.intervals import Energies
from energy_center.domain.calendars import GovernmentCalendar
from energy_center.domain.site import Site, Space
from energy_center.domain.timeline import Interval, day, local_date
from energy_center.errors import Invalid, NotFound
from energy_center.services.current_site import current_site
from energy_center.services.emission_factors import electricity_factors
from energy_center.services.read_energy import MOST_DAYS, MeterEnergy, energy_unit, metered_point, read_energy
from energy_center.store.pool import Database

WHOLE = 0.99
_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class SpaceFigures:
    """Electricity of a space over [start, end).

    `meter` is the expression that measures it; `allocated_share` 0..1 is the part of the building's energy
    that a space without a meter gets by its floor area, None where it is measured. `emission` None without
    energy.
    """

    space_id: str
    start: datetime
    end: datetime
    meter: str
    allocated_share: float | None
    energy_kwh: float | None
    coverage: float
    area_m2: float | None
    headcount: float | None
    intensity: Intensity | Insufficient
    emission: Emission | None


def number_of(space: Space, name: str) -> float | None:
    """A number among a space's attributes, None where it is not given."""
    found = space.attributes.get(name)
    return float(found) if isinstance(found, int | float) else None


def meter_of_space(site: Site, space_id: str) -> str | None:
    """The expression of the electricity meters that measure a whole space; a building's main meter alone."""
    found = [
        e
        for e in site.equipment
        if e.meters == space_id and (p := metered_point(e)) is not None and energy_unit(p) == "kW.h"
    ]
    main = [e for e in found if "Building" in e.brick_class] or found
    fed = {e.equipment_id for e in main}
    return " + ".join(e.equipment_id for e in main if e.fed_by not in fed) or None


def measured_by(site: Site, space: Space) -> tuple[str, float | None]:
    """The meters of a space, else its building's with the space's share of the floor area."""
    own = meter_of_space(site, space.space_id)
    if own is not None:
        return own, None
    building_id = site.building_of(space.space_id)
    building = next((s for s in site.spaces if s.space_id == building_id), None)
    meter = meter_of_space(site, building.space_id) if building is not None else None
    area, whole = (
        number_of(space, "area_m2"),
        number_of(building, "area_m2") if building is not None else None,
    )
    if meter is None or not area or not whole:
        raise NotFound(
            f"'{space.space_id}' has no electricity meter, and no floor area to share its building's by."
        )
    return meter, min(area / whole, 1.0)


async def read_space_figures(db: Database, space_id: str, period: Interval) -> SpaceFigures:
    """Raises NotFound for an unknown space or one that no meter bears on, Invalid for more than 400 days."""
    check_period(period)
    site = await current_site(db)
    space = next((s for s in site.spaces if s.space_id == space_id), None)
    if space is None:
        raise NotFound(f"No space '{space_id}'.")
    meter, share = measured_by(site, space)
    found = await read_energy(db, meter, period, Step.DAY)
    energies = found.energies
    total = energies.total
    energy = None if total is None else total * (1.0 if share is None else share)
    area, heads = number_of(space, "area_m2"), number_of(space, "headcount")
    return SpaceFigures(
        space_id=space_id,
        start=datetime.fromtimestamp(float(energies.edges_s[0]), UTC),
        end=datetime.fromtimestamp(float(energies.edges_s[-1]), UTC),
        meter=meter,
        allocated_share=share,
        energy_kwh=energy,
        coverage=energies.total_coverage,
        area_m2=area,
        headcount=heads,
        intensity=intensity(
            energy, energies.total_coverage, float(np.ptp(energies.edges_s)) / _DAY_S, area, heads
        ),
        emission=None if energy is None else _emission(energies, found.zone, 1.0 if share is None else share),
    )


def _emission(energies: Energies, zone: ZoneInfo, share: float) -> Emission:
    by_year: dict[int, float] = defaultdict(float)
    for start, amount in zip(energies.edges_s[:-1], energies.amount, strict=True):
        if not np.isnan(amount):
            by_year[datetime.fromtimestamp(float(start), zone).year] += float(amount) * share
    return emission(by_year, electricity_factors())


@dataclass(frozen=True, slots=True)
class YearComparison:
    """A meter's period against the like days of the year before."""

    meter: str
    unit: str
    start: datetime
    end: datetime
    comparison: Comparison


async def read_comparison(db: Database, meter: str, period: Interval, now: datetime) -> YearComparison:
    """Compare the whole local days of a period, up to yesterday, with like days of last year."""
    check_period(period)
    site = await current_site(db)
    zone = ZoneInfo(site.time_zone)
    calendar = GovernmentCalendar(site.holidays_of_country)
    days = [d for d in _days(period, zone) if day(d, zone).end <= now]
    if not days:
        raise Invalid("The period holds no whole day yet.")
    likes = [like for d in days if (like := like_day(d, calendar)) is not None]
    here = await read_energy(db, meter, Interval(day(days[0], zone).start, day(days[-1], zone).end), Step.DAY)
    energies = _by_day(here)
    if likes:
        span = Interval(day(min(likes), zone).start, day(max(likes), zone).end)
        energies = _by_day(await read_energy(db, meter, span, Step.DAY)) | energies
    return YearComparison(
        meter,
        here.unit,
        day(days[0], zone).start,
        day(days[-1], zone).end,
        compare_days(days, energies, calendar, WHOLE),
    )


def check_period(period: Interval) -> None:
    """Raise Invalid for more than 400 days."""
    if period.duration > timedelta(days=MOST_DAYS):
        raise Invalid(f"At most {MOST_DAYS} days at once.")


def _days(period: Interval, zone: ZoneInfo) -> list[date]:
    first, last = local_date(period.start, zone), local_date(period.end - timedelta(microseconds=1), zone)
    return [first + timedelta(days=i) for i in range((last - first).days + 1)]


def _by_day(found: MeterEnergy) -> dict[date, DayEnergy]:
    energies = found.energies
    return {
        datetime.fromtimestamp(float(start), found.zone).date(): DayEnergy(
            None if np.isnan(amount) else float(amount), float(coverage)
        )
        for start, amount, coverage in zip(
            energies.edges_s[:-1], energies.amount, energies.coverage, strict=True
        )
    }
