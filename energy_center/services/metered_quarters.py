"""Quarter-hours of a register from the database, exact at their edges however often it is read."""

import asyncio
from datetime import datetime, timedelta

import numpy as np

from energy_center.analysis.counters import Register
from energy_center.analysis.demand import BLOCK_S
from energy_center.analysis.quarters import RolledUp, Seldom, quarters
from energy_center.domain.quantities import QUANTITIES, Role
from energy_center.domain.readings import Quality
from energy_center.domain.site import Point
from energy_center.store.pool import Database
from energy_center.store.readings import read_sampling
from energy_center.store.series import Grain, Series, read_series
from energy_center.tariffs.measure import Measured, measured

_SELDOM_S = 300.0  # read less often, a roll-up's last register is too far from its edge
_AROUND = timedelta(hours=2)  # readings beyond the edges that energy is interpolated to
_US = 1_000_000
_LEFT_OUT = Quality.OUT_OF_RANGE | Quality.SENSOR_FAULT  # as in the roll-ups
# meters show whole kWh at the coarsest; no building takes more than a power reading can show
_HIGHEST_PER_H = QUANTITIES[Role.ACTIVE_POWER].high


async def read_quarters(db: Database, point: Point, start: datetime, end: datetime) -> Measured:
    """Energy, coverage and demand of every quarter-hour of [start, end); `start` is on the quarter-hour."""
    since, until = start - _AROUND, end + _AROUND
    rows = (await read_series(db, [point.point_id], since, until, Grain.QUARTER))[point.point_id]
    seldom = await _read_seldom(db, point, since, until)
    # a year of quarter-hours is tens of milliseconds of numerics
    return await asyncio.to_thread(_measured, point, rows, seldom, start, end)


async def _read_seldom(db: Database, point: Point, since: datetime, until: datetime) -> Seldom | None:
    """Raw readings of the times in which the point is read seldom, None where it never is."""
    changes = await read_sampling(db, point.point_id)
    begins = [(since, point.interval_s), *((max(at, since), interval) for at, interval in changes)]
    ends = [*(at for at, _ in begins[1:]), until]
    spans = [
        (at, min(end, until), interval)
        for (at, interval), end in zip(begins, ends, strict=True)
        if interval >= _SELDOM_S and at < min(end, until)
    ]
    raw = [
        (await read_series(db, [point.point_id], at, end, Grain.RAW))[point.point_id] for at, end, _ in spans
    ]
    kept = [(span, rows) for span, rows in zip(spans, raw, strict=True) if len(rows)]
    if not kept:  # old raw readings may have been dropped: then the roll-ups must do
        return None
    usable = [(rows.quality & _LEFT_OUT) == 0 for _, rows in kept]
    return Seldom(
        spans=np.array([[at.timestamp(), end.timestamp()] for (at, end, _), _ in kept]),
        at_s=np.concatenate([rows.at_us[u] / _US for (_, rows), u in zip(kept, usable, strict=True)]),
        level=np.concatenate([rows.value[u] for (_, rows), u in zip(kept, usable, strict=True)]),
        interval_s=max(interval for (_, _, interval), _ in kept),
    )


def _measured(point: Point, rows: Series, seldom: Seldom | None, start: datetime, end: datetime) -> Measured:
    known = ~np.isnan(rows.last)
    rolled = RolledUp(
        rows.at_us[known] / _US, rows.first[known], rows.last[known], np.minimum(rows.coverage[known], 1.0)
    )
    edges = np.arange(start.timestamp(), end.timestamp() + BLOCK_S / 2, BLOCK_S)
    register = Register(max_rate_per_h=_HIGHEST_PER_H, modulus=point.rollover_at, resolution=1.0)
    energy, coverage = quarters(rolled, seldom, register, edges)
    return measured(np.round(edges[:-1]).astype(np.int64), energy, coverage)
