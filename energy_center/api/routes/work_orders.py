"""Work orders: made from an alarm or by hand, moved step by step to their end."""

from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, model_validator

from energy_center.api.deps import Data, Doer, Now, OrderCreator, OrderWorker, Viewer
from energy_center.api.fields import Limit, Line, Words, WorkOrderId
from energy_center.domain.alarms import Priority
from energy_center.domain.work_orders import WorkOrder, WorkOrderState
from energy_center.services import work_orders
from energy_center.services.work_orders import WorkOrderDetail, WorkOrderRow

router = APIRouter(prefix="/work-orders", tags=["work orders"])


class NewWorkOrder(BaseModel):
    """From an alarm: only its number. By hand: a title and a priority."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"client_id": "0b9f6a52-6c3e-4a47-9d1c-5a4f3f3c2d10", "alarm_id": 17},
                {"title": "Replace the filter", "priority": "low", "equipment_id": "ltb-ahu-03"},
            ]
        }
    )

    client_id: UUID | None = Field(
        default=None, description="Made by the client, so that a repeated request is one order."
    )
    alarm_id: int | None = Field(default=None, ge=1, le=2**63 - 1)
    title: Line | None = Field(default=None, min_length=1, max_length=work_orders.LONGEST_TITLE)
    priority: Priority | None = None
    description: Words = Field(default="", max_length=10_000)
    equipment_id: Line | None = Field(default=None, max_length=100)

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        by_hand = (self.title, self.priority)
        if self.alarm_id is None and None in by_hand:
            raise ValueError("give alarm_id, or title and priority")
        if self.alarm_id is not None and (by_hand != (None, None) or self.description or self.equipment_id):
            raise ValueError("alarm_id alone says title, priority, description and equipment")
        return self


class Move(BaseModel):
    """The next state, and what was done."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"to": "done", "comment": "Float switch cleaned."}]}
    )

    to: WorkOrderState
    comment: Words = Field(default="", max_length=2000)


@router.get("", summary="List work orders", name="list_work_orders")
async def list_work_orders(
    _: Viewer,
    data: Data,
    now: Now,
    open_only: Annotated[bool, Query(description="Leave out closed ones.")] = False,  # noqa: FBT002
    assignee: Annotated[Line | None, Query(max_length=64, examples=["lin"])] = None,
    limit: Limit = 200,
) -> list[WorkOrderRow]:
    """Open ones first, most urgent first."""
    return await work_orders.list_work_orders(data, now, open_only=open_only, assignee=assignee, limit=limit)


@router.post("", status_code=201, summary="Make a work order", name="create_work_order")
async def create_work_order(
    _: OrderCreator, wanted: NewWorkOrder, data: Data, doer: Doer, now: Now
) -> WorkOrder:
    """An alarm has one open order, and a `client_id` one order ever: asking again gives that one."""
    if wanted.alarm_id is not None:
        return await work_orders.create_from_alarm(data, wanted.alarm_id, doer, now, wanted.client_id)
    assert wanted.title is not None and wanted.priority is not None  # noqa: S101, PT018 by the validator
    return await work_orders.create(
        data,
        title=wanted.title,
        priority=wanted.priority,
        actor=doer,
        now=now,
        description=wanted.description,
        equipment_id=wanted.equipment_id,
        client_id=wanted.client_id,
    )


@router.get("/{work_order_id}", summary="One work order with its history", name="read_work_order")
async def read_work_order(
    viewer: Viewer, work_order_id: WorkOrderId, data: Data, now: Now
) -> WorkOrderDetail:
    """`moves` are the states that the person who asks may move it to."""
    return await work_orders.get_work_order(data, work_order_id, viewer, now)


@router.post("/{work_order_id}/moves", summary="Take the next step", name="move_work_order")
async def move_work_order(
    worker: OrderWorker, work_order_id: WorkOrderId, move: Move, data: Data, doer: Doer, now: Now
) -> WorkOrder:
    """409 when there is no such step from the present state, 403 when it is another role's to take."""
    return await work_orders.move(data, work_order_id, move.to, worker, doer, move.comment, now)
