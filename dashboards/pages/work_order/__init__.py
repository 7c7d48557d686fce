"""One work order: what to do, the steps that this person may take, and what happened so far."""

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import fmt
from dashboards.components.equipment_link import equipment_href
from dashboards.components.kpi import pair
from dashboards.components.priority import badge
from dashboards.pages.work_orders import due, state_tag, title
from dashboards.request import PageRequest
from energy_center.domain.work_orders import WorkOrderState
from energy_center.i18n.text import text_or
from energy_center.services.alarms import AlarmDetail, get_alarm
from energy_center.services.work_orders import WorkOrderDetail, get_work_order


async def draw(request: PageRequest) -> Component:
    """The body redraws itself when the order changes."""
    return html.Div(
        [
            dcc.Link(request.t("work_order.back"), href="/work-orders", className="back"),
            html.Div(await draw_body(request), id="part-orders"),
        ]
    )


async def draw_body(request: PageRequest) -> Component:
    """Everything but the way back."""
    number = request.params["order_id"]
    detail = await get_work_order(
        request.database, int(number) if number.isdecimal() else 0, request.user, request.now
    )
    order = detail.row.order
    alarm = await get_alarm(request.database, order.alarm_id) if order.alarm_id else None
    name = title(detail.row, alarm.row if alarm else None, request)
    return html.Div(
        [
            html.Div(
                [
                    badge(order.priority, request.language),
                    html.H1(f"#{order.work_order_id} {name}"),
                    state_tag(detail.row, request),
                ],
                className="page-head",
            ),
            html.Div(
                [
                    html.Div(
                        [_facts(detail, request), _description(detail, alarm, request)], className="left"
                    ),
                    html.Div([_steps(detail, request), _history(detail, request)], className="right"),
                ],
                className="detail-page",
            ),
        ],
        **{"data-order-state": order.state.value},
    )


def _facts(detail: WorkOrderDetail, request: PageRequest) -> Component:
    t, order = request.t, detail.row.order
    entries = []
    if order.equipment_id:
        name = detail.row.equipment_name
        shown = name.in_language(request.language) if name else order.equipment_id
        entries.append(
            pair(t("work_order.equipment"), dcc.Link(shown, href=equipment_href(order.equipment_id)))
        )
    if order.alarm_id:
        entries.append(
            pair(t("work_order.alarm"), dcc.Link(f"#{order.alarm_id}", href=f"/alarms/{order.alarm_id}"))
        )
    entries += [
        pair(t("work_order.assignee"), html.Span(order.assignee or t("work_order.unassigned"))),
        pair(
            t("work_order.created"),
            html.Span(
                t(
                    "alarm.by_at",
                    who=fmt.actor(order.created_by, request.language),
                    at=fmt.moment(order.created_at, request.zone, request.language),
                )
            ),
        ),
        pair(t("work_order.due"), html.Span(due(detail.row, request), className="joined")),
    ]
    return html.Section(html.Div(entries, className="stack facts"), className="panel")


def _description(detail: WorkOrderDetail, alarm: AlarmDetail | None, request: PageRequest) -> Component:
    order = detail.row.order
    words = alarm.texts.get(request.language) if alarm else None
    blocks: list[Component] = []
    if words is not None:
        steps = html.Ol([html.Li(step) for step in words.what_to_check])
        blocks += [html.Div([html.H3(request.t("alarm.checks")), steps])]
        if words.safety:
            blocks.append(
                html.Div([html.H3(request.t("alarm.safety")), html.P(words.safety)], className="safety")
            )
    elif order.description:
        heading = html.H3(request.t("work_order.description"))
        blocks.append(html.Div([heading, html.P(order.description, className="text")]))
    if order.resolution:
        heading = html.H3(request.t("work_order.resolution"))
        blocks.append(html.Div([heading, html.P(order.resolution, className="text")]))
    return html.Section(blocks, className="panel advice", hidden=not blocks)


def _steps(detail: WorkOrderDetail, request: PageRequest) -> Component:
    t, order = request.t, detail.row.order
    if order.state is WorkOrderState.CLOSED:
        return html.Section(html.P(t("work_order.closed_note")), className="panel")
    if not detail.moves:
        return html.Section(html.P(t("work_order.no_moves")), className="panel")
    is_report = WorkOrderState.DONE in detail.moves
    label = t("work_order.resolution") if is_report else t("work_order.comment")
    return html.Section(
        html.Form(
            [
                html.H3(t("work_order.move_to")),
                html.Label(label, htmlFor="order-comment"),
                html.Textarea(
                    id="order-comment",
                    name="comment",
                    rows=3,
                    maxLength=2000,
                    placeholder=t("work_order.resolution_hint") if is_report else "",
                ),
                html.Div([_button(to, order.state, request) for to in detail.moves], className="actions"),
            ],
            className="act",
            **{
                "data-api": f"/api/v1/work-orders/{order.work_order_id}/moves",
                "data-refresh": "orders",
            },
        ),
        className="panel acts",
    )


def _button(to: WorkOrderState, now: WorkOrderState, request: PageRequest) -> Component:
    sent_back = to is WorkOrderState.IN_PROGRESS and now in (WorkOrderState.DONE, WorkOrderState.VERIFIED)
    word = request.t("work_order_move.send_back" if sent_back else f"work_order_move.{to.value}")
    is_main = not sent_back and to not in (WorkOrderState.OPEN, WorkOrderState.WAITING)
    done = request.t("work_order.moved", state=request.t(f"work_order_state.{to.value}"))
    return html.Button(
        word,
        type="submit",
        className="button primary" if is_main else "button",
        **{"data-name": "to", "data-value": to.value, "data-done": done},
    )


def _history(detail: WorkOrderDetail, request: PageRequest) -> Component:
    def word(event: str) -> str:
        otherwise = text_or(f"work_order_state.{event}", request.language, event)
        return text_or(f"work_order_event.{event}", request.language, otherwise)

    lines = [
        html.Li(
            [
                html.Time(fmt.moment(event.at, request.zone, request.language)),
                html.Span(word(event.event), className="strong"),
                html.Span(fmt.actor(event.actor, request.language), className="faint"),
                html.Span(event.comment, className="comment"),
            ]
        )
        for event in detail.history
    ]
    return html.Section(
        [html.H3(request.t("work_order.history")), html.Ol(lines, className="timeline")], className="panel"
    )
