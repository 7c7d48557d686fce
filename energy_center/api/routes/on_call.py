"""Teams, the roster on call, and the levels of escalation."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, NaiveDatetime

from energy_center.api.deps import AlarmOperator, Data, Doer, Now, RosterPlanner
from energy_center.api.fields import Line
from energy_center.domain.alarms import Priority
from energy_center.domain.notices import Step, Target
from energy_center.domain.roster import Cover, Shift
from energy_center.services import on_call
from energy_center.services.on_call import Level, Roster, Team

router = APIRouter(prefix="/on-call", tags=["notification"])

_Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
TeamNumber = Annotated[int, Field(ge=1, le=2**31 - 1)]
UserName = Annotated[Line, Field(min_length=1, max_length=64, examples=["lin"])]


def _absent(given: object) -> object:
    return None if given == "" else given


class TeamMembers(BaseModel):
    """Who is in a team."""

    members: list[UserName] = Field(default=[], max_length=100)


class NewTeam(TeamMembers):
    """A team to be made."""

    name: Line = Field(min_length=1, max_length=60, examples=["Duty engineers"])


class NewShift(BaseModel):
    """A turn on call by the site's wall clock, once or as RFC 5545 repeats it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "team_id": 1,
                    "user": "lin",
                    "starts": "2026-11-24T08:00",
                    "ends": "2026-11-24T20:00",
                    "repeats": "FREQ=WEEKLY;BYDAY=MO,TU",
                }
            ]
        }
    )

    team_id: TeamNumber
    user: UserName
    starts: NaiveDatetime
    ends: NaiveDatetime
    repeats: Annotated[Line | None, BeforeValidator(_absent)] = Field(default=None, max_length=200)


class NewCover(BaseModel):
    """Somebody stands in, for a named person or for whoever is on call."""

    team_id: TeamNumber
    user: UserName
    instead_of: Annotated[UserName | None, BeforeValidator(_absent)] = None
    start_at: AwareDatetime | None = Field(default=None, description="Now when left out.")
    end_at: AwareDatetime


class NewLevel(BaseModel):
    """Whom to tell, how many minutes after the alarm's first message."""

    after_min: int = Field(ge=0, le=7 * 24 * 60)
    target: Target
    team_id: TeamNumber


class Levels(BaseModel):
    """All levels of a priority, the first one first; none: nobody is told."""

    levels: list[NewLevel] = Field(max_length=on_call.MOST_LEVELS)


class Made(BaseModel):
    """The number of what was made."""

    number: int


@router.get("", summary="The roster", name="read_roster")
async def read_roster(
    _: AlarmOperator,
    data: Data,
    now: Now,
    start: Annotated[AwareDatetime | None, Query(description="From now when left out.")] = None,
    end: Annotated[AwareDatetime | None, Query(description="Seven days on when left out.")] = None,
) -> Roster:
    """Who is on call when, by team, with gaps as stretches without people; levels; who can be reached."""
    return await on_call.read_roster(data, start or now, end, now)


@router.post("/teams", status_code=201, summary="Make a team", name="add_team")
async def add_team(_: RosterPlanner, new: NewTeam, data: Data, doer: Doer, now: Now) -> Team:
    """409 when the name is taken."""
    return await on_call.add_team(data, new.name, new.members, doer, now)


@router.put("/teams/{team_id}/members", summary="Say who is in a team", name="set_members")
async def set_members(
    _: RosterPlanner, team_id: _Number, team: TeamMembers, data: Data, doer: Doer, now: Now
) -> Team:
    """Replaces them all."""
    return await on_call.set_members(data, team_id, team.members, doer, now)


@router.delete("/teams/{team_id}", status_code=204, summary="Remove a team", name="remove_team")
async def remove_team(_: RosterPlanner, team_id: _Number, data: Data, doer: Doer, now: Now) -> Response:
    """With its shifts; 409 while a level of escalation names it."""
    await on_call.remove_team(data, team_id, doer, now)
    return Response(status_code=204)


@router.post("/shifts", status_code=201, summary="Add a shift", name="add_shift")
async def add_shift(_: RosterPlanner, new: NewShift, data: Data, doer: Doer, now: Now) -> Made:
    """Times are the site's wall clock; at most seven days a turn."""
    shift = Shift(0, new.team_id, new.user, new.starts, new.ends, "UTC", new.repeats)
    return Made(number=(await on_call.add_shift(data, shift, doer, now)).shift_id)


@router.delete("/shifts/{shift_id}", status_code=204, summary="Remove a shift", name="remove_shift")
async def remove_shift(_: RosterPlanner, shift_id: _Number, data: Data, doer: Doer, now: Now) -> Response:
    """With all its turns."""
    await on_call.remove_shift(data, shift_id, doer, now)
    return Response(status_code=204)


@router.post("/covers", status_code=201, summary="Stand in for somebody", name="add_cover")
async def add_cover(user: AlarmOperator, new: NewCover, data: Data, doer: Doer, now: Now) -> Made:
    """Everybody may offer themselves; who plans the roster may send others (403)."""
    cover = Cover(0, new.team_id, new.user, new.instead_of, new.start_at or now, new.end_at)
    return Made(number=(await on_call.add_cover(data, cover, user, doer, now)).cover_id)


@router.delete("/covers/{cover_id}", status_code=204, summary="Take a stand-in back", name="remove_cover")
async def remove_cover(user: AlarmOperator, cover_id: _Number, data: Data, doer: Doer, now: Now) -> Response:
    """The roster holds again as planned."""
    await on_call.remove_cover(data, cover_id, user, doer, now)
    return Response(status_code=204)


@router.put("/escalation/{priority}", summary="Set the levels of a priority", name="set_levels")
async def set_levels(
    _: RosterPlanner, priority: Priority, given: Levels, data: Data, doer: Doer, now: Now
) -> list[Step]:
    """What nobody acknowledges goes to the next level in its time; an empty level goes on at once."""
    levels = [Level(level.after_min, level.target, level.team_id) for level in given.levels]
    return await on_call.set_levels(data, priority, levels, doer, now)
