"""When in its interval each block of a bus is read, so that the bus carries an even load. Pure."""

import zlib
from collections.abc import Sequence


def phase_of(name: str, interval_s: float) -> float:
    """Where in an interval something lies: spread by name, the same after every start."""
    return zlib.crc32(name.encode()) / 2**32 * interval_s


def phases_of(bus: str, blocks: Sequence[tuple[str, float]]) -> dict[str, float]:
    """Phases in seconds of a bus's blocks, given as name and interval: evenly apart among equal intervals.

    Busses and intervals begin at different places, so that they do not all begin together.
    """
    phases: dict[str, float] = {}
    for interval_s in sorted({interval for _, interval in blocks}):
        names = sorted(name for name, interval in blocks if interval == interval_s)
        first = phase_of(f"{bus}/{interval_s:g}", interval_s)
        for i, name in enumerate(names):
            phases[name] = (first + i * interval_s / len(names)) % interval_s
    return phases


def next_slot(now: float, phase_s: float, interval_s: float) -> float:
    """The first instant after `now` on the grid phase + k * interval."""
    return phase_s + ((now - phase_s) // interval_s + 1) * interval_s
