"""Made-up buildings with a measure of known effect: what would have been used is known day by day.

They are not made by the models that are judged with them: cooling bends with temperature and lags it by the
building's mass, people vary from day to day, noise lasts for days and drifts over weeks, days are lost. The
measure takes off a share of everything, or of cooling alone so that the whole falls by that share.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np

from energy_center.analysis.verification.series import (
    DaySeries,
    DaySpan,
    HourSeries,
    day_series,
    hour_series,
)
from energy_center.domain.calendars import GovernmentCalendar

CALENDAR = GovernmentCalendar()
BASELINE = DaySpan(date(2024, 1, 1), date(2024, 12, 31))
REPORTING = DaySpan(date(2025, 1, 15), date(2026, 1, 14))
WHOLE = DaySpan(date(2024, 1, 1), date(2026, 1, 14))


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A meter; `would_kwh` is what each day would have used without the measure, in the order of `days`."""

    days: DaySeries
    hours: HourSeries
    would_kwh: np.ndarray


def make_case(seed: int, effect: float, reporting_days: int = 365) -> Case:
    """A building of its own climate, use, noise and gaps."""
    rng = np.random.default_rng([seed, round(effect * 1000)])
    span = WHOLE.days()[: WHOLE.days().index(REPORTING.first) + reporting_days]
    works = np.array([CALENDAR.is_working_day(on) for on in span])
    weekday = np.array([on.weekday() for on in span])
    temperature = _weather(rng, span)
    load = _load(rng, temperature, works, weekday)
    reduced = _measure(rng, load, effect, np.array([on >= REPORTING.first for on in span]))
    lost = _gaps(rng, len(span))
    would, used = load.sum(axis=-1), np.where(lost[:, None], np.nan, reduced.sum(axis=-1))
    days = day_series(span, used.sum(axis=1), temperature.mean(axis=1), CALENDAR)
    hours = hour_series(
        np.repeat(days.day, 24),
        np.tile(np.arange(24), len(span)),
        used.ravel(),
        temperature.ravel(),
        CALENDAR,
    )
    return Case(days, hours, would.sum(axis=1))


def _weather(rng: np.random.Generator, span: list[date]) -> np.ndarray:
    """Hourly °C, shape (days, 24): seasons, spells of some days, clear and overcast days."""
    count = len(span)
    year_day = np.array([on.timetuple().tm_yday for on in span])
    mean, swing = rng.uniform(20, 25), rng.uniform(5, 8)
    season = mean - swing * np.cos(2 * np.pi * (year_day - 25) / 365.25)
    spell = _lasting(rng, count, 0.75) * rng.uniform(1.8, 3.0)
    daily = rng.uniform(2.0, 5.0, count)
    clock = np.cos(2 * np.pi * (np.arange(24) - 14) / 24)
    return (season + spell)[:, None] + daily[:, None] * clock + rng.normal(0, 0.3, (count, 24))


def _lasting(rng: np.random.Generator, count: int, rho: float) -> np.ndarray:
    """Unit noise of which a share `rho` lasts to the next day."""
    steps = rng.normal(0, np.sqrt(1 - rho**2), count)
    found = np.empty(count)
    found[0] = rng.normal()
    for i in range(1, count):
        found[i] = rho * found[i - 1] + steps[i]
    return found


def _load(
    rng: np.random.Generator, temperature: np.ndarray, works: np.ndarray, weekday: np.ndarray
) -> np.ndarray:
    """kWh an hour, shape (days, 24, 2): what runs anyway, and cooling."""
    count = len(works)
    opens, closes = rng.integers(6, 9), rng.integers(17, 21)
    open_hours = (np.arange(24) >= opens) & (np.arange(24) < closes)
    saturday = rng.choice([0.0, 0.0, 0.5])
    present = np.where(works, 1.0, np.where(weekday == 5, saturday, rng.uniform(0.02, 0.15)))
    people = present[:, None] * open_hours * (1 + 0.05 * _lasting(rng, count, 0.5))[:, None]
    base, plug = rng.uniform(20, 60), rng.uniform(80, 250)
    balance, slope = rng.uniform(15, 20), rng.uniform(4, 14)
    felt = 0.7 * temperature + 0.3 * np.vstack((temperature[:1], temperature[:-1])).mean(
        axis=1, keepdims=True
    )
    excess = np.maximum(felt - balance, 0.0)
    cooling = slope * excess * (1 + rng.uniform(-0.015, 0.015) * excess) * (0.15 + 0.85 * people)
    noise = rng.uniform(0.015, 0.06) * _lasting(rng, count, rng.uniform(0.2, 0.75))
    drift = rng.uniform(0.0, 0.012) * _lasting(rng, count, 0.97)
    lively = (1 + noise + drift)[:, None] * (1 + rng.normal(0, 0.03, (count, 24)))
    return np.stack(((base + plug * people) * lively, cooling * lively), axis=-1)


def _measure(rng: np.random.Generator, load: np.ndarray, effect: float, after: np.ndarray) -> np.ndarray:
    """The load with a share of the whole taken off: of all alike, or of cooling alone."""
    if rng.random() < 0.5:
        return load * np.where(after, 1 - effect, 1.0)[:, None, None]
    whole, cooling = load[after].sum(), load[after][..., 1].sum()
    share = effect * whole / cooling
    if share > 0.9:
        return load * np.where(after, 1 - effect, 1.0)[:, None, None]
    reduced = load.copy()
    reduced[after, :, 1] *= 1 - share
    return reduced


def _gaps(rng: np.random.Generator, count: int) -> np.ndarray:
    """Up to a twentieth of the days is lost, in runs."""
    lost = np.zeros(count, dtype=bool)
    while lost.mean() < rng.uniform(0, 0.05):
        start = rng.integers(0, count)
        lost[start : start + rng.integers(1, 8)] = True
    return lost
