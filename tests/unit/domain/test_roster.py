"""Who is on call: shifts by the wall clock, stand-ins, gaps."""

# ruff: noqa: DTZ001 times on a wall clock have no zone of their own

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energy_center.domain.roster import Cover, Shift, checked_shift, on_call, stretches, turns
from energy_center.domain.timeline import Interval
from energy_center.errors import Invalid

TAIPEI = "Asia/Taipei"
# Monday 2026-11-23 08:00 at the site is 00:00 UTC
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
DAY = Shift(1, 1, "lin", datetime(2026, 11, 2, 8), datetime(2026, 11, 2, 20), TAIPEI, "FREQ=DAILY")
NIGHT = Shift(
    2, 1, "wu", datetime(2026, 11, 2, 20), datetime(2026, 11, 3, 8), TAIPEI,
    "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
)  # fmt: skip


@pytest.mark.parametrize(
    ("hours", "people"),
    [(0, ("lin",)), (11.99, ("lin",)), (12, ("wu",)), (23.99, ("wu",)), (24, ("lin",)), (5 * 24 + 13, ())],
)
def test_shifts_follow_the_wall_clock_of_their_zone(hours: float, people: tuple[str, ...]) -> None:
    assert on_call([DAY, NIGHT], [], 1, MONDAY + timedelta(hours=hours)) == people


def test_a_night_in_which_the_clocks_go_forward_is_an_hour_shorter() -> None:
    night = Shift(
        1, 1, "lin", datetime(2026, 3, 28, 22), datetime(2026, 3, 29, 6), "Europe/Berlin", "FREQ=DAILY"
    )
    during = Interval(datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 30, 12, tzinfo=UTC))
    assert [turn.hours for turn in turns(night, during)] == [7.0, 8.0]


def test_who_stands_in_takes_the_place_of_the_one_named_only() -> None:
    swap = Cover(1, 1, "chen", "lin", MONDAY + timedelta(hours=2), MONDAY + timedelta(hours=30))
    at = [MONDAY + timedelta(hours=h) for h in (1, 3, 13, 25)]
    found = [on_call([DAY, NIGHT], [swap], 1, moment) for moment in at]
    assert found == [("lin",), ("chen",), ("wu",), ("chen",)]


def test_who_takes_over_for_all_fills_a_gap_too() -> None:
    swap = Cover(1, 1, "chen", None, MONDAY + timedelta(days=5, hours=12), MONDAY + timedelta(days=6))
    assert on_call([DAY, NIGHT], [swap], 1, MONDAY + timedelta(days=5, hours=13)) == ("chen",)


def test_gaps_are_stretches_with_nobody() -> None:
    week = Interval(MONDAY, MONDAY + timedelta(days=7))
    gaps = [s for s in stretches([DAY, NIGHT], [], 1, week) if not s.people]
    assert [(g.start - MONDAY) / timedelta(hours=1) for g in gaps] == [5 * 24 + 12, 6 * 24 + 12]


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(1, 40), st.sampled_from("abc")), max_size=8))
def test_stretches_cover_the_time_without_holes_or_overlaps(given: list[tuple[int, int, str]]) -> None:
    starts = datetime(2026, 11, 20, 8)
    shifts = [
        Shift(n, 1, who, starts + timedelta(hours=h), starts + timedelta(hours=h + length), TAIPEI)
        for n, (h, length, who) in enumerate(given)
    ]
    during = Interval(MONDAY, MONDAY + timedelta(days=4))
    found = stretches(shifts, [], 1, during)
    assert (found[0].start, found[-1].end) == (during.start, during.end)
    assert all(a.end == b.start and a.people != b.people for a, b in pairwise(found))
    assert all(on_call(shifts, [], 1, s.start) == s.people for s in found)


@pytest.mark.parametrize(
    "repeats",
    [
        "FREQ=SECONDLY",
        "FREQ=DAILY;BYSECOND=1",
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;BYMONTHDAY=32",
        "FREQ=DAILY\nX",
        "nonsense",
        "",
    ],
)
def test_rules_finer_than_a_day_or_wrong_are_refused(repeats: str) -> None:
    with pytest.raises(Invalid):
        checked_shift(Shift(0, 1, "lin", DAY.starts, DAY.ends, TAIPEI, repeats))


def test_a_rule_that_never_comes_is_refused() -> None:
    february = datetime(2026, 2, 3, 8)
    never = "FREQ=MONTHLY;INTERVAL=48;BYMONTHDAY=30"
    with pytest.raises(Invalid, match="never comes"):
        checked_shift(Shift(0, 1, "lin", february, february + timedelta(hours=8), TAIPEI, never))
    leap_years = "FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=29"
    checked_shift(Shift(0, 1, "lin", february, february + timedelta(hours=8), TAIPEI, leap_years))


def test_a_shift_ends_after_it_starts_and_within_a_week() -> None:
    for hours in (0, 24 * 8):
        with pytest.raises(Invalid):
            checked_shift(Shift(0, 1, "lin", DAY.starts, DAY.starts + timedelta(hours=hours), TAIPEI))
