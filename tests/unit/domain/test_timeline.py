"""Local days and months have the length the clocks give them; blocks sit on the quarter-hour."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy_center.domain.timeline import (
    BLOCK,
    Interval,
    block_of,
    blocks_in,
    day,
    day_of,
    days_in,
    local_date,
    month,
    months_in,
)

TAIPEI = ZoneInfo("Asia/Taipei")
BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [
    TAIPEI,
    BERLIN,
    ZoneInfo("Asia/Kathmandu"),
    ZoneInfo("Australia/Lord_Howe"),
    ZoneInfo("America/St_Johns"),
]
zones = st.sampled_from(ZONES)
minutes_of_35_years = st.integers(0, 35 * 366 * 24 * 60)
instants = minutes_of_35_years.map(
    lambda n: datetime(2001, 1, 1, tzinfo=UTC) + timedelta(minutes=n, seconds=7)
)


def test_a_taipei_day_begins_at_sixteen_utc_the_day_before():
    assert day(date(2026, 11, 24), TAIPEI) == Interval(
        datetime(2026, 11, 23, 16, tzinfo=UTC), datetime(2026, 11, 24, 16, tzinfo=UTC)
    )


@pytest.mark.parametrize(
    ("on", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)]
)
def test_a_berlin_day_has_the_hours_of_its_clock_change(on: date, hours: int):
    assert day(on, BERLIN).hours == hours
    assert len(list(blocks_in(day(on, BERLIN)))) == 4 * hours


def test_february_of_a_leap_year_has_29_days():
    assert month(date(2028, 2, 10), TAIPEI).duration == timedelta(days=29)
    assert month(date(2027, 2, 10), TAIPEI).duration == timedelta(days=28)
    assert month(date(2100, 2, 10), TAIPEI).duration == timedelta(days=28)


def test_lord_howe_changes_clocks_by_half_an_hour():
    assert day(date(2026, 4, 5), ZoneInfo("Australia/Lord_Howe")).hours == 24.5


@given(instants, zones)
@settings(max_examples=60)
def test_every_instant_lies_in_exactly_its_own_day(at: datetime, zone: ZoneInfo):
    today = day_of(at, zone)
    assert today.contains(at)
    assert not today.contains(today.end)
    assert local_date(today.start, zone) == local_date(at, zone)


@given(instants, st.integers(1, 80 * 24 * 60), zones)
@settings(max_examples=25)
def test_days_and_months_tile_a_period(start: datetime, minutes: int, zone: ZoneInfo):
    period = Interval(start, start + timedelta(minutes=minutes))
    for parts in (list(days_in(period, zone)), list(months_in(period, zone))):
        assert parts[0].start == period.start
        assert parts[-1].end == period.end
        assert all(a.end == b.start for a, b in pairwise(parts))


@given(instants, zones)
@settings(max_examples=60)
def test_a_block_sits_on_the_local_quarter_hour(at: datetime, zone: ZoneInfo):
    block = block_of(at)
    local = block.start.astimezone(zone)
    assert block.contains(at)
    assert block.duration == BLOCK
    assert (local.minute % 15, local.second, local.microsecond) == (0, 0, 0)


def test_an_interval_must_be_aware_and_not_empty():
    at = datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(ValueError, match="ends after it starts"):
        Interval(at, at)
    with pytest.raises(ValueError, match="aware"):
        Interval(at.replace(tzinfo=None), at)


def test_overlap_of_touching_intervals_is_nothing():
    a = block_of(datetime(2026, 1, 1, tzinfo=UTC))
    assert a.overlap(Interval(a.end, a.end + BLOCK)) is None
