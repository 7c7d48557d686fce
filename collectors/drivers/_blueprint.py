"""Copy this for a new polled protocol; add a line to `registry.py` and a `tests/protocol/test_<name>.py`.

It talks to nothing. What a driver must keep: one owner; every wait bounded; no repeating by itself; only
errors named in `driver.py`; the time of a sample is the arrival of its reply; an absent value is NaN.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from collectors.driver import BusContext, Sample
from energy_center.config.bindings import Device, PointBinding
from energy_center.errors import DeviceAway


@dataclass(frozen=True, slots=True)
class ExampleBlock:
    """What one request reads: points of one device with one interval."""

    device_id: str
    interval_s: float
    bindings: tuple[PointBinding, ...]


class ExampleDriver:
    """One connection of the protocol."""

    def __init__(self, context: BusContext) -> None:
        """Keep what is needed; connect in `open`."""
        self._target = context.connection.target
        self._is_open = False

    @property
    def is_open(self) -> bool:
        """False once the whole line is lost: the poller then opens it again with back-off."""
        return self._is_open

    @property
    def time_limit_s(self) -> float:
        """Longest that one read may take."""
        return 1.0

    def plan(self, devices: Sequence[Device], bindings: Sequence[PointBinding]) -> list[ExampleBlock]:  # noqa: ARG002  limits of devices would count here
        """As few requests as the protocol allows; here one a point."""
        return [ExampleBlock(b.device_id, b.interval_s, (b,)) for b in bindings]

    async def open(self) -> None:
        """Connect within a time limit, or raise DeviceAway."""
        self._is_open = True

    async def read(self, block: ExampleBlock) -> Sample:
        """Ask once. What the library raises becomes DeviceAway, BadFrame, DeviceRefused or NotSupported."""
        if not self._is_open:
            raise DeviceAway("The connection is closed")
        raw = np.zeros(len(block.bindings))
        values = np.array([b.scaling(x) for b, x in zip(block.bindings, raw, strict=True)])
        return Sample(time.time(), values, np.zeros(len(values), dtype=np.int16))

    def split(self, block: ExampleBlock) -> list[ExampleBlock]:  # noqa: ARG002  nothing to cut in two
        """Smaller requests for one that was refused, or none."""
        return []

    async def close(self) -> None:
        """Let go; never raise."""
        self._is_open = False
