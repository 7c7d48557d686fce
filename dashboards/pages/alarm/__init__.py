"""One alarm: why it was raised, what it may be, what to check, what people did."""

from collections.abc import Sequence
from datetime import datetime

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import fmt
from dashboards.components.alarm_acts import actions
from dashboards.components.alarm_row import flags, state_word, who_when
from dashboards.components.equipment_link import equipment_href
from dashboards.components.kpi import pair
from dashboards.components.priority import badge
from dashboards.components.still import still
from dashboards.pages.alarm.evidence import evidence_chart, evidence_words
from dashboards.pages.alarm.suggestion import suggestion_part
from dashboards.request import PageRequest
from energy_center.domain.alarms import AlarmState
from energy_center.services.alarms import AlarmDetail, AlarmRow, get_alarm


async def draw(request: PageRequest) -> Component:
    """The body redraws itself when the alarm changes."""
    return html.Div(
        [
            dcc.Link(request.t("alarm.back"), href="/alarms", className="back"),
            html.Div(await draw_body(request), id="part-alarms"),
        ]
    )


async def draw_body(request: PageRequest) -> Component:
    """Everything but the way back."""
    number = request.params["alarm_id"]
    detail = await get_alarm(request.database, int(number) if number.isdecimal() else 0)
    row = detail.row
    return html.Div(
        [
            html.Div(
                [
                    badge(row.priority, request.language, blinking=row.state is AlarmState.UNACKNOWLEDGED),
                    html.H1(row.title.in_language(request.language)),
                ],
                className="page-head",
            ),
            html.Div(
                [
                    html.Div(
                        [
                            _facts(row, request),
                            await evidence_chart(detail, request),
                            await suggestion_part(detail, request) or html.Div(""),
                            _advice(detail, request),
                        ],
                        className="left",
                    ),
                    html.Div(
                        [_act(row, request), evidence_words(detail, request), _history(detail, request)],
                        className="right",
                    ),
                ],
                className="detail-page",
            ),
        ]
    )


def _when(at: datetime, request: PageRequest) -> str:
    return fmt.moment(at, request.zone, request.language)


def _facts(row: AlarmRow, request: PageRequest) -> Component:
    t = request.t
    entries = [
        pair(
            t("alarm.source"),
            dcc.Link(row.equipment_name.in_language(request.language), href=equipment_href(row.equipment_id)),
        ),
        pair(
            t("alarm.state"),
            html.Span(" · ".join([state_word(row, request), *flags(row, request)]), className="strong"),
        ),
        pair(t("alarm.mark_onset"), html.Span(_when(row.onset_at, request))),
        pair(t("alarm.since"), html.Span(_when(row.raised_at, request))),
        pair(
            t("alarm.lasted"),
            html.Span(
                fmt.span(((row.returned_at or request.now) - row.raised_at).total_seconds(), request.language)
            ),
        ),
    ]
    rule = dcc.Link(t("tuning.parameters"), href=f"/rules/{row.rule_id}")
    entries.append(pair(t("tuning.rule"), rule))
    if row.returned_at is not None:
        entries.append(pair(t("alarm_event.returned"), html.Span(_when(row.returned_at, request))))
    if who := who_when(row, request):
        entries.append(pair(t("alarm.who"), html.Span(who)))
    return html.Section(html.Div(entries, className="stack facts"), className="panel")


def _advice(detail: AlarmDetail, request: PageRequest) -> Component:
    words = detail.texts.get(request.language)
    if words is None:
        return html.Div("")
    t = request.t
    blocks: list[Component] = [
        _list(t("alarm.causes"), words.likely_causes, ordered=False),
        _list(t("alarm.checks"), words.what_to_check, ordered=True),
    ]
    if words.safety:
        blocks.append(html.Div([html.H3(t("alarm.safety")), html.P(words.safety)], className="safety"))
    return html.Section(blocks, className="panel advice")


def _list(title: str, lines: Sequence[str], *, ordered: bool) -> Component:
    items = [html.Li(line) for line in lines]
    return html.Div([html.H3(title), html.Ol(items) if ordered else html.Ul(items)])


def _act(row: AlarmRow, request: PageRequest) -> Component:
    acts = actions(row, request, in_list=False)
    return html.Section(still(html.Div(acts, className="acts")), className="panel acts", hidden=not acts)


def _history(detail: AlarmDetail, request: PageRequest) -> Component:
    lines = [
        html.Li(
            [
                html.Time(_when(event.at, request)),
                html.Span(request.t(f"alarm_event.{event.event.value}"), className="strong"),
                html.Span(fmt.actor(event.actor, request.language), className="faint"),
                html.Span(event.comment, className="comment"),
            ]
        )
        for event in detail.history
    ]
    return html.Section(
        [html.H3(request.t("alarm.history")), html.Ol(lines, className="timeline")], className="panel"
    )
