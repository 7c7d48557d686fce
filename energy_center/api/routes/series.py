"""Series of any points, for programs, notebooks and spreadsheets: streamed, however long."""

from collections.abc import AsyncIterator
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from energy_center.api.deps import Data, Now, Viewer
from energy_center.api.fields import Line
from energy_center.api.routes.points import period_of
from energy_center.api.series_forms import FORMS
from energy_center.domain.quantities import Kind, Role
from energy_center.domain.readings import PointId
from energy_center.errors import Invalid
from energy_center.services.stream_series import Block, plan_series, stream_series
from energy_center.store.series import Grain

router = APIRouter(tags=["series"])

_LARGEST_POINT_ID = 2**31 - 1
_MOST_ROWS = 1_000_000


class SeriesForm(StrEnum):
    """How series are written."""

    JSON = "json"
    CSV = "csv"
    ARROW = "arrow"


class PointSeries(BaseModel):
    """One point's rows, each an array in the order of `columns`."""

    point_id: int
    equipment_id: str
    name: str
    role: Role
    kind: Kind
    unit: str = Field(description="UCUM code; consumption has the same.")
    resolution: Grain
    step_s: float = Field(description="Seconds from one row to the next where nothing is missing.")
    rows: list[tuple[str, float | None, float | None, float | None, float | None, float, int]]


class ManySeries(BaseModel):
    """Series of some points over one period."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "start": "2026-11-24T00:00:00+08:00",
                    "end": "2026-11-24T01:00:00+08:00",
                    "time_zone": "Asia/Taipei",
                    "columns": ["at", "value", "low", "high", "consumption", "coverage", "quality"],
                    "series": [
                        {
                            "point_id": 42,
                            "equipment_id": "ltb-main",
                            "name": "active_power",
                            "role": "active_power",
                            "kind": "gauge",
                            "unit": "kW",
                            "resolution": "15min",
                            "step_s": 900.0,
                            "rows": [
                                ["2026-11-24T00:00:00+08:00", 312.4, 298.0, 330.1, None, 1.0, 0],
                                ["2026-11-24T00:15:00+08:00", None, None, None, None, 0.0, 0],
                                ["2026-11-24T00:30:00+08:00", 305.0, 297.2, 311.9, None, 0.93, 0],
                            ],
                        }
                    ],
                }
            ]
        }
    )

    start: datetime
    end: datetime
    time_zone: str
    columns: list[str]
    series: list[PointSeries]


_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "text/csv": {
                "schema": {"type": "string"},
                "example": "point_id,equipment_id,point,role,unit,at,value,low,high,consumption,coverage,"
                "quality\r\n"
                "42,ltb-main,active_power,active_power,kW,2026-11-24T00:00:00+08:00,312.4,298.0,330.1,,1.0,0\r\n",
            },
            "application/vnd.apache.arrow.stream": {"schema": {"type": "string", "format": "binary"}},
        }
    }
}


@router.get(
    "/series",
    summary="Series of any points",
    name="stream_series",
    response_model=ManySeries,
    responses=_ANSWERS,
)
async def read_many_series(
    _: Viewer,
    data: Data,
    now: Now,
    point_id: Annotated[
        list[Annotated[int, Field(ge=1, le=_LARGEST_POINT_ID)]] | None,
        Query(max_length=2000, description="May be repeated.", examples=[[42, 43]]),
    ] = None,
    equipment_id: Annotated[
        list[Annotated[Line, Field(max_length=100)]] | None,
        Query(
            max_length=2000,
            description="All its points, or those of the named roles.",
            examples=[["ltb-main"]],
        ),
    ] = None,
    role: Annotated[
        list[Role] | None,
        Query(max_length=100, description="Of the named equipment, or of all.", examples=[["active_power"]]),
    ] = None,
    start: Annotated[AwareDatetime | None, Query(description="A day before `end` when left out.")] = None,
    end: Annotated[AwareDatetime | None, Query(description="Now when left out; not included.")] = None,
    time_zone: Annotated[
        Line | None,
        Query(
            max_length=64, description="IANA name; the site's own when left out.", examples=["Europe/Berlin"]
        ),
    ] = None,
    resolution: Annotated[
        Grain | None, Query(description="When left out, the finest that fits `max_points`.")
    ] = None,
    max_points: Annotated[
        int, Query(ge=10, le=_MOST_ROWS, description="Rows that a point should have at most, as pixels.")
    ] = 1200,
    form: Annotated[
        SeriesForm, Query(alias="format", description="JSON, CSV, or an Arrow IPC stream.")
    ] = SeriesForm.JSON,
) -> StreamingResponse:
    """Streamed point after point, however long. 404 when a named point or equipment does not exist.

    A bucket holds its time-weighted mean with its lowest and highest reading; of a counter its register and
    its consumption. Where nothing was read there is one row without a value. Hours and days are those of
    `time_zone`; a bucket that begins before `start` and reaches into the period is given whole.
    """
    plan = await plan_series(
        data,
        [PointId(number) for number in point_id or ()],
        equipment_id or (),
        role or (),
        period_of(start, end, now),
        zone=_zone(time_zone),
        resolution=resolution,
        max_points=max_points,
    )
    write, media_type = FORMS[form]
    blocks = stream_series(data, plan)
    first = await anext(blocks)  # what fails now is still an answer with its own status
    headers = {"Content-Disposition": f'inline; filename="series.{form}"'}
    return StreamingResponse(write(plan, _from(first, blocks)), media_type=media_type, headers=headers)


async def _from(first: Block, others: AsyncIterator[Block]) -> AsyncIterator[Block]:
    yield first
    async for block in others:
        yield block


def _zone(name: str | None) -> ZoneInfo | None:
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as cause:  # unknown, no plain name, a folder's name
        raise Invalid(f"There is no time zone {name!r}; names are as `Asia/Taipei`.") from cause
