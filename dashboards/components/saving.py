"""How a saving is shown: money, energy, CO2, effort and confidence, on its own and in lists."""

from dash import html
from dash.development.base_component import Component

from dashboards.request import PageRequest
from energy_center.services.suggestions import SuggestionRow


def ntd(amount: float | None, request: PageRequest) -> str:
    """Whole NT$, or that it is not known."""
    return request.t("suggestion.no_money") if amount is None else f"NT$ {amount:,.0f}"


def quantity(amount: float, unit: str) -> str:
    """A whole number with its unit."""
    return f"{amount:,.0f} {unit}"


def name_of(row: SuggestionRow, request: PageRequest) -> str:
    """What is to be done; the measure's id where the catalogue no longer has it."""
    return row.measure.texts[request.language].name if row.measure else row.suggestion.measure_id


def place_of(row: SuggestionRow, request: PageRequest) -> str:
    """The building, and the equipment where it is about one."""
    building, subject = row.building.in_language(request.language), row.subject.in_language(request.language)
    return building if subject == building else f"{building} · {subject}"


def tags(row: SuggestionRow, request: PageRequest) -> list[Component]:
    """Confidence, effort and state in words."""
    held = row.suggestion
    words = [(f"confidence-{held.confidence}", request.t(f"suggestion.confidence.{held.confidence}"))]
    if row.measure is not None:
        words.append(("effort", request.t(f"suggestion.effort.{row.measure.effort.value}")))
    words.append((f"state-{held.state.value}", request.t(f"suggestion.state.{held.state.value}")))
    return [html.Span(said, className=f"tag {kind}") for kind, said in words]


def amounts(row: SuggestionRow, request: PageRequest) -> list[Component]:
    """Energy, CO2, water and pay-back a year, as far as the measure has them."""
    held = row.suggestion
    said = []
    if round(held.energy_kwh):
        said.append(f"{held.energy_kwh:,.0f} kWh")
        said.append(f"{held.carbon_kg:,.0f} kgCO₂e")
    if held.water_m3:
        said.append(f"{held.water_m3:,.0f} m³")
    if held.payback_years is not None:
        said.append(request.t("suggestion.payback", years=f"{held.payback_years:.1f}"))
    return [html.Span(words) for words in said]
