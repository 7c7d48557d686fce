"""Alarm system health: how much the alarms ask of people, against published targets, and what is blind."""

from collections.abc import Collection, Sequence

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import fmt
from dashboards.components import states
from dashboards.components.equipment_link import equipment_href
from dashboards.components.priority import badge
from dashboards.components.still import still
from dashboards.pages.alarm_health.charts import days_chart, priorities_chart
from dashboards.request import PageRequest
from energy_center.i18n.text import text_or
from energy_center.services.alarm_performance import (
    AlarmHealth,
    BlindRow,
    Goal,
    read_alarm_health,
    read_blindness,
)

PERIODS = (1, 7, 30)
_USUAL_DAYS = 7
_BLIND_ROWS = 15
_PERCENT = 100.0


async def draw(request: PageRequest) -> Component:
    """The period that is asked for: targets, calls by day, priorities, bad actors, and what is blind."""
    asked = request.query.get("days", "")
    days = int(asked) if asked in {str(n) for n in PERIODS} else _USUAL_DAYS
    health = await read_alarm_health(request.database, days, request.now)
    blind = await read_blindness(request.database, request.now, _BLIND_ROWS)
    return html.Div(
        [
            dcc.Link(request.t("alarm.back"), href="/alarms", className="back"),
            _head(days, health, request),
            still(_goals(health, request)),
            _charts(health, request),
            still(_priorities(health, request)),
            still(_actors(health, request)),
            still(_blind(blind, request)),
        ],
        className="health-page",
    )


def _head(days: int, health: AlarmHealth, request: PageRequest) -> Component:
    made = health.performance
    period = " – ".join(fmt.moment(at, request.zone, request.language) for at in (made.since, made.until))
    tabs = [
        dcc.Link(
            request.t("health.days", n=n),
            href=f"/alarm-health?days={n}",
            className="segment on" if n == days else "segment",
        )
        for n in PERIODS
    ]
    export = html.A(
        request.t("health.csv"),
        href=f"/api/v1/alarms/performance?days={days}&format=csv",
        className="button",
        download="alarm-performance.csv",
    )
    return html.Div(
        [
            html.H1(request.t("health.title")),
            html.Div(tabs, className="segments", role="group", **{"aria-label": request.t("health.period")}),
            html.Span(period, className="small-print"),
            export,
        ],
        className="page-head",
    )


def _panel(title: str, body: Component, note: str = "") -> Component:
    small = [html.Div(note, className="small-print")] if note else []
    return html.Section([html.Div(html.H2(title), className="block-head"), body, *small], className="panel")


def _table(heads: Sequence[str], rows: Sequence[Component], numbers: Collection[int]) -> Component:
    """`numbers`: which columns hold numbers, and so stand to the right."""
    cells = [
        html.Th(words, scope="col", className="num" if place in numbers else "")
        for place, words in enumerate(heads)
    ]
    head = html.Thead(html.Tr(cells))
    return html.Div(html.Table([head, html.Tbody(list(rows))], className="grid"), className="scroll-x")


def _goals(health: AlarmHealth, request: PageRequest) -> Component:
    t, now = request.t, health.now
    heads = [
        t("health.figure"),
        t("health.measured"),
        t("health.target"),
        t("health.met"),
        t("health.source"),
    ]
    rows = [_goal(goal, request) for goal in health.goals]
    standing = t(
        "health.now",
        listed=now.listed,
        unacknowledged=now.unacknowledged,
        standing=now.standing,
        shelved=now.shelved,
        design=now.by_design + now.grouped,
        out=now.out_of_service,
        chattering=now.chattering,
    )
    return _panel(t("health.goals"), _table(heads, rows, (1, 2)), f"{standing} {t('health.how')}")


def _goal(goal: Goal, request: PageRequest) -> Component:
    t = request.t
    verdict = {True: "health.yes", False: "health.no", None: "health.unknown"}[goal.met]
    return html.Tr(
        [
            html.Td(t(f"health.{goal.name}")),
            html.Td("–" if goal.figure is None else _number(goal.figure, goal.unit), className="num"),
            html.Td(f"≤ {_number(goal.target, goal.unit)}", className="num"),
            html.Td(t(verdict), className="strong" if goal.met is False else ""),
            html.Td(goal.source, className="small-print"),
        ],
        **{"data-goal": goal.name},
    )


def _number(amount: float, unit: str) -> str:
    if unit == "%":
        return f"{amount * _PERCENT:,.1f} %"
    return f"{amount:,.1f} {unit}".strip() if unit != "1" else f"{amount:,.0f}"


def _charts(health: AlarmHealth, request: PageRequest) -> Component:
    if not health.performance.raised:
        return html.Div(
            states.empty(request.t("health.nothing"), request.t("health.nothing_hint")), className="panel"
        )
    return html.Div(
        [
            _panel(request.t("health.by_day"), days_chart(health.performance, request)),
            _panel(request.t("health.by_priority"), priorities_chart(health.performance, request)),
        ],
        className="two-up",
    )


def _priorities(health: AlarmHealth, request: PageRequest) -> Component:
    t = request.t
    heads = [
        t("alarm.priority"), t("health.calls"), t("health.share"), t("health.target"), t("health.median"),
        t("health.p90"), t("health.within"),
    ]  # fmt: skip
    rows = [
        html.Tr(
            [
                html.Td(badge(p.priority, request.language)),
                html.Td(f"{p.count}", className="num"),
                html.Td("–" if p.share is None else _number(p.share, "%"), className="num"),
                html.Td(_number(p.target_share, "%"), className="num"),
                html.Td(_span(p.median_s, request), className="num"),
                html.Td(_span(p.p90_s, request), className="num"),
                html.Td(_span(p.target_s, request), className="num"),
            ]
        )
        for p in health.performance.priorities
    ]
    return _panel(t("health.priorities"), _table(heads, rows, range(1, 7)), t("health.priorities_how"))


def _span(seconds: float | None, request: PageRequest) -> str:
    return "–" if seconds is None else fmt.span(seconds, request.language)


def _actors(health: AlarmHealth, request: PageRequest) -> Component:
    t = request.t
    if not health.performance.bad_actors:
        return _panel(t("health.bad_actors"), html.P(t("health.nothing"), className="small-print"))
    rows = [
        html.Tr(
            [
                html.Td(
                    [
                        html.Span(
                            health.rule_names[a.rule_id].in_language(request.language), className="title"
                        ),
                        _place(a.equipment_id, health, request),
                    ],
                    className="c-what",
                ),
                html.Td(f"{a.count}", className="num"),
                html.Td(_number(a.share, "%"), className="num"),
                html.Td(t("alarm.chattering") if a.chattering else ""),
                html.Td(f"{a.fleeting}", className="num"),
            ]
        )
        for a in health.performance.bad_actors
    ]
    heads = [t("alarm.what"), t("health.calls"), t("health.share"), "", t("health.fleeting")]
    return _panel(t("health.bad_actors"), _table(heads, rows, (1, 2, 4)), t("health.bad_actors_how"))


def _place(equipment_id: str, health: AlarmHealth, request: PageRequest) -> Component:
    name = health.equipment_names.get(equipment_id)
    words = equipment_id if name is None else name.in_language(request.language)
    return dcc.Link(words, href=equipment_href(equipment_id), className="plain source")


def _blind(found: Sequence[BlindRow], request: PageRequest) -> Component:
    t = request.t
    if not found:
        return _panel(t("health.blind"), html.P(t("health.blind_none"), className="small-print"))
    rows = [
        html.Tr(
            [
                html.Td(
                    [
                        html.Span(row.rule_name.in_language(request.language), className="title"),
                        dcc.Link(
                            row.equipment_name.in_language(request.language),
                            href=equipment_href(row.equipment_id),
                            className="plain source",
                        ),
                    ],
                    className="c-what",
                ),
                html.Td(_number(row.unknown_share, "%"), className="num strong" if row.is_blind else "num"),
                html.Td(f"{row.judged_h:,.1f} h", className="num"),
                html.Td(_input(row.most_missing, request)),
            ]
        )
        for row in found
    ]
    heads = [t("alarm.what"), t("health.unknown_share"), t("health.judged"), t("health.missing")]
    return _panel(t("health.blind"), _table(heads, rows, (1, 2)), t("health.blind_how"))


def _input(name: str | None, request: PageRequest) -> str:
    if name is None:
        return "–"
    words = name.replace("_", " ")
    return text_or(f"role.{name}", request.language, text_or(f"evidence.{name}", request.language, words))
