"""Verified savings on made-up buildings of known effect; the long run is `make verification`."""

from dataclasses import replace
from datetime import date, timedelta
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy_center.analysis.verification.change_points import Shape, fit_days
from energy_center.analysis.verification.choose import Method
from energy_center.analysis.verification.series import DaySeries, DaySpan, HourSeries, day_series
from energy_center.analysis.verification.verdict import Reason, Verdict
from energy_center.analysis.verification.verify import Adjustment, Verification, verify
from energy_center.domain.calendars import GovernmentCalendar
from tests.bench.verification.buildings import BASELINE, REPORTING, Case, make_case
from tests.bench.verification.score import score

TAIWAN = GovernmentCalendar()
FEW = settings(max_examples=8, deadline=None)


@cache
def case_of(effect: float) -> Case:
    return make_case(7, effect)


def verified(days: DaySeries, hours: HourSeries | None = None, **told: object) -> Verification:
    return verify(days, hours, BASELINE, REPORTING, **told)


def estimate_of(found: Verification):
    assert found.estimate is not None
    return found.estimate


def scaled(days: DaySeries, factor: float) -> DaySeries:
    return replace(days, energy_kwh=days.energy_kwh * factor)


@pytest.mark.parametrize("effect", [0.0, 0.1])
def test_the_true_saving_lies_in_the_stated_interval(effect):
    found = score(effect, 20)
    assert found.in_90 >= 17
    assert found.claimed_outside == 0
    assert found.verdicts.get("saved", 0) == (20 if effect else 0)


def test_noise_alone_is_seldom_called_a_saving_over_a_quarter():
    assert score(0.0, 20, 90, Method.DAILY).verdicts.get("saved", 0) <= 2


def test_a_day_that_lacks_an_hour_of_temperature_is_not_compared_by_hours():
    case = case_of(0.0)
    noon = (np.arange(len(case.hours)) % 24 == 12) & (case.hours.day % 2 == 0)
    noon &= case.hours.day >= REPORTING.first.toordinal()
    gone = replace(case.hours, temperature_c=np.where(noon, np.nan, case.hours.temperature_c))
    whole = estimate_of(verified(case.days, case.hours, method=Method.HOURLY))
    found = estimate_of(verified(case.days, gone, method=Method.HOURLY))
    assert np.all(found.day % 2 == 1)
    assert found.share == pytest.approx(whole.share, abs=0.01)


@FEW
@given(st.floats(0.001, 1000.0))
def test_another_unit_scales_the_saving_and_its_interval(factor):
    days = case_of(0.1).days
    one, other = estimate_of(verified(days)), estimate_of(verified(scaled(days, factor)))
    assert other.avoided_kwh == pytest.approx(one.avoided_kwh * factor, rel=1e-4)
    assert other.interval(0.95) == pytest.approx([end * factor for end in one.interval(0.95)], rel=1e-3)


@FEW
@given(st.randoms(use_true_random=False))
def test_the_order_of_days_changes_nothing(random):
    days = case_of(0.1).days
    order = list(range(len(days)))
    random.shuffle(order)
    mixed = day_series(
        [date.fromordinal(int(days.day[i])) for i in order],
        days.energy_kwh[order],
        days.temperature_c[order],
        TAIWAN,
    )
    assert estimate_of(verified(mixed)).avoided_kwh == estimate_of(verified(days)).avoided_kwh


@FEW
@given(st.floats(-200.0, 200.0))
def test_using_less_every_day_is_avoided_day_by_day(kwh):
    days = case_of(0.0).days
    after = days.day >= REPORTING.first.toordinal()
    less = replace(days, energy_kwh=days.energy_kwh - kwh * after)
    one, other = estimate_of(verified(days)), estimate_of(verified(less))
    assert other.avoided_kwh - one.avoided_kwh == pytest.approx(kwh * len(one.day), abs=1e-3)
    assert other.deviation_kwh == pytest.approx(one.deviation_kwh)


@FEW
@given(st.integers(1, 200), st.floats(-100.0, 100.0))
def test_an_adjustment_counts_on_its_own_days(length, kwh):
    days = case_of(0.1).days
    span = DaySpan(REPORTING.first, REPORTING.first + timedelta(days=length - 1))
    found = estimate_of(verified(days, adjustments=[Adjustment(span, kwh)]))
    inside = int(np.sum(found.day <= span.last.toordinal()))
    assert found.adjustment_kwh.sum() == pytest.approx(kwh * inside)
    assert found.avoided_kwh - estimate_of(verified(days)).avoided_kwh == pytest.approx(kwh * inside)


def test_hours_and_days_agree():
    made = case_of(0.1)
    daily = estimate_of(verified(made.days, made.hours, method=Method.DAILY))
    hourly = estimate_of(verified(made.days, made.hours, method=Method.HOURLY))
    assert hourly.baseline.name == "TOWT"
    assert hourly.share == pytest.approx(daily.share, abs=0.015)


def test_lost_days_are_in_neither_sum():
    days = case_of(0.1).days
    lost = (days.day >= date(2025, 6, 1).toordinal()) & (days.day <= date(2025, 7, 15).toordinal())
    found = verified(replace(days, energy_kwh=np.where(lost, np.nan, days.energy_kwh)))
    assert found.verdict is Verdict.SAVED
    assert found.reporting.missing >= 45
    assert not np.isin(estimate_of(found).day, days.day[lost]).any()


def plain_days(slope: float, change_c: float, shape: str, noise: float = 1.0) -> DaySeries:
    rng = np.random.default_rng(1)
    span = BASELINE.days()
    at = 20 + 12 * np.sin(np.arange(len(span)) / 58.0) + rng.normal(0, 2, len(span))
    bent = {"cool": np.maximum(at - change_c, 0), "heat": np.maximum(change_c - at, 0), "flat": 0 * at}[shape]
    return day_series(span, 500 + slope * bent + rng.normal(0, noise, len(span)), at, TAIWAN)


@pytest.mark.parametrize(
    ("bend", "shape"), [("cool", Shape.COOLING), ("heat", Shape.HEATING), ("flat", Shape.MEAN)]
)
def test_the_bend_is_found_where_it_is(bend, shape):
    model = fit_days(plain_days(20.0, 18.0, bend))
    assert model.form.shape is shape
    if shape is not Shape.MEAN:
        assert model.change_points_c[0] == pytest.approx(18.0, abs=0.2)
        assert model.coefficients[-1] == pytest.approx(20.0, rel=0.02)


def reasons_of(days: DaySeries, baseline: DaySpan = BASELINE, reporting: DaySpan = REPORTING) -> set[Reason]:
    found = verify(days, None, baseline, reporting)
    assert found.verdict is Verdict.CANNOT_TELL
    return {because.reason for because in found.reasons}


def test_too_short_a_baseline_cannot_tell():
    short = DaySpan(date(2024, 11, 15), date(2024, 12, 31))
    assert Reason.BASELINE_SHORT in reasons_of(case_of(0.2).days, baseline=short)


def test_a_winter_cannot_speak_of_a_summer():
    winter = DaySpan(date(2024, 1, 1), date(2024, 3, 20))
    assert Reason.BEYOND_TEMPERATURES in reasons_of(case_of(0.2).days, baseline=winter)


def test_holes_in_the_baseline_cannot_tell():
    days = case_of(0.2).days
    assert Reason.BASELINE_COVERAGE in reasons_of(
        replace(days, energy_kwh=np.where(days.day % 5 == 0, np.nan, days.energy_kwh))
    )


def test_a_fortnight_after_is_too_short():
    fortnight = DaySpan(REPORTING.first, REPORTING.first + timedelta(days=13))
    assert Reason.REPORTING_SHORT in reasons_of(case_of(0.2).days, reporting=fortnight)


def test_a_wild_meter_cannot_tell():
    rng = np.random.default_rng(3)
    days = case_of(0.2).days
    assert Reason.FIT_POOR in reasons_of(
        replace(days, energy_kwh=days.energy_kwh * rng.uniform(0, 2, len(days)))
    )


def test_a_meter_that_counted_nothing_cannot_tell():
    assert Reason.NOTHING_USED in reasons_of(scaled(case_of(0.2).days, 0.0))


def test_more_used_is_not_saved():
    days = case_of(0.0).days
    after = days.day >= REPORTING.first.toordinal()
    found = verified(replace(days, energy_kwh=days.energy_kwh * np.where(after, 1.1, 1.0)))
    assert found.verdict is Verdict.NOT_SAVED
    assert found.reasons[0].reason is Reason.BELOW_ZERO
