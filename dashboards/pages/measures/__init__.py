"""Savings measures: how many stand where on the way, each with what was found, and a form for a new one."""

from collections import Counter

from dash import dcc, html
from dash.development.base_component import Component

from dashboards.components import states
from dashboards.components.still import still
from dashboards.request import PageRequest
from energy_center.domain.measures import MeasureState
from energy_center.domain.people import Permission
from energy_center.services.current_site import current_site
from energy_center.services.measures import LONGEST_NAME, MeasureRow, list_measures
from energy_center.services.read_energy import energy_unit, metered_points
from energy_center.services.verification_words import verdict_sentence, verdict_word

_HEADS = ("measure.name", "measure.meter", "measure.state", "measure.answer")
_WAY = [state for state in MeasureState if state is not MeasureState.DROPPED]


async def draw(request: PageRequest) -> Component:
    """The way, the list, and the form for who may."""
    rows = await list_measures(request.database)
    shown: list[Component] = [html.Div(html.H1(request.t("measure.title")), className="page-head")]
    shown.append(_way(rows, request))
    if rows:
        shown.append(html.Div(still(_table(rows, request)), className="panel flush"))
    else:
        empty = states.empty(request.t("measure.none"), request.t("measure.none_hint"))
        shown.append(html.Div(empty, className="panel"))
    if request.user.may(Permission.MANAGE_MEASURES):
        shown.append(await _form(request))
    return html.Div(shown, className="measures-page")


def _way(rows: list[MeasureRow], request: PageRequest) -> Component:
    counts = Counter(row.measure.state for row in rows)
    steps = [
        html.Li([html.B(str(counts[state])), html.Span(request.t(f"measure_state.{state.value}"))])
        for state in _WAY
    ]
    return html.Ol(steps, className="panel pipeline")


def _table(rows: list[MeasureRow], request: PageRequest) -> Component:
    heads = [html.Th(request.t(head), scope="col") for head in _HEADS]
    body = [_row(row, request) for row in rows]
    return html.Table([html.Thead(html.Tr(heads)), html.Tbody(body)], className="grid measure-grid")


def _row(row: MeasureRow, request: PageRequest) -> Component:
    measure = row.measure
    answer: list[Component] = [html.Span(request.t("measure.not_yet"), className="source")]
    if row.verification is not None:
        answer = [
            verdict_tag(row.verification.verdict, request),
            html.Span(verdict_sentence(row.verification.findings, request.language), className="source"),
        ]
    return html.Tr(
        [
            html.Td(dcc.Link(measure.name, href=f"/measures/{measure.measure_id}", className="title")),
            html.Td(measure.meter),
            html.Td(state_tag(measure.state, request)),
            html.Td(answer),
        ]
    )


def state_tag(state: MeasureState, request: PageRequest) -> Component:
    """Where a measure stands."""
    return html.Span(request.t(f"measure_state.{state.value}"), className="tag plain")


def verdict_tag(verdict: str, request: PageRequest) -> Component:
    """What was found, in a word."""
    return html.Span(verdict_word(verdict, request.language), className=f"tag verdict-{verdict}")


async def _form(request: PageRequest) -> Component:
    site = await current_site(request.database)
    names = {e.equipment_id: e.name.in_language(request.language) for e in site.equipment}
    meters = [
        html.Option(f"{names[name]} ({name})", value=name)
        for name, point in metered_points(site).items()
        if name in names and energy_unit(point) == "kW.h"
    ]
    fields = [
        html.Label(
            [
                html.Span(request.t("measure.name")),
                dcc.Input(name="name", required=True, maxLength=LONGEST_NAME),
            ]
        ),
        html.Label([html.Span(request.t("measure.meter")), html.Select(meters, name="meter")]),
        html.Button(request.t("measure.create"), type="submit", className="button"),
    ]
    form = html.Form(
        fields,
        className="act measure-form",
        **{
            "data-api": "/api/v1/measures",
            "data-nodraft": "1",
            "data-done": request.t("measure.created"),
            "data-then": "/measures/{measure_id}",
        },
    )
    return html.Section([html.H2(request.t("measure.new")), form], className="panel")
