"""Air side: outdoor-air units, air handlers and car-park exhaust, with fans by the affinity laws."""

from dataclasses import dataclass

import numpy as np

from simulators.building import House
from simulators.chunk import Chunk
from simulators.model import Equipment
from simulators.signals import Floats

FAN_HEAT_K = 0.8
COIL_K = 16.0  # air cooled by the fully open coil with 7 C water
REHEAT_K_PER_PCT = 0.12
MINIMUM_DAMPER = 0.20
STUCK_DAMPER = 0.90
MIXED_OFF_K = 8.0
FIXED_REHEAT_PCT = 45.0
PASSING_SHARE = 0.80
FOULED_COIL = 0.45
CLOGGED_PA = 220.0
FILTER_CHANGE_D = 90.0


def fan_power(rated_kw: float, speed_pct: Floats) -> Floats:
    """Return fan power; with a duct that keeps some pressure the cube softens to 2.7."""
    power: Floats = rated_kw * (speed_pct / 100.0) ** 2.7
    return power


def _filter_drop(chunk: Chunk, unit: Equipment, speed: Floats) -> Floats:
    age_d = (
        chunk.grid.time / 86_400.0 + chunk.constant(f"{unit.id}-filter", 0.0, FILTER_CHANGE_D)
    ) % FILTER_CHANGE_D
    clean = chunk.constant(f"{unit.id}-clean", 85.0, 110.0)
    clogged = CLOGGED_PA * chunk.share_active("filter_clogged", unit.id)
    return (clean + 0.9 * chunk.ends(age_d) + clogged) * (speed / 100.0) ** 2


@dataclass(eq=False)
class _Coil:
    """What a cooling coil does; shapes (2, n)."""

    valve_pct: Floats
    drop_k: Floats


def _coil(house: House, need_k: Floats, leak: Floats, duty: Floats) -> _Coil:
    """Return valve command and air temperature drop.

    ``leak`` is the share that passes when shut, ``duty`` the share of its cooling that the coil does, (n,).
    """
    full = COIL_K * house.plant_on * duty
    passing = leak * full
    asked = np.clip(need_k - passing, 0.0, None)
    share = np.clip(asked / (COIL_K * duty), 0.0, 1.0)
    valve = 100.0 * share**1.1 * house.plant_on
    return _Coil(valve, np.minimum(share * full + passing, full))


def simulate_air_handlers(chunk: Chunk, house: House) -> None:
    """Publish the air handlers of a building."""
    for unit in chunk.model.of(house.id, "ahu"):
        turning, _ = _fan(chunk, house, unit)
        _air_handler(chunk, house, unit, turning)


def _fan(chunk: Chunk, house: House, unit: Equipment) -> tuple[Floats, Floats]:
    """Publish the fan; return whether it turns, (n,), and its speed, (2, n)."""
    commanded = house.air_on[unit.id]
    on = commanded * (1.0 - chunk.share_active("fan_belt_broken", unit.id))
    wobble = chunk.noise(f"{unit.id}-fan", 3000.0)
    speed = np.clip(52.0 + 26.0 * house.load_share + 14.0 * house.people + 1.2 * wobble, 45.0, 100.0) * on
    chunk.put_states(unit, "fan_status", on)
    chunk.put_states(unit, "fan_command", commanded)
    chunk.put_states(unit, "schedule", house.air_scheduled[unit.id])
    chunk.put(unit, "fan_speed", speed, 0.35 * on)
    power = fan_power(chunk.model.rated(unit, "power_kw"), speed)
    house.draw("air", chunk.line(f"{unit.id}-power", power, 0.01 * power.mean(axis=0)), 0.50)
    chunk.put(unit, "filter_pressure_drop", _filter_drop(chunk, unit, speed), 0.8 * on)
    return on, speed


def _dampers(chunk: Chunk, unit: Equipment, on: Floats) -> tuple[Floats, Floats]:
    """Return the damper's reported command and its true position, shares of 1."""
    mild = (chunk.outdoor("temperature_c").mean(axis=0) < 23.5) & (
        chunk.outdoor("enthalpy_kj_kg").mean(axis=0) < 46.0
    )
    mild = mild & (chunk.share_active("economiser_disabled", unit.id) == 0.0)
    command = np.where(mild, 0.75, MINIMUM_DAMPER) * on
    stuck = chunk.share_active("stuck_damper", unit.id)
    stands = np.minimum(MINIMUM_DAMPER + stuck * (STUCK_DAMPER - MINIMUM_DAMPER), 1.0)
    return command, np.where(stuck > 0, stands, command)


def _return_humidity(chunk: Chunk, house: House, unit: Equipment, on: Floats) -> Floats:
    dew = chunk.outdoor("dew_point_c")
    muggy = 11.0 * np.clip((dew - 21.0) / 4.0, 0.0, 1.0) * np.clip(0.75 - house.load_share, 0.0, 0.6) / 0.6
    inside = 50.5 + 0.5 * np.clip(dew - 16.0, -8.0, 6.0) + muggy
    resting = np.clip(0.45 * chunk.outdoor("humidity_pct") + 27.0, 40.0, 67.0)
    target = np.where(on * house.plant_on > 0, inside, resting)
    levels = chunk.relax(
        f"{unit.id}-humidity",
        np.array([60.0]),
        target.mean(axis=0)[:, None],
        np.where(on > 0, 2400.0, 18_000.0)[:, None],
    )
    return chunk.ends(levels[:, 0]) + 0.4 * chunk.noise(f"{unit.id}-rh", 2400.0)


def _air_handler(chunk: Chunk, house: House, unit: Equipment, on: Floats) -> None:
    zone = house.zone_at[unit.id]
    command, damper = _dampers(chunk, unit, on)
    back = zone + 0.3 * on + 0.05 * chunk.noise(f"{unit.id}-return", 2400.0)
    mixed = damper * chunk.outdoor("temperature_c") + (1.0 - damper) * back
    humidity = _return_humidity(chunk, house, unit, on)
    setting = np.round(2.0 * np.clip(17.5 - 4.0 * house.load_share.mean(axis=0), 13.5, 17.5)) / 2.0
    setting = chunk.commanded(unit.id, "supply_air_temperature_setpoint", setting)
    drying = np.clip(7.0 * (humidity - 60.0), 0.0, 30.0)
    fixed = FIXED_REHEAT_PCT * chunk.share_active("reheat_against_cooling", unit.id)
    reheat = np.where(fixed > 0, fixed, drying) * on * house.plant_on
    warming = REHEAT_K_PER_PCT * reheat
    leak = PASSING_SHARE * chunk.share_active("passing_chilled_water_valve", unit.id)
    hunt = 0.25 * chunk.noise(f"{unit.id}-valve", 1300.0)
    duty = 1.0 - (1.0 - FOULED_COIL) * chunk.share_active("coil_fouled", unit.id)
    coil = _coil(house, mixed + FAN_HEAT_K + warming - setting + hunt, leak, duty)
    running = mixed + FAN_HEAT_K + warming - coil.drop_k
    supply = np.where(on > 0, running + 0.1 * hunt, zone - 0.4)
    chunk.put(unit, "supply_air_temperature", supply, 0.06)
    chunk.put_states(unit, "supply_air_temperature_setpoint", setting)
    chunk.put(unit, "return_air_temperature", back, 0.04)
    chunk.put(unit, "return_air_humidity", humidity, 0.25)
    off_k = MIXED_OFF_K * chunk.share_active("mixed_air_sensor_wrong", unit.id)
    chunk.put(unit, "mixed_air_temperature", np.where(on > 0, mixed, zone - 0.1) + off_k, 0.06)
    _put_valve(chunk, unit, coil, on)
    chunk.put(unit, "reheat_valve", reheat)
    chunk.put(unit, "outdoor_air_damper", 100.0 * command)
    pressure = chunk.model.rated(unit, "static_pa")
    static = pressure * on * (1.0 + 0.01 * chunk.noise(f"{unit.id}-static", 1500.0))
    chunk.put(unit, "duct_static_pressure", static, 3.0 * on)
    chunk.put_constant(unit, "duct_static_pressure_setpoint", pressure)


def _put_valve(chunk: Chunk, unit: Equipment, coil: _Coil, on: Floats) -> None:
    """Publish the valve's command; a loop that hunts swings it around its middle."""
    hunting = chunk.share_active("loop_hunting", unit.id) * (coil.valve_pct.max(axis=0) > 1.0)
    valve = np.where(hunting > 0, 50.0, coil.valve_pct) * on
    swing = np.where(hunting > 0, 33.0 * hunting, 0.3 * (coil.valve_pct.min(axis=0) > 1.0)) * on
    chunk.put(unit, "chilled_water_valve", valve, swing)


def simulate_outdoor_air_units(chunk: Chunk, house: House) -> None:
    """Publish the units that cool and dry the outdoor air."""
    for unit in chunk.model.of(house.id, "oau"):
        on, speed = _fan(chunk, house, unit)
        outdoor = chunk.outdoor("temperature_c")
        setting = np.full(chunk.grid.count, 18.0)
        setting = chunk.commanded(unit.id, "supply_air_temperature_setpoint", setting)
        wet = np.clip(chunk.outdoor("enthalpy_kj_kg") - 48.0, 0.0, None) / 2.6
        need = np.maximum(outdoor + FAN_HEAT_K - setting, 0.0) + 0.35 * wet
        coil = _coil(house, 0.8 * need, np.zeros(chunk.grid.count), np.ones(chunk.grid.count))
        drying = np.clip(2.2 * (chunk.outdoor("dew_point_c") - 22.5), 0.0, 22.0) * house.plant_on * on
        cooled = outdoor + FAN_HEAT_K - np.minimum(coil.drop_k / 0.8, need)
        running = np.where(
            coil.valve_pct > 0.5, np.maximum(cooled, setting - 0.5) + 0.04 * drying, outdoor + FAN_HEAT_K
        )
        noise = 0.12 * chunk.noise(f"{unit.id}-supply", 1500.0)
        supply = np.where(on > 0, running + noise, 0.5 * outdoor + 12.5)
        chunk.put(unit, "supply_air_temperature", supply, 0.06)
        chunk.put_states(unit, "supply_air_temperature_setpoint", setting)
        chunk.put(
            unit, "chilled_water_valve", coil.valve_pct * on, 0.3 * on * (coil.valve_pct.min(axis=0) > 1.0)
        )
        chunk.put(unit, "reheat_valve", drying)
        flow = chunk.model.rated(unit, "flow_m3_h") * speed / 100.0
        chunk.put(unit, "supply_air_flow", flow, 0.008 * flow.mean(axis=0))


def simulate_exhaust(chunk: Chunk, house: House) -> None:
    """Publish the car park's exhaust fans, which run in the rush hours and by CO."""
    fans = chunk.model.of(house.id, "exhaust")
    if not fans:
        return
    hours = (0.0, 6.8, 7.6, 8.4, 9.2, 11.8, 12.3, 13.4, 16.8, 17.6, 18.6, 20.0, 24.0)
    cars = np.where(
        chunk.is_working > 0,
        np.interp(chunk.hours, hours, (0.02, 0.1, 0.8, 1.0, 0.25, 0.2, 0.4, 0.25, 0.3, 1.0, 0.5, 0.1, 0.02)),
        np.interp(chunk.hours, (0, 9, 11, 17, 24), (0.02, 0.06, 0.12, 0.08, 0.02)),
    )
    middle = chunk.hours.mean(axis=0)
    busy = chunk.is_working * (((middle > 7.25) & (middle < 9.5)) | ((middle > 16.75) & (middle < 19.0)))
    for fan in fans:
        traffic = cars * (1.0 + 0.15 * chunk.noise(f"{fan.id}-cars", 2400.0))
        failed = chunk.share_active("exhaust_failed", fan.id)
        running = busy * (1.0 - failed)
        left = np.where(running > 0, 0.45, 1.0 + failed)
        target = (1.5 + 26.0 * traffic * left).mean(axis=0)
        levels = chunk.relax(
            f"{fan.id}-co", np.array([2.0]), target[:, None], np.where(busy > 0, 600.0, 2400.0)[:, None]
        )
        speed = np.clip(45.0 + 45.0 * traffic, 40.0, 100.0) * running
        power = fan_power(chunk.model.rated(fan, "power_kw"), speed)
        chunk.put_states(fan, "fan_status", running)
        chunk.put_states(fan, "fan_command", busy)
        chunk.put(fan, "fan_speed", speed, 0.5 * running)
        chunk.put(fan, "co_concentration", np.maximum(chunk.ends(levels[:, 0]), 0.5), 0.3)
        house.draw("carpark", chunk.put(fan, "active_power", power, 0.02 * power.mean(axis=0)), 0.55)
