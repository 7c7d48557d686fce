"""What photovoltaics or a battery would have saved: one engine bills the quarter-hours before and after."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

import numpy as np

from energy_center.domain.quantities import Role
from energy_center.domain.site import Equipment
from energy_center.domain.timeline import midnight
from energy_center.errors import Invalid, NotFound
from energy_center.services.bill_building import Metered, bills_of, read_metered
from energy_center.services.bill_questions import asked_periods
from energy_center.services.current_site import current_site
from energy_center.services.metered_quarters import read_quarters
from energy_center.store.pool import Database
from energy_center.tariffs.bill import bill_series
from energy_center.tariffs.bill_model import WHOLE, Account, Bill, BillingPeriod
from energy_center.tariffs.measure import Measured
from energy_center.tariffs.tariff_model import Tariff
from energy_center.tariffs.what_if import Battery, Floats, terms_of, with_battery, with_generation

_DAYS_A_YEAR = Decimal(365)
_TENTH = Decimal("0.1")
PV_ASSUMPTIONS = ("pv_profile", "pv_own_use")
BATTERY_ASSUMPTIONS = ("battery_rule", "battery_foresight", "battery_no_ageing")


@dataclass(frozen=True, slots=True)
class Setup:
    """What would be added. Costs in the tariff's currency, None where nobody named them."""

    pv_kwp: float = 0.0
    battery: Battery | None = None
    pv_cost_per_kwp: Decimal | None = None
    battery_cost_per_kwh: Decimal | None = None

    def __post_init__(self) -> None:
        """Refuse a negative size."""
        if self.pv_kwp < 0:
            raise Invalid("A size of photovoltaics is 0 kWp or more")

    @property
    def cost(self) -> Decimal | None:
        """All of it, None unless each part that is there has a price."""
        battery_kwh = self.battery.energy_kwh if self.battery else 0.0
        parts = [(self.pv_kwp, self.pv_cost_per_kwp), (battery_kwh, self.battery_cost_per_kwh)]
        wanted = [(size, cost) for size, cost in parts if size]
        if any(cost is None for _, cost in wanted):
            return None
        return sum((Decimal(str(size)) * (cost or 0) for size, cost in wanted), Decimal(0))


@dataclass(frozen=True, slots=True)
class MonthWhatIf:
    """One period before and after; both None, and it does not count, where under 99 % of either is known."""

    first: date
    last: date
    before: Decimal | None
    after: Decimal | None
    coverage: float

    @property
    def counts(self) -> bool:
        """Whether the saving holds it."""
        return self.amounts[2] is not None

    @property
    def amounts(self) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
        """Before, after, saving."""
        if self.before is None or self.after is None:
            return None, None, None
        return self.before, self.after, self.before - self.after


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The saving over the periods that count, and over a year of their kind by days.

    Energies in kWh over all periods asked for. `payback_years` None without a cost or a saving. `cycles`:
    what the battery gave over what it holds. `assumptions` are keys of the words `bill.what_if.assumption`.
    """

    currency: str
    before: Decimal
    after: Decimal
    saving: Decimal
    days: int
    saving_per_year: Decimal
    cost: Decimal | None
    payback_years: Decimal | None
    generated_kwh: float
    used_kwh: float
    left_over_kwh: float
    charged_kwh: float
    discharged_kwh: float
    cycles: float
    months: tuple[MonthWhatIf, ...]
    assumptions: tuple[str, ...]


def reckon_what_if(
    tariff: Tariff,
    account: Account,
    periods: Sequence[BillingPeriod],
    series: Measured,
    power_factors: Sequence[Decimal | None],
    setup: Setup,
    per_kwp: Floats | None = None,
) -> WhatIf:
    """`per_kwp`: kWh a kWp generated in each interval of the series, NaN where unknown.

    Raises Invalid for photovoltaics without such a profile, and where no period counts.
    """
    changed, used, left_over = series, 0.0, 0.0
    if setup.pv_kwp:
        if per_kwp is None:
            raise Invalid("What photovoltaics would generate is not known: no generation was measured here")
        changed, used, left_over = with_generation(changed, per_kwp * setup.pv_kwp)
    charged = discharged = 0.0
    if setup.battery is not None:
        changed, run = with_battery(changed, terms_of(tariff, account, periods, changed), setup.battery)
        charged, discharged = float(np.sum(run.charged)), float(np.sum(run.discharged))
    pairs = [
        (
            bill_series(tariff, account, period, series, factor),
            bill_series(tariff, account, period, changed, factor),
        )
        for period, factor in zip(periods, power_factors, strict=True)
    ]
    months = tuple(_month(*pair) for pair in pairs)
    counted = [month for month in months if month.counts]
    if not counted:
        raise Invalid("None of these months is measured to 99 %: a saving cannot be reckoned")
    before, after = (sum((month.amounts[i] or Decimal(0) for month in counted), Decimal(0)) for i in (0, 1))
    days = sum((month.last - month.first).days + 1 for month in counted)
    a_year = (before - after) * _DAYS_A_YEAR / days
    holds = setup.battery.energy_kwh if setup.battery else 0.0
    return WhatIf(
        currency=tariff.editions[-1].currency,
        before=before,
        after=after,
        saving=before - after,
        days=days,
        saving_per_year=a_year.quantize(Decimal(1), ROUND_HALF_UP),
        cost=setup.cost,
        payback_years=_payback(setup.cost, a_year),
        generated_kwh=used + left_over,
        used_kwh=used,
        left_over_kwh=left_over,
        charged_kwh=charged,
        discharged_kwh=discharged,
        cycles=discharged / holds if holds else 0.0,
        months=months,
        assumptions=_assumptions(setup),
    )


def _month(before: Bill, after: Bill) -> MonthWhatIf:
    coverage = min(before.coverage, after.coverage)
    whole = coverage >= WHOLE
    return MonthWhatIf(
        before.period.first,
        before.period.last,
        before.total if whole else None,
        after.total if whole else None,
        coverage,
    )


def _payback(cost: Decimal | None, a_year: Decimal) -> Decimal | None:
    if not cost or a_year <= 0:
        return None
    return (cost / a_year).quantize(_TENTH, ROUND_HALF_UP)


def _assumptions(setup: Setup) -> tuple[str, ...]:
    return (
        *(PV_ASSUMPTIONS if setup.pv_kwp else ()),
        *(BATTERY_ASSUMPTIONS if setup.battery else ()),
        "power_factor_kept",
        "prices_kept",
    )


async def read_what_if(
    db: Database, building_id: str, month: str | None, months: int, setup: Setup, now: datetime
) -> WhatIf:
    """The same of a building. The profile is its own photovoltaics', by what they are rated."""
    periods = await asked_periods(db, month, months, now)
    found = await read_metered(db, building_id, periods)
    per_kwp = await _generation(db, found, periods) if setup.pv_kwp else None
    return await asyncio.to_thread(_of_metered, found, periods, setup, per_kwp)


def _of_metered(
    found: Metered, periods: Sequence[BillingPeriod], setup: Setup, per_kwp: Floats | None
) -> WhatIf:
    factors = [made.bill.power_factor_pct for made in bills_of(found, periods)]
    held = found.held
    return reckon_what_if(held.tariff, held.account, periods, found.series, factors, setup, per_kwp)


async def _generation(db: Database, found: Metered, periods: Sequence[BillingPeriod]) -> Floats:
    """KWh a kWp of each interval. Raises NotFound for a building without measured photovoltaics."""
    site = await current_site(db)
    inverters = [
        (equipment, float(rated))
        for equipment in site.equipment
        if site.building_of(equipment.space_id) == found.space.space_id
        and equipment.brick_class == "Inverter"
        and isinstance(rated := equipment.attributes.get("rated_kw"), int | float)
        and equipment.point(Role.ENERGY_EXPORT) is not None
    ]
    if not inverters:
        raise NotFound(
            f"The building {found.space.space_id} has no inverter with an energy register and rated_kw: "
            "what photovoltaics would generate is not known"
        )
    zone = found.held.tariff.editions[-1].zone
    start = midnight(min(p.first for p in periods), zone)
    end = midnight(max(p.end for p in periods), zone)
    total = np.zeros(len(found.series.start_s))
    for equipment, _ in inverters:
        total += await _quarters(db, equipment, start, end, found.series)
    return total / sum(rated for _, rated in inverters)


async def _quarters(
    db: Database, equipment: Equipment, start: datetime, end: datetime, series: Measured
) -> Floats:
    register = equipment.point(Role.ENERGY_EXPORT)
    if register is None:
        return np.full(len(series.start_s), np.nan)
    return aligned(await read_quarters(db, register, start, end), series)


def aligned(profile: Measured, series: Measured) -> Floats:
    """A profile's energies at the intervals of a series, NaN where it has none or not the whole of one."""
    known = np.where(profile.coverage >= WHOLE, profile.energy, np.nan)
    at = np.searchsorted(profile.start_s, series.start_s)
    inside = at < len(profile.start_s)
    found = np.full(len(series.start_s), np.nan)
    same = np.zeros(len(series.start_s), dtype=np.bool_)
    same[inside] = profile.start_s[at[inside]] == series.start_s[inside]
    found[same] = known[at[same]]
    return found
