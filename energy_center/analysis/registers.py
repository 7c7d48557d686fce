"""What a register can count, learnt from its own readings; and registers of meters that were exchanged.

For files of unknown meters only: an installed meter's rating and width stand in the site file.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from energy_center.analysis.counters import (
    HOUR_S,
    CounterEvent,
    CounterEventKind,
    FloatArray,
    Register,
    RunningTotal,
    clean,
    usual_rate,
)

_DIGITS = range(6)  # decimals a register may show
_ALL_BUT_A_FEW = 0.995  # of the readings are whole multiples of the last digit; glitches may not be


def learn_register(at_s: FloatArray, level: FloatArray, modulus: float | None = None) -> Register:
    """Rating, last digit and width of a register from its readings, rising in time.

    The fastest believable rise is four times the 95th percentile of the rises seen. The width is the next
    power of ten above a reading from which a fall is a believable rise across it; None without such a fall.
    """
    steps, hours = np.diff(level), np.diff(at_s) / HOUR_S
    resolution = _last_digit(level)
    rising = (steps > 0) & (hours > 0)
    if not np.any(rising):
        return Register(math.inf, modulus, resolution)
    rate = usual_rate(at_s, level)
    register = Register(rate, modulus, resolution)
    return register if modulus is not None else Register(rate, _width(level, hours, register), resolution)


def _last_digit(level: FloatArray) -> float:
    for digits in _DIGITS:
        if np.mean(np.abs(np.round(level, digits) - level) < 1e-9 * np.maximum(1.0, level)) >= _ALL_BUT_A_FEW:
            return float(10.0**-digits)
    return 0.0


def _width(level: FloatArray, hours: FloatArray, register: Register) -> float | None:
    for i in np.flatnonzero(np.diff(level) < -register.resolution):
        before, after = float(level[i]), float(level[i + 1])
        if before <= 0:
            continue
        width = 10.0 ** math.ceil(math.log10(before + register.resolution))
        if register.allows(after - before + width, float(hours[i]) * HOUR_S):
            return width
    return None


@dataclass(frozen=True, slots=True)
class Exchange:
    """A recorded exchange of a meter: the old one's last register, the new one's first; None if not read."""

    at_s: float
    old_last: float | None
    new_first: float | None


def clean_exchanged(
    at_s: FloatArray, level: FloatArray, register: Register, exchanges: Sequence[Exchange]
) -> RunningTotal:
    """A running total across recorded exchanges: nothing is lost where both registers were read.

    Readings may come in any order, as for `clean`. Readings at the exchange itself belong to the new meter.
    """
    total: RunningTotal | None = None
    ordered = sorted(exchanges, key=lambda exchange: exchange.at_s)
    starts = [-math.inf, *(e.at_s for e in ordered)]
    ends = [*(e.at_s for e in ordered), math.inf]
    for i, (start, end) in enumerate(zip(starts, ends, strict=True)):
        inside = (at_s >= start) & (at_s < end)
        part_at, part = at_s[inside], level[inside]
        if i > 0 and (first := ordered[i - 1].new_first) is not None:
            part_at, part = (
                np.append(start, part_at[part_at > start]),
                np.append(first, part[part_at > start]),
            )
        if i < len(ordered) and (last := ordered[i].old_last) is not None:
            part_at, part = np.append(part_at, end), np.append(part, last)
        piece = clean(part_at, part, register)
        total = piece if total is None else _join(total, piece, ordered[i - 1])
    return total if total is not None else clean(at_s, level, register)


def _join(old: RunningTotal, new: RunningTotal, exchange: Exchange) -> RunningTotal:
    if not old.at_s.size or not new.at_s.size:
        return new if not old.at_s.size else old
    before = exchange.old_last if exchange.old_last is not None else math.nan
    after = exchange.new_first if exchange.new_first is not None else math.nan
    event = CounterEvent(CounterEventKind.EXCHANGE, exchange.at_s, before, after)
    both_read = exchange.old_last is not None and exchange.new_first is not None
    skip = int(new.at_s[0] == old.at_s[-1])  # both registers were read at the exchange: one instant
    sure = new.is_sure.copy()
    sure[0] = both_read
    return RunningTotal(
        np.concatenate((old.at_s, new.at_s[skip:])),
        np.concatenate((old.total, old.total[-1] + new.total[skip:])),
        np.concatenate((old.is_sure, sure[skip:])),
        (*old.events, event, *new.events),
    )
