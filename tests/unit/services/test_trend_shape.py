"""What is drawn of a series: nothing added, nothing bridged, extremes kept."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy_center.domain.quantities import Kind
from energy_center.services.trend_shape import choose_grain, shape
from energy_center.store.series import Grain, Series

DAY_S = 86_400.0


def _raw(at_s: np.ndarray, readings: np.ndarray) -> Series:
    n = len(at_s)
    at_us = (at_s * 1e6).astype(np.int64)
    unknown, whole = np.full(n, np.nan), np.ones(n)
    return Series(
        at_us, readings, readings, readings, readings, readings, unknown, whole, np.zeros(n, dtype=np.int16)
    )


@pytest.mark.parametrize(
    ("kind", "interval_s", "days", "has_raw", "grain"),
    [
        (Kind.GAUGE, 5, 1, True, Grain.RAW),
        (Kind.GAUGE, 5, 1, False, Grain.QUARTER),
        (Kind.GAUGE, 5, 7, True, Grain.QUARTER),
        (Kind.GAUGE, 60, 7, True, Grain.RAW),
        (Kind.GAUGE, 5, 31, True, Grain.QUARTER),
        (Kind.GAUGE, 5, 365, True, Grain.DAY),
        (Kind.COUNTER, 5, 1, True, Grain.QUARTER),
        (Kind.COUNTER, 5, 31, True, Grain.HOUR),
        (Kind.COUNTER, 5, 365, True, Grain.DAY),
        (Kind.STATE, 5, 3650, True, Grain.DAY),
    ],
)
def test_the_grain_fits_span_and_pixels(
    kind: Kind, interval_s: float, days: float, has_raw: bool, grain: Grain
):
    assert choose_grain(kind, interval_s, days * DAY_S, 1200, has_raw=has_raw) is grain


@given(
    st.lists(st.sampled_from([5.0, 5.0, 5.0, 600.0]), min_size=1, max_size=300),
    st.integers(10, 400),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=40)
def test_extremes_means_and_gaps_survive_binning(steps: list[float], max_points: int, seed: int):
    at_s = np.cumsum([0.0, *steps])
    readings = np.random.default_rng(seed).normal(100, 20, len(at_s))
    end_s = at_s[-1] + 5.0
    drawn = shape(_raw(at_s, readings), Kind.GAUGE, Grain.RAW, 5.0, (0.0, end_s), max_points)
    assert np.nanmax(drawn.high) == readings.max()
    assert np.nanmin(drawn.low) == readings.min()
    assert np.all(np.diff(drawn.at_s) > 0)
    assert np.all((drawn.at_s >= 0) & (drawn.at_s < end_s))
    assert 0.0 <= drawn.coverage <= 1.0
    if len(at_s) <= max_points:
        assert np.isnan(drawn.value).sum() == steps.count(600.0)
        assert np.array_equal(drawn.value[~np.isnan(drawn.value)], readings)
