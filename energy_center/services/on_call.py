"""Teams, the roster and the levels of escalation: read by all who act on alarms, each change audited."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from energy_center.domain.alarms import Priority
from energy_center.domain.notices import Contact, Step, Target, quiet_until
from energy_center.domain.people import Actor, Permission, User
from energy_center.domain.roster import Cover, Shift, Stretch, checked_shift, on_call, stretches
from energy_center.domain.timeline import Interval
from energy_center.errors import Conflict, Invalid, NotAllowed, NotFound
from energy_center.store import audit
from energy_center.store import contacts as store
from energy_center.store.contacts import Team
from energy_center.store.pool import Connection, Database
from energy_center.store.site import load_site

__all__ = [
    "Level",
    "Reachable",
    "Roster",
    "Team",
    "TeamOnCall",
    "add_cover",
    "add_shift",
    "add_team",
    "read_roster",
    "remove_cover",
    "remove_shift",
    "remove_team",
    "set_levels",
    "set_members",
]

MOST_TEAMS, MOST_SHIFTS, MOST_LEVELS = 50, 500, 5
LONGEST_COVER = timedelta(days=31)
AHEAD = timedelta(days=7)
FARTHEST = timedelta(days=731)


@dataclass(frozen=True, slots=True)
class Reachable:
    """Whether a person can be told, and until when quiet hours hold back what is not critical."""

    user: str
    contacts: int
    quiet_until: datetime | None


@dataclass(frozen=True, slots=True)
class TeamOnCall:
    """A team, who is on call now, and the coming time with its gaps."""

    team: Team
    now: tuple[str, ...]
    stretches: tuple[Stretch, ...]
    shifts: tuple[Shift, ...]
    covers: tuple[Cover, ...]


@dataclass(frozen=True, slots=True)
class Roster:
    """Everything about who is told."""

    zone: str
    teams: tuple[TeamOnCall, ...]
    steps: tuple[Step, ...]
    people: tuple[Reachable, ...]


@dataclass(frozen=True, slots=True)
class Level:
    """A level as it is set: whom to tell how long after the first message."""

    after_min: int
    target: Target
    team_id: int


async def read_roster(db: Database, start: datetime, end: datetime | None, now: datetime) -> Roster:
    """The roster of a period, a week when it has no end.

    Raises Invalid when it is empty, longer than 62 days, or more than two years away.
    """
    if abs(start - now) > FARTHEST:
        raise Invalid("The roster is shown two years ahead and back", start=start)
    end = end or start + AHEAD
    if end <= start:
        raise Invalid("The period ends before it starts")
    during, zone = Interval(start, end), await _zone(db)
    async with db.connection() as conn:
        teams = await store.list_teams(conn)
        shifts = await store.list_shifts(conn)
        covers = await store.list_covers(conn, min(start, now))
        steps = await store.list_steps(conn)
        contacts = await store.list_contacts(conn)
    return Roster(
        zone.key,
        tuple(_team(team, shifts, covers, during, now) for team in teams),
        tuple(steps),
        tuple(_people(teams, shifts, contacts, zone, now)),
    )


def _team(
    team: Team, shifts: Sequence[Shift], covers: Sequence[Cover], during: Interval, now: datetime
) -> TeamOnCall:
    return TeamOnCall(
        team,
        on_call(shifts, covers, team.team_id, now),
        tuple(stretches(shifts, covers, team.team_id, during)),
        tuple(s for s in shifts if s.team_id == team.team_id),
        tuple(c for c in covers if c.team_id == team.team_id and c.end_at > now),
    )


def _people(
    teams: Sequence[Team], shifts: Sequence[Shift], contacts: Sequence[Contact], zone: ZoneInfo, now: datetime
) -> list[Reachable]:
    names = {m for team in teams for m in team.members} | {s.user for s in shifts}
    found = []
    for name in sorted(names):
        own = [c for c in contacts if c.user == name]
        quiet = [until for c in own if (until := quiet_until(c, now, zone)) is not None]
        found.append(Reachable(name, len(own), max(quiet) if own and len(quiet) == len(own) else None))
    return found


async def add_team(db: Database, name: str, members: Sequence[str], actor: Actor, now: datetime) -> Team:
    """Raises Conflict when the name is taken, NotFound for a person who is not there."""
    async with db.transaction() as conn:
        await _check_people(conn, members)
        if len(await store.list_teams(conn)) >= MOST_TEAMS:
            raise Conflict(f"There are at most {MOST_TEAMS} teams")
        team_id = await store.insert_team(conn, name, now)
        if team_id is None:
            raise Conflict(f"There is already a team {name}")
        await store.set_members(conn, team_id, members)
        made = await _find_team(conn, team_id)
        await audit.append(conn, actor, "team.added", f"team/{team_id}", None, _team_state(made), now)
    return made


async def set_members(
    db: Database, team_id: int, members: Sequence[str], actor: Actor, now: datetime
) -> Team:
    """Raises NotFound for a team or a person that is not there."""
    async with db.transaction() as conn:
        before = await _find_team(conn, team_id)
        await _check_people(conn, members)
        await store.set_members(conn, team_id, members)
        after = await _find_team(conn, team_id)
        was, became = _team_state(before), _team_state(after)
        await audit.append(conn, actor, "team.members", f"team/{team_id}", was, became, now)
    return after


async def remove_team(db: Database, team_id: int, actor: Actor, now: datetime) -> None:
    """With its shifts. Raises NotFound, and Conflict while a level of escalation names it."""
    async with db.transaction() as conn:
        before = await _find_team(conn, team_id)
        if any(step.team_id == team_id for step in await store.list_steps(conn)):
            raise Conflict("A level of escalation names the team; change that first")
        await store.delete_team(conn, team_id)
        await audit.append(conn, actor, "team.removed", f"team/{team_id}", _team_state(before), None, now)


async def add_shift(db: Database, shift: Shift, actor: Actor, now: datetime) -> Shift:
    """The zone is the site's. Raises Invalid for times or a rule that make no sense, NotFound, Conflict."""
    made = checked_shift(replace(shift, zone=(await _zone(db)).key))
    async with db.transaction() as conn:
        await _find_team(conn, shift.team_id)
        await _check_people(conn, [shift.user])
        if len(await store.list_shifts(conn)) >= MOST_SHIFTS:
            raise Conflict(f"There are at most {MOST_SHIFTS} shifts")
        made = replace(made, shift_id=await store.insert_shift(conn, made))
        await audit.append(
            conn, actor, "shift.added", f"shift/{made.shift_id}", None, _shift_state(made), now
        )
    return made


async def remove_shift(db: Database, shift_id: int, actor: Actor, now: datetime) -> None:
    """With all its turns. Raises NotFound."""
    async with db.transaction() as conn:
        before = next((s for s in await store.list_shifts(conn) if s.shift_id == shift_id), None)
        if before is None:
            raise NotFound("There is no such shift", shift_id=shift_id)
        await store.delete_shift(conn, shift_id)
        await audit.append(conn, actor, "shift.removed", f"shift/{shift_id}", _shift_state(before), None, now)


async def add_cover(db: Database, cover: Cover, asked_by: User, actor: Actor, now: datetime) -> Cover:
    """Somebody stands in. Who does not plan the roster may offer themselves only.

    Raises NotAllowed, NotFound, and Invalid for a time that is over or longer than a month.
    """
    if cover.user != asked_by.name and not asked_by.may(Permission.MANAGE_ON_CALL):
        raise NotAllowed("You may take over a shift yourself; others are sent by who plans the roster")
    if (
        abs(cover.start_at - now) > FARTHEST
        or not now < cover.end_at
        or not cover.start_at < cover.end_at <= cover.start_at + LONGEST_COVER
    ):
        raise Invalid("Standing in ends after it starts, in the future, and after a month at the latest")
    async with db.transaction() as conn:
        await _find_team(conn, cover.team_id)
        await _check_people(conn, [cover.user, *([cover.instead_of] if cover.instead_of else [])])
        made = replace(cover, cover_id=await store.insert_cover(conn, cover))
        subject = f"cover/{made.cover_id}"
        await audit.append(conn, actor, "cover.added", subject, None, _cover_state(made), now)
    return made


async def remove_cover(db: Database, cover_id: int, asked_by: User, actor: Actor, now: datetime) -> None:
    """The roster holds again. Raises NotFound, and NotAllowed for another person's."""
    async with db.transaction() as conn:
        before = next((c for c in await store.list_covers(conn, now) if c.cover_id == cover_id), None)
        if before is None:
            raise NotFound("There is no such stand-in", cover_id=cover_id)
        if before.user != asked_by.name and not asked_by.may(Permission.MANAGE_ON_CALL):
            raise NotAllowed("Only who plans the roster may take back what another person offered")
        await store.delete_cover(conn, cover_id)
        await audit.append(conn, actor, "cover.removed", f"cover/{cover_id}", _cover_state(before), None, now)


async def set_levels(
    db: Database, priority: Priority, levels: Sequence[Level], actor: Actor, now: datetime
) -> list[Step]:
    """Replace the levels of one priority; none: nobody is told. Raises Invalid when times fall."""
    if len(levels) > MOST_LEVELS:
        raise Invalid(f"There are at most {MOST_LEVELS} levels")
    if any(b.after_min < a.after_min for a, b in pairwise(levels)):
        raise Invalid("A later level is told no earlier than the one before")
    steps = [
        Step(priority, n, timedelta(minutes=level.after_min), level.target, level.team_id)
        for n, level in enumerate(levels, 1)
    ]
    async with db.transaction() as conn:
        for step in steps:
            await _find_team(conn, step.team_id)
        before = [s for s in await store.list_steps(conn) if s.priority is priority]
        await store.set_steps(conn, priority, steps)
        subject = f"escalation/{priority.value}"
        was, became = _steps_state(before), _steps_state(steps)
        await audit.append(conn, actor, "escalation.set", subject, was, became, now)
    return steps


async def _zone(db: Database) -> ZoneInfo:
    site = await load_site(db)
    if site is None:
        raise NotFound("No site has been applied yet")
    return ZoneInfo(site.time_zone)


async def _find_team(conn: Connection, team_id: int) -> Team:
    found = next((t for t in await store.list_teams(conn) if t.team_id == team_id), None)
    if found is None:
        raise NotFound("There is no such team", team_id=team_id)
    return found


async def _check_people(conn: Connection, names: Sequence[str]) -> None:
    missing = set(names) - await store.known_users(conn, names)
    if missing:
        raise NotFound(f"There is no user {', '.join(sorted(missing))}")


def _team_state(team: Team) -> dict[str, object]:
    return {"name": team.name, "members": list(team.members)}


def _shift_state(shift: Shift) -> dict[str, object]:
    return {"user": shift.user, "starts": shift.starts, "ends": shift.ends, "repeats": shift.repeats}


def _cover_state(cover: Cover) -> dict[str, object]:
    return {
        "user": cover.user,
        "instead_of": cover.instead_of,
        "start_at": cover.start_at,
        "end_at": cover.end_at,
    }


def _steps_state(steps: Sequence[Step]) -> dict[str, object]:
    return {str(s.level): [s.after / timedelta(minutes=1), s.target.value, s.team_id] for s in steps}
