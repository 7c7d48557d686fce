"""Live push: one listener per process, the newest reading of every point, at most four pushes a second.

A slow client never holds up another: what it has not taken yet is overwritten by what is newer.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from energy_center.domain.readings import PointId, Quality
    from energy_center.store.pool import Database

MIN_GAP_S = 0.25  # four pushes a second


@dataclass(frozen=True, slots=True)
class LiveValue:
    """The newest reading of a point, in its role's unit; `received_at` is when it was committed."""

    point_id: PointId
    at: datetime
    reading: float
    quality: Quality
    received_at: datetime


@dataclass(frozen=True, slots=True)
class LiveUpdate:
    """What one push carries. The first one is a full snapshot of the subscribed points.

    The three `…_changed` hints say that a page should ask again; `database_away` that nothing new can come.
    """

    sent_at: datetime
    is_snapshot: bool
    values: tuple[LiveValue, ...]
    alarms_changed: bool = False
    work_orders_changed: bool = False
    progress_changed: bool = False
    database_away: bool = False


class LiveFeed:
    """Keeps the newest reading of every point of the database behind `dsn`."""

    def __init__(self, dsn: str, db: Database, *, min_gap_s: float = MIN_GAP_S) -> None:
        raise NotImplementedError

    def running(self) -> AbstractAsyncContextManager[None]:
        """`async with feed.running():` listens inside the block; put it in the server's lifespan."""
        raise NotImplementedError

    def subscribe(self, point_ids: Iterable[PointId] | None = None) -> AsyncIterator[LiveUpdate]:
        """Updates of these points (None: all), first a full snapshot; close the iterator to end it.

        Without news an update with no values comes every 5 s, so that a client can tell silence from a break.
        """
        raise NotImplementedError

    def newest(self, point_ids: Iterable[PointId]) -> tuple[LiveValue, ...]:
        """What is known now, without asking the database."""
        raise NotImplementedError
