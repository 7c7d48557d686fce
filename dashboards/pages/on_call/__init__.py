"""Who is on call now and in the coming week, with the gaps; stand-ins; and for planners the whole set-up."""

from datetime import timedelta

from dash import html
from dash.development.base_component import Component

from dashboards import fmt
from dashboards.components import states
from dashboards.components.notice_tabs import notice_head, one_button
from dashboards.components.still import still
from dashboards.pages.on_call.forms import cover_form, level_form, members_form, shift_form, team_form
from dashboards.request import PageRequest
from energy_center.domain.alarms import Priority
from energy_center.domain.notices import Step, Target
from energy_center.domain.people import Permission
from energy_center.domain.roster import Cover, Shift, Stretch
from energy_center.services.on_call import Reachable, Roster, TeamOnCall, read_roster
from energy_center.services.user_names import list_names


async def draw(request: PageRequest) -> Component:
    """Teams first; what only a planner may change is folded away."""
    roster = await read_roster(request.database, request.now, None, request.now)
    names = await list_names(request.database)
    plans = request.user.may(Permission.MANAGE_ON_CALL)
    cards = [_team(team, names, request, plans=plans) for team in roster.teams] or [
        html.Div(states.empty(request.t("on_call.none"), request.t("on_call.none_hint")), className="panel")
    ]
    side = [_levels(roster, request, plans=plans), _people(roster.people, request)]
    if plans:
        side.append(team_form(request))
    return html.Div(
        [
            notice_head(request, "/on-call"),
            still(
                html.Div(
                    [html.Div(cards, className="notice-list"), html.Div(side, className="notice-list")],
                    className="notice-page",
                )
            ),
        ]
    )


def _team(found: TeamOnCall, names: list[str], request: PageRequest, *, plans: bool) -> Component:
    t, team = request.t, found.team
    who = ", ".join(found.now)
    gaps = [s for s in found.stretches if not s.people]
    head = html.Div(
        [
            html.H2(team.name),
            html.Span(who or t("on_call.gap"), className="tag good" if who else "tag alarm"),
        ],
        className="block-head",
    )
    blocks: list[Component] = [head]
    if gaps:
        hours = sum((g.end - g.start) / timedelta(hours=1) for g in gaps)
        blocks.append(html.P(t("on_call.gaps", n=len(gaps), hours=f"{hours:.0f}"), className="mistakes"))
    blocks.append(html.Ol([_stretch(s, request) for s in found.stretches], className="timeline roster"))
    blocks += [_cover(cover, request, plans=plans) for cover in found.covers]
    blocks.append(cover_form(found, names if plans else [request.user.name], request))
    if plans:
        blocks += [
            html.Details(
                [html.Summary(t("on_call.plan")), *_plan(found, names, request)],
                id=f"on-call-plan-{team.team_id}",
            )
        ]
    return html.Section(blocks, className="panel spaced")


def _plan(found: TeamOnCall, names: list[str], request: PageRequest) -> list[Component]:
    team = found.team
    remove = one_button(
        request, request.t("on_call.remove_team"), f"/api/v1/on-call/teams/{team.team_id}", method="DELETE"
    )
    return [
        html.H3(request.t("on_call.shifts")),
        *[_shift(shift, request) for shift in found.shifts],
        shift_form(team, names, request),
        html.H3(request.t("on_call.members")),
        members_form(team, names, request),
        remove,
    ]


def _stretch(stretch: Stretch, request: PageRequest) -> Component:
    start = fmt.moment(stretch.start, request.zone, request.language)
    end = fmt.moment(stretch.end, request.zone, request.language)
    people = ", ".join(stretch.people)
    word = html.Span(people or request.t("on_call.gap"), className="strong" if people else "tag alarm")
    return html.Li([html.Time(f"{start} – {end}"), word])


def _shift(shift: Shift, request: PageRequest) -> Component:
    known = {
        "FREQ=DAILY": "daily",
        "FREQ=WEEKLY": "weekly",
        "FREQ=WEEKLY;INTERVAL=2": "fortnightly",
        "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR": "weekdays",
        "FREQ=WEEKLY;BYDAY=SA,SU": "weekends",
        None: "once",
    }
    again = request.t(f"on_call.repeat.{known[shift.repeats]}") if shift.repeats in known else shift.repeats
    when = f"{shift.starts:%Y-%m-%d %H:%M} – {shift.ends:%m-%d %H:%M}"
    words = html.Div(
        [html.Span(shift.user, className="strong"), html.Span(when), html.Span(again, className="faint")]
    )
    remove = one_button(
        request, request.t("on_call.remove"), f"/api/v1/on-call/shifts/{shift.shift_id}", method="DELETE"
    )
    return html.Div([words, remove], className="roster-row")


def _cover(cover: Cover, request: PageRequest, *, plans: bool) -> Component:
    t = request.t
    start = fmt.moment(cover.start_at, request.zone, request.language)
    end = fmt.moment(cover.end_at, request.zone, request.language)
    whom = cover.instead_of or t("on_call.anybody")
    words = html.Div(
        [html.Span(t("on_call.covers", who=cover.user, whom=whom)), html.Time(f"{start} – {end}")]
    )
    may = plans or cover.user == request.user.name
    api = f"/api/v1/on-call/covers/{cover.cover_id}"
    remove = [one_button(request, t("on_call.take_back"), api, method="DELETE")] if may else []
    return html.Div([words, *remove], className="roster-row")


def _levels(roster: Roster, request: PageRequest, *, plans: bool) -> Component:
    t = request.t
    names = {found.team.team_id: found.team.name for found in roster.teams}
    hint = html.P(t("on_call.levels_hint"), className="faint")
    blocks: list[Component] = [html.H2(t("on_call.levels")), hint]
    for priority in Priority:
        steps = [s for s in roster.steps if s.priority is priority]
        blocks.append(html.H3(t(f"priority.{priority.value}")))
        blocks.append(
            html.Ol([html.Li(_step(s, names, request)) for s in steps])
            if steps
            else html.P(t("on_call.no_levels"), className="faint")
        )
        if plans and roster.teams:
            blocks.append(level_form(priority, steps, roster, request))
    return html.Section(blocks, className="panel spaced")


def _step(step: Step, names: dict[int, str], request: PageRequest) -> str:
    t, minutes = request.t, round(step.after / timedelta(minutes=1))
    whom = t("on_call.target.on_call" if step.target is Target.ON_CALL else "on_call.target.team")
    when = t("on_call.at_once") if minutes == 0 else t("on_call.after", n=minutes)
    return f"{when}: {names.get(step.team_id, '')} · {whom}"


def _people(people: tuple[Reachable, ...], request: PageRequest) -> Component:
    t = request.t
    rows = []
    for person in people:
        words = t("on_call.contacts", n=person.contacts) if person.contacts else t("on_call.unreachable")
        if person.quiet_until is not None:
            words = t("on_call.quiet_until", at=fmt.clock(person.quiet_until, request.zone))
        mark = "" if person.contacts else "mistakes"
        parts = [html.Span(person.user, className="strong"), html.Span(words, className=mark)]
        rows.append(html.Div(parts, className="pair"))
    return html.Section([html.H2(t("on_call.people")), *rows], className="panel spaced", hidden=not people)
