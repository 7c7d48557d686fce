"""What people ask and do about alarms: list, look closer, acknowledge, shelve. Every deed is audited."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from energy_center.domain import alarms as moves
from energy_center.domain.alarms import Alarm, AlarmEvent, AlarmEventKind, AlarmState, Priority, Suppression
from energy_center.domain.people import Actor
from energy_center.domain.site import Text
from energy_center.domain.supervision import COLLECTOR
from energy_center.errors import NotFound
from energy_center.rules.find_texts import find_texts
from energy_center.rules.rule import RuleTexts
from energy_center.store import alarms as store
from energy_center.store import audit, outbox
from energy_center.store.pool import Connection, Database


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """An alarm as a list shows it."""

    alarm_id: int
    rule_id: str
    title: Text
    equipment_id: str
    equipment_name: Text
    building_id: str | None
    priority: Priority
    state: AlarmState
    onset_at: datetime
    raised_at: datetime
    returned_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    shelved_until: datetime | None
    suppressed_by: str | None
    work_order_id: int | None
    suppression: Suppression | None = None
    hidden_by: Text | None = None
    chattering: bool = False
    found_late_at: datetime | None = None
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """Who was told through which channel; `sent_at` is None while the message has not gone out."""

    channel: str
    recipient: str
    queued_at: datetime
    sent_at: datetime | None
    attempts: int
    last_error: str | None


@dataclass(frozen=True, slots=True)
class AlarmDetail:
    """An alarm with why it was raised, what it wastes, what to do, and what has happened to it.

    `evidence` has window_from, window_to, point_ids, points, parameters, values, notes; `suggestion` has
    energy_kwh, money_ntd, carbon_kg, per_day_kwh, water_m3, basis, each null where it cannot be said.
    `texts` is by language, `zh-TW` and `en`.
    """

    row: AlarmRow
    texts: Mapping[str, RuleTexts]
    source: str
    evidence: Mapping[str, Any]
    suggestion: Mapping[str, Any]
    history: tuple[AlarmEvent, ...]
    told: tuple[Told, ...] = ()


async def list_alarms(
    db: Database, *, open_only: bool = True, limit: int = 200, hidden: bool = False
) -> list[AlarmRow]:
    """Alarms, most urgent first; of the open ones those that are suppressed (`hidden`), or all others."""
    async with db.connection() as conn:
        found = await store.listed_alarms(conn, open_only=open_only, limit=limit, hidden=hidden)
        return [_row(a) for a in found]


async def get_alarm(db: Database, alarm_id: int) -> AlarmDetail:
    """One alarm with everything known about it.

    Raises NotFound.
    """
    async with db.connection() as conn:
        found = await store.listed_alarms(conn, open_only=False, limit=1, alarm_id=alarm_id)
        if not found:
            raise NotFound("There is no such alarm", alarm_id=alarm_id)
        history = await store.alarm_events(conn, alarm_id)
    messages = await outbox.told(db, alarm_id=alarm_id)
    known = find_texts(found[0].alarm.rule_id)
    return AlarmDetail(
        row=_row(found[0]),
        texts=known.texts,
        source=known.source,
        evidence=found[0].evidence,
        suggestion=found[0].suggestion,
        history=tuple(history),
        told=tuple(
            Told(m.channel, m.recipient, m.at, m.sent_at, m.attempts, m.last_error)
            for m in reversed(messages)
        ),
    )


async def acknowledge(db: Database, alarm_id: int, actor: Actor, comment: str, now: datetime) -> AlarmRow:
    """Say that a person has seen it.

    Raises NotFound, and Conflict when it was acknowledged before.
    """
    async with db.transaction() as conn:
        before = await _locked(conn, alarm_id)
        after = moves.acknowledge(before, actor.name, now)
        await _write(conn, before, after, AlarmEventKind.ACKNOWLEDGED, actor, comment, now)
    return await _read_row(db, alarm_id)


async def shelve(
    db: Database, alarm_id: int, until: datetime, actor: Actor, comment: str, now: datetime
) -> AlarmRow:
    """Put an alarm aside until a given time.

    Raises NotFound, Conflict when it is closed, Invalid when the time is past or over 7 days ahead.
    """
    async with db.transaction() as conn:
        before = await _locked(conn, alarm_id)
        after = moves.shelve(before, until, now)
        await _write(conn, before, after, AlarmEventKind.SHELVED, actor, comment, now)
    return await _read_row(db, alarm_id)


async def unshelve(db: Database, alarm_id: int, actor: Actor, comment: str, now: datetime) -> AlarmRow:
    """Take an alarm back into the list before its time.

    Raises NotFound, and Conflict when it is not shelved.
    """
    async with db.transaction() as conn:
        before = await _locked(conn, alarm_id)
        after = moves.unshelve(before)
        await _write(conn, before, after, AlarmEventKind.UNSHELVED, actor, comment, now)
    return await _read_row(db, alarm_id)


async def _locked(conn: Connection, alarm_id: int) -> Alarm:
    alarm = await store.lock_alarm(conn, alarm_id)
    if alarm is None:
        raise NotFound("There is no such alarm", alarm_id=alarm_id)
    return alarm


async def _write(
    conn: Connection,
    before: Alarm,
    after: Alarm,
    kind: AlarmEventKind,
    actor: Actor,
    comment: str,
    now: datetime,
) -> None:
    await store.update_alarm(conn, after)
    await store.add_event(conn, after.alarm_id, kind, actor.name, now, comment)
    await store.notify_alarms(conn, after.alarm_id)
    subject, action = f"alarm/{after.alarm_id}", f"alarm.{kind.value}"
    await audit.append(conn, actor, action, subject, _audited(before), _audited(after), now)


async def _read_row(db: Database, alarm_id: int) -> AlarmRow:
    async with db.connection() as conn:
        return _row((await store.listed_alarms(conn, open_only=False, limit=1, alarm_id=alarm_id))[0])


def _audited(alarm: Alarm) -> dict[str, Any]:
    return {
        "state": alarm.state,
        "acknowledged_by": alarm.acknowledged_by,
        "shelved_until": alarm.shelved_until,
    }


def _row(listed: store.ListedAlarm) -> AlarmRow:
    alarm = listed.alarm
    return AlarmRow(
        alarm_id=alarm.alarm_id,
        rule_id=alarm.rule_id,
        title=rule_name(alarm.rule_id),
        equipment_id=alarm.equipment_id,
        equipment_name=_place(listed),
        building_id=listed.building_id,
        priority=alarm.priority,
        state=alarm.state,
        onset_at=alarm.onset_at,
        raised_at=alarm.raised_at,
        returned_at=alarm.returned_at,
        acknowledged_at=alarm.acknowledged_at,
        acknowledged_by=alarm.acknowledged_by,
        shelved_until=alarm.shelved_until,
        suppressed_by=alarm.suppressed_by,
        suppression=alarm.suppression,
        hidden_by=_parent(listed),
        chattering=alarm.chattering,
        found_late_at=alarm.found_late_at,
        withdrawn_at=alarm.withdrawn_at,
        work_order_id=listed.work_order_id,
    )


def _parent(listed: store.ListedAlarm) -> Text | None:
    """The alarm that hides this one, by name and place."""
    if listed.parent is None:
        return None
    rule, place = rule_name(listed.parent[0]), listed.parent[1]
    return Text(f"{rule.zh_tw} · {place.zh_tw}", f"{rule.en} · {place.en}")


def _place(listed: store.ListedAlarm) -> Text:
    name = listed.alarm.equipment_id.removeprefix(COLLECTOR)
    if name == listed.alarm.equipment_id:
        return listed.equipment_name
    return Text(f"收集程式 {name}", f"Collector {name}")


def rule_name(rule_id: str) -> Text:
    """A rule's name in both languages; its id when the rule is gone from the catalogue."""
    return find_texts(rule_id).name
