"""Energy since midnight adds up to the register's difference, rolled up or raw."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy_center.domain.quantities import Role
from energy_center.domain.readings import PointId
from energy_center.domain.site import Point
from energy_center.services.energy_today import CounterToday, counter_today, energy_figure, raw_from
from energy_center.services.figures import FigureSource, FigureState
from energy_center.store.series import Series

TAIPEI = ZoneInfo("Asia/Taipei")
BERLIN = ZoneInfo("Europe/Berlin")
MIDNIGHT = datetime(2026, 11, 23, 16, tzinfo=UTC)
METER = Point("main", "energy_import", Role.ENERGY_IMPORT, 60.0, PointId(1))


def _series(at_s: np.ndarray, first: np.ndarray, last: np.ndarray, coverage: np.ndarray) -> Series:
    n = len(at_s)
    return Series(
        (at_s * 1e6).astype(np.int64),
        last,
        first,
        last,
        first,
        last,
        np.full(n, np.nan),
        coverage,
        np.zeros(n, dtype=np.int16),
    )


def _stored(at_s: np.ndarray, level: np.ndarray, since: datetime, now: datetime) -> tuple[Series, Series]:
    """What the store gives: 15-min buckets from some hours before midnight; raw readings."""
    bucket = at_s // 900
    last = np.append(np.flatnonzero(np.diff(bucket)), len(bucket) - 1)
    first = np.append(0, last[:-1] + 1)
    starts = bucket[last] * 900
    read = (starts >= since.timestamp() - 12 * 3600) & (starts < now.timestamp())
    raw = (at_s >= raw_from(now).timestamp()) & (at_s < now.timestamp())
    return (
        _series(starts[read], level[first][read], level[last][read], np.ones(int(read.sum()))),
        _series(at_s[raw], level[raw], level[raw], np.ones(int(raw.sum()))),
    )


def _today(at_s: np.ndarray, level: np.ndarray, now: datetime) -> CounterToday:
    return counter_today(METER, *_stored(at_s, level, MIDNIGHT, now), now, TAIPEI)


@given(st.integers(20, 24 * 60 - 1), st.integers(0, 59), st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_blocks_add_up_to_the_registers_difference(minutes: int, phase_s: int, seed: int):
    now = MIDNIGHT + timedelta(minutes=minutes, seconds=30)
    at_s = np.arange(MIDNIGHT.timestamp() - 3600 + phase_s, now.timestamp(), 60.0)
    level = 5e4 + np.cumsum(np.random.default_rng(seed).uniform(0, 12, len(at_s)))
    found = _today(at_s, level, now)
    before_midnight = level[at_s < MIDNIGHT.timestamp()][-1]
    assert found.amount == pytest.approx(level[-1] - before_midnight, abs=12.0)
    assert found.coverage > 1.0 - 120.0 / (now - MIDNIGHT).total_seconds()
    assert all(b.energy_kwh is None or b.energy_kwh >= 0 for b in found.blocks)
    assert all(b.energy_kwh is not None for b in found.blocks[:-1])
    assert found.blocks[0].interval.start == MIDNIGHT
    assert found.blocks[-1].interval.end in (found.newest_at, now)


def test_a_bucket_that_is_not_rolled_up_yet_is_taken_from_raw_readings():
    now = MIDNIGHT + timedelta(hours=5, seconds=5)  # the block before has just ended
    at_s = np.arange(MIDNIGHT.timestamp() - 900, now.timestamp(), 60.0)
    level = np.arange(len(at_s), dtype=float)
    quarters, raw = _stored(at_s, level, MIDNIGHT, now)
    found = counter_today(METER, quarters.part(0, len(quarters) - 2), raw, now, TAIPEI)
    assert found.amount == pytest.approx(level[-1] - 15.0)
    assert found.coverage == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(
    "dip_min", [-1, 0, 14, 15, 6 * 60 - 1, 6 * 60, 10 * 60 - 16, 10 * 60 - 15, 10 * 60 - 1]
)
def test_a_dip_on_a_bucket_s_edge_after_a_reset_counts_nothing_twice(dip_min: int):
    """100 kW for 10 h; the register began anew at 02:00; a reading is 0, at midnight or at another edge."""
    now = MIDNIGHT + timedelta(hours=10, seconds=5)
    at_s = np.arange(MIDNIGHT.timestamp() - 6 * 3600, now.timestamp(), 60.0)
    counted = (at_s - MIDNIGHT.timestamp()) / 36  # kWh
    level = np.where(counted < 200, 50_000 + counted, counted - 200)
    level[at_s == MIDNIGHT.timestamp() + dip_min * 60] = 0.0
    found = _today(at_s, level, now)
    assert found.amount == pytest.approx(1_000, abs=30)
    assert max(b.energy_kwh for b in found.blocks if b.energy_kwh is not None) < 60


def test_a_rollover_is_no_reset():
    now = MIDNIGHT + timedelta(hours=3, minutes=5)
    at_s = np.arange(MIDNIGHT.timestamp() - 900, now.timestamp(), 60.0)
    for hours in (1.0, 2.95):  # rolled up, or in the raw readings
        counted = (at_s - MIDNIGHT.timestamp()) / 36  # 100 kW
        level = (1e6 - 100 * hours + counted) % 1e6
        quarters, raw = _stored(at_s, level, MIDNIGHT, now)
        found = counter_today(replace(METER, rollover_at=1e6), quarters, raw, now, TAIPEI)
        assert found.amount == pytest.approx(100 * 185 / 60, abs=2)
        assert found.coverage == pytest.approx(1.0, abs=0.01)


def test_in_the_first_block_of_the_day_there_is_only_the_running_one():
    now = MIDNIGHT + timedelta(minutes=7)
    at_s = np.arange(MIDNIGHT.timestamp() - 3600, now.timestamp(), 60.0)
    found = _today(at_s, np.arange(len(at_s), dtype=float), now)
    assert [b.energy_kwh for b in found.blocks] == pytest.approx([6.0])
    assert found.running_block is found.blocks[0]


def test_a_silent_meter_has_no_running_block_and_a_stale_figure():
    now = MIDNIGHT + timedelta(hours=5)
    at_s = np.arange(MIDNIGHT.timestamp() - 900, now.timestamp() - 7200, 60.0)
    found = _today(at_s, np.arange(len(at_s), dtype=float), now)
    assert found.running_block is None
    figure = energy_figure([found], FigureSource.MAIN_METER_REGISTER, now)
    assert figure.state is FigureState.STALE
    assert figure.coverage == pytest.approx(0.6, abs=0.01)
    assert figure.amount == pytest.approx(180.0, abs=1.0)


def test_a_meter_that_shows_fewer_digits_than_its_history_loses_no_coverage():
    now = MIDNIGHT + timedelta(minutes=12)
    past = np.arange(MIDNIGHT.timestamp() - 900, MIDNIGHT.timestamp() + 240, 60.0)
    live = np.arange(MIDNIGHT.timestamp() + 240, now.timestamp(), 60.0)
    level = np.append(np.full(len(past), 195.478), np.full(len(live), 195.4))
    found = _today(np.append(past, live), level, now)
    assert found.amount == pytest.approx(0.0)
    assert found.coverage == 1.0


def test_a_day_of_25_hours_has_100_blocks():
    now = datetime(2026, 10, 25, 22, 59, tzinfo=UTC)  # 23:59 in Berlin on the day clocks go back
    empty = _series(np.array([]), np.array([]), np.array([]), np.array([]))
    found = counter_today(METER, empty, empty, now, BERLIN)
    assert len(found.blocks) == 100
    assert (found.amount, found.coverage) == (None, 0.0)
