"""A rule over stored history, and the scored run on a short simulated stretch."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from energy_center.cli import main
from energy_center.domain.quantities import Role
from energy_center.domain.readings import Quality, Reading
from energy_center.domain.site import Equipment, Point, Site, Space, SpaceKind, Text
from energy_center.errors import Invalid, NotFound
from energy_center.services.backtest_rule import backtest_rule
from energy_center.store.pool import Database
from energy_center.store.readings import ReadingBatch, write_backlog
from energy_center.store.rollups import roll_up
from energy_center.store.series import Grain
from energy_center.store.site import apply_site

START = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
WORDS = Text("壹", "one")


async def history(database: Database) -> Site:
    """A day at one reading a minute: 0.70 power factor from 06:00 to 12:00."""
    roles = (Role.POWER_FACTOR, Role.ACTIVE_POWER)
    points = tuple(Point("m", role.value, role, 60.0) for role in roles)
    meter = Equipment("m", "Electrical_Meter", WORDS, "ltb", "c", "m", points=points)
    spaces = (Space("city", None, SpaceKind.SITE, WORDS), Space("ltb", "city", SpaceKind.BUILDING, WORDS))
    site = await apply_site(
        database, Site("city", WORDS, "Asia/Taipei", spaces, (meter,)), "t", "test", START
    )
    readings = []
    for minute in range(24 * 60):
        at, low = START + timedelta(minutes=minute), 360 <= minute < 720
        for point in site.points():
            value = (0.7 if low else 0.95) if point.role is Role.POWER_FACTOR else 100.0
            readings.append(Reading(point.point_id, at, value, Quality.SIMULATED))
    await write_backlog(database, ReadingBatch.of(readings), START + timedelta(days=1))
    return site


@pytest.mark.parametrize("grain", [Grain.RAW, Grain.QUARTER])
async def test_both_grains_of_history_find_the_same_alarm(database: Database, grain: Grain) -> None:
    site = await history(database)
    while await roll_up(database, site.time_zone, START + timedelta(days=2)):
        pass
    end = START + timedelta(days=1)
    report = await backtest_rule(database, "power-factor-low", START, end, overrides={}, grain=grain)
    (place,) = report.places
    (found,) = place.findings
    step = timedelta(minutes=1 if grain is Grain.RAW else 15)
    # the hour's mean passes 0.85 after 24 min of 0.70: (0.95 - 0.85) / (0.95 - 0.70) of an hour
    assert abs(found.onset_at - (START + timedelta(hours=6, minutes=24))) <= 2 * step
    assert found.raised_at - found.onset_at >= timedelta(hours=2)
    assert found.returned_at is not None
    assert report.alarms_per_day == 1


async def test_another_parameter_another_answer(database: Database) -> None:
    await history(database)
    end = START + timedelta(days=1)
    report = await backtest_rule(
        database, "power-factor-low", START, end, overrides={"least_factor": 0.6}, grain=Grain.RAW
    )
    assert report.places[0].findings == ()


async def test_mistakes_are_named(database: Database) -> None:
    await history(database)
    end = START + timedelta(days=1)
    with pytest.raises(Invalid, match="least_factor"):
        await backtest_rule(database, "power-factor-low", START, end, overrides={"least": 1.0})
    with pytest.raises(NotFound):
        await backtest_rule(database, "no-rule", START, end, overrides={})
    with pytest.raises(Invalid):
        await backtest_rule(database, "power-factor-low", end, START, overrides={})
    with pytest.raises(NotFound, match="no equipment"):
        await backtest_rule(database, "rain-tank-leak", START, end, overrides={})


def test_injected_faults_are_found_without_false_alarms(tmp_path: Path) -> None:
    report = tmp_path / "build" / "detection.json"
    assert main(["detection", "--short", "--json", str(report), "--table", str(tmp_path / "t.md")]) == 0
    rows = {row["name"]: row for row in json.loads(report.read_text(encoding="utf-8"))}
    assert rows["overall.precision"]["value"] >= 0.9
    assert rows["overall.recall"]["value"] >= 0.9
    assert rows["sump-high-pump-off"]["found"] == rows["sump-high-pump-off"]["faults"] == 1
    assert "| sump-high-pump-off |" in (tmp_path / "t.md").read_text(encoding="utf-8")
