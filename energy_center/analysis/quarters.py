"""Quarter-hours of a register from what is stored of it: raw readings where it is read seldom, else roll-ups.

A roll-up keeps the last register of its quarter-hour, which for a register read every few seconds is that of
its end. Read every quarter-hour, it may be that of its beginning: there only the raw readings tell.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from energy_center.analysis.counters import FloatArray, Register, consumption_between
from energy_center.analysis.demand import BLOCK_S
from energy_center.analysis.registers import Exchange, clean_exchanged

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class RolledUp:
    """Roll-ups of a register: start of each quarter-hour (epoch seconds), its registers, coverage 0..1.

    `at_start`: where the register was read once, at the beginning; None: nowhere.
    """

    start_s: FloatArray
    first: FloatArray
    last: FloatArray
    coverage: FloatArray
    at_start: Mask | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Seldom:
    """Raw readings of times in which a register is read every `interval_s`; `spans` as rows of [from, to)."""

    spans: FloatArray
    at_s: FloatArray
    level: FloatArray
    interval_s: float


def quarters(
    rolled: RolledUp,
    seldom: Seldom | None,
    register: Register,
    edges_s: FloatArray,
    exchanges: Sequence[Exchange] = (),
) -> tuple[FloatArray, FloatArray]:
    """Energy and coverage of the quarter-hours between the edges, both of shape (m,).

    What a register counted during a gap is spread evenly over it and not covered, so that no demand appears
    where readings begin again. A recorded exchange loses nothing. NaN where no reading bears on it.
    """
    starts = edges_s[:-1]
    is_seldom = _within(starts, seldom)
    dense = ~_within(rolled.start_s, seldom)
    early = np.zeros(len(dense), dtype=np.bool_) if rolled.at_start is None else rolled.at_start
    resumes = dense & ~early & (np.diff(rolled.start_s, prepend=-np.inf) > BLOCK_S)
    at = [rolled.start_s[resumes], np.where(early, rolled.start_s, rolled.start_s + BLOCK_S)[dense]]
    level = [rolled.first[resumes], rolled.last[dense]]
    if seldom is not None:
        at, level = [*at, seldom.at_s], [*level, seldom.level]
    running = clean_exchanged(np.concatenate(at), np.concatenate(level), register, exchanges)
    energy, known = consumption_between(running, edges_s, np.inf)
    rows = np.searchsorted(rolled.start_s, starts)
    held = np.append(rolled.coverage, 0.0)[rows]
    held = np.where(np.append(rolled.start_s, -1.0)[rows] == starts, held, 0.0)
    coverage = np.minimum(held, known)
    if seldom is not None:
        _, close = consumption_between(running, edges_s, 2 * seldom.interval_s)
        coverage = np.where(is_seldom, close, coverage)
    return energy, np.clip(coverage, 0.0, 1.0)


def _within(at_s: FloatArray, seldom: Seldom | None) -> Mask:
    inside = np.zeros(len(at_s), dtype=np.bool_)
    if seldom is not None:
        for start, end in seldom.spans:
            inside |= (at_s >= start) & (at_s < end)
    return inside
