"""Stored series as the samples that rules read: readings, or quarter-hours at the time they are known."""

from energy_center.domain.quantities import Kind
from energy_center.domain.site import Point
from energy_center.rules.window import Samples
from energy_center.store.series import Grain, Series

QUARTER_S = 900.0


def samples_of(series: Series, point: Point, grain: Grain) -> Samples:
    """A quarter-hour's mean is known at its end, and so is its last register."""
    if grain is Grain.RAW:
        return Samples(series.at_us, series.value, series.quality, point.interval_s)
    value = series.last if point.kind is Kind.COUNTER else series.value
    at = series.at_us + round(QUARTER_S * 1_000_000)
    return Samples(at, value, series.quality, QUARTER_S)
