"""The spool's segment files: checksummed records, appended only; a torn tail is cut, all before it is kept.

A segment opens with a magic number. A record is length, CRC-32 and body. A body is a layout (the points of a
block, as JSON, before the block's first record in each segment) or a block (an instant, values, qualities).
"""

import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from collectors.driver import Qualities, Values
from energy_center.config.bindings import PointKey

MAGIC = b"ECSPOOL1"
_FRAME = struct.Struct("<II")
_LAYOUT = struct.Struct("<BI")
_BLOCK = struct.Struct("<BIqH")
_KIND_LAYOUT, _KIND_BLOCK = 1, 2
_LONGEST = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """Values of a block at one instant: `at_us` since 1970 in UTC; NaN where there was no reading."""

    keys: tuple[PointKey, ...]
    at_us: int
    values: Values
    quality: Qualities


def frame(body: bytes) -> bytes:
    """A body with its length and checksum."""
    return _FRAME.pack(len(body), zlib.crc32(body)) + body


def layout_body(number: int, keys: tuple[PointKey, ...]) -> bytes:
    """Says which points the records of this layout hold."""
    return _LAYOUT.pack(_KIND_LAYOUT, number) + json.dumps(keys, ensure_ascii=False).encode()


def block_body(number: int, record: Record) -> bytes:
    """One record of a layout that the segment has named before."""
    head = _BLOCK.pack(_KIND_BLOCK, number, record.at_us, len(record.keys))
    return head + record.values.astype("<f8").tobytes() + record.quality.astype("<i2").tobytes()


def read_segment(path: Path) -> Iterator[tuple[int, Record]]:
    """The records in order, each with the offset of its end; stops at the first torn or damaged one."""
    data = path.read_bytes()
    layouts: dict[int, tuple[PointKey, ...]] = {}
    offset = len(MAGIC) if data.startswith(MAGIC) else len(data)
    while offset + _FRAME.size <= len(data):
        length, checksum = _FRAME.unpack_from(data, offset)
        body = data[offset + _FRAME.size : offset + _FRAME.size + length]
        if not 0 < length <= _LONGEST or len(body) < length or zlib.crc32(body) != checksum:
            return
        offset += _FRAME.size + length
        if body[0] == _KIND_LAYOUT:
            _, number = _LAYOUT.unpack_from(body)
            layouts[number] = tuple((str(e), str(p)) for e, p in json.loads(body[_LAYOUT.size :]))
        else:
            yield offset, _record(body, layouts)


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
