"""What a meter usually takes: hour of the week and outdoor temperature, learnt from the weeks before.

Piecewise linear in temperature as in the time-of-week-and-temperature model (Mathieu et al. 2011, IEEE
Transactions on Smart Grid 2(3)), with hours of working days and of weekends instead of 168 hours, so that
eight weeks suffice. Errors are judged out of sample: each week by a model of the other seven.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DAY_H, WEEK_H = 24, 168
WEEKS = 8
TRAINED_H = WEEKS * WEEK_H
SATURDAY = 5
LEAST_COVERED = 0.8  # of the hours that a model learns from
BENDS_C = (16.0, 22.0)  # Cel: where cooling sets in, and where it is in full swing
_BUSY = (7, 19)
_SPREADS = 5.0  # hours that lie farther off are no usual ones and are not learnt
_NORMAL = 1.4826  # standard deviation of a normal distribution per median of absolute deviations
_RIDGE = 1e-9
_ONE_DEVIATION = 0.8413  # share of a normal distribution below its mean and one standard deviation
_NEAR = 1.3  # days up to so far above the limit are taken for chance, those beyond for faults
_SLOPES = 2 * len(BENDS_C)
_BINS = 2 * DAY_H


@dataclass(frozen=True, slots=True)
class Usual:
    """A fitted model: kWh by hour of working day and weekend, kWh/K above each bend, and the day's limit.

    `day_limit_kwh`: how far the sum of 24 hours may lie above the model by chance.
    """

    by_hour_kwh: Floats
    slopes: Floats
    day_limit_kwh: float

    def expected_kwh(self, weekday: Ints, hour: Ints, outdoor_c: Floats) -> Floats:
        """The usual energy of each hour; NaN where the temperature or such an hour is unknown."""
        return _expected(
            _bins(weekday, hour), _warmth(weekday, hour, outdoor_c), self.by_hour_kwh, self.slopes
        )


@dataclass(frozen=True, slots=True)
class _Sums:
    """What a least-squares fit needs of each week, shape (WEEKS, ...): by bin, and products of slopes."""

    count: Floats
    energy: Floats
    warmth: Floats
    squares: Floats
    products: Floats

    def solve(self, without: int | None = None) -> tuple[Floats, Floats]:
        """By hour and by slope, of all weeks or of all but one."""
        count, energy, warmth, squares, products = (
            part.sum(axis=0) if without is None else part.sum(axis=0) - part[without]
            for part in (self.count, self.energy, self.warmth, self.squares, self.products)
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            energy_mean, warmth_mean = energy / count, warmth / count[:, None]
        there = count > 0
        within = squares - np.einsum("b,bi,bj->ij", count[there], warmth_mean[there], warmth_mean[there])
        across = products - np.einsum("b,b,bi->i", count[there], energy_mean[there], warmth_mean[there])
        eased = within + np.eye(_SLOPES) * (_RIDGE * np.trace(squares) + _RIDGE)
        slopes = np.asarray(np.linalg.solve(eased, across))
        return energy_mean - (warmth_mean * slopes).sum(axis=1), slopes


def fit_usual(
    energy_kwh: Floats, weekday: Ints, hour: Ints, outdoor_c: Floats, false_per_year: float
) -> Usual | None:
    """Learn from hours in rising order, shape (TRAINED_H,); NaN is unknown; None where too few are known.

    The limit is passed by chance on `false_per_year` days a year: the quantile of Student's distribution over
    the sums of 24 hours that no model had seen, and not below the largest of them.
    """
    bins, warmth = _bins(weekday, hour), _warmth(weekday, hour, outdoor_c)
    known = ~np.isnan(energy_kwh) & ~np.isnan(warmth).any(axis=1)
    if np.count_nonzero(known) < LEAST_COVERED * len(energy_kwh):
        return None
    off = energy_kwh - _expected(bins, warmth, *_sums(energy_kwh, bins, warmth, known).solve())
    spread = _NORMAL * float(np.nanmedian(np.abs(off)))
    usual = known & (np.abs(off) <= max(_SPREADS * spread, 1e-9))
    sums = _sums(energy_kwh, bins, warmth, usual)
    unseen = np.concatenate(
        [
            energy_kwh[week] - _expected(bins[week], warmth[week], *sums.solve(without=w))
            for w, week in enumerate(_weeks())
        ]
    )
    days = day_sums(unseen)
    days = days[~np.isnan(days)]
    if len(days) == 0:
        return None
    return Usual(*sums.solve(), _limit(days, false_per_year))


def _limit(days: Floats, false_per_year: float) -> float:
    """By the upper side alone: holidays err far below, and a fault of the weeks before is no measure."""
    middle, upper = np.quantile(days, (0.5, _ONE_DEVIATION))
    quantile = float(stdtrit(TRAINED_H // DAY_H - 1, 1.0 - false_per_year / 365.0))
    limit = float(max(middle, 0.0) + quantile * (upper - middle))
    good = days[days <= _NEAR * limit]
    return max(limit, float(good.max(initial=0.0)))


def day_sums(off: Floats, least: int = 20) -> Floats:
    """Sum of the last 24 hours, of at least 20 known ones scaled to 24; NaN where fewer are known."""
    known = ~np.isnan(off)
    if len(off) < DAY_H:
        return np.full(len(off), np.nan)
    windows = np.lib.stride_tricks.sliding_window_view
    total = windows(np.where(known, off, 0.0), DAY_H).sum(axis=1)
    count = windows(known, DAY_H).sum(axis=1)
    sums = np.where(count >= least, total * DAY_H / np.maximum(count, 1), np.nan)
    return np.concatenate([np.full(DAY_H - 1, np.nan), sums])


def _bins(weekday: Ints, hour: Ints) -> Ints:
    return np.asarray(hour + DAY_H * (weekday >= SATURDAY), dtype=np.int64)


def _warmth(weekday: Ints, hour: Ints, outdoor_c: Floats) -> Floats:
    """Kelvin above each bend, in busy hours and in the others; NaN where the temperature is not known."""
    busy = (weekday < SATURDAY) & (hour >= _BUSY[0]) & (hour < _BUSY[1])
    above = [np.where(np.isnan(outdoor_c), np.nan, np.maximum(outdoor_c - bend, 0.0)) for bend in BENDS_C]
    return np.stack([each * now for each in above for now in (busy, ~busy)], axis=1)


def _expected(bins: Ints, warmth: Floats, by_hour_kwh: Floats, slopes: Floats) -> Floats:
    return np.asarray(by_hour_kwh[bins] + (warmth * slopes).sum(axis=1))


def _weeks() -> list[slice]:
    return [slice(w * WEEK_H, (w + 1) * WEEK_H) for w in range(WEEKS)]


def _sums(energy: Floats, bins: Ints, warmth: Floats, used: NDArray[np.bool_]) -> _Sums:
    count, summed = np.zeros((WEEKS, _BINS)), np.zeros((WEEKS, _BINS))
    warm = np.zeros((WEEKS, _BINS, _SLOPES))
    squares, products = np.zeros((WEEKS, _SLOPES, _SLOPES)), np.zeros((WEEKS, _SLOPES))
    for w, week in enumerate(_weeks()):
        here, y, x = bins[week][used[week]], energy[week][used[week]], warmth[week][used[week]]
        count[w] = np.bincount(here, minlength=_BINS)
        summed[w] = np.bincount(here, y, minlength=_BINS)
        for k in range(_SLOPES):
            warm[w, :, k] = np.bincount(here, x[:, k], minlength=_BINS)
        # no matrix product: its threads cost more than so small a sum
        squares[w], products[w] = np.einsum("ni,nj->ij", x, x), np.einsum("n,ni->i", y, x)
    return _Sums(count, summed, warm, squares, products)
