"""States of a suggestion, by people and by the daily reckoning."""

from dataclasses import replace
from datetime import timedelta

import pytest

from energy_center.domain import suggestions as moves
from energy_center.domain.suggestions import Suggestion, SuggestionId, SuggestionState
from energy_center.errors import Conflict
from tests.services.suggested import AT, a_suggestion

DAY = timedelta(days=1)
OLD = a_suggestion(suggestion_id=SuggestionId(5))


def tomorrow(days: int = 1) -> Suggestion:
    return a_suggestion(first_at=AT + days * DAY, computed_at=AT + days * DAY, energy_kwh=3000.0)


def test_the_next_reckoning_renews_the_figures_and_keeps_the_number():
    again = moves.found_again(OLD, tomorrow())
    assert (again.suggestion_id, again.energy_kwh, again.first_at) == (5, 3000.0, AT)


def test_an_accepted_one_keeps_the_figures_that_people_saw():
    accepted = moves.accept(OLD, "lin", AT)
    assert moves.found_again(accepted, tomorrow()) == accepted


def test_a_declined_one_is_not_raised_again_before_its_time():
    declined = moves.decline(OLD, "lin", AT, "replaced next year", AT + 30 * DAY)
    again = moves.found_again(declined, tomorrow(29))
    assert (again.state, again.reason) == (SuggestionState.DECLINED, "replaced next year")


def test_a_declined_one_is_raised_again_afterwards():
    declined = moves.decline(OLD, "lin", AT, "replaced next year", AT + 30 * DAY)
    again = moves.found_again(declined, tomorrow(30))
    assert (again.state, again.reason, again.declined_until) == (SuggestionState.PROPOSED, "", None)


def test_an_expired_one_begins_anew():
    again = moves.found_again(replace(OLD, state=SuggestionState.EXPIRED), tomorrow())
    assert (again.state, again.first_at) == (SuggestionState.PROPOSED, AT + DAY)


def test_a_decision_can_be_taken_back():
    declined = moves.decline(OLD, "lin", AT, "no", AT + DAY)
    again = moves.reopen(declined, "chen", AT + DAY)
    assert (again.state, again.reason, again.declined_until) == (SuggestionState.PROPOSED, "", None)


@pytest.mark.parametrize(
    "state", [SuggestionState.ACCEPTED, SuggestionState.DECLINED, SuggestionState.EXPIRED]
)
def test_only_a_proposed_one_can_be_decided(state: SuggestionState):
    held = replace(OLD, state=state)
    with pytest.raises(Conflict, match=state.value):
        moves.accept(held, "lin", AT)
    with pytest.raises(Conflict, match=state.value):
        moves.decline(held, "lin", AT, "no", AT + DAY)


def test_a_proposed_one_need_not_be_reopened():
    with pytest.raises(Conflict, match="proposed"):
        moves.reopen(OLD, "lin", AT)
