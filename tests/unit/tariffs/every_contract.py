"""The cheapest contract found by trying every whole kW, with costs written from the tariff book."""

import random
from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from energy_center.services.tariff_catalogue import tariff
from energy_center.tariffs.contract import DemandPart, choose

CAPACITY3, CAPACITY2 = (
    tariff(name).editions[-1].charges.capacity for name in ("taipower-lv-tou3", "taipower-lv-tou2")
)
SUMMER = range(6, 10)
TARIFFS = pytest.mark.parametrize("stages", [3, 2])

Grid = NDArray[np.float64]


def over_contract(steps: list[tuple[float, Grid, float]]) -> Grid:
    """(Demand, sum of contracts, price) of each band in order: what each adds to the excess before it."""
    counted, cost = np.zeros(1), np.zeros(1)
    for demand, limit, price in steps:
        over = np.maximum(0.0, demand - limit)
        new = np.maximum(0.0, over - counted)
        counted = np.maximum(counted, over)
        first = np.minimum(new, 0.1 * limit)
        cost = cost + np.where(limit == 0, 4.8 * price * new, price * (2 * first + 3 * (new - first)))
    return cost


def three_stage_month(season: str, demand: Mapping[str, float], c1: Grid, c2: Grid, saturday: float) -> Grid:
    """The tariff book's own words, 第四章五(三)2(2) and 七(二)1(3), written without any of our code."""
    regular, cheap = (236.20, 47.20) if season == "summer" else (173.20, 34.60)
    basic = regular * c1 + 173.20 * c2 + cheap * np.maximum(0.0, saturday - 0.5 * (c1 + c2))
    peak = [(demand["peak"], c1, 236.20)] if season == "summer" else []
    wide = c1 + c2 + saturday
    rest = [(demand["saturday_half_peak"], wide, cheap), (demand["off_peak"], wide, cheap)]
    return basic + over_contract([*peak, (demand["half_peak"], c1 + c2, 173.20), *rest])


def two_stage_month(season: str, demand: Mapping[str, float], c1: Grid, c2: Grid, saturday: float) -> Grid:
    """第四章五(三)2(1) and 七(二)1(2): the second contract is paid and counts at the peak outside summer."""
    summer = season == "summer"
    regular, cheap = (236.20, 47.20) if summer else (173.20, 34.60)
    basic = regular * c1 + cheap * np.maximum(0.0, saturday - 0.5 * (c1 + c2))
    basic = basic + (0.0 if summer else 173.20) * c2
    wide = c1 + c2 + saturday
    rest = [(demand["saturday_half_peak"], wide, cheap), (demand["off_peak"], wide, cheap)]
    return basic + over_contract([(demand["peak"], c1 if summer else c1 + c2, regular), *rest])


def random_year(seed: int, highest: int) -> tuple[list[tuple[str, dict[str, float]]], int]:
    """Twelve months of whole kW and a fixed Saturday contract, most often none."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    months = []
    for month in range(1, 13):
        base = chance.randint(0, highest)
        bands = ("peak", "half_peak", "saturday_half_peak", "off_peak")
        demand = {band: float(min(highest, max(0, base + chance.randint(-15, 15)))) for band in bands}
        months.append(("summer" if month in SUMMER else "non_summer", demand))
    return months, chance.choice([0, 0, 0, 10, 40])


def check_against_every_contract(stages: int, seed: int, highest: int = 80) -> None:
    """A random year: what the optimiser chooses costs what the cheapest of all contracts costs."""
    capacity, second, month_cost = (
        (CAPACITY3, "half_peak", three_stage_month)
        if stages == 3
        else (CAPACITY2, "non_summer", two_stage_month)
    )
    c1, c2 = (grid.ravel().astype(float) for grid in np.mgrid[0 : highest + 1, 0 : highest + 1])
    months, saturday = random_year(seed, highest)
    tried = sum(month_cost(season, demand, c1, c2, saturday) for season, demand in months)
    tried = np.where(c1 + c2 + saturday >= 1, tried, np.inf)
    parts = [DemandPart(capacity, season, demand) for season, demand in months]
    found = choose(parts, ("regular", second), {"saturday_half_peak": float(saturday)}, 1.0)
    assert float(found.cost) == pytest.approx(tried.min(), abs=0.011), seed
    at = (c1 == found.kw.get("regular", 0)) & (c2 == found.kw.get(second, 0))
    assert tried[at].item() == pytest.approx(tried.min(), abs=0.011), seed
