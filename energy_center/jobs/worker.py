"""The worker process: rules, roll-ups, partitions and messages, each on its own period.

Only one works at a time for a database; a second waits for the first one's lock.
"""

import asyncio
import logging
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from functools import partial

from energy_center.errors import DatabaseAway, EnvironmentProblem
from energy_center.jobs.periodic import Job, run_jobs
from energy_center.services.notify_people import notify_people, queue_digests
from energy_center.services.run_rules import run_rules
from energy_center.services.suggest_savings import suggest_due
from energy_center.services.tell_people import Addresses, deliver_due, open_channels
from energy_center.services.tune_rules import run_next_comparison
from energy_center.services.verify_measure import verify_due
from energy_center.services.watch_blindness import watch_blindness
from energy_center.services.watch_collection import watch_collection
from energy_center.settings import Settings
from energy_center.store.partitions import keep
from energy_center.store.pool import Database
from energy_center.store.rollups import roll_up
from energy_center.store.site import load_site
from energy_center.store.worker_lock import WorkerLock

log = logging.getLogger(__name__)

ROLL_UP_EVERY_S = 5.0
PARTITIONS_EVERY_S = 3_600.0
OUTBOX_EVERY_S = 2.0
OUTBOX_LIMIT_S = 60.0  # with one send's own limit still within a message's lease
PEOPLE_EVERY_S = 5.0
DIGEST_EVERY_S = 60.0
COMPARISONS_EVERY_S = 3.0
COMPARISONS_LIMIT_S = 6 * 3_600.0
SUGGESTIONS_EVERY_S = 300.0
COLLECTION_EVERY_S = 15.0
BLINDNESS_EVERY_S = 3_600.0
MEASURES_EVERY_S = 600.0
RETRY_S = 2.0
PARENT_PID = "ENERGY_CENTER_PARENT_PID"


async def run_worker(settings: Settings) -> None:
    """Work until SIGTERM, SIGINT, or the end of the parent process named in ENERGY_CENTER_PARENT_PID.

    Raises EnvironmentProblem when no database is set.
    """
    dsn = settings.database_url.get_secret_value() if settings.database_url else ""
    if not dsn:
        raise EnvironmentProblem("No database: set DATABASE_URL")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with asyncio.TaskGroup() as group:
        watch = group.create_task(_watch_parent(stop), name="watch parent")
        try:
            await _work(settings, dsn, stop)
        finally:
            watch.cancel()


async def _work(settings: Settings, dsn: str, stop: asyncio.Event) -> None:
    db = await Database.open(dsn, min_size=0, max_size=6)
    outage = _Outage()
    try:
        while not stop.is_set():
            try:
                await _work_under_lock(settings, db, dsn, stop, outage)
            except (DatabaseAway, OSError, TimeoutError) as problem:
                outage.goes_on(problem)
                await _sleep(stop, RETRY_S)
    finally:
        await db.close()


class _Outage:
    """Says once that the database is away, and once that it is back."""

    def __init__(self) -> None:
        self._since: float | None = None

    def goes_on(self, problem: Exception) -> None:
        """It is away."""
        if self._since is None:
            self._since = time.monotonic()
            log.warning("database away", extra={"action": "database_away", "problem": str(problem)})

    def is_over(self) -> None:
        """It answers."""
        if self._since is not None:
            after_s = round(time.monotonic() - self._since, 1)
            log.info("database back", extra={"action": "database_back", "after_s": after_s})
            self._since = None


async def _work_under_lock(
    settings: Settings, db: Database, dsn: str, stop: asyncio.Event, outage: _Outage
) -> None:
    async with WorkerLock(dsn) as lock:
        outage.is_over()
        if not await _acquire(lock, stop):
            return
        log.info("worker started", extra={"action": "worker_started", "pid": os.getpid()})
        async with _ended_with_lock(lock, stop) as ended:
            await run_jobs(jobs(settings, db), ended)
        log.info("worker stopped", extra={"action": "worker_stopped", "pid": os.getpid()})


async def _acquire(lock: WorkerLock, stop: asyncio.Event) -> bool:
    told = False
    while not stop.is_set():
        if await lock.try_acquire():
            return True
        if not told:
            log.info("another worker is at work; waiting", extra={"action": "worker_waits"})
            told = True
        await _sleep(stop, RETRY_S)
    return False


@asynccontextmanager
async def _ended_with_lock(lock: WorkerLock, stop: asyncio.Event) -> AsyncIterator[asyncio.Event]:
    """An event that is set when the process is to stop or the lock is lost with its connection."""
    ended = asyncio.Event()

    async def watch() -> None:
        while not stop.is_set() and await lock.is_held():
            await _sleep(stop, RETRY_S)
        ended.set()

    async with asyncio.TaskGroup() as group:
        task = group.create_task(watch(), name="watch lock")
        try:
            yield ended
        finally:
            task.cancel()


def jobs(settings: Settings, db: Database) -> list[Job]:
    """The table of periodic jobs."""
    channels, addresses = open_channels(settings), Addresses.of(settings)
    names = tuple(channels)

    async def rules_job(now: datetime) -> None:
        await run_rules(db, now, names)

    async def collection_job(now: datetime) -> None:
        await watch_collection(db, now, names)

    async def outbox_job(now: datetime) -> None:
        await deliver_due(db, channels, now, addresses)

    async def suggestions_job(now: datetime) -> None:
        await suggest_due(db, now)

    async def partitions_job(now: datetime) -> None:
        await keep(db, now, settings.raw_retention_days)

    async def roll_up_job(now: datetime) -> None:
        site = await load_site(db)
        while site is not None and await roll_up(db, site.time_zone, now):
            pass  # until nothing waits

    return [
        Job("partitions", PARTITIONS_EVERY_S, partitions_job, limit_s=PARTITIONS_EVERY_S),
        Job("roll-ups", ROLL_UP_EVERY_S, roll_up_job, limit_s=600.0),
        Job("rules", settings.rules_interval_s, rules_job),
        Job("suggestions", SUGGESTIONS_EVERY_S, suggestions_job),
        Job("blindness", BLINDNESS_EVERY_S, partial(_watch_blindness, db, names)),
        Job("collection", COLLECTION_EVERY_S, collection_job),
        *_jobs_for_people(db),
        Job("outbox", OUTBOX_EVERY_S, outbox_job, limit_s=OUTBOX_LIMIT_S),
        Job("measures", MEASURES_EVERY_S, partial(_verify_measures, db)),
    ]


async def _watch_blindness(db: Database, names: tuple[str, ...], now: datetime) -> None:
    await watch_blindness(db, now, names)


async def _verify_measures(db: Database, now: datetime) -> None:
    if await load_site(db) is not None:
        await verify_due(db, now)


def _jobs_for_people(db: Database) -> list[Job]:
    """What people are told, and the comparisons that they asked for."""

    async def people_job(now: datetime) -> None:
        await notify_people(db, now)

    async def digest_job(now: datetime) -> None:
        await queue_digests(db, now)

    async def comparisons_job(now: datetime) -> None:
        del now
        while await run_next_comparison(db):
            pass  # until none waits

    return [
        Job("people", PEOPLE_EVERY_S, people_job),
        Job("digest", DIGEST_EVERY_S, digest_job),
        Job("comparisons", COMPARISONS_EVERY_S, comparisons_job, limit_s=COMPARISONS_LIMIT_S),
    ]


async def _watch_parent(stop: asyncio.Event) -> None:
    """Stop when the process that started us is gone, so that nothing is left behind."""
    named = os.environ.get(PARENT_PID, "")
    if not named.isdigit():
        return
    while not stop.is_set():
        if os.getppid() != int(named):
            log.info("parent is gone; stopping", extra={"action": "parent_gone"})
            stop.set()
        await _sleep(stop, 1.0)


async def _sleep(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
