"""Whether a device answered, worked out from its readings where no collector has recorded it."""

from collections.abc import Sequence

import numpy as np

from energy_center.rules.window import US, Samples

# A device is silent when its newest reading is older than this many intervals, and at least five minutes.
SILENT_INTERVALS = 3.0
SILENT_AT_LEAST_S = 300.0


def device_samples_from_readings(of_points: Sequence[Samples]) -> Samples:
    """1 from each reading on, 0 from when the next one is overdue; valid until the next change."""
    intervals = [s.interval_s for s in of_points if len(s.at)]
    if not intervals:
        return Samples.none()
    patience = round(max(SILENT_INTERVALS * max(intervals), SILENT_AT_LEAST_S) * US)
    at = np.unique(np.concatenate([s.at for s in of_points]))
    silent_from = np.append(at[:-1][np.diff(at) > patience], at[-1]) + patience
    times = np.concatenate([at, silent_from])
    values = np.concatenate([np.ones(len(at)), np.zeros(len(silent_from))])
    order = np.argsort(times, kind="stable")
    quality = np.zeros(len(times), dtype=np.int16)
    return Samples(times[order], values[order], quality, np.inf)
