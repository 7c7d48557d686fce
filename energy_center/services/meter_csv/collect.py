"""The two passes over a file: evidence first, then values; both stream, whatever the file's size."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from energy_center.services.meter_csv.columns import Chosen
from energy_center.services.meter_csv.dates import DateEvidence, day_in_order, fixed_day, words
from energy_center.services.meter_csv.layout import Layout, read_rows
from energy_center.services.meter_csv.model import BadCell, DateOrder, FloatArray
from energy_center.services.meter_csv.numbers import NumberEvidence, parse_number
from energy_center.services.meter_csv.stamps import (
    A_TIME,
    DAY_S,
    BadStamp,
    Stamp,
    number_stamp,
    split_stamp,
)

SHOWN = 100


@dataclass(frozen=True, slots=True)
class Cell:
    """One value with its stamp, as written."""

    line: int
    stamp: str
    text: str
    column: str


@dataclass(slots=True)
class Mistakes:
    """Cells that could not be used: the first are kept, all are counted."""

    shown: list[BadCell] = field(default_factory=list)
    count: int = 0

    def add(self, line: int, column: str, found: str, expected: str) -> None:
        """Take one."""
        self.count += 1
        if len(self.shown) < SHOWN:
            self.shown.append(BadCell(line, column, found.strip(), expected))


def cells_of(path: Path, layout: Layout, chosen: Chosen, mistakes: Mistakes) -> Iterator[Cell]:
    """Every value of the file in its order; a line with too few or too many cells is a mistake."""
    columns = _value_columns(layout, chosen)
    least = max(chosen.time, chosen.date or 0, *(c for c, _, _ in columns), *chosen.only)
    width = len(layout.heading)
    for line, row in read_rows(path, layout):
        if len(row) <= least or (len(row) > width and any(map(str.strip, row[width:]))):
            mistakes.add(line, "line", layout.delimiter.join(row)[:60], _cells_expected(layout, len(row)))
            continue
        if any(row[column].strip() != text for column, text in chosen.only.items()):
            continue
        stamp = (
            row[chosen.time]
            if chosen.date is None
            else f"{row[chosen.date].strip()} {row[chosen.time].strip()}"
        )
        for column, name, clock in columns:
            yield Cell(line, f"{stamp.strip()} {clock}" if clock else stamp, row[column], name)


def _value_columns(layout: Layout, chosen: Chosen) -> list[tuple[int, str, str]]:
    if chosen.value is not None:
        return [(chosen.value, layout.heading[chosen.value], "")]
    return [(column, clock, clock.strip()) for column, clock in layout.clock_columns]


def _cells_expected(layout: Layout, found: int) -> str:
    wanted = f"{len(layout.heading)} cells, there are {found}"
    is_comma = layout.delimiter == "," and found > len(layout.heading)
    return f"{wanted} (a decimal comma needs quotes, or another delimiter)" if is_comma else wanted


@dataclass(slots=True)
class Evidence:
    """What the whole file says of its dates and numbers."""

    dates: DateEvidence = field(default_factory=DateEvidence)
    numbers: NumberEvidence = field(default_factory=NumberEvidence)
    has_24_00: bool = False


def gather(path: Path, layout: Layout, chosen: Chosen) -> Evidence:
    """The first pass."""
    evidence, known = Evidence(), set[str]()
    for cell in cells_of(path, layout, chosen, Mistakes()):
        evidence.numbers.observe(cell.text, cell.line)
        head, _, tail = cell.stamp.strip().partition(" ")
        evidence.has_24_00 |= tail.startswith("24:")
        if head in known or chosen.is_number_stamp:
            continue
        found = split_stamp(cell.stamp)
        if isinstance(found, Stamp) and found.date_text:
            evidence.dates.observe(found.date_text, cell.line)
            evidence.has_24_00 |= found.clock_s == DAY_S
            if found.date_text == head:
                known.add(head)
    return evidence


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """The file as numbers, in its own order.

    `local_s`: wall-clock seconds since 1970; `offset_s`: seconds east of UTC, NaN for local time.
    """

    line: npt.NDArray[np.int64]
    local_s: FloatArray
    offset_s: FloatArray
    value: FloatArray
    empty: int

    def take(self, index: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> "Columns":
        """These rows, in this order."""
        return Columns(
            self.line[index], self.local_s[index], self.offset_s[index], self.value[index], self.empty
        )


def parse(
    path: Path, layout: Layout, chosen: Chosen, order: DateOrder | None, decimal: str, mistakes: Mistakes
) -> Columns:
    """The second pass."""
    clock = _StampReader(order, is_number=chosen.is_number_stamp)
    line, local, offset, value = array("q"), array("d"), array("d"), array("d")
    empty = 0
    for cell in cells_of(path, layout, chosen, mistakes):
        at = clock.read(cell.stamp)
        if isinstance(at, BadStamp):
            mistakes.add(cell.line, layout.heading[chosen.time], cell.stamp, at.expected)
            continue
        try:
            number = parse_number(cell.text, decimal)
        except ValueError:
            mistakes.add(cell.line, cell.column, cell.text, "a number")
            continue
        if number is None:
            empty += 1
            continue
        line.append(cell.line)
        local.append(at[0])
        offset.append(at[1])
        value.append(number)
    return Columns(np.array(line, np.int64), np.array(local), np.array(offset), np.array(value), empty)


class _StampReader:
    """Remembers dates and clocks that it has seen: a file has few of each."""

    def __init__(self, order: DateOrder | None, *, is_number: bool) -> None:
        self._order = order
        self._split = number_stamp if is_number else split_stamp
        self._days: dict[str, float] = {}
        self._clocks: dict[str, float] = {}

    def read(self, text: str) -> tuple[float, float] | BadStamp:
        """Wall-clock seconds since 1970, and seconds east of UTC (NaN for local time)."""
        head, _, tail = text.partition(" ")
        day_s, clock_s = self._days.get(head), self._clocks.get(tail)
        if day_s is not None and clock_s is not None:
            return day_s + clock_s, np.nan
        found = self._split(text)
        if isinstance(found, BadStamp):
            return found
        day = self._day(found.date_text)
        if day is None:
            expected = (
                f"{A_TIME}, written {words(self._order)}" if self._order and found.date_text else A_TIME
            )
            return BadStamp(expected)
        clock = found.clock_s or 0.0
        if found.date_text == head and found.offset_s is None:
            self._days[head], self._clocks[tail] = float(day * DAY_S), clock
        return day * DAY_S + clock, np.nan if found.offset_s is None else float(found.offset_s)

    def _day(self, text: str) -> int | None:
        if not text:
            return None
        fixed = fixed_day(text)
        if fixed is not None or self._order is None:
            return fixed
        return day_in_order(text, self._order)
