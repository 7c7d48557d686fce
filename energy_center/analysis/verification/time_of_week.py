"""Hourly time-of-week-and-temperature model (Mathieu et al. 2011, LBNL-4944E; Price 2010).

A level for each of the 168 hours of the week, and a line of straight pieces against temperature, one for the
hours in which the building works and one for the others.
"""

from dataclasses import dataclass

import numpy as np

from energy_center.analysis.counters import FloatArray
from energy_center.analysis.verification.series import DAY_HOURS, WEEK_HOURS, BoolArray, HourSeries, IntArray

_PIECES = 6
_LEAST_HOURS = 120  # of a piece; with fewer it joins the next
_OCCUPIED_SHARE = 0.65  # of a slot's hours above the plain line make it one in which the building works


@dataclass(frozen=True, slots=True, eq=False)
class HourModel:
    """`knots_c` part the pieces; `occupied` has shape (168,); `coefficients` kWh and kWh/K.

    `day` are those it was fitted to, `residual` their actual less expected kWh. `inverse` is (X'X)^-1.
    """

    knots_c: FloatArray
    occupied: BoolArray
    coefficients: FloatArray
    inverse: FloatArray
    hours: HourSeries
    day: IntArray
    residual: FloatArray

    @property
    def daily_parameters(self) -> int:
        """Coefficients that sums of whole days bear on: seven levels, and the slopes."""
        return WEEK_HOURS // DAY_HOURS + len(self.coefficients) - WEEK_HOURS

    def expected(self, hours: HourSeries) -> tuple[IntArray, FloatArray]:
        """Days of the hours and their energy, kWh."""
        return by_day(hours.day, _design(hours, self.knots_c, self.occupied) @ self.coefficients)

    def weights(self, hours: HourSeries) -> FloatArray:
        """What one kWh more on a baseline day, spread over its hours, adds to the sum of `hours`."""
        gradient = _design(hours, self.knots_c, self.occupied).sum(axis=0)
        of_hours = _design(self.hours, self.knots_c, self.occupied) @ (self.inverse @ gradient)
        _, sums = by_day(self.hours.day, of_hours)
        _, counts = by_day(self.hours.day, np.ones(len(self.hours)))
        return sums / counts


def by_day(day: IntArray, amount: FloatArray) -> tuple[IntArray, FloatArray]:
    """Sums by day."""
    days, at = np.unique(day, return_inverse=True)
    return days, np.bincount(at, weights=amount, minlength=len(days)).astype(np.float64)


def fit_hours(hours: HourSeries) -> HourModel:
    """Least squares over known hours in rising order."""
    knots = _knots(hours.temperature_c)
    occupied = _occupied(hours)
    design = _design(hours, knots, occupied)
    # slots that never occur and pieces that end in the same place have no coefficient of their own
    inverse = np.asarray(np.linalg.pinv(design.T @ design, rcond=1e-10, hermitian=True), dtype=np.float64)
    coefficients = inverse @ (design.T @ hours.energy_kwh)
    days, residual = by_day(hours.day, hours.energy_kwh - design @ coefficients)
    return HourModel(knots, occupied, coefficients, inverse, hours, days, residual)


def _knots(temperature_c: FloatArray) -> FloatArray:
    """Edges of pieces of equal length, without those that hold too few hours."""
    edges = np.linspace(temperature_c.min(), temperature_c.max(), _PIECES + 1)[1:-1]
    kept, last = list[float](), -np.inf
    for edge in edges:
        inside = np.sum((temperature_c > last) & (temperature_c <= edge))
        if inside >= _LEAST_HOURS and np.sum(temperature_c > edge) >= _LEAST_HOURS:
            kept.append(float(edge))
            last = float(edge)
    return np.array(kept)


def _pieces(temperature_c: FloatArray, knots: FloatArray) -> FloatArray:
    """Kelvins within each piece, shape (n, pieces); they add up to the temperature."""
    low = np.concatenate(([-np.inf], knots))
    high = np.concatenate((knots, [np.inf]))
    start = np.where(np.isfinite(low), low, 0.0)
    inside = np.clip(temperature_c[:, None], low[None, :], high[None, :])
    return np.asarray(inside - start[None, :], dtype=np.float64)


def _occupied(hours: HourSeries) -> BoolArray:
    """Slots of the week whose use lies mostly above one line through all hours."""
    plain = np.column_stack((np.ones(len(hours)), _pieces(hours.temperature_c, _knots(hours.temperature_c))))
    solved, *_ = np.linalg.lstsq(plain, hours.energy_kwh, rcond=None)
    above = np.bincount(hours.slot, weights=hours.energy_kwh > plain @ solved, minlength=WEEK_HOURS)
    count = np.bincount(hours.slot, minlength=WEEK_HOURS)
    return np.asarray(above > _OCCUPIED_SHARE * np.maximum(count, 1), dtype=np.bool_)


def _design(hours: HourSeries, knots: FloatArray, occupied: BoolArray) -> FloatArray:
    """Shape (n, 168 + 2 x pieces)."""
    slots = np.zeros((len(hours), WEEK_HOURS))
    slots[np.arange(len(hours)), hours.slot] = 1.0
    pieces = _pieces(hours.temperature_c, knots)
    works = occupied[hours.slot][:, None]
    return np.hstack((slots, pieces * works, pieces * ~works))
