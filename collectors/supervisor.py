"""One collector process: a task for each connection, the spool, the writer, device states, and their end."""

import asyncio
import contextlib
import logging
import os
import secrets
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from collectors.command_store import DatabaseCommands
from collectors.commander import Commander
from collectors.database import DatabaseStore
from collectors.device_log import DeviceLog
from collectors.driver import BusContext, PolledDriver, PushedDriver, Sample, TellingDriver, keys_of
from collectors.listener import Listener
from collectors.poller import Poller
from collectors.registry import make_driver
from collectors.set_aside import SetAside
from collectors.spool import Spool
from collectors.spool_file import Record
from collectors.writer import Writer
from energy_center.config.bindings import Device, Plant, PointBinding, Protocol
from energy_center.errors import EnvironmentProblem, RetryLater

log = logging.getLogger(__name__)

TELL_EVERY_S = 1.0
INTAKE_S, DRAIN_S = 1.0, 2.0  # of the five seconds that a stop may take
RESTART_S = 5.0


@dataclass(frozen=True, slots=True)
class CollectorOptions:
    """What a collector process needs besides the plant."""

    state_dir: Path
    dsn: str | None
    parent_pid: int | None = None


class Supervisor:
    """Runs a plant's collectors until asked to stop."""

    def __init__(self, plant: Plant, options: CollectorOptions) -> None:
        """Take over the spool; nothing is connected yet."""
        self._options = options
        folder = options.state_dir / "spool"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = _lock(folder)
            self._spool = Spool(folder)
            self._aside = SetAside.below(folder)
            client_name = _client_name(options.state_dir)
        except OSError as cause:
            raise EnvironmentProblem(f"The spool cannot be kept in {folder}: {cause.strerror}") from cause
        self._store = DatabaseStore(options.dsn)
        self._states = DeviceLog()
        self._writer = Writer(self._spool, self._store, self._aside, self._on_connected)
        self._commands = DatabaseCommands(options.dsn)
        self._commander = Commander(self._commands)
        self._stop = asyncio.Event()
        self._runners = [self._runner(context) for context in contexts_of(plant, client_name)]
        self._points = len(plant.bindings)

    def stop(self) -> None:
        """Stop intake, bring to disk what was read, and end; safe from a signal handler."""
        self._stop.set()

    async def run(self) -> None:
        """Collect until `stop`. Intake ends first, then the spool commits, then connections close."""
        log.info(
            "collecting",
            extra={"action": "collect_start", "points": self._points, "connections": len(self._runners)},
        )
        async with asyncio.TaskGroup() as tasks:
            committing = tasks.create_task(self._spool.run())
            setting_aside = tasks.create_task(self._aside.run())
            writing = tasks.create_task(self._writer.run())
            background = [tasks.create_task(_kept_running(runner)) for runner in self._runners]
            background.append(tasks.create_task(self._tell_states()))
            background.append(tasks.create_task(self._follow_parent()))
            background.append(tasks.create_task(self._commander.run()))
            background.append(tasks.create_task(self._commands.wait_for_requests(self._commander.wake)))
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
        with contextlib.suppress(RetryLater, TimeoutError):
            async with asyncio.timeout(1.0):
                await self._states.tell(self._store)
        await self._store.close()
        await self._commands.close()
        os.close(self._lock)
        counts = self._spool.counts
        log.info(
            "collecting ended",
            extra={
                "action": "collect_end",
                "readings": counts.committed,
                "sent": counts.sent,
                "dropped": counts.dropped,
                "left_bytes": self._spool.backlog_bytes,
                "unknown_bytes": self._aside.unknown.backlog_bytes,
                "future_bytes": self._aside.future.backlog_bytes,
            },
        )

    def _runner(self, context: BusContext) -> Poller[Any] | Listener:
        driver = make_driver(context)
        self._commander.add(driver, context.bindings)
        if isinstance(driver, TellingDriver):
            driver.push_to(self._sink)
        if context.connection.protocol is Protocol.MQTT:
            return Listener(context, cast("PushedDriver", driver), self._take, self._states.report)
        # the registry pairs the kinds of connection with the kinds of driver
        return Poller(context, cast("PolledDriver[Any]", driver), self._sink, self._states.report)

    def _sink(self, bindings: tuple[PointBinding, ...], sample: Sample) -> None:
        self._take(bindings, sample)

    def _take(self, bindings: tuple[PointBinding, ...], sample: Sample) -> "asyncio.Future[None]":
        for device_id in {b.device_id for b in bindings}:
            self._states.seen(device_id, sample.at)
        return self._spool.append(
            Record(keys_of(bindings), round(sample.at * 1e6), sample.values, sample.quality)
        )

    async def _on_connected(self) -> None:
        self._states.tell_all_again()

    async def _tell_states(self) -> None:
        while True:
            await asyncio.sleep(TELL_EVERY_S)
            try:
                await self._states.tell(self._store)
            except RetryLater:
                continue  # the writer says that the database is away
            except Exception:  # the outer loop of a task
                log.exception("device states not accepted", extra={"action": "states_failed"})
                await asyncio.sleep(RESTART_S)

    async def _follow_parent(self) -> None:
        """End when the process that started us has ended, so that nothing is left behind."""
        parent = self._options.parent_pid
        while parent is not None:
            await asyncio.sleep(1.0)
            if os.getppid() != parent:
                log.warning("parent process ended", extra={"action": "parent_gone"})
                self.stop()
                return


async def _kept_running(runner: Poller[Any] | Listener) -> None:
    """A bug in one connection's task must not stop the others: say it, and start that task again."""
    while True:
        try:
            await runner.run()
        except Exception:  # the outer loop of a task
            log.exception("connection failed", extra={"action": "connection_failed"})
        await asyncio.sleep(RESTART_S)


def contexts_of(plant: Plant, client_name: str) -> list[BusContext]:
    """What hangs on each connection; connections without points are left out."""
    bindings: dict[str, list[PointBinding]] = defaultdict(list)
    devices: dict[str, list[Device]] = defaultdict(list)
    for binding in plant.bindings:
        bindings[binding.connection_id].append(binding)
    with_points = {b.device_id for b in plant.bindings}
    for device in plant.devices:
        if device.device_id in with_points:
            devices[device.connection_id].append(device)
    return [
        BusContext(c, tuple(devices[c.connection_id]), tuple(bindings[c.connection_id]), client_name)
        for c in plant.connections
        if bindings[c.connection_id]
    ]


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
