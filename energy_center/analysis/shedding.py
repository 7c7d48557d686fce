"""How much load must go, by when, and which: so that a demand block stays under its limit.

A load that can be shed has a power and a comfort cost; the least comfort is given up first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from energy_center.analysis.demand import BLOCK_S, BlockForecast

SURE = 0.9  # probability with which the limit is to be kept


@dataclass(frozen=True, slots=True)
class Relief:
    """What keeps a block under its limit: `needed_kw` less for the whole rest of it, from now on.

    `expected_kw` is by how much the block's average is expected to end over the limit (negative: under it).
    """

    needed_kw: float
    expected_kw: float
    rest_s: float

    def latest_s(self, shed_kw: float) -> float | None:
        """Seconds from now until which shedding so much is soon enough; None where it is too little."""
        if shed_kw <= 0:
            return None
        left = self.rest_s * (1.0 - self.needed_kw / shed_kw)
        return left if left >= 0 else None


def relief(forecast: BlockForecast, limit_kw: float, sure: float = SURE) -> Relief | None:
    """What is needed for the block to stay under a limit with a probability; None where it does anyway.

    Once the energy counted is over the limit's, no relief helps: `needed_kw` is then more than all the load.
    """
    over_kw = forecast.quantile_kw(sure) - limit_kw
    if over_kw <= 0 or forecast.rest_s <= 0:
        return None
    return Relief(over_kw * BLOCK_S / forecast.rest_s, forecast.forecast_kw - limit_kw, forecast.rest_s)


@dataclass(frozen=True, slots=True)
class SheddableLoad:
    """`shed_kw` is what switching it off saves now, kW; `comfort_cost` 0 (nobody notices) to 10."""

    name: str
    shed_kw: float
    comfort_cost: float


def rank_loads(loads: Sequence[SheddableLoad]) -> tuple[SheddableLoad, ...]:
    """Those that save anything now: the least comfort cost first, of equal ones the largest."""
    return tuple(
        sorted((x for x in loads if x.shed_kw > 0), key=lambda x: (x.comfort_cost, -x.shed_kw, x.name))
    )


def choose_loads(ranked: Sequence[SheddableLoad], needed_kw: float) -> tuple[tuple[SheddableLoad, ...], bool]:
    """The first of a ranking that save enough, less those then needless; and whether it is enough."""
    chosen = list[SheddableLoad]()
    saved = 0.0
    for load in ranked:
        if saved >= needed_kw:
            break
        chosen.append(load)
        saved += load.shed_kw
    for load in sorted(chosen, key=lambda x: -x.comfort_cost):
        if saved - load.shed_kw >= needed_kw:
            chosen.remove(load)
            saved -= load.shed_kw
    return tuple(chosen), saved >= needed_kw
