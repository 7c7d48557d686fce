"""The last lasting change of level in a series of days: known ones come back, short and odd ones do not."""

import numpy as np
import ruptures  # noqa: F401 loaded here, so that no test waits for it
from hypothesis import given, settings
from hypothesis import strategies as st

from energy_center.analysis.lasting_step import Floats, Step, last_step

DAYS, PENALTY, LEAST_DAYS, LEAST_SPREAD = 56, 4.0, 10, 1.0


def _days(seed: int = 1) -> Floats:
    """Eight weeks of noise, 5 kWh."""
    return np.random.default_rng(seed).normal(0.0, 5.0, DAYS)


def _last_step(days: Floats) -> Step | None:
    return last_step(days, PENALTY, LEAST_DAYS, LEAST_SPREAD)


def _check(found: Step | None, days: int, size: float) -> None:
    assert found is not None
    assert abs(found.days - days) <= 1
    assert abs(found.size - size) < 6.0


def test_a_step_up_and_one_down_come_back_with_day_and_size() -> None:
    for size in (30.0, -30.0):
        days = _days()
        days[-20:] += size
        _check(_last_step(days), 20, size)


def test_the_same_level_all_along_has_no_step() -> None:
    assert _last_step(_days()) is None
    assert _last_step(np.zeros(DAYS)) is None


def test_a_step_of_nine_days_is_not_told_yet_and_of_ten_is() -> None:
    days = np.zeros(DAYS)
    days[-9:] = 30.0
    assert _last_step(days) is None
    days[-10:] = 30.0
    assert _last_step(days) == Step(10, 30.0)


def test_a_week_of_holiday_is_no_step_and_hides_none() -> None:
    days = np.zeros(DAYS)
    days[-25:-18] = -80.0
    found = _last_step(days)
    assert found is None or found.size == 0.0
    days = np.zeros(DAYS)
    days[-20:] = 30.0
    days[-4:] = -80.0
    assert _last_step(days) == Step(20, 30.0)


def test_one_odd_day_is_no_step() -> None:
    days = _days()
    days[30] += 5_000.0
    assert _last_step(days) is None


def test_days_that_are_not_known_are_passed_over_and_counted() -> None:
    days = np.zeros(DAYS)
    days[-20:] = 30.0
    days[[3, 12, 40, 50]] = np.nan
    assert _last_step(days) == Step(20, 30.0)


def test_too_few_days_have_no_step() -> None:
    days = np.full(DAYS, np.nan)
    days[:5] = (0.0, 0.0, 0.0, 90.0, 90.0)
    assert _last_step(days) is None


@settings(max_examples=25, deadline=None)
@given(st.integers(10, 40), st.floats(10.0, 500.0), st.floats(-1e4, 1e4))
def test_a_clean_step_is_found_wherever_it_lies(age: int, size: float, level: float) -> None:
    days = np.full(DAYS, level)
    days[-age:] += size
    found = _last_step(days)
    assert found is not None
    assert found.days == age
    assert abs(found.size - size) < 1e-6
