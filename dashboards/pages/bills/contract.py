"""The contract that would have cost least over twelve months, its cost curve, and other tariffs."""

from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboards.components.still import still
from dashboards.request import PageRequest
from dashboards.theme.plotly import template
from dashboards.theme.tokens import SERIES_DARK, SERIES_LIGHT
from energy_center.i18n.text import text_or
from energy_center.services.bill_questions import ContractView, PlanView, read_contract, read_plans
from energy_center.services.bill_words import money
from energy_center.tariffs.contract import Choice

_MONTHS = 12


async def draw_contract(request: PageRequest, building: str, month: str) -> Component:
    """Twelve months, the chosen one last."""
    advice = await read_contract(request.database, building, month, _MONTHS, 0.02, request.now)
    plans = await read_plans(request.database, building, month, _MONTHS, request.now)
    return html.Div([contract(advice, request), tariffs(plans, request)], className="stack")


def contract(found: ContractView, request: PageRequest) -> Component:
    """The present contract beside the best, and the curve."""
    advice = found.advice
    rows = [
        _row(request.t("bill.contract_present"), advice.present, request),
        _row(request.t("bill.contract_best"), advice.best, request),
    ]
    if found.grown is not None:
        rows.append(
            _row(
                request.t("bill.contract_grown", growth=f"{found.growth:.0%}", years=found.years),
                found.grown,
                request,
                is_cost=False,
            )
        )
    heads = ("which", "contract", "cost", "over", "parts")
    table = html.Table(
        [
            html.Thead(html.Tr([html.Th(request.t(f"bill.advice.{head}"), scope="col") for head in heads])),
            html.Tbody(rows),
        ],
        className="grid numbers",
    )
    said = [
        request.t("bill.saving", saving=f"{advice.saving:,.0f}", parts=advice.months),
        f"{request.t('bill.coverage')} {found.coverage:.1%}",
    ]
    return html.Div(
        [
            html.H2(request.t("bill.view.contract")),
            html.Div(still(table), className="scroll"),
            html.Div([html.Span(words) for words in said], className="trend-notes"),
            dcc.Graph(
                figure=_curve(found, request),
                className="trend",
                responsive=True,
                config={"displayModeBar": False, "displaylogo": False},
            ),
        ],
        className="panel",
    )


def kinds(kw: dict[str, int] | Any, language: str) -> str:  # noqa: ANN401 a mapping of kinds to kW
    """Contract kinds in words."""
    return (
        ", ".join(f"{text_or(f'bill.contract.{kind}', language, kind)} {n:,} kW" for kind, n in kw.items())
        or "0 kW"
    )


def _row(name: str, choice: Choice, request: PageRequest, *, is_cost: bool = True) -> Component:
    return html.Tr(
        [
            html.Td(name),
            html.Td(kinds(choice.kw, request.language)),
            html.Td(f"{choice.cost:,.0f}" if is_cost else "–"),
            html.Td(f"{choice.over_cost:,.0f}" if is_cost else "–"),
            html.Td(str(choice.over_parts) if is_cost else "–"),
        ]
    )


def _curve(found: ContractView, request: PageRequest) -> dict[str, Any]:
    colours = SERIES_DARK if request.theme == "dark" else SERIES_LIGHT
    kw, costs = [k for k, _ in found.advice.curve], [float(cost) for _, cost in found.advice.curve]
    first = next(iter(found.advice.best.kw), "regular")
    best = found.advice.best.kw.get(first, 0)
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines",
                "x": kw,
                "y": costs,
                "line": {"color": colours[0], "width": 2},
                "name": request.t("bill.advice.cost"),
                "hovertemplate": "%{x:,} kW<br>%{y:,.0f}<extra></extra>",
            }
        ],
        "layout": {
            "template": template(request.theme),
            "xaxis": {"title": {"text": "kW"}, "fixedrange": True, "tickformat": ",d"},
            "yaxis": {
                "title": {"text": request.t("bill.advice.cost")},
                "fixedrange": True,
                "tickformat": ",.0f",
            },
            "shapes": [
                {
                    "type": "line",
                    "x0": best,
                    "x1": best,
                    "y0": 0,
                    "y1": 1,
                    "yref": "paper",
                    "line": {"color": colours[1], "dash": "dot", "width": 2},
                }
            ],
            "showlegend": False,
        },
    }


def tariffs(plans: list[PlanView], request: PageRequest) -> Component:
    """Tariffs that the building may choose, the cheapest first."""
    rows = [
        html.Tr(
            [
                html.Td(
                    [
                        plan.tariff.in_language(request.language),
                        *(
                            [html.Span(request.t("bill.contract_present"), className="tag")]
                            if plan.is_present
                            else []
                        ),
                    ]
                ),
                html.Td(money(plan.total, plan.currency)),
                html.Td("–" if plan.at_best is None else money(plan.at_best, plan.currency)),
                html.Td(kinds(plan.contract.kw, request.language) if plan.contract else "–"),
            ]
        )
        for plan in plans
    ]
    heads = ("plan", "cost", "best_cost", "contract")
    table = html.Table(
        [
            html.Thead(html.Tr([html.Th(request.t(f"bill.columns.{head}"), scope="col") for head in heads])),
            html.Tbody(rows),
        ],
        className="grid numbers",
    )
    return html.Div(
        [html.H2(request.t("bill.plans")), html.Div(still(table), className="scroll")], className="panel"
    )
