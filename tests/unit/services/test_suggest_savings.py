"""When a building's savings are reckoned anew."""

from datetime import timedelta

import pytest

from energy_center.domain.alarms import Alarm, AlarmId, AlarmState, Priority
from energy_center.domain.site import Text
from energy_center.domain.suggestions import SuggestionRun
from energy_center.services.read_savings_history import waste_a_day
from energy_center.services.suggest_savings import is_due
from energy_center.store.alarms import ListedAlarm
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


@pytest.mark.parametrize(
    ("suggestion", "expected"),
    [
        ({"per_day_kwh": 48.0}, (48.0, None)),
        # 1.5 m3 in the six hours from onset to raising
        ({"per_day_kwh": None, "water_m3": 1.5}, (None, 6.0)),
        ({"water_m3": None}, (None, None)),
    ],
)
def test_an_alarm_tells_its_waste_a_day(
    suggestion: dict[str, float | None], expected: tuple[float | None, float | None]
):
    alarm = Alarm(AlarmId(1), "water-leak", "m", Priority.HIGH, AlarmState.UNACKNOWLEDGED, AT, AT)
    # an alarm page begins an hour before the onset
    evidence = {"window_from": "2026-11-24T00:00:00+00:00", "window_to": "2026-11-24T07:00:00+00:00"}
    row = ListedAlarm(alarm, Text("表", "meter"), "hall", None, evidence, suggestion)
    assert waste_a_day(row) == expected
    assert waste_a_day(ListedAlarm(alarm, Text("表", "meter"), "hall", None, {}, suggestion))[1] is None
