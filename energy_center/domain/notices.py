"""Whom to tell of which alarm now: escalation, quiet hours, one message an alarm and contact, floods grouped.

Pure functions of the time; who was told already comes in, the messages that are due go out.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from energy_center.domain.alarms import Priority
from energy_center.domain.roster import Cover, Shift, on_call

FLOOD_WINDOW = timedelta(minutes=10)
# More single messages than this to one contact in ten minutes, and the rest come as one.
SINGLES_AT_MOST = 5
GROUP_EVERY = timedelta(minutes=2)


class Target(StrEnum):
    """Whom a level tells: the person on call in the team, or all of it."""

    ON_CALL = "on_call"
    TEAM = "team"


class Digest(StrEnum):
    """How often a contact gets the summary for managers; a weekly one on Mondays."""

    NONE = "none"
    DAILY = "daily"
    WEEKLY = "weekly"


class MessageKind(StrEnum):
    """What a message is about; `gap`: nobody could be told."""

    ALARM = "alarm"
    RETURNED = "returned"
    GROUP = "group"
    DIGEST = "digest"
    TEST = "test"
    GAP = "gap"


class ClosedAs(StrEnum):
    """Why a message will never go out."""

    NOT_NEEDED = "not_needed"
    NOBODY = "nobody"
    GAVE_UP = "gave_up"
    CONTACT_REMOVED = "contact_removed"


@dataclass(frozen=True, slots=True)
class Step:
    """A level of escalation; `after`: since the alarm's first message."""

    priority: Priority
    level: int
    after: timedelta
    target: Target
    team_id: int


@dataclass(frozen=True, slots=True)
class Contact:
    """A way to reach a person; the address itself is sealed and not here."""

    contact_id: int
    user: str
    language: str
    label: str
    shown: str
    least_priority: Priority
    quiet_from: time | None
    quiet_to: time | None
    digest: Digest
    digest_hour: int
    created_at: datetime

    def takes(self, priority: Priority) -> bool:
        """Whether alarms of this priority go to it at all."""
        return priority.rank <= self.least_priority.rank


@dataclass(frozen=True, slots=True)
class Standing:
    """An unacknowledged alarm that people should know of; `level` is the last one told."""

    alarm_id: int
    episode: int
    priority: Priority
    started_at: datetime
    level: int
    told: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Setup:
    """What an installation has set: who is in which team, who is on call, who is told when."""

    zone: ZoneInfo
    contacts: Sequence[Contact] = ()
    members: Mapping[int, Sequence[str]] = field(default_factory=dict)
    shifts: Sequence[Shift] = ()
    covers: Sequence[Cover] = ()
    steps: Sequence[Step] = ()


@dataclass(frozen=True, slots=True)
class Due:
    """One message to one contact; one `is_group` stands for several alarms."""

    contact: Contact
    alarms: tuple[Standing, ...]
    level: int
    is_group: bool = False


@dataclass(frozen=True, slots=True)
class Recent:
    """What a contact got in ten minutes: messages about single alarms, and the last about several."""

    singles: int = 0
    group_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reached:
    """An alarm came to a new level; with nobody to tell there, it went on to the next one at once."""

    alarm: Standing
    level: int
    is_last: bool
    empty_levels: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be written now."""

    due: tuple[Due, ...]
    reached: tuple[Reached, ...]


def quiet_until(contact: Contact, at: datetime, zone: ZoneInfo) -> datetime | None:
    """When the contact's quiet hours end, None while they are not on."""
    begin, end = contact.quiet_from, contact.quiet_to
    if begin is None or end is None or begin == end:
        return None
    local = at.astimezone(zone)
    now = local.time().replace(tzinfo=None)
    over_midnight = begin > end
    is_quiet = (now >= begin or now < end) if over_midnight else begin <= now < end
    if not is_quiet:
        return None
    ends_on = local.date() + timedelta(days=1) if over_midnight and now >= begin else local.date()
    return datetime.combine(ends_on, end, tzinfo=zone).astimezone(at.tzinfo)


def plan(standing: Sequence[Standing], setup: Setup, recent: Mapping[int, Recent], now: datetime) -> Plan:
    """What is due at `now`; `recent` is by contact."""
    reached, wanted = [], defaultdict(list)
    for alarm in sorted(standing, key=lambda a: (a.priority.rank, a.alarm_id)):
        steps = sorted((s for s in setup.steps if s.priority is alarm.priority), key=lambda s: s.level)
        if not steps:
            continue
        step = _reach(alarm, steps, setup, now)
        if step.level != alarm.level or step.empty_levels:
            reached.append(step)
        for contact, level in _to_tell(alarm, steps, step.level, setup, now).items():
            wanted[contact].append((alarm, level))
    by_id = {c.contact_id: c for c in setup.contacts}
    due = [
        message
        for contact_id, alarms in sorted(wanted.items())
        for message in _messages(by_id[contact_id], alarms, setup.zone, recent.get(contact_id, Recent()), now)
    ]
    return Plan(tuple(due), tuple(reached))


def _reach(alarm: Standing, steps: Sequence[Step], setup: Setup, now: datetime) -> Reached:
    """The level that the alarm has come to; an empty one does not keep the next one waiting."""
    level, empty, waived = alarm.level, [], False
    for step in (s for s in steps if s.level > alarm.level):
        if not waived and now < alarm.started_at + step.after:
            break
        level = step.level
        waived = not _contacts(step, alarm.priority, setup, now)
        if waived:
            empty.append(level)
    return Reached(alarm, level, level == steps[-1].level, tuple(empty))


def _contacts(step: Step, priority: Priority, setup: Setup, now: datetime) -> list[Contact]:
    match step.target:
        case Target.ON_CALL:
            people = set(on_call(setup.shifts, setup.covers, step.team_id, now))
        case Target.TEAM:
            people = set(setup.members.get(step.team_id, ()))
    return [c for c in setup.contacts if c.user in people and c.takes(priority)]


def _to_tell(
    alarm: Standing, steps: Sequence[Step], level: int, setup: Setup, now: datetime
) -> dict[int, int]:
    """Contacts of all levels up to this one that do not know yet, with their level.

    Whoever takes over a shift is told of what still stands; a contact made after the alarm is not.
    """
    found: dict[int, int] = {}
    for step in (s for s in steps if s.level <= level):
        for contact in _contacts(step, alarm.priority, setup, now):
            if contact.contact_id not in alarm.told and contact.created_at <= alarm.started_at:
                found.setdefault(contact.contact_id, step.level)
    return found


def _messages(
    contact: Contact,
    alarms: Sequence[tuple[Standing, int]],
    zone: ZoneInfo,
    recent: Recent,
    now: datetime,
) -> list[Due]:
    """Critical alarms one by one and at once; the others wait for the end of quiet hours, and in a flood
    until two minutes after the last message that stood for several.
    """
    urgent = [(a, level) for a, level in alarms if a.priority is Priority.CRITICAL]
    others = [(a, level) for a, level in alarms if a.priority is not Priority.CRITICAL]
    messages = [Due(contact, (a,), level) for a, level in urgent]
    if not others or quiet_until(contact, now, zone) is not None:
        return messages
    if recent.singles + len(others) <= SINGLES_AT_MOST:
        return messages + [Due(contact, (a,), level) for a, level in others]
    if recent.group_at is not None and now < recent.group_at + GROUP_EVERY:
        return messages
    return [
        *messages,
        Due(contact, tuple(a for a, _ in others), max(level for _, level in others), is_group=True),
    ]


def digest_due(
    contact: Contact, digested_to: datetime | None, zone: ZoneInfo, now: datetime
) -> datetime | None:
    """The instant for which a summary is due, None when the newest one has gone out or is a day late."""
    if contact.digest is Digest.NONE:
        return None
    local = now.astimezone(zone)
    on = local.date() if local.hour >= contact.digest_hour else local.date() - timedelta(days=1)
    if contact.digest is Digest.WEEKLY:
        on -= timedelta(days=on.weekday())
    at = datetime.combine(on, time(contact.digest_hour), tzinfo=zone).astimezone(now.tzinfo)
    is_new = digested_to is None or digested_to < at
    return at if is_new and at > contact.created_at and now - at < timedelta(days=1) else None
