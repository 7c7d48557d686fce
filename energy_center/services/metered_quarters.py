"""Quarter-hours of a register from the database, exact at their edges however often it is read."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from energy_center.analysis.counters import FloatArray, Register
from energy_center.analysis.demand import BLOCK_S
from energy_center.analysis.quarters import RolledUp, Seldom, quarters
from energy_center.analysis.registers import Exchange
from energy_center.domain.quantities import QUANTITIES, Role
from energy_center.domain.readings import Quality
from energy_center.domain.site import Point
from energy_center.services.recorded_exchanges import read_exchanges
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
    spans = await _seldom_spans(db, point, since, until)
    seldom = await _read_seldom(db, point, spans)
    exchanges = (await read_exchanges(db, [point.point_id], since, until)).get(point.point_id, [])
    # a year of quarter-hours is tens of milliseconds of numerics
    return await asyncio.to_thread(_measured, point, rows, spans, seldom, exchanges, (start, end))


_Span = tuple[datetime, datetime, float]  # from, to, seconds between readings


async def _seldom_spans(db: Database, point: Point, since: datetime, until: datetime) -> list[_Span]:
    """The times in which the point is read seldom."""
    changes = await read_sampling(db, point.point_id)
    begins = [(since, point.interval_s), *((max(at, since), interval) for at, interval in changes)]
    ends = [*(at for at, _ in begins[1:]), until]
    return [
        (at, min(end, until), interval)
        for (at, interval), end in zip(begins, ends, strict=True)
        if interval >= _SELDOM_S and at < min(end, until)
    ]


async def _read_seldom(db: Database, point: Point, spans: list[_Span]) -> Seldom | None:
    """Raw readings of those times, as far as they are kept; None where none are."""
    raw = [
        (await read_series(db, [point.point_id], at, end, Grain.RAW))[point.point_id] for at, end, _ in spans
    ]
    usable = [(rows.quality & _LEFT_OUT) == 0 for rows in raw]
    at_s = np.concatenate([rows.at_us[u] / _US for rows, u in zip(raw, usable, strict=True)] or [np.zeros(0)])
    if not at_s.size:
        return None
    return Seldom(
        spans=_runs(at_s),
        at_s=at_s,
        level=np.concatenate([rows.value[u] for rows, u in zip(raw, usable, strict=True)]),
        interval_s=max(interval for _, _, interval in spans),
    )


def _runs(at_s: FloatArray) -> FloatArray:
    """Rows of [from, to) of the quarter-hours that have a raw reading: old ones may have been dropped."""
    buckets = np.unique(np.floor(at_s / BLOCK_S) * BLOCK_S)
    breaks = np.flatnonzero(np.diff(buckets) > BLOCK_S)
    first = buckets[np.concatenate(([0], breaks + 1))]
    last = buckets[np.concatenate((breaks, [len(buckets) - 1]))]
    return np.column_stack((first, last + BLOCK_S))


def _measured(
    point: Point,
    rows: Series,
    spans: list[_Span],
    seldom: Seldom | None,
    exchanges: Sequence[Exchange],
    period: tuple[datetime, datetime],
) -> Measured:
    known = ~np.isnan(rows.last)
    starts = rows.at_us[known] / _US
    is_seldom = np.zeros(len(starts), dtype=np.bool_)
    for at, end, _ in spans:
        is_seldom |= (starts >= at.timestamp()) & (starts < end.timestamp())
    rolled = RolledUp(
        starts,
        rows.first[known],
        rows.last[known],
        np.minimum(rows.coverage[known], 1.0),
        # history and slow pollers read on the quarter-hour
        is_seldom & (rows.first[known] == rows.last[known]),
    )
    edges = np.arange(period[0].timestamp(), period[1].timestamp() + BLOCK_S / 2, BLOCK_S)
    register = Register(max_rate_per_h=_HIGHEST_PER_H, modulus=point.rollover_at, resolution=1.0)
    energy, coverage = quarters(rolled, seldom, register, edges, exchanges)
    return measured(np.round(edges[:-1]).astype(np.int64), energy, coverage)
