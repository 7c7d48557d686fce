"""The utility's bill as a person types it in or exports it: names and numbers, read strictly.

Two shapes are understood: one figure a line (`name,number`), or one bill a line under a row of names, as in
the form for electricity checks of public bodies. A cell that is empty is not given; one that cannot be read
is an error, never 0.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path

from energy_center.errors import ConfigError

_BANDS = {"尖峰": "peak", "半尖峰": "half_peak", "週六半尖峰": "saturday_half_peak", "離峰": "off_peak"}
NAMES: Mapping[str, str] = {
    **{f"{zh}度數": f"energy.{band}" for zh, band in _BANDS.items()},
    **{f"{zh}計費度數": f"energy.{band}" for zh, band in _BANDS.items()},
    **{f"{zh}需量": f"demand.{band}" for zh, band in _BANDS.items()},
    "經常需量": "demand.peak",
    "合計度數": "energy",
    "總度數": "energy",
    "計費度數合計": "energy",
    "最高需量": "demand",
    "功率因數": "power_factor",
    "基本電費": "amount.basic",
    "基本費": "amount.basic",
    "按戶計收": "amount.customer",
    "流動電費": "amount.energy",
    "流動費": "amount.energy",
    "超約附加費": "amount.over_contract",
    "非約定基本電費": "amount.over_contract",
    "功率因數調整費": "amount.power_factor",
    "功因調整費": "amount.power_factor",
    "應繳總金額": "total",
    "應繳總額": "total",
    "電費總金額": "total",
}
_FIGURE = re.compile(r"(energy|demand)(\.[a-z0-9_]+)?|power_factor|total|amount\.[a-z_]+")
_UNIT = re.compile(r"[（(][^）)]*[）)]|\s")


def read_utility_bill(path: Path) -> dict[str, Decimal]:
    """Figures by the names of `tariffs.check_bill`. Raises ConfigError with every mistake."""
    return figures_of_csv(path.read_text(encoding="utf-8-sig"), path.name)


def is_figure(name: str) -> bool:
    """Whether a bill can have such a figure."""
    return _FIGURE.fullmatch(name) is not None


def figures_of_csv(text: str, file_name: str) -> dict[str, Decimal]:
    """The same of a file's text. Raises ConfigError with every mistake."""
    cells = list(_cells(_rows(text, file_name)))
    found: dict[str, Decimal] = {}
    mistakes: list[str] = []
    for line, name, number in cells:
        figure = _figure(name)
        if figure is None:
            mistakes.append(f"{file_name}, line {line}: '{name}' is no figure of a bill")
            continue
        if not number.strip():
            continue
        amount = read_number(number)
        if amount is None:
            mistakes.append(f"{file_name}, line {line}: {name}: '{number}' is no number")
            continue
        if figure in found:
            mistakes.append(f"{file_name}, line {line}: {name} is given twice")
        found[figure] = amount
    if not found and not mistakes:
        mistakes.append(f"{file_name}: no figure in it")
    if mistakes:
        known = ", ".join(["energy.peak", "demand.peak", "power_factor", "amount.basic", "total", *NAMES])
        raise ConfigError([*mistakes, f"allowed are: {known}"])
    return found


def _rows(text: str, file_name: str) -> list[tuple[int, list[str]]]:
    """Rows that hold anything, each with its line in the file."""
    reader = csv.reader(text.splitlines())
    try:
        return [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as cause:
        raise ConfigError([f"{file_name}, line {reader.line_num}: {cause}"]) from cause


def _cells(rows: list[tuple[int, list[str]]]) -> Iterator[tuple[int, str, str]]:
    """(Line, name, number) of either shape; a heading such as `name,number` is passed over."""
    if not rows:
        return
    heads = rows[0][1]
    if len(rows) == 2 and all(_figure(name) for name in heads if name.strip()):  # noqa: PLR2004
        line, numbers = rows[1]
        yield from (
            (line, name, number) for name, number in zip(heads, numbers, strict=False) if name.strip()
        )
        return
    for at, (line, row) in enumerate(rows):
        if at == 0 and _figure(row[0]) is None and len(rows) > 1:
            continue
        yield line, row[0], row[1] if len(row) > 1 else ""


def _figure(name: str) -> str | None:
    plain = _UNIT.sub("", name)
    if plain in NAMES:
        return NAMES[plain]
    return plain if is_figure(plain) else None


def read_number(text: str) -> Decimal | None:
    """A number as people type it, None where it cannot be read."""
    try:
        amount = _number(text)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def _number(text: str) -> Decimal:
    return Decimal(
        _UNIT.sub("", text).replace(",", "").removesuffix("%").removesuffix("元").removesuffix("度")
    )
