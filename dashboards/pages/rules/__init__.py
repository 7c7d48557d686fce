"""The rules, by subject; each leads to its parameters."""

from itertools import groupby

from dash import dcc, html
from dash.development.base_component import Component

from dashboards.components.still import still
from dashboards.request import PageRequest
from energy_center.i18n.text import text_or
from energy_center.services.tune_rules import RuleName, list_rules


async def draw(request: PageRequest) -> Component:
    """One panel a subject."""
    found = await list_rules(request.database)
    panels = [
        _subject(subject, list(names), request)
        for subject, names in groupby(found, key=lambda rule: rule.subject)
    ]
    return html.Div(
        [
            html.Div(html.H1(request.t("tuning.rules")), className="page-head"),
            html.P(request.t("tuning.rules_hint"), className="faint"),
            still(html.Div(panels, className="rule-list")),
        ]
    )


def _subject(subject: str, names: list[RuleName], request: PageRequest) -> Component:
    heading = text_or(f"tuning.subject.{subject.replace('-', '_')}", request.language, subject)
    return html.Section(
        [html.H2(heading), *[_link(rule, request) for rule in names]], className="panel spaced"
    )


def _link(rule: RuleName, request: PageRequest) -> Component:
    mark = [html.Span(request.t("tuning.adopted"), className="tag")] if rule.adopted else []
    return html.Div(
        [dcc.Link(rule.name.in_language(request.language), href=f"/rules/{rule.rule_id}"), *mark],
        className="roster-row",
    )
