"""Alarms, and what people do about them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from energy_center.api.deps import AlarmOperator, Data, Doer, Now, Viewer
from energy_center.api.fields import AlarmId, EquipmentId, Limit, Line, Words
from energy_center.services import alarms
from energy_center.services.alarm_performance import (
    MOST_DAYS,
    AlarmHealth,
    BlindRow,
    as_csv,
    read_alarm_health,
    read_blindness,
)
from energy_center.services.alarms import AlarmDetail, AlarmRow
from energy_center.services.out_of_service import OutRow, list_out, put_back, take_out

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


class TakingOut(BaseModel):
    """Which equipment, until when, and why."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "equipment_id": "ltb-ahu-03",
                    "until": "2026-11-26T16:00:00Z",
                    "comment": "Coil is replaced.",
                }
            ]
        }
    )

    equipment_id: Line = Field(max_length=100)
    until: AwareDatetime = Field(description="At most ninety days ahead.")
    comment: Words = Field(min_length=1, max_length=_LONGEST_COMMENT)


class Form(StrEnum):
    """How figures are answered."""

    JSON = "json"
    CSV = "csv"


@router.get("", summary="List alarms", name="list_alarms")
async def list_alarms(
    _: Viewer,
    data: Data,
    open_only: Annotated[bool, Query(description="Leave out those that are over.")] = True,  # noqa: FBT002
    suppressed: Annotated[bool, Query(description="Of the open ones those that are hidden.")] = False,  # noqa: FBT002
    limit: Limit = 200,
) -> list[AlarmRow]:
    """Unacknowledged first, then by priority, newest first; the open list leaves out suppressed ones."""
    return await alarms.list_alarms(data, open_only=open_only, hidden=suppressed, limit=limit)


@router.get(
    "/performance",
    summary="How the alarm system itself performs",
    name="alarm_performance",
    response_model=AlarmHealth,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def read_performance(
    _: Viewer,
    data: Data,
    now: Now,
    days: Annotated[int, Query(ge=1, le=MOST_DAYS, description="So many times 24 h before now.")] = 7,
    form: Annotated[Form, Query(alias="format", description="JSON, or CSV for spreadsheets.")] = Form.JSON,
) -> AlarmHealth | Response:
    """Calls per hour and day, floods, bad actors, priorities and times to acknowledge, against targets.

    A call is a line of raising that reached the list: suppressed, grouped and late-found ones call nobody.
    Sources of the targets stand beside them (EEMUA 191; ANSI/ISA-18.2-2016, clause 16).
    """
    health = await read_alarm_health(data, days, now)
    if form is Form.JSON:
        return health
    headers = {"Content-Disposition": 'attachment; filename="alarm-performance.csv"'}
    return Response(as_csv(health), media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/blindness", summary="Where rules could not tell", name="rule_blindness")
async def list_blindness(_: Viewer, data: Data, now: Now, limit: Limit = 200) -> list[BlindRow]:
    """By rule and equipment over the last seven days, with the input that was missing most."""
    return await read_blindness(data, now, limit)


@router.get("/out-of-service", summary="Equipment out of service", name="list_out_of_service")
async def list_out_of_service(_: Viewer, data: Data) -> list[OutRow]:
    """With reason, who, and until when; its alarms are recorded, neither listed nor told."""
    return await list_out(data)


@router.post("/out-of-service", summary="Take equipment out of service", name="take_out_of_service")
async def take_out_of_service(
    _: AlarmOperator, taking: TakingOut, data: Data, doer: Doer, now: Now
) -> OutRow:
    """409 when it is out already; it comes back by itself when the time is over."""
    return await take_out(data, taking.equipment_id, taking.until, taking.comment, doer, now)


@router.post(
    "/out-of-service/{equipment_id}/end",
    summary="Put equipment back into service",
    name="put_back_in_service",
)
async def end_out_of_service(
    _: AlarmOperator, equipment_id: EquipmentId, data: Data, doer: Doer, now: Now
) -> OutRow:
    """What still stands there comes into the list with the next run of the rules."""
    return await put_back(data, equipment_id, doer, now)


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
