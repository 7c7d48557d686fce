"""What a person may do with a measure: the next step, a verification, changes that are not its own."""

import json
from datetime import date

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import fmt
from dashboards.components.still import still
from dashboards.request import PageRequest
from energy_center.domain.measures import MeasureAdjustment, MeasureState
from energy_center.domain.people import Permission
from energy_center.services.measure_words import adjustment_words
from energy_center.services.measures import MeasureDetail

_WORDS = {
    MeasureState.ACCEPTED: "measure.accept",
    MeasureState.DONE: "measure.do",
    MeasureState.DROPPED: "measure.drop",
}


def _form(
    inside: list[Component], detail: MeasureDetail, act: str, done: str, body: dict[str, object]
) -> Component:
    number = detail.measure.measure_id
    return html.Form(
        inside,
        className="act measure-form",
        **{
            "data-api": f"/api/v1/measures/{number}/{act}",
            "data-body": json.dumps(body),
            "data-nodraft": "1",
            "data-done": done,
            "data-then": "/measures/{measure_id}?version={version}",
        },
    )


def steps(detail: MeasureDetail, request: PageRequest) -> Component:
    """A form for each move that is possible, for who may."""
    if not request.user.may(Permission.MANAGE_MEASURES):
        return html.Section(hidden=True)
    forms = [_move(to, detail, request) for to in detail.moves]
    if detail.measure.done is not None and detail.measure.state is not MeasureState.DROPPED:
        button = html.Button(request.t("measure.verify"), type="submit", className="button main")
        forms.insert(0, _form([button], detail, "verify", request.t("measure.verified"), {}))
    return html.Section(
        [html.H2(request.t("measure.steps")), *forms], className="panel acts", hidden=not forms
    )


def _move(to: MeasureState, detail: MeasureDetail, request: PageRequest) -> Component:
    t = request.t
    fields: list[Component] = []
    if to is MeasureState.DONE:
        today = request.now.astimezone(request.zone).date()
        fields = [
            _day("done_from", t("measure.done_from"), today),
            _day("done_to", t("measure.done_to"), today),
            _number("cost_ntd", t("measure.cost_ntd"), detail.measure.cost_ntd, required=False),
        ]
    main = "" if to is MeasureState.DROPPED else " main"
    fields.append(html.Button(t(_WORDS[to]), type="submit", className=f"button{main}"))
    body: dict[str, object] = {"to": to.value, "version": detail.measure.version}
    return _form(fields, detail, "moves", t("measure.moved"), body)


def _day(name: str, label: str, on: date) -> Component:
    # Dash's own input refuses type=date
    return html.Label(
        [
            html.Span(label),
            dcc.Input(
                name=name, value=on.isoformat(), required=True, pattern=r"\d{4}-\d\d-\d\d", maxLength=10
            ),
        ]
    )


def _number(name: str, label: str, amount: float | None, *, required: bool = True) -> Component:
    shown = {} if amount is None else {"value": amount}
    return html.Label(
        [html.Span(label), dcc.Input(name=name, type="number", required=required, step="any", **shown)]
    )


def adjustments(detail: MeasureDetail, request: PageRequest) -> Component:
    """Those recorded, and the form for another; nothing before the measure is done."""
    t, measure = request.t, detail.measure
    if measure.done is None:
        return html.Section(hidden=True)
    blocks: list[Component] = [
        html.H2(t("measure.adjustments")),
        html.P(t("measure.adjustments_hint"), className="hint"),
    ]
    if detail.adjustments:
        rows = [_row(each, detail, request) for each in detail.adjustments]
        blocks.append(still(html.Table(html.Tbody(rows), className="grid")))
    if request.user.may(Permission.MANAGE_MEASURES):
        fields = [
            _day("first_on", t("measure.first_on"), measure.done.last),
            _day("last_on", t("measure.last_on"), request.now.astimezone(request.zone).date()),
            _number("kwh_per_day", t("measure.kwh_per_day"), None),
            html.Label(
                [html.Span(t("measure.reason")), dcc.Input(name="reason", required=True, maxLength=1000)]
            ),
            html.Button(t("measure.adjust"), type="submit", className="button"),
        ]
        blocks.append(_form(fields, detail, "adjustments", t("measure.adjustment_done"), {}))
    return html.Section(blocks, className="panel")


def _row(each: MeasureAdjustment, detail: MeasureDetail, request: PageRequest) -> Component:
    t = request.t
    if each.withdrawn_at is not None:
        last: Component = html.Span(t("measure.withdrawn"), className="tag plain")
    elif request.user.may(Permission.MANAGE_MEASURES):
        button = html.Button(t("measure.withdraw"), type="submit", className="button")
        act = f"adjustments/{each.adjustment_id}/withdraw"
        last = _form([button], detail, act, t("measure.withdrawn"), {})
    else:
        last = html.Span()
    who = t(
        "alarm.by_at",
        who=fmt.actor(each.made_by, request.language),
        at=fmt.moment(each.made_at, request.zone, request.language),
    )
    what = adjustment_words(each, request.language)
    return html.Tr(
        [html.Td([html.Div(what), html.Div(f"{each.reason} · {who}", className="source")]), html.Td(last)]
    )
