"""A saving that is suggested: its figures a year, and the states between found and decided."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType

from energy_center.domain.alarms import AlarmId
from energy_center.errors import Conflict

SuggestionId = NewType("SuggestionId", int)


class SuggestionState(StrEnum):
    """Proposed by the reckoning, accepted or declined by people; expired when not found again."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One suggestion of a measure at a subject (a building, an equipment or a finding).

    Figures are a year's: `energy_kwh`, `money_ntd` (None without a tariff), `carbon_kg`. `counted_kwh` is its
    part of the building's total. `evidence` holds figures, numbers, bars, meters and reason.
    """

    suggestion_id: SuggestionId
    building_id: str
    measure_id: str
    subject_id: str
    state: SuggestionState
    first_at: datetime
    computed_at: datetime
    energy_kwh: float
    money_ntd: float | None
    carbon_kg: float
    water_m3: float | None
    cost_ntd: float | None
    payback_years: float | None
    counted_kwh: float
    confidence: str
    coverage: float
    alarm_id: AlarmId | None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    decided_at: datetime | None = None
    decided_by: str | None = None
    reason: str = ""
    declined_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class SuggestionRun:
    """The newest reckoning of a building; `coverage` of its main meter over the year, 0..1."""

    building_id: str
    computed_at: datetime
    coverage: float
    together: Mapping[str, float | None]
    not_known: Mapping[str, tuple[str, ...]]


def accept(suggestion: Suggestion, by: str, now: datetime) -> Suggestion:
    """Raises Conflict unless it is proposed."""
    _must_be(suggestion, SuggestionState.PROPOSED)
    return _decided(suggestion, SuggestionState.ACCEPTED, by, now)


def decline(suggestion: Suggestion, by: str, now: datetime, reason: str, until: datetime) -> Suggestion:
    """It is not raised again before `until`. Raises Conflict unless it is proposed."""
    _must_be(suggestion, SuggestionState.PROPOSED)
    return replace(
        _decided(suggestion, SuggestionState.DECLINED, by, now), reason=reason, declined_until=until
    )


def reopen(suggestion: Suggestion, by: str, now: datetime) -> Suggestion:
    """Propose it again. Raises Conflict unless it is accepted or declined."""
    _must_be(suggestion, SuggestionState.DECLINED, SuggestionState.ACCEPTED)
    return replace(_decided(suggestion, SuggestionState.PROPOSED, by, now), reason="", declined_until=None)


def found_again(old: Suggestion, new: Suggestion) -> Suggestion:
    """What the daily reckoning makes of one that is there already.

    An accepted one keeps the figures that people saw. A declined one stays so until its time is over.
    """
    match old.state:
        case SuggestionState.ACCEPTED:
            return old
        case SuggestionState.DECLINED if old.declined_until and new.computed_at < old.declined_until:
            state = SuggestionState.DECLINED
        case _:
            state = SuggestionState.PROPOSED
    kept = replace(
        new,
        suggestion_id=old.suggestion_id,
        state=state,
        first_at=new.computed_at if old.state is SuggestionState.EXPIRED else old.first_at,
    )
    if state is SuggestionState.PROPOSED:
        return kept
    return replace(
        kept,
        decided_at=old.decided_at,
        decided_by=old.decided_by,
        reason=old.reason,
        declined_until=old.declined_until,
    )


def _must_be(suggestion: Suggestion, *states: SuggestionState) -> None:
    if suggestion.state not in states:
        wanted = " or ".join(state.value for state in states)
        raise Conflict(
            f"Suggestion {suggestion.suggestion_id} is {suggestion.state.value}; it must be {wanted}."
        )


def _decided(suggestion: Suggestion, state: SuggestionState, by: str, now: datetime) -> Suggestion:
    return replace(suggestion, state=state, decided_by=by, decided_at=now)
