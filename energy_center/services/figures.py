"""A shown number with everything needed to trace it: unit, time, quality, coverage, source and points.

A figure that cannot be known has `amount` None; it is never 0 and never an old number without its age.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from energy_center.domain.readings import PointId, Quality

STALE_AFTER_INTERVALS = 3
STALE_AT_LEAST = timedelta(seconds=20)  # three 5-s intervals are less than one slow commit and push


class FigureState(StrEnum):
    """How far a figure may be trusted; the page shows each in its own way."""

    GOOD = "good"
    SUSPECT = "suspect"  # a quality flag is set on one of the readings
    PARTIAL = "partial"  # computed over a period of which a part is missing
    STALE = "stale"  # the newest reading is too old
    MISSING = "missing"  # nothing to show


class FigureSource(StrEnum):
    """How a figure is computed; each is the key of a text in the catalogues."""

    READING = "figure.source.reading"
    MAIN_METER_POWER = "figure.source.main_meter_power"
    MAIN_METER_REGISTER = "figure.source.main_meter_register"
    ENERGY_CHARGE_TODAY = "figure.source.energy_charge_today"
    CONTRACT = "figure.source.contract"
    BLOCK_DEMAND = "figure.source.block_demand"
    BLOCK_FORECAST = "figure.source.block_forecast"
    PLANT_POWER = "figure.source.plant_power"
    COOLING_OUTPUT = "figure.source.cooling_output"
    PLANT_EFFICIENCY = "figure.source.plant_efficiency"
    PV_POWER = "figure.source.pv_power"
    PV_REGISTER = "figure.source.pv_register"
    TANK_VOLUME = "figure.source.tank_volume"


@dataclass(frozen=True, slots=True)
class Figure:
    """One number. `unit` is a UCUM code or `TWD`; `at` the time of its newest reading.

    `coverage` is the measured share 0..1 of the period that the figure sums, None for an instantaneous one.
    """

    amount: float | None
    unit: str
    at: datetime | None
    state: FigureState
    source: FigureSource
    point_ids: tuple[PointId, ...] = ()
    coverage: float | None = None
    quality: Quality = Quality.GOOD

    @property
    def is_stale(self) -> bool:
        """Whether the newest reading behind it is too old."""
        return self.state is FigureState.STALE


@dataclass(frozen=True, slots=True)
class MoneyFigure:
    """An amount of money, rounded once; `currency` is an ISO 4217 code."""

    amount: Decimal | None
    currency: str
    at: datetime | None
    state: FigureState
    source: FigureSource
    point_ids: tuple[PointId, ...] = ()
    coverage: float | None = None


def stale_after(interval_s: float) -> timedelta:
    """Age from which a reading of this interval counts as stale."""
    return max(STALE_AT_LEAST, timedelta(seconds=STALE_AFTER_INTERVALS * interval_s))


def is_stale(at: datetime, interval_s: float, now: datetime) -> bool:
    """Whether a reading taken at `at` is too old at `now`."""
    return now - at > stale_after(interval_s)


def missing(unit: str, source: FigureSource, point_ids: Iterable[PointId] = ()) -> Figure:
    """A figure that cannot be known."""
    return Figure(None, unit, None, FigureState.MISSING, source, tuple(point_ids))
