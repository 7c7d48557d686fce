"""What device servers work with: the values of the world, who is silent, and what was sent."""

import math
from collections.abc import Iterable
from typing import Protocol, runtime_checkable

from simulators.served import Key, Served


class Values(Protocol):
    """Where a device's readings come from."""

    def value(self, equipment_id: str, signal: str) -> float:
        """The reading in the signal's unit now; NaN where the device has none to give."""

    def is_silent(self, equipment_id: str) -> bool:
        """Whether a fault keeps the equipment's device from answering."""


@runtime_checkable
class Steerable(Protocol):
    """A world that follows what its controllers are commanded."""

    def command(self, equipment_id: str, signal: str, value: float | None) -> None:
        """Make a schedule or set-point this value instead of the program's; None gives it back."""


class Source:
    """The world as the devices see it. A muted connection or piece of equipment does not answer."""

    def __init__(self, values: Values) -> None:
        self.values = values
        self.served = Served()
        self._muted: set[str] = set()

    def read(self, key: Key) -> float:
        """The reading of a point; NaN when the device has none."""
        return self.values.value(key[0], key[1])

    def command(self, key: Key, value: float | None) -> None:
        """What a controller was commanded; a world of fixed readings does not follow."""
        if isinstance(self.values, Steerable):
            self.values.command(key[0], key[1], value)

    def mute(self, name: str, *, on: bool) -> None:
        """Make a connection or piece of equipment silent, or let it speak again."""
        if on:
            self._muted.add(name)
        else:
            self._muted.discard(name)

    def is_silent(self, connection: str, equipment: Iterable[str]) -> bool:
        """Whether a device gives no answer: it, its connection or something behind it is muted or offline."""
        if connection in self._muted:
            return True
        return any(name in self._muted or self.values.is_silent(name) for name in equipment)


def has_reading(reading: float) -> bool:
    """Whether a device has something to say (a missing reading is NaN)."""
    return not math.isnan(reading)
