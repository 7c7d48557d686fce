"""What the overview shows of every building now; each number is a figure that can be traced."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from energy_center.domain.quantities import Role
from energy_center.domain.readings import PointId
from energy_center.domain.site import Equipment, Point, Space, Text
from energy_center.errors import NotFound
from energy_center.services.current_site import current_site
from energy_center.services.demand_now import LEARN_FROM, DemandBlock, demand_block
from energy_center.services.energy_today import (
    CounterToday,
    charge_figure,
    charge_today,
    energy_figure,
    read_counters_today,
)
from energy_center.services.figures import Figure, FigureSource, FigureState, MoneyFigure, missing
from energy_center.services.overview_parts import (
    ChillerPlant,
    Newest,
    PumpNow,
    PvNow,
    RainTankNow,
    SumpNow,
    WeatherNow,
    chiller_plant,
    inverters,
    main_meter,
    pv_now,
    rain_tank_now,
    sumps_now,
    weather_now,
)
from energy_center.services.read_devices import DeviceRow, device_rows
from energy_center.services.tariff_catalogue import tariff
from energy_center.store.devices import device_states
from energy_center.store.latest import latest_of
from energy_center.store.overview import AlarmCount, count_active_alarms
from energy_center.store.pool import Database
from energy_center.store.series import Grain, Series, read_series
from energy_center.tariffs.price import CENT
from energy_center.tariffs.tariff_model import Edition

__all__ = [
    "BandCost",
    "BuildingNow",
    "ChillerPlant",
    "CostToday",
    "DemandBlock",
    "Overview",
    "PumpNow",
    "PvNow",
    "RainTankNow",
    "SumpNow",
    "WeatherNow",
    "read_overview",
]

PRIORITIES = ("critical", "high", "medium", "low")


@dataclass(frozen=True, slots=True)
class BandCost:
    """Energy and energy charge of one tariff band so far today; `band` is the tariff's key (`peak`, …)."""

    band: str
    name: Text
    energy_kwh: float
    price_ntd_per_kwh: Decimal
    amount_ntd: Decimal


@dataclass(frozen=True, slots=True)
class CostToday:
    """Energy charge since local midnight, VAT included, industry factor applied; no basic charge.

    `band_now` is the band in force now, None where no tariff edition covers today.
    """

    total: MoneyFigure
    bands: tuple[BandCost, ...]
    band_now: str | None
    tariff_id: str | None
    edition: str | None
    industry_factor: Decimal | None


@dataclass(frozen=True, slots=True)
class BuildingNow:
    """One building now. `plant`, `pv` and `rain_tank` are None where the building has none."""

    building_id: str
    name: Text
    main_meter_id: str | None
    total_power: Figure
    energy_today: Figure
    cost_today: CostToday
    contract: Figure
    demand: DemandBlock
    plant: ChillerPlant | None
    pv: PvNow | None
    sumps: tuple[SumpNow, ...]
    rain_tank: RainTankNow | None
    alarms: Mapping[str, int]  # active alarms by priority, all four priorities present
    alarms_unacknowledged: int
    devices: int
    devices_stale: int


@dataclass(frozen=True, slots=True)
class Overview:
    """All buildings at `at`, the clock time it was asked for; `newest_at` is the newest reading anywhere."""

    at: datetime
    newest_at: datetime | None
    site_id: str
    name: Text
    time_zone: str
    weather: WeatherNow | None
    buildings: tuple[BuildingNow, ...]

    def building(self, building_id: str) -> BuildingNow | None:
        """The building of this id, or None."""
        return next((b for b in self.buildings if b.building_id == building_id), None)


@dataclass(frozen=True, slots=True)
class _Read:
    """Everything that one overview is made of."""

    newest: Newest
    zone: ZoneInfo
    counters: Mapping[PointId, CounterToday]
    power: Mapping[PointId, Series]
    alarms: Sequence[AlarmCount]
    devices: Sequence[DeviceRow]


async def read_overview(db: Database, now: datetime) -> Overview:
    """Read everything that the overview shows. Raises NotFound when no site has been applied yet."""
    site = await current_site(db)
    zone = ZoneInfo(site.time_zone)
    newest = Newest(site, await latest_of(db, [p.point_id for p in site.points()]), now)
    mains = [m for b in site.buildings if (m := main_meter(b.space_id, newest.of_building(b.space_id)))]
    read = _Read(
        newest=newest,
        zone=zone,
        counters=await _counters(db, mains, inverters(site.equipment), now, zone),
        power=await _raw_power(db, mains, now),
        alarms=await count_active_alarms(db, now),
        devices=device_rows(site, newest.readings, await device_states(db), now),
    )
    return Overview(
        at=now,
        newest_at=max((latest.at for latest in newest.readings.values()), default=None),
        site_id=site.site_id,
        name=site.name,
        time_zone=site.time_zone,
        weather=weather_now(newest),
        buildings=tuple(_building(space, read) for space in site.buildings),
    )


async def _counters(
    db: Database, mains: Sequence[Equipment], pv: Sequence[Equipment], now: datetime, zone: ZoneInfo
) -> dict[PointId, CounterToday]:
    points = _points(mains, Role.ENERGY_IMPORT) + _points(pv, Role.ENERGY_EXPORT)
    return await read_counters_today(db, points, now, zone)


async def _raw_power(db: Database, mains: Sequence[Equipment], now: datetime) -> dict[PointId, Series]:
    ids = [p.point_id for p in _points(mains, Role.ACTIVE_POWER)]
    return await read_series(db, ids, now - LEARN_FROM, now, Grain.RAW)


def _points(equipment: Sequence[Equipment], role: Role) -> list[Point]:
    return [p for e in equipment if (p := e.point(role)) is not None]


def _building(space: Space, read: _Read) -> BuildingNow:
    newest = read.newest
    equipment = newest.of_building(space.space_id)
    main = main_meter(space.space_id, equipment)
    register = main.point(Role.ENERGY_IMPORT) if main else None
    counter = read.counters.get(register.point_id) if register else None
    energy = energy_figure([counter] if counter else [], FigureSource.MAIN_METER_REGISTER, newest.now)
    contract = _contract(space)
    ids = {e.equipment_id for e in equipment}
    active = [a for a in read.alarms if a.equipment_id in ids]
    devices = [d for d in read.devices if d.building_id == space.space_id]
    power_point = main.point(Role.ACTIVE_POWER) if main else None
    power = read.power.get(power_point.point_id) if power_point else None
    return BuildingNow(
        building_id=space.space_id,
        name=space.name,
        main_meter_id=main.equipment_id if main else None,
        total_power=newest.figure(main, Role.ACTIVE_POWER, FigureSource.MAIN_METER_POWER),
        energy_today=energy,
        cost_today=_cost(space, counter, energy, newest.now),
        contract=contract,
        demand=demand_block(main, counter, power, contract.amount, newest.now),
        plant=chiller_plant(equipment, newest),
        pv=pv_now(equipment, newest, read.counters),
        sumps=sumps_now(equipment, newest),
        rain_tank=rain_tank_now(equipment, newest),
        alarms={p: sum(a.number for a in active if a.priority == p) for p in PRIORITIES},
        alarms_unacknowledged=sum(a.number for a in active if not a.is_acknowledged),
        devices=len(devices),
        devices_stale=sum(d.is_stale for d in devices),
    )


def _contract(space: Space) -> Figure:
    stated = space.attributes.get("contract_kw")
    if not isinstance(stated, int | float):
        return missing("kW", FigureSource.CONTRACT)
    return Figure(float(stated), "kW", None, FigureState.GOOD, FigureSource.CONTRACT)


def _edition_now(space: Space, now: datetime) -> Edition | None:
    try:
        found = tariff(str(space.attributes.get("tariff")))
        return found.edition_at(now.astimezone(found.editions[-1].zone).date())
    except NotFound:
        return None


def _cost(space: Space, counter: CounterToday | None, energy: Figure, now: datetime) -> CostToday:
    charge = charge_today(space, counter) if counter else None
    edition = _edition_now(space, now)
    bands = [  # a local day lies in one edition and one season, so a band has one line
        BandCost(
            band=line.band,
            name=edition.bands[line.band],
            energy_kwh=float(line.energy_kwh),
            price_ntd_per_kwh=line.price,
            amount_ntd=line.amount.quantize(CENT, ROUND_HALF_UP),
        )
        for line in (charge.lines if charge and edition else ())
        if edition
    ]
    return CostToday(
        total=charge_figure(charge, energy),
        bands=tuple(bands),
        band_now=edition.season_and_band(now)[1] if edition else None,
        tariff_id=edition.tariff_id if edition else None,
        edition=edition.edition if edition else None,
        industry_factor=charge.industry_factor if charge else None,
    )
