"""Series of any points over any period in any time zone, in blocks, at the resolution that fits the pixels.

Memory is bounded by the block, and no connection is held between two blocks: a slow reader costs the
server nothing. Rows are as stored, gaps are rows without a value; nothing is thinned or smoothed.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from energy_center.domain.quantities import Kind, Role
from energy_center.domain.readings import PointId, Quality
from energy_center.domain.site import Equipment, Point
from energy_center.errors import Invalid, NotFound
from energy_center.services.current_site import current_site
from energy_center.services.series_consumption import bucket_end, bucket_start, with_consumption
from energy_center.services.trend_shape import BUCKET_S, HISTORY_STEP_S
from energy_center.store.overview import raw_kept_from
from energy_center.store.pool import Database
from energy_center.store.reading_batch import from_us
from energy_center.store.series import Grain, Series, read_block, read_elsewhere

MOST_POINTS: Final = 2_000
BLOCK_ROWS: Final = 2_000
_ELSEWHERE: Final = {Grain.HOUR: timedelta(hours=2_000), Grain.DAY: timedelta(days=400)}
_LATE: Final = 1.5  # buckets; a day has 25 hours at most
_US = 1e6
_VALUES: Final = ("value", "low", "high", "first", "last", "delta")


@dataclass(frozen=True, slots=True)
class Wanted:
    """One point of a request; `step_s` is how far its rows lie apart."""

    equipment: Equipment
    point: Point
    grain: Grain
    step_s: float


@dataclass(frozen=True, slots=True)
class SeriesPlan:
    """What will be streamed, point after point."""

    wanted: tuple[Wanted, ...]
    start: datetime
    end: datetime
    zone: ZoneInfo
    is_site_zone: bool


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Some rows of one point, in time order. A row whose value is NaN is a gap: nothing is known from there.

    A counter's value is its register, its `delta` the consumption.
    """

    wanted: Wanted
    rows: Series

    def __len__(self) -> int:
        return len(self.rows)


async def plan_series(
    db: Database,
    point_ids: Sequence[PointId],
    equipment_ids: Sequence[str],
    roles: Sequence[Role],
    period: tuple[datetime, datetime],
    *,
    zone: ZoneInfo | None,
    resolution: Grain | None,
    max_points: int,
) -> SeriesPlan:
    """Find the points and choose each one's grain: the finest that gives `max_points` rows at most.

    Points are those named, and those of the named equipment with one of the roles (all when none is named).

    Raises:
        NotFound: a named point or equipment does not exist, or nothing has such a role.
        Invalid: nothing was named, or too much.
    """
    site = await current_site(db)
    start, end = period
    found = _find(site.equipment, point_ids, equipment_ids, roles)
    kept_from = await raw_kept_from(db)
    has_raw = kept_from is None or start >= kept_from
    span_s = (end - start).total_seconds()
    wanted = []
    for equipment, point in found:
        grain = resolution or _grain(point, span_s, max_points, has_raw=has_raw)
        wanted.append(Wanted(equipment, point, grain, BUCKET_S.get(grain, point.interval_s)))
    chosen = zone or ZoneInfo(site.time_zone)
    return SeriesPlan(tuple(wanted), start, end, chosen, chosen.key == site.time_zone)


def _find(
    equipment: Sequence[Equipment],
    point_ids: Sequence[PointId],
    equipment_ids: Sequence[str],
    roles: Sequence[Role],
) -> list[tuple[Equipment, Point]]:
    if not (point_ids or equipment_ids or roles):
        raise Invalid("Name points by `point_id`, or equipment and roles by `equipment_id` and `role`.")
    by_point = {p.point_id: (e, p) for e in equipment for p in e.points}
    known = {e.equipment_id for e in equipment}
    unknown = [str(p) for p in point_ids if p not in by_point] + [e for e in equipment_ids if e not in known]
    if unknown:
        raise NotFound(f"No point or equipment {', '.join(unknown[:10])}")
    found = {p: by_point[p] for p in point_ids}
    if equipment_ids or roles:
        for e, p in by_point.values():
            if (not equipment_ids or e.equipment_id in equipment_ids) and (not roles or p.role in roles):
                found.setdefault(p.point_id, (e, p))
    if not found:
        raise NotFound("No point has such a role there")
    if len(found) > MOST_POINTS:
        raise Invalid(f"{len(found):,} points are asked for; at most {MOST_POINTS:,} at once")
    return list(found.values())


def _grain(point: Point, span_s: float, max_points: int, *, has_raw: bool) -> Grain:
    """Counters are wanted for their consumption, which raw readings do not have."""
    if point.kind is not Kind.COUNTER and has_raw and span_s / point.interval_s <= max_points:
        return Grain.RAW
    return next((g for g, s in BUCKET_S.items() if span_s / s <= max_points), Grain.DAY)


async def stream_series(db: Database, plan: SeriesPlan) -> AsyncIterator[Block]:
    """Every point's rows, in blocks; a point without rows gives one empty block."""
    for wanted in plan.wanted:
        last_us: int | None = None
        async for rows in _blocks(db, plan, wanted):
            if len(rows):
                filled = await with_consumption(
                    db, wanted.point, rows, wanted.grain, plan.zone, is_site_zone=plan.is_site_zone
                )
                yield Block(wanted, _with_gaps(wanted, filled, last_us))
                last_us = int(rows.at_us[-1])
        if last_us is None:
            yield Block(wanted, _EMPTY)


async def _blocks(db: Database, plan: SeriesPlan, wanted: Wanted) -> AsyncIterator[Series]:
    point_id, grain = wanted.point.point_id, wanted.grain
    start = bucket_start(plan.start, grain, plan.zone)
    if grain in _ELSEWHERE and not plan.is_site_zone:
        while start < plan.end:
            until = bucket_start(start + _ELSEWHERE[grain], grain, plan.zone)
            last = bucket_end(plan.end, grain, plan.zone)
            yield await read_elsewhere(db, point_id, start, min(until, last), grain, plan.zone.key)
            start = until
        return
    while True:
        series = await read_block(db, point_id, start, plan.end, grain, BLOCK_ROWS)
        yield series
        if len(series) < BLOCK_ROWS:
            return
        start = from_us(int(series.at_us[-1]) + 1)


_NOTHING = np.array([], np.float64)
_EMPTY = Series(
    at_us=np.array([], np.int64),
    value=_NOTHING,
    low=_NOTHING,
    high=_NOTHING,
    first=_NOTHING,
    last=_NOTHING,
    delta=_NOTHING,
    coverage=_NOTHING,
    quality=np.array([], np.int16),
)


def _with_gaps(wanted: Wanted, rows: Series, last_us: int | None) -> Series:
    """Put a row without a value where the next row comes too late, also at the seam of two blocks."""
    step_us = np.full(len(rows), wanted.step_s * _US)
    if wanted.grain is Grain.RAW:
        simulated = (rows.quality & Quality.SIMULATED) > 0
        step_us[simulated] = max(HISTORY_STEP_S, wanted.step_s) * _US
    before = rows.at_us[0] - step_us[0] if last_us is None else last_us
    at, steps = np.insert(rows.at_us, 0, before), np.insert(step_us, 0, step_us[0])
    allowed = (2 if wanted.grain is Grain.RAW else _LATE) * np.maximum(steps[:-1], steps[1:])
    late = np.flatnonzero(np.diff(at) > allowed)
    if not late.size:
        return rows
    return Series(
        at_us=np.insert(rows.at_us, late, (at[late] + steps[late]).astype(np.int64)),
        coverage=np.insert(rows.coverage, late, 0.0),
        quality=np.insert(rows.quality, late, 0),
        **{name: np.insert(getattr(rows, name), late, np.nan) for name in _VALUES},
    )
