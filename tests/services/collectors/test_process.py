"""The collector as a process: its start, its end, and a start without a database."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from energy_center.config.load_site import load_site
from energy_center.store.counts import readings_per_point
from energy_center.store.devices import device_states
from energy_center.store.pool import Database
from energy_center.store.site import apply_site
from tests.protocol.faulty_modbus import faulty_device

SITE = """\
site: {{id: town, name: Town}}
spaces:
  - {{id: hall, kind: building, name: Hall}}
connections:
  - {{id: line, modbus-tcp: {{host: 127.0.0.1, port: {port}}}}}
equipment:
  - {{id: meter, name: M, space: hall, connection: line, unit_id: 1, profile: eastron_sdm630, interval: 0.2s}}
"""


@asynccontextmanager
async def collecting(
    folder: Path, port: int, dsn: str | None, site: str = SITE, **more: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    file = folder / "site.yaml"
    file.write_text(site.format(port=port))
    env = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"} | more
    if dsn is not None:
        env["DATABASE_URL"] = dsn
    words = ["-m", "collectors", "--site", str(file), "--state-dir", str(folder)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, env=env, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def apply(database: Database, folder: Path, port: int, site: str = SITE) -> None:
    file = folder / "applied.yaml"
    file.write_text(site.format(port=port))
    await apply_site(database, load_site(file).site, file.read_text(), "test", datetime.now(UTC))


async def until_stored(database: Database, at_least: int) -> dict[tuple[str, str], int]:
    async with asyncio.timeout(20):
        while True:
            counts = await readings_per_point(database)
            if counts and min(counts.values()) >= at_least:
                return counts
            await asyncio.sleep(0.1)


async def until_spooled(folder: Path) -> None:
    async with asyncio.timeout(20):
        while not any(p.stat().st_size > 2000 for p in (folder / "spool").glob("*.log")):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_readings_reach_the_database_and_sigterm_ends_it_within_five_seconds(
    database: Database, database_dsn: str, tmp_path: Path
) -> None:
    async with faulty_device() as meter:
        await apply(database, tmp_path, meter.port)
        async with collecting(tmp_path, meter.port, database_dsn) as process:
            await until_stored(database, 3)
            started = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), 6) == 0
            assert time.monotonic() - started < 5
    assert (await device_states(database))["meter"].online
    # everything that was read is stored: nothing is left in the spool
    assert list((tmp_path / "spool").glob("*.log")) == []


async def test_database_that_takes_no_report_does_not_spoil_the_end(
    database: Database, database_dsn: str, tmp_path: Path
) -> None:
    async with faulty_device() as meter:
        await apply(database, tmp_path, meter.port)
        async with collecting(tmp_path, meter.port, database_dsn) as process:
            await until_stored(database, 1)
            async with database.connection() as connection:
                await connection.execute("DROP TABLE collector_state CASCADE")
            process.send_signal(signal.SIGTERM)
            _, said = await asyncio.wait_for(process.communicate(), 6)
    assert process.returncode == 0
    assert "collect_end" in said.decode()


async def test_started_without_a_database_it_collects_and_delivers_later(
    database: Database, database_dsn: str, tmp_path: Path
) -> None:
    async with faulty_device() as meter:
        async with collecting(tmp_path, meter.port, None) as process:
            await until_spooled(tmp_path)
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), 6) == 0
        listing = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "collectors.spooled",
            str(tmp_path / "spool"),
            stdout=asyncio.subprocess.PIPE,
        )
        lines = (await listing.communicate())[0].decode().splitlines()
        held = {tuple(json.loads(line)[:2]) for line in lines}
        assert ("meter", "active_power") in held
        await apply(database, tmp_path, meter.port)
        async with collecting(tmp_path, meter.port, database_dsn) as process:
            counts = await until_stored(database, len(lines) // len(held))
            process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(process.wait(), 6)
    assert set(counts) >= held


async def test_readings_of_points_that_are_applied_only_later_are_all_kept(
    database: Database, database_dsn: str, tmp_path: Path
) -> None:
    second = "  - {{id: late, name: L, space: hall, connection: line, unit_id: 2, "
    both = SITE + second + "profile: eastron_sdm630, interval: 0.2s}}\n"
    async with faulty_device() as meter:
        await apply(database, tmp_path, meter.port)
        async with collecting(tmp_path, meter.port, database_dsn, site=both) as process:
            await until_stored(database, 10)
            applied_at = datetime.now(UTC)
            await apply(database, tmp_path, meter.port, both)
            async with asyncio.timeout(20):
                while not (before := await late_before(database, applied_at)):  # noqa: ASYNC110  a table
                    await asyncio.sleep(0.1)
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), 6) == 0
    assert before >= 8  # as many as the meter beside it had, but for the start


async def late_before(database: Database, at: datetime) -> int:
    async with database.connection() as connection:
        return int(
            await connection.fetchval(
                "SELECT count(*) FROM reading JOIN point USING (point_id) "
                "WHERE equipment_id = 'late' AND name = 'active_power' AND ts < $1",
                at,
            )
        )


async def test_it_ends_when_the_process_that_started_it_has_ended(tmp_path: Path) -> None:
    async with (
        faulty_device() as meter,
        collecting(tmp_path, meter.port, None, ENERGY_CENTER_PARENT_PID="1") as p,
    ):
        assert await asyncio.wait_for(p.wait(), 10) == 0


async def test_second_collector_on_one_spool_is_refused_with_a_sentence(tmp_path: Path) -> None:
    async with faulty_device() as meter, collecting(tmp_path, meter.port, None) as first:
        await until_spooled(tmp_path)
        async with collecting(tmp_path, meter.port, None) as second:
            _, said = await asyncio.wait_for(second.communicate(), 10)
            assert second.returncode == 2
            assert b"Another collector uses" in said
        assert first.returncode is None


@pytest.mark.parametrize("text", ["site: {id: town}\n", "not: [yaml"])
async def test_wrong_site_file_is_told_with_file_and_line(tmp_path: Path, text: str) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(text)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "collectors", "--site", str(site), stderr=asyncio.subprocess.PIPE
    )
    _, said = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 2
    assert f"{site}:1: ".encode() in said
