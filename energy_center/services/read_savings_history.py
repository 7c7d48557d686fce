"""Twelve whole months of a building as the catalogue of measures reads them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from energy_center.domain.calendars import GovernmentCalendar
from energy_center.domain.quantities import Kind, Role
from energy_center.domain.readings import PointId
from energy_center.domain.site import Equipment, Point, Site, Space
from energy_center.domain.timeline import local_date, midnight
from energy_center.errors import Invalid, NotFound
from energy_center.rules.find_rules import rules
from energy_center.services.account import account_of
from energy_center.services.bill_building import Metered, bills_of, last_months, read_metered
from energy_center.services.change_alarm import BEFORE_ONSET
from energy_center.services.compare_plans import compare_plans
from energy_center.services.current_site import current_site
from energy_center.services.emission_factors import electricity_factors
from energy_center.services.metered_quarters import read_quarters
from energy_center.store.alarms import ListedAlarm, listed_alarms
from energy_center.store.pool import Database
from energy_center.store.series import Grain, Series, read_series
from energy_center.suggestions.cooling import RUNNING_KW
from energy_center.suggestions.history import (
    METER_CLASSES,
    Billing,
    Floats,
    History,
    OpenFinding,
    PlanOffer,
)
from energy_center.tariffs.bill_model import BillingPeriod

MONTHS = 12
_QUARTER_S = 900
_US = 1_000_000
_SERIES = frozenset(
    {
        Role.ACTIVE_POWER,
        Role.CHILLED_WATER_FLOW,
        Role.CHILLED_WATER_SUPPLY_TEMPERATURE,
        Role.CHILLED_WATER_RETURN_TEMPERATURE,
        Role.CONDENSER_WATER_ENTERING_TEMPERATURE,
        Role.OUTDOOR_AIR_TEMPERATURE,
        Role.OUTDOOR_AIR_HUMIDITY,
        Role.RAIN_DEPTH,
        Role.TANK_INLET_VOLUME,
        Role.TANK_LEVEL,
        Role.WATER_VOLUME,
    }
)
_CHILLERS = frozenset({"Centrifugal_Chiller", "Chiller"})
_ZONES_FROM = timedelta(days=31)
_OFFICE_H = (9.0, 17.5)
_ELSEWHERE = frozenset({"Weather_Station", "Rainwater_Tank"})  # a site has one for all its buildings


@dataclass(frozen=True, slots=True)
class Frame:
    """The quarter-hours of some months of a time zone, with the office calendar."""

    start: datetime
    end: datetime
    start_s: np.ndarray
    hour: Floats
    days: tuple[date, ...]
    day_of: np.ndarray
    is_working: np.ndarray


def frame_of(periods: Sequence[BillingPeriod], zone: ZoneInfo, calendar: GovernmentCalendar) -> Frame:
    """Quarter-hours of whole months; hours are the wall's."""
    start, end = midnight(periods[0].first, zone), midnight(periods[-1].end, zone)
    start_s = np.arange(round(start.timestamp()), round(end.timestamp()), _QUARTER_S, dtype=np.int64)
    days = tuple(
        periods[0].first + timedelta(days=n) for n in range((periods[-1].end - periods[0].first).days)
    )
    edges = np.array([midnight(on, zone).timestamp() for on in days])
    day_of = np.searchsorted(edges, start_s, side="right").astype(np.int64) - 1
    hour = (start_s - edges[day_of]) / 3600.0
    working = np.array([calendar.is_working_day(on) for on in days], dtype=np.bool_)
    return Frame(start, end, start_s, hour, days, day_of, working[day_of])


async def read_savings_history(db: Database, building_id: str, now: datetime) -> History:
    """The twelve whole months before this one. Raises NotFound for an unknown building."""
    site = await current_site(db)
    space = next((s for s in site.buildings if s.space_id == building_id), None)
    if space is None:
        known = ", ".join(s.space_id for s in site.buildings)
        raise NotFound(f"No building '{building_id}'; there are: {known}")
    zone = ZoneInfo(site.time_zone)
    frame = frame_of(
        last_months(local_date(now, zone), MONTHS), zone, GovernmentCalendar(site.holidays_of_country)
    )
    equipment = tuple(e for e in site.equipment if site.building_of(e.space_id) == building_id)
    shared = tuple(e for e in site.equipment if e.brick_class in _ELSEWHERE and e not in equipment)
    power = await _meters(db, equipment, frame)
    return History(
        space=space,
        spaces=tuple(s for s in site.spaces if site.building_of(s.space_id) == building_id),
        equipment=equipment,
        zone=zone,
        start_s=frame.start_s,
        hour=frame.hour,
        days=frame.days,
        day_of=frame.day_of,
        is_working=frame.is_working,
        power_kw=power,
        parents=_parents(equipment, power),
        gauges=await _gauges(db, [*equipment, *shared], frame),
        factors=electricity_factors(),
        billing=await _billing(db, space, now, zone),
        findings=await _findings(db, building_id, now),
        zones=await _zones(db, equipment, now, site),
    )


async def _meters(db: Database, equipment: Sequence[Equipment], frame: Frame) -> dict[str, Floats]:
    """Mean power by meter from its register; a meter without one is left out."""
    found = {}
    for meter in equipment:
        register = meter.point(Role.ENERGY_IMPORT) if meter.brick_class in METER_CLASSES else None
        if register is not None:
            held = await read_quarters(db, register, frame.start, frame.end)
            found[meter.equipment_id] = held.energy * 3600.0 / _QUARTER_S
    return found


def _parents(equipment: Sequence[Equipment], power: Mapping[str, Floats]) -> dict[str, str]:
    return {
        e.equipment_id: e.fed_by
        for e in equipment
        if e.equipment_id in power and e.fed_by in power and e.fed_by
    }


async def _gauges(
    db: Database, equipment: Sequence[Equipment], frame: Frame
) -> dict[tuple[str, Role], Floats]:
    asked = [p for e in equipment for p in e.points if p.role in _SERIES]
    found = {(p.equipment_id, p.role): await _counted(db, p, frame) for p in asked if p.kind is Kind.COUNTER}
    points = [p for p in asked if p.kind is not Kind.COUNTER]
    for first in range(0, len(points), 20):  # twenty points of a year are 700,000 rows
        part = points[first : first + 20]
        rows = await read_series(db, [p.point_id for p in part], frame.start, frame.end, Grain.QUARTER)
        found.update(await asyncio.to_thread(_placed, part, rows, frame))
    return found


async def _counted(db: Database, register: Point, frame: Frame) -> Floats:
    """What a register counted in each quarter-hour; NaN where none of it was measured."""
    held = await read_quarters(db, register, frame.start, frame.end)
    return np.where(held.coverage > 0, held.energy, np.nan)


def _placed(
    points: Sequence[Point], rows: Mapping[PointId, Series], frame: Frame
) -> dict[tuple[str, Role], Floats]:
    found = {}
    for point in points:
        series = rows[point.point_id]
        placed: Floats = np.full(len(frame.start_s), np.nan)
        place = (series.at_us // _US - frame.start_s[0]) // _QUARTER_S
        covered = series.coverage > 0
        placed[place[covered]] = series.value[covered]
        found[point.equipment_id, point.role] = placed
    return found


async def _zones(
    db: Database, equipment: Sequence[Equipment], now: datetime, site: Site
) -> dict[str, Floats]:
    """What zones had in office hours of the last weeks while any chiller took power."""
    points = {
        p.point_id: e.equipment_id for e in equipment if (p := e.point(Role.ZONE_TEMPERATURE)) is not None
    }
    powers = [
        p.point_id
        for e in equipment
        if e.brick_class in _CHILLERS and (p := e.point(Role.ACTIVE_POWER)) is not None
    ]
    rows = await read_series(db, [*points, *powers], now - _ZONES_FROM, now, Grain.QUARTER)
    cooled = {int(at) for p in powers for at in rows[p].at_us[rows[p].value > RUNNING_KW]}
    office = _office(sorted(cooled), ZoneInfo(site.time_zone), GovernmentCalendar(site.holidays_of_country))
    return {
        name: rows[point].value[np.isin(rows[point].at_us, office) & (rows[point].coverage > 0)]
        for point, name in points.items()
    }


def _office(at_us: Sequence[int], zone: ZoneInfo, calendar: GovernmentCalendar) -> list[int]:
    """Those in office hours, an hour after opening."""
    local = [(at, datetime.fromtimestamp(at / _US, zone)) for at in at_us]
    return [
        at
        for at, wall in local
        if calendar.is_working_day(wall.date())
        and _OFFICE_H[0] <= wall.hour + wall.minute / 60 < _OFFICE_H[1]
    ]


async def _billing(db: Database, space: Space, now: datetime, zone: ZoneInfo) -> Billing | None:
    """None where the building has no tariff, no main meter, or months that no price table covers."""
    periods = last_months(local_date(now, zone), MONTHS)
    try:
        account_of(space)
        metered = await read_metered(db, space.space_id, periods)
        return await asyncio.to_thread(_billed, metered, periods)
    except (NotFound, Invalid):
        return None


def _billed(metered: Metered, periods: Sequence[BillingPeriod]) -> Billing:
    made = bills_of(metered, periods)
    factors = tuple(b.bill.power_factor_pct for b in made)
    held = metered.held
    plans = tuple(
        PlanOffer(
            plan.tariff.editions[-1].name,
            float(
                plan.total if plan.tariff.tariff_id == held.tariff.tariff_id else plan.at_best or plan.total
            ),
            plan.tariff.tariff_id == held.tariff.tariff_id,
            dict(plan.best.kw) if plan.best else {},
        )
        for plan in compare_plans(held.tariff, held.account, periods, metered.series, factors)
    )
    return Billing(held.tariff, held.account, tuple(periods), metered.series, factors, plans)


async def _findings(db: Database, building_id: str, now: datetime) -> tuple[OpenFinding, ...]:
    """Alarms that stand and whose waste a day is known."""
    async with db.connection() as conn:
        listed = await listed_alarms(conn, open_only=True, limit=500)
    found = []
    for row in listed:
        per_day_kwh, per_day_m3 = waste_a_day(row)
        is_known = per_day_kwh is not None or per_day_m3 is not None
        if row.building_id != building_id or not is_known or row.alarm.returned_at is not None:
            continue
        entry = rules().get(row.alarm.rule_id)
        if entry is None:
            continue
        days = max((now - row.alarm.onset_at) / timedelta(days=1), 0.0)
        found.append(
            OpenFinding(
                int(row.alarm.alarm_id),
                row.alarm.rule_id,
                row.alarm.equipment_id,
                entry.rule.name(),
                days,
                per_day_kwh,
                per_day_m3,
            )
        )
    return tuple(found)


def waste_a_day(row: ListedAlarm) -> tuple[float | None, float | None]:
    """KWh and m3 a day; water is told for the time from onset to raising that the evidence shows."""
    per_day_kwh, water_m3 = row.suggestion.get("per_day_kwh"), row.suggestion.get("water_m3")
    ends = [row.evidence.get(name) for name in ("window_from", "window_to")]
    per_day_m3 = None
    if water_m3 and all(ends):
        start, end = (datetime.fromisoformat(str(at)) for at in ends)
        lasted = end - start - BEFORE_ONSET
        per_day_m3 = float(water_m3) * (timedelta(days=1) / lasted) if lasted > timedelta(0) else None
    return None if per_day_kwh is None else float(per_day_kwh), per_day_m3
