"""What people ask and do about work orders: make one, list them, take a step. Every deed is audited."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from energy_center.domain import work_orders as moves
from energy_center.domain.alarms import Alarm, AlarmEventKind, Priority
from energy_center.domain.people import Actor, User
from energy_center.domain.site import Text
from energy_center.domain.work_orders import (
    DUE_WITHIN,
    WorkOrder,
    WorkOrderEvent,
    WorkOrderId,
    WorkOrderState,
)
from energy_center.errors import Conflict, Invalid, NotFound
from energy_center.rules.find_texts import find_texts
from energy_center.store import alarms as alarm_store
from energy_center.store import audit
from energy_center.store import work_orders as store
from energy_center.store.pool import Connection, Database

_UNSAVED = WorkOrderId(0)
LONGEST_TITLE = 200


@dataclass(frozen=True, slots=True)
class WorkOrderRow:
    """A work order as a list shows it."""

    order: WorkOrder
    equipment_name: Text | None
    is_overdue: bool


@dataclass(frozen=True, slots=True)
class WorkOrderDetail:
    """A work order with its history and the steps that a person may take from here."""

    row: WorkOrderRow
    history: tuple[WorkOrderEvent, ...]
    moves: tuple[WorkOrderState, ...]


async def create_from_alarm(
    db: Database, alarm_id: int, actor: Actor, now: datetime, client_id: UUID | None = None
) -> WorkOrder:
    """Make the alarm's work order, or give the one that is still open.

    Raises NotFound when there is no such alarm.
    """
    async with db.transaction() as conn:
        alarm = await alarm_store.lock_alarm(conn, alarm_id)
        if alarm is None:
            raise NotFound("There is no such alarm", alarm_id=alarm_id)
        found = await _made_earlier(conn, client_id) or await store.open_work_order_of_alarm(conn, alarm_id)
        return found or await create_for(conn, alarm, actor, now, client_id)


async def create_for(
    conn: Connection, alarm: Alarm, actor: Actor, now: datetime, client_id: UUID | None = None
) -> WorkOrder:
    """Make a locked alarm's work order inside the caller's transaction."""
    known = find_texts(alarm.rule_id)
    checks = known.texts["zh-TW"].what_to_check if known.texts else ()
    order = WorkOrder(
        work_order_id=_UNSAVED,
        client_id=client_id,
        title=f"{known.name.zh_tw}:{alarm.equipment_id}",
        description="\n".join(f"{n}. {check}" for n, check in enumerate(checks, 1)),
        equipment_id=alarm.equipment_id,
        alarm_id=alarm.alarm_id,
        priority=alarm.priority,
        state=WorkOrderState.OPEN,
        created_by=actor.name,
        created_at=now,
        due_at=now + DUE_WITHIN[alarm.priority],
    )
    written = await _insert(conn, order, actor, now)
    await alarm_store.add_event(
        conn, alarm.alarm_id, AlarmEventKind.WORK_ORDER, actor.name, now, f"#{written.work_order_id}"
    )
    await alarm_store.notify_alarms(conn, alarm.alarm_id)
    await _audit(conn, actor, "work_order.created", None, written, now)
    return written


async def create(
    db: Database,
    *,
    title: str,
    priority: Priority,
    actor: Actor,
    now: datetime,
    description: str = "",
    equipment_id: str | None = None,
    client_id: UUID | None = None,
) -> WorkOrder:
    """Make a work order by hand; the same `client_id` sent again gives the one made first.

    Raises Invalid when the title is empty or over `LONGEST_TITLE` characters.
    """
    if not 0 < len(title.strip()) <= LONGEST_TITLE:
        raise Invalid("A work order needs a title of 1 to 200 characters", field="title")
    order = WorkOrder(
        work_order_id=_UNSAVED,
        client_id=client_id,
        title=title.strip(),
        description=description,
        equipment_id=equipment_id,
        priority=priority,
        state=WorkOrderState.OPEN,
        created_by=actor.name,
        created_at=now,
        due_at=now + DUE_WITHIN[priority],
    )
    async with db.transaction() as conn:
        if earlier := await _made_earlier(conn, client_id):
            return earlier
        try:
            written = await _insert(conn, order, actor, now)
        except Conflict:  # the same request, sent twice at the same moment
            if earlier := await _made_earlier(conn, client_id):
                return earlier
            raise
        await _audit(conn, actor, "work_order.created", None, written, now)
        return written


async def _made_earlier(conn: Connection, client_id: UUID | None) -> WorkOrder | None:
    return await store.work_order_by_client_id(conn, client_id) if client_id else None


async def list_work_orders(
    db: Database, now: datetime, *, open_only: bool = False, assignee: str | None = None, limit: int = 200
) -> list[WorkOrderRow]:
    """Work orders, open ones first, most urgent first."""
    async with db.connection() as conn:
        rows = await store.listed_work_orders(conn, open_only=open_only, limit=limit, assignee=assignee)
    return [_row(listed, now) for listed in rows]


async def get_work_order(db: Database, order_id: int, user: User, now: datetime) -> WorkOrderDetail:
    """One work order, with the steps that this person may take.

    Raises NotFound.
    """
    async with db.connection() as conn:
        found = await store.listed_work_orders(conn, open_only=False, limit=1, order_id=order_id)
        if not found:
            raise NotFound("There is no such work order", work_order_id=order_id)
        history = await store.work_order_events(conn, order_id)
    return WorkOrderDetail(
        row=_row(found[0], now),
        history=tuple(history),
        moves=moves.moves_open_to(user, found[0].order.state),
    )


async def move(
    db: Database, order_id: int, to: WorkOrderState, user: User, actor: Actor, comment: str, now: datetime
) -> WorkOrder:
    """Take one step.

    Raises NotFound, Conflict when there is no such step from the present state, NotAllowed when this person
    may not take it.
    """
    async with db.transaction() as conn:
        before = await store.lock_work_order(conn, order_id)
        if before is None:
            raise NotFound("There is no such work order", work_order_id=order_id)
        after = moves.move(before, to, user, comment, now)
        await store.update_work_order(conn, after)
        await store.add_event(conn, after.work_order_id, to.value, actor.name, now, comment)
        await store.notify_work_orders(conn, after.work_order_id)
        await _audit(conn, actor, f"work_order.{to.value}", before, after, now)
        return after


async def _insert(conn: Connection, order: WorkOrder, actor: Actor, now: datetime) -> WorkOrder:
    order_id = await store.insert_work_order(conn, order)
    if order_id is None:
        raise Conflict("This work order exists already")
    await store.add_event(conn, order_id, "created", actor.name, now)
    await store.notify_work_orders(conn, order_id)
    written = await store.lock_work_order(conn, order_id)
    if written is None:
        raise NotFound("There is no such work order", work_order_id=order_id)
    return written


async def _audit(
    conn: Connection, actor: Actor, action: str, before: WorkOrder | None, after: WorkOrder, now: datetime
) -> None:
    subject = f"work_order/{after.work_order_id}"
    earlier = None if before is None else _audited(before)
    await audit.append(conn, actor, action, subject, earlier, _audited(after), now)


def _audited(order: WorkOrder) -> dict[str, Any]:
    return {
        "state": order.state,
        "assignee": order.assignee,
        "title": order.title,
        "resolution": order.resolution,
    }


def _row(listed: store.ListedWorkOrder, now: datetime) -> WorkOrderRow:
    return WorkOrderRow(listed.order, listed.equipment_name, listed.order.is_overdue(now))
