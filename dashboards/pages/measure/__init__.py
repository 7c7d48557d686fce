"""One measure: what was found and how sure it is, the days that show it, adjustments and the next step."""

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import fmt
from dashboards.components.kpi import pair
from dashboards.pages.measure.charts import by_day, cumulative
from dashboards.pages.measure.forms import adjustments, steps
from dashboards.pages.measures import state_tag, verdict_tag
from dashboards.request import PageRequest
from energy_center.domain.measures import MeasureVerification
from energy_center.services.measure_words import Pair, measure_facts, method_facts, worth_facts
from energy_center.services.measures import MeasureDetail, get_measure
from energy_center.services.verification_words import reason_sentences, verdict_sentence


async def draw(request: PageRequest) -> Component:
    """Everything of it."""
    number = request.params["measure_id"]
    detail = await get_measure(request.database, int(number) if number.isdecimal() else 0)
    found = detail.verification
    left: list[Component] = [_facts(detail, request)]
    if found is not None:
        left = [_answer(detail, found, request), *_charts(detail, found, request), _method(found, request)]
        left.append(_facts(detail, request))
    return html.Div(
        [
            dcc.Link(request.t("measure.back"), href="/measures", className="back"),
            html.Div(
                [html.H1(detail.measure.name), state_tag(detail.measure.state, request)],
                className="page-head",
            ),
            html.Div(
                [
                    html.Div(left, className="left"),
                    html.Div([steps(detail, request), adjustments(detail, request)], className="right"),
                ],
                className="detail-page",
            ),
        ],
        className="measure-page",
    )


def _answer(detail: MeasureDetail, found: MeasureVerification, request: PageRequest) -> Component:
    findings, language = found.findings, request.language
    why = [html.Li(sentence) for sentence in reason_sentences(findings, language)]
    sentence = html.Span(verdict_sentence(findings, language))
    paper = f"/api/v1/measures/{found.measure_id}/pdf?language={language}"
    blocks: list[Component] = [
        html.P([verdict_tag(found.verdict, request), sentence], className="verdict"),
        html.Ul(why, className="reasons"),
        _pairs(worth_facts(detail.measure, findings, language)),
        html.A(request.t("measure.pdf"), href=paper, target="_blank", className="button"),
    ]
    return html.Section(blocks, className="panel")


def _pairs(facts: list[Pair]) -> Component:
    return html.Div([pair(name, html.Span(figure)) for name, figure in facts], className="stack facts")


def _charts(detail: MeasureDetail, found: MeasureVerification, request: PageRequest) -> list[Component]:
    if found.findings["estimate"] is None:
        return []
    return [
        html.Section(
            [html.H2(request.t("measure.cumulative")), cumulative(found.findings, request)], className="panel"
        ),
        html.Section(
            [html.H2(request.t("measure.chart")), by_day(found.findings, detail.measure.done, request)],
            className="panel",
        ),
    ]


def _method(found: MeasureVerification, request: PageRequest) -> Component:
    at = fmt.moment(found.made_at, request.zone, request.language)
    return html.Section(
        [
            html.H2(request.t("measure.notes")),
            _pairs(method_facts(found, at, request.language)),
            html.P(request.t("measure.notes_text"), className="hint"),
        ],
        className="panel",
    )


def _facts(detail: MeasureDetail, request: PageRequest) -> Component:
    measure = detail.measure
    blocks = [_pairs(measure_facts(measure, request.language))]
    if measure.description:
        blocks.append(html.P(measure.description, className="text"))
    if detail.verification is None and measure.done is not None:
        blocks.append(html.P(request.t("measure.waiting"), className="hint"))
    return html.Section(blocks, className="panel")
