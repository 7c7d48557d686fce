"""A suggestion as the daily reckoning would write it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from energy_center.domain.suggestions import Suggestion, SuggestionId, SuggestionState

AT = datetime(2026, 11, 24, 2, tzinfo=UTC)


def a_suggestion(**changed: Any) -> Suggestion:
    """Proposed: 2,070 kWh, NT$19,146 and 981 kg a year."""
    made = Suggestion(
        suggestion_id=SuggestionId(0),
        building_id="hall",
        measure_id="schedule-trim",
        subject_id="hall",
        state=SuggestionState.PROPOSED,
        first_at=AT,
        computed_at=AT,
        energy_kwh=2070.0,
        money_ntd=19_145.7,
        carbon_kg=981.2,
        water_m3=None,
        cost_ntd=None,
        payback_years=None,
        counted_kwh=2070.0,
        confidence="high",
        coverage=1.0,
        alarm_id=None,
        evidence={"figures": {"hours_outside_h": 23.0}, "bars": None, "meters": ["main", "chiller-1"]},
    )
    return replace(made, **changed)
