"""One alarm: why it was raised, what it may be, what to check, what people did."""

from collections.abc import Sequence
from datetime import datetime

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import fmt
from dashboards.components.alarm_row import acknowledge_form, state_word, who_when, work_order_action
from dashboards.components.kpi import pair
from dashboards.components.priority import badge
from dashboards.request import PageRequest
from energy_center.domain.alarms import AlarmState
from energy_center.i18n.text import text_or
from energy_center.services.alarms import AlarmDetail, AlarmRow, get_alarm

_SAVINGS = (
    ("energy_kwh", "kWh"),
    ("per_day_kwh", "kWh/d"),
    ("money_ntd", "NT$"),
    ("carbon_kg", "kgCO₂e"),
    ("water_m3", "m³"),
)

_UNITS = {
    "m": "m", "s": "s", "min": "min", "h": "h", "kw": "kW", "kwh": "kWh", "k": "K", "c": "°C", "pct": "%",
    "a": "A", "m3": "m³",
}  # fmt: skip


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
                    html.Div([_facts(row, request), _advice(detail, request)], className="left"),
                    html.Div(
                        [_act(row, request), _evidence(detail, request), _history(detail, request)],
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
            dcc.Link(row.equipment_name.in_language(request.language), href=f"/equipment/{row.equipment_id}"),
        ),
        pair(t("alarm.state"), html.Span(state_word(row, request), className="strong")),
        pair(t("alarm.since"), html.Span(_when(row.raised_at, request))),
        pair(
            t("alarm.lasted"),
            html.Span(
                fmt.span(((row.returned_at or request.now) - row.raised_at).total_seconds(), request.language)
            ),
        ),
    ]
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
    if words.suggestion:
        blocks.append(html.Div([html.H3(t("alarm.suggestion")), html.P(words.suggestion)]))
    return html.Section(blocks, className="panel advice")


def _list(title: str, lines: Sequence[str], *, ordered: bool) -> Component:
    items = [html.Li(line) for line in lines]
    return html.Div([html.H3(title), html.Ol(items) if ordered else html.Ul(items)])


def _act(row: AlarmRow, request: PageRequest) -> Component:
    actions = [
        a for a in (acknowledge_form(row, request, with_comment=True), work_order_action(row, request)) if a
    ]
    return html.Section(actions, className="panel acts", hidden=not actions)


def _evidence(detail: AlarmDetail, request: PageRequest) -> Component:
    evidence = detail.evidence
    rows = [
        pair(*_measured(name, amount, request))
        for group in ("values", "parameters")
        for name, amount in dict(evidence.get(group) or {}).items()
    ]
    rows += [
        pair(request.t("alarm.wasted"), html.Span(f"{float(amount):,.0f} {unit}"))
        for name, unit in _SAVINGS
        if (amount := detail.suggestion.get(name)) is not None
    ]
    notes = ", ".join(str(note) for note in evidence.get("notes") or ())
    small = [html.Div(words, className="small-print") for words in (notes, detail.source) if words]
    head = html.H3(request.t("alarm.evidence"))
    return html.Section([head, html.Div(rows, className="stack facts"), *small], className="panel spaced")


def _measured(name: str, amount: object, request: PageRequest) -> tuple[str, Component]:
    """A rule's `<what>_<unit>` as a name in words and a number with its unit."""
    what, _, suffix = name.rpartition("_")
    unit = _UNITS.get(suffix, "")
    key = what if unit else name
    label = text_or(f"evidence.{key}", request.language, key.replace("_", " "))
    label = text_or(f"role.{key}", request.language, label)
    number = f"{amount:,.4g}" if isinstance(amount, int | float) else str(amount)
    return label, html.Span(f"{number} {unit}".strip())


def _history(detail: AlarmDetail, request: PageRequest) -> Component:
    lines = [
        html.Li(
            [
                html.Time(_when(event.at, request)),
                html.Span(request.t(f"alarm_event.{event.event.value}"), className="strong"),
                html.Span(event.actor, className="faint"),
                html.Span(event.comment, className="comment"),
            ]
        )
        for event in detail.history
    ]
    return html.Section(
        [html.H3(request.t("alarm.history")), html.Ol(lines, className="timeline")], className="panel"
    )
