"""Work orders: their states, the allowed moves and the permission that each move needs.

Whoever did the work does not alone declare it good: between `done` and `closed` stands a verification.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType
from uuid import UUID

from energy_center.domain.alarms import AlarmId, Priority
from energy_center.domain.people import Permission, User
from energy_center.errors import Conflict, NotAllowed

WorkOrderId = NewType("WorkOrderId", int)


class WorkOrderState(StrEnum):
    """Where the work stands."""

    OPEN = "open"
    ASSIGNED = "assigned"
    IN_PROGRESS = "in_progress"
    WAITING = "waiting"
    DONE = "done"
    VERIFIED = "verified"
    CLOSED = "closed"


_S = WorkOrderState
_WORK, _VERIFY = Permission.WORK_ON_ORDER, Permission.VERIFY_WORK_ORDER

MOVES: dict[tuple[WorkOrderState, WorkOrderState], Permission] = {
    (_S.OPEN, _S.ASSIGNED): _WORK,
    (_S.OPEN, _S.IN_PROGRESS): _WORK,
    (_S.ASSIGNED, _S.IN_PROGRESS): _WORK,
    (_S.ASSIGNED, _S.OPEN): _WORK,
    (_S.IN_PROGRESS, _S.WAITING): _WORK,
    (_S.IN_PROGRESS, _S.DONE): _WORK,
    (_S.WAITING, _S.IN_PROGRESS): _WORK,
    (_S.DONE, _S.IN_PROGRESS): _VERIFY,  # sent back
    (_S.DONE, _S.VERIFIED): _VERIFY,
    (_S.VERIFIED, _S.CLOSED): _WORK,
    (_S.VERIFIED, _S.IN_PROGRESS): _VERIFY,
}

# Time to finish by priority, from creation: within the hour, today, this week, the next planned visit.
DUE_WITHIN: dict[Priority, timedelta] = {
    Priority.CRITICAL: timedelta(hours=1),
    Priority.HIGH: timedelta(hours=24),
    Priority.MEDIUM: timedelta(days=7),
    Priority.LOW: timedelta(days=30),
}


@dataclass(frozen=True, slots=True)
class WorkOrder:
    """A piece of work at one equipment, from an alarm or by hand."""

    work_order_id: WorkOrderId
    title: str
    priority: Priority
    state: WorkOrderState
    created_by: str
    created_at: datetime
    description: str = ""
    equipment_id: str | None = None
    alarm_id: AlarmId | None = None
    client_id: UUID | None = None
    assignee: str | None = None
    due_at: datetime | None = None
    done_at: datetime | None = None
    closed_at: datetime | None = None
    resolution: str = ""

    def is_overdue(self, now: datetime) -> bool:
        """Whether it should have been done by now."""
        return self.done_at is None and self.due_at is not None and now > self.due_at


@dataclass(frozen=True, slots=True)
class WorkOrderEvent:
    """A line of a work order's history."""

    at: datetime
    actor: str
    event: str
    comment: str = ""


def moves_open_to(user: User, state: WorkOrderState) -> tuple[WorkOrderState, ...]:
    """The states that this person may move a work order to from here, in the order of the work."""
    return tuple(s for s in WorkOrderState if (need := MOVES.get((state, s))) and user.may(need))


def move(order: WorkOrder, to: WorkOrderState, user: User, comment: str, now: datetime) -> WorkOrder:
    """Take one step.

    Raises Conflict when there is no such step from the present state, NotAllowed when this person may not.
    """
    need = MOVES.get((order.state, to))
    if need is None:
        raise Conflict(
            f"A work order cannot go from {order.state} to {to}", work_order_id=order.work_order_id
        )
    if not user.may(need):
        raise NotAllowed(
            f"A {user.role} may not move a work order to {to}", work_order_id=order.work_order_id
        )
    return _stamped(replace(order, state=to), user, comment, now)


def _stamped(order: WorkOrder, user: User, comment: str, now: datetime) -> WorkOrder:
    match order.state:
        case WorkOrderState.OPEN:
            return replace(order, assignee=None)
        case WorkOrderState.ASSIGNED:
            return replace(order, assignee=user.name)
        case WorkOrderState.IN_PROGRESS:
            return replace(order, assignee=order.assignee or user.name, done_at=None)
        case WorkOrderState.DONE:
            return replace(order, done_at=now, resolution=comment or order.resolution)
        case WorkOrderState.CLOSED:
            return replace(order, closed_at=now)
        case WorkOrderState.WAITING | WorkOrderState.VERIFIED:
            return order
