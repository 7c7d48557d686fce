"""The map of an export: which column is which role of which equipment, in which unit, and how times stand."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from energy_center.config.documents import read_yaml, validate
from energy_center.config.fields import Interval, Strict, ZoneName
from energy_center.domain.quantities import QUANTITIES, Kind, Role
from energy_center.domain.readings import PointId
from energy_center.domain.site import Equipment, Point, Site, Space, SpaceKind, Text
from energy_center.domain.units import Linear, UnitMismatch, conversion
from energy_center.errors import ConfigError
from energy_center.services.import_series import Holds
from energy_center.services.meter_csv.model import Stamp

BUILDING = "building"
NO_VALUE = (
    "",
    "-",
    "--",
    "NA",
    "N/A",
    "NaN",
    "nan",
    "NULL",
    "null",
    "None",
    "#N/A",
    "#VALUE!",
    "Bad",
    "No Data",
)


def _no_bool(written: object) -> object:
    if isinstance(written, bool):
        raise ValueError("YAML reads ON, OFF, yes and no as true and false: put them in quotes")  # noqa: TRY004
    return written


Said = Annotated[str | int | float, BeforeValidator(_no_bool)]
Word = Annotated[str, BeforeValidator(_no_bool)]


class TimeEntry(Strict):
    """`time: {column: Datetime, formats: ["%m/%d/%Y %H:%M"], zone: America/Chicago}`.

    `column` may be two columns, date and time of day. `formats` are Python's strptime patterns; without them
    times are ISO 8601. A time that fits two of them is the one nearest to the row before. `stamp` says which
    end of its `interval` a time names; without it a value is as of its time.
    """

    column: str | list[str]
    formats: list[str] = Field(default_factory=list)
    zone: ZoneName
    stamp: Stamp | None = None
    interval: Interval | None = None

    @model_validator(mode="after")
    def _stamp_has_interval(self) -> "TimeEntry":
        if self.stamp is not None and self.interval is None:
            raise ValueError("a stamp names an end of an interval: say its interval, as in 15min")
        return self

    @property
    def columns(self) -> list[str]:
        """The columns that make up a time."""
        return [self.column] if isinstance(self.column, str) else self.column


class UnlessEntry(Strict):
    """`unless: {column: CHWV Mode, is: [HAND, 1]}`: while so, what the column says is not what is done."""

    column: str
    is_: list[Said] = Field(alias="is", min_length=1)


class ColumnEntry(Strict):
    """`"AHU: Supply Air Temperature": {equipment: ahu-1, role: supply_air_temperature, unit: "[degF]"}`.

    `unit` is the file's: a signal of 0 to 1 has unit "1", one of 0 to 100 has "%". `words` gives numbers to
    text (`{"ON": 1}`). `valid_for` is how long a value stands that is logged on change; `overridden_by` a
    column whose number, where it has one, stands instead of this one's. `holds: energy` is of each interval.
    """

    equipment: str
    role: Role
    unit: str | None = None
    words: dict[Word, float] = Field(default_factory=dict)
    valid_for: Interval | None = None
    overridden_by: str | None = None
    unless: UnlessEntry | None = None
    holds: Holds = Holds.SAMPLE


class EquipmentEntry(Strict):
    """`ahu-1: {class: Air_Handler_Unit}`; `runs_always` where it is meant to run day and night."""

    class_: str = Field(alias="class")
    fed_by: str | None = None
    attributes: dict[str, float | int | str | bool] = Field(default_factory=dict)
    runs_always: bool = False


class TruthEntry(Strict):
    """`truth: {column: Fault Detection Ground Truth, faulty: ["1"]}`: what is known of each row."""

    column: str
    faulty: list[Said] = Field(min_length=1)


class HistoryMap(Strict):
    """A whole map; `missing` are the words of this file for "no value" beside the usual ones."""

    time: TimeEntry
    equipment: dict[str, EquipmentEntry] = Field(min_length=1)
    columns: dict[str, ColumnEntry] = Field(min_length=1)
    rules: dict[str, dict[str, float]] = Field(default_factory=dict)
    truth: TruthEntry | None = None
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    decimal: str = Field(default=".", pattern=r"^[.,]$")
    thousands: str | None = Field(default=None, min_length=1, max_length=1)
    encoding: str = "utf-8-sig"
    header_line: int = Field(default=1, ge=1)
    missing: list[Said] = Field(default_factory=list)


@dataclass(frozen=True, slots=True)
class MappedColumn:
    """A column with its point and the line from the file's numbers to the point's unit."""

    name: str
    entry: ColumnEntry
    point: Point
    line: Linear


def read_history_map(path: Path) -> HistoryMap:
    """Raises ConfigError with every mistake in it: file, line, found, allowed."""
    document = read_yaml(path)
    found = validate(document, HistoryMap)
    if found is None:
        raise ConfigError([str(m) for m in document.mistakes])
    return found


def mapped_columns(wanted: HistoryMap, path: Path) -> list[MappedColumn]:
    """Every column with its point, numbered from 1; raises ConfigError with every mistake."""
    mistakes: list[str] = []
    found: list[MappedColumn] = []
    for number, (name, entry) in enumerate(wanted.columns.items(), 1):
        quantity = QUANTITIES[entry.role]
        if entry.equipment not in wanted.equipment:
            known = ", ".join(wanted.equipment)
            mistakes.append(f"{path}: column '{name}': no equipment '{entry.equipment}'; there are {known}")
        if entry.unit is None and quantity.kind is not Kind.STATE:
            mistakes.append(f"{path}: column '{name}': say its unit in the file, such as {quantity.unit}")
            continue
        if entry.holds is Holds.ENERGY and (wanted.time.stamp is None or quantity.kind is not Kind.COUNTER):
            mistakes.append(
                f"{path}: column '{name}': holds energy needs a counter's role, stamp and interval"
            )
        try:
            line = conversion(entry.unit or quantity.unit, quantity.unit)
        except UnitMismatch as cause:
            mistakes.append(f"{path}: column '{name}': {cause}")
            continue
        interval_s = entry.valid_for or wanted.time.interval or 0.0
        point = Point(entry.equipment, entry.role.value, entry.role, interval_s, PointId(number))
        found.append(MappedColumn(name.strip(), entry, point, line))
    mistakes += _repeated(found, path)
    if mistakes:
        raise ConfigError(mistakes)
    return found


def _repeated(found: list[MappedColumn], path: Path) -> list[str]:
    seen: dict[tuple[str, str], str] = {}
    mistakes = []
    for column in found:
        first = seen.setdefault(column.point.key, column.name)
        if first != column.name:
            mistakes.append(
                f"{path}: column '{column.name}': '{first}' is already the {column.point.name} "
                f"of {column.entry.equipment}"
            )
    return mistakes


def site_of(wanted: HistoryMap, points: list[Point]) -> Site:
    """A site of one building that holds what the map names, for the rules to be bound to."""
    words = Text(BUILDING, BUILDING)
    spaces = (Space("site", None, SpaceKind.SITE, words), Space(BUILDING, "site", SpaceKind.BUILDING, words))
    equipment = tuple(
        Equipment(
            equipment_id=name,
            brick_class=entry.class_,
            name=Text(name, name),
            space_id=BUILDING,
            fed_by=entry.fed_by,
            attributes=entry.attributes,
            points=tuple(p for p in points if p.equipment_id == name),
        )
        for name, entry in wanted.equipment.items()
    )
    return Site("site", words, wanted.time.zone, spaces, equipment, wanted.rules)
