"""Energy of registers since local midnight, block by block, and its charge.

Finished blocks come from the 15-min roll-ups; the last finished one and the running one from raw readings,
because a block that has just ended may not be rolled up yet.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np

from energy_center.analysis.counters import CounterEventKind, FloatArray, Register, clean, consumption_between
from energy_center.domain.quantities import QUANTITIES, Role
from energy_center.domain.readings import Quality
from energy_center.domain.site import Point, Space
from energy_center.domain.timeline import BLOCK, Interval, block_of, blocks_in, day_of
from energy_center.errors import NotFound
from energy_center.services.figures import Figure, FigureSource, FigureState, MoneyFigure, is_stale, missing
from energy_center.services.tariff_catalogue import tariff
from energy_center.store.series import Series
from energy_center.tariffs.price import EnergyCharge, IntervalEnergy, price_energy

WHOLE = 0.99  # a figure with less coverage is shown as partial
HISTORY_STEP_S = 900.0
_HIGHEST_PER_H = QUANTITIES[Role.ACTIVE_POWER].high
_LAST_DIGIT = 1.0  # kWh at the coarsest; history is finer than the meter that goes on with it
_US = 1_000_000
_LEFT_OUT = Quality.OUT_OF_RANGE | Quality.SENSOR_FAULT  # as in the roll-ups


@dataclass(frozen=True, slots=True)
class CounterToday:
    """A register's consumption since local midnight by block, the last one up to the newest reading."""

    point: Point
    blocks: tuple[IntervalEnergy, ...]
    newest_at: datetime | None

    @property
    def amount(self) -> float | None:
        """What is known of it, in the register's unit; None where nothing is."""
        known = [b.energy_kwh for b in self.blocks if b.energy_kwh is not None]
        return sum(known) if known else None

    @property
    def coverage(self) -> float:
        """Measured share 0..1 of the time since midnight."""
        asked = sum(b.interval.duration.total_seconds() for b in self.blocks)
        known = (b for b in self.blocks if b.energy_kwh is not None)
        return sum(b.coverage * b.interval.duration.total_seconds() for b in known) / asked if asked else 0.0

    @property
    def running_block(self) -> IntervalEnergy | None:
        """The running block so far, None before its first reading."""
        if not self.blocks or self.newest_at is None or self.newest_at < self.blocks[-1].interval.start:
            return None
        return self.blocks[-1]


def raw_from(now: datetime) -> datetime:
    """From when raw readings are needed beside the roll-ups: one reading before the last finished block."""
    return block_of(now).start - 2 * BLOCK


def counter_today(point: Point, quarters: Series, raw: Series, now: datetime, zone: ZoneInfo) -> CounterToday:
    """Consumption per block since midnight. `quarters` from midnight, `raw` from `raw_from(now)`."""
    since = day_of(now, zone).start
    newest_at = _at(int(raw.at_us[-1])) if len(raw) else None
    blocks = list(blocks_in(Interval(since, now))) if now > since else []
    first_raw = block_of(now).start - BLOCK
    rolled = {int(at): i for i, at in enumerate(quarters.at_us)}
    meter = Register(_HIGHEST_PER_H, point.rollover_at, _LAST_DIGIT)
    amounts = _amounts(quarters, meter)
    energies = [_of_rollup(b, quarters, amounts, rolled) for b in blocks if b.start < first_raw]
    recent = [b for b in blocks if b.start >= first_raw]
    if recent:
        start = recent[-1].start
        read_to = newest_at if newest_at is not None and newest_at > start else now
        recent[-1] = Interval(start, min(read_to, recent[-1].end))
    is_rolled = round((first_raw - BLOCK).timestamp()) * _US in rolled
    energies += _of_raw(recent, raw, point.interval_s, meter, after_roll_up=is_rolled)
    return CounterToday(point, tuple(energies), newest_at)


def _amounts(quarters: Series, meter: Register) -> FloatArray:
    """What each bucket adds: its `delta`, but across a dip at its edge what its neighbours tell."""
    if not len(quarters):
        return quarters.delta
    start_s, middle_s = quarters.at_us / _US, quarters.at_us / _US + HISTORY_STEP_S / 2
    at = np.column_stack((start_s, middle_s)).ravel()
    level = np.column_stack((quarters.first, quarters.last)).ravel()
    running = clean(at, level, meter)
    dips = [event.at_s for event in running.events if event.kind is CounterEventKind.GLITCH]
    if not dips:
        return quarters.delta
    is_dipped = np.zeros(len(quarters), dtype=np.bool_)
    for dip_s in dips:
        back_s = running.at_s[np.searchsorted(running.at_s, dip_s)]
        is_dipped |= (middle_s >= dip_s) & (start_s <= back_s)
    is_dipped[0] = False  # only the store knows the register before midnight
    added = np.diff(np.interp(middle_s, running.at_s, running.total), prepend=0.0)
    return np.where(is_dipped & ~np.isnan(quarters.delta), added, quarters.delta)


def _of_rollup(
    block: Interval, quarters: Series, amounts: FloatArray, rolled: Mapping[int, int]
) -> IntervalEnergy:
    row = rolled.get(round(block.start.timestamp()) * _US)
    if row is None or np.isnan(amounts[row]):
        return IntervalEnergy(block, None, 0.0)
    return IntervalEnergy(block, float(amounts[row]), min(float(quarters.coverage[row]), 1.0))


def _of_raw(
    blocks: list[Interval], raw: Series, interval_s: float, meter: Register, *, after_roll_up: bool
) -> list[IntervalEnergy]:
    """Blocks from raw readings; a roll-up ends at its last reading, so what follows it begins there."""
    if not blocks:
        return []
    usable = (raw.quality & _LEFT_OUT) == 0
    at_s, level = raw.at_us[usable] / _US, raw.value[usable]
    edges = np.array([blocks[0].start.timestamp(), *(b.end.timestamp() for b in blocks)])
    before = at_s[at_s < edges[0]]
    if after_roll_up and len(before):
        edges[0] = before[-1]
    is_history = bool(np.any(raw.quality & Quality.SIMULATED))
    max_gap_s = 2 * (HISTORY_STEP_S if is_history else interval_s)
    running = clean(at_s, level, meter)
    amounts, coverages = consumption_between(running, edges, max_gap_s)
    return [
        IntervalEnergy(block, None if np.isnan(amount) else float(amount), float(coverage))
        for block, amount, coverage in zip(blocks, amounts, coverages, strict=True)
    ]


def _at(at_us: int) -> datetime:
    return datetime.fromtimestamp(0, ZoneInfo("UTC")) + timedelta(microseconds=at_us)


def energy_figure(counters: list[CounterToday], source: FigureSource, now: datetime) -> Figure:
    """The sum of registers' consumption since midnight."""
    point_ids = tuple(c.point.point_id for c in counters)
    known = [(c, c.amount) for c in counters if c.amount is not None]
    if not known:
        return missing("kW.h", source, point_ids)
    coverage = sum(c.coverage for c in counters) / len(counters)
    at = min((c.newest_at for c, _ in known if c.newest_at is not None), default=None)
    return Figure(
        amount=sum(amount for _, amount in known if amount is not None),
        unit="kW.h",
        at=at,
        state=_state(counters, coverage, now),
        source=source,
        point_ids=point_ids,
        coverage=coverage,
    )


def _state(counters: list[CounterToday], coverage: float, now: datetime) -> FigureState:
    if any(c.newest_at is None or is_stale(c.newest_at, c.point.interval_s, now) for c in counters):
        return FigureState.STALE
    return FigureState.GOOD if coverage >= WHOLE else FigureState.PARTIAL


def charge_today(building: Space, counter: CounterToday) -> EnergyCharge | None:
    """The energy charge of a building's main register since midnight; None without a tariff in force."""
    tariff_id = building.attributes.get("tariff")
    if tariff_id is None or counter.amount is None:
        return None
    factor = Decimal(str(building.attributes.get("industry_factor", 1)))
    try:
        return price_energy(tariff(str(tariff_id)), counter.blocks, factor)
    except NotFound:  # the site names a tariff that is not shipped, or a day before its first edition
        return None


def charge_figure(charge: EnergyCharge | None, energy: Figure) -> MoneyFigure:
    """The charge with the state of the energy that it prices."""
    source = FigureSource.ENERGY_CHARGE_TODAY
    if charge is None:
        return MoneyFigure(None, "TWD", None, FigureState.MISSING, source, energy.point_ids)
    return MoneyFigure(
        charge.total, charge.currency, energy.at, energy.state, source, energy.point_ids, charge.coverage
    )
