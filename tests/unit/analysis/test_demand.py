"""Block demand is the energy of the block; the forecast's interval holds what happens as often as it says."""

import numpy as np
import pytest

from energy_center.analysis.counters import Register, clean
from energy_center.analysis.demand import BlockForecast, Metered, block_demand, forecast_block
from energy_center.analysis.insufficient import Insufficient

METER = Register(max_rate_per_h=5000.0)


def test_block_demand_is_energy_over_a_quarter_hour():
    at = np.arange(0.0, 1801.0, 60.0)
    power = np.where(at < 900, 400.0, 600.0)
    energy = np.concatenate(([0.0], np.cumsum(power[:-1] * 60 / 3600)))
    demand, coverage = block_demand(clean(at, energy, METER), 0.0, 2, 120.0)
    assert demand == pytest.approx([400.0, 600.0])
    assert coverage == pytest.approx([1.0, 1.0])


def test_a_steady_load_is_forecast_as_itself():
    at = np.arange(-900.0, 301.0, 5.0)
    now = forecast_block(at, np.full(at.size, 500.0), 0.0, 300.0, 15.0)
    assert isinstance(now, BlockForecast)
    assert now.forecast_kw == pytest.approx(500.0)
    assert now.so_far_kw == pytest.approx(500.0)
    assert now.coverage == pytest.approx(1.0)
    assert now.low_kw < 500.0 < now.high_kw


def test_a_step_up_raises_only_the_rest_of_the_block():
    at = np.arange(-900.0, 451.0, 5.0)
    power = np.where(at < 300, 400.0, 700.0)
    now = forecast_block(at, power, 0.0, 450.0, 15.0)
    assert isinstance(now, BlockForecast)
    assert now.forecast_kw == pytest.approx((400 * 300 + 700 * 600) / 900, rel=0.03)  # some of it as drift


def test_uncertainty_shrinks_as_the_block_passes():
    rng = np.random.default_rng(1)
    at = np.arange(-1800.0, 900.0, 5.0)
    power = 500 + np.cumsum(rng.normal(0, 2.0, at.size))
    widths = [forecast_block(at, power, 0.0, now, 15.0).sd_kw for now in (60.0, 450.0, 840.0)]
    assert widths[0] > widths[1] > widths[2]
    assert widths[2] < 3.0


def test_the_ninety_percent_interval_holds_nine_of_ten_blocks():
    rng = np.random.default_rng(7)
    at = np.arange(-1800.0, 901.0, 5.0)
    held = 0
    for _ in range(200):
        power = 800 + np.cumsum(rng.normal(0, 1.5, at.size)) + rng.normal(0, 3.0, at.size)
        now = forecast_block(at, power, 0.0, 240.0, 15.0)
        held += now.low_kw <= power[at >= 0].mean() <= now.high_kw
    assert 0.88 <= held / 200 <= 0.99  # wide for a load that never steps


def test_probability_over_a_limit_is_a_half_at_the_forecast():
    now = BlockForecast(500.0, 1.0, 500.0, 10.0)
    assert now.probability_over(500.0) == pytest.approx(0.5)
    assert now.probability_over(523.53) == pytest.approx(0.05, abs=0.001)  # Student's t, 3 degrees: 2.353
    assert now.probability_over(400.0) == pytest.approx(1.0, abs=0.002)


def test_a_gap_in_the_block_widens_the_forecast_and_shows_in_its_coverage():
    at = np.arange(-1800.0, 601.0, 5.0)
    rng = np.random.default_rng(3)
    power = 500 + np.cumsum(rng.normal(0, 2.0, at.size))
    holed = (at < 100) | (at > 400)
    whole = forecast_block(at, power, 0.0, 600.0, 15.0)
    gappy = forecast_block(at[holed], power[holed], 0.0, 600.0, 15.0)
    assert whole.coverage == pytest.approx(1.0)
    assert gappy.coverage == pytest.approx(0.5, abs=0.02)
    assert gappy.sd_kw > whole.sd_kw


@pytest.mark.parametrize("newest", [100.0, None])
def test_without_fresh_readings_there_is_no_forecast(newest: float | None):
    at = np.array([]) if newest is None else np.arange(-900.0, newest, 5.0)
    assert isinstance(forecast_block(at, np.full(at.size, 5.0), 0.0, 600.0, 15.0), Insufficient)


def test_the_register_stands_for_power_that_was_not_read():
    at = np.arange(500.0, 601.0, 5.0)
    power = np.full(at.size, 300.0)
    alone = forecast_block(at, power, 0.0, 600.0, 15.0)
    metered = forecast_block(at, power, 0.0, 600.0, 15.0, Metered(100.0, 600.0))  # 600 kW for 10 min
    assert alone.forecast_kw == pytest.approx(300.0)
    assert metered.forecast_kw == pytest.approx((600 * 600 + 300 * 300) / 900)
    assert (metered.so_far_kw, metered.coverage) == (pytest.approx(600.0), 1.0)
    assert metered.sd_kw < alone.sd_kw


def test_two_minutes_of_readings_give_a_wide_forecast():
    at = np.arange(-120.0, 1.0, 5.0)
    short = forecast_block(at, np.full(at.size, 500.0), 0.0, 0.0, 15.0)
    at = np.arange(-1800.0, 1.0, 5.0)
    steady = forecast_block(at, np.full(at.size, 500.0), 0.0, 0.0, 15.0)
    assert short.forecast_kw == steady.forecast_kw == 500.0
    assert short.sd_kw > 5 * steady.sd_kw
    assert short.sd_kw == pytest.approx(500 * 0.1 * np.sqrt((900 + 60) / 3 / 900), rel=0.01)


def test_twenty_seconds_of_readings_are_too_few_to_forecast():
    at = np.arange(0.0, 21.0, 5.0)
    assert isinstance(forecast_block(at, np.full(at.size, 5.0), 0.0, 20.0, 15.0), Insufficient)
