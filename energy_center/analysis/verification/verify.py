"""Avoided energy of a measure: what the baseline expects after it, less what was used (IPMVP option C).

Days without energy or temperature are in neither sum. Days at temperatures that the baseline never saw are
left out too: a model says nothing there.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from energy_center.analysis.counters import FloatArray
from energy_center.analysis.verification.choose import Baseline, Method, fit_baseline
from energy_center.analysis.verification.series import BoolArray, DaySeries, DaySpan, HourSeries, IntArray
from energy_center.analysis.verification.time_of_week import HourModel
from energy_center.analysis.verification.uncertainty import (
    Noise,
    noise_of,
    quantile,
    total_deviation,
)
from energy_center.analysis.verification.verdict import Because, Criteria, Reason, Verdict, judge

CONFIDENCES = (0.90, 0.95)
_LEAST_TO_FIT = 30  # days; under it there is no model to show


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A change that is not the measure's: kWh a day more (less, if negative) than the baseline would know."""

    span: DaySpan
    kwh_per_day: float


@dataclass(frozen=True, slots=True)
class Cover:
    """Of the days of a span, how many are in the sums and why the others are not."""

    days: int
    used: int
    missing: int
    beyond: int = 0

    @property
    def share(self) -> float:
        """Known share 0..1."""
        return (self.days - self.missing) / self.days if self.days else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """The avoided energy, kWh, over the days `day`; arrays of shape (m,).

    `expected_kwh` by the baseline alone; avoided = expected + adjustment - actual.
    `deviation_kwh` is the standard deviation of the sum, `freedom` that of Student's t.
    """

    baseline: Baseline
    noise: Noise
    day: IntArray
    expected_kwh: FloatArray
    adjustment_kwh: FloatArray
    actual_kwh: FloatArray
    deviation_kwh: float

    @property
    def expected_total_kwh(self) -> float:
        """What the days would have used without the measure, adjustments among it."""
        return float(np.sum(self.expected_kwh + self.adjustment_kwh))

    @property
    def avoided_kwh(self) -> float:
        """The saving."""
        return self.expected_total_kwh - float(np.sum(self.actual_kwh))

    @property
    def share(self) -> float:
        """The saving as a share of what would have been used."""
        return self.avoided_kwh / self.expected_total_kwh

    def interval(self, confidence: float) -> tuple[float, float]:
        """Two-sided interval of the saving, kWh."""
        half = quantile(confidence, self.noise.freedom) * self.deviation_kwh
        return self.avoided_kwh - half, self.avoided_kwh + half

    @property
    def fractional_uncertainty(self) -> float:
        """Half of the 90 % interval over the saving; infinite without one."""
        low, high = self.interval(0.90)
        return (high - low) / 2.0 / abs(self.avoided_kwh) if self.avoided_kwh else math.inf


@dataclass(frozen=True, slots=True)
class Verification:
    """The answer. `estimate` is None where no baseline could be fitted."""

    verdict: Verdict
    reasons: tuple[Because, ...]
    baseline: Cover
    reporting: Cover
    estimate: Estimate | None


def verify(
    days: DaySeries,
    hours: HourSeries | None,
    baseline: DaySpan,
    reporting: DaySpan,
    adjustments: Sequence[Adjustment] = (),
    method: Method = Method.AUTO,
    criteria: Criteria | None = None,
) -> Verification:
    """Judge a measure carried out between the two spans, which must not overlap."""
    if baseline.overlaps(reporting):
        raise ValueError("baseline and reporting period overlap")
    asked = criteria or Criteria()
    before, after = days.within(baseline), days.within(reporting)
    before, after = before.take(before.is_known), after.take(after.is_known)
    if hours is not None:
        hours = hours.on_days(hours.whole_days())  # a day short of an hour is expected too low
    cover = Cover(len(baseline), len(before), len(baseline) - len(before))
    if len(before) < _LEAST_TO_FIT or not before.energy_kwh.sum() > 0 or not len(after):
        seen = Cover(len(reporting), len(after), len(reporting) - len(after))
        return Verification(Verdict.CANNOT_TELL, _too_little(before, cover, seen, asked), cover, seen, None)
    model = fit_baseline(before, hours, method)
    after, seen = _comparable(model, before, after, hours, len(reporting), asked)
    reasons = _too_little(before, cover, seen, asked) + _unfit(model, before, seen, asked)
    if not len(after):
        return Verification(Verdict.CANNOT_TELL, reasons, cover, seen, None)
    found = _estimate(model, after, hours, adjustments)
    if reasons:
        return Verification(Verdict.CANNOT_TELL, reasons, cover, seen, found)
    verdict, because = judge(*found.interval(0.95), found.expected_total_kwh, asked)
    return Verification(verdict, (because,), cover, seen, found)


def _comparable(
    model: Baseline,
    before: DaySeries,
    after: DaySeries,
    hours: HourSeries | None,
    count: int,
    criteria: Criteria,
) -> tuple[DaySeries, Cover]:
    """The days after the measure of which the baseline can speak."""
    if isinstance(model.model, HourModel) and hours is not None:
        after = after.take(np.isin(after.day, hours.whole_days()))
    low, high = temperature_range(before, criteria)
    inside: BoolArray = (after.temperature_c >= low) & (after.temperature_c <= high)
    return after.take(inside), Cover(count, int(inside.sum()), count - len(after), int((~inside).sum()))


def temperature_range(before: DaySeries, criteria: Criteria) -> tuple[float, float]:
    """Daily means of which a baseline speaks, °C."""
    low, high = float(before.temperature_c.min()), float(before.temperature_c.max())
    margin = criteria.beyond_by * (high - low)
    return low - margin, high + margin


def _estimate(
    model: Baseline, after: DaySeries, hours: HourSeries | None, adjustments: Sequence[Adjustment]
) -> Estimate:
    projection = model.project(after, hours)
    noise = noise_of(model.day, model.actual_kwh - model.expected_kwh, model.model.daily_parameters)
    return Estimate(
        baseline=model,
        noise=noise,
        day=after.day,
        expected_kwh=projection.expected_kwh,
        adjustment_kwh=_adjusted(after.day, adjustments),
        actual_kwh=after.energy_kwh,
        deviation_kwh=total_deviation(noise, model.day, projection.weights, after.day),
    )


def _adjusted(day: IntArray, adjustments: Sequence[Adjustment]) -> FloatArray:
    found = np.zeros(len(day))
    for adjustment in adjustments:
        span = adjustment.span
        within = (day >= span.first.toordinal()) & (day <= span.last.toordinal())
        found[within] += adjustment.kwh_per_day
    return found


def _too_little(
    before: DaySeries, baseline: Cover, reporting: Cover, criteria: Criteria
) -> tuple[Because, ...]:
    found = list[Because]()
    if len(before) and not before.energy_kwh.sum() > 0:
        found.append(Because(Reason.NOTHING_USED))
    needed = criteria.least_days
    if baseline.used < needed:
        found.append(Because(Reason.BASELINE_SHORT, {"found": baseline.used, "needed": needed}))
    if baseline.share < criteria.baseline_coverage:
        share = {"found": baseline.share, "needed": criteria.baseline_coverage}
        found.append(Because(Reason.BASELINE_COVERAGE, share))
    needed = criteria.least_reporting_days
    if reporting.used < needed:
        found.append(Because(Reason.REPORTING_SHORT, {"found": reporting.used, "needed": needed}))
    if reporting.share < criteria.reporting_coverage:
        share = {"found": reporting.share, "needed": criteria.reporting_coverage}
        found.append(Because(Reason.REPORTING_COVERAGE, share))
    return tuple(found)


def _unfit(model: Baseline, before: DaySeries, seen: Cover, criteria: Criteria) -> tuple[Because, ...]:
    found = list[Because]()
    if model.cv_rmse > criteria.most_cv:
        found.append(Because(Reason.FIT_POOR, {"found": model.cv_rmse, "allowed": criteria.most_cv}))
    if abs(model.nmbe) > criteria.most_nmbe:
        found.append(Because(Reason.FIT_BIASED, {"found": model.nmbe, "allowed": criteria.most_nmbe}))
    beyond = seen.beyond / max(seen.beyond + seen.used, 1)
    # a whole year has seen its seasons; a shorter baseline must have seen what came after
    allowed = criteria.most_beyond if len(before) >= criteria.full_days else criteria.most_beyond / 2
    if beyond > allowed:
        low, high = temperature_range(before, criteria)
        facts = {"found": beyond, "allowed": allowed, "low_c": low, "high_c": high}
        found.append(Because(Reason.BEYOND_TEMPERATURES, facts))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Reached:
    """The avoided energy up to a day, with its two-sided 95 % interval, kWh; `day` is its ordinal."""

    day: int
    avoided_kwh: float
    low_kwh: float
    high_kwh: float


def course(found: Estimate, days: DaySeries, hours: HourSeries | None, points: int = 40) -> list[Reached]:
    """How the saving added up; `days` and `hours` are those that it was verified with."""
    after = days.take(np.isin(days.day, found.day))
    gained = np.cumsum(found.expected_kwh + found.adjustment_kwh - found.actual_kwh)
    reached = list[Reached]()
    half = quantile(0.95, found.noise.freedom)
    for count in np.unique(np.linspace(1, len(found.day), min(points, len(found.day))).astype(np.int64)):
        part = after.take(after.day <= found.day[count - 1])
        weights = found.baseline.project(part, hours).weights
        spread = half * total_deviation(found.noise, found.baseline.day, weights, part.day)
        avoided = float(gained[count - 1])
        reached.append(Reached(int(part.day[-1]), avoided, avoided - spread, avoided + spread))
    return reached
