"""Flood control: many alarms of one rule in one building at once have a common cause and become one.

The first ones are shown and told; the others are recorded under the first, and shown when that one has
gone but they still stand. Safety alarms are never grouped (ANSI/ISA-18.2-2016, 12.4).
"""

from dataclasses import replace
from datetime import datetime, timedelta

from energy_center.domain.alarms import Alarm, AlarmEventKind, Priority
from energy_center.domain.people import Actor
from energy_center.domain.site import Site
from energy_center.store import alarms as store
from energy_center.store.pool import Connection

RULES_ACTOR = Actor("system:rules", "")
FLOOD_WINDOW = timedelta(minutes=10)
SHOWN_AT_MOST = 3


async def find_leader(conn: Connection, alarm: Alarm, site: Site) -> Alarm | None:
    """The alarm under which this one is grouped; None while there are few, or when it is about safety."""
    if alarm.priority is Priority.CRITICAL:
        return None
    standing = await store.standing_alarms(conn, alarm.rule_id, alarm.raised_at - FLOOD_WINDOW)
    space_of = {e.equipment_id: e.space_id for e in site.equipment}

    def building(equipment_id: str) -> str | None:
        return site.building_of(space_of[equipment_id]) if equipment_id in space_of else None

    home = building(alarm.equipment_id)
    others = [a for a in standing if a.alarm_id != alarm.alarm_id and building(a.equipment_id) == home]
    return others[0] if len(others) >= SHOWN_AT_MOST else None


async def join_group(conn: Connection, alarm: Alarm, leader: Alarm) -> None:
    """Record the alarm under its leader: neither told nor listed."""
    await store.update_alarm(conn, replace(alarm, suppressed_by=f"alarm/{leader.alarm_id}"))
    at, name = alarm.raised_at, RULES_ACTOR.name
    note = f"alarm/{alarm.alarm_id} {alarm.equipment_id}"
    await store.add_event(conn, leader.alarm_id, AlarmEventKind.GROUPED, name, at, note)
    await store.add_event(conn, alarm.alarm_id, AlarmEventKind.GROUPED, name, at, f"alarm/{leader.alarm_id}")
    await store.notify_alarms(conn, leader.alarm_id)


async def release_group(conn: Connection, leader: Alarm, at: datetime) -> None:
    """Show again what was grouped under an alarm that has gone."""
    for alarm_id in await store.release_alarms(conn, f"alarm/{leader.alarm_id}"):
        note = f"alarm/{leader.alarm_id}"
        await store.add_event(conn, alarm_id, AlarmEventKind.RELEASED, RULES_ACTOR.name, at, note)
        await store.notify_alarms(conn, alarm_id)
