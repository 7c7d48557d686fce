"""Savings measures: from accepted to verified, with adjustments and the evidence of every day."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from energy_center.api.deps import Data, Doer, MeasureManager, Now, Viewer
from energy_center.api.fields import Limit, Line, MeasureId, Words
from energy_center.domain.measures import (
    Days,
    Measure,
    MeasureAdjustment,
    MeasureState,
    MeasureVerification,
)
from energy_center.domain.timeline import local_date
from energy_center.services import measures
from energy_center.services.current_site import current_site
from energy_center.services.measure_pdf import measure_pdf
from energy_center.services.measures import LONGEST_NAME, MeasureDetail, MeasureRow, Step, WantedMeasure
from energy_center.services.verification_words import reason_sentences, verdict_sentence
from energy_center.services.verify_measure import verify_measure

router = APIRouter(prefix="/measures", tags=["measures"])

_MOST_KWH = 1e9
_MOST_NTD = 1e12
_LARGEST_ID = 2**63 - 1
AdjustmentId = Annotated[
    int, Path(ge=1, le=_LARGEST_ID, description="The adjustment's number.", examples=[1])
]


class NewMeasure(BaseModel):
    """A measure that is to save electricity of a meter, or of an expression of meters."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "Lights off at night", "meter": "ltb-fl04-meter"}]}
    )

    name: Line = Field(min_length=1, max_length=LONGEST_NAME)
    meter: Line = Field(min_length=1, max_length=1000)
    description: Words = Field(default="", max_length=2000)
    equipment_id: Line | None = Field(default=None, max_length=100)
    cost_ntd: float | None = Field(default=None, ge=0, le=_MOST_NTD, allow_inf_nan=False)
    expected_kwh_per_year: float | None = Field(
        default=None, ge=-_MOST_KWH, le=_MOST_KWH, allow_inf_nan=False
    )
    state: MeasureState = MeasureState.ACCEPTED


class MeasureMove(BaseModel):
    """`done` needs the days of the work, which are in neither period; the baseline is the year before it."""

    to: MeasureState
    version: int = Field(ge=1, le=2**31 - 1, description="The version seen; another one is a conflict.")
    done_from: date | None = None
    done_to: date | None = Field(default=None, description="Without it the work took one day.")
    baseline_from: date | None = None
    baseline_to: date | None = None
    # forms send an empty text for what is not known
    cost_ntd: Annotated[float | None, BeforeValidator(lambda given: None if given == "" else given)] = Field(
        default=None, ge=0, le=_MOST_NTD, allow_inf_nan=False
    )


class NewAdjustment(BaseModel):
    """A change that is not the measure's, such as a new server room: kWh a day more (less, if negative)."""

    first_on: date
    last_on: date
    kwh_per_day: float = Field(ge=-_MOST_KWH, le=_MOST_KWH, allow_inf_nan=False)
    reason: Words = Field(min_length=1, max_length=1000)


class AdjustmentAnswer(BaseModel):
    """`withdrawn_at` is null while it counts."""

    adjustment_id: int
    first_on: date
    last_on: date
    kwh_per_day: float
    reason: str
    made_by: str
    made_at: datetime
    withdrawn_by: str | None
    withdrawn_at: datetime | None


class VerificationAnswer(BaseModel):
    """What was found; `findings` holds the figures, in one measure's answer with every day too.

    The same `data_hash`, spans and adjustments give the same findings.
    """

    made_at: datetime
    verdict: str
    sentence: str
    because: list[str]
    data_hash: str
    findings: dict[str, Any]


class MeasureAnswer(BaseModel):
    """A measure; days are null until it is done."""

    measure_id: int
    name: str
    description: str
    meter: str
    equipment_id: str | None
    suggestion_id: int | None
    work_order_id: int | None
    cost_ntd: float | None
    expected_kwh_per_year: float | None
    state: MeasureState
    done_from: date | None
    done_to: date | None
    baseline_from: date | None
    baseline_to: date | None
    version: int
    created_by: str
    created_at: datetime
    verification: VerificationAnswer | None


class MeasureDetailAnswer(MeasureAnswer):
    """With its adjustments, and the moves that are possible."""

    adjustments: list[AdjustmentAnswer]
    moves: list[MeasureState]


def _measure(measure: Measure, found: MeasureVerification | None, language: str) -> dict[str, Any]:
    done, baseline = measure.done, measure.baseline
    return {
        "measure_id": measure.measure_id,
        "name": measure.name,
        "description": measure.description,
        "meter": measure.meter,
        "equipment_id": measure.equipment_id,
        "suggestion_id": measure.suggestion_id,
        "work_order_id": measure.work_order_id,
        "cost_ntd": measure.cost_ntd,
        "expected_kwh_per_year": measure.expected_kwh_per_year,
        "state": measure.state,
        "done_from": done.first if done else None,
        "done_to": done.last if done else None,
        "baseline_from": baseline.first if baseline else None,
        "baseline_to": baseline.last if baseline else None,
        "version": measure.version,
        "created_by": measure.created_by,
        "created_at": measure.created_at,
        "verification": None if found is None else _verification(found, language),
    }


def _verification(found: MeasureVerification, language: str) -> VerificationAnswer:
    return VerificationAnswer(
        made_at=found.made_at,
        verdict=found.verdict,
        sentence=verdict_sentence(found.findings, language),
        because=reason_sentences(found.findings, language),
        data_hash=found.data_hash,
        findings=dict(found.findings),
    )


def _row(row: MeasureRow, language: str) -> MeasureAnswer:
    return MeasureAnswer(**_measure(row.measure, row.verification, language))


def _detail(detail: MeasureDetail, language: str) -> MeasureDetailAnswer:
    return MeasureDetailAnswer(
        **_measure(detail.measure, detail.verification, language),
        adjustments=[_adjustment(a) for a in detail.adjustments],
        moves=list(detail.moves),
    )


def _adjustment(found: MeasureAdjustment) -> AdjustmentAnswer:
    return AdjustmentAnswer(
        adjustment_id=found.adjustment_id,
        first_on=found.days.first,
        last_on=found.days.last,
        kwh_per_day=found.kwh_per_day,
        reason=found.reason,
        made_by=found.made_by,
        made_at=found.made_at,
        withdrawn_by=found.withdrawn_by,
        withdrawn_at=found.withdrawn_at,
    )


@router.get("", summary="Savings measures", name="list_measures")
async def list_measures(viewer: Viewer, data: Data, limit: Limit = 200) -> list[MeasureAnswer]:
    """Newest first, each with what was found last."""
    return [_row(row, viewer.language) for row in await measures.list_measures(data, limit=limit)]


@router.post("", status_code=201, summary="Make a measure", name="create_measure")
async def create_measure(
    manager: MeasureManager, wanted: NewMeasure, data: Data, doer: Doer, now: Now
) -> MeasureDetailAnswer:
    """422 where the meter is none, or no electricity meter."""
    made = await measures.create_measure(data, WantedMeasure(**wanted.model_dump()), doer, now)
    return _detail(await measures.get_measure(data, made.measure_id), manager.language)


@router.get("/{measure_id}", summary="One measure", name="get_measure")
async def get_measure(viewer: Viewer, measure_id: MeasureId, data: Data) -> MeasureDetailAnswer:
    """With its adjustments and the evidence of every day."""
    return _detail(await measures.get_measure(data, measure_id), viewer.language)


@router.get(
    "/{measure_id}/pdf",
    summary="The report of a verification as PDF",
    name="measure_as_pdf",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}},
)
async def measure_as_pdf(
    viewer: Viewer,
    measure_id: MeasureId,
    data: Data,
    language: Annotated[
        Literal["zh-TW", "en"] | None, Query(description="The user's own when left out.")
    ] = None,
) -> Response:
    """What was found last; 409 before anything was. The same findings give the same bytes."""
    paper = await measure_pdf(data, measure_id, language or viewer.language)
    name = f"measure-{measure_id}.pdf"
    headers = {"content-disposition": f'inline; filename="{name}"', "cache-control": "no-store"}
    return Response(paper, media_type="application/pdf", headers=headers)


@router.post("/{measure_id}/moves", summary="Accept, carry out or drop", name="move_measure")
async def move_measure(
    manager: MeasureManager, measure_id: MeasureId, wanted: MeasureMove, data: Data, doer: Doer, now: Now
) -> MeasureDetailAnswer:
    """409 for a step that is not possible from here, or when somebody else changed the measure."""
    site = await current_site(data)
    step = Step(
        wanted.to,
        wanted.version,
        _days(wanted.done_from, wanted.done_to or wanted.done_from),
        _days(wanted.baseline_from, wanted.baseline_to),
        wanted.cost_ntd,
    )
    today = local_date(now, ZoneInfo(site.time_zone))
    await measures.move_measure(data, measure_id, step, doer, now, today)
    return _detail(await measures.get_measure(data, measure_id), manager.language)


def _days(first: date | None, last: date | None) -> Days | None:
    return None if first is None or last is None else Days(first, last)


@router.post(
    "/{measure_id}/adjustments", status_code=201, summary="Record a change not its own", name="adjust_measure"
)
async def adjust_measure(
    manager: MeasureManager, measure_id: MeasureId, wanted: NewAdjustment, data: Data, doer: Doer, now: Now
) -> MeasureDetailAnswer:
    """It counts from the next verification on, and is shown for itself."""
    days = Days(wanted.first_on, wanted.last_on)
    await measures.adjust_measure(data, measure_id, days, wanted.kwh_per_day, wanted.reason, doer, now)
    return _detail(await measures.get_measure(data, measure_id), manager.language)


@router.post(
    "/{measure_id}/adjustments/{adjustment_id}/withdraw",
    summary="Take an adjustment back",
    name="withdraw_adjustment",
)
async def withdraw_adjustment(
    manager: MeasureManager,
    measure_id: MeasureId,
    adjustment_id: AdjustmentId,
    data: Data,
    doer: Doer,
    now: Now,
) -> MeasureDetailAnswer:
    """It stays to be seen; 404 where there is none that counts."""
    await measures.withdraw_adjustment(data, measure_id, adjustment_id, doer, now)
    return _detail(await measures.get_measure(data, measure_id), manager.language)


@router.post("/{measure_id}/verify", summary="Verify now", name="verify_measure")
async def verify_now(
    manager: MeasureManager, measure_id: MeasureId, data: Data, doer: Doer, now: Now
) -> MeasureDetailAnswer:
    """With the data as they are now; the worker does it every day by itself."""
    await verify_measure(data, measure_id, doer, now)
    return _detail(await measures.get_measure(data, measure_id), manager.language)
