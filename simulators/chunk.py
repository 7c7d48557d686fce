"""One stretch of simulated time: its grid, weather, opening state, and the signals it yields.

The physics modules fill a chunk in turn; each needs only what earlier ones left in it. What the next chunk
must know (tank content, temperatures, registers) is tracked here and read off at any instant.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from simulators import calendars
from simulators.faults import WASH_DOWN_S, Fault
from simulators.model import Equipment, Model
from simulators.noise import one_uniform, smooth
from simulators.signals import (
    QUARTER_S,
    AnyRow,
    Curve,
    Floats,
    Grid,
    Integral,
    Line,
    Place,
    Source,
    cycles_of,
    interval_steps,
)
from simulators.weather import Weather, weather_at

Key = tuple[str, str]


@dataclass
class State:
    """What one chunk hands to the next: registers by key, and named arrays of the physics."""

    registers: dict[Key, float] = field(default_factory=dict)
    tracked: dict[str, Floats] = field(default_factory=dict)
    held: dict[Key, float] = field(default_factory=dict)
    resets: dict[Key, float] = field(default_factory=dict)


@dataclass(frozen=True)
class _Track:
    levels: Floats
    held: bool


@dataclass(frozen=True)
class Patch:
    """A reading that stands still (``held``), else is scaled and off by an ``offset``, for a time.

    A register that ``restarted`` keeps its offset for good.
    """

    key: Key
    start: float
    end: float
    held: float | None
    offset: float
    scale: float = 1.0
    restarted: bool = False

    def read(self, reading: Floats) -> Floats | float:
        """Return what is read in place of the reading."""
        return reading * self.scale - self.offset if self.held is None else self.held


def make_grid(start: float, end: float, faults: Sequence[Fault]) -> Grid:
    """Return quarter-hour knots from start to end, with breaks where faults begin or end."""
    first = np.ceil(start / QUARTER_S) * QUARTER_S
    knots = [start, end, *np.arange(first, end, QUARTER_S).tolist()]
    for fault in faults:
        turns = [fault.start, fault.end]
        if fault.name == "sump_pump_failed":
            turns.append(fault.start + WASH_DOWN_S)
        knots += [time for time in turns if start < time < end]
    return Grid(np.unique(np.array(knots)))


class Chunk:
    """Grid, inputs and results of one stretch; physics has shape (2, n): interval starts and ends."""

    def __init__(
        self,
        model: Model,
        seed: int,
        grid: Grid,
        state: State,
        faults: Sequence[Fault],
        commands: Mapping[Key, float] = MappingProxyType({}),
    ) -> None:
        self.model = model
        self.seed = seed
        self.grid = grid
        self.opening = state
        self.commands = dict(commands)
        self.faults = [f for f in faults if f.start < grid.end and f.end > grid.start]
        self.past_faults = [f for f in faults if f.start < grid.end]
        self.rows: dict[Key, AnyRow] = {}
        self.shared: dict[str, Any] = {}
        self.patches: list[Patch] = []
        self._tracks: dict[str, _Track] = {}
        self._curves: dict[str, Curve] = {}
        self._counts: set[Key] = set()
        self._lively: dict[int, Floats] = {}
        self.middle = 0.5 * (grid.time[:-1] + grid.time[1:])
        self.weather: Weather = weather_at(seed, grid.time)
        self.day = calendars.local_day(self.middle)
        start_hour = calendars.local_hour(grid.time[:-1])
        self.hours = np.stack([start_hour, start_hour + grid.step_s / 3600.0])
        self.is_working = calendars.working(self.day)
        self.regular = (grid.time[:-1] % QUARTER_S) == 0.0

    # inputs
    def ends(self, at_knots: Floats) -> Floats:
        """Return a series at the knots, shape (n + 1,), as interval starts and ends, shape (2, n)."""
        return np.stack([at_knots[:-1], at_knots[1:]])

    def outdoor(self, name: str) -> Floats:
        """Return a field of the weather as interval starts and ends."""
        return self.ends(getattr(self.weather, name))

    def noise(self, stream: str, period_s: float) -> Floats:
        """Return smooth noise of unit deviation as interval starts and ends."""
        return self.ends(smooth(self.seed, stream, self.grid.time, period_s))

    def constant(self, stream: str, low: float, high: float) -> float:
        """Return a number between low and high that belongs to the stream for ever."""
        return low + (high - low) * one_uniform(self.seed, stream)

    def commanded(self, equipment_id: str, signal: str, own: Floats) -> Floats:
        """Return what the program says, shape (n,), or the command in its place."""
        commanded = self.commands.get((equipment_id, signal))
        return own if commanded is None else np.full_like(own, commanded)

    def active(self, name: str, equipment_id: str) -> Floats | None:
        """Return the fault's size for intervals in which it acts on the equipment, else 0; None if never."""
        found = [f for f in self.faults if f.name == name and f.equipment_id == equipment_id]
        if not found:
            return None
        flags = np.zeros(self.grid.count)
        for fault in found:
            flags[(self.middle > fault.start) & (self.middle < fault.end)] = fault.size
        return flags

    def share_active(self, name: str, equipment_id: str) -> Floats:
        """Return the fault's size per interval, zeros when it never acts here."""
        flags = self.active(name, equipment_id)
        return np.zeros(self.grid.count) if flags is None else flags

    # results
    def line(self, name: str, ends: Floats, swing: Floats | float | None = None) -> Line:
        """Return a line of this chunk; ``swing`` is the ripple's size in the signal's unit."""
        size = None
        if swing is not None:
            size = np.asarray(swing) * self._liveliness(zlib.crc32(name.encode()) % 12)
        whole = np.broadcast_to(np.asarray(ends, dtype=np.float64), (2, self.grid.count))
        return Line(self.grid, whole, size, cycles_of(name))

    def _liveliness(self, stream: int) -> Floats:
        """Return how strongly ripples swing in each quarter-hour; a dozen streams serve all signals."""
        found = self._lively.get(stream)
        if found is None:
            quarter = np.floor(self.middle / QUARTER_S) * QUARTER_S + QUARTER_S / 2
            luck = 0.35 + 0.65 * np.abs(smooth(self.seed, f"swing-{stream}", quarter, 7000.0))
            found = self._lively[stream] = np.minimum(luck, 1.4)
        return found

    def put(
        self, equipment: Equipment | str, signal: str, ends: Floats, swing: Floats | float | None = None
    ) -> Line:
        """Publish a signal that runs straight within each interval."""
        name = equipment if isinstance(equipment, str) else equipment.id
        row = self.line(f"{name}/{signal}", ends, swing)
        self.rows[(name, signal)] = row
        return row

    def put_states(self, equipment: Equipment | str, signal: str, states: Floats) -> Line:
        """Publish a signal that holds one value per interval; ``states`` shape (n,)."""
        name = equipment if isinstance(equipment, str) else equipment.id
        row = interval_steps(self.grid, states)
        self.rows[(name, signal)] = row
        return row

    def put_constant(self, equipment: Equipment | str, signal: str, level: float) -> None:
        """Publish a value that never changes."""
        self.put_states(equipment, signal, np.full(self.grid.count, level))

    def put_register(
        self,
        equipment: Equipment,
        signal: str,
        source: Source,
        first: float,
        *,
        per_s: float = 3600.0,
    ) -> Integral:
        """Publish the running integral of a source; ``first`` is its reading at the origin."""
        key = (equipment.id, signal)
        row = Integral(self.opening.registers.get(key, first), source, per_s)
        self.rows[key] = row
        return row

    def put_running(
        self,
        equipment: Equipment,
        signal: str,
        states: Floats,
        hours_at_origin: float,
        starts: float | None = None,
    ) -> Line:
        """Publish a run status with its hours run and, where ``starts`` is given, its count of starts."""
        row = self.put_states(equipment, signal, states)
        self.put_register(equipment, "run_hours", row, hours_at_origin)
        name = f"{equipment.id}/{signal}-before"
        before = float(self.opened(name, 0.0))
        self.track(name, np.append(states, states[-1]), held=True)
        if starts is not None:
            rising = np.diff(np.concatenate([[before], states])) > 0
            self.put_count(equipment, "start_count", self.grid.time[:-1][rising], starts)
        return row

    def put_count(self, equipment: Equipment, signal: str, times: Floats, first: float) -> None:
        """Publish a counter that rises by one at each of the times."""
        key = (equipment.id, signal)
        opening = self.opening.registers.get(key, first)
        self.rows[key] = Curve(
            np.concatenate([[self.grid.start], times]),
            opening + np.arange(len(times) + 1, dtype=np.float64),
            held=True,
        )
        self._counts.add(key)

    # state
    def opened(self, name: str, default: Floats | float) -> Floats:
        """Return the tracked array the chunk starts from."""
        found = self.opening.tracked.get(name)
        return np.asarray(default, dtype=np.float64) if found is None else found

    def track(self, name: str, at_knots: Floats, *, held: bool = False) -> None:
        """Keep a state at the knots, shape (n + 1, ...), for the next chunk."""
        self._tracks[name] = _Track(at_knots, held)

    def track_curve(self, name: str, curve: Curve) -> None:
        """Keep a state that has points of its own."""
        self._curves[name] = curve

    def relax(self, name: str, first: Floats, target: Floats, time_constant_s: Floats) -> Floats:
        """Return tracked first-order responses, shape (n + 1, s); target and time constant are (n, s)."""
        state = self.opened(name, first)
        keep = np.exp(-self.grid.step_s[:, None] / time_constant_s)
        push = (1.0 - keep) * target
        levels = _follow_one(state, keep, push) if len(state) == 1 else _follow(state, keep, push)
        self.track(name, levels)
        return levels

    def state_at(self, time: float) -> State:
        """Return what a chunk starting at the instant must know."""
        place = self.grid.place(np.array([time]))
        k, share = int(place.interval[0]), float(place.share[0])
        tracked: dict[str, Floats] = {}
        for name, track in self._tracks.items():
            if track.held:
                tracked[name] = track.levels[k + 1 if share >= 1.0 else k]
            else:
                tracked[name] = track.levels[k] * (1.0 - share) + track.levels[k + 1] * share
        for name, curve in self._curves.items():
            tracked[name] = curve.value(place)[0]
        registers: dict[Key, float] = {}
        for key, row in self.rows.items():
            if isinstance(row, Integral) or key in self._counts:
                registers[key] = float(row.value(place)[0])
        held = {p.key: p.held for p in self.patches if p.held is not None and p.start <= time < p.end}
        resets = {p.key: p.offset for p in self.patches if p.restarted and p.start <= time}
        return State(registers, tracked, held, resets)

    def read(self, key: Key, place: Place) -> Floats:
        """Return a signal at instants as a device would report it."""
        reading = self.rows[key].value(place)
        for patch in self.patches:
            if patch.key != key:
                continue
            inside = (place.time >= patch.start) & (place.time < patch.end)
            reading = np.where(inside, patch.read(reading), reading)
        return reading


def _follow(state: Floats, keep: Floats, push: Floats) -> Floats:
    levels = np.empty((len(keep) + 1, len(state)))
    levels[0] = state
    for k in range(len(keep)):
        state = keep[k] * state + push[k]
        levels[k + 1] = state
    return levels


def _follow_one(state: Floats, keep: Floats, push: Floats) -> Floats:
    """Follow a single state with plain numbers, ten times faster than arrays of one."""
    level = float(state[0])
    levels = [level]
    for share, gain in zip(keep[:, 0].tolist(), push[:, 0].tolist(), strict=True):
        level = share * level + gain
        levels.append(level)
    return np.array(levels)[:, None]
