"""Corrections of readings and exchanges of meters: recorded, audited, each with an undo."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from energy_center.api.deps import Data, Doer, Now, ReadingCorrector, Viewer
from energy_center.api.fields import Limit, Line, Words
from energy_center.domain.meter_events import Correction, CorrectionKind, MeterEventKind
from energy_center.services import meter_events
from energy_center.services.meter_events import LONGEST_REASON, WantedCorrection, WantedExchange

router = APIRouter(prefix="/meter-events", tags=["energy"])

_LARGEST_ID = 2**63 - 1
EventId = Annotated[int, Path(ge=1, le=_LARGEST_ID, description="The event's number.", examples=[3])]


class NewCorrection(BaseModel):
    """Change the readings of [start, end) of a point; what was changed is marked as substituted."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "equipment_id": "ltb-main",
                    "point": "energy_import",
                    "start": "2026-11-24T02:00:00Z",
                    "end": "2026-11-24T03:00:00Z",
                    "to": "multiply",
                    "number": 100,
                    "reason": "Current transformer ratio was entered as 1",
                }
            ]
        }
    )

    equipment_id: Line = Field(max_length=100)
    point: Line = Field(max_length=100)
    start: AwareDatetime
    end: AwareDatetime
    to: CorrectionKind
    number: float | None = Field(
        default=None, allow_inf_nan=False, description="In the point's unit; a factor; none to remove."
    )
    reason: Words = Field(min_length=1, max_length=LONGEST_REASON)

    @model_validator(mode="after")
    def _number_fits(self) -> "NewCorrection":
        Correction(self.to, self.number)
        return self


class NewExchange(BaseModel):
    """A meter was exchanged: both registers as read on site, in the point's unit."""

    equipment_id: Line = Field(max_length=100)
    point: Line = Field(default="energy_import", max_length=100)
    at: AwareDatetime
    old_last: float = Field(ge=0, allow_inf_nan=False)
    new_first: float = Field(ge=0, allow_inf_nan=False)
    reason: Words = Field(min_length=1, max_length=LONGEST_REASON)


class MeterEventAnswer(BaseModel):
    """A recorded act; `readings` counts those that it changed, `undone_at` is null while it holds."""

    model_config = ConfigDict(from_attributes=True)

    meter_event_id: int
    kind: MeterEventKind
    equipment_id: str
    point: str
    from_at: datetime
    to_at: datetime
    detail: dict[str, float | str | None]
    reason: str
    readings: int
    made_by: str
    made_at: datetime
    undone_by: str | None
    undone_at: datetime | None


@router.get("", summary="Corrections and exchanges", name="list_meter_events")
async def list_meter_events(
    _: Viewer,
    data: Data,
    equipment_id: Annotated[Line | None, Query(max_length=100, examples=["ltb-main"])] = None,
    before_id: Annotated[
        int | None, Query(ge=1, le=_LARGEST_ID, description="Continue before this number.")
    ] = None,
    limit: Limit = 100,
) -> list[MeterEventAnswer]:
    """Newest first, undone ones too."""
    found = await meter_events.list_events(data, equipment_id=equipment_id, before_id=before_id, limit=limit)
    return [MeterEventAnswer.model_validate(event) for event in found]


@router.post("/corrections", status_code=201, summary="Correct readings", name="correct_readings")
async def correct_readings(
    corrector: ReadingCorrector, wanted: NewCorrection, data: Data, doer: Doer, now: Now
) -> MeterEventAnswer:
    """All figures of the period are reckoned again. 422 where there is no reading in it."""
    request = WantedCorrection(
        wanted.equipment_id,
        wanted.point,
        wanted.start,
        wanted.end,
        Correction(wanted.to, wanted.number),
        wanted.reason,
    )
    event = await meter_events.correct_readings(data, request, corrector, doer, now)
    return MeterEventAnswer.model_validate(event)


@router.post("/exchanges", status_code=201, summary="Record a meter exchange", name="record_exchange")
async def record_exchange(
    corrector: ReadingCorrector, wanted: NewExchange, data: Data, doer: Doer, now: Now
) -> MeterEventAnswer:
    """Nothing is lost that the old or the new meter counted. 409 where a reading stands at the instant."""
    event = await meter_events.record_exchange(
        data, WantedExchange(**wanted.model_dump()), corrector, doer, now
    )
    return MeterEventAnswer.model_validate(event)


@router.post("/{meter_event_id}/undo", summary="Undo a correction or exchange", name="undo_meter_event")
async def undo_meter_event(
    corrector: ReadingCorrector, meter_event_id: EventId, data: Data, doer: Doer, now: Now
) -> MeterEventAnswer:
    """Every reading is given back; 409 when it is undone already or a later event changed its readings."""
    event = await meter_events.undo_event(data, meter_event_id, corrector, doer, now)
    return MeterEventAnswer.model_validate(event)
