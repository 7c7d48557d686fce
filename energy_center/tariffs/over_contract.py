"""Demand above the contract, band by band, nothing counted twice.

Taipower's order (電價表 第五章七): a band's demand is held against the sum of the contracts that serve it;
the excess of an earlier band is taken off; of what is left, up to a tenth of that sum costs twice the basic
price, the rest three times. The utility's published examples begin the tenth anew in each band.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from energy_center.tariffs.bill_model import Contract
from energy_center.tariffs.charges import Capacity, OverContract, Round


@dataclass(frozen=True, slots=True)
class Excess:
    """What a band adds to the excess of the bands before it, kW; `limit_kw` is the sum of its contracts.

    `first_kw` costs the first multiple, `further_kw` the second; `outside_kw` is used where no contract is.
    """

    step: Round
    demand_kw: Decimal
    limit_kw: Decimal
    first_kw: Decimal
    further_kw: Decimal
    outside_kw: Decimal = Decimal(0)


def excesses(
    over: OverContract, season: str, contract: Contract, demand_kw: Mapping[str, Decimal]
) -> list[Excess]:
    """One for each band with a known demand, in the tariff's order. A contract of none of the kinds: none."""
    steps = over.rounds.get(season, ())
    if not any(contract.sum_kw(step.contracts) for step in steps):
        return []
    found: list[Excess] = []
    counted = Decimal(0)
    for step in steps:
        demand = demand_kw.get(step.band)
        if demand is None:
            continue
        limit = contract.sum_kw(step.contracts)
        whole = max(Decimal(0), demand - limit)
        new = max(Decimal(0), whole - counted)
        counted = max(counted, whole)
        found.append(_excess(over, step, demand, limit, new))
    return found


def _excess(over: OverContract, step: Round, demand: Decimal, limit: Decimal, new: Decimal) -> Excess:
    if limit == 0 and over.outside_times is not None:
        return Excess(step, demand, limit, Decimal(0), Decimal(0), new)
    first = min(new, limit * over.first_share)
    return Excess(step, demand, limit, first, new - first)


def paid_kw(capacity: Capacity, season: str, contract: Contract) -> list[tuple[str, Decimal, Decimal]]:
    """(Contract kind, kW to pay, price per kW and month); kinds that a reduction covers come as one."""
    prices = capacity.prices[season]
    reduced = capacity.reduced
    together = reduced.kinds if reduced else ()
    paid = [
        (kind, contract.kw[kind], price)
        for kind, price in prices.items()
        if kind not in together and contract.kw.get(kind)
    ]
    if reduced is not None and contract.sum_kw(reduced.kinds):
        rest = max(Decimal(0), contract.sum_kw(reduced.kinds) - reduced.share * contract.sum_kw(reduced.of))
        paid.append((reduced.kinds[-1], rest, prices[reduced.kinds[-1]]))
    return paid
