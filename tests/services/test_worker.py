"""The worker process: one at a time, isolated jobs, a clean end."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from energy_center.jobs.periodic import Job, run_jobs
from energy_center.jobs.worker import RETRY_S
from energy_center.store.pool import connect
from energy_center.store.worker_lock import WorkerLock
from tests.conftest import with_database


@asynccontextmanager
async def _worker(dsn: str, folder: Path, **more: str) -> AsyncIterator[asyncio.subprocess.Process]:
    environment = {**os.environ, "DATABASE_URL": dsn, "ENERGY_CENTER_STATE_DIR": str(folder), **more}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "energy_center", "worker", env=environment, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        # read to the end, so that no pipe is left open
        await process.communicate()


async def _says(process: asyncio.subprocess.Process, words: str) -> None:
    assert process.stderr is not None
    async with asyncio.timeout(20):
        while words not in (line := (await process.stderr.readline()).decode()):
            assert line, f"ended before saying {words!r}"


async def test_a_second_worker_waits_and_takes_over(database_dsn: str, tmp_path: Path) -> None:
    async with _worker(database_dsn, tmp_path) as first:
        await _says(first, "worker started")
        async with _worker(database_dsn, tmp_path) as second:
            await _says(second, "another worker is at work")
            first.send_signal(signal.SIGTERM)
            async with asyncio.timeout(5):
                assert await first.wait() == 0
            await _says(second, "worker started")


async def test_a_worker_goes_on_after_the_database_dropped_it(database_dsn: str, tmp_path: Path) -> None:
    async with _worker(database_dsn, tmp_path) as process:
        await _says(process, "worker started")
        async with connect(database_dsn) as connection:
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        await _says(process, "worker stopped")
        await _says(process, "worker started")
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(5):
            assert await process.wait() == 0


async def test_a_worker_ends_when_its_parent_is_not_there(database_dsn: str, tmp_path: Path) -> None:
    async with _worker(database_dsn, tmp_path, ENERGY_CENTER_PARENT_PID="1") as process:
        async with asyncio.timeout(20):
            assert await process.wait() == 0


async def test_without_a_database_it_says_what_to_set(tmp_path: Path) -> None:
    async with _worker("", tmp_path) as process:
        async with asyncio.timeout(20):
            _, said = await process.communicate()
        assert process.returncode == 2
        assert b"DATABASE_URL" in said


async def test_the_lock_is_given_back_with_its_session(database_dsn: str) -> None:
    async with WorkerLock(database_dsn) as first, WorkerLock(database_dsn) as second:
        assert await first.try_acquire()
        assert not await second.try_acquire()
    async with WorkerLock(database_dsn) as third:
        assert await third.try_acquire()


async def test_a_failing_or_slow_job_does_not_stop_the_others() -> None:
    ran: list[str] = []
    stop = asyncio.Event()

    async def fail(_: datetime) -> None:
        ran.append("fail")
        raise ValueError("broken on purpose")

    async def hang(_: datetime) -> None:
        ran.append("hang")
        await asyncio.Event().wait()

    async def work(_: datetime) -> None:
        ran.append("work")
        if ran.count("work") == 5:
            stop.set()

    async with asyncio.timeout(5):
        await run_jobs([Job("f", 0.01, fail), Job("h", 0.01, hang, 0.02), Job("w", 0.02, work)], stop)
    assert ran.count("fail") > 1
    assert ran.count("hang") > 1


async def test_an_outage_is_said_once_and_its_end_once(database_dsn: str, tmp_path: Path) -> None:
    def altered(allowed: str) -> str:
        name = urlsplit(database_dsn).path.lstrip("/")
        return f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS {allowed}'

    async with (
        connect(with_database(database_dsn, "postgres")) as server,
        _worker(database_dsn, tmp_path) as process,
    ):
        await _says(process, "worker started")
        await server.execute(altered("false"))
        await server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1",
            urlsplit(database_dsn).path.lstrip("/"),
        )
        await _says(process, "worker stopped")
        await asyncio.sleep(1.5 * RETRY_S)  # two attempts that fail
        await server.execute(altered("true"))
        said = await _heard_until(process, "worker started")
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 5)
    actions = [word for line in said for word in line.split() if word.startswith("action=database_")]
    assert actions == ["action=database_away", "action=database_back"]


async def _heard_until(process: asyncio.subprocess.Process, words: str) -> list[str]:
    assert process.stderr is not None
    lines: list[str] = []
    async with asyncio.timeout(20):
        while not lines or words not in lines[-1]:
            lines.append((await process.stderr.readline()).decode())
            assert lines[-1], f"ended before saying {words!r}"
    return lines
