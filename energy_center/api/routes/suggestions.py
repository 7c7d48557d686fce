"""Suggested savings: what each would bring a year, and what people decide."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from energy_center.api.deps import Data, Doer, MeasureManager, Now, Viewer
from energy_center.api.fields import Limit, Line, Words
from energy_center.domain.suggestions import Suggestion, SuggestionState
from energy_center.services import suggestions
from energy_center.services.suggestions import SuggestionList, SuggestionRow

router = APIRouter(prefix="/suggestions", tags=["suggestions"])

SuggestionNumber = Annotated[int, Path(ge=1, le=2**63 - 1)]
ALL = tuple(SuggestionState)


class Refusal(BaseModel):
    """Why it is not done, and for how long it is not suggested again."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "The plant is replaced next year.", "days": 365}]}
    )

    reason: Words = Field(min_length=1, max_length=suggestions.LONGEST_REASON)
    days: int = Field(default=suggestions.DECLINED_DAYS, ge=1, le=suggestions.MOST_DAYS)


@router.get("", summary="List suggested savings", name="list_suggestions")
async def list_suggestions(
    _: Viewer,
    data: Data,
    building: Annotated[Line | None, Query(max_length=100, examples=["ltb"])] = None,
    state: Annotated[SuggestionState | None, Query(description="All states when left out.")] = None,
    limit: Limit = 200,
) -> SuggestionList:
    """Most money first, each by itself; `runs` says what all of a building save together, overlaps once."""
    states = ALL if state is None else (state,)
    return await suggestions.list_suggestions(data, states, building, limit=limit)


@router.get("/{suggestion_id}", summary="One suggested saving", name="get_suggestion")
async def get_suggestion(_: Viewer, suggestion_id: SuggestionNumber, data: Data) -> SuggestionRow:
    """With its figures, numbers and evidence."""
    return await suggestions.get_suggestion(data, suggestion_id)


@router.post("/{suggestion_id}/accept", summary="Accept a suggestion", name="accept_suggestion")
async def accept_suggestion(
    _: MeasureManager, suggestion_id: SuggestionNumber, data: Data, doer: Doer, now: Now
) -> Suggestion:
    """Its figures stay as they were when it was accepted. 409 unless it is proposed."""
    return await suggestions.accept(data, suggestion_id, doer, now)


@router.post("/{suggestion_id}/decline", summary="Decline a suggestion", name="decline_suggestion")
async def decline_suggestion(
    _: MeasureManager, suggestion_id: SuggestionNumber, refusal: Refusal, data: Data, doer: Doer, now: Now
) -> Suggestion:
    """The same is not raised again for so many days. 409 unless it is proposed."""
    return await suggestions.decline(data, suggestion_id, doer, now, refusal.reason, refusal.days)


@router.post("/{suggestion_id}/reopen", summary="Propose it again", name="reopen_suggestion")
async def reopen_suggestion(
    _: MeasureManager, suggestion_id: SuggestionNumber, data: Data, doer: Doer, now: Now
) -> Suggestion:
    """Takes back an acceptance or a refusal. 409 for any other."""
    return await suggestions.reopen(data, suggestion_id, doer, now)
