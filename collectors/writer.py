"""Drains the spool into the database: live readings first, then the backlog, none forgotten before commit.

At least once, and idempotent in the database, so a repeat changes nothing. While the database is away the
spool keeps everything on disk. What cannot be stored, of unknown points or from the future, is set aside.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from collectors.circuit import full_jitter
from collectors.driver import TUPLES_KNOWN
from collectors.set_aside import EARLIEST_US, FUTURE_US, SetAside
from collectors.spool import Portion, Spool
from collectors.spool_file import Record
from energy_center.config.bindings import PointKey
from energy_center.errors import RetryLater, TellUser

log = logging.getLogger(__name__)

LIVE_RECORDS = 2_000
BACKLOG_RECORDS = 500  # between two live portions, so that live readings wait for less than a second
ASK_AGAIN_S = 5.0  # for the numbers of points, while some are unknown
CAREFUL_S = 60.0  # after a write that was not accepted: what is refused is looked for
REFUSED_MOST = 20  # readings of one portion; a store that refuses more is at fault itself, and is waited for
PATIENCE_S = 15.0  # longest back-off: after an outage readings must not stay old for long


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Readings as columns, each of shape (n,): times in microseconds since 1970."""

    point_id: NDArray[np.int32]
    at_us: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.int16]


class Store(Protocol):
    """Where readings end up. Raises RetryLater while it is away."""

    async def point_ids(self) -> Mapping[PointKey, int]:
        """The number of every point that the database knows; empty before a site is applied."""

    async def write(self, columns: Columns, received_at: datetime, *, live: bool) -> int:
        """Store what is not stored yet."""


class Writer:
    """The one that takes from the spool. `run` until `stop`."""

    def __init__(
        self,
        spool: Spool,
        store: Store,
        aside: SetAside,
        on_connected: Callable[[], Awaitable[None]],
        rng: random.Random | None = None,
        ask_again_s: float = ASK_AGAIN_S,
    ) -> None:
        """`on_connected` runs after the store was reached again and before readings are written.

        The spools run elsewhere.
        """
        self._spool = spool
        self._aside = aside
        self._aside_until: int | None = None  # the last segment aside that may hold points known by now
        self._has_future = False
        self._asked_at = 0.0
        self._ask_again_s = ask_again_s
        self._store = store
        self._on_connected = on_connected
        self._rng = rng or random.Random()  # noqa: S311  spreads load, guards nothing
        self._ids: Mapping[PointKey, int] = {}
        self._id_arrays: dict[tuple[PointKey, ...], NDArray[np.int32]] = {}
        self._connected = False
        self._away_since: float | None = None
        self._attempt = 0
        self._careful_until = 0.0
        self._has_accepted = False  # anything since the last write that was not accepted
        self._stop = asyncio.Event()
        self._finishing = False

    @property
    def away_for_s(self) -> float | None:
        """How long the store has been away; None while it is not."""
        return None if self._away_since is None else time.monotonic() - self._away_since

    def ask_again(self) -> None:
        """The plant has changed: ask for the points' numbers as soon as one is not known."""
        self._asked_at = 0.0

    def stop(self) -> None:
        """Let `run` finish after the write under way; the rest stays in the spool."""
        self._stop.set()
        self._spool.wake_writer.set()

    def finish(self) -> None:
        """Let `run` end once nothing is left to write, or the store is away."""
        self._finishing = True
        self._spool.wake_writer.set()

    async def run(self) -> None:
        """Write until stopped."""
        while not self._stop.is_set():
            try:
                if not self._connected:
                    await self._connect()
                self._spool.wake_writer.clear()
                if await self._write_some() or self._stop.is_set():
                    continue
                if self._finishing:
                    return
                await self._spool.wake_writer.wait()
            except Exception as cause:  # noqa: BLE001  a task's outer loop: readings wait, whatever went wrong
                self._lost(cause)
                if self._finishing:
                    return
                await self._pause(full_jitter(self._attempt, self._rng, cap_s=PATIENCE_S))
                self._attempt += 1

    async def _pause(self, seconds: float) -> None:
        """Sleep, but wake up to stop."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stop.wait()

    async def _connect(self) -> None:
        await self._ask_ids()
        if not self._ids:
            raise RetryLater("No site is applied to the database yet")
        await self._on_connected()
        self._connected = True
        self._attempt = 0
        self._spool.go_live()
        if self._away_since is not None:
            log.info(
                "database back",
                extra={"action": "database_back", "after_s": round(time.monotonic() - self._away_since, 1)},
            )
            self._away_since = None

    async def _ask_ids(self) -> None:
        """Learn the points' numbers; where they changed, what was set aside is looked at again."""
        self._asked_at = time.monotonic()
        ids = await self._store.point_ids()
        if ids == self._ids:
            return
        self._ids = ids
        self._id_arrays.clear()
        self._aside_until = self._aside.unknown.turn_over()

    def _lost(self, cause: Exception) -> None:
        self._connected = False
        self._spool.go_dark()
        if not isinstance(cause, RetryLater | TellUser):
            self._careful_until = time.monotonic() + CAREFUL_S
            self._has_accepted = False
            log.error("readings not accepted", extra={"action": "write_failed"}, exc_info=cause)
        if self._away_since is None:
            self._away_since = time.monotonic()
            log.warning("database away", extra={"action": "database_away", "why": str(cause)})

    async def _write_some(self) -> bool:
        """Store one live portion and one of the backlog; False when both are empty."""
        live = self._spool.next_live(LIVE_RECORDS)
        if live is not None:
            await self._write(live)
        backlog = await self._spool.next_backlog(BACKLOG_RECORDS)
        if backlog is not None:
            await self._write(backlog)
        if not self._spool.is_live:  # there was more than memory holds: that is backlog now
            self._spool.go_live()
        return live is not None or backlog is not None or await self._write_aside()

    async def _write_aside(self) -> bool:
        """Store of what was set aside a portion whose points are known now; False when all was looked at."""
        if self._aside_until is None:
            return False
        portion = await self._aside.unknown.next_backlog(BACKLOG_RECORDS)
        if portion is None or portion.segment > self._aside_until:
            self._aside_until = None
            return False
        await self._store_known(portion)
        self._aside.unknown.sent(portion)
        return True

    async def _write(self, portion: Portion) -> None:
        if self._unknown(portion.records) and time.monotonic() - self._asked_at >= self._ask_again_s:
            await self._ask_ids()
        await self._store_known(await self._without_future(portion))
        self._spool.sent(portion)

    async def _without_future(self, portion: Portion) -> Portion:
        """The portion less what a wrong clock has stamped: in the future, or long ago."""
        until_us = time.time_ns() // 1000 + FUTURE_US
        future = [r for r in portion.records if not EARLIEST_US <= r.at_us <= until_us]
        if bool(future) is not self._has_future:
            self._has_future = bool(future)
            log.log(
                logging.ERROR if future else logging.INFO,
                "readings whose stamps cannot be right are set aside"
                if future
                else "no readings with impossible stamps any more",
                extra={"action": "future_stamps" if future else "future_stamps_over"},
            )
        if not future:
            return portion
        await _keep(self._aside.future, future)
        return replace(
            portion, records=tuple(r for r in portion.records if EARLIEST_US <= r.at_us <= until_us)
        )

    async def _store_known(self, portion: Portion) -> None:
        if not portion.records:
            return
        if time.monotonic() < self._careful_until:
            await self._store_carefully(portion)
        else:
            await self._store_at_once(portion)
        await _keep(self._aside.unknown, self._unknown(portion.records))

    async def _store_at_once(self, portion: Portion) -> None:
        columns = self._columns(portion.records)
        if len(columns.value):
            await self._store.write(columns, datetime.now(UTC), live=portion.live)
            self._has_accepted = True

    async def _store_carefully(self, portion: Portion) -> None:
        """Store all but the readings that the store refuses, so that none of them holds up the others."""
        refused: list[Record] = []
        cause = await self._store_but(portion, refused)
        if cause is None:
            return
        if not self._has_accepted:  # the fault may be the store's own
            raise cause
        await _keep(self._aside.refused, refused)
        self._spool.counts.refused += len(refused)
        self._spool.counts.lose(len(refused))
        log.error(
            "readings that the database refuses are set aside",
            extra={
                "action": "readings_refused",
                "readings": len(refused),
                "points": ", ".join(sorted({"/".join(r.keys[0]) for r in refused})),
            },
        )

    async def _store_but(self, portion: Portion, refused: list[Record]) -> Exception | None:
        """Note what is refused; give what was said against the last of it."""
        try:
            await self._store_at_once(portion)
        except (RetryLater, TellUser):
            raise
        except Exception as cause:  # whatever the store has against it
            halves = _halves(portion.records)
            if len(halves) > 1:
                said = [await self._store_but(replace(portion, records=half), refused) for half in halves]
                return said[1] or said[0]
            refused += portion.records
            if len(refused) > REFUSED_MOST:
                raise
            return cause
        return None

    def _columns(self, records: Sequence[Record]) -> Columns:
        ids = [self._ids_of(r.keys) for r in records]
        point_id = np.concatenate(ids)
        value = np.concatenate([r.values for r in records])
        quality = np.concatenate([r.quality for r in records])
        at_us = np.repeat(
            np.array([r.at_us for r in records], dtype=np.int64), [len(r.keys) for r in records]
        )
        keep = np.isfinite(value) & (point_id > 0)
        return Columns(point_id[keep], at_us[keep], value[keep], quality[keep])

    def _unknown(self, records: Sequence[Record]) -> list[Record]:
        """The part of each record whose points have no number."""
        found = []
        for record in records:
            ids = self._ids_of(record.keys)
            if ids.all():
                continue
            where = np.flatnonzero((ids == 0) & np.isfinite(record.values))
            if len(where):
                keys = tuple(record.keys[i] for i in where)
                found.append(Record(keys, record.at_us, record.values[where], record.quality[where]))
        return found

    def _ids_of(self, keys: tuple[PointKey, ...]) -> NDArray[np.int32]:
        ids = self._id_arrays.get(keys)
        if ids is None:
            ids = np.array([self._ids.get(key, 0) for key in keys], dtype=np.int32)
            if len(self._id_arrays) >= TUPLES_KNOWN:  # messages of what has changed name ever other points
                self._id_arrays.clear()
            self._id_arrays[keys] = ids
            if not ids.all():
                missing = ["/".join(k) for k, i in zip(keys, ids, strict=True) if not i]
                log.error(
                    "readings of points that the applied site does not have are set aside",
                    extra={"action": "unknown_points", "points": ", ".join(missing)},
                )
        return ids


def _halves(records: Sequence[Record]) -> list[tuple[Record, ...]]:
    """Two parts of some records, or of the readings of one; itself where it is a single reading."""
    if len(records) > 1:
        middle = len(records) // 2
        return [tuple(records[:middle]), tuple(records[middle:])]
    (record,) = records
    present = np.flatnonzero(np.isfinite(record.values))
    if len(present) < 2:  # noqa: PLR2004  cannot be cut
        return [(record,)]
    parts = np.array_split(present, 2)
    return [
        (
            Record(
                tuple(record.keys[i] for i in part), record.at_us, record.values[part], record.quality[part]
            ),
        )
        for part in parts
    ]


async def _keep(spool: Spool, records: Sequence[Record]) -> None:
    """Wait until these are on disk; what cannot be kept the spool counts, and says so."""
    futures = [spool.append(record) for record in records]
    if futures:
        with suppress(OSError):
            await futures[-1]
