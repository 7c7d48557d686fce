"""Which baseline: the daily or the hourly model, by what each misses on days that it was not fitted to."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from energy_center.analysis.counters import FloatArray
from energy_center.analysis.verification.change_points import DayModel, fit_days, fit_form
from energy_center.analysis.verification.series import BoolArray, DaySeries, HourSeries, IntArray
from energy_center.analysis.verification.time_of_week import HourModel, fit_hours

_FOLDS = 5
_BLOCK_DAYS = 14  # neighbouring days are alike: whole fortnights are left out together
LEAST_HOURLY_DAYS = 90  # that 168 levels and a dozen slopes need
_CLEARLY_BETTER = 0.97  # of the daily model's error: the simpler one is kept where both do


class Method(StrEnum):
    """Kinds of baseline; AUTO chooses by the data."""

    AUTO = "auto"
    DAILY = "daily"
    HOURLY = "hourly"


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """What a baseline expects of other days, kWh; `weights`: how much each of its own adds to the sum."""

    expected_kwh: FloatArray
    weights: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """A model of the days before. `day`, `actual_kwh`, `expected_kwh` of those days, shape (n,).

    `missed_kwh`: root mean square error on days left out of the fit; None where none were.
    """

    model: DayModel | HourModel
    day: IntArray
    actual_kwh: FloatArray
    expected_kwh: FloatArray
    missed_kwh: float | None

    @property
    def name(self) -> str:
        """What people call it: 1P to 5P, or TOWT."""
        return "TOWT" if isinstance(self.model, HourModel) else self.model.form.shape.value

    def project(self, days: DaySeries, hours: HourSeries | None) -> Projection:
        """Expect other days; of an hourly model, `hours` must hold all hours of them."""
        if isinstance(self.model, DayModel):
            return Projection(self.model.expected(days), self.model.weights(days))
        if hours is None:
            raise ValueError("an hourly model needs hours")
        these = hours.on_days(days.day)
        return Projection(self.model.expected(these)[1], self.model.weights(these))

    @property
    def cv_rmse(self) -> float:
        """CV(RMSE) of daily energies (ASHRAE Guideline 14-2014, equation 4-4)."""
        freedom = max(len(self.day) - self.model.daily_parameters, 1)
        square = float(np.sum((self.actual_kwh - self.expected_kwh) ** 2)) / freedom
        return float(np.sqrt(square)) / float(np.mean(self.actual_kwh))

    @property
    def nmbe(self) -> float:
        """Net mean bias: (actual - expected) / actual."""
        return float(np.sum(self.actual_kwh - self.expected_kwh) / np.sum(self.actual_kwh))

    @property
    def r_squared(self) -> float:
        """The share of the variance that is explained."""
        spread = float(np.sum((self.actual_kwh - self.actual_kwh.mean()) ** 2))
        left = float(np.sum((self.actual_kwh - self.expected_kwh) ** 2))
        return 1.0 - left / spread if spread > 0 else 0.0


def fit_baseline(days: DaySeries, hours: HourSeries | None, method: Method) -> Baseline:
    """Fit to known days, and to the hours of whole days where there are enough of them."""
    whole = None if hours is None or method is Method.DAILY else _hours_of(days, hours)
    if whole is None:
        return _daily(days, fit_days(days), None)
    if method is Method.HOURLY:
        return _hourly(whole, None)
    shared = days.take(np.isin(days.day, whole.day))
    model = fit_days(days)
    fold = (shared.day // _BLOCK_DAYS) % _FOLDS
    missed_daily, missed_hourly = _missed_by_days(shared, model, fold), _missed_by_hours(whole, shared, fold)
    if missed_hourly < _CLEARLY_BETTER * missed_daily:
        return _hourly(whole, missed_hourly)
    return _daily(days, model, missed_daily)


def _hours_of(days: DaySeries, hours: HourSeries) -> HourSeries | None:
    kept = np.intersect1d(hours.whole_days(), days.day)
    return hours.on_days(kept) if len(kept) >= LEAST_HOURLY_DAYS else None


def _daily(days: DaySeries, model: DayModel, missed: float | None) -> Baseline:
    return Baseline(model, days.day, days.energy_kwh, days.energy_kwh - model.residual, missed)


def _hourly(hours: HourSeries, missed: float | None) -> Baseline:
    model = fit_hours(hours)
    day, expected = model.expected(hours)
    return Baseline(model, day, expected + model.residual, expected, missed)


def _missed_by_days(days: DaySeries, model: DayModel, fold: IntArray) -> float:
    squares = 0.0
    for i in range(_FOLDS):
        out: BoolArray = fold == i
        fitted = fit_form(days.take(~out), model.form) if out.any() and not out.all() else None
        if fitted is None:
            return float("inf")
        left = days.take(out)
        squares += float(np.sum((left.energy_kwh - fitted.expected(left)) ** 2))
    return float(np.sqrt(squares / len(days)))


def _missed_by_hours(hours: HourSeries, days: DaySeries, fold: IntArray) -> float:
    squares = 0.0
    for i in range(_FOLDS):
        out = days.take(fold == i)
        kept = hours.on_days(days.day[fold != i])
        if not len(out) or not len(kept):
            return float("inf")
        _, expected = fit_hours(kept).expected(hours.on_days(out.day))
        squares += float(np.sum((out.energy_kwh - expected) ** 2))
    return float(np.sqrt(squares / len(days)))
