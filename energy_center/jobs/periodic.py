"""Runs jobs on fixed grids of time, each on its own: one that fails or is slow does not hold up another."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from energy_center.errors import RetryLater, TellUser

log = logging.getLogger(__name__)

Run = Callable[[datetime], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Job:
    """Work to be done every `every_s` seconds, within `limit_s`; the first time at once."""

    name: str
    every_s: float
    run: Run
    limit_s: float = 300.0


async def run_jobs(jobs: Sequence[Job], stop: asyncio.Event) -> None:
    """Run until `stop` is set; what is under way then is cancelled."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_run_job(job), name=job.name) for job in jobs]
        await stop.wait()
        for task in tasks:
            task.cancel()


async def _run_job(job: Job) -> None:
    failing = False
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        failed = not await _run_once(job, quiet=failing)
        if failing and not failed:
            log.info("job works again", extra={"action": "job_back", "job": job.name})
        failing = failed
        # the next slot of the grid; missed slots are skipped, never queued
        due += job.every_s * max(1.0, -((due - loop.time()) // job.every_s))
        await asyncio.sleep(max(0.0, due - loop.time()))


async def _run_once(job: Job, *, quiet: bool) -> bool:
    """Run once; True when it went well. Only the first of failures in a row is logged in full."""
    try:
        async with asyncio.timeout(job.limit_s):
            await job.run(datetime.now(UTC))
    except (RetryLater, TellUser, TimeoutError) as problem:
        if not quiet:
            log.warning(
                "job failed, will be tried again",
                extra={"action": "job_failed", "job": job.name, "problem": str(problem) or "too slow"},
            )
        return False
    except Exception:
        if not quiet:
            log.exception("job failed", extra={"action": "job_failed", "job": job.name})
        return False
    return True
