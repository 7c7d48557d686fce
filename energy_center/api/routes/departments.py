"""Figures of departments: intensity by area and head, measured or shared by floor area."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from energy_center.analysis.insufficient import Insufficient
from energy_center.api.deps import Data, Now, Viewer
from energy_center.api.fields import Line
from energy_center.api.periods import From, To, period_asked
from energy_center.services.read_departments import DepartmentFigures, read_departments

router = APIRouter(tags=["energy"])


class DepartmentAnswer(BaseModel):
    """EUI and per-head use of one department; `not_known` says why where it cannot be given."""

    department_id: str
    name_zh_tw: str
    name_en: str
    spaces: list[str] = Field(description="Where it has its rooms, of the space asked for.")
    start: datetime
    end: datetime
    how: str = Field(description="`measured` by a meter of its own, or `allocated by area`.")
    shares: dict[str, float] = Field(description="The department's part of each meter's energy, 0..1.")
    energy_kwh: float | None
    coverage: float
    area_m2: float
    headcount: float | None
    kwh_per_m2_year: float | None
    kwh_per_head_year: float | None
    is_scaled: bool | None = Field(description="Reckoned from less than a whole year.")
    not_known: list[str]


@router.get(
    "/spaces/{space_id}/departments", summary="EUI and per-head use by department", name="read_departments"
)
async def get_departments(
    _: Viewer,
    data: Data,
    now: Now,
    space_id: Annotated[Line, Path(max_length=100, description="As in the site file.", examples=["ltb"])],
    start: From = None,
    to: To = None,
) -> list[DepartmentAnswer]:
    """The departments of a space and all below it, in the order of the site file. Whole local days."""
    return [_answer(d) for d in await read_departments(data, space_id, period_asked(start, to, now))]


def _answer(found: DepartmentFigures) -> DepartmentAnswer:
    known = None if isinstance(found.intensity, Insufficient) else found.intensity
    department = found.department
    return DepartmentAnswer(
        department_id=department.department_id,
        name_zh_tw=department.name.zh_tw,
        name_en=department.name.en,
        spaces=[part.space_id for part in department.parts],
        start=found.start,
        end=found.end,
        how="allocated by area" if found.is_allocated else "measured",
        shares=dict(found.shares),
        energy_kwh=found.energy_kwh,
        coverage=found.coverage,
        area_m2=department.area_m2,
        headcount=department.headcount,
        kwh_per_m2_year=known.per_m2_year if known else None,
        kwh_per_head_year=known.per_head_year if known else None,
        is_scaled=known.is_scaled if known else None,
        not_known=list(found.intensity.reasons) if isinstance(found.intensity, Insufficient) else [],
    )
