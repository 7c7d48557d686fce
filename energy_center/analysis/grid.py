"""Edges of the intervals that people ask for: quarter-hours, local hours, days and months."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

import numpy as np

from energy_center.analysis.counters import FloatArray
from energy_center.domain.timeline import BLOCK, Interval, block_of, days_in, local_date, midnight, months_in

_HOUR = timedelta(hours=1)


class Step(StrEnum):
    """How finely a period is cut."""

    QUARTER = "15min"
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


def edges_of(period: Interval, step: Step, zone: ZoneInfo) -> FloatArray:
    """Epoch seconds of the edges of all steps that touch a period, whole, shape (n+1,).

    Days and months are local ones; so are hours, which begin at local midnight and last 3,600 s.
    """
    match step:
        case Step.QUARTER:
            first, last = block_of(period.start).start, block_of(period.end - timedelta(microseconds=1)).end
            count = round((last - first) / BLOCK)
            return first.timestamp() + BLOCK.total_seconds() * np.arange(count + 1, dtype=np.float64)
        case Step.HOUR:
            return _hours(period, zone)
        case Step.DAY:
            starts = [midnight(local_date(part.start, zone), zone) for part in days_in(period, zone)]
            end = midnight(local_date(starts[-1], zone) + timedelta(days=1), zone)
            return _seconds([*starts, end])
        case Step.MONTH:
            months = [
                midnight(local_date(p.start, zone).replace(day=1), zone) for p in months_in(period, zone)
            ]
            after = local_date(months[-1], zone) + timedelta(days=31)
            return _seconds([*months, midnight(after.replace(day=1), zone)])


def _hours(period: Interval, zone: ZoneInfo) -> FloatArray:
    starts = list[datetime]()
    for part in days_in(period, zone):
        at = midnight(local_date(part.start, zone), zone)
        at += (part.start - at) // _HOUR * _HOUR
        while at < part.end:
            starts.append(at)
            at += _HOUR
    return _seconds([*starts, starts[-1] + _HOUR])


def _seconds(instants: list[datetime]) -> FloatArray:
    return np.array([at.timestamp() for at in instants])


def period_of(start_s: float, end_s: float) -> Interval:
    """The interval between two epoch seconds, aware UTC."""
    return Interval(datetime.fromtimestamp(start_s, UTC), datetime.fromtimestamp(end_s, UTC))
