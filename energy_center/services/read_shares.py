"""Of a building over a period: own use of photovoltaics, rainwater share; a meter at last year's weather."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from energy_center.analysis.counters import FloatArray
from energy_center.analysis.degree_days import (
    COOLING_BASE_C,
    DegreeDays,
    WeatherModel,
    at_other_weather,
    degree_days,
    fit_weather_model,
)
from energy_center.analysis.eui import SelfConsumption, rainwater_share, self_consumption
from energy_center.analysis.grid import Step, edges_of
from energy_center.analysis.insufficient import Insufficient
from energy_center.domain.calendars import GovernmentCalendar
from energy_center.domain.quantities import Role
from energy_center.domain.site import Equipment, Point, Site
from energy_center.domain.timeline import Interval
from energy_center.errors import Invalid, NotFound
from energy_center.services.current_site import current_site
from energy_center.services.overview_parts import main_meter
from energy_center.services.read_energy import MOST_DAYS, energies_of, read_energy
from energy_center.store.pool import Database
from energy_center.store.series import Grain, read_series

WHOLE = 0.99
_US = 1e6
_HOUR_S = 3600.0
_YEAR = timedelta(days=364)  # the same weekdays


@dataclass(frozen=True, slots=True)
class BuildingShares:
    """`solar` in kWh and `rain_share` 0..1 are None where `not_known` says why; water in m3.

    `coverage` is that of the least covered meter. Rain is what the tank gave less what the mains topped up.
    """

    building_id: str
    start: datetime
    end: datetime
    solar: SelfConsumption | None
    rain_m3: float | None
    mains_m3: float | None
    rain_share: float | None
    coverage: float
    not_known: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Sum:
    amount: float | None
    coverage: float


async def read_shares(db: Database, building_id: str, period: Interval) -> BuildingShares:
    """Raises NotFound for no such building, Invalid for too long a period."""
    _check(period)
    site = await current_site(db)
    if building_id not in {b.space_id for b in site.buildings}:
        raise NotFound(f"No building '{building_id}'.")
    edges = edges_of(period, Step.DAY, ZoneInfo(site.time_zone))
    edges = np.array([edges[0], edges[-1]])
    wanted = _meters(site, building_id)
    sums = {name: await _sum(db, points, edges) for name, points in wanted.items()}
    missing = [f"{name} is not measured" for name, found in sums.items() if found.amount is None]
    generated, imported = sums["generation"].amount, sums["grid import"].amount
    exported = sums["grid export"].amount or 0.0  # a site without an export meter uses all of it
    outlet, top_up, mains = (sums[n].amount for n in ("rain tank outlet", "rain tank top-up", "mains water"))
    rain = None if outlet is None else max(outlet - (top_up or 0.0), 0.0)
    return BuildingShares(
        building_id=building_id,
        start=datetime.fromtimestamp(float(edges[0]), UTC),
        end=datetime.fromtimestamp(float(edges[-1]), UTC),
        solar=None
        if generated is None or imported is None
        else self_consumption(generated, exported, imported),
        rain_m3=rain,
        mains_m3=mains,
        rain_share=None if rain is None or mains is None else rainwater_share(rain, mains),
        coverage=min((s.coverage for s in sums.values() if s.amount is not None), default=0.0),
        not_known=tuple(missing),
    )


def _check(period: Interval) -> None:
    if period.duration > timedelta(days=MOST_DAYS):
        raise Invalid(f"At most {MOST_DAYS} days at once.")


def _meters(site: Site, building_id: str) -> dict[str, list[Point]]:
    here = tuple(e for e in site.equipment if site.building_of(e.space_id) == building_id)
    main = main_meter(building_id, here)
    tanks = [e for e in here if e.point(Role.TANK_OUTLET_VOLUME) is not None]
    others = [e for e in here if e is not main]
    return {
        "generation": _points(others, Role.ENERGY_EXPORT),
        "grid import": _points([main] if main else [], Role.ENERGY_IMPORT),
        "grid export": _points([main] if main else [], Role.ENERGY_EXPORT),
        "rain tank outlet": _points(tanks, Role.TANK_OUTLET_VOLUME),
        "rain tank top-up": _points(tanks, Role.MAINS_VOLUME),
        "mains water": _points([e for e in here if e.meters == building_id], Role.WATER_VOLUME),
    }


def _points(equipment: Sequence[Equipment], role: Role) -> list[Point]:
    return [p for e in equipment if (p := e.point(role)) is not None]


async def _sum(db: Database, points: Sequence[Point], edges_s: FloatArray) -> _Sum:
    """The sum of points over one interval; None without points or where one says nothing."""
    found = await energies_of(db, {f"{p.equipment_id}.{p.name}": p for p in points}, edges_s)
    totals = [part.energies.total for part in found.values()]
    known = [total for total in totals if total is not None]
    coverage = min((part.energies.total_coverage for part in found.values()), default=0.0)
    return _Sum(sum(known) if known and len(known) == len(totals) else None, coverage)


@dataclass(frozen=True, slots=True)
class WeatherComparison:
    """A meter's days against the weather: cooling degree days (base 18.3 °C) now and a year before, K·d.

    `at_last_years_weather` is what the period would have consumed then, in the meter's unit; None where
    `not_known` says why.
    """

    meter: str
    unit: str
    start: datetime
    end: datetime
    consumption: float | None
    cooling_days: float | None
    cooling_days_last_year: float | None
    model: WeatherModel | None
    at_last_years_weather: float | None
    not_known: tuple[str, ...]


async def read_weather_comparison(db: Database, meter: str, period: Interval) -> WeatherComparison:
    """Raises NotFound without a weather station, Invalid for a wrong meter or too long a period."""
    _check(period)
    site = await current_site(db)
    station = next((p for e in site.equipment if (p := e.point(Role.OUTDOOR_AIR_TEMPERATURE))), None)
    if station is None:
        raise NotFound("No equipment measures the outdoor temperature.")
    found = await read_energy(db, meter, period, Step.DAY)
    edges = found.energies.edges_s
    now = await _cooling(db, station, edges)
    before = await _cooling(db, station, edges - _YEAR.total_seconds())
    calendar = GovernmentCalendar(site.holidays_of_country)
    works = np.array(
        [calendar.is_working_day(datetime.fromtimestamp(float(at), found.zone).date()) for at in edges[:-1]]
    )
    energy = np.where(found.energies.coverage >= WHOLE, found.energies.amount, np.nan)
    model = fit_weather_model(energy, now, works)
    reasons = list(model.reasons) if isinstance(model, Insufficient) else []
    if np.isnan(before).any():
        reasons.append(f"{int(np.isnan(before).sum())} days of last year are without temperatures")
    if np.isnan(now).any() or np.isnan(energy).any():
        reasons.append(f"{int((np.isnan(now) | np.isnan(energy)).sum())} days of the period are not whole")
    total = found.energies.total
    known = isinstance(model, WeatherModel) and not reasons and total is not None
    return WeatherComparison(
        meter=meter,
        unit=found.unit,
        start=datetime.fromtimestamp(float(edges[0]), UTC),
        end=datetime.fromtimestamp(float(edges[-1]), UTC),
        consumption=total,
        cooling_days=_total(now),
        cooling_days_last_year=_total(before),
        model=model if isinstance(model, WeatherModel) else None,
        at_last_years_weather=at_other_weather(model, total, now, before)
        if known and isinstance(model, WeatherModel) and total is not None
        else None,
        not_known=tuple(reasons),
    )


def _total(cooling: FloatArray) -> float | None:
    return None if np.isnan(cooling).any() else float(cooling.sum())


async def _cooling(db: Database, station: Point, edges_s: FloatArray) -> FloatArray:
    """Cooling degree days of each day, NaN where its temperatures are not nearly whole."""
    start, end = (datetime.fromtimestamp(float(at), UTC) for at in (edges_s[0], edges_s[-1]))
    hour = timedelta(hours=1)
    hours = (await read_series(db, [station.point_id], start - hour, end + hour, Grain.HOUR))[
        station.point_id
    ]
    middle = hours.at_us / _US + _HOUR_S / 2.0
    days = degree_days(middle, hours.value, edges_s, 2.5 * _HOUR_S, COOLING_BASE_C)
    return np.array([_of_day(found) for found in days])


def _of_day(found: DegreeDays | None) -> float:
    return np.nan if found is None or found.coverage < _NEARLY_WHOLE else found.cooling


_NEARLY_WHOLE = 0.9  # weather changes slowly: an hour or two without it does not spoil a day
