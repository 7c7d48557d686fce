"""Consumption from register readings: rollover, reset, exchange and glitch told apart, never a spike.

A register is made into a cleaned running total. Consumption over any [a, b) is the difference of that total,
linearly interpolated at a and b, so that the parts of a period always add up to the whole.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

GLITCH_READINGS = 5  # a wrong reading is over after this many, else the register really changed
HOUR_S = 3600.0
_USUAL = 95.0  # percentile of the rises that no wrong reading reaches
_MARGIN = 4.0  # a load doubles and doubles again, it does not grow a hundredfold


class CounterEventKind(StrEnum):
    """What happened to a register between two readings."""

    ROLLOVER = "rollover"  # passed its last number; nothing lost
    RESET = "reset"  # began again near zero; what it counted just before is lost
    EXCHANGE = "exchange"  # continues at an unrelated number; consumption of the step unknown
    GLITCH = "glitch"  # wrong readings between right ones; left out


@dataclass(frozen=True, slots=True)
class Register:
    """What is known of a counter.

    `max_rate_per_h` is the most it can count in an hour (kWh per hour is kW). `modulus` is the number at
    which it begins again at zero, None where unknown. `resolution` is its last digit; steps back by up to it
    are rounding.
    """

    max_rate_per_h: float
    modulus: float | None = None
    resolution: float = 0.0

    def allows(self, step: float, duration_s: float) -> bool:
        """Whether a step of the register is possible in this time."""
        return 0.0 <= step <= self.max_rate_per_h * duration_s / HOUR_S + self.resolution


@dataclass(frozen=True, slots=True)
class CounterEvent:
    """`at_s` is the time of the first reading after it, in seconds of the epoch."""

    kind: CounterEventKind
    at_s: float
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class RunningTotal:
    """A cleaned counter. Arrays have shape (n,), one per accepted reading.

    `total` starts at 0 and never falls. `is_sure[i]` says that nothing is unknown between readings i-1 and i;
    `is_sure[0]` is True.
    """

    at_s: FloatArray
    total: FloatArray
    is_sure: npt.NDArray[np.bool_]
    events: tuple[CounterEvent, ...]


@dataclass(frozen=True, slots=True)
class Consumption:
    """Consumption over a period in the register's unit, None where no reading bears on it.

    `coverage` is the share 0..1 of the period between readings close enough to each other.
    """

    amount: float | None
    coverage: float

    @property
    def is_partial(self) -> bool:
        """Whether some of the period is unknown or only interpolated across a gap."""
        return self.coverage < 1.0 - 1e-9


def clean(at_s: FloatArray, register_reading: FloatArray, register: Register) -> RunningTotal:
    """Make a running total of readings in any order; repeated times count once, NaN not at all."""
    known = ~np.isnan(register_reading)
    at, first = np.unique(at_s[known], return_index=True)
    level = register_reading[known][first]
    if at.size == 0:
        return RunningTotal(at, level, np.zeros(0, dtype=bool), ())
    step, duration = np.diff(level), np.diff(at)
    if np.all((step >= 0) & (step <= register.max_rate_per_h * duration / HOUR_S + register.resolution)):
        return RunningTotal(at, level - level[0], np.ones(at.size, dtype=bool), ())
    return _walk(at, level, register)


def _walk(at: FloatArray, level: FloatArray, register: Register) -> RunningTotal:
    kept, gains, sure, events = [0], [0.0], [True], list[CounterEvent]()
    usual = Register(min(usual_rate(at, level), register.max_rate_per_h), None, register.resolution)
    high = float(level[0])
    i = 1
    while i < at.size:
        now, duration = float(level[i]), float(at[i] - at[kept[-1]])
        step = now - high
        if register.allows(step, duration):
            gain, is_sure, high = step, True, now
        elif -register.resolution <= step < 0:
            gain, is_sure = 0.0, True
        else:
            returns = _glitch_ends(at, level, i, kept[-1], high, (register, usual))
            if returns is not None:
                events.append(CounterEvent(CounterEventKind.GLITCH, float(at[i]), high, now))
                i = returns
                continue
            kind, gain = _judge(step, now, duration, register)
            events.append(CounterEvent(kind, float(at[i]), high, now))
            is_sure, high = kind is CounterEventKind.ROLLOVER, now
        kept.append(i)
        gains.append(gain)
        sure.append(is_sure)
        i += 1
    return RunningTotal(at[kept], np.cumsum(gains), np.array(sure), tuple(events))


def usual_rate(at: FloatArray, level: FloatArray) -> float:
    """Four times the 95th percentile of the rises seen, per hour: what no register's own course exceeds."""
    steps, hours = np.diff(level), np.diff(at) / HOUR_S
    rising = steps > 0
    return _MARGIN * float(np.percentile(steps[rising] / hours[rising], _USUAL)) if rising.any() else np.inf


def _glitch_ends(
    at: FloatArray,
    level: FloatArray,
    first: int,
    before: int,
    high: float,
    registers: tuple[Register, Register],
) -> int | None:
    """Index at which readings agree again with the one before, by a step that no register makes by itself.

    Without that last condition a reset early in a register's life would pass for a glitch. `registers`: what
    is possible, and what is usual.
    """
    register, usual = registers
    for j in range(first + 1, min(first + 1 + GLITCH_READINGS, at.size)):
        agrees = register.allows(float(level[j]) - high, float(at[j] - at[before]))
        back = float(level[j] - level[j - 1])
        if agrees and not usual.allows(back, float(at[j] - at[j - 1])):
            return j
    return None


def _judge(step: float, now: float, duration: float, register: Register) -> tuple[CounterEventKind, float]:
    if step < 0 and register.modulus is not None and register.allows(step + register.modulus, duration):
        return CounterEventKind.ROLLOVER, step + register.modulus
    if step < 0 and register.allows(now, duration):
        return CounterEventKind.RESET, now
    return CounterEventKind.EXCHANGE, 0.0


def consumption_between(
    running: RunningTotal, edges_s: FloatArray, max_gap_s: float
) -> tuple[FloatArray, FloatArray]:
    """Consumption and coverage of the periods between neighbouring edges.

    Arguments: `edges_s` rising, shape (m+1,); `max_gap_s` two readings further apart leave a gap (twice the
    interval). Returns amounts, NaN where no reading bears on the period, and coverages 0..1, both shape (m,).
    """
    lengths = np.diff(edges_s)
    if running.at_s.size < 2:  # noqa: PLR2004 - a difference needs two readings
        return np.full(lengths.shape, np.nan), np.zeros(lengths.shape)
    total = np.interp(edges_s, running.at_s, running.total)
    covered_step = np.where(
        running.is_sure[1:] & (np.diff(running.at_s) <= max_gap_s), np.diff(running.at_s), 0.0
    )
    covered = np.interp(edges_s, running.at_s, np.concatenate(([0.0], np.cumsum(covered_step))))
    outside = (edges_s[1:] <= running.at_s[0]) | (edges_s[:-1] >= running.at_s[-1])
    amounts = np.diff(total)
    # wholly inside a step across which the register says nothing: that is not zero
    sure_step = np.where(running.is_sure[1:], np.diff(running.at_s), 0.0)
    sure = np.diff(np.interp(edges_s, running.at_s, np.concatenate(([0.0], np.cumsum(sure_step)))))
    unknown = outside | ((sure <= 0) & (amounts <= 0))
    return np.where(unknown, np.nan, amounts), np.clip(np.diff(covered) / lengths, 0.0, 1.0)


def consumption(running: RunningTotal, start_s: float, end_s: float, max_gap_s: float) -> Consumption:
    """Consumption over [start, end)."""
    amounts, coverages = consumption_between(running, np.array([start_s, end_s]), max_gap_s)
    amount = float(amounts[0])
    return Consumption(None if np.isnan(amount) else amount, float(coverages[0]))
