"""Quarter-hours of a register from roll-ups and seldom readings: exact, and without spikes after a gap."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy_center.analysis.counters import Register
from energy_center.analysis.quarters import RolledUp, Seldom, quarters
from energy_center.analysis.registers import Exchange

METER = Register(max_rate_per_h=10_000.0, resolution=1.0)
START = 1_760_000_400.0  # on the quarter-hour


def rolled_up(at_s: np.ndarray, level: np.ndarray, interval_s: float) -> RolledUp:
    """What the store keeps of readings: first and last register of each quarter-hour that has any."""
    bucket = np.floor(at_s / 900) * 900
    starts, first = np.unique(bucket, return_index=True)
    last = np.append(first[1:], len(bucket)) - 1
    count = np.diff(np.append(first, len(bucket)))
    return RolledUp(starts, level[first], level[last], np.minimum(1.0, count * interval_s / 900))


def edges(count: int) -> np.ndarray:
    return START + 900.0 * np.arange(count + 1)


@given(st.lists(st.floats(0, 2000), min_size=8, max_size=8), st.integers(1, 30))
@settings(max_examples=30)
def test_a_register_read_often_is_exact_to_one_reading(kw: list[float], interval_s: int):
    at = np.arange(START, START + 8 * 900, interval_s)
    power = np.repeat(kw, 900)[: (8 * 900)]
    level = 5_000 + np.concatenate(([0.0], np.cumsum(power)))[(at - START).astype(int)] / 3600
    energy, coverage = quarters(rolled_up(at, level, interval_s), None, METER, edges(8))
    # the last reading of a quarter-hour may be one interval old
    assert energy == pytest.approx(np.array(kw) / 4, abs=2 * 2000 * interval_s / 3600)
    assert np.nansum(energy) <= level[-1] - level[0] + 1e-6
    assert coverage == pytest.approx(np.ones(8), abs=interval_s / 900)


def test_a_gap_is_spread_and_not_covered():
    """4 h at 400 kW, the second hour not read: no quarter-hour shows more than 100 kWh."""
    at = np.arange(START, START + 16 * 900, 5.0)
    at = at[(at < START + 4 * 900) | (at >= START + 8 * 900)]
    level = (at - START) / 3600 * 400
    energy, coverage = quarters(rolled_up(at, level, 5.0), None, METER, edges(16))
    assert energy[4:8] == pytest.approx(np.full(4, 100.0), abs=1.0)
    assert energy.max() < 101.5
    assert list(coverage[4:8]) == [0.0] * 4
    assert coverage[[3, 8]] == pytest.approx([1.0, 1.0])


def test_a_reset_is_not_covered():
    at = np.arange(START, START + 8 * 900, 5.0)
    level = 9_000 + (at - START) / 3600 * 400
    level[at >= START + 4 * 900] -= 9_000
    energy, coverage = quarters(rolled_up(at, level, 5.0), None, METER, edges(8))
    assert np.nanmax(energy) < 500
    assert np.all(energy[~np.isnan(energy)] >= 0)
    assert coverage[4] < 0.99


def test_a_register_read_at_the_beginning_of_each_quarter_hour():
    """Its roll-ups hold the register of the beginning; the raw readings put each energy where it was used."""
    at = START + 900.0 * np.arange(9)
    used = np.array([10.0, 0.0, 0.0, 50.0, 0.0, 0.0, 20.0, 0.0])
    level = 100 + np.concatenate(([0.0], np.cumsum(used)))
    seldom = Seldom(np.array([[START, START + 9 * 900]]), at, level, 900.0)
    energy, coverage = quarters(rolled_up(at, level, 900.0), seldom, METER, edges(8))
    assert energy == pytest.approx(used)
    assert coverage == pytest.approx(np.ones(8))


def test_history_whose_raw_readings_were_dropped_is_placed_at_its_beginning():
    at = START + 900.0 * np.arange(9)
    used = np.array([10.0, 0.0, 0.0, 50.0, 0.0, 0.0, 20.0, 0.0])
    level = 100 + np.concatenate(([0.0], np.cumsum(used)))
    rolled = replace(rolled_up(at, level, 900.0), at_start=np.ones(9, dtype=bool))
    energy, coverage = quarters(rolled, None, METER, edges(8))
    assert energy == pytest.approx(used)
    assert coverage == pytest.approx(np.ones(8))


def test_seldom_history_and_live_readings_meet():
    """Two hours by the quarter-hour, then two hours by 5 s, all at 400 kW."""
    early = START + 900.0 * np.arange(8)
    late = np.arange(START + 8 * 900, START + 16 * 900, 5.0)
    at = np.concatenate((early, late))
    level = (at - START) / 3600 * 400
    seldom = Seldom(np.array([[START, START + 8 * 900]]), early, level[:8], 900.0)
    energy, coverage = quarters(rolled_up(at, level, 5.0), seldom, METER, edges(16))
    assert energy == pytest.approx(np.full(16, 100.0), abs=1.2)
    assert coverage == pytest.approx(np.ones(16), abs=0.01)


def test_what_no_reading_bears_on_is_unknown():
    nothing = RolledUp(*(np.zeros(0) for _ in range(4)))
    energy, coverage = quarters(nothing, None, METER, edges(4))
    assert np.all(np.isnan(energy))
    assert not coverage.any()


@pytest.mark.parametrize("interval_s", [5.0, 900.0])
@pytest.mark.parametrize("into_s", [0.0, 450.0])
def test_a_recorded_exchange_loses_nothing(interval_s: float, into_s: float):
    """2 h at 400 kW; the new meter begins at 3 on the edge of the fifth quarter-hour, or in its midst."""
    exchanged_at = START + 4 * 900 + into_s
    at = np.arange(START, START + 8 * 900 + 1, interval_s)
    counted = (at - START) / 3600 * 400
    old_last = 9_000 + (exchanged_at - START) / 3600 * 400
    level = np.where(at < exchanged_at, 9_000 + counted, counted - (old_last - 9_000) + 3)
    # both registers are kept as readings, the old one's a millisecond before
    at, level = np.append(at, [exchanged_at - 0.001, exchanged_at]), np.append(level, [old_last, 3.0])
    at, unique = np.unique(at, return_index=True)
    level = level[unique]
    seldom = Seldom(np.array([[START, at[-1] + 1]]), at, level, 900.0) if interval_s >= 900 else None
    exchanges = [Exchange(exchanged_at, old_last, 3.0)]
    energy, coverage = quarters(rolled_up(at, level, interval_s), seldom, METER, edges(8), exchanges)
    assert energy == pytest.approx(np.full(8, 100.0), abs=0.6)  # to one reading of 5 s
    assert coverage == pytest.approx(np.ones(8), abs=0.01)
