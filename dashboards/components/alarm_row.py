"""An alarm in a list: as a table row on wide screens, as a card on narrow ones and in side columns."""

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import fmt
from dashboards.components.priority import badge
from dashboards.request import PageRequest
from energy_center.domain.alarms import AlarmState
from energy_center.domain.people import Permission
from energy_center.services.alarms import AlarmRow

UNSEEN = (AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED_UNACKNOWLEDGED)


def state_word(row: AlarmRow, request: PageRequest) -> str:
    """The alarm's state, with shelving and suppression."""
    if row.suppressed_by is not None:
        return request.t("alarm_state.suppressed")
    if row.shelved_until is not None and row.shelved_until > request.now:
        until = fmt.moment(row.shelved_until, request.zone, request.language, request.now)
        return request.t("alarm.shelved_until", at=until)
    return request.t(f"alarm_state.{row.state.value}")


def _sign(row: AlarmRow, request: PageRequest) -> Component:
    return badge(row.priority, request.language, blinking=row.state is AlarmState.UNACKNOWLEDGED)


def _since(row: AlarmRow, request: PageRequest) -> Component:
    lasted = fmt.span(((row.returned_at or request.now) - row.raised_at).total_seconds(), request.language)
    return html.Span(
        [
            html.Span(fmt.moment(row.raised_at, request.zone, request.language, request.now)),
            html.Span(lasted, className="lasted"),
        ],
        className="since",
    )


def who_when(row: AlarmRow, request: PageRequest) -> str:
    """Who acknowledged it and when; empty while nobody has."""
    if row.acknowledged_by is None or row.acknowledged_at is None:
        return ""
    at = fmt.moment(row.acknowledged_at, request.zone, request.language, request.now)
    return request.t("alarm.by_at", who=row.acknowledged_by, at=at)


def acknowledge_form(row: AlarmRow, request: PageRequest, *, with_comment: bool) -> Component | None:
    """The button, with room for a comment; None when there is nothing to acknowledge or no right to."""
    if row.state not in UNSEEN or not request.user.may(Permission.ACKNOWLEDGE_ALARM):
        return None
    button = html.Button(request.t("alarm.acknowledge"), type="submit", className="button primary")
    hint = request.t("alarm.comment_hint")
    comment = [
        html.Label(request.t("alarm.comment"), htmlFor=f"alarm-comment-{row.alarm_id}"),
        html.Textarea(
            id=f"alarm-comment-{row.alarm_id}", name="comment", rows=2, maxLength=500, placeholder=hint
        ),
    ]
    return html.Form(
        [*(comment if with_comment else []), button],
        className="act",
        **{
            "data-api": f"/api/v1/alarms/{row.alarm_id}/acknowledge",
            "data-done": request.t("alarm.done_acknowledge"),
            "data-refresh": "alarms",
        },
    )


def work_order_action(row: AlarmRow, request: PageRequest) -> Component | None:
    """A link to the alarm's work order, or a button that makes one; None where the person may not."""
    if row.work_order_id is not None:
        return dcc.Link(
            request.t("alarm.open_work_order"), href=f"/work-orders/{row.work_order_id}", className="button"
        )
    if not request.user.may(Permission.CREATE_WORK_ORDER):
        return None
    return html.Form(
        html.Button(request.t("alarm.create_work_order"), type="submit", className="button"),
        className="act",
        **{
            "data-api": "/api/v1/work-orders",
            "data-body": f'{{"alarm_id": {row.alarm_id}}}',
            "data-done": request.t("alarm.done_work_order"),
            "data-then": "/work-orders/{work_order_id}",
        },
    )


def alarm_card(row: AlarmRow, request: PageRequest) -> Component:
    """A compact link to the alarm."""
    return dcc.Link(
        [
            html.Div([_sign(row, request), _since(row, request)], className="card-top"),
            html.Div(row.title.in_language(request.language), className="title"),
            html.Div(
                [
                    html.Span(row.equipment_name.in_language(request.language)),
                    html.Span(state_word(row, request), className="state-word"),
                ],
                className="card-foot",
            ),
        ],
        href=f"/alarms/{row.alarm_id}",
        className=f"plain alarm-card p{row.priority.rank + 1} {row.state.value}",
    )


def alarm_table_row(row: AlarmRow, request: PageRequest) -> Component:
    """A row of the alarm table; on phones the same cells stand under one another."""
    actions = [
        a for a in (acknowledge_form(row, request, with_comment=False), work_order_action(row, request)) if a
    ]
    return html.Tr(
        [
            html.Td(_sign(row, request), className="c-priority"),
            html.Td(
                [
                    dcc.Link(
                        row.title.in_language(request.language),
                        href=f"/alarms/{row.alarm_id}",
                        className="title",
                    ),
                    dcc.Link(
                        row.equipment_name.in_language(request.language),
                        href=f"/equipment/{row.equipment_id}",
                        className="plain source",
                    ),
                ],
                className="c-what",
            ),
            html.Td(_since(row, request), className="c-since"),
            html.Td(state_word(row, request), className="c-state"),
            html.Td(who_when(row, request), className="c-who"),
            html.Td(html.Div(actions, className="actions"), className="c-actions"),
        ],
        className=f"p{row.priority.rank + 1} {row.state.value}",
        **{"data-alarm": str(row.alarm_id)},
    )
