"""The overview's parts that are read off newest values: plant, PV, sumps, rainwater tank, weather."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from energy_center.domain.quantities import QUANTITIES, Role
from energy_center.domain.readings import PointId
from energy_center.domain.site import Equipment, Site, Text
from energy_center.services.energy_today import CounterToday, energy_figure
from energy_center.services.figures import Figure, FigureSource, derived, reading_figure, sum_of
from energy_center.store.latest import Latest

KW_PER_RT = 3.517  # one US refrigeration ton
KW_PER_M3_H_K = 4.186 * 1000.0 / 3600.0  # water: 4.186 kJ/(kg K), 1,000 kg/m3
LEAST_RT = 5.0  # below this kW per ton says nothing
_PLANT_CLASSES = frozenset({"Chilled_Water_Pump", "Condenser_Water_Pump", "Cooling_Tower"})


@dataclass(frozen=True, slots=True)
class ChillerPlant:
    """The chilled-water plant: chillers running, electrical power of the whole plant, header temperatures.

    `power` is chillers, pumps and towers; `efficiency` is kW per refrigeration ton (3.517 kW).
    """

    chillers_running: int | None
    chillers_total: int
    power: Figure
    supply_temperature: Figure
    return_temperature: Figure
    cooling_rt: Figure
    efficiency: Figure
    equipment_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PumpNow:
    """A sump pump: 1 running, 0 stopped."""

    equipment_id: str
    name: Text
    status: Figure
    fault: Figure


@dataclass(frozen=True, slots=True)
class SumpNow:
    """A basement sump: level in m, float switch 1 when the water is high."""

    equipment_id: str
    name: Text
    level: Figure
    high_float: Figure
    pumps: tuple[PumpNow, ...]


@dataclass(frozen=True, slots=True)
class RainTankNow:
    """A rainwater tank: level in %, volume in m3, mains top-up valve 1 when open, overflow 1 when flowing."""

    equipment_id: str
    name: Text
    level: Figure
    volume: Figure
    capacity_m3: float | None
    mains_valve: Figure
    overflow: Figure


@dataclass(frozen=True, slots=True)
class WeatherNow:
    """The site's weather station."""

    equipment_id: str
    temperature: Figure
    humidity: Figure
    rain_rate: Figure


@dataclass(frozen=True, slots=True)
class PvNow:
    """Photovoltaics: power and today's energy as positive production."""

    power: Figure
    energy_today: Figure
    equipment_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Newest:
    """Newest readings of a site at one time of asking."""

    site: Site
    readings: Mapping[PointId, Latest]
    now: datetime

    def figure(
        self, equipment: Equipment | None, role: Role, source: FigureSource = FigureSource.READING
    ) -> Figure:
        """The newest reading of an equipment's point of this role."""
        point = equipment.point(role) if equipment else None
        latest = self.readings.get(point.point_id) if point else None
        return reading_figure(point, latest, self.now, QUANTITIES[role].unit, source)

    def of_building(self, building_id: str) -> tuple[Equipment, ...]:
        """A building's equipment in file order."""
        return tuple(e for e in self.site.equipment if self.site.building_of(e.space_id) == building_id)


def having(equipment: tuple[Equipment, ...], *roles: Role) -> list[Equipment]:
    """Those that have a point of each role."""
    return [e for e in equipment if all(e.point(role) for role in roles)]


def main_meter(building_id: str, equipment: tuple[Equipment, ...]) -> Equipment | None:
    """The meter of the whole building: it measures the building and nothing of ours feeds it."""
    meters = having(equipment, Role.ACTIVE_POWER, Role.ENERGY_IMPORT)
    return next((e for e in meters if e.meters == building_id and e.fed_by is None), None)


def chiller_plant(equipment: tuple[Equipment, ...], newest: Newest) -> ChillerPlant | None:
    """The plant's figures, None where the building has no chiller."""
    chillers = having(equipment, Role.CHILLER_STATUS)
    if not chillers:
        return None
    headers = having(equipment, Role.CHILLED_WATER_SUPPLY_TEMPERATURE, Role.CHILLED_WATER_RETURN_TEMPERATURE)
    header = next((e for e in headers if e not in chillers), None)
    consumers = [
        e
        for e in equipment
        if e.point(Role.ACTIVE_POWER) and (e in chillers or e.brick_class in _PLANT_CLASSES)
    ]
    power = sum_of([newest.figure(e, Role.ACTIVE_POWER) for e in consumers], "kW", FigureSource.PLANT_POWER)
    supply = newest.figure(header, Role.CHILLED_WATER_SUPPLY_TEMPERATURE)
    back = newest.figure(header, Role.CHILLED_WATER_RETURN_TEMPERATURE)
    cooling = _cooling(supply, back, newest.figure(header, Role.CHILLED_WATER_FLOW))
    return ChillerPlant(
        chillers_running=_running(chillers, newest),
        chillers_total=len(chillers),
        power=power,
        supply_temperature=supply,
        return_temperature=back,
        cooling_rt=cooling,
        efficiency=_efficiency(power, cooling),
        equipment_ids=tuple(e.equipment_id for e in (*chillers, *([header] if header else []))),
    )


def _running(chillers: list[Equipment], newest: Newest) -> int | None:
    states = [newest.figure(e, Role.CHILLER_STATUS) for e in chillers]
    known = [s.amount for s in states if s.amount is not None and not s.is_stale]
    return sum(amount > 0 for amount in known) if known else None


def _cooling(supply: Figure, back: Figure, flow: Figure) -> Figure:
    """Heat taken from the return water, in refrigeration tons."""
    amount = None
    if supply.amount is not None and back.amount is not None and flow.amount is not None:
        amount = max(KW_PER_M3_H_K * flow.amount * (back.amount - supply.amount) / KW_PER_RT, 0.0)
    return derived(amount, "[RT]", FigureSource.COOLING_OUTPUT, (supply, back, flow))


def _efficiency(power: Figure, cooling: Figure) -> Figure:
    amount = None
    if power.amount is not None and cooling.amount is not None and cooling.amount >= LEAST_RT:
        amount = power.amount / cooling.amount
    return derived(amount, "kW/[RT]", FigureSource.PLANT_EFFICIENCY, (power, cooling))


def inverters(equipment: tuple[Equipment, ...]) -> list[Equipment]:
    """PV inverters."""
    return having(equipment, Role.INVERTER_STATE, Role.ACTIVE_POWER)


def pv_now(
    equipment: tuple[Equipment, ...], newest: Newest, counters: Mapping[PointId, CounterToday]
) -> PvNow | None:
    """Output of all inverters, None where the building has none."""
    found = inverters(equipment)
    if not found:
        return None
    power = sum_of([newest.figure(e, Role.ACTIVE_POWER) for e in found], "kW", FigureSource.PV_POWER)
    produced = (
        None if power.amount is None else 0.0 - power.amount
    )  # a producing inverter's power is negative
    exports = [p for e in found if (p := e.point(Role.ENERGY_EXPORT)) is not None]
    today = energy_figure(
        [counters[p.point_id] for p in exports if p.point_id in counters],
        FigureSource.PV_REGISTER,
        newest.now,
    )
    return PvNow(replace(power, amount=produced), today, tuple(e.equipment_id for e in found))


def sumps_now(equipment: tuple[Equipment, ...], newest: Newest) -> tuple[SumpNow, ...]:
    """Sumps with the pumps that empty them."""
    return tuple(
        SumpNow(
            sump.equipment_id,
            sump.name,
            newest.figure(sump, Role.SUMP_LEVEL),
            newest.figure(sump, Role.HIGH_FLOAT),
            tuple(
                PumpNow(
                    pump.equipment_id,
                    pump.name,
                    newest.figure(pump, Role.PUMP_STATUS),
                    newest.figure(pump, Role.FAULT),
                )
                for pump in having(equipment, Role.PUMP_STATUS)
                if pump.fed_by == sump.equipment_id
            ),
        )
        for sump in having(equipment, Role.SUMP_LEVEL)
    )


def rain_tank_now(equipment: tuple[Equipment, ...], newest: Newest) -> RainTankNow | None:
    """The building's first rainwater tank, None where it has none."""
    tank = next(iter(having(equipment, Role.TANK_LEVEL)), None)
    if tank is None:
        return None
    level = newest.figure(tank, Role.TANK_LEVEL)
    stated = tank.attributes.get("capacity_m3")
    capacity = float(stated) if isinstance(stated, int | float) else None
    volume = None if capacity is None or level.amount is None else capacity * level.amount / 100.0
    return RainTankNow(
        equipment_id=tank.equipment_id,
        name=tank.name,
        level=level,
        volume=derived(volume, "m3", FigureSource.TANK_VOLUME, (level,)),
        capacity_m3=capacity,
        mains_valve=newest.figure(tank, Role.MAINS_VALVE),
        overflow=newest.figure(tank, Role.OVERFLOW_STATE),
    )


def weather_now(newest: Newest) -> WeatherNow | None:
    """The site's first weather station, None where it has none."""
    station = next(iter(having(newest.site.equipment, Role.OUTDOOR_AIR_TEMPERATURE, Role.RAIN_RATE)), None)
    if station is None:
        return None
    return WeatherNow(
        station.equipment_id,
        newest.figure(station, Role.OUTDOOR_AIR_TEMPERATURE),
        newest.figure(station, Role.OUTDOOR_AIR_HUMIDITY),
        newest.figure(station, Role.RAIN_RATE),
    )
