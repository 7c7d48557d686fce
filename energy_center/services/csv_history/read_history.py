"""Reads an export by its map into samples per point; counts what it left out, with the first places."""

import csv
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from energy_center.domain.quantities import QUANTITIES, Quantity, Role
from energy_center.domain.readings import PointId, Quality
from energy_center.errors import ConfigError
from energy_center.rules.window import US, Bools, Floats, Micros, Samples
from energy_center.services.csv_history.history_map import NO_VALUE, HistoryMap, MappedColumn
from energy_center.services.csv_history.read_times import read_times
from energy_center.services.import_series import Holds
from energy_center.services.meter_csv.model import Stamp

SHOWN = 5
WORST_SHARE = 0.01
_ON = 1.0
_OUTDOOR = frozenset({Role.OUTDOOR_AIR_TEMPERATURE, Role.MIXED_AIR_TEMPERATURE})
_COLDEST_C = -45.0  # Cel: colder than the winters that large cities are built for
_LONGER = 1.5  # intervals; a longer step is a gap


@dataclass(slots=True)
class Notes:
    """What was found on the way; counts by kind, and sentences about the first cells that are wrong."""

    counts: dict[str, int] = field(default_factory=dict)
    sentences: list[str] = field(default_factory=list)

    def count(self, kind: str, number: int) -> None:
        """Add to a kind, if there are any."""
        if number:
            self.counts[kind] = self.counts.get(kind, 0) + int(number)


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """An export in time order: samples by point, the truth of each time where the file tells it."""

    samples: dict[PointId, Samples]
    at: Micros
    faulty: Bools | None
    interval_s: float
    notes: Notes


def read_history(file: Path, wanted: HistoryMap, columns: list[MappedColumn]) -> History:
    """Raises ConfigError when columns are missing, or more than one time in a hundred cannot be read."""
    table = _table(file, wanted, columns)
    notes = Notes()
    at, order = _instants(file, table, wanted, notes)
    rows = table.iloc[order]
    interval_s = wanted.time.interval or _usual_step_s(at)
    seen_at = at + round(interval_s * US) if wanted.time.stamp is Stamp.START else at
    samples: dict[PointId, Samples] = {}
    for column in columns:
        found = _samples(file, rows, column, wanted, seen_at, interval_s, notes)
        if column.point.point_id is not None:
            samples[column.point.point_id] = found
    return History(samples, seen_at, _faulty(rows, wanted), interval_s, notes)


def _table(file: Path, wanted: HistoryMap, columns: list[MappedColumn]) -> pd.DataFrame:
    """Every needed column as stripped text; names lose blanks and the byte-order mark."""
    try:
        with file.open(encoding=wanted.encoding, newline="") as lines:
            for _ in range(wanted.header_line - 1):
                next(lines)
            header = next(csv.reader(lines, delimiter=wanted.delimiter))
        names = [name.strip() for name in header]
        needed = _needed(wanted, columns)
        _check_header(file, names, needed, wanted.header_line)
        table = pd.read_csv(
            file,
            sep=wanted.delimiter,
            header=None,
            names=list(range(len(names))),
            skiprows=wanted.header_line,
            usecols=[names.index(n) for n in needed],
            encoding=wanted.encoding,
            dtype=str,
            keep_default_na=False,
            index_col=False,
            on_bad_lines="error",
            skip_blank_lines=False,
        )
    except StopIteration as cause:
        raise ConfigError([f"{file}:{wanted.header_line}: no header; the file ends before it"]) from cause
    except (OSError, UnicodeError, LookupError, pd.errors.ParserError, csv.Error) as cause:
        raise ConfigError([f"{file}: cannot be read as {wanted.encoding}: {cause}"]) from cause
    return pd.DataFrame({names[int(i)]: table[i].fillna("").str.strip() for i in table.columns})


def _needed(wanted: HistoryMap, columns: list[MappedColumn]) -> list[str]:
    names = [*wanted.time.columns]
    for column in columns:
        entry = column.entry
        extra = [entry.overridden_by, entry.unless.column if entry.unless else None]
        names += [column.name, *(n for n in extra if n)]
    if wanted.truth:
        names.append(wanted.truth.column)
    return list(dict.fromkeys(n.strip() for n in names))


def _check_header(file: Path, names: list[str], needed: list[str], line: int) -> None:
    missing = [n for n in needed if n not in names]
    doubled = [n for n in needed if names.count(n) > 1]
    mistakes = [f"{file}:{line}: no column '{n}'; there are {', '.join(names)}" for n in missing]
    mistakes += [f"{file}:{line}: column '{n}' stands twice; rename one of them" for n in doubled]
    if mistakes:
        raise ConfigError(mistakes)


def _instants(
    file: Path, table: pd.DataFrame, wanted: HistoryMap, notes: Notes
) -> tuple[Micros, "np.typing.NDArray[np.intp]"]:
    """Rising instants, each once, and the rows they come from: of doubled rows the last in the file."""
    written = table[wanted.time.columns[0].strip()]
    for name in wanted.time.columns[1:]:
        written = written + " " + table[name.strip()]
    at, fine = read_times(written, wanted.time)
    # blank lines, often at the end, are no rows
    blank = (written.str.strip() == "").to_numpy(dtype=np.bool_)
    bad = np.flatnonzero(~fine & ~blank)
    expected = " or ".join(wanted.time.formats) or "ISO 8601"
    lines = [
        f"{file}:{wanted.header_line + 1 + row}: time '{written.iloc[row]}'; "
        f"expected {expected} in {wanted.time.zone}"
        for row in bad[:SHOWN]
    ]
    if len(bad) > WORST_SHARE * len(at) or not fine.any():
        raise ConfigError([*lines, f"{file}: {len(bad)} of {len(at)} times cannot be read"])
    notes.sentences += lines
    notes.count("times_unreadable", len(bad))
    rows = np.flatnonzero(fine)
    notes.count("rows_out_of_order", int(np.count_nonzero(np.diff(at[rows]) < 0)))
    rows = rows[np.argsort(at[rows], kind="stable")]
    last = np.append(np.diff(at[rows]) > 0, True)
    notes.count("rows_doubled", int(np.count_nonzero(~last)))
    return at[rows[last]], rows[last]


def _usual_step_s(at: Micros) -> float:
    steps = np.diff(at)
    return float(np.median(steps)) / US if len(steps) else 60.0


def _samples(
    file: Path,
    rows: pd.DataFrame,
    column: MappedColumn,
    wanted: HistoryMap,
    at: Micros,
    interval_s: float,
    notes: Notes,
) -> Samples:
    entry = column.entry
    if entry.role is Role.SCHEDULE and wanted.equipment[entry.equipment].runs_always:
        return Samples(at, np.full(len(at), _ON), np.zeros(len(at), np.int16), interval_s)
    values = _numbers(file, rows, column.name, entry.words, wanted, notes)
    if entry.overridden_by:
        instead = _numbers(file, rows, entry.overridden_by.strip(), entry.words, wanted, notes)
        notes.count("values_overridden", int(np.count_nonzero(~np.isnan(instead))))
        values = np.where(np.isnan(instead), values, instead)
    if entry.unless:
        hand = _equals(rows[entry.unless.column.strip()], entry.unless.is_)
        notes.count("values_not_in_force", int(np.count_nonzero(hand & ~np.isnan(values))))
        values = np.where(hand, np.nan, values)
    values = values * column.line.factor + column.line.offset
    if entry.holds is Holds.ENERGY:
        values = _register(values, at, interval_s)
    there = ~np.isnan(values)
    notes.count("cells_empty", int(np.count_nonzero(~there)))
    limits = _limits(entry.role)
    out = (values[there] < limits.low) | (values[there] > limits.high)
    if out.any():
        notes.count("values_out_of_range", int(np.count_nonzero(out)))
        notes.sentences.append(
            f"{file}: {column.name}: {np.count_nonzero(out)} values out of range, such as "
            f"{values[there][out][0]:.6g} {limits.unit}; {entry.role} is {limits.low:g} to {limits.high:g}"
        )
    quality = np.where(out, int(Quality.OUT_OF_RANGE), 0).astype(np.int16)
    return Samples(at[there], values[there], quality, entry.valid_for or interval_s)


def _limits(role: Role) -> Quantity:
    """The role's plausible range; an export may come from a colder country than the sites of `domain`."""
    limits = QUANTITIES[role]
    return replace(limits, low=_COLDEST_C) if role in _OUTDOOR else limits


def _register(energy: Floats, at: Micros, interval_s: float) -> Floats:
    """Energies of intervals as a register; it falls at each gap, which counters read as unknown."""
    starts = np.ones(len(energy), dtype=np.bool_)
    starts[1:] = (np.diff(at) > _LONGER * interval_s * US) | np.isnan(energy[:-1])
    added = np.where(starts | np.isnan(energy), 0.0, energy)
    stretch, running = np.cumsum(starts), np.cumsum(added)
    before = running[starts][stretch - 1]
    base = (stretch[-1] - stretch) * (added.sum() + 1.0)
    return np.where(np.isnan(energy), np.nan, running - before + base)


def _numbers(
    file: Path, rows: pd.DataFrame, name: str, words: dict[str, float], wanted: HistoryMap, notes: Notes
) -> Floats:
    """Numbers of a column, NaN for a missing or an unreadable cell; the latter is told."""
    cells = rows[name]
    missing = _equals(cells, [*NO_VALUE, *wanted.missing])
    text = cells.mask(cells.isin(list(words)), cells.map(lambda c: str(words.get(c, c)))) if words else cells
    plain = text if wanted.thousands is None else text.str.replace(wanted.thousands, "", regex=False)
    if wanted.decimal == ",":
        plain = plain.mask(plain.str.contains(".", regex=False) & ~cells.isin(list(words)), "?")
        plain = plain.str.replace(",", ".", regex=False)
    values = np.asarray(pd.to_numeric(plain, errors="coerce"), dtype=np.float64)
    values = np.where(np.isfinite(values) & ~missing, values, np.nan)
    bad = np.flatnonzero(np.isnan(values) & ~missing)
    notes.count("cells_unreadable", len(bad))
    if len(bad):
        line = wanted.header_line + 1 + int(rows.index[bad[0]])
        sentence = f"{file}:{line}: {name} '{cells.iloc[bad[0]]}'; expected a number"
        if len(bad) > WORST_SHARE * len(cells):
            told = "give it a number under words, or list it under missing"
            raise ConfigError([f"{sentence}, and so in {len(bad)} of {len(cells)} cells: {told}"])
        notes.sentences.append(sentence)
    return values


def _equals(cells: "pd.Series[str]", wanted: list[str | int | float] | list[str]) -> Bools:
    """Cells that say one of these, as text or as the same number."""
    said = cells.isin([str(w) for w in wanted]).to_numpy(dtype=np.bool_)
    numbers = [float(w) for w in wanted if not isinstance(w, str) or _is_number(w)]
    if not numbers:
        return said
    found = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=np.float64)
    return np.asarray(said | np.isin(found, [n for n in numbers if n == n]))  # noqa: PLR0124 NaN


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _faulty(rows: pd.DataFrame, wanted: HistoryMap) -> Bools | None:
    if wanted.truth is None:
        return None
    return _equals(rows[wanted.truth.column.strip()], wanted.truth.faulty)
