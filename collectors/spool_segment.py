"""The spool's segments as files on disk: opened, written through to the disk, taken over, read again."""

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from collectors.spool_file import MAGIC, Record, read_segment


@dataclass(slots=True)
class Segment:
    """`sent_to`: everything before this offset is stored. `live`: its records are handed over from memory.

    `first_at` is the stamp of its first record in UTC seconds, None where nobody has looked.
    """

    number: int
    path: Path
    size: int
    opened_at: float
    sealed: bool = False
    live: bool = False
    sent_to: int = 0
    first_at: float | None = None
    began: float | None = None  # on the monotonic clock; None of a segment that an earlier process left
    damaged_bytes: int = 0


def left_behind(path: Path) -> Segment:
    """A segment of an earlier process; raises OSError."""
    facts = path.stat()
    return Segment(int(path.stem), path, facts.st_size, facts.st_mtime, sealed=True)


def age_s(segment: Segment) -> float:
    """How long ago it was begun, by the monotonic clock; 0 of one that was taken over."""
    return 0.0 if segment.began is None else time.monotonic() - segment.began


def date_oldest(segments: Iterable[Segment]) -> None:
    """Learn from its first record when the oldest was begun; for the others their last write will do."""
    for oldest in islice(segments, 1):
        with suppress(OSError):  # whoever reads it later says so
            oldest.first_at = next((record.at_us / 1e6 for _, record in read_segment(oldest.path)), None)


def new_file(path: Path) -> int:
    """A segment's file with its magic number on disk; nothing is left open or behind when that fails."""
    file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o640)
    try:
        os.write(file, MAGIC)
        _sync_folder(path.parent)
    except OSError:
        os.close(file)
        path.unlink(missing_ok=True)
        raise
    return file


def write_through(file: int, chunk: bytes) -> None:
    """Write all, and wait until the disk has it; raises OSError."""
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


def unsent_in(path: Path, from_offset: int) -> tuple[list[tuple[int, Record]], int]:
    """The records after an offset, each with its end, and how many octets among them are damaged."""
    damaged = 0

    def note(at: int, octets: int) -> None:
        nonlocal damaged
        damaged += octets if at >= from_offset else 0

    unsent = [(end, record) for end, record in read_segment(path, note) if end > from_offset]
    return unsent, damaged
