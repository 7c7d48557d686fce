"""A register's consumption: nothing is lost, doubled or negative, whatever the register does."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy_center.analysis.counters import (
    CounterEventKind,
    Register,
    clean,
    consumption,
    consumption_between,
)

METER = Register(max_rate_per_h=1000.0, modulus=1_000_000.0, resolution=0.01)
MINUTE = 60.0


def _every_minute(*levels: float) -> tuple[np.ndarray, np.ndarray]:
    return MINUTE * np.arange(len(levels)), np.array(levels, dtype=float)


def _all_of(running, minutes: int) -> float | None:
    return consumption(running, 0.0, minutes * MINUTE, 2 * MINUTE).amount


def test_a_steady_register_counts_its_difference():
    running = clean(*_every_minute(100, 105, 110, 115), METER)
    whole = consumption(running, 0, 180, 120)
    assert whole.amount == pytest.approx(15)
    assert whole.coverage == 1.0
    assert running.events == ()


def test_boundaries_between_readings_are_interpolated():
    running = clean(*_every_minute(0, 6, 12), METER)
    assert consumption(running, 30, 90, 120).amount == pytest.approx(6)  # half of 6 and half of 6


def test_rollover_loses_nothing():
    running = clean(*_every_minute(999_990, 999_998, 4, 10), METER)
    assert _all_of(running, 3) == pytest.approx(20)  # 8 + 6 + 6
    assert [e.kind for e in running.events] == [CounterEventKind.ROLLOVER]
    assert consumption(running, 0, 180, 120).coverage == 1.0


def test_reset_counts_from_zero_and_is_partial():
    running = clean(*_every_minute(5000, 5005, 3, 8), METER)
    whole = consumption(running, 0, 180, 120)
    assert whole.amount == pytest.approx(13)  # 5 + 3 (at least) + 5
    assert whole.coverage == pytest.approx(2 / 3)
    assert [e.kind for e in running.events] == [CounterEventKind.RESET]


def test_exchange_adds_nothing_for_its_step():
    running = clean(*_every_minute(5000, 5005, 800, 806), METER)
    assert _all_of(running, 3) == pytest.approx(11)
    assert [e.kind for e in running.events] == [CounterEventKind.EXCHANGE]


def test_a_jump_far_up_that_stays_is_an_exchange_not_a_spike():
    running = clean(*_every_minute(5000, 5005, 700_000, 700_004), METER)
    assert _all_of(running, 3) == pytest.approx(9)
    assert [e.kind for e in running.events] == [CounterEventKind.EXCHANGE]


@pytest.mark.parametrize("wrong", [0.0, 4_000.0, 900_000.0])
def test_a_wrong_reading_between_right_ones_is_left_out(wrong: float):
    running = clean(*_every_minute(5000, 5005, wrong, 5015, 5020), METER)
    assert _all_of(running, 4) == pytest.approx(20)
    assert [e.kind for e in running.events] == [CounterEventKind.GLITCH]


def test_several_wrong_readings_in_a_row_are_one_glitch():
    running = clean(*_every_minute(5000, 0, 0, 0, 5020), METER)
    assert _all_of(running, 4) == pytest.approx(20)
    assert len(running.events) == 1


def test_a_young_register_that_resets_is_not_taken_for_a_glitch():
    running = clean(*_every_minute(2, 3, 0, 2, 4, 6), METER)
    assert [e.kind for e in running.events] == [CounterEventKind.RESET]
    assert _all_of(running, 5) == pytest.approx(7)


def test_a_dip_of_a_young_register_is_told_by_its_usual_rise():
    wide = Register(max_rate_per_h=100_000.0)  # 53 kWh in a minute would be possible
    level = 50.0 + np.arange(60)
    level[30] = 0.0
    running = clean(*_every_minute(*level), wide)
    assert [e.kind for e in running.events] == [CounterEventKind.GLITCH]
    assert _all_of(running, 59) == pytest.approx(59)


def test_inside_a_step_that_says_nothing_consumption_is_unknown_and_not_zero():
    at = np.array([0.0, 60.0, 6000.0, 6060.0])
    running = clean(at, np.array([100.0, 101.0, 90_000.0, 90_001.0]), METER)  # exchanged somewhere in the gap
    assert consumption(running, 600, 1200, 120).amount is None
    assert consumption(running, 0, 6060, 120).amount == pytest.approx(2)


def test_rounding_back_by_the_last_digit_is_no_event():
    running = clean(*_every_minute(5.00, 5.01, 5.00, 5.02), METER)
    assert running.events == ()
    assert _all_of(running, 3) == pytest.approx(0.02)


def test_a_gap_keeps_the_energy_and_lowers_the_coverage():
    running = clean(np.array([0.0, 60.0, 660.0, 720.0]), np.array([0.0, 1.0, 11.0, 12.0]), METER)
    whole = consumption(running, 0, 720, 120)
    assert whole.amount == pytest.approx(12)
    assert whole.coverage == pytest.approx(120 / 720)


def test_outside_the_readings_nothing_is_known():
    running = clean(*_every_minute(1, 2), METER)
    assert consumption(running, 600, 1200, 120).amount is None
    assert consumption(running, 600, 1200, 120).coverage == 0.0
    assert consumption(clean(np.array([]), np.array([]), METER), 0, 60, 120).amount is None


rising = st.lists(st.floats(0.0, 16.0), min_size=3, max_size=40)  # kWh a minute: under 1,000 kW


@given(rising, st.randoms(use_true_random=False), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
@settings(max_examples=40)
def test_parts_add_up_for_any_sampling_and_order(steps, random, first_cut, second_cut):
    at, level = _every_minute(*np.cumsum([10.0, *steps]))
    keep = sorted({0, len(at) - 1, *random.sample(range(len(at)), len(at) // 2)})
    order = random.sample(keep, len(keep)) + random.sample(keep, 1)  # late, and one of them twice
    running = clean(at[order], level[order], METER)
    cuts = np.array([0.0, *sorted((first_cut * at[-1], second_cut * at[-1])), at[-1]])
    if np.any(np.diff(cuts) <= 0):
        cuts = np.array([0.0, at[-1] / 2, at[-1]])
    amounts, coverages = consumption_between(running, cuts, 2 * MINUTE)
    assert amounts.sum() == pytest.approx(level[-1] - level[0], abs=1e-6)
    assert np.all(amounts >= -1e-9)
    assert np.all((coverages >= 0) & (coverages <= 1))


@given(rising, st.integers(0, 38), st.sampled_from(["reset", "rollover", "zero", "spike", "exchange"]))
@settings(max_examples=60)
def test_no_register_event_yields_a_spike_or_less_than_nothing(steps, where, fault):
    at, level = _every_minute(*np.cumsum([400_000.0, *steps]))
    true = level[-1] - level[0]
    where = 1 + where % (len(level) - 1)
    match fault:
        case "reset":
            level[where:] -= level[where - 1]
        case "rollover":
            level[where:] = level[where:] - level[where]
            level[:where] = level[:where] - level[where - 1] + 1_000_000 - 1
        case "zero":
            level[where] = 0.0
        case "spike":
            level[where] = 987_654.0
        case "exchange":
            level[where:] += 123_456.0
    found = _all_of(clean(at, level, METER), len(level) - 1)
    assert found is not None
    assert 0.0 <= found <= true + 16.7  # one step more at most: a rollover's own step is unknown here
    assert found >= true - 2 * 16.0 - 1e-6
