"""Taichung's weather from a seed: sun, cloud, temperature, humidity, rain, wind and pressure.

Climate normals 1991-2020 of Taichung station (Central Weather Administration): monthly temperature, rain.
Every instant is computed from noise by day or by lattice, so a window of any length sees the same weather.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.special import ndtr

from simulators.calendars import DAY_S, ZONE_OFFSET_S, date_of, local_day, midnight
from simulators.noise import Floats, normal, smooth, uniform

LATITUDE = np.radians(24.15)
LONGITUDE_DEG = 120.68
MEAN_C = (16.9, 17.7, 19.9, 23.4, 26.2, 28.1, 28.8, 28.4, 27.7, 25.6, 22.6, 18.5)
RAIN_MM = (31.0, 62.0, 88.0, 113.0, 224.0, 333.0, 293.0, 325.0, 152.0, 24.0, 31.0, 31.0)
DEW_BELOW_C = (5.6, 5.2, 5.2, 5.1, 4.9, 4.5, 4.9, 4.6, 5.2, 6.0, 5.8, 5.8)
STORM_CHANCE = (0.0, 0.0, 0.01, 0.04, 0.12, 0.24, 0.30, 0.32, 0.12, 0.01, 0.0, 0.0)
FRONT_CHANCE = (0.13, 0.22, 0.26, 0.27, 0.33, 0.30, 0.14, 0.18, 0.14, 0.08, 0.09, 0.11)
TYPHOON_CHANCE = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.012, 0.014, 0.010, 0.001, 0.0, 0.0)  # of starting on a day
STORM_MM, TYPHOON_MM = 13.0, 150.0
_YEAR_D = 365.2425


@dataclass(frozen=True, eq=False)
class Weather:
    """The outdoor state at a row of instants; shapes (m,)."""

    temperature_c: Floats
    humidity_pct: Floats
    dew_point_c: Floats
    wet_bulb_c: Floats
    enthalpy_kj_kg: Floats
    irradiance_w_m2: Floats
    rain_mm_h: Floats
    wind_m_s: Floats
    gust_m_s: Floats
    pressure_hpa: Floats
    day_mean_c: Floats
    typhoon: Floats


def _yearly(monthly: tuple[float, ...]) -> CubicSpline:
    """Return a periodic curve over day of year through the middles of the months, keeping their means."""
    middle = (np.arange(12) + 0.5) * _YEAR_D / 12.0
    points = np.array(monthly)
    sharper = points - (np.roll(points, 1) + np.roll(points, -1) - 2 * points) / 24.0
    return CubicSpline(
        np.append(middle, middle[0] + _YEAR_D), np.append(sharper, sharper[0]), bc_type="periodic"
    )


_MEAN, _DEW_BELOW = _yearly(MEAN_C), _yearly(DEW_BELOW_C)


def vapour_pressure(temperature: Floats) -> Floats:
    """Return saturation vapour pressure over water in hPa (Magnus, WMO 2008)."""
    return 6.112 * np.exp(17.62 * temperature / (243.12 + temperature))


def enthalpy(temperature: Floats, vapour: Floats) -> Floats:
    """Return moist air's enthalpy, kJ per kg of dry air, from vapour pressure in hPa."""
    ratio = 0.622 * vapour / (1005.0 - vapour)
    return 1.006 * temperature + ratio * (2501.0 + 1.86 * temperature)


def wet_bulb(temperature: Floats, humidity: Floats) -> Floats:
    """Return the wet-bulb temperature (Stull 2011, eq. 1)."""
    return (
        temperature * np.arctan(0.151977 * np.sqrt(humidity + 8.313659))
        + np.arctan(temperature + humidity)
        - np.arctan(humidity - 1.676331)
        + 0.00391838 * humidity**1.5 * np.arctan(0.023101 * humidity)
        - 4.686035
    )


def sun_height(time: Floats) -> Floats:
    """Return the sine of the sun's elevation (declination by Cooper 1969)."""
    day_of_year = (time / DAY_S) % _YEAR_D
    declination = np.radians(23.45) * np.sin(2 * np.pi * (284 + day_of_year) / 365.0)
    solar_hour = (time / 3600.0 + LONGITUDE_DEG / 15.0) % 24.0
    angle = np.radians(15.0 * (solar_hour - 12.0))
    along: Floats = np.cos(LATITUDE) * np.cos(declination) * np.cos(angle)
    height: Floats = np.sin(LATITUDE) * np.sin(declination) + along
    return height


def _months(days: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.array([date_of(int(day)).month - 1 for day in days], dtype=np.int64)


def _persistent(seed: int, stream: str, days: NDArray[np.int64]) -> Floats:
    """Return day noise of unit deviation that remembers about two days."""
    weights = np.array([0.35, 0.75, 1.0, 0.75, 0.35])
    padded = normal(seed, stream, np.arange(days[0] - 2, days[-1] + 3, dtype=np.int64))
    kept: Floats = np.convolve(padded, weights / np.sqrt((weights**2).sum()), mode="valid")
    return kept


@dataclass(frozen=True, eq=False)
class _Rains:
    """Rain spells starting on consecutive days: start (epoch s), length (s), depth (mm); shapes (d,)."""

    start: Floats
    length: Floats
    depth: Floats


def _spells(seed: int, days: NDArray[np.int64], months: NDArray[np.int64]) -> tuple[_Rains, _Rains, _Rains]:
    base = np.array([midnight(int(day)) for day in days])

    def table(monthly: tuple[float, ...]) -> Floats:
        return np.asarray(monthly)[months]

    storm = uniform(seed, "storm", days) < table(STORM_CHANCE)
    storms = _Rains(
        base + 3600 * (13.3 + 3.0 * uniform(seed, "storm-start", days)),
        3600 * (0.8 + 1.6 * uniform(seed, "storm-length", days)),
        np.where(storm, -STORM_MM * np.log(uniform(seed, "storm-depth", days)), 0.0),
    )
    typhoon = uniform(seed, "typhoon", days) < table(TYPHOON_CHANCE)
    typhoons = _Rains(
        base + 3600 * 20.0 * uniform(seed, "typhoon-start", days),
        3600 * (22.0 + 14.0 * uniform(seed, "typhoon-length", days)),
        np.where(typhoon, TYPHOON_MM * (0.5 + uniform(seed, "typhoon-depth", days)), 0.0),
    )
    wet = ndtr(_persistent(seed, "front", days)) < table(FRONT_CHANCE)
    month_days = 30.44
    rest = table(RAIN_MM) / month_days
    rest = rest - table(STORM_CHANCE) * STORM_MM - table(TYPHOON_CHANCE) * TYPHOON_MM
    mean_mm = np.maximum(rest, 0.2) / table(FRONT_CHANCE)
    shape = -0.5 * (np.log(uniform(seed, "front-a", days)) + np.log(uniform(seed, "front-b", days)))
    fronts = _Rains(
        base + 3600 * 18.0 * uniform(seed, "front-start", days),
        3600 * (3.0 + 11.0 * uniform(seed, "front-length", days)),
        np.where(wet, mean_mm * shape, 0.0),
    )
    return fronts, storms, typhoons


def _rate(time: Floats, index: NDArray[np.int64], spells: _Rains) -> Floats:
    """Return mm/h from spells begun on the same or the two days before, each a sine-squared bump."""
    total = np.zeros(len(time))
    for back in (0, 1, 2):
        k = index - back
        share = (time - spells.start[k]) / spells.length[k]
        bump = np.where((share > 0) & (share < 1), 2.0 * np.sin(np.pi * share) ** 2, 0.0)
        total += bump * spells.depth[k] / (spells.length[k] / 3600.0)
    return total


def weather_at(seed: int, time: Floats) -> Weather:
    """Return the weather at instants (epoch seconds, shape (m,))."""
    days_of = local_day(time)
    days = np.arange(int(days_of.min()) - 4, int(days_of.max()) + 3, dtype=np.int64)
    index = days_of - days[0]
    spells = _spells(seed, days, _months(days))
    patches = np.clip(1.0 + 0.45 * smooth(seed, "rain-patches", time, 2100.0), 0.1, 2.2)
    fronts, storms, typhoons = (_rate(time, index, kind) for kind in spells)
    rain = (fronts + typhoons) * patches + storms
    rain = np.where(rain < 0.05, 0.0, rain)
    typhoon = np.clip(typhoons / 8.0, 0.0, 1.0)

    season = 0.5 + 0.5 * np.cos(2 * np.pi * ((time / DAY_S) % _YEAR_D - 20) / _YEAR_D)  # 1 in late January
    doy = (time / DAY_S) % _YEAR_D
    slow = smooth(seed, "air-mass", time, 2.6 * DAY_S)
    day_mean = _MEAN(doy) + (0.9 + 2.0 * season) * slow
    wetness = np.clip(fronts / 2.0, 0.0, 1.0) + 0.8 * np.clip(storms / 6.0, 0.0, 1.0) + typhoon
    cover_noise = smooth(seed, "cloud-day", time, 1.5 * DAY_S) + 0.7 * smooth(seed, "cloud", time, 5400.0)
    cloud = np.clip(0.46 + 0.26 * cover_noise + 0.7 * wetness, 0.0, 1.0)
    height = sun_height(time)
    up = np.maximum(height, 1e-3)
    clear = np.where(height > 0, 1098.0 * up * np.exp(-0.057 / up), 0.0)  # Haurwitz 1945
    irradiance = clear * (1.0 - 0.8 * cloud**1.8)

    hour = ((time + ZONE_OFFSET_S) % DAY_S) / 3600.0
    swing = 4.3 * (1.0 - 0.5 * np.clip(cloud, 0, 1))
    daily = np.cos(2 * np.pi * (hour - 14.2) / 24.0) + 0.22 * np.cos(4 * np.pi * (hour - 13.6) / 24.0)
    temperature = day_mean + 0.35 + swing * daily - 2.2 * np.clip(wetness, 0, 1)
    temperature = temperature + 0.25 * smooth(seed, "temperature", time, 2700.0)
    dew = (
        day_mean
        - _DEW_BELOW(doy)
        + 1.3 * smooth(seed, "dew", time, 1.2 * DAY_S)
        + 0.9 * np.clip(wetness, 0, 1)
    )
    dew = np.minimum(dew, temperature - 0.35 + 0.25 * np.clip(wetness, 0, 1))
    vapour = vapour_pressure(dew)
    humidity = np.clip(100.0 * vapour / vapour_pressure(temperature), 25.0, 99.5)

    breeze = 1.1 + 1.3 * np.clip(height, 0, 1) + 0.5 * smooth(seed, "wind", time, 4200.0) + 0.5 * season
    wind = np.maximum(breeze, 0.2) + 13.0 * typhoon + 2.5 * np.clip(storms / 15.0, 0, 1)
    gust = wind * (1.55 + 0.12 * np.clip(smooth(seed, "gust", time, 1500.0), -2, 2))
    pressure = 1003.5 + 6.5 * (2 * season - 1) * 0.98 - 1.6 * slow - 26.0 * typhoon
    pressure = pressure + 1.2 * np.cos(4 * np.pi * (hour - 9.8) / 24.0)
    return Weather(
        temperature, humidity, dew, wet_bulb(temperature, humidity), enthalpy(temperature, vapour),
        irradiance, rain, wind, gust, pressure, day_mean, typhoon,
    )  # fmt: skip
