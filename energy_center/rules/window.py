"""Aligned series on a regular grid, with what is known of each step, and three-valued conditions over them.

Nothing is interpolated across gaps and nothing is carried on beyond its validity (a gauge is valid for
twice its interval).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from energy_center.domain.readings import Quality

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Micros = NDArray[np.int64]

UNUSABLE = int(Quality.OUT_OF_RANGE | Quality.CLOCK_SUSPECT | Quality.SENSOR_FAULT)
VALID_INTERVALS = 2.0
US = 1_000_000  # µs in a second
HALF = 0.5


class Condition(IntEnum):
    """What is known of a condition at a step."""

    FALSE = 0
    TRUE = 1
    UNKNOWN = 2
    NOT_APPLICABLE = 3


@dataclass(frozen=True, slots=True)
class Mask:
    """A condition per step: true, false, or neither (cannot tell); `off` marks steps it does not apply to."""

    true: Bools
    false: Bools
    off: Bools

    @classmethod
    def of(cls, true: Bools, known: Bools) -> "Mask":
        """True where both, false where known and not true."""
        return cls(true & known, ~true & known, np.zeros_like(true))

    @property
    def unknown(self) -> Bools:
        """Steps where it cannot be told."""
        return ~(self.true | self.false | self.off)

    def __and__(self, other: "Mask") -> "Mask":
        """Kleene's and: false and unknown is false."""
        return _settled(self.true & other.true, self.false | other.false, self.off | other.off)

    def __or__(self, other: "Mask") -> "Mask":
        """Kleene's or: true or unknown is true."""
        return _settled(self.true | other.true, self.false & other.false, self.off | other.off)

    def __invert__(self) -> "Mask":
        """True and false change places; unknown stays."""
        return Mask(self.false, self.true, self.off)

    def where(self, applicable: "Mask") -> "Mask":
        """Applies only where `applicable` is true; unknown where that is unknown."""
        known = ~applicable.unknown
        off = self.off | applicable.false | applicable.off
        return _settled(self.true & known, self.false & known, off)

    def codes(self) -> NDArray[np.int8]:
        """`Condition` per step."""
        codes = np.full(self.true.shape, Condition.UNKNOWN, dtype=np.int8)
        codes[self.false] = Condition.FALSE
        codes[self.true] = Condition.TRUE
        codes[self.off] = Condition.NOT_APPLICABLE
        return codes


def _settled(true: Bools, false: Bools, off: Bools) -> Mask:
    return Mask(true & ~off, false & ~off, off)


@dataclass(frozen=True, slots=True)
class Signal:
    """A number per step, NaN where it is not known."""

    values: Floats

    @property
    def known(self) -> Bools:
        """Steps with a usable value."""
        return ~np.isnan(self.values)

    def __gt__(self, other: "Signal | float") -> Mask:
        """Strictly above; exactly at the limit is not."""
        right = _values(other)
        with np.errstate(invalid="ignore"):
            return Mask.of(self.values > right, ~np.isnan(self.values - right))

    def __lt__(self, other: "Signal | float") -> Mask:
        """Strictly below."""
        right = _values(other)
        with np.errstate(invalid="ignore"):
            return Mask.of(self.values < right, ~np.isnan(self.values - right))

    def __add__(self, other: "Signal | float") -> "Signal":
        """Sum, unknown where either is."""
        return Signal(self.values + _values(other))

    def __sub__(self, other: "Signal | float") -> "Signal":
        """Difference, unknown where either is."""
        return Signal(self.values - _values(other))

    def __mul__(self, other: "Signal | float") -> "Signal":
        """Product, unknown where either is."""
        return Signal(self.values * _values(other))

    def __neg__(self) -> "Signal":
        """The same with the other sign."""
        return Signal(-self.values)

    def rounded(self) -> "Signal":
        """To six places, so that what is exactly at a limit does not pass it by the last bit of a float."""
        return Signal(np.round(self.values, 6))

    def on(self) -> Mask:
        """A state read as yes or no."""
        return self > HALF

    def back(self, steps: int) -> "Signal":
        """The value `steps` earlier; unknown before the frame's start."""
        if steps <= 0:
            return self
        shifted = np.full_like(self.values, np.nan)
        shifted[steps:] = self.values[:-steps] if steps < len(self.values) else shifted[steps:]
        return Signal(shifted)

    def rise(self, steps: int) -> "Signal":
        """How much a counter rose in the last `steps`; unknown across a reset."""
        risen = self.values - self.back(steps).values
        with np.errstate(invalid="ignore"):
            risen[risen < 0] = np.nan
        return Signal(risen)

    def mean(self, steps: int, covered: float = 0.6) -> "Signal":
        """Mean of the last `steps`; unknown where fewer than the share `covered` of them are known."""
        total, count = rolling_sum(np.nan_to_num(self.values), steps), rolling_sum(self.known * 1.0, steps)
        enough = count >= max(1.0, covered * steps)
        return Signal(np.where(enough, total / np.maximum(count, 1.0), np.nan))

    def spread(self, steps: int, covered: float = 0.6) -> "Signal":
        """Standard deviation of the last `steps`."""
        mean = self.mean(steps, covered)
        square = Signal(np.square(self.values)).mean(steps, covered)
        return Signal(np.sqrt(np.maximum(square.values - np.square(mean.values), 0.0)))

    def highest(self, steps: int) -> "Signal":
        """Largest known value of the last `steps`."""
        return Signal(_rolling_extreme(self.values, steps, np.fmax))

    def span(self, steps: int, covered: float = 0.6) -> "Signal":
        """Largest minus smallest of the last `steps`."""
        low = _rolling_extreme(self.values, steps, np.fmin)
        high = _rolling_extreme(self.values, steps, np.fmax)
        enough = rolling_sum(self.known * 1.0, steps) >= max(1.0, covered * steps)
        return Signal(np.where(enough, high - low, np.nan))


def _values(other: "Signal | float") -> Floats | float:
    return other.values if isinstance(other, Signal) else other


def rolling_sum(values: NDArray[np.floating], steps: int) -> Floats:
    """Sum over the last `steps` including the present one; fewer at the start.

    Added in powers of two, so that a sum depends on its window's content alone: a running total would round
    differently in a long backtest and in a short live window.
    """
    result = np.zeros(len(values), dtype=np.float64)
    block, width, done = values.astype(np.float64), 1, 0
    while width <= steps:
        if steps & width:
            result += _later(block, done)
            done += width
        block = block + _later(block, width)
        width *= 2
    return result


def _later(values: Floats, steps: int) -> Floats:
    if steps == 0:
        return values
    moved = np.zeros_like(values)
    if steps < len(values):
        moved[steps:] = values[:-steps]
    return moved


def _rolling_extreme(values: Floats, steps: int, pick: np.ufunc) -> Floats:
    """`fmin` or `fmax` over the last `steps`, by doubling (the window of a power of two, twice)."""
    best, width = values.copy(), 1
    while width * 2 <= steps:
        best[width:] = pick(best[width:], best[:-width].copy())
        width *= 2
    rest = steps - width
    if rest > 0 and rest < len(best):
        best[rest:] = pick(best[rest:], best[:-rest].copy())
    return best


def all_on(masks: Sequence[Mask]) -> Mask:
    """And over all; at least one is needed."""
    result = masks[0]
    for mask in masks[1:]:
        result = result & mask
    return result


def any_on(masks: Sequence[Mask]) -> Mask:
    """Or over all; at least one is needed."""
    result = masks[0]
    for mask in masks[1:]:
        result = result | mask
    return result


def held(mask: Mask, steps: int) -> Mask:
    """True where it was true in every one of the last `steps`; false where it was false in any."""
    true = rolling_sum(mask.true * 1.0, steps) > steps - HALF
    false = rolling_sum(mask.false * 1.0, steps) > HALF
    return Mask(true, false, np.zeros_like(true))


@dataclass(frozen=True, slots=True)
class Samples:
    """Readings of one point in rising order of time.

    `at` µs since 1970 UTC, shape (n,); `values` in the point's unit; `quality` bit flags of `Quality`. A
    gauge is valid for twice `interval_s`; infinite for what is sent on change only.
    """

    at: Micros
    values: Floats
    quality: NDArray[np.int16]
    interval_s: float

    @classmethod
    def none(cls) -> "Samples":
        """No reading at all."""
        return cls(np.empty(0, np.int64), np.empty(0), np.empty(0, np.int16), 0.0)


def align(samples: Samples, times: Micros) -> Floats:
    """The last usable reading at or before each time, NaN where there is none or it is too old."""
    if len(samples.at) == 0:
        return np.full(len(times), np.nan)
    if (one_each := _on_the_grid(samples, times)) is not None:
        return one_each
    index = np.searchsorted(samples.at, times, side="right") - 1
    at = np.maximum(index, 0)
    bad = (samples.quality[at] & UNUSABLE) != 0
    too_old = np.zeros(len(times), dtype=np.bool_)
    if np.isfinite(samples.interval_s):
        too_old = times - samples.at[at] > int(VALID_INTERVALS * samples.interval_s * US)
    return np.where((index < 0) | bad | too_old, np.nan, samples.values[at])


def _on_the_grid(samples: Samples, times: Micros) -> Floats | None:
    """The readings where there is exactly one at each time, as in most histories; no search is needed."""
    first = int(np.searchsorted(samples.at, times[0])) if len(times) else 0
    part = slice(first, first + len(times))
    if not np.array_equal(samples.at[part], times):
        return None
    bad = (samples.quality[part] & UNUSABLE) != 0
    return np.where(bad, np.nan, samples.values[part])


@dataclass(frozen=True, slots=True)
class Frame:
    """The inputs of one rule at one equipment: one value per step, at `times` (µs since 1970, UTC)."""

    times: Micros
    step_s: float
    series: Mapping[str, tuple[Signal, ...]]
    zone: ZoneInfo

    def __len__(self) -> int:
        """How many steps."""
        return len(self.times)

    def __getitem__(self, name: str) -> Signal:
        """The one series of an input; wholly unknown where it is missing."""
        found = self.series.get(name, ())
        return found[0] if found else Signal(np.full(len(self.times), np.nan))

    def all(self, name: str) -> tuple[Signal, ...]:
        """Every series of an input that gathers many."""
        return self.series.get(name, ())

    def has(self, name: str) -> bool:
        """Whether an optional input exists at this equipment."""
        return bool(self.series.get(name))

    def steps(self, seconds: float) -> int:
        """How many steps make up a time, at least one."""
        return max(1, round(seconds / self.step_s))

    def local_hours(self) -> Floats:
        """Hour of the local day per step, 0 up to 24."""
        return np.asarray(self._local_seconds() % 86_400 / 3_600.0, dtype=np.float64)

    def local_days(self) -> NDArray[np.int64]:
        """Local days since 1970-01-01."""
        return np.asarray(self._local_seconds() // 86_400, dtype=np.int64)

    def local_weekdays(self) -> NDArray[np.int64]:
        """0 is Monday."""
        return (self.local_days() + 3) % 7  # 1970-01-01 was a Thursday

    def mask(self, true: Bools) -> Mask:
        """A condition that is always known."""
        return Mask.of(true, np.ones_like(true))

    def cut(self, first: int) -> "Frame":
        """The frame from step `first` on."""
        series = {name: tuple(Signal(s.values[first:]) for s in all_) for name, all_ in self.series.items()}
        return Frame(self.times[first:], self.step_s, series, self.zone)

    def _local_seconds(self) -> Floats:
        hours, place = np.unique(self.times // (3_600 * US), return_inverse=True)
        offsets = np.array([_offset_s(h, self.zone) for h in hours.tolist()], dtype=np.float64)
        return np.asarray(self.times / US + offsets[place], dtype=np.float64)


# two years of hours
@lru_cache(maxsize=17_520)
def _offset_s(hour: int, zone: ZoneInfo) -> float:
    offset = datetime.fromtimestamp(hour * 3_600, UTC).astimezone(zone).utcoffset()
    return offset.total_seconds() if offset else 0.0


def grid(start: datetime, end: datetime, step_s: float) -> Micros:
    """Times on multiples of the step since 1970 in (start, end]."""
    step = round(step_s * US)
    first = to_micros(start) // step + 1
    last = to_micros(end) // step
    return np.arange(first, max(last, first - 1) + 1, dtype=np.int64) * step


def to_micros(at: datetime) -> int:
    """µs since 1970 UTC, exactly."""
    delta = at.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * US + delta.microseconds


def from_micros(at: int) -> datetime:
    """Aware UTC."""
    seconds, rest = divmod(int(at), US)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)
