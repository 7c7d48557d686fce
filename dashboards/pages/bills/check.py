"""The utility's bill typed in or imported, beside ours: each difference with its likely cause."""

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from urllib.parse import urlencode

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import fmt
from dashboards.components.still import still
from dashboards.request import PageRequest
from energy_center.domain.people import Permission
from energy_center.domain.utility_bills import BillOrigin
from energy_center.i18n.text import text_or
from energy_center.services.bill_questions import check_month, read_bills
from energy_center.services.bill_view import BillView
from energy_center.services.bill_words import number
from energy_center.services.check_utility_bill import Checked
from energy_center.services.keep_utility_bill import KeptMonth, read_month, wanted_figures
from energy_center.services.utility_bill import read_number
from energy_center.tariffs.charges import LineKind
from energy_center.tariffs.check_bill import Cause, Difference

_HEADS = ("figure", "ours", "theirs", "difference", "cause")
_PREFIX = "their."


async def draw_check(request: PageRequest, building: str, month: str) -> Component:
    """The form with what was entered, what differs, and the entries of the month with their undo."""
    (found,) = await read_bills(request.database, building, month, 1, request.now)
    kept = await read_month(request.database, building, month, request.now)
    theirs, unreadable = given(request.query)
    held = kept.held.figures if kept.held else {}
    shown = {figure: number(amount) for figure, amount in held.items()}
    parts = [
        form(found.bill, request, building, month, unreadable, shown),
        *_other_period(request),
        *_lacking(kept, found.bill, request),
    ]
    if request.user.may(Permission.CORRECT_READINGS):
        parts.append(import_form(request, building, month))
    if theirs and not unreadable:
        checked = await check_month(request.database, building, month, theirs, request.now)
        parts.append(differences(checked, found.bill, request))
    elif kept.checked is not None:
        parts.append(differences(kept.checked, found.bill, request))
    if kept.entries:
        parts.append(entries(kept, request, building, month))
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


def form(
    bill: BillView,
    request: PageRequest,
    building: str,
    month: str,
    unreadable: set[str],
    held: Mapping[str, str],
) -> Component:
    """Who may enter bills, keeps the figures; for others the address holds them, to be sent on."""
    may = request.user.may(Permission.CORRECT_READINGS)
    asked = wanted_figures(bill)
    fields = [
        html.Label(
            [
                html.Span(name_of(figure, bill, request)),
                _input(
                    f"{'figures.' if may else _PREFIX}{figure}",
                    request.query.get(f"{_PREFIX}{figure}", held.get(figure, "")),
                    is_wrong=figure in unreadable,
                ),
            ],
            className="field",
        )
        for figure in [*asked, *(figure for figure in held if figure not in asked)]
    ]
    words = "keep" if may else "check"
    button = html.Button(request.t(f"bill.{words}_button"), type="submit", className="button primary")
    inside = [html.Div(fields, className="bill-fields"), button]
    wrong = (
        [html.P(request.t("bill.check_unreadable"), role="alert", className="error")] if unreadable else []
    )
    return html.Div(
        [
            html.H2(request.t("bill.check_title")),
            html.P(request.t(f"bill.{words}_hint"), className="hint"),
            still(_keeping(inside, request, building, month) if may else _asking(inside, building, month)),
            *wrong,
        ],
        className="panel",
    )


def _keeping(inside: list[Component], request: PageRequest, building: str, month: str) -> Component:
    return html.Form(
        inside,
        **{
            "data-api": "/api/v1/bills/utility",
            "data-body": json.dumps({"building": building, "month": month}),
            "data-group": "figures",
            "data-nodraft": "1",
            "data-done": request.t("bill.kept"),
            "data-then": f"{_address(building, month)}&entry={{utility_bill_id}}",
        },
    )


def _asking(inside: list[Component], building: str, month: str) -> Component:
    hidden = {"building": building, "month": month, "view": "check"}
    return html.Form(
        [*(_hidden(name, words) for name, words in hidden.items()), *inside], method="get", action="/bills"
    )


def _address(building: str, month: str) -> str:
    return f"/bills?{urlencode({'building': building, 'month': month, 'view': 'check'})}"


def import_form(request: PageRequest, building: str, month: str) -> Component:
    """A CSV or PDF in place of typing."""
    form = html.Form(
        [
            html.Label(
                [html.Span(request.t("bill.import_file")), dcc.Input(type="file", name="file")],
                className="field",
            ),
            html.Button(request.t("bill.import_button"), type="submit", className="button"),
        ],
        className="bill-import",
        **{
            "data-api": "/api/v1/bills/utility/import",
            "data-body": json.dumps({"building": building, "month": month}),
            "data-nodraft": "1",
            "data-done": request.t("bill.kept"),
            "data-then": f"{_address(building, month)}&entry={{utility_bill_id}}&other={{other_period}}"
            "&first={first}&last={last}",
        },
    )
    return html.Div(
        [
            html.H2(request.t("bill.import_title")),
            html.P(request.t("bill.import_hint"), className="hint"),
            still(form),
        ],
        className="panel",
    )


def _other_period(request: PageRequest) -> list[Component]:
    """The days that the imported paper bears, where they are not those of the month that it was kept for."""
    if request.query.get("other") != "true":
        return []
    try:
        first, last = (date.fromisoformat(request.query.get(edge, "")) for edge in ("first", "last"))
    except ValueError:
        return []
    words = request.t("bill.import_other_period", first=first.isoformat(), last=last.isoformat())
    return [html.Div(html.P(words, className="bill-note"), className="panel bill-notes", role="alert")]


def _lacking(kept: KeptMonth, bill: BillView, request: PageRequest) -> list[Component]:
    """What a file did not tell is asked for by name."""
    if kept.held is None or kept.held.origin is BillOrigin.FORM:
        return []
    lacking = [name_of(f, bill, request) for f in wanted_figures(bill) if f not in kept.held.figures]
    if not lacking:
        return []
    comma = ", " if request.language == "en" else "、"
    words = request.t("bill.import_lacking", figures=comma.join(lacking))
    return [html.Div(html.P(words, className="bill-note"), className="panel bill-notes")]


def entries(kept: KeptMonth, request: PageRequest, building: str, month: str) -> Component:
    """Who entered what and when; the one that holds can be taken back."""
    rows = []
    for entry in kept.entries:
        holds = kept.held is not None and entry.utility_bill_id == kept.held.utility_bill_id
        may = holds and request.user.may(Permission.CORRECT_READINGS)
        state = "holds" if holds else "undone" if entry.undone_at else "replaced"
        undo = html.Form(
            html.Button(request.t("bill.undo"), type="submit", className="button"),
            **{
                "data-api": f"/api/v1/bills/utility/{entry.utility_bill_id}/undo",
                "data-done": request.t("bill.entry_state.undone"),
                "data-then": f"{_address(building, month)}&undone={{utility_bill_id}}",
            },
        )
        rows.append(
            html.Tr(
                [
                    html.Td(fmt.moment(entry.made_at, request.zone, request.language), className="whole"),
                    html.Td(entry.made_by, className="whole"),
                    html.Td(request.t(f"bill.origin.{entry.origin.value}"), className="whole"),
                    html.Td(str(len(entry.figures)), className="number"),
                    html.Td([html.Span(request.t(f"bill.entry_state.{state}"), className="tag")]),
                    html.Td([undo] if may else []),
                ]
            )
        )
    heads = ("at", "by", "origin", "figures", "state", "undo")
    table = html.Table(
        [
            html.Thead(html.Tr([html.Th(request.t(f"bill.entry.{h}"), scope="col") for h in heads])),
            html.Tbody(rows),
        ],
        className="grid",
    )
    return html.Div(
        [html.H2(request.t("bill.entries")), html.Div(still(table), className="scroll")], className="panel"
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
        className="grid bill-check-grid",
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
            html.Td(name_of(d.figure, bill, request), className="whole"),
            html.Td("–" if d.ours is None else number(d.ours), className="number"),
            html.Td(number(d.theirs), className="number"),
            html.Td("–" if d.amount is None else number(d.amount), className="number"),
            html.Td([html.Span(cause, className=tag), html.Span(facts, className="source")]),
        ]
    )
