"""The chilled-water plant: chillers by part load, towers, primary and secondary pumps, header."""

from dataclasses import dataclass

import numpy as np

from simulators.building import House
from simulators.chunk import Chunk
from simulators.model import Equipment
from simulators.signals import Curve, Floats, Line

WATER_KWH_M3K = 1.163  # heat capacity of water, kWh per m3 and K
RT_KW = 3.517
DESIGN_DELTA_K = 5.5
PUMP_CYCLE_S, CHILLER_CYCLE_S = (120.0, 180.0), (600.0, 900.0)  # on, and on and off together
TOO_WARM_K, TOWER_FOULED_K, REFRIGERANT_LOW = 2.5, 4.0, 0.30
PART_LOAD = (0.13, 0.42, 0.45)  # power share = a + b x + c x^2, AHRI 551/591-type curve of a screw machine
CONDENSER_PCT_K = 0.027  # power per kelvin of entering condenser water above 29 C


@dataclass(eq=False)
class Stage:
    """How the plant runs: machines on, load of each, and its water; arrays (n,) or (2, n)."""

    count: Floats
    running: dict[str, Floats]
    part_load: Floats
    delivered_kw: Floats
    condenser_in_c: Floats
    tower_speed: Floats


def _staged(chunk: Chunk, house: House, capacity_kw: float, most: int) -> Floats:
    """Return machines on per interval; one more above 92 %, one less when it would stay below 80 %."""
    load = house.cooling_kw[0]
    on = house.plant_on > 0
    count = int(chunk.opened(f"{house.id}-stage", 0.0))
    counts = np.zeros(chunk.grid.count)
    for k in range(chunk.grid.count):
        if not on[k]:
            count = 0
        elif count == 0 or chunk.regular[k]:
            while count < 1 or (count < most and load[k] > 0.92 * count * capacity_kw):
                count += 1
            while count > 1 and load[k] < 0.80 * (count - 1) * capacity_kw:
                count -= 1
        counts[k] = count
    chunk.track(f"{house.id}-stage", np.append(counts, counts[-1]), held=True)
    return counts


def _stage(chunk: Chunk, house: House, chillers: list[Equipment]) -> Stage:
    capacity = chunk.model.rated(chillers[0], "cooling_kw")
    most = len(chillers)
    count = _staged(chunk, house, capacity, most)
    more = chunk.share_active("sequencing_wrong", f"{house.id}-plant") > 0
    count = np.where(more & (count > 0), np.minimum(count + 1, most), count)
    lead = (chunk.day + 3) // 7  # the lead machine changes on Mondays
    running = {c.id: (((place - lead) % most) < count).astype(float) for place, c in enumerate(chillers)}
    delivered = np.minimum(house.cooling_kw, 1.03 * count * capacity)
    part_load = delivered / np.maximum(count * capacity, 1.0)
    approach = 1.2 + 2.8 * part_load
    lowest = np.maximum(chunk.outdoor("wet_bulb_c") + approach, 21.0)
    condenser = np.where(count > 0, lowest + 0.15 * chunk.noise(f"{house.id}-cw", 1800.0), 0.0)
    speed = np.clip(38.0 + 55.0 * part_load + 2.2 * (chunk.outdoor("wet_bulb_c") - 23.0), 30.0, 100.0)
    return Stage(count, running, part_load, delivered, condenser, speed)


def simulate_plant(chunk: Chunk, house: House) -> None:
    """Publish a building's plant and hang its power on the meters."""
    chillers = chunk.model.of(house.id, "chiller")
    stage = _stage(chunk, house, chillers)
    house.load_share = stage.delivered_kw / chunk.model.building(house.id, "cooling_kw")
    on = (stage.count > 0).astype(float)
    dry = np.clip(0.25 * (15.0 - chunk.outdoor("dew_point_c").mean(axis=0)), 0.0, 2.0)
    setting = np.round(7.0 + dry, 1)
    levels = chunk.relax(
        f"{house.id}-chilled",
        np.array([20.0]),
        np.where(on > 0, setting, 23.5)[:, None],
        np.where(on > 0, 420.0, 28_000.0)[:, None],
    )
    house.chilled_c = chunk.ends(levels[:, 0])
    house.rejected_kw = np.zeros_like(house.people)
    idle = _idle_temperatures(chunk, house)
    for chiller in chillers:
        _publish_chiller(chunk, house, chiller, stage, setting, idle)
    _publish_header(chunk, house, stage)
    _publish_pumps(chunk, house, stage)
    _publish_towers(chunk, house, stage, idle)


def _idle_temperatures(chunk: Chunk, house: House) -> Floats:
    """Return the temperature that standing condenser water takes on, shape (2, n)."""
    return 0.7 * chunk.outdoor("day_mean_c") + 7.5 + 0.1 * chunk.noise(f"{house.id}-idle", 7200.0)


def _publish_chiller(
    chunk: Chunk, house: House, chiller: Equipment, stage: Stage, setting: Floats, idle: Floats
) -> None:
    model = chunk.model
    capacity = model.rated(chiller, "cooling_kw")
    on = stage.running[chiller.id]
    load = stage.part_load * on
    fouled = chunk.share_active("fouled_condenser", chiller.id)
    worse = 0.09 * fouled + REFRIGERANT_LOW * chunk.share_active("refrigerant_low", chiller.id)
    a, b, c = PART_LOAD
    part = a + b * load + c * load * load
    # each machine has a tower of its own number
    entering = stage.condenser_in_c + _fouling_k(chunk, f"{house.id}-tower-{chiller.number}")
    warm = 1.0 + CONDENSER_PCT_K * (entering - 29.0)
    power = on * capacity / RT_KW * model.rated(chiller, "kw_per_rt") * part * warm * (1.0 + worse)
    standby = model.rated(chiller, "standby_kw")
    status: Line | Curve = chunk.put_running(
        chiller,
        "chiller_status",
        on,
        chunk.constant(f"{chiller.id}-h", 9000.0, 16000.0),
        np.floor(chunk.constant(f"{chiller.id}-s", 900.0, 1800.0)),
    )
    cycling = chunk.active("chiller_short_cycling", chiller.id)
    if cycling is not None:
        status = _cycled(chunk, on, cycling, CHILLER_CYCLE_S)
        chunk.rows[(chiller.id, "chiller_status")] = status
        starts = status.time[1:][np.diff(status.level) > 0]
        first = np.floor(chunk.constant(f"{chiller.id}-s", 900.0, 1800.0))
        chunk.put_count(chiller, "start_count", starts, first)
    line = chunk.put(chiller, "active_power", power + standby * (1 - on), 0.015 * power.mean(axis=0))
    house.draw(f"chiller{chiller.number}" if house.id == "ltb" else "chillers", line, 0.52)
    heat = load * capacity + power
    house.rejected_kw = house.rejected_kw + heat * on
    leaving = entering + heat / (WATER_KWH_M3K * model.rated(chiller, "condenser_flow_m3_h"))
    flow = model.rated(chiller, "flow_m3_h") * on * (1.0 + 0.004 * chunk.noise(f"{chiller.id}-flow", 3600.0))
    lift = load * capacity / (WATER_KWH_M3K * model.rated(chiller, "flow_m3_h"))
    supply = house.chilled_c + 0.08 * chunk.noise(f"{chiller.id}-leaving", 1500.0)
    supply = supply + TOO_WARM_K * chunk.share_active("capacity_lost", chiller.id)
    rest = house.chilled_c + 0.6
    chunk.put(chiller, "load_ratio", 100.0 * np.minimum(load, 1.0), 0.7 * on)
    chunk.put(chiller, "chilled_water_supply_temperature", np.where(on > 0, supply, rest), 0.05)
    chunk.put(chiller, "chilled_water_return_temperature", np.where(on > 0, supply + lift, rest + 0.2), 0.05)
    chunk.put_states(chiller, "chilled_water_supply_temperature_setpoint", setting)
    chunk.put(chiller, "chilled_water_flow", flow, 0.006 * flow.mean(axis=0))
    chunk.put(chiller, "condenser_water_entering_temperature", np.where(on > 0, entering, idle), 0.05)
    chunk.put(chiller, "condenser_water_leaving_temperature", np.where(on > 0, leaving, idle + 0.3), 0.05)
    condensing = leaving + 0.5 + 1.1 * load + fouled * (0.6 + 2.6 * load)
    chunk.put(chiller, "condensing_temperature", np.where(on > 0, condensing, idle + 0.4), 0.06)
    evaporating = supply - 0.7 - 1.4 * load
    chunk.put(chiller, "evaporating_temperature", np.where(on > 0, evaporating, rest + 0.1), 0.06)
    chunk.put_states(chiller, "fault", chunk.share_active("equipment_trip", chiller.id))
    chunk.shared[f"{chiller.id}-status"] = status


def _fouling_k(chunk: Chunk, tower_id: str) -> Floats:
    """Return by how much a fouled tower leaves its water warmer, kelvin, shape (n,)."""
    return TOWER_FOULED_K * chunk.share_active("tower_fouled", tower_id)


def _publish_header(chunk: Chunk, house: House, stage: Stage) -> None:
    for plant in chunk.model.of(house.id, "plant"):
        on = (stage.count > 0).astype(float)
        low = chunk.share_active("low_delta_t", plant.id)
        delta = (DESIGN_DELTA_K - 0.9 * (1.0 - stage.part_load)) * (1.0 - 0.5 * low)
        flow = stage.delivered_kw / (WATER_KWH_M3K * delta) * on
        supply = house.chilled_c + 0.15
        chunk.put(plant, "chilled_water_supply_temperature", supply, 0.04)
        back = np.where(on > 0, supply + delta, supply + 0.5)
        chunk.put(plant, "chilled_water_return_temperature", back, 0.05)
        chunk.put(plant, "chilled_water_flow", flow, 0.01 * flow.mean(axis=0))
        setting = chunk.model.building(house.id, "header_kpa")
        pressure = setting * on * (1.0 + 0.012 * chunk.noise(f"{plant.id}-dp", 1500.0))
        chunk.put(plant, "chilled_water_differential_pressure", pressure, 1.2 * on)
        chunk.put_constant(plant, "chilled_water_differential_pressure_setpoint", setting)
        chunk.shared[f"{house.id}-header-flow"] = flow


def _publish_pumps(chunk: Chunk, house: House, stage: Stage) -> None:
    flow = chunk.shared[f"{house.id}-header-flow"]
    design = chunk.model.building(house.id, "cooling_kw") / (WATER_KWH_M3K * DESIGN_DELTA_K)
    secondary = [p for p in chunk.model.of(house.id, "pump") if "-chw-s" in p.id]
    need = flow / design * len(secondary)
    for pump in chunk.model.of(house.id, "pump"):
        if "-chw-s" in pump.id:
            turn = (pump.number - 1 - (chunk.day + 3) // 7) % len(secondary)
            running = (stage.count > 0) * ((turn == 0) | (need.mean(axis=0) > 0.85))
            sharing = np.where(need.mean(axis=0) > 0.85, len(secondary), 1)
            speed = np.clip(100.0 * np.sqrt(0.25 + 0.75 * (need / sharing) ** 2), 30.0, 100.0) * running
        else:
            running = stage.running[f"{house.id}-chiller-{pump.number}"]
            running = np.maximum(running, chunk.share_active("pump_runs_on", pump.id))
            speed = np.full_like(flow, chunk.model.rated(pump, "speed_pct", 92.0)) * running
        _publish_pump(chunk, house, pump, np.asarray(running, dtype=float), speed)


def _publish_pump(chunk: Chunk, house: House, pump: Equipment, running: Floats, speed: Floats) -> None:
    cycling = chunk.active("pump_short_cycling", pump.id)
    duty = 1.0 if cycling is None else 1.0 - cycling / 3.0
    power = chunk.model.rated(pump, "power_kw") * (speed / 100.0) ** 2.8 * running * duty
    status: Line | Curve = chunk.put_running(
        pump, "pump_status", running, chunk.constant(f"{pump.id}-h", 7000.0, 21000.0)
    )
    if cycling is not None:
        status = _cycled(chunk, running, cycling, PUMP_CYCLE_S)
        chunk.rows[(pump.id, "pump_status")] = status
        chunk.put_register(pump, "run_hours", status, chunk.constant(f"{pump.id}-h", 7000.0, 21000.0))
    chunk.put(pump, "pump_speed", speed, 0.25 * running * ("-chw-s" in pump.id))
    meter = "tower" if "-cw-" in pump.id and house.id == "ltb" else "chw-pumps"
    house.draw(meter, chunk.put(pump, "active_power", power, 0.012 * power.mean(axis=0)), 0.55)
    chunk.put_states(pump, "fault", chunk.share_active("equipment_trip", pump.id))


def _cycled(chunk: Chunk, running: Floats, cycling: Floats, cycle_s: tuple[float, float]) -> Curve:
    """Return a status that, while the fault acts, is on for the first of the two times, off for the rest."""
    on_s, period_s = cycle_s
    time, level = [chunk.grid.start], [running[0]]
    for k in range(chunk.grid.count):
        first = float(chunk.grid.time[k])
        last = float(chunk.grid.time[k + 1])
        if running[k] and cycling[k]:
            for start in np.arange(first, last, period_s):
                time += [start, min(start + on_s, last)]
                level += [1.0, 0.0]
        else:
            time.append(first)
            level.append(running[k])
    return Curve(np.array(time), np.array(level), held=True)


def _publish_towers(chunk: Chunk, house: House, stage: Stage, idle: Floats) -> None:
    towers = chunk.model.of(house.id, "tower")
    for tower in towers:
        on = stage.running[f"{house.id}-chiller-{tower.number}"]
        speed = stage.tower_speed * on
        power = chunk.model.rated(tower, "power_kw") * (speed / 100.0) ** 2.8
        chunk.put_running(tower, "fan_status", on, chunk.constant(f"{tower.id}-h", 6000.0, 15000.0))
        chunk.put(tower, "fan_speed", speed, 0.6 * on)
        basin = np.where(on > 0, stage.condenser_in_c + _fouling_k(chunk, tower.id), idle)
        chunk.put(tower, "condenser_water_supply_temperature", basin, 0.05)
        line = chunk.put(tower, "active_power", power, 0.02 * power.mean(axis=0))
        house.draw("tower" if house.id == "ltb" else "chw-pumps", line)
