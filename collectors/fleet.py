"""The running connections of one collector, and how another plant takes their place.

A connection whose address, devices, points and limits are the same keeps its task, its socket and its
schedule. A changed one ends after the request in flight, before its successor begins.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from collectors.check_quality import RangeCheck
from collectors.commander import Commander
from collectors.driver import BusContext, PolledDriver, PushedDriver, Sample, Samples, TellingDriver
from collectors.listener import Listener, Store
from collectors.poller import Poller, Report
from collectors.registry import make_driver
from collectors.tally import DeviceTally
from energy_center.config.bindings import Device, Plant, PointBinding, Protocol

log = logging.getLogger(__name__)

RESTART_S = 5.0
CLOSE_S = 1.0  # beyond a request's own time limit, for a connection that ends

TakeMany = Callable[[tuple[PointBinding, ...], Samples], None]


@dataclass(slots=True)
class Line:
    """One running connection; `task` is None before it is started."""

    context: BusContext
    driver: PolledDriver[Any] | PushedDriver
    runner: Poller[Any] | Listener
    ending: asyncio.Event
    task: asyncio.Task[None] | None = None

    @property
    def tallies(self) -> Mapping[str, DeviceTally]:
        """What happened with each device."""
        return self.runner.tallies


@dataclass(frozen=True, slots=True)
class FleetChange:
    """What a new plant did to the connections, by their ids."""

    kept: tuple[str, ...]
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]


class Fleet:
    """All connections. `run` until cancelled; `change_to` while it runs, one at a time."""

    def __init__(
        self,
        contexts: Sequence[BusContext],
        take: Store,
        take_many: TakeMany,
        report: Report,
        commander: Commander,
    ) -> None:
        """Prepare every connection; nothing is connected yet."""
        self._take = take
        self._take_many = take_many
        self._report = report
        self._commander = commander
        self._tasks: asyncio.TaskGroup | None = None
        self.lines: dict[str, Line] = {}
        self._adopt([self._line(context) for context in contexts])

    async def run(self) -> None:
        """Keep all connections going until cancelled."""
        async with asyncio.TaskGroup() as self._tasks:
            for line in self.lines.values():
                self._start(line)
            await asyncio.Event().wait()

    async def change_to(self, contexts: Sequence[BusContext]) -> FleetChange:
        """Run these connections instead; those that are the same go on untouched.

        Raises what a driver says against its connection, before anything is changed.
        """
        wanted = {context.connection.connection_id: context for context in contexts}
        kept = {i for i, line in self.lines.items() if wanted.get(i) == line.context}
        fresh = [self._line(context) for i, context in wanted.items() if i not in kept]
        gone = [line for i, line in self.lines.items() if i not in kept]
        await self._end(gone)
        before = set(self.lines)
        for line in gone:
            self._commander.remove(line.context.bindings)
            del self.lines[line.context.connection.connection_id]
        self._adopt(fresh)
        for line in fresh:
            self._start(line)
        return FleetChange(
            kept=tuple(sorted(kept)),
            added=tuple(sorted(wanted.keys() - before)),
            changed=tuple(sorted((wanted.keys() & before) - kept)),
            removed=tuple(sorted(before - wanted.keys())),
        )

    def _adopt(self, lines: Sequence[Line]) -> None:
        for line in lines:
            self.lines[line.context.connection.connection_id] = line
            self._commander.add(line.driver, line.context.bindings)

    def _start(self, line: Line) -> None:
        if self._tasks is not None:
            line.task = self._tasks.create_task(_kept_running(line))

    async def _end(self, lines: Sequence[Line]) -> None:
        async with asyncio.TaskGroup() as ending:
            for line in lines:
                ending.create_task(_ended(line))

    def _line(self, context: BusContext) -> Line:
        driver = make_driver(context)
        ending = asyncio.Event()
        if context.connection.protocol is Protocol.MQTT:
            pushed = cast("PushedDriver", driver)  # the registry pairs the kinds of connection and driver
            return Line(context, pushed, Listener(context, pushed, self._take, self._report), ending)
        polled = cast("PolledDriver[Any]", driver)
        poller = Poller(context, polled, self._sink, self._report, sink_many=self._take_many)
        if isinstance(polled, TellingDriver):
            polled.push_to(_told(poller.tallies, self._sink))
        return Line(context, polled, poller, ending)

    def _sink(self, bindings: tuple[PointBinding, ...], sample: Sample) -> None:
        self._take(bindings, sample)


def _told(
    tallies: Mapping[str, DeviceTally], sink: Callable[[tuple[PointBinding, ...], Sample], None]
) -> Callable[[tuple[PointBinding, ...], Sample], None]:
    """The way of what no poll waits for: counted apart, checked as polled values are."""
    checks: dict[tuple[PointBinding, ...], RangeCheck] = {}

    def push(bindings: tuple[PointBinding, ...], sample: Sample) -> None:
        check = checks.get(bindings)
        if check is None:
            check = checks[bindings] = RangeCheck(bindings)
        tallies[bindings[0].device_id].told(sample.at, len(bindings))
        sink(bindings, check.flag(sample))

    return push


async def _kept_running(line: Line) -> None:
    """A bug in one connection's task must not stop the others: say it, and start that task again."""
    while not line.ending.is_set():
        try:
            await line.runner.run()
        except Exception:  # the outer loop of a task
            log.exception("connection failed", extra={"action": "connection_failed"})
        if not line.ending.is_set():
            await asyncio.sleep(RESTART_S)


async def _ended(line: Line) -> None:
    """Let a connection end after its request in flight, or at once where it stands idle or away."""
    line.ending.set()
    task, runner = line.task, line.runner
    if task is None:
        return
    if isinstance(runner, Poller) and runner.connected_for_s is not None:
        runner.end()
        limit_s = cast("PolledDriver[Any]", line.driver).time_limit_s
        await asyncio.wait([task], timeout=limit_s + CLOSE_S)
    task.cancel()
    await asyncio.wait([task], timeout=CLOSE_S)


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
