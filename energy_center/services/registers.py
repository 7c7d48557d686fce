"""What the figures of every register take for granted."""

from typing import Final

import numpy as np

from energy_center.analysis.counters import FloatArray, Register
from energy_center.domain.readings import Quality
from energy_center.domain.site import Point
from energy_center.store.series import Series
from energy_center.store.site import MAX_RATE_PER_H

LAST_DIGIT: Final = 1.0  # meters show whole units at the coarsest: a step back by it is rounding
MICROSECONDS: Final = 1e6  # a second
_LEFT_OUT: Final = Quality.OUT_OF_RANGE | Quality.SENSOR_FAULT  # as in the roll-ups


def register_of(point: Point) -> Register:
    """What a point's register can count: no building takes more than a power reading can show."""
    return Register(MAX_RATE_PER_H.get(point.role, np.inf), point.rollover_at, LAST_DIGIT)


def usable_readings(raw: Series) -> tuple[FloatArray, FloatArray]:
    """Times in epoch seconds and registers of raw readings, without what was flagged as wrong."""
    usable = (raw.quality & _LEFT_OUT) == 0
    return raw.at_us[usable] / MICROSECONDS, raw.value[usable]
