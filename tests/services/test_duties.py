"""Duties over HTTP and a real database: taken on, recorded with papers, undone, and how a year stands."""

import base64
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest

from energy_center.cli.demo_duties import give_duties
from energy_center.domain.duties import Standing
from energy_center.domain.people import Actor, UserRole
from energy_center.services import duties
from energy_center.services.adopt_duties import adopt_catalogue
from energy_center.store.pool import Database

LogIn = Callable[[UserRole], Awaitable[httpx.AsyncClient]]
ACTOR = Actor("lin", "local")
NOW = datetime(2026, 7, 10, 1, 0, tzinfo=UTC)
AED = {"duty_id": "aed-check", "subject_id": "AED 1", "starts_on": "2025-01-01"}
DONE = {"due_on": "2026-06-30", "done_on": "2026-06-12", "papers": [{"kind": "record", "reference": "A-7"}]}
PDF = b"%PDF-1.7\n%%EOF\n"


@pytest.fixture
async def manager(logged_in: LogIn, writable_point: None) -> httpx.AsyncClient:
    return await logged_in(UserRole.MANAGER)


async def _taken_on(client: httpx.AsyncClient) -> int:
    answer = await client.post("/api/v1/duties", json=AED)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["adoption_id"])


async def test_a_duty_is_taken_on_once_and_its_year_shows_it(manager: httpx.AsyncClient):
    adoption_id = await _taken_on(manager)
    assert (await manager.post("/api/v1/duties", json=AED)).status_code == 409
    year = (await manager.get("/api/v1/duties", params={"year": 2026})).json()
    (row,) = year["duties"]
    assert row["adoption"]["adoption_id"] == adoption_id
    assert [at["due_on"] for at in row["dates"]] == ["2026-06-30", "2026-12-31"]
    assert row["duty"]["source"]["en"].startswith("Regulations on emergency medical equipment")


async def test_done_with_a_file_and_taken_back(manager: httpx.AsyncClient):
    adoption_id = await _taken_on(manager)
    file = {
        "name": "AED 檢查.pdf",
        "media_type": "application/pdf",
        "content": base64.b64encode(PDF).decode(),
    }
    attachment_id = (await manager.post("/api/v1/attachments", json=file)).json()["attachment_id"]
    wanted = {**DONE, "papers": [{"kind": "record", "attachment_id": attachment_id}]}
    made = await manager.post(f"/api/v1/duties/{adoption_id}/records", json=wanted)
    assert made.status_code == 201, made.text
    assert (await manager.post(f"/api/v1/duties/{adoption_id}/records", json=wanted)).status_code == 409
    kept = await manager.get(f"/api/v1/attachments/{attachment_id}")
    assert kept.content == PDF
    assert kept.headers["content-disposition"].startswith("attachment;")
    assert await _standings(manager) == ["done", "open"] or await _standings(manager) == ["done", "planned"]
    undone = await manager.post(f"/api/v1/duties/records/{made.json()['deed_id']}/undo")
    assert undone.json()["undone_at"] is not None
    assert (await _standings(manager))[0] == "overdue"
    assert (await manager.post(f"/api/v1/duties/{adoption_id}/records", json=wanted)).status_code == 201


async def _standings(client: httpx.AsyncClient) -> list[str]:
    (row,) = (await client.get("/api/v1/duties", params={"year": 2026})).json()["duties"]
    return [at["standing"] for at in row["dates"]]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"due_on": "2026-06-29"}, "no due date"),
        ({"papers": []}, "Papers are missing: record"),
        ({"papers": [{"kind": "record", "attachment_id": 77}]}, "no file 77"),
        ({"done_on": "2026-04-30"}, "Done before 2026-05-01"),
        ({"due_on": "0001-01-01"}, "2000"),
        ({"due_on": "9999-12-31"}, "2101"),
        ({"due_on": "2099-06-30", "done_on": "2099-06-12"}, "lies ahead"),
        ({"is_waived": True, "papers": []}, "needs a reason"),
    ],
)
async def test_a_record_that_proves_nothing_is_refused(
    manager: httpx.AsyncClient, change: dict[str, object], words: str
):
    adoption_id = await _taken_on(manager)
    answer = await manager.post(f"/api/v1/duties/{adoption_id}/records", json=DONE | change)
    assert answer.status_code == 422
    assert words in answer.text


async def test_a_file_that_is_not_what_it_says_is_refused(manager: httpx.AsyncClient):
    file = {"name": "a.png", "media_type": "image/png", "content": base64.b64encode(b"<script>").decode()}
    answer = await manager.post("/api/v1/attachments", json=file)
    assert answer.status_code == 422
    assert "begins otherwise" in answer.text


async def test_only_a_manager_leaves_a_duty_undone(logged_in: LogIn, manager: httpx.AsyncClient):
    adoption_id = await _taken_on(manager)
    waived = {**DONE, "is_waived": True, "papers": [], "note": "AED in repair, replaced by another."}
    technician = await logged_in(UserRole.TECHNICIAN)
    assert (await technician.post(f"/api/v1/duties/{adoption_id}/records", json=waived)).status_code == 403
    assert (await manager.post(f"/api/v1/duties/{adoption_id}/records", json=waived)).status_code == 201


async def test_two_people_never_overwrite_each_other_and_retiring_is_taken_back(manager: httpx.AsyncClient):
    path = f"/api/v1/duties/{await _taken_on(manager)}"
    first = await manager.patch(path, json={"version": 1, "responsible": "Lin"})
    assert (first.json()["version"], first.json()["responsible"]) == (2, "Lin")
    assert (await manager.patch(path, json={"version": 1, "responsible": "Chen"})).status_code == 409
    assert (await manager.patch(path, json={"version": 2, "is_retired": True})).json()["retired_at"]
    assert (await manager.get("/api/v1/duties", params={"year": 2026})).json()["duties"] == []
    back = await manager.patch(path, json={"version": 3, "is_retired": False})
    assert (back.json()["retired_at"], back.json()["responsible"]) == (None, "Lin")


async def test_what_was_done_is_still_shown_after_its_due_date_moved(manager: httpx.AsyncClient):
    path = f"/api/v1/duties/{await _taken_on(manager)}"
    assert (await manager.post(f"{path}/records", json=DONE)).status_code == 201
    moved = {"version": 1, "recurrence": "FREQ=YEARLY;BYMONTH=5;BYMONTHDAY=-1"}
    assert (await manager.patch(path, json=moved)).status_code == 200
    (row,) = (await manager.get("/api/v1/duties", params={"year": 2026})).json()["duties"]
    assert [(at["due_on"], at["standing"]) for at in row["dates"]] == [
        ("2026-05-29", "overdue"),
        ("2026-06-30", "done"),
    ]
    assert row["dates"][1]["record"]["papers"][0]["reference"] == "A-7"


async def test_what_was_done_is_still_shown_after_the_duty_is_retired(manager: httpx.AsyncClient):
    path = f"/api/v1/duties/{await _taken_on(manager)}"
    assert (await manager.post(f"{path}/records", json=DONE)).status_code == 201
    assert (await manager.patch(path, json={"version": 1, "is_retired": True})).status_code == 200
    (row,) = (await manager.get("/api/v1/duties", params={"year": 2026})).json()["duties"]
    assert [(at["due_on"], at["standing"]) for at in row["dates"]] == [("2026-06-30", "done")]
    assert (await manager.get("/api/v1/duties/due", params={"days": 400})).json() == []
    assert (await manager.get("/api/v1/duties", params={"year": 2025})).json()["duties"] == []


async def test_a_duty_is_taken_on_for_something(manager: httpx.AsyncClient):
    assert (await manager.post("/api/v1/duties", json=AED | {"subject_id": "  "})).status_code == 422


async def test_a_year_comes_to_what_was_kept_in_time(database: Database, writable_point: None):
    made = await duties.adopt(database, "lift-upkeep", "Lift 3", date(2026, 1, 1), ACTOR, NOW)
    for due_on, done_on in (("2026-01-30", "2026-01-20"), ("2026-02-26", "2026-03-03")):
        await _do(database, made.adoption_id, due_on, done_on)
    found = duties.compliance(await duties.read_year(database, 2026, NOW))
    # due until 10 July and not done: end of March, April, May and June
    assert found.counts == {Standing.DONE: 1, Standing.DONE_LATE: 1, Standing.OVERDUE: 4, Standing.OPEN: 1,
                            Standing.PLANNED: 5}  # fmt: skip
    assert found.kept_share == pytest.approx(1 / 6)
    (row,) = await duties.read_due(database, timedelta(days=30), NOW)
    assert [at.due.due_on.month for at in row.dates] == [3, 4, 5, 6, 7]


async def _do(database: Database, adoption_id: int, due_on: str, done_on: str) -> None:
    paper = duties.Paper(duties.shipped_duties()["lift-upkeep"].evidence[0], reference="L-1")
    deed = duties.WantedDeed(date.fromisoformat(due_on), date.fromisoformat(done_on), False, "", "", (paper,))
    await duties.record(database, adoption_id, deed, ACTOR, NOW)


async def test_the_catalogue_is_taken_on_once_for_what_the_site_has(database: Database, writable_point: None):
    made = await adopt_catalogue(database, date(2026, 1, 1), ACTOR, NOW)
    assert {a.duty_id for a in made} >= {"energy-audit-filing", "fire-drill"}
    assert await adopt_catalogue(database, date(2026, 1, 1), ACTOR, NOW) == []


async def test_the_demo_has_a_year_with_every_standing_but_grace(database: Database, writable_point: None):
    await give_duties(database, ACTOR, date(2026, 7, 10), NOW)
    rows = await duties.read_year(database, 2025, NOW) + await duties.read_year(database, 2026, NOW)
    found = duties.compliance(rows)
    assert {Standing.DONE, Standing.DONE_LATE, Standing.OVERDUE, Standing.PLANNED} <= set(found.counts)
    assert found.kept_share is not None
    assert found.kept_share > 0.8
