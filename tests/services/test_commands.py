"""Requesting, superseding and cancelling writes: who may, within which limits, and what is kept of it."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from energy_center.domain.commands import CommandState
from energy_center.domain.people import Actor, User, UserRole
from energy_center.errors import Conflict, Invalid, NotAllowed
from energy_center.services import commands
from energy_center.services.audit import read_audit
from energy_center.services.commands import WantedCommand
from energy_center.store.pool import Database
from tests.services.test_site_command import FILES, PROFILES, call
from tests.services.writable_site import READ_ONLY, SCHEDULE, SETPOINT, site_with_writable_point

LogIn = Callable[[UserRole], Awaitable[httpx.AsyncClient]]
NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
WHO = Actor("manager", "test")

pytestmark = pytest.mark.usefixtures("writable_point")


def wanted(key: tuple[str, str] = SCHEDULE, value: float = 1.0, end: datetime = NOW + HOUR) -> WantedCommand:
    return WantedCommand(*key, value, end)


async def test_a_site_that_strands_a_written_value_is_not_applied(
    database: Database, database_dsn: str, people: dict[UserRole, User]
):
    manager = people[UserRole.MANAGER]
    made = await commands.request_command(
        database, wanted(end=datetime.now(UTC) + HOUR), manager, WHO, datetime.now(UTC)
    )
    assert await commands.left_behind(database, site_with_writable_point()) == []
    words = ("site", "apply", str(FILES / "site.good.yaml"), *PROFILES)
    code, said = await call(*words, DATABASE_URL=database_dsn)
    assert code == 2
    assert f"ahu/schedule (command {made.command_id})" in said
    await commands.cancel_command(database, made.command_id, manager, WHO, datetime.now(UTC))
    assert (await call(*words, DATABASE_URL=database_dsn))[0] == 0


async def test_request_is_kept_with_its_limits_and_audited(database: Database, people: dict[UserRole, User]):
    made = await commands.request_command(
        database, wanted(SETPOINT, 17.5), people[UserRole.MANAGER], WHO, NOW
    )
    assert (made.key, made.wanted, made.unit, made.low, made.high) == (SETPOINT, 17.5, "Cel", 14.0, 22.0)
    assert (made.priority, made.state, made.requested_by) == (10, CommandState.REQUESTED, "manager")
    (row,) = await read_audit(database, limit=1)
    assert (row.action, row.subject) == ("command.requested", f"command/{made.command_id}")
    assert row.after["point"] == "ahu/supply_air_temperature_setpoint"


@pytest.mark.parametrize(
    ("role", "request_", "error"),
    [
        (UserRole.VIEWER, wanted(), NotAllowed),
        (UserRole.TECHNICIAN, wanted(), NotAllowed),
        (UserRole.MANAGER, wanted(READ_ONLY, 18.0), NotAllowed),
        (UserRole.MANAGER, wanted(SETPOINT, 13.9), Invalid),
        (UserRole.MANAGER, wanted(SETPOINT, 22.1), Invalid),
        (UserRole.MANAGER, wanted(SETPOINT, float("nan")), Invalid),
        (UserRole.MANAGER, wanted(SETPOINT, 18.0, NOW + HOUR + timedelta(seconds=1)), Invalid),
        (UserRole.MANAGER, wanted(end=NOW), Invalid),
    ],
)
async def test_request_is_refused_and_leaves_nothing(
    role: UserRole,
    request_: WantedCommand,
    error: type[Exception],
    database: Database,
    people: dict[UserRole, User],
):
    with pytest.raises(error):
        await commands.request_command(database, request_, people[role], WHO, NOW)
    assert await commands.list_commands(database) == []


async def test_newer_request_supersedes_the_open_one(database: Database, people: dict[UserRole, User]):
    manager = people[UserRole.MANAGER]
    first = await commands.request_command(database, wanted(value=1.0), manager, WHO, NOW)
    second = await commands.request_command(database, wanted(value=0.0), manager, WHO, NOW + HOUR / 2)
    found = await commands.list_commands(database)
    assert [(c.command_id, c.state) for c in found] == [
        (second.command_id, CommandState.REQUESTED),
        (first.command_id, CommandState.SUPERSEDED),
    ]
    assert await commands.list_commands(database, open_only=True) == [second]


async def test_cancelled_before_it_was_taken_it_ends_at_once(
    database: Database, people: dict[UserRole, User]
):
    manager = people[UserRole.MANAGER]
    made = await commands.request_command(database, wanted(), manager, WHO, NOW)
    cancelled = await commands.cancel_command(database, made.command_id, manager, WHO, NOW + HOUR / 2)
    assert (cancelled.state, cancelled.cancelled_by) == (CommandState.CANCELLED, "manager")
    with pytest.raises(Conflict):
        await commands.cancel_command(database, made.command_id, manager, WHO, NOW + HOUR / 2)


async def test_api_refuses_a_viewer_lists_for_one_and_repeats_once(logged_in: LogIn):
    manager, viewer = await logged_in(UserRole.MANAGER), await logged_in(UserRole.VIEWER)
    body = {
        "client_id": "0b9f6a52-6c3e-4a47-9d1c-5a4f3f3c2d11",
        "equipment_id": "ahu",
        "point": "schedule",
        "wanted": 1,
        "expires_at": (datetime.now(UTC) + HOUR).isoformat(),
    }
    assert (await viewer.post("/api/v1/commands", json=body)).status_code == 403
    first, again = [await manager.post("/api/v1/commands", json=body) for _ in range(2)]
    assert (first.status_code, again.json()) == (201, first.json())
    listed = (await viewer.get("/api/v1/commands?open_only=true")).json()
    assert [(c["point"], c["wanted"], c["state"]) for c in listed] == [("schedule", 1.0, "requested")]
    too_hot = {**body, "client_id": None, "point": SETPOINT[1], "wanted": 40}
    answer = await manager.post("/api/v1/commands", json=too_hot)
    assert (answer.status_code, answer.json()["facts"]) == (422, {"low": 14.0, "high": 22.0})
