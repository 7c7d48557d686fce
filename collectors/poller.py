"""Asks one bus: each block on its phase-shifted grid, silent devices at their share, urgent requests first.

One request at a time unless all devices bear more. A missed slot is counted, never queued. What is read goes
to the sink with the time of its arrival.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic

from collectors.burst import Burst, Delivery, Shared, Sink, SinkMany
from collectors.check_quality import RangeCheck
from collectors.circuit import MISSES_TO_OPEN, BusHealth, full_jitter
from collectors.connects import CONNECTS, Connects
from collectors.driver import BlockT, BurstingDriver, BusContext, JoiningDriver, PolledDriver, Sample
from collectors.schedule import UNSUPPORTED_PAUSE_S, Due, Family, PollCounts, Schedule, name_of
from collectors.spread import next_slot, phases_of
from collectors.tally import DeviceTally, UrgentWaits, kind_of
from collectors.urgent import ResultT, UrgentRequests
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
        sink_many: SinkMany | None = None,
    ) -> None:
        """Plan the bus; `run` reads it. `sink_many` takes what bursts bring, if that is to be fast."""
        self.counts = PollCounts()
        self.health = BusHealth()
        self.tallies = {d.device_id: DeviceTally() for d in context.devices}
        self._bus = context.connection.connection_id
        self._driver = driver
        self._sink = sink
        self._report = report
        self._rng = rng or random.Random()  # noqa: S311  spreads load, guards nothing
        self._failed_connects = 0  # connections that brought no answer, in a row
        self._opened_at = 0.0
        self._connects = connects
        self._in_flight = min((d.limits.max_in_flight for d in context.devices), default=1)
        self._urgent = UrgentRequests(self._bus)
        self._schedule = Schedule[BlockT](is_shared=self._in_flight > 1)
        self._delivery = Delivery[BlockT](sink, sink_many, self.counts, self._failed)
        self._shared = Shared(self._schedule, self._delivery, self.counts, self.health)
        self._bursting = driver if isinstance(driver, BurstingDriver) else None
        self._connecting = asyncio.Lock()
        self._ending = False
        blocks = driver.plan(context.devices, context.bindings)
        names = [name_of(block) for block in blocks]
        phases = phases_of(self._bus, list(zip(names, (b.interval_s for b in blocks), strict=True)))
        for block, name in zip(blocks, names, strict=True):
            now = time.monotonic()
            # the first reading comes soon: within the interval, and within 5 s where that is longer
            first = now + phases[name] / block.interval_s * min(block.interval_s, 5.0)
            self._schedule.add(self._due(block, phases[name]), first)

    @property
    def blocks(self) -> list[BlockT]:
        """What is asked at present."""
        return [due.block for due in self._schedule.heap]

    @property
    def overdue(self) -> int:
        """How many blocks wait past their time."""
        return self._schedule.overdue(time.monotonic())

    @property
    def urgent_waits(self) -> UrgentWaits:
        """How long urgent requests waited."""
        return self._urgent.waits

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
        self._ending = self._schedule.interrupted = True
        self._schedule.wake.set()

    async def urgent(self, request: Callable[[], Awaitable[ResultT]]) -> ResultT:
        """Have a request of this poller's driver (a write, a read by hand) done before all that is scheduled.

        It waits for what is in flight, at most one request where the bus takes one at a time, and for urgent
        ones before it. Raises DeviceBusy when too many wait, DeviceAway when the line is away, and what the
        request raises.
        """
        if not self._driver.is_open:
            raise DeviceAway("The line is away", bus=self._bus)
        outcome = self._urgent.add(request)
        self._schedule.interrupted = True
        self._schedule.wake.set()
        return await outcome

    def _due(self, block: BlockT, phase_s: float) -> Due[BlockT]:
        device = block.device_id
        return Due(
            0.0,
            block,
            RangeCheck(block.bindings),
            phase_s,
            self.tallies.setdefault(device, DeviceTally()),
            self.health.circuit(device),
            self._bursting.prepared(block) if self._bursting is not None else None,
        )

    async def run(self) -> None:
        """Read until cancelled or ended, with as many requests in flight as all devices bear."""
        if not self._schedule.heap:
            return
        try:
            async with asyncio.TaskGroup() as tasks:
                for _ in range(self._in_flight):
                    tasks.create_task(self._work())
        finally:
            self._urgent.refuse(DeviceAway("Collection ends"))
            await self._driver.close()

    async def _work(self) -> None:
        while not self._ending:
            if self._is_stale():
                await self._driver.close()
            if not self._driver.is_open:
                await self._connect()
                continue
            await self._do_urgent()
            pause = self._schedule.pause_s(time.monotonic())
            if pause > 0:
                await self._schedule.rest(pause, is_over=lambda: self._ending)
            else:
                await self._take_safely(self._schedule.pop())

    async def _do_urgent(self) -> None:
        await self._urgent.work_off()
        self.counts.urgent = self._urgent.waits.count
        self._schedule.interrupted = self._ending

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
            self._schedule.hasten(self._rng)

    def _line_failed(self, why: str) -> None:
        """Not made, or lost before it brought an answer: a far end that hangs up at once is away as well."""
        self._urgent.refuse(DeviceAway("The line is away", bus=self._bus, why=why))
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

    async def _take_safely(self, due: Due[BlockT]) -> None:
        """A bug that one block brings out must not take the others of its line along."""
        in_hand: Due[BlockT] | None = due
        failed: Exception | None = None
        if self._bursting is not None and due.is_proven and due.is_sound:
            in_hand, failed = await self._burst(self._bursting, due)
        if in_hand is None:
            return
        try:
            await self._take(in_hand, failed)
        except Exception as bug:  # noqa: BLE001  the outer loop of a block
            self._park_failed(in_hand, bug)
            self._schedule.add(in_hand, time.monotonic() + UNSUPPORTED_PAUSE_S)

    def _park_failed(self, due: Due[BlockT], bug: Exception) -> None:
        log.error("block failed", extra={"action": "block_failed", "point": due.name}, exc_info=bug)
        due.parked, due.is_proven = True, False

    def _failed(self, due: Due[BlockT], bug: Exception) -> None:
        """A reply of a burst brought out a bug; its block may be in flight again."""
        self._park_failed(due, bug)
        self._schedule.postpone(due, time.monotonic() + UNSUPPORTED_PAUSE_S)

    async def _burst(
        self, driver: BurstingDriver[BlockT], due: Due[BlockT]
    ) -> tuple[Due[BlockT] | None, Exception | None]:
        """Read in a burst; give the block at which it failed, if any, and why."""
        burst = Burst(due, self._shared, self._answered)
        try:
            await burst.run(driver)
        except Exception as cause:  # noqa: BLE001  told by whoever takes the block
            return burst.asked, cause
        finally:
            self._delivery.flush()
        return None, None

    async def _take(self, due: Due[BlockT], failed: Exception | None) -> None:
        """Read one block that is due, unless its device rests; then put it back on its grid.

        `failed` is what came of it in a burst.
        """
        if failed is None:
            now = due.asked_at = time.monotonic()
            if not self.health.allows(due.block.device_id, now):
                self._schedule.add(due, self._after_rest(due, now))
                return
            if due.circuit.is_open:  # one probe at a time: its other blocks wait for what comes of it
                due.circuit.not_before = now + self._driver.time_limit_s
            self.counts.overruns += due.note_lateness(now)
        keep = await self._read(due, failed)
        after = time.monotonic()
        self.counts.busy_s += after - due.asked_at
        if keep and not due.circuit.misses:
            self._schedule.add(due, next_slot(after, due.phase_s, due.block.interval_s))
        elif keep:
            self._schedule.add(due, self._after_rest(due, after))

    def _after_rest(self, due: Due[BlockT], now: float) -> float:
        """When to look at a block of a resting device again: no sooner than it may be asked."""
        circuit = self.health.circuit(due.block.device_id)
        rested = max(circuit.not_before, self.health.probe_not_before if circuit.is_open else 0.0)
        return (
            max(rested, now + 0.05) if circuit.misses else next_slot(now, due.phase_s, due.block.interval_s)
        )

    async def _read(self, due: Due[BlockT], failed: Exception | None) -> bool:
        """Ask for a block and deliver it; False when it was replaced by smaller ones."""
        block, due.is_proven = due.block, False
        try:
            sample = await self._ask(due, failed)
        except (DeviceAway, BadFrame) as cause:
            self._count(due.tally, cause)
            self._missed(block, time.monotonic() - due.asked_at, cause)
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
        due.tally.answered(sample.at, len(block.bindings), time.monotonic() - due.asked_at)
        due.refusals, due.parked, due.busy = 0, False, 0
        self._sink(block.bindings, due.check.flag(sample))
        if due.family is not None:
            return not self._joined(due, due.family)
        due.is_proven = due.prepared is not None
        return True

    def _ask_soon(self, due: Due[BlockT]) -> None:
        """A device that is busy has not refused: it is asked again before its next slot, ever more rarely."""
        self.counts.busy += 1
        pause = 0.1 + full_jitter(due.busy, self._rng, cap_s=due.block.interval_s)
        due.busy += 1
        self._schedule.add(due, time.monotonic() + min(pause, due.block.interval_s))

    def _count(self, tally: DeviceTally, cause: EnergyCenterError) -> None:
        tally.failed(*kind_of(cause, is_open=self._driver.is_open), str(cause))

    async def _ask(self, due: Due[BlockT], failed: Exception | None) -> Sample:
        try:
            if failed is not None:
                raise failed
            return await self._driver.read(due.block)
        except BadFrame as cause:
            self.counts.bad_frames += 1
            if not self._driver.is_open:
                raise
            self._count(due.tally, cause)
            await self._do_urgent()
            return await self._driver.read(due.block)

    def _answered(self, block: BlockT) -> None:
        self._failed_connects = 0
        if self.health.is_silent:
            self._schedule.hasten(self._rng)
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

    def _replaced(self, due: Due[BlockT], cause: NotSupported) -> bool:
        """Split a block refused several times; ask for a single refused value ever more rarely."""
        self.counts.refused += 1
        due.refusals += 1
        if due.refusals < REFUSALS_TO_SPLIT:
            self._schedule.add(due, time.monotonic() + min(due.block.interval_s, REFUSED_PAUSE_S))
            return False
        smaller = self._driver.split(due.block)
        if not smaller:
            if due.family is not None:
                family, due.family = due.family, None
                self._settle(family)
            self._park(due, cause)
            return False
        family = due.family = due.family or Family(1)
        family.open_parts += len(smaller) - 1
        now = time.monotonic()
        for block in smaller:
            part = self._due(block, due.phase_s)
            part.refusals, part.family = due.refusals - 1, family
            self._schedule.add(part, now)
        return False

    def _joined(self, due: Due[BlockT], family: Family[BlockT]) -> bool:
        """Note a part that was read; True when it went into a larger one."""
        due.family = None
        family.good.append(due)
        if not isinstance(self._driver, JoiningDriver):
            return False
        return self._settle(family, due)

    def _settle(self, family: Family[BlockT], present: Due[BlockT] | None = None) -> bool:
        """When every part is known to be good or not, read the good ones in as few requests as can be."""
        family.open_parts -= 1
        if family.open_parts or not isinstance(self._driver, JoiningDriver):
            return False
        larger = self._driver.join([due.block for due in family.good])
        if len(larger) == len(family.good):
            return False
        self._schedule.drop(family.good)
        now = time.monotonic()
        for block in larger:
            phase = family.good[0].phase_s
            self._schedule.add(self._due(block, phase), next_slot(now, phase, block.interval_s))
        return present is not None

    def _park(self, due: Due[BlockT], cause: NotSupported) -> None:
        if not due.parked:
            told = {"point": "/".join(due.block.bindings[0].key), "why": cause.message, **cause.facts}
            log.warning("device lacks a point", extra={"action": "point_not_supported", **told})
        due.parked = True
        doublings = min(due.refusals - REFUSALS_TO_SPLIT, 12)
        pause = min(max(due.block.interval_s, 1.0) * 2**doublings, UNSUPPORTED_PAUSE_S)
        self._schedule.add(due, time.monotonic() + pause)
