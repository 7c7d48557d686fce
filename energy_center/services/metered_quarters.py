"""Quarter-hours of a register from the database, exact at their edges however often it is read."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from energy_center.analysis.counters import FloatArray
from energy_center.analysis.demand import BLOCK_S
from energy_center.analysis.quarters import RolledUp, Seldom, quarters
from energy_center.analysis.registers import Exchange
from energy_center.domain.readings import Quality
from energy_center.domain.site import Point
from energy_center.services.recorded_exchanges import read_exchanges
from energy_center.services.registers import MICROSECONDS, register_of, usable_readings
from energy_center.store.pool import Database
from energy_center.store.readings import read_sampling
from energy_center.store.series import Grain, Series, read_series
from energy_center.tariffs.measure import Measured, measured

_SELDOM_S = 300.0  # read less often, a roll-up's last register is too far from its edge
_AROUND = timedelta(hours=2)  # readings beyond the edges that energy is interpolated to


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
    usable = [usable_readings(rows) for rows in raw]
    at_s = np.concatenate([at for at, _ in usable] or [np.zeros(0)])
    if not at_s.size:
        return None
    return Seldom(
        spans=_runs(at_s),
        at_s=at_s,
        level=np.concatenate([level for _, level in usable]),
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
    starts = rows.at_us[known] / MICROSECONDS
    is_seldom = np.zeros(len(starts), dtype=np.bool_)
    for at, end, _ in spans:
        is_seldom |= (starts >= at.timestamp()) & (starts < end.timestamp())
    rolled = RolledUp(
        starts,
        rows.first[known],
        rows.last[known],
        np.minimum(rows.coverage[known], 1.0),
        # slow pollers and imports read on the quarter-hour; the simulated past is read as one closes
        is_seldom & (rows.first[known] == rows.last[known]) & (rows.quality[known] & Quality.SIMULATED == 0),
    )
    edges = np.arange(period[0].timestamp(), period[1].timestamp() + BLOCK_S / 2, BLOCK_S)
    energy, coverage = quarters(rolled, seldom, register_of(point), edges, exchanges)
    return measured(np.round(edges[:-1]).astype(np.int64), energy, coverage)
