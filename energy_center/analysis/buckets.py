"""Energy from rolled-up buckets: of registers by their first and last reading, of power by its mean."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from energy_center.analysis.counters import HOUR_S, CounterEvent, CounterEventKind, FloatArray, Register
from energy_center.analysis.intervals import Energies, Method
from energy_center.analysis.registers import Exchange, clean_exchanged

_LOSES = frozenset({CounterEventKind.RESET, CounterEventKind.EXCHANGE})


def of_register_buckets(
    start_s: FloatArray,
    width_s: float,
    first: FloatArray,
    last: FloatArray,
    coverage: FloatArray,
    edges_s: FloatArray,
    register: Register,
    exchanges: Sequence[Exchange] = (),
) -> tuple[Energies, tuple[CounterEvent, ...]]:
    """Energies between edges that are starts of buckets, and what happened to the register.

    `start_s` rises strictly; `first` and `last` are the register's first and last reading in each bucket.
    Hand in some buckets before the first edge and after the last one, so that a gap there can be bridged. A
    gap's consumption is spread evenly over it and not covered; a bucket in which the register began anew is
    not covered either.
    """
    if start_s.size == 0:
        return _unknown(edges_s, Method.REGISTER), ()
    at, level = placed_registers(start_s, width_s, first, last)
    single = np.column_stack((np.ones(first.size, bool), last != first)).ravel()
    placed = [Exchange(_within(e.at_s, start_s, width_s), e.old_last, e.new_first) for e in exchanges]
    running = clean_exchanged(at[single], level[single], register, placed)
    recorded = {place.at_s: e.at_s for place, e in zip(placed, exchanges, strict=True)}
    lost = [e.at_s for e in running.events if e.kind in _LOSES and e.at_s not in recorded]
    share = coverage.copy()
    share[np.clip(np.searchsorted(start_s, lost, side="right") - 1, 0, None)] = 0.0
    amount = np.diff(np.interp(edges_s, running.at_s, running.total))
    # beyond the last reading a register says nothing, though the reading still holds
    known_edges = np.clip(edges_s, running.at_s[0], running.at_s[-1])
    covered = _covered(start_s, width_s, share, known_edges)
    unknown = (np.diff(known_edges) <= 0) | ((covered <= 0) & (amount <= 0))
    found = Energies(edges_s, np.where(unknown, np.nan, amount), covered / np.diff(edges_s), Method.REGISTER)
    return found, tuple(replace(e, at_s=recorded.get(e.at_s, e.at_s)) for e in running.events)


def added_by_buckets(
    start_s: FloatArray,
    width_s: float,
    first: FloatArray,
    last: FloatArray,
    register: Register,
    exchanges: Sequence[Exchange] = (),
) -> tuple[FloatArray, tuple[CounterEvent, ...]]:
    """What each bucket adds: from the last reading of the bucket before to its own; shape (n,).

    Of the first bucket, what lies within it. Arguments as of `of_register_buckets`; a bucket may be up to two
    hours longer or shorter than `width_s`, as local days are. NaN where a register is not known at all.
    """
    at, level = placed_registers(start_s, width_s, first, last)
    placed = [Exchange(_within(e.at_s, start_s, width_s), e.old_last, e.new_first) for e in exchanges]
    running = clean_exchanged(at, level, register, placed)
    if not running.at_s.size:
        return np.full(start_s.size, np.nan), ()
    total = np.interp(start_s + width_s / 2.0, running.at_s, running.total)
    return np.diff(total, prepend=0.0), running.events


def placed_registers(
    start_s: FloatArray, width_s: float, first: FloatArray, last: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """The first reading stands at a bucket's start, the last one at its middle."""
    at = np.column_stack((start_s, start_s + width_s / 2.0)).ravel()
    return at, np.column_stack((first, last)).ravel()


def _within(at_s: float, start_s: FloatArray, width_s: float) -> float:
    """Between the places of its bucket's first and last reading; at the bucket's start, before both."""
    row = int(np.searchsorted(start_s, at_s, side="right")) - 1
    is_inside = row >= 0 and start_s[row] < at_s < start_s[row] + width_s
    return float(start_s[row]) + width_s / 4.0 if is_inside else at_s


def of_power_buckets(
    start_s: FloatArray, width_s: float, mean_kw: FloatArray, coverage: FloatArray, edges_s: FloatArray
) -> Energies:
    """Energies from time-weighted means: only the covered part of each bucket counts."""
    known = ~np.isnan(mean_kw) & (coverage > 0)
    if not known.any():
        return _unknown(edges_s, Method.POWER)
    starts, share = start_s[known], coverage[known]
    energy = _spread(starts, width_s, mean_kw[known] * share * width_s / HOUR_S, edges_s)
    covered = _covered(starts, width_s, share, edges_s)
    return Energies(edges_s, np.where(covered > 0, energy, np.nan), covered / np.diff(edges_s), Method.POWER)


def _covered(start_s: FloatArray, width_s: float, share: FloatArray, edges_s: FloatArray) -> FloatArray:
    """Measured seconds between neighbouring edges."""
    return np.clip(_spread(start_s, width_s, share * width_s, edges_s), 0.0, np.diff(edges_s))


def _spread(start_s: FloatArray, width_s: float, amount: FloatArray, edges_s: FloatArray) -> FloatArray:
    """Amounts of buckets, evenly spread inside each, between edges."""
    at = np.column_stack((start_s, start_s + width_s)).ravel()
    total = np.cumsum(np.column_stack((np.zeros_like(amount), amount)).ravel())
    return np.diff(np.interp(edges_s, at, total))


def _unknown(edges_s: FloatArray, method: Method) -> Energies:
    return Energies(edges_s, np.full(len(edges_s) - 1, np.nan), np.zeros(len(edges_s) - 1), method)
