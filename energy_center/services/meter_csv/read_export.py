"""A manager's export as clean columns; everything assumed is said, everything unusable is named."""

from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from energy_center.errors import ConfigError
from energy_center.services.meter_csv.collect import Columns, Evidence, Mistakes, gather, parse
from energy_center.services.meter_csv.columns import Chosen, choose_columns
from energy_center.services.meter_csv.dates import words
from energy_center.services.meter_csv.layout import Layout, find_layout
from energy_center.services.meter_csv.local_time import to_epoch
from energy_center.services.meter_csv.model import (
    Assumption,
    CsvOptions,
    DateOrder,
    Export,
    FloatArray,
    Quantity,
    Stamp,
)
from energy_center.services.meter_csv.numbers import decide_decimal
from energy_center.services.meter_csv.stamps import DAY_S

_RISING = 0.98  # of the steps of a register; the others are resets and glitches
_ENOUGH = 10  # values from which their course says whether they are a register
_QUARTER_S = 900.0
_DEFAULT_UNITS = {
    Quantity.REGISTER: "kW.h",
    Quantity.ENERGY: "kW.h",
    Quantity.POWER: "kW",
    Quantity.TEMPERATURE: "Cel",
}


def read_export(path: Path, options: CsvOptions) -> Export:
    """Read a whole file. Raises ConfigError for what must be asked, naming the option that answers it."""
    zone = _zone(options.zone)
    layout = find_layout(path, options)
    chosen = choose_columns(path, layout, options)
    told: list[Assumption] = _layout_told(layout, chosen, options)
    order, decimal, evidence = _conventions(path, layout, chosen, options, told)
    mistakes = Mistakes()
    columns = _rising(parse(path, layout, chosen, order, decimal, mistakes))
    if not len(columns.value):
        shown = [bad.sentence(str(path)) for bad in mistakes.shown[:3]]
        raise ConfigError([f"{path}:{layout.first_line}: no line can be used", *shown])
    quantity, unit = _meaning(path, columns.value, chosen, told)
    columns, at_s = _instants(columns, zone, mistakes, layout.heading[chosen.time], told)
    series = _once(_Series(columns, at_s), quantity, layout.heading[chosen.value or 0], mistakes)
    interval_s = _interval(path, series.at_s, quantity, options, told)
    shift_s = _shift(series, quantity, interval_s, chosen, evidence, options, told)
    return Export(
        file=str(path),
        at_s=series.at_s - shift_s,
        value=series.columns.value * chosen.factor + chosen.offset,
        quantity=quantity,
        unit=unit,
        interval_s=interval_s,
        zone=options.zone,
        assumptions=tuple(told),
        bad=tuple(sorted(mistakes.shown, key=lambda bad: bad.line)),
        bad_count=mistakes.count,
        empty=columns.empty,
        repeated=series.repeated,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Series:
    columns: Columns
    at_s: FloatArray
    repeated: int = 0


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as cause:
        raise ConfigError([f"--zone {name}: not a time zone; write for example Asia/Taipei"]) from cause


def _layout_told(layout: Layout, chosen: Chosen, options: CsvOptions) -> list[Assumption]:
    time = layout.heading[chosen.time]
    if chosen.date is not None:
        time = f"{layout.heading[chosen.date]}' and '{time}"
    value = f"{len(layout.clock_columns)} columns, one a time of day"
    if chosen.value is not None:
        value = f"'{layout.heading[chosen.value]}'"
    mark = {"\t": "tab"}.get(layout.delimiter, layout.delimiter)
    return [
        Assumption(f"The time is in '{time}'.", "--column time=…", "time" in options.columns),
        Assumption(f"The value is in {value}.", "--column value=…", "value" in options.columns),
        Assumption(f"The text is {layout.encoding}.", "--encoding", options.encoding is not None),
        Assumption(f"Cells are parted by {mark}.", "--delimiter", options.delimiter is not None),
    ]


def _conventions(
    path: Path, layout: Layout, chosen: Chosen, options: CsvOptions, told: list[Assumption]
) -> tuple[DateOrder | None, str, Evidence]:
    evidence = gather(path, layout, chosen)
    mistakes: list[str] = []
    order, decimal = options.date_order, options.decimal
    why_order, why_decimal = "", ""
    try:
        if order is None:
            order, why_order = evidence.dates.order(str(path), layout.heading[chosen.time])
    except ConfigError as problem:
        mistakes += problem.mistakes
    try:
        if decimal is None:
            name = layout.heading[chosen.value or 0]
            decimal, why_decimal = decide_decimal(str(path), name, evidence.numbers, layout.delimiter)
    except ConfigError as problem:
        mistakes += problem.mistakes
    if mistakes or decimal is None:
        raise ConfigError(mistakes)
    if order is not None:
        because = f": {why_order}" if why_order else ""
        told.append(Assumption(f"Dates are {words(order)}{because}.", "--date-order", not why_order))
    because = f": {why_decimal}" if why_decimal else ""
    told.append(Assumption(f"The decimal mark is '{decimal}'{because}.", "--decimal", not why_decimal))
    return order, decimal, evidence


def _rising(columns: Columns) -> Columns:
    """In the order of time where the file stands newest first."""
    steps = np.diff(columns.local_s)
    return (
        columns.take(np.arange(len(columns.value))[::-1])
        if np.sum(steps < 0) > np.sum(steps > 0)
        else columns
    )


def _meaning(path: Path, value: FloatArray, chosen: Chosen, told: list[Assumption]) -> tuple[Quantity, str]:
    """What the values are, and their unit."""
    quantity, why = _quantity(path, value, chosen)
    unit = chosen.unit or _DEFAULT_UNITS[quantity]
    is_unfit = (quantity is Quantity.TEMPERATURE) != (unit == "Cel")
    if is_unfit or (quantity is Quantity.POWER) != (unit in {"kW", "kvar"}):
        raise ConfigError([f"{path}: {unit} is no {quantity.value}; say --quantity or --unit"])
    name = {
        Quantity.REGISTER: "readings of a register",
        Quantity.ENERGY: "consumption of each interval",
        Quantity.POWER: "average power of each interval",
        Quantity.TEMPERATURE: "temperatures",
    }[quantity]
    told.append(
        Assumption(
            f"The values are {name}{why}.", "--quantity register, energy, power or temperature", not why
        )
    )
    why = "" if chosen.unit else ": no heading names a unit"
    told.append(Assumption(f"The unit is {unit.replace('.', '')}{why}.", "--unit", bool(chosen.unit)))
    return quantity, unit


def _quantity(path: Path, value: FloatArray, chosen: Chosen) -> tuple[Quantity, str]:
    if chosen.unit in {"kW", "kvar"}:
        return Quantity.POWER, ""
    if chosen.unit == "Cel" or chosen.quantity is Quantity.TEMPERATURE:
        return Quantity.TEMPERATURE, ""
    steps = np.diff(value)
    if len(value) >= _ENOUGH and value[-1] != value[0]:
        share = float(np.mean(steps >= 0))
        if chosen.quantity is None or chosen.quantity is Quantity.ENERGY:
            if share >= _RISING:
                return Quantity.REGISTER, f": {share:.0%} of the steps do not fall"
        elif chosen.quantity is Quantity.REGISTER and share < 1 - 3 * (1 - _RISING):
            return Quantity.ENERGY, f": {1 - share:.0%} of the steps fall, which no register does"
    if chosen.quantity is not None:
        return chosen.quantity, ": the heading or option says so"
    if chosen.unit is not None:
        return Quantity.ENERGY, ": they do not rise as a register does"
    raise ConfigError(
        [f"{path}: the file does not say whether its numbers are kWh or kW; say --unit kWh or --unit kW"]
    )


def _instants(
    columns: Columns, zone: ZoneInfo, mistakes: Mistakes, name: str, told: list[Assumption]
) -> tuple[Columns, FloatArray]:
    """UTC instants; times that the zone's clock skips are mistakes."""
    at_s = columns.local_s - columns.offset_s
    is_local = np.isnan(columns.offset_s)
    skipped = np.zeros(is_local.shape, dtype=bool)
    if np.any(is_local):
        at_s[is_local], skipped[is_local] = to_epoch(columns.local_s[is_local], zone)
        told.append(Assumption(f"Times are those of {zone.key}.", "--zone"))
    else:
        told.append(Assumption("Times carry their own offset from UTC.", "--zone", is_told=True))
    for i in np.flatnonzero(skipped):
        text = str(np.datetime64(int(columns.local_s[i]), "s"))
        expected = (
            f"a time that {zone.key} has, its clock skips this one (without summer time: --zone Etc/GMT…)"
        )
        mistakes.add(int(columns.line[i]), name, text, expected)
    return columns.take(~skipped), at_s[~skipped]


def _once(series: _Series, quantity: Quantity, name: str, mistakes: Mistakes) -> _Series:
    """Each time once, rising; of different values at one time the first of the file is kept."""
    columns, at_s = series.columns, series.at_s
    if quantity in {Quantity.REGISTER, Quantity.ENERGY}:
        negative = columns.value < 0
        for i in np.flatnonzero(negative):
            mistakes.add(int(columns.line[i]), name, f"{columns.value[i]:g}", "0 or more")
        columns, at_s = columns.take(~negative), at_s[~negative]
    order = np.argsort(at_s, kind="stable")
    columns, at_s = columns.take(order), at_s[order]
    again = np.append(False, np.diff(at_s) == 0)
    first = np.maximum.accumulate(np.where(again, 0, np.arange(len(at_s))))
    for i in np.flatnonzero(again & (columns.value != columns.value[first])):
        kept = first[i]
        expected = f"{columns.value[kept]:g} as in line {columns.line[kept]}, which is kept"
        mistakes.add(int(columns.line[i]), name, f"{columns.value[i]:g}", expected)
    repeated = int(np.sum(again & (columns.value == columns.value[first])))
    return _Series(columns.take(~again), at_s[~again], repeated)


def _interval(
    path: Path, at_s: FloatArray, quantity: Quantity, options: CsvOptions, told: list[Assumption]
) -> float:
    """The commonest step, whole seconds."""
    if options.interval_s is not None:
        return options.interval_s
    if len(at_s) < 2:  # noqa: PLR2004 a step needs two
        raise ConfigError([f"{path}: one value only; say --interval with the length of its interval"])
    steps, counts = np.unique(np.round(np.diff(at_s)), return_counts=True)
    interval_s = float(max(steps[np.argmax(counts)], 1.0))
    what = "read" if quantity is Quantity.REGISTER else "given"
    told.append(
        Assumption(f"Values are {what} every {_length(interval_s)}: the commonest step.", "--interval")
    )
    return interval_s


def _length(seconds: float) -> str:
    return f"{seconds / 60:g} min" if seconds % 60 == 0 else f"{seconds:g} s"


def _shift(
    series: _Series,
    quantity: Quantity,
    interval_s: float,
    chosen: Chosen,
    evidence: Evidence,
    options: CsvOptions,
    told: list[Assumption],
) -> float:
    """Seconds from a stamp back to the start of its interval."""
    if quantity is Quantity.REGISTER:
        return 0.0
    stamp, why = _stamp(series.columns, interval_s, chosen, evidence, options)
    because = f": {why}" if why else ""
    told.append(Assumption(f"Stamps name the {stamp.value} of the interval{because}.", "--stamp", not why))
    return interval_s if stamp is Stamp.END else 0.0


def _stamp(
    columns: Columns, interval_s: float, chosen: Chosen, evidence: Evidence, options: CsvOptions
) -> tuple[Stamp, str]:
    if options.stamp is not None:
        return options.stamp, ""
    if chosen.stamp is not None:
        return chosen.stamp, "the heading says so"
    if evidence.has_24_00:
        return Stamp.END, "there is a 24:00"
    first, last = float(columns.local_s[0] % DAY_S), float(columns.local_s[-1] % DAY_S)
    if interval_s < DAY_S and first == interval_s and last == 0:
        return Stamp.END, "the file goes from the end of a day's first interval to a midnight"
    if interval_s < DAY_S and first == 0 and last == DAY_S - interval_s:
        return Stamp.START, "the file goes from a midnight to the start of a day's last interval"
    return Stamp.START, "nothing in the file says which; the end would move every value one interval back"
