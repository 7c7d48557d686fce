"""15-min demand as the utility bills it: clock-aligned block averages and the running block's forecast.

The forecast goes on from the power of the last minute with part of its recent drift. Its uncertainty is
measured from how far power wandered lately: a random walk of variance q per second adds q T / 3 to the
average of the next T seconds. Loads step, so errors are not normal: Student's t of 3 degrees of freedom fits
them (simulated weeks of two buildings in three seasons, tests/services/test_demand_backtest.py).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from energy_center.analysis.counters import HOUR_S, FloatArray, RunningTotal, consumption_between
from energy_center.analysis.insufficient import Insufficient
from energy_center.analysis.intervals import Energies

BLOCK_S = 900.0
LEVEL_S = 60.0  # the present power is the mean of this long
WANDER_S = 120.0  # power is compared with itself this much later
DRIFT_S = 600.0  # the drift is that of this long
KEPT_DRIFT = 0.3  # part of the drift that goes on: of what was tried, the least error in the backtest
LEAST_LEVELS = 5  # one-minute means without which there is no drift
FREEDOM = 3.0  # degrees of freedom of the errors
SCALE_AT_END, SCALE_OF_REST = (
    0.4,
    0.6,
)  # of the wander's standard deviation: the errors' scale in the backtest
LEAST_SHARE = 0.004  # of the power: no load is known better than its meter's class
LEAST_S = 30.0  # of readings, below which there is no forecast
UNKNOWN_SHARE = 0.1  # of the power: how far a load that is not known yet is taken to move in a block


@dataclass(frozen=True, slots=True)
class BlockForecast:
    """The running block: averages in kW; `sd_kw` is the forecast's standard deviation.

    `so_far_kw` is None before the block's first reading; `coverage` the measured share of the elapsed part;
    `rest_s` the seconds of the block that are not measured.
    """

    so_far_kw: float | None
    coverage: float
    forecast_kw: float
    sd_kw: float
    rest_s: float = BLOCK_S

    @property
    def _scale_kw(self) -> float:
        return self.sd_kw * (SCALE_AT_END + SCALE_OF_REST * self.rest_s / BLOCK_S)

    def quantile_kw(self, probability: float) -> float:
        """The average that the block stays under with a probability of 0..1 (both excluded)."""
        return self.forecast_kw + self._scale_kw * float(stdtrit(FREEDOM, probability))

    @property
    def low_kw(self) -> float:
        """Lower end of the interval that holds the block's average with 90 % probability."""
        return self.quantile_kw(0.05)

    @property
    def high_kw(self) -> float:
        """Upper end of that interval."""
        return self.quantile_kw(0.95)

    def probability_over(self, limit_kw: float) -> float:
        """Probability 0..1 that the block's average ends above a limit."""
        if self._scale_kw <= 0.0:
            return float(self.forecast_kw > limit_kw)
        return float(stdtr(FREEDOM, (self.forecast_kw - limit_kw) / self._scale_kw))


def block_demand(
    running: RunningTotal, first_block_s: float, blocks: int, max_gap_s: float
) -> tuple[FloatArray, FloatArray]:
    """Average kW of each block of an energy register (kWh), NaN where unknown, and the blocks' coverages."""
    edges = np.linspace(first_block_s, first_block_s + BLOCK_S * blocks, blocks + 1, dtype=np.float64)
    energy_kwh, coverage = consumption_between(running, edges, max_gap_s)
    return energy_kwh * (HOUR_S / BLOCK_S), coverage


@dataclass(frozen=True, slots=True)
class Peak:
    """A highest average: `demand_kw` over the time that starts at `start_s`, epoch seconds."""

    demand_kw: float
    start_s: float
    coverage: float


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """Averages over times of one length: block demand where they stand side by side, running demand else.

    `start_s`, `demand_kw` (NaN where unknown) and `coverage` have shape (n,).
    """

    start_s: FloatArray
    window_s: float
    demand_kw: FloatArray
    coverage: FloatArray

    def highest(self, least_coverage: float, count: int = 1) -> tuple[Peak, ...]:
        """The highest, highest first, of those covered well enough; of equal ones the earlier first."""
        usable = (self.coverage >= least_coverage) & ~np.isnan(self.demand_kw)
        known = np.flatnonzero(usable)
        order = known[np.argsort(-self.demand_kw[known], kind="stable")][:count]
        return tuple(
            Peak(float(self.demand_kw[i]), float(self.start_s[i]), float(self.coverage[i])) for i in order
        )


def block_windows(blocks: Energies) -> Windows:
    """The demand of blocks of equal length from their energies."""
    window_s = float(blocks.edges_s[1] - blocks.edges_s[0])
    return Windows(blocks.edges_s[:-1], window_s, blocks.mean_power(), blocks.coverage)


def running_demand(
    energies_over: Callable[[FloatArray], Energies], ends_s: FloatArray, window_s: float = BLOCK_S
) -> Windows:
    """Averages over the windows that end at `ends_s` (rising), wherever they begin on the clock.

    `energies_over` gives the energies between rising edges.
    """
    edges = np.unique(np.concatenate((ends_s - window_s, ends_s)))
    pieces = energies_over(edges)
    total = np.concatenate(([0.0], np.cumsum(np.nan_to_num(pieces.amount))))
    seconds = np.concatenate(([0.0], np.cumsum(pieces.coverage * np.diff(edges))))
    first, last = np.searchsorted(edges, ends_s - window_s), np.searchsorted(edges, ends_s)
    covered = np.clip((seconds[last] - seconds[first]) / window_s, 0.0, 1.0)
    amount = np.where(covered > 0, total[last] - total[first], np.nan)
    return Windows(ends_s - window_s, window_s, amount * HOUR_S / window_s, covered)


@dataclass(frozen=True, slots=True)
class _Measured:
    at_s: FloatArray
    area: FloatArray
    covered: FloatArray

    def mean(self, start_s: float, end_s: float) -> tuple[float | None, float]:
        """Average kW over [start, end) and how many seconds of it were measured."""
        start_s = max(start_s, float(self.at_s[0]))
        if end_s <= start_s:
            return None, 0.0
        seconds = float(np.diff(np.interp([start_s, end_s], self.at_s, self.covered))[0])
        energy = float(np.diff(np.interp([start_s, end_s], self.at_s, self.area))[0])
        return (energy / seconds, seconds) if seconds > 0 else (None, 0.0)


def _energy(at_s: FloatArray, power_kw: FloatArray, max_gap_s: float) -> tuple[FloatArray, FloatArray]:
    """Running kWs and covered seconds at each reading; a gap adds neither."""
    duration = np.diff(at_s)
    close = duration <= max_gap_s
    area = np.where(close, duration * (power_kw[1:] + power_kw[:-1]) / 2.0, 0.0)
    return (
        np.concatenate(([0.0], np.cumsum(area))),
        np.concatenate(([0.0], np.cumsum(np.where(close, duration, 0.0)))),
    )


def _levels(measured: "_Measured") -> FloatArray:
    """Mean power of each minute up to the newest reading; NaN where less than half of it was measured."""
    edges = np.arange(measured.at_s[-1], measured.at_s[0] - 1e-6, -LEVEL_S)[::-1]
    seconds = np.diff(np.interp(edges, measured.at_s, measured.covered))
    with np.errstate(invalid="ignore", divide="ignore"):
        energy = np.diff(np.interp(edges, measured.at_s, measured.area))
        return np.where(seconds > LEVEL_S / 2.0, energy / seconds, np.nan)


def _drift(level: FloatArray) -> float:
    """How power drifts, kW/s: the median of the slopes between all minutes, which one step does not move."""
    recent = level[-round(DRIFT_S / LEVEL_S) :]
    minute = np.flatnonzero(~np.isnan(recent))
    if minute.size < LEAST_LEVELS:
        return 0.0
    earlier, later = np.triu_indices(minute.size, k=1)
    rise = recent[minute[later]] - recent[minute[earlier]]
    return float(np.median(rise / (minute[later] - minute[earlier]))) / LEVEL_S


def _wander(level: FloatArray) -> float:
    """Variance per second by which power moves away from itself, kW^2/s, from means over a minute."""
    lag = round(WANDER_S / LEVEL_S)
    moved = level[lag:] - level[:-lag]
    moved = moved[~np.isnan(moved)]
    # Means over LEVEL_S of a random walk, WANDER_S apart, differ by q (WANDER_S - LEVEL_S / 3).
    return float(np.mean(moved**2) / (WANDER_S - LEVEL_S / 3.0)) if moved.size else math.nan


@dataclass(frozen=True, slots=True)
class Metered:
    """What the energy register says of a block's first `seconds`."""

    energy_kwh: float
    seconds: float


def forecast_block(
    at_s: FloatArray,
    power_kw: FloatArray,
    block_start_s: float,
    now_s: float,
    max_gap_s: float,
    metered: Metered | None = None,
) -> BlockForecast | Insufficient:
    """Forecast the average of the block that `now_s` lies in.

    `at_s` rising epoch seconds, `power_kw` the readings, from about half an hour before now; with less than
    three minutes of them the load's own wander is not known and a wide one is taken. Insufficient without a
    reading in the last `max_gap_s` (or a minute), or with less than half a minute of them. `metered` stands
    for the power readings of the block where it covers more of it: it is what the utility will count.
    """
    upto = at_s <= now_s
    at_s, power_kw = at_s[upto], power_kw[upto]
    if at_s.size == 0 or now_s - at_s[-1] > max(max_gap_s, LEVEL_S):
        return Insufficient(("no reading in the last minute",))
    if at_s[-1] - at_s[0] < LEAST_S:
        return Insufficient((f"{at_s[-1] - at_s[0]:.0f} s of readings, {LEAST_S:.0f} s needed",))
    measured = _Measured(at_s, *_energy(at_s, power_kw, max_gap_s))
    newest = float(at_s[-1])
    level, _ = measured.mean(newest - LEVEL_S, newest)
    level = float(power_kw[-1]) if level is None else level
    levels = _levels(measured)
    wander = _wander(levels)
    if math.isnan(wander):
        wander = (UNKNOWN_SHARE * level) ** 2 / BLOCK_S
    so_far, seconds = measured.mean(block_start_s, newest)
    if metered is not None and metered.seconds > seconds:
        so_far, seconds = metered.energy_kwh * HOUR_S / metered.seconds, metered.seconds
    elapsed_s = max(newest - block_start_s, seconds)
    rest_s = BLOCK_S - seconds  # what was missed counts as unknown too
    drifted = max(level + KEPT_DRIFT * _drift(levels) * rest_s / 2.0, min(level, 0.0))
    variance = wander * (rest_s + LEVEL_S) / 3.0 + (LEAST_SHARE * level) ** 2
    return BlockForecast(
        so_far_kw=so_far,
        coverage=seconds / elapsed_s if seconds else 0.0,
        forecast_kw=((so_far or 0.0) * seconds + drifted * rest_s) / BLOCK_S,
        sd_kw=rest_s / BLOCK_S * math.sqrt(variance),
        rest_s=rest_s,
    )
