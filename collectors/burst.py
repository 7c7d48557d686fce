"""The fast lane of a poller: block after block without waking its task, as long as all goes well.

With each reply the next block that is due is named at once, and asked for before the reply is looked at; what
was read is decoded and handed on some milliseconds later, the replies of a block together. An urgent request,
a device with a miss, or anything wrong ends the burst, and the poller goes on with care.
"""

import asyncio
import heapq
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, cast

import numpy as np

from collectors.circuit import BusHealth
from collectors.driver import BlockT, BurstingDriver, PreparedBlock, Sample, Samples
from collectors.schedule import UNSUPPORTED_PAUSE_S, Due, PollCounts, Replies, Schedule
from collectors.spread import next_slot
from energy_center.config.bindings import PointBinding

GATHERED_S = 0.02  # before replies are decoded; a commit of the spool gathers for longer
EARLY_S = 0.0005  # a block that is due so soon is not worth a sleep

Sink = Callable[[tuple[PointBinding, ...], Sample], None]
SinkMany = Callable[[tuple[PointBinding, ...], Samples], None]


class Delivery(Generic[BlockT]):
    """Replies of one bus on their way to the sink."""

    def __init__(
        self,
        sink: Sink,
        sink_many: SinkMany | None,
        counts: PollCounts,
        failed: Callable[[Due[BlockT], Exception], None],
    ) -> None:
        """`sink_many` takes several samples of a block at once; `failed` hears of bugs."""
        self._counts = counts
        self._sink = sink
        self._sink_many = sink_many
        self._failed = failed
        self._waiting: list[Due[BlockT]] = []
        self._timer: asyncio.TimerHandle | None = None

    def expect(self, due: Due[BlockT]) -> None:
        """Decode and hand on, within `GATHERED_S`, the replies that this block has by then."""
        self._waiting.append(due)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(GATHERED_S, self.flush)

    def flush(self) -> None:
        """Decode and hand on all that has come."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting, self._waiting = self._waiting, []
        for due in waiting:
            try:
                self._hand_on(due)
            except Exception as bug:  # noqa: BLE001  one block must not take the others along
                self._failed(due, bug)

    def _hand_on(self, due: Due[BlockT]) -> None:
        replies, due.replies = due.replies, Replies()
        prepared = cast("PreparedBlock", due.prepared)  # only such blocks are read in bursts
        bindings, count = due.block.bindings, len(replies.at)
        prepared.answered(replies.took_s)
        due.tally.answered_all(replies.at[-1], len(bindings), replies.took_s)
        self._counts.answered += count
        self._counts.busy_s += sum(replies.took_s)
        values, quality = prepared.decode(replies.payloads)
        quality = due.check.flags(values, quality)
        if count == 1:
            self._sink(bindings, Sample(replies.at[0], values[0], quality[0]))
            return
        samples = Samples(np.array(replies.at), values, quality)
        if self._sink_many is not None:
            self._sink_many(bindings, samples)
            return
        for sample in samples.each():
            self._sink(bindings, sample)


@dataclass(frozen=True, slots=True)
class Shared(Generic[BlockT]):
    """What all bursts of one bus share."""

    schedule: Schedule[BlockT]
    delivery: Delivery[BlockT]
    counts: PollCounts
    health: BusHealth


class Burst(Generic[BlockT]):
    """One run of requests; `asked` is the block in flight, None once the run has ended well."""

    __slots__ = ("_answered", "_counts", "_delivery", "_health", "_schedule", "asked")

    def __init__(
        self, first: Due[BlockT], shared: "Shared[BlockT]", answered: Callable[[BlockT], None]
    ) -> None:
        """`answered` is called for a block that was read while its device or a neighbour was silent."""
        self.asked: Due[BlockT] | None = first
        first.asked_at = time.monotonic()
        self._schedule, self._delivery = shared.schedule, shared.delivery
        self._counts, self._health = shared.counts, shared.health
        self._answered = answered
        self._counts.overruns += first.note_lateness(first.asked_at)

    async def run(self, driver: BurstingDriver[BlockT]) -> None:
        """Read until nothing is due; raises what `BurstingDriver.burst` does, about `asked`."""
        if self.asked is not None and self.asked.prepared is not None:
            await driver.burst(self.asked.prepared, self.following)

    def following(self, payload: bytes, at: float, now: float) -> PreparedBlock | None:
        """A reply has come: note it, put its block back on its grid, and name the one that is due."""
        due = cast("Due[BlockT]", self.asked)
        replies = due.replies
        if not replies.at:
            self._delivery.expect(due)
        replies.payloads.append(payload)
        replies.at.append(at)
        replies.took_s.append(now - due.asked_at)
        if due.circuit.misses or self._health.silent:
            self._answered(due.block)
        if due.parked:  # an earlier reply brought out a bug
            due.at = due.slot = now + UNSUPPORTED_PAUSE_S
        else:
            after = now if now > due.slot else due.slot
            due.at = due.slot = next_slot(after, due.phase_s, due.interval_s)
        following = heapq.heappushpop(self._schedule.heap, due)
        if (
            following.at > now + EARLY_S
            or self._schedule.interrupted
            or not following.is_proven
            or following.circuit.misses
        ):
            self.asked = None
            self._schedule.add(following, following.at)
            return None
        if now - following.slot >= following.interval_s:
            self._counts.overruns += following.note_lateness(now)
        self.asked, following.asked_at = following, now
        return following.prepared
