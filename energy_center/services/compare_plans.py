"""Which tariff would have been cheapest for the same use, and which contract with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from energy_center.errors import Invalid, NotFound
from energy_center.services.tariff_catalogue import shipped_tariffs
from energy_center.tariffs.bill import bill_series
from energy_center.tariffs.bill_model import Account, Bill, BillingPeriod, Contract
from energy_center.tariffs.contract import Choice, advise, parts_of
from energy_center.tariffs.measure import Measured
from energy_center.tariffs.tariff_model import Tariff

_SECOND = ("half_peak", "non_summer")  # what one tariff agrees for half-peak, another agrees for non-summer


@dataclass(frozen=True, slots=True)
class PlanCost:
    """What a tariff would have cost over the periods; `at_best` with its cheapest contract, None without."""

    tariff: Tariff
    total: Decimal
    at_best: Decimal | None
    best: Choice | None


def compare_plans(
    present: Tariff,
    account: Account,
    periods: Sequence[BillingPeriod],
    series: Measured,
    power_factors: Sequence[Decimal | None],
) -> list[PlanCost]:
    """Every tariff that the account may choose, cheapest first; the present one is among them.

    A tariff that does not cover the periods is left out. Raises Invalid without any period.
    """
    if not periods:
        raise Invalid("Plans can only be compared over a period")
    found: list[PlanCost] = []
    for tariff in _alternatives(present):
        try:
            found.append(_cost(tariff, account, periods, series, power_factors))
        except NotFound:
            continue
    return sorted(found, key=lambda plan: plan.total if plan.at_best is None else plan.at_best)


def _alternatives(present: Tariff) -> list[Tariff]:
    word = present.editions[-1].choice_of
    others = [t for t in shipped_tariffs().values() if word and t.editions[-1].choice_of == word]
    return others if any(t.tariff_id == present.tariff_id for t in others) else [present, *others]


def _cost(
    tariff: Tariff,
    account: Account,
    periods: Sequence[BillingPeriod],
    series: Measured,
    power_factors: Sequence[Decimal | None],
) -> PlanCost:
    held = fitted(tariff, account)
    bills = _bills(tariff, held, periods, series, power_factors)
    total = sum((bill.total for bill in bills), Decimal(0))
    parts = parts_of(bills, held.industry_factor)
    latest = held.contract_on(periods[-1].last)
    if not parts or latest is None:
        return PlanCost(tariff, total, None, None)
    best = advise(parts, latest.kw).best
    chosen = replace(held, contracts=(_always(held, {k: Decimal(kw) for k, kw in best.kw.items()}),))
    at_best = sum((bill.total for bill in _bills(tariff, chosen, periods, series, power_factors)), Decimal(0))
    return PlanCost(tariff, total, at_best, best)


def _always(account: Account, kw: Mapping[str, Decimal]) -> Contract:
    return Contract(min(c.valid_from for c in account.contracts), kw)


def _bills(
    tariff: Tariff,
    account: Account,
    periods: Sequence[BillingPeriod],
    series: Measured,
    power_factors: Sequence[Decimal | None],
) -> list[Bill]:
    return [
        bill_series(tariff, account, period, series, power_factor)
        for period, power_factor in zip(periods, power_factors, strict=True)
    ]


def fitted(tariff: Tariff, account: Account) -> Account:
    """The account in the words of another tariff; contract kinds that it does not have go to its first."""
    capacity = tariff.editions[-1].charges.capacity
    customer = tariff.editions[-1].charges.customer
    connection = account.connection if customer and account.connection in customer.prices else None
    if capacity is None:
        return replace(account, contracts=(), connection=connection)
    known = list(capacity.contracts)
    contracts = tuple(Contract(c.valid_from, _in_words_of(known, c.kw)) for c in account.contracts)
    return replace(account, contracts=contracts, connection=connection)


def _in_words_of(known: Sequence[str], kw: Mapping[str, Decimal]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for kind, capacity in kw.items():
        name = kind
        if kind not in known:
            name = next((s for s in _SECOND if kind in _SECOND and s in known), known[0])
        found[name] = found.get(name, Decimal(0)) + capacity
    return found
