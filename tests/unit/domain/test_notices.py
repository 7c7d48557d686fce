"""Whom to tell now: levels, empty levels, quiet hours, nobody twice, floods as one."""

# ruff: noqa: DTZ001 times on a wall clock have no zone of their own

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from energy_center.domain.alarms import Priority
from energy_center.domain.notices import (
    Contact,
    Digest,
    Recent,
    Setup,
    Standing,
    Step,
    Target,
    digest_due,
    plan,
    quiet_until,
)
from energy_center.domain.roster import Shift

ZONE = ZoneInfo("Asia/Taipei")
NOW = datetime(2026, 11, 24, 4, tzinfo=UTC)  # Tuesday noon at the site
MINUTE = timedelta(minutes=1)


def contact(contact_id: int, user: str, **changes: object) -> Contact:
    given: dict[str, object] = {
        "contact_id": contact_id, "user": user, "language": "en", "label": "phone", "shown": "x",
        "least_priority": Priority.LOW, "quiet_from": None, "quiet_to": None, "digest": Digest.NONE,
        "digest_hour": 8, "created_at": NOW - timedelta(days=9),
    }  # fmt: skip
    return Contact(**{**given, **changes})  # type: ignore[arg-type]


def standing(alarm_id: int = 1, minutes: float = 0, **changes: object) -> Standing:
    given: dict[str, object] = {
        "alarm_id": alarm_id, "episode": 10 + alarm_id, "priority": Priority.HIGH,
        "started_at": NOW - minutes * MINUTE, "level": 0,
    }  # fmt: skip
    return Standing(**{**given, **changes})  # type: ignore[arg-type]


DUTY, BOSSES = 1, 2
STEPS = tuple(
    Step(priority, level, after * MINUTE, target, team)
    for priority in (Priority.CRITICAL, Priority.HIGH)
    for level, after, target, team in (
        (1, 0, Target.ON_CALL, DUTY), (2, 15, Target.TEAM, DUTY), (3, 30, Target.TEAM, BOSSES),
    )
)  # fmt: skip
SHIFT = Shift(1, DUTY, "lin", datetime(2026, 11, 24, 8), datetime(2026, 11, 24, 20), "Asia/Taipei")


def setup(*contacts: Contact, shifts: tuple[Shift, ...] = (SHIFT,)) -> Setup:
    return Setup(ZONE, contacts, {DUTY: ("lin", "wu"), BOSSES: ("boss",)}, shifts, (), STEPS)


LIN, WU, BOSS = contact(1, "lin"), contact(2, "wu"), contact(3, "boss")


@pytest.mark.parametrize(
    ("minutes", "level", "told", "expected"),
    [
        (0, 0, set(), [1]),
        (14, 1, {1}, []),
        (15, 1, {1}, [2]),
        (29, 2, {1, 2}, []),
        (30, 2, {1, 2}, [3]),
        (90, 3, {1, 2, 3}, []),
        (31, 0, set(), [1, 2, 3]),  # the worker was away
    ],
)
def test_levels_are_told_in_their_time_and_nobody_twice(
    minutes: float, level: int, told: set[int], expected: list[int]
) -> None:
    alarm = standing(minutes=minutes, level=level, told=frozenset(told))
    found = plan([alarm], setup(LIN, WU, BOSS), {}, NOW)
    assert [due.contact.contact_id for due in found.due] == expected


def test_the_last_level_is_the_end() -> None:
    (reached,) = plan([standing(minutes=30, level=2)], setup(LIN, WU, BOSS), {}, NOW).reached
    assert (reached.level, reached.is_last) == (3, True)


def test_a_gap_in_the_roster_goes_on_to_the_next_level_at_once() -> None:
    found = plan([standing()], setup(LIN, WU, BOSS, shifts=()), {}, NOW)
    assert [due.contact.contact_id for due in found.due] == [1, 2]
    assert [(r.level, r.empty_levels) for r in found.reached] == [(2, (1,))]


def test_a_priority_without_levels_tells_nobody() -> None:
    assert plan([standing(priority=Priority.LOW)], setup(LIN), {}, NOW).due == ()


def test_who_wants_only_critical_alarms_gets_no_other() -> None:
    only = contact(1, "lin", least_priority=Priority.CRITICAL)
    assert plan([standing()], setup(only, shifts=(SHIFT,)), {}, NOW).due == ()
    critical = plan([standing(priority=Priority.CRITICAL)], setup(only), {}, NOW)
    assert len(critical.due) == 1


def test_who_comes_on_duty_is_told_of_what_still_stands() -> None:
    later = Shift(2, DUTY, "wu", datetime(2026, 11, 24, 12), datetime(2026, 11, 24, 20), "Asia/Taipei")
    alarm = standing(minutes=10, level=1, told=frozenset({1}))
    assert [d.contact.user for d in plan([alarm], setup(LIN, WU, shifts=(later,)), {}, NOW).due] == ["wu"]


def test_a_contact_made_after_the_alarm_is_not_told_of_it() -> None:
    new = contact(1, "lin", created_at=NOW - MINUTE)
    assert plan([standing(minutes=5)], setup(new), {}, NOW).due == ()


@pytest.mark.parametrize(
    ("hour", "until_hour"), [(21.9, None), (22, 7), (0, 7), (6.99, 7), (7, None), (12, None)]
)
def test_quiet_hours_run_over_midnight(hour: float, until_hour: int | None) -> None:
    quiet = contact(1, "lin", quiet_from=time(22), quiet_to=time(7))
    at = datetime(2026, 11, 24, tzinfo=ZONE).astimezone(UTC) + timedelta(hours=hour)
    until = quiet_until(quiet, at, ZONE)
    assert (until and until.astimezone(ZONE).hour) == until_hour
    assert until is None or timedelta() < until - at <= timedelta(hours=9)


def test_in_quiet_hours_only_critical_alarms_pass() -> None:
    quiet = contact(1, "lin", quiet_from=time(11), quiet_to=time(13))
    alarms = [standing(1), standing(2, priority=Priority.CRITICAL)]
    found = plan(alarms, setup(quiet), {}, NOW)
    assert [[a.alarm_id for a in due.alarms] for due in found.due] == [[2]]


def test_a_flood_comes_as_one_message_and_critical_ones_singly() -> None:
    alarms = [standing(n) for n in range(1, 9)] + [standing(99, priority=Priority.CRITICAL)]
    found = plan(alarms, setup(LIN), {}, NOW).due
    assert [(due.is_group, len(due.alarms)) for due in found] == [(False, 1), (True, 8)]


@pytest.mark.parametrize(
    ("singles", "minutes", "grouped"), [(4, None, False), (5, None, True), (5, 1, None), (5, 2, True)]
)
def test_alarms_that_drip_in_are_gathered(singles: int, minutes: int | None, grouped: bool | None) -> None:
    recent = Recent(singles, None if minutes is None else NOW - minutes * MINUTE)
    found = plan([standing()], setup(LIN), {1: recent}, NOW).due
    assert [due.is_group for due in found] == ([] if grouped is None else [grouped])


@pytest.mark.parametrize(
    ("digest", "hour", "done_to", "due"),
    [
        (Digest.DAILY, 12, None, datetime(2026, 11, 24, 12)),
        (Digest.DAILY, 13, None, datetime(2026, 11, 23, 13)),
        (Digest.DAILY, 12, NOW, None),
        (Digest.WEEKLY, 12, None, None),  # Monday noon is a day ago
        (Digest.WEEKLY, 13, None, datetime(2026, 11, 23, 13)),
        (Digest.NONE, 12, None, None),
    ],
)
def test_summaries_are_due_at_their_hour_once_and_not_a_day_late(
    digest: Digest, hour: int, done_to: datetime | None, due: datetime | None
) -> None:
    at = digest_due(contact(1, "lin", digest=digest, digest_hour=hour), done_to, ZONE, NOW)
    assert at == (due and due.replace(tzinfo=ZONE))
