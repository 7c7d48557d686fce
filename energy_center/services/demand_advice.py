"""The present demand block of a building: what it may end at, and what can be shed in time.

A load that may be shed says so in the site file: `attributes: {shed_kw: 30, shed_comfort: 3}`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from energy_center.analysis.demand import BlockForecast
from energy_center.analysis.insufficient import Insufficient
from energy_center.analysis.shedding import Relief, SheddableLoad, choose_loads, rank_loads, relief
from energy_center.domain.quantities import Role
from energy_center.domain.readings import PointId
from energy_center.domain.site import Equipment, Site, Space
from energy_center.domain.timeline import block_of
from energy_center.errors import NotFound
from energy_center.services.current_site import current_site
from energy_center.services.demand_now import LEARN_FROM, forecast_now
from energy_center.services.energy_today import CounterToday, read_counters_today
from energy_center.services.figures import is_stale
from energy_center.services.overview_parts import main_meter
from energy_center.store.latest import Latest, latest_of
from energy_center.store.pool import Database
from energy_center.store.series import Grain, read_series

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_FULL_COMFORT = 5.0  # of a load whose comfort cost nobody stated


@dataclass(frozen=True, slots=True)
class ShedChoice:
    """A load that can be shed now; `is_advised` says that it is among those that keep the limit."""

    equipment_id: str
    shed_kw: float
    comfort_cost: float
    is_advised: bool


@dataclass(frozen=True, slots=True)
class DemandAdvice:
    """The block of `start`..`end`. Quantiles in kW by probability; `not_known` says why there are none.

    `needed_kw` is how much less the building must take from now on, 0 where the limit is kept with 90 %
    probability anyway; `act_before` until when shedding the advised loads is soon enough, None where nothing
    is needed or nothing helps (`is_enough` False).
    """

    building_id: str
    start: datetime
    end: datetime
    limit_kw: float | None
    so_far_kw: float | None
    quantiles_kw: Mapping[float, float]
    over_probability: float | None
    needed_kw: float
    act_before: datetime | None
    is_enough: bool
    loads: tuple[ShedChoice, ...]
    not_known: tuple[str, ...] = ()


async def read_demand_advice(db: Database, building_id: str, now: datetime) -> DemandAdvice:
    """Raises NotFound for no such building or one without a main meter."""
    site = await current_site(db)
    building = next((b for b in site.buildings if b.space_id == building_id), None)
    if building is None:
        raise NotFound(f"No building '{building_id}'.")
    equipment = tuple(e for e in site.equipment if site.building_of(e.space_id) == building_id)
    main = main_meter(building_id, equipment)
    if main is None:
        raise NotFound(f"'{building_id}' has no main meter.")
    counter = await _counter(db, main, site, now)
    power_id = _id(main, Role.ACTIVE_POWER)
    power = (await read_series(db, [power_id], now - LEARN_FROM, now, Grain.RAW))[power_id]
    loads = await _loads(db, equipment, now)
    return _advice(building, forecast_now(main, power, counter, block_of(now), now), loads, now)


def _id(equipment: Equipment, role: Role) -> PointId:
    point = equipment.point(role)
    if point is None:
        raise NotFound(f"'{equipment.equipment_id}' has no point {role.value}.")
    return point.point_id


async def _counter(db: Database, main: Equipment, site: Site, now: datetime) -> CounterToday | None:
    point = main.point(Role.ENERGY_IMPORT)
    if point is None:
        return None
    return (await read_counters_today(db, [point], now, ZoneInfo(site.time_zone)))[point.point_id]


async def _loads(db: Database, equipment: Sequence[Equipment], now: datetime) -> list[SheddableLoad]:
    able = [e for e in equipment if isinstance(e.attributes.get("shed_kw"), int | float)]
    powers = [p for e in able if (p := e.point(Role.ACTIVE_POWER)) is not None]
    latest = await latest_of(db, [p.point_id for p in powers]) if powers else {}
    return [_load(e, latest, now) for e in able]


def _load(equipment: Equipment, latest: Mapping[PointId, Latest], now: datetime) -> SheddableLoad:
    """No more can be shed than it takes now, where that is measured."""
    stated = _number(equipment.attributes, "shed_kw") or 0.0
    comfort = _number(equipment.attributes, "shed_comfort")
    point = equipment.point(Role.ACTIVE_POWER)
    read = latest.get(point.point_id) if point else None
    if point is not None and read is not None and not is_stale(read.at, point.interval_s, now):
        stated = min(stated, max(read.value, 0.0))
    return SheddableLoad(equipment.equipment_id, stated, _FULL_COMFORT if comfort is None else comfort)


def _number(attributes: Mapping[str, object], name: str) -> float | None:
    found = attributes.get(name)
    return float(found) if isinstance(found, int | float) else None


def _advice(
    building: Space, found: BlockForecast | Insufficient, loads: Sequence[SheddableLoad], now: datetime
) -> DemandAdvice:
    block, limit = block_of(now), _number(building.attributes, "contract_kw")
    known = None if isinstance(found, Insufficient) else found
    needed = relief(known, limit) if known is not None and limit is not None else None
    ranked = rank_loads(loads)
    chosen, is_enough = choose_loads(ranked, needed.needed_kw) if needed else ((), True)
    advised = {load.name for load in chosen}
    return DemandAdvice(
        building_id=building.space_id,
        start=block.start,
        end=block.end,
        limit_kw=limit,
        so_far_kw=known.so_far_kw if known else None,
        quantiles_kw={p: known.quantile_kw(p) for p in QUANTILES} if known else {},
        over_probability=known.probability_over(limit) if known and limit is not None else None,
        needed_kw=needed.needed_kw if needed else 0.0,
        act_before=_act_before(needed, chosen, now),
        is_enough=is_enough,
        loads=tuple(ShedChoice(x.name, x.shed_kw, x.comfort_cost, x.name in advised) for x in ranked),
        not_known=found.reasons if isinstance(found, Insufficient) else (),
    )


def _act_before(needed: Relief | None, chosen: Sequence[SheddableLoad], now: datetime) -> datetime | None:
    latest_s = needed.latest_s(sum(load.shed_kw for load in chosen)) if needed else None
    return None if latest_s is None else now + timedelta(seconds=latest_s)
