"""Old readings, compared with what is stored, point by point; what is new is stored, nothing is changed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from energy_center.domain.quantities import Kind
from energy_center.domain.site import Point, Site
from energy_center.errors import ConfigError
from energy_center.services.import_map import FUTURE, FileContent, MapFile, read_by_map
from energy_center.services.import_series import Holds, Rows, Series, to_rows
from energy_center.services.meter_csv.model import CsvOptions, Quantity, Stamp
from energy_center.services.meter_csv.read_export import read_export
from energy_center.store.latest import latest_of
from energy_center.store.pool import Database
from energy_center.store.readings import ReadingBatch, from_us, held_values, write_backlog

EXAMPLES = 5
_PORTION = 50_000
_HOLDS = {Quantity.REGISTER: Holds.SAMPLE, Quantity.ENERGY: Holds.ENERGY, Quantity.POWER: Holds.MEAN}


@dataclass(slots=True)
class PointReport:
    """What a file brings for one point; stored readings that differ are kept, `differences` shows some."""

    point: Point
    new: int = 0
    same: int = 0
    different: int = 0
    first: datetime | None = None
    last: datetime | None = None
    differences: list[str] = field(default_factory=list)


@dataclass(slots=True)
class ImportReport:
    """What a file brings, by point, and every mistake in it; `assumptions` are what the reader found out."""

    points: list[PointReport] = field(default_factory=list)
    empty: int = 0
    errors: list[str] = field(default_factory=list)
    more_errors: int = 0
    assumptions: list[str] = field(default_factory=list)

    @property
    def new(self) -> int:
        """Readings that are not stored yet."""
        return sum(p.new for p in self.points)

    @property
    def same(self) -> int:
        """Readings that are stored already."""
        return sum(p.same for p in self.points)

    @property
    def different(self) -> int:
        """Readings whose instant is stored with another value."""
        return sum(p.different for p in self.points)


async def import_by_map(
    db: Database, site: Site, file: Path, wanted: MapFile, now: datetime, *, dry_run: bool
) -> ImportReport:
    """Compare a file that a map describes with what is stored and, unless `dry_run`, store what is new."""
    content = read_by_map(file, wanted, site, now)
    return await _settle(db, file, content, now, dry_run=dry_run)


async def import_export(
    db: Database,
    site: Site,
    file: Path,
    point_name: str,
    options: CsvOptions,
    now: datetime,
    *,
    register_at_start: float | None = None,
    dry_run: bool,
) -> ImportReport:
    """The same for an export of one point whose layout is found out; what was assumed is in the report."""
    point = _point_named(site, point_name)
    export = read_export(file, options)
    holds = _HOLDS[export.quantity]
    expected = f"{point.unit}.h" if holds is Holds.ENERGY and point.kind is Kind.GAUGE else point.unit
    if export.unit != expected:
        raise ConfigError(
            [f"{file}:1: the values are {export.quantity} in {export.unit}; {point_name} is in {point.unit}"]
        )
    past = export.at_s <= (now + FUTURE).timestamp()
    series = Series(
        point=point,
        line=np.zeros(int(past.sum()), dtype=np.int64),
        at_s=export.at_s[past],
        value=export.value[past],
        holds=holds,
        interval_s=export.interval_s,
        stamp=Stamp.START,
        register_at_start=register_at_start,
    )
    errors = [bad.sentence(str(file)) for bad in export.bad]
    if not past.all():
        errors.append(f"{file}:1: {int((~past).sum())} values lie in the future; expected the past")
    content = FileContent([series], export.empty, errors)
    report = await _settle(db, file, content, now, dry_run=dry_run)
    report.more_errors = export.bad_count - len(export.bad)
    report.assumptions = [
        a.text if a.is_told else f"{a.text} Otherwise say {a.option}." for a in export.assumptions
    ]
    return report


def _point_named(site: Site, name: str) -> Point:
    equipment, _, point = name.partition("/")
    points = {p.key: p for p in site.points()}
    found = points.get((equipment, point))
    if found is None:
        known = sorted(n for e, n in points if e == equipment)
        hint = f"; {equipment} has {', '.join(known)}" if known else ""
        raise ConfigError([f"--point {name}: the site has no such point{hint}"])
    return found


async def _settle(
    db: Database, file: Path, content: FileContent, now: datetime, *, dry_run: bool
) -> ImportReport:
    report = ImportReport(empty=content.empty, errors=content.errors)
    rows = [
        to_rows(series, await _register(db, series)) for series in content.series
    ]  # all or nothing is refused
    for each in rows:
        report.points.append(await _compare(db, file, each, now, dry_run=dry_run))
    return report


async def _register(db: Database, series: Series) -> float:
    """Where a running register stands at the first interval's start: as stored, else as told, else 0."""
    if not series.needs_register or not len(series.at_s):
        return 0.0
    at_us = round(float(series.starts_s.min()) * 1e6)
    point_id = int(series.point.point_id)
    batch = ReadingBatch(
        np.array([point_id], np.int32), np.array([at_us], np.int64), np.zeros(1), np.zeros(1, np.int16)
    )
    stored = (await held_values(db, batch)).get((point_id, at_us))
    if stored is not None:
        return stored
    if series.register_at_start is not None:
        return series.register_at_start
    if await latest_of(db, [series.point.point_id]):
        raise ConfigError(
            [
                f"{'/'.join(series.point.key)} has readings, but none at {from_us(at_us).isoformat()}, where "
                "these energies begin: say what the register stood at then (register_at_start)"
            ]
        )
    return 0.0


async def _compare(db: Database, file: Path, rows: Rows, now: datetime, *, dry_run: bool) -> PointReport:
    report = PointReport(rows.point)
    if len(rows.at_us):
        report.first = from_us(int(rows.at_us.min())).astimezone(UTC)
        report.last = from_us(int(rows.at_us.max())).astimezone(UTC)
    seen: dict[int, float] = {}
    for start in range(0, len(rows.at_us), _PORTION):
        part = slice(start, start + _PORTION)
        size = len(rows.at_us[part])
        batch = ReadingBatch(
            np.full(size, int(rows.point.point_id), np.int32),
            rows.at_us[part],
            rows.value[part],
            np.zeros(size, np.int16),
        )
        held = {at: value for (_, at), value in (await held_values(db, batch)).items()}
        _count(file, rows, range(start, start + size), held, seen, report)
        if not dry_run:
            await write_backlog(db, batch, now)
    return report


def _count(
    file: Path,
    rows: Rows,
    indices: Sequence[int],
    held: Mapping[int, float],
    seen: dict[int, float],
    report: PointReport,
) -> None:
    """A second line of the same instant is compared with the first."""
    for i in indices:
        at_us, value = int(rows.at_us[i]), float(rows.value[i])
        stored = seen.get(at_us, held.get(at_us))
        if stored is None:
            report.new += 1
            seen[at_us] = value
        elif math.isclose(stored, value, rel_tol=1e-9, abs_tol=1e-9):
            report.same += 1
        else:
            report.different += 1
            if len(report.differences) < EXAMPLES:
                where = f"{file}:{rows.line[i]}" if rows.line[i] else f"{file}"
                at = from_us(at_us).isoformat()
                report.differences.append(f"{where}: {at} {value:g}; stored is {stored:g}, which is kept")
