"""Energy of registers since local midnight, block by block, and its charge.

Finished blocks come from the registers in the 15-min roll-ups; the last finished one and the running one from
raw readings, because a block that has just ended may not be rolled up yet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np

from energy_center.analysis.buckets import placed_registers
from energy_center.analysis.counters import consumption_between
from energy_center.analysis.registers import Exchange, clean_exchanged
from energy_center.domain.readings import PointId, Quality
from energy_center.domain.site import Point, Space
from energy_center.domain.timeline import BLOCK, Interval, block_of, blocks_in, day_of
from energy_center.errors import NotFound
from energy_center.services.figures import Figure, FigureSource, FigureState, MoneyFigure, is_stale, missing
from energy_center.services.recorded_exchanges import read_exchanges
from energy_center.services.registers import MICROSECONDS, register_of, usable_readings
from energy_center.services.tariff_catalogue import tariff
from energy_center.store.pool import Database
from energy_center.store.series import Grain, Series, read_series
from energy_center.tariffs.price import EnergyCharge, IntervalEnergy, price_energy

WHOLE = 0.99  # a figure with less coverage is shown as partial
HISTORY_STEP_S = 900.0
_AROUND = timedelta(hours=12)  # before midnight: what bridges a gap there, and tells a wrong reading


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


async def read_counters_today(
    db: Database, points: Sequence[Point], now: datetime, zone: ZoneInfo
) -> dict[PointId, CounterToday]:
    """Registers' consumption since local midnight."""
    ids = [point.point_id for point in points]
    since = day_of(now, zone).start - _AROUND
    quarters = await read_series(db, ids, since, now, Grain.QUARTER)
    raw = await read_series(db, ids, raw_from(now), now, Grain.RAW)
    exchanges = await read_exchanges(db, ids, since, now)
    return {
        p.point_id: counter_today(
            p, quarters[p.point_id], raw[p.point_id], now, zone, exchanges.get(p.point_id, ())
        )
        for p in points
    }


def counter_today(
    point: Point,
    quarters: Series,
    raw: Series,
    now: datetime,
    zone: ZoneInfo,
    exchanges: Sequence[Exchange] = (),
) -> CounterToday:
    """Consumption per block since midnight; `quarters` from hours before it, `raw` from `raw_from(now)`."""
    since = day_of(now, zone).start
    newest_at = _at(int(raw.at_us[-1])) if len(raw) else None
    blocks = list(blocks_in(Interval(since, now))) if now > since else []
    if blocks:
        start = blocks[-1].start
        read_to = newest_at if newest_at is not None and newest_at > start else now
        blocks[-1] = Interval(start, min(read_to, blocks[-1].end))
    return CounterToday(point, _energies(point, blocks, quarters, raw, exchanges, now), newest_at)


def _energies(
    point: Point,
    blocks: Sequence[Interval],
    quarters: Series,
    raw: Series,
    exchanges: Sequence[Exchange],
    now: datetime,
) -> tuple[IntervalEnergy, ...]:
    """One running total of both: roll-ups up to the last finished block, raw readings from there."""
    if not blocks:
        return ()
    first_raw_s = (block_of(now).start - BLOCK).timestamp()
    start_s = quarters.at_us / MICROSECONDS
    is_rolled = start_s < first_raw_s
    start_s, width_s = start_s[is_rolled], BLOCK.total_seconds()
    at_s, level = usable_readings(raw)
    is_new = at_s >= (start_s[-1] + width_s if start_s.size else -np.inf)
    at, register = placed_registers(start_s, width_s, quarters.first[is_rolled], quarters.last[is_rolled])
    running = clean_exchanged(
        np.append(at, at_s[is_new]), np.append(register, level[is_new]), register_of(point), exchanges
    )
    edges_s = np.array([blocks[0].start.timestamp(), *(b.end.timestamp() for b in blocks)])
    is_history = bool(np.any(raw.quality & Quality.SIMULATED))
    amounts, coverages = consumption_between(
        running, edges_s, 2 * (HISTORY_STEP_S if is_history else point.interval_s)
    )
    held = dict(zip(start_s.tolist(), quarters.coverage[is_rolled].tolist(), strict=True))
    from_rolled = edges_s[:-1] < first_raw_s
    coverages[from_rolled] = [min(held.get(at, 0.0), 1.0) for at in edges_s[:-1][from_rolled].tolist()]
    return tuple(
        IntervalEnergy(block, None, 0.0)
        if np.isnan(amount)
        else IntervalEnergy(block, float(amount), float(coverage))
        for block, amount, coverage in zip(blocks, amounts, coverages, strict=True)
    )


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
