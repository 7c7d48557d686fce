"""One bill: what is to pay, what must be known, every line, and what was not measured."""

from collections.abc import Mapping
from urllib.parse import urlencode

from dash import html
from dash.development.base_component import Component

from dashboards import fmt
from dashboards.components.kpi import pair
from dashboards.components.still import still
from dashboards.request import PageRequest
from energy_center.services import bill_words
from energy_center.services.bill_questions import BuildingBillView, read_bills
from energy_center.services.bill_view import BillView, LineView
from energy_center.tariffs.bill_model import NoteKind

_SHOWN_SPANS = 12
_HEADS = ("line", "quantity", "price", "amount", "clause")


async def draw_bill(request: PageRequest, building: str, month: str) -> Component:
    """The month of the building."""
    (found,) = await read_bills(request.database, building, month, 1, request.now)
    return bill(found, request)


def bill(found: BuildingBillView, request: PageRequest) -> Component:
    """Its panels."""
    shown = found.bill
    parts = [html.Div([_total(shown, request), _facts(found, request)], className="panel bill-top")]
    if shown.notes:
        parts.append(
            html.Div([_note(n.kind, n.facts, request) for n in shown.notes], className="panel bill-notes")
        )
    parts.append(html.Div(still(lines(shown, request)), className="panel flush scroll"))
    if shown.is_provisional:
        parts.append(_missing(shown, request))
    parts.append(
        html.Div([html.Div(source, className="source") for source in shown.sources], className="bill-source")
    )
    return html.Div(parts, className="stack")


def _total(shown: BillView, request: PageRequest) -> Component:
    words = "no_data" if shown.total is None else "provisional" if shown.is_provisional else None
    tags = [html.Span(request.t(f"bill.{words}"), className="tag off")] if words else []
    figure = [html.Span(bill_words.MISSING if shown.total is None else f"{shown.total:,}", className="v")]
    if shown.total is not None:
        currency = bill_words.CURRENCIES.get(shown.currency, shown.currency)
        figure.insert(0, html.Span(currency, className="u before"))
    within = bill_words.money(shown.vat_within, shown.currency)
    return html.Div(
        [
            html.Div([request.t("bill.total"), *tags], className="label"),
            html.Div(figure, className="big", id="bill-total"),
            html.Div(f"{request.t('bill.vat_within')} {within}", className="under"),
        ],
        className="kpi",
    )


def _facts(found: BuildingBillView, request: PageRequest) -> Component:
    shown = found.bill
    factor = bill_words.power_factor(shown, found.power_factor_from, request.language)
    asked = {"building": found.building_id, "month": f"{shown.first:%Y-%m}", "language": request.language}
    return html.Div(
        [
            pair(request.t("bill.columns.plan"), shown.tariff.in_language(request.language)),
            pair(request.t("bill.period"), f"{shown.first} – {shown.last}"),
            pair(request.t("bill.energy_total"), bill_words.energy(shown)),
            pair(bill_words.demand_name(shown, request.language), bill_words.demand(shown)),
            pair(request.t("bill.columns.contract"), bill_words.contracts(shown)),
            pair(request.t("bill.power_factor"), factor),
            pair(request.t("bill.coverage"), f"{shown.coverage:.1%}"),
            html.A(
                request.t("bill.paper.button"),
                href=f"/api/v1/bills/pdf?{urlencode(asked)}",
                id="bill-pdf",
                className="button",
                target="_blank",
            ),
        ],
        className="bill-facts",
    )


def _note(kind: NoteKind, facts: Mapping[str, str], request: PageRequest) -> Component:
    return html.P(bill_words.note(kind, facts, request.language), className="bill-note")


def lines(shown: BillView, request: PageRequest) -> Component:
    """The table of lines with its sum."""
    foot = html.Tr(
        [
            html.Td(request.t("bill.total"), colSpan="3"),
            html.Td(bill_words.money(shown.total, shown.currency), className="number"),
            html.Td(""),
        ]
    )
    return html.Table(
        [
            html.Thead(html.Tr([_head(head, request) for head in _HEADS])),
            html.Tbody([_line(line, request) for line in shown.lines]),
            html.Tfoot(foot),
        ],
        className="grid bill-grid",
    )


def _head(head: str, request: PageRequest) -> Component:
    is_number = head in {"quantity", "price", "amount"}
    return html.Th(request.t(f"bill.columns.{head}"), scope="col", className="number" if is_number else None)


def _line(line: LineView, request: PageRequest) -> Component:
    name, season = bill_words.line_name(line, request.language), bill_words.season(line, request.language)
    return html.Tr(
        [
            html.Td([html.Span(name), html.Span(season, className="source")], className="c-line"),
            html.Td(bill_words.quantity(line), className="number c-quantity"),
            html.Td(bill_words.price(line, request.language), className="number c-price"),
            html.Td(f"{line.amount:,.2f}", className="number c-amount"),
            html.Td(line.clause, className="source c-clause"),
        ]
    )


def _missing(shown: BillView, request: PageRequest) -> Component:
    spans = [
        html.Li(" – ".join(fmt.moment(at, request.zone, request.language) for at in span))
        for span in shown.missing[:_SHOWN_SPANS]
    ]
    more = len(shown.missing) - len(spans)
    if more > 0:
        spans.append(html.Li(request.t("bill.more_spans", count=more)))
    return html.Div([html.H2(request.t("bill.missing")), html.Ul(spans)], className="panel")
