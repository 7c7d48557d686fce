"""The simulation in real time: the world steps once a second, devices answer, control listens."""

import asyncio
import contextlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from simulators.catalogue import Catalogue
from simulators.control import Control, ControlServer, SteerableWorld
from simulators.devices.fleet import Endpoint, Fleet
from simulators.devices.source import Source, Values

_STEP_S = 1.0
_LONGEST_STEP = timedelta(seconds=60)
_PARENT_CHECK_S = 0.5


class LiveWorld(Values, SteerableWorld, Protocol):
    """What the live loop needs of the world."""

    def step(self, now: datetime) -> None:
        """Advance to an instant, 60 s ahead at most."""


@dataclass(frozen=True, slots=True)
class DelayedFault:
    """A fault that begins some time after the start, in simulated seconds."""

    name: str
    equipment: str | None = None
    delay_s: float = 0.0


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """How a live run is bound and paced; it ends when the parent that it has when this is made ends."""

    host: str = "127.0.0.1"
    control_host: str = "127.0.0.1"
    control_port: int = 0
    endpoints: Path | None = None
    fixed_ports: bool = False
    speed: float = 1.0
    faults: Sequence[DelayedFault] = field(default_factory=tuple)
    parent_pid: int = field(default_factory=os.getppid)


class SimulatedClock:
    """Time in the simulation: `start` plus the real time since then, times `speed`.

    Building the world takes seconds after `start` was read; they count, else every stamp would lag by them.
    """

    def __init__(self, start: datetime, speed: float) -> None:
        self._start, self._speed = start, speed
        self._origin = time.monotonic() - (datetime.now(UTC) - start).total_seconds()

    def __call__(self) -> datetime:
        """The simulated instant now, aware UTC."""
        return self._start + timedelta(seconds=(time.monotonic() - self._origin) * self._speed)


def parse_fault(text: str) -> DelayedFault:
    """Read `name[@equipment][+delay_s]`; raises ValueError when the delay is not a number."""
    head, _, delay = text.partition("+")
    name, _, equipment = head.partition("@")
    return DelayedFault(name, equipment or None, float(delay or 0.0))


async def run_live(
    world: LiveWorld, catalogue: Catalogue, start: datetime, options: LiveOptions, stop: asyncio.Event
) -> None:
    """Serve until `stop` is set or the parent process ends; raises OSError when a port is taken."""
    clock = SimulatedClock(start, options.speed)
    pace = _Pace(world, start, clock)
    source = Source(world)
    fleet = Fleet(catalogue, source, clock)
    control = Control(world, source, catalogue, clock)
    server = ControlServer(control)
    pace.catch_up()
    try:
        ports = await fleet.start(options.host, fixed_ports=options.fixed_ports)
        control_port = await server.start(options.control_host, options.control_port)
        if options.endpoints is not None:
            _write_endpoints(options.endpoints, Endpoint(options.control_host, control_port), ports)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(pace.run()), group.create_task(fleet.run())]
            tasks.append(group.create_task(_stop_when_orphaned(options.parent_pid, stop)))
            tasks += [group.create_task(_begin(control, fault, options.speed)) for fault in options.faults]
            await stop.wait()
            for task in tasks:
                task.cancel()
    finally:
        await server.stop()
        await fleet.stop()


class _Pace:
    """Keeps the world abreast of the clock."""

    def __init__(self, world: LiveWorld, start: datetime, clock: SimulatedClock) -> None:
        self._world, self._at, self._clock = world, start, clock

    def catch_up(self) -> None:
        """Step to now, in steps of a minute at most."""
        now = self._clock()
        while self._at < now:
            self._at = min(now, self._at + _LONGEST_STEP)
            self._world.step(self._at)

    async def run(self) -> None:
        """Step once a second, on the second, for ever."""
        while True:
            await asyncio.sleep(_STEP_S - time.time() % _STEP_S)
            self.catch_up()


async def _begin(control: Control, fault: DelayedFault, speed: float) -> None:
    await asyncio.sleep(fault.delay_s / speed)
    control.start_fault(fault.name, fault.equipment)


async def _stop_when_orphaned(parent: int, stop: asyncio.Event) -> None:
    while os.getppid() == parent:  # noqa: ASYNC110  a parent's end is no event of the loop
        await asyncio.sleep(_PARENT_CHECK_S)
    stop.set()


def _write_endpoints(path: Path, control: Endpoint, ports: Mapping[str, Endpoint]) -> None:
    content = {"control": asdict(control), "connections": {name: asdict(at) for name, at in ports.items()}}
    partial = path.with_name(f".{path.name}.partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        partial.unlink()
    partial.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    partial.replace(path)


def start_now() -> datetime:
    """The whole second that begins now."""
    return datetime.now(UTC).replace(microsecond=0)
