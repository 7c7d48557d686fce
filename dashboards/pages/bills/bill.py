"""One bill: what is to pay, what must be known, every line, and what was not measured."""

from collections.abc import Mapping
from decimal import Decimal

from dash import html
from dash.development.base_component import Component

from dashboards import fmt
from dashboards.components.kpi import pair
from dashboards.components.still import still
from dashboards.request import PageRequest
from energy_center.i18n.text import text_or
from energy_center.services.bill_questions import BuildingBillView, read_bills
from energy_center.services.bill_view import BillView, LineView
from energy_center.tariffs.bill_model import NoteKind

_CURRENCIES = {"TWD": "NT$", "USD": "US$", "EUR": "€", "JPY": "¥"}
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


def money(amount: Decimal, currency: str, decimals: int = 0) -> str:
    """With its currency; the minus before it."""
    sign = "−" if amount < 0 else ""
    return f"{sign}{_CURRENCIES.get(currency, currency)} {abs(amount):,.{decimals}f}"


def number(amount: Decimal) -> str:
    """With thousands marked and no empty decimals."""
    shown = f"{amount:,.4f}".rstrip("0").rstrip(".")
    return "0" if shown in {"-0", ""} else shown


def _total(shown: BillView, request: PageRequest) -> Component:
    tags = [html.Span(request.t("bill.provisional"), className="tag off")] if shown.is_provisional else []
    return html.Div(
        [
            html.Div([request.t("bill.total"), *tags], className="label"),
            html.Div(
                [
                    html.Span(_CURRENCIES.get(shown.currency, shown.currency), className="u before"),
                    html.Span(f"{shown.total:,}", className="v"),
                ],
                className="big",
                id="bill-total",
            ),
            html.Div(
                f"{request.t('bill.vat_within')} {money(shown.vat_within, shown.currency)}", className="under"
            ),
        ],
        className="kpi",
    )


def _facts(found: BuildingBillView, request: PageRequest) -> Component:
    shown = found.bill
    is_known = shown.energy != 0 or shown.coverage > 0  # a register may tell what ran in a gap
    energy = f"{number(shown.energy)} {fmt.unit(shown.unit)}" if is_known else fmt.MISSING
    demand = fmt.MISSING if shown.highest_demand_kw is None else f"{shown.highest_demand_kw:,.0f} kW"
    factor = fmt.MISSING
    if shown.power_factor_pct is not None:
        origin = request.t(f"bill.power_factor_from.{found.power_factor_from or 'meter'}")
        factor = f"{number(shown.power_factor_pct)} % ({origin})"
    contracts = "; ".join(dict.fromkeys(_contract(part.contract_kw) for part in shown.parts))
    return html.Div(
        [
            pair(request.t("bill.columns.plan"), shown.tariff.in_language(request.language)),
            pair(request.t("bill.period"), f"{shown.first} – {shown.last}"),
            pair(request.t("bill.energy_total"), energy),
            pair(request.t("bill.highest_demand"), demand),
            pair(request.t("bill.columns.contract"), contracts or fmt.MISSING),
            pair(request.t("bill.power_factor"), factor),
            pair(request.t("bill.coverage"), f"{shown.coverage:.1%}"),
        ],
        className="bill-facts",
    )


def _contract(kw: Mapping[str, Decimal]) -> str:
    return " + ".join(number(capacity) for capacity in kw.values() if capacity) + " kW" if kw else ""


def _note(kind: NoteKind, facts: Mapping[str, str], request: PageRequest) -> Component:
    holes = dict.fromkeys(("coverage", "hours", "spans", "first"), fmt.MISSING)
    return html.P(request.t(f"bill.note.{kind.value}", **(holes | dict(facts))), className="bill-note")


def lines(shown: BillView, request: PageRequest) -> Component:
    """The table of lines with its sum."""
    foot = html.Tr(
        [
            html.Td(request.t("bill.total"), colSpan="3"),
            html.Td(money(shown.total, shown.currency), className="number"),
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
    kind = request.t(f"bill.kind.{line.kind.value}")
    own = line.label.in_language(request.language) if line.label else None
    name = own if own is not None else text_or(f"bill.key.{line.key}", request.language, line.key)
    is_money = line.unit in _CURRENCIES
    quantity = (
        money(line.quantity, line.unit) if is_money else f"{number(line.quantity)} {fmt.unit(line.unit)}"
    )
    season = text_or(f"bill.season.{line.season}", request.language, "")
    return html.Tr(
        [
            html.Td([html.Span(f"{kind} {name}"), html.Span(season, className="source")], className="c-line"),
            html.Td(quantity, className="number c-quantity"),
            html.Td(_price(line, request), className="number c-price"),
            html.Td(f"{line.amount:,.2f}", className="number c-amount"),
            html.Td(line.clause, className="source c-clause"),
        ]
    )


def _price(line: LineView, request: PageRequest) -> str:
    words = [f"× {line.price.normalize():f}"]
    if line.times != 1:
        words.append(request.t("bill.times", times=number(line.times)))
    if line.days != line.of_days:
        words.append("× " + request.t("bill.days", days=line.days, of_days=line.of_days))
    return " ".join(words)


def _missing(shown: BillView, request: PageRequest) -> Component:
    spans = [
        html.Li(" – ".join(fmt.moment(at, request.zone, request.language) for at in span))
        for span in shown.missing[:_SHOWN_SPANS]
    ]
    more = len(shown.missing) - len(spans)
    if more > 0:
        spans.append(html.Li(request.t("bill.more_spans", count=more)))
    return html.Div([html.H2(request.t("bill.missing")), html.Ul(spans)], className="panel")
