"""What device servers work with: the values of the world, who is silent, and what was sent."""

import math
from collections.abc import Iterable
from typing import Protocol

from simulators.served import Key, Served


class Values(Protocol):
    """Where a device's readings come from."""

    def value(self, equipment_id: str, signal: str) -> float:
        """The reading in the signal's unit now; NaN where the device has none to give."""

    def is_silent(self, equipment_id: str) -> bool:
        """Whether a fault keeps the equipment's device from answering."""


class Source:
    """The world as the devices see it. A muted connection or piece of equipment does not answer."""

    def __init__(self, values: Values) -> None:
        self.values = values
        self.served = Served()
        self._muted: set[str] = set()

    def read(self, key: Key) -> float:
        """The reading of a point; NaN when the device has none."""
        return self.values.value(key[0], key[1])

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
