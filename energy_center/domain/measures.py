"""Measures that are to save energy, the steps they go through, and what was found of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NewType

MeasureId = NewType("MeasureId", int)


class MeasureState(StrEnum):
    """`verifying`: the work is done and days are being gathered; `verified`: the answer stands."""

    SUGGESTED = "suggested"
    ACCEPTED = "accepted"
    DONE = "done"
    VERIFYING = "verifying"
    VERIFIED = "verified"
    DROPPED = "dropped"


# what people may do; from `done` on the verification moves it
_MOVES: Mapping[MeasureState, tuple[MeasureState, ...]] = {
    MeasureState.SUGGESTED: (MeasureState.ACCEPTED, MeasureState.DROPPED),
    MeasureState.ACCEPTED: (MeasureState.DONE, MeasureState.DROPPED),
    MeasureState.DONE: (MeasureState.DROPPED,),
    MeasureState.VERIFYING: (MeasureState.DROPPED,),
    MeasureState.VERIFIED: (),
    MeasureState.DROPPED: (),
}
BEING_VERIFIED = (MeasureState.DONE, MeasureState.VERIFYING)


def moves(state: MeasureState) -> tuple[MeasureState, ...]:
    """Where a person may take a measure from here."""
    return _MOVES[state]


@dataclass(frozen=True, slots=True)
class Days:
    """Local days from `first` to `last`, both included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Measure:
    """`meter` is a meter's id or an expression of meters; `done` and `baseline` are None until it is done.

    `version` counts its changes. Money in NT$.
    """

    measure_id: MeasureId
    name: str
    meter: str
    state: MeasureState
    created_by: str
    created_at: datetime
    description: str = ""
    equipment_id: str | None = None
    suggestion_id: int | None = None
    work_order_id: int | None = None
    cost_ntd: float | None = None
    expected_kwh_per_year: float | None = None
    done: Days | None = None
    baseline: Days | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class MeasureAdjustment:
    """A change that is not the measure's, kWh a day; withdrawn ones stay to be seen."""

    adjustment_id: int
    measure_id: MeasureId
    days: Days
    kwh_per_day: float
    reason: str
    made_by: str
    made_at: datetime
    withdrawn_by: str | None = None
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MeasureVerification:
    """What was found at a time; `findings` is the document that the API and the page show."""

    measure_id: MeasureId
    made_at: datetime
    verdict: str
    baseline: Days
    reporting: Days
    data_hash: str
    findings: Mapping[str, object]
