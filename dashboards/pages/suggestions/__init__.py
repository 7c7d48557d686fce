"""Suggested savings, most money first: what each brings a year, and what a building's bring together."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import fmt
from dashboards.components import states
from dashboards.components.kpi import pair
from dashboards.components.saving import amounts, name_of, ntd, place_of, tags
from dashboards.components.still import still
from dashboards.request import PageRequest
from energy_center.domain.site import Text
from energy_center.domain.suggestions import SuggestionRun, SuggestionState
from energy_center.errors import NotFound
from energy_center.services.current_site import current_site
from energy_center.services.suggestions import (
    Kind,
    SuggestionList,
    SuggestionRow,
    list_suggestions,
    measure_name,
)

SHOWN = (SuggestionState.PROPOSED, SuggestionState.ACCEPTED, SuggestionState.DECLINED)


@dataclass(frozen=True, slots=True)
class _Asked:
    building: str
    kind: str
    state: SuggestionState

    def href(self, **changes: str) -> str:
        """This page with something else chosen."""
        chosen = {"building": self.building, "kind": self.kind, "state": self.state.value} | changes
        kept = {name: word for name, word in chosen.items() if word}
        return f"/suggestions?{urlencode(kept)}"


async def draw(request: PageRequest) -> Component:
    """Heading with filters, the totals, and the ranked list."""
    asked = _asked(request)
    try:
        buildings = (await current_site(request.database)).buildings
        found = await list_suggestions(request.database, (asked.state,), asked.building or None)
    except NotFound as problem:
        return html.Div([html.H1(request.t("suggestion.title")), states.empty(problem.message)])
    rows = [r for r in found.rows if not asked.kind or (r.measure and r.measure.kind.value == asked.kind)]
    names = [("", request.t("suggestion.all"))]
    names += [(b.space_id, b.name.in_language(request.language)) for b in buildings]
    kinds = [("", request.t("suggestion.all"))]
    kinds += [(kind.value, request.t(f"suggestion.kind.{kind.value}")) for kind in Kind]
    shown = [(state.value, request.t(f"suggestion.state.{state.value}")) for state in SHOWN]
    return html.Div(
        [
            html.Div(
                [
                    html.H1(request.t("suggestion.title")),
                    _segments(names, "building", asked.building, asked, request),
                    _segments(shown, "state", asked.state.value, asked, request),
                    _segments(kinds, "kind", asked.kind, asked, request),
                ],
                className="page-head",
            ),
            html.Div([together(name, run, request) for name, run in found.runs], className="saving-totals"),
            _list(rows, found, request),
            _not_known(found, request),
        ],
        className="saving-page",
    )


def _asked(request: PageRequest) -> _Asked:
    """What the address says; what it says wrongly is left out."""
    state, kind = request.query.get("state", ""), request.query.get("kind", "")
    return _Asked(
        request.query.get("building", ""),
        kind if kind in {k.value for k in Kind} else "",
        SuggestionState(state) if state in {s.value for s in SHOWN} else SuggestionState.PROPOSED,
    )


def _segments(
    choices: Sequence[tuple[str, str]], what: str, chosen: str, asked: _Asked, request: PageRequest
) -> Component:
    return html.Nav(
        [
            dcc.Link(
                words, href=asked.href(**{what: key}), className="segment" + (" on" if key == chosen else "")
            )
            for key, words in choices
        ],
        className="segments",
        **{"aria-label": request.t(f"suggestion.by_{what}")},
    )


def together(name: Text, run: SuggestionRun, request: PageRequest) -> Component:
    """All that was found in a building at once, each equipment-hour counted once."""
    t, held = request.t, run.together
    energy, used = held.get("energy_kwh") or 0.0, held.get("used_kwh") or 0.0
    if used:
        money, singles = ntd(held.get("money_ntd"), request), ntd(held.get("sum_ntd"), request)
        saved = f"{energy:,.0f} kWh ({energy / used:.1%})"
        carbon = f"{held.get('carbon_kg') or 0.0:,.0f} kgCO₂e"
    else:  # nothing was measured: that nothing can be saved is not known
        money = singles = saved = carbon = t("suggestion.no_data")
    rows = [
        pair(t("suggestion.money"), html.Span(money, className="strong")),
        pair(t("suggestion.energy"), saved),
        pair(t("suggestion.carbon"), carbon),
        pair(t("suggestion.singles"), singles),
    ]
    at = fmt.moment(run.computed_at, request.zone, request.language)
    return html.Section(
        [
            html.H2(t("suggestion.together", building=name.in_language(request.language))),
            html.Div(rows, className="stack facts"),
            html.Div(
                t("suggestion.computed", at=at, coverage=f"{run.coverage:.1%}"), className="small-print"
            ),
        ],
        className="panel",
    )


def _list(rows: Sequence[SuggestionRow], found: SuggestionList, request: PageRequest) -> Component:
    if not rows:
        hint = "suggestion.none_hint" if found.runs else "suggestion.not_yet"
        return html.Div(states.empty(request.t("suggestion.none"), request.t(hint)), className="panel")
    return html.Div(still(html.Ol([_card(row, request) for row in rows], className="savings")))


def _card(row: SuggestionRow, request: PageRequest) -> Component:
    return html.Li(
        [
            html.Div(
                [
                    dcc.Link(
                        name_of(row, request),
                        href=f"/suggestions/{row.suggestion.suggestion_id}",
                        className="saving-name",
                    ),
                    html.Div(place_of(row, request), className="faint"),
                    html.Div(amounts(row, request), className="saving-amounts"),
                ]
            ),
            html.Div(
                [
                    html.Div(ntd(row.suggestion.money_ntd, request), className="saving-money"),
                    html.Div(request.t("suggestion.a_year"), className="faint"),
                ],
                className="saving-right",
            ),
            html.Div(tags(row, request), className="saving-tags"),
        ],
        className="panel saving",
    )


def _not_known(found: SuggestionList, request: PageRequest) -> Component:
    """Measures that have no answer here, with the reason: silence is not "nothing to save"."""
    lines = [
        html.Li(
            f"{name.in_language(request.language)} · "
            f"{measure_name(measure_id).in_language(request.language)}: {'; '.join(why)}"
        )
        for name, run in found.runs
        for measure_id, why in run.not_known.items()
    ]
    return html.Details(
        [html.Summary(request.t("suggestion.not_known", n=len(lines))), html.Ul(lines)],
        className="panel",
        hidden=not lines,
    )
