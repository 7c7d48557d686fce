"""Three-valued logic, validity of samples and rolling figures."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from energy_center.domain.readings import Quality
from energy_center.rules.window import US, Condition, Frame, Mask, Samples, Signal, align, grid, held

T, F, U = Condition.TRUE, Condition.FALSE, Condition.UNKNOWN


def mask(*codes: Condition) -> Mask:
    given = np.array(codes)
    return Mask(given == T, given == F, given == Condition.NOT_APPLICABLE)


def test_kleene_logic() -> None:
    left, right = mask(T, T, T, F, F, F, U, U, U), mask(T, F, U, T, F, U, T, F, U)
    assert (left & right).codes().tolist() == [T, F, U, F, F, F, U, F, U]
    assert (left | right).codes().tolist() == [T, T, T, T, F, U, T, U, U]
    assert (~right).codes().tolist() == [F, T, U, F, T, U, F, T, U]


def test_not_applicable_is_neither_true_nor_unknown() -> None:
    judged = mask(T, F, U, T).where(mask(T, T, T, F))
    assert judged.codes().tolist() == [T, F, U, Condition.NOT_APPLICABLE]
    assert mask(T).where(mask(U)).codes().tolist() == [U]


def test_a_gauge_is_valid_for_twice_its_interval() -> None:
    samples = Samples(np.array([0, 60]) * US, np.array([1.0, 2.0]), np.zeros(2, np.int16), 60.0)
    at = np.array([-1, 0, 59, 60, 180, 181], dtype=np.int64) * US
    assert align(samples, at).tolist() == pytest.approx([np.nan, 1, 1, 2, 2, np.nan], nan_ok=True)


@pytest.mark.parametrize(
    ("quality", "usable"),
    [
        (Quality.GOOD, True),
        (Quality.SIMULATED, True),
        (Quality.SUBSTITUTED, True),
        (Quality.OUT_OF_RANGE, False),
        (Quality.CLOCK_SUSPECT, False),
        (Quality.SENSOR_FAULT | Quality.SIMULATED, False),
    ],
)
def test_flagged_readings_are_unknown(quality: Quality, *, usable: bool) -> None:
    samples = Samples(np.array([0], np.int64), np.array([1.0]), np.array([int(quality)], np.int16), 60.0)
    assert bool(np.isfinite(align(samples, np.array([0], np.int64)))[0]) is usable


def test_exactly_at_the_limit_is_not_over() -> None:
    assert (Signal(np.array([1.5, 1.5001, np.nan])) > 1.5).codes().tolist() == [F, T, U]


def test_a_sum_depends_on_its_window_only() -> None:
    rng = np.random.default_rng(3)
    values = rng.uniform(0, 1e6, 500)
    whole = Signal(values).mean(37).values
    part = Signal(values[200:]).mean(37).values
    assert np.array_equal(whole[200 + 36 :], part[36:])
    assert whole[100] == pytest.approx(values[64:101].mean())


def test_rolling_span_and_counter_rise() -> None:
    signal = Signal(np.array([1.0, 5.0, 2.0, 2.0, 9.0]))
    assert signal.span(3).values.tolist() == pytest.approx([np.nan, 4, 4, 3, 7], nan_ok=True)
    counter = Signal(np.array([10.0, 12.0, 15.0, 1.0]))
    assert counter.rise(2).values.tolist() == pytest.approx([np.nan, np.nan, 5, np.nan], nan_ok=True)


def test_held_needs_every_step() -> None:
    assert held(mask(T, T, F, T, T, U, T), 2).codes().tolist() == [U, T, F, F, T, U, U]


def test_the_grid_stands_on_multiples_of_the_step() -> None:
    start = datetime(2026, 7, 1, 0, 0, 30, tzinfo=UTC)
    assert (grid(start, start + timedelta(seconds=150), 60.0) // US % 60).tolist() == [0, 0, 0]
    assert len(grid(start, start, 60.0)) == 0


def test_local_hours_are_the_buildings() -> None:
    times = np.array([datetime(2026, 7, 1, 16, 30, tzinfo=UTC).timestamp() * US], dtype=np.int64)
    frame = Frame(times, 60.0, {}, ZoneInfo("Asia/Taipei"))
    assert frame.local_hours().tolist() == [0.5]
    assert frame.local_weekdays().tolist() == [3]  # Thursday, 2 July 2026


def test_readings_on_the_grid_and_a_search_for_them_give_the_same() -> None:
    at = np.arange(1, 9, dtype=np.int64) * 60 * US
    bad = np.array([0, 0, int(Quality.SENSOR_FAULT), 0, 0, 0, 0, 0], dtype=np.int16)
    exact = Samples(at, np.arange(8.0), bad, 60.0)
    later = Samples(np.append(at, at[-1] + 1), np.append(np.arange(8.0), 9.0), np.append(bad, bad[:1]), 60.0)
    times = at[1:6]
    assert np.array_equal(align(exact, times), align(later, times), equal_nan=True)
    assert np.array_equal(align(exact, times), np.array([1.0, np.nan, 3.0, 4.0, 5.0]), equal_nan=True)
