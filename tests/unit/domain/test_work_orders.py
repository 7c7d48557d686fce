"""Steps of a work order and who may take them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from energy_center.domain.alarms import Priority
from energy_center.domain.people import User, UserRole
from energy_center.domain.work_orders import (
    DUE_WITHIN,
    WorkOrder,
    WorkOrderId,
    WorkOrderState,
    move,
    moves_open_to,
)
from energy_center.errors import Conflict, NotAllowed

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
S = WorkOrderState
ORDER = WorkOrder(
    WorkOrderId(1), "更換泵", Priority.HIGH, S.OPEN, "operator", NOW, due_at=NOW + timedelta(days=1)
)


def person(role: UserRole) -> User:
    return User(1, role.value, role.value, role, "zh-TW")


def test_the_usual_way_from_open_to_closed() -> None:
    order = ORDER
    for to, role in (
        (S.ASSIGNED, UserRole.TECHNICIAN),
        (S.IN_PROGRESS, UserRole.TECHNICIAN),
        (S.WAITING, UserRole.TECHNICIAN),
        (S.IN_PROGRESS, UserRole.TECHNICIAN),
        (S.DONE, UserRole.TECHNICIAN),
        (S.VERIFIED, UserRole.MANAGER),
        (S.CLOSED, UserRole.TECHNICIAN),
    ):
        order = move(order, to, person(role), "seal replaced", NOW)
    assert (order.assignee, order.resolution, order.done_at, order.closed_at) == (
        "technician",
        "seal replaced",
        NOW,
        NOW,
    )


@pytest.mark.parametrize(
    ("state", "to", "role"),
    [
        (S.DONE, S.VERIFIED, UserRole.TECHNICIAN),
        (S.OPEN, S.ASSIGNED, UserRole.OPERATOR),
        (S.VERIFIED, S.CLOSED, UserRole.VIEWER),
        (S.DONE, S.IN_PROGRESS, UserRole.TECHNICIAN),
    ],
)
def test_who_may_not(state: WorkOrderState, to: WorkOrderState, role: UserRole) -> None:
    with pytest.raises(NotAllowed):
        move(replace(ORDER, state=state), to, person(role), "", NOW)


@pytest.mark.parametrize(
    ("state", "to"), [(S.OPEN, S.CLOSED), (S.DONE, S.CLOSED), (S.CLOSED, S.OPEN), (S.OPEN, S.OPEN)]
)
def test_steps_that_do_not_exist(state: WorkOrderState, to: WorkOrderState) -> None:
    with pytest.raises(Conflict):
        move(replace(ORDER, state=state), to, person(UserRole.ADMIN), "", NOW)


def test_sent_back_it_is_not_done() -> None:
    done = move(replace(ORDER, state=S.IN_PROGRESS), S.DONE, person(UserRole.TECHNICIAN), "", NOW)
    again = move(done, S.IN_PROGRESS, person(UserRole.MANAGER), "still leaks", NOW)
    assert again.done_at is None
    assert again.is_overdue(NOW + timedelta(days=2))
    assert not done.is_overdue(NOW + timedelta(days=2))


def test_moves_are_offered_by_role() -> None:
    assert moves_open_to(person(UserRole.TECHNICIAN), S.DONE) == ()
    assert moves_open_to(person(UserRole.MANAGER), S.DONE) == (S.IN_PROGRESS, S.VERIFIED)
    assert moves_open_to(person(UserRole.VIEWER), S.OPEN) == ()


def test_urgent_work_is_due_sooner() -> None:
    assert list(DUE_WITHIN.values()) == sorted(DUE_WITHIN.values())
