"""The alarm list: unacknowledged first, acknowledge in place, one look at who has seen what."""

from collections.abc import Sequence
from enum import StrEnum

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import fmt
from dashboards.components import states
from dashboards.components.alarm_acts import UNSEEN, is_shelved
from dashboards.components.alarm_row import alarm_table_row
from dashboards.components.still import still
from dashboards.request import PageRequest
from energy_center.services.alarms import AlarmRow, list_alarms

MOST_ROWS = 200
_HEADS = ("alarm.priority", "alarm.what", "alarm.since", "alarm.state", "alarm.who")


class Show(StrEnum):
    """What the list holds: the open ones that nobody put aside, those put aside, or everything."""

    OPEN = "open"
    SHELVED = "shelved"
    ALL = "all"


async def draw(request: PageRequest) -> Component:
    """The list, which redraws itself."""
    return html.Div(await draw_list(request), id="part-alarms")


async def draw_list(request: PageRequest) -> Component:
    """Unacknowledged first, then by priority, newest first: the order that the service gives."""
    show = _show(request)
    found = await list_alarms(request.database, open_only=show is not Show.ALL, limit=MOST_ROWS)
    return alarm_list(found, show, request)


def alarm_list(found: Sequence[AlarmRow], show: Show, request: PageRequest) -> Component:
    """The heading, the tabs with their counts, and the rows of the tab that is shown."""
    shelved = [r for r in found if r.state.is_open and is_shelved(r, request)]
    standing = [r for r in found if r.state.is_open and not is_shelved(r, request)]
    unseen = sum(r.state in UNSEEN for r in standing)
    rows = {Show.OPEN: standing, Show.SHELVED: shelved, Show.ALL: list(found)}[show]
    words = f"{request.t('alarm_state.unacknowledged')} {unseen}"
    if len(found) == MOST_ROWS:
        words = f"{words} · {request.t('alarm.most_shown', n=MOST_ROWS)}"
    return html.Div(
        [
            html.Div(
                [
                    html.H1(request.t("alarm.title")),
                    _tabs(show, len(standing), len(shelved), request),
                    html.Span(words, className="small-print"),
                ],
                className="page-head",
            ),
            html.Div(still(_table(rows, request)), className="panel flush acting")
            if rows
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


def _nothing(show: Show, request: PageRequest) -> Component:
    checked = request.t("alarm.none_hint", at=fmt.clock(request.now, request.zone, seconds=True))
    sentence = request.t("alarm.none_shelved") if show is Show.SHELVED else request.t("alarm.none")
    return states.empty(sentence, checked)


def _show(request: PageRequest) -> Show:
    asked = request.query.get("show", "")
    return Show(asked) if asked in list(Show) else Show.OPEN


def _tabs(show: Show, standing: int, shelved: int, request: PageRequest) -> Component:
    tabs = (
        (Show.OPEN, f"{request.t('alarm.open_tab')} {standing}"),
        (Show.SHELVED, f"{request.t('alarm.shelved_tab')} {shelved}"),
        (Show.ALL, request.t("alarm.all_tab")),
    )
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
