"""The spool's segment files: checksummed records, appended only; a torn tail is cut, the rest is kept.

A segment opens with a magic number. A record is length, CRC-32 and body. A body is a layout (the points of a
block, as JSON, before the block's first record in each segment), a block (an instant, values, qualities) or a
sheet (several instants of one block, their values, their qualities unless all are good).
"""

import json
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from collectors.driver import Qualities, Values
from energy_center.config.bindings import PointKey

MAGIC = b"ECSPOOL1"
_FRAME = struct.Struct("<II")
_LAYOUT = struct.Struct("<BI")
_BLOCK = struct.Struct("<BIqH")
_SHEET = struct.Struct("<BIIH?")
_KINDS = _KIND_LAYOUT, _KIND_BLOCK, _KIND_SHEET = 1, 2, 3
_LONGEST = 16 * 1024 * 1024
_WINDOW = 64 * 1024  # octets that are searched at once


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """Values of a block at one instant: `at_us` since 1970 in UTC; NaN where there was no reading.

    `comes_again`: its sender keeps it until it is told that we have it, so it is not lost with us.
    """

    keys: tuple[PointKey, ...]
    at_us: int
    values: Values
    quality: Qualities
    comes_again: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """Values of a block at k instants: `at_us` of shape (k,), `values` and `quality` of shape (k, n)."""

    keys: tuple[PointKey, ...]
    at_us: NDArray[np.int64]
    values: Values
    quality: Qualities

    def records(self) -> list[Record]:
        """One for each instant."""
        rows = zip(self.at_us.tolist(), self.values, self.quality, strict=True)
        return [Record(self.keys, at_us, values, quality) for at_us, values, quality in rows]


def frame(body: bytes) -> bytes:
    """A body with its length and checksum."""
    return _FRAME.pack(len(body), zlib.crc32(body)) + body


def layout_body(number: int, keys: tuple[PointKey, ...]) -> bytes:
    """Says which points the records of this layout hold."""
    return _LAYOUT.pack(_KIND_LAYOUT, number) + json.dumps(keys, ensure_ascii=False).encode()


def block_body(number: int, record: Record) -> bytes:
    """One record of a layout that the segment has named before."""
    head = _BLOCK.pack(_KIND_BLOCK, number, record.at_us, len(record.keys))
    return (
        head
        + record.values.astype("<f8", copy=False).tobytes()
        + record.quality.astype("<i2", copy=False).tobytes()
    )


def sheet_body(number: int, sheet: Sheet) -> bytes:
    """Several records of a layout that the segment has named before."""
    instants, points = sheet.values.shape
    flagged = bool(sheet.quality.any())
    parts = [
        _SHEET.pack(_KIND_SHEET, number, instants, points, flagged),
        sheet.at_us.astype("<i8", copy=False).tobytes(),
        sheet.values.astype("<f8", copy=False).tobytes(),
    ]
    return b"".join([*parts, sheet.quality.astype("<i2", copy=False).tobytes()] if flagged else parts)


def read_segment(
    path: Path, on_damage: Callable[[int, int], None] = lambda _at, _octets: None
) -> Iterator[tuple[int, Record]]:
    """The records in order, each with the offset of its end; a torn tail is cut.

    What is damaged in the middle is told to `on_damage` by offset and octets, and reading goes on with the
    next whole record. Of a sheet only the last record ends where the sheet does; the others get offsets
    inside it. Raises OSError.
    """
    layouts: dict[int, tuple[PointKey, ...]] = {}
    for start, end, body in _bodies(path.read_bytes(), on_damage):
        try:
            found = _found_in(body, end, layouts)
        except (KeyError, ValueError, TypeError, struct.error):  # its layout was lost, or a program's mistake
            on_damage(start, end - start)
            continue
        yield from found


def _found_in(
    body: bytes, end: int, layouts: dict[int, tuple[PointKey, ...]]
) -> Sequence[tuple[int, Record]]:
    """The records of one body; a layout is noted."""
    if body[0] == _KIND_LAYOUT:
        _, number = _LAYOUT.unpack_from(body)
        layouts[number] = tuple((str(e), str(p)) for e, p in json.loads(body[_LAYOUT.size :]))
        return ()
    if body[0] == _KIND_SHEET:
        return list(ends_of(_sheet(body, layouts), end))
    return [(end, _record(body, layouts))]


def _bodies(data: bytes, on_damage: Callable[[int, int], None]) -> Iterator[tuple[int, int, bytes]]:
    """Whole bodies with the offsets where their frames begin and end."""
    offset = len(MAGIC) if data.startswith(MAGIC) else 0
    while offset + _FRAME.size <= len(data):
        body = _whole(data, offset)
        if body is None:
            following = _next_whole(data, offset + 1)
            if following is None:
                return
            on_damage(offset, following - offset)
            offset = following
            continue
        end = offset + _FRAME.size + len(body)
        yield offset, end, body
        offset = end


def _whole(data: bytes, offset: int) -> bytes | None:
    length, checksum = _FRAME.unpack_from(data, offset)
    body = data[offset + _FRAME.size : offset + _FRAME.size + length]
    is_whole = 0 < length <= _LONGEST and len(body) == length and zlib.crc32(body) == checksum
    return body if is_whole and body[0] in _KINDS else None


def _next_whole(data: bytes, start: int) -> int | None:
    """Where the next whole frame begins: every offset whose length and kind can be one is tried."""
    last = len(data) - _FRAME.size  # offsets before this one have room for a frame
    while start < last:
        window = np.frombuffer(data, np.uint8, min(_WINDOW, last - start) + _FRAME.size, start)
        places = len(window) - _FRAME.size
        length = sum(window[i : i + places].astype(np.int64) << (8 * i) for i in range(4))
        room = last - start - np.arange(places)
        fits = (length > 0) & (length <= room) & np.isin(window[_FRAME.size :], _KINDS)
        for place in np.flatnonzero(fits).tolist():
            if _whole(data, start + place) is not None:
                return int(start + place)
        start += places
    return None


def ends_of(sheet: Sheet, end: int) -> Iterator[tuple[int, Record]]:
    """A sheet's records in order, the last with its end, the others with rising offsets inside it."""
    records = sheet.records()
    return zip(range(end - len(records) + 1, end + 1), records, strict=True)


def _sheet(body: bytes, layouts: dict[int, tuple[PointKey, ...]]) -> Sheet:
    _, number, k, n, flagged = _SHEET.unpack_from(body)
    at_us = np.frombuffer(body, "<i8", k, _SHEET.size)
    values = np.frombuffer(body, "<f8", k * n, _SHEET.size + 8 * k).reshape(k, n)
    if not flagged:
        return Sheet(layouts[number], at_us, values, np.zeros((k, n), dtype=np.int16))
    quality = np.frombuffer(body, "<i2", k * n, _SHEET.size + 8 * k + 8 * k * n).reshape(k, n)
    return Sheet(layouts[number], at_us, values, quality)


def _record(body: bytes, layouts: dict[int, tuple[PointKey, ...]]) -> Record:
    _, number, at_us, n = _BLOCK.unpack_from(body)
    values = np.frombuffer(body, "<f8", n, _BLOCK.size)
    quality = np.frombuffer(body, "<i2", n, _BLOCK.size + 8 * n)
    return Record(layouts[number], at_us, values, quality)


def readings_in(path: Path, from_offset: int = 0) -> int:
    """How many values a segment holds after an offset; 0 when it cannot be read."""
    try:
        return sum(int(np.isfinite(r.values).sum()) for end, r in read_segment(path) if end > from_offset)
    except OSError:
        return 0
