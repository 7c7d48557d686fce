"""What the savings page says of a building together."""

from dashboards.pages.suggestions import together
from energy_center.domain.site import Text
from energy_center.domain.suggestions import SuggestionRun
from tests.unit.dashboards.sample import NOW, drawn, request

FOUND = {"energy_kwh": 93_926.0, "used_kwh": 3_000_000.0, "money_ntd": 1_314_972.0, "carbon_kg": 44_000.0}


def _shown(coverage: float, held: dict[str, float | None]) -> str:
    return drawn(
        together(Text("市政大樓", "City hall"), SuggestionRun("ltb", NOW, coverage, held, {}), request())
    )


def test_a_building_shows_what_all_suggestions_come_to():
    shown = _shown(0.99, {**FOUND, "sum_ntd": 1_345_331.0})
    assert "NT$ 1,314,972" in shown
    assert "93,926 kWh (3.1%)" in shown


def test_a_building_that_was_not_measured_shows_no_data_rather_than_nothing_to_save():
    shown = _shown(0.0, {"energy_kwh": 0.0, "used_kwh": 0.0, "money_ntd": 0.0, "sum_ntd": 0.0})
    assert shown.count("no data") == 4
    assert "NT$ 0" not in shown
