"""Trends: series at the grain that fits the pixels, with the min-max band, gaps kept as gaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from energy_center.domain.quantities import Kind, Role
from energy_center.domain.readings import PointId
from energy_center.domain.site import Text
from energy_center.store.pool import Database


@dataclass(frozen=True, slots=True)
class Trend:
    """One point over [start, end).

    `at`, `value`, `low`, `high` have equal length; `at` is aware UTC, the start of each bucket or the time of
    a raw reading. Gauges and states: mean with its band. Counters: consumption per bucket of `bucket_s`
    seconds, no band. A None value is a gap: draw no line across it. `coverage` is the measured share 0..1 of
    [start, end). `simulated` are the spans [from, to) whose readings are back-filled demo history.
    """

    point_id: PointId
    equipment_id: str
    equipment_name: Text
    name: str
    role: Role
    kind: Kind
    unit: str
    grain: str  # raw | 15min | hour | day
    bucket_s: float
    at: tuple[datetime, ...]
    value: tuple[float | None, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]
    coverage: float
    simulated: tuple[tuple[datetime, datetime], ...]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return all(v is None for v in self.value)


async def read_trend(
    db: Database, point_ids: Sequence[PointId], start: datetime, end: datetime, *, max_points: int = 1200
) -> list[Trend]:
    """Series in the order asked for. Raises NotFound for an unknown point, Invalid for start >= end."""
    raise NotImplementedError
