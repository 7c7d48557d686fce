"""Energy of any intervals from registers, from interval values, or from power; every way keeps the whole.

Each way makes a running total of what is known, read at the edges of the wanted intervals: so the parts of a
period always add up to the whole, and what is not known lowers the coverage instead of becoming zero.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from energy_center.analysis.counters import HOUR_S, FloatArray, RunningTotal, consumption_between


class Method(StrEnum):
    """How an energy was found, from best to least."""

    REGISTER = "register"  # difference of a meter's own counter
    INTERVALS = "intervals"  # the meter's own interval values
    POWER = "power"  # integral of power readings: no better than how often they were taken


@dataclass(frozen=True, slots=True, eq=False)
class Energies:
    """Energies of neighbouring intervals; `amount` and `coverage` have shape (m,), `edges_s` (m+1,), rising.

    `amount` is in the meter's unit (kWh for power in kW), NaN where nothing is known; `coverage` 0..1.
    """

    edges_s: FloatArray
    amount: FloatArray
    coverage: FloatArray
    method: Method

    def __len__(self) -> int:
        return len(self.amount)

    @property
    def total(self) -> float | None:
        """The sum of what is known, None where nothing is."""
        known = self.amount[~np.isnan(self.amount)]
        return float(known.sum()) if known.size else None

    @property
    def total_coverage(self) -> float:
        """The measured share 0..1 of the whole time."""
        lengths = np.diff(self.edges_s)
        return float(np.sum(self.coverage * lengths) / np.sum(lengths)) if lengths.size else 0.0

    def mean_power(self) -> FloatArray:
        """Average of each interval, amount an hour (kW of kWh); NaN where nothing is known.

        A register tells the whole interval, even across a gap; values and power only the part they cover.
        """
        lengths = np.diff(self.edges_s)
        seconds = lengths if self.method is Method.REGISTER else self.coverage * lengths
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(seconds > 0, self.amount * HOUR_S / seconds, np.nan)


def of_register(running: RunningTotal, edges_s: FloatArray, max_gap_s: float) -> Energies:
    """From a cleaned register: a gap's consumption is spread evenly over it, and not covered."""
    amount, coverage = consumption_between(running, edges_s, max_gap_s)
    return Energies(edges_s, amount, coverage, Method.REGISTER)


def of_intervals(
    start_s: FloatArray,
    interval_s: float,
    energy: FloatArray,
    edges_s: FloatArray,
    method: Method = Method.INTERVALS,
) -> Energies:
    """From energies of [start, start + interval): spread evenly inside each; nothing is known between them.

    `start_s` rises strictly. Where intervals overlap, the later one begins where the earlier one ends.
    `method` is POWER where the energies are averages of power times the interval.
    """
    ends = start_s + interval_s
    starts = np.maximum(start_s, np.concatenate(([-np.inf], ends[:-1])))
    return _of_pieces(starts, ends, energy, edges_s, method)


def of_power(at_s: FloatArray, power: FloatArray, edges_s: FloatArray, max_gap_s: float) -> Energies:
    """From power readings at instants, straight between neighbours no further apart than `max_gap_s`.

    `at_s` rises strictly; NaN readings count as not taken.
    """
    known = ~np.isnan(power)
    at, level = at_s[known], power[known]
    duration = np.diff(at)
    close = duration <= max_gap_s
    area = np.where(close, duration * (level[1:] + level[:-1]) / 2.0 / HOUR_S, 0.0)
    if at.size < 2:  # noqa: PLR2004 an area needs two readings
        return _unknown(edges_s, Method.POWER)
    covered = np.concatenate(([0.0], np.cumsum(np.where(close, duration, 0.0))))
    cumulative = np.concatenate(([0.0], np.cumsum(area)))
    # inside a step power is a line: its integral to an edge is a parabola, not the chord that interp gives
    total = _integral_at(edges_s, at, level, cumulative, close)
    return _read_off(edges_s, at, total, covered, Method.POWER)


def _integral_at(
    edges_s: FloatArray, at: FloatArray, level: FloatArray, cumulative: FloatArray, close: np.ndarray
) -> FloatArray:
    step = np.clip(np.searchsorted(at, edges_s, side="right") - 1, 0, at.size - 2)
    within = np.clip(edges_s - at[step], 0.0, at[step + 1] - at[step])
    slope = (level[step + 1] - level[step]) / (at[step + 1] - at[step])
    part = np.where(close[step], within * (level[step] + slope * within / 2.0) / HOUR_S, 0.0)
    return np.asarray(cumulative[step] + part, dtype=np.float64)


def _of_pieces(
    starts: FloatArray, ends: FloatArray, amount: FloatArray, edges_s: FloatArray, method: Method
) -> Energies:
    if starts.size == 0:
        return _unknown(edges_s, method)
    at = np.column_stack((starts, ends)).ravel()
    gains = np.column_stack((np.zeros_like(amount), amount)).ravel()
    lengths = np.column_stack((np.zeros_like(amount), ends - starts)).ravel()
    total = np.interp(edges_s, at, np.cumsum(gains))
    return _read_off(edges_s, at, total, np.cumsum(lengths), method)


def _read_off(
    edges_s: FloatArray, at: FloatArray, total: FloatArray, covered: FloatArray, method: Method
) -> Energies:
    seconds = np.diff(np.interp(edges_s, at, covered))
    amount = np.where(seconds > 0, np.diff(total), np.nan)
    return Energies(edges_s, amount, np.clip(seconds / np.diff(edges_s), 0.0, 1.0), method)


def _unknown(edges_s: FloatArray, method: Method) -> Energies:
    return Energies(edges_s, np.full(len(edges_s) - 1, np.nan), np.zeros(len(edges_s) - 1), method)


def time_weighted_mean(
    at_s: FloatArray, level: FloatArray, edges_s: FloatArray, max_gap_s: float
) -> tuple[FloatArray, FloatArray]:
    """Mean of a gauge over each interval, weighted by time, and the coverages; NaN where nothing is known."""
    found = of_power(at_s, level, edges_s, max_gap_s)
    seconds = found.coverage * np.diff(edges_s)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(seconds > 0, found.amount * HOUR_S / seconds, np.nan), found.coverage


def gaps(at_s: FloatArray, max_gap_s: float) -> tuple[tuple[float, float], ...]:
    """Neighbouring readings further apart than `max_gap_s`: the last before and the first after each gap."""
    wide = np.flatnonzero(np.diff(at_s) > max_gap_s)
    return tuple((float(at_s[i]), float(at_s[i + 1])) for i in wide)
