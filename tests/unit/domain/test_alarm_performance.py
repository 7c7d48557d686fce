"""Figures of the alarm system, each worked out by hand."""

from datetime import UTC, datetime, timedelta

import pytest

from energy_center.domain.alarm_performance import Annunciation, measure, quantile
from energy_center.domain.alarms import Priority

START = datetime(2026, 11, 1, tzinfo=UTC)
END = START + timedelta(days=2)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def call(
    minute: float,
    place: str = "a",
    *,
    seen: float | None = None,
    gone: float | None = None,
    priority: Priority = Priority.LOW,
) -> Annunciation:
    return Annunciation(
        1,
        "rule",
        place,
        priority,
        at(minute),
        None if seen is None else at(seen),
        None if gone is None else at(gone),
    )


def test_rates_are_over_the_whole_period() -> None:
    made = measure([call(60 * n, str(n)) for n in range(12)], START, END)
    assert (made.raised, made.per_hour, made.per_day) == (12, 0.25, 6.0)
    assert [count for _, count in made.by_day] == [12, 0]


def test_calls_outside_the_period_are_left_out() -> None:
    made = measure([call(-1), call(0), call(2 * 1440)], START, END)
    assert made.raised == 1


def test_the_peak_is_the_most_in_any_ten_minutes() -> None:
    made = measure([call(m, str(m)) for m in (0, 9, 9.9, 10, 30)], START, END)
    assert (made.peak_in_10_min, made.peak_at) == (3, at(9.9))


def test_a_flood_begins_above_ten_and_ends_below_five() -> None:
    # one a minute from 0 to 11: the 11th (minute 10 - when the first is 10 min old and leaves) is counted
    # with those of minutes 0.5 to 10; so 12 calls half a minute apart: flood from minute 5 (11th call) on
    calls = [call(n / 2, str(n)) for n in range(12)]
    made = measure(calls, START, END)
    # calls leave at 10, 10.5, ..: 12 - k left after the k-th leaving; fewer than 5 after the 8th, at 13.5
    assert made.floods == 1
    assert made.flood_share == pytest.approx((13.5 - 5) / (2 * 1440))


def test_ten_in_ten_minutes_are_no_flood() -> None:
    assert measure([call(n / 2, str(n)) for n in range(10)], START, END).floods == 0


def test_bad_actors_chattering_and_fleeting() -> None:
    calls = [call(0, gone=1), call(20, gone=60), call(50), call(100, "b"), call(200, "c", seen=201, gone=205)]
    made = measure(calls, START, END)
    first = made.bad_actors[0]
    assert (first.equipment_id, first.count, first.share) == ("a", 3, 0.6)
    assert (first.chattering, first.fleeting) == (True, 1)
    assert (made.chattering, made.fleeting, made.top_ten_share) == (1, 1, pytest.approx(1.0))


def test_three_raises_in_just_an_hour_do_not_chatter() -> None:
    assert measure([call(0), call(30), call(60)], START, END).chattering == 0


def test_priorities_with_time_to_acknowledge() -> None:
    calls = [
        call(0, "a", seen=5, priority=Priority.CRITICAL),
        call(0, "b", seen=15, priority=Priority.CRITICAL),
        call(0, "c", priority=Priority.LOW),
        call(0, "d", seen=60, priority=Priority.LOW),
    ]
    made = measure(calls, START, END)
    critical = made.priorities[0]
    assert (critical.count, critical.share, critical.acknowledged) == (2, 0.5, 2)
    assert (critical.median_s, critical.p90_s, critical.target_s) == (300.0, 900.0, 600.0)
    assert (made.median_acknowledge_s, made.p90_acknowledge_s) == (900.0, 3600.0)


def test_nothing_raised_has_no_shares() -> None:
    made = measure([], START, END)
    assert (made.raised, made.peak_in_10_min, made.peak_at, made.top_ten_share) == (0, 0, None, None)
    assert {p.share for p in made.priorities} == {None}
    assert quantile([], 0.5) is None
