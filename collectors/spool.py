"""Readings on disk before anything else: a log of segments with group commit, and what of it is unsent.

`append` gives a future that is done once the record is on disk. Live records are handed to the writer from
memory as well; while the writer is away they are only on disk (the backlog) and are read from there later, so
live readings never queue behind old ones. Bounded by bytes and age: the oldest segment goes, and is counted.
While the disk takes nothing, live records go to the writer from memory alone.
"""

import asyncio
import errno
import logging
import os
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np

from collectors.spool_file import (
    MAGIC,
    Record,
    Sheet,
    block_body,
    ends_of,
    frame,
    layout_body,
    readings_in,
    sheet_body,
)
from collectors.spool_segment import (
    Segment,
    age_s,
    date_oldest,
    left_behind,
    new_file,
    unsent_in,
    write_through,
)
from energy_center.config.bindings import PointKey

log = logging.getLogger(__name__)

_PASSING = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EINTR)  # the machine's trouble, not the file's


@dataclass(frozen=True, slots=True)
class SpoolLimits:
    """`window_s` is how long records are gathered for one commit; `segment_age_s` bounds a replay."""

    max_bytes: int = 2 * 1024**3
    max_age_s: float = 30 * 86_400.0
    segment_bytes: int = 8 * 1024**2
    segment_age_s: float = 60.0
    window_s: float = 0.05
    live_records: int = 20_000
    pending_records: int = 50_000  # a disk that hangs: what comes on top is refused and counted
    clock_settles_s: float = 3_600.0  # after a start the clock may be wrong: no file is too old by it before

    @classmethod
    def within(cls, max_bytes: int) -> "SpoolLimits":
        """Limits for so many bytes; what is dropped when they are full is an eighth of them at most."""
        return cls(max_bytes=max_bytes, segment_bytes=min(cls().segment_bytes, max_bytes // 8))


@dataclass(frozen=True, slots=True)
class Portion:
    """Some records of one segment in order, to be stored together and then reported with `Spool.sent`."""

    records: tuple[Record, ...]
    segment: int
    end: int
    live: bool


@dataclass(slots=True)
class SpoolCounts:
    """In readings, since the process started; `commits` in writes to disk.

    `commit_s` is how long a write to disk takes, smoothed; `dropped_at` in UTC seconds, 0 for never.
    """

    committed: int = 0
    sent: int = 0
    dropped: int = 0
    commits: int = 0
    commit_s: float = 0.0
    dropped_at: float = 0.0
    unreadable_bytes: int = 0
    refused: int = 0

    def lose(self, readings: int) -> None:
        """Count what is gone for good."""
        self.dropped += readings
        self.dropped_at = time.time()

    def took(self, seconds: float) -> None:
        """Note the time of one write to disk; each new one counts an eighth."""
        self.commit_s += (seconds - self.commit_s) * (0.125 if self.commits else 1.0)


def _readings(records: Sequence[Record | Sheet]) -> int:
    return sum(int(np.isfinite(r.values).sum()) for r in records)


def _ours_alone(records: Iterable[Record | Sheet]) -> int:
    """Readings that nobody will send again."""
    return _readings([r for r in records if isinstance(r, Sheet) or not r.comes_again])


@dataclass(frozen=True, slots=True)
class _Unwritten:
    """Records of one commit that no disk took, in the writer's hands; `done` ends when they are stored."""

    records: tuple[Record, ...]
    done: asyncio.Future[None]


@dataclass(slots=True)
class _Open:
    """The segment being written. It is sealed only between two writes."""

    segment: Segment
    file: int
    layouts: dict[tuple[PointKey, ...], int] = field(default_factory=dict)

    def encoded(self, record: Record | Sheet) -> bytes:
        number, layout = self.layouts.get(record.keys), b""
        if number is None:
            number = self.layouts[record.keys] = len(self.layouts) + 1
            layout = frame(layout_body(number, record.keys))
        body = sheet_body(number, record) if isinstance(record, Sheet) else block_body(number, record)
        return layout + frame(body)


class Spool:
    """The log of one collector process. `run` commits; everything else is called from the same event loop."""

    def __init__(self, folder: Path, limits: SpoolLimits | None = None) -> None:
        """Take over what an earlier process left in the folder; it becomes backlog."""
        folder.mkdir(parents=True, exist_ok=True)
        self.counts = SpoolCounts()
        self.wake_writer = asyncio.Event()
        self._folder = folder
        self._limits = limits or SpoolLimits()
        self._pending: list[Record | Sheet] = []
        self._pending_instants = 0
        self._committed: asyncio.Future[None] | None = None
        self._wake_commit = asyncio.Event()
        self._is_live = False
        self._live: deque[tuple[int, int, Record]] = deque()
        self._backlog: tuple[int, deque[tuple[int, Record]]] | None = None
        self._open: _Open | None = None
        self._unwritten: dict[int, _Unwritten] = {}  # by numbers below 0, where segments' are above
        self._disk_takes = True
        self._is_writing = False
        self._seal_after_write = False
        self._stopping = False
        self._taken_over = time.monotonic()
        paths = sorted(p for p in folder.glob("*.log") if p.stem.isdecimal())
        self._segments = {int(p.stem): left_behind(p) for p in paths}
        date_oldest(self._segments.values())
        self._next = max(self._segments, default=0) + 1

    @property
    def backlog_bytes(self) -> int:
        """Bytes on disk that wait to be sent from there."""
        return sum(s.size - s.sent_to for s in self._segments.values() if not s.live)

    @property
    def oldest_unsent_at(self) -> float | None:
        """When the oldest reading that is not stored was measured, in UTC seconds; None when all are.

        Of a segment that nobody has read yet it is when the segment was begun.
        """
        oldest = [record.at_us / 1e6 for _, _, record in islice(self._live, 1)]
        segment = next((s for s in self._segments.values() if s.sent_to < s.size and not s.live), None)
        if segment is not None and self._backlog is not None and self._backlog[0] == segment.number:
            oldest += [record.at_us / 1e6 for _, record in islice(self._backlog[1], 1)]
        elif segment is not None:
            oldest.append(segment.first_at or segment.opened_at)
        return min(oldest, default=None)

    @property
    def is_live(self) -> bool:
        """Whether new records are handed over from memory."""
        return self._is_live

    def append(self, record: Record | Sheet) -> asyncio.Future[None]:
        """Queue a record for the next commit; the future ends when it is safe, or fails with OSError."""
        if self._pending_instants >= self._limits.pending_records:
            return self._refused(record)
        if self._committed is None:
            self._committed = asyncio.get_running_loop().create_future()
            # a caller that does not wait for the disk need not look at the outcome
            self._committed.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._pending.append(record)
        self._pending_instants += len(record.at_us) if isinstance(record, Sheet) else 1
        self._wake_commit.set()
        return self._committed

    def _refused(self, record: Record | Sheet) -> asyncio.Future[None]:
        self.counts.lose(_ours_alone([record]))
        refused: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        refused.set_exception(OSError(errno.EBUSY, "The disk does not keep up"))
        refused.exception()  # a caller that does not wait need not look
        return refused

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
        self._pending, self._pending_instants, self._committed = [], 0, None
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
            self._seal()
            self._tell_disk(cause)
            self._without_disk(_one_by_one(records), done, cause)
            return
        self._tell_disk(None)
        self.counts.commits += 1
        self.counts.committed += _readings(records)
        if not done.done():
            done.set_result(None)

    def _without_disk(self, records: tuple[Record, ...], done: asyncio.Future[None], cause: OSError) -> None:
        """Hand records to a writer at work from memory; without one they are lost, and counted."""
        if self._is_live and len(self._live) + len(records) <= self._limits.live_records:
            number = min(self._unwritten, default=0) - 1
            self._unwritten[number] = _Unwritten(records, done)
            self._live.extend((number, end, record) for end, record in enumerate(records, start=1))
            self.wake_writer.set()
            return
        self.counts.lose(_ours_alone(records))
        if not done.done():
            done.set_exception(cause)

    def _append_unwritten_again(self) -> None:
        """The writer is away: try the disk once more for what it had in hand."""
        unwritten, self._unwritten = self._unwritten, {}
        for waiting in unwritten.values():
            again = [self.append(record) for record in waiting.records][-1]
            again.add_done_callback(partial(_pass_on, to=waiting.done))

    async def _write(self, records: list[Record | Sheet]) -> None:
        into = self._open or self._start_segment()
        segment = into.segment
        chunks, ends, at = [], [], segment.size
        for record in records:
            chunks.append(into.encoded(record))
            at += len(chunks[-1])
            ends.append(at)
        self._is_writing = True
        began = time.monotonic()
        try:
            await asyncio.to_thread(write_through, into.file, b"".join(chunks))
        finally:
            self._is_writing = False
        self.counts.took(time.monotonic() - began)
        segment.size = at
        if segment.live:
            self._live.extend(_handed_over(segment.number, ends, records))
        if len(self._live) > self._limits.live_records:
            self.go_dark()
        if self._seal_after_write or self._is_full(segment):
            self._seal()
        self.wake_writer.set()

    def _is_full(self, segment: Segment) -> bool:
        too_old = segment.live and age_s(segment) > self._limits.segment_age_s
        return segment.size >= self._limits.segment_bytes or too_old

    def _start_segment(self) -> _Open:
        number, self._next = self._next, self._next + 1
        path = self._folder / f"{number:012d}.log"
        file = new_file(path)
        size = len(MAGIC)
        segment = Segment(number, path, size, time.time(), live=self._is_live, sent_to=size)
        segment.began = time.monotonic()
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

    def _forget_if_sent(self, segment: Segment) -> None:
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
        self._append_unwritten_again()

    def turn_over(self) -> int:
        """Let what is on disk be read from its first unsent record; give the number of its last segment."""
        self._backlog = None
        self._seal()
        return self._next - 1

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
                unread = await self._read(segment)
                if unread is None:
                    continue
                self._backlog = (segment.number, unread)
            waiting = self._backlog[1]
            if waiting:
                taken = [waiting.popleft() for _ in range(min(most, len(waiting)))]
                return Portion(tuple(r for _, r in taken), segment.number, taken[-1][0], live=False)
            # nothing more in it can be read: a torn tail, or nothing at all
            self.counts.unreadable_bytes += segment.size - max(segment.sent_to, len(MAGIC))
            segment.sent_to = segment.size
            self._forget_if_sent(segment)
        return None

    async def _read(self, segment: Segment) -> deque[tuple[int, Record]] | None:
        """What of a segment is not sent; None when it cannot be read, and others should not wait for it."""
        try:
            unread, damaged = await asyncio.to_thread(unsent_in, segment.path, segment.sent_to)
        except OSError as cause:
            if cause.errno in _PASSING:
                raise
            self._give_up(segment, cause)
            return None
        if damaged > segment.damaged_bytes:
            self.counts.unreadable_bytes += damaged - segment.damaged_bytes
            segment.damaged_bytes = damaged
            log.error(
                "part of a segment is damaged",
                extra={"action": "spool_damaged", "segment": segment.path.name, "octets": damaged},
            )
        return deque(unread)

    def _give_up(self, segment: Segment, cause: OSError) -> None:
        """Put a segment that cannot be read where a person can look at it, out of the way of the others."""
        self.counts.unreadable_bytes += segment.size - segment.sent_to
        log.error(
            "a segment cannot be read",
            extra={"action": "spool_unreadable", "segment": segment.path.name, "why": cause.strerror},
        )
        with suppress(OSError):
            segment.path.rename(segment.path.with_suffix(".unreadable"))
        self._segments.pop(segment.number, None)

    def _oldest_backlog(self) -> Segment | None:
        return next((s for s in self._segments.values() if s.sealed and not s.live), None)

    def sent(self, portion: Portion) -> None:
        """The portion is stored: forget it. Portions of a segment are sent in order."""
        self.counts.sent += _readings(portion.records)
        waiting = self._unwritten.get(portion.segment)
        if waiting is not None and portion.end == len(waiting.records):
            del self._unwritten[portion.segment]
            if not waiting.done.done():
                waiting.done.set_result(None)
        segment = self._segments.get(portion.segment)
        if segment is not None:
            segment.sent_to = max(segment.sent_to, portion.end)
            self._forget_if_sent(segment)

    async def _make_room(self) -> None:
        while (first := self._oldest_backlog()) is not None:
            total = sum(s.size for s in self._segments.values())
            if total <= self._limits.max_bytes and not self._is_too_old(first):
                return
            await self._drop(first)

    def _is_too_old(self, segment: Segment) -> bool:
        """By the monotonic clock, which nobody sets; by the other only where no other knows."""
        if segment.began is not None:
            return age_s(segment) > self._limits.max_age_s
        has_settled = time.monotonic() - self._taken_over >= self._limits.clock_settles_s
        return has_settled and time.time() - segment.opened_at > self._limits.max_age_s

    async def _drop(self, segment: Segment) -> None:
        lost = await asyncio.to_thread(readings_in, segment.path, segment.sent_to)
        self.counts.lose(lost)
        log.error("oldest readings dropped", extra={"action": "spool_dropped", "readings": lost})
        segment.path.unlink(missing_ok=True)
        self._segments.pop(segment.number, None)
        self._backlog = None

    async def _on_disk_error(self, cause: OSError) -> None:
        """Give up the half-written tail with its segment; where the disk is full, the oldest backlog too.

        Not for live records: they reach the writer from memory.
        """
        self._tell_disk(cause)
        self._seal()
        first = self._oldest_backlog()
        if first is None or self._is_live or cause.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise cause
        await self._drop(first)

    def _tell_disk(self, cause: OSError | None) -> None:
        """Say once that the disk takes nothing, and once that it takes readings again."""
        if self._disk_takes is (cause is None):
            return
        self._disk_takes = cause is None
        if cause is None:
            log.info("readings are written again", extra={"action": "spool_write_back"})
        else:
            log.error(
                "readings cannot be written", extra={"action": "spool_write_failed", "why": cause.strerror}
            )


def _one_by_one(records: Sequence[Record | Sheet]) -> tuple[Record, ...]:
    return tuple(r for some in records for r in (some.records() if isinstance(some, Sheet) else [some]))


def _handed_over(
    segment: int, ends: Sequence[int], records: Sequence[Record | Sheet]
) -> Iterator[tuple[int, int, Record]]:
    """Live records with the offsets of their ends, as `read_segment` gives them."""
    for end, some in zip(ends, records, strict=True):
        if isinstance(some, Sheet):
            yield from ((segment, at, record) for at, record in ends_of(some, end))
        else:
            yield segment, end, some


def _pass_on(outcome: "asyncio.Future[None]", *, to: "asyncio.Future[None]") -> None:
    if to.done():
        return
    if outcome.cancelled():
        to.cancel()
    elif (cause := outcome.exception()) is not None:
        to.set_exception(cause)
    else:
        to.set_result(None)
