"""An alarm in a list: as a table row on wide screens, as a card on narrow ones and in side columns."""

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import fmt
from dashboards.components.alarm_acts import actions, is_shelved
from dashboards.components.equipment_link import equipment_href
from dashboards.components.priority import badge
from dashboards.request import PageRequest
from energy_center.domain.alarms import AlarmState
from energy_center.services.alarms import AlarmRow


def state_word(row: AlarmRow, request: PageRequest) -> str:
    """The alarm's state, with shelving and suppression."""
    if row.suppression is not None and row.state.is_open:
        by = row.hidden_by.in_language(request.language) if row.hidden_by else row.suppressed_by
        return request.t(f"alarm.suppressed_{row.suppression.value}", by=by)
    if row.shelved_until is not None and is_shelved(row, request):
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


def flags(row: AlarmRow, request: PageRequest) -> list[str]:
    """What is out of the ordinary about it, in words."""
    known = (
        (row.chattering, "alarm.chattering"),
        (row.withdrawn_at is not None, "alarm.withdrawn"),
        (row.found_late_at is not None, "alarm.found_late"),
    )
    return [request.t(key) for holds, key in known if holds]


def who_when(row: AlarmRow, request: PageRequest) -> str:
    """Who acknowledged it and when; empty while nobody has."""
    if row.acknowledged_by is None or row.acknowledged_at is None:
        return ""
    at = fmt.moment(row.acknowledged_at, request.zone, request.language, request.now)
    return request.t("alarm.by_at", who=row.acknowledged_by, at=at)


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
    acts = actions(row, request, in_list=True)
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
                        href=equipment_href(row.equipment_id),
                        className="plain source",
                    ),
                ],
                className="c-what",
            ),
            html.Td(_since(row, request), className="c-since"),
            html.Td(
                [
                    html.Span(state_word(row, request)),
                    *(html.Span(words, className="flag small-print") for words in flags(row, request)),
                ],
                className="c-state",
            ),
            html.Td(who_when(row, request), className="c-who"),
            html.Td(html.Div(acts, className="actions"), className="c-actions"),
        ],
        className=f"p{row.priority.rank + 1} {row.state.value}",
        **{"data-alarm": str(row.alarm_id)},
    )
