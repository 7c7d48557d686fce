"""Points: their newest readings and their history, for programs and spreadsheets."""

import csv
import io
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from energy_center.api.deps import Data, Now, Viewer
from energy_center.api.fields import Limit, Line
from energy_center.domain.quantities import Role
from energy_center.domain.readings import PointId
from energy_center.errors import Invalid
from energy_center.services.figures import is_stale
from energy_center.services.read_history import LEAST_POINTS, MOST_POINTS, Trend, read_trend
from energy_center.services.read_newest import NewestReading, read_newest

router = APIRouter(tags=["series"])

_LARGEST_POINT_ID = 2**31 - 1  # an int4 key
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)  # no reading is older
_AHEAD = timedelta(days=366)
_DAY = timedelta(days=1)


class Form(StrEnum):
    """How a series is written."""

    JSON = "json"
    CSV = "csv"


class Newest(BaseModel):
    """The newest reading of a point."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "point_id": 42,
                    "equipment_id": "ltb-main",
                    "name": "active_power",
                    "role": "active_power",
                    "unit": "kW",
                    "reading": 812.4,
                    "at": "2026-11-24T07:15:05Z",
                    "quality": 0,
                    "is_stale": False,
                }
            ]
        }
    )

    point_id: int
    equipment_id: str
    name: str
    role: Role
    unit: str = Field(description="UCUM code.")
    reading: float | None = Field(description="None where the point was never read.")
    at: datetime | None
    quality: int = Field(
        description="0 good, else the sum of flags: 1 out of range, 2 substituted, "
        "4 clock suspect, 8 sensor fault, 16 simulated history."
    )
    is_stale: bool = Field(description="Older than three of its intervals, or never read.")


SeriesPointId = Annotated[
    int, Path(ge=1, le=_LARGEST_POINT_ID, description="`point_id` of a point.", examples=[42])
]


@router.get("/latest", summary="Newest readings", name="list_latest")
async def list_latest(
    _: Viewer,
    data: Data,
    now: Now,
    point_id: Annotated[
        list[Annotated[int, Field(ge=1, le=_LARGEST_POINT_ID)]] | None,
        Query(max_length=1000, description="May be repeated; all points when left out.", examples=[[42, 43]]),
    ] = None,
    equipment_id: Annotated[Line | None, Query(max_length=100, examples=["ltb-main"])] = None,
    after_id: Annotated[int, Query(ge=0, le=_LARGEST_POINT_ID, description="Continue after this point.")] = 0,
    limit: Limit = 1000,
) -> list[Newest]:
    """By point id. 404 when a named point does not exist."""
    point_ids = [PointId(number) for number in point_id] if point_id else None
    found = await read_newest(
        data, point_ids=point_ids, equipment_id=equipment_id, after_id=after_id, limit=limit
    )
    return [_shown(newest, now) for newest in found]


def _shown(newest: NewestReading, now: datetime) -> Newest:
    return Newest(
        point_id=newest.point_id,
        equipment_id=newest.equipment_id,
        name=newest.name,
        role=newest.role,
        unit=newest.unit,
        reading=newest.reading,
        at=newest.at,
        quality=int(newest.quality),
        is_stale=newest.at is None or is_stale(newest.at, newest.interval_s, now),
    )


@router.get(
    "/points/{point_id}/series",
    summary="The history of a point",
    name="read_series",
    response_model=Trend,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def read_series(
    _: Viewer,
    point_id: SeriesPointId,
    data: Data,
    now: Now,
    start: Annotated[AwareDatetime | None, Query(description="A day before `end` when left out.")] = None,
    end: Annotated[AwareDatetime | None, Query(description="Now when left out; not included.")] = None,
    max_points: Annotated[
        int, Query(ge=LEAST_POINTS, le=MOST_POINTS, description="Decides the grain.")
    ] = 1200,
    form: Annotated[Form, Query(alias="format", description="JSON, or CSV for spreadsheets.")] = Form.JSON,
) -> Trend | Response:
    """At the finest grain (raw, 15 min, hour, day) that fits `max_points`; gaps stay gaps.

    Gauges: the time-weighted mean with the band of each bucket. Counters: consumption in each bucket.
    """
    since, until = period_of(start, end, now)
    (trend,) = await read_trend(data, [PointId(point_id)], since, until, max_points=max_points)
    if form is Form.JSON:
        return trend
    name = f"{trend.equipment_id}-{trend.name}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(_as_csv(trend), media_type="text/csv; charset=utf-8", headers=headers)


def period_of(start: datetime | None, end: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    """The period of a request, by default the last day. Raises Invalid for one that cannot be."""
    until = end or now
    if not _EARLIEST <= until <= now + _AHEAD:
        raise Invalid("`end` must lie between the year 2000 and a year from now.")
    since = start or until - _DAY
    if not _EARLIEST - _DAY <= since < until:
        raise Invalid("`start` must lie before `end`, and not before the year 2000.")
    return since, until


def _as_csv(trend: Trend) -> str:
    text = io.StringIO()
    rows = csv.writer(text)
    unit = trend.unit
    rows.writerow(["at", f"value ({unit})", f"low ({unit})", f"high ({unit})", "simulated"])
    for at, value, low, high in zip(trend.at, trend.value, trend.low, trend.high, strict=True):
        simulated = any(start <= at < end for start, end in trend.simulated)
        rows.writerow([at.isoformat(), value, low, high, "yes" if simulated else "no"])
    return text.getvalue()
