"""Corrections of readings and exchanges of meters: recorded acts of people, each with an undo."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from energy_center.domain.readings import PointId


class MeterEventKind(StrEnum):
    """What was done."""

    CORRECTION = "correction"
    EXCHANGE = "exchange"


class CorrectionKind(StrEnum):
    """How a correction changes each reading of its period."""

    SET = "set"  # to the number
    ADD = "add"  # the number to it
    MULTIPLY = "multiply"  # it by the number
    REMOVE = "remove"  # the reading itself


@dataclass(frozen=True, slots=True)
class Correction:
    """`number` in the point's unit (a factor for MULTIPLY); None exactly for REMOVE."""

    kind: CorrectionKind
    number: float | None = None

    def __post_init__(self) -> None:
        is_number = self.number is not None and math.isfinite(self.number)
        if is_number == (self.kind is CorrectionKind.REMOVE):
            message = f"a correction to {self.kind.value} takes {'no' if is_number else 'a finite'} number"
            raise ValueError(message)

    def apply(self, reading: float) -> float | None:
        """What the reading becomes, None where it is removed."""
        number = self.number or 0.0
        match self.kind:
            case CorrectionKind.SET:
                return number
            case CorrectionKind.ADD:
                return reading + number
            case CorrectionKind.MULTIPLY:
                return reading * number
            case CorrectionKind.REMOVE:
                return None


@dataclass(frozen=True, slots=True)
class MeterEvent:
    """A recorded act on the readings of [from_at, to_at) of a point; `undone_at` None while it holds."""

    meter_event_id: int
    kind: MeterEventKind
    point_id: PointId
    equipment_id: str
    point: str
    from_at: datetime
    to_at: datetime
    detail: Mapping[str, object]
    reason: str
    readings: int
    made_by: str
    made_at: datetime
    undone_by: str | None = None
    undone_at: datetime | None = None
