"""The form of a text table: encoding, delimiter, where the heading ends and the data begin."""

import codecs
import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from energy_center.errors import ConfigError
from energy_center.services.meter_csv.model import CsvOptions
from energy_center.services.meter_csv.numbers import is_number
from energy_center.services.meter_csv.stamps import Stamp, number_stamp, split_stamp
from energy_center.services.meter_csv.units import unit_of

SAMPLE_LINES = 300
_CHUNK = 1 << 20
_BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_DELIMITERS = ("\t", ";", "|", ",")
_CLEARLY = 0.2  # of the lines: a title above the table does not decide
_LONGEST_UNIT = 12  # characters of a cell in a line of units
_WIDE_LEAST = 4  # clock times in the heading that make a table of days by times


@dataclass(frozen=True, slots=True)
class Layout:
    """`heading` holds the column names (numbers where the file has none), `units` the line below, if any.

    `first_line` is the number of the first data line. `sample` holds the first data lines' cells.
    `clock_columns`: (column, text) of a table that has one line a day and one column a time of day.
    """

    encoding: str
    delimiter: str
    heading: tuple[str, ...]
    units: tuple[str, ...]
    first_line: int
    sample: tuple[tuple[str, ...], ...]
    clock_columns: tuple[tuple[int, str], ...]


def find_layout(path: Path, options: CsvOptions) -> Layout:
    """Raises ConfigError where the file cannot be read or holds no table with times."""
    encoding = options.encoding or _encoding(path)
    try:
        with path.open(encoding=encoding, newline="") as text:
            lines = list(islice(text, SAMPLE_LINES))
    except (OSError, LookupError, UnicodeError) as cause:
        raise ConfigError([f"{path}:1: cannot be read as {encoding}: {cause}"]) from cause
    if not any(line.strip() for line in lines):
        raise ConfigError([f"{path}:1: the file is empty; expected a table with times and numbers"])
    delimiter = options.delimiter or _delimiter(lines)
    rows = list(csv.reader(lines, delimiter=delimiter))
    begins = next((i for i, row in enumerate(rows) if _is_data(row)), None)
    if begins is None:
        begins = next((i for i, row in enumerate(rows) if _is_numbered(row)), None)
    if begins is None:
        raise ConfigError(
            [
                f"{path}:1: no line holds a time such as 2026-11-24 08:15 and a number; "
                f"cells were split at {delimiter!r} (--delimiter says otherwise)"
            ]
        )
    heading, units = _heading(rows, begins)
    sample = tuple(tuple(row) for row in rows[begins:] if any(cell.strip() for cell in row))
    clocks = tuple((i, name) for i, name in enumerate(heading) if _is_clock(name))
    return Layout(
        encoding, delimiter, heading, units, begins + 1, sample, clocks if len(clocks) >= _WIDE_LEAST else ()
    )


def read_rows(path: Path, layout: Layout) -> Iterator[tuple[int, list[str]]]:
    """The data lines with their numbers, one at a time; empty ones are left out."""
    try:
        with path.open(encoding=layout.encoding, newline="") as text:
            reader = csv.reader(text, delimiter=layout.delimiter)
            before = 0
            for cells in reader:
                line, before = before + 1, reader.line_num  # a quoted cell may hold line breaks
                if line >= layout.first_line and any(map(str.strip, cells)):
                    yield line, cells
    except (OSError, UnicodeError, csv.Error) as cause:
        raise ConfigError([f"{path}: cannot be read as {layout.encoding}: {cause}"]) from cause


def _encoding(path: Path) -> str:
    """By its byte-order mark, else UTF-8 if all of it is, else Big5 (with Microsoft's additions)."""
    try:
        with path.open("rb") as raw:
            start = raw.read(3)
            for mark, name in _BOMS.items():
                if start.startswith(mark):
                    return name
            raw.seek(0)
            for name in ("utf-8", "cp950"):
                if _decodes(raw, name):
                    return name
                raw.seek(0)
    except OSError as cause:
        raise ConfigError([f"{path}: cannot be read: {cause.strerror or cause}"]) from cause
    return "cp1252"


def _decodes(raw: BinaryIO, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while chunk := raw.read(_CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _delimiter(lines: list[str]) -> str:
    """The mark that parts most lines into the same number of cells; a comma last: it may be a decimal one."""
    filled = [line for line in lines if line.strip()]
    best, best_share = ",", 0.0
    for mark in _DELIMITERS:
        counts = Counter(len(row) for row in csv.reader(filled, delimiter=mark))
        cells, many = max(counts.items(), key=lambda item: (item[0] > 1, item[1]))
        share = many / len(filled) if cells > 1 else 0.0
        if share > best_share + _CLEARLY:
            best, best_share = mark, share
    return best


def _is_data(row: list[str]) -> bool:
    """A date somewhere and a number elsewhere, or a date and only dashes."""
    dated = [i for i, cell in enumerate(row) if _has_date(cell)]
    return bool(dated) and any(
        is_number(cell) and not _has_date(cell) for i, cell in enumerate(row) if i not in dated
    )


def _is_numbered(row: list[str]) -> bool:
    """Times as numbers, such as seconds since 1970, and another number."""
    return isinstance(number_stamp(row[0]) if row else None, Stamp) and any(map(is_number, row[1:]))


def _has_date(cell: str) -> bool:
    found = split_stamp(cell) if len(cell.strip()) > 4 else None  # noqa: PLR2004 no date is shorter
    return isinstance(found, Stamp) and bool(found.date_text)


def _is_clock(name: str) -> bool:
    found = split_stamp(name) if name.strip() else None
    return isinstance(found, Stamp) and not found.date_text


def _heading(rows: list[list[str]], begins: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    width = len(rows[begins])
    above = [row for row in rows[:begins] if any(cell.strip() for cell in row)]
    units = above.pop() if len(above) > 1 and _are_units(above[-1]) else []
    tables = [row for row in above if sum(bool(cell.strip()) for cell in row) > 1 or width == 1]
    names: list[str] = tables[-1] if tables else []
    filled = [
        names[i].strip().lstrip("\ufeff") if i < len(names) else "" for i in range(max(width, len(names)))
    ]
    return (
        tuple(name or str(i + 1) for i, name in enumerate(filled)),
        tuple(units[i].strip() if i < len(units) else "" for i in range(len(filled))),
    )


def _are_units(row: list[str]) -> bool:
    filled = [cell for cell in row if cell.strip()]
    return (
        bool(filled)
        and any(unit_of(cell) for cell in filled)
        and all(len(cell.strip()) < _LONGEST_UNIT for cell in filled)
    )
