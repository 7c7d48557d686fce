"""A shown number with everything needed to trace it: unit, time, quality, coverage, source and points.

A figure that cannot be known has `amount` None; it is never 0 and never an old number without its age.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import reduce
from operator import or_

from energy_center.domain.readings import PointId, Quality
from energy_center.domain.site import Point
from energy_center.store.latest import Latest

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
    """One number. `unit` is a UCUM code; `at` is when it was measured, of several points the oldest.

    `coverage` is the measured share 0..1 of the period, or of the points, that the figure sums; None for a
    single reading.
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


def reading_figure(
    point: Point | None,
    latest: Latest | None,
    now: datetime,
    unit: str,
    source: FigureSource = FigureSource.READING,
) -> Figure:
    """The newest reading of a point as a figure; `unit` is for a point that does not exist."""
    if point is None:
        return missing(unit, source)
    if latest is None:
        return missing(point.unit, source, (point.point_id,))
    if is_stale(latest.at, point.interval_s, now):
        state = FigureState.STALE
    else:
        state = FigureState.SUSPECT if latest.quality else FigureState.GOOD
    return Figure(
        latest.value, point.unit, latest.at, state, source, (point.point_id,), quality=latest.quality
    )


def worst(states: Iterable[FigureState]) -> FigureState:
    """The state of a figure made of others: missing parts make it partial, a stale part makes it stale."""
    found = set(states)
    if not found or found == {FigureState.MISSING}:
        return FigureState.MISSING
    for state in (FigureState.STALE, FigureState.MISSING, FigureState.PARTIAL, FigureState.SUSPECT):
        if state in found:
            return FigureState.PARTIAL if state is FigureState.MISSING else state
    return FigureState.GOOD


def sum_of(figures: Sequence[Figure], unit: str, source: FigureSource) -> Figure:
    """The sum of readings of several points; what is missing lowers the coverage and shows in the state."""
    known = [f for f in figures if f.amount is not None]
    point_ids = tuple(p for f in figures for p in f.point_ids)
    if not known:
        return missing(unit, source, point_ids)
    return Figure(
        amount=math.fsum(f.amount for f in known if f.amount is not None),
        unit=unit,
        at=min((f.at for f in known if f.at is not None), default=None),
        state=worst(f.state for f in figures),
        source=source,
        point_ids=point_ids,
        coverage=len(known) / len(figures),
        quality=reduce(or_, (f.quality for f in known), Quality.GOOD),
    )


def derived(amount: float | None, unit: str, source: FigureSource, parts: Sequence[Figure]) -> Figure:
    """A figure that needs all of the others; an amount of None says that it cannot be computed."""
    point_ids = tuple(p for f in parts for p in f.point_ids)
    if amount is None or any(f.amount is None for f in parts):
        return missing(unit, source, point_ids)
    return Figure(
        amount,
        unit,
        min((f.at for f in parts if f.at is not None), default=None),
        worst(f.state for f in parts),
        source,
        point_ids,
        quality=reduce(or_, (f.quality for f in parts), Quality.GOOD),
    )
