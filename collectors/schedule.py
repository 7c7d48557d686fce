"""When each block of a bus is due: a heap by time, and what a poller knows of each block."""

import asyncio
import heapq
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Generic

from collectors.check_quality import RangeCheck
from collectors.circuit import Circuit
from collectors.driver import BlockT, PreparedBlock, ScanBlock
from collectors.tally import DeviceTally

UNSUPPORTED_PAUSE_S = 3600.0


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


@dataclass(slots=True)
class Family(Generic[BlockT]):
    """Parts of a block that was refused: how many have not been read yet, and those that turned out good."""

    open_parts: int
    good: list["Due[BlockT]"] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Replies:
    """What came for one block and is not decoded yet, in order."""

    payloads: list[bytes] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    took_s: list[float] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Due(Generic[BlockT]):
    """One block: `at` on the monotonic clock, when it is looked at; `slot` the instant on its grid.
    `asked_at` is when it was last asked for.

    `is_proven` once it was read with nothing special about it: such a block may be read in a burst, whose
    replies wait in `replies` for some milliseconds.
    """

    at: float
    block: BlockT
    check: RangeCheck
    phase_s: float
    tally: DeviceTally
    circuit: Circuit
    prepared: PreparedBlock | None = None
    slot: float = 0.0
    asked_at: float = 0.0
    is_proven: bool = False
    parked: bool = False
    refusals: int = 0
    busy: int = 0
    family: Family[BlockT] | None = None
    replies: Replies = field(default_factory=Replies)
    interval_s: float = 0.0

    def __post_init__(self) -> None:
        self.interval_s = self.block.interval_s

    def __lt__(self, other: "Due[BlockT]") -> bool:
        return self.at < other.at

    @property
    def name(self) -> str:
        """Device and first point."""
        return name_of(self.block)

    @property
    def is_sound(self) -> bool:
        """Whether its device answers without fail."""
        return not self.circuit.misses and self.circuit.is_online is True

    def note_lateness(self, now: float) -> int:
        """Count the slots that have passed unused; give their number."""
        late = int(max(0.0, now - self.slot) // self.block.interval_s)
        self.tally.overruns += late
        return late


def name_of(block: ScanBlock) -> str:
    """A name that stays the same over restarts."""
    return f"{block.device_id}/{'/'.join(block.bindings[0].key)}"


class Schedule(Generic[BlockT]):
    """The blocks of one bus that are not being read; `interrupted` while something goes before them."""

    __slots__ = ("heap", "interrupted", "is_shared", "wake")

    def __init__(self, *, is_shared: bool) -> None:
        """`is_shared` where several requests are in flight at once."""
        self.heap: list[Due[BlockT]] = []
        self.is_shared = is_shared
        self.interrupted = False
        self.wake = asyncio.Event()

    def add(self, due: Due[BlockT], at: float) -> None:
        """Put a block in, due at this time."""
        due.at = due.slot = at
        heapq.heappush(self.heap, due)
        if self.is_shared:
            self.wake.set()

    def pop(self) -> Due[BlockT]:
        """Take out the block that is due first."""
        return heapq.heappop(self.heap)

    def pause_s(self, now: float) -> float:
        """Until a block is due."""
        return self.heap[0].at - now if self.heap else 60.0

    def overdue(self, now: float) -> int:
        """How many blocks wait past their time."""
        return sum(due.at <= now for due in self.heap)

    def drop(self, gone: Iterable[Due[BlockT]]) -> None:
        """Forget blocks."""
        ids = {id(due) for due in gone}
        self.heap = [due for due in self.heap if id(due) not in ids]
        heapq.heapify(self.heap)

    def postpone(self, due: Due[BlockT], at: float) -> None:
        """Look at a block later, if it is not being read now."""
        if any(other is due for other in self.heap):
            self.drop([due])
            self.add(due, at)

    def hasten(self, rng: random.Random) -> None:
        """Look at every block within a second, not after its rest."""
        now = time.monotonic()
        for due in self.heap:
            if not due.parked:
                due.at = due.slot = min(due.at, now + rng.uniform(0, 1))
        heapq.heapify(self.heap)

    async def rest(self, pause_s: float, *, is_over: Callable[[], bool]) -> None:
        """Until something is due or urgent, or a block was put back by another request in flight."""
        self.wake.clear()
        if is_over():
            return
        try:
            async with asyncio.timeout(pause_s):
                await self.wake.wait()
        except TimeoutError:
            return
