"""Recurring duties: what is due now, and the year at a glance, fit to be printed for an auditor."""

from datetime import date, timedelta

from dash import dcc, html
from dash.development.base_component import Component

from dashboards.components import states
from dashboards.components.kpi import pair
from dashboards.components.still import still
from dashboards.request import PageRequest
from energy_center.domain.duties import Standing
from energy_center.domain.timeline import local_date
from energy_center.services.duties import AdoptedDuty, Compliance, DueDate, compliance, read_due, read_year

_AHEAD = timedelta(days=30)
_FIRST_YEAR, _LAST_YEAR = 2000, 2100
_MARKS = {
    Standing.PLANNED: "·",
    Standing.OPEN: "○",
    Standing.IN_GRACE: "◐",
    Standing.OVERDUE: "✕",
    Standing.DONE: "✓",
    Standing.DONE_LATE: "✓*",
    Standing.WAIVED: "–",
}


async def draw(request: PageRequest) -> Component:
    """What is due, the year's figures, and the year's table."""
    year = _year(request)
    rows = await read_year(request.database, year, request.now)
    if not rows:
        nothing = states.empty(request.t("duty.none"), request.t("duty.none_hint"))
        return html.Div([_head(year, request), html.Div(nothing, className="panel")])
    due = await read_due(request.database, _AHEAD, request.now)
    return html.Div(
        [
            _head(year, request),
            _due_list(due, request),
            _figures(compliance(rows), request),
            _year_table(rows, request),
        ],
        className="duties stack",
    )


def standing_tag(standing: Standing, request: PageRequest) -> Component:
    """Where a due date stands, in words; overdue stands out by more than its colour."""
    looks = "tag alarm" if standing is Standing.OVERDUE else "tag plain"
    return html.Span(f"{_MARKS[standing]} {request.t(f'duty_standing.{standing.value}')}", className=looks)


def duty_href(row: AdoptedDuty) -> str:
    """The page of a duty that is taken on."""
    return f"/duties/{row.adoption.adoption_id}"


def _year(request: PageRequest) -> int:
    asked = request.query.get("year", "")
    this_year = local_date(request.now, request.zone).year
    return min(max(int(asked), _FIRST_YEAR), _LAST_YEAR) if asked.isdecimal() else this_year


def _head(year: int, request: PageRequest) -> Component:
    def step(to: int) -> Component:
        return dcc.Link(
            str(to), href=f"/duties?year={to}", className="segment" + (" on" if to == year else "")
        )

    years = html.Div(
        [step(year - 1), step(year), step(year + 1)],
        className="segments",
        role="group",
        **{"aria-label": request.t("duty.year")},
    )
    return html.Div([html.H1(request.t("duty.heading", year=year)), years], className="page-head")


def _due_list(rows: list[AdoptedDuty], request: PageRequest) -> Component:
    heading = html.H2(request.t("duty.due_now", days=_AHEAD.days))
    if not rows:
        return html.Section([heading, html.P(request.t("duty.nothing_due"))], className="panel")
    items = [
        html.Li(
            [
                dcc.Link(_name(row, request), href=duty_href(row), className="title"),
                html.Span(row.subject_name.in_language(request.language), className="source"),
                standing_tag(row.dates[0].standing, request),
                html.Time(row.dates[0].due.due_on.isoformat()),
            ]
        )
        for row in rows
    ]
    return html.Section([heading, still(html.Ul(items, className="due-list"))], className="panel")


def _name(row: AdoptedDuty, request: PageRequest) -> str:
    return row.duty.name.in_language(request.language)


def _figures(found: Compliance, request: PageRequest) -> Component:
    share = "–" if found.kept_share is None else f"{found.kept_share:.0%}"
    pairs = [pair(request.t("duty.kept_share"), html.Span(share))]
    pairs += [
        pair(request.t(f"duty_standing.{standing.value}"), html.Span(str(found.counts.get(standing, 0))))
        for standing in Standing
    ]
    note = html.P(request.t("duty.kept_share_hint"), className="hint")
    return html.Section(
        [html.H2(request.t("duty.figures")), html.Div(pairs, className="pairs"), note], className="panel"
    )


def _year_table(rows: list[AdoptedDuty], request: PageRequest) -> Component:
    heads = [html.Th(request.t("duty.duty"), scope="col")]
    heads += [html.Th(str(month), scope="col") for month in range(1, 13)]
    legend = html.P(
        "  ".join(f"{mark} {request.t(f'duty_standing.{s.value}')}" for s, mark in _MARKS.items()),
        className="hint",
    )
    table = html.Table(
        [html.Thead(html.Tr(heads)), html.Tbody([_year_row(row, request) for row in rows])],
        className="grid year-grid",
    )
    return html.Section(
        [html.H2(request.t("duty.year")), legend, html.Div(still(table), className="scroll")],
        className="panel",
    )


def _year_row(row: AdoptedDuty, request: PageRequest) -> Component:
    subject = row.subject_name.in_language(request.language)
    name = [
        dcc.Link(_name(row, request), href=duty_href(row), className="title"),
        html.Span(f"{subject} · {request.t(f'duty_basis.{row.duty.basis.value}')}", className="source"),
    ]
    months = [
        html.Td([_mark(at, request) for at in row.dates if at.due.due_on.month == m]) for m in range(1, 13)
    ]
    return html.Tr([html.Th(name, scope="row"), *months])


def _mark(at: DueDate, request: PageRequest) -> Component:
    words = f"{_day(at.due.due_on)} {request.t(f'duty_standing.{at.standing.value}')}"
    looks = "mark alarm" if at.standing is Standing.OVERDUE else "mark"
    return html.Span(
        _MARKS[at.standing], title=words, className=looks, **{"aria-label": words, "role": "img"}
    )


def _day(on: date) -> str:
    return on.isoformat()
