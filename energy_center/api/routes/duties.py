"""Recurring duties: what the law and practice demand, when it is due, what was done and how it is proved."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field, model_validator

from energy_center.api.deps import Data, Doer, DutyKeeper, DutyManager, Now, Viewer
from energy_center.api.fields import Line, Words
from energy_center.config.load_duties import shipped_duties
from energy_center.domain.duties import Basis, Duty, Evidence, Standing, Subject
from energy_center.domain.duty_records import Adoption, DutyRecord, Paper
from energy_center.domain.people import Permission
from energy_center.domain.site import Text
from energy_center.errors import NotAllowed
from energy_center.services import duties
from energy_center.services.duties import AdoptedDuty, WantedDeed

router = APIRouter(prefix="/duties", tags=["duties"])

_LARGEST_ID = 2**63 - 1
AdoptionId = Annotated[int, Path(ge=1, le=_LARGEST_ID, description="As listed.", examples=[5])]
DeedId = Annotated[int, Path(ge=1, le=_LARGEST_ID, description="As recorded.", examples=[12])]
Year = Annotated[int, Query(ge=2000, le=2100, description="Of the site's calendar.", examples=[2026])]


class DutyAnswer(BaseModel):
    """A duty of the catalogue; `is_confirmed` is false where a person must check its interval first."""

    model_config = ConfigDict(from_attributes=True)

    duty_id: str
    name: Text
    subject: Subject
    basis: Basis
    source: Text
    recurrence: str
    opens_days: int
    grace_days: int
    evidence: tuple[Evidence, ...]
    who: Text
    is_confirmed: bool


class PaperField(BaseModel):
    """A file that was added before, or the number under which the paper is kept."""

    kind: Evidence
    attachment_id: int | None = Field(default=None, ge=1, le=_LARGEST_ID)
    reference: Line = Field(default="", max_length=200)

    @model_validator(mode="after")
    def _names_something(self) -> "PaperField":
        if self.attachment_id is None and not self.reference.strip():
            raise ValueError("give attachment_id or reference")
        return self


class RecordAnswer(BaseModel):
    """What was recorded for a due date."""

    deed_id: int
    adoption_id: int
    due_on: date
    done_on: date
    is_waived: bool
    done_by: str
    note: str
    papers: list[PaperField]
    recorded_by: str
    recorded_at: datetime
    undone_at: datetime | None


class DateAnswer(BaseModel):
    """One due date; `last_on` is the last day that counts as in time."""

    due_on: date
    opens_on: date
    last_on: date
    standing: Standing
    record: RecordAnswer | None


class AdoptionAnswer(BaseModel):
    """A duty taken on; send `version` back with a change."""

    model_config = ConfigDict(from_attributes=True)

    adoption_id: int
    duty_id: str
    subject_id: str
    starts_on: date
    recurrence: str
    responsible: str
    version: int
    retired_at: datetime | None


class AdoptedAnswer(BaseModel):
    """A duty taken on, with its due dates in the period."""

    adoption: AdoptionAnswer
    duty: DutyAnswer
    subject_name: Text
    dates: list[DateAnswer]


class YearAnswer(BaseModel):
    """`kept_share` 0..1: done in time over all that was due and not waived; null while nothing was due."""

    year: int
    counts: Mapping[Standing, int]
    kept_share: float | None
    duties: list[AdoptedAnswer]


class NewAdoption(BaseModel):
    """Due dates count from `starts_on`; `recurrence` is an RRULE where it differs from the catalogue's."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"duty_id": "lift-upkeep", "subject_id": "ltb-lift-1", "starts_on": "2026-01-01"}]
        }
    )

    duty_id: Line = Field(max_length=80)
    subject_id: Line = Field(min_length=1, max_length=100)
    starts_on: date = Field(ge=date(2000, 1, 1), le=date(2100, 12, 31))
    recurrence: Line | None = Field(default=None, max_length=200)
    responsible: Line = Field(default="", max_length=100)


class AdoptionChange(BaseModel):
    """What is given is changed, unless somebody was quicker: `version` is the one that was read."""

    version: int = Field(ge=1, le=2**31 - 1)
    starts_on: date | None = Field(default=None, ge=date(2000, 1, 1), le=date(2100, 12, 31))
    recurrence: Line | None = Field(default=None, max_length=200)
    responsible: Line | None = Field(default=None, max_length=100)
    is_retired: bool | None = None


class NewRecord(BaseModel):
    """Done, with its papers; or waived, with the reason as `note`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "due_on": "2026-06-30",
                    "done_on": "2026-06-12",
                    "done_by": "Sheng-An Lifts",
                    "papers": [{"kind": "record", "reference": "SA-2026-118"}],
                }
            ]
        }
    )

    due_on: date = Field(ge=date(2000, 1, 1), le=date(2101, 12, 31))
    done_on: date = Field(ge=date(2000, 1, 1), le=date(2101, 12, 31))
    is_waived: bool = False
    done_by: Line = Field(default="", max_length=100)
    note: Words = Field(default="", max_length=2000)
    papers: list[PaperField] = Field(default=[], max_length=20)


@router.get("/catalogue", summary="Duties that are shipped", name="list_duty_catalogue")
async def list_catalogue(_: Viewer) -> list[DutyAnswer]:
    """With their legal basis, interval and the papers that they demand."""
    return [_duty(duty) for duty in shipped_duties().values()]


@router.get("", summary="A year's duties", name="read_duty_year")
async def read_year(_: Viewer, data: Data, now: Now, year: Year) -> YearAnswer:
    """Every duty taken on with its due dates of the year, and how they stand today."""
    rows = await duties.read_year(data, year, now)
    found = duties.compliance(rows)
    return YearAnswer(
        year=year, counts=found.counts, kept_share=found.kept_share, duties=[_adopted(row) for row in rows]
    )


@router.get("/due", summary="What is due", name="read_due_duties")
async def read_due(
    _: Viewer,
    data: Data,
    now: Now,
    days: Annotated[int, Query(ge=0, le=400, description="So far ahead.")] = 30,
) -> list[AdoptedAnswer]:
    """Overdue ones first, then those that can be done now and are due within `days`."""
    return [_adopted(row) for row in await duties.read_due(data, timedelta(days=days), now)]


@router.post("", status_code=201, summary="Take a duty on", name="adopt_duty")
async def adopt(_: DutyManager, wanted: NewAdoption, data: Data, doer: Doer, now: Now) -> AdoptionAnswer:
    """For a space, an equipment or a thing by name. 409 where it is taken on for it already."""
    made = await duties.adopt(
        data,
        wanted.duty_id,
        wanted.subject_id,
        wanted.starts_on,
        doer,
        now,
        recurrence=wanted.recurrence,
        responsible=wanted.responsible,
    )
    return _adoption(made)


@router.patch("/{adoption_id}", summary="Change or retire a duty", name="change_duty")
async def change(
    _: DutyManager, adoption_id: AdoptionId, wanted: AdoptionChange, data: Data, doer: Doer, now: Now
) -> AdoptionAnswer:
    """Retiring keeps all records and is taken back by `is_retired: false`. 409 where `version` is old."""
    fields = wanted.model_dump(exclude={"version"})
    return _adoption(await duties.change_adoption(data, adoption_id, wanted.version, doer, now, **fields))


@router.post("/{adoption_id}/records", status_code=201, summary="Record what was done", name="record_duty")
async def record(
    keeper: DutyKeeper, adoption_id: AdoptionId, wanted: NewRecord, data: Data, doer: Doer, now: Now
) -> RecordAnswer:
    """Done by those who keep duties, waived by those who manage them. 409 where something is recorded."""
    if wanted.is_waived and not keeper.may(Permission.MANAGE_DUTIES):
        raise NotAllowed(f"The role {keeper.role.value} may not leave a duty undone.")
    papers = tuple(Paper(p.kind, p.attachment_id, p.reference.strip()) for p in wanted.papers)
    deed = WantedDeed(wanted.due_on, wanted.done_on, wanted.is_waived, wanted.done_by, wanted.note, papers)
    return _record(await duties.record(data, adoption_id, deed, doer, now))


@router.post("/records/{deed_id}/undo", summary="Take a record back", name="undo_duty_record")
async def undo(_: DutyManager, deed_id: DeedId, data: Data, doer: Doer, now: Now) -> RecordAnswer:
    """The due date stands as before; the record stays in the history as undone."""
    return _record(await duties.undo(data, deed_id, doer, now))


def _duty(duty: Duty) -> DutyAnswer:
    return DutyAnswer.model_validate(duty)


def _adoption(adoption: Adoption) -> AdoptionAnswer:
    return AdoptionAnswer.model_validate(adoption)


def _record(found: DutyRecord) -> RecordAnswer:
    papers = [
        PaperField(kind=p.kind, attachment_id=p.attachment_id, reference=p.reference) for p in found.papers
    ]
    return RecordAnswer(
        deed_id=found.deed_id,
        adoption_id=found.adoption_id,
        due_on=found.deed.due_on,
        done_on=found.deed.done_on,
        is_waived=found.deed.is_waived,
        done_by=found.done_by,
        note=found.note,
        papers=papers,
        recorded_by=found.recorded_by,
        recorded_at=found.recorded_at,
        undone_at=found.undone_at,
    )


def _adopted(row: AdoptedDuty) -> AdoptedAnswer:
    dates = [
        DateAnswer(
            due_on=at.due.due_on,
            opens_on=at.due.opens_on,
            last_on=at.due.last_on,
            standing=at.standing,
            record=_record(at.record) if at.record else None,
        )
        for at in row.dates
    ]
    return AdoptedAnswer(
        adoption=_adoption(row.adoption), duty=_duty(row.duty), subject_name=row.subject_name, dates=dates
    )
