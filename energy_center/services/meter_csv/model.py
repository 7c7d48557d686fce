"""What is asked of an export file, and what comes out of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


class Quantity(StrEnum):
    """What a column of numbers says."""

    REGISTER = "register"  # the meter's counter at the stamp
    ENERGY = "energy"  # consumption of the interval
    POWER = "power"  # average over the interval
    TEMPERATURE = "temperature"  # outdoors, at the stamp or averaged over the interval


class Stamp(StrEnum):
    """Which end of its interval a stamp names."""

    START = "start"
    END = "end"


class DateOrder(StrEnum):
    """How a date of three numbers is read; `roc` is year/month/day with years since 1911."""

    YMD = "ymd"
    DMY = "dmy"
    MDY = "mdy"
    ROC = "roc"


@dataclass(frozen=True, slots=True)
class CsvOptions:
    """What a person says of a file; None is found out from the file, or asked about.

    `columns` names the headings of `time`, `value` and, where they stand apart, `date`; a number counts
    columns from 1. `only` keeps the lines whose column holds the text. `interval_s` is the length of an
    interval in seconds. `unit` is as printed, such as kWh.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    only: Mapping[str, str] = field(default_factory=dict)
    zone: str = "Asia/Taipei"
    quantity: Quantity | None = None
    unit: str | None = None
    stamp: Stamp | None = None
    date_order: DateOrder | None = None
    decimal: str | None = None
    delimiter: str | None = None
    encoding: str | None = None
    interval_s: float | None = None


@dataclass(frozen=True, slots=True)
class BadCell:
    """A cell that could not be used; `line` counts from 1 as editors do."""

    line: int
    column: str
    found: str
    expected: str

    def sentence(self, file: str) -> str:
        """The form in which all our messages name a place in a file."""
        return f"{file}:{self.line}: {self.column} '{self.found}'; expected {self.expected}"


@dataclass(frozen=True, slots=True)
class Assumption:
    """`text` is a full sentence; `option` is what to say where it is wrong; `is_told` by the user himself."""

    text: str
    option: str
    is_told: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Export:
    """A file's values in time order, each time once; both arrays of shape (n,).

    `at_s`: epoch seconds, UTC: the instant of a register, the start of an interval for energy and power.
    `value`: in `unit` (UCUM: kW.h, kvar.h, kW, kvar, m3 or Cel). `interval_s`: the usual step.
    `bad_count` counts all cells that could not be used, `bad` shows the first of them; `empty` cells hold
    nothing or a dash.
    """

    file: str
    at_s: FloatArray
    value: FloatArray
    quantity: Quantity
    unit: str
    interval_s: float
    zone: str
    assumptions: tuple[Assumption, ...]
    bad: tuple[BadCell, ...]
    bad_count: int
    empty: int
    repeated: int

    def __len__(self) -> int:
        return len(self.at_s)

    @property
    def end_s(self) -> float:
        """Epoch seconds at which the last value ends."""
        return float(self.at_s[-1]) + (0.0 if self.quantity is Quantity.REGISTER else self.interval_s)
