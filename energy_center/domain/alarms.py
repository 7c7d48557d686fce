"""Alarms: their states (ANSI/ISA-18.2-2016, 5.2.2) and the moves between them, as pure functions of the time.

Shelving and suppression stand beside the state: they hide an alarm, they do not change what is true.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

from energy_center.errors import Conflict, Invalid

AlarmId = NewType("AlarmId", int)

LONGEST_SHELVING = timedelta(days=7)

# Chattering: raised this often within the window. ISA-18.2 counts three in a minute; rules that hold for
# minutes chatter by the hour. It stays active until it has been quiet for the delay.
CHATTER_RAISES = 3
CHATTER_WINDOW = timedelta(hours=1)
DELAY_OFF = timedelta(minutes=30)
# Longer than this in the list it is a standing (stale) alarm (EEMUA 191, 2013; ANSI/ISA-18.2-2016, 16.4).
STANDING_AFTER = timedelta(hours=24)


class Priority(StrEnum):
    """Consequence and time to respond: 10 minutes, today, this week, next planned visit."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 is the most urgent."""
        return list(Priority).index(self)


class AlarmState(StrEnum):
    """Whether the condition stands and whether a person has said so."""

    UNACKNOWLEDGED = "unacknowledged"
    ACKNOWLEDGED = "acknowledged"
    RETURNED_UNACKNOWLEDGED = "returned_unacknowledged"
    NORMAL = "normal"

    @property
    def is_open(self) -> bool:
        """Whether the alarm still needs a person or a repair."""
        return self is not AlarmState.NORMAL

    @property
    def is_active(self) -> bool:
        """Whether the condition still stands."""
        return self in {AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED}


class AlarmEventKind(StrEnum):
    """What the append-only history of an alarm records."""

    RAISED = "raised"
    REOPENED = "reopened"
    RETURNED = "returned"
    ACKNOWLEDGED = "acknowledged"
    SHELVED = "shelved"
    UNSHELVED = "unshelved"
    UNVERIFIED = "unverified"
    GROUPED = "grouped"
    SUPPRESSED = "suppressed"
    RELEASED = "released"
    WORK_ORDER = "work_order"
    CHATTERING = "chattering"
    CHATTER_ENDED = "chatter_ended"
    CORRECTED = "corrected"
    WITHDRAWN = "withdrawn"


class Suppression(StrEnum):
    """Why an alarm is recorded but not in the list."""

    DESIGN = "design"  # another alarm explains it
    FLOOD = "flood"  # one of many with a common cause
    OUT_OF_SERVICE = "out_of_service"  # people work on its equipment


@dataclass(frozen=True, slots=True)
class Alarm:
    """One rule's finding at one equipment, from its onset to its end; at most one is open at a time."""

    alarm_id: AlarmId
    rule_id: str
    equipment_id: str
    priority: Priority
    state: AlarmState
    onset_at: datetime
    raised_at: datetime
    returned_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    shelved_until: datetime | None = None
    suppressed_by: str | None = None
    suppression: Suppression | None = None
    chattering: bool = False
    latched_at: datetime | None = None
    found_late_at: datetime | None = None
    withdrawn_at: datetime | None = None

    @property
    def is_hidden(self) -> bool:
        """Whether it is recorded only: neither listed nor told."""
        return self.suppressed_by is not None

    def is_standing(self, now: datetime) -> bool:
        """Whether it has been in the list for over a day: a sign that nobody can or will act on it."""
        return self.state.is_active and not self.is_hidden and now - self.raised_at > STANDING_AFTER

    def is_shelved(self, now: datetime) -> bool:
        """Whether a person has put it aside for the time being."""
        return self.shelved_until is not None and now < self.shelved_until


@dataclass(frozen=True, slots=True)
class AlarmEvent:
    """A line of an alarm's history."""

    at: datetime
    actor: str
    event: AlarmEventKind
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Saving:
    """What the fault wastes: since its onset, and per day while it lasts. None where it cannot be said."""

    energy_kwh: float | None = None
    money_ntd: float | None = None
    carbon_kg: float | None = None
    per_day_kwh: float | None = None
    water_m3: float | None = None
    basis: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an alarm page draws: the points, the window and the limits that the rule used."""

    window_from: datetime
    window_to: datetime
    point_ids: tuple[int, ...] = ()
    points: tuple[str, ...] = ()
    parameters: dict[str, float] = field(default_factory=dict)
    values: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def acknowledge(alarm: Alarm, by: str, now: datetime) -> Alarm:
    """Say that a person has seen it; a returned alarm becomes normal.

    Raises Conflict when it was acknowledged before or is closed.
    """
    match alarm.state:
        case AlarmState.UNACKNOWLEDGED:
            state = AlarmState.ACKNOWLEDGED
        case AlarmState.RETURNED_UNACKNOWLEDGED:
            state = AlarmState.NORMAL
        case AlarmState.ACKNOWLEDGED | AlarmState.NORMAL:
            raise Conflict("The alarm is already acknowledged", alarm_id=alarm.alarm_id, state=alarm.state)
    return replace(alarm, state=state, acknowledged_at=now, acknowledged_by=by)


def return_to_normal(alarm: Alarm, now: datetime) -> Alarm:
    """The condition has gone: closed if a person had seen it or could not, else it waits to be seen.

    Ends chattering too.
    """
    if not alarm.state.is_active:
        return alarm
    seen = alarm.state is AlarmState.ACKNOWLEDGED or alarm.is_hidden
    state = AlarmState.NORMAL if seen else AlarmState.RETURNED_UNACKNOWLEDGED
    return replace(alarm, state=state, returned_at=now, chattering=False, latched_at=None)


def hide(alarm: Alarm, why: Suppression, by: str) -> Alarm:
    """Record it only: neither listed nor told.

    Raises Conflict for a closed alarm.
    """
    if not alarm.state.is_open:
        raise Conflict("A closed alarm cannot be suppressed", alarm_id=alarm.alarm_id)
    return replace(alarm, suppression=why, suppressed_by=by)


def release(alarm: Alarm) -> Alarm:
    """Into the list again.

    Raises Conflict when nothing hides it.
    """
    if not alarm.is_hidden:
        raise Conflict("The alarm is not suppressed", alarm_id=alarm.alarm_id)
    return replace(alarm, suppression=None, suppressed_by=None)


def chatter(alarm: Alarm) -> Alarm:
    """Flag an active alarm that comes and goes; from now on it ends only after `DELAY_OFF` of quiet."""
    return replace(alarm, chattering=True) if alarm.state.is_active else alarm


def latch(alarm: Alarm, quiet_from: datetime) -> Alarm:
    """A chattering alarm whose condition has gone stays active for now."""
    return replace(alarm, latched_at=quiet_from) if alarm.chattering and alarm.state.is_active else alarm


def unlatch(alarm: Alarm) -> Alarm:
    """Its condition is back: the quiet is over."""
    return replace(alarm, latched_at=None)


def withdraw(alarm: Alarm, now: datetime) -> Alarm:
    """Late readings show that there was nothing: closed, and kept as a record."""
    returned = now if alarm.state.is_active else alarm.returned_at
    return replace(
        alarm,
        state=AlarmState.NORMAL,
        returned_at=returned,
        withdrawn_at=now,
        chattering=False,
        latched_at=None,
    )


def reopen(alarm: Alarm) -> Alarm:
    """The condition is back before anybody saw that it had gone: the same alarm, to be acknowledged."""
    if alarm.state is not AlarmState.RETURNED_UNACKNOWLEDGED:
        raise Conflict("Only a returned, unseen alarm can reopen", alarm_id=alarm.alarm_id, state=alarm.state)
    return replace(alarm, state=AlarmState.UNACKNOWLEDGED, returned_at=None)


def shelve(alarm: Alarm, until: datetime, now: datetime) -> Alarm:
    """Put an open alarm aside until a given time, at most `LONGEST_SHELVING` ahead."""
    if not alarm.state.is_open:
        raise Conflict("A closed alarm cannot be shelved", alarm_id=alarm.alarm_id)
    if not now < until <= now + LONGEST_SHELVING:
        raise Invalid("Shelving must end within the next 7 days", until=until.isoformat())
    return replace(alarm, shelved_until=until)


def unshelve(alarm: Alarm) -> Alarm:
    """Take a shelved alarm back into the list before its time."""
    if alarm.shelved_until is None:
        raise Conflict("The alarm is not shelved", alarm_id=alarm.alarm_id)
    return replace(alarm, shelved_until=None)


def resume(alarm: Alarm) -> Alarm:
    """Late readings show that it never returned: active again, and seen if a person had seen it."""
    seen = alarm.acknowledged_at is not None
    state = AlarmState.ACKNOWLEDGED if seen else AlarmState.UNACKNOWLEDGED
    return replace(alarm, state=state, returned_at=None)
