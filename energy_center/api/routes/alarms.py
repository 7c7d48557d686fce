"""Alarms, and what people do about them."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from energy_center.api.deps import AlarmOperator, Data, Doer, Now, Viewer
from energy_center.api.fields import AlarmId, Limit, Words
from energy_center.services import alarms
from energy_center.services.alarms import AlarmDetail, AlarmRow

router = APIRouter(prefix="/alarms", tags=["alarms"])

_LONGEST_COMMENT = 2000


class Acknowledgement(BaseModel):
    """What the person says with it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"comment": "On the way to B2."}]})

    comment: Words = Field(default="", max_length=_LONGEST_COMMENT)


class Shelving(BaseModel):
    """Until when, and why."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"until": "2026-11-24T16:00:00Z", "comment": "Pump is being replaced."}]
        }
    )

    until: AwareDatetime = Field(description="At most seven days ahead.")
    comment: Words = Field(min_length=1, max_length=_LONGEST_COMMENT)


@router.get("", summary="List alarms", name="list_alarms")
async def list_alarms(
    _: Viewer,
    data: Data,
    open_only: Annotated[bool, Query(description="Leave out those that are over.")] = True,  # noqa: FBT002
    limit: Limit = 200,
) -> list[AlarmRow]:
    """Unacknowledged first, then by priority, newest first; the open list leaves out suppressed ones."""
    return await alarms.list_alarms(data, open_only=open_only, limit=limit)


@router.get("/{alarm_id}", summary="One alarm with its evidence and history", name="read_alarm")
async def read_alarm(_: Viewer, alarm_id: AlarmId, data: Data) -> AlarmDetail:
    """Why it was raised, likely causes, what to check, what it wastes, and what people did."""
    return await alarms.get_alarm(data, alarm_id)


@router.post("/{alarm_id}/acknowledge", summary="Say that a person has seen it", name="acknowledge_alarm")
async def acknowledge_alarm(
    _: AlarmOperator, alarm_id: AlarmId, said: Acknowledgement, data: Data, doer: Doer, now: Now
) -> AlarmRow:
    """An active alarm stays in the list, a returned one leaves it; 409 when somebody was faster."""
    return await alarms.acknowledge(data, alarm_id, doer, said.comment, now)


@router.post("/{alarm_id}/shelve", summary="Put it aside for a time", name="shelve_alarm")
async def shelve_alarm(
    _: AlarmOperator, alarm_id: AlarmId, shelving: Shelving, data: Data, doer: Doer, now: Now
) -> AlarmRow:
    """It comes back by itself when the time is over."""
    until: datetime = shelving.until
    return await alarms.shelve(data, alarm_id, until, doer, shelving.comment, now)


@router.post("/{alarm_id}/unshelve", summary="Take it back before its time", name="unshelve_alarm")
async def unshelve_alarm(
    _: AlarmOperator, alarm_id: AlarmId, said: Acknowledgement, data: Data, doer: Doer, now: Now
) -> AlarmRow:
    """409 when it is not shelved."""
    return await alarms.unshelve(data, alarm_id, doer, said.comment, now)
