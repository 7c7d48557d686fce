"""Flood control: many alarms at once with a common cause become one.

The first ones are shown and told; the others are recorded under the first, and shown and told when that one
is not listed any more but they still stand. Safety alarms are never grouped (ANSI/ISA-18.2-2016, 12.4).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from energy_center.domain import alarms as moves
from energy_center.domain.alarms import Alarm, AlarmEventKind, Priority, Suppression
from energy_center.domain.people import Actor
from energy_center.domain.site import Site
from energy_center.store import alarms as store
from energy_center.store.alarm_stretches import count_all_raises
from energy_center.store.pool import Connection

RULES_ACTOR = Actor("system:rules", "")
FLOOD_WINDOW = timedelta(minutes=10)
SHOWN_AT_MOST = 3
FLOOD_RAISES = 10  # more than so many in the window are a flood (ANSI/ISA-18.2-2016, 3.1; EEMUA 191)


async def find_leader(conn: Connection, alarm: Alarm, site: Site) -> Alarm | None:
    """The alarm under which this one is grouped; None while there are few, or when it is about safety.

    Many of one rule in a building are one. In a flood those with another common cause are too: read through
    one connection, or fed by one equipment.
    """
    if alarm.priority is Priority.CRITICAL:
        return None
    since = alarm.raised_at - FLOOD_WINDOW
    causes = _causes(site)
    own = causes(alarm.equipment_id)
    same_rule = await standing_alarms(conn, alarm, since, alarm.rule_id)
    alike = [a for a in same_rule if own.building == causes(a.equipment_id).building]
    if len(alike) >= SHOWN_AT_MOST:
        return alike[0]
    if await count_all_raises(conn, since, alarm.raised_at) <= FLOOD_RAISES:
        return None
    others = await standing_alarms(conn, alarm, since, None)
    return next((a for a in others if own.shared & causes(a.equipment_id).shared), None)


async def standing_alarms(
    conn: Connection, alarm: Alarm, since: datetime, rule_id: str | None
) -> list[Alarm]:
    """Listed alarms raised since then, this one left out, oldest first."""
    return [a for a in await store.standing_alarms(conn, rule_id, since) if a.alarm_id != alarm.alarm_id]


@dataclass(frozen=True, slots=True)
class _Causes:
    """What an alarm may have in common with others at the same time."""

    building: str | None
    shared: frozenset[str]


def _causes(site: Site) -> Callable[[str], _Causes]:
    by_id = {e.equipment_id: e for e in site.equipment}

    def causes(equipment_id: str) -> _Causes:
        equipment = by_id.get(equipment_id)
        if equipment is None:
            return _Causes(None, frozenset())
        shared = {f"connection/{equipment.connection_id}"} if equipment.connection_id else set()
        if equipment.fed_by is not None:
            shared.add(f"fed_by/{equipment.fed_by}")
        return _Causes(site.building_of(equipment.space_id), frozenset(shared))

    return causes


async def join_group(conn: Connection, alarm: Alarm, leader: Alarm) -> None:
    """Record the alarm under its leader: neither told nor listed."""
    await store.update_alarm(conn, moves.hide(alarm, Suppression.FLOOD, f"alarm/{leader.alarm_id}"))
    at, name = alarm.raised_at, RULES_ACTOR.name
    note = f"alarm/{alarm.alarm_id} {alarm.equipment_id}"
    await store.add_event(conn, leader.alarm_id, AlarmEventKind.GROUPED, name, at, note)
    await store.add_event(conn, alarm.alarm_id, AlarmEventKind.GROUPED, name, at, f"alarm/{leader.alarm_id}")
    await store.notify_alarms(conn, leader.alarm_id)
