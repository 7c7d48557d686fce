"""What photovoltaics or a battery would have made of measured quarter-hours.

Generation is used as far as the same interval needs it; what is left over is not sold. The battery follows
one stated rule: it shaves what exceeds the limit, keeping what the rest of the day needs for that; it fills
at the day's cheapest price and gives in the dearer hours, the dearest first, where that pays despite its
losses. It knows the load of the day ahead, as history does. It neither sells nor lifts a demand above its
limit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from energy_center.domain.timeline import midnight
from energy_center.errors import Invalid
from energy_center.tariffs.bill_model import WHOLE, Account, BillingPeriod, Segment
from energy_center.tariffs.measure import HOUR_S, Measured, bands_at, demand_bands_at
from energy_center.tariffs.split_period import split_period
from energy_center.tariffs.tariff_model import Tariff

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Battery:
    """`energy_kwh` that it can hold, `power_kw` either way, `round_trip` 0..1 (half of the loss each way).

    `shave_to_kw` is a limit below the contract's, None for the contract's own.
    """

    energy_kwh: float
    power_kw: float
    round_trip: float = 0.88
    shave_to_kw: float | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if self.energy_kwh < 0 or self.power_kw < 0:
            raise Invalid("A battery's energy and power are 0 or more")
        if not 0 < self.round_trip <= 1:
            raise Invalid(f"A round-trip efficiency is above 0 and at most 1, found {self.round_trip}")


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """What an interval costs: shape (n,) each. `price` per kWh; `limit_kw` of the contract, inf without one.

    `day_edges`: positions at which local days begin, and the end.
    """

    price: Floats
    limit_kw: Floats
    day_edges: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class BatteryRun:
    """Shape (n,), kWh an interval: taken in and given at the meter's side, and held at the interval's end."""

    charged: Floats
    discharged: Floats
    held: Floats


def terms_of(tariff: Tariff, account: Account, periods: Sequence[BillingPeriod], series: Measured) -> Terms:
    """Prices and limits of the series' intervals; 0 and inf outside the periods."""
    n = len(series.start_s)
    price, limit = np.zeros(n), np.full(n, np.inf)
    edges = {0, n}
    for period in periods:
        for segment in split_period(tariff, account, period):
            zone = segment.edition.zone
            days = [segment.first + timedelta(days=i) for i in range(segment.days + 1)]
            found = np.searchsorted(series.start_s, [midnight(on, zone).timestamp() for on in days])
            low, high = int(found[0]), int(found[-1])
            edges.update(int(position) for position in found)
            starts = series.start_s[low:high]
            price[low:high] = _prices(segment, account, starts)
            limit[low:high] = _limits(segment, starts)
    return Terms(price, limit, tuple(sorted(edges)))


def _prices(segment: Segment, account: Account, starts: NDArray[np.int64]) -> Floats:
    prices = segment.edition.energy_prices
    bands = bands_at(segment, account, starts)
    return np.array([float(prices.get((segment.season, str(band)), 0)) for band in bands], dtype=np.float64)


def _limits(segment: Segment, starts: NDArray[np.int64]) -> Floats:
    capacity, contract = segment.edition.charges.capacity, segment.contract
    if capacity is None or capacity.over is None or contract is None:
        return np.full(len(starts), np.inf)
    steps = capacity.over.rounds.get(segment.season, ())
    limits = {step.band: float(contract.sum_kw(step.contracts)) for step in steps}
    bands = demand_bands_at(segment, starts)
    return np.array([limits.get(str(band), np.inf) for band in bands], dtype=np.float64)


def with_generation(series: Measured, generated: Floats) -> tuple[Measured, float, float]:
    """The series less generation (kWh, NaN where unknown), what was used of it and what was left over, kWh.

    An interval whose generation is not known is not known afterwards.
    """
    used = np.minimum(series.energy, generated)
    energy = series.energy - used
    known = ~np.isnan(energy)
    after = replace(
        series,
        energy=energy,
        coverage=np.where(known, series.coverage, 0.0),
        demand_kw=series.demand_kw - used * HOUR_S / series.step_s
        if len(series.demand_kw)
        else series.demand_kw,
    )
    both = float(np.nansum(used))
    return after, both, float(np.nansum(np.where(known, generated, np.nan))) - both


def with_battery(series: Measured, terms: Terms, battery: Battery) -> tuple[Measured, BatteryRun]:
    """The series with the battery at work, and what it did."""
    hours = series.step_s / HOUR_S
    load = np.where(series.coverage >= WHOLE, series.energy / hours, np.nan)
    run = run_battery(load, hours, terms, battery)
    net = run.charged - run.discharged
    demand = series.demand_kw + net / hours if len(series.demand_kw) else series.demand_kw
    return replace(series, energy=series.energy + net, demand_kw=demand), run


def run_battery(load_kw: Floats, hours: float, terms: Terms, battery: Battery) -> BatteryRun:
    """The rule above, day by day, beginning empty; where the load is not known (NaN) nothing is done."""
    n = len(load_kw)
    run = BatteryRun(np.zeros(n), np.zeros(n), np.zeros(n))
    limit = terms.limit_kw if battery.shave_to_kw is None else np.minimum(terms.limit_kw, battery.shave_to_kw)
    held = 0.0
    for low, high in zip(terms.day_edges, terms.day_edges[1:], strict=False):
        day = _Day(load_kw[low:high], terms.price[low:high], limit[low:high], hours, battery)
        plan = day.plan()
        for i in range(high - low):
            taken, given = day.step(plan, i, held)
            held += taken * day.one_way - given / day.one_way
            run.charged[low + i], run.discharged[low + i], run.held[low + i] = taken, given, held
    return run


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """By interval: kWh to shave, kWh held back for later, the same for shaving alone, and whether to fill."""

    excess: Floats
    keep: Floats
    need: Floats
    gives: NDArray[np.bool_]
    fills: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class _Day:
    load_kw: Floats
    price: Floats
    limit_kw: Floats
    hours: float
    battery: Battery

    @property
    def one_way(self) -> float:
        """Efficiency in or out."""
        return sqrt(self.battery.round_trip)

    def plan(self) -> _Plan:
        """What the whole day needs, seen from each of its intervals."""
        most = self.battery.power_kw
        over = np.nan_to_num(self.load_kw) - self.limit_kw
        excess = np.clip(np.nan_to_num(over, neginf=0.0), 0.0, most) * self.hours
        need = self._later(excess)
        useful = np.clip(np.minimum(np.nan_to_num(self.load_kw), most), 0.0, None) * self.hours
        dearer = np.zeros(len(self.price))
        for price in np.unique(self.price):
            at = self.price == price
            dearer[at] = self._later(np.where(self.price > price, useful, 0.0))[at]
        cheapest = float(np.min(self.price, initial=np.inf))
        pays = self.price * self.battery.round_trip > cheapest
        return _Plan(
            excess, np.maximum(need, dearer), need, pays, bool(np.any(pays)) & (self.price == cheapest)
        )

    def _later(self, delivered: Floats) -> Floats:
        """What must be held after an interval to give so much in the later ones, at most a full battery."""
        after = np.cumsum(delivered[::-1])[::-1] - delivered
        return np.minimum(after / self.one_way, self.battery.energy_kwh)

    def step(self, plan: _Plan, i: int, held: float) -> tuple[float, float]:
        """KWh taken in and given in an interval, at the meter's side."""
        load = float(self.load_kw[i])
        if np.isnan(load):
            return 0.0, 0.0
        most = self.battery.power_kw * self.hours
        given = min(float(plan.excess[i]), held * self.one_way)
        if plan.gives[i]:
            spare = max(0.0, held - given / self.one_way - float(plan.keep[i])) * self.one_way
            given += min(max(0.0, min(most, load * self.hours) - given), spare)
        if given > 0:
            return 0.0, given
        target = self.battery.energy_kwh if plan.fills[i] else float(plan.need[i])
        room = max(0.0, float(self.limit_kw[i]) - load) * self.hours
        return max(0.0, min(most, (target - held) / self.one_way, room)), 0.0
