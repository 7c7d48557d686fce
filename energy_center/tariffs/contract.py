"""Which contract capacity would have cost least: exact over history, and over years that growth makes.

What a contract changes is the basic charge (with what the power factor takes off it) and the over-contract
surcharge. Neither can change faster than a known number per kW, so whole regions of contracts can be left out
without trying them: the answer is that of trying every whole kW of two kinds. The others stay as they are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from energy_center.errors import Invalid
from energy_center.tariffs.bill_model import Bill
from energy_center.tariffs.charges import Capacity, OverContract, Round
from energy_center.tariffs.power_factor import adjustment, to_step

Floats = NDArray[np.float64]
_CHUNK = 100_000  # contracts tried at once
_SAME = 1e-5  # money: two contracts cost the same
CURVE_POINTS = 61


@dataclass(frozen=True, slots=True)
class DemandPart:
    """Days of a month with one price: highest demand by band (kW), `share` of the month 0..1.

    `basic_share`: what is left of the basic charge after the power factor, 0.985 at 95 %. `factor`: the
    industry factor.
    """

    capacity: Capacity
    season: str
    demand_kw: Mapping[str, float]
    share: float = 1.0
    basic_share: float = 1.0
    factor: float = 1.0

    @property
    def over(self) -> OverContract | None:
        """The rule for demand above the contract."""
        return self.capacity.over

    @property
    def steps(self) -> Sequence[Round]:
        """Bands that are held against a contract and whose demand is known, in the tariff's order."""
        steps = self.over.rounds.get(self.season, ()) if self.over else ()
        return [step for step in steps if step.band in self.demand_kw]


@dataclass(frozen=True, slots=True)
class Choice:
    """A contract by kind in kW and what it costs over the parts: basic charge and surcharge together.

    `over_parts`: parts with any surcharge. `worst_over`: the largest surcharge of a part.
    """

    kw: Mapping[str, int]
    cost: Decimal
    over_cost: Decimal
    over_parts: int
    worst_over: Decimal


@dataclass(frozen=True, slots=True)
class Advice:
    """The best contract beside the present one; `curve` is cost by kW of the first kind, the rest at best."""

    best: Choice
    present: Choice
    saving: Decimal
    curve: tuple[tuple[int, Decimal], ...]
    months: int


def parts_of(bills: Sequence[Bill], factor: Decimal = Decimal(1)) -> list[DemandPart]:
    """The parts of bills whose tariff has a capacity charge."""
    found: list[DemandPart] = []
    for bill in bills:
        for segment, use in zip(bill.segments, bill.uses, strict=True):
            capacity = segment.edition.charges.capacity
            if capacity is None:
                continue
            rule, step = segment.edition.charges.power_factor, segment.edition.charges.rounding.demand
            pf = bill.power_factor_pct
            added = adjustment(rule, pf)[1] if rule is not None and pf is not None else Decimal(0)
            found.append(
                DemandPart(
                    capacity,
                    segment.season,
                    {band: float(to_step(kw, step)) for band, kw in use.demand_kw.items()},
                    segment.days / bill.period.days,
                    1.0 + float(added),
                    float(factor),
                )
            )
    return found


def grown(
    parts: Sequence[DemandPart], growth: float, spread: float, years: int, seed: int
) -> list[DemandPart]:
    """The same months in years to come: demand grows by `growth` a year, each month varies by `spread`.

    `spread` is the standard deviation of the logarithm; a month's bands vary together.
    """
    random = np.random.default_rng(seed)
    made: list[DemandPart] = []
    for year in range(1, years + 1):
        for part, wander in zip(parts, random.normal(0.0, spread, len(parts)), strict=True):
            times = (1.0 + growth) ** year * float(np.exp(wander))
            made.append(replace(part, demand_kw={b: kw * times for b, kw in part.demand_kw.items()}))
    return made


def advise(
    parts: Sequence[DemandPart], present: Mapping[str, Decimal], kinds: Sequence[str] | None = None
) -> Advice:
    """The best contract and what the present one costs. Raises Invalid where there is nothing to choose.

    `kinds`: the one or two kinds to change, by default the first two of the tariff.
    """
    if not parts:
        raise Invalid("No bill with a capacity charge and a known demand: nothing to choose a contract from")
    varied = tuple(kinds or list(parts[0].capacity.contracts)[:2])
    unknown = sorted(set(varied) - parts[0].capacity.contracts.keys())
    if unknown or not 1 <= len(varied) <= 2:  # noqa: PLR2004
        raise Invalid(f"One or two of {', '.join(parts[0].capacity.contracts)} can be chosen, found {varied}")
    fixed = {kind: float(kw) for kind, kw in present.items() if kind not in varied}
    best = choose(parts, varied, fixed, float(parts[0].capacity.least_kw))
    now = _choice(parts, {kind: float(kw) for kind, kw in present.items()})
    return Advice(best, now, now.cost - best.cost, _curve(parts, varied[0], best), len(parts))


def choose(
    parts: Sequence[DemandPart], kinds: Sequence[str], fixed: Mapping[str, float], least_kw: float
) -> Choice:
    """The cheapest whole kW of one or two kinds, the smaller contract where two cost the same.

    Squares of contracts are tried at their corner; one whose corner is dearer than the best by more than the
    cost can fall within the square is left out, the others are cut in four, down to single kW.
    """
    demand = max((kw for p in parts for kw in p.demand_kw.values()), default=0.0)
    highest = int(np.ceil(max(demand, least_kw, 1.0)))
    slopes = [_steepest(parts, kind) for kind in kinds]
    # where no contract covers a band another price holds: the edge without the first kind is tried by itself
    edge = np.zeros((highest + 1 if len(kinds) > 1 else 1, 2))
    edge[:, 1] = np.arange(len(edge))
    best = _try(parts, kinds, fixed, least_kw, edge)[0]
    size = 1 << max(0, int(np.ceil(np.log2(highest))))
    squares = np.array([[1.0, 0.0]])
    while size >= 1:
        found, costs = _try(parts, kinds, fixed, least_kw, squares)
        best = min(best, found)
        reach = (size - 1) * sum(slopes)
        squares = squares[costs - reach <= best[0] + _SAME]
        size //= 2
        squares = _quarters(squares, size, highest, len(kinds)) if size else squares
    kw = dict(fixed) | dict(zip(kinds, best[2:], strict=False))
    return _choice(parts, kw)


def _quarters(squares: Floats, size: int, highest: int, kinds: int) -> Floats:
    """The parts of each square, by their lowest corner, as far as they hold a contract that may be best."""
    steps = [(0, 0), (size, 0), (0, size), (size, size)] if kinds > 1 else [(0, 0), (size, 0)]
    cut = (squares[:, None, :] + np.array(steps, dtype=np.float64)[None, :, :]).reshape(-1, 2)
    return cut[np.all(cut <= highest, axis=1)]


def _try(
    parts: Sequence[DemandPart],
    kinds: Sequence[str],
    fixed: Mapping[str, float],
    least_kw: float,
    tried: Floats,
) -> tuple[tuple[float, float, float, float], Floats]:
    """(Cost, sum, first kind, second kind) of the best of some contracts, and the costs of all of them.

    A contract below the least is never the best, but its cost still bounds those of its square.
    """
    costs = np.concatenate(
        [_costs(parts, kinds, fixed, tried[at : at + _CHUNK]) for at in range(0, len(tried), _CHUNK)]
    )
    allowed = np.where(tried.sum(axis=1) + sum(fixed.values()) >= least_kw, costs, np.inf)
    row = int(np.lexsort((tried[:, 0], tried.sum(axis=1), np.round(allowed, 6)))[0])
    first, second = float(tried[row, 0]), float(tried[row, 1])
    return (round(float(allowed[row]), 6), first + second, first, second), costs


def _costs(
    parts: Sequence[DemandPart], kinds: Sequence[str], fixed: Mapping[str, float], tried: Floats
) -> Floats:
    contract: dict[str, Floats | float] = dict(fixed)
    for column, kind in enumerate(kinds):
        contract[kind] = tried[:, column]
    costs: Floats = np.zeros(len(tried))
    for part in parts:
        basic, over = _charge(part, contract)
        costs = costs + basic + over
    return costs


def _steepest(parts: Sequence[DemandPart], kind: str) -> float:
    """The most that one kW of a kind can change the cost of all parts, where there is any contract."""
    steepest = 0.0
    for part in parts:
        prices = {k: float(price) for k, price in part.capacity.prices[part.season].items()}
        reduced = part.capacity.reduced
        basic = prices.get(kind, 0.0)
        if reduced is not None and kind in reduced.of:
            basic += float(reduced.share) * prices.get(reduced.kinds[-1], 0.0)
        surcharge = 0.0
        if part.over is not None:
            over = part.over
            times = float(over.further_times + (over.further_times - over.first_times) * over.first_share)
            surcharge = times * sum(prices[step.price] for step in part.steps)
        steepest += part.share * part.factor * (basic * part.basic_share + surcharge)
    return steepest


def _charge(part: DemandPart, contract: Mapping[str, Floats | float]) -> tuple[Floats, Floats]:
    """Basic charge and surcharge of a part for many contracts at once."""
    prices = {kind: float(price) for kind, price in part.capacity.prices[part.season].items()}
    weight = part.share * part.factor
    reduced = part.capacity.reduced
    together = reduced.kinds if reduced else ()
    basic: Floats = np.zeros(1)
    for kind, price in prices.items():
        if kind not in together:
            basic = basic + price * np.asarray(contract.get(kind, 0.0))
    if reduced is not None:
        rest = _sum(contract, reduced.kinds) - float(reduced.share) * _sum(contract, reduced.of)
        basic = basic + prices.get(reduced.kinds[-1], 0.0) * np.maximum(0.0, rest)
    return basic * weight * part.basic_share, _over(part, contract, prices) * weight


def _sum(contract: Mapping[str, Floats | float], kinds: Sequence[str]) -> Floats:
    total: Floats = np.zeros(1)
    for kind in kinds:
        total = total + np.asarray(contract.get(kind, 0.0))
    return total


def _over(part: DemandPart, contract: Mapping[str, Floats | float], prices: Mapping[str, float]) -> Floats:
    counted: Floats = np.zeros(1)
    cost: Floats = np.zeros(1)
    over = part.over
    if over is None:
        return cost
    for step in part.steps:
        limit = _sum(contract, step.contracts)
        whole = np.maximum(0.0, part.demand_kw[step.band] - limit)
        new = np.maximum(0.0, whole - counted)
        counted = np.maximum(counted, whole)
        first = np.minimum(new, limit * float(over.first_share))
        kw = float(over.first_times) * first + float(over.further_times) * (new - first)
        if over.outside_times is not None:
            kw = np.where(limit == 0, float(over.outside_times) * new, kw)
        cost = cost + prices[step.price] * kw
    return cost


def _choice(parts: Sequence[DemandPart], contract: Mapping[str, float]) -> Choice:
    charges = [_charge(part, contract) for part in parts]
    over = [float(o[0]) for _, o in charges]
    return Choice(
        kw={kind: round(kw) for kind, kw in contract.items() if kw},
        cost=_money(sum(float(b[0]) for b, _ in charges) + sum(over)),
        over_cost=_money(sum(over)),
        over_parts=sum(amount > 0 for amount in over),
        worst_over=_money(max(over, default=0.0)),
    )


def _money(amount: float) -> Decimal:
    return Decimal(f"{amount:.2f}")


def _curve(parts: Sequence[DemandPart], kind: str, best: Choice) -> tuple[tuple[int, Decimal], ...]:
    """Cost by kW of one kind around the highest demand, the others as in the best contract."""
    highest = max((kw for p in parts for kw in p.demand_kw.values()), default=0.0)
    ends = (min(0.5 * highest, best.kw.get(kind, 0)), max(1.2 * highest, best.kw.get(kind, 0)))
    kws = np.unique(np.round(np.linspace(*ends, CURVE_POINTS)))
    contract: dict[str, Floats | float] = {k: float(kw) for k, kw in best.kw.items()} | {kind: kws}
    costs: Floats = np.zeros_like(kws)
    for part in parts:
        basic, over = _charge(part, contract)
        costs = costs + basic + over
    return tuple((int(kw), _money(float(cost))) for kw, cost in zip(kws, costs, strict=True))
