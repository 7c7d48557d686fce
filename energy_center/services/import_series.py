"""Numbers of intervals as readings: a mean at its interval's start, energies as a running register or power.

A register cannot run over a gap: what was used in it is unknown, and a register that stood still would say 0.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from energy_center.domain.quantities import Kind
from energy_center.domain.site import Point
from energy_center.errors import ConfigError
from energy_center.services.meter_csv.model import FloatArray, Stamp

_HOUR_S = 3600.0
_SLACK_S = 1.0
_SHOWN = 5


class Holds(StrEnum):
    """What a number of a file is: a value at its time, a mean over its interval, or its energy."""

    SAMPLE = "sample"
    MEAN = "mean"
    ENERGY = "energy"


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """What a file says of one point, in the order of its lines; `line`, `at_s`, `value` of shape (n,).

    `at_s` is the stamp in epoch seconds; `value` is in the point's unit, for energies of power in that unit
    times an hour. `line` is 0 where it is not known.
    """

    point: Point
    line: NDArray[np.int64]
    at_s: FloatArray
    value: FloatArray
    holds: Holds = Holds.SAMPLE
    interval_s: float = 0.0
    stamp: Stamp = Stamp.START
    register_at_start: float | None = None

    @property
    def starts_s(self) -> FloatArray:
        """Where the values' intervals begin; for samples their own time."""
        if self.holds is Holds.SAMPLE or self.stamp is Stamp.START:
            return self.at_s
        return self.at_s - self.interval_s

    @property
    def needs_register(self) -> bool:
        """Whether it is made into a running register."""
        return self.holds is Holds.ENERGY and self.point.kind is Kind.COUNTER


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Readings of one point as they are stored: microseconds since 1970, value, line; each of shape (n,)."""

    point: Point
    line: NDArray[np.int64]
    at_us: NDArray[np.int64]
    value: FloatArray


def to_rows(series: Series, register: float = 0.0) -> Rows:
    """What is stored; `register` is where a running register stands at the first interval's start.

    Raises ConfigError where the numbers cannot be what the person says they are.
    """
    _check_kind(series)
    if series.needs_register:
        return _running_register(series, register)
    value = series.value
    if series.holds is Holds.ENERGY:
        value = value * (_HOUR_S / series.interval_s)
    return Rows(series.point, series.line, _us(series.starts_s), value)


def _check_kind(series: Series) -> None:
    name = "/".join(series.point.key)
    if series.holds is Holds.MEAN and series.point.kind is not Kind.GAUGE:
        raise ConfigError([f"{name} is a {series.point.kind}; a mean is of a gauge"])
    if series.holds is not Holds.ENERGY:
        return
    if series.point.kind is Kind.STATE or (
        series.point.kind is Kind.GAUGE and series.point.unit not in ("kW", "kvar")
    ):
        raise ConfigError(
            [f"{name} is in {series.point.unit}; amounts of intervals go into counters or power"]
        )


def _running_register(series: Series, register: float) -> Rows:
    name = "/".join(series.point.key)
    order = np.argsort(series.starts_s, kind="stable")
    starts, amounts, lines = series.starts_s[order], series.value[order], series.line[order]
    if not len(starts):
        return Rows(series.point, lines, _us(starts), amounts)
    steps = np.diff(starts)
    wrong = np.flatnonzero(np.abs(steps - series.interval_s) > _SLACK_S)
    if len(wrong):
        gaps = [_gap(starts[i] + series.interval_s, starts[i + 1], lines[i + 1]) for i in wrong[:_SHOWN]]
        more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise ConfigError(
            [
                f"{name}: a running register needs every interval once; {'; '.join(gaps)}{more}. "
                "Import the energies into the meter's active_power, which bears gaps"
            ]
        )
    if np.any(amounts < 0):
        line = int(lines[int(np.argmax(amounts < 0))])
        raise ConfigError([f"{name}: the amount in line {line} is negative; a counter only rises"])
    at_s = np.append(starts, starts[-1] + series.interval_s)
    value = register + np.concatenate([[0.0], np.cumsum(amounts)])
    return Rows(series.point, np.concatenate([lines[:1], lines]), _us(at_s), value)


def _gap(from_s: float, to_s: float, line: int) -> str:
    first, last = (datetime.fromtimestamp(s, UTC).isoformat(timespec="minutes") for s in (from_s, to_s))
    if to_s < from_s:
        return f"line {line} is given twice or overlaps at {last}"
    return f"nothing from {first} to {last} (line {line})"


def _us(at_s: FloatArray) -> NDArray[np.int64]:
    return np.round(at_s * 1e6).astype(np.int64)
