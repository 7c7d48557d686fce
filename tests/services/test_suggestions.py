"""Suggestions as the reckoning writes them and people decide."""

from datetime import timedelta

import httpx
import pytest

from energy_center.domain.people import UserRole
from energy_center.domain.suggestions import SuggestionState
from energy_center.services.suggest_savings import suggest_due, suggest_savings
from energy_center.services.suggestions import list_suggestions
from energy_center.store.pool import Database
from energy_center.store.suggestions import insert_suggestion, suggestion_runs
from tests.services.city_hall import applied
from tests.services.suggested import AT, a_suggestion
from tests.services.test_api_every_write_is_audited import LogIn

ALL = tuple(SuggestionState)
PATH = "/api/v1/suggestions"


async def put(database: Database, **changed: object) -> int:
    async with database.transaction() as conn:
        return await insert_suggestion(conn, a_suggestion(**changed))


async def states(database: Database) -> list[SuggestionState]:
    found = await list_suggestions(database, ALL)
    return [row.suggestion.state for row in found.rows]


@pytest.fixture
async def city(database: Database) -> None:
    """The site with the buildings hall and annex."""
    await applied(database)


@pytest.fixture
async def manager(logged_in: LogIn) -> httpx.AsyncClient:
    return await logged_in(UserRole.MANAGER)


async def test_a_building_without_history_cannot_be_told(database: Database, city: None):
    appraisal = await suggest_savings(database, "hall", AT)
    assert appraisal.found == ()
    assert "schedule-trim" in appraisal.not_known
    async with database.connection() as conn:
        (run,) = await suggestion_runs(conn)
    assert (run.building_id, run.coverage) == ("hall", 0.0)


async def test_what_is_not_found_again_expires(database: Database, city: None):
    await put(database)
    await suggest_savings(database, "hall", AT)
    assert await states(database) == [SuggestionState.EXPIRED]


async def test_without_its_year_a_building_is_due_again_after_ten_minutes(database: Database, city: None):
    assert await suggest_due(database, AT) == 2
    assert await suggest_due(database, AT + timedelta(minutes=9)) == 0
    assert await suggest_due(database, AT + timedelta(minutes=10)) == 2


async def test_a_declined_suggestion_says_why_and_until_when(
    database: Database, manager: httpx.AsyncClient, city: None
):
    number = await put(database)
    answer = await manager.post(f"{PATH}/{number}/decline", json={"reason": "New plant in May.", "days": 30})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["state"], body["reason"]) == ("declined", "New plant in May.")
    assert body["declined_until"]
    again = await manager.post(f"{PATH}/{number}/accept")
    assert again.status_code == 409


async def test_a_decision_without_a_reason_is_refused(
    database: Database, manager: httpx.AsyncClient, city: None
):
    number = await put(database)
    assert (await manager.post(f"{PATH}/{number}/decline", json={"reason": " "})).status_code == 422
    assert await states(database) == [SuggestionState.PROPOSED]


async def test_the_list_is_ranked_by_money_and_filtered(
    database: Database, manager: httpx.AsyncClient, city: None
):
    await put(database, subject_id="a", money_ntd=1000.0)
    await put(database, subject_id="b", money_ntd=9000.0)
    await put(database, subject_id="c", money_ntd=None, state=SuggestionState.EXPIRED)
    rows = (await manager.get(PATH)).json()["rows"]
    assert [row["suggestion"]["subject_id"] for row in rows] == ["b", "a", "c"]
    kept = (await manager.get(PATH, params={"state": "proposed", "building": "hall"})).json()["rows"]
    assert [row["suggestion"]["subject_id"] for row in kept] == ["b", "a"]


async def test_a_viewer_may_read_but_not_decide(database: Database, logged_in: LogIn, city: None):
    number = await put(database)
    viewer = await logged_in(UserRole.VIEWER)
    assert (await viewer.get(f"{PATH}/{number}")).status_code == 200
    assert (await viewer.post(f"{PATH}/{number}/accept")).status_code == 403


async def test_an_accepted_suggestion_becomes_one_measure(
    database: Database, manager: httpx.AsyncClient, city: None
):
    number = await put(database)
    answer = await manager.post(f"{PATH}/{number}/accept")
    assert answer.status_code == 200, answer.text
    (measure,) = (await manager.get("/api/v1/measures")).json()
    made = measure.get("measure", measure)
    assert (made["suggestion_id"], made["expected_kwh_per_year"]) == (number, 2070.0)
    assert made["meter"] == "main + chiller-1"
    assert (await manager.post(f"{PATH}/{number}/reopen")).status_code == 409


async def test_what_changes_the_bill_alone_becomes_no_measure(
    database: Database, manager: httpx.AsyncClient, city: None
):
    number = await put(database, measure_id="contract-capacity", energy_kwh=0.0, evidence={"meters": []})
    assert (await manager.post(f"{PATH}/{number}/accept")).status_code == 200
    assert (await manager.get("/api/v1/measures")).json() == []
    assert (await manager.post(f"{PATH}/{number}/reopen")).json()["state"] == "proposed"


async def test_an_unknown_suggestion_is_not_found(manager: httpx.AsyncClient, city: None):
    assert (await manager.get(f"{PATH}/4711")).status_code == 404
    assert (await manager.post(f"{PATH}/4711/accept")).status_code == 404
