"""From an alarm to its closed work order, through the API alone, every step audited."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest

from energy_center.domain.people import UserRole
from energy_center.services.audit import check_audit, read_audit
from energy_center.store.pool import Database

LogIn = Callable[[UserRole], Awaitable[httpx.AsyncClient]]
ORDERS = "/api/v1/work-orders"


async def test_alarm_is_acknowledged_once(logged_in: LogIn, alarm_id: int):
    operator = await logged_in(UserRole.OPERATOR)
    listed = (await operator.get("/api/v1/alarms")).json()
    assert [alarm["alarm_id"] for alarm in listed] == [alarm_id]
    assert listed[0]["equipment_name"] == {"zh_tw": "集水井", "en": "Sump B3"}
    path = f"/api/v1/alarms/{alarm_id}/acknowledge"
    answer = await operator.post(path, json={"comment": "On the way."})
    assert (answer.status_code, answer.json()["acknowledged_by"]) == (200, "operator")
    assert (await operator.post(path, json={})).status_code == 409
    detail = (await operator.get(f"/api/v1/alarms/{alarm_id}")).json()
    assert detail["history"][-1]["comment"] == "On the way."


async def test_alarm_is_shelved_for_a_time_with_a_reason(logged_in: LogIn, alarm_id: int):
    operator = await logged_in(UserRole.OPERATOR)
    until = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    path = f"/api/v1/alarms/{alarm_id}/shelve"
    assert (await operator.post(path, json={"until": until})).status_code == 422
    too_long = (datetime.now(UTC) + timedelta(days=8)).isoformat()
    assert (await operator.post(path, json={"until": too_long, "comment": "x"})).status_code == 422
    shelved = await operator.post(path, json={"until": until, "comment": "Pump is replaced."})
    assert shelved.json()["shelved_until"]
    back = await operator.post(f"/api/v1/alarms/{alarm_id}/unshelve", json={})
    assert back.json()["shelved_until"] is None


async def test_performance_says_its_period_and_targets_and_comes_as_csv(logged_in: LogIn, alarm_id: int):
    viewer = await logged_in(UserRole.VIEWER)
    health = (await viewer.get("/api/v1/alarms/performance?days=30")).json()
    made = health["performance"]
    assert datetime.fromisoformat(made["until"]) - datetime.fromisoformat(made["since"]) == timedelta(days=30)
    assert health["now"]["listed"] == 1
    assert {goal["name"]: goal["target"] for goal in health["goals"]}["per_hour"] == 6.0
    csv = await viewer.get("/api/v1/alarms/performance?format=csv")
    assert csv.headers["content-type"].startswith("text/csv")
    assert csv.text.splitlines()[0] == "figure,value,target,unit,source"
    assert (await viewer.get("/api/v1/alarms/performance?days=0")).status_code == 422


async def test_order_from_an_alarm_is_worked_verified_and_closed(
    logged_in: LogIn, alarm_id: int, database: Database
):
    operator = await logged_in(UserRole.OPERATOR)
    technician = await logged_in(UserRole.TECHNICIAN)
    manager = await logged_in(UserRole.MANAGER)
    made = await operator.post(ORDERS, json={"alarm_id": alarm_id})
    assert made.status_code == 201
    path = f"{ORDERS}/{made.json()['work_order_id']}"
    steps = [
        (technician, "in_progress", 200),
        (technician, "closed", 409),  # not from here
        (technician, "done", 200),
        (technician, "verified", 403),  # not by whoever did it
        (manager, "verified", 200),
        (technician, "closed", 200),
    ]
    for person, to, status in steps:
        answer = await person.post(f"{path}/moves", json={"to": to, "comment": "Float cleaned."})
        assert answer.status_code == status, (to, answer.text)
    detail = (await operator.get(path)).json()
    assert detail["row"]["order"]["state"] == "closed"
    assert detail["moves"] == []
    order_id = detail["row"]["order"]["work_order_id"]
    entries = await read_audit(database, subject=f"work_order/{order_id}")
    assert [(entry.actor, entry.after["state"]) for entry in reversed(entries)] == [
        ("operator", "open"),
        ("technician", "in_progress"),
        ("technician", "done"),
        ("manager", "verified"),
        ("technician", "closed"),
    ]
    assert (await check_audit(database)).broken_at is None


async def test_repeated_request_is_one_order(logged_in: LogIn):
    operator = await logged_in(UserRole.OPERATOR)
    wanted = {"client_id": str(uuid4()), "title": "Replace the filter", "priority": "low"}
    first, again = [await operator.post(ORDERS, json=wanted) for _ in range(2)]
    assert first.json()["work_order_id"] == again.json()["work_order_id"]
    other = await operator.post(ORDERS, json={**wanted, "client_id": str(uuid4())})
    assert other.json()["work_order_id"] != first.json()["work_order_id"]
    assert len((await operator.get(ORDERS)).json()) == 2


async def test_alarm_has_one_open_order(logged_in: LogIn, alarm_id: int):
    operator = await logged_in(UserRole.OPERATOR)
    numbers = {
        (await operator.post(ORDERS, json={"alarm_id": alarm_id, "client_id": str(uuid4())})).json()[
            "work_order_id"
        ]
        for _ in range(2)
    }
    assert len(numbers) == 1


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"title": "No priority"},
        {"priority": "low"},
        {"title": "", "priority": "low"},
        {"title": "x" * 201, "priority": "low"},
        {"alarm_id": 1, "title": "Both", "priority": "low"},
        {"alarm_id": 0},
        {"title": "x", "priority": "low", "client_id": "not-a-uuid"},
    ],
)
async def test_half_an_order_is_refused(wanted: dict[str, object], logged_in: LogIn):
    operator = await logged_in(UserRole.OPERATOR)
    assert (await operator.post(ORDERS, json=wanted)).status_code == 422


async def test_request_repeated_at_the_same_moment_is_one_order(logged_in: LogIn):
    operator = await logged_in(UserRole.OPERATOR)
    wanted = {"client_id": str(uuid4()), "title": "Replace the filter", "priority": "low"}
    async with asyncio.TaskGroup() as group:
        sent = [group.create_task(operator.post(ORDERS, json=wanted)) for _ in range(6)]
    answers = [task.result() for task in sent]
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["work_order_id"] for answer in answers}) == 1
