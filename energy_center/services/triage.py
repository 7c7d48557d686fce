"""Turns an urgent alarm into work: opens a work order, or joins the open one of the same equipment."""

from datetime import datetime

from energy_center.domain.alarms import Alarm, AlarmEventKind, Priority
from energy_center.domain.people import Actor
from energy_center.domain.work_orders import WorkOrder
from energy_center.services.work_orders import create_for
from energy_center.store import alarms, work_orders
from energy_center.store.pool import Connection

# Others wait for a person to decide.
OPENED_AT_ONCE = frozenset({Priority.CRITICAL})


async def triage(conn: Connection, alarm: Alarm, actor: Actor, now: datetime) -> WorkOrder | None:
    """The work order that now covers the alarm; None where a person decides. In the alarm's transaction."""
    if alarm.priority not in OPENED_AT_ONCE:
        return None
    found = await work_orders.open_work_order_of_equipment(conn, alarm.equipment_id)
    if found is None:
        return await create_for(conn, alarm, actor, now)
    note = f"alarm/{alarm.alarm_id} {alarm.rule_id}"
    await work_orders.add_event(conn, found.work_order_id, "alarm_joined", actor.name, now, note)
    await work_orders.notify_work_orders(conn, found.work_order_id)
    await alarms.add_event(
        conn, alarm.alarm_id, AlarmEventKind.WORK_ORDER, actor.name, now, f"#{found.work_order_id}"
    )
    return found
