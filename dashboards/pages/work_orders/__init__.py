"""The list of work orders: open ones first, most urgent first."""

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import fmt
from dashboards.components import states
from dashboards.components.priority import badge
from dashboards.components.still import still
from dashboards.request import PageRequest
from energy_center.services.alarms import AlarmRow, list_alarms
from energy_center.services.work_orders import WorkOrderRow, list_work_orders

_HEADS = ("alarm.priority", "work_order.title", "work_order.state", "work_order.assignee", "work_order.due")


async def draw(request: PageRequest) -> Component:
    """The heading with its tabs, and the list that redraws itself."""
    return html.Div(
        [
            html.Div([html.H1(request.t("work_order.title")), _tabs(request)], className="page-head"),
            html.Div(await draw_list(request), id="part-orders"),
        ],
        **{"data-refresh-s": "60"},  # a due date passes without anybody doing anything
    )


async def draw_list(request: PageRequest) -> Component:
    """The rows."""
    rows = await list_work_orders(request.database, request.now, open_only=not _all(request))
    if not rows:
        return html.Div(
            states.empty(request.t("work_order.none"), request.t("work_order.none_hint")), className="panel"
        )
    by_alarm = {a.alarm_id: a for a in await list_alarms(request.database, open_only=False, limit=1000)}
    heads = [html.Th(request.t(head), scope="col") for head in _HEADS]
    table = html.Table(
        [
            html.Thead(html.Tr(heads)),
            html.Tbody([_row(row, by_alarm.get(row.order.alarm_id or 0), request) for row in rows]),
        ],
        className="grid order-grid",
    )
    return html.Div(still(table), className="panel flush")


def title(row: WorkOrderRow, alarm: AlarmRow | None, request: PageRequest) -> str:
    """What is to be done; an order made from an alarm is named for it in the reader's language."""
    return row.order.title if alarm is None else alarm.title.in_language(request.language)


def state_tag(row: WorkOrderRow, request: PageRequest) -> Component:
    """Where the work stands."""
    return html.Span(request.t(f"work_order_state.{row.order.state.value}"), className="tag plain")


def due(row: WorkOrderRow, request: PageRequest) -> list[Component]:
    """When it should be done, and whether that has passed."""
    if row.order.due_at is None:
        return []
    found: list[Component] = [html.Time(fmt.moment(row.order.due_at, request.zone, request.language))]
    if row.is_overdue:
        found.append(html.Span(request.t("work_order.overdue"), className="tag alarm"))
    return found


def _row(row: WorkOrderRow, alarm: AlarmRow | None, request: PageRequest) -> Component:
    order = row.order
    equipment = row.equipment_name.in_language(request.language) if row.equipment_name else ""
    return html.Tr(
        [
            html.Td(badge(order.priority, request.language), className="c-priority"),
            html.Td(
                [
                    dcc.Link(
                        f"#{order.work_order_id} {title(row, alarm, request)}",
                        href=f"/work-orders/{order.work_order_id}",
                        className="title",
                    ),
                    html.Span(equipment, className="source"),
                ],
                className="c-what",
            ),
            html.Td(state_tag(row, request), className="c-state"),
            html.Td(order.assignee or request.t("work_order.unassigned"), className="c-who"),
            html.Td(due(row, request), className="c-due"),
        ],
        **{"data-order": str(order.work_order_id)},
    )


def _all(request: PageRequest) -> bool:
    return request.query.get("show") == "all"


def _tabs(request: PageRequest) -> Component:
    everything = _all(request)
    return html.Div(
        [
            dcc.Link(
                request.t("work_order.open_tab"),
                href="/work-orders",
                className="segment" + ("" if everything else " on"),
            ),
            dcc.Link(
                request.t("work_order.all_tab"),
                href="/work-orders?show=all",
                className="segment" + (" on" if everything else ""),
            ),
        ],
        className="segments",
        role="group",
        **{"aria-label": request.t("work_order.title")},
    )
