"""From a stored series to what is drawn: bins that fit the pixels, gaps kept open, simulated spans marked."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from energy_center.domain.quantities import Kind
from energy_center.domain.readings import Quality
from energy_center.store.series import Grain, Series

HISTORY_STEP_S: Final = 900.0  # back-filled history has a reading each quarter of an hour
BUCKET_S: Final = {Grain.QUARTER: 900.0, Grain.HOUR: 3600.0, Grain.DAY: 86_400.0}
RAW_READINGS: Final = 20_000  # one point's readings that are read for one chart
_US = 1e6

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """Arrays of shape (n,): times in epoch seconds, values with their band; NaN is a gap.

    `simulated` holds (from, to) spans in epoch seconds; `bucket_s` is the distance of neighbours.
    """

    at_s: Floats
    value: Floats
    low: Floats
    high: Floats
    bucket_s: float
    coverage: float
    simulated: tuple[tuple[float, float], ...]


def choose_grain(kind: Kind, interval_s: float, span_s: float, max_points: int, *, has_raw: bool) -> Grain:
    """The finest grain that is worth reading. Counters are shown as consumption, which raw readings lack."""
    if kind is not Kind.COUNTER and has_raw and span_s / interval_s <= RAW_READINGS:
        return Grain.RAW
    most = 2 * max_points if kind is Kind.COUNTER else 4 * max_points
    return next((g for g, bucket_s in BUCKET_S.items() if span_s / bucket_s <= most), Grain.DAY)


def shape(
    series: Series,
    kind: Kind,
    grain: Grain,
    interval_s: float,
    period: tuple[float, float],
    max_points: int,
) -> Shape:
    """Bring one series of [start, end), in epoch seconds, into about `max_points` values at most."""
    at_s = series.at_us / _US
    steps = _steps(series, grain, interval_s)
    coverage = _coverage(series, grain, at_s, steps, period)
    simulated = _spans(at_s, steps, (series.quality & Quality.SIMULATED) > 0)
    bucket_s = BUCKET_S.get(grain, interval_s)
    if kind is Kind.COUNTER:
        unknown = np.full(len(at_s), np.nan)
        columns = (at_s, series.delta, unknown, unknown)
    elif len(at_s) > max_points:
        width_s = (period[1] - period[0]) / max_points
        columns, steps = _bin(at_s, series, steps, period[0], width_s)
        bucket_s = max(bucket_s, width_s)
    else:
        columns = (at_s, series.value, series.low, series.high)
    at, value, low, high = _open_gaps(columns, steps)
    return Shape(at, value, low, high, bucket_s, coverage, simulated)


def _steps(series: Series, grain: Grain, interval_s: float) -> Floats:
    """How long each row is good for: its bucket, or the interval at which it was read."""
    if grain is not Grain.RAW:
        return np.full(len(series), BUCKET_S[grain])
    simulated = (series.quality & Quality.SIMULATED) > 0
    return np.where(simulated, max(HISTORY_STEP_S, interval_s), interval_s)


def _coverage(
    series: Series, grain: Grain, at_s: Floats, steps: Floats, period: tuple[float, float]
) -> float:
    if not len(at_s):
        return 0.0
    if grain is not Grain.RAW:
        covered = float(np.sum(series.coverage * steps))
    else:
        until_next = np.diff(np.append(at_s, period[1]))
        covered = float(np.sum(np.where(until_next <= 2 * steps, until_next, steps)))
        covered += float(min(at_s[0] - period[0], steps[0]))
    return min(covered / (period[1] - period[0]), 1.0)


def _spans(at_s: Floats, steps: Floats, marked: NDArray[np.bool_]) -> tuple[tuple[float, float], ...]:
    """(from, to) of each run of marked rows."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], marked, [False])).astype(np.int8)))
    return tuple(
        (float(at_s[a]), float(at_s[b - 1] + steps[b - 1]))
        for a, b in zip(edges[::2], edges[1::2], strict=True)
    )


def _bin(
    at_s: Floats, series: Series, steps: Floats, start_s: float, width_s: float
) -> tuple[tuple[Floats, Floats, Floats, Floats], Floats]:
    """Means with the lowest and highest of equal bins; a bin without rows does not appear."""
    bins = ((at_s - start_s) // width_s).astype(np.int64)
    first = np.flatnonzero(np.diff(bins, prepend=-1))
    count = np.diff(np.append(first, len(bins)))
    columns = (
        (start_s + bins[first] * width_s).astype(np.float64),
        np.add.reduceat(series.value, first) / count,
        np.minimum.reduceat(series.low, first),
        np.maximum.reduceat(series.high, first),
    )
    return columns, np.maximum(np.maximum.reduceat(steps, first), width_s)


def _open_gaps(
    columns: tuple[Floats, Floats, Floats, Floats], steps: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """Put an unknown row where the next one comes later than two steps."""
    at_s = columns[0]
    gaps = np.flatnonzero(np.diff(at_s) > 2 * np.maximum(steps[:-1], steps[1:]))
    if not gaps.size:
        return columns
    opened = np.insert(at_s, gaps + 1, at_s[gaps] + steps[gaps])
    value, low, high = (np.insert(column, gaps + 1, np.nan) for column in columns[1:])
    return opened, value, low, high
