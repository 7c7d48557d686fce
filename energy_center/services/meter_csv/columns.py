"""Which columns hold the time and the value, what the value is and in which unit."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from energy_center.domain.units import UnitMismatch
from energy_center.errors import ConfigError
from energy_center.services.meter_csv.layout import Layout
from energy_center.services.meter_csv.model import CsvOptions, Quantity
from energy_center.services.meter_csv.model import Stamp as End
from energy_center.services.meter_csv.numbers import is_missing, is_number
from energy_center.services.meter_csv.stamps import Stamp, number_stamp, split_stamp
from energy_center.services.meter_csv.units import TEMPERATURE, to_kept, unit_of

_ROLES = ("time", "date", "value")
_MOSTLY = 0.5  # of the sample's cells: a file may be half rubbish
# identifiers, states and line numbers are numbers too, but no readings
_NO_READING = re.compile(
    r"電號|表號|編號|序號|序列|狀態|品質|\b(id|no|nr|index|meter|serial|status|quality|flag|row)\b", re.I
)
_REGISTER = re.compile(
    r"累計|累積|示數|指數|讀數|表底|register|reading|counter|cumul|total|index|zählerstand", re.I
)
_ENERGY = re.compile(r"用電量|用量|耗電|度數|consum|usage|interval|verbrauch", re.I)
_POWER = re.compile(r"需量|功率|負載|demand|power|load|leistung", re.I)
_START = re.compile(r"起|開始|start|from|begin|beginn|von\b", re.I)
_END = re.compile(r"迄|結束|終|\bend|until|\bto\b|ending|ende|bis\b", re.I)
_QUANTITY_OF_UNIT = {"kW": Quantity.POWER, "kvar": Quantity.POWER, "Cel": Quantity.TEMPERATURE}
_DEGREES = ("[degF]", "K")  # before they are brought to °C


@dataclass(frozen=True, slots=True)
class Chosen:
    """Columns by position. `date` is None unless date and clock stand apart; `value` None in a wide table.

    `unit`, `factor` and `offset` turn cells into a kept unit; `unit` None where no heading names one.
    `quantity` is None where only the data can tell. `stamp` is what a heading says of the stamps.
    """

    time: int
    date: int | None
    value: int | None
    is_number_stamp: bool
    unit: str | None
    factor: float
    offset: float
    quantity: Quantity | None
    stamp: End | None
    only: Mapping[int, str]


def choose_columns(path: Path, layout: Layout, options: CsvOptions) -> Chosen:
    """Raises ConfigError where the user names a column that is not there, or several could be meant."""
    unknown = sorted(set(options.columns) - set(_ROLES))
    if unknown:
        raise ConfigError([f"--column {unknown[0]}=…: not a role; allowed are {', '.join(_ROLES)}"])
    named = {role: _position(path, layout, name) for role, name in options.columns.items()}
    only = {_position(path, layout, name): text for name, text in options.only.items()}
    time, date, is_number_stamp = _time_columns(path, layout, named)
    value = None if layout.clock_columns else named.get("value")
    if value is None and not layout.clock_columns:
        value = _value_column(path, layout, options, {time, date, *only})
    title = layout.heading[value] if value is not None else " ".join(layout.heading[:1])
    unit, factor, offset = _unit(layout, value, options)
    return Chosen(
        time,
        date,
        value,
        is_number_stamp,
        unit,
        factor,
        offset,
        options.quantity or _quantity(title, unit),
        _stamp(layout.heading[time]),
        only,
    )


def _position(path: Path, layout: Layout, name: str) -> int:
    wanted = name.strip().casefold()
    for i, heading in enumerate(layout.heading):
        if heading.casefold() == wanted:
            return i
    starting = [i for i, heading in enumerate(layout.heading) if heading.casefold().startswith(wanted)]
    if len(starting) == 1:
        return starting[0]
    if wanted.isdecimal() and 1 <= int(wanted) <= len(layout.heading):
        return int(wanted) - 1
    raise ConfigError([f"{path}:1: no column '{name}'; the file has {_listed(layout)}"])


def _listed(layout: Layout, positions: Sequence[int] | None = None) -> str:
    wanted = range(len(layout.heading)) if positions is None else positions
    return ", ".join(f"'{layout.heading[i]}'" for i in wanted)


def _cells(layout: Layout, column: int) -> list[str]:
    return [row[column] for row in layout.sample if column < len(row) and not is_missing(row[column])]


def _share(cells: list[str], fits: Sequence[bool]) -> float:
    return sum(fits) / len(cells) if cells else 0.0


def _time_columns(path: Path, layout: Layout, named: Mapping[str, int]) -> tuple[int, int | None, bool]:
    if "time" in named:
        cells = _cells(layout, named["time"])
        numbered = _share(cells, [isinstance(number_stamp(c), Stamp) for c in cells]) >= _MOSTLY
        return named["time"], named.get("date"), numbered
    whole, dates, clocks, numbers = _sort_by_time(layout)
    if whole:
        return whole[0], None, False
    if dates and clocks and not layout.clock_columns:
        return clocks[0], named.get("date", dates[0]), False
    if dates:
        return dates[0], None, False
    if numbers:
        return numbers[0], None, True
    raise ConfigError(
        [f"{path}:{layout.first_line}: no column holds times; say --column time=… (one of {_listed(layout)})"]
    )


def _sort_by_time(layout: Layout) -> tuple[list[int], list[int], list[int], list[int]]:
    """Columns that hold date and clock, dates alone, clocks alone, times as numbers."""
    whole, dates, clocks, numbers = list[int](), list[int](), list[int](), list[int]()
    for column in range(len(layout.heading)):
        cells = _cells(layout, column)
        parts = [split_stamp(cell) for cell in cells]
        dated = [isinstance(p, Stamp) and bool(p.date_text) for p in parts]
        timed = [isinstance(p, Stamp) and p.clock_s is not None for p in parts]
        if _share(cells, dated) >= _MOSTLY:
            (whole if any(timed) else dates).append(column)
        elif _share(cells, timed) >= _MOSTLY:
            clocks.append(column)
        elif _share(cells, [isinstance(number_stamp(c), Stamp) for c in cells]) >= _MOSTLY:
            numbers.append(column)
    return whole, dates, clocks, numbers


def _value_column(path: Path, layout: Layout, options: CsvOptions, taken: set[int | None]) -> int:
    numeric = [
        column
        for column in range(len(layout.heading))
        if column not in taken
        and _share(cells := _cells(layout, column), [is_number(c) for c in cells]) >= _MOSTLY
        and not _NO_READING.search(layout.heading[column])
    ]
    wanted = _narrow(layout, options, numeric)
    if len(wanted) == 1:
        return wanted[0]
    if not wanted:
        raise ConfigError(
            [f"{path}:{layout.first_line}: no column of numbers beside the time; say --column value=…"]
        )
    raise ConfigError(
        [f"{path}:1: several columns hold numbers; say --column value=… (one of {_listed(layout, wanted)})"]
    )


def _narrow(layout: Layout, options: CsvOptions, numeric: list[int]) -> list[int]:
    """Those with a unit before those without; of these, the ones that are what the user says."""
    if options.quantity is not Quantity.TEMPERATURE:  # weather beside a meter's values is not what it read
        kinds = {c: _quantity(layout.heading[c], _named_unit(layout, c)) for c in numeric}
        numeric = [c for c in numeric if kinds[c] is not Quantity.TEMPERATURE] or numeric
    wanted = [c for c in numeric if _named_unit(layout, c)] or numeric
    if options.unit is not None:
        wanted = [c for c in wanted if _named_unit(layout, c) == unit_of(options.unit)] or wanted
    if options.quantity is not None:
        asked = options.quantity
        wanted = [
            c for c in wanted if _quantity(layout.heading[c], _named_unit(layout, c)) is asked
        ] or wanted
    return wanted


def _named_unit(layout: Layout, column: int) -> str | None:
    return unit_of(layout.heading[column]) or unit_of(layout.units[column])


def _unit(layout: Layout, value: int | None, options: CsvOptions) -> tuple[str | None, float, float]:
    printed = options.unit
    if printed is None and value is not None:
        printed = _named_unit(layout, value)
    if printed is None:
        return None, 1.0, 0.0
    try:
        return to_kept(printed)
    except UnitMismatch as cause:
        raise ConfigError(
            [f"--unit {printed}: {cause}; allowed are kWh, MWh, Wh, kW, MW, W, kvarh, kvar, m3, °C, °F"]
        ) from cause


def _quantity(heading: str, unit: str | None) -> Quantity | None:
    if unit in _QUANTITY_OF_UNIT:
        return _QUANTITY_OF_UNIT[unit]
    if unit in _DEGREES:
        return Quantity.TEMPERATURE
    for pattern, quantity in (
        (TEMPERATURE, Quantity.TEMPERATURE),
        (_ENERGY, Quantity.ENERGY),
        (_REGISTER, Quantity.REGISTER),
    ):
        if pattern.search(heading):
            return quantity
    return Quantity.POWER if unit is None and _POWER.search(heading) else None


def _stamp(heading: str) -> End | None:
    if _END.search(heading):
        return End.END
    return End.START if _START.search(heading) else None
