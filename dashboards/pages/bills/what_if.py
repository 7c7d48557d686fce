"""What photovoltaics or a battery would have saved: sizes asked for, months before and after, assumptions."""

from collections.abc import Mapping
from decimal import Decimal

from dash import dcc, html
from dash.development.base_component import Component

from dashboards.components.kpi import pair
from dashboards.components.states import empty
from dashboards.components.still import still
from dashboards.request import PageRequest
from energy_center.services.bill_words import money
from energy_center.services.utility_bill import read_number
from energy_center.services.what_if import Setup, WhatIf, read_what_if
from energy_center.tariffs.what_if import Battery

_FIELDS: Mapping[str, str] = {  # name -> what stands there at first
    "pv_kwp": "",
    "battery_kwh": "",
    "battery_kw": "",
    "efficiency": "0.88",
    "shave_to_kw": "",
    "pv_cost": "",
    "battery_cost": "",
}
_MONTHS = 12
_MOST = Decimal(10) ** 9


async def draw_what_if(request: PageRequest, building: str, month: str) -> Component:
    """The form, and below it the answer once a size is given."""
    sizes, unreadable = sizes_of(request.query)
    parts = [form(request, building, month, unreadable)]
    if unreadable:
        return html.Div(parts, className="stack")
    setup = setup_of(sizes)
    if setup.pv_kwp or setup.battery is not None:
        found = await read_what_if(request.database, building, month, _MONTHS, setup, request.now)
        parts += [answer(found, request), months(found, request), assumptions(found, request)]
    else:
        parts.append(html.Div(empty(request.t("bill.what_if.none"), ""), className="panel"))
    return html.Div(parts, className="stack")


def sizes_of(query: Mapping[str, str]) -> tuple[dict[str, Decimal], set[str]]:
    """Numbers of the address, and the names of those that are none."""
    found: dict[str, Decimal] = {}
    unreadable: set[str] = set()
    for name in _FIELDS:
        words = query.get(name, "")
        if not words.strip():
            continue
        number = read_number(words)
        is_share = name == "efficiency"
        if number is None or not 0 <= number <= _MOST or (is_share and not 0 < number <= 1):
            unreadable.add(name)
        else:
            found[name] = number
    return found, unreadable


def setup_of(sizes: Mapping[str, Decimal]) -> Setup:
    """What is asked for; a battery needs energy and power."""
    battery = None
    if sizes.get("battery_kwh") and sizes.get("battery_kw"):
        shave_to = sizes.get("shave_to_kw")
        battery = Battery(
            float(sizes["battery_kwh"]),
            float(sizes["battery_kw"]),
            float(sizes.get("efficiency", Decimal(_FIELDS["efficiency"]))),
            None if shave_to is None else float(shave_to),
        )
    pv_kwp = float(sizes.get("pv_kwp", 0))
    return Setup(pv_kwp, battery, sizes.get("pv_cost"), sizes.get("battery_cost"))


def form(request: PageRequest, building: str, month: str, unreadable: set[str]) -> Component:
    """The address holds what is asked, so that an answer can be sent on."""
    hidden = {"building": building, "month": month, "view": "what_if"}
    fields = [
        html.Label(
            [
                html.Span(request.t(f"bill.what_if.fields.{name}")),
                dcc.Input(
                    type="text",
                    name=name,
                    value=request.query.get(name, first),
                    inputMode="decimal",
                    autoComplete="off",
                    className="wrong" if name in unreadable else None,
                ),
            ],
            className="field",
        )
        for name, first in _FIELDS.items()
    ]
    wrong = (
        [html.P(request.t("bill.what_if.unreadable"), role="alert", className="error")] if unreadable else []
    )
    inside = [
        *(dcc.Input(type="hidden", name=name, value=words) for name, words in hidden.items()),
        html.Div(fields, className="bill-fields"),
        html.Button(request.t("bill.what_if.button"), type="submit", className="button primary"),
    ]
    return html.Div(
        [
            html.H2(request.t("bill.what_if.title")),
            html.P(request.t("bill.what_if.hint"), className="hint"),
            still(html.Form(inside, method="get", action="/bills")),
            *wrong,
        ],
        className="panel",
    )


def answer(found: WhatIf, request: PageRequest) -> Component:
    """The saving a year, the pay-back, and the energies."""

    def word(name: str) -> str:
        return request.t(f"bill.what_if.{name}")

    payback = "–" if found.payback_years is None else f"{found.payback_years}"
    energies = [
        pair(word(name), f"{amount:,.0f} kWh")
        for name, amount in (
            ("generated", found.generated_kwh),
            ("used", found.used_kwh),
            ("left_over", found.left_over_kwh),
            ("charged", found.charged_kwh),
            ("discharged", found.discharged_kwh),
        )
        if amount
    ]
    facts = [
        pair(word("saving_per_year"), money(found.saving_per_year, found.currency)),
        pair(f"{word('saving')} ({found.days} d)", money(found.saving, found.currency)),
        pair(word("cost"), money(found.cost or None, found.currency)),
        pair(word("payback"), payback),
        *energies,
        *([pair(word("cycles"), f"{found.cycles:,.0f}")] if found.cycles else []),
        pair(word("coverage"), f"{min(month.coverage for month in found.months):.1%}"),
    ]
    return html.Div(html.Div(facts, className="bill-facts"), className="panel", id="what-if-answer")


def months(found: WhatIf, request: PageRequest) -> Component:
    """Every month before and after; those that do not count are marked."""
    rows = [
        html.Tr(
            [
                html.Td(
                    [
                        f"{month.first:%Y-%m} ",
                        *(
                            []
                            if month.counts
                            else [html.Span(request.t("bill.what_if.left_out"), className="tag off")]
                        ),
                    ]
                ),
                *(html.Td(money(amount, found.currency)) for amount in month.amounts),
                html.Td(f"{month.coverage:.1%}"),
            ]
        )
        for month in found.months
    ]
    heads = [*(f"bill.what_if.{head}" for head in ("month", "before", "after", "saving")), "bill.coverage"]
    table = html.Table(
        [html.Thead(html.Tr([html.Th(request.t(h), scope="col") for h in heads])), html.Tbody(rows)],
        className="grid numbers",
    )
    return html.Div(html.Div(still(table), className="scroll"), className="panel flush")


def assumptions(found: WhatIf, request: PageRequest) -> Component:
    """What the answer rests on."""
    words = [html.Li(request.t(f"bill.what_if.assumption.{name}")) for name in found.assumptions]
    return html.Div([html.H2(request.t("bill.what_if.assumptions")), html.Ul(words)], className="panel")
