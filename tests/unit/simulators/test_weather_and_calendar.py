import datetime as dt

import numpy as np
import pytest

from simulators.calendars import ZONE_OFFSET_S, day_start, is_working_day
from simulators.weather import weather_at

EPOCH = dt.date(1970, 1, 1)


@pytest.fixture(scope="module")
def four_years():
    time = np.arange(day_start(dt.date(2022, 1, 1)), day_start(dt.date(2026, 1, 1)), 1800.0)
    month = (time + ZONE_OFFSET_S).astype("datetime64[s]").astype("datetime64[M]").astype(int) % 12 + 1
    return [(month, weather_at(seed, time)) for seed in (1, 2)]


# Normals 1991-2020 of Taichung station, Central Weather Administration
@pytest.mark.parametrize(("month", "normal_c"), [(1, 16.9), (4, 23.4), (7, 28.8), (10, 25.6)])
def test_monthly_mean_temperature_is_taichungs(four_years, month, normal_c):
    means = [weather.temperature_c[months == month].mean() for months, weather in four_years]
    assert np.mean(means) == pytest.approx(normal_c, abs=1.0)


def test_annual_rain_is_taichungs(four_years):
    depth_mm = np.mean([weather.rain_mm_h.sum() * 0.5 / 4 for _, weather in four_years])
    assert depth_mm == pytest.approx(1750.0, rel=0.2)


def test_rain_falls_in_summer_and_not_in_autumn(four_years):
    for months, weather in four_years:
        assert weather.rain_mm_h[months == 6].sum() > 4 * weather.rain_mm_h[months == 10].sum()


def test_sun_gives_a_plausible_year_and_none_at_night(four_years):
    for _, weather in four_years:
        assert 1350.0 < weather.irradiance_w_m2.sum() * 0.5 / 4 / 1000.0 < 1800.0  # kWh/m2 and year
        assert (weather.irradiance_w_m2[:8] == 0.0).all()  # 0:00-4:00 local


def test_any_window_sees_the_same_weather():
    whole = np.arange(day_start(dt.date(2026, 6, 1)), day_start(dt.date(2026, 6, 20)), 900.0)
    part = whole[700:720]
    assert np.array_equal(weather_at(3, part).rain_mm_h, weather_at(3, whole).rain_mm_h[700:720])
    assert np.array_equal(weather_at(3, part).temperature_c, weather_at(3, whole).temperature_c[700:720])


# New Year, a Saturday, Lunar New Year's eve, National Day's substitute (10 Oct 2026 is a Saturday), a Tuesday
@pytest.mark.parametrize(
    ("day", "open_"),
    [
        (dt.date(2026, 1, 1), False),
        (dt.date(2026, 3, 14), False),
        (dt.date(2026, 2, 16), False),
        (dt.date(2026, 10, 9), False),
        (dt.date(2026, 11, 24), True),
    ],
)
def test_offices_close_on_national_holidays(day, open_):
    assert is_working_day((day - EPOCH).days) is open_
