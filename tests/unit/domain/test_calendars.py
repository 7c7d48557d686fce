"""The government's calendar and the tariff's are two: dates are from their published lists."""

from datetime import date

import pytest

from energy_center.domain.calendars import (
    Festival,
    FestivalSpan,
    GovernmentCalendar,
    OffPeakRule,
    TariffDay,
    festivals,
    off_peak_dates,
    tariff_day,
)

# Taipower tariff book of 2025-11-17, p. 28
RULE = OffPeakRule(
    fixed=frozenset({(1, 1), (2, 28), (4, 4), (5, 1), (9, 28), (10, 10), (10, 25), (12, 25)}),
    spans=(
        FestivalSpan(Festival.LUNAR_NEW_YEAR, -2, 4),
        FestivalSpan(Festival.TOMB_SWEEPING, 0, 0),
        FestivalSpan(Festival.DRAGON_BOAT, 0, 0),
        FestivalSpan(Festival.MID_AUTUMN, 0, 0),
    ),
)
OFFICES = GovernmentCalendar("TW")


def _dates(year: int, *month_days: str) -> frozenset[date]:
    return frozenset(date.fromisoformat(f"{year}-{text}") for text in month_days)


def test_off_peak_days_of_2026():
    new_year = [f"02-{d}" for d in range(15, 22)]
    fixed = [
        "01-01",
        "02-28",
        "04-04",
        "04-05",
        "05-01",
        "06-19",
        "09-25",
        "09-28",
        "10-10",
        "10-25",
        "12-25",
    ]
    assert off_peak_dates(RULE, 2026) == _dates(2026, *new_year, *fixed)


def test_off_peak_days_of_2027():
    new_year = [f"02-{d:02}" for d in range(4, 11)]
    fixed = [
        "01-01",
        "02-28",
        "04-04",
        "04-05",
        "05-01",
        "06-09",
        "09-15",
        "09-28",
        "10-10",
        "10-25",
        "12-25",
    ]
    assert off_peak_dates(RULE, 2027) == _dates(2027, *new_year, *fixed)


@pytest.mark.parametrize(
    "text", ["2026-02-27", "2026-04-03", "2026-04-06", "2026-10-09", "2026-10-26", "2027-03-01"]
)
def test_a_substitute_day_off_is_charged_as_the_weekday_it_is(text: str):
    on = date.fromisoformat(text)
    assert not OFFICES.is_working_day(on)
    assert tariff_day(on, RULE) is TariffDay.WEEKDAY


def test_the_fifth_day_of_the_new_year_is_off_peak_though_an_ordinary_saturday():
    assert tariff_day(date(2026, 2, 21), RULE) is TariffDay.OFF_PEAK_DAY
    assert tariff_day(date(2026, 2, 14), RULE) is TariffDay.SATURDAY


def test_a_make_up_saturday_is_worked_but_charged_as_saturday():
    assert OFFICES.is_working_day(date(2025, 2, 8))
    assert tariff_day(date(2025, 2, 8), RULE) is TariffDay.SATURDAY


def test_a_sunday_is_neither_worked_nor_a_holiday():
    assert not OFFICES.is_working_day(date(2026, 11, 22))
    assert not OFFICES.is_holiday(date(2026, 11, 22))


def test_festivals_follow_the_moon():
    assert festivals(2026)[Festival.LUNAR_NEW_YEAR] == date(2026, 2, 17)
    assert festivals(2025)[Festival.TOMB_SWEEPING] == date(2025, 4, 4)
    assert festivals(2025)[Festival.MID_AUTUMN] == date(2025, 10, 6)


def test_holidays_are_named_in_both_languages():
    assert OFFICES.holiday_name(date(2026, 10, 10)) == "國慶日"
    assert OFFICES.holiday_name(date(2026, 10, 10), "en") == "National Day"
    assert OFFICES.holiday_name(date(2026, 11, 24)) is None
