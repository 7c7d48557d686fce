"""The running 15-min demand block of a building's main meter."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from energy_center.analysis.demand import BlockForecast, Metered, forecast_block
from energy_center.analysis.insufficient import Insufficient
from energy_center.domain.quantities import Role
from energy_center.domain.readings import PointId
from energy_center.domain.site import Equipment
from energy_center.domain.timeline import Interval, block_of
from energy_center.services.energy_today import WHOLE, CounterToday
from energy_center.services.figures import Figure, FigureSource, FigureState, missing
from energy_center.store.series import Series

LEARN_FROM = timedelta(minutes=45)  # raw power from this long ago tells how much it wanders
_US = 1_000_000


@dataclass(frozen=True, slots=True)
class DemandBlock:
    """The present 15-min demand block.

    `forecast` is the block's expected average; it lies between `forecast_low` and `forecast_high` (kW) with
    90 % probability. `over_contract_probability` is 0..1, None without a contract or forecast.
    """

    start: datetime
    end: datetime
    elapsed_share: float
    so_far: Figure
    forecast: Figure
    forecast_low: float | None
    forecast_high: float | None
    over_contract_probability: float | None


def demand_block(
    main: Equipment | None,
    counter: CounterToday | None,
    power: Series | None,
    contract_kw: float | None,
    now: datetime,
) -> DemandBlock:
    """The block that `now` lies in. `power` is the main meter's raw active power since `LEARN_FROM` ago."""
    block = block_of(now)
    reckoned = forecast_now(main, power, counter, block, now)
    found = reckoned if isinstance(reckoned, BlockForecast) else None
    forecast = missing("kW", FigureSource.BLOCK_FORECAST, _ids(main, Role.ACTIVE_POWER))
    if found is not None and power is not None:
        forecast = Figure(
            amount=found.forecast_kw,
            unit="kW",
            at=datetime.fromtimestamp(int(power.at_us[-1]) / _US, block.start.tzinfo),
            state=FigureState.GOOD if found.coverage >= WHOLE or not found.coverage else FigureState.PARTIAL,
            source=FigureSource.BLOCK_FORECAST,
            point_ids=_ids(main, Role.ACTIVE_POWER),
            coverage=found.coverage,
        )
    return DemandBlock(
        start=block.start,
        end=block.end,
        elapsed_share=(now - block.start) / block.duration,
        so_far=_so_far(main, counter),
        forecast=forecast,
        forecast_low=found.low_kw if found else None,
        forecast_high=found.high_kw if found else None,
        over_contract_probability=found.probability_over(contract_kw) if found and contract_kw else None,
    )


def _ids(main: Equipment | None, role: Role) -> tuple[PointId, ...]:
    point = main.point(role) if main else None
    return (point.point_id,) if point else ()


def _metered(counter: CounterToday | None) -> Metered | None:
    running = counter.running_block if counter else None
    if running is None or running.energy_kwh is None or running.coverage < WHOLE:
        return None
    return Metered(running.energy_kwh, running.interval.duration.total_seconds())


def forecast_now(
    main: Equipment | None,
    power: Series | None,
    counter: CounterToday | None,
    block: Interval,
    now: datetime,
) -> BlockForecast | Insufficient:
    """The forecast of a block from its main meter's raw power and register."""
    point = main.point(Role.ACTIVE_POWER) if main else None
    if point is None or power is None or not len(power):
        return Insufficient(("the main meter's power was not read",))
    return forecast_block(
        power.at_us / _US,
        power.value,
        block.start.timestamp(),
        now.timestamp(),
        3 * point.interval_s,
        _metered(counter),
    )


def _so_far(main: Equipment | None, counter: CounterToday | None) -> Figure:
    """Average of the block from the register, as the utility will count it."""
    point_ids = _ids(main, Role.ENERGY_IMPORT)
    running = counter.running_block if counter else None
    if counter is None or running is None or running.energy_kwh is None:
        return missing("kW", FigureSource.BLOCK_DEMAND, point_ids)
    return Figure(
        amount=running.energy_kwh / running.interval.hours,
        unit="kW",
        at=counter.newest_at,
        state=FigureState.GOOD if running.coverage >= WHOLE else FigureState.PARTIAL,
        source=FigureSource.BLOCK_DEMAND,
        point_ids=point_ids,
        coverage=running.coverage,
    )
