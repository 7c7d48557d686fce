"""Old readings from a file: a map says which column is which point; nothing stored is ever changed.

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
from pydantic import Field, field_validator

from energy_center.config.documents import read_yaml, validate
from energy_center.config.fields import Strict
from energy_center.domain.quantities import QUANTITIES
from energy_center.domain.site import Site
from energy_center.domain.units import UnitMismatch, conversion
from energy_center.errors import ConfigError
from energy_center.store.pool import Database
from energy_center.store.readings import ReadingBatch, held_values, to_us, write_backlog

_PORTION = 50_000


class ColumnEntry(Strict):
    """`kWh: {equipment: ltb-main, point: energy_import, unit: MW.h}`; unit and scale of the file."""

    equipment: str
    point: str
    unit: str | None = None
    scale: float = 1.0


class MapFile(Strict):
    """How a file is written. `format` as in Python's strptime; without it times are ISO 8601."""

    time: str
    zone: str = "Asia/Taipei"
    format: str | None = None
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    encoding: str = "utf-8-sig"
    columns: dict[str, ColumnEntry] = Field(min_length=1)

    @field_validator("zone")
    @classmethod
    def _known(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError) as cause:
            raise ValueError(f"{zone!r} is not a time zone; write for example Asia/Taipei") from cause
        return zone


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    point_id: int
    factor: float
    offset: float


@dataclass(slots=True)
class ImportReport:
    """What a file brings: readings that are new, the same as stored, or different (stored ones are kept)."""

    new: int = 0
    same: int = 0
    different: int = 0
    empty: int = 0
    errors: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)


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


async def import_readings(
    db: Database, site: Site, file: Path, wanted: MapFile, now: datetime, *, dry_run: bool
) -> ImportReport:
    """Compare a file with what is stored and, unless `dry_run`, store what is new."""
    report = ImportReport()
    rows: list[tuple[int, int, float, int]] = []
    for row in _rows(file, wanted, _columns(site, wanted), now, report):
        rows.append(row)
        if len(rows) == _PORTION:
            await _take(db, file, rows, now, report, dry_run=dry_run)
            rows = []
    if rows:
        await _take(db, file, rows, now, report, dry_run=dry_run)
    return report


def _columns(site: Site, wanted: MapFile) -> list[_Column]:
    points = {p.key: p for p in site.points()}
    found, mistakes = [], []
    for name, entry in wanted.columns.items():
        point = points.get((entry.equipment, entry.point))
        if point is None or point.point_id is None:
            mistakes.append(f"column '{name}': the site has no point {entry.equipment}/{entry.point}")
            continue
        unit = QUANTITIES[point.role].unit
        try:
            linear = conversion(entry.unit or unit, unit)
        except UnitMismatch as cause:
            mistakes.append(f"column '{name}': {cause}")
            continue
        offset = linear(0.0)
        found.append(_Column(name, int(point.point_id), (linear(1.0) - offset) * entry.scale, offset))
    if mistakes:
        raise ConfigError(mistakes)
    return found


def _rows(
    file: Path, wanted: MapFile, columns: list[_Column], now: datetime, report: ImportReport
) -> Iterator[tuple[int, int, float, int]]:
    """Line, microseconds since 1970, value and point of each reading; mistakes go into the report."""
    clock = _Clock(ZoneInfo(wanted.zone), wanted.format)
    try:
        with file.open(encoding=wanted.encoding, newline="") as lines:
            reader = csv.DictReader(lines, delimiter=wanted.delimiter)
            missing = {wanted.time, *wanted.columns} - set(reader.fieldnames or ())
            if missing:
                raise ConfigError([f"{file}:1: no column {', '.join(sorted(missing))}"])
            for cells in reader:
                yield from _of_line(file, reader.line_num, cells, clock, wanted, columns, now, report)
    except (OSError, UnicodeDecodeError, csv.Error, LookupError) as cause:
        raise ConfigError([f"{file}:1: cannot be read as {wanted.encoding}: {cause}"]) from cause


def _of_line(
    file: Path,
    line: int,
    cells: Mapping[str, str | None],
    clock: _Clock,
    wanted: MapFile,
    columns: list[_Column],
    now: datetime,
    report: ImportReport,
) -> Iterator[tuple[int, int, float, int]]:
    written = (cells[wanted.time] or "").strip()
    try:
        at = clock.instant(written)
    except ValueError as cause:
        expected = cause if "clock skips" in str(cause) else wanted.format or "ISO 8601"
        report.errors.append(f"{file}:{line}: time '{written}'; expected {expected}")
        return
    if at > now + timedelta(minutes=5):
        report.errors.append(f"{file}:{line}: time '{written}' lies in the future; expected the past")
        return
    for column in columns:
        text = (cells[column.name] or "").strip()
        if not text:
            report.empty += 1
            continue
        try:
            value = float(text.replace(",", "")) * column.factor + column.offset
        except ValueError:
            value = math.nan
        if math.isfinite(value):
            yield line, to_us(at), value, column.point_id
        else:
            report.errors.append(f"{file}:{line}: {column.name} '{text}'; expected a number")


async def _take(
    db: Database,
    file: Path,
    rows: list[tuple[int, int, float, int]],
    now: datetime,
    report: ImportReport,
    *,
    dry_run: bool,
) -> None:
    batch = ReadingBatch(
        np.array([r[3] for r in rows], np.int32),
        np.array([r[1] for r in rows], np.int64),
        np.array([r[2] for r in rows], np.float64),
        np.zeros(len(rows), np.int16),
    )
    held = await held_values(db, batch)
    for line, at_us, value, point_id in rows:
        stored = held.get((point_id, at_us))
        if stored is None:
            report.new += 1
            held[point_id, at_us] = value  # a second line of the same instant is compared with the first
        elif math.isclose(stored, value, rel_tol=1e-9, abs_tol=1e-9):
            report.same += 1
        else:
            report.different += 1
            report.differences.append(f"{file}:{line}: {value:g}; stored is {stored:g}, which is kept")
    if not dry_run:
        await write_backlog(db, batch, now)
