"""Corrections and meter exchanges: changed readings, audited, and taken back again by an undo.

Figures follow: the roll-ups of the period are reckoned again.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from energy_center.domain.meter_events import Correction, MeterEvent, MeterEventKind
from energy_center.domain.people import Actor, Permission, User
from energy_center.domain.quantities import Kind
from energy_center.domain.readings import Quality
from energy_center.domain.site import Point
from energy_center.errors import Conflict, Invalid, NotAllowed, NotFound
from energy_center.services.current_site import current_site
from energy_center.store import audit
from energy_center.store import meter_events as store
from energy_center.store.meter_events import ReadingChange
from energy_center.store.partitions import ensure_weeks, week_of
from energy_center.store.pool import Connection, Database
from energy_center.store.site import MAX_RATE_PER_H

LONGEST_REASON = 500
MOST_READINGS = 100_000
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)  # no reading is older
_AHEAD = timedelta(days=1)  # clocks of devices; the roll-ups of all of the period are reckoned again
_JUST_BEFORE = timedelta(milliseconds=1)  # the old meter's last register stands so long before the new one's
_MINUTES_OF_RATE = 60.0  # a rise within a minute's worth of the fastest rate would count as consumption


@dataclass(frozen=True, slots=True)
class WantedCorrection:
    """Change the readings of [start, end) of a point."""

    equipment_id: str
    point: str
    start: datetime
    end: datetime
    correction: Correction
    reason: str


@dataclass(frozen=True, slots=True)
class WantedExchange:
    """A meter was exchanged at an instant: both registers as read on site, in the point's unit."""

    equipment_id: str
    point: str
    at: datetime
    old_last: float
    new_first: float
    reason: str


def _check_may(user: User | None) -> None:
    """Programs of this machine (None) may; people need the permission."""
    if user is not None and not user.may(Permission.CORRECT_READINGS):
        raise NotAllowed(f"The role {user.role.value} may not correct readings.")


async def correct_readings(
    db: Database, wanted: WantedCorrection, user: User | None, actor: Actor, now: datetime
) -> MeterEvent:
    """Correct, and mark what was changed as substituted.

    Raises NotAllowed, NotFound for no such point, Invalid for no or too many readings in the period.
    """
    _check_may(user)
    point = await _point(db, wanted.equipment_id, wanted.point)
    if wanted.start >= wanted.end:
        raise Invalid("The period ends before it starts.")
    if wanted.end > now + _AHEAD:
        raise Invalid("The period ends more than a day ahead.")
    async with db.transaction() as connection:
        await store.lock_readings(connection, point.point_id)
        found = await store.readings_between(
            connection, point.point_id, wanted.start, wanted.end, MOST_READINGS + 1
        )
        if not found:
            raise Invalid("There is no reading in the period; raw readings may be past their retention.")
        if len(found) > MOST_READINGS:
            raise Invalid(
                f"There are more than {MOST_READINGS:,} readings in the period; correct it in parts."
            )
        changes = [_changed(wanted.correction, at, value, quality) for at, value, quality in found]
        detail = {"to": wanted.correction.kind.value, "number": wanted.correction.number}
        return await _record(
            connection,
            MeterEventKind.CORRECTION,
            point,
            (wanted.start, wanted.end),
            detail,
            wanted.reason,
            changes,
            actor,
            now,
        )


def _changed(correction: Correction, at: datetime, value: float, quality: int) -> ReadingChange:
    new = correction.apply(value)
    if new is not None and not math.isfinite(new):
        raise Invalid(f"The reading of {at.isoformat()} would be no number any more: {new}.")
    flags = None if new is None else int((Quality(quality) | Quality.SUBSTITUTED) & ~_CURED)
    return ReadingChange(at, value, quality, new, flags)


_CURED = Quality.OUT_OF_RANGE | Quality.SENSOR_FAULT  # a corrected reading counts again


async def record_exchange(
    db: Database, wanted: WantedExchange, user: User | None, actor: Actor, now: datetime
) -> MeterEvent:
    """Put both registers into the series, so that nothing is lost that either meter counted.

    Raises NotAllowed, NotFound, Invalid for a point that is no counter, a future instant or a new register
    that figures could not tell from consumption, Conflict where a reading stands at the instant already.
    """
    _check_may(user)
    point = await _point(db, wanted.equipment_id, wanted.point)
    _check_exchange(point, wanted, now)
    before = wanted.at - _JUST_BEFORE
    changes = [
        ReadingChange(before, None, None, wanted.old_last, int(Quality.SUBSTITUTED)),
        ReadingChange(wanted.at, None, None, wanted.new_first, int(Quality.SUBSTITUTED)),
    ]
    await ensure_weeks(db, sorted({week_of(before), week_of(wanted.at)}))
    async with db.transaction() as connection:
        await store.lock_readings(connection, point.point_id)
        detail = {"old_last": wanted.old_last, "new_first": wanted.new_first}
        period = (before, wanted.at + _JUST_BEFORE)
        return await _record(
            connection, MeterEventKind.EXCHANGE, point, period, detail, wanted.reason, changes, actor, now
        )


def _check_exchange(point: Point, wanted: WantedExchange, now: datetime) -> None:
    if point.kind is not Kind.COUNTER:
        raise Invalid(f"{point.equipment_id}/{point.name} is no counter.")
    if wanted.at > now:
        raise Invalid("The exchange lies in the future.")
    if wanted.at < _EARLIEST:
        raise Invalid("The exchange lies before the year 2000.")
    if min(wanted.old_last, wanted.new_first) < 0:
        raise Invalid("A register is never negative.")
    rise = wanted.new_first - wanted.old_last
    most = max(MAX_RATE_PER_H.get(point.role, 0.0) / _MINUTES_OF_RATE, 1.0)
    if 0 < rise <= most:
        raise Invalid(
            f"The new register is {rise:g} above the old one, which figures cannot tell from consumption; "
            "correct the new meter's readings instead."
        )


async def undo_event(
    db: Database, event_id: int, user: User | None, actor: Actor, now: datetime
) -> MeterEvent:
    """Give every reading back that the event changed.

    Raises NotAllowed, NotFound, Conflict where it is undone already or a later event changed its readings.
    """
    _check_may(user)
    async with db.transaction() as connection:
        event = await store.lock_event(connection, event_id)
        if event is None:
            raise NotFound("There is no such event.", meter_event_id=event_id)
        if event.undone_at is not None:
            raise Conflict("The event is undone already.", meter_event_id=event_id)
        await store.lock_readings(connection, event.point_id)
        changes = [change.reversed for change in await store.kept_changes(connection, event_id)]
        if await store.apply_changes(connection, event.point_id, changes) != len(changes):
            raise Conflict("A later event changed these readings; undo that one first.")
        await store.mark_undone(connection, event_id, actor.name, now)
        await store.reckon_again(connection, event.point_id, event.from_at, event.to_at)
        undone = await _held(connection, event_id)
        await audit.append(
            connection,
            actor,
            "meter_event.undone",
            f"meter_event/{event_id}",
            facts_of(event),
            facts_of(undone),
            now,
        )
    return undone


async def list_events(
    db: Database, *, equipment_id: str | None = None, before_id: int | None = None, limit: int = 100
) -> list[MeterEvent]:
    """Newest first, undone ones too; `before_id` continues an earlier page."""
    async with db.connection() as connection:
        return await store.list_events(connection, equipment_id, before_id, limit)


def facts_of(event: MeterEvent) -> Mapping[str, object]:
    """What the audit log keeps of an event."""
    return {
        "kind": event.kind.value,
        "point": f"{event.equipment_id}/{event.point}",
        "from": event.from_at.isoformat(),
        "to": event.to_at.isoformat(),
        **event.detail,
        "readings": event.readings,
        "reason": event.reason,
        "undone": event.undone_at is not None,
    }


async def _point(db: Database, equipment_id: str, name: str) -> Point:
    site = await current_site(db)
    found = next((p for p in site.points() if p.key == (equipment_id, name)), None)
    if found is None:
        raise NotFound("There is no such point.", equipment_id=equipment_id, point=name)
    return found


async def _record(
    connection: Connection,
    kind: MeterEventKind,
    point: Point,
    period: tuple[datetime, datetime],
    detail: Mapping[str, object],
    reason: str,
    changes: Sequence[ReadingChange],
    actor: Actor,
    now: datetime,
) -> MeterEvent:
    if not reason.strip():
        raise Invalid("A reason is needed.")
    event_id = await store.insert_event(
        connection, kind, point.point_id, period, detail, reason.strip(), actor.name, now
    )
    await store.keep_changes(connection, event_id, changes)
    if await store.apply_changes(connection, point.point_id, changes) != len(changes):
        raise Conflict("A reading stands at that instant already; give an instant between two readings.")
    await store.reckon_again(connection, point.point_id, *period)
    event = await _held(connection, event_id)
    await audit.append(
        connection, actor, f"meter_event.{kind.value}", f"meter_event/{event_id}", None, facts_of(event), now
    )
    return event


async def _held(connection: Connection, event_id: int) -> MeterEvent:
    event = await store.lock_event(connection, event_id)
    if event is None:
        raise NotFound("There is no such event.", meter_event_id=event_id)
    return event
