"""A meter's days and hours, outdoor temperature and kind of day: what baselines are fitted to."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from energy_center.analysis.counters import FloatArray
from energy_center.domain.calendars import SATURDAY, GovernmentCalendar

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
WEEK_HOURS = 168
DAY_HOURS = 24
_FRIDAY, _SUNDAY = 4, 6


class DayKind(IntEnum):
    """Days on which a building runs alike; a make-up Saturday is a working day."""

    WORKING = 0
    SATURDAY = 1
    SUNDAY_OR_HOLIDAY = 2


def day_kind(on: date, calendar: GovernmentCalendar) -> DayKind:
    """The kind of a local day."""
    if calendar.is_working_day(on):
        return DayKind.WORKING
    is_plain_saturday = on.weekday() == SATURDAY and not calendar.is_holiday(on)
    return DayKind.SATURDAY if is_plain_saturday else DayKind.SUNDAY_OR_HOLIDAY


@dataclass(frozen=True, slots=True)
class DaySpan:
    """Local days from `first` to `last`, both included."""

    first: date
    last: date

    def __len__(self) -> int:
        return (self.last - self.first).days + 1

    def days(self) -> list[date]:
        """Every day of it."""
        return [self.first + timedelta(days=i) for i in range(len(self))]

    def overlaps(self, other: "DaySpan") -> bool:
        """Whether a day is in both."""
        return self.first <= other.last and other.first <= self.last


@dataclass(frozen=True, slots=True, eq=False)
class DaySeries:
    """Local days in rising order; arrays of shape (n,).

    `day`: ordinal of the date. `energy_kwh`, and `temperature_c` as the mean of the day: NaN where unknown.
    `kind`: values of DayKind.
    """

    day: IntArray
    energy_kwh: FloatArray
    temperature_c: FloatArray
    kind: IntArray

    def __len__(self) -> int:
        return len(self.day)

    @property
    def is_known(self) -> BoolArray:
        """Days with both energy and temperature."""
        return ~np.isnan(self.energy_kwh) & ~np.isnan(self.temperature_c)

    def take(self, mask: BoolArray) -> "DaySeries":
        """Some of the days."""
        return DaySeries(self.day[mask], self.energy_kwh[mask], self.temperature_c[mask], self.kind[mask])

    def within(self, span: DaySpan) -> "DaySeries":
        """The days of a span."""
        return self.take((self.day >= span.first.toordinal()) & (self.day <= span.last.toordinal()))


@dataclass(frozen=True, slots=True, eq=False)
class HourSeries:
    """The same by local hours; `slot` 0..167 is the hour of the week, a holiday counting as a Sunday."""

    day: IntArray
    slot: IntArray
    energy_kwh: FloatArray
    temperature_c: FloatArray

    def __len__(self) -> int:
        return len(self.day)

    @property
    def is_known(self) -> BoolArray:
        """Hours with both energy and temperature."""
        return ~np.isnan(self.energy_kwh) & ~np.isnan(self.temperature_c)

    def take(self, mask: BoolArray) -> "HourSeries":
        """Some of the hours."""
        return HourSeries(self.day[mask], self.slot[mask], self.energy_kwh[mask], self.temperature_c[mask])

    def on_days(self, days: IntArray) -> "HourSeries":
        """The hours of some days."""
        return self.take(np.isin(self.day, days))

    def whole_days(self) -> IntArray:
        """Days of which every hour is known, at least 23 of them (a day that a clock change shortens)."""
        days, at = np.unique(self.day, return_inverse=True)
        known = np.bincount(at, weights=self.is_known, minlength=len(days))
        every = np.bincount(at, minlength=len(days))
        return np.asarray(days[(known == every) & (every >= DAY_HOURS - 1)], dtype=np.int64)


def day_series(
    days: Iterable[date], energy_kwh: FloatArray, temperature_c: FloatArray, calendar: GovernmentCalendar
) -> DaySeries:
    """Days in any order, each once, with their kinds."""
    listed = list(days)
    order = np.argsort(np.array([on.toordinal() for on in listed], dtype=np.int64), kind="stable")
    ordinals = np.array([on.toordinal() for on in listed], dtype=np.int64)
    kinds = np.array([day_kind(on, calendar) for on in listed], dtype=np.int64)
    return DaySeries(
        ordinals[order],
        np.asarray(energy_kwh, dtype=np.float64)[order],
        np.asarray(temperature_c, dtype=np.float64)[order],
        kinds[order],
    )


def hour_series(
    day: IntArray,
    hour: IntArray,
    energy_kwh: FloatArray,
    temperature_c: FloatArray,
    calendar: GovernmentCalendar,
) -> HourSeries:
    """Hours in rising order; `hour` 0..23 on the wall."""
    days, at = np.unique(day, return_inverse=True)
    weekdays = np.array([_weekday(date.fromordinal(int(d)), calendar) for d in days], dtype=np.int64)
    return HourSeries(day, weekdays[at] * DAY_HOURS + hour, energy_kwh, temperature_c)


def _weekday(on: date, calendar: GovernmentCalendar) -> int:
    """The day of the week that the building behaves like."""
    if calendar.is_holiday(on):
        return _SUNDAY
    if calendar.is_working_day(on) and on.weekday() >= SATURDAY:
        return _FRIDAY
    return on.weekday()


def fingerprint(days: DaySeries, hours: HourSeries | None) -> str:
    """Hash of what a result rests on: the same data give the same result."""
    made = hashlib.sha256()
    parts: list[np.ndarray] = [days.day, days.kind, days.energy_kwh.round(6), days.temperature_c.round(6)]
    if hours is not None:
        parts += [hours.day, hours.slot, hours.energy_kwh.round(6), hours.temperature_c.round(6)]
    for part in parts:
        made.update(np.ascontiguousarray(part).tobytes())
    return made.hexdigest()
