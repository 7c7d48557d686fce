"""Equipment lists and one equipment's nameplate and live points."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from energy_center.domain.quantities import Kind, Role
from energy_center.domain.readings import PointId
from energy_center.domain.site import Equipment, Point, Site, Text
from energy_center.errors import NotFound
from energy_center.services.current_site import current_site
from energy_center.services.figures import Figure, is_stale, reading_figure
from energy_center.store.devices import DeviceState, device_states
from energy_center.store.latest import Latest, latest_of
from energy_center.store.overview import count_active_alarms
from energy_center.store.pool import Database

# The point that tells most about an equipment: the first of these that it has.
MAIN_ROLES: tuple[Role, ...] = (
    Role.TANK_LEVEL,
    Role.SUMP_LEVEL,
    Role.LEAK_STATUS,
    Role.GROUNDWATER_LEVEL,
    Role.DRAINAGE_LEVEL,
    Role.FIRE_ALARM,
    Role.ENGINE_STATE,
    Role.ATS_POSITION,
    Role.BATTERY_CHARGE,
    Role.LIFT_STATUS,
    Role.CHARGER_STATE,
    Role.OUTDOOR_AIR_TEMPERATURE,
    Role.ZONE_CO2,
    Role.CO_CONCENTRATION,
    Role.ACTIVE_POWER,
    Role.SUPPLY_AIR_TEMPERATURE,
    Role.ZONE_TEMPERATURE,
    Role.CHILLED_WATER_SUPPLY_TEMPERATURE,
    Role.WINDING_TEMPERATURE,
    Role.WATER_FLOW,
    Role.FIRE_MAIN_PRESSURE,
    Role.GAS_VOLUME,
    Role.FAN_STATUS,
    Role.PUMP_STATUS,
    Role.SYSTEM_STATUS,
)
TREND_POINTS = 3


@dataclass(frozen=True, slots=True)
class EquipmentRow:
    """One line of the equipment list.

    `main_role` and `main` are the point that tells most about this equipment, None where it has no point.
    `is_online` is its device's state, None where nothing is known; `seen_at` its newest reading.
    """

    equipment_id: str
    name: Text
    brick_class: str
    building_id: str | None
    space_id: str
    space_name: Text
    device_id: str | None
    is_online: bool | None
    seen_at: datetime | None
    points: int
    points_stale: int
    main_role: Role | None
    main: Figure | None
    active_alarms: int


@dataclass(frozen=True, slots=True)
class PointNow:
    """One point with its newest reading; `age_s` is None where it never had one."""

    point_id: PointId
    name: str
    role: Role
    kind: Kind
    unit: str
    interval_s: float
    figure: Figure
    age_s: float | None


@dataclass(frozen=True, slots=True)
class EquipmentView:
    """All that the equipment page shows; the trend is asked for with `read_history.read_trend`.

    `trend_point_ids` are the points drawn at first, at most three.
    """

    row: EquipmentRow
    connection_id: str | None
    profile: str | None
    fed_by: str | None
    feeds: tuple[str, ...]
    meters: str | None
    attributes: Mapping[str, object]
    points: tuple[PointNow, ...]
    trend_point_ids: tuple[PointId, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    site: Site
    newest: Mapping[PointId, Latest]
    states: Mapping[str, DeviceState]
    alarms: Mapping[str, int]
    now: datetime


async def list_equipment(
    db: Database, now: datetime, *, building: str | None = None, search: str | None = None
) -> tuple[EquipmentRow, ...]:
    """Equipment in file order. `search` matches id, names in both languages and class, any case."""
    site = await current_site(db)
    wanted = [
        e
        for e in site.equipment
        if building in (None, site.building_of(e.space_id)) and (not search or _matches(e, search))
    ]
    known = await _known(db, site, wanted, now)
    return tuple(_row(e, known) for e in wanted)


async def read_equipment(db: Database, equipment_id: str, now: datetime) -> EquipmentView:
    """One equipment. Raises NotFound for an unknown id."""
    site = await current_site(db)
    equipment = next((e for e in site.equipment if e.equipment_id == equipment_id), None)
    if equipment is None:
        raise NotFound(f"No equipment '{equipment_id}'")
    known = await _known(db, site, [equipment], now)
    return EquipmentView(
        row=_row(equipment, known),
        connection_id=equipment.connection_id,
        profile=equipment.profile,
        fed_by=equipment.fed_by,
        feeds=tuple(e.equipment_id for e in site.equipment if e.fed_by == equipment_id),
        meters=equipment.meters,
        attributes=equipment.attributes,
        points=tuple(_point_now(p, known) for p in equipment.points),
        trend_point_ids=trend_points(equipment),
    )


def main_point(equipment: Equipment) -> Point | None:
    """The point that tells most about an equipment; its first one where no role of the list is among them."""
    by_role = {p.role: p for p in equipment.points}
    found = next((by_role[role] for role in MAIN_ROLES if role in by_role), None)
    return found or next(iter(equipment.points), None)


def trend_points(equipment: Equipment) -> tuple[PointId, ...]:
    """What is drawn at first: the main point and others of the same unit, so that one axis serves all."""
    main = main_point(equipment)
    if main is None:
        return ()
    related = [p for p in equipment.points if p.kind is Kind.GAUGE and p.unit == main.unit and p is not main]
    return tuple(p.point_id for p in [main, *related][:TREND_POINTS])


def _matches(equipment: Equipment, search: str) -> bool:
    words = (equipment.equipment_id, equipment.name.zh_tw, equipment.name.en, equipment.brick_class)
    text = " ".join(words).casefold().replace("_", " ")
    return all(word in text for word in search.casefold().replace("_", " ").split())


async def _known(db: Database, site: Site, equipment: list[Equipment], now: datetime) -> _Known:
    alarms: dict[str, int] = defaultdict(int)
    for count in await count_active_alarms(db, now):
        alarms[count.equipment_id] += count.number
    newest = await latest_of(db, [p.point_id for e in equipment for p in e.points])
    return _Known(site, newest, await device_states(db), alarms, now)


def _row(equipment: Equipment, known: _Known) -> EquipmentRow:
    read = [(p, known.newest[p.point_id]) for p in equipment.points if p.point_id in known.newest]
    main = main_point(equipment)
    state = known.states.get(equipment.device_id) if equipment.device_id else None
    return EquipmentRow(
        equipment_id=equipment.equipment_id,
        name=equipment.name,
        brick_class=equipment.brick_class,
        building_id=known.site.building_of(equipment.space_id),
        space_id=equipment.space_id,
        space_name=next(s.name for s in known.site.spaces if s.space_id == equipment.space_id),
        device_id=equipment.device_id,
        is_online=state.online if state else None,
        seen_at=max((latest.at for _, latest in read), default=None),
        points=len(equipment.points),
        points_stale=sum(is_stale(latest.at, p.interval_s, known.now) for p, latest in read),
        main_role=main.role if main else None,
        main=_point_now(main, known).figure if main else None,
        active_alarms=known.alarms.get(equipment.equipment_id, 0),
    )


def _point_now(point: Point, known: _Known) -> PointNow:
    latest = known.newest.get(point.point_id)
    return PointNow(
        point_id=point.point_id,
        name=point.name,
        role=point.role,
        kind=point.kind,
        unit=point.unit,
        interval_s=point.interval_s,
        figure=reading_figure(point, latest, known.now, point.unit),
        age_s=(known.now - latest.at).total_seconds() if latest else None,
    )
