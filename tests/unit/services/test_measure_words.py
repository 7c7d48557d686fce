"""What a page says of a measure: worth only where it is sure, a year by the days it comes from."""

from datetime import UTC, datetime

import pytest

from energy_center.api.routes.measures import MeasureMove
from energy_center.domain.measures import Measure, MeasureId, MeasureState
from energy_center.services.measure_words import worth_facts

MEASURE = Measure(
    MeasureId(1),
    "Sequencing",
    "main",
    MeasureState.VERIFYING,
    "lin",
    datetime(2026, 1, 1, tzinfo=UTC),
    cost_ntd=100_000.0,
)


def words(verdict: str, days: int) -> dict[str, str]:
    estimate = {"avoided_kwh": 1_000.0, "avoided_share": 0.1, "adjustment_kwh": 0.0, "days": days}
    findings = {"verdict": verdict, "estimate": estimate, "money_ntd": 5_000.0, "carbon_kg": 474.0}
    return dict(worth_facts(MEASURE, findings, "en"))


@pytest.mark.parametrize("verdict", ["cannot_tell", "not_saved"])
def test_what_is_not_sure_is_worth_nothing_yet(verdict: str) -> None:
    assert list(words(verdict, 60)) == ["Avoided energy"]


def test_part_of_a_year_is_called_that() -> None:
    said = words("saved", 73)  # a fifth of a year: 5,000 kWh and NT$25,000 a year
    assert said["At the rate of these 73 days, a year"] == "5,000 kWh"
    assert said["Pay-back at the rate of these 73 days"] == "4.0 years"


def test_a_whole_year_is_a_year() -> None:
    said = words("saved", 365)
    assert (said["That is, a year"], said["Pay-back"]) == ("1,000 kWh", "20.0 years")


def test_a_cost_that_is_left_empty_is_not_known() -> None:
    assert MeasureMove.model_validate({"to": "done", "version": 1, "cost_ntd": ""}).cost_ntd is None
