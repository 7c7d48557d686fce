"""When a building's savings are reckoned anew."""

from datetime import timedelta

import pytest

from energy_center.domain.suggestions import SuggestionRun
from energy_center.services.suggest_savings import is_due
from tests.services.suggested import AT

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("coverage", "raised_min", "after_min", "due"),
    [
        (1.0, None, 24 * 60 - 1, False),
        (1.0, None, 24 * 60, True),
        (0.5, None, 9, False),
        (0.5, None, 10, True),
        (1.0, 5, 59, False),
        (1.0, 5, 60, True),
        (1.0, -5, 60, False),
    ],
)
def test_daily_soon_after_an_alarm_and_often_without_its_year(
    coverage: float, raised_min: int | None, after_min: int, due: bool
):
    run = SuggestionRun("hall", AT, coverage, {}, {})
    raised = None if raised_min is None else AT + raised_min * MINUTE
    assert is_due(run, raised, AT + after_min * MINUTE) is due


def test_a_building_that_was_never_reckoned_is_due():
    assert is_due(None, None, AT)
