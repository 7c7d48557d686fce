"""What people fill in to compare two parameter sets of a rule, and to adopt one."""

from dash import dcc, html
from dash.development.base_component import Component

from dashboards.components.notice_tabs import field
from dashboards.request import PageRequest
from energy_center.services.tune_rules import ParameterNow, RuleTuning

_DAYS = (1, 7, 30, 90, 365)
_USUAL_DAYS = 7


def compare_form(found: RuleTuning, request: PageRequest) -> Component:
    """The first set is what is in force; the second what is filled in."""
    t = request.t
    days = [html.Option(t("tuning.days", n=n), value=str(n), selected=n == _USUAL_DAYS) for n in _DAYS]
    parts = [
        field("half", t("tuning.period"), html.Select(days, name="days")),
        field("half", t("tuning.where"), _places(found, request)),
        *_numbers(found.parameters, "second"),
    ]
    api = f"/api/v1/rules/{found.rule_id}/comparisons"
    return _panel(request, "compare", parts, api, "second")


def adopt_form(found: RuleTuning, request: PageRequest) -> Component:
    """Only what is filled in is adopted."""
    t = request.t
    parts = [
        field("half", t("tuning.where"), _places(found, request)),
        field("half", t("tuning.reason"), dcc.Input(name="reason", required=True, maxLength=500)),
        *_numbers(found.parameters, "parameters"),
    ]
    api = f"/api/v1/rules/{found.rule_id}/adoptions"
    return _panel(request, "adopt", parts, api, "parameters")


def _places(found: RuleTuning, request: PageRequest) -> Component:
    options = [html.Option(request.t("tuning.whole_site"), value="")]
    options += [html.Option(place, value=place) for place in found.equipment]
    return html.Select(options, name="equipment_id")


def _numbers(parameters: tuple[ParameterNow, ...], group: str) -> list[Component]:
    return [
        field(
            "half",
            f"{p.name} ({p.unit})",
            dcc.Input(
                name=f"{group}.{p.name}",
                type="number",
                step="any",
                placeholder="" if p.in_force is None else f"{p.in_force:g}",
            ),
        )
        for p in parameters
    ]


def _panel(request: PageRequest, deed: str, parts: list[Component], api: str, group: str) -> Component:
    title, hint = f"tuning.{deed}", f"tuning.{deed}_hint"
    button = html.Button(request.t(title), type="submit", className="button primary")
    form = html.Form(
        [*parts, button],
        className="fields",
        **{"data-api": api, "data-group": group, "data-done": request.t("on_call.saved"), "data-redraw": "1"},
    )
    return html.Section(
        [html.H2(request.t(title)), html.P(request.t(hint), className="small-print"), form],
        className="panel spaced",
    )
