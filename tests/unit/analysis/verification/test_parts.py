"""The parts of a verification by numbers reckoned by hand."""

from datetime import date

import numpy as np
import pytest

from energy_center.analysis.verification.series import (
    DayKind,
    DaySpan,
    day_kind,
    day_series,
    fingerprint,
    hour_series,
)
from energy_center.analysis.verification.uncertainty import (
    Noise,
    autocorrelation,
    effective_count,
    quantile,
    total_deviation,
)
from energy_center.analysis.verification.verdict import Criteria, Reason, Verdict, judge
from energy_center.domain.calendars import GovernmentCalendar

TAIWAN = GovernmentCalendar()


@pytest.mark.parametrize(
    ("on", "kind"),
    [
        (date(2024, 7, 3), DayKind.WORKING),
        (date(2024, 7, 6), DayKind.SATURDAY),
        (date(2024, 7, 7), DayKind.SUNDAY_OR_HOLIDAY),
        (date(2024, 10, 10), DayKind.SUNDAY_OR_HOLIDAY),  # National Day, a Thursday
        (date(2024, 2, 17), DayKind.WORKING),  # the Saturday that made up for 15 February
    ],
)
def test_kinds_of_days_follow_the_calendar(on, kind):
    assert day_kind(on, TAIWAN) is kind


def test_holidays_have_the_hours_of_sundays():
    day = np.array([date(2024, 10, 10).toordinal(), date(2024, 2, 17).toordinal()])
    found = hour_series(day, np.array([9, 9]), np.ones(2), np.ones(2), TAIWAN)
    assert found.slot.tolist() == [6 * 24 + 9, 4 * 24 + 9]  # the make-up Saturday works like a Friday


def test_guideline_14_counts_independent_days():
    assert effective_count(365, 0.5) == pytest.approx(365 / 3)  # (1 - 0.5) / (1 + 0.5)
    assert effective_count(10, 0.99) == 2.0


def test_autocorrelation_leaps_over_gaps():
    day = np.array([*range(20), *range(40, 60)])
    assert autocorrelation(day, np.where(day % 2, 1.0, -1.0)) == pytest.approx(-1.0)
    assert autocorrelation(day, np.where(day % 2, 1.0, -1.0), lag=2) == pytest.approx(1.0)


def test_independent_errors_add_up_by_squares():
    noise = Noise(variance=4.0, share=1.0, rho=0.0, freedom=100.0)
    before, after = np.arange(100), np.arange(200, 225)
    # 25 days of sd 2, and a mean of 100 days applied to 25: 4 x (25 + 25^2 / 100) = 125
    weights = np.full(100, 25 / 100)
    assert total_deviation(noise, before, weights, after) == pytest.approx(125**0.5)


def test_errors_that_last_add_up_to_more():
    noise = Noise(variance=4.0, share=1.0, rho=0.5, freedom=100.0)
    after = np.array([0, 1])
    # 4 x (1 + 1 + 2 x 0.5) = 12
    assert total_deviation(noise, np.array([-900]), np.zeros(1), after) == pytest.approx(12**0.5)


def test_quantile_is_students():
    assert quantile(0.95, 10) == pytest.approx(2.228, abs=1e-3)  # table of t


@pytest.mark.parametrize(
    ("low", "high", "verdict", "reason"),
    [
        (1.0, 50.0, Verdict.SAVED, Reason.ABOVE_ZERO),
        (0.0, 50.0, Verdict.CANNOT_TELL, Reason.HOLDS_ZERO),
        (-10.0, 19.0, Verdict.NOT_SAVED, Reason.UNDER_WORTHWHILE),
        (-10.0, 20.0, Verdict.CANNOT_TELL, Reason.HOLDS_ZERO),
        (-50.0, -1.0, Verdict.NOT_SAVED, Reason.BELOW_ZERO),
    ],
)
def test_the_interval_decides(low, high, verdict, reason):
    found, because = judge(low, high, 1000.0, Criteria())
    assert (found, because.reason) == (verdict, reason)


def test_the_same_data_have_the_same_hash_and_others_another():
    days = DaySpan(date(2024, 1, 1), date(2024, 1, 3)).days()
    one = day_series(days, np.array([1.0, 2.0, np.nan]), np.ones(3), TAIWAN)
    other = day_series(days, np.array([1.0, 2.0, 3.0]), np.ones(3), TAIWAN)
    assert fingerprint(one, None) == fingerprint(one, None) != fingerprint(other, None)
