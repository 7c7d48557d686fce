"""What counters consumed in each row of a series, by the same running total as every figure of energy."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from energy_center.analysis.buckets import added_by_buckets
from energy_center.analysis.counters import CounterEvent, FloatArray
from energy_center.domain.quantities import Kind
from energy_center.domain.site import Point
from energy_center.services.recorded_exchanges import read_exchanges
from energy_center.services.registers import MICROSECONDS, register_of
from energy_center.services.trend_shape import BUCKET_S
from energy_center.store.pool import Database
from energy_center.store.reading_batch import MICROSECOND, from_us
from energy_center.store.series import Grain, Series, read_neighbours, read_series

_AROUND: Final = 48  # rows on each side: enough to tell what a register usually counts, and a wrong reading


async def with_consumption(
    db: Database, point: Point, rows: Series, grain: Grain, zone: ZoneInfo, *, is_site_zone: bool
) -> Series:
    """All rows of one point between the first and the last of them, with `delta` filled in for a counter.

    A row's consumption is the register's rise from the last reading of the row before, however long before. A
    register that began anew is followed by quarter-hours, and so are hours and days of another zone than the
    site's.
    """
    if point.kind is not Kind.COUNTER or grain is Grain.RAW or not len(rows):
        return rows
    if grain is Grain.QUARTER or is_site_zone:
        delta, events = await _added(db, point, rows, grain)
        if grain is Grain.QUARTER or not events:
            return replace(rows, delta=delta)
    start, end = from_us(int(rows.at_us[0])), bucket_end(from_us(int(rows.at_us[-1]) + 1), grain, zone)
    quarters = (await read_series(db, [point.point_id], start, end, Grain.QUARTER))[point.point_id]
    if not len(quarters):  # hours are kept, their quarters are not
        return rows
    delta, _ = await _added(db, point, quarters, Grain.QUARTER)
    of_row = np.searchsorted(rows.at_us, quarters.at_us, side="right") - 1
    return replace(rows, delta=np.bincount(of_row, weights=delta, minlength=len(rows)).astype(np.float64))


async def _added(
    db: Database, point: Point, rows: Series, grain: Grain
) -> tuple[FloatArray, tuple[CounterEvent, ...]]:
    start, end = from_us(int(rows.at_us[0])), from_us(int(rows.at_us[-1])) + MICROSECOND
    around = (await read_neighbours(db, [point.point_id], start, end, grain, _AROUND))[point.point_id]
    before = int(np.searchsorted(around.at_us, rows.at_us[0]))
    at_us, first, last = (
        np.concatenate((getattr(around, c)[:before], getattr(rows, c), getattr(around, c)[before:]))
        for c in ("at_us", "first", "last")
    )
    start, end = from_us(int(at_us[0])), from_us(int(at_us[-1])) + timedelta(days=1)
    exchanges = (await read_exchanges(db, [point.point_id], start, end)).get(point.point_id, ())
    delta, events = await asyncio.to_thread(
        added_by_buckets, at_us / MICROSECONDS, BUCKET_S[grain], first, last, register_of(point), exchanges
    )
    return delta[before : before + len(rows)], events


def bucket_start(at: datetime, grain: Grain, zone: ZoneInfo) -> datetime:
    """Start of the bucket that holds an instant, in UTC; the instant itself for raw readings."""
    if grain is Grain.RAW:
        return at
    local = at.astimezone(zone)
    if grain is Grain.DAY:
        return local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0).astimezone(UTC)
    minute = local.minute % 15 if grain is Grain.QUARTER else local.minute
    into = timedelta(minutes=minute, seconds=local.second, microseconds=local.microsecond)
    return at.astimezone(UTC) - into


def bucket_end(at: datetime, grain: Grain, zone: ZoneInfo) -> datetime:
    """The first start of a bucket at or after an instant: 26 hours later lies in the next day, DST or not."""
    start = bucket_start(at, grain, zone)
    if start == at:
        return at
    ahead = timedelta(hours=26) if grain is Grain.DAY else timedelta(hours=1)
    return bucket_start(start + ahead, grain, zone)
