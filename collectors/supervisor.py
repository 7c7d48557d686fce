"""One collector process: its connections, the spool, the writer, what it tells of itself, and their end."""

import asyncio
import contextlib
import logging
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from collectors.command_store import DatabaseCommands
from collectors.commander import Commander
from collectors.database import DatabaseStore
from collectors.device_log import DeviceLog
from collectors.driver import KeysOnce, Sample, Samples
from collectors.fleet import RESTART_S, Fleet, contexts_of
from collectors.metrics import Reporter, Stand
from collectors.reload import Reload
from collectors.set_aside import SetAside
from collectors.site_source import LoadedSite, SiteSource
from collectors.spool import Spool, SpoolLimits
from collectors.spool_file import Record, Sheet
from collectors.writer import Writer
from energy_center.config.bindings import PointBinding
from energy_center.errors import EnvironmentProblem, RetryLater

log = logging.getLogger(__name__)

TELL_EVERY_S = 1.0
REPORT_EVERY_S = 10.0
YOUNG_REPORT_S = 2.0  # soon after a start people look
INTAKE_S, DRAIN_S = 1.0, 2.0  # of the five seconds that a stop may take


@dataclass(frozen=True, slots=True)
class CollectorOptions:
    """What a collector process needs besides the plant; `source` is where it may be read from again."""

    state_dir: Path
    dsn: str | None
    source: SiteSource
    parent_pid: int | None = None
    spool: SpoolLimits | None = None


class Supervisor:
    """Runs a plant's collectors until asked to stop."""

    def __init__(self, site: LoadedSite, options: CollectorOptions) -> None:
        """Take over the spool; nothing is connected yet."""
        self._options = options
        folder = options.state_dir / "spool"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = _lock(folder)
            self._spool = Spool(folder, options.spool)
            self._aside = SetAside.below(folder)
            self._name = _client_name(options.state_dir)
        except OSError as cause:
            raise EnvironmentProblem(f"The spool cannot be kept in {folder}: {cause.strerror}") from cause
        self._store = DatabaseStore(options.dsn)
        self._states = DeviceLog()
        self._writer = Writer(self._spool, self._store, self._aside, self._on_connected)
        self._commands = DatabaseCommands(options.dsn)
        self._commander = Commander(self._commands)
        self._keys = KeysOnce()
        self._stop = asyncio.Event()
        self._report_now = asyncio.Event()
        self._reload = Reload(options.source, site)
        self._reporter = Reporter(self._name)
        contexts = contexts_of(site.plant, self._name)
        self._fleet = Fleet(contexts, self._take, self._take_many, self._states.report, self._commander)

    def stop(self) -> None:
        """Stop intake, bring to disk what was read, and end; safe from a signal handler."""
        self._stop.set()

    def reload(self) -> None:
        """Take the site as it is written now; safe from a signal handler."""
        self._reload.ask()

    async def run(self) -> None:
        """Collect until `stop`. Intake ends first, then the spool commits, then connections close."""
        points = len(self._reload.site.plant.bindings)
        log.info(
            "collecting",
            extra={"action": "collect_start", "points": points, "connections": len(self._fleet.lines)},
        )
        async with asyncio.TaskGroup() as tasks:
            committing = tasks.create_task(self._spool.run())
            setting_aside = tasks.create_task(self._aside.run())
            writing = tasks.create_task(self._writer.run())
            background = [
                tasks.create_task(work)
                for work in (
                    self._fleet.run(),
                    self._tell_states(),
                    self._report_regularly(),
                    self._follow_site(),
                    self._follow_parent(),
                    self._commander.run(),
                    self._commands.wait_for_requests(self._commander.wake, self._report_now.set),
                )
            ]
            await self._stop.wait()
            for task in background:
                task.cancel()
            await asyncio.wait(background, timeout=INTAKE_S)
            self._spool.stop()
            await committing
            self._writer.finish()
            await asyncio.wait([writing], timeout=DRAIN_S)
            self._writer.stop()
            await asyncio.wait([writing], timeout=DRAIN_S)
            writing.cancel()  # a database that hangs; what it was given stays in the spool
            self._aside.stop()
            await setting_aside
        await self._tell_the_end()
        await self._store.close()
        await self._commands.close()
        os.close(self._lock)
        self._log_end()

    async def _tell_the_end(self) -> None:
        try:
            async with asyncio.timeout(1.0):
                await self._states.tell(self._store, self._seen_at())
                await self._report()
        except (RetryLater, TimeoutError):
            pass  # the writer says that the database is away
        except Exception:  # whatever it says, the end goes on
            log.exception("report not accepted", extra={"action": "report_failed"})

    def _log_end(self) -> None:
        counts = self._spool.counts
        log.info(
            "collecting ended",
            extra={
                "action": "collect_end",
                "readings": counts.committed,
                "sent": counts.sent,
                "dropped": counts.dropped,
                "refused": counts.refused,
                "unreadable_bytes": counts.unreadable_bytes,
                "left_bytes": self._spool.backlog_bytes,
                "unknown_bytes": self._aside.unknown.backlog_bytes,
                "future_bytes": self._aside.future.backlog_bytes,
            },
        )

    def _take(
        self, bindings: tuple[PointBinding, ...], sample: Sample, *, comes_again: bool = False
    ) -> "asyncio.Future[None]":
        return self._spool.append(
            Record(
                self._keys.of(bindings), round(sample.at * 1e6), sample.values, sample.quality, comes_again
            )
        )

    def _take_many(self, bindings: tuple[PointBinding, ...], samples: Samples) -> None:
        at_us = np.rint(samples.at * 1e6).astype(np.int64)
        self._spool.append(Sheet(self._keys.of(bindings), at_us, samples.values, samples.quality))

    async def _on_connected(self) -> None:
        self._states.tell_all_again()

    def _seen_at(self) -> dict[str, float]:
        lines = self._fleet.lines.values()
        return {device_id: tally.last_at for line in lines for device_id, tally in line.tallies.items()}

    async def _tell_states(self) -> None:
        while True:
            await asyncio.sleep(TELL_EVERY_S)
            try:
                await self._states.tell(self._store, self._seen_at())
            except RetryLater:
                continue  # the writer says that the database is away
            except Exception:  # the outer loop of a task
                log.exception("device states not accepted", extra={"action": "states_failed"})
                await asyncio.sleep(RESTART_S)

    async def _report_regularly(self) -> None:
        """Tell how collection goes, about every 10 s; the answer says which site is applied."""
        began = time.monotonic()
        while True:
            is_young = time.monotonic() - began < REPORT_EVERY_S
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(YOUNG_REPORT_S if is_young else REPORT_EVERY_S):
                    await self._report_now.wait()
            self._report_now.clear()
            try:
                await self._report()
            except RetryLater:
                continue  # the writer says that the database is away
            except Exception:  # the outer loop of a task
                log.exception("report not accepted", extra={"action": "report_failed"})

    async def _report(self) -> None:
        stand = Stand(
            points=len(self._reload.site.plant.bindings),
            site_sha256=self._reload.site.sha256,
            reload_mistakes=self._reload.mistakes,
            database_away_s=self._writer.away_for_s,
            stopped=self._stop.is_set(),
        )
        applied = await self._store.report(self._reporter.make(self._fleet, self._spool, self._aside, stand))
        if applied is not None and self._reload.is_news(applied):
            text = None
            if self._options.source.follows_database:
                text = await self._store.applied_text(applied.revision)
            self._reload.follow(applied, text)

    async def _follow_site(self) -> None:
        """Take another plant whenever that is asked for, one after the other."""
        while True:
            await self._reload.wanted.wait()
            self._reload.wanted.clear()
            site = await self._reload.read()
            if site is not None:
                await self._change_to(site)
            self._report_now.set()

    async def _change_to(self, site: LoadedSite) -> None:
        try:
            change = await self._fleet.change_to(contexts_of(site.plant, self._name))
        except Exception as problem:  # noqa: BLE001  the plant at work must go on, whatever a driver says
            self._reload.refuse(problem)
            return
        before, self._reload.site = self._reload.site, site
        gone = {b.device_id for b in before.plant.bindings} - {b.device_id for b in site.plant.bindings}
        self._states.forget(gone)
        self._writer.ask_again()
        log.info(
            "site taken",
            extra={
                "action": "reload_done",
                "points": len(site.plant.bindings),
                "kept": len(change.kept),
                "added": ", ".join(change.added),
                "changed": ", ".join(change.changed),
                "removed": ", ".join(change.removed),
            },
        )

    async def _follow_parent(self) -> None:
        """End when the process that started us has ended, so that nothing is left behind."""
        parent = self._options.parent_pid
        while parent is not None:
            await asyncio.sleep(1.0)
            if os.getppid() != parent:
                log.warning("parent process ended", extra={"action": "parent_gone"})
                self.stop()
                return


def _lock(folder: Path) -> int:
    """Hold the spool for this process alone; raises EnvironmentProblem when another one has it."""
    import fcntl

    handle = os.open(folder / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as cause:
        os.close(handle)
        raise EnvironmentProblem(f"Another collector uses {folder}; stop it first") from cause
    return handle


def _client_name(state_dir: Path) -> str:
    """A name that stays over restarts, so that a broker keeps our session; no other collector has it."""
    path = state_dir / "collector-name"
    if not path.exists():
        path.write_text(f"energy-center-{secrets.token_hex(6)}\n", encoding="utf-8")
    return path.read_text(encoding="utf-8").strip()
