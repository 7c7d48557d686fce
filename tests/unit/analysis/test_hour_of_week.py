"""What a meter usually takes: known coefficients come back, faults and holidays do not widen the limit."""

import numpy as np

from energy_center.analysis.hour_of_week import DAY_H, TRAINED_H, Floats, Ints, Usual, day_sums, fit_usual

HOURS = np.arange(TRAINED_H)
WEEKDAY: Ints = HOURS // DAY_H % 7
HOUR: Ints = HOURS % DAY_H
OUTDOOR: Floats = 20.0 + 6.0 * np.sin(HOURS / 24 * 2 * np.pi) + 3.0 * np.sin(HOURS / 400)


def _load(seed: int = 1) -> Floats:
    """10 kWh at night and at weekends, 30 in the working day, 2 kWh/K above 16 Cel, 1 kWh of noise."""
    busy = (WEEKDAY < 5) & (HOUR >= 7) & (HOUR < 19)
    noise = np.random.default_rng(seed).normal(0.0, 1.0, TRAINED_H)
    return np.where(busy, 30.0, 10.0) + 2.0 * np.maximum(OUTDOOR - 16.0, 0.0) + noise


def _fitted(energy: Floats) -> Usual:
    model = fit_usual(energy, WEEKDAY, HOUR, OUTDOOR, 0.01)
    assert model is not None
    return model


def test_hours_and_slopes_come_back() -> None:
    model = _fitted(_load())
    asked = np.array([26.0, 26.0])
    expected = model.expected_kwh(np.array([1, 6]), np.array([10, 10]), asked)
    assert np.allclose(expected, [30.0 + 20.0, 10.0 + 20.0], atol=1.0)


def test_the_limit_of_a_day_is_that_of_its_noise() -> None:
    # 24 hours of 1 kWh err by sqrt(24) = 4.9 kWh; Student's 2.7e-5 quantile with 55 degrees is 4.4
    assert 4.0 * 4.9 < _fitted(_load()).day_limit_kwh < 7.0 * 4.9


def test_a_fault_of_the_weeks_before_does_not_widen_the_limit_much() -> None:
    energy = _load()
    energy[600:700] += 25.0
    assert _fitted(energy).day_limit_kwh < 3.0 * _fitted(_load()).day_limit_kwh


def test_too_few_hours_are_no_model() -> None:
    energy = _load()
    energy[: TRAINED_H // 4] = np.nan
    assert fit_usual(energy, WEEKDAY, HOUR, OUTDOOR, 0.01) is None


def test_an_unknown_temperature_is_an_unknown_expectation() -> None:
    expected = _fitted(_load()).expected_kwh(np.array([1]), np.array([10]), np.array([np.nan]))
    assert np.isnan(expected).all()


def test_a_day_of_twenty_known_hours_counts_as_one_and_of_nineteen_does_not() -> None:
    off = np.ones(DAY_H)
    off[:4] = np.nan
    assert day_sums(off)[-1] == DAY_H
    off[4] = np.nan
    assert np.isnan(day_sums(off)[-1])
