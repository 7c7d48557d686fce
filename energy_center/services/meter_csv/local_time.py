"""Local wall-clock times to instants, a whole column at once; days on which clocks change row by row."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from energy_center.services.meter_csv.model import FloatArray

DAY_S = 86_400
_HOUR_S = 3600.0
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 wall-clock seconds are counted from it


def to_epoch(local_s: FloatArray, zone: ZoneInfo) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Epoch seconds of wall-clock seconds since 1970, and which of them the zone's clock skips.

    Rows stand in time order. An hour that occurs twice is told apart by it: what would lie before the row
    above is the second one. Equal neighbours are a repetition where rows are closer than an hour.
    """
    days, index = np.unique(np.floor(local_s / DAY_S).astype(np.int64), return_inverse=True)
    offsets = np.array([_steady_offset(int(day), zone) for day in days])
    epoch_s, skipped = local_s - offsets[index], np.zeros(local_s.shape, dtype=bool)
    steps = np.diff(local_s)
    is_hourly = bool(np.median(steps[steps > 0]) >= _HOUR_S) if np.any(steps > 0) else False
    for each in np.flatnonzero(np.isnan(offsets)):
        rows = np.flatnonzero(index == each)
        epoch_s[rows], skipped[rows] = _one_by_one(local_s[rows], zone, is_hourly=is_hourly)
    return epoch_s, skipped


def _steady_offset(day: int, zone: ZoneInfo) -> float:
    """Seconds east of UTC all day long, NaN on a day on which clocks change."""
    start = _EPOCH + timedelta(days=day)
    offsets = {
        (start + timedelta(hours=hour)).replace(tzinfo=zone, fold=fold).utcoffset()
        for hour in (0, 24)
        for fold in (0, 1)
    }
    only = offsets.pop()
    return np.nan if offsets or only is None else only.total_seconds()


def _one_by_one(
    local_s: FloatArray, zone: ZoneInfo, *, is_hourly: bool
) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    epoch_s, skipped = np.empty_like(local_s), np.zeros(local_s.shape, dtype=bool)
    last = -np.inf
    for i, seconds in enumerate(local_s):
        wall = _EPOCH + timedelta(seconds=float(seconds))
        first = wall.replace(tzinfo=zone).timestamp()
        second = wall.replace(tzinfo=zone, fold=1).timestamp()
        skipped[i] = datetime.fromtimestamp(first, UTC).astimezone(zone).replace(tzinfo=None) != wall
        comes_again = first < last or (first == last and is_hourly)
        epoch_s[i] = second if second > first and comes_again else first
        last = last if skipped[i] else epoch_s[i]
    return epoch_s, skipped
