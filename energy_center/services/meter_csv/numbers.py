"""Numbers as spreadsheets write them: decimal comma or point, thousands in groups, blanks for missing."""

import math
import re
import unicodedata
from dataclasses import dataclass

from energy_center.errors import ConfigError

MISSING = frozenset({"", "-", "--", "---", "na", "n/a", "#n/a", "nan", "null", "none", "無", "缺", "―", "—"})
_SPACES = re.compile(r"[\s\u00a0\u202f\u2009'’_]+")
_FAST = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")  # nearly every cell
_PLAIN = re.compile(r"[+-]?\d+(?:[eE][+-]?\d+)?")
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(?:([.,])\d{3})(?:\1\d{3})*")  # may be thousands
_GROUPED_TWICE = re.compile(r"[+-]?\d{1,3}(?:([.,])\d{3})(?:\1\d{3})+")  # can only be thousands
_WITH_DECIMALS = re.compile(r"[+-]?(\d*)([.,])(\d*)(?:[eE][+-]?\d+)?")


def normal(cell: str) -> str:
    """A cell without blanks, group marks such as 1'234, and full-width forms."""
    text = cell if cell.isascii() else unicodedata.normalize("NFKC", cell).replace("\u2212", "-")
    return _SPACES.sub("", text)


def is_missing(cell: str) -> bool:
    """Whether a cell says that there is no value."""
    return cell.strip().lower() in MISSING


def is_number(cell: str) -> bool:
    """Whether a cell is a number under either convention."""
    text = normal(cell)
    marks = set(text) & {".", ","}
    if not marks:
        return _PLAIN.fullmatch(text) is not None
    return any(_parse(text, mark) is not None for mark in (".", ","))


def parse_number(cell: str, decimal: str) -> float | None:
    """The number, or None where the cell says that there is none; raises ValueError for anything else."""
    if is_missing(cell):
        return None
    found = float(cell) if decimal == "." and _FAST.fullmatch(cell) else _parse(normal(cell), decimal)
    if found is None or not math.isfinite(found):
        raise ValueError(cell)
    return found


def _parse(text: str, decimal: str) -> float | None:
    thousands = "," if decimal == "." else "."
    whole, mark, fraction = text.partition(decimal)
    if thousands in whole:
        if not _GROUPED.fullmatch(whole) or thousands in fraction:
            return None
        whole = whole.replace(thousands, "")
    if thousands in fraction or (not whole.strip("+-") and not fraction):
        return None
    try:
        return float(f"{whole}{'.' if mark else ''}{fraction}")
    except ValueError:
        return None


@dataclass(slots=True)
class NumberEvidence:
    """What a column's cells say of its decimal mark; the first line of each kind of proof is kept."""

    point: int | None = None  # line that only fits a decimal point
    comma: int | None = None
    unclear: tuple[int, str] | None = None  # 1,234: a thousand or one and a bit
    unclear_mark: str = ""

    def observe(self, cell: str, line: int) -> None:
        """Take one cell into account."""
        if "," not in cell and "." not in cell:
            return
        decided = _decimal_of(normal(cell))
        if decided == "." and self.point is None:
            self.point = line
        elif decided == "," and self.comma is None:
            self.comma = line
        elif decided == "?" and self.unclear is None:
            self.unclear, self.unclear_mark = (line, cell.strip()), "," if "," in cell else "."


def _decimal_of(text: str) -> str:
    """The decimal mark of a number that has one, "?" where it may as well be a thousands mark."""
    comma, point = text.rfind(","), text.rfind(".")
    if comma >= 0 and point >= 0:
        return "." if point > comma else ","
    if _GROUPED_TWICE.fullmatch(text):
        return "," if point >= 0 else "."
    if _GROUPED.fullmatch(text):
        return "?"
    if not _WITH_DECIMALS.fullmatch(text):
        return ""
    return "," if comma >= 0 else "."


def decide_decimal(file: str, column: str, evidence: NumberEvidence, delimiter: str) -> tuple[str, str]:
    """The decimal mark and why; raises ConfigError where the file allows both, or uses both."""
    point, comma = evidence.point, evidence.comma
    if point is not None and comma is not None:
        raise ConfigError(
            [
                f"{file}:{max(point, comma)}: {column}: decimal comma and decimal point are mixed "
                f"(lines {point} and {comma}); say --decimal . or --decimal , and the others are named as bad"
            ]
        )
    if comma is not None:
        return ",", f"line {comma}"
    if point is not None:
        return ".", f"line {point}"
    if evidence.unclear is None or (evidence.unclear_mark == "." and delimiter != ";"):
        return ".", "no cell says otherwise"
    line, cell = evidence.unclear
    mark = evidence.unclear_mark
    raise ConfigError(
        [
            f"{file}:{line}: {column} '{cell}': '{mark}' may mark thousands or decimals, and no line tells "
            f"which; say --decimal {mark} or --decimal {'.' if mark == ',' else ','}"
        ]
    )
