"""A meter's hours and the outdoor temperature brought together as the days that a baseline is fitted to."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from energy_center.analysis.counters import FloatArray
from energy_center.analysis.grid import Step, edges_of
from energy_center.analysis.intervals import Energies, time_weighted_mean
from energy_center.analysis.verification.series import (
    DAY_HOURS,
    DaySeries,
    DaySpan,
    HourSeries,
    day_series,
    hour_series,
)
from energy_center.domain.calendars import GovernmentCalendar
from energy_center.domain.timeline import Interval, midnight

WHOLE = 0.98  # of a day's or hour's energy; less is not known: nothing is estimated
_TEMPERATURE_WHOLE = 0.9  # of a day's temperatures
_HOUR_S = 3600.0
_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True, eq=False)
class Temperatures:
    """Outdoor temperature, °C, at rising epoch seconds; those half a day or more apart are daily means."""

    at_s: FloatArray
    celsius: FloatArray
    interval_s: float


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredDays:
    """The days of a span; `hours` is None where meter or temperature is coarser than an hour."""

    days: DaySeries
    hours: HourSeries | None


def hour_edges(span: DaySpan, zone: ZoneInfo) -> FloatArray:
    """Epoch seconds of the local hours of a span."""
    period = Interval(midnight(span.first, zone), midnight(span.last + timedelta(days=1), zone))
    return edges_of(period, Step.HOUR, zone)


def measured_days(
    energies_over: Callable[[FloatArray], Energies],
    energy_step_s: float,
    temperatures: Temperatures,
    span: DaySpan,
    zone: ZoneInfo,
    calendar: GovernmentCalendar,
) -> MeasuredDays:
    """Cut both into the hours of a span, and add those up by day."""
    edges = hour_edges(span, zone)
    energies = energies_over(edges)
    stamps = [datetime.fromtimestamp(float(at), zone) for at in edges[:-1]]
    ordinal = np.array([at.toordinal() for at in stamps], dtype=np.int64)
    first = span.first.toordinal()
    at = ordinal - first
    energy = _by_day(at, energies.amount, energies.coverage, len(span))
    temperature, hourly = _temperature(temperatures, edges, at, len(span), zone, first)
    days = day_series(span.days(), energy, temperature, calendar)
    if energy_step_s > _HOUR_S or hourly is None:
        return MeasuredDays(days, None)
    known = np.where(energies.coverage >= WHOLE, energies.amount, np.nan)
    hour = np.array([min(s.hour, DAY_HOURS - 1) for s in stamps], dtype=np.int64)
    return MeasuredDays(days, hour_series(ordinal, hour, known, hourly, calendar))


def _by_day(at: np.ndarray, amount: FloatArray, coverage: FloatArray, count: int) -> FloatArray:
    hours = np.bincount(at, minlength=count)
    sums = np.bincount(at, weights=np.nan_to_num(amount), minlength=count)
    covered = np.bincount(at, weights=coverage, minlength=count) / np.maximum(hours, 1)
    return np.where(covered >= WHOLE, sums, np.nan)


def _temperature(
    found: Temperatures, edges: FloatArray, at: np.ndarray, count: int, zone: ZoneInfo, first: int
) -> tuple[FloatArray, FloatArray | None]:
    """Means by day and by hour; no hours from daily values."""
    if found.interval_s >= _DAY_S / 2:
        return _daily_values(found, count, zone, first), None
    max_gap_s = max(2 * found.interval_s, _HOUR_S)
    mean, coverage = time_weighted_mean(found.at_s, found.celsius, edges, max_gap_s)
    known = ~np.isnan(mean)
    hours = np.bincount(at, minlength=count)
    covered = np.bincount(at, weights=np.where(known, coverage, 0.0), minlength=count)
    sums = np.bincount(at, weights=np.nan_to_num(mean), minlength=count)
    counts = np.bincount(at, weights=known, minlength=count)
    days = np.where(covered >= _TEMPERATURE_WHOLE * hours, sums / np.maximum(counts, 1), np.nan)
    return days, mean if found.interval_s <= _HOUR_S else None


def _daily_values(found: Temperatures, count: int, zone: ZoneInfo, first: int) -> FloatArray:
    days = np.full(count, np.nan)
    for at_s, celsius in zip(found.at_s, found.celsius, strict=True):
        place = datetime.fromtimestamp(float(at_s), zone).toordinal() - first
        if 0 <= place < count:
            days[place] = celsius
    return days
