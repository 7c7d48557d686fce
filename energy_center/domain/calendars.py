"""Two calendars that must not be mixed: the government's days off, and the tariff's off-peak days.

The government moves days off to make long weekends (substitute days, make-up Saturdays). A tariff knows
only the dates that it lists: a substitute day is charged as the weekday that it is.
"""

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache

import holidays

SATURDAY, SUNDAY = 5, 6  # date.weekday()


class Festival(StrEnum):
    """Days whose date follows the moon or the sun; fixed dates are written as month and day."""

    LUNAR_NEW_YEAR = "lunar_new_year"  # first day of the first month, 正月初一
    TOMB_SWEEPING = "tomb_sweeping"  # 清明, 4 or 5 April
    DRAGON_BOAT = "dragon_boat"  # 端午, 5th of the 5th month
    MID_AUTUMN = "mid_autumn"  # 中秋, 15th of the 8th month


_NAMES: Mapping[Festival, str] = {
    Festival.LUNAR_NEW_YEAR: "Chinese New Year",
    Festival.TOMB_SWEEPING: "Tomb-Sweeping Day",
    Festival.DRAGON_BOAT: "Dragon Boat Festival",
    Festival.MID_AUTUMN: "Mid-Autumn Festival",
}


@lru_cache(maxsize=64)
def festivals(year: int) -> Mapping[Festival, date]:
    """The festivals of a calendar year, from the `holidays` package's own dates, before substitution."""
    names: dict[date, str] = dict(holidays.TW(years=year, observed=False, language="en_US"))
    return {
        festival: min(on for on, names_of_day in names.items() if name in names_of_day.split("; "))
        for festival, name in _NAMES.items()
    }


@lru_cache(maxsize=64)
def _government(country: str, year: int, language: str | None) -> tuple[Mapping[date, str], frozenset[date]]:
    days_off = holidays.country_holidays(country, years=year, language=language)
    workdays = {on for on in getattr(days_off, "weekend_workdays", ()) if on.year == year}
    return dict(days_off), frozenset(workdays)


@dataclass(frozen=True, slots=True)
class GovernmentCalendar:
    """When offices are open: five days a week, less public holidays and substitute days, plus make-up days.

    `country` is an ISO 3166 code of the `holidays` package, such as TW.
    """

    country: str = "TW"

    def holiday_name(self, on: date, language: str = "zh-TW") -> str | None:
        """What the day off is called, or None on any other day."""
        wanted = "zh_TW" if language == "zh-TW" and self.country == "TW" else "en_US"
        return _government(self.country, on.year, wanted)[0].get(on)

    def is_holiday(self, on: date) -> bool:
        """Whether the government gives the day off; weekends alone do not count."""
        return on in _government(self.country, on.year, "en_US")[0]

    def is_working_day(self, on: date) -> bool:
        """Whether offices are open."""
        days_off, workdays = _government(self.country, on.year, "en_US")
        return on in workdays or (on.weekday() < SATURDAY and on not in days_off)


@dataclass(frozen=True, slots=True)
class FestivalSpan:
    """Days around a festival, both ends included: eve of New Year's Eve to the fifth day is (-2, 4)."""

    festival: Festival
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class NthWeekday:
    """A day such as the first Monday of September; `nth` -1 is the month's last, `weekday` 0 is Monday."""

    month: int
    weekday: int
    nth: int

    def in_year(self, year: int) -> date:
        """Its date in a year."""
        days = [
            date(year, self.month, day)
            for day in range(1, calendar.monthrange(year, self.month)[1] + 1)
            if date(year, self.month, day).weekday() == self.weekday
        ]
        return days[self.nth - 1 if self.nth > 0 else self.nth]


@dataclass(frozen=True, slots=True)
class OffPeakRule:
    """Days that a tariff charges as off-peak all day; `fixed` holds (month, day)."""

    fixed: frozenset[tuple[int, int]]
    spans: tuple[FestivalSpan, ...]
    weekdays: tuple[NthWeekday, ...] = ()


class TariffDay(StrEnum):
    """How a tariff charges a day."""

    WEEKDAY = "weekday"
    SATURDAY = "saturday"
    OFF_PEAK_DAY = "off_peak_day"  # Sundays and listed days


@lru_cache(maxsize=256)
def off_peak_dates(rule: OffPeakRule, year: int) -> frozenset[date]:
    """All listed days of a year, whatever weekday they fall on."""
    listed = {date(year, month, day_of_month) for month, day_of_month in rule.fixed}
    for span in rule.spans:
        centre = festivals(year)[span.festival]
        listed |= {centre + timedelta(days=offset) for offset in range(span.first, span.last + 1)}
    listed |= {weekday.in_year(year) for weekday in rule.weekdays}
    return frozenset(listed)


def tariff_day(on: date, rule: OffPeakRule) -> TariffDay:
    """The tariff's kind of day; government calendars play no part in it."""
    if on.weekday() == SUNDAY or on in off_peak_dates(rule, on.year):
        return TariffDay.OFF_PEAK_DAY
    return TariffDay.SATURDAY if on.weekday() == SATURDAY else TariffDay.WEEKDAY
