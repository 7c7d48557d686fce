"""Working days of Taiwan's public offices: weekdays that are no national holiday."""

import datetime as dt
from functools import lru_cache

import holidays
import numpy as np
from numpy.typing import NDArray

ZONE_OFFSET_S = 8 * 3600.0  # Asia/Taipei has kept UTC+8 without summer time since 1979
DAY_S = 86_400.0
_EPOCH = dt.date(1970, 1, 1)


@lru_cache(maxsize=64)
def national_holidays(year: int) -> frozenset[dt.date]:
    """Return the days off of a year, substitute days included."""
    return frozenset(holidays.country_holidays("TW", years=[year]).keys())


@lru_cache(maxsize=8192)
def is_working_day(day_number: int) -> bool:
    """Say whether offices open on the local day, counted in days since 1970-01-01."""
    day = _EPOCH + dt.timedelta(days=day_number)
    return day.weekday() < 5 and day not in national_holidays(day.year)


def local_day(time: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the local day number of each instant (epoch seconds)."""
    return np.floor((time + ZONE_OFFSET_S) / DAY_S).astype(np.int64)


def local_hour(time: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the local hour of day, 0 <= h < 24."""
    hours: NDArray[np.float64] = ((time + ZONE_OFFSET_S) % DAY_S) / 3600.0
    return hours


def working(days: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return 1 for instants on a working day and 0 else."""
    unique, place = np.unique(days, return_inverse=True)
    flags = np.array([float(is_working_day(int(day))) for day in unique])
    return flags[place]


def date_of(day_number: int) -> dt.date:
    """Return the date of a local day number."""
    return _EPOCH + dt.timedelta(days=int(day_number))


def day_start(date: dt.date) -> float:
    """Return the epoch second at which a local date begins."""
    return (date - _EPOCH).days * DAY_S - ZONE_OFFSET_S


def midnight(day_number: int) -> float:
    """Return the epoch second at which a local day begins."""
    return day_number * DAY_S - ZONE_OFFSET_S
