"""What planners of the roster fill in: teams, shifts, levels; and the stand-in that everybody may offer."""

import json
from collections.abc import Sequence
from datetime import timedelta

from dash import dcc, html
from dash.development.base_component import Component

from dashboards.components.notice_tabs import field, one_button
from dashboards.request import PageRequest
from energy_center.domain.alarms import Priority
from energy_center.domain.notices import Step, Target
from energy_center.services.on_call import MOST_LEVELS, Roster, Team, TeamOnCall

_REPEATS = (
    ("", "once"),
    ("FREQ=DAILY", "daily"),
    ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "weekdays"),
    ("FREQ=WEEKLY;BYDAY=SA,SU", "weekends"),
    ("FREQ=WEEKLY", "weekly"),
    ("FREQ=WEEKLY;INTERVAL=2", "fortnightly"),
)
_COVER_HOURS = (2, 4, 8, 12, 24, 72)


def _form(
    request: PageRequest,
    parts: Sequence[Component],
    words: str,
    api: str,
    body: dict[str, object],
    method: str = "POST",
    append: str = "",
) -> Component:
    """`append`: what is filled in is one more entry of that list of the body."""
    button = html.Button(words, type="submit", className="button primary")
    return html.Form(
        [*parts, button],
        className="fields",
        **{
            "data-api": api,
            "data-method": method,
            "data-body": json.dumps(body),
            "data-done": request.t("on_call.saved"),
            "data-redraw": "1",
            **({"data-append": append} if append else {}),
        },
    )


def _choice(name: str, options: Sequence[tuple[str, str]]) -> Component:
    return html.Select([html.Option(words, value=value) for value, words in options], name=name)


def cover_form(found: TeamOnCall, names: list[str], request: PageRequest) -> Component:
    """Takes over from now on, for some hours."""
    t = request.t
    hours = html.Select(
        [html.Option(t("on_call.hours", n=h), value=str(h * 60)) for h in _COVER_HOURS],
        name="end_at",
        **{"data-minutes": "1"},
    )
    parts = [
        field("half", t("on_call.who"), _choice("user", [(n, n) for n in names])),
        field("half", t("on_call.how_long"), hours),
    ]
    form = _form(
        request, parts, t("on_call.take_over"), "/api/v1/on-call/covers", {"team_id": found.team.team_id}
    )
    return html.Details(
        [html.Summary(t("on_call.take_over_now")), form], id=f"on-call-cover-{found.team.team_id}"
    )


def shift_form(team: Team, names: list[str], request: PageRequest) -> Component:
    """A turn by the site's wall clock, with how it repeats."""
    t = request.t
    people = list(team.members) or names
    parts = [
        field("half", t("on_call.who"), _choice("user", [(n, n) for n in people])),
        field(
            "half",
            t("on_call.repeats"),
            _choice("repeats", [(rule, t(f"on_call.repeat.{word}")) for rule, word in _REPEATS]),
        ),
        field("half", t("on_call.starts"), dcc.Input(name="starts", type="datetime-local", required=True)),
        field("half", t("on_call.ends"), dcc.Input(name="ends", type="datetime-local", required=True)),
    ]
    return _form(request, parts, t("on_call.add_shift"), "/api/v1/on-call/shifts", {"team_id": team.team_id})


def members_form(team: Team, names: list[str], request: PageRequest) -> Component:
    """Several of a list, which phones show as boxes to tick."""
    options = [html.Option(name, value=name, selected=name in team.members) for name in names]
    chosen = html.Select(options, name="members", multiple=True, size=min(6, max(2, len(names))))
    api = f"/api/v1/on-call/teams/{team.team_id}/members"
    parts = [field("wide", request.t("on_call.members_hint"), chosen)]
    return _form(request, parts, request.t("on_call.save_members"), api, {}, "PUT")


def team_form(request: PageRequest) -> Component:
    """A new team's name."""
    t = request.t
    parts = [field("wide", t("on_call.team_name"), dcc.Input(name="name", required=True, maxLength=60))]
    form = _form(request, parts, t("on_call.add_team"), "/api/v1/on-call/teams", {})
    return html.Section([html.H2(t("on_call.add_team")), form], className="panel spaced")


def level_form(priority: Priority, steps: list[Step], roster: Roster, request: PageRequest) -> Component:
    """One level more after the last, or none at all."""
    t = request.t
    api = f"/api/v1/on-call/escalation/{priority.value}"
    last = round(steps[-1].after / timedelta(minutes=1)) if steps else 0
    minutes = [m for m in (0, 5, 10, 15, 30, 60, 120) if m >= last]
    held = [
        {"after_min": round(s.after / timedelta(minutes=1)), "target": s.target.value, "team_id": s.team_id}
        for s in steps
    ]
    parts = [
        field(
            "half", t("on_call.when"), _choice("after_min", [(str(m), _after(m, request)) for m in minutes])
        ),
        field(
            "half",
            t("on_call.whom"),
            _choice("target", [(x.value, t(f"on_call.target.{x.value}")) for x in Target]),
        ),
        field(
            "wide",
            t("on_call.team"),
            _choice("team_id", [(str(f.team.team_id), f.team.name) for f in roster.teams]),
        ),
    ]
    add = _form(request, parts, t("on_call.add_level"), api, {"levels": held}, "PUT", append="levels")
    clear = one_button(request, t("on_call.clear"), api, method="PUT", body='{"levels": []}')
    return html.Details(
        [
            html.Summary(t("on_call.change")),
            *([add] if len(steps) < MOST_LEVELS else []),
            *([clear] if steps else []),
        ],
        id=f"on-call-levels-{priority.value}",
    )


def _after(minutes: int, request: PageRequest) -> str:
    return request.t("on_call.at_once") if minutes == 0 else request.t("on_call.after", n=minutes)
