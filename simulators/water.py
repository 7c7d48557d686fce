"""Water: sumps and rain tank by mass balance, meters, ground and drain levels, weather station."""

from dataclasses import dataclass

import numpy as np

from simulators import calendars, occupancy
from simulators.building import House
from simulators.chunk import Chunk
from simulators.faults import WASH_DOWN_S
from simulators.model import Equipment
from simulators.signals import Curve, Floats, Sum, add
from simulators.weather import weather_at

MAKE_UP_M3_KWH = 0.0020  # 1.5 L evaporate per kWh rejected, four cycles of concentration
NIGHT_M3_H = 0.012
TOILET_LEAK_M3_H = 0.25
TANK_LEAK_M3_H = 0.6
WASH_DOWN_M3_H = 60.0
BACKFLOW_M3_H, CYCLING_BAND_M, INFLOW_M3_H = 6.0, 0.06, 21.0
RUNOFF = 0.8
BURST_M3_H, GROUND_RISE_M, BACKED_UP_M, FIRE_MAIN_LOSS_KPA = 6.0, 5.0, 1.5, 250.0
WORN_PUMP = 0.05


@dataclass(frozen=True)
class Pit:
    """A sump's sizes: m2, m and m3/h."""

    area_m2: float
    depth_m: float
    start_m: float
    stop_m: float
    high_m: float
    pump_m3_h: float


@dataclass
class _Log:
    """Events of a pit: level points and switching of the pumps (0 none, else the pump's number)."""

    time: list[float]
    level: list[float]
    switch_time: list[float]
    switch: list[float]

    def point(self, time: float, level: float) -> None:
        self.time.append(time)
        self.level.append(level)

    def turn(self, time: float, pump: int) -> None:
        self.switch_time.append(time)
        self.switch.append(float(pump))


@dataclass
class _PitState:
    level: float
    running: int
    duty: int


def pump_down(
    pit: Pit,
    grid_time: Floats,
    inflow_m3_h: Floats,
    trouble: tuple[Floats, Floats, Floats],
    opening: tuple[float, int, int],
) -> tuple[_Log, list[float]]:
    """Follow a pit from event to event; inflow is constant per interval.

    Args:
        pit: its sizes.
        grid_time: knots, epoch seconds, shape (n + 1,).
        inflow_m3_h: shape (n,).
        trouble: whether the pumps fail, whether the check valve leaks, and the share of their rating that
            the pumps lift, per interval.
        opening: level (m), pump running (0 for none), pump whose turn is next.

    Returns:
        The log and the duty after each switching.
    """
    failed, cycling, lifts = trouble
    state = _PitState(*opening)
    log = _Log([float(grid_time[0])], [state.level], [float(grid_time[0])], [float(state.running)])
    duties = [float(state.duty)]
    for k, inflow in enumerate(inflow_m3_h.tolist()):
        now, end = float(grid_time[k]), float(grid_time[k + 1])
        if failed[k] and state.running:
            state.running = 0
            log.turn(now, 0)
            duties.append(state.duty)
        stop = pit.start_m - CYCLING_BAND_M if cycling[k] else pit.stop_m
        while now < end:
            lifted = pit.pump_m3_h * lifts[k] if state.running else 0.0
            rate = (inflow - lifted) / pit.area_m2 / 3600.0
            until = _until_event(pit, state, rate, stop, bool(failed[k]))
            step = min(until, end - now)
            now = end if step == end - now else now + step
            state.level = min(max(state.level + rate * step, 0.0), pit.depth_m)
            log.point(now, state.level)
            if until <= step:
                _switch(state, bool(failed[k]))
                log.turn(now, state.running)
                duties.append(state.duty)
    return log, duties


def _until_event(pit: Pit, state: _PitState, rate: float, stop: float, failed: bool) -> float:  # noqa: FBT001
    if state.running:
        if state.level <= stop:
            return 0.0
        return (state.level - stop) / -rate if rate < 0 else np.inf
    if failed:
        return np.inf
    if state.level >= pit.start_m:
        return 0.0
    return (pit.start_m - state.level) / rate if rate > 0 else np.inf


def _switch(state: _PitState, failed: bool) -> None:  # noqa: FBT001
    if state.running or failed:
        state.running = 0
    else:
        state.running = state.duty
        state.duty = 3 - state.duty


def _crossings(time: Floats, level: Floats, limit: float) -> Curve:
    """Return 1 while the level is above the limit, switching at the exact crossing."""
    above = level > limit
    turns = np.flatnonzero(above[1:] != above[:-1])
    rise = level[turns + 1] - level[turns]
    at = time[turns] + (limit - level[turns]) / np.where(rise == 0, 1.0, rise) * (
        time[turns + 1] - time[turns]
    )
    states = np.concatenate([[float(above[0])], above[turns + 1].astype(float)])
    return Curve(np.concatenate([[time[0]], at]), states, held=True)


def simulate_sumps(chunk: Chunk, house: House) -> None:
    """Publish the sumps and their pumps."""
    rain = chunk.outdoor("rain_mm_h").mean(axis=0)
    for sump in chunk.model.of(house.id, "sump"):
        rated = chunk.model.rated
        pit = Pit(
            *(rated(sump, n) for n in ("area_m2", "depth_m", "start_m", "stop_m", "high_m", "pump_m3_h"))
        )
        seep = rated(sump, "seepage_m3_h") * (
            1.0 + 0.25 * chunk.noise(f"{sump.id}-seep", 6 * 86_400.0).mean(axis=0)
        )
        inflow = np.maximum(seep, 0.05) + rain * rated(sump, "catchment_m2") / 1000.0
        failed = chunk.share_active("sump_pump_failed", sump.id)
        cycling = chunk.share_active("pump_short_cycling", sump.id)
        for fault in chunk.faults:
            if fault.name == "sump_pump_failed" and fault.equipment_id == sump.id:
                washing = (chunk.middle > fault.start) & (chunk.middle < fault.start + WASH_DOWN_S)
                inflow = inflow + WASH_DOWN_M3_H * washing
        inflow = inflow + BACKFLOW_M3_H * cycling
        inflow = inflow + INFLOW_M3_H * chunk.share_active("inflow_high", sump.id)
        level = float(chunk.opened(f"{sump.id}-level", chunk.constant(f"{sump.id}-l", 0.5, 1.1)))
        opening = (
            level,
            int(chunk.opened(f"{sump.id}-running", 0.0)),
            int(chunk.opened(f"{sump.id}-duty", 1.0)),
        )
        lifts = 1.0 - (1.0 - WORN_PUMP) * chunk.share_active("pump_no_effect", sump.id)
        log, duties = pump_down(pit, chunk.grid.time, inflow, (failed, cycling, lifts), opening)
        _publish_sump(chunk, house, sump, pit, log, duties, failed)


def _publish_sump(
    chunk: Chunk, house: House, sump: Equipment, pit: Pit, log: _Log, duties: list[float], failed: Floats
) -> None:
    time, level = np.array(log.time), np.array(log.level)
    levels = Curve(time, level, held=False)
    chunk.rows[(sump.id, "sump_level")] = levels
    chunk.rows[(sump.id, "high_float")] = _crossings(time, level, pit.high_m)
    switched = np.array(log.switch)
    chunk.track_curve(f"{sump.id}-level", levels)
    chunk.track_curve(f"{sump.id}-running", Curve(np.array(log.switch_time), switched, held=True))
    chunk.track_curve(f"{sump.id}-duty", Curve(np.array(log.switch_time), np.array(duties), held=True))
    pumps = [p for p in chunk.model.of(house.id, "sump-pump") if p.id.startswith(f"{sump.id}-p")]
    for pump in pumps:
        mine = (switched == pump.number).astype(float)
        status = Curve(np.array(log.switch_time), mine, held=True)
        chunk.rows[(pump.id, "pump_status")] = status
        chunk.put_register(pump, "run_hours", status, chunk.constant(f"{pump.id}-h", 1500.0, 4000.0))
        starts = np.flatnonzero((mine[1:] > 0) & (mine[:-1] == 0)) + 1
        first = np.floor(chunk.constant(f"{pump.id}-s", 9000.0, 20_000.0))
        chunk.put_count(pump, "start_count", np.array(log.switch_time)[starts], first)
        chunk.put_states(pump, "fault", failed)
        power = Sum([(chunk.model.rated(pump, "power_kw"), status)])
        house.draw("carpark" if house.id == "ltb" else "outdoor", power, 0.7)


def _watering(chunk: Chunk, unit: Equipment) -> Floats:
    """Return 1 in the intervals of watering: 6:00-6:30, less in winter, not after rain."""
    days, place = np.unique(chunk.day, return_inverse=True)
    at_six = days * 86_400.0 - 2 * 3600.0
    past = (at_six[:, None] - np.arange(48) * 1800.0).ravel()
    rained = weather_at(chunk.seed, np.sort(past)).rain_mm_h
    rained = rained[np.argsort(np.argsort(past))].reshape(len(days), 48).sum(axis=1) / 2.0
    months = np.array([calendars.date_of(int(d)).month for d in days])
    wanted = (rained < 4.0) & (((months > 3) & (months < 11)) | (days % 3 == 0))
    middle = chunk.hours.mean(axis=0)
    always = chunk.share_active("irrigation_fixed", unit.id) > 0
    watering: Floats = (wanted[place] | always) * ((middle > 6.0) & (middle < 6.5)).astype(np.float64)
    return watering


@dataclass(frozen=True)
class _Flows:
    """Rain tank flows per interval, m3/h, shape (n,)."""

    roof: Floats
    toilets: Floats
    garden: Floats
    leak: Floats


def _balance(
    chunk: Chunk, unit: Equipment, flows: _Flows, content_m3: float
) -> tuple[Floats, Floats, Floats]:
    """Return mains top-up, overflow (m3/h) and the mains valve, interval by interval."""
    capacity = chunk.model.rated(unit, "capacity_m3")
    top_up = chunk.model.rated(unit, "mains_m3_h")
    opens, shuts = 0.15 * capacity, 0.25 * capacity
    valve = float(chunk.opened(f"{unit.id}-valve", 0.0))
    valves, overflow = np.zeros(chunk.grid.count), np.zeros(chunk.grid.count)
    stuck = chunk.share_active("mains_valve_stuck", unit.id)
    net = (flows.roof - flows.toilets - flows.garden - flows.leak).tolist()
    hours = (chunk.grid.step_s / 3600.0).tolist()
    for k in range(chunk.grid.count):
        if content_m3 < opens or stuck[k]:
            valve = 1.0
        elif content_m3 > shuts:
            valve = 0.0
        content_m3 += (net[k] + valve * top_up) * hours[k]
        if content_m3 > capacity:
            overflow[k] = (content_m3 - capacity) / hours[k]
            content_m3 = capacity
        valves[k] = valve
    chunk.track(f"{unit.id}-valve", np.append(valves, valve), held=True)
    return valves * top_up, overflow, valves


def simulate_rain_tank(chunk: Chunk, house: House) -> None:
    """Publish the rainwater tank: roof to tank to toilets and garden, mains below 15 %."""
    for unit in chunk.model.of(house.id, "rain-tank"):
        rated = chunk.model.rated
        capacity = rated(unit, "capacity_m3")
        flush = rated(unit, "toilets_m3_h") * house.people + 0.004
        leaking = TOILET_LEAK_M3_H * chunk.share_active("toilet_leak_at_night", unit.id)
        flush = flush + leaking
        rain = chunk.outdoor("rain_mm_h").mean(axis=0)
        roof = np.where(rain > 0.1, rain, 0.0) * rated(unit, "roof_m2") * RUNOFF / 1000.0
        garden = rated(unit, "garden_m3_h") * _watering(chunk, unit)
        leak = TANK_LEAK_M3_H * chunk.share_active("tank_leak", unit.id)
        first = chunk.constant(f"{unit.id}-level", 45.0, 70.0)
        opening = chunk.opening.registers.get((unit.id, "tank_level"), first)
        flows = _Flows(roof, flush.mean(axis=0), garden, leak)
        mains, overflow, valves = _balance(chunk, unit, flows, opening * capacity / 100.0)
        held = {"in": roof, "garden": garden, "mains": mains, "over": overflow, "leak": leak}
        lines = {name: chunk.line(f"{unit.id}-{name}", np.stack([flow, flow])) for name, flow in held.items()}
        lines["out"] = chunk.line(f"{unit.id}-out", flush, 0.2 * house.people.mean(axis=0))
        for signal, name in (
            ("tank_inlet_volume", "in"),
            ("tank_outlet_volume", "out"),
            ("irrigation_volume", "garden"),
            ("mains_volume", "mains"),
        ):
            chunk.put_register(
                unit, signal, lines[name], round(chunk.constant(f"{unit.id}-{name}", 800.0, 4000.0), 2)
            )
        signs = {"in": 1.0, "mains": 1.0, "out": -1.0, "garden": -1.0, "over": -1.0, "leak": -1.0}
        content = add(*[(100.0 / capacity * sign, lines[name]) for name, sign in signs.items()])
        register = chunk.put_register(unit, "tank_level", content, first)
        register.low, register.high = 0.0, 100.0
        chunk.put_states(unit, "mains_valve", valves)
        chunk.put_states(unit, "overflow_state", (overflow > 0).astype(float))
        pumping = ((flows.toilets > 0.15) | (garden > 0)).astype(float)
        chunk.put_states(unit, "pump_status", pumping)
        power = rated(unit, "pump_kw") * pumping
        house.draw("outdoor", chunk.line(f"{unit.id}-pump", np.stack([power, power]), 0.02 * power), 0.6)
        chunk.shared["tank-mains"] = np.stack([mains, mains])


def simulate_meters(chunk: Chunk, house: House) -> None:
    """Publish the water and gas meters of a building."""
    rated = chunk.model.rated
    kitchen = occupancy.meals_share(chunk) * (1.0 + 0.1 * chunk.noise(f"{house.id}-kitchen", 2400.0))
    for unit in chunk.model.of(house.id, "water-meter"):
        flow = (
            NIGHT_M3_H * (0.8 + 0.2 * chunk.noise(f"{unit.id}-drip", 9000.0).clip(-2, 2))
            + rated(unit, "people_m3_h") * house.people * (1.0 + 0.12 * chunk.noise(f"{unit.id}-use", 1800.0))
            + rated(unit, "kitchen_m3_h") * kitchen
            + MAKE_UP_M3_KWH * house.rejected_kw
            + TOILET_LEAK_M3_H * chunk.share_active("toilet_leak_at_night", unit.id)
            + BURST_M3_H * chunk.share_active("water_burst", unit.id)
        )
        if house.id == "ym":
            flow = flow + chunk.shared.get("tank-mains", 0.0)
        row = chunk.put(unit, "water_flow", np.maximum(flow, 0.0), 0.12 * np.minimum(flow.min(axis=0), 4.0))
        chunk.put_register(unit, "water_volume", row, round(chunk.constant(f"{unit.id}-v", 2e4, 9e4), 1))
    for unit in chunk.model.of(house.id, "gas-meter"):
        burning = np.maximum(rated(unit, "kitchen_m3_h") * kitchen, 0.0)
        line = chunk.line(f"{unit.id}-flow", burning, 0.1 * burning.mean(axis=0))
        chunk.put_register(unit, "gas_volume", line, round(chunk.constant(f"{unit.id}-v", 3000.0, 9000.0), 1))


def simulate_sensors(chunk: Chunk, house: House) -> None:
    """Publish leak, groundwater and drain sensors, and the fire pump's main."""
    rain = chunk.outdoor("rain_mm_h").mean(axis=0)
    for unit in chunk.model.of(house.id, "leak"):
        chunk.put_states(unit, "leak_status", chunk.share_active("water_leak", unit.id))
    for unit in chunk.model.of(house.id, "groundwater"):
        levels = chunk.relax(
            unit.id,
            np.array([-6.3]),
            (-7.0 + 3.5 * rain)[:, None],
            np.full((chunk.grid.count, 1), 12 * 86_400.0),
        )
        level = chunk.ends(levels[:, 0]) + 0.03 * chunk.noise(f"{unit.id}-tide", 20_000.0)
        level = level + GROUND_RISE_M * chunk.share_active("ground_water_rise", unit.id)
        chunk.put(unit, "groundwater_level", np.minimum(level, -1.0), 0.004)
    for unit in chunk.model.of(house.id, "drain"):
        blocked = BACKED_UP_M * chunk.share_active("drain_blocked", unit.id)
        flow = (0.12 + 0.018 * rain + 0.03 * house.people.mean(axis=0) + blocked)[:, None]
        levels = chunk.relax(unit.id, np.array([0.12]), flow, np.full((chunk.grid.count, 1), 1500.0))
        chunk.put(unit, "drainage_level", chunk.ends(levels[:, 0]), 0.004)
    for unit in chunk.model.of(house.id, "fire-pump"):
        chunk.put_constant(unit, "pump_status", 0.0)
        chunk.put_states(unit, "fault", chunk.share_active("equipment_trip", unit.id))
        level = 705.0 + 6.0 * chunk.noise(f"{unit.id}-main", 20_000.0)
        level = level - FIRE_MAIN_LOSS_KPA * chunk.share_active("fire_main_leak", unit.id)
        chunk.put(unit, "fire_main_pressure", level, 0.6)
    for unit in chunk.model.of(house.id, "fire-panel"):
        chunk.put_states(unit, "fire_alarm", chunk.share_active("fire_alarm", unit.id))
        chunk.put_states(unit, "panel_trouble", chunk.share_active("fire_panel_trouble", unit.id))
    for unit in chunk.model.of(house.id, "supervised"):
        chunk.put_states(unit, "system_status", 1.0 - chunk.share_active("system_down", unit.id))
        chunk.put_constant(unit, "fault", 0.0)


def simulate_station(chunk: Chunk) -> None:
    """Publish the weather station."""
    for unit in chunk.model.kind("weather"):
        chunk.put(unit, "outdoor_air_temperature", chunk.outdoor("temperature_c"), 0.08)
        humidity = chunk.outdoor("humidity_pct")
        chunk.put(
            unit, "outdoor_air_humidity", humidity, np.minimum(0.3, 0.5 * (100.0 - humidity.max(axis=0)))
        )
        sun = chunk.outdoor("irradiance_w_m2")
        chunk.put(unit, "solar_irradiance", sun, 0.02 * sun.min(axis=0))
        rain = chunk.put(unit, "rain_rate", chunk.outdoor("rain_mm_h"))
        chunk.put_register(unit, "rain_depth", rain, 0.0)
        wind = chunk.outdoor("wind_m_s")
        chunk.put(unit, "wind_speed", wind, 0.15 * wind.min(axis=0))
        chunk.put(unit, "wind_gust", chunk.outdoor("gust_m_s"), 0.1 * wind.min(axis=0))
        chunk.put(unit, "air_pressure", chunk.outdoor("pressure_hpa"), 0.05)
