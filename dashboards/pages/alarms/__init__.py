"""The alarm list: unacknowledged first, acknowledge in place, one look at who has seen what."""

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import fmt
from dashboards.components import states
from dashboards.components.alarm_row import UNSEEN, alarm_table_row
from dashboards.components.still import still
from dashboards.request import PageRequest
from energy_center.services.alarms import list_alarms

_HEADS = ("alarm.priority", "alarm.what", "alarm.since", "alarm.state", "alarm.who")


async def draw(request: PageRequest) -> Component:
    """The heading with its tabs, and the list that redraws itself."""
    return html.Div(
        [
            html.Div([html.H1(request.t("alarm.title")), _tabs(request)], className="page-head"),
            html.Div(await draw_list(request), id="part-alarms"),
        ]
    )


async def draw_list(request: PageRequest) -> Component:
    """Unacknowledged first, then by priority, newest first: the order that the service gives."""
    rows = await list_alarms(request.database, open_only=not _with_history(request))
    if not rows:
        checked = request.t("alarm.none_hint", at=fmt.clock(request.now, request.zone, seconds=True))
        return html.Div(states.empty(request.t("alarm.none"), checked), className="panel")
    open_rows = [r for r in rows if r.state.is_open]
    unseen = sum(r.state in UNSEEN for r in open_rows)
    heads = [html.Th(request.t(head), scope="col") for head in _HEADS]
    table = html.Table(
        [
            html.Thead(html.Tr([*heads, html.Th("")])),
            html.Tbody([alarm_table_row(row, request) for row in rows]),
        ],
        className="grid alarm-grid",
    )
    return html.Div(
        [
            html.Div(
                request.t("alarm.count", open=len(open_rows), unacknowledged=unseen),
                className="small-print above",
            ),
            html.Div(still(table), className="panel flush"),
        ],
        **{"data-alarm-count": str(len(open_rows))},
    )


def _with_history(request: PageRequest) -> bool:
    return request.query.get("show") == "all"


def _tabs(request: PageRequest) -> Component:
    shows_all = _with_history(request)
    return html.Div(
        [
            dcc.Link(
                request.t("alarm.open_tab"),
                href="/alarms",
                className="segment" + ("" if shows_all else " on"),
            ),
            dcc.Link(
                request.t("alarm.all_tab"),
                href="/alarms?show=all",
                className="segment" + (" on" if shows_all else ""),
            ),
        ],
        className="segments",
        role="group",
        **{"aria-label": request.t("alarm.title")},
    )
