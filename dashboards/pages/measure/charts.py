"""The evidence: avoided energy added up with its interval, and used against expected energy of every day."""

from collections.abc import Mapping, Sequence
from typing import Any

from dash import dcc
from dash.development.base_component import Component

from dashboards.request import PageRequest
from dashboards.theme.plotly import ZH_TW, template
from dashboards.theme.tokens import DARK, LIGHT
from energy_center.domain.measures import Days


def cumulative(findings: Mapping[str, Any], request: PageRequest) -> Component:
    """The sum so far and its 95 % interval."""
    course, tokens = findings["course"], _tokens(request)
    days = [each["on"] for each in course]
    edge = {"type": "scatter", "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
    traces: list[dict[str, Any]] = [
        {**edge, "x": days, "y": _column(course, "high_kwh"), "showlegend": False},
        {
            **edge,
            "x": days,
            "y": _column(course, "low_kwh"),
            "fill": "tonexty",
            "fillcolor": tokens["data-fill"],
            "name": request.t("measure.band"),
        },
        {
            "type": "scatter",
            "mode": "lines",
            "x": days,
            "y": _column(course, "avoided_kwh"),
            "name": request.t("measure.sum"),
            "line": {"color": tokens["data"], "width": 2.2},
            "hovertemplate": "%{y:,.0f} kWh<extra></extra>",
        },
    ]
    return _graph(traces, {"zerolinecolor": tokens["line-strong"], "zerolinewidth": 2}, [], request)


def by_day(findings: Mapping[str, Any], done: Days | None, request: PageRequest) -> Component:
    """Both periods; the days of the work are shaded."""
    before, after, tokens = findings["baseline_days"], findings["days"], _tokens(request)
    used = [*before, {"on": None, "actual_kwh": None}, *after]
    traces: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "markers",
            "x": [each["on"] for each in used],
            "y": [each["actual_kwh"] for each in used],
            "name": request.t("measure.actual"),
            "marker": {"color": tokens["data"], "size": 4},
        },
        _line(before, tokens["running"], request.t("measure.modelled"), "expected_kwh"),
        {
            **_line(after, tokens["running"], request.t("measure.modelled"), "expected_kwh"),
            "showlegend": False,
        },
    ]
    if any(each["adjustment_kwh"] for each in after):
        adjusted = [
            {"on": each["on"], "expected_kwh": each["expected_kwh"] + each["adjustment_kwh"]}
            for each in after
        ]
        name = request.t("measure.adjusted")
        traces.append(_line(adjusted, tokens["p4"], name, "expected_kwh", dash="dash"))
    shapes = [] if done is None else [_shade(done, tokens["band"])]
    return _graph(traces, {"rangemode": "tozero"}, shapes, request)


def _tokens(request: PageRequest) -> Mapping[str, str]:
    return DARK if request.theme == "dark" else LIGHT


def _column(rows: Sequence[Mapping[str, Any]], name: str) -> list[float]:
    return [round(row[name], 1) for row in rows]


def _line(
    rows: Sequence[Mapping[str, Any]], colour: str, name: str, column: str, dash: str = "solid"
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [row["on"] for row in rows],
        "y": _column(rows, column),
        "name": name,
        "line": {"color": colour, "width": 1.3, "dash": dash},
    }


def _shade(done: Days, colour: str) -> dict[str, Any]:
    return {
        "type": "rect",
        "xref": "x",
        "yref": "paper",
        "x0": f"{done.first} 00:00",
        "x1": f"{done.last} 23:59",
        "y0": 0,
        "y1": 1,
        "fillcolor": colour,
        "line": {"color": colour, "width": 2},
        "layer": "below",
    }


def _graph(
    traces: list[dict[str, Any]], axis: dict[str, Any], shapes: list[dict[str, Any]], request: PageRequest
) -> Component:
    layout = {
        "template": template(request.theme),
        "showlegend": True,
        "shapes": shapes,
        "xaxis": {"type": "date", "tickformat": "%Y/%m", "hoverformat": "%Y/%m/%d", "fixedrange": True},
        "yaxis": {"title": {"text": "kWh"}, "tickformat": ",~f", "fixedrange": True, **axis},
    }
    return dcc.Graph(
        figure={"data": traces, "layout": layout},
        className="trend",
        style={"height": "280px"},
        responsive=True,
        config={
            "displayModeBar": False,
            "displaylogo": False,
            "locale": "zh-TW" if request.language != "en" else "en-US",
            "locales": {"zh-TW": ZH_TW},
        },
    )
