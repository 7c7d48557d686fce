"""The demo's past: marked, newest first, rolled up, resumable, and honest about a full disk."""

import asyncio
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import psutil
import pytest

from energy_center.config.load_site import load_site
from energy_center.domain.quantities import Role
from energy_center.domain.readings import Quality
from energy_center.domain.site import Site
from energy_center.errors import EnvironmentProblem
from energy_center.services.backfill import JOB, backfill
from energy_center.services.backfill_plan import bytes_needed, plan_parts
from energy_center.services.read_history import read_trend
from energy_center.services.read_progress import read_progress
from energy_center.services.series_consumption import with_consumption
from energy_center.store.pool import Database
from energy_center.store.series import Grain, read_series
from energy_center.store.site import apply_site
from tests.services.city_hall import NOW, applied, every, point_of, write

STUB = [sys.executable, str(Path(__file__).with_name("history_stub.py"))]
DEMO = Path(__file__).parents[2] / "energy_center" / "config" / "demo" / "taichung.yaml"
SIMULATED = DEMO.parents[3] / "simulators" / "sites" / "taichung.yaml"
DAY = timedelta(days=1)


@pytest.fixture
async def site(database: Database) -> Site:
    return await applied(database, NOW)


async def test_the_past_is_filled_marked_and_rolled_up(database: Database, site: Site):
    register = point_of(site, "main", Role.ENERGY_IMPORT)
    energy = register.point_id
    await write(database, energy, every(NOW, NOW + timedelta(minutes=10), 5), [NOW.timestamp() / 360] * 120)

    brought = await backfill(database, site, STUB, NOW, months=2)

    assert brought == pytest.approx(sum(p.rows for p in plan_parts(site, NOW, 2)), rel=0.001)
    today = NOW.replace(hour=0, minute=0, second=0)
    series = await read_series(database, [energy], today - 40 * DAY, today, Grain.QUARTER)
    assert len(series[energy]) == 40 * 96
    zone = ZoneInfo(site.time_zone)
    told = await with_consumption(database, register, series[energy], Grain.QUARTER, zone, is_site_zone=True)
    assert told.delta.tolist() == pytest.approx([2.5] * (40 * 96))  # each quarter-hour has its own
    assert series[energy].coverage.min() > 0.99
    assert set(series[energy].quality.tolist()) == {int(Quality.SIMULATED)}
    (trend,) = await read_trend(database, [energy], today - 30 * DAY, today)
    assert trend.coverage == pytest.approx(1.0, abs=0.001)
    assert trend.simulated == ((today - 30 * DAY, today),)


async def test_live_readings_stay_the_newest(database: Database, site: Site):
    power = point_of(site, "main", Role.ACTIVE_POWER).point_id
    await write(database, power, [NOW - DAY], [321.0])
    await backfill(database, site, STUB, NOW, months=1)
    async with database.connection() as connection:
        rows = await connection.fetch("SELECT point_id, value FROM latest")
    assert [(r["point_id"], r["value"]) for r in rows] == [(power, 321.0)]


async def test_progress_is_shown_and_ends_whole(database: Database, site: Site):
    await backfill(database, site, STUB, NOW, months=1)
    (progress,) = await read_progress(database)
    assert (progress.job, progress.is_finished, progress.failed) == (JOB, True, None)
    assert progress.detail["days_done"] >= 31
    assert progress.eta_s == 0.0


async def test_the_newest_month_comes_first(database: Database, site: Site, tmp_path: Path):
    log = tmp_path / "months"
    await backfill(database, site, [*STUB, "--log", str(log)], NOW, months=3)
    months = [datetime.fromisoformat(line) for line in log.read_text().split()]
    year = [m for m in months if m < NOW.replace(month=9, day=30)]
    assert months[0] > NOW - 31 * DAY
    assert len(year) >= 2
    assert year == sorted(year, reverse=True)


async def test_a_second_start_does_not_repeat_finished_months(database: Database, site: Site, tmp_path: Path):
    with pytest.raises(EnvironmentProblem, match="ended before its history was complete"):
        await backfill(database, site, [*STUB, "--months-then-fail", "1"], NOW, months=2)
    (broken,) = await read_progress(database)
    assert broken.failed
    assert 0 < broken.done < broken.total
    async with database.connection() as connection:
        before = await connection.fetchval("SELECT count(*) FROM reading")
    later = NOW + timedelta(hours=5)
    brought = await backfill(database, site, STUB, later, months=2)
    (whole,) = await read_progress(database)
    assert (whole.is_finished, whole.failed) == (True, None)
    assert whole.detail["end"] == NOW.isoformat()
    assert brought == pytest.approx(whole.total - broken.done, rel=0.001)
    assert before > 0
    assert await backfill(database, site, ["false"], later, months=2) == 0


async def test_asked_to_end_it_ends_at_once_and_leaves_no_process(database_dsn: str, database: Database):
    await apply_site(database, load_site(DEMO).site, "text", "test", NOW)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "energy_center", "backfill", "--seed", "1"),
        *("--simulated-site", str(SIMULATED), "--start", NOW.isoformat()),
        env={**os.environ, "DATABASE_URL": database_dsn},
        stderr=asyncio.subprocess.PIPE,
    )
    children: list[psutil.Process] = []
    async with asyncio.timeout(60):
        while not children:
            await asyncio.sleep(0.1)
            children = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    async with asyncio.timeout(10):
        _, said = await process.communicate()
    assert process.returncode == 1
    assert b"Traceback" not in said
    assert not any(child.is_running() for child in children)


async def test_old_raw_readings_are_dropped_but_their_roll_ups_kept(database: Database, site: Site):
    power = point_of(site, "main", Role.ACTIVE_POWER).point_id
    await backfill(database, site, STUB, NOW, months=1)
    async with database.connection() as connection:
        oldest = await connection.fetchval("SELECT min(ts) FROM reading")
    assert NOW - 14 * DAY - timedelta(minutes=1) < oldest < NOW - 6 * DAY
    series = await read_series(database, [power], NOW - 50 * DAY, NOW - 40 * DAY, Grain.HOUR)
    assert len(series[power]) == 240


async def test_a_silent_device_brings_no_reading(database: Database, site: Site):
    rain = point_of(site, "weather", Role.RAIN_RATE).point_id
    await backfill(database, site, STUB, NOW, months=1)
    series = await read_series(database, [rain], NOW - timedelta(hours=3), NOW, Grain.RAW)
    assert series[rain].at_us[-1] / 1e6 < (NOW - timedelta(hours=1)).timestamp()


async def test_too_little_disk_is_said_once_and_shown(database: Database, site: Site):
    with pytest.raises(EnvironmentProblem, match=r"needs 0\.\d GB of disk and 0\.1 GB are free"):
        await backfill(database, site, STUB, NOW, months=1, free_bytes=100_000_000)
    (progress,) = await read_progress(database)
    assert "GB" in progress.failed
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM reading") == 0


async def test_the_demo_keeps_a_long_past_of_150_points_within_its_disk():
    site = load_site(DEMO).site
    parts = {p.name: p for p in plan_parts(site, datetime(2026, 11, 24, 7, tzinfo=UTC))}
    assert len(parts["recent"].points) >= 150
    assert parts["recent"].points == parts["year"].points
    assert len(parts["recent"].points) + len(parts["rest"].points) == len(site.points())
    assert parts["year"].start <= datetime(2025, 10, 24, tzinfo=UTC)
    assert parts["recent"].start <= datetime(2026, 10, 24, tzinfo=UTC)
    assert parts["rest"].end - parts["rest"].start == 3 * DAY
    assert bytes_needed(list(parts.values()), 0) <= 2.5e9
