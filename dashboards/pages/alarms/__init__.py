"""The alarm list: unacknowledged first, acknowledge in place, one look at who has seen what."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import fmt
from dashboards.components import states
from dashboards.components.alarm_acts import UNSEEN, is_shelved, put_back_form
from dashboards.components.alarm_row import alarm_table_row
from dashboards.components.equipment_link import equipment_href
from dashboards.components.still import still
from dashboards.request import PageRequest
from energy_center.domain.alarms import STANDING_AFTER
from energy_center.domain.people import Permission
from energy_center.services.alarms import AlarmRow, list_alarms
from energy_center.services.out_of_service import OutRow, list_out

MOST_ROWS = 200
_HEADS = ("alarm.priority", "alarm.what", "alarm.since", "alarm.state", "alarm.who")


class Show(StrEnum):
    """What the list holds.

    The open ones that nobody put aside, those put aside, those over 24 h old, those that another alarm or a
    repair explains, equipment out of service, or everything.
    """

    OPEN = "open"
    SHELVED = "shelved"
    STANDING = "standing"
    HIDDEN = "hidden"
    OUT = "out"
    ALL = "all"


async def draw(request: PageRequest) -> Component:
    """The list, which redraws itself."""
    return html.Div(await draw_list(request), id="part-alarms")


async def draw_list(request: PageRequest) -> Component:
    """Unacknowledged first, then by priority, newest first: the order that the service gives."""
    show = _show(request)
    found = await list_alarms(request.database, open_only=show is not Show.ALL, limit=MOST_ROWS)
    hidden = await list_alarms(request.database, hidden=True, limit=MOST_ROWS)
    return alarm_list(found, show, request, hidden=hidden, out=await list_out(request.database))


def alarm_list(
    found: Sequence[AlarmRow],
    show: Show,
    request: PageRequest,
    *,
    hidden: Sequence[AlarmRow] = (),
    out: Sequence[OutRow] = (),
) -> Component:
    """The heading, the tabs with their counts, and the rows of the tab that is shown."""
    shelved = [r for r in found if r.state.is_open and is_shelved(r, request)]
    standing = [r for r in found if r.state.is_open and not is_shelved(r, request)]
    unseen = sum(r.state in UNSEEN for r in standing)
    old = [r for r in standing if r.state.is_active and request.now - r.raised_at > STANDING_AFTER]
    rows = {
        Show.OPEN: standing,
        Show.SHELVED: shelved,
        Show.STANDING: old,
        Show.HIDDEN: list(hidden),
        Show.OUT: [],
        Show.ALL: list(found),
    }[show]
    counts = {
        Show.OPEN: len(standing),
        Show.SHELVED: len(shelved),
        Show.STANDING: len(old),
        Show.HIDDEN: len(hidden),
        Show.OUT: len(out),
    }
    table = out_table(out, request) if show is Show.OUT and out else _table(rows, request) if rows else None
    words = f"{request.t('alarm_state.unacknowledged')} {unseen}"
    if len(found) == MOST_ROWS:
        words = f"{words} · {request.t('alarm.most_shown', n=MOST_ROWS)}"
    return html.Div(
        [
            html.Div(
                [
                    html.H1(request.t("alarm.title")),
                    _tabs(show, counts, request),
                    html.Span(words, className="small-print"),
                    dcc.Link(request.t("alarm.health"), href="/alarm-health", className="button"),
                ],
                className="page-head",
            ),
            html.Div(still(table), className="panel flush acting")
            if table is not None
            else html.Div(_nothing(show, request), className="panel"),
        ],
        **{"data-alarm-count": str(len(standing))},
    )


def _table(rows: Sequence[AlarmRow], request: PageRequest) -> Component:
    heads = [html.Th(request.t(head), scope="col") for head in _HEADS]
    return html.Table(
        [
            html.Thead(html.Tr([*heads, html.Th("")])),
            html.Tbody([alarm_table_row(row, request) for row in rows]),
        ],
        className="grid alarm-grid",
    )


def out_table(out: Sequence[OutRow], request: PageRequest) -> Component:
    """Equipment out of service: why, who, until when, and the way back."""
    t = request.t
    may = request.user.may(Permission.ACKNOWLEDGE_ALARM)
    rows = [
        html.Tr(
            [
                html.Td(
                    dcc.Link(
                        row.equipment_name.in_language(request.language),
                        href=equipment_href(row.equipment_id),
                        className="title",
                    ),
                    className="c-what",
                ),
                html.Td(row.reason),
                html.Td(fmt.moment(row.since, request.zone, request.language, request.now)),
                html.Td(
                    t(
                        "alarm.out_by",
                        who=row.taken_by,
                        until=fmt.moment(row.until, request.zone, request.language, request.now),
                    )
                ),
                html.Td(put_back_form(row.equipment_id, request) if may else "", className="c-actions"),
            ],
            **{"data-out": row.equipment_id},
        )
        for row in out
    ]
    heads = [t("alarm.source"), t("alarm.out_reason"), t("alarm.since"), t("alarm.out_tab"), ""]
    head = html.Thead(html.Tr([html.Th(h, scope="col") for h in heads]))
    return html.Div(html.Table([head, html.Tbody(rows)], className="grid"), className="scroll-x")


def _nothing(show: Show, request: PageRequest) -> Component:
    checked = request.t("alarm.none_hint", at=fmt.clock(request.now, request.zone, seconds=True))
    keys = {Show.SHELVED: "shelved", Show.STANDING: "standing", Show.HIDDEN: "hidden", Show.OUT: "out"}
    sentence = request.t(f"alarm.none_{keys[show]}" if show in keys else "alarm.none")
    return states.empty(sentence, checked)


def _show(request: PageRequest) -> Show:
    asked = request.query.get("show", "")
    return Show(asked) if asked in list(Show) else Show.OPEN


def _tabs(show: Show, counts: Mapping[Show, int], request: PageRequest) -> Component:
    keys = {
        Show.OPEN: "open_tab", Show.STANDING: "standing_tab", Show.SHELVED: "shelved_tab",
        Show.HIDDEN: "hidden_tab", Show.OUT: "out_tab", Show.ALL: "all_tab",
    }  # fmt: skip
    tabs = [
        (tab, f"{request.t(f'alarm.{key}')} {counts[tab]}" if tab in counts else request.t(f"alarm.{key}"))
        for tab, key in keys.items()
    ]
    return html.Div(
        [
            dcc.Link(
                words,
                href=f"/alarms?show={tab.value}" if tab is not Show.OPEN else "/alarms",
                className="segment on" if tab is show else "segment",
            )
            for tab, words in tabs
        ],
        className="segments",
        role="group",
        **{"aria-label": request.t("alarm.title")},
    )
