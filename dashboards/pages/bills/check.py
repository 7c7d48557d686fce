"""The utility's bill typed in, beside ours: each difference with its likely cause."""

from collections.abc import Mapping
from decimal import Decimal

from dash import dcc, html
from dash.development.base_component import Component

from dashboards.components.still import still
from dashboards.request import PageRequest
from energy_center.i18n.text import text_or
from energy_center.services.bill_questions import check_month, read_bills
from energy_center.services.bill_view import BillView
from energy_center.services.bill_words import number
from energy_center.services.check_utility_bill import Checked
from energy_center.services.utility_bill import read_number
from energy_center.tariffs.charges import LineKind
from energy_center.tariffs.check_bill import Cause, Difference

_AMOUNTS = ("basic", "energy", "over_contract", "power_factor")
_HEADS = ("figure", "ours", "theirs", "difference", "cause")
_PREFIX = "their."


async def draw_check(request: PageRequest, building: str, month: str) -> Component:
    """The form, and below it what differs."""
    (found,) = await read_bills(request.database, building, month, 1, request.now)
    theirs, unreadable = given(request.query)
    parts = [form(found.bill, request, building, month, unreadable)]
    if theirs and not unreadable:
        checked = await check_month(request.database, building, month, theirs, request.now)
        parts.append(differences(checked, found.bill, request))
    return html.Div(parts, className="stack")


def given(query: Mapping[str, str]) -> tuple[dict[str, Decimal], set[str]]:
    """The figures of the address, and the names of those that cannot be read; empty ones are not given."""
    theirs: dict[str, Decimal] = {}
    unreadable: set[str] = set()
    for name, words in query.items():
        if not name.startswith(_PREFIX) or not words.strip():
            continue
        figure = name.removeprefix(_PREFIX)
        amount = read_number(words)
        if amount is None:
            unreadable.add(figure)
        else:
            theirs[figure] = amount
    return theirs, unreadable


def figures_asked(bill: BillView) -> list[str]:
    """What the form asks for: the bill's own bands, the charges, the total."""
    bands = dict.fromkeys(line.key for line in bill.lines if line.kind is LineKind.ENERGY)
    demands = dict.fromkeys(band for part in bill.parts for band in part.demand_kw)
    return [
        *(f"energy.{band}" for band in bands),
        *(f"demand.{band}" for band in demands),
        *(["power_factor"] if bill.highest_demand_kw is not None else []),
        *(f"amount.{kind}" for kind in _AMOUNTS),
        "total",
    ]


def name_of(figure: str, bill: BillView, request: PageRequest) -> str:
    """A figure in words, with its unit."""
    subject, _, key = figure.partition(".")
    if figure == "total":
        return request.t("bill.total")
    if subject == "power_factor":
        return f"{request.t('bill.power_factor')} (%)"
    if subject == "amount":
        return request.t(f"bill.kind.{key}")
    labels = {line.key: line.label for line in bill.lines if line.kind is LineKind.ENERGY}
    label = labels.get(key)
    band = (
        label.in_language(request.language) if label else text_or(f"bill.band.{key}", request.language, key)
    )
    unit = "kWh" if subject == "energy" else "kW"
    return f"{request.t(f'bill.figure.{subject}')} {band} ({unit})".replace("  ", " ")


def form(bill: BillView, request: PageRequest, building: str, month: str, unreadable: set[str]) -> Component:
    """A plain form: the address holds what was typed in, so that a check can be kept and sent on."""
    hidden = {"building": building, "month": month, "view": "check"}
    fields = [
        html.Label(
            [
                html.Span(name_of(figure, bill, request)),
                _input(
                    f"{_PREFIX}{figure}",
                    request.query.get(f"{_PREFIX}{figure}", ""),
                    is_wrong=figure in unreadable,
                ),
            ],
            className="field",
        )
        for figure in figures_asked(bill)
    ]
    return html.Div(
        [
            html.H2(request.t("bill.check_title")),
            html.P(request.t("bill.check_hint"), className="hint"),
            still(
                html.Form(
                    [
                        *(_hidden(name, words) for name, words in hidden.items()),
                        html.Div(fields, className="bill-fields"),
                        html.Button(
                            request.t("bill.check_button"), type="submit", className="button primary"
                        ),
                    ],
                    method="get",
                    action="/bills",
                )
            ),
            *(
                [html.P(request.t("bill.check_unreadable"), role="alert", className="error")]
                if unreadable
                else []
            ),
        ],
        className="panel",
    )


def _input(name: str, words: str, *, is_wrong: bool) -> Component:
    return dcc.Input(
        type="text",
        name=name,
        value=words,
        inputMode="decimal",
        autoComplete="off",
        className="wrong" if is_wrong else None,
    )


def _hidden(name: str, words: str) -> Component:
    return dcc.Input(type="hidden", name=name, value=words)


def differences(checked: Checked, bill: BillView, request: PageRequest) -> Component:
    """What differs and why, the utility's order kept."""
    table = html.Table(
        [
            html.Thead(html.Tr([html.Th(request.t(f"bill.columns.{head}"), scope="col") for head in _HEADS])),
            html.Tbody([_difference(d, bill, request) for d in checked.differences]),
        ],
        className="grid",
    )
    read_on = []
    if checked.read_on is not None:
        words = f"{request.t('bill.cause.reading_date')}: {checked.read_on.first} – {checked.read_on.last}"
        read_on = [html.P(words, className="bill-note")]
    return html.Div(
        [html.H2(request.t("bill.differences")), *read_on, html.Div(still(table), className="scroll")],
        className="panel",
    )


def _difference(d: Difference, bill: BillView, request: PageRequest) -> Component:
    facts = ", ".join(f"{text_or(f'bill.fact.{k}', request.language, k)} {v}" for k, v in d.facts.items())
    cause = request.t(f"bill.cause.{d.cause.value}")
    tag = "tag" if d.cause is Cause.SAME else "tag off"
    return html.Tr(
        [
            html.Td(name_of(d.figure, bill, request)),
            html.Td("–" if d.ours is None else number(d.ours), className="number"),
            html.Td(number(d.theirs), className="number"),
            html.Td("–" if d.amount is None else number(d.amount), className="number"),
            html.Td([html.Span(cause, className=tag), html.Span(facts, className="source")]),
        ]
    )
