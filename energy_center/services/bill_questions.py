"""What a manager asks of a building's bills: the months, other tariffs, the best contract."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from energy_center.domain.site import Text
from energy_center.domain.timeline import local_date
from energy_center.errors import Invalid
from energy_center.services.bill_building import (
    BuildingBill,
    Metered,
    bill_building,
    bills_of,
    last_months,
    month_period,
    read_metered,
)
from energy_center.services.bill_view import BillView, view_bill
from energy_center.services.check_utility_bill import Checked, check_metered
from energy_center.services.compare_plans import compare_plans
from energy_center.services.current_site import current_site
from energy_center.store.pool import Database
from energy_center.tariffs.bill_model import BillingPeriod
from energy_center.tariffs.contract import Advice, Choice, advise, grown, parts_of

_GROWN_YEARS = 10
_SPREAD = 0.05  # a month's demand varies by so much from year to year, as a standard deviation
_SEED = 20_260_101  # the same question gets the same answer


@dataclass(frozen=True, slots=True)
class BuildingBillView:
    """A building's bill; `power_factor_from` is `bill` (as printed), `meter` or None."""

    building_id: str
    building: Text
    meter_id: str
    power_factor_from: str | None
    bill: BillView


@dataclass(frozen=True, slots=True)
class PlanView:
    """What a tariff would have cost: with the contract as it is, and with the one that is cheapest for it.

    `coverage` is the lowest of the months.
    """

    tariff_id: str
    tariff: Text
    currency: str
    total: Decimal
    at_best: Decimal | None
    coverage: float
    contract: Choice | None
    is_present: bool


@dataclass(frozen=True, slots=True)
class ContractView:
    """The best contract over the months asked for, and over years that growth would make of them.

    Only months measured to 99 % count: `coverage` is the lowest of them. `grown` has `years` years of demand
    growing by `growth` a year.
    """

    building_id: str
    advice: Advice
    coverage: float
    growth: float
    years: int
    grown: Choice | None


async def read_bills(
    db: Database, building_id: str, month: str | None, months: int, now: datetime
) -> list[BuildingBillView]:
    """The month named, or the last whole one, and the months before it; oldest first."""
    periods = await asked_periods(db, month, months, now)
    return [_view(found) for found in await bill_building(db, building_id, periods)]


async def read_plans(
    db: Database, building_id: str, month: str | None, months: int, now: datetime
) -> list[PlanView]:
    """Tariffs that the building may choose, cheapest first."""
    periods = await asked_periods(db, month, months, now)
    found = await read_metered(db, building_id, periods)
    return await asyncio.to_thread(_plans, found, periods)


async def read_contract(
    db: Database, building_id: str, month: str | None, months: int, growth: float, now: datetime
) -> ContractView:
    """The best contract. Raises Invalid where the tariff has none or no demand is known."""
    periods = await asked_periods(db, month, months, now)
    found = await read_metered(db, building_id, periods)
    return await asyncio.to_thread(_contract, found, periods, growth)


async def asked_periods(db: Database, month: str | None, months: int, now: datetime) -> list[BillingPeriod]:
    """The month named, or the last whole one, and the months before it."""
    site = await current_site(db)
    if month is None:
        return last_months(local_date(now, ZoneInfo(site.time_zone)), months)
    try:
        first = date.fromisoformat(f"{month}-01")
    except ValueError as cause:
        raise Invalid(f"'{month}' is no month; write for example 2026-07") from cause
    named = month_period(first)
    return [*last_months(named.first, months - 1), named] if months > 1 else [named]


def _view(found: BuildingBill) -> BuildingBillView:
    return BuildingBillView(
        found.building_id, found.building, found.meter_id, found.power_factor_from, view_bill(found.bill)
    )


def _plans(found: Metered, periods: Sequence[BillingPeriod]) -> list[PlanView]:
    bills = bills_of(found, periods)
    factors = [made.bill.power_factor_pct for made in bills]
    coverage = min(made.bill.coverage for made in bills)
    plans = compare_plans(found.held.tariff, found.held.account, periods, found.series, factors)
    return [
        PlanView(
            tariff_id=plan.tariff.tariff_id,
            tariff=plan.tariff.editions[-1].name,
            currency=plan.tariff.editions[-1].currency,
            total=plan.total,
            at_best=plan.at_best,
            coverage=coverage,
            contract=plan.best,
            is_present=plan.tariff.tariff_id == found.held.tariff.tariff_id,
        )
        for plan in plans
    ]


def _contract(found: Metered, periods: Sequence[BillingPeriod], growth: float) -> ContractView:
    bills = [made.bill for made in bills_of(found, periods) if not made.bill.is_provisional]
    if not bills:
        raise Invalid("None of these months is measured to 99 %: their highest demand is not known")
    held = found.held.account.contract_on(periods[-1].last)
    parts = parts_of(bills, found.held.account.industry_factor)
    present = held.kw if held else {}
    future = grown(parts, growth, _SPREAD, _GROWN_YEARS, _SEED)
    return ContractView(
        building_id=found.space.space_id,
        advice=advise(parts, present),
        coverage=min(bill.coverage for bill in bills),
        growth=growth,
        years=_GROWN_YEARS,
        grown=advise(future, present).best if growth else None,
    )


async def check_month(
    db: Database, building_id: str, month: str | None, theirs: Mapping[str, Decimal], now: datetime
) -> Checked:
    """The utility's figures of a month against ours; named as in `tariffs.check_bill`."""
    (period,) = await asked_periods(db, month, 1, now)
    # the meter may have been read some days off
    around = [month_period(period.first - timedelta(days=1)), period, month_period(period.end)]
    found = await read_metered(db, building_id, around)
    return await asyncio.to_thread(check_metered, found, period, theirs)
