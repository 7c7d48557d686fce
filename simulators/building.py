"""The houses: floors with their loads, zones that respond, and the cooling they ask for.

Zones are first-order: with cooling they settle at the set-point within half an hour, without it they drift in
half a day towards what weather, sun and people make of them.
"""

from dataclasses import dataclass, field

import numpy as np

from simulators import occupancy
from simulators.chunk import Chunk
from simulators.model import Equipment
from simulators.signals import Floats, Source
from simulators.weather import weather_at

OPEN_H, CLOSE_H = 7.0, 19.0
PLANT_CLOSE_H = 18.5
STAGGER_H = 0.25  # air handlers start and stop in three groups, to spare the mains
STARVED = 0.6
TOO_LOW_C = 22.0  # a set-point that somebody chose on a hot day
COOLING_FROM_C = 15.5  # day mean above which the plant is put into service
ROOM_KJ_KG = 53.0  # air at 25.5 C and 53 % rh
OUTDOOR_PPM = 430.0
ZONE_KINDS = ("ahu", "vav", "fcu", "vrf", "iaq")


@dataclass(eq=False)
class House:
    """What the modules know of one building; loads are what each submeter sees, by its name's middle part,
    with the tangent of each load's phase angle.
    """

    id: str
    people: Floats
    scheduled: Floats
    plant_on: Floats
    forced: Floats
    air_on: dict[str, Floats] = field(default_factory=dict)
    air_scheduled: dict[str, Floats] = field(default_factory=dict)
    zone_at: dict[str, Floats] = field(default_factory=dict)
    set_point: dict[str, Floats] = field(default_factory=dict)
    cooling_kw: Floats = field(default_factory=lambda: np.zeros((2, 0)))
    load_share: Floats = field(default_factory=lambda: np.zeros((2, 0)))
    chilled_c: Floats = field(default_factory=lambda: np.zeros((2, 0)))
    rejected_kw: Floats = field(default_factory=lambda: np.zeros((2, 0)))
    extra_kw: Floats = field(default_factory=lambda: np.zeros((2, 0)))
    loads: dict[str, list[tuple[float, Source]]] = field(default_factory=dict)

    def draw(self, meter: str, source: Source, tangent: float = 0.40) -> None:
        """Hang a load on a submeter; ``tangent`` is its reactive power per active power."""
        self.loads.setdefault(meter, []).append((tangent, source))


def _cooling_season(chunk: Chunk) -> Floats:
    """Return 1 for intervals of days warm enough for the plant, judged by the day's mean at noon."""
    days, place = np.unique(chunk.day, return_inverse=True)
    noon: Floats = days.astype(np.float64) * 86_400.0 + 4 * 3600.0
    warm: Floats = (weather_at(chunk.seed, noon).day_mean_c > COOLING_FROM_C).astype(np.float64)[place]
    return warm


def open_house(chunk: Chunk, building: str) -> House:
    """Return a building's people, schedule and what runs by it (or by a fault outside it)."""
    middle = chunk.hours.mean(axis=0)
    scheduled = chunk.is_working * ((middle > OPEN_H) & (middle < CLOSE_H))
    forced = chunk.share_active("after_hours_cooling", f"{building}-plant")
    house = House(
        building,
        occupancy.people_share(chunk, building),
        scheduled,
        scheduled * (middle < PLANT_CLOSE_H) * _cooling_season(chunk),
        forced,
    )
    some_air = forced.copy()
    for unit in chunk.model.of(building, "ahu", "oau"):
        own = np.maximum(forced, chunk.share_active("after_hours_cooling", unit.id))
        group = unit.number % 3
        window = (middle > OPEN_H + STAGGER_H * group) & (middle < CLOSE_H - STAGGER_H * (2 - group))
        house.air_scheduled[unit.id] = chunk.commanded(unit.id, "schedule", scheduled * window)
        house.air_on[unit.id] = np.maximum(house.air_scheduled[unit.id], own)
        if chunk.commands.get((unit.id, "schedule")):
            own = house.air_on[unit.id]  # air by command needs the plant, whatever the hour
        some_air = np.maximum(some_air, own)
    house.plant_on = np.maximum(house.plant_on, some_air)
    house.extra_kw = np.zeros_like(house.people)
    return house


def _zone_on(chunk: Chunk, house: House, zone: Equipment) -> Floats:
    if zone.id in house.air_on:
        return house.air_on[zone.id]
    air = house.air_on.get(str(zone.params.get("ahu", "")))
    if air is not None:
        return air
    return np.maximum(chunk.commanded(zone.id, "schedule", house.scheduled), house.forced)


def simulate_zones(chunk: Chunk, house: House) -> None:
    """Compute all zone temperatures of a building and keep them in ``house.zone_at``, shape (2, n) each."""
    zones = chunk.model.of(house.id, *ZONE_KINDS)
    people = house.people.mean(axis=0)
    sun = chunk.outdoor("irradiance_w_m2").mean(axis=0)
    free = 0.75 * chunk.outdoor("day_mean_c").mean(axis=0) + 7.4 + 3.0 * people + 0.0035 * sun
    target, constant, first = [], [], []
    for zone in zones:
        setting = round(chunk.constant(f"{zone.id}-set", 25.5, 26.4) * 2) / 2
        setting = chunk.commands.get((zone.id, "zone_temperature_setpoint"), setting)
        lowered = chunk.share_active("setpoint_too_low", zone.id)
        wanted = house.set_point[zone.id] = np.round(2.0 * (setting - lowered * (setting - TOO_LOW_C))) / 2.0
        wobble = chunk.noise(f"{zone.id}-zone", 5400.0).mean(axis=0)
        own = free + chunk.constant(f"{zone.id}-free", -0.8, 0.8) + 0.25 * wobble
        on = _zone_on(chunk, house, zone) * (1.0 if zone.kind == "vrf" else house.plant_on)
        on = on * (1.0 - chunk.share_active("fcu_valve_stuck", zone.id))
        cooled = wanted + 0.22 * wobble + 0.5 * (people - 0.6)
        helps = (on > 0) & (own > wanted - 0.6)
        target.append(np.where(helps, np.minimum(cooled, own), own))
        constant.append(np.where(helps, chunk.constant(f"{zone.id}-pull", 1500.0, 2400.0), 46_000.0))
        first.append(float(own[0]))
    levels = chunk.relax(f"{house.id}-zones", np.array(first), np.array(target).T, np.array(constant).T)
    for place, zone in enumerate(zones):
        house.zone_at[zone.id] = chunk.ends(levels[:, place])


def simulate_floors(chunk: Chunk, house: House) -> Floats:
    """Hang lights, sockets and fan-coils on the floors' meters; return their heat, kW, shape (2, n)."""
    model = chunk.model
    heat = np.zeros_like(house.people)
    for meter in model.of(house.id, "meter"):
        name = meter.id.removeprefix(f"{house.id}-").removesuffix("-meter")
        if not name.startswith("fl"):
            continue
        people = occupancy.people_share(chunk, meter.id)
        lights = occupancy.lights_share(chunk, meter.id)
        burning = chunk.share_active("lights_after_hours", meter.id)
        size = chunk.constant(f"{meter.id}-size", 0.85, 1.15)
        night = model.building(house.id, "floor_night_kw") * (1 + 0.04 * chunk.noise(f"{meter.id}-n", 9000.0))
        creep = 1.0 + 0.35 * chunk.share_active("base_load_creep", meter.id)
        load = (size * creep) * (
            night
            + model.building(house.id, "floor_lights_kw") * np.maximum(lights, 0.9 * burning)
            + model.building(house.id, "floor_sockets_kw") * people
            + model.building(house.id, "floor_fans_kw") * house.scheduled
        )
        heat += load
        house.draw(name, chunk.line(f"{name}-{house.id}-load", load, 0.025 * load.mean(axis=0)))
    return heat


def simulate_demand(chunk: Chunk, house: House, floor_heat_kw: Floats) -> None:
    """Compute the cooling the building asks for, kW thermal, shape (2, n), zero while the plant is off."""
    model = chunk.model
    ventilation = np.zeros_like(house.people)
    units = model.of(house.id, "ahu", "oau")
    for unit in units:
        moist = np.maximum(chunk.outdoor("enthalpy_kj_kg") - ROOM_KJ_KG, -8.0)
        flow = model.rated(unit, "outdoor_air_kg_s") * np.ones_like(moist)
        stuck = chunk.active("stuck_damper", unit.id)
        if stuck is not None:
            flow = flow * (1.0 + 3.0 * stuck)
        ventilation += flow * moist * house.air_on[unit.id]
        reheat = chunk.active("reheat_against_cooling", unit.id)
        if reheat is not None:
            ventilation += 25.0 * reheat * house.air_on[unit.id]
    zones = model.of(house.id, *ZONE_KINDS)
    above: Floats = np.mean(
        [np.maximum(house.zone_at[z.id] - house.set_point[z.id] - 0.3, 0.0) for z in zones], axis=0
    )
    need = (
        0.8 * floor_heat_kw
        + model.building(house.id, "person_kw") * model.building(house.id, "headcount") * house.people
        + model.building(house.id, "wall_kw_k") * (chunk.outdoor("temperature_c") - 25.8)
        + model.building(house.id, "sun_kw_per_w_m2") * chunk.outdoor("irradiance_w_m2")
        + ventilation
        + model.building(house.id, "pull_down_kw_k") * above
    )
    slow = 1.0 + 0.02 * chunk.noise(f"{house.id}-cooling", 3600.0)
    house.cooling_kw = np.maximum(need * slow, 0.03 * model.building(house.id, "cooling_kw")) * house.plant_on


def simulate_zone_units(chunk: Chunk, house: House) -> None:
    """Publish VAV boxes, fan-coils and VRF units."""
    for unit in chunk.model.of(house.id, "vav", "fcu", "vrf"):
        on = _zone_on(chunk, house, unit)
        zone = house.zone_at[unit.id]
        setting = house.set_point[unit.id]
        noise = chunk.noise(f"{unit.id}-reading", 2400.0)
        chunk.put(unit, "zone_temperature", zone + 0.05 * noise, 0.06)
        chunk.put_states(unit, "zone_temperature_setpoint", setting)
        demand = np.clip(0.25 + 0.45 * house.people + 0.5 * (zone - setting) + 0.05 * noise, 0.0, 1.0)
        _PUBLISH[unit.kind](chunk, house, unit, demand, on)


def _publish_vav(chunk: Chunk, house: House, unit: Equipment, demand: Floats, on: Floats) -> None:
    flow_set = chunk.model.rated(unit, "flow_m3_h") * (0.3 + 0.7 * demand * house.plant_on) * on
    flow = flow_set * (1.0 + 0.015 * chunk.noise(f"{unit.id}-flow", 1800.0))
    chunk.put(unit, "supply_air_flow_setpoint", flow_set)
    starved = chunk.share_active("vav_starved", unit.id)
    flow = flow * (1.0 - STARVED * starved)
    chunk.put(unit, "supply_air_flow", flow, 0.012 * flow.mean(axis=0))
    opening = np.clip(100.0 * (flow_set / chunk.model.rated(unit, "flow_m3_h")) ** 0.8 * 0.88, 0.0, 100.0)
    opening = np.where(starved > 0, 100.0 * on, opening)
    chunk.put(unit, "damper_position", opening, 0.4 * on)


def _publish_fcu(chunk: Chunk, house: House, unit: Equipment, demand: Floats, on: Floats) -> None:
    chunk.put_states(unit, "fan_status", on)
    chunk.put_states(unit, "schedule", chunk.commanded(unit.id, "schedule", house.scheduled))
    speed = np.where(demand.mean(axis=0) > 0.72, 100.0, np.where(demand.mean(axis=0) > 0.45, 66.0, 33.0)) * on
    chunk.put_states(unit, "fan_speed", speed)
    valve = np.clip(115.0 * demand, 0.0, 100.0) * on * house.plant_on
    chunk.put(unit, "chilled_water_valve", valve, 0.5 * on * house.plant_on)


def _publish_vrf(chunk: Chunk, house: House, unit: Equipment, demand: Floats, on: Floats) -> None:
    warm = (house.zone_at[unit.id].mean(axis=0) > house.set_point[unit.id] - 0.7).astype(np.float64)
    cooling = on * warm
    chunk.put_states(unit, "cooling_status", cooling)
    chunk.put_states(unit, "schedule", chunk.commanded(unit.id, "schedule", house.scheduled))
    chunk.put_states(unit, "fault", chunk.share_active("equipment_trip", unit.id))
    power = chunk.model.rated(unit, "standby_kw") + chunk.model.rated(unit, "power_kw") * cooling * (
        0.3 + 0.6 * demand
    )
    house.draw("air", chunk.put(unit, "active_power", power, 0.05 * power.mean(axis=0) * cooling))


_PUBLISH = {"vav": _publish_vav, "fcu": _publish_fcu, "vrf": _publish_vrf}


def simulate_air_quality(chunk: Chunk, house: House) -> None:
    """Publish indoor CO2, temperature and humidity sensors."""
    sensors = chunk.model.of(house.id, "iaq")
    if not sensors:
        return
    fresh = np.maximum(house.scheduled, house.forced)
    humid = chunk.outdoor("humidity_pct").mean(axis=0)
    dew = chunk.outdoor("dew_point_c").mean(axis=0)
    target, constant = [], []
    for sensor in sensors:
        people = occupancy.people_share(chunk, sensor.id).mean(axis=0)
        crowd = chunk.constant(f"{sensor.id}-crowd", 340.0, 500.0)
        failed = np.minimum(chunk.share_active("ventilation_failed", sensor.id), 1.0)
        target.append(OUTDOOR_PPM + people * crowd * np.where(fresh > 0, 1.0 + 1.4 * failed, 2.4))
        constant.append(np.where(fresh > 0, 2100.0 + 6900.0 * failed, 9000.0))
        dry = 51.0 + 0.5 * np.clip(dew - 16.0, -8.0, 8.0)
        target.append(np.where(fresh * house.plant_on > 0, dry, np.clip(0.45 * humid + 27.0, 40.0, 67.0)))
        constant.append(np.where(fresh > 0, 2700.0, 20_000.0))
    first = np.tile([OUTDOOR_PPM, 60.0], len(sensors))
    levels = chunk.relax(f"{house.id}-air", first, np.array(target).T, np.array(constant).T)
    for place, sensor in enumerate(sensors):
        noise = chunk.noise(f"{sensor.id}-iaq", 1800.0)
        chunk.put(sensor, "zone_co2", np.maximum(chunk.ends(levels[:, 2 * place]) + 6.0 * noise, 400.0), 5.0)
        chunk.put(sensor, "zone_humidity", chunk.ends(levels[:, 2 * place + 1]) + 0.4 * noise, 0.3)
        chunk.put(sensor, "zone_temperature", house.zone_at[sensor.id] + 0.04 * noise, 0.05)
