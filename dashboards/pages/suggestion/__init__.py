"""One suggested saving: what to do, what it brings, the evidence, how it was reckoned, and the decision."""

from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import fmt
from dashboards.components.kpi import pair
from dashboards.components.saving import name_of, ntd, place_of, quantity, tags
from dashboards.request import PageRequest
from dashboards.theme.plotly import template
from dashboards.theme.tokens import SERIES_DARK, SERIES_LIGHT
from energy_center.domain.people import Permission
from energy_center.domain.suggestions import SuggestionState
from energy_center.i18n.text import text_or
from energy_center.services.suggestions import SuggestionRow, get_suggestion

DECLINE_DAYS = (90, 365, 1095)
_USUAL_DAYS = 365


async def draw(request: PageRequest) -> Component:
    """Facts and evidence at the left, steps and decision at the right."""
    number = request.params["suggestion_id"]
    row = await get_suggestion(request.database, int(number) if number.isdecimal() else 0)
    return html.Div(
        [
            dcc.Link(request.t("suggestion.back"), href="/suggestions", className="back"),
            html.Div([html.H1(name_of(row, request)), *tags(row, request)], className="page-head"),
            html.Div(
                [
                    html.Div(
                        [_facts(row, request), _chart(row, request), _made(row, request)], className="left"
                    ),
                    html.Div([_steps(row, request), _decision(row, request)], className="right"),
                ],
                className="detail-page",
            ),
        ]
    )


def _facts(row: SuggestionRow, request: PageRequest) -> Component:
    t, held = request.t, row.suggestion
    rows = [
        pair(t("suggestion.place"), html.Span(place_of(row, request))),
        pair(t("suggestion.money"), html.Span(ntd(held.money_ntd, request), className="strong")),
    ]
    if round(held.energy_kwh):
        rows.append(pair(t("suggestion.energy"), html.Span(quantity(held.energy_kwh, "kWh"))))
        rows.append(pair(t("suggestion.carbon"), html.Span(quantity(held.carbon_kg, "kgCO₂e"))))
    if held.water_m3:
        rows.append(pair(t("suggestion.water"), html.Span(quantity(held.water_m3, "m³"))))
    if held.cost_ntd:
        rows.append(pair(t("suggestion.cost"), html.Span(ntd(held.cost_ntd, request))))
    if held.payback_years is not None:
        rows.append(
            pair(t("suggestion.pays"), html.Span(t("suggestion.years", years=f"{held.payback_years:.1f}")))
        )
    if held.energy_kwh > 0:
        rows.append(pair(t("suggestion.counted"), html.Span(quantity(held.counted_kwh, "kWh"))))
    if held.alarm_id is not None:
        link = dcc.Link(f"#{held.alarm_id}", href=f"/alarms/{held.alarm_id}")
        rows.append(pair(t("suggestion.alarm"), link))
    return html.Section(html.Div(rows, className="stack facts"), className="panel")


def _chart(row: SuggestionRow, request: PageRequest) -> Component:
    bars = row.suggestion.evidence.get("bars")
    if not bars:
        return html.Section(html.P(request.t("suggestion.no_chart")), className="panel")
    is_day = bars["unit"] == "kW" and len(bars["labels"][0]) == 2  # noqa: PLR2004 an hour's name
    return html.Section(
        [
            html.H3(request.t("suggestion.chart_day" if is_day else "suggestion.chart_months")),
            dcc.Graph(
                style={"height": "300px"},
                figure=_figure(bars, row.suggestion.measure_id, request),
                className="trend",
                responsive=True,
                config={"displayModeBar": False, "displaylogo": False},
            ),
        ],
        className="panel",
    )


def _figure(bars: dict[str, Any], measure_id: str, request: PageRequest) -> dict[str, Any]:
    colours = SERIES_DARK if request.theme == "dark" else SERIES_LIGHT
    unit = fmt.unit(bars["unit"])
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": bars["labels"],
                "y": bars[which],
                "name": text_or(
                    f"suggestion.bars.{measure_id}-{which}",
                    request.language,
                    request.t(f"suggestion.{which}"),
                ),
                "line": {"color": colours[place], "width": 2, "dash": "solid" if place == 0 else "dot"},
                "marker": {"size": 5},
                "hovertemplate": f"%{{x}}<br>%{{y:,.1f}} {unit}<extra></extra>",
            }
            for place, which in enumerate(("before", "after"))
        ],
        "layout": {
            "template": template(request.theme),
            "xaxis": {"fixedrange": True, "type": "category"},
            "yaxis": {"title": {"text": unit}, "fixedrange": True, "rangemode": "tozero"},
            "showlegend": True,
            "legend": {"orientation": "h", "y": 1.12},
            "margin": {"l": 56, "r": 12, "t": 8, "b": 40},
        },
    }


def _made(row: SuggestionRow, request: PageRequest) -> Component:
    """How the figure is made, from which numbers, and how sure it is."""
    t, held, language = request.t, row.suggestion, request.language
    reason = held.evidence.get("reason", {}).get(language, "")
    figures = [
        pair(
            text_or(f"suggestion.figure.{name}", language, name),
            html.Span(_number(value)),
        )
        for name, value in held.evidence.get("figures", {}).items()
    ]
    blocks: list[Component] = [html.H3(t("suggestion.made"))]
    if row.measure is not None:
        blocks.append(html.P(row.measure.texts[language].made))
    blocks.append(html.Div(figures, className="stack facts"))
    blocks.append(
        html.P(
            t(
                "suggestion.sure",
                confidence=t(f"suggestion.confidence.{held.confidence}"),
                reason=reason,
                coverage=f"{held.coverage:.0%}",
            )
        )
    )
    if row.measure is not None:
        lines = [
            html.Li(
                f"{n.name} = {held.evidence.get('numbers', {}).get(n.name, n.default):g} "
                f"{fmt.unit(n.unit) if n.unit != '1' else ''} ({n.source})"
            )
            for n in row.measure.numbers
        ]
        blocks.append(
            html.Details(
                [
                    html.Summary(t("suggestion.numbers")),
                    html.Ul(lines),
                    html.P(f"{t('suggestion.source')}: {row.measure.source}", className="small-print"),
                    html.P(f"{t('suggestion.meters')}: {', '.join(held.evidence.get('meters', []))}"),
                ]
            )
        )
    return html.Section(blocks, className="panel saving-made")


def _number(value: float) -> str:
    """Two decimals at most."""
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def _steps(row: SuggestionRow, request: PageRequest) -> Component:
    if row.measure is None:
        return html.Div("")
    words = row.measure.texts[request.language]
    return html.Section(
        [
            html.P(words.why),
            html.H3(request.t("suggestion.steps")),
            html.Ol([html.Li(step) for step in words.steps]),
            html.Div([html.H3(request.t("suggestion.note")), html.P(words.note)], className="safety"),
        ],
        className="panel advice",
    )


def _decision(row: SuggestionRow, request: PageRequest) -> Component:
    t, held = request.t, row.suggestion
    blocks: list[Component] = []
    if held.decided_by and held.decided_at and held.state is not SuggestionState.PROPOSED:
        at = fmt.moment(held.decided_at, request.zone, request.language)
        who = fmt.actor(held.decided_by, request.language)
        blocks.append(
            html.P(t("suggestion.decided", state=t(f"suggestion.state.{held.state.value}"), who=who, at=at))
        )
    if held.reason:
        blocks.append(html.P(held.reason, className="text"))
    if held.declined_until is not None:
        until = fmt.moment(held.declined_until, request.zone, request.language)
        blocks.append(html.P(t("suggestion.until", at=until)))
    if not request.user.may(Permission.MANAGE_MEASURES):
        blocks.append(html.P(t("suggestion.may_not"), className="faint"))
    elif held.state is SuggestionState.PROPOSED:
        blocks += [_accept(held.suggestion_id, request), _decline(held.suggestion_id, request)]
    elif held.state in (SuggestionState.ACCEPTED, SuggestionState.DECLINED):
        blocks.append(_form(held.suggestion_id, "reopen", [_button("reopen", request)], request))
    return html.Section(html.Div(blocks, className="acts"), className="panel acts")


def _accept(number: int, request: PageRequest) -> Component:
    button = _button("accept", request, "button primary")
    return _form(number, "accept", [button], request)


def _decline(number: int, request: PageRequest) -> Component:
    t = request.t
    fields: list[Component] = [
        html.Label(t("suggestion.why_not"), htmlFor="suggestion-reason"),
        html.Textarea("", id="suggestion-reason", name="reason", rows=2, maxLength=500, required=True),
        html.Label(t("suggestion.for_days"), htmlFor="suggestion-days"),
        html.Select(
            [
                html.Option(t("suggestion.days", n=days), value=str(days), selected=days == _USUAL_DAYS)
                for days in DECLINE_DAYS
            ],
            id="suggestion-days",
            name="days",
        ),
        _button("decline", request),
    ]
    return html.Details(
        [
            html.Summary(t("suggestion.do.decline"), className="button"),
            _form(number, "decline", fields, request),
        ],
        className="shelve",
    )


def _form(number: int, step: str, fields: list[Component], request: PageRequest) -> Component:
    return html.Form(
        fields,
        className="act",
        **{
            "data-api": f"/api/v1/suggestions/{number}/{step}",
            "data-body": "{}",
            "data-done": request.t(f"suggestion.done.{step}"),
            "data-then": "/suggestions",
        },
    )


def _button(step: str, request: PageRequest, css: str = "button") -> Component:
    return html.Button(request.t(f"suggestion.do.{step}"), type="submit", className=css)
