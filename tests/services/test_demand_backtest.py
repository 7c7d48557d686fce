"""The block forecast against what happened, on simulated days of two buildings: as sure as it says."""

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from energy_center.analysis.demand import BLOCK_S, BlockForecast, forecast_block
from simulators.history import history
from simulators.model import load_model

SITE = Path(__file__).parents[2] / "simulators" / "sites" / "taichung.yaml"
START = datetime(2026, 7, 1, tzinfo=ZoneInfo("Asia/Taipei"))
DAYS = 6  # of which the first is left out: the simulated plant starts cold
STEP_S = 10


@pytest.fixture(scope="module")
def powers() -> dict[str, np.ndarray]:
    """Power of both main meters every 10 s, kW."""
    keys = [("ltb-main", "active_power"), ("ym-main", "active_power")]
    end = START + timedelta(days=DAYS)
    (month,) = history(load_model(SITE), 7, START, end, STEP_S, keys, origin=START.timestamp())
    return {key[0]: month.readings[i] for i, key in enumerate(keys)}


def _backtest(power: np.ndarray, elapsed_s: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each block: how probable it seemed to end higher, the error, and that of the last reading."""
    at = START.timestamp() + STEP_S * np.arange(power.size)
    per_block, learn = int(BLOCK_S / STEP_S), int(2700 / STEP_S)
    probability, error, held = [], [], []
    for block in range(96, DAYS * 96 - 1):
        first = block * per_block
        now = first + elapsed_s // STEP_S
        known = slice(now - learn, now + 1)
        found = forecast_block(at[known], power[known], float(at[first]), float(at[now]), 3.0 * STEP_S)
        assert isinstance(found, BlockForecast)
        true = float(np.trapezoid(power[first : first + per_block + 1]) / per_block)
        probability.append(found.probability_over(true))
        error.append(true - found.forecast_kw)
        so_far = (found.so_far_kw or 0.0) * elapsed_s
        held.append(true - (so_far + power[now] * (BLOCK_S - elapsed_s)) / BLOCK_S)
    return np.array(probability), np.array(error), np.array(held)


@pytest.mark.parametrize("meter", ["ltb-main", "ym-main"])
@pytest.mark.parametrize("elapsed_s", [180, 480])
def test_quantiles_hold_as_often_as_they_say(powers: dict[str, np.ndarray], meter: str, elapsed_s: int):
    probability, error, held = _backtest(powers[meter], elapsed_s)
    within_90 = np.mean((probability > 0.05) & (probability < 0.95))
    within_50 = np.mean((probability > 0.25) & (probability < 0.75))
    assert 0.85 <= within_90 <= 0.96
    assert 0.45 <= within_50 <= 0.75
    assert np.mean(probability < 0.05) <= 0.08  # it ended above the 95 % quantile
    assert abs(error.mean()) < 0.15 * error.std()
    assert error.std() < 0.95 * held.std()
