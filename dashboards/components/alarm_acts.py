"""What a person may do about an alarm: acknowledge with a comment, shelve with a reason, make a work order.

Each is a form that a script of the shell posts to the API, which checks the right and writes the audit log.
"""

import json
from urllib.parse import quote

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import fmt
from dashboards.request import PageRequest
from energy_center.domain.alarms import AlarmState, Suppression
from energy_center.domain.people import Permission
from energy_center.services.alarms import AlarmRow

UNSEEN = (AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED_UNACKNOWLEDGED)
# From a coffee's length to a shift: what lasts longer is a work order, not a shelf.
SHELVE_MIN = (15, 30, 60, 120, 240, 480)
_USUAL_MIN = 60
# From a shift to a fortnight of repair.
OUT_HOURS = (8, 24, 72, 168, 336)
_LONGEST_COMMENT = 500


def is_shelved(row: AlarmRow, request: PageRequest) -> bool:
    """Whether a person has put it aside for now."""
    return row.shelved_until is not None and row.shelved_until > request.now


def actions(row: AlarmRow, request: PageRequest, *, in_list: bool) -> list[Component]:
    """All that this person may do now; in a list in one line, on the alarm's own page below one another."""
    offered = (
        acknowledge_form(row, request, in_list=in_list),
        shelve_form(row, request),
        work_order_action(row, request),
        None if in_list else take_out_form(row, request),
    )
    return [act for act in offered if act is not None]


def acknowledge_form(row: AlarmRow, request: PageRequest, *, in_list: bool) -> Component | None:
    """A field for a comment and the button; None when there is nothing to acknowledge or no right to."""
    if row.state not in UNSEEN or not request.user.may(Permission.ACKNOWLEDGE_ALARM):
        return None
    field = f"alarm-comment-{row.alarm_id}"
    label, hint = request.t("alarm.comment"), request.t("alarm.comment_hint")
    comment = html.Textarea(
        "",
        id=field,
        name="comment",
        rows=1 if in_list else 2,
        maxLength=_LONGEST_COMMENT,
        placeholder=label if in_list else hint,
        title=hint,
        **{"aria-label": label},
    )
    heading = [] if in_list else [html.Label(label, htmlFor=field)]
    button = html.Button(request.t("alarm.acknowledge"), type="submit", className="button primary")
    return html.Form(
        [*heading, comment, button],
        className="act acknowledge",
        **{
            "data-api": f"/api/v1/alarms/{row.alarm_id}/acknowledge",
            "data-done": request.t("alarm.done_acknowledge"),
            "data-refresh": "alarms",
        },
    )


def shelve_form(row: AlarmRow, request: PageRequest) -> Component | None:
    """Folded away behind its button: for how long and why; or the way back for one that is shelved."""
    if not row.state.is_open or not request.user.may(Permission.ACKNOWLEDGE_ALARM):
        return None
    if is_shelved(row, request):
        return _unshelve_form(row, request)
    t, at = request.t, row.alarm_id
    choices = [
        html.Option(_span(minutes, request), value=str(minutes), selected=minutes == _USUAL_MIN)
        for minutes in SHELVE_MIN
    ]
    form = html.Form(
        [
            html.Label(t("alarm.shelve_for"), htmlFor=f"alarm-shelve-{at}"),
            html.Select(choices, id=f"alarm-shelve-{at}", name="until", **{"data-minutes": "1"}),
            html.Label(t("alarm.shelve_why"), htmlFor=f"alarm-why-{at}"),
            html.Textarea(
                "", id=f"alarm-why-{at}", name="comment", rows=2, maxLength=_LONGEST_COMMENT, required=True,
                placeholder=t("alarm.shelve_hint"),
            ),
            html.Button(t("alarm.shelve_do"), type="submit", className="button primary"),
        ],
        className="act shelving",
        **{
            "data-api": f"/api/v1/alarms/{at}/shelve",
            "data-done": t("alarm.done_shelve"),
            "data-refresh": "alarms",
        },
    )  # fmt: skip
    return html.Details(
        [html.Summary(t("alarm.shelve"), className="button"), form],
        className="shelve",
        id=f"alarm-shelf-{at}",
    )


def _unshelve_form(row: AlarmRow, request: PageRequest) -> Component:
    return html.Form(
        html.Button(request.t("alarm.unshelve"), type="submit", className="button"),
        className="act",
        **{
            "data-api": f"/api/v1/alarms/{row.alarm_id}/unshelve",
            "data-body": "{}",
            "data-done": request.t("alarm.done_unshelve"),
            "data-refresh": "alarms",
        },
    )


def take_out_form(row: AlarmRow, request: PageRequest) -> Component | None:
    """Folded away: the equipment of the alarm out of service, for how long and why."""
    taken_out = row.suppression is Suppression.OUT_OF_SERVICE
    if not request.user.may(Permission.ACKNOWLEDGE_ALARM):
        return None
    if taken_out:
        return put_back_form(row.equipment_id, request)
    t, at = request.t, row.alarm_id
    choices = [html.Option(_span(60 * hours, request), value=str(60 * hours)) for hours in OUT_HOURS]
    form = html.Form(
        [
            html.Label(t("alarm.take_out_for"), htmlFor=f"alarm-out-{at}"),
            html.Select(choices, id=f"alarm-out-{at}", name="until", **{"data-minutes": "1"}),
            html.Label(t("alarm.take_out_why"), htmlFor=f"alarm-out-why-{at}"),
            html.Textarea(
                "",
                id=f"alarm-out-why-{at}",
                name="comment",
                rows=2,
                maxLength=_LONGEST_COMMENT,
                required=True,
            ),
            html.Button(t("alarm.take_out_do"), type="submit", className="button primary"),
        ],
        className="act shelving",
        **{
            "data-api": "/api/v1/alarms/out-of-service",
            "data-body": json.dumps({"equipment_id": row.equipment_id}),
            "data-done": t("alarm.done_out"),
            "data-refresh": "alarms",
        },
    )
    return html.Details(
        [html.Summary(t("alarm.take_out"), className="button"), form],
        className="shelve",
        id=f"alarm-away-{at}",
    )


def put_back_form(equipment_id: str, request: PageRequest) -> Component:
    """The way back into service."""
    return html.Form(
        html.Button(request.t("alarm.put_back"), type="submit", className="button"),
        className="act",
        **{
            "data-api": f"/api/v1/alarms/out-of-service/{quote(equipment_id, safe='')}/end",
            "data-body": "{}",
            "data-done": request.t("alarm.done_back"),
            "data-refresh": "alarms",
        },
    )


def _span(minutes: int, request: PageRequest) -> str:
    return fmt.span(minutes * 60, request.language)


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
