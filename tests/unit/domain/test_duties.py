"""When duties are due, over years, leap days and closed offices; what their catalogue says."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energy_center.config.load_duties import CATALOGUES, load_duties, shipped_duties
from energy_center.domain.calendars import GovernmentCalendar
from energy_center.domain.duties import Deed, Due, Duty, OnDayOff, Standing, check_recurrence, dues, standing
from energy_center.errors import ConfigError

TAIWAN = GovernmentCalendar("TW")
MONTHLY = shipped_duties()["lift-upkeep"]
DUE = Due(date(2026, 6, 30), date(2026, 6, 1), date(2026, 7, 3))


def _dates(duty: Duty, starts_on: date, first: date, end: date) -> list[date]:
    return [due.due_on for due in dues(duty, starts_on, first, end, TAIWAN)]


def test_ten_years_of_a_monthly_duty_have_a_date_in_each_month_and_none_on_a_closed_day():
    found = _dates(MONTHLY, date(2020, 1, 1), date(2020, 1, 1), date(2030, 1, 1))
    assert [(on.year, on.month) for on in found] == [(y, m) for y in range(2020, 2030) for m in range(1, 13)]
    assert all(TAIWAN.is_working_day(on) for on in found)


def test_last_of_february_holds_in_leap_years():
    kept = replace(MONTHLY, on_day_off=OnDayOff.KEEP)
    in_february = [
        on for on in _dates(kept, date(2023, 1, 1), date(2023, 1, 1), date(2025, 1, 1)) if on.month == 2
    ]
    assert in_february == [date(2023, 2, 28), date(2024, 2, 29)]


def test_a_yearly_duty_that_began_on_a_leap_day_is_due_every_year():
    yearly = replace(MONTHLY, recurrence="FREQ=YEARLY", on_day_off=OnDayOff.KEEP)
    found = _dates(yearly, date(2024, 2, 29), date(2025, 1, 1), date(2029, 1, 1))
    assert found == [date(year, 2, 28) for year in (2025, 2026, 2027, 2028)]


def test_weeks_count_from_the_very_day_also_at_the_end_of_a_month():
    weekly = replace(MONTHLY, recurrence="FREQ=WEEKLY", on_day_off=OnDayOff.KEEP)
    found = _dates(weekly, date(2026, 1, 30), date(2026, 1, 1), date(2026, 2, 20))
    assert found == [date(2026, 1, 30), date(2026, 2, 6), date(2026, 2, 13)]


def test_a_due_date_in_the_new_year_holidays_moves_before_or_behind_them():
    # 2026: offices are closed from Saturday 14 to Sunday 22 February (行政院 115 年行事曆)
    on_the_18th = replace(MONTHLY, recurrence="FREQ=MONTHLY;BYMONTHDAY=18")
    period = (date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1))
    assert _dates(on_the_18th, *period) == [date(2026, 2, 13)]
    assert _dates(replace(on_the_18th, on_day_off=OnDayOff.LATER), *period) == [date(2026, 2, 23)]


@given(
    st.sampled_from(sorted(shipped_duties())),
    st.dates(date(2018, 1, 1), date(2024, 12, 31)),
    st.dates(date(2024, 1, 1), date(2026, 12, 31)),
    st.integers(1, 500),
)
def test_cutting_a_period_in_two_gives_the_same_dates(duty_id: str, starts_on: date, cut: date, days: int):
    duty, first, end = shipped_duties()[duty_id], cut - timedelta(days=days), cut + timedelta(days=days)
    whole = _dates(duty, starts_on, first, end)
    assert whole == [*_dates(duty, starts_on, first, cut), *_dates(duty, starts_on, cut, end)]
    assert all(first <= on < end and on >= starts_on for on in whole)


@pytest.mark.parametrize(
    ("today", "deed", "expected"),
    [
        (date(2026, 5, 31), None, Standing.PLANNED),
        (date(2026, 6, 1), None, Standing.OPEN),
        (date(2026, 6, 30), None, Standing.OPEN),
        (date(2026, 7, 1), None, Standing.IN_GRACE),
        (date(2026, 7, 3), None, Standing.IN_GRACE),
        (date(2026, 7, 4), None, Standing.OVERDUE),
        (date(2026, 9, 1), Deed(DUE.due_on, date(2026, 7, 3)), Standing.DONE),
        (date(2026, 9, 1), Deed(DUE.due_on, date(2026, 7, 4)), Standing.DONE_LATE),
        (date(2026, 9, 1), Deed(DUE.due_on, date(2026, 7, 9), is_waived=True), Standing.WAIVED),
    ],
)
def test_where_a_due_date_stands(today: date, deed: Deed | None, expected: Standing):
    assert standing(DUE, deed, today) is expected


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("FREQ=MONTHLY;BYMONTHDAY=31", "BYMONTHDAY=-1"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "BYMONTHDAY=-1"),
        ("FREQ=YEARLY;COUNT=3", "leave out"),
        ("FREQ=HOURLY", "FREQ is one of"),
        ("every month", "FREQ is one of"),
        ("FREQ=MONTHLY;BYDAY=XX", "RFC 5545"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL is a whole number"),
        ("FREQ=MONTHLY;INTERVAL=-1", "INTERVAL is a whole number"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-30", "never due"),
        ("FREQ=MONTHLY;BYMONTHDAY=+31", "not every month has a day 31"),
        ("FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=31,30", "not every month has a day 31"),
    ],
)
def test_a_recurrence_that_would_leave_dates_out_is_refused(rule: str, words: str):
    with pytest.raises(ValueError, match=words):
        check_recurrence(rule)


def test_the_catalogue_covers_what_a_city_hall_must_do():
    covered = {duty.subject.value for duty in shipped_duties().values()}
    assert {"building", "lift", "generator", "water_tank", "aed", "canteen", "cooling_tower"} <= covered
    for duty in shipped_duties().values():
        assert duty.name.zh_tw != duty.name.en, duty.duty_id
        assert duty.source.zh_tw != duty.source.en, duty.duty_id
        due = _dates(duty, date(2020, 3, 1), date(2022, 1, 1), date(2025, 1, 1))
        assert due, f"{duty.duty_id} is never due in three years"


def test_a_wrong_catalogue_is_told_with_its_lines(tmp_path):
    text = (CATALOGUES / "taiwan.yaml").read_text(encoding="utf-8")
    path = tmp_path / "wrong.yaml"
    path.write_text(text.replace("opens: 90d", "opnes: 90d", 1).replace("grace: 3d", "grace: 3h", 1))
    with pytest.raises(ConfigError) as told:
        load_duties(path)
    assert "wrong.yaml:7" in str(told.value) or "unknown key 'opnes'" in str(told.value)
    assert "whole days" in str(told.value)
