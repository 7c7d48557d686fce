"""Readings in order of arrival: the live run at irregular times gives the alarms of the backtest."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from energy_center.domain.quantities import Role
from energy_center.domain.readings import Reading
from energy_center.domain.site import Equipment, Point, Site, Space, SpaceKind, Text
from energy_center.services.backtest_rule import backtest_rule
from energy_center.services.run_rules import SETTLE_S, run_rules
from energy_center.store.pool import Database
from energy_center.store.readings import ReadingBatch, write_readings
from energy_center.store.series import Grain
from energy_center.store.site import apply_site

START = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
WORDS = Text("坑", "pit")
RULES = {"sump-high-pump-off": {"hold": 30.0, "keep": 60.0, "step": 10.0}}


async def _apply(database: Database) -> Site:
    def thing(name: str, role: Role, fed_by: str | None = None) -> Equipment:
        return Equipment(
            name,
            "Sump",
            WORDS,
            "ltb",
            "io",
            "sump",
            fed_by=fed_by,
            points=(Point(name, role.value, role, 5.0),),
        )

    spaces = (Space("city", None, SpaceKind.SITE, WORDS), Space("ltb", "city", SpaceKind.BUILDING, WORDS))
    things = (thing("sump", Role.SUMP_LEVEL), thing("pump", Role.PUMP_STATUS, "sump"))
    return await apply_site(
        database, Site("city", WORDS, "Asia/Taipei", spaces, things, RULES), "t", "t", START
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_live_in_pieces_and_backtest_at_once_agree(database: Database, seed: int) -> None:
    site, dice = await _apply(database), np.random.default_rng(seed)
    level, pump = (p.point_id for p in site.points())
    steps = 360  # half an hour of 5 s
    high = np.repeat(dice.choice([0.8, 1.9], steps), dice.integers(3, 30, steps))[:steps]
    runs = np.repeat(dice.choice([0.0, 0.0, 1.0], steps), dice.integers(10, 60, steps))[:steps]
    gone = np.repeat(dice.random(steps) < 0.15, dice.integers(2, 12, steps))[:steps]
    first = START + timedelta(minutes=1)
    await run_rules(database, first + timedelta(seconds=SETTLE_S), ())
    index = 0
    while index < steps:
        until = min(index + int(dice.integers(1, 40)), steps)
        readings = [
            Reading(point, first + timedelta(seconds=5 * i), float(value[i]))
            for i in range(index, until)
            if not gone[i]
            for point, value in ((level, high), (pump, runs))
        ]
        index, at = until, first + timedelta(seconds=5 * until)
        if readings:
            await write_readings(database, ReadingBatch.of(readings), at)
        await run_rules(database, at + timedelta(seconds=SETTLE_S), ())
    async with database.connection() as conn:
        rows = await conn.fetch(
            "SELECT event, at FROM alarm_event WHERE event IN ('raised', 'reopened', 'returned') ORDER BY at"
        )
    live = [("raised" if r["event"] == "reopened" else r["event"], r["at"]) for r in rows]
    end = first + timedelta(seconds=5 * steps)
    report = await backtest_rule(
        database, "sump-high-pump-off", first - timedelta(seconds=40), end, overrides={}, grain=Grain.RAW
    )
    findings = report.places[0].findings
    ends = [("returned", f.returned_at) for f in findings if f.returned_at]
    assert sorted(live) == sorted([*[("raised", f.raised_at) for f in findings], *ends])
    assert live
