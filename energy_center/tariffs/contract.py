"""Which contract capacity would have cost least: exact over history, and over years that growth makes.

What a contract changes is the basic charge (with what the power factor takes off it) and the over-contract
surcharge. Both are straight between a few kinks, so for every whole kW of the second kind of contract only
the whole kW beside a kink of the first need be tried: the answer is that of trying all. Kinds beyond these
two stay as they are.
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
    """The cheapest whole kW of one or two kinds, the smaller contract where two cost the same."""
    highest = int(np.ceil(max((kw for p in parts for kw in p.demand_kw.values()), default=0.0)))
    highest = max(highest, int(np.ceil(least_kw)))
    seconds = np.arange(highest + 1, dtype=np.float64) if len(kinds) == 2 else np.zeros(1)  # noqa: PLR2004
    offsets = _kinks(parts, kinds, fixed)
    rows = max(1, _CHUNK // (len(offsets) + 4))
    best = (np.inf, 0.0, 0.0, 0.0)
    for at in range(0, len(seconds), rows):
        first, second = _candidates(seconds[at : at + rows], offsets, highest, least_kw - sum(fixed.values()))
        contract = dict(fixed) | {kinds[0]: first} | ({kinds[1]: second} if len(kinds) == 2 else {})  # noqa: PLR2004
        costs = np.round(sum(sum(_charge(part, contract)) for part in parts), 6)
        row = int(np.lexsort((first, first + second, costs))[0])
        found = (float(costs[row]), float(first[row] + second[row]), float(first[row]), float(second[row]))
        best = min(best, found)
    kw = dict(fixed) | {kinds[0]: best[2]} | ({kinds[1]: best[3]} if len(kinds) == 2 else {})  # noqa: PLR2004
    return _choice(parts, kw)


def _candidates(
    seconds: Floats, offsets: NDArray[np.float64], highest: int, least_kw: float
) -> tuple[Floats, Floats]:
    """Whole kW of the first kind beside each kink, for each of the second; both of shape (n,).

    `offsets[:, 0] + offsets[:, 1] x second` is where the cost of the first kind bends.
    """
    bends = offsets[:, 0][None, :] + offsets[:, 1][None, :] * seconds[:, None]
    ends = np.column_stack((np.zeros_like(seconds), np.ones_like(seconds), np.full_like(seconds, highest)))
    least = np.ceil(np.maximum(0.0, least_kw - seconds))[:, None]
    tried = np.column_stack((np.floor(bends), np.ceil(bends), ends, least))
    tried = np.maximum(np.clip(tried, 0.0, highest), least)
    return tried.ravel(), np.repeat(seconds, tried.shape[1])


def _kinks(parts: Sequence[DemandPart], kinds: Sequence[str], fixed: Mapping[str, float]) -> Floats:
    """Where the cost bends along the first kind, as constant and slope over the second; shape (n, 2)."""
    found: set[tuple[float, float]] = set()
    for part in parts:
        for index, step in enumerate(part.steps):
            if kinds[0] not in step.contracts:
                continue
            rest = sum(fixed.get(kind, 0.0) for kind in step.contracts)
            slope = -1.0 if len(kinds) > 1 and kinds[1] in step.contracts else 0.0
            found |= {(kw - rest, slope) for kw in _own_kinks(part, step)}
            found |= _shared_kinks(part, index, fixed, kinds)
        reduced = part.capacity.reduced
        if reduced is not None and reduced.share and kinds[0] in reduced.of:
            together = sum(fixed.get(kind, 0.0) for kind in reduced.kinds) / float(reduced.share)
            others = sum(fixed.get(kind, 0.0) for kind in reduced.of)
            slope = -1.0 if len(kinds) > 1 and kinds[1] in reduced.of else 0.0
            found.add((together - others, slope))
    return np.array(sorted(found)).reshape(-1, 2)


def _own_kinks(part: DemandPart, step: Round) -> set[float]:
    """Sums of contracts at which a band begins to exceed, and to exceed by more than the first share."""
    demand = part.demand_kw[step.band]
    first = float(part.over.first_share) if part.over else 0.0
    return {demand, demand / (1.0 + first)}


def _shared_kinks(
    part: DemandPart, index: int, fixed: Mapping[str, float], kinds: Sequence[str]
) -> set[tuple[float, float]]:
    """Kinks of what a band exceeds beyond an earlier one: there its first share is used up.

    With excess e = (D_k - S_k) - (D_j - S_j) free of the first kind, S_k = e / first share; the second kind
    enters with its own weight in each sum.
    """
    if part.over is None or not part.over.first_share:
        return set()
    steps, share = part.steps, float(part.over.first_share)
    own = steps[index]
    own_rest, own_slope = _sum_without_first(own, fixed, kinds)
    found: set[tuple[float, float]] = set()
    for earlier in steps[:index]:
        rest, slope = _sum_without_first(earlier, fixed, kinds)
        ahead = part.demand_kw[own.band] - own_rest - part.demand_kw[earlier.band] + rest
        found.add((ahead / share - own_rest, (slope - own_slope) / share - own_slope))
    return found


def _sum_without_first(step: Round, fixed: Mapping[str, float], kinds: Sequence[str]) -> tuple[float, float]:
    rest = sum(fixed.get(kind, 0.0) for kind in step.contracts)
    return rest, 1.0 if len(kinds) > 1 and kinds[1] in step.contracts else 0.0


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
