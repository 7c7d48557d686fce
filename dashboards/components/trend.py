"""Lines over time: gaps stay gaps, simulated history is hatched, a table has the same numbers."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import fmt
from dashboards.components import states
from dashboards.components.still import still
from dashboards.components.trend_marks import Limit, Moment, lines, local
from dashboards.request import PageRequest
from dashboards.theme.plotly import ZH_TW, template
from dashboards.theme.tokens import DARK, DASHES, LIGHT, SERIES_DARK, SERIES_LIGHT
from energy_center.domain.quantities import Kind
from energy_center.i18n.text import text
from energy_center.services.read_history import Trend

_TABLE_ROWS = 48
_DATED_FROM = timedelta(hours=36)
_STRIP = 0.045  # share of the chart's height


def trend(
    series: Sequence[Trend],
    start: datetime,
    end: datetime,
    request: PageRequest,
    *,
    moments: Sequence[Moment] = (),
    limits: Sequence[Limit] = (),
) -> Component:
    """At most two units are drawn, one axis each; nothing to draw is said in words."""
    drawn = [s for s in series if not s.is_empty]
    if not drawn:
        return states.empty(request.t("equipment.trend_empty"))
    figure = _figure(drawn, start, end, request)
    units = _units(drawn)
    figure["layout"] |= lines(moments, limits, units, request.zone, request.theme)
    _make_room(figure["layout"], [limit for limit in limits if limit.unit in units], drawn, units)
    graph = dcc.Graph(
        figure=figure,
        className="trend",
        responsive=True,
        config={
            "displayModeBar": False,
            "displaylogo": False,
            "scrollZoom": False,
            "locale": "zh-TW" if request.language != "en" else "en-US",
            "locales": {"zh-TW": ZH_TW},
        },
    )
    notes = [request.t("equipment.trend_gap")]
    if any(s.simulated for s in drawn):
        notes.insert(0, request.t("equipment.trend_simulated"))
    zone = f"{request.t('shell.clock_label')} {request.zone.key}"
    return html.Div(
        [
            graph,
            html.Div([html.Span(note) for note in (*notes, zone)], className="trend-notes"),
            _table(drawn, request),
        ]
    )


def _units(series: Sequence[Trend]) -> list[str]:
    return list(dict.fromkeys(s.unit for s in series))[:2]


def _make_room(
    layout: dict[str, Any], limits: Sequence[Limit], series: Sequence[Trend], units: Sequence[str]
) -> None:
    """Plotly scales to the curves alone: a limit that lies beyond them would not be seen."""
    for place, unit in enumerate(units):
        known = [v for s in series if s.unit == unit for v in (*s.value, *s.low, *s.high) if v is not None]
        wanted = [*known, *(limit.amount for limit in limits if limit.unit == unit)]
        if len(wanted) == len(known):
            continue
        room = 0.08 * ((max(wanted) - min(wanted)) or 1.0)
        layout["yaxis" if place == 0 else "yaxis2"]["range"] = [min(wanted) - room, max(wanted) + room]


def _figure(series: Sequence[Trend], start: datetime, end: datetime, request: PageRequest) -> dict[str, Any]:
    units = _units(series)
    colours = SERIES_DARK if request.theme == "dark" else SERIES_LIGHT
    several = len({s.equipment_id for s in series}) > 1
    traces = _simulated(series, start, end, request)
    for number, one in enumerate(s for s in series if s.unit in units):
        traces.append(
            _trace(
                one, units.index(one.unit), colours[number % len(colours)], number, request, several=several
            )
        )
    layout: dict[str, Any] = {
        "template": template(request.theme),
        "uirevision": request.path,
        "showlegend": True,
        "xaxis": {
            "range": [local(start, request.zone), local(end, request.zone)],
            "type": "date",
            "tickformat": "%H:%M" if end - start < _DATED_FROM else "%m/%d %H:%M",
            "hoverformat": "%m/%d %H:%M",
            "fixedrange": True,
        },
        "yaxis": _axis(units[0], series),
        "yaxis3": {"overlaying": "y", "range": [0, 1], "visible": False, "fixedrange": True},
    }
    if len(units) > 1:
        layout["yaxis2"] = {**_axis(units[1], series), "overlaying": "y", "side": "right", "showgrid": False}
    return {"data": traces, "layout": layout}


def _axis(unit: str, series: Sequence[Trend]) -> dict[str, Any]:
    axis: dict[str, Any] = {"title": {"text": fmt.unit(unit)}, "fixedrange": True, "tickformat": ",~f"}
    states_here = [s for s in series if s.unit == unit and s.kind is Kind.STATE]
    if len(states_here) < sum(s.unit == unit for s in series):
        return {**axis, "rangemode": "normal"}
    most = max((v for s in states_here for v in s.value if v is not None), default=1.0)
    top = max(1, round(most))
    return {**axis, "range": [-0.08 * top, 1.4 * top], "dtick": 1, "tickformat": "d"}


def _trace(
    one: Trend, axis: int, colour: str, number: int, request: PageRequest, *, several: bool
) -> dict[str, Any]:
    name = text(f"role.{one.role.value}", request.language)
    if several:
        name = f"{one.equipment_name.in_language(request.language)} {name}"
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        # a script appends what the push channel brings of this point; a counter's bucket is not over yet
        "meta": f"{one.equipment_id}/{one.name}" if one.kind is Kind.GAUGE else None,
        "x": [local(at, request.zone) for at in one.at],
        "y": [None if v is None else round(v, 4) for v in one.value],
        "yaxis": "y" if axis == 0 else "y2",
        "connectgaps": False,
        "line": {
            "color": colour,
            "width": 1.8,
            "dash": DASHES[number % len(DASHES)],
            "shape": "hv" if one.kind is Kind.STATE else "linear",
        },
        "hovertemplate": f"%{{y:,.2~f}} {fmt.unit(one.unit)}<extra>{name}</extra>",
    }


def _simulated(
    series: Sequence[Trend], start: datetime, end: datetime, request: PageRequest
) -> list[dict[str, Any]]:
    """The spans of back-filled demo history, a hatched strip along the time axis, once for all series."""
    tokens = DARK if request.theme == "dark" else LIGHT
    x: list[str | None] = []
    y: list[float | None] = []
    for begin, finish in _merged({span for s in series for span in s.simulated}):
        if finish > start and begin < end:
            left, right = local(max(begin, start), request.zone), local(min(finish, end), request.zone)
            x += [left, left, right, right, None]
            y += [0, _STRIP, _STRIP, 0, None]
    if not x:
        return []
    return [
        {
            "type": "scatter",
            "mode": "none",
            "name": request.t("quality.simulated"),
            "x": x,
            "y": y,
            "yaxis": "y3",
            "fill": "toself",
            "fillcolor": "rgba(0,0,0,0)",
            "fillpattern": {"shape": "/", "size": 7, "solidity": 0.3, "fgcolor": tokens["line-strong"]},
            "hoverinfo": "skip",
        }
    ]


def _merged(spans: set[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    merged: list[tuple[datetime, datetime]] = []
    for begin, finish in sorted(spans):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], finish))
        else:
            merged.append((begin, finish))
    return merged


def _table(series: Sequence[Trend], request: PageRequest) -> Component:
    """The same numbers for those who cannot see the chart, thinned to a readable length."""
    first = series[0]
    step = max(1, len(first.at) // _TABLE_ROWS)
    heads = [request.t("equipment.time")]
    heads += [f"{text(f'role.{s.role.value}', request.language)} ({fmt.unit(s.unit) or '–'})" for s in series]
    by_time = [dict(zip(s.at, s.value, strict=True)) for s in series]
    rows = [
        html.Tr(
            [
                html.Td(fmt.moment(at, request.zone, request.language)),
                *[
                    html.Td(fmt.number(values.get(at), s.unit))
                    for values, s in zip(by_time, series, strict=True)
                ],
            ]
        )
        for at in first.at[::step]
    ]
    table = html.Table(
        [html.Thead(html.Tr([html.Th(h, scope="col") for h in heads])), html.Tbody(rows)],
        className="grid numbers",
    )
    return html.Details(
        [html.Summary(request.t("equipment.trend_table")), html.Div(still(table), className="scroller")],
        className="trend-table",
    )
