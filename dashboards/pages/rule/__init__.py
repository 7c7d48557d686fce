"""One rule: its parameters, two sets of them compared over the past, the better one adopted or taken back."""

from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import fmt
from dashboards.components.notice_tabs import one_button
from dashboards.components.still import still
from dashboards.pages.rule.forms import adopt_form, compare_form
from dashboards.request import PageRequest
from energy_center.domain.people import Permission
from energy_center.domain.tuning import ComparisonState
from energy_center.services.tune_rules import Adoption, Comparison, PastAlarm, RuleTuning, read_tuning

_FIGURES = ("findings", "alarms_per_day", "energy_kwh", "precision", "recall", "unknown_share")
_SHARES = frozenset({"precision", "recall", "unknown_share"})


async def draw(request: PageRequest) -> Component:
    """While a comparison runs the page is drawn anew every few seconds."""
    found = await read_tuning(request.database, request.params["rule_id"])
    tunes = request.user.may(Permission.TUNE_RULES)
    left = [_parameters(found, request)]
    if tunes:
        left += [compare_form(found, request), adopt_form(found, request)]
    right = [_comparison(c, request, tunes=tunes) for c in found.comparisons[:5]]
    right += [_adoptions(found, request, tunes=tunes), _alarms(found, request)]
    runs = any(c.state.is_open for c in found.comparisons)
    return html.Div(
        [
            dcc.Link(request.t("tuning.all_rules"), href="/rules", className="back"),
            html.Div(html.H1(found.name.in_language(request.language)), className="page-head"),
            still(
                html.Div(
                    [html.Div(left, className="notice-list"), html.Div(right, className="notice-list")],
                    className="notice-page",
                )
            ),
        ],
        **({"data-refresh-s": "3"} if runs else {}),
    )


def _number(number: float | None) -> str:
    return fmt.MISSING if number is None else f"{number:g}"


def _parameters(found: RuleTuning, request: PageRequest) -> Component:
    heads = ("parameter", "in_force", "default", "unit")
    rows = [
        html.Tr(
            [
                html.Td(p.name, className="code"),
                html.Td(_number(p.in_force), className="strong"),
                html.Td(_number(p.default)),
                html.Td(fmt.unit(p.unit)),
            ],
            title=p.source,
        )
        for p in found.parameters
    ]
    table = html.Table(
        [
            html.Thead(html.Tr([html.Th(request.t(f"tuning.{head}"), scope="col") for head in heads])),
            html.Tbody(rows),
        ],
        className="grid numbers",
    )
    return html.Section(
        [html.H2(request.t("tuning.parameters")), html.Div(table, className="scroll")],
        className="panel spaced",
    )


def _comparison(c: Comparison, request: PageRequest, *, tunes: bool) -> Component:
    t = request.t
    state = t(f"tuning.state.{c.state.value}")
    if c.state is ComparisonState.RUNNING:
        state = f"{state} {c.share_done:.0%}"
    period = " – ".join(fmt.moment(at, request.zone, request.language) for at in (c.since, c.until))
    _, at, place = c.rule_key.partition("@")
    blocks: list[Component] = [
        html.Div(
            [html.H2(t("tuning.comparison", n=c.comparison_id)), html.Span(state, className="tag")],
            className="block-head",
        ),
        html.P(" · ".join([period, *([place] if at else [])]), className="small-print"),
    ]
    if c.problem:
        blocks.append(html.P(c.problem, className="mistakes"))
    if c.result is not None:
        blocks.append(html.Div(_figures(c, c.result, request), className="scroll"))
    if c.state.is_open and tunes:
        api = f"/api/v1/comparisons/{c.comparison_id}/cancel"
        blocks.append(one_button(request, t("tuning.cancel"), api))
    return html.Section(blocks, className="panel spaced")


def _figures(c: Comparison, result: Any, request: PageRequest) -> Component:  # noqa: ANN401 figures as JSON
    t = request.t
    rows = [
        html.Tr([html.Td(t("tuning.set")), html.Td(_set(c.first_set, t)), html.Td(_set(c.second_set, t))])
    ]
    for name in _FIGURES:
        cells = [html.Td(_figure(name, result[side])) for side in ("first", "second")]
        rows.append(html.Tr([html.Td(t(f"tuning.{name}")), *cells]))
    heads = ("what", "first", "second")
    return html.Table(
        [
            html.Thead(html.Tr([html.Th(t(f"tuning.{head}"), scope="col") for head in heads])),
            html.Tbody(rows),
        ],
        className="grid numbers",
    )


def _set(numbers: Any, t: Any) -> str:  # noqa: ANN401 figures as JSON, and the request's words
    return ", ".join(f"{k} {v:g}" for k, v in numbers.items()) or str(t("tuning.as_now"))


def _figure(name: str, side: Any) -> str:  # noqa: ANN401 figures as JSON
    value = side.get(name)
    if value is None:
        return fmt.MISSING
    return f"{value:.0%}" if name in _SHARES else f"{value:,g}"


def _adoptions(found: RuleTuning, request: PageRequest, *, tunes: bool) -> Component:
    rows = [_adoption(a, request, tunes=tunes) for a in found.adoptions] or [
        html.P(request.t("tuning.none_adopted"), className="faint")
    ]
    return html.Section([html.H2(request.t("tuning.adoptions")), *rows], className="panel spaced")


def _adoption(a: Adoption, request: PageRequest, *, tunes: bool) -> Component:
    t = request.t
    at = fmt.moment(a.adopted_at, request.zone, request.language)
    _, _, place = a.rule_key.partition("@")
    words = [
        html.Span(", ".join(f"{k} {v:g}" for k, v in a.parameters.items()), className="strong"),
        html.Span(place or t("tuning.whole_site")),
        html.Span(f"{a.adopted_by} · {at}", className="faint"),
        html.Span(a.reason),
    ]
    if a.undone_at is not None:
        words.append(html.Span(t("tuning.undone", who=a.undone_by or ""), className="tag"))
    undo = (
        [one_button(request, t("tuning.undo"), f"/api/v1/adoptions/{a.adoption_id}/undo")]
        if tunes and a.undone_at is None
        else []
    )
    return html.Div([html.Div(words), *undo], className="roster-row")


def _alarms(found: RuleTuning, request: PageRequest) -> Component:
    hint = html.P(request.t("tuning.truth_hint"), className="small-print")
    rows = [_alarm(a, request) for a in found.alarms] or [
        html.P(request.t("tuning.no_alarms"), className="faint")
    ]
    return html.Section([html.H2(request.t("tuning.truth")), hint, *rows], className="panel spaced")


def _alarm(a: PastAlarm, request: PageRequest) -> Component:
    t = request.t
    at = fmt.moment(a.raised_at, request.zone, request.language)
    words: list[Component] = [
        dcc.Link(f"#{a.alarm_id} {a.equipment_id}", href=f"/alarms/{a.alarm_id}"),
        html.Time(at),
    ]
    if a.was_right is not None:
        words.append(html.Span(t("tuning.was_right" if a.was_right else "tuning.was_wrong"), className="tag"))
    buttons = (
        [
            one_button(
                request,
                t(f"tuning.{word}"),
                f"/api/v1/alarms/{a.alarm_id}/verdict",
                method="PUT",
                body=f'{{"was_right": {right}}}',
            )
            for word, right in (("right", "true"), ("wrong", "false"))
        ]
        if request.user.may(Permission.ACKNOWLEDGE_ALARM)
        else []
    )
    return html.Div([html.Div(words), html.Div(buttons, className="actions")], className="roster-row")
