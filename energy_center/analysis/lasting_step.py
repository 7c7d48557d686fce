"""When a series of days changed its level for good, by the library `ruptures`.

Exact segmentation with a penalty for each change (Truong, Oudre and Vayatis 2020, Signal Processing 167). The
days must be free of weather and weekday already.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_SHORTEST = 3  # days of a stretch of its own, so that a holiday is not taken for a part of what follows
_NORMAL = 1.4826  # standard deviation of a normal distribution per median of absolute deviations
_FARTHEST = 5.0  # spreads: a single odd day counts no more than this


@dataclass(frozen=True, slots=True)
class Step:
    """The last change of level: how many days ago, and the median since less that of all days before."""

    days: int
    size: float


def last_step(days: Floats, penalty: float, least_days: int, least_spread: float) -> Step | None:
    """The change to the last level that held for `least_days`; None where that is the first one.

    `days` in rising order, shape (n,), NaN where not known. `penalty`: what a change must explain, in squared
    spreads per log of the number of days; the spread is taken from day to day, so that a change does not
    widen it, and is not below `least_spread` (in the days' unit, above 0).
    """
    # loaded where it is used, so that commands which judge nothing start without it
    from ruptures import KernelCPD

    known = np.flatnonzero(~np.isnan(days))
    values = days[known]
    if len(values) < 2 * _SHORTEST:
        return None
    from_day_to_day = float(np.median(np.abs(np.diff(values)))) / np.sqrt(2.0)
    spread = max(_NORMAL * from_day_to_day, least_spread)
    scaled = np.clip((values - np.median(values)) / spread, -_FARTHEST, _FARTHEST)
    search = KernelCPD(kernel="linear", min_size=_SHORTEST).fit(scaled.reshape(-1, 1))
    ends = search.predict(pen=penalty * float(np.log(len(values))))
    for first, end in reversed(list(pairwise(ends))):
        last = len(days) if end == len(values) else int(known[end])
        if last - int(known[first]) >= least_days:
            size = float(np.median(values[first:end]) - np.median(values[:first]))
            return Step(len(days) - int(known[first]), size)
    return None
