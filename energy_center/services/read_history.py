"""Trends: series at the grain that fits the pixels, with the min-max band, gaps kept as gaps."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

from energy_center.domain.quantities import Kind, Role
from energy_center.domain.readings import PointId
from energy_center.domain.site import Equipment, Point, Text
from energy_center.errors import Invalid, NotFound
from energy_center.services.current_site import current_site
from energy_center.services.series_consumption import with_consumption
from energy_center.services.trend_shape import Floats, Shape, choose_grain, shape
from energy_center.store.overview import raw_kept_from
from energy_center.store.pool import Database
from energy_center.store.series import Grain, Series, read_series

LEAST_POINTS, MOST_POINTS = 10, 10_000
MOST_SERIES = 50


@dataclass(frozen=True, slots=True)
class Trend:
    """One point over [start, end).

    `at`, `value`, `low`, `high` have equal length; `at` is aware UTC, the start of each bucket or the time of
    a raw reading. Gauges and states: mean with its band. Counters: consumption per bucket of `bucket_s`
    seconds, no band. A None value is a gap: draw no line across it. `coverage` is the measured share 0..1 of
    [start, end). `simulated` are the spans [from, to) whose readings are back-filled demo history.
    """

    point_id: PointId
    equipment_id: str
    equipment_name: Text
    name: str
    role: Role
    kind: Kind
    unit: str
    grain: str  # raw | 15min | hour | day
    bucket_s: float
    at: tuple[datetime, ...]
    value: tuple[float | None, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]
    coverage: float
    simulated: tuple[tuple[datetime, datetime], ...]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return all(v is None for v in self.value)


async def read_trend(
    db: Database, point_ids: Sequence[PointId], start: datetime, end: datetime, *, max_points: int = 1200
) -> list[Trend]:
    """Series in the order asked for. Raises NotFound for an unknown point, Invalid for start >= end."""
    _check(point_ids, start, end, max_points)
    site = await current_site(db)
    known = {p.point_id: (e, p) for e in site.equipment for p in e.points}
    unknown = [p for p in point_ids if p not in known]
    if unknown:
        raise NotFound(f"No point {', '.join(map(str, unknown))}")
    zone, kept_from = ZoneInfo(site.time_zone), await raw_kept_from(db)
    has_raw = kept_from is None or start >= kept_from
    by_grain: dict[Grain, list[PointId]] = defaultdict(list)
    for point_id in dict.fromkeys(point_ids):
        point = known[point_id][1]
        span_s = (end - start).total_seconds()
        by_grain[choose_grain(point.kind, point.interval_s, span_s, max_points, has_raw=has_raw)].append(
            point_id
        )
    trends: dict[PointId, Trend] = {}
    for grain, ids in by_grain.items():
        series = await read_series(db, ids, start, end, grain)
        for p in ids:
            series[p] = await with_consumption(db, known[p][1], series[p], grain, zone, is_site_zone=True)
        # a chart of many points takes tens of milliseconds of numerics
        trends |= await asyncio.to_thread(_trends, known, series, grain, (start, end), max_points)
    return [trends[p] for p in point_ids]


def _check(point_ids: Sequence[PointId], start: datetime, end: datetime, max_points: int) -> None:
    if start.tzinfo is None or end.tzinfo is None:
        raise Invalid("Times need a zone")
    if start >= end:
        raise Invalid("The period ends before it starts")
    if not LEAST_POINTS <= max_points <= MOST_POINTS:
        raise Invalid(f"max_points is a number from {LEAST_POINTS} to {MOST_POINTS:,}")
    if len(point_ids) > MOST_SERIES:
        raise Invalid(f"At most {MOST_SERIES} points at once")


def _trends(
    known: Mapping[PointId, tuple[Equipment, Point]],
    series: Mapping[PointId, Series],
    grain: Grain,
    period: tuple[datetime, datetime],
    max_points: int,
) -> dict[PointId, Trend]:
    return {p: _trend(*known[p], series[p], grain, period, max_points) for p in series}


def _trend(
    equipment: Equipment,
    point: Point,
    series: Series,
    grain: Grain,
    period: tuple[datetime, datetime],
    max_points: int,
) -> Trend:
    bounds = (period[0].timestamp(), period[1].timestamp())
    drawn: Shape = shape(series, point.kind, grain, point.interval_s, bounds, max_points)
    return Trend(
        point_id=point.point_id,
        equipment_id=equipment.equipment_id,
        equipment_name=equipment.name,
        name=point.name,
        role=point.role,
        kind=point.kind,
        unit=point.unit,
        grain=grain.value,
        bucket_s=drawn.bucket_s,
        at=tuple(datetime.fromtimestamp(at, UTC) for at in drawn.at_s.tolist()),
        value=_known(drawn.value),
        low=_known(drawn.low),
        high=_known(drawn.high),
        coverage=drawn.coverage,
        simulated=tuple(
            (datetime.fromtimestamp(a, UTC), datetime.fromtimestamp(b, UTC)) for a, b in drawn.simulated
        ),
    )


def _known(column: Floats) -> tuple[float | None, ...]:
    return tuple(None if unknown else v for v, unknown in zip(column.tolist(), np.isnan(column), strict=True))
