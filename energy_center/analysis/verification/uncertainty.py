"""How far a sum of model errors may be off, when one day's error is like the next day's.

A total over m days is uncertain by the noise of those days and by what the baseline's own noise did to
its coefficients. Both are linear in daily errors: their autocovariance gives the variance of the total.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from energy_center.analysis.counters import FloatArray
from energy_center.analysis.verification.series import IntArray

_MOST_RHO = 0.98
_LAGS = (
    45  # days; chosen by calibration (docs/verification.md): with 14 the interval held too few true savings
)


def autocorrelation(day: IntArray, residual: FloatArray, lag: int = 1) -> float:
    """Correlation of residuals `lag` days apart, over the pairs that exist; 0 without 10 pairs."""
    found = _covariance(day, residual, lag)
    variance = float(np.mean(residual**2)) if residual.size else 0.0
    return 0.0 if found is None or variance <= 0 else float(np.clip(found / variance, -1.0, 1.0))


def _covariance(day: IntArray, residual: FloatArray, lag: int) -> float | None:
    """Mean product of residuals `lag` days apart; None without 10 pairs."""
    at = np.searchsorted(day, day + lag)
    inside = at < len(day)
    pairs = np.flatnonzero(inside)
    pairs = pairs[day[at[pairs]] == day[pairs] + lag]
    if len(pairs) < 10:  # noqa: PLR2004 as the docstring says
        return None
    return float(np.mean(residual[pairs] * residual[at[pairs]]))


def effective_count(count: int, rho: float) -> float:
    """Independent observations that `count` are worth (ASHRAE Guideline 14-2014, 5.3.2.4), 2 at least."""
    bounded = min(max(rho, 0.0), _MOST_RHO)
    return max(count * (1.0 - bounded) / (1.0 + bounded), 2.0)


@dataclass(frozen=True, slots=True)
class Noise:
    """Autocovariance of daily errors, kWh²: `variance` at lag 0, variance x `share` x `rho`^k at lag k.

    `share` below 1 is noise of single days beside what lasts. `freedom` is that of the variance.
    """

    variance: float
    share: float
    rho: float
    freedom: float

    def covariances(self, a: IntArray, b: IntArray) -> FloatArray:
        """Between days, shape (len(a), len(b))."""
        apart = np.abs(a[:, None] - b[None, :])
        return self.variance * np.where(apart == 0, 1.0, self.share * self.rho**apart)


def noise_of(day: IntArray, residual: FloatArray, parameters: int) -> Noise:
    """From a baseline's residuals. Fitting takes some of the lasting part out of them: it is put back."""
    count = len(day)
    first = autocorrelation(day, residual)
    rho = min(max(first, 0.0), _MOST_RHO)
    rho = min(rho + (1.0 + 3.0 * rho + parameters * (1.0 + rho)) / count, _MOST_RHO) if first > 0 else 0.0
    share, lasting = _course(day, residual, rho)
    worth = effective_count(count, rho)
    freedom = max(worth - parameters, 2.0)
    variance = float(np.sum(residual**2)) / max(count - parameters, 1)
    return Noise(variance, share, lasting, freedom)


def _course(day: IntArray, residual: FloatArray, rho: float) -> tuple[float, float]:
    """Share and decay of the lasting part: the decay over some weeks where it is slower than lag 1 says."""
    correlations = np.array([autocorrelation(day, residual, lag) for lag in range(1, _LAGS + 1)])
    seen = float(np.sum(np.maximum(correlations, 0.0)))
    single = rho * (1.0 - rho**_LAGS) / (1.0 - rho) if rho < 1 else float(_LAGS)
    if seen <= single or rho <= 0:
        return 1.0, rho
    slow = _decay(rho, seen)
    return rho / slow, slow


def _decay(first: float, total: float) -> float:
    """The decay whose correlations begin at `first` and add up to `total` over `_LAGS` days; bisection."""
    low, high = first, _MOST_RHO
    for _ in range(30):
        middle = (low + high) / 2.0
        reached = first * (1.0 - middle**_LAGS) / (1.0 - middle)
        low, high = (middle, high) if reached < total else (low, middle)
    return max(low, 1e-6)


def total_deviation(noise: Noise, baseline_day: IntArray, weights: FloatArray, day: IntArray) -> float:
    """Standard deviation of the sum of (expected - would have been) over days, kWh.

    `weights`: what one kWh more on a baseline day adds to the sum expected, shape (n,).
    """
    of_days = float(np.sum(noise.covariances(day, day)))
    of_model = float(weights @ noise.covariances(baseline_day, baseline_day) @ weights)
    shared = float(np.sum(weights @ noise.covariances(baseline_day, day)))
    return math.sqrt(max(of_days + of_model - 2.0 * shared, 0.0))


def quantile(confidence: float, freedom: float) -> float:
    """Two-sided quantile of Student's t."""
    return float(stats.t.ppf(0.5 + confidence / 2.0, freedom))
