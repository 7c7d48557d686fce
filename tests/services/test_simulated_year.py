"""A simulated year of a city hall, its register ill-treated in every way: months stay right, or are marked.

The truth is the simulator's own register, which our code has no part in.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from energy_center.analysis.counters import CounterEventKind, Register
from energy_center.analysis.grid import Step, edges_of
from energy_center.analysis.intervals import Energies, of_register
from energy_center.analysis.registers import Exchange, clean_exchanged
from energy_center.domain.people import Actor
from energy_center.domain.quantities import Role
from energy_center.domain.timeline import Interval, day
from energy_center.services.meter_events import WantedExchange, record_exchange
from energy_center.services.read_energy import read_energy
from energy_center.store.pool import Database
from energy_center.store.readings import ReadingBatch, write_backlog
from energy_center.store.rollups import roll_up
from simulators.history import history
from simulators.model import load_model
from tests.services.city_hall import applied, point_of

TAIPEI = ZoneInfo("Asia/Taipei")
YEAR = Interval(day(date(2025, 1, 1), TAIPEI).start, day(date(2026, 1, 1), TAIPEI).start)
SITE = Path(__file__).parents[2] / "simulators" / "sites" / "taichung.yaml"
STEP_S = 300
HOUR = 3600 // STEP_S
MODULUS = 1_000_000.0
WHOLE, EXACT = 0.99, 0.001


@dataclass(frozen=True)
class Year:
    """What the device said, in order of arrival, and the truth; energies in kWh."""

    at_s: np.ndarray
    register: np.ndarray
    exchange: Exchange
    true_months: np.ndarray
    gap_months: set[int]


@pytest.fixture(scope="module")
def true_register() -> np.ndarray:
    """The simulator's main meter, every 5 min from the year's first instant to its last."""
    end = datetime.fromtimestamp(YEAR.end.timestamp() + STEP_S, UTC)
    key = [("ltb-main", "energy_import")]
    months = history(load_model(SITE), 7, YEAR.start, end, STEP_S, key, origin=YEAR.start.timestamp())
    return np.concatenate([month.readings[0] for month in reversed(list(months))])


@pytest.fixture(scope="module")
def year(true_register: np.ndarray) -> Year:
    rng = np.random.default_rng(11)
    at = YEAR.start.timestamp() + STEP_S * np.arange(true_register.size)
    level = true_register - true_register[0] + 999_000.0  # rolls over within days, and again as it counts on
    lost = np.zeros(at.size, dtype=bool)
    reset_in, exchanged_in, recorded_in = (0, 3, 6, 9), 1, 4
    exchange = Exchange(0.0, None, None)
    for month in range(10):
        i = _in_month(at, month, rng)
        if month in reset_in:
            level[i:] -= level[i]
        elif month == exchanged_in:  # and nobody wrote it down
            level[i:] += 333_333.0
        elif month == recorded_in:
            old_last = float(level[i - 1] + (level[i] - level[i - 1]) * 2 / 3)
            exchange = Exchange(float(at[i]) - STEP_S / 3, old_last % MODULUS, 5.0)
            level[i:] += 5.0 - old_last
    level %= MODULUS
    for _ in range(40):  # short gaps; one crosses the turn of a month
        i = int(rng.integers(0, at.size - HOUR))
        lost[i : i + int(rng.integers(2, HOUR))] = True
    turn = int((edges_of(YEAR, Step.MONTH, TAIPEI)[8] - at[0]) / STEP_S)
    lost[turn - HOUR : turn + HOUR] = True
    for month in (5, 10):  # long gaps
        i = _in_month(at, month, rng)
        lost[i : i + 30 * HOUR] = True
    glitches = rng.choice(at.size - 10, 60, replace=False) + 5
    level[glitches] = rng.choice([0.0, 7.0, 999_999.0, 65_535.0], 60)
    kept = np.flatnonzero(~lost)
    order = np.concatenate((rng.permutation(kept), rng.choice(kept, 2000)))  # late, and some twice
    months = edges_of(YEAR, Step.MONTH, TAIPEI)
    true = np.diff(np.interp(months, at, true_register))
    return Year(at[order], level[order], exchange, true, {5, 10})


def _in_month(at: np.ndarray, month: int, rng: np.random.Generator) -> int:
    """Somewhere in the middle of a month."""
    start, end = edges_of(YEAR, Step.MONTH, TAIPEI)[[month, month + 1]]
    return int((start + (end - start) * rng.uniform(0.2, 0.7) - at[0]) / STEP_S)


def _check(months: Energies, year: Year) -> None:
    error = np.abs(months.amount / year.true_months - 1.0)
    whole = months.coverage >= WHOLE
    assert np.all(error[whole] <= EXACT), (error, months.coverage)
    assert set(np.flatnonzero(~whole)) == year.gap_months
    assert np.all(months.amount >= 0)


def test_months_of_an_ill_treated_register_are_right_or_marked(year: Year):
    register = Register(max_rate_per_h=3000.0, modulus=MODULUS, resolution=0.01)
    running = clean_exchanged(year.at_s, year.register, register, [year.exchange])
    kinds = [event.kind for event in running.events]
    assert kinds.count(CounterEventKind.ROLLOVER) >= 2
    assert kinds.count(CounterEventKind.RESET) == 4
    assert kinds.count(CounterEventKind.EXCHANGE) == 2
    assert kinds.count(CounterEventKind.GLITCH) > 40
    months = of_register(running, edges_of(YEAR, Step.MONTH, TAIPEI), 2 * STEP_S)
    _check(months, year)
    quarters = of_register(running, edges_of(YEAR, Step.QUARTER, TAIPEI), 2 * STEP_S)
    assert quarters.total == pytest.approx(months.total, rel=1e-9)
    assert np.nanmax(quarters.mean_power()) < 1500.0  # no spike: the building never takes more


async def test_months_from_the_database_are_right_or_marked(year: Year, database: Database):
    site = await applied(database, YEAR.start)
    point = point_of(site, "main", Role.ENERGY_IMPORT)
    async with database.transaction() as connection:
        await connection.execute(
            "UPDATE point SET interval_s = $2, rollover_at = $3 WHERE point_id = $1",
            point.point_id,
            STEP_S,
            MODULUS,
        )
        await connection.execute(
            "UPDATE sampling SET interval_s = $2 WHERE point_id = $1", point.point_id, STEP_S
        )
    at_s, index = np.unique(year.at_s, return_index=True)
    part_of_day = np.random.default_rng(3).integers(0, 4, 366)[((at_s - at_s[0]) // 86_400).astype(int)]
    for part in (np.flatnonzero(part_of_day == i) for i in range(4)):  # late days reopen what was rolled up
        await write_backlog(
            database, _batch(point.point_id, at_s[part], year.register[index[part]]), YEAR.end
        )
        while await roll_up(database, "Asia/Taipei", YEAR.end):
            pass
    assert year.exchange.old_last is not None
    at = datetime.fromtimestamp(year.exchange.at_s, UTC)
    exchange = WantedExchange("main", "energy_import", at, year.exchange.old_last, 5.0, "simulated")
    await record_exchange(database, exchange, None, Actor("test", "here"), YEAR.end)
    while await roll_up(database, "Asia/Taipei", YEAR.end):
        pass
    found = await read_energy(database, "main", YEAR, Step.MONTH)
    assert year.exchange.at_s in [event.at_s for _, event in found.events]
    _check(found.energies, year)


def _batch(point_id: int, at_s: np.ndarray, register: np.ndarray) -> ReadingBatch:
    n = at_s.size
    return ReadingBatch(
        np.full(n, point_id, np.int32), (at_s * 1e6).astype(np.int64), register, np.zeros(n, np.int16)
    )
