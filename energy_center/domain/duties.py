"""Duties: what a building's owner must do again and again, by law or by practice, and when each one is due.

A recurrence is an RFC 5545 rule (RRULE) over site-local dates. Where a due date falls on a day when offices
are closed it moves as the duty says. Whether one is open, overdue or done is told from dates alone; nothing
is stored for a due date that nobody has touched yet.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache

from dateutil.rrule import rruleset, rrulestr

from energy_center.domain.alarms import Priority
from energy_center.domain.calendars import GovernmentCalendar
from energy_center.domain.site import Text

_LONGEST_CLOSURE = 30  # days; no calendar closes offices longer
_IN_EVERY_MONTH = 28
_INTERVAL = re.compile(r"[1-9]\d{0,2}")
_SOUGHT_TO = "20400101T000000"  # the calendar repeats after 28 years: what is not due by then never is


class Basis(StrEnum):
    """What obliges."""

    LAW = "law"
    PRACTICE = "practice"
    CONTRACT = "contract"


class Subject(StrEnum):
    """What a duty is done for: once for each of them."""

    SITE = "site"
    BUILDING = "building"
    LIFT = "lift"
    GENERATOR = "generator"
    WATER_TANK = "water_tank"
    DRINKING_FOUNTAIN = "drinking_fountain"
    COOLING_TOWER = "cooling_tower"
    AED = "aed"
    CANTEEN = "canteen"
    VEHICLE = "vehicle"
    PRESSURE_VESSEL = "pressure_vessel"
    PARKING_MACHINE = "parking_machine"


class Evidence(StrEnum):
    """Papers that prove it was done."""

    REPORT = "report"
    CERTIFICATE = "certificate"
    RECORD = "record"
    PHOTO = "photo"
    POLICY = "policy"
    SIGN_IN = "sign_in"
    RECEIPT = "receipt"


class OnDayOff(StrEnum):
    """Where a due date goes that falls on a day when offices are closed."""

    EARLIER = "earlier"  # the last working day before it
    LATER = "later"  # the first working day after it
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Duty:
    """A recurring duty; `recurrence` is an RRULE, `opens_days` how early before a due date it may be done.

    `is_confirmed` is False where the interval rests on practice or memory and a person must check it first.
    """

    duty_id: str
    name: Text
    subject: Subject
    basis: Basis
    source: Text
    recurrence: str
    opens_days: int
    grace_days: int
    on_day_off: OnDayOff
    priority: Priority
    evidence: tuple[Evidence, ...]
    who: Text
    is_confirmed: bool


class Standing(StrEnum):
    """Where one due date stands on a day."""

    PLANNED = "planned"  # too early to do it
    OPEN = "open"
    IN_GRACE = "in_grace"
    OVERDUE = "overdue"
    DONE = "done"
    DONE_LATE = "done_late"
    WAIVED = "waived"


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """One due date, with the first day to do it and the last that still counts as in time."""

    due_on: date
    opens_on: date
    last_on: date


@dataclass(frozen=True, slots=True)
class Deed:
    """What was done for one due date; `is_waived` when it was decided, with a reason, not to do it."""

    due_on: date
    done_on: date
    is_waived: bool = False


def check_recurrence(rule: str) -> None:
    """Raises ValueError, saying what is wrong, for a rule that is no RRULE, leaves out years or months, or is
    never due.

    RFC 5545 skips a 29 February or a 31st where there is none: -1 is the last day.
    """
    parts = dict(part.partition("=")[::2] for part in rule.upper().split(";"))
    if "DTSTART" in rule.upper() or "UNTIL" in parts or "COUNT" in parts:
        raise ValueError(
            "leave out DTSTART, UNTIL and COUNT: a duty begins where it is adopted and never ends"
        )
    if parts.get("FREQ") not in {"YEARLY", "MONTHLY", "WEEKLY", "DAILY"}:
        raise ValueError("FREQ is one of YEARLY, MONTHLY, WEEKLY, DAILY")
    if not _INTERVAL.fullmatch(parts.get("INTERVAL", "1")):  # dateutil steps on the spot for ever with 0
        raise ValueError("INTERVAL is a whole number from 1 to 999")
    _check_days(parts)
    try:
        dates = rrulestr(f"{rule};UNTIL={_SOUGHT_TO}", dtstart=datetime(2000, 1, 1))  # noqa: DTZ001 dates only
    except (ValueError, KeyError) as cause:
        raise ValueError(f"{rule!r} is no RRULE of RFC 5545: {cause}") from cause
    if next(iter(dates), None) is None:
        raise ValueError(f"{rule!r} is never due")


def _check_days(parts: Mapping[str, str]) -> None:
    days = [int(day) for day in parts.get("BYMONTHDAY", "").split(",") if day.removeprefix("+").isdecimal()]
    latest = max(days, default=0)
    if latest > _IN_EVERY_MONTH and not _has_day(parts, latest):
        raise ValueError(f"not every month has a day {latest}: write BYMONTHDAY=-1 for the last day")


def _has_day(parts: Mapping[str, str], day_of_month: int) -> bool:
    longest = {2: 28, 4: 30, 6: 30, 9: 30, 11: 30}
    months = [int(month) for month in parts.get("BYMONTH", "").split(",") if month.isdecimal()]
    return bool(months) and all(longest.get(month, 31) >= day_of_month for month in months)


@lru_cache(maxsize=512)
def _rules(recurrence: str, starts_on: date) -> rruleset:
    begins_on = starts_on
    if not re.search("WEEKLY|DAILY", recurrence.upper()):  # else RFC 5545 skips months that lack the day
        begins_on = starts_on.replace(day=min(starts_on.day, _IN_EVERY_MONTH))
    begin = datetime.combine(begins_on, time())
    rules = rruleset(cache=True)
    rules.rrule(rrulestr(recurrence, dtstart=begin))  # type: ignore[arg-type]
    return rules


def dues(duty: Duty, starts_on: date, first: date, end: date, calendar: GovernmentCalendar) -> Iterator[Due]:
    """The due dates of a duty adopted on `starts_on` that lie in [first, end), in order, after moving.

    Intervals of a recurrence count from `starts_on`; nothing is due before it.
    """
    rules = _rules(duty.recurrence, starts_on)
    margin = timedelta(days=_LONGEST_CLOSURE)
    earliest = datetime.combine(max(starts_on, first - margin), time())
    seen: date | None = None
    for at in rules.between(earliest, datetime.combine(end + margin, time()), inc=True):
        due_on = _moved(at.date(), duty.on_day_off, calendar)
        if first <= due_on < end and due_on != seen and due_on >= starts_on:
            seen = due_on
            opens_on = max(due_on - timedelta(days=duty.opens_days), starts_on)
            yield Due(due_on, opens_on, due_on + timedelta(days=duty.grace_days))


def _moved(on: date, way: OnDayOff, calendar: GovernmentCalendar) -> date:
    if way is OnDayOff.KEEP:
        return on
    step = timedelta(days=-1 if way is OnDayOff.EARLIER else 1)
    moved = on
    while not calendar.is_working_day(moved):
        moved += step
    return moved


def standing(due: Due, deed: Deed | None, today: date) -> Standing:
    """Where a due date stands on a site-local day."""
    if deed is not None:
        if deed.is_waived:
            return Standing.WAIVED
        return Standing.DONE if deed.done_on <= due.last_on else Standing.DONE_LATE
    if today < due.opens_on:
        return Standing.PLANNED
    if today <= due.due_on:
        return Standing.OPEN
    return Standing.IN_GRACE if today <= due.last_on else Standing.OVERDUE
