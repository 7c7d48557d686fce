"""However energy is found and however time is cut, the parts add up to the whole and gaps are not zeros."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy_center.analysis.counters import CounterEventKind, Register, clean
from energy_center.analysis.demand import block_windows, running_demand
from energy_center.analysis.grid import Step, edges_of
from energy_center.analysis.intervals import (
    Method,
    gaps,
    of_intervals,
    of_power,
    of_register,
    time_weighted_mean,
)
from energy_center.analysis.registers import Exchange, clean_exchanged, learn_register
from energy_center.domain.timeline import Interval, day, month

METER = Register(max_rate_per_h=4000.0, modulus=1_000_000.0, resolution=0.01)
QUARTER = 900.0


def test_interval_energies_are_spread_evenly_over_their_interval():
    half_hours = of_intervals(np.array([0.0, 1800.0]), 1800.0, np.array([10.0, 6.0]), QUARTER * np.arange(5))
    assert half_hours.amount == pytest.approx([5, 5, 3, 3])
    assert half_hours.coverage == pytest.approx([1, 1, 1, 1])
    assert half_hours.mean_power() == pytest.approx([20, 20, 12, 12])


def test_a_missing_interval_is_missing_and_not_zero():
    found = of_intervals(np.array([0.0, 1800.0]), QUARTER, np.array([10.0, 6.0]), QUARTER * np.arange(4))
    assert np.isnan(found.amount[1])
    assert found.coverage.tolist() == [1, 0, 1]
    assert (found.total, found.total_coverage) == (16.0, pytest.approx(2 / 3))


def test_overlapping_intervals_lose_and_double_nothing():
    edges = np.array([0.0, 600.0, 900.0, 1500.0])
    found = of_intervals(np.array([0.0, 600.0]), QUARTER, np.array([10.0, 6.0]), edges)
    assert found.amount == pytest.approx(
        [20 / 3, 10 / 3, 6]
    )  # the later one begins where the earlier one ends


def test_energy_from_power_is_flagged_and_is_the_area_under_it():
    at = np.array([0.0, 1800.0, 3600.0])
    found = of_power(at, np.array([0.0, 100.0, 0.0]), QUARTER * np.arange(5), 3600.0)
    # a triangle: 12.5, 37.5, 37.5, 12.5 % of 50 kWh
    assert found.amount == pytest.approx([6.25, 18.75, 18.75, 6.25])
    assert found.method is Method.POWER


def test_power_says_nothing_across_a_gap():
    at = np.array([0.0, 60.0, 3600.0, 3660.0])
    found = of_power(at, np.full(4, 60.0), np.array([0.0, 3660.0]), 120.0)
    assert found.total == pytest.approx(2.0)  # two minutes of 60 kW
    assert found.mean_power() == pytest.approx([60.0])
    assert found.coverage == pytest.approx([120 / 3660])


def test_one_power_reading_is_no_energy():
    assert of_power(np.array([5.0]), np.array([7.0]), np.array([0.0, 10.0]), 60.0).total is None


def test_a_gauge_is_weighted_by_time_not_by_readings():
    at = np.array([0.0, 10.0, 20.0, 30.0, 900.0])
    mean, coverage = time_weighted_mean(
        at, np.array([10.0, 10.0, 10.0, 20.0, 20.0]), np.array([0.0, 900.0]), 1000.0
    )
    assert mean == pytest.approx([(20 * 10 + 10 * 15 + 870 * 20) / 900])
    assert coverage == pytest.approx([1.0])


def test_gaps_are_named_by_the_readings_around_them():
    assert gaps(np.array([0.0, 60.0, 660.0, 720.0]), 120.0) == ((60.0, 660.0),)


loads = st.lists(st.floats(0.0, 900.0), min_size=8, max_size=60)


@given(loads, st.lists(st.floats(0.01, 0.99), min_size=1, max_size=5), st.sampled_from(list(Method)))
@settings(max_examples=60)
def test_cutting_a_period_anywhere_keeps_its_energy(load, cuts, method):
    at = QUARTER * np.arange(len(load) + 1)
    energy = np.array(load)
    edges = np.unique([0.0, *(cut * at[-1] for cut in cuts), at[-1]])
    match method:
        case Method.REGISTER:
            running = clean(at, np.concatenate(([0.0], np.cumsum(energy))), METER)
            found = of_register(running, edges, 2 * QUARTER)
        case Method.INTERVALS:
            found = of_intervals(at[:-1], QUARTER, energy, edges)
        case Method.POWER:
            found = of_power(
                at[:-1] + QUARTER / 2, energy * 4, np.unique(np.clip(edges, 450, at[-1] - 450)), 2e3
            )
            energy = np.array([(energy[1:] + energy[:-1]).sum() / 2])
    assert np.nansum(found.amount) == pytest.approx(energy.sum(), rel=1e-9, abs=1e-6)
    assert not np.any(found.amount < -1e-9)
    assert found.total_coverage == pytest.approx(1.0)


ZONES = [
    "Asia/Taipei",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Europe/Berlin",
]


@given(
    st.sampled_from(ZONES),
    st.dates(date(2023, 12, 1), date(2025, 12, 31)),
    st.integers(1, 40),
    st.sampled_from(list(Step)),
)
@settings(max_examples=80)
def test_every_grid_tiles_its_period_in_any_zone(zone_name, first, days, step):
    zone = ZoneInfo(zone_name)
    start = day(first, zone).start
    end = day(date.fromordinal(first.toordinal() + days), zone).start
    edges = edges_of(Interval(start, end), step, zone)
    assert np.all(np.diff(edges) > 0)
    assert edges[0] <= start.timestamp()
    assert edges[-1] >= end.timestamp()
    if step is not Step.MONTH:
        assert edges[0] == start.timestamp()
        assert edges[-1] - end.timestamp() < 3600  # Lord Howe's half hour may leave half an hour over


@given(st.sampled_from(ZONES), st.integers(2023, 2026), st.integers(1, 12))
@settings(max_examples=40)
def test_a_month_is_the_sum_of_its_days_and_its_hours(zone_name, year, number):
    zone = ZoneInfo(zone_name)
    period = month(date(year, number, 1), zone)
    at = np.arange(period.start.timestamp() - 3600, period.end.timestamp() + 3601, 1800.0)
    running = clean(at, np.cumsum(10 + 5 * np.sin(at / 7000.0)), METER)
    whole = of_register(running, edges_of(period, Step.MONTH, zone), 3600.0)
    days = of_register(running, edges_of(period, Step.DAY, zone), 3600.0)
    quarters = of_register(running, edges_of(period, Step.QUARTER, zone), 3600.0)
    assert (len(whole), days.total) == (1, pytest.approx(whole.total))
    assert quarters.total == pytest.approx(whole.total)
    lengths = sorted(set(np.diff(days.edges_s) / 3600))
    assert set(lengths) <= {23.0, 23.5, 24.0, 24.5, 25.0}


def test_february_of_a_leap_year_has_29_days():
    taipei = ZoneInfo("Asia/Taipei")
    assert len(edges_of(month(date(2024, 2, 1), taipei), Step.DAY, taipei)) == 30
    assert edges_of(month(date(2024, 2, 1), taipei), Step.HOUR, taipei).size == 29 * 24 + 1


def test_running_demand_finds_the_peak_between_two_blocks():
    at = np.arange(0.0, 3601.0, 60.0)
    power = np.where((at >= 1200) & (at < 2100), 600.0, 0.0)  # a quarter-hour across two blocks
    register = clean(at, np.concatenate(([0.0], np.cumsum(power[:-1] / 60))), METER)

    def over(edges):
        return of_register(register, edges, 120.0)

    block = block_windows(over(QUARTER * np.arange(5))).highest(0.99)[0]
    (running,) = running_demand(over, at[at >= 900]).highest(0.99)
    assert (block.demand_kw, block.start_s) == (pytest.approx(400.0), 900.0)  # 10 of its 15 min
    assert (running.demand_kw, running.start_s) == (pytest.approx(600.0), 1200.0)


def test_a_partial_block_is_no_maximum():
    found = block_windows(
        of_intervals(np.array([0.0]), QUARTER / 2, np.array([50.0]), QUARTER * np.arange(2))
    )
    assert found.highest(0.99) == ()
    assert found.demand_kw == pytest.approx([400.0])


def test_a_register_teaches_its_rating_width_and_last_digit():
    rng = np.random.default_rng(5)
    at = QUARTER * np.arange(400)
    level = np.round((999_000 + np.cumsum(rng.uniform(5, 25, 400))) % 1_000_000, 1)
    level[200] = 3.0  # a glitch must not teach anything
    register = learn_register(at, level)
    assert 4 * 80 < register.max_rate_per_h < 4 * 100
    assert (register.modulus, register.resolution) == (1_000_000, 0.1)


def test_a_reset_is_not_taken_for_a_rollover():
    at = QUARTER * np.arange(100)
    level = 5000.0 + 10 * np.arange(100)
    level[50:] -= level[50]
    assert learn_register(at, level).modulus is None


def test_a_recorded_exchange_loses_nothing():
    at = QUARTER * np.arange(8)
    level = np.array([1000.0, 1010, 1020, 1030, 5, 15, 25, 35])
    exchange = Exchange(3.5 * QUARTER, 1034.0, 1.0)  # 4 on the old meter, 4 on the new one
    running = clean_exchanged(at, level, METER, [exchange])
    assert running.total[-1] == pytest.approx(30 + 4 + 4 + 30)
    assert bool(running.is_sure.all())
    assert [(e.kind, e.before, e.after) for e in running.events] == [(CounterEventKind.EXCHANGE, 1034.0, 1.0)]


def test_an_exchange_whose_registers_were_not_read_is_unknown_but_no_spike():
    at = QUARTER * np.arange(8)
    level = np.array([1000.0, 1010, 1020, 1030, 90_005, 90_015, 90_025, 90_035])
    running = clean_exchanged(at, level, METER, [Exchange(3.5 * QUARTER, None, None)])
    found = of_register(running, np.array([0.0, 7 * QUARTER]), 2 * QUARTER)
    assert found.total == pytest.approx(60.0)
    assert found.total_coverage == pytest.approx(6 / 7)


@given(loads, st.integers(1, 6), st.floats(0.0, 500_000.0), st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_a_recorded_exchange_changes_no_figure_in_any_order_of_arrival(load, where, first, random):
    at = QUARTER * np.arange(len(load) + 1)
    true = np.concatenate(([0.0], np.cumsum(load))) + 300_000.0
    old_last = true[where] + 0.5 * (true[where + 1] - true[where])
    level = np.where(np.arange(at.size) <= where, true, true - old_last + first)
    order = random.sample(range(at.size), at.size)
    exchange = Exchange(at[where] + QUARTER / 2, old_last, first)
    running = clean_exchanged(at[order], level[order], METER, [exchange])
    assert running.total[-1] == pytest.approx(true[-1] - true[0], abs=1e-5)
    assert np.all(np.diff(running.total) >= -1e-9)


def test_utc_instants_come_back_as_a_period():
    taipei = ZoneInfo("Asia/Taipei")
    edges = edges_of(
        Interval(datetime(2026, 3, 1, 4, 20, tzinfo=UTC), datetime(2026, 3, 1, 6, 1, tzinfo=UTC)),
        Step.HOUR,
        taipei,
    )
    assert [datetime.fromtimestamp(e, taipei).hour for e in edges] == [12, 13, 14, 15]
