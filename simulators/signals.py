"""How a signal runs through time: exact values and exact integrals at any instant of a chunk.

A chunk is cut into intervals: quarter-hours, with breaks where faults begin or end. Within one, a signal runs
straight from its start to its end value; a ripple with whole cycles per quarter-hour, hence without an
integral over it, makes it lively between the knots. Counters are the integral in closed form, so a reading
does not depend on how often one looks.
"""

import bisect
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
QUARTER_S = 900.0
HOUR_S = 3600.0
_TURN = 2.0 * np.pi


@dataclass(frozen=True, eq=False)
class Place:
    """Instants of one chunk: their interval, how far in it, and the share of the quarter-hour gone by."""

    time: Floats
    interval: Ints
    share: Floats
    phase: Floats


class Grid:
    """The knots of a chunk: ``time`` shape (n + 1,), epoch seconds, rising."""

    def __init__(self, time: Floats) -> None:
        self.time = time
        self.step_s = np.diff(time)
        self.count = len(time) - 1
        self.start = float(time[0])
        self.end = float(time[-1])
        self.phase = (time % QUARTER_S) / QUARTER_S

    def place(self, time: Floats) -> Place:
        """Find instants within the chunk; its end belongs to the last interval."""
        interval = np.searchsorted(self.time, time, side="right") - 1
        interval = np.clip(interval, 0, self.count - 1).astype(np.int64)
        share = (time - self.time[interval]) / self.step_s[interval]
        return Place(time, interval, share, (time % QUARTER_S) / QUARTER_S)


class Row(Protocol):
    """A signal over one chunk."""

    def value(self, place: Place) -> Floats:
        """Return the signal at the instants, shape of ``place.time``."""

    def integral(self, place: Place) -> Floats:
        """Return the integral from the chunk's start to the instants, unit times seconds."""


def cycles_of(name: str) -> Floats:
    """Return a signal's three numbers of ripple cycles per quarter-hour (periods of 8 to 180 s)."""
    word = zlib.crc32(name.encode())
    return np.array([5 + word % 13, 19 + (word >> 8) % 31, 53 + (word >> 16) % 59], dtype=np.float64)


RIPPLE_WEIGHTS = np.array([0.5, 0.32, 0.18])


def ripple(cycles: Floats, phase: Floats) -> Floats:
    """Return the ripple of unit size at each phase, zero at the quarter-hours."""
    wave: Floats = np.sin(_TURN * np.multiply.outer(phase, cycles)) @ RIPPLE_WEIGHTS
    return wave


def ripple_integral(cycles: Floats, phase: Floats) -> Floats:
    """Return the ripple's integral since the quarter-hour began, in seconds."""
    turns = 1.0 - np.cos(_TURN * np.multiply.outer(phase, cycles))
    area: Floats = turns @ (RIPPLE_WEIGHTS / (_TURN * cycles)) * QUARTER_S
    return area


@dataclass(eq=False)
class Line:
    """Straight within each interval; ``ends`` shape (2, n), ``swing`` the ripple's size per interval (n,)."""

    grid: Grid
    ends: Floats
    swing: Floats | None = None
    cycles: Floats = field(default_factory=lambda: np.array([7.0, 29.0, 61.0]))

    @cached_property
    def at_knots(self) -> Floats:
        """Integral from the chunk's start to each knot, shape (n + 1,)."""
        areas = self.grid.step_s * (self.ends[0] + self.ends[1]) * 0.5
        if self.swing is not None and np.any(self.grid.phase):
            area = ripple_integral(self.cycles, self.grid.phase)
            closing = np.where(self.grid.phase[1:] == 0.0, 0.0, area[1:])
            areas = areas + self.swing * (closing - area[:-1])
        return np.concatenate([[0.0], np.cumsum(areas)])

    def value(self, place: Place) -> Floats:
        """Return the signal at the instants."""
        first, last = self.ends[0][place.interval], self.ends[1][place.interval]
        level: Floats = first + (last - first) * place.share
        if self.swing is not None and np.any(place.phase):
            level = level + self.swing[place.interval] * ripple(self.cycles, place.phase)
        return level

    def integral(self, place: Place) -> Floats:
        """Return the integral from the chunk's start."""
        k, share = place.interval, place.share
        first, last = self.ends[0][k], self.ends[1][k]
        rise = (last - first) * share * 0.5
        area: Floats = self.at_knots[k] + self.grid.step_s[k] * share * (first + rise)
        if self.swing is not None and np.any(place.phase):
            since = ripple_integral(self.cycles, self.grid.phase[k])
            area = area + self.swing[k] * (ripple_integral(self.cycles, place.phase) - since)
        return area


class Curve:
    """Points of its own, joined straight or held until the next one; for events shorter than an interval."""

    def __init__(self, time: Floats, level: Floats, *, held: bool, rounded: bool = False) -> None:
        self.time = np.asarray(time, dtype=np.float64)
        self.level = np.asarray(level, dtype=np.float64)
        self.held = held
        self.rounded = rounded

    @cached_property
    def at_points(self) -> Floats:
        """Integral from the first point to each point."""
        step = np.diff(self.time)
        height = self.level[:-1] if self.held else (self.level[:-1] + self.level[1:]) * 0.5
        return np.concatenate([[0.0], np.cumsum(step * height)])

    def value(self, place: Place) -> Floats:
        """Return the signal at the instants."""
        if self.held:
            index = np.searchsorted(self.time, place.time, side="right") - 1
            held: Floats = self.level[np.maximum(index, 0)]
            return held
        level: Floats = np.interp(place.time, self.time, self.level)
        return np.round(level) if self.rounded else level

    def integral(self, place: Place) -> Floats:
        """Return the integral from the first point; the first point is the chunk's start."""
        index = np.maximum(np.searchsorted(self.time, place.time, side="right") - 1, 0)
        passed = place.time - self.time[index]
        height = self.level[index]
        if not self.held:
            height = (height + np.interp(place.time, self.time, self.level)) * 0.5
        return self.at_points[index] + passed * height

    def value_at(self, time: float) -> float:
        """Return the signal at one instant, without arrays."""
        index = bisect.bisect_right(self._times, time) - 1
        if index < 0:
            return self._levels[0]
        if self.held or index + 1 >= len(self._times):
            return self._levels[index]
        before, after = self._times[index], self._times[index + 1]
        share = (time - before) / (after - before) if after > before else 1.0
        level = self._levels[index] + (self._levels[index + 1] - self._levels[index]) * share
        return float(round(level)) if self.rounded else level

    def integral_at(self, time: float) -> float:
        """Return the integral at one instant, without arrays."""
        index = max(bisect.bisect_right(self._times, time) - 1, 0)
        height = self._levels[index]
        if not self.held:
            height = (height + self.value_at(time)) * 0.5
        return float(self.at_points[index]) + (time - self._times[index]) * height

    @cached_property
    def _times(self) -> list[float]:
        return [float(x) for x in self.time]

    @cached_property
    def _levels(self) -> list[float]:
        return [float(x) for x in self.level]


@dataclass(eq=False)
class Sum:
    """Weighted sum of lines and curves, kept flat."""

    parts: list[tuple[float, Line | Curve]]

    def value(self, place: Place) -> Floats:
        """Return the sum at the instants."""
        total = np.zeros(len(place.time))
        for weight, row in self.parts:
            total += weight * row.value(place)
        return total

    def integral(self, place: Place) -> Floats:
        """Return the integral of the sum."""
        total = np.zeros(len(place.time))
        for weight, row in self.parts:
            total += weight * row.integral(place)
        return total


Source = Line | Curve | Sum


def add(*terms: tuple[float, Source]) -> Sum:
    """Return the weighted sum of sources, flattened."""
    parts: list[tuple[float, Line | Curve]] = []
    for weight, source in terms:
        if isinstance(source, Sum):
            parts.extend((weight * inner, row) for inner, row in source.parts)
        else:
            parts.append((weight, source))
    return Sum(parts)


@dataclass(eq=False)
class Integral:
    """A register or a level: ``opening`` at the chunk's start plus the source's integral over ``per_s``."""

    opening: float
    source: Source
    per_s: float = HOUR_S
    low: float = -np.inf
    high: float = np.inf

    def value(self, place: Place) -> Floats:
        """Return the register at the instants."""
        level = self.opening + self.source.integral(place) / self.per_s
        return np.clip(level, self.low, self.high)

    def integral(self, place: Place) -> Floats:
        """Refuse: nothing integrates a register."""
        raise NotImplementedError


@dataclass(eq=False)
class Metered:
    """What a meter derives from its powers and voltage: ``what`` is apparent, factor or current.

    ``share`` is the phase's part of the load (1/3 when even), shape (2, n) as a line.
    """

    what: str
    power: Source
    reactive: Source
    voltage: Line | None = None
    share: Line | None = None

    def value(self, place: Place) -> Floats:
        """Return the derived quantity at the instants (kVA, 1 or A)."""
        power, reactive = self.power.value(place), self.reactive.value(place)
        apparent = np.hypot(power, reactive)
        if self.what == "apparent" or self.voltage is None or self.share is None:
            if self.what == "apparent":
                return apparent
            return np.where(apparent > 1e-6, power / np.maximum(apparent, 1e-6), 1.0)
        return apparent * 1000.0 * self.share.value(place) / self.voltage.value(place)

    def integral(self, place: Place) -> Floats:
        """Refuse: nothing integrates a derived reading."""
        raise NotImplementedError


AnyRow = Line | Curve | Sum | Integral | Metered


def interval_steps(grid: Grid, states: Sequence[float] | Floats) -> Line:
    """Return a line that holds one state per interval."""
    level = np.asarray(states, dtype=np.float64)
    return Line(grid, np.stack([level, level]))
