"""A map says which column of a file is which point, and what its numbers are; nothing is guessed.

Local times that occur twice when summer time ends are told apart by their order in the file; those that do
not exist are mistakes.
"""

import csv
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from pydantic import Field, model_validator

from energy_center.config.documents import read_yaml, validate
from energy_center.config.fields import Interval, Strict, ZoneName
from energy_center.domain.quantities import QUANTITIES
from energy_center.domain.site import Point, Site
from energy_center.domain.units import UnitMismatch, conversion
from energy_center.errors import ConfigError
from energy_center.services.import_series import Holds, Series
from energy_center.services.meter_csv.model import Stamp

FUTURE = timedelta(minutes=5)


class ColumnEntry(Strict):
    """`kWh: {equipment: ltb-main, point: energy_import, unit: MW.h}`; unit and scale of the file.

    `holds` is `sample` (the value at the stamp, as of a register), `mean` (over the interval) or `energy` (of
    the interval, in `unit`). A running register that is made of energies begins at
    `register_at_start`, in the point's unit.
    """

    equipment: str
    point: str
    unit: str | None = None
    scale: float = 1.0
    holds: Holds = Holds.SAMPLE
    register_at_start: float | None = Field(default=None, ge=0)


class MapFile(Strict):
    """How a file is written. `format` as in Python's strptime; without it times are ISO 8601.

    `stamp` is the end of its `interval` that a time names; both must be told where columns hold means or
    energies.
    """

    time: str
    zone: ZoneName = "Asia/Taipei"
    format: str | None = None
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    encoding: str = "utf-8-sig"
    stamp: Stamp | None = None
    interval: Interval | None = None
    columns: dict[str, ColumnEntry] = Field(min_length=1)

    @model_validator(mode="after")
    def _intervals_are_told(self) -> "MapFile":
        of_intervals = [n for n, c in self.columns.items() if c.holds is not Holds.SAMPLE]
        if of_intervals and (self.stamp is None or self.interval is None):
            raise ValueError(
                f"column '{of_intervals[0]}' holds values of intervals: say stamp (start or end) and interval"
            )
        return self


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the file: its point, and the line from the file's numbers to the point's unit."""

    name: str
    point: Point
    factor: float
    offset: float
    holds: Holds = Holds.SAMPLE
    register_at_start: float | None = None


@dataclass(slots=True)
class FileContent:
    """What a file holds: readings by point, empty cells, and every mistake."""

    series: list[Series] = field(default_factory=list)
    empty: int = 0
    errors: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Clock:
    """Turns a file's local times into instants, in the order of its lines."""

    zone: ZoneInfo
    pattern: str | None
    last: datetime | None = None

    def instant(self, written: str) -> datetime:
        """Raises ValueError for what is no time, or none of this zone."""
        local = datetime.strptime(written, self.pattern) if self.pattern else datetime.fromisoformat(written)  # noqa: DTZ007
        if local.tzinfo is not None:
            return local.astimezone(UTC)
        first = local.replace(tzinfo=self.zone).astimezone(UTC)
        if first.astimezone(self.zone).replace(tzinfo=None) != local:
            raise ValueError(f"a time that {self.zone.key} has, its clock skips this one")
        second = local.replace(tzinfo=self.zone, fold=1).astimezone(UTC)
        at = second if second != first and self.last is not None and first <= self.last else first
        self.last = at
        return at


def read_map(path: Path) -> MapFile:
    """Raises ConfigError with every mistake in it."""
    document = read_yaml(path)
    found = validate(document, MapFile)
    if found is None:
        raise ConfigError([str(m) for m in document.mistakes])
    return found


def read_by_map(file: Path, wanted: MapFile, site: Site, now: datetime) -> FileContent:
    """All readings of a file; raises ConfigError when its columns or points are not there."""
    columns = _columns(site, wanted)
    content = FileContent()
    rows: dict[str, list[tuple[int, float, float]]] = {column.name: [] for column in columns}
    for line, cells, at in _stamped(file, wanted, now, content):
        for column in columns:
            value = _number(file, line, column.name, cells.get(column.name), content)
            if value is not None:
                rows[column.name].append((line, at.timestamp(), value * column.factor + column.offset))
    for column in columns:
        found = np.array(rows[column.name], dtype=np.float64).reshape(-1, 3)
        content.series.append(
            Series(
                point=column.point,
                line=found[:, 0].astype(np.int64),
                at_s=found[:, 1],
                value=found[:, 2],
                holds=column.holds,
                interval_s=wanted.interval or 0.0,
                stamp=wanted.stamp or Stamp.START,
                register_at_start=column.register_at_start,
            )
        )
    return content


def _columns(site: Site, wanted: MapFile) -> list[Column]:
    points = {p.key: p for p in site.points()}
    found, mistakes = [], []
    for name, entry in wanted.columns.items():
        point = points.get((entry.equipment, entry.point))
        if point is None or point.point_id is None:
            mistakes.append(f"column '{name}': the site has no point {entry.equipment}/{entry.point}")
            continue
        try:
            linear = conversion(entry.unit or _own_unit(point, entry.holds), _own_unit(point, entry.holds))
        except UnitMismatch as cause:
            mistakes.append(f"column '{name}': {cause}")
            continue
        offset = linear(0.0)
        factor = (linear(1.0) - offset) * entry.scale
        found.append(Column(name, point, factor, offset, entry.holds, entry.register_at_start))
    if mistakes:
        raise ConfigError(mistakes)
    return found


def _own_unit(point: Point, holds: Holds) -> str:
    """The unit in which the file's numbers are taken over: an energy is one, whatever the point stores."""
    unit = QUANTITIES[point.role].unit
    return f"{unit}.h" if holds is Holds.ENERGY and unit in ("kW", "kvar") else unit


def _stamped(
    file: Path, wanted: MapFile, now: datetime, content: FileContent
) -> Iterator[tuple[int, Mapping[str, str | None], datetime]]:
    """Each line that has a usable time; the others go into the content's errors."""
    clock = _Clock(ZoneInfo(wanted.zone), wanted.format)
    try:
        with file.open(encoding=wanted.encoding, newline="") as lines:
            reader = csv.DictReader(lines, delimiter=wanted.delimiter)
            missing = {wanted.time, *wanted.columns} - set(reader.fieldnames or ())
            if missing:
                raise ConfigError([f"{file}:1: no column {', '.join(sorted(missing))}"])
            for cells in reader:
                at = _instant(file, reader.line_num, cells[wanted.time], clock, wanted, now, content)
                if at is not None:
                    yield reader.line_num, cells, at
    except (OSError, UnicodeDecodeError, csv.Error, LookupError) as cause:
        raise ConfigError([f"{file}:1: cannot be read as {wanted.encoding}: {cause}"]) from cause


def _instant(
    file: Path,
    line: int,
    written: str | None,
    clock: _Clock,
    wanted: MapFile,
    now: datetime,
    content: FileContent,
) -> datetime | None:
    text = (written or "").strip()
    where = f"{file}:{line}: {wanted.time} '{text}'; expected"
    try:
        at = clock.instant(text)
    except ValueError as cause:
        expected = cause if "clock skips" in str(cause) else wanted.format or "ISO 8601"
        content.errors.append(f"{where} {expected}")
        return None
    if at > now + FUTURE:
        content.errors.append(f"{where} the past, this lies in the future")
        return None
    return at


def _number(file: Path, line: int, name: str, written: str | None, content: FileContent) -> float | None:
    text = (written or "").strip()
    if not text:
        content.empty += 1
        return None
    try:
        value = float(text.replace(",", ""))
    except ValueError:
        value = math.nan
    if math.isfinite(value):
        return value
    content.errors.append(f"{file}:{line}: {name} '{text}'; expected a number")
    return None
