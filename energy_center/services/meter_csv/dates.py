"""Dates of three numbers, read in an order that the whole file agrees on; what is unclear is asked about.

A year of three digits at the front, as 115/11/24, is one of the Republic: 1911 + 115.
"""

import re
from dataclasses import dataclass, field
from datetime import date, timedelta

from energy_center.errors import ConfigError
from energy_center.services.meter_csv.model import DateOrder
from energy_center.services.meter_csv.stamps import EPOCH_DAY

ROC_YEAR_0 = 1911
_FIRST_YEAR, _LAST_YEAR = 1970, 2199  # meters have counted and will count in these
_FULL_YEAR, _ROC_YEAR, _SHORT_YEAR = 4, 3, 2  # digits
_THREE = re.compile(r"(\d{1,4})[-/.](\d{1,2})[-/.](\d{1,4})")
_NAMED = re.compile(r"(?:(\d{1,2})[- ])?([A-Za-z]{3})[A-Za-z]*[-, ]+(?:(\d{1,2}),? )?(\d{2,4})")
_MONTHS = dict(zip(re.findall("...", "janfebmaraprmayjunjulaugsepoctnovdec"), range(1, 13), strict=True))
_WORDS = {
    DateOrder.YMD: "year/month/day",
    DateOrder.DMY: "day/month/year",
    DateOrder.MDY: "month/day/year",
    DateOrder.ROC: "year of the Republic/month/day",
}


def words(order: DateOrder) -> str:
    """An order in words."""
    return _WORDS[order]


def fixed_day(text: str) -> int | None:
    """Days since 1970 of a date that can be read in one way only: 20261124, 24-Nov-2026; None for others."""
    if text.startswith("@"):
        return int(text[1:])
    if text.isdecimal():
        return _day(int(text[:4]), int(text[4:6]), int(text[6:]))
    named = _NAMED.fullmatch(text)
    if named is None or named[2].lower() not in _MONTHS:
        return None
    return _day(_year(named[4]), _MONTHS[named[2].lower()], int(named[1] or named[3] or 0))


def day_in_order(text: str, order: DateOrder) -> int | None:
    """Days since 1970 of three numbers in an order, None where they are no date in it."""
    found = _THREE.fullmatch(text)
    if found is None:
        return None
    match order:
        case DateOrder.ROC:
            year, month, day_of_month = str(ROC_YEAR_0 + int(found[1])), found[2], found[3]
        case DateOrder.YMD:
            year, month, day_of_month = found[1], found[2], found[3]
        case DateOrder.DMY:
            year, month, day_of_month = found[3], found[2], found[1]
        case DateOrder.MDY:
            year, month, day_of_month = found[3], found[1], found[2]
    return _day(_year(year), int(month), int(day_of_month)) if len(year) in {2, 4} else None


def _year(text: str) -> int:
    return int(text) + (2000 if len(text) == _SHORT_YEAR else 0)


def _day(year: int, month: int, day_of_month: int) -> int | None:
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        return None
    try:
        return date(year, month, day_of_month).toordinal() - EPOCH_DAY
    except ValueError:
        return None


def _believable(text: str) -> tuple[DateOrder, ...]:
    """The orders that the number of digits allows; none for what is no date of three numbers."""
    found = _THREE.fullmatch(text)
    if found is None:
        return ()
    if len(found[1]) == _FULL_YEAR:
        return (DateOrder.YMD,)
    if len(found[1]) == _ROC_YEAR:
        return (DateOrder.ROC,)
    if len(found[3]) == _FULL_YEAR:
        return (DateOrder.DMY, DateOrder.MDY)
    return (DateOrder.YMD, DateOrder.DMY, DateOrder.MDY)


_Days = dict[DateOrder, int]


def _days(text: str) -> _Days:
    """The days that a date may mean, by order."""
    found = {order: day_in_order(text, order) for order in _believable(text)}
    return {order: day for order, day in found.items() if day is not None}


@dataclass(slots=True)
class DateEvidence:
    """The different dates of a file, each with its first line, and what they say of their order."""

    lines: dict[str, int] = field(default_factory=dict)

    def observe(self, text: str, line: int) -> None:
        """Take one date into account."""
        self.lines.setdefault(text, line)

    def order(self, file: str, column: str) -> tuple[DateOrder | None, str]:
        """The order and why; None where no date needs one. Raises ConfigError where it must be asked."""
        # what is no date in any order is a bad line, no evidence
        readings = {text: days for text in self.lines if (days := _days(text))}
        if not readings:
            return None, ""
        left = [order for order in DateOrder if all(order in days for days in readings.values())]
        if not left:
            raise ConfigError([self._mixed(file, column, readings)])
        unclear = next((t for t, days in readings.items() if len({days[o] for o in left}) > 1), None)
        if unclear is not None:
            raise ConfigError([self._unclear(file, column, readings, left, unclear)])
        proof = next((text for text, days in readings.items() if set(days) == {left[0]}), None)
        return left[
            0
        ], f"line {self.lines[proof]} has {proof}" if proof else "no other order makes a difference"

    def _mixed(self, file: str, column: str, readings: dict[str, _Days]) -> str:
        against = []
        for order in sorted(set[DateOrder]().union(*readings.values())):
            text = next(t for t, days in readings.items() if order not in days)
            against.append(f"{_WORDS[order]} fails at line {self.lines[text]} ({text})")
        return (
            f"{file}:1: {column}: the dates are written in mixed orders: {'; '.join(against)}; write them in "
            "one order, or say --date-order ymd, dmy, mdy or roc and the others are named as bad lines"
        )

    def _unclear(
        self, file: str, column: str, readings: dict[str, _Days], left: list[DateOrder], text: str
    ) -> str:
        choices = []
        for order in left:
            days = sorted({found[order] for found in readings.values()})
            span = f"{_iso(days[0])} to {_iso(days[-1])}, {_lacking(days)}"
            choices.append(f"--date-order {order.value} ({_WORDS[order]}: {span})")
        return (
            f"{file}:{self.lines[text]}: {column} '{text}': the order of day and month cannot be told "
            f"from this file; say {' or '.join(choices)}"
        )


def _lacking(days: list[int]) -> str:
    lacking = days[-1] - days[0] + 1 - len(days)
    return f"{lacking} days lacking between" if lacking else "no day lacking"


def _iso(day: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=day)).isoformat()
