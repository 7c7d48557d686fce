"""Calls by day and by priority as charts."""

from typing import Any

from dash import dcc
from dash.development.base_component import Component

from dashboards.components.trend_marks import local
from dashboards.request import PageRequest
from dashboards.theme.plotly import ZH_TW, template
from dashboards.theme.tokens import DARK, LIGHT
from energy_center.domain.alarm_performance import MOST_PER_DAY, Performance
from energy_center.i18n.text import text

_HEIGHT = 240


def days_chart(made: Performance, request: PageRequest) -> Component:
    """A bar for each 24 h of the period, and the target as a line."""
    x = [local(at, request.zone) for at, _ in made.by_day]
    bars = {
        "type": "bar",
        "x": x,
        "y": [count for _, count in made.by_day],
        "name": request.t("health.calls"),
        "hovertemplate": "%{y}<extra></extra>",
    }
    tokens = DARK if request.theme == "dark" else LIGHT
    top = max(count for _, count in made.by_day)
    shapes = []
    if top > MOST_PER_DAY / 2:  # a target far above the bars would flatten them
        line = {"color": tokens["secondary"], "dash": "dash", "width": 1.5}
        level = {"xref": "paper", "x0": 0, "x1": 1, "y0": MOST_PER_DAY, "y1": MOST_PER_DAY}
        shapes.append({"type": "line", "line": line, **level})
    layout = {"shapes": shapes, "yaxis": {"rangemode": "tozero", "tickformat": "d"}, "showlegend": False}
    return _graph([bars], layout, request)


def priorities_chart(made: Performance, request: PageRequest) -> Component:
    """Share of each priority beside its target."""
    names = [text(f"priority.{p.priority.value}", request.language) for p in made.priorities]
    shares = [100.0 * (p.share or 0.0) for p in made.priorities]
    targets = [100.0 * p.target_share for p in made.priorities]
    series = ((request.t("health.measured"), shares), (request.t("health.target"), targets))
    bars = [
        {
            "type": "bar",
            "x": names,
            "y": values,
            "name": name,
            "hovertemplate": "%{y:.1f} %<extra>" + name + "</extra>",
        }
        for name, values in series
    ]
    return _graph(bars, {"yaxis": {"ticksuffix": " %", "range": [0, 100]}, "barmode": "group"}, request)


def _graph(data: list[dict[str, Any]], layout: dict[str, Any], request: PageRequest) -> Component:
    figure = {"data": data, "layout": {"template": template(request.theme), "height": _HEIGHT, **layout}}
    return dcc.Graph(
        figure=figure,
        responsive=True,
        style={"height": f"{_HEIGHT}px"},
        config={
            "displayModeBar": False,
            "displaylogo": False,
            "locale": "zh-TW" if request.language != "en" else "en-US",
            "locales": {"zh-TW": ZH_TW},
        },
    )
