"""What device servers work with: the values of the world, who is silent, and what was sent."""

import math
from typing import Protocol

from simulators.served import Key, Served


class Values(Protocol):
    """Where a device's readings come from."""

    def value(self, equipment_id: str, signal: str) -> float:
        """The reading in the signal's unit now; NaN where the device has none to give."""


class Source:
    """The world as the devices see it. A muted connection or piece of equipment does not answer."""

    def __init__(self, values: Values) -> None:
        self.values = values
        self.served = Served()
        self._muted: set[str] = set()

    def read(self, key: Key) -> float:
        """The reading of a point; NaN when its device is to be silent."""
        return self.values.value(key[0], key[1])

    def mute(self, name: str, *, on: bool) -> None:
        """Make a connection or piece of equipment silent, or let it speak again."""
        if on:
            self._muted.add(name)
        else:
            self._muted.discard(name)

    def is_muted(self, *names: str) -> bool:
        """Whether one of these connections or pieces of equipment is muted."""
        return not self._muted.isdisjoint(names)


def has_reading(reading: float) -> bool:
    """Whether a device has something to say (a missing reading is NaN)."""
    return not math.isnan(reading)
