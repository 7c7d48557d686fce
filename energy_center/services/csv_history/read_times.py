"""A column of written times to instants; what is no time, or none of the zone's clock, is told."""

from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from energy_center.rules.window import US, Bools, Micros
from energy_center.services.csv_history.history_map import TimeEntry
from energy_center.services.meter_csv.local_time import to_epoch

_NONE = np.iinfo(np.int64).min


def read_times(written: "pd.Series[str]", entry: TimeEntry) -> tuple[Micros, Bools]:
    """µs since 1970 UTC per row in the order of the file, and which rows have a usable time."""
    if not entry.formats:
        return _iso(written, ZoneInfo(entry.zone))
    tried = [_local_us(written, pattern) for pattern in entry.formats]
    if any("%z" in pattern for pattern in entry.formats):
        at = _nearest(tried)
        return at, at != _NONE
    return _on_clock(_nearest(tried), ZoneInfo(entry.zone))


def _local_us(written: "pd.Series[str]", pattern: str) -> Micros:
    has_zone = "%z" in pattern
    found = pd.to_datetime(written, format=pattern, errors="coerce", utc=has_zone)
    if has_zone:
        found = found.dt.tz_localize(None)
    return _micros(found)


def _micros(found: "pd.Series[pd.Timestamp]") -> Micros:
    return np.asarray(found.to_numpy().astype("datetime64[us]").astype(np.int64))


def _nearest(tried: list[Micros]) -> Micros:
    """Of several readings of a row, the one nearest to the row before; the first where none lies before."""
    if len(tried) == 1:
        return tried[0]
    every = np.stack(tried)
    fits = every != _NONE
    chosen = np.where(fits.any(axis=0), every[np.argmax(fits, axis=0), np.arange(every.shape[1])], _NONE)
    known = np.where(fits, every, chosen)
    unlike = (known != chosen).any(axis=0)
    for row in np.flatnonzero(unlike):
        before = chosen[:row][chosen[:row] != _NONE][-1:]
        there = every[:, row][fits[:, row]]
        # a file that begins with such a row goes on from it: the next unambiguous one decides
        near = before if len(before) else chosen[row + 1 :][~unlike[row + 1 :]][:1]
        if len(near):
            chosen[row] = there[np.argmin(np.abs(there - near[0]))]
    return chosen


def _iso(written: "pd.Series[str]", zone: ZoneInfo) -> tuple[Micros, Bools]:
    zoned = written.str.contains(r"(?:Z|[+-]\d{2}:?\d{2})\s*$", regex=True).to_numpy(dtype=np.bool_)
    at: NDArray[np.int64] = np.full(len(written), _NONE, dtype=np.int64)
    if zoned.any():
        found = pd.to_datetime(written[zoned], format="ISO8601", errors="coerce", utc=True)
        at[zoned] = _micros(found.dt.tz_localize(None))
    fine = at != _NONE
    if not zoned.all():
        local = _micros(pd.to_datetime(written[~zoned], format="ISO8601", errors="coerce"))
        at[~zoned], fine[~zoned] = _on_clock(local, zone)
    return at, fine


def _on_clock(local: Micros, zone: ZoneInfo) -> tuple[Micros, Bools]:
    fine = local != _NONE
    at = np.full(len(local), _NONE, dtype=np.int64)
    if fine.any():
        epoch_s, skipped = to_epoch(local[fine] / US, zone)
        at[fine] = np.round(epoch_s * US).astype(np.int64)
        fine[np.flatnonzero(fine)[skipped]] = False
    return at, fine
