"""Asks one bus: each block on its phase-shifted grid, one request at a time, silent devices at their share.

A missed slot is counted, never queued. What is read goes to the sink with the time of its arrival.
"""

import asyncio
import heapq
import logging
import random
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic

from collectors.check_quality import RangeCheck
from collectors.circuit import MISSES_TO_OPEN, BusHealth, full_jitter
from collectors.driver import BlockT, BusContext, PolledDriver, Sample
from energy_center.config.bindings import PointBinding
from energy_center.errors import BadFrame, DeviceAway, DeviceRefused, NotSupported

log = logging.getLogger(__name__)

Sink = Callable[[tuple[PointBinding, ...], Sample], None]
UNSUPPORTED_PAUSE_S = 3600.0
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
    """Of one bus since the start."""

    answered: int = 0
    missed: int = 0
    bad_frames: int = 0
    refused: int = 0
    overruns: int = 0
    connects: int = 0


def phase_of(name: str, interval_s: float) -> float:
    """Where in its interval a block is read: spread by name, the same after every start."""
    return zlib.crc32(name.encode()) / 2**32 * interval_s


def next_slot(now: float, phase_s: float, interval_s: float) -> float:
    """The first instant after `now` on the grid phase + k * interval."""
    return phase_s + ((now - phase_s) // interval_s + 1) * interval_s


@dataclass(order=True, slots=True)
class _Due(Generic[BlockT]):
    at: float
    number: int
    block: BlockT = field(compare=False)
    check: RangeCheck = field(compare=False)
    phase_s: float = field(compare=False)
    slot: float = field(compare=False, default=0.0)
    parked: bool = field(compare=False, default=False)
    refusals: int = field(compare=False, default=0)


class Poller(Generic[BlockT]):
    """One bus and its schedule."""

    def __init__(
        self,
        context: BusContext,
        driver: PolledDriver[BlockT],
        sink: Sink,
        report: Report,
        rng: random.Random | None = None,
    ) -> None:
        """Plan the bus; `run` reads it."""
        self.counts = PollCounts()
        self.health = BusHealth()
        self._bus = context.connection.connection_id
        self._driver = driver
        self._sink = sink
        self._report = report
        self._rng = rng or random.Random()  # noqa: S311  spreads load, guards nothing
        self._heap: list[_Due[BlockT]] = []
        self._number = 0
        self._failed_connects = 0  # connections that brought no answer, in a row
        self._opened_at = 0.0
        for block in driver.plan(context.devices, context.bindings):
            self.health.circuit(block.device_id)
            self._schedule(block, time.monotonic())

    @property
    def blocks(self) -> list[BlockT]:
        """What is asked at present."""
        return [due.block for due in self._heap]

    def _schedule(self, block: BlockT, now: float, refusals: int = 0) -> None:
        self._number += 1
        name = f"{block.device_id}/{'/'.join(block.bindings[0].key)}"
        phase = phase_of(name, block.interval_s)
        # the first reading comes soon: within the interval, and within 5 s where that is longer
        first = now + phase_of(name, min(block.interval_s, 5.0))
        check = RangeCheck(block.bindings)
        due = _Due(first, self._number, block, check, phase, slot=first, refusals=refusals)
        heapq.heappush(self._heap, due)

    async def run(self) -> None:
        """Read until cancelled."""
        try:
            while self._heap:
                if self._is_stale():
                    await self._driver.close()
                if not self._driver.is_open:
                    await self._connect()
                    continue
                pause = self._heap[0].at - time.monotonic()
                if pause > 0:
                    await asyncio.sleep(pause)
                await self._take_safely(heapq.heappop(self._heap))
        finally:
            await self._driver.close()

    async def _connect(self) -> None:
        if self._failed_connects > 1:  # a line that was lost once is made again at once
            await asyncio.sleep(0.1 + full_jitter(self._failed_connects - 1, self._rng, cap_s=20.0))
        try:
            await self._driver.open()
        except DeviceAway as cause:
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
                self._report(StateChange(device_id, online=False, at=time.time(), detail=why))

    async def _take_safely(self, due: _Due[BlockT]) -> None:
        """A bug that one block brings out must not take the others of its line along."""
        try:
            await self._take(due)
        except Exception:  # the outer loop of a block
            point = "/".join(due.block.bindings[0].key)
            log.exception("block failed", extra={"action": "block_failed", "point": point})
            due.parked = True
            self._put_back(due, time.monotonic() + UNSUPPORTED_PAUSE_S)

    async def _take(self, due: _Due[BlockT]) -> None:
        """Read one block that is due, unless its device rests; then put it back on its grid."""
        now = time.monotonic()
        if not self.health.allows(due.block.device_id, now):
            self._put_back(due, self._after_rest(due, now))
            return
        interval = due.block.interval_s
        self.counts.overruns += int(max(0.0, now - due.slot) // interval)
        keep = await self._read(due)
        after = time.monotonic()
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

    async def _read(self, due: _Due[BlockT]) -> bool:
        """Ask for a block and deliver it; False when it was replaced by smaller ones."""
        block, started = due.block, time.monotonic()
        try:
            sample = await self._ask(block)
        except (DeviceAway, BadFrame) as cause:
            self._missed(block, time.monotonic() - started, cause)
            return True
        except NotSupported as cause:
            self._answered(block)
            return self._replaced(due, cause)
        except DeviceRefused as cause:
            self._answered(block)
            self.counts.refused += 1
            log.debug("request refused", extra={"device": block.device_id, "why": cause.message})
            return True
        self._answered(block)
        self.counts.answered += 1
        due.refusals, due.parked = 0, False
        self._sink(block.bindings, due.check.flag(sample))
        return True

    async def _ask(self, block: BlockT) -> Sample:
        try:
            return await self._driver.read(block)
        except BadFrame:
            self.counts.bad_frames += 1
            if not self._driver.is_open:
                raise
            return await self._driver.read(block)

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

    def _missed(self, block: BlockT, cost_s: float, cause: Exception) -> None:
        self.counts.missed += 1
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
        for block in smaller:
            self._schedule(block, time.monotonic(), due.refusals - 1)
        if not smaller:
            self._park(due, cause)
        return False

    def _park(self, due: _Due[BlockT], cause: NotSupported) -> None:
        if not due.parked:
            point = "/".join(due.block.bindings[0].key)
            log.warning(
                "device lacks a point",
                extra={"action": "point_not_supported", "point": point, "why": cause.message},
            )
        due.parked = True
        doublings = min(due.refusals - REFUSALS_TO_SPLIT, 12)
        pause = min(max(due.block.interval_s, 1.0) * 2**doublings, UNSUPPORTED_PAUSE_S)
        self._put_back(due, time.monotonic() + pause)
