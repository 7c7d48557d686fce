"""A collector that takes another plant while it runs: what is the same is not touched."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from energy_center.config.load_site import load_site
from energy_center.store.pool import Database
from energy_center.store.site import apply_site
from energy_center.store.supervision import read_collectors, read_device_reports
from tests.protocol.faulty_modbus import FaultyDevice, faulty_device

HEAD = """\
site: {id: town, name: Town}
spaces:
  - {id: hall, kind: building, name: Hall}
connections:
"""
METER = "profile: eastron_sdm630, space: hall, unit_id: 1"


def site_of(meters: dict[str, tuple[FaultyDevice, str]]) -> str:
    """A site file with a meter behind each device, read at the given interval."""
    lines = [
        f"  - {{id: {n}-line, modbus-tcp: {{host: 127.0.0.1, port: {d.port}}}}}"
        for n, (d, _) in meters.items()
    ]
    equipment = [
        f"  - {{id: {n}, name: {n}, connection: {n}-line, interval: {every}, {METER}}}"
        for n, (_, every) in meters.items()
    ]
    return "\n".join([HEAD + "\n".join(lines), "equipment:", *equipment]) + "\n"


async def apply(database: Database, file: Path) -> None:
    await apply_site(database, load_site(file).site, file.read_text(), "test", datetime.now(UTC))


@asynccontextmanager
async def collecting(folder: Path, dsn: str, *words: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A collector process; its log is in `folder/log` afterwards."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("ENERGY_CENTER_")} | {"DATABASE_URL": dsn}
    all_words = ["-m", "collectors", "--state-dir", str(folder / "state"), *words]
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(sys.executable, *all_words, env=env, stderr=log)
        try:
            yield process
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
                await asyncio.wait_for(process.wait(), 10)


async def until_asked(device: FaultyDevice, more: int) -> None:
    wanted = len(device.requests) + more
    async with asyncio.timeout(20):
        while len(device.requests) < wanted:  # noqa: ASYNC110  what is waited for happens on a socket
            await asyncio.sleep(0.02)


async def until_logged(folder: Path, action: str) -> str:
    async with asyncio.timeout(20):
        while action not in (said := (folder / "log").read_text()):  # noqa: ASYNC110  another process writes
            await asyncio.sleep(0.05)
    return said


async def stamps_of(database: Database, equipment: str) -> list[datetime]:
    async with database.connection() as connection:
        rows = await connection.fetch(
            "SELECT ts FROM reading JOIN point USING (point_id) "
            "WHERE equipment_id = $1 AND name = 'active_power' ORDER BY ts",
            equipment,
        )
    return [row["ts"] for row in rows]


async def test_reload_changes_one_device_and_the_other_has_no_hole_and_keeps_its_connection(
    database: Database, database_dsn: str, tmp_path: Path
) -> None:
    file = tmp_path / "site.yaml"
    async with faulty_device() as same, faulty_device() as other, faulty_device() as third:
        file.write_text(site_of({"same": (same, "0.2s"), "other": (other, "0.2s")}))
        await apply(database, file)
        async with collecting(tmp_path, database_dsn, "--site", str(file)) as process:
            await until_asked(same, 15)
            await until_asked(other, 5)
            file.write_text(
                site_of({"same": (same, "0.2s"), "other": (other, "0.3s"), "third": (third, "0.2s")})
            )
            process.send_signal(signal.SIGHUP)
            await until_asked(third, 3)
            await apply(database, file)
            await until_asked(same, 15)
            assert (same.connections, other.connections, third.connections) == (1, 2, 1)
            file.write_text(site_of({"same": (same, "0.2s"), "third": (third, "0.2s")}))
            process.send_signal(signal.SIGHUP)
            await until_logged(tmp_path, "removed=other-line")
            asked = len(other.requests)
            await until_asked(same, 10)
            assert (same.connections, third.connections, len(other.requests)) == (1, 1, asked)
    stamps = await stamps_of(database, "same")
    holes = [(b - a).total_seconds() for a, b in pairwise(stamps)]
    assert max(holes) < 1.0  # five slots: only a pause of the whole machine is longer
    # what the new device read before the site was applied is stored too
    assert len(await stamps_of(database, "third")) >= 3


async def test_site_with_mistakes_is_refused_and_the_old_one_goes_on(
    database: Database, database_dsn: str, tmp_path: Path
) -> None:
    file = tmp_path / "site.yaml"
    async with faulty_device() as meter:
        file.write_text(site_of({"meter": (meter, "0.2s")}))
        await apply(database, file)
        async with collecting(tmp_path, database_dsn, "--site", str(file)) as process:
            await until_asked(meter, 3)
            file.write_text(file.read_text().replace("eastron_sdm630", "no_such_meter"))
            process.send_signal(signal.SIGHUP)
            said = await until_logged(tmp_path, "reload_refused")
            assert f"{file}:7" in said
            await until_asked(meter, 5)
            assert meter.connections == 1
            async with asyncio.timeout(20):
                while not (told := await read_collectors(database))[0].reload_mistakes:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
        assert "no_such_meter" in told[0].reload_mistakes[0]


async def test_applied_site_is_taken_by_a_collector_that_has_no_file(
    database: Database, database_dsn: str, tmp_path: Path
) -> None:
    file = tmp_path / "written-elsewhere.yaml"
    async with faulty_device() as first, faulty_device() as second:
        file.write_text(site_of({"first": (first, "0.2s")}))
        await apply(database, file)
        async with collecting(tmp_path, database_dsn):
            await until_asked(first, 3)
            file.write_text(site_of({"first": (first, "0.2s"), "second": (second, "0.2s")}))
            await apply(database, file)
            await until_asked(second, 3)
            assert first.connections == 1
            async with asyncio.timeout(20):
                while "second" not in await read_device_reports(database):  # noqa: ASYNC110  a table
                    await asyncio.sleep(0.05)
        # and starts with it again while the database is away
        away = database_dsn.replace("/ec_test", "/no_such_database")
        async with collecting(tmp_path, away):
            await until_asked(second, 3)


async def test_without_file_and_database_it_says_what_is_missing(tmp_path: Path) -> None:
    async with collecting(tmp_path, "postgresql://nobody@127.0.0.1:9/none") as process:
        assert await asyncio.wait_for(process.wait(), 30) == 2
