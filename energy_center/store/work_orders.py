"""Work orders and their append-only history."""

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from energy_center.domain.alarms import AlarmId, Priority
from energy_center.domain.site import Text
from energy_center.domain.work_orders import WorkOrder, WorkOrderEvent, WorkOrderId, WorkOrderState
from energy_center.store.pool import Connection, Record

_COLUMNS = """w.work_order_id, w.client_id, w.title, w.description, w.equipment_id, w.alarm_id, w.priority,
    w.state, w.assignee, w.created_by, w.created_at, w.due_at, w.done_at, w.closed_at, w.resolution"""

_INSERT = """
INSERT INTO work_order (client_id, title, description, equipment_id, alarm_id, priority, state, assignee,
    created_by, created_at, due_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT DO NOTHING
RETURNING work_order_id"""

_UPDATE = """
UPDATE work_order SET state = $2, assignee = $3, done_at = $4, closed_at = $5, resolution = $6
WHERE work_order_id = $1"""

_ADD_EVENT = """
INSERT INTO work_order_event (work_order_id, at, actor, event, comment) VALUES ($1, $2, $3, $4, $5)"""

_EVENTS = """
SELECT at, actor, event, comment FROM work_order_event WHERE work_order_id = $1
ORDER BY event_id LIMIT 1000"""

_ONE = f"SELECT {_COLUMNS} FROM work_order w WHERE w.work_order_id = $1"  # noqa: S608 constant text
_BY_CLIENT = f"SELECT {_COLUMNS} FROM work_order w WHERE w.client_id = $1"  # noqa: S608 constant text
_OPEN_OF_ALARM = f"""
SELECT {_COLUMNS} FROM work_order w WHERE w.alarm_id = $1 AND w.state <> 'closed'"""  # noqa: S608 constant text
_OPEN_OF_EQUIPMENT = f"""
SELECT {_COLUMNS} FROM work_order w WHERE w.equipment_id = $1 AND w.state <> 'closed'
ORDER BY w.created_at, w.work_order_id LIMIT 1"""  # noqa: S608 constant text

# $1 open only, $2 rows at most, $3 one assignee or NULL, $4 one order or NULL; most urgent and newest first.
_LISTED = f"""
SELECT {_COLUMNS}, e.name::text AS equipment_name
FROM work_order w LEFT JOIN equipment e ON e.equipment_id = w.equipment_id
WHERE ($4::bigint IS NULL OR w.work_order_id = $4) AND (NOT $1 OR w.state <> 'closed')
    AND ($3::text IS NULL OR w.assignee = $3)
ORDER BY (w.state = 'closed'), array_position(ARRAY['critical', 'high', 'medium', 'low'], w.priority),
    w.created_at DESC, w.work_order_id DESC
LIMIT $2"""  # noqa: S608 constant text


@dataclass(frozen=True, slots=True)
class ListedWorkOrder:
    """A work order with the name that a list shows; None where it names no equipment."""

    order: WorkOrder
    equipment_name: Text | None


async def insert_work_order(conn: Connection, order: WorkOrder) -> WorkOrderId | None:
    """Write a new work order; None when one with this client id, or an open one of this alarm, exists."""
    order_id = await conn.fetchval(
        _INSERT,
        order.client_id,
        order.title,
        order.description,
        order.equipment_id,
        order.alarm_id,
        order.priority.value,
        order.state.value,
        order.assignee,
        order.created_by,
        order.created_at,
        order.due_at,
    )
    return None if order_id is None else WorkOrderId(order_id)


async def update_work_order(conn: Connection, order: WorkOrder) -> None:
    """Write a work order's state and what a move sets."""
    await conn.execute(
        _UPDATE,
        order.work_order_id,
        order.state.value,
        order.assignee,
        order.done_at,
        order.closed_at,
        order.resolution,
    )


async def add_event(
    conn: Connection, order_id: WorkOrderId, event: str, actor: str, now: datetime, comment: str = ""
) -> None:
    """Append a line to a work order's history."""
    await conn.execute(_ADD_EVENT, order_id, now, actor, event, comment)


async def lock_work_order(conn: Connection, order_id: int) -> WorkOrder | None:
    """One work order, locked until the transaction ends."""
    row = await conn.fetchrow(_ONE + " FOR UPDATE", order_id)
    return _order(row) if row else None


async def work_order_by_client_id(conn: Connection, client_id: UUID) -> WorkOrder | None:
    """The work order that a client named so when it sent it first."""
    row = await conn.fetchrow(_BY_CLIENT, client_id)
    return _order(row) if row else None


async def open_work_order_of_alarm(conn: Connection, alarm_id: int) -> WorkOrder | None:
    """The alarm's work order that is not closed yet."""
    row = await conn.fetchrow(_OPEN_OF_ALARM, alarm_id)
    return _order(row) if row else None


async def open_work_order_of_equipment(conn: Connection, equipment_id: str) -> WorkOrder | None:
    """The oldest work order at this equipment that is not closed yet."""
    row = await conn.fetchrow(_OPEN_OF_EQUIPMENT, equipment_id)
    return _order(row) if row else None


async def listed_work_orders(
    conn: Connection, *, open_only: bool, limit: int, assignee: str | None = None, order_id: int | None = None
) -> list[ListedWorkOrder]:
    """Work orders with names, open ones first, most urgent first."""
    rows = await conn.fetch(_LISTED, open_only, limit, assignee, order_id)
    return [ListedWorkOrder(_order(row), _text(row["equipment_name"])) for row in rows]


async def work_order_events(conn: Connection, order_id: int) -> list[WorkOrderEvent]:
    """A work order's history, oldest first."""
    rows = await conn.fetch(_EVENTS, order_id)
    return [WorkOrderEvent(r["at"], r["actor"], r["event"], r["comment"]) for r in rows]


async def notify_work_orders(conn: Connection, order_id: int) -> None:
    """Wake those who show work orders, when this transaction commits."""
    await conn.execute("SELECT pg_notify('work_orders', $1)", str(order_id))


def _text(document: str | None) -> Text | None:
    if document is None:
        return None
    names = json.loads(document)
    if isinstance(names, str):
        return Text(names, names)
    return Text(zh_tw=str(names.get("zh-TW") or names.get("zh_tw") or ""), en=str(names.get("en") or ""))


def _order(row: Record) -> WorkOrder:
    return WorkOrder(
        work_order_id=WorkOrderId(row["work_order_id"]),
        client_id=row["client_id"],
        title=row["title"],
        description=row["description"],
        equipment_id=row["equipment_id"],
        alarm_id=None if row["alarm_id"] is None else AlarmId(row["alarm_id"]),
        priority=Priority(row["priority"]),
        state=WorkOrderState(row["state"]),
        assignee=row["assignee"],
        created_by=row["created_by"],
        created_at=row["created_at"],
        due_at=row["due_at"],
        done_at=row["done_at"],
        closed_at=row["closed_at"],
        resolution=row["resolution"],
    )
