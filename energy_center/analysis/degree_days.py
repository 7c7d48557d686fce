"""Degree days, and consumption at the weather of another period.

Degree days are the time integral of max(0, T - base), in K·d (ASHRAE Fundamentals 2021, 14.11: from hourly
temperatures, not from the mean of the day's extremes).
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from energy_center.analysis.counters import FloatArray
from energy_center.analysis.insufficient import Insufficient
from energy_center.analysis.intervals import time_weighted_mean

COOLING_BASE_C = 18.3  # 65 °F, ASHRAE's reference base; a building's own balance point may be given instead
_HOUR_S = 3600.0
_DAY_S = 86_400.0
LEAST_DAYS = 30  # that a model needs, of each kind of day that it tells apart
_LEAST_KIND = 6
MOST_CV = (
    0.25  # CV(RMSE) of daily models beyond which a result is not worth showing (ASHRAE Guideline 14, 5.3.2.4)
)


@dataclass(frozen=True, slots=True)
class DegreeDays:
    """Cooling and heating degree days in K·d; `coverage` is the share 0..1 of the time with a temperature."""

    cooling: float
    heating: float
    coverage: float


def degree_days(
    at_s: FloatArray,
    temperature_c: FloatArray,
    edges_s: FloatArray,
    max_gap_s: float,
    base_c: float = COOLING_BASE_C,
) -> list[DegreeDays | None]:
    """Degree days of each interval (a day, a month) from temperatures; None where none was read.

    Reckoned from hourly means; hours without a reading count as the mean of the interval's others.
    """
    found = list[DegreeDays | None]()
    for start, end in pairwise(edges_s):
        hours = np.append(np.arange(start, end, _HOUR_S), end)
        mean, coverage = time_weighted_mean(at_s, temperature_c, hours, max_gap_s)
        lengths = np.diff(hours)
        known = ~np.isnan(mean)
        if not known.any():
            found.append(None)
            continue
        weight = lengths[known] / lengths[known].sum() * (end - start) / _DAY_S
        found.append(
            DegreeDays(
                cooling=float(np.sum(np.maximum(mean[known] - base_c, 0.0) * weight)),
                heating=float(np.sum(np.maximum(base_c - mean[known], 0.0) * weight)),
                coverage=float(np.sum(coverage * lengths) / (end - start)),
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class WeatherModel:
    """Daily consumption = base of the kind of day + `per_degree_day` x cooling degree days, in kWh.

    `base_kwh` by kind of day (working or not), `cv` is CV(RMSE), `days` how many it was fitted to.
    """

    base_kwh: dict[bool, float]
    per_degree_day: float
    cv: float
    days: int

    def expected(self, cooling: float, *, is_working_day: bool) -> float:
        """Consumption of a day, kWh; never below zero."""
        return max(self.base_kwh[is_working_day] + self.per_degree_day * cooling, 0.0)


def fit_weather_model(
    energy_kwh: FloatArray, cooling: FloatArray, is_working_day: np.ndarray
) -> WeatherModel | Insufficient:
    """Least squares over whole days; arrays of shape (n,), NaN days are left out.

    Insufficient with fewer than 30 days or 6 of a kind, without spread of weather, or where the fit is poor.
    """
    known = ~np.isnan(energy_kwh) & ~np.isnan(cooling)
    energy, warm, works = energy_kwh[known], cooling[known], is_working_day[known].astype(bool)
    kinds = [kind for kind in (True, False) if np.any(works == kind)]
    reasons = _too_few(energy, warm, works, kinds)
    if reasons:
        return Insufficient(tuple(reasons))
    design = np.column_stack([*(works == kind for kind in kinds), warm]).astype(float)
    solution, *_ = np.linalg.lstsq(design, energy, rcond=None)
    freedom = energy.size - design.shape[1]
    cv = math.sqrt(float(np.sum((energy - design @ solution) ** 2)) / freedom) / float(energy.mean())
    if cv > MOST_CV:
        return Insufficient((f"CV(RMSE) {cv:.0%} of the daily model, {MOST_CV:.0%} allowed",))
    bases = {kind: float(solution[i]) for i, kind in enumerate(kinds)}
    return WeatherModel(bases, float(solution[-1]), cv, int(energy.size))


def _too_few(energy: FloatArray, warm: FloatArray, works: np.ndarray, kinds: list[bool]) -> list[str]:
    reasons = list[str]()
    if energy.size < LEAST_DAYS:
        reasons.append(f"{energy.size} whole days, {LEAST_DAYS} needed")
    few = [int(np.sum(works == kind)) for kind in kinds]
    if few and min(few) < _LEAST_KIND:
        reasons.append(f"{min(few)} days of one kind, {_LEAST_KIND} needed")
    if energy.size and float(np.ptp(warm)) < 1.0:
        reasons.append(f"degree days vary by {float(np.ptp(warm)):.1f} K·d only: 1 needed")
    if energy.size and float(energy.mean()) <= 0:
        reasons.append("nothing was consumed")
    return reasons


def at_other_weather(
    model: WeatherModel, actual_kwh: float, cooling: FloatArray, other_cooling: FloatArray
) -> float:
    """What a period would have consumed at another period's cooling degree days, kWh, never below zero.

    Both arrays have shape (days,); they are compared by their sums scaled to the same number of days.
    """
    scaled = float(np.mean(other_cooling)) * len(cooling)
    return max(actual_kwh + model.per_degree_day * (scaled - float(np.sum(cooling))), 0.0)
