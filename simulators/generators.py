"""Emergency generators: weekly idle test, monthly test on a load bank, fuel, battery, transfer switch.

Tests: Wednesday 10:00 for 15 min without load; the month's first Saturday 09:00 for 30 min at 40 % on a load
bank, which the mains meters do not see. Engine states as in Deep Sea's GenComm: 0 stopped, 1 pre-start
(cranking), 2 warming up, 3 running, 4 cooling down.
"""

from dataclasses import dataclass

import numpy as np

from simulators import calendars
from simulators.chunk import Chunk
from simulators.model import Equipment
from simulators.signals import Curve, Floats, Sum, interval_steps

IDLE_TEST_S, LOAD_TEST_S = 900.0, 1800.0
LOAD_SHARE = 0.4
CRANKS, CRANK_S, REST_S = 3, 10.0, 15.0
PHASE_V = 220.0
REFUEL_BELOW, REFUEL_TO = 70.0, 95.0
WEAK_V, DRAINED_PCT = 3.5, 66.0


@dataclass(frozen=True)
class Run:
    """One call of the generator; ``starts`` is false when it only cranks."""

    start: float
    end: float
    load_share: float
    starts: bool


def planned_runs(start: float, end: float) -> list[Run]:
    """Return the tests that overlap a stretch of time."""
    first = int(calendars.local_day(np.array([start]))[0]) - 1
    last = int(calendars.local_day(np.array([end]))[0])
    runs = []
    for day in range(first, last + 1):
        date = calendars.date_of(day)
        if date.weekday() == 2:
            at = calendars.midnight(day) + 10 * 3600.0
            runs.append(Run(at, at + IDLE_TEST_S, 0.0, starts=True))
        if date.weekday() == 5 and date.day <= 7:
            at = calendars.midnight(day) + 9 * 3600.0
            runs.append(Run(at, at + LOAD_TEST_S, LOAD_SHARE, starts=True))
    return [run for run in runs if run.end > start and run.start < end]


def _runs(chunk: Chunk, unit: Equipment) -> list[Run]:
    faults = [f for f in chunk.faults if f.name == "generator_fails_to_start" and f.equipment_id == unit.id]
    runs = []
    skipped = [f for f in chunk.faults if f.name == "test_skipped" and f.equipment_id == unit.id]
    for run in planned_runs(chunk.grid.start - 3.4 * 3600.0, chunk.grid.end):
        if any(f.start <= run.start < f.end for f in skipped):
            continue
        fails = any(f.start <= run.start < f.end for f in faults)
        runs.append(Run(run.start, run.end, run.load_share, starts=not fails))
    runs += [
        Run(f.start, f.start + IDLE_TEST_S, 0.0, starts=False) for f in faults
    ]  # called when the fault begins
    return sorted(runs, key=lambda run: run.start)


class _Trace:
    """Points of a curve, from an initial level on."""

    def __init__(self, start: float, level: float) -> None:
        self.time, self.level = [start - 4 * 3600.0], [level]

    def add(self, time: float, level: float) -> None:
        if time >= self.time[-1]:
            self.time.append(time)
            self.level.append(level)

    def curve(self, *, held: bool) -> Curve:
        return Curve(np.array(self.time), np.array(self.level), held=held)

    def from_start(self, start: float) -> Curve:
        """Return the held curve cut so that its first point is the chunk's start, for integrals."""
        time, level = np.array(self.time), np.array(self.level)
        index = int(np.searchsorted(time, start, side="right")) - 1
        return Curve(
            np.concatenate([[start], time[index + 1 :]]),
            np.concatenate([[level[index]], level[index + 1 :]]),
            held=True,
        )


def simulate_generator(chunk: Chunk, unit: Equipment) -> None:
    """Publish one generator."""
    start = chunk.grid.start
    rated = chunk.model.rated(unit, "power_kw")
    state, speed, power, volts, running = (_Trace(start, 0.0) for _ in range(5))
    battery, coolant = _Trace(start, 27.2), _Trace(start, 38.0)
    for run in _runs(chunk, unit):
        if run.starts:
            _run(run, rated, (state, speed, power, volts, running, battery, coolant))
        else:
            _crank(run, (state, speed, battery))
    chunk.rows[(unit.id, "engine_state")] = state.curve(held=True)
    chunk.rows[(unit.id, "engine_speed")] = speed.curve(held=False)
    active = power.from_start(start)
    chunk.rows[(unit.id, "active_power")] = active
    weak = chunk.active("battery_weak", unit.id)
    rested: Curve | Sum = battery.curve(held=False)
    if weak is not None:
        lost = chunk.line(f"{unit.id}-weak", np.stack([weak, weak]))
        rested = Sum([(1.0, battery.curve(held=False)), (-WEAK_V, lost)])
    chunk.rows[(unit.id, "battery_voltage")] = rested
    chunk.rows[(unit.id, "coolant_temperature")] = coolant.curve(held=False)
    voltage = volts.curve(held=False)
    for phase in "123":
        chunk.rows[(unit.id, f"voltage_l{phase}n")] = voltage
        current = Curve(active.time, active.level * 1000.0 / 3.0 / PHASE_V / 0.98, held=True)
        chunk.rows[(unit.id, f"current_l{phase}")] = current
    chunk.rows[(unit.id, "frequency")] = _Frequency(volts).curve()
    turning = running.from_start(start)
    chunk.put_register(unit, "run_hours", turning, chunk.constant(f"{unit.id}-h", 120.0, 380.0))
    begun = [r.start for r in _runs(chunk, unit) if r.starts and start <= r.start < chunk.grid.end]
    chunk.put_count(
        unit, "start_count", np.array(begun), np.floor(chunk.constant(f"{unit.id}-s", 300.0, 700.0))
    )
    _fuel(chunk, unit, turning, active, rated)


class _Frequency:
    """Frequency that follows the voltage: 60 Hz while excited."""

    def __init__(self, volts: _Trace) -> None:
        self._volts = volts

    def curve(self) -> Curve:
        level = np.array(self._volts.level)
        return Curve(np.array(self._volts.time), np.where(level > 0, 60.0, 0.0), held=False)


def _run(run: Run, rated: float, traces: tuple[_Trace, ...]) -> None:
    state, speed, power, volts, running, battery, coolant = traces
    at = run.start
    for offset, code in (
        (0.0, 1.0),
        (4.0, 2.0),
        (14.0, 3.0),
        (run.end - at - 120.0, 4.0),
        (run.end - at, 0.0),
    ):
        state.add(at + offset, code)
    for offset, level in (
        (0.0, 0.0),
        (4.0, 300.0),
        (8.0, 1800.0),
        (run.end - at, 1800.0),
        (run.end - at + 12.0, 0.0),
    ):
        speed.add(at + offset, level)
        if level != 300.0:
            volts.add(at + offset, PHASE_V if level > 0 else 0.0)
    power.add(at + 60.0, rated * run.load_share)
    power.add(run.end - 180.0, 0.0)
    running.add(at + 8.0, 1.0)
    running.add(run.end, 0.0)
    for time, level in ((at, 27.2), (at + 1.0, 21.5), (at + 6.0, 24.8), (at + 60.0, 27.9), (run.end, 28.1)):
        battery.add(time, level)
    battery.add(run.end + 600.0, 27.2)
    for time, level in (
        (at, 38.0),
        (at + 600.0, 74.0 + 10 * run.load_share),
        (run.end, 78.0 + 12 * run.load_share),
    ):
        coolant.add(time, level)
    coolant.add(run.end + 3 * 3600.0, 38.0)


def _crank(run: Run, traces: tuple[_Trace, ...]) -> None:
    state, speed, battery = traces
    battery.add(run.start, 27.2)
    for attempt in range(CRANKS):
        at = run.start + attempt * (CRANK_S + REST_S)
        state.add(at, 1.0)
        for time, level in ((at, 0.0), (at + 1.0, 190.0), (at + CRANK_S, 190.0), (at + CRANK_S + 1.0, 0.0)):
            speed.add(time, level)
        for time, level in ((at + 0.5, 18.4), (at + CRANK_S, 17.2), (at + CRANK_S + 2.0, 24.6)):
            battery.add(time, level)
    state.add(run.start + CRANKS * (CRANK_S + REST_S), 0.0)
    battery.add(run.start + 3600.0, 27.2)


def _fuel(chunk: Chunk, unit: Equipment, turning: Curve, active: Curve, rated: float) -> None:
    """Publish the fuel: 8 l/h idling and 0.27 l/kWh, filled up when a month begins below 70 %."""
    tank_l = chunk.model.rated(unit, "fuel_tank_l")
    level = float(chunk.opened(f"{unit.id}-fuel", chunk.constant(f"{unit.id}-fuel", 74.0, 94.0)))
    if level < REFUEL_BELOW and calendars.date_of(int(chunk.day[0])).day == 1:
        level = REFUEL_TO
    idle_l_h, per_kwh = 0.02 * rated * 0.27 + 6.0, 0.27
    place = chunk.grid.place(chunk.grid.time)
    used_l = (idle_l_h * turning.integral(place) + per_kwh * active.integral(place)) / 3600.0
    fuel: Floats = level - 100.0 * used_l / tank_l
    chunk.track(f"{unit.id}-fuel", fuel)
    gone = DRAINED_PCT * chunk.share_active("fuel_low", unit.id)
    chunk.put(unit, "fuel_level", np.maximum(chunk.ends(fuel) - gone, 1.0), 0.02)


def simulate_generators(chunk: Chunk) -> None:
    """Publish generators and transfer switches; the mains never fails here, so the switches stay on it."""
    for unit in chunk.model.kind("gen"):
        simulate_generator(chunk, unit)
    for switch in chunk.model.kind("ats"):
        chunk.rows[(switch.id, "ats_position")] = interval_steps(chunk.grid, np.zeros(chunk.grid.count))
