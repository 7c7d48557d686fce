"""Bills of a building from its main meter's register, month by month."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np

from energy_center.domain.quantities import Role
from energy_center.domain.site import Equipment, Site, Space, Text
from energy_center.domain.timeline import midnight, next_month
from energy_center.errors import Invalid, NotFound
from energy_center.services.account import BuildingAccount, account_of
from energy_center.services.current_site import current_site
from energy_center.services.metered_quarters import read_quarters
from energy_center.services.overview_parts import main_meter
from energy_center.store.pool import Database
from energy_center.tariffs.bill import bill_series
from energy_center.tariffs.bill_model import WHOLE, Bill, BillingPeriod
from energy_center.tariffs.measure import Measured
from energy_center.tariffs.power_factor import average_power_factor

MOST_MONTHS = 36


@dataclass(frozen=True, slots=True)
class BuildingBill:
    """A bill with the building and meter it is of; `power_factor_from` is `bill`, `meter` or None."""

    building_id: str
    building: Text
    meter_id: str
    bill: Bill
    power_factor_from: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Metered:
    """A building's account with the intervals of its main meter."""

    space: Space
    meter: Equipment
    held: BuildingAccount
    series: Measured
    reactive: Measured | None


def month_period(first: date) -> BillingPeriod:
    """The calendar month that a date lies in."""
    start = first.replace(day=1)
    return BillingPeriod(start, date.fromordinal(next_month(start).toordinal() - 1))


def last_months(until: date, count: int) -> list[BillingPeriod]:
    """The `count` calendar months before the one that `until` lies in, oldest first."""
    periods: list[BillingPeriod] = []
    end = until.replace(day=1)
    for _ in range(count):
        end = date.fromordinal(end.toordinal() - 1).replace(day=1)
        periods.append(month_period(end))
    return periods[::-1]


async def bill_building(
    db: Database, building_id: str, periods: Sequence[BillingPeriod]
) -> list[BuildingBill]:
    """A bill for each period. Raises NotFound for an unknown building, one without tariff or main meter.

    Invalid and NotFound also where the tariff does not cover a day or the contract is not known.
    """
    found = await read_metered(db, building_id, periods)
    # a year of quarter-hours is a second of numerics
    return await asyncio.to_thread(bills_of, found, periods)


async def read_metered(db: Database, building_id: str, periods: Sequence[BillingPeriod]) -> Metered:
    """The account and the quarter-hours of all periods, read once."""
    if not 1 <= len(periods) <= MOST_MONTHS:
        raise Invalid(f"From 1 to {MOST_MONTHS} periods at once, found {len(periods)}")
    site = await current_site(db)
    space = _building(site, building_id)
    held = account_of(space)
    equipment = tuple(e for e in site.equipment if site.building_of(e.space_id) == building_id)
    meter = main_meter(building_id, equipment)
    register = meter.point(Role.ENERGY_IMPORT) if meter else None
    if meter is None or register is None:
        raise NotFound(f"The building {building_id} has no main meter with an energy register")
    reactive = meter.point(Role.REACTIVE_ENERGY_IMPORT)
    zone = held.tariff.editions[-1].zone
    start = midnight(min(p.first for p in periods), zone)
    end = midnight(max(p.end for p in periods), zone)
    series = await read_quarters(db, register, start, end)
    return Metered(
        space, meter, held, series, await read_quarters(db, reactive, start, end) if reactive else None
    )


def bills_of(found: Metered, periods: Sequence[BillingPeriod]) -> list[BuildingBill]:
    """The bills of what was read."""
    bills: list[BuildingBill] = []
    for period in periods:
        power_factor, source = _power_factor(found, period)
        bill = bill_series(found.held.tariff, found.held.account, period, found.series, power_factor)
        bills.append(
            BuildingBill(found.space.space_id, found.space.name, found.meter.equipment_id, bill, source)
        )
    return bills


def _building(site: Site, building_id: str) -> Space:
    space = next((s for s in site.buildings if s.space_id == building_id), None)
    if space is None:
        known = ", ".join(s.space_id for s in site.buildings)
        raise NotFound(f"No building '{building_id}'; there are: {known}")
    return space


def _power_factor(found: Metered, period: BillingPeriod) -> tuple[Decimal | None, str | None]:
    """As printed on the bill of that month, else from the meter's registers where both are whole."""
    printed = found.held.power_factors.get(f"{period.first:%Y-%m}")
    if printed is not None:
        return printed, "bill"
    if found.reactive is None:
        return None, None
    zone = found.held.tariff.editions[-1].zone
    active_kwh = _sum_whole(found.series, period, zone)
    kvarh = _sum_whole(found.reactive, period, zone)
    if active_kwh is None or kvarh is None:
        return None, None
    percent = average_power_factor(Decimal(active_kwh), Decimal(kvarh))
    return percent, "meter" if percent is not None else None


def _sum_whole(series: Measured, period: BillingPeriod, zone: ZoneInfo) -> float | None:
    first, end = (midnight(on, zone).timestamp() for on in (period.first, period.end))
    low, high = np.searchsorted(series.start_s, (first, end))
    covered = float(np.sum(series.coverage[low:high])) * series.step_s / (end - first)
    return float(np.nansum(series.energy[low:high])) if covered >= WHOLE else None
