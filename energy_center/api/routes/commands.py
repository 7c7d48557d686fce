"""Commands: writes to equipment where the site file allows them, for a limited time."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from energy_center.api.deps import Data, Doer, EquipmentCommander, Now, Viewer
from energy_center.api.fields import CommandId, Limit, Line, Words
from energy_center.domain.commands import CommandState
from energy_center.services import commands
from energy_center.services.commands import LONGEST_REASON, WantedCommand

router = APIRouter(prefix="/commands", tags=["commands"])

_EXAMPLE: JsonDict = {
    "client_id": "0b9f6a52-6c3e-4a47-9d1c-5a4f3f3c2d11",
    "equipment_id": "ltb-ahu-03",
    "point": "schedule",
    "wanted": 1,
    "expires_at": "2026-11-24T12:00:00Z",
    "reason": "Evening meeting on the third floor",
}


class NewCommand(BaseModel):
    """A value for a point, and until when; the point's controller decides again after that."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    client_id: UUID | None = Field(
        default=None, description="Made by the client, so that a repeated request is one command."
    )
    equipment_id: Line = Field(max_length=100)
    point: Line = Field(max_length=100)
    wanted: float = Field(allow_inf_nan=False, description="In the point's unit.")
    expires_at: AwareDatetime
    reason: Words = Field(default="", max_length=LONGEST_REASON)


class CommandAnswer(BaseModel):
    """A command as it stands; `read_back` is what the point read after the write, in `unit`."""

    model_config = ConfigDict(from_attributes=True)

    command_id: int
    client_id: UUID | None
    equipment_id: str
    point: str
    unit: str
    wanted: float
    low: float
    high: float
    priority: int
    reason: str
    state: CommandState
    requested_by: str
    requested_at: datetime
    expires_at: datetime
    cancelled_by: str | None
    cancelled_at: datetime | None
    written_at: datetime | None
    read_back: float | None
    read_back_at: datetime | None
    ended_at: datetime | None
    may_be_held: bool
    refusal: str | None
    detail: str
    attempts: int


@router.get("", summary="List commands", name="list_commands")
async def list_commands(
    _: Viewer,
    data: Data,
    open_only: Annotated[bool, Query(description="Leave out those that have ended.")] = False,  # noqa: FBT002
    equipment_id: Annotated[Line | None, Query(max_length=100, examples=["ltb-ahu-03"])] = None,
    limit: Limit = 200,
) -> list[CommandAnswer]:
    """Newest first."""
    found = await commands.list_commands(data, open_only=open_only, equipment_id=equipment_id, limit=limit)
    return [CommandAnswer.model_validate(command) for command in found]


@router.post("", status_code=201, summary="Write to equipment for a while", name="request_command")
async def request_command(
    commander: EquipmentCommander, wanted: NewCommand, data: Data, doer: Doer, now: Now
) -> CommandAnswer:
    """403 unless the site file allows the point, 422 beyond its limits. It supersedes an open one."""
    request = WantedCommand(**wanted.model_dump())
    return CommandAnswer.model_validate(await commands.request_command(data, request, commander, doer, now))


@router.get("/{command_id}", summary="One command", name="read_command")
async def read_command(_: Viewer, command_id: CommandId, data: Data) -> CommandAnswer:
    """Its state, and what the point read after the write."""
    return CommandAnswer.model_validate(await commands.get_command(data, command_id))


@router.post("/{command_id}/cancel", summary="End a command now", name="cancel_command")
async def cancel_command(
    commander: EquipmentCommander, command_id: CommandId, data: Data, doer: Doer, now: Now
) -> CommandAnswer:
    """The collector hands the point back; 409 when the command has ended."""
    return CommandAnswer.model_validate(await commands.cancel_command(data, command_id, commander, doer, now))
