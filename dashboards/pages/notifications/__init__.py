"""Who was told what, when, by which channel, and how it went."""

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import fmt
from dashboards.components import states
from dashboards.components.notice_tabs import notice_head
from dashboards.components.still import still
from dashboards.request import PageRequest
from energy_center.services.notifications import Delivery, Notification, list_notifications

_ROWS = 100
_HEADS = ("at", "who", "what", "kind", "state")
_BAD = frozenset({Delivery.GAVE_UP, Delivery.NOBODY, Delivery.RETRYING})


async def draw(request: PageRequest) -> Component:
    """The newest messages, and the way to older ones."""
    before = request.query.get("before", "")
    rows = await list_notifications(
        request.database,
        before=int(before) if before.isdecimal() and len(before) < 19 else None,  # noqa: PLR2004 digits of a bigint
        limit=_ROWS,
    )
    if not rows:
        empty = states.empty(request.t("told.none"), request.t("told.none_hint"))
        return html.Div([notice_head(request, "/notifications"), html.Div(empty, className="panel")])
    heads = [html.Th(request.t(f"told.{head}"), scope="col") for head in _HEADS]
    table = html.Table(
        [html.Thead(html.Tr(heads)), html.Tbody([_row(row, request) for row in rows])],
        className="grid told-grid",
    )
    older = (
        [
            dcc.Link(
                request.t("told.older"),
                href=f"/notifications?before={rows[-1].number}",
                className="more-link",
            )
        ]
        if len(rows) == _ROWS
        else []
    )
    return html.Div(
        [notice_head(request, "/notifications"), html.Div([still(table), *older], className="panel flush")],
        **{"data-refresh-s": "30"},
    )


def _row(row: Notification, request: PageRequest) -> Component:
    t = request.t
    who = row.recipient or t("told.nobody")
    subject: Component = (
        dcc.Link(row.subject, href=f"/alarms/{row.alarm_id}", className="title")
        if row.alarm_id is not None
        else html.Span(row.subject)
    )
    level = [html.Span(t("told.level", n=row.level), className="source")] if row.level else []
    return html.Tr(
        [
            html.Td(
                [
                    html.Time(fmt.moment(row.at, request.zone, request.language)),
                    html.Span(f"№ {row.number}", className="source"),
                ]
            ),
            html.Td([html.Span(who, className="strong"), html.Span(row.by, className="source")]),
            html.Td(subject),
            html.Td([html.Span(t(f"told.kinds.{row.kind.value}")), *level]),
            html.Td(_state(row, request)),
        ]
    )


def _state(row: Notification, request: PageRequest) -> list[Component]:
    t = request.t
    bad = " alarm" if row.delivery in _BAD else ""
    found: list[Component] = [html.Span(t(f"told.states.{row.delivery.value}"), className=f"tag{bad}")]
    if row.sent_at is not None:
        found.append(html.Time(fmt.clock(row.sent_at, request.zone, seconds=True), className="source"))
    if row.attempts > 1:
        found.append(html.Span(t("told.attempts", n=row.attempts), className="source"))
    if row.problem:
        found.append(html.Span(row.problem, className="source mistakes"))
    return found
