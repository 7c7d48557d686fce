"""Faults of the system around the devices: database, broker, disk, clock and the collector itself.

Each breaks, repairs and returns; counts are compared afterwards.
"""

import asyncio
import os
import re
import resource
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import psutil

from energy_center.cli.fault_ledger import Instants
from energy_center.cli.fault_stand import READ_AGAIN_S, FaultStand
from energy_center.errors import EnvironmentProblem
from energy_center.store.break_database import end_sessions, fill_disk, free_disk, hold_readings

WINDOW_S = 0.1  # what came in so shortly before a kill may not be on disk yet
_DROPPED = re.compile(r"dropped\D{1,4}(\d+)")
_FLOODED = "ltb-iaq-01"
SMALL_SPOOL = 96 * 1024  # bytes: a few seconds of the demo's readings


@dataclass(frozen=True, slots=True)
class Broken:
    """What came of it: what a killed collector had on disk, how many readings it says that it dropped."""

    note: str = ""
    committed: Instants | None = None
    announced: int | None = None
    in_window: int = 0


Break = Callable[[FaultStand, float], Awaitable[Broken]]


async def nothing(stand: FaultStand, seconds: float) -> Broken:  # noqa: ARG001  the interface of Break
    """Nothing is broken: the count itself must be right."""
    await asyncio.sleep(seconds)
    return Broken()


async def muted(stand: FaultStand, seconds: float) -> Broken:
    """One Modbus line falls silent and comes back."""
    await stand.mute("ltb-hv-room")
    await asyncio.sleep(seconds)
    await stand.unmute("ltb-hv-room")
    before = await stand.given_by("ltb-hv-room")
    await stand.until_read_again({"ltb-hv-room": before})
    return Broken()


def database(does: str, after_s: float = 0.0) -> Break:
    """A fault of the proxy before the database."""

    async def make(stand: FaultStand, seconds: float) -> Broken:
        await stand.control("proxy", do="begin", connection="database", fault=does)
        await asyncio.sleep(seconds)
        await stand.control("proxy", do="end", connection="database")
        await asyncio.sleep(after_s)
        return Broken()

    return make


async def database_killed(stand: FaultStand, seconds: float) -> Broken:
    """SIGKILL the database server, start it again later."""
    await stand.postgres.kill()
    await asyncio.sleep(seconds)
    await stand.postgres.start()
    return Broken()


async def database_full(stand: FaultStand, seconds: float) -> Broken:
    """The server has no space left."""
    await fill_disk(stand.database)
    await asyncio.sleep(seconds)
    await free_disk(stand.database)
    return Broken()


async def database_locked(stand: FaultStand, seconds: float) -> Broken:
    """Someone holds the table of readings."""
    await hold_readings(stand.database, seconds)
    return Broken()


async def sessions_ended(stand: FaultStand, seconds: float) -> Broken:
    """An administrator ends every session, each second anew."""
    ended = 0
    for _ in range(int(seconds)):
        await asyncio.sleep(1.0)
        ended += await end_sessions(stand.database)
    return Broken(f"{ended} sessions ended")


async def broker_restarted(stand: FaultStand, seconds: float) -> Broken:
    """SIGKILL the broker, which keeps nothing; devices wait meanwhile, for what it had is nobody's."""
    await stand.mute("broker")
    await asyncio.sleep(2.0)
    broker = _broker_of(stand.simulators.pid)
    connected = stand.broker_connections()
    os.kill(broker, signal.SIGKILL)
    async with asyncio.timeout(READ_AGAIN_S):
        while stand.broker_connections() == connected:  # noqa: ASYNC110  another process's log
            await asyncio.sleep(0.2)
    await stand.unmute("broker")
    await asyncio.sleep(seconds)
    return Broken(f"process {broker} killed; the collector subscribed anew")


async def queue_full(stand: FaultStand, seconds: float) -> Broken:
    """Hundreds of messages a second for a subscriber that does not answer."""
    await stand.control("proxy", do="begin", connection="broker", fault="silence")
    await stand.control("proxy", do="begin", equipment=_FLOODED, fault="flood")
    await asyncio.sleep(seconds)
    await stand.control("proxy", do="end", equipment=_FLOODED)
    await stand.control("proxy", do="end", connection="broker")
    return Broken()


async def broker_stopped(stand: FaultStand, seconds: float) -> Broken:
    """The broker's process stands still for a while, as on a stalled machine."""
    broker = _broker_of(stand.simulators.pid)
    os.kill(broker, signal.SIGSTOP)
    try:
        await asyncio.sleep(min(seconds, 20.0))
    finally:
        os.kill(broker, signal.SIGCONT)
    return Broken()


async def collector_killed(stand: FaultStand, seconds: float) -> Broken:
    """SIGKILL the collector, start it again on its spool."""
    at = time.monotonic()
    await stand.kill_collector()
    given = await stand.control("proxy", do="since", at=at - WINDOW_S)
    committed = await stand.committed()
    await asyncio.sleep(seconds / 3)
    await stand.restart_collector()
    await asyncio.sleep(seconds / 3)
    return Broken(f"{len(committed)} on disk at the kill", committed, in_window=int(str(given["given"])))


async def collector_stopped(stand: FaultStand, seconds: float) -> Broken:
    """The collector's process stands still: what it was given meanwhile may have been too late for it."""
    await stand.control("proxy", do="listening", on=False)
    await asyncio.sleep(0.3)
    os.kill(stand.collector.pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds)
    finally:
        os.kill(stand.collector.pid, signal.SIGCONT)
    await asyncio.sleep(2.0)
    await stand.control("proxy", do="listening", on=True)
    return Broken()


async def collector_restarted(stand: FaultStand, seconds: float) -> Broken:
    """SIGTERM, as at an update."""
    await stand.stop_in_order()
    await asyncio.sleep(seconds / 3)
    await stand.restart_collector()
    await asyncio.sleep(seconds / 3)
    return Broken()


async def disk_full(stand: FaultStand, seconds: float) -> Broken:
    """The spool's disk takes no octet more (a limit of the process's file sizes does the same)."""
    process = psutil.Process(stand.collector.pid)
    before = process.rlimit(resource.RLIMIT_FSIZE)
    process.rlimit(resource.RLIMIT_FSIZE, (1, before[1]))
    await asyncio.sleep(seconds)
    process.rlimit(resource.RLIMIT_FSIZE, before)
    return Broken(announced=await _announced(stand))


async def spool_limit(stand: FaultStand, seconds: float) -> Broken:
    """A database that is away for longer than the spool has room: the oldest readings go, and are counted."""
    stand.settings["ENERGY_CENTER_SPOOL_MAX_BYTES"] = str(SMALL_SPOOL)
    await _restarted(stand)
    await stand.control("proxy", do="begin", connection="database", fault="refused")
    await asyncio.sleep(3 * seconds)
    await stand.control("proxy", do="end", connection="database")
    await asyncio.sleep(seconds / 3)
    del stand.settings["ENERGY_CENTER_SPOOL_MAX_BYTES"]
    return Broken(announced=await _announced(stand))


async def disk_full_and_database_away(stand: FaultStand, seconds: float) -> Broken:
    """Nowhere to put readings: what is dropped must be counted and said."""
    await stand.control("proxy", do="begin", connection="database", fault="refused")
    await asyncio.sleep(2.0)
    try:
        broken = await disk_full(stand, seconds / 2)
    finally:
        await stand.control("proxy", do="end", connection="database")
    return broken


async def _restarted(stand: FaultStand) -> None:
    """Stop and start in good order; meanwhile nobody listens."""
    await stand.stop_in_order()
    await stand.restart_collector()


async def _announced(stand: FaultStand) -> int:
    """Readings that the collector says at its end that it dropped; it is started anew."""
    log = stand.collector.log
    await _restarted(stand)
    ends = [line for line in log.read_text(encoding="utf-8").splitlines() if "collect_end" in line]
    found = _DROPPED.search(ends[-1]) if ends else None
    if found is None:
        raise EnvironmentProblem(f"the collector does not say what it dropped; see {log}")
    return int(found[1])


def clock(seconds_off: float) -> Break:
    """The collector's wall clock is set wrong, and right again."""

    async def make(stand: FaultStand, seconds: float) -> Broken:
        await stand.shift_clock(seconds_off)
        await asyncio.sleep(seconds)
        await stand.shift_clock(0.0)
        await asyncio.sleep(seconds / 3)
        return Broken()

    return make


def _broker_of(pid: int) -> int:
    children = psutil.Process(pid).children(recursive=True)
    for child in children:
        if any("iotcore" in word or "mosquitto" in word for word in child.cmdline()):
            return int(child.pid)
    raise EnvironmentProblem("the simulators have no broker process")
