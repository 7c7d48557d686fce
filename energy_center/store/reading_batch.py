"""Readings as columns: how they travel from a collector or a file to the database."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from energy_center.domain.readings import Reading
from energy_center.errors import Invalid

MICROSECOND: Final = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_us(at: datetime) -> int:
    """Microseconds since 1970 of an aware instant."""
    return (at - _EPOCH) // MICROSECOND


def from_us(at_us: int) -> datetime:
    """The instant of microseconds since 1970."""
    return _EPOCH + at_us * MICROSECOND


@dataclass(frozen=True, slots=True, eq=False)
class ReadingBatch:
    """Readings as columns, each of shape (n,): point ids, microseconds since 1970, values, quality flags."""

    point_id: NDArray[np.int32]
    at_us: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.int16]

    def __post_init__(self) -> None:
        """Refuse columns of different length and values that are not numbers: absence is absence."""
        if len({len(self.point_id), len(self.at_us), len(self.value), len(self.quality)}) > 1:
            raise Invalid("The columns of a batch differ in length")
        if not np.isfinite(self.value).all():
            raise Invalid("A batch holds a value that is not a finite number")

    def __len__(self) -> int:
        return len(self.value)

    @classmethod
    def of(cls, readings: Iterable[Reading]) -> Self:
        """Columns of single readings."""
        rows = list(readings)
        return cls(
            np.array([r.point_id for r in rows], np.int32),
            np.array([to_us(r.at) for r in rows], np.int64),
            np.array([r.value for r in rows], np.float64),
            np.array([r.quality for r in rows], np.int16),
        )

    def take(self, index: NDArray[np.intp]) -> "ReadingBatch":
        """These rows, in this order."""
        return ReadingBatch(self.point_id[index], self.at_us[index], self.value[index], self.quality[index])

    def in_key_order(self) -> "ReadingBatch":
        """By point, then time; of rows told twice for one instant the first."""
        order = np.lexsort((self.at_us, self.point_id))
        points, at = self.point_id[order], self.at_us[order]
        is_first = np.ones(len(order), bool)
        is_first[1:] = (points[1:] != points[:-1]) | (at[1:] != at[:-1])
        return self.take(order[is_first])

    def columns(self) -> tuple[list[int], list[float], list[int], list[int]]:
        """Times, values, points and qualities as arguments of a query."""
        return self.at_us.tolist(), self.value.tolist(), self.point_id.tolist(), self.quality.tolist()

    def newest(self) -> "ReadingBatch":
        """The newest row of each point, ordered by point."""
        order = np.lexsort((self.at_us, self.point_id))
        points = self.point_id[order]
        is_last = np.append(points[1:] != points[:-1], True) if len(points) else np.array([], bool)
        return self.take(order[is_last])
