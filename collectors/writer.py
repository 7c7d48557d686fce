"""Drains the spool into the database: live readings first, then the backlog, none forgotten before commit.

At least once, and idempotent in the database, so a repeat changes nothing. While the database is away the
spool keeps everything on disk.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from collectors.circuit import full_jitter
from collectors.spool import Portion, Spool
from collectors.spool_file import Record
from energy_center.config.bindings import PointKey
from energy_center.errors import RetryLater

log = logging.getLogger(__name__)

LIVE_RECORDS = 2_000
BACKLOG_RECORDS = 500  # between two live portions, so that live readings wait for less than a second
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
        on_connected: Callable[[], Awaitable[None]],
        rng: random.Random | None = None,
    ) -> None:
        """`on_connected` runs after the store was reached again and before readings are written."""
        self.unknown = 0
        self._spool = spool
        self._store = store
        self._on_connected = on_connected
        self._rng = rng or random.Random()  # noqa: S311  spreads load, guards nothing
        self._ids: Mapping[PointKey, int] = {}
        self._id_arrays: dict[tuple[PointKey, ...], NDArray[np.int32]] = {}
        self._connected = False
        self._away_since: float | None = None
        self._attempt = 0
        self._stop = asyncio.Event()
        self._finishing = False

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
        self._ids = await self._store.point_ids()
        self._id_arrays.clear()
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

    def _lost(self, cause: Exception) -> None:
        self._connected = False
        self._spool.go_dark()
        if not isinstance(cause, RetryLater):
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
        return live is not None or backlog is not None

    async def _write(self, portion: Portion) -> None:
        columns = self._columns(portion.records)
        if len(columns.value):
            await self._store.write(columns, datetime.now(UTC), live=portion.live)
        self._spool.sent(portion)

    def _columns(self, records: Sequence[Record]) -> Columns:
        ids = [self._ids_of(r.keys) for r in records]
        point_id = np.concatenate(ids)
        value = np.concatenate([r.values for r in records])
        quality = np.concatenate([r.quality for r in records])
        at_us = np.repeat(
            np.array([r.at_us for r in records], dtype=np.int64), [len(r.keys) for r in records]
        )
        is_reading = np.isfinite(value)
        is_known = point_id > 0
        self.unknown += int((is_reading & ~is_known).sum())
        keep = is_reading & is_known
        return Columns(point_id[keep], at_us[keep], value[keep], quality[keep])

    def _ids_of(self, keys: tuple[PointKey, ...]) -> NDArray[np.int32]:
        ids = self._id_arrays.get(keys)
        if ids is None:
            ids = np.array([self._ids.get(key, 0) for key in keys], dtype=np.int32)
            self._id_arrays[keys] = ids
            if not ids.all():
                missing = ["/".join(k) for k, i in zip(keys, ids, strict=True) if not i]
                log.error(
                    "readings of points that the applied site does not have",
                    extra={"action": "unknown_points", "points": ", ".join(missing)},
                )
        return ids
