"""From intervals to what a bill needs: energy and highest demand by band, coverage, and what is missing.

The register is the truth: an interval's energy comes from `analysis.counters`. Nothing is estimated here;
an interval that is not known adds nothing and lowers the coverage.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
from numpy.typing import NDArray

from energy_center.domain.timeline import Interval, midnight
from energy_center.errors import Invalid
from energy_center.tariffs.bill_model import WHOLE, Account, Segment, Use
from energy_center.tariffs.tariff_model import Edition, Spans

Floats = NDArray[np.float64]
HOUR_S = 3600.0
MILLI = Decimal("0.001")


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """Intervals of one length on the clock's grid; arrays of shape (n,), rising in time.

    `start_s`: epoch seconds. `energy`: in the tariff's unit, NaN where unknown. `coverage`: measured share
    0..1. `demand_kw`: mean power of the interval, NaN where unknown; empty for water and gas.
    """

    step_s: int
    start_s: NDArray[np.int64]
    energy: Floats
    coverage: Floats
    demand_kw: Floats


def measured(
    start_s: Sequence[int] | NDArray[np.int64],
    energy: Sequence[float] | Floats,
    coverage: Sequence[float] | Floats | None = None,
    demand_kw: Sequence[float] | Floats | None = None,
    step_s: int = 900,
) -> Measured:
    """Intervals in any order, brought into order; the demand of a whole interval is its energy per hour.

    Raises Invalid for intervals off the grid, given twice, negative, or of unequal number.
    """
    starts = np.asarray(start_s, dtype=np.int64)
    amounts = np.asarray(energy, dtype=np.float64)
    shares = np.asarray(coverage if coverage is not None else np.ones(len(starts)), dtype=np.float64)
    shares = np.where(np.isnan(amounts), 0.0, np.clip(shares, 0.0, 1.0))
    means = np.where(shares >= WHOLE, amounts * HOUR_S / step_s, np.nan)
    if demand_kw is not None:
        means = np.asarray(demand_kw, dtype=np.float64)
    if not len(starts) == len(amounts) == len(shares) == len(means):
        raise Invalid("Starts, energies, coverages and demands must be equally many")
    order = np.argsort(starts, kind="stable")
    starts, amounts, shares, means = starts[order], amounts[order], shares[order], means[order]
    _check(starts, amounts, step_s)
    return Measured(step_s, starts, amounts, shares, means)


def _check(starts: NDArray[np.int64], energy: Floats, step_s: int) -> None:
    if step_s <= 0 or np.any(starts % step_s):
        raise Invalid(f"Intervals must begin on the clock's grid of {step_s} s")
    twice = starts[1:][np.diff(starts) == 0]
    if twice.size:
        raise Invalid(
            f"The interval of {datetime.fromtimestamp(int(twice[0]), UTC).isoformat()} is given twice"
        )
    negative = starts[energy < 0]
    if negative.size:
        at = datetime.fromtimestamp(int(negative[0]), UTC).isoformat()
        raise Invalid(f"{negative.size} intervals have negative energy, the first at {at}")


def use_of(segment: Segment, account: Account, series: Measured) -> Use:
    """What a segment's intervals add up to, band by band."""
    zone = segment.edition.zone
    bounds = round(midnight(segment.first, zone).timestamp()), round(midnight(segment.end, zone).timestamp())
    low, high = np.searchsorted(series.start_s, bounds)
    starts, energy = series.start_s[low:high], series.energy[low:high]
    shares, demand = series.coverage[low:high], series.demand_kw[low:high]
    bands = bands_at(segment, account, starts)
    names = sorted(segment.edition.bands)
    known = ~np.isnan(energy)
    demand_bands = demand_bands_at(segment, starts)
    return Use(
        energy={
            b: _decimal(float(np.sum(energy[known & (bands == b)]))) for b in names if np.any(bands == b)
        },
        demand_kw=_highest(demand, demand_bands, names),
        coverage=float(np.sum(shares)) * series.step_s / (bounds[1] - bounds[0]),
        missing=_missing(starts[known & (shares >= WHOLE)], bounds, series.step_s),
    )


def _decimal(amount: float) -> Decimal:
    return Decimal(amount).quantize(MILLI, ROUND_HALF_UP)


def _highest(demand: Floats, bands: NDArray[np.str_], names: Sequence[str]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for band in names:
        means = demand[(bands == band) & ~np.isnan(demand)] if len(demand) else demand
        if len(means):
            found[band] = _decimal(float(np.max(means)))
    return found


def bands_at(segment: Segment, account: Account, starts: NDArray[np.int64]) -> NDArray[np.str_]:
    """The band by which each interval's energy is priced; shape (n,), `starts` epoch seconds."""
    edition = segment.edition
    return _look_up(edition, [(on, edition.spans(on, account.told_days)) for on in _days(segment)], starts)


def demand_bands_at(segment: Segment, starts: NDArray[np.int64]) -> NDArray[np.str_]:
    """The band whose contract each interval's demand is held against."""
    edition = segment.edition
    return _look_up(edition, [(on, edition.demand_spans(on)) for on in _days(segment)], starts)


def _days(segment: Segment) -> list[date]:
    return [segment.first + timedelta(days=n) for n in range(segment.days)]


def _look_up(edition: Edition, days: list[tuple[date, Spans]], starts: NDArray[np.int64]) -> NDArray[np.str_]:
    """The band of each start; hours are the wall's: a day of 23 or 25 hours is cut where its clock says."""
    edges: list[float] = []
    names: list[str] = []
    for on, spans in days:
        for minute, band in spans:
            local = datetime(on.year, on.month, on.day, minute // 60, minute % 60, tzinfo=edition.zone)
            edges.append(local.timestamp())
            names.append(band)
    rows = np.searchsorted(np.array(edges), starts, side="right") - 1
    return np.array(names)[rows] if len(starts) else np.array([], dtype=np.str_)


def _missing(known: NDArray[np.int64], bounds: tuple[int, int], step_s: int) -> tuple[Interval, ...]:
    """Spans of the segment without a wholly measured interval."""
    grid = np.arange(bounds[0], bounds[1], step_s, dtype=np.int64)
    lacking = grid[~np.isin(grid, known)]
    if not lacking.size:
        return ()
    parts = np.split(lacking, np.flatnonzero(np.diff(lacking) != step_s) + 1)
    return tuple(
        Interval(
            datetime.fromtimestamp(int(part[0]), UTC), datetime.fromtimestamp(int(part[-1]) + step_s, UTC)
        )
        for part in parts
    )
