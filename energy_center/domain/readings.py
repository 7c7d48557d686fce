"""A reading: one value of one point at one instant, with its quality. Absence is absence, never a zero."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntFlag
from typing import NewType

PointId = NewType("PointId", int)


class Quality(IntFlag):
    """What is known against a value. Good is none of these. Staleness is computed by the reader."""

    GOOD = 0
    OUT_OF_RANGE = 1
    SUBSTITUTED = 2
    CLOCK_SUSPECT = 4
    SENSOR_FAULT = 8
    SIMULATED = 16  # back-filled demo history; never set by a driver


@dataclass(frozen=True, slots=True)
class Reading:
    """`at` is the instant of measurement at the device's edge, aware UTC; `value` in the point's unit."""

    point_id: PointId
    at: datetime
    value: float
    quality: Quality = Quality.GOOD
