"""What to do about an alarm and what it is worth: its own place on the page, to grow by itself."""

from dash import dcc, html
from dash.development.base_component import Component

from dashboards.components.kpi import pair
from dashboards.components.saving import amounts, ntd
from dashboards.request import PageRequest
from energy_center.domain.suggestions import SuggestionState
from energy_center.services.alarms import AlarmDetail
from energy_center.services.suggestions import SuggestionRow, list_suggestions

_SAVINGS = (
    ("energy_kwh", "kWh"),
    ("per_day_kwh", "kWh/d"),
    ("money_ntd", "NT$"),
    ("carbon_kg", "kgCO₂e"),
    ("water_m3", "m³"),
)


async def suggestion_part(detail: AlarmDetail, request: PageRequest) -> Component | None:
    """The rule's suggestion and the estimated waste with its basis; None where neither can be said."""
    words = detail.texts.get(request.language)
    sentence = words.suggestion if words is not None else ""
    rows = [
        pair(request.t("alarm.wasted"), html.Span(f"{float(amount):,.0f} {unit}"))
        for name, unit in _SAVINGS
        if (amount := detail.suggestion.get(name)) is not None
    ]
    found = await list_suggestions(
        request.database, tuple(SuggestionState), alarm_id=int(detail.row.alarm_id), limit=1
    )
    if not sentence and not rows and not found.rows:
        return None
    parts: list[Component] = [html.H3(request.t("alarm.suggestion"))]
    if sentence:
        parts.append(html.P(sentence))
    if rows:
        parts.append(html.Div(rows, className="stack facts"))
        if basis := detail.suggestion.get("basis"):
            parts.append(html.Div(str(basis), className="small-print"))
    parts += [_suggested(row, request) for row in found.rows]
    return html.Section(parts, className="panel advice", id="alarm-suggestion")


def _suggested(row: SuggestionRow, request: PageRequest) -> Component:
    """What its repair is worth a year, and the way to decide on it."""
    return html.Div(
        [
            html.H3(request.t("suggestion.on_alarm")),
            html.Div(
                [html.Span(ntd(row.suggestion.money_ntd, request)), *amounts(row, request)],
                className="saving-amounts",
            ),
            dcc.Link(request.t("suggestion.see"), href=f"/suggestions/{row.suggestion.suggestion_id}"),
        ]
    )
