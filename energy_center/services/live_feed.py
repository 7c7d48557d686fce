"""Live push: one listener per process, the newest reading of every point, at most four pushes a second.

A slow client never holds up another: what it has not taken yet is overwritten by what is newer.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from energy_center.domain.readings import PointId, Quality
from energy_center.errors import DatabaseAway
from energy_center.store.latest import Latest, changed_since
from energy_center.store.listen import RECONNECTED, listen
from energy_center.store.pool import Database

log = logging.getLogger(__name__)

MIN_GAP_S = 0.25  # four pushes a second
HEARTBEAT_S = 5.0
_FETCH_GAP_S = 0.05  # commits closer together than this are read at once
_AWAY_PAUSE_S = 0.5
_READINGS: Final = "readings"
_CHANNELS: Final = (_READINGS, "alarms", "work_orders", "progress")


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


@dataclass(eq=False, slots=True)
class _Subscriber:
    """What one client has not taken yet: at most one value a point, the newest."""

    wanted: frozenset[PointId] | None
    pending: dict[PointId, LiveValue] = field(default_factory=dict)
    hints: set[str] = field(default_factory=set)
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def offer(self, values: Iterable[LiveValue]) -> None:
        for value in values:
            if self.wanted is None or value.point_id in self.wanted:
                self.pending[value.point_id] = value
                self.wake.set()

    def hint(self, channel: str) -> None:
        self.hints.add(channel)
        self.wake.set()

    def take(self, *, is_snapshot: bool, database_away: bool) -> LiveUpdate:
        update = LiveUpdate(
            sent_at=datetime.now(UTC),
            is_snapshot=is_snapshot,
            values=tuple(self.pending.values()),
            alarms_changed="alarms" in self.hints,
            work_orders_changed="work_orders" in self.hints,
            progress_changed="progress" in self.hints,
            database_away=database_away,
        )
        self.pending.clear()
        self.hints.clear()
        self.wake.clear()
        return update


class LiveFeed:
    """Keeps the newest reading of every point of the database behind `dsn`."""

    def __init__(self, dsn: str, db: Database, *, min_gap_s: float = MIN_GAP_S) -> None:
        """`dsn` is for the listening connection, `db` for reading what changed; both outlive the feed."""
        self._dsn = dsn
        self._db = db
        self._min_gap_s = min_gap_s
        self._newest: dict[PointId, LiveValue] = {}
        self._batch = 0
        self._subscribers: set[_Subscriber] = set()
        self._news = asyncio.Event()
        self._loaded = asyncio.Event()
        self._away = False
        self._read_all = True

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """`async with feed.running():` listens inside the block; put it in the server's lifespan."""
        async with asyncio.TaskGroup() as tasks:
            both = (tasks.create_task(self._listen()), tasks.create_task(self._fetch()))
            try:
                yield
            finally:
                for task in both:
                    task.cancel()

    async def subscribe(self, point_ids: Iterable[PointId] | None = None) -> AsyncIterator[LiveUpdate]:
        """Updates of these points (None: all), first a full snapshot; close the iterator to end it.

        Without news an update with no values comes every 5 s, so that a client can tell silence from a break.
        """
        client = _Subscriber(None if point_ids is None else frozenset(point_ids))
        self._subscribers.add(client)
        try:
            await _wait(self._loaded, HEARTBEAT_S)
            client.offer(self._newest.values())
            yield client.take(is_snapshot=True, database_away=self._away or not self._loaded.is_set())
            while True:
                await asyncio.sleep(self._min_gap_s)
                await _wait(client.wake, HEARTBEAT_S)
                yield client.take(is_snapshot=False, database_away=self._away)
        finally:
            self._subscribers.discard(client)

    def newest(self, point_ids: Iterable[PointId]) -> tuple[LiveValue, ...]:
        """What is known now, without asking the database."""
        return tuple(self._newest[p] for p in point_ids if p in self._newest)

    async def _listen(self) -> None:
        async for channel, payload in listen(self._dsn, _CHANNELS):
            if channel == _READINGS:
                self._read_all |= payload == RECONNECTED
                self._news.set()
            else:
                for client in self._subscribers:
                    client.hint(channel)

    async def _fetch(self) -> None:
        while True:
            await _wait(self._news, HEARTBEAT_S)
            self._news.clear()
            read_all, self._read_all = self._read_all, False
            try:
                changed = await changed_since(self._db, 0 if read_all else self._batch)
            except (
                Exception
            ) as cause:  # the outer loop of a task: the server must outlive a database in repair
                if not isinstance(cause, DatabaseAway | TimeoutError):  # the driver's limit on a statement
                    log.exception("live values cannot be read", extra={"action": "feed_failed"})
                self._read_all = True
                self._tell_away(away=True)
                await asyncio.sleep(_AWAY_PAUSE_S)
                self._news.set()
                continue
            self._tell_away(away=False)
            if read_all:
                self._batch = 0  # a restored database counts its batches from an earlier number
            self._take(changed)
            self._loaded.set()
            await asyncio.sleep(_FETCH_GAP_S)

    def _take(self, changed: list[Latest]) -> None:
        fresh = []
        for latest in changed:
            self._batch = max(self._batch, latest.batch)
            value = LiveValue(latest.point_id, latest.at, latest.value, latest.quality, latest.received_at)
            if self._newest.get(latest.point_id) != value:
                self._newest[latest.point_id] = value
                fresh.append(value)
        for client in self._subscribers:
            client.offer(fresh)

    def _tell_away(self, *, away: bool) -> None:
        if self._away is away:
            return
        self._away = away
        log.info("live feed", extra={"action": "feed_away" if away else "feed_back"})
        for client in self._subscribers:
            client.wake.set()


async def _wait(event: asyncio.Event, seconds: float) -> None:
    """Until the event is set, but no longer than this."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
