"""In which power of ten readings are stored as whole numbers, which TimescaleDB compresses to a third.

A point keeps the most decimals that it has shown, so that neighbouring values stay comparable. A value that
is no short decimal, such as a float of 32 bits, is stored as it is.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from energy_center.store.pool import Database
from energy_center.store.reading_batch import ReadingBatch

Digits = NDArray[np.int16]
_MOST: Final = 6  # decimals
_EXACT: Final = 2.0**53  # whole numbers up to here are exact


@dataclass(frozen=True, slots=True)
class ShownDigits:
    """The most decimals that this process has seen of each point."""

    by_point: dict[int, int] = field(default_factory=dict)


def shown_digits(db: Database) -> ShownDigits:
    """Those of a pool."""
    held = db.facts.get(ShownDigits)
    if not isinstance(held, ShownDigits):
        held = db.facts[ShownDigits] = ShownDigits()
    return held


def digits_of(batch: ReadingBatch, shown: ShownDigits) -> Digits:
    """The decimals with which each row is stored, shape (n,): 0 where it is stored as it is."""
    needed = _needed(batch.value)
    points, row_of = np.unique(batch.point_id, return_inverse=True)
    most = np.array([shown.by_point.get(p, 0) for p in points.tolist()], np.int16)
    np.maximum.at(most, row_of, needed)
    shown.by_point.update(zip(points.tolist(), most.tolist(), strict=True))
    wanted = most[row_of]
    return np.where((needed >= 0) & _is_exact(batch.value, wanted), wanted, np.maximum(needed, 0))


def whole_numbers(value: NDArray[np.float64], digits: Digits) -> NDArray[np.float64]:
    """The values as they are stored."""
    return np.where(digits > 0, np.round(value * 10.0**digits), value)


def _needed(value: NDArray[np.float64]) -> Digits:
    """The fewest decimals that give each value exactly; -1 where so few do not."""
    needed = np.full(len(value), -1, np.int16)
    for digits in range(_MOST + 1):
        found = _is_exact(value, np.full(len(value), digits, np.int16))
        needed[(needed < 0) & found] = digits
        if (needed >= 0).all():
            break
    return needed


def _is_exact(value: NDArray[np.float64], digits: Digits) -> NDArray[np.bool_]:
    scale = 10.0**digits
    whole = np.round(value * scale)
    is_exact: NDArray[np.bool_] = (whole / scale == value) & (np.abs(whole) < _EXACT)
    return is_exact
