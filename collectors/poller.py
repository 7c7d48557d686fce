"""Asks one bus: each block on its phase-shifted grid, silent devices at their share, urgent requests first.

One request at a time unless all devices bear more. A missed slot is counted, never queued. What is read goes
to the sink with the time of its arrival.
"""

import asyncio
import contextlib
import heapq
import logging
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from collectors.check_quality import RangeCheck
from collectors.circuit import MISSES_TO_OPEN, BusHealth, full_jitter
from collectors.connects import CONNECTS, Connects
from collectors.driver import BlockT, BusContext, JoiningDriver, PolledDriver, Sample, ScanBlock
from collectors.spread import next_slot, phases_of
from collectors.tally import DeviceTally, UrgentWaits, kind_of
from energy_center.config.bindings import PointBinding
from energy_center.domain.supervision import ErrorKind
from energy_center.errors import (
    BadFrame,
    DeviceAway,
    DeviceBusy,
    DeviceRefused,
    EnergyCenterError,
    NotSupported,
)

log = logging.getLogger(__name__)

Sink = Callable[[tuple[PointBinding, ...], Sample], None]
UNSUPPORTED_PAUSE_S = 3600.0
URGENT_MOST = 100  # waiting at once on one bus; one more is refused
REFUSALS_TO_SPLIT = 3  # a device that starts up may refuse everything for some seconds
REFUSED_PAUSE_S = 5.0
LINE_RENEWED_AFTER = 20  # time limits without any answer: the far end may have forgotten the connection


@dataclass(frozen=True, slots=True)
class StateChange:
    """A device answers, or does not any more. `at` in UTC seconds."""

    device_id: str
    online: bool
    at: float
    detail: str = ""


Report = Callable[[StateChange], None]


@dataclass(slots=True)
class PollCounts:
    """Of one bus since the start; `busy_s` is the time with a request in flight, summed over requests."""

    answered: int = 0
    missed: int = 0
    bad_frames: int = 0
    refused: int = 0
    overruns: int = 0
    connects: int = 0
    failed_connects: int = 0
    busy: int = 0
    urgent: int = 0
    busy_s: float = 0.0


ResultT = TypeVar("ResultT")


@dataclass(slots=True)
class _Family(Generic[BlockT]):
    """Parts of a block that was refused: how many have not been read yet, and those that turned out good."""

    open_parts: int
    good: list["_Due[BlockT]"] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Urgent:
    """A request that goes before the schedule."""

    request: Callable[[], Awaitable[Any]]
    outcome: "asyncio.Future[Any]"
    asked_at: float


@dataclass(order=True, slots=True)
class _Due(Generic[BlockT]):
    at: float
    number: int
    block: BlockT = field(compare=False)
    check: RangeCheck = field(compare=False)
    phase_s: float = field(compare=False)
    tally: DeviceTally = field(compare=False)
    slot: float = field(compare=False, default=0.0)
    parked: bool = field(compare=False, default=False)
    refusals: int = field(compare=False, default=0)
    busy: int = field(compare=False, default=0)
    family: _Family[BlockT] | None = field(compare=False, default=None)


def _name(block: ScanBlock) -> str:
    return f"{block.device_id}/{'/'.join(block.bindings[0].key)}"


class Poller(Generic[BlockT]):
    """One bus and its schedule."""

    def __init__(
        self,
        context: BusContext,
        driver: PolledDriver[BlockT],
        sink: Sink,
        report: Report,
        rng: random.Random | None = None,
        connects: Connects = CONNECTS,
    ) -> None:
        """Plan the bus; `run` reads it."""
        self.counts = PollCounts()
        self.health = BusHealth()
        self.tallies = {d.device_id: DeviceTally() for d in context.devices}
        self.urgent_waits = UrgentWaits()
        self._bus = context.connection.connection_id
        self._driver = driver
        self._sink = sink
        self._report = report
        self._rng = rng or random.Random()  # noqa: S311  spreads load, guards nothing
        self._heap: list[_Due[BlockT]] = []
        self._number = 0
        self._failed_connects = 0  # connections that brought no answer, in a row
        self._opened_at = 0.0
        self._connects = connects
        self._in_flight = min((d.limits.max_in_flight for d in context.devices), default=1)
        self._urgent: deque[_Urgent] = deque()
        self._wake = asyncio.Event()
        self._connecting = asyncio.Lock()
        self._ending = False
        blocks = driver.plan(context.devices, context.bindings)
        names = [_name(block) for block in blocks]
        phases = phases_of(self._bus, list(zip(names, (b.interval_s for b in blocks), strict=True)))
        for block, name in zip(blocks, names, strict=True):
            self.health.circuit(block.device_id)
            self._schedule(block, phases[name], time.monotonic())

    @property
    def blocks(self) -> list[BlockT]:
        """What is asked at present."""
        return [due.block for due in self._heap]

    @property
    def overdue(self) -> int:
        """How many blocks wait past their time."""
        now = time.monotonic()
        return sum(due.at <= now for due in self._heap)

    @property
    def connected_for_s(self) -> float | None:
        """How long the present connection stands; None without one."""
        return time.monotonic() - self._opened_at if self._driver.is_open and self._opened_at else None

    @property
    def in_flight(self) -> int:
        """Most requests at once."""
        return self._in_flight

    def end(self) -> None:
        """Let `run` return after what is in flight."""
        self._ending = True
        self._wake.set()

    async def urgent(self, request: Callable[[], Awaitable[ResultT]]) -> ResultT:
        """Have a request of this poller's driver (a write, a read by hand) done before all that is scheduled.

        It waits for what is in flight, at most one request where the bus takes one at a time, and for urgent
        ones before it. Raises DeviceBusy when too many wait, DeviceAway when the line is away, and what the
        request raises.
        """
        if len(self._urgent) >= URGENT_MOST:
            raise DeviceBusy("Too many requests wait for this line", bus=self._bus)
        outcome: asyncio.Future[ResultT] = asyncio.get_running_loop().create_future()
        if not self._driver.is_open:
            raise DeviceAway("The line is away", bus=self._bus)
        self._urgent.append(_Urgent(request, outcome, time.monotonic()))
        self._wake.set()
        return await outcome

    def _schedule(self, block: BlockT, phase_s: float, now: float) -> "_Due[BlockT]":
        self._number += 1
        # the first reading comes soon: within the interval, and within 5 s where that is longer
        first = now + phase_s / block.interval_s * min(block.interval_s, 5.0)
        check = RangeCheck(block.bindings)
        tally = self.tallies.setdefault(block.device_id, DeviceTally())
        due = _Due(first, self._number, block, check, phase_s, tally, slot=first)
        heapq.heappush(self._heap, due)
        return due

    async def run(self) -> None:
        """Read until cancelled or ended, with as many requests in flight as all devices bear."""
        if not self._heap:
            return
        try:
            async with asyncio.TaskGroup() as tasks:
                for _ in range(self._in_flight):
                    tasks.create_task(self._work())
        finally:
            self._refuse_urgent(DeviceAway("Collection ends"))
            await self._driver.close()

    async def _work(self) -> None:
        while not self._ending:
            if self._is_stale():
                await self._driver.close()
            if not self._driver.is_open:
                await self._connect()
                continue
            await self._do_urgent()
            pause = self._heap[0].at - time.monotonic() if self._heap else 60.0
            if pause > 0:
                await self._sleep(pause)
            else:
                await self._take_safely(heapq.heappop(self._heap))

    async def _sleep(self, pause_s: float) -> None:
        """Until something is due or urgent, or a block was put back by another request in flight."""
        self._wake.clear()
        if self._ending:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await self._wake.wait()

    async def _do_urgent(self) -> None:
        while self._urgent:
            urgent = self._urgent.popleft()
            self.counts.urgent += 1
            self.urgent_waits.since(urgent.asked_at)
            if urgent.outcome.done():  # nobody waits any more
                continue
            try:
                answer = await urgent.request()
            except asyncio.CancelledError:
                urgent.outcome.cancel()
                raise
            except Exception as cause:  # noqa: BLE001  whoever asked is told
                if not urgent.outcome.done():
                    urgent.outcome.set_exception(cause)
            else:
                if not urgent.outcome.done():
                    urgent.outcome.set_result(answer)

    def _refuse_urgent(self, why: DeviceAway) -> None:
        while self._urgent:
            outcome = self._urgent.popleft().outcome
            if not outcome.done():
                outcome.set_exception(why)

    async def _connect(self) -> None:
        async with self._connecting:
            if not self._driver.is_open:
                await self._connect_once()

    async def _connect_once(self) -> None:
        if self._failed_connects > 1:  # a line that was lost once is made again at once
            await asyncio.sleep(0.1 + full_jitter(self._failed_connects - 1, self._rng, cap_s=20.0))
        await self._connects.turn()
        try:
            await self._driver.open()
        except DeviceAway as cause:
            self.counts.failed_connects += 1
            self._line_failed(str(cause.facts.get("why", "no connection")))
            return
        self.counts.connects += 1
        self._opened_at = time.monotonic()
        self.health.probe_not_before = 0.0
        if self._all_away():
            for circuit in self.health.circuits.values():
                circuit.not_before = 0.0
            self._realign()

    def _line_failed(self, why: str) -> None:
        """Not made, or lost before it brought an answer: a far end that hangs up at once is away as well."""
        self._refuse_urgent(DeviceAway("The line is away", bus=self._bus, why=why))
        self._failed_connects += 1
        if self._failed_connects >= MISSES_TO_OPEN:
            self._give_up_all(why)

    def _is_stale(self) -> bool:
        """Whether a connection stands on which nobody has answered for long."""
        if not self._driver.is_open or not self._all_away():
            return False
        return time.monotonic() - self._opened_at > LINE_RENEWED_AFTER * self._driver.time_limit_s

    def _all_away(self) -> bool:
        return all(c.is_open for c in self.health.circuits.values())

    def _give_up_all(self, why: str) -> None:
        for device_id, circuit in self.health.circuits.items():
            if circuit.given_up():
                self.tallies[device_id].says(ErrorKind.CONNECTION, why)
                self._report(StateChange(device_id, online=False, at=time.time(), detail=why))

    async def _take_safely(self, due: _Due[BlockT]) -> None:
        """A bug that one block brings out must not take the others of its line along."""
        try:
            await self._take(due)
        except Exception:  # the outer loop of a block
            point = _name(due.block)
            log.exception("block failed", extra={"action": "block_failed", "point": point})
            due.parked = True
            self._put_back(due, time.monotonic() + UNSUPPORTED_PAUSE_S)

    async def _take(self, due: _Due[BlockT]) -> None:
        """Read one block that is due, unless its device rests; then put it back on its grid."""
        now = time.monotonic()
        if not self.health.allows(due.block.device_id, now):
            self._put_back(due, self._after_rest(due, now))
            return
        circuit = self.health.circuit(due.block.device_id)
        if circuit.is_open:  # one probe at a time: its other blocks wait for what comes of it
            circuit.not_before = now + self._driver.time_limit_s
        interval = due.block.interval_s
        if (late := int(max(0.0, now - due.slot) // interval)) > 0:
            self.counts.overruns += late
            due.tally.overruns += late
        keep = await self._read(due)
        after = time.monotonic()
        self.counts.busy_s += after - now
        if keep and not self.health.circuit(due.block.device_id).misses:
            self._put_back(due, next_slot(after, due.phase_s, interval))
        elif keep:
            self._put_back(due, self._after_rest(due, after))

    def _after_rest(self, due: _Due[BlockT], now: float) -> float:
        """When to look at a block of a resting device again: no sooner than it may be asked."""
        circuit = self.health.circuit(due.block.device_id)
        rested = max(circuit.not_before, self.health.probe_not_before if circuit.is_open else 0.0)
        return (
            max(rested, now + 0.05) if circuit.misses else next_slot(now, due.phase_s, due.block.interval_s)
        )

    def _put_back(self, due: _Due[BlockT], at: float) -> None:
        due.at = due.slot = at
        heapq.heappush(self._heap, due)
        if self._in_flight > 1:
            self._wake.set()

    async def _read(self, due: _Due[BlockT]) -> bool:
        """Ask for a block and deliver it; False when it was replaced by smaller ones."""
        block, started = due.block, time.monotonic()
        try:
            sample = await self._ask(due)
        except (DeviceAway, BadFrame) as cause:
            self._count(due.tally, cause)
            self._missed(block, time.monotonic() - started, cause)
            return True
        except NotSupported as cause:
            self._count(due.tally, cause)
            self._answered(block)
            return self._replaced(due, cause)
        except DeviceBusy as cause:
            self._count(due.tally, cause)
            self._answered(block)
            self._ask_soon(due)
            return False
        except DeviceRefused as cause:
            self._count(due.tally, cause)
            self._answered(block)
            self.counts.refused += 1
            log.debug("request refused", extra={"device": block.device_id, "why": cause.message})
            return True
        self._answered(block)
        self.counts.answered += 1
        due.tally.answered(sample.at, len(block.bindings), time.monotonic() - started)
        due.refusals, due.parked, due.busy = 0, False, 0
        self._sink(block.bindings, due.check.flag(sample))
        return due.family is None or not self._joined(due, due.family)

    def _ask_soon(self, due: _Due[BlockT]) -> None:
        """A device that is busy has not refused: it is asked again before its next slot, ever more rarely."""
        self.counts.busy += 1
        pause = 0.1 + full_jitter(due.busy, self._rng, cap_s=due.block.interval_s)
        due.busy += 1
        self._put_back(due, time.monotonic() + min(pause, due.block.interval_s))

    def _count(self, tally: DeviceTally, cause: EnergyCenterError) -> None:
        tally.failed(*kind_of(cause, is_open=self._driver.is_open), str(cause))

    async def _ask(self, due: _Due[BlockT]) -> Sample:
        try:
            return await self._driver.read(due.block)
        except BadFrame as cause:
            self.counts.bad_frames += 1
            if not self._driver.is_open:
                raise
            self._count(due.tally, cause)
            await self._do_urgent()
            return await self._driver.read(due.block)

    def _realign(self) -> None:
        """After a silence of the whole line: look at every block within a second, not after its rest."""
        now = time.monotonic()
        for due in self._heap:
            if not due.parked:
                due.at = due.slot = min(due.at, now + self._rng.uniform(0, 1))
        heapq.heapify(self._heap)

    def _answered(self, block: BlockT) -> None:
        self._failed_connects = 0
        if self.health.is_silent:
            self._realign()
        if self.health.answered(block.device_id):
            self._report(StateChange(block.device_id, online=True, at=time.time()))

    def _missed(self, block: BlockT, cost_s: float, cause: DeviceAway | BadFrame) -> None:
        self.counts.missed += 1
        if "code" in cause.facts:  # a gateway tells that it is this unit, so the line is all right
            self.health.line_speaks()
        if self.health.missed(block.device_id, time.monotonic(), cost_s, self._rng):
            self._report(StateChange(block.device_id, online=False, at=time.time(), detail=str(cause)))
        if not self._driver.is_open:
            self._line_failed(str(cause))
        elif self.health.is_silent and not self._all_away():
            self._give_up_all("no device on this line answers")

    def _replaced(self, due: _Due[BlockT], cause: NotSupported) -> bool:
        """Split a block refused several times; ask for a single refused value ever more rarely."""
        self.counts.refused += 1
        due.refusals += 1
        if due.refusals < REFUSALS_TO_SPLIT:
            self._put_back(due, time.monotonic() + min(due.block.interval_s, REFUSED_PAUSE_S))
            return False
        smaller = self._driver.split(due.block)
        if not smaller:
            if due.family is not None:
                family, due.family = due.family, None
                self._settle(family)
            self._park(due, cause)
            return False
        family = due.family = due.family or _Family(1)
        family.open_parts += len(smaller) - 1
        now = time.monotonic()
        for block in smaller:
            part = self._schedule(block, due.phase_s, now)
            part.refusals, part.family = due.refusals - 1, family
            part.at = part.slot = now
        heapq.heapify(self._heap)
        return False

    def _joined(self, due: _Due[BlockT], family: _Family[BlockT]) -> bool:
        """Note a part that was read; True when it went into a larger one."""
        due.family = None
        family.good.append(due)
        if not isinstance(self._driver, JoiningDriver):
            return False
        return self._settle(family, due)

    def _settle(self, family: _Family[BlockT], present: _Due[BlockT] | None = None) -> bool:
        """When every part is known to be good or not, read the good ones in as few requests as can be."""
        family.open_parts -= 1
        if family.open_parts or not isinstance(self._driver, JoiningDriver):
            return False
        larger = self._driver.join([due.block for due in family.good])
        if len(larger) == len(family.good):
            return False
        gone = {id(due) for due in family.good}
        self._heap = [due for due in self._heap if id(due) not in gone]
        heapq.heapify(self._heap)
        now = time.monotonic()
        for block in larger:
            phase = family.good[0].phase_s
            due = self._schedule(block, phase, now)
            due.at = due.slot = next_slot(now, phase, block.interval_s)
        heapq.heapify(self._heap)
        return present is not None

    def _park(self, due: _Due[BlockT], cause: NotSupported) -> None:
        if not due.parked:
            told = {"point": "/".join(due.block.bindings[0].key), "why": cause.message, **cause.facts}
            log.warning("device lacks a point", extra={"action": "point_not_supported", **told})
        due.parked = True
        doublings = min(due.refusals - REFUSALS_TO_SPLIT, 12)
        pause = min(max(due.block.interval_s, 1.0) * 2**doublings, UNSUPPORTED_PAUSE_S)
        self._put_back(due, time.monotonic() + pause)
