"""Readings on disk before anything else: a log of segments with group commit, and what of it is unsent.

`append` gives a future that is done once the record is on disk. Live records are handed to the writer from
memory as well; while the writer is away they are only on disk (the backlog) and are read from there later, so
live readings never queue behind old ones. Bounded by bytes and age: the oldest segment goes, and is counted.
"""

import asyncio
import logging
import os
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from collectors.spool_file import MAGIC, Record, block_body, frame, layout_body, read_segment, readings_in
from energy_center.config.bindings import PointKey

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SpoolLimits:
    """`window_s` is how long records are gathered for one commit; `segment_age_s` bounds a replay."""

    max_bytes: int = 2 * 1024**3
    max_age_s: float = 30 * 86_400.0
    segment_bytes: int = 8 * 1024**2
    segment_age_s: float = 60.0
    window_s: float = 0.05
    live_records: int = 20_000


@dataclass(slots=True)
class _Segment:
    """`sent_to`: everything before this offset is stored. `live`: its records are handed over from memory."""

    number: int
    path: Path
    size: int
    opened_at: float
    sealed: bool = False
    live: bool = False
    sent_to: int = 0


@dataclass(frozen=True, slots=True)
class Portion:
    """Some records of one segment in order, to be stored together and then reported with `Spool.sent`."""

    records: tuple[Record, ...]
    segment: int
    end: int
    live: bool


@dataclass(slots=True)
class SpoolCounts:
    """In readings, since the process started; `commits` in writes to disk."""

    committed: int = 0
    sent: int = 0
    dropped: int = 0
    commits: int = 0


def _readings(records: list[Record] | tuple[Record, ...]) -> int:
    return sum(int(np.isfinite(r.values).sum()) for r in records)


@dataclass(slots=True)
class _Open:
    """The segment being written. It is sealed only between two writes."""

    segment: _Segment
    file: int
    layouts: dict[tuple[PointKey, ...], int] = field(default_factory=dict)

    def encoded(self, record: Record) -> bytes:
        number = self.layouts.get(record.keys)
        if number is not None:
            return frame(block_body(number, record))
        number = self.layouts[record.keys] = len(self.layouts) + 1
        return frame(layout_body(number, record.keys)) + frame(block_body(number, record))


class Spool:
    """The log of one collector process. `run` commits; everything else is called from the same event loop."""

    def __init__(self, folder: Path, limits: SpoolLimits | None = None) -> None:
        """Take over what an earlier process left in the folder; it becomes backlog."""
        folder.mkdir(parents=True, exist_ok=True)
        self.counts = SpoolCounts()
        self.wake_writer = asyncio.Event()
        self._folder = folder
        self._limits = limits or SpoolLimits()
        self._pending: list[Record] = []
        self._committed: asyncio.Future[None] | None = None
        self._wake_commit = asyncio.Event()
        self._is_live = False
        self._live: deque[tuple[int, int, Record]] = deque()
        self._backlog: tuple[int, deque[tuple[int, Record]]] | None = None
        self._open: _Open | None = None
        self._is_writing = False
        self._seal_after_write = False
        self._stopping = False
        self._segments = {int(p.stem): _left_behind(p) for p in sorted(folder.glob("*.log"))}
        self._next = max(self._segments, default=0) + 1

    @property
    def backlog_bytes(self) -> int:
        """Bytes on disk that wait to be sent from there."""
        return sum(s.size - s.sent_to for s in self._segments.values() if not s.live)

    @property
    def is_live(self) -> bool:
        """Whether new records are handed over from memory."""
        return self._is_live

    def append(self, record: Record) -> asyncio.Future[None]:
        """Queue a record for the next commit; the future ends when it is on disk, or fails with OSError."""
        if self._committed is None:
            self._committed = asyncio.get_running_loop().create_future()
            # a caller that does not wait for the disk need not look at the outcome
            self._committed.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._pending.append(record)
        self._wake_commit.set()
        return self._committed

    async def run(self) -> None:
        """Commit what is appended within `window_s` until `stop` is called; then commit the rest and seal."""
        while not self._stopping:
            await self._wake_commit.wait()
            await asyncio.sleep(self._limits.window_s)
            await self._commit()
        await self._commit()
        self._seal()

    def stop(self) -> None:
        """Let `run` finish; nothing is appended afterwards."""
        self._stopping = True
        self._wake_commit.set()

    async def _commit(self) -> None:
        records, done = self._pending, self._committed
        self._pending, self._committed = [], None
        self._wake_commit.clear()
        if not records or done is None:
            return
        try:
            await self._make_room()
            try:
                await self._write(records)
            except OSError as cause:
                await self._on_disk_error(cause)
                await self._write(records)
        except OSError as cause:
            self.counts.dropped += _readings(records)
            self._seal()
            done.set_exception(cause)
            return
        self.counts.commits += 1
        self.counts.committed += _readings(records)
        if not done.done():
            done.set_result(None)

    async def _write(self, records: list[Record]) -> None:
        into = self._open or self._start_segment()
        segment = into.segment
        chunks, ends, at = [], [], segment.size
        for record in records:
            chunks.append(into.encoded(record))
            at += len(chunks[-1])
            ends.append(at)
        self._is_writing = True
        try:
            await asyncio.to_thread(_write_through, into.file, b"".join(chunks))
        finally:
            self._is_writing = False
        segment.size = at
        if segment.live:
            self._live.extend((segment.number, end, r) for end, r in zip(ends, records, strict=True))
        if len(self._live) > self._limits.live_records:
            self.go_dark()
        if self._seal_after_write or self._is_full(segment):
            self._seal()
        self.wake_writer.set()

    def _is_full(self, segment: _Segment) -> bool:
        too_old = segment.live and time.time() - segment.opened_at > self._limits.segment_age_s
        return segment.size >= self._limits.segment_bytes or too_old

    def _start_segment(self) -> _Open:
        number, self._next = self._next, self._next + 1
        path = self._folder / f"{number:012d}.log"
        file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o640)
        os.write(file, MAGIC)
        _sync_folder(self._folder)
        size = len(MAGIC)
        segment = _Segment(number, path, size, time.time(), live=self._is_live, sent_to=size)
        self._segments[number] = segment
        self._open = _Open(segment, file)
        return self._open

    def _seal(self) -> None:
        """Close the segment being written, after the write under way."""
        self._seal_after_write = self._is_writing
        if self._open is None or self._is_writing:
            return
        os.close(self._open.file)
        segment, self._open = self._open.segment, None
        segment.sealed = True
        self._forget_if_sent(segment)

    def _forget_if_sent(self, segment: _Segment) -> None:
        if segment.sealed and segment.sent_to >= segment.size:
            segment.path.unlink(missing_ok=True)
            self._segments.pop(segment.number, None)

    def go_live(self) -> None:
        """The writer is connected: what is appended from now on is handed to it from memory."""
        if not self._is_live:
            self._is_live = True
            self._seal()

    def go_dark(self) -> None:
        """The writer is away or too slow: what it has not stored is read from disk when it asks again."""
        self._is_live = False
        self._live.clear()
        self._backlog = None
        for segment in self._segments.values():
            segment.live = False
        self._seal()

    def next_live(self, most: int) -> Portion | None:
        """The oldest live records, of one segment."""
        if not self._live:
            return None
        segment, end, _ = self._live[0]
        records: list[Record] = []
        while self._live and self._live[0][0] == segment and len(records) < most:
            _, end, record = self._live.popleft()
            records.append(record)
        return Portion(tuple(records), segment, end, live=True)

    async def next_backlog(self, most: int) -> Portion | None:
        """The oldest records on disk that were not sent, of one segment; None when there are none."""
        while (segment := self._oldest_backlog()) is not None:
            if self._backlog is None or self._backlog[0] != segment.number:
                unread = await asyncio.to_thread(_unsent, segment.path, segment.sent_to)
                self._backlog = (segment.number, deque(unread))
            waiting = self._backlog[1]
            if waiting:
                taken = [waiting.popleft() for _ in range(min(most, len(waiting)))]
                return Portion(tuple(r for _, r in taken), segment.number, taken[-1][0], live=False)
            segment.sent_to = segment.size  # nothing more in it can be read: a torn tail, or nothing at all
            self._forget_if_sent(segment)
        return None

    def _oldest_backlog(self) -> _Segment | None:
        return next((s for s in self._segments.values() if s.sealed and not s.live), None)

    def sent(self, portion: Portion) -> None:
        """The portion is stored: forget it. Portions of a segment are sent in order."""
        self.counts.sent += _readings(portion.records)
        segment = self._segments.get(portion.segment)
        if segment is not None:
            segment.sent_to = max(segment.sent_to, portion.end)
            self._forget_if_sent(segment)

    async def _make_room(self) -> None:
        oldest_allowed = time.time() - self._limits.max_age_s
        while (first := self._oldest_backlog()) is not None:
            total = sum(s.size for s in self._segments.values())
            if total <= self._limits.max_bytes and first.opened_at >= oldest_allowed:
                return
            await self._drop(first)

    async def _drop(self, segment: _Segment) -> None:
        lost = await asyncio.to_thread(readings_in, segment.path, segment.sent_to)
        self.counts.dropped += lost
        log.error("oldest readings dropped", extra={"action": "spool_dropped", "readings": lost})
        segment.path.unlink(missing_ok=True)
        self._segments.pop(segment.number, None)
        self._backlog = None

    async def _on_disk_error(self, cause: OSError) -> None:
        """Give up the half-written tail with its segment, and the oldest backlog to make room."""
        log.error("readings cannot be written", extra={"action": "spool_write_failed", "why": cause.strerror})
        self._seal()
        first = self._oldest_backlog()
        if first is not None:
            await self._drop(first)


def _left_behind(path: Path) -> _Segment:
    facts = path.stat()
    return _Segment(int(path.stem), path, facts.st_size, facts.st_mtime, sealed=True)


def _write_through(file: int, chunk: bytes) -> None:
    view = memoryview(chunk)
    while view:
        view = view[os.write(file, view) :]
    os.fdatasync(file)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unsent(path: Path, from_offset: int) -> list[tuple[int, Record]]:
    return [(end, record) for end, record in read_segment(path) if end > from_offset]
