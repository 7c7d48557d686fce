"""Energy, water and gas of meters over a period: by hour, day or month, with coverage and how it was found.

From the registers in the roll-ups, so that late data, corrections and recorded exchanges are in every figure.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from energy_center.analysis.balance import Balance, balance
from energy_center.analysis.buckets import of_power_buckets, of_register_buckets
from energy_center.analysis.counters import CounterEvent, FloatArray
from energy_center.analysis.grid import Step, edges_of
from energy_center.analysis.intervals import Energies, Method
from energy_center.analysis.registers import Exchange
from energy_center.analysis.virtual_meters import BadExpression, VirtualMeter, parse_virtual_meter
from energy_center.domain.quantities import Kind, Role
from energy_center.domain.site import Equipment, Point, Site
from energy_center.domain.timeline import Interval
from energy_center.errors import Invalid, NotFound
from energy_center.services.current_site import current_site
from energy_center.services.recorded_exchanges import read_exchanges
from energy_center.services.registers import register_of
from energy_center.store.pool import Database
from energy_center.store.series import Grain, Series, read_series

# what a meter measures, the first that it has; power stands in where there is no register
METERED = (
    Role.ENERGY_IMPORT,
    Role.ENERGY_EXPORT,
    Role.WATER_VOLUME,
    Role.GAS_VOLUME,
    Role.MAINS_VOLUME,
    Role.TANK_OUTLET_VOLUME,
    Role.ACTIVE_POWER,
)
MOST_DAYS = 400  # of a figure that is one number
MOST_STEPS = 40_000  # a year of quarter-hours and some
_FINE_UP_TO = timedelta(days=100)  # longer periods are read by hours
_AROUND = timedelta(days=2)  # a register is looked for so far around the period, to bridge a gap at its ends
_ROWS_AT_ONCE = 200_000
_WIDTHS = {Grain.QUARTER: 900.0, Grain.HOUR: 3600.0}
_US = 1e6


@dataclass(frozen=True, slots=True)
class MeterPart:
    """A meter in an expression, the point that was read and its factor."""

    equipment_id: str
    point: str
    factor: float


@dataclass(frozen=True, slots=True, eq=False)
class MeterEnergy:
    """Amounts of a meter or an expression of meters, in `unit` (kW.h or m3).

    `events` are what happened to the registers within the period, each with its meter.
    """

    meter: str
    unit: str
    parts: tuple[MeterPart, ...]
    zone: ZoneInfo
    step: Step
    energies: Energies
    events: tuple[tuple[str, CounterEvent], ...]


def metered_point(equipment: Equipment) -> Point | None:
    """The point by which an equipment counts as a meter."""
    return next((point for role in METERED if (point := equipment.point(role)) is not None), None)


def metered_points(site: Site) -> dict[str, Point]:
    """Every meter of a site by its id, and every register as `equipment.point`."""
    meters = {e.equipment_id: point for e in site.equipment if (point := metered_point(e)) is not None}
    registers = {f"{p.equipment_id}.{p.name}": p for p in site.points() if p.kind is Kind.COUNTER}
    return meters | registers


def virtual_meters(site: Site) -> dict[str, str]:
    """The site file's named expressions: equipment with `attributes: {expression: main - sum(floor-*)}`."""
    return {
        e.equipment_id: expression
        for e in site.equipment
        if isinstance(expression := e.attributes.get("expression"), str)
    }


def energy_unit(point: Point) -> str:
    """The unit of what a point adds up to."""
    return "kW.h" if point.role is Role.ACTIVE_POWER else point.unit


async def read_energy(db: Database, meter: str, period: Interval, step: Step) -> MeterEnergy:
    """The energy of a meter's id or an expression of meters, in whole steps that touch the period.

    Raises Invalid for a wrong expression, mixed units or too many steps.
    """
    site = await current_site(db)
    zone = ZoneInfo(site.time_zone)
    points = metered_points(site)
    virtual = _parse(meter, points, virtual_meters(site))
    unit = _unit(virtual, points)
    edges = _edges(period, step, zone)
    found = await energies_of(db, {name: points[name] for name in virtual.factors}, edges)
    events = tuple((name, event) for name, part in found.items() for event in part.events)
    return MeterEnergy(
        meter=meter,
        unit=unit,
        parts=tuple(MeterPart(name, points[name].name, f) for name, f in virtual.factors.items()),
        zone=zone,
        step=step,
        energies=virtual.evaluate({name: part.energies for name, part in found.items()}),
        events=tuple((name, e) for name, e in events if edges[0] <= e.at_s < edges[-1]),
    )


def _parse(meter: str, points: Mapping[str, Point], named: Mapping[str, str]) -> VirtualMeter:
    try:
        return parse_virtual_meter(meter, points, named)
    except BadExpression as cause:
        raise Invalid(f"`meter`: {cause}.") from cause


def _unit(virtual: VirtualMeter, points: Mapping[str, Point]) -> str:
    units = {energy_unit(points[name]) for name in virtual.factors}
    if len(units) > 1:
        raise Invalid(f"`meter`: '{virtual.expression}' mixes {' and '.join(sorted(units))}.")
    return units.pop()


def _edges(period: Interval, step: Step, zone: ZoneInfo) -> FloatArray:
    shortest_s = {Step.QUARTER: 900, Step.HOUR: 3600, Step.DAY: 82_800, Step.MONTH: 28 * 86_400}[step]
    if period.duration.total_seconds() / shortest_s > MOST_STEPS:
        raise Invalid(f"The period holds more than {MOST_STEPS:,} steps; ask for less of it or larger steps.")
    return edges_of(period, step, zone)


@dataclass(frozen=True, slots=True, eq=False)
class PointEnergy:
    """Energies of one point, and what happened to its register around the period."""

    energies: Energies
    events: tuple[CounterEvent, ...] = ()


async def energies_of(
    db: Database, meters: Mapping[str, Point], edges_s: FloatArray
) -> dict[str, PointEnergy]:
    """Energies of points between rising edges, by the names given.

    Long periods are read by hours; a register that began anew is read by quarter-hours, to lose less of it.
    """
    start, end = (datetime.fromtimestamp(float(at), UTC) for at in (edges_s[0], edges_s[-1]))
    is_fine = end - start <= _FINE_UP_TO or bool((edges_s % _WIDTHS[Grain.HOUR] != 0).any())
    if is_fine:
        return await _read_and_cut(db, meters, edges_s, Grain.QUARTER)
    found = await _read_and_cut(db, meters, edges_s, Grain.HOUR)
    began_anew = {name: meters[name] for name, part in found.items() if part.events}
    return found | await _read_and_cut(db, began_anew, edges_s, Grain.QUARTER)


async def _read_and_cut(
    db: Database, meters: Mapping[str, Point], edges_s: FloatArray, grain: Grain
) -> dict[str, PointEnergy]:
    """As many meters at once as memory allows: a row is 200 bytes while it is read."""
    rows = max(float(edges_s[-1] - edges_s[0]) / _WIDTHS[grain], 1.0)
    at_once = max(int(_ROWS_AT_ONCE / rows), 1)
    names = list(meters)
    found = dict[str, PointEnergy]()
    for i in range(0, len(names), at_once):
        some = {name: meters[name] for name in names[i : i + at_once]}
        found |= await _read_and_cut_some(db, some, edges_s, grain)
    return found


async def _read_and_cut_some(
    db: Database, meters: Mapping[str, Point], edges_s: FloatArray, grain: Grain
) -> dict[str, PointEnergy]:
    start, end = (datetime.fromtimestamp(float(at), UTC) for at in (edges_s[0], edges_s[-1]))
    ids = [point.point_id for point in meters.values()]
    series = await read_series(db, ids, start - _AROUND, end + _AROUND, grain)
    exchanges = await read_exchanges(db, ids, start - _AROUND, end + _AROUND)

    def cut() -> dict[str, PointEnergy]:
        return {
            name: _cut(p, series[p.point_id], grain, edges_s, exchanges.get(p.point_id, ()))
            for name, p in meters.items()
        }

    return await asyncio.to_thread(cut)  # years of many meters take tens of milliseconds


def _cut(
    point: Point, series: Series, grain: Grain, edges_s: FloatArray, exchanges: Sequence[Exchange]
) -> PointEnergy:
    start_s, width_s = series.at_us / _US, _WIDTHS[grain]
    if point.kind is not Kind.COUNTER:
        return PointEnergy(of_power_buckets(start_s, width_s, series.value, series.coverage, edges_s))
    register = register_of(point)
    first, last = series.first, series.last
    if point.interval_s > width_s:  # a bucket that only repeats the one before: no register stood there
        repeated = np.append(False, (first[1:] == last[:-1]) & (first[1:] == last[1:]))
        first, last = np.where(repeated, np.nan, first), np.where(repeated, np.nan, last)
    return PointEnergy(
        *of_register_buckets(start_s, width_s, first, last, series.coverage, edges_s, register, exchanges)
    )


@dataclass(frozen=True, slots=True, eq=False)
class MeterBalance:
    """A main meter against the meters fed by it; generation among them adds to what the main meter feeds."""

    main: str
    parts: tuple[MeterPart, ...]
    zone: ZoneInfo
    step: Step
    edges_s: FloatArray
    balance: Balance


async def read_balance(db: Database, main: str, period: Interval, step: Step) -> MeterBalance:
    """The balance of an electricity meter. Raises NotFound for no such meter or one that feeds no other."""
    site = await current_site(db)
    zone = ZoneInfo(site.time_zone)
    points = {
        name: p for name, p in metered_points(site).items() if energy_unit(p) == "kW.h" and "." not in name
    }
    if main not in points:
        raise NotFound(f"No electricity meter '{main}'.")
    fed = _fed_meters(site, main, points)
    if not fed:
        raise NotFound(f"No meter is fed by '{main}'.")
    edges = _edges(period, step, zone)
    found = await energies_of(db, {name: points[name] for name in (main, *fed)}, edges)
    parts = tuple(MeterPart(name, points[name].name, _sign(points[name])) for name in fed)
    signed = [_times(found[part.equipment_id].energies, part.factor) for part in parts]
    return MeterBalance(main, parts, zone, step, edges, balance(found[main].energies, signed))


def _fed_meters(site: Site, main: str, points: Mapping[str, Point]) -> list[str]:
    """The nearest meters below: what is fed through equipment without a meter counts as fed directly."""
    found = list[str]()
    for equipment in site.equipment:
        if equipment.fed_by == main and equipment.equipment_id != main:
            name = equipment.equipment_id
            found += [name] if name in points else _fed_meters(site, name, points)
    return found


def _sign(point: Point) -> float:
    return -1.0 if point.role is Role.ENERGY_EXPORT else 1.0


def _times(energies: Energies, factor: float) -> Energies:
    return Energies(energies.edges_s, factor * energies.amount, energies.coverage, energies.method)


def how(method: Method, parts: Sequence[MeterPart]) -> str:
    """One sentence that says how the figure was found."""
    way = {
        Method.REGISTER: "difference of the registers",
        Method.INTERVALS: "sum of the meters' interval values",
        Method.POWER: "integral of power readings, where a meter has no register",
    }[method]
    terms = " ".join(
        f"{'+' if part.factor >= 0 else '-'} {'' if abs(part.factor) == 1 else f'{abs(part.factor):g} x '}"
        f"{part.equipment_id}/{part.point}"
        for part in parts
    ).removeprefix("+ ")
    return f"{terms}: {way}"
