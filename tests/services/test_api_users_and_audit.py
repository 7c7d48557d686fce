"""Accounts through the API, and the audit log that every change leaves a row in."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from energy_center.domain.people import Actor, User, UserRole
from energy_center.errors import Conflict, Invalid
from energy_center.services import users
from energy_center.services.audit import check_audit, read_audit
from energy_center.store import audit
from energy_center.store.pool import Database

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
ACTOR = Actor("admin", "198.51.100.7")

LogIn = Callable[[UserRole], Awaitable[httpx.AsyncClient]]


async def test_administrator_adds_a_person_who_can_log_in(
    logged_in: LogIn, browser: Callable[..., httpx.AsyncClient]
):
    admin = await logged_in(UserRole.ADMIN)
    person = {"name": "lin", "display_name": "林小姐", "role": "operator", "password": "winter melon tea"}
    answer = await admin.post("/api/v1/users", json=person)
    assert answer.status_code == 201
    assert "password" not in answer.text
    assert (await admin.post("/api/v1/users", json=person)).status_code == 409
    entered = await browser().post("/api/v1/session", json={"name": "lin", "password": "winter melon tea"})
    assert entered.json()["display_name"] == "林小姐"
    assert entered.json()["language"] == "zh-TW"


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Lin"},
        {"name": "../etc"},
        {"name": ""},
        {"display_name": " "},
        {"display_name": "a\nb"},
        {"role": "king"},
        {"password": "short"},
        {"password": "lin-lin-lin-lin"},
        {"language": "fr"},
    ],
)
async def test_wrong_account_is_refused(change: dict[str, str], logged_in: LogIn):
    admin = await logged_in(UserRole.ADMIN)
    person = {"name": "lin", "display_name": "Lin", "role": "viewer", "password": "winter melon tea"}
    answer = await admin.post("/api/v1/users", json={**person, **change})
    assert answer.status_code == 422
    assert "winter" not in answer.text, "a refused password must not come back"


async def test_demo_account_may_have_a_known_password_and_nobody_else(database: Database):
    await users.create_user(database, "viewer", "V", UserRole.VIEWER, "view-demo", ACTOR, NOW, is_demo=True)
    assert await users.enabled_demo_users(database) == ["viewer"]
    with pytest.raises(Invalid):
        await users.create_user(database, "other", "O", UserRole.VIEWER, "view-demo", ACTOR, NOW)
    await users.change_user(database, "viewer", ACTOR, NOW, disabled=True)
    assert await users.enabled_demo_users(database) == []


@pytest.mark.parametrize("change", [{"disabled": True}, {"role": UserRole.MANAGER}])
async def test_last_administrator_stays(
    change: dict[str, object], database: Database, people: dict[UserRole, User]
):
    with pytest.raises(Conflict, match="last administrator"):
        await users.change_user(database, "admin", ACTOR, NOW, **change)


async def test_two_administrators_cannot_remove_each_other_at_once(
    database: Database, people: dict[UserRole, User]
):
    await users.change_user(database, "manager", ACTOR, NOW, role=UserRole.ADMIN)

    async def disable(name: str) -> bool:
        try:
            await users.change_user(database, name, ACTOR, NOW, disabled=True)
        except Conflict:
            return False
        return True

    async with asyncio.TaskGroup() as group:
        both = [group.create_task(disable(name)) for name in ("admin", "manager")]
    assert sorted(task.result() for task in both) == [False, True]


async def test_change_leaves_one_row_with_both_sides_of_it(logged_in: LogIn):
    admin = await logged_in(UserRole.ADMIN)
    await admin.patch("/api/v1/users/operator", json={"role": "technician"})
    await admin.patch("/api/v1/users/operator", json={"role": "technician"})  # changes nothing
    entries = (await admin.get("/api/v1/audit", params={"subject": "user/operator"})).json()
    assert len(entries) == 1
    assert entries[0]["actor"] == "admin"
    assert entries[0]["address"] == "198.51.100.7"
    assert entries[0]["before"] == {"role": "operator", "disabled": False}
    assert entries[0]["after"] == {"role": "technician", "disabled": False}


async def _fill(database: Database, count: int) -> None:
    for number in range(count):
        async with database.transaction() as connection:
            at = NOW + timedelta(seconds=number)
            after = {"n": number, "ratio": 1e22, "text": "電力\n\"'", "at": at}
            await audit.append(connection, ACTOR, "test.changed", f"thing/{number}", None, after, at)


async def test_chain_of_the_audit_log_holds(database: Database):
    assert (await check_audit(database)).entries == 0
    await _fill(database, 5)
    checked = await check_audit(database)
    assert (checked.entries, checked.broken_at) == (5, None)
    assert checked.head_hex == (await read_audit(database, limit=1))[0].hash_hex


async def test_chain_has_no_forks_when_many_write_at_once(database: Database):
    async with asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(_fill(database, 5))
    checked = await check_audit(database)
    assert (checked.entries, checked.broken_at) == (40, None)


@pytest.mark.parametrize(
    ("tampering", "found_at"),
    [
        ("UPDATE audit_log SET actor = 'somebody' WHERE audit_id = 3", 3),
        ("UPDATE audit_log SET after = '{\"n\": 9}' WHERE audit_id = 3", 3),
        ("UPDATE audit_log SET at = at + interval '1 microsecond' WHERE audit_id = 3", 3),
        ("UPDATE audit_log SET before = '{}' WHERE audit_id = 1", 1),
        ("DELETE FROM audit_log WHERE audit_id = 3", 4),
        ("DELETE FROM audit_log WHERE audit_id = 1", 2),
    ],
)
async def test_chain_breaks_where_somebody_tampered(tampering: str, found_at: int, database: Database):
    await _fill(database, 5)
    async with database.connection() as connection:
        await connection.execute("ALTER TABLE audit_log DISABLE TRIGGER USER")
        await connection.execute(tampering)
    assert (await check_audit(database)).broken_at == found_at


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_log SET actor = 'x'", "DELETE FROM audit_log", "TRUNCATE audit_log"]
)
async def test_database_itself_refuses_to_change_the_log(statement: str, database: Database):
    await _fill(database, 1)
    with pytest.raises(Exception, match="append-only"):
        async with database.connection() as connection:
            await connection.execute(statement)


async def test_failed_change_leaves_no_row(database: Database):
    class Undone(Exception):
        pass

    async def change_and_fail() -> None:
        async with database.transaction() as connection:
            await audit.append(connection, ACTOR, "test.changed", "thing/1", None, None, NOW)
            raise Undone

    with pytest.raises(Undone):
        await change_and_fail()
    assert (await check_audit(database)).entries == 0


async def test_log_is_read_in_pages_newest_first(database: Database):
    await _fill(database, 5)
    first = await read_audit(database, limit=2)
    second = await read_audit(database, limit=2, before_id=first[-1].audit_id)
    assert [entry.subject for entry in [*first, *second]] == ["thing/4", "thing/3", "thing/2", "thing/1"]
