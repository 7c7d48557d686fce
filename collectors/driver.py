"""The seam between scheduling and protocols: what a driver takes, gives and raises.

A polled driver answers one block at a time; a pushed driver delivers samples as they come. Both raise only
`DeviceAway` (no answer), `BadFrame` (a wrong answer), `DeviceRefused` and `NotSupported` from
`energy_center.errors`, whatever their library raises.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from energy_center.config.bindings import Connection, Device, PointBinding, PointKey

TUPLES_KNOWN = 10_000
Values = NDArray[np.float64]
Qualities = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Sample:
    """Values of one block at one instant.

    `at` is the arrival of the reply or message, or its own trusted stamp, in UTC seconds; `values` are in the
    roles' units, shape (n,), NaN where there is no reading; `quality` are `domain.readings.Quality` flags.
    """

    at: float
    values: Values
    quality: Qualities


@dataclass(frozen=True, slots=True)
class Samples:
    """Values of one block at k instants: `at` of shape (k,), else as in `Sample` with shape (k, n)."""

    at: Values
    values: Values
    quality: Qualities

    def each(self) -> "list[Sample]":
        """One by one."""
        return [
            Sample(float(at), values, quality)
            for at, values, quality in zip(self.at, self.values, self.quality, strict=True)
        ]


class ScanBlock(Protocol):
    """What is read in one request: points of one device with one interval."""

    @property
    def device_id(self) -> str:
        """The device that answers."""

    @property
    def interval_s(self) -> float:
        """How often it is read."""

    @property
    def bindings(self) -> tuple[PointBinding, ...]:
        """The points, in the order of a sample's values."""


BlockT = TypeVar("BlockT", bound=ScanBlock)
ReadableT_contra = TypeVar("ReadableT_contra", bound=ScanBlock, contravariant=True)


class PolledDriver(Protocol[BlockT]):
    """A client of one bus. One owner; one request at a time unless the device bears more."""

    @property
    def is_open(self) -> bool:
        """False when the whole bus is away, not only the device that was asked."""

    @property
    def time_limit_s(self) -> float:
        """Longest that one read may take."""

    def plan(self, devices: Sequence[Device], bindings: Sequence[PointBinding]) -> list[BlockT]:
        """The requests that read all bindings once."""

    async def open(self) -> None:
        """Connect; raises DeviceAway within the connection's time limit."""

    async def read(self, block: BlockT) -> Sample:
        """Ask once, without repeating; raises DeviceAway, BadFrame, DeviceRefused or NotSupported."""

    def split(self, block: BlockT) -> list[BlockT]:
        """Smaller blocks for one that was refused; empty when it cannot be split."""

    async def close(self) -> None:
        """Let go of the connection; never raises."""


class PreparedBlock(Protocol):
    """A block made ready to be read in bursts."""

    def decode(self, payloads: Sequence[bytes]) -> tuple[Values, Qualities]:
        """Values and quality of k replies, each of shape (k, n)."""

    def answered(self, took_s: Sequence[float]) -> None:
        """Note how long replies took."""


# given a payload, its arrival in UTC seconds and the same instant on the monotonic clock: what to ask next
Following = Callable[[bytes, float, float], PreparedBlock | None]


@runtime_checkable
class BurstingDriver(Protocol[ReadableT_contra]):
    """A polled driver that goes from block to block without waking its caller in between."""

    def prepared(self, block: ReadableT_contra) -> PreparedBlock | None:
        """What `burst` reads; None for a block that must be asked for one by one."""

    async def burst(self, first: PreparedBlock, following: Following) -> None:
        """Ask for a block, then with each reply for the one that `following` names, until there is none.

        One request in flight. What it raises, as `read` does, concerns the block that was named last.
        """


Push = Callable[[tuple[PointBinding, ...], Sample], None]


@runtime_checkable
class TellingDriver(Protocol):
    """A polled driver whose devices also tell changes on their own."""

    def push_to(self, push: Push) -> None:
        """Hand on what devices tell; polling goes on as the safety net."""


@dataclass(frozen=True, slots=True)
class ReadBack:
    """What a point reads after a write, in the role's unit.

    `held` is what the device keeps for us at our priority, None for nothing; only told where it `has_slots`.
    """

    present: float
    held: float | None
    has_slots: bool


@runtime_checkable
class WritingDriver(Protocol):
    """A driver that can command points; raises as reading does.

    It may be called while its bus is read: a write waits for the request in flight, no longer.
    """

    async def write(self, binding: PointBinding, wanted: float | None, priority: int) -> None:
        """Command a value in the role's unit; None hands the point back to its controller."""

    async def read_back(self, binding: PointBinding, priority: int) -> ReadBack:
        """What the point reads now."""


@runtime_checkable
class JoiningDriver(Protocol[BlockT]):
    """A driver whose split blocks can be put together again once the refused values are known."""

    def join(self, blocks: Sequence[BlockT]) -> list[BlockT]:
        """The same values in the fewest requests that touch nothing between them."""


@dataclass(frozen=True, slots=True)
class Message:
    """A sample that a device pushed, and what to call once it is safe on disk; or it `comes_again`."""

    device_ids: tuple[str, ...]
    bindings: tuple[PointBinding, ...]
    sample: Sample
    stored: Callable[[], None]
    comes_again: bool = False


@dataclass(frozen=True, slots=True)
class StatusNotice:
    """A device, or its last will, said whether it is there."""

    device_id: str
    online: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class MalformedNotice:
    """A message that could not be read: whose it was, and its beginning."""

    device_ids: tuple[str, ...]
    topic: str
    excerpt: str
    why: str


Notice = StatusNotice | MalformedNotice


def ignore_notice(_: Notice) -> None:
    """For who wants samples alone."""


class PushedDriver(Protocol):
    """A subscription to one broker."""

    async def run(
        self,
        deliver: Callable[[Message], None],
        connected: Callable[[], None],
        notice: Callable[[Notice], None] = ignore_notice,
    ) -> None:
        """Deliver messages until cancelled or the connection is lost (DeviceAway)."""


def keys_of(bindings: Sequence[PointBinding]) -> tuple[PointKey, ...]:
    """The points' keys in order."""
    return tuple(b.key for b in bindings)


class KeysOnce:
    """`keys_of` for tuples of points that come again and again: each is worked out once."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[tuple[PointBinding, ...], tuple[PointKey, ...]]] = {}

    def of(self, bindings: tuple[PointBinding, ...]) -> tuple[PointKey, ...]:
        """The keys of just this tuple; it is kept, so that its id stays its own."""
        known = self._known.get(id(bindings))
        if known is None:
            if len(self._known) >= TUPLES_KNOWN:
                self._known.clear()
            known = self._known[id(bindings)] = (bindings, keys_of(bindings))
        return known[1]


@dataclass(frozen=True, slots=True)
class BusContext:
    """What a driver is made from: its connection, what hangs on it, and a name for the client."""

    connection: Connection
    devices: tuple[Device, ...]
    bindings: tuple[PointBinding, ...]
    client_name: str
