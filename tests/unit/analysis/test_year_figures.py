"""Degree days, like days, intensity, CO2 and shares: expected numbers are reckoned by hand."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy_center.analysis.carbon import EmissionFactor, emission
from energy_center.analysis.compare import DayEnergy, compare_days, like_day
from energy_center.analysis.degree_days import (
    WeatherModel,
    at_other_weather,
    degree_days,
    fit_weather_model,
)
from energy_center.analysis.eui import intensity, rainwater_share, self_consumption
from energy_center.analysis.insufficient import Insufficient
from energy_center.domain.calendars import GovernmentCalendar
from energy_center.errors import ConfigError, NotFound
from energy_center.services.emission_factors import electricity_factors, parse_factors

TAIWAN = GovernmentCalendar("TW")
DAY = 86_400.0


def test_a_day_half_warm_half_cold_has_degree_days_of_both_kinds():
    at = np.arange(0.0, DAY + 1, 600.0)
    temperature = np.where(at < DAY / 2, 28.3, 8.3)
    (found,) = degree_days(at, temperature, np.array([0.0, DAY]), 1200.0)
    assert found is not None
    assert found.cooling == pytest.approx(5.0, rel=0.02)  # 10 K for half a day
    assert found.heating == pytest.approx(5.0, rel=0.02)
    assert found.coverage == pytest.approx(1.0)


def test_a_day_without_temperatures_has_no_degree_days():
    at = np.arange(0.0, DAY + 1, 600.0)
    first, second = degree_days(at, np.full(at.size, 20.3), np.array([0.0, DAY, 2 * DAY]), 1200.0)
    assert first is not None
    assert first.cooling == pytest.approx(2.0)
    assert second is None


def test_hours_without_readings_count_as_the_others_and_lower_the_coverage():
    at = np.arange(0.0, DAY / 2 + 1, 600.0)
    (found,) = degree_days(at, np.full(at.size, 23.3), np.array([0.0, DAY]), 1200.0)
    assert found is not None
    assert (found.cooling, found.coverage) == (pytest.approx(5.0), pytest.approx(0.5))


def test_the_weather_model_finds_base_and_slope_again():
    rng = np.random.default_rng(2)
    cooling = rng.uniform(0, 12, 120)
    works = np.arange(120) % 7 < 5
    energy = np.where(works, 9000.0, 4000.0) + 300.0 * cooling + rng.normal(0, 100, 120)
    model = fit_weather_model(energy, cooling, works)
    assert isinstance(model, WeatherModel)
    assert model.per_degree_day == pytest.approx(300, rel=0.03)
    assert model.base_kwh == {True: pytest.approx(9000, rel=0.01), False: pytest.approx(4000, rel=0.02)}
    assert model.expected(10.0, is_working_day=False) == pytest.approx(7000, rel=0.02)
    # 30 days at 5 K·d more each: 30 x 5 x 300 kWh
    other = at_other_weather(model, 100_000.0, cooling[:30], cooling[:30] + 5)
    assert other == pytest.approx(145_000, rel=0.02)


@pytest.mark.parametrize(
    ("days", "spread", "noise", "says"),
    [(20, 10, 1, "20 whole days, 30 needed"), (90, 0, 1, "degree days vary"), (90, 10, 9000, "CV(RMSE)")],
)
def test_a_model_that_cannot_be_had_is_refused_with_the_reason(days, spread, noise, says):
    rng = np.random.default_rng(4)
    cooling = 5 + spread * rng.random(days)
    found = fit_weather_model(5000 + rng.normal(0, noise, days), cooling, np.arange(days) % 7 < 5)
    assert isinstance(found, Insufficient)
    assert says in " ".join(found.reasons)


@pytest.mark.parametrize(
    ("on", "like"),
    [
        (date(2026, 3, 11), date(2025, 3, 12)),  # a Wednesday
        (date(2026, 2, 17), date(2025, 1, 29)),  # New Year's Day of the lunar calendar
        (date(2026, 2, 18), date(2025, 1, 30)),  # and the day after it
        (date(2026, 10, 24), date(2025, 10, 18)),  # a Saturday; 25 October 2025 was one too, but a holiday
        (date(2026, 1, 1), date(2025, 1, 1)),  # Thursday and Wednesday: a holiday with its own
        (date(2026, 9, 25), date(2025, 10, 6)),  # Mid-Autumn
        (date(2026, 1, 31), date(2025, 2, 1)),  # a Saturday; 8 February 2025 was a working Saturday
        (date(2026, 2, 7), date(2025, 2, 1)),  # the nearest that is no working day
    ],
)
def test_a_day_is_compared_with_its_like(on: date, like: date):
    assert like_day(on, TAIWAN) == like


@given(st.dates(date(2019, 1, 1), date(2027, 12, 31)))
@settings(max_examples=80)
def test_like_days_agree_in_weekday_and_in_working(on):
    found = like_day(on, TAIWAN)
    if found is None or TAIWAN.is_holiday(on):
        return
    assert found.weekday() == on.weekday()
    assert TAIWAN.is_working_day(found) == TAIWAN.is_working_day(on)
    assert 330 < (on - found).days < 400


def test_only_pairs_that_both_years_know_are_compared():
    days = [date(2026, 3, 9) + timedelta(days=i) for i in range(5)]
    then = [like_day(day, TAIWAN) for day in days]
    energies = {day: DayEnergy(90.0, 1.0) for day in days} | {
        day: DayEnergy(100.0, 1.0) for day in then if day
    }
    energies[days[1]] = DayEnergy(50.0, 0.7)  # not whole
    del energies[then[2]]
    found = compare_days(days, energies, TAIWAN, 0.99)
    assert (found.now_kwh, found.then_kwh, found.pairs) == (270.0, 300.0, 3)
    assert found.left_out == (days[1], days[2])
    assert found.change_share == pytest.approx(-0.1)


def test_intensity_of_a_year_and_of_a_part_of_it():
    year = intensity(1_200_000.0, 1.0, 365, 10_000.0, 400)
    assert not isinstance(year, Insufficient)
    assert (year.per_m2_year, year.per_head_year, year.is_scaled) == (120.0, 3000.0, False)
    half = intensity(300_000.0, 0.5, 182.625, 10_000.0)
    assert not isinstance(half, Insufficient)
    assert (half.per_m2_year, half.per_head_year, half.is_scaled) == (pytest.approx(120.0), None, True)


@pytest.mark.parametrize(
    ("energy", "coverage", "days", "area", "says"),
    [
        (None, 0.0, 365, 1.0, "no energy"),
        (5.0, 1.0, 365, None, "no floor area"),
        (5.0, 1.0, 10, 1.0, "10 days, 28 needed"),
        (5.0, 0.3, 365, 1.0, "30% of the time"),
    ],
)
def test_an_intensity_that_cannot_be_known_says_why(energy, coverage, days, area, says):
    found = intensity(energy, coverage, days, area)
    assert isinstance(found, Insufficient)
    assert says in " ".join(found.reasons)


def test_self_consumption_and_rainwater():
    found = self_consumption(100.0, 30.0, 430.0)
    assert (found.used_kwh, found.of_generation, found.of_demand) == (70.0, 0.7, 0.14)
    assert self_consumption(0.0, 0.0, 0.0).of_demand is None
    assert self_consumption(10.0, 11.0, 0.0).used_kwh == 0.0  # two meters' errors are no negative use
    assert rainwater_share(25.0, 75.0) == 0.25
    assert rainwater_share(0.0, 0.0) is None


FACTORS = (EmissionFactor(2023, 0.494, date(2024, 4, 26), "x"), EmissionFactor(2024, 0.474, None, "x"))


def test_each_year_has_its_factor_and_a_year_without_is_provisional():
    found = emission({2023: 1000.0, 2024: 2000.0, 2025: 500.0}, FACTORS)
    assert found.kg == pytest.approx(494 + 948 + 237)
    assert [p.is_provisional for p in found.parts] == [False, False, True]
    assert found.is_provisional
    assert found.parts[2].factor.year == 2024
    with pytest.raises(NotFound, match="No emission factor for 2010"):
        emission({2010: 1.0}, FACTORS)


def test_the_shipped_factors_carry_their_source():
    by_year = {factor.year: factor for factor in electricity_factors()}
    assert (by_year[2023].kg_per_kwh, by_year[2024].kg_per_kwh, by_year[2025].kg_per_kwh) == (
        0.494,
        0.474,
        0.467,
    )
    assert all(factor.source for factor in by_year.values())


def test_a_year_named_twice_is_a_mistake():
    row = "  - {year: 2024, kg_per_kwh: 0.474, source: x}\n"
    with pytest.raises(ConfigError, match="2024 is named twice"):
        parse_factors("grid: g\nunit: kg/kW.h\nfactors:\n" + row + row, "f.yaml")
