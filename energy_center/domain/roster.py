"""Who is on call: shifts by the wall clock that repeat as RFC 5545 says, and who stands in for whom."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rruleset, rrulestr

from energy_center.domain.timeline import Interval
from energy_center.errors import Invalid

LONGEST_SHIFT = timedelta(days=7)
LONGEST_VIEW = timedelta(days=62)
_LONGEST_RULE = 200
_FIRST_YEAR, _LAST_YEAR = 2000, 2100
# daily and coarser: a rule by the minute would cost more to expand than it could ever say
_RULE = re.compile(
    r"FREQ=(DAILY|WEEKLY|MONTHLY)"
    r"(;(INTERVAL=[1-9]\d?|COUNT=[1-9]\d{0,3}|UNTIL=\d{8}(T\d{6})?|WKST=(MO|SU)"
    r"|BYDAY=-?[1-5]?(MO|TU|WE|TH|FR|SA|SU)(,-?[1-5]?(MO|TU|WE|TH|FR|SA|SU))*"
    r"|BYMONTHDAY=-?(3[01]|[12]\d|[1-9])(,-?(3[01]|[12]\d|[1-9]))*))*"
)


@dataclass(frozen=True, slots=True)
class Shift:
    """A person's turn from `starts` to `ends`, wall clock of `zone`; `repeats` is an RRULE, None: once."""

    shift_id: int
    team_id: int
    user: str
    starts: datetime
    ends: datetime
    zone: str
    repeats: str | None = None


@dataclass(frozen=True, slots=True)
class Cover:
    """`user` stands in from `start_at` to `end_at`: for `instead_of`, or for whoever is on call."""

    cover_id: int
    team_id: int
    user: str
    instead_of: str | None
    start_at: datetime
    end_at: datetime


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which the same people are on call; nobody is a gap."""

    start: datetime
    end: datetime
    people: tuple[str, ...]


def checked_shift(shift: Shift) -> Shift:
    """The shift, when its times and its rule make sense. Raises Invalid."""
    if not _FIRST_YEAR <= shift.starts.year <= _LAST_YEAR:
        raise Invalid(f"A shift begins between {_FIRST_YEAR} and {_LAST_YEAR}", found=shift.starts)
    if not shift.starts < shift.ends <= shift.starts + LONGEST_SHIFT:
        raise Invalid("A shift ends after it starts, at most 7 days later")
    if shift.repeats is not None:
        if len(shift.repeats) > _LONGEST_RULE or not _RULE.fullmatch(shift.repeats):
            raise Invalid(
                "A shift repeats as FREQ=DAILY, WEEKLY or MONTHLY with INTERVAL, BYDAY, BYMONTHDAY, COUNT or "
                "UNTIL (RFC 5545)",
                found=shift.repeats,
            )
        _check_comes(shift, shift.repeats)
    return shift


def _check_comes(shift: Shift, repeats: str) -> None:
    """A rule that never comes would be searched for until the year 9999 at each look at the roster."""
    try:
        rule = rrulestr(repeats, dtstart=shift.starts)
    except ValueError as wrong:
        raise Invalid(f"The shift's rule is not one of RFC 5545: {wrong}", found=repeats) from wrong
    if next(iter(rule), None) is None:
        raise Invalid(
            "The shift's rule never comes: no such day, or not in step with its start", found=repeats
        )


def turns(shift: Shift, during: Interval) -> Iterator[Interval]:
    """The shift's turns that touch a time, in order. Wall clock at both ends: a night with a clock change
    is an hour shorter or longer.
    """
    zone, length = ZoneInfo(shift.zone), shift.ends - shift.starts
    first = during.start.astimezone(zone).replace(tzinfo=None) - length - timedelta(hours=2)
    last = during.end.astimezone(zone).replace(tzinfo=None) + timedelta(hours=2)
    for starts in _starts(shift, first, last):
        start = starts.replace(tzinfo=zone).astimezone(UTC)
        end = (starts + length).replace(tzinfo=zone).astimezone(UTC)
        if start < end and start < during.end and end > during.start:
            yield Interval(start, end)


def _starts(shift: Shift, first: datetime, last: datetime) -> Sequence[datetime]:
    if shift.repeats is None:
        return [shift.starts] if first <= shift.starts <= last else []
    rule: rrule | rruleset = rrulestr(shift.repeats, dtstart=shift.starts)
    return rule.between(first, last, inc=True)


def on_call(shifts: Sequence[Shift], covers: Sequence[Cover], team_id: int, at: datetime) -> tuple[str, ...]:
    """The people of a team who are on call at an instant, in order of name; empty in a gap."""
    moment = Interval(at, at + timedelta(microseconds=1))
    people = {s.user for s in shifts if s.team_id == team_id and any(True for _ in turns(s, moment))}
    for cover in (c for c in covers if c.team_id == team_id and c.start_at <= at < c.end_at):
        if cover.instead_of is None:
            people = {cover.user}
        elif cover.instead_of in people:
            people = (people - {cover.instead_of}) | {cover.user}
    return tuple(sorted(people))


def stretches(
    shifts: Sequence[Shift], covers: Sequence[Cover], team_id: int, during: Interval
) -> list[Stretch]:
    """A team's time on call without holes: where nobody is on call, a stretch says so.

    Raises Invalid when more than 62 days are asked for.
    """
    if during.duration > LONGEST_VIEW:
        raise Invalid("At most 62 days of the roster can be shown at once")
    edges = {during.start, during.end}
    for shift in (s for s in shifts if s.team_id == team_id):
        for turn in turns(shift, during):
            edges |= {turn.start, turn.end}
    for cover in (c for c in covers if c.team_id == team_id):
        edges |= {cover.start_at, cover.end_at}
    inside = sorted(edge for edge in edges if during.start <= edge <= during.end)
    found: list[Stretch] = []
    for start, end in pairwise(inside):
        people = on_call(shifts, covers, team_id, start)
        if found and found[-1].people == people:
            found[-1] = Stretch(found[-1].start, end, people)
        else:
            found.append(Stretch(start, end, people))
    return found
